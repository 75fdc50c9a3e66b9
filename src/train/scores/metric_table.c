#include <string.h>

#include "trireme/train/scores.h"

/* Every metric that evaluations show or are compared by. */
static const trm_metric metrics[] = {
    {"loss", TRM_METRIC_PLAIN, .less_is_better = true},
    {"nats_per_char", TRM_METRIC_PLAIN, .less_is_better = true},
    /* classes */
    {"accuracy", TRM_METRIC_SHARE, .less_is_better = false},
    {"micro_f1", TRM_METRIC_SHARE, .less_is_better = false},
    {"macro_f1", TRM_METRIC_SHARE, .less_is_better = false},
    {"mcc", TRM_METRIC_SHARE, .less_is_better = false},
    {"auc", TRM_METRIC_SHARE, .less_is_better = false},
    /* numbers */
    {"rmse", TRM_METRIC_PLAIN, .less_is_better = true},
    {"mae", TRM_METRIC_PLAIN, .less_is_better = true},
    {"r2", TRM_METRIC_PLAIN, .less_is_better = false},
    /* lists of items */
    {"recall", TRM_METRIC_SHARE, .less_is_better = false},
    {"ndcg", TRM_METRIC_SHARE, .less_is_better = false},
    {"precision", TRM_METRIC_SHARE, .less_is_better = false},
    {"repeat_recall", TRM_METRIC_SHARE, .less_is_better = false},
    {"repeat_ndcg", TRM_METRIC_SHARE, .less_is_better = false},
    {"cold_recall", TRM_METRIC_SHARE, .less_is_better = false},
    {"log_loss", TRM_METRIC_PLAIN, .less_is_better = true},
    /* texts, lists of tokens, sets of classes */
    {"token_accuracy", TRM_METRIC_SHARE, .less_is_better = false},
    {"exact", TRM_METRIC_SHARE, .less_is_better = false},
    {"bleu", TRM_METRIC_POINTS, .less_is_better = false},
    {"chrf", TRM_METRIC_POINTS, .less_is_better = false},
    {"per", TRM_METRIC_SHARE, .less_is_better = true},
    {"wer", TRM_METRIC_SHARE, .less_is_better = true},
};

static const trm_metric *find(const char *name) {
  for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; ++i) {
    if (strcmp(metrics[i].name, name) == 0) return &metrics[i];
  }
  return NULL;
}

const trm_metric *trm_metric_find(const char *name) {
  const trm_metric *metric = find(name);
  const char *subset_end = strchr(name, '_');
  return metric || !subset_end ? metric : find(subset_end + 1);
}
