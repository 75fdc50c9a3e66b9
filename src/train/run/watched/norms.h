/**
 * Norms of each parameter's weights and gradient: norms.csv and TensorBoard, every log.norms steps. Sums
 * of squares are formed chunk by chunk of the flat array and added in that order, so that who has which
 * stripes of the gradient changes nothing.
 */
#ifndef TRIREME_TRAIN_NORMS_H
#define TRIREME_TRAIN_NORMS_H

#include "metrics.h"
#include "table.h"
#include "trireme/comm/comm.h"
#include "trireme/train/learner.h"

typedef struct trm_norms {
  int64_t every;    /* 0: never, and nothing is owned */
  double *pieces;   /* [n_pieces] sums of squares, of a chunk's part of a parameter; owned */
  double *gradient; /* [n_rows] norms of the step; owned */
  double *weights;  /* [n_rows] the same of the weights; owned */
  int64_t n_pieces;
  trm_step_table table; /* rank 0 only */
} trm_norms;

/** Takes memory for steps to come. Not collective. @return TRM_ERR_MEMORY */
trm_status trm_norms_create(const trm_params *params, int64_t every, trm_norms *norms);
trm_status trm_norms_destroy(trm_norms *norms);

/** Norms of the mean gradient of a step, before the update. `stripes` says which elements of the sums are
 *  here; of one rank, all are. Collective where there are several. */
trm_status trm_norms_gradient(trm_norms *norms, trm_comm *comm, const trm_params *params,
                              const trm_stripes *stripes, const trm_real *grads, double count);
/** Writes those, and the norms of the weights after the update. */
trm_status trm_norms_write(trm_norms *norms, const trm_params *params, int64_t step,
                           trm_metrics *metrics);

#endif
