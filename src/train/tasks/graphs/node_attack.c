#include "node_attack.h"

#include <inttypes.h>

#include "robustness.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"

typedef struct run {
  trm_task *task;       /* borrowed */
  trm_whole *whole;     /* borrowed */
  trm_learner *learner; /* borrowed */
  const int32_t *targets;
  trm_attacker *attacker;
  trm_worst *worst;
  int64_t restarts;
  double *sums; /* [blocks, TRM_N_ROBUST_SUMS] owned */
} run;

static trm_graph_batch graph_of(const run *r) {
  trm_graph_batch graph = trm_whole_batch(r->whole);
  graph.targets = r->targets;
  return graph;
}

static trm_pass pass_of(const run *r) {
  trm_pass pass = {0};
  trm_whole_pass(r->whole, &pass);
  return pass;
}

/* What a rank works out for itself. */
static trm_status make(run *r, const trm_attack_options *options) {
  trm_attack attack;
  const trm_graph_batch graph = graph_of(r);
  TRM_TRY(trm_attack_read(options, &attack));
  TRM_TRY(trm_worst_create(trm_whole_field(r->whole)->n_targets, &r->worst));
  TRM_TRY(TRM_ALLOC(&r->sums, r->task->n_blocks * TRM_N_ROBUST_SUMS, "sums of blocks"));
  TRM_TRY(trm_attacker_create(&attack, TRM_ATTACK_LOSS, r->learner, pass_of(r),
                              &(trm_batch){.graph = &graph}, &r->attacker));
  return trm_tape_reserve(r->learner->tape);
}

static trm_status outputs_of(const run *r, const trm_nudge *nudge, trm_judged *judged) {
  trm_tape *tape = r->learner->tape;
  const trm_graph_batch graph = graph_of(r);
  trm_pass pass = pass_of(r);
  pass.nudge = nudge;
  trm_tape_begin(tape, &pass);
  const trm_var *y = trm_model_outputs(r->learner->model, tape, &(trm_batch){.graph = &graph});
  TRM_TRY(trm_tape_status(tape));
  *judged = (trm_judged){.outputs = y->data,
                         .n = trm_whole_field(r->whole)->n_targets,
                         .width = r->task->dims.n_outputs,
                         .classes = r->targets};
  return TRM_OK;
}

/* All ranks together: passes of the whole graph wait for each other. */
static trm_status attack_once(run *r, int64_t k) {
  const trm_field *f = trm_whole_field(r->whole);
  const uint64_t seed = (uint64_t)trm_config_int(r->task->config, "run.seed");
  const trm_attacked on = {.rows = trm_sequences_equal(f->n_inputs, 1),
                           .width = r->task->dims.n_features,
                           .ids32 = f->inputs};
  const trm_graph_batch graph = graph_of(r);
  const trm_pass pass = pass_of(r);
  trm_nudge nudge;
  trm_judged judged;
  trm_watch_phase(r->task->comm, "attack", k);
  /* Passes wait for the rows of others: nobody leaves alone between them. */
  const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_ATTACK, 0, 1 + (uint64_t)k);
  const trm_status ran =
      trm_attacker_run(r->attacker, &pass, &(trm_batch){.graph = &graph}, &on, key, &nudge);
  TRM_TRY(trm_comm_agree(r->task->comm, ran));
  TRM_TRY(trm_comm_agree(r->task->comm, outputs_of(r, &nudge, &judged)));
  trm_worst_see(r->worst, &judged);
  trm_log_progress(r->task->log, false, "attacked %" PRId64 " of %" PRId64 " times", k + 1,
                   r->restarts);
  return TRM_OK;
}

static trm_status attack_all(run *r) {
  const trm_field *f = trm_whole_field(r->whole);
  trm_judged judged;
  TRM_TRY(trm_comm_agree(r->task->comm, outputs_of(r, NULL, &judged)));
  trm_worst_begin(r->worst, &judged);
  for (int64_t k = 0; k < r->restarts; ++k) TRM_TRY(attack_once(r, k));
  for (int64_t b = 0; b < f->n_local; ++b) {
    trm_worst_sum(r->worst, f->target_blocks[b], f->target_blocks[b + 1],
                  r->sums + (f->first_block + b) * TRM_N_ROBUST_SUMS);
  }
  return TRM_OK;
}

trm_status trm_node_attack(trm_task *task, trm_whole *whole, const int32_t *targets,
                           trm_learner *learner, const trm_attack_options *options,
                           trm_robustness *result) {
  run r = {.task = task,
           .whole = whole,
           .learner = learner,
           .targets = targets,
           .restarts = options->restarts};
  const int64_t n = task->n_blocks * TRM_N_ROBUST_SUMS;
  trm_status status = trm_comm_agree(task->comm, make(&r, options));
  if (status == TRM_OK) status = trm_whole_reserve(whole);
  if (status == TRM_OK) status = trm_comm_agree(task->comm, attack_all(&r));
  if (status == TRM_OK) status = trm_comm_sum_f64(task->comm, r.sums, n);
  if (status == TRM_OK) trm_robustness_join(r.sums, task->n_blocks, 0, result);
  trm_attacker_destroy(&r.attacker);
  trm_worst_destroy(&r.worst);
  TRM_FREE(r.sums);
  return status;
}
