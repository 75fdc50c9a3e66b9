#include "task.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "early_stop.h"
#include "samples.h"
#include "tasks_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"
#include "trireme/input/subset.h"
#include "trireme/model/model.h"
#include "trireme/optim/optim.h"
#include "trireme/train/scores.h"

static const trm_task_kind *const kinds[] = {
#define TRM_TASK(name) &trm_task_##name,
#include "task_list.h"
#undef TRM_TASK
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

void trm_task_parts(trm_config_parts *parts) {
  for (int i = 0; i < N_KINDS; ++i) trm_config_parts_add(parts, &kinds[i]->brings);
  for (int i = 0; i < N_KINDS; ++i) {
    for (int p = 0; p < TRM_TASK_MAX_PARTS && kinds[i]->more[p]; ++p) {
      trm_config_parts_add(parts, kinds[i]->more[p]);
    }
  }
}

const trm_task_kind *trm_task_find(const char *data) {
  for (int i = 0; i < N_KINDS; ++i) {
    if (strcmp(kinds[i]->brings.name, data) == 0) return kinds[i];
  }
  return NULL;
}

/* "graph or graphs" */
static void list_data(const char *const *data, char *text, size_t size) {
  size_t n = 0;
  for (int i = 0; data[i] && n < size; ++i) {
    n += (size_t)snprintf(text + n, size - n, "%s'%s'", i ? " or " : "", data[i]);
  }
}

trm_status trm_task_choose(const trm_config *config, trm_task_use use, const trm_task_kind **kind) {
  const char *path = trm_config_string(config, "data.path");
  const char *const *wanted = trm_model_data(config);
  char found[TRM_KIND_BYTES], list[128];
  const trm_status status = trm_dataset_kind(path, found);
  if (status == TRM_ERR_IO || status == TRM_ERR_MISSING) {
    return trm_fail(status, "%s (data.path, from this folder)", trm_message());
  }
  TRM_TRY(status);
  *kind = trm_task_find(found);
  for (int i = 0; *kind && wanted[i]; ++i) {
    if (strcmp(wanted[i], found) == 0) return TRM_OK;
  }
  list_data(wanted, list, sizeof list);
  if (!*kind) return trm_fail(TRM_ERR_DATA, "%s: kind is '%s', expected %s", path, found, list);
  return trm_fail(use == TRM_USE_TRAIN ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "model.kind %s works on data of kind %s, but %s is of kind '%s'; %s",
                  trm_config_string(config, "model.kind"), list, path, found,
                  use == TRM_USE_TRAIN ? "choose another model.kind or prepare other data"
                                       : "give data of the kind it was trained on");
}

static const char same_data[] = "data.path must lead all ranks to the same data set";

/* Which task the data set wants, and whether the configuration goes with it. */
static trm_status prepare(trm_config *config, trm_task_use use, const trm_task_kind **kind) {
  TRM_TRY(trm_task_choose(config, use, kind));
  trm_config_tell(config, "data", (*kind)->brings.name);
  return use == TRM_USE_TRAIN ? trm_config_check(config) : TRM_OK;
}

/* Another kind of data would call other collectives. The file's length is seen before it is read. */
static trm_status check_same_file(const trm_task *task) {
  char facts[128];
  struct stat info = {0};
  (void)stat(trm_config_string(task->config, "data.path"), &info); /* 0: reading it will tell why */
  (void)snprintf(facts, sizeof facts, "the kind of the data set\t%s\nits length in bytes\t%lld\n",
                 task->kind->brings.name, (long long)info.st_size);
  return trm_comm_check_same(task->comm, facts, same_data);
}

static trm_status check_same_contents(const trm_task *task) {
  char facts[128];
  (void)snprintf(facts, sizeof facts, "the data set (checksum of its contents)\t%016" PRIx64,
                 task->digest);
  return trm_comm_check_same(task->comm, facts, same_data);
}

trm_status trm_task_open(trm_comm *comm, trm_config *config, trm_task_use use, trm_log *log,
                         trm_task **out) {
  trm_task *task = NULL;
  const trm_task_kind *kind = NULL;
  *out = NULL;
  trm_status status = prepare(config, use, &kind);
  if (status == TRM_OK) status = TRM_ALLOC(&task, 1, "task");
  status = trm_comm_agree(comm, status);
  if (status != TRM_OK) {
    TRM_FREE(task);
    return status;
  }
  *task = (trm_task){
      .kind = kind, .use = use, .comm = comm, .config = config, .log = log, .selected = -1};
  task->unit = kind->unit;
  status = check_same_file(task);
  if (status != TRM_OK) {
    TRM_FREE(task);
    return status;
  }
  status = trm_comm_agree(comm, kind->open(task));
  if (status == TRM_OK) status = check_same_contents(task);
  if (status == TRM_OK) {
    *out = task;
  } else {
    trm_task_close(&task);
  }
  return status;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

trm_status trm_task_facts(const trm_task *task, trm_facts *facts) {
  TRM_TRY(trm_facts_put_int(facts, "outputs", task->dims.n_outputs));
  TRM_TRY(trm_facts_put_text(facts, "data", task->kind->brings.name));
  TRM_TRY(trm_facts_put_text(facts, "select", trm_task_metric(task->kind, task->config)));
  return task->kind->facts ? task->kind->facts(task, facts) : TRM_OK;
}

/* Files from before there were facts say "vocab", whatever the outputs are. */
int64_t trm_facts_outputs(const trm_facts *facts) {
  return trm_facts_int(facts, "outputs", trm_facts_int(facts, "vocab", 0));
}

trm_status trm_task_of_checkpoint(const trm_restored *restored, const char *path,
                                  const trm_task_kind **kind) {
  const char *data = trm_restored_data(restored);
  *kind = trm_task_find(data);
  if (*kind) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: was trained on data of kind '%.40s', which nothing here reads",
                  path, data);
}

trm_status trm_task_check_facts(trm_task *task, const trm_facts *facts, const char *path) {
  return task->kind->check_facts ? task->kind->check_facts(task, facts, path) : TRM_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

void trm_task_close(trm_task **task) {
  if (!*task) return;
  (*task)->kind->close(*task);
  TRM_FREE(*task);
}

trm_status trm_task_check_batch(const trm_task *task) {
  if (task->use != TRM_USE_TRAIN || task->batch <= task->epoch_samples) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG,
      "batch.size is %" PRId64 ", but %s has %" PRId64 " %ss to train on, so that a step "
      "would take some twice; set it to that at most",
      task->batch, trm_config_string(task->config, "data.path"), task->epoch_samples, task->unit);
}

trm_status trm_task_resolve_blocks(trm_task *task, trm_config *config, int64_t wanted,
                                   int64_t most) {
  if (trm_config_int(config, "batch.blocks") == 0) {
    TRM_TRY(trm_config_set_int(config, "batch.blocks", wanted < most ? wanted : most));
  }
  task->n_blocks = trm_config_int(config, "batch.blocks");
  if (task->n_blocks <= most) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG, "batch.blocks is %" PRId64 ", but %s has %" PRId64 "; set it to that at most",
      task->n_blocks, most == task->batch ? "a batch (batch.size)" : "a pass over a graph", most);
}

