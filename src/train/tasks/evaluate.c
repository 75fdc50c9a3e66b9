#include "evaluate.h"

#include <math.h>
#include <string.h>

#include "task.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

struct trm_evaluator {
  trm_comm *comm;
  trm_dataset *dataset;
  trm_learner *learner;
  int64_t T, group;          /* windows a pass */
  int32_t *inputs, *targets; /* [group * T], owned */
  /* [2 G + 2]: loss and count of each group, then failures and stop requests; owned. Groups of
   * other ranks are 0 here, so the sum over ranks is exact. */
  double *sums;
  int64_t n_groups_max;
};

static int64_t groups_of(const trm_evaluator *e, trm_subset subset) {
  const int64_t n = trm_dataset_eval_samples(e->dataset, subset, e->T);
  return trm_ceil_div(n, e->group);
}

static trm_status allocate(trm_evaluator *e) {
  for (int s = 0; s < TRM_N_TEXT_SUBSETS; ++s) {
    const int64_t n = groups_of(e, (trm_subset)s);
    if (n > e->n_groups_max) e->n_groups_max = n;
  }
  TRM_TRY(TRM_ALLOC(&e->inputs, e->group * e->T, "evaluation batch"));
  TRM_TRY(TRM_ALLOC(&e->targets, e->group * e->T, "evaluation batch"));
  return TRM_ALLOC(&e->sums, 2 * e->n_groups_max + 2, "evaluation sums");
}

trm_status trm_evaluator_create(trm_comm *comm, trm_dataset *dataset, trm_learner *learner,
                                int64_t T, int64_t max_samples, trm_evaluator **out) {
  trm_evaluator *e = NULL;
  trm_status status = TRM_ALLOC(&e, 1, "evaluation");
  if (status == TRM_OK) {
    *e = (trm_evaluator){.comm = comm, .dataset = dataset, .learner = learner, .T = T};
    e->group = max_samples;
    status = allocate(e);
  }
  status = trm_comm_agree(comm, status); /* nobody leaves alone */
  if (status != TRM_OK) trm_evaluator_destroy(&e);
  *out = e;
  return status;
}

void trm_evaluator_destroy(trm_evaluator **evaluator) {
  if (!*evaluator) return;
  TRM_FREE((*evaluator)->inputs);
  TRM_FREE((*evaluator)->targets);
  TRM_FREE((*evaluator)->sums);
  TRM_FREE(*evaluator);
}

/* Group number `g` of G is window group number `at` of the split. */
static trm_status run_group(trm_evaluator *e, trm_subset subset, int64_t g, int64_t at,
                            int64_t n_windows, trm_weights_use weights_use) {
  const int64_t first = at * e->group;
  const int64_t n = first + e->group < n_windows ? e->group : n_windows - first;
  TRM_TRY(trm_dataset_eval_read(e->dataset, subset, e->T, first, n, e->inputs, e->targets));
  const trm_pass pass = {.training = false, .weights_use = weights_use};
  trm_tape_begin(e->learner->tape, &pass);
  const trm_tokens tokens = {.N = n, .T = e->T, .inputs = e->inputs, .targets = e->targets};
  const trm_batch batch = {.tokens = &tokens};
  (void)trm_model_loss(e->learner->model, e->learner->tape, &batch);
  TRM_TRY(trm_tape_status(e->learner->tape));
  e->sums[2 * g] = trm_tape_loss_sum(e->learner->tape);
  e->sums[2 * g + 1] = trm_tape_loss_count(e->learner->tape);
  return TRM_OK;
}

trm_status trm_evaluator_run(trm_evaluator *e, trm_subset subset, double share,
                             bool (*stop)(void *context), void *context, double *loss,
                             int64_t *tokens, bool *stopped) {
  const int64_t n_windows = trm_dataset_eval_samples(e->dataset, subset, e->T);
  const int64_t n_groups = groups_of(e, subset), G = trm_share_of(n_groups, share);
  if (G == 0) { /* the same on all ranks: their data are equal */
    return trm_fail(
        TRM_ERR_DATA,
        "%s: the %s split has fewer than 2 tokens, nothing to evaluate; prepare it with "
        "a larger --valid-share, or set eval.every to 0 and eval.at_end to false",
        trm_dataset_path(e->dataset), trm_subset_name(subset));
  }
  int64_t first, n_local;
  trm_block_range(G, trm_comm_rank(e->comm), trm_comm_size(e->comm), &first, &n_local);
  memset(e->sums, 0, (size_t)(2 * G + 2) * sizeof *e->sums);

  trm_status status = TRM_OK; /* carried to the agreement below: nobody leaves alone */
  for (int64_t g = first; g < first + n_local && status == TRM_OK; ++g) {
    if (stop && stop(context)) {
      e->sums[2 * G] = 1;
      break;
    }
    trm_watch_touch(e->comm); /* each group is progress */
    status = run_group(e, subset, g, trm_share_at(g, n_groups, G), n_windows,
                       g == first ? TRM_WEIGHTS_FIRST : TRM_WEIGHTS_SAME);
  }
  TRM_TRY(trm_comm_agree(e->comm, status));
  TRM_TRY(trm_comm_sum_f64(e->comm, e->sums, 2 * G + 2));
  trm_evaluation joined = {0};
  trm_task_join_losses(e->sums, G, &joined);
  *stopped = e->sums[2 * G] > 0;
  *loss = *stopped ? (double)NAN : joined.loss;
  *tokens = joined.count;
  return TRM_OK;
}
