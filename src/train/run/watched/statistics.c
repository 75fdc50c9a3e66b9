/*
 * Running statistics of an average of equal weights: the mean of what the blocks of the first batches
 * say when they are trained on, without an update. They travel as gradients do, so they are the same
 * for any layout where gradients are.
 */
#include <math.h>

#include "average.h"
#include "run.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/math/threads.h"

static int64_t n_buffer_elements(const trm_params *params) {
  int64_t n = 0;
  for (int i = 0; i < params->n_rows; ++i) n += params->rows[i].buffer ? params->rows[i].n : 0;
  return n;
}

/* Adds what a step gave, of the elements whose gradients are here. */
static void add_step(const trm_run *r, const trm_real *grads, double *sums) {
  const trm_params *params = r->learner.params;
  const trm_stripes stripes = trm_optimizer_stripes(r->learner.optimizer);
  const int rank = r->sharded ? trm_comm_rank(r->comm) : 0;
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    if (!row->buffer) continue;
    for (int64_t k = 0; k < row->n; ++k) {
      const int64_t at = row->offset + k;
      if (trm_stripes_owner(&stripes, at) == rank) sums[k] += (double)grads[at];
    }
    sums += row->n;
  }
}

/* Those that are frozen stay what they were. */
static void put_means(const trm_run *r, const double *sums, double count) {
  const trm_params *params = r->learner.params;
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    if (!row->buffer) continue;
    const bool frozen = trm_optimizer_is_frozen(r->learner.optimizer, i);
    for (int64_t k = 0; !frozen && k < row->n; ++k) {
      r->learner.average->weights[row->offset + k] = (trm_real)(sums[k] / count);
    }
    sums += row->n;
  }
}

/* One batch of the training part, as a step without its update. Collective. */
static trm_status pass(trm_run *r, int64_t step, double *sums, double *count, bool *stop) {
  trm_gradsync_result result;
  trm_status status = r->pending;
  trm_watch_phase(r->comm, "running statistics", step);
  if (status == TRM_OK || r->task->exchanges) {
    const trm_status ran = r->task->kind->run(r->task, step);
    if (status == TRM_OK) status = ran;
  }
  TRM_TRY(trm_gradsync_finish(r->sync, status, trm_run_stop_wanted(r), &result));
  if (result.n_failed > 0) return trm_comm_agree(r->comm, status);
  *stop = result.stop;
  *count += result.count;
  add_step(r, result.grads, sums);
  return TRM_OK;
}

/* The threads that read are none that compute. Collective. */
static trm_status read_ahead(trm_run *r, int64_t first_step, int64_t end_step) {
  trm_processors before;
  trm_threads_unpin(&before);
  const trm_status status =
      r->task->kind->start(r->task, &r->learner, r->sync, first_step, end_step);
  trm_threads_pin(&before);
  return trm_comm_agree(r->comm, status);
}

static trm_status passes(trm_run *r, double *sums, int64_t n_sums, bool *stop) {
  const int64_t wanted = trm_run_int(r, "average.batches");
  const int64_t n = wanted > 0 ? wanted : (int64_t)ceil(trm_task_epoch_steps(r->task));
  double count = 0;
  trm_status status = read_ahead(r, 0, n);
  for (int64_t i = 0; i < n && status == TRM_OK && !*stop; ++i) {
    status = pass(r, i, sums, &count, stop);
  }
  TRM_TRY(status);
  if (*stop) return TRM_OK;
  if (r->sharded) TRM_TRY(trm_comm_sum_f64(r->comm, sums, n_sums));
  if (count > 0) put_means(r, sums, count);
  r->learner.average->n_statistics = r->learner.average->n_updates;
  return TRM_OK;
}

trm_status trm_run_estimate_statistics(trm_run *r, bool *stop) {
  const int64_t n = n_buffer_elements(r->learner.params);
  double *sums = NULL;
  trm_status status = trm_comm_agree(r->comm, TRM_ALLOC(&sums, n, "running statistics"));
  if (status == TRM_OK) {
    trm_average_show(r->learner.average, r->learner.params);
    status = passes(r, sums, n, stop);
    trm_average_hide(r->learner.average, r->learner.params);
  }
  TRM_FREE(sums);
  TRM_TRY(status);
  return read_ahead(r, r->state.step, r->n_steps);
}
