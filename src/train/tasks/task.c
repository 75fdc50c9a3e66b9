#include "task.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "samples.h"
#include "tasks_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"
#include "trireme/input/subset.h"

static const trm_task_kind *const kinds[] = {&trm_task_text, &trm_task_nodes, &trm_task_set,
                                             &trm_task_pairs};

static const trm_task_kind *find(const char *data) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    if (strcmp(kinds[i]->data, data) == 0) return kinds[i];
  }
  return NULL;
}

/* The model's kind of data and the file's must go together. */
static trm_status choose(const trm_config *config, const trm_task_kind **kind) {
  const char *path = trm_config_string(config, "data.path"), *wanted;
  char found[32];
  TRM_TRY(trm_model_data_kind(config, &wanted));
  const trm_status status = trm_dataset_kind(path, found);
  if (status == TRM_ERR_IO) {
    return trm_fail(status, "%s (data.path, from this folder)", trm_message());
  }
  TRM_TRY(status);
  const bool set = strcmp(wanted, "graph") == 0 && strcmp(found, "graphs") == 0;
  *kind = find(found);
  if (*kind && (set || strcmp(wanted, found) == 0)) return TRM_OK;
  if (!*kind) {
    return trm_fail(TRM_ERR_DATA, "%s: kind is '%s', expected '%s'", path, found, wanted);
  }
  return trm_fail(
      TRM_ERR_CONFIG,
      "model.kind %s works on data of kind '%s', but %s is of kind '%s'; choose another "
      "model.kind or prepare other data",
      trm_config_string(config, "model.kind"), wanted, path, found);
}

trm_status trm_task_open(trm_comm *comm, const trm_config *config, trm_task_use use, trm_log *log,
                         trm_task **out) {
  trm_task *task = NULL;
  const trm_task_kind *kind = NULL;
  *out = NULL;
  trm_status status = choose(config, &kind);
  if (status == TRM_OK) status = TRM_ALLOC(&task, 1, "task");
  status = trm_comm_agree(comm, status);
  if (status != TRM_OK) {
    TRM_FREE(task);
    return status;
  }
  *task = (trm_task){
      .kind = kind, .use = use, .comm = comm, .config = config, .log = log, .selected = -1};
  status = trm_comm_agree(comm, kind->open(task));
  if (status == TRM_OK) {
    *out = task;
  } else {
    trm_task_close(&task);
  }
  return status;
}

void trm_task_close(trm_task **task) {
  if (!*task) return;
  (*task)->kind->close(*task);
  TRM_FREE(*task);
}

trm_status trm_task_check_batch(const trm_task *task) {
  if (task->use != TRM_USE_TRAIN || task->batch <= task->epoch_samples) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "batch.size is %" PRId64 ", but %s has %" PRId64
                  " %ss to train on, so that a step "
                  "would take some twice; set it to that at most",
                  task->batch, trm_config_string(task->config, "data.path"), task->epoch_samples,
                  task->kind->unit);
}

trm_status trm_task_whole_only(const trm_task *task, const char *what) {
  const char *kind = trm_config_string(task->config, "sampler.kind");
  if (strcmp(kind, "full") == 0) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG,
      "sampler.kind is '%s', but %s has %s, of which nothing is sampled; set it to full", kind,
      trm_config_string(task->config, "data.path"), what);
}

trm_status trm_config_set_int(trm_config *config, const char *key, int64_t value) {
  char text[96];
  (void)snprintf(text, sizeof text, "%s=%" PRId64, key, value);
  return trm_config_set(config, text);
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

static trm_status resolve_steps(const trm_task *task, trm_config *config) {
  const double epochs = trm_config_real(config, "train.epochs");
  if (epochs == 0) return TRM_OK;
  const double steps = epochs * (double)task->epoch_samples / (double)task->batch;
  if (steps > 1099511627776.0) {
    return trm_fail(TRM_ERR_CONFIG, "train.epochs is %g: more than 2^40 steps; choose fewer",
                    epochs);
  }
  return trm_config_set_int(config, "train.steps", steps < 1 ? 1 : (int64_t)llround(steps));
}

trm_status trm_task_resolve(trm_task *task, trm_config *config) {
  TRM_TRY(task->kind->resolve(task, config));
  if (task->use != TRM_USE_TRAIN) return TRM_OK;
  TRM_TRY(resolve_steps(task, config));
  const char *schedule = trm_config_string(config, "schedule.name");
  if (strcmp(schedule, "step") == 0 && trm_config_int(config, "schedule.step_every") == 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "schedule.step_every is 0, but schedule.name is step: set after how many steps "
                    "the rate is halved");
  }
  if (trm_config_int(config, "train.patience") > 0 && trm_config_int(config, "eval.every") == 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "train.patience is %" PRId64 ", but eval.every is 0: set how often the run is "
                    "evaluated",
                    trm_config_int(config, "train.patience"));
  }
  const double lr = trm_config_real(config, "optimizer.lr");
  const double min_lr = trm_config_real(config, "schedule.min_lr");
  if (strcmp(schedule, "cosine") == 0 && min_lr > lr) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "schedule.min_lr is %g, above optimizer.lr (%g), to which the cosine falls; set "
        "it lower, for instance to %g",
        min_lr, lr, lr / 10);
  }
  return TRM_OK;
}

trm_status trm_task_plan(trm_task *task, trm_learner *learner, bool training) {
  TRM_TRY(task->kind->plan(task, learner, training));
  return trm_tape_reserve(learner->tape);
}

void trm_task_add_score(trm_task *task, const char *subset, const char *metric) {
  TRM_ASSERT(task->n_scores < TRM_MAX_SCORES);
  (void)snprintf(task->scores[task->n_scores++], TRM_SCORE_BYTES, "%s_%s", subset, metric);
}

trm_status trm_task_select(trm_task *task, const char *fallback) {
  const char *metric = trm_config_string(task->config, "eval.select");
  char name[TRM_SCORE_BYTES];
  if (strcmp(metric, "auto") == 0) metric = fallback;
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
  if (strcmp(metric, "auc") == 0 && task->dims.n_outputs > 2 && strcmp(fallback, "accuracy") == 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "eval.select is 'auc', which needs two classes, but %s has %" PRId64
                    "; set it to auto",
                    trm_config_string(task->config, "data.path"), task->dims.n_outputs);
  }
  return trm_fail(TRM_ERR_CONFIG, "eval.select is '%s', which %s data have not; set it to auto",
                  metric, task->kind->unit);
}

double trm_task_rank_value(const trm_task *task, const trm_evaluation *evaluation) {
  const double value =
      task->selected < 0 ? evaluation->loss : -evaluation->scores[task->selected].value;
  return isnan(value) ? HUGE_VAL : value; /* of an empty subset: never the best */
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
