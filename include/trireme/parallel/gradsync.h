/**
 * Gradient synchronisation: blocks of the global batch are walked one after another, their
 * gradients added up in place, and during the last block's backward pass each bucket that is
 * complete is handed to the reducer while the rest is still being computed.
 *
 * The flat array is [parameters | tail]. The tail holds, for every block of the global batch, its
 * loss sum and count as floats that add up exactly because all other ranks give 0 there, and two
 * status elements: how many ranks failed in this step, and the union of stop requests.
 */
#ifndef TRIREME_PARALLEL_GRADSYNC_H
#define TRIREME_PARALLEL_GRADSYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/comm/comm.h"
#include "trireme/nn/params.h"
#include "trireme/nn/tape.h"

typedef struct trm_gradsync trm_gradsync;

typedef struct trm_gradsync_options {
  const char *engine;   /* reducer engine */
  const char *progress; /* "poll", "thread", or "none" (all communication after backward) */
  int64_t n_blocks;     /* V */
  int64_t bucket_bytes; /* 0: one bucket */
  bool shared_window;
  bool sharded; /* a rank needs the gradients of its stripes only, and gathers the weights */
} trm_gradsync_options;

/**
 * Collective; options must be equal on all ranks. Keeps params (sealed) and comm.
 * @return TRM_ERR_CONFIG (more ranks than blocks, an unknown engine, a thread where MPI allows none),
 *         TRM_ERR_MEMORY; the same on all ranks
 */
trm_status trm_gradsync_create(trm_comm *comm, const trm_params *params,
                               const trm_gradsync_options *options, trm_gradsync **out);
void trm_gradsync_destroy(trm_gradsync **sync); /* collective */

/* What follows, up to trm_gradsync_finish, is not collective and makes no MPI call but to poll. */

/** Blocks of this rank: [first, first + n). */
void trm_gradsync_blocks(const trm_gradsync *sync, int64_t *first, int64_t *n);

/** How buckets travel, in words (trm_reducer_transport). */
const char *trm_gradsync_transport(const trm_gradsync *sync);

/** `call` is called after each operator of every backward pass, besides the sync's own polling. */
void trm_gradsync_on_between(trm_gradsync *sync, trm_tape_between call, void *context);

/** Fills pass->grads and pass->add for local block `i` (0..n-1, in order). */
void trm_gradsync_block_begin(trm_gradsync *sync, int64_t i, trm_pass *pass);
/** Runs the backward pass of that block from the scalar `loss` with the hooks of the overlap, and
 *  records its loss and the hash of its sample ids. Nothing where the tape has failed: the caller hands
 *  the tape's status to trm_gradsync_finish. */
void trm_gradsync_block_backward(trm_gradsync *sync, int64_t i, trm_tape *tape, trm_var *loss,
                                 uint64_t samples_hash);

/**
 * The same for all local blocks in one pass (trm_block_sink in nn/tape.h): fills pass->n_blocks and
 * pass->sink, then runs the backward pass. Sums come out as if each block had a pass of its own.
 * @param[in] samples_hashes  [n] of each local block
 */
void trm_gradsync_all_begin(trm_gradsync *sync, trm_pass *pass);
void trm_gradsync_all_backward(trm_gradsync *sync, trm_tape *tape, trm_var *loss,
                               const uint64_t *samples_hashes);

/** What the step came to, the same on every rank. */
typedef struct trm_gradsync_result {
  double loss_sum;       /* over the global batch, blocks added in order */
  double count;          /* tokens that counted */
  uint64_t samples_hash; /* of the sample ids of all blocks, in order */
  int n_failed;          /* ranks that reported a failure with this step */
  bool stop;             /* some rank asked to stop */
  const trm_real
      *grads;       /* [params->n_elements] sum over the global batch; sharded: of own stripes */
  double exposed_s; /* waited for communication */
} trm_gradsync_result;

/**
 * Ends the step: hands over what is left, waits, reads the tail. Collective; every rank must come
 * here in every step, also one that failed: it passes its status and gives zeros.
 *
 * @param[in]  status  how this rank's blocks went
 * @param[in]  stop    this rank asks for a stop after the step
 * @param[out] result  grads borrowed until the next block begins
 * @return TRM_OK, also when ranks have failed, which result->n_failed tells
 */
trm_status trm_gradsync_finish(trm_gradsync *sync, trm_status status, bool stop,
                               trm_gradsync_result *result);

/**
 * Sharded only: gives every rank all of params->weights, of which each has updated its own stripes
 * (trm_stripes_make(params->n_elements, ranks)). Collective; the gradients of the step are lost.
 * @param[out] exposed_s  seconds waited for communication; may be NULL
 * @return TRM_OK
 */
trm_status trm_gradsync_gather_weights(trm_gradsync *sync, double *exposed_s);
/** The same for another array[params->n_elements], of which each rank has its own stripes. */
trm_status trm_gradsync_gather(trm_gradsync *sync, trm_real *array, double *exposed_s);

#endif
