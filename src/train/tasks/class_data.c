#include "class_data.h"

#include <inttypes.h>

#include "class_match.h"
#include "class_scores.h"
#include "early_stop.h"
#include "trireme/core/memory.h"
#include "trireme/input/kind.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("data.split", "0", 0, 1000000, "", TRM_ON_RESULT,
                "Which of the data set's splits; sets of graphs: which fold is the test part."),
    TRM_KEY_CHOICE("eval.select", "auto", "auto|loss|accuracy|macro_f1|mcc|auc", TRM_NO_EFFECT,
                   "What makes an evaluation the best; auto: accuracy."),
    TRM_KEY_BOOL("eval.train", "false", TRM_NO_EFFECT,
                 "Evaluations measure the training part too, as they do the validation part."),
    TRM_KEY_BOOL("eval.test", "true", TRM_NO_EFFECT,
                 "Score the test part, where there is one, at every evaluation of a run too; "
                 "'trireme evaluate' always does."),
};
const trm_config_rows trm_class_keys = TRM_CONFIG_ROWS(keys);

static trm_status check_split(const trm_task *task, const trm_class_data *data) {
  const int64_t split = trm_config_int(task->config, "data.split");
  const int n = data->n_splits;
  if (split < n || n == 0) return TRM_OK; /* opening the split says that there are none */
  return trm_fail(TRM_ERR_CONFIG, "data.split is %" PRId64 ", but %s has %d %s, from 0 to %d",
                  split, trm_config_string(task->config, "data.path"), n,
                  trm_data_kind_find(task->kind->brings.name)->splits, n - 1);
}

/* Subsets may overlap: with data.hold_out false a fold is for validation and test at once. */
static trm_status open_split(const trm_task *task, const trm_class_source *source,
                             trm_class_data *data) {
  const int split = (int)trm_config_int(task->config, "data.split");
  const bool hold_out = trm_config_used(task->config, "data.hold_out") &&
                        trm_config_bool(task->config, "data.hold_out");
  TRM_TRY(check_split(task, data));
  const trm_part_facts facts = {.labels = data->classes->labels};
  trm_ids ids[TRM_N_SUBSETS];
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    TRM_TRY(source->split(task, split, (trm_subset)p, hold_out, &ids[p]));
  }
  /* A fold that validates and tests at once is not trained on. */
  const bool whole = trm_config_int(task->config, "data.folds") > 0 &&
                     trm_config_used(task->config, "data.hold_out") && !hold_out;
  const trm_ids valid = whole ? (trm_ids){0} : ids[TRM_SUBSET_VALID];
  TRM_TRY(trm_training_part_make(task->config, ids[TRM_SUBSET_TRAIN], valid, &facts, &data->part));
  ids[TRM_SUBSET_TRAIN] = data->train = data->part.train;
  ids[TRM_SUBSET_VALID] = data->part.valid;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    for (int64_t i = 0; i < ids[p].n; ++i) data->subsets[ids[p].ids[i]] |= (int8_t)(1 << p);
  }
  const int64_t n_valid = data->part.valid.n;
  const char *path = trm_config_string(task->config, "data.path"), *unit = task->unit;
  if (data->train.n == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: data.split %d leaves no %s for training; choose another",
                    path, split, unit);
  }
  if (n_valid > 0 || task->use != TRM_USE_TRAIN) return TRM_OK;
  return trm_task_without_valid(task, split);
}

/* What is evaluated may lack some of the classes that the model was trained on. */
static trm_status check_labels(const trm_task *task, const trm_classes *classes) {
  const int least = task->use == TRM_USE_EVALUATE ? 1 : 2;
  if (classes->labels && classes->n >= least) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %ss have no labels of two classes or more; prepare it with labels",
                  trm_config_string(task->config, "data.path"), task->unit);
}

static trm_status declare_scores(trm_task *task, const trm_class_data *data) {
  trm_class_scores_declare(task, task->dims.n_outputs, data->scored);
  return trm_task_select(task);
}

/* What trm_graph_store_open hands on. */
typedef struct opening {
  trm_task *task;
  const trm_class_source *source;
  trm_class_data *data;
} opening;