int64_t trm_share_of(int64_t n, double share) {
  const int64_t most = (int64_t)ceil(share * (double)n);
  return n == 0 || most > 1 ? (most < n ? most : n) : 1;
}

int64_t trm_share_at(int64_t i, int64_t n, int64_t most) {
  return (int64_t)((double)i * ((double)n / (double)most));
}

void trm_task_join_losses(const double *losses, int64_t n, trm_evaluation *result) {
  double sum = 0, count = 0;
  for (int64_t i = 0; i < n; ++i) {
    sum += losses[2 * i];
    count += losses[2 * i + 1];
  }
  result->loss = count > 0 ? sum / count : (double)NAN; /* an empty subset has none */
  result->count = (int64_t)count;
}

void trm_task_put_score(const trm_task *task, double value, trm_evaluation *result) {
  const int i = result->n_scores++;
  TRM_ASSERT(i < task->n_scores);
  (void)snprintf(result->scores[i].name, TRM_SCORE_BYTES, "%s", task->scores[i]);
  result->scores[i].value = value;
}

double trm_task_epoch_steps(const trm_task *task) {
  if (task->epoch_steps > 0) return (double)task->epoch_steps;
  return (double)task->epoch_samples / (double)task->batch;
}

static trm_status resolve_steps(const trm_task *task, trm_config *config) {
  const double epochs = trm_config_real(config, "train.epochs");
  if (epochs == 0) return TRM_OK;
  const double steps = epochs * trm_task_epoch_steps(task);
  if (steps > 1099511627776.0) {
    return trm_fail(TRM_ERR_CONFIG, "train.epochs is %g: more than 2^40 steps; choose fewer",
                    epochs);
  }
  return trm_config_set_int(config, "train.steps", steps < 1 ? 1 : (int64_t)llround(steps));
}

/* Without evaluations that are better or worse there is nothing to be patient about. */
trm_status trm_task_without_valid(const trm_task *task, int split) {
  const char *path = trm_config_string(task->config, "data.path");
  const char *key = trm_patience_key(task->config);
  if (!key && trm_schedule_follows(task->config)) key = "schedule.name plateau";
  if (!key && trm_config_bool(task->config, "train.restore_best")) key = "train.restore_best";
  trm_log_warn(task->log, "%s: data.split %d has no %s to validate with: no evaluation is the best",
               path, split, task->kind->unit);
  if (!key) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%s is set, but data.split %d of %s has no %s to validate with; leave it out, or "
                  "prepare the data with a part to validate with",
                  key, split, path, task->kind->unit);
}

