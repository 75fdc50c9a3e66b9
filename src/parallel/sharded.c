/*
 * The update with optimizer state shared out.
 *
 *     all ranks    sums of squares of the chunks of the own stripes  -> all-gather
 *     every rank   adds them in chunk order: the norm, the same bits as from the whole gradient
 *     each rank    updates the weights of its own stripes
 *     all ranks    gather the weights
 *
 * and where the optimizer needs whole parameters (muon, lamb)
 *
 *     each rank    writes the directions of its own stripes
 *     all ranks    gather directions and weights
 *     each rank    moves the parameters dealt to it, and broadcasts them
 *
 * Everything a decision hangs on (norm, finite or not) is computed from the same numbers on every
 * rank, so all of them make the same collective calls.
 */
#include "trireme/parallel/sharded.h"

#include <string.h>

#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/math/kernels.h"

struct trm_sharded {
  trm_comm *comm;           /* kept */
  trm_gradsync *sync;       /* kept */
  trm_optimizer *optimizer; /* kept */
  const trm_params *params; /* kept */
  trm_stripes stripes;
  int64_t n_chunks_most; /* of the stripes of a rank */
  double *own;           /* [n_chunks_most], owned */
  double *all;           /* [ranks][n_chunks_most], owned */
};

static int64_t chunks(int64_t n) {
  return (n + TRM_CHUNK - 1) / TRM_CHUNK;
}

trm_status trm_sharded_create(trm_comm *comm, trm_gradsync *sync, trm_optimizer *optimizer,
                              trm_sharded **out) {
  trm_sharded *s = NULL;
  trm_status status = TRM_ALLOC(&s, 1, "shared optimizer state");
  if (status == TRM_OK) {
    s->comm = comm;
    s->sync = sync;
    s->optimizer = optimizer;
    s->params = trm_optimizer_params(optimizer);
    s->stripes = trm_optimizer_stripes(optimizer);
    TRM_ASSERT(s->stripes.size == trm_comm_size(comm));
    /* Rank 0 has the first stripe of every row: nobody has more. */
    s->n_chunks_most = chunks(trm_stripes_before(&s->stripes, 0, s->stripes.n));
    status = TRM_ALLOC(&s->own, s->n_chunks_most, "shared optimizer state");
  }
  if (status == TRM_OK) {
    status = TRM_ALLOC(&s->all, s->n_chunks_most * s->stripes.size, "shared optimizer state");
  }
  status = trm_comm_agree(comm, status);
  if (status != TRM_OK) {
    trm_sharded_destroy(&s);
    return status;
  }
  *out = s;
  return TRM_OK;
}

void trm_sharded_destroy(trm_sharded **sharded) {
  if (!*sharded) return;
  TRM_FREE((*sharded)->own);
  TRM_FREE((*sharded)->all);
  TRM_FREE(*sharded);
}

/* Sum of squares of the whole gradient, in the order of trm_optimizer_step. Collective. */
static trm_status sum_squares(trm_sharded *s, const trm_real *grads, double *sum) {
  const int rank = trm_comm_rank(s->comm);
  TRM_FOR_STRIPES(&s->stripes, rank, begin, end) {
    const int64_t at = trm_stripes_before(&s->stripes, rank, begin) / TRM_CHUNK;
    trm_optimizer_sum_squares_chunks(s->optimizer, s->own + at, grads, begin, end);
  }
  TRM_TRY(trm_comm_allgather(s->comm, s->own, s->all, s->n_chunks_most * (int64_t)sizeof *s->own));
  *sum = 0;
  for (int64_t begin = 0; begin < s->stripes.n; begin += TRM_CHUNK) {
    const int owner = trm_stripes_owner(&s->stripes, begin);
    const int64_t at = trm_stripes_before(&s->stripes, owner, begin) / TRM_CHUNK;
    *sum += s->all[owner * s->n_chunks_most + at];
  }
  return TRM_OK;
}

/* First element of the whole gradient that is not finite, -1 if none. Collective. */
static trm_status find_not_finite(trm_sharded *s, const trm_real *grads, int64_t *first) {
  const int rank = trm_comm_rank(s->comm);
  /* As doubles, exact up to 2^53; the least element is the greatest negative. */
  double found = -(double)s->stripes.n;
  TRM_FOR_STRIPES(&s->stripes, rank, begin, end) {
    const int64_t at = trm_find_not_finite(grads + begin, end - begin);
    if (at < 0) continue;
    found = -(double)(begin + at);
    break;
  }
  TRM_TRY(trm_comm_max_f64(s->comm, &found, 1));
  *first = (int64_t)-found < s->stripes.n ? (int64_t)-found : -1;
  return TRM_OK;
}

