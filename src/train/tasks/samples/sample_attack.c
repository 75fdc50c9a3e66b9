/*
 * Every sample of the test part (without one: the validation part) is attacked once or several times; the
 * worst of each counts. Groups and random numbers depend on the data alone: so does the result, for any
 * number of ranks.
 */
#include "sample_attack.h"

#include <inttypes.h>

#include "robustness.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"

typedef struct run {
  trm_task *task;       /* borrowed */
  trm_learner *learner; /* borrowed */
  trm_sample_view view;
  trm_sample_passes *passes;
  trm_attacker *attacker;
  trm_worst *worst;
  int64_t restarts, width;
  uint64_t seed;
  double *sums; /* [groups, TRM_N_ROBUST_SUMS] owned */
} run;

static trm_status check(const trm_samples *data) {
  if (data->target == TRM_TARGET_CLASS || data->target == TRM_TARGET_NUMBER) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "--attack is for samples with a class or a number each; the targets of %s are %s",
                  data->path,
                  data->target == TRM_TARGET_TOKENS ? "sequences of tokens" : "sets of classes");
}

static trm_status find_samples(const run *r, trm_ids *ids, trm_robustness *result) {
  const int split = (int)trm_config_int(r->task->config, "data.split");
  result->subset = "test";
  if (trm_samples_split(r->view.data, split, TRM_SUBSET_TEST, ids) == TRM_OK && ids->n > 0) {
    return TRM_OK;
  }
  result->subset = "validation";
  TRM_TRY(trm_samples_split(r->view.data, split, TRM_SUBSET_VALID, ids));
  if (ids->n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: data.split %d has neither test nor validation samples",
                  r->view.data->path, split);
}

/* What a rank works out for itself. */
static trm_status make(run *r, const trm_attack_options *options, trm_robustness *result) {
  trm_attack attack;
  trm_ids ids;
  trm_sample_batch bounds;
  TRM_TRY(trm_attack_read(options, &attack));
  TRM_TRY(check(r->view.data));
  TRM_TRY(find_samples(r, &ids, result));
  TRM_TRY(trm_sample_passes_create(&r->view, ids.ids, ids.n, &r->passes));
  trm_sample_passes_bounds(r->passes, &bounds);
  TRM_TRY(trm_worst_create(bounds.n, &r->worst));
  TRM_TRY(
      TRM_ALLOC(&r->sums, trm_sample_passes_n(r->passes) * TRM_N_ROBUST_SUMS, "sums of groups"));
  const trm_pass pass = {.weights_use = TRM_WEIGHTS_FIRST, .bounds = true};
  TRM_TRY(trm_attacker_create(&attack, TRM_ATTACK_LOSS, r->learner, pass,
                              &(trm_batch){.samples = &bounds}, &r->attacker));
  trm_attacker_watch(r->attacker, r->task->comm);
  r->width = trm_attacker_width(r->attacker, trm_attacked_samples(&bounds, 0, 0).rows.n_rows);
  result->pixels = bounds.values.n_dims == 3;
  return trm_tape_reserve(r->learner->tape);
}

/* Outputs of a group, as they are valid until the next pass. */
static trm_status outputs_of(const run *r, const trm_sample_batch *samples, const trm_nudge *nudge,
                             trm_judged *judged) {
  trm_tape *tape = r->learner->tape;
  const trm_pass pass = {.weights_use = TRM_WEIGHTS_SAME, .nudge = nudge};
  trm_tape_begin(tape, &pass);
  const trm_var *y = trm_model_outputs(r->learner->model, tape, &(trm_batch){.samples = samples});
  TRM_TRY(trm_tape_status(tape));
  const bool numbers = r->view.data->target == TRM_TARGET_NUMBER;
  *judged = (trm_judged){.outputs = y->data,
                         .n = samples->n,
                         .width = r->task->dims.n_outputs,
                         .classes = numbers ? NULL : samples->targets,
                         .numbers = numbers ? samples->numbers : NULL};
  return TRM_OK;
}