trm_status trm_task_resolve(trm_task *task, trm_config *config) {
  TRM_TRY(task->kind->resolve(task, config));
  if (task->use != TRM_USE_TRAIN) return TRM_OK;
  TRM_TRY(resolve_steps(task, config));
  TRM_TRY(trm_optimizer_check(config));
  TRM_TRY(trm_schedule_check(config));
  if (trm_schedule_follows(config) && trm_config_int(config, "eval.every") == 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "schedule.name is %s, but eval.every is 0: set how often the run is evaluated",
                    trm_config_string(config, "schedule.name"));
  }
  return trm_patience_check(config);
}

trm_status trm_task_plan(trm_task *task, trm_learner *learner, bool training) {
  TRM_TRY(task->kind->plan(task, learner, training));
  return trm_tape_reserve(learner->tape);
}

void trm_task_add_score(trm_task *task, const char *subset, const char *metric) {
  TRM_ASSERT(task->n_scores < TRM_MAX_SCORES);
  TRM_ASSERT(trm_metric_find(metric)); /* which way is better is known of all */
  (void)snprintf(task->scores[task->n_scores++], TRM_SCORE_BYTES, "%s_%s", subset, metric);
}

const char *trm_task_metric(const trm_task_kind *kind, const trm_config *config) {
  const char *metric = trm_config_string(config, "eval.select");
  return strcmp(metric, "auto") == 0 ? kind->select : metric;
}

const char *trm_task_select_of_unit(const char *unit) {
  for (int i = 0; i < N_KINDS; ++i) {
    if (strcmp(kinds[i]->unit, unit) == 0) return kinds[i]->select;
  }
  return "loss";
}

trm_status trm_task_select(trm_task *task) {
  const char *metric = trm_task_metric(task->kind, task->config);
  char name[TRM_SCORE_BYTES];
  if (strcmp(metric, "loss") == 0) return TRM_OK;
  static const trm_subset subsets[] = {TRM_SUBSET_VALID, TRM_SUBSET_TEST}; /* some have no valid */
  for (int p = 0; p < 2; ++p) {
    (void)snprintf(name, sizeof name, "%s_%s", trm_subset_name(subsets[p]), metric);
    for (int i = 0; i < task->n_scores; ++i) {
      if (strcmp(task->scores[i], name) != 0) continue;
      task->selected = i;
      return TRM_OK;
    }
  }
  if (strcmp(metric, "auc") == 0 && task->dims.n_outputs > 2) {
    return trm_fail(TRM_ERR_CONFIG,
                    "eval.select is 'auc', which needs two classes, but %s has %" PRId64
                    "; set it to auto",
                    trm_config_string(task->config, "data.path"), task->dims.n_outputs);
  }
  return trm_fail(TRM_ERR_CONFIG, "eval.select is '%s', which %s data have not; set it to auto",
                  metric, task->unit);
}

/* Of what makes an evaluation the best. */
static bool less_is_better(const trm_task *task) {
  return task->selected < 0 || trm_metric_find(task->scores[task->selected])->less_is_better;
}

void trm_task_check_selection(trm_task *task, const trm_evaluation *evaluation) {
  if (task->selected < 0 || evaluation->count == 0 || isnan(evaluation->loss)) return;
  if (!isnan(evaluation->scores[task->selected].value)) return;
  trm_log_warn(task->log,
               "%s cannot be computed there (one class alone, or one value): the loss says which "
               "evaluation is the best; set eval.select to loss, or choose other parts",
               task->scores[task->selected]);
  task->selected = -1;
}

double trm_task_rank_value(const trm_task *task, const trm_evaluation *evaluation) {
  const double value =
      task->selected < 0 ? evaluation->loss : evaluation->scores[task->selected].value;
  if (isnan(value)) return HUGE_VAL; /* of an empty subset: never the best */
  return less_is_better(task) ? value : -value;
}

double trm_task_ranked_score(const trm_task *task, double rank_value) {
  return less_is_better(task) ? rank_value : -rank_value;
}

trm_weights_use trm_task_weights_use(const trm_task *task, bool training) {
  const bool several = !training || task->n_blocks > trm_comm_size(task->comm);
  return several ? TRM_WEIGHTS_FIRST : TRM_WEIGHTS_ONCE;
}

trm_status trm_task_block(trm_learner *learner, trm_gradsync *sync, int64_t local_block,
                          const trm_pass *pass, const trm_batch *batch, const int64_t *samples,
                          int64_t n_samples) {
  trm_pass p = *pass;
  trm_gradsync_block_begin(sync, local_block, &p);
  trm_tape_begin(learner->tape, &p);
  trm_var *loss = trm_model_loss(learner->model, learner->tape, batch);
  trm_gradsync_block_backward(sync, local_block, learner->tape, loss,
                              trm_samples_hash(samples, n_samples));
  return trm_tape_status(learner->tape);
}