/* Gives all ranks the parameters that each has moved. Collective. */
static trm_status share_moved(trm_sharded *s) {
  const trm_params *params = s->params;
  for (int row = params->n_rows - 1; row >= 0; --row) {
    const int mover = trm_optimizer_mover(s->optimizer, row);
    const trm_param *p = &params->rows[row];
    if (mover < 0) continue;
    TRM_TRY(trm_comm_broadcast(s->comm, params->weights + p->offset,
                               p->n * (int64_t)sizeof(trm_real), mover));
  }
  return TRM_OK;
}

/* The second half of an update of whole parameters. Collective. */
static trm_status move_whole(trm_sharded *s, double lr, double *waited_s) {
  if (s->stripes.size == 1) return TRM_OK; /* done by trm_optimizer_apply */
  trm_optimizer_move(s->optimizer, lr);
  const double start_s = trm_clock_s();
  TRM_TRY(share_moved(s));
  *waited_s += trm_clock_s() - start_s;
  return TRM_OK;
}

trm_status trm_sharded_step(trm_sharded *s, trm_gradsync_result *sums, int64_t step,
                            trm_step_info *info) {
  double squares = 0, waited_s = 0;
  TRM_TRY(sum_squares(s, sums->grads, &squares));
  trm_optimizer_apply(s->optimizer, sums->grads, squares, sums->count, step, info);
  if (!info->finite) return find_not_finite(s, sums->grads, &info->bad_element);
  trm_real *directions = trm_optimizer_directions(s->optimizer);
  if (directions) TRM_TRY(trm_gradsync_gather(s->sync, directions, &waited_s));
  sums->exposed_s += waited_s;
  TRM_TRY(trm_gradsync_gather_weights(s->sync, &waited_s));
  if (directions) TRM_TRY(move_whole(s, info->lr, &waited_s));
  /* Last, since an output's weights may lie on two ranks. One rank has done it. */
  if (s->stripes.size > 1) trm_optimizer_limit_norms(s->optimizer);
  sums->exposed_s += waited_s;
  return TRM_OK;
}

/* ---- whole arrays on rank 0, for checkpoints -------------------------------------------------- */

trm_status trm_sharded_collect(trm_comm *comm, trm_optimizer *optimizer, int state,
                               trm_real *full) {
  const trm_stripes stripes = trm_optimizer_stripes(optimizer);
  const trm_real *share = trm_optimizer_state(optimizer, state);
  const int rank = trm_comm_rank(comm);
  for (int r = 0; r < stripes.size; ++r) {
    TRM_FOR_STRIPES(&stripes, r, begin, end) {
      const int64_t bytes = (end - begin) * (int64_t)sizeof *full;
      const trm_real *from = share + trm_stripes_before(&stripes, r, begin);
      if (rank == 0 && r == 0) memcpy(full + begin, from, (size_t)bytes);
      if (rank == 0 && r != 0) TRM_TRY(trm_comm_receive(comm, full + begin, bytes, r));
      if (rank == r && r != 0) TRM_TRY(trm_comm_send(comm, from, bytes, 0));
    }
  }
  return TRM_OK;
}

trm_status trm_sharded_distribute(trm_comm *comm, trm_optimizer *optimizer, int state,
                                  const trm_real *full) {
  const trm_stripes stripes = trm_optimizer_stripes(optimizer);
  trm_real *share = trm_optimizer_state(optimizer, state);
  const int rank = trm_comm_rank(comm);
  for (int r = 0; r < stripes.size; ++r) {
    TRM_FOR_STRIPES(&stripes, r, begin, end) {
      const int64_t bytes = (end - begin) * (int64_t)sizeof *full;
      trm_real *to = share + trm_stripes_before(&stripes, r, begin);
      if (rank == 0 && r == 0) memcpy(to, full + begin, (size_t)bytes);
      if (rank == 0 && r != 0) TRM_TRY(trm_comm_send(comm, full + begin, bytes, r));
      if (rank == r && r != 0) TRM_TRY(trm_comm_receive(comm, to, bytes, 0));
    }
  }
  return TRM_OK;
}