static trm_status attack_group(run *r, int64_t g, bool first) {
  trm_sample_batch samples;
  const int32_t *ids;
  trm_judged judged;
  trm_nudge nudge;
  TRM_TRY(trm_sample_passes_make(r->passes, g, &samples, &ids));
  trm_attacked on = trm_attacked_samples(&samples, r->width, 0);
  on.ids32 = ids;
  const trm_batch batch = {.samples = &samples};
  for (int64_t k = 0; k < r->restarts; ++k) {
    const trm_random_key key = trm_random_key_make(r->seed, TRM_RANDOM_ATTACK, 0, 1 + (uint64_t)k);
    const trm_pass pass = {.weights_use = first && k == 0 ? TRM_WEIGHTS_FIRST : TRM_WEIGHTS_SAME};
    trm_watch_phase(r->task->comm, "attack", g); /* each is progress, and each step */
    TRM_TRY(trm_attacker_run(r->attacker, &pass, &batch, &on, key, &nudge));
    if (k == 0) {
      TRM_TRY(outputs_of(r, &samples, NULL, &judged));
      trm_worst_begin(r->worst, &judged);
    }
    TRM_TRY(outputs_of(r, &samples, &nudge, &judged));
    trm_worst_see(r->worst, &judged);
  }
  trm_worst_sum(r->worst, 0, samples.n, r->sums + g * TRM_N_ROBUST_SUMS);
  return TRM_OK;
}

/* How rank 0 gets on; what it has seen so far is a part of the whole. */
static void tell(const run *r, int64_t first, int64_t n_done, int64_t n_local) {
  trm_robustness so_far = {0};
  const bool numbers = r->view.data->target == TRM_TARGET_NUMBER;
  trm_robustness_join(r->sums + first * TRM_N_ROBUST_SUMS, n_done, numbers ? r->view.deviation : 0,
                      &so_far);
  trm_log_progress(r->task->log, false,
                   "attacked %" PRId64 " of %" PRId64 " groups: %s %.4g, %.4g under attack", n_done,
                   n_local, numbers ? "rmse" : "accuracy", so_far.clean, so_far.attacked);
}

static trm_status attack_all(run *r) {
  int64_t first, n_local;
  trm_comm *comm = r->task->comm;
  trm_status status = TRM_OK; /* carried to the agreement below: nobody leaves alone */
  const int64_t n_groups = trm_sample_passes_n(r->passes);
  trm_block_range(n_groups, trm_comm_rank(comm), trm_comm_size(comm), &first, &n_local);
  for (int64_t i = 0; i < n_local && status == TRM_OK; ++i) {
    status = attack_group(r, first + i, i == 0);
    if (status == TRM_OK) tell(r, first, i + 1, n_local);
  }
  trm_watch_pause(comm); /* other ranks may have a group more, with all its steps */
  TRM_TRY(trm_comm_agree(comm, status));
  return trm_comm_sum_f64(comm, r->sums, n_groups * TRM_N_ROBUST_SUMS);
}

trm_status trm_sample_attack(trm_task *task, const trm_sample_view *view, trm_learner *learner,
                             const trm_attack_options *options, trm_robustness *result) {
  run r = {.task = task,
           .learner = learner,
           .view = *view,
           .restarts = options->restarts,
           .seed = (uint64_t)trm_config_int(task->config, "run.seed")};
  r.view.class_weights = NULL;
  if (trm_config_string(task->config, "eval.augment")[0]) {
    trm_log_warn(task->log, "eval.augment is passed over: samples are attacked as they are");
  }
  trm_status status = trm_comm_agree(task->comm, make(&r, options, result));
  if (status == TRM_OK) status = attack_all(&r);
  if (status == TRM_OK) {
    const bool numbers = view->data->target == TRM_TARGET_NUMBER;
    trm_robustness_join(r.sums, trm_sample_passes_n(r.passes), numbers ? view->deviation : 0,
                        result);
  }
  trm_sample_passes_destroy(&r.passes);
  trm_attacker_destroy(&r.attacker);
  trm_worst_destroy(&r.worst);
  TRM_FREE(r.sums);
  return status;
}