static trm_status open_data(void *self, const char *path, const trm_graph_memory *memory,
                            bool features, const trm_graph **graph) {
  const opening *o = self;
  TRM_TRY(o->source->open(o->task, path, memory, features, o->data));
  *graph = o->data->store.graph;
  return TRM_OK;
}

trm_status trm_class_data_open(trm_task *task, const trm_class_source *source,
                               trm_class_data *data) {
  opening o = {task, source, data};
  *data = (trm_class_data){0};
  TRM_TRY(trm_graph_store_open(task->comm, task->config, open_data, &o, &data->store));
  const trm_graph *g = data->store.graph;
  trm_status status = source->check(task, &data->store);
  if (status == TRM_OK) status = TRM_ALLOC(&data->subsets, data->n_samples, "subsets of the data");
  if (status == TRM_OK && task->use != TRM_USE_PREDICT) status = check_labels(task, data->classes);
  if (status == TRM_OK && task->use != TRM_USE_PREDICT) status = open_split(task, source, data);
  TRM_TRY(trm_comm_agree(task->comm, status));
  task->dims = (trm_model_dims){
      .n_outputs = data->classes->n, .n_features = g->n_features, .sparse = g->sparse};
  task->train_loss = task->use != TRM_USE_PREDICT && trm_config_bool(task->config, "eval.train");
  task->digest = g->digest;
  task->host_bytes = trm_graph_store_host_bytes(&data->store);
  const bool test = task->use != TRM_USE_TRAIN || trm_config_bool(task->config, "eval.test");
  data->scored = TRM_ALL_SUBSETS & ~(test ? 0U : 1U << TRM_SUBSET_TEST);
  /* What is evaluated or predicted has the classes of a model, which is not known yet. */
  return task->use == TRM_USE_TRAIN ? declare_scores(task, data) : TRM_OK;
}

/* ---- checkpoints ------------------------------------------------------------------------------ */

trm_status trm_class_data_facts(const trm_class_data *data, trm_facts *facts) {
  return trm_class_names_put(facts, &data->classes->names);
}

/* Scores and predictions are of the model's classes, whichever the data have. Borrows the facts. */
static trm_status take_classes(trm_task *task, trm_class_data *data, const trm_class_match *match) {
  const trm_classes *classes = data->classes;
  int32_t *places = NULL;
  TRM_TRY(TRM_ALLOC(&places, classes->n, "classes"));
  trm_status status = trm_class_match_find(task, match, places);
  if (status == TRM_OK) status = TRM_ALLOC(&data->labels, data->n_samples, "labels");
  for (int64_t i = 0; i < data->n_samples && status == TRM_OK; ++i) {
    const int32_t c = classes->labels ? classes->labels[i] : -1;
    data->labels[i] = c < 0 ? -1 : places[c];
  }
  TRM_FREE(places);
  /* Checkpoints of older versions have no names; those of as many classes will be theirs. */
  const bool own = match->known.n == 0 && classes->names.n == match->n_known;
  data->taken = (trm_classes){.n = (int)match->n_known,
                              .labels = classes->labels ? data->labels : NULL,
                              .names = own ? classes->names : match->known};
  data->classes = &data->taken;
  return status;
}

trm_status trm_class_data_check_facts(trm_task *task, trm_class_data *data, const trm_facts *facts,
                                      const char *path) {
  trm_class_match match = {.path = path,
                           .data = trm_config_string(task->config, "data.path"),
                           .classes = data->classes,
                           .labels = data->classes->labels,
                           .n_labels = data->n_samples,
                           .n_known = trm_facts_outputs(facts)};
  TRM_TRY(trm_class_names_get(facts, path, &match.known));
  if (task->use == TRM_USE_TRAIN) return trm_class_match_same(&match);
  TRM_TRY(take_classes(task, data, &match));
  task->dims.n_outputs = data->classes->n;
  return task->use == TRM_USE_EVALUATE ? declare_scores(task, data) : TRM_OK;
}

void trm_class_data_close(trm_class_data *data) {
  trm_graph_store_close(&data->store);
  trm_training_part_free(&data->part);
  TRM_FREE(data->subsets);
  TRM_FREE(data->labels);
}

int32_t trm_class_target(const trm_class_data *data, int32_t id, trm_subset subset) {
  return data->subsets[id] >> subset & 1 ? data->classes->labels[id] : -1;
}
