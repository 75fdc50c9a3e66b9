/* What makes an evaluation the best: which way each metric is better. */
#include <math.h>

#include "check.h"
#include "task.h"
#include "trireme/train/scores.h"

static void check_metrics(void) {
  const char *const less[] = {"loss", "nats_per_char", "rmse", "mae", "per", "wer"};
  const char *const more[] = {
      "accuracy",  "macro_f1",       "mcc",   "auc",  "r2",  "recall", "ndcg",
      "precision", "token_accuracy", "exact", "bleu", "chrf"};
  for (size_t i = 0; i < sizeof less / sizeof less[0]; ++i) {
    const trm_metric *metric = trm_metric_find(less[i]);
    if (CHECK(metric != NULL)) CHECK(metric->less_is_better);
  }
  for (size_t i = 0; i < sizeof more / sizeof more[0]; ++i) {
    const trm_metric *metric = trm_metric_find(more[i]);
    if (CHECK(metric != NULL)) CHECK(!metric->less_is_better);
  }
  CHECK(trm_metric_find("valid_macro_f1") == trm_metric_find("macro_f1"));
  CHECK(trm_metric_find("test_rmse") == trm_metric_find("rmse"));
  CHECK(trm_metric_find("valid_nats_per_char") != NULL);
  CHECK(trm_metric_find("valid_f1") == NULL);
  CHECK(trm_metric_find("f1") == NULL);
}

/* Rank value of an evaluation with loss 0.5 and a score. */
static double ranked(int selected, const char *metric, double score) {
  trm_task task = {.selected = selected};
  trm_task_add_score(&task, "valid", "accuracy");
  trm_task_add_score(&task, "valid", metric);
  const trm_evaluation result = {
      .loss = 0.5, .n_scores = 2, .scores = {{.value = 0.25}, {.value = score}}};
  const double value = trm_task_rank_value(&task, &result);
  if (selected == 1 && !isnan(score)) CHECK_NEAR(trm_task_ranked_score(&task, value), score, 0);
  return value;
}

static void check_rank(void) {
  CHECK_NEAR(ranked(-1, "rmse", 9), 0.5, 0);
  CHECK_NEAR(ranked(0, "rmse", 9), -0.25, 0);
  CHECK_NEAR(ranked(1, "rmse", 9), 9, 0);
  CHECK(ranked(1, "per", 0.25) < ranked(1, "per", 0.5));
  CHECK(ranked(1, "r2", 0.25) > ranked(1, "r2", 0.5));
  CHECK(ranked(1, "mcc", -0.25) > ranked(1, "mcc", -0.125)); /* below 0 too */
  CHECK(ranked(1, "rmse", (double)NAN) == HUGE_VAL);
  CHECK(ranked(1, "r2", (double)NAN) == HUGE_VAL);
}

int main(void) {
  check_metrics();
  check_rank();
  return check_verdict();
}
