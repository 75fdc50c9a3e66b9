/*
 * A run tried out: everything training does before its first step, but no run directory. What is large
 * is reserved and not written, so its pages stay untouched; a graph is read all the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "average.h"
#include "resume.h"
#include "run.h"
#include "states.h"
#include "transfer.h"
#include "trireme/comm/reducer.h"
#include "trireme/math/gemm.h"
#include "trireme/train/learner.h"
#include "trireme/train/train.h"

/* ---- memory --------------------------------------------------------------------------------- */

/* Arrays of gradients that the rank with most of them has. */
static int gradient_arrays(const trm_config *config, int n_ranks) {
  const char *engine = trm_config_string(config, "comm.allreduce");
  int most = 1;
  for (int r = 0; r < n_ranks; ++r) {
    const int n = trm_reducer_slots(engine, trm_config_int(config, "batch.blocks"), r, n_ranks);
    if (n > most) most = n;
  }
  return most;
}

static int64_t live_bytes(void) {
  return trm_alloc_counts_get().live_bytes;
}

/* Of the ranks. Collective. */
static trm_status greatest(trm_comm *comm, int64_t mine, int64_t *most) {
  int64_t *all = NULL;
  trm_status status = TRM_ALLOC(&all, trm_comm_size(comm), "sizes of ranks");
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_allgather(comm, &mine, all, sizeof mine));
  *most = mine;
  for (int r = 0; r < trm_comm_size(comm); ++r) *most = all[r] > *most ? all[r] : *most;
out:
  TRM_FREE(all);
  return status;
}

/* What is left out when there are very many of them, a run says. */
static void plan_rules(const trm_learner *learner, trm_train_plan *plan) {
  for (int i = 0; i < trm_optimizer_n_rules(learner->optimizer); ++i) {
    const size_t at = strlen(plan->rules);
    char text[TRM_RULE_TEXT_BYTES];
    trm_learner_rule_text(learner, i, text);
    (void)snprintf(plan->rules + at, sizeof plan->rules - at, "# %s\n", text);
  }
}

/* `before`: bytes taken before the data set was opened. */
static trm_status plan_memory(trm_comm *comm, const trm_config *config, trm_task *task,
                              int64_t before, trm_train_plan *plan) {
  trm_status status = TRM_OK;
  trm_learner learner = {0};
  const int n_ranks = trm_comm_size(comm);
  const int n_shares = trm_config_bool(config, "optimizer.sharded") ? n_ranks : 1;
  int64_t data_bytes = live_bytes() - before;
  status = trm_learner_create(config, &task->dims, true, 0, n_shares, &learner);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  const int64_t unplanned = live_bytes();
  TRM_TRY_OUT(trm_comm_agree(comm, trm_task_plan(task, &learner, true)));
  data_bytes += live_bytes() - unplanned - (int64_t)trm_tape_arena_bytes(learner.tape) -
                (int64_t)trm_tape_packed_bytes(learner.tape);
  TRM_TRY_OUT(greatest(comm, data_bytes, &plan->data_bytes));
  plan->host_bytes = task->host_bytes;
  const int64_t array_bytes = learner.params->n_elements * (int64_t)sizeof(trm_real);
  const int n_states = trm_optimizer_n_states(learner.optimizer);
  plan->n_weights = learner.params->n_weights;
  plan->weights_bytes = array_bytes;
  plan->gradients_bytes = array_bytes * gradient_arrays(config, n_ranks);
  plan->optimizer_bytes = trm_optimizer_bytes(learner.optimizer);
  plan->packed_bytes = (int64_t)trm_tape_packed_bytes(learner.tape);
  plan->activations_bytes = (int64_t)trm_tape_arena_bytes(learner.tape);
  plan->average_bytes = learner.average ? array_bytes : 0;
  plan->checkpoint_bytes = array_bytes * (1 + n_states) + plan->average_bytes;
  plan_rules(&learner, plan);
out:
  trm_learner_destroy(&learner);
  return status;
}

/* ---- what training would refuse ------------------------------------------------------------- */

static trm_status check_ranks(const trm_config *config, int n_ranks) {
  const int64_t n_blocks = trm_config_int(config, "batch.blocks");
  if (n_ranks <= n_blocks) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%d ranks are more than the %" PRId64 " blocks of a batch; set batch.blocks (and "
                  "batch.size) to at least %d, or start fewer ranks",
                  n_ranks, n_blocks, n_ranks);
}

/* Where the run would begin: from drawn weights, from those of another run, or from a checkpoint, which
 * is loaded as it would be. Collective; the status is the same on all ranks. */
static trm_status check_begin(trm_comm *comm, const trm_train_options *options, trm_task *task,
                              trm_log *log, trm_train_plan *plan) {
  trm_rundir dir;
  trm_learner learner = {0};
  trm_regions regions = {0};
  trm_run_state state;
  trm_status status = trm_rundir_paths(trm_config_string(options->config, "run.dir"), &dir);
  if (status == TRM_OK) {
    status = trm_states_learner(comm, options->config, &task->dims, &learner);
  }
  if (status == TRM_OK) status = trm_learner_regions(&learner, &regions);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_resume(comm, options, &dir, task, &learner, &regions, log, &state, plan->from));
  plan->step = state.step;
  if (!plan->from[0]) status = trm_transfer(comm, options->config, task, &learner, log);
out:
  trm_regions_free(&regions);
  trm_learner_destroy(&learner);
  return status;
}

trm_status trm_train_check(trm_comm *comm, const trm_train_options *options, trm_log *log,
                           trm_train_plan *plan) {
  trm_config *config = options->config;
  trm_task *task = NULL;
  trm_log silent;
  const int64_t before = live_bytes();
  trm_log_init(&silent, NULL);
  *plan = (trm_train_plan){0};
  TRM_TRY(trm_comm_agree(comm, trm_gemm_configure(config)));
  TRM_TRY(trm_task_open(comm, config, TRM_USE_TRAIN, &silent, &task));
  trm_status status = trm_run_resolve(options, task);
  if (status == TRM_OK) status = check_ranks(config, trm_comm_size(comm));
  TRM_TRY_OUT(trm_comm_agree(comm, status)); /* planning is collective for graphs */
  TRM_TRY_OUT(plan_memory(comm, config, task, before, plan));
  TRM_TRY_OUT(check_begin(comm, options, task, log, plan));
  /* A run that goes on has what its schedule began with already. */
  if (!plan->from[0]) {
    status = trm_schedule_resolve(config, trm_config_int(config, "train.steps"));
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  (void)snprintf(plan->summary, sizeof plan->summary, "%s", task->summary);
  plan->steps_an_epoch = trm_task_epoch_steps(task);
out:
  trm_task_close(&task);
  return status;
}
