/** What operators on graphs need besides the arrays of core/graph.h. */
#ifndef TRIREME_NN_GRAPH_H
#define TRIREME_NN_GRAPH_H

#include "trireme/core/batch.h"
#include "trireme/math/real.h"

/**
 * Fetches rows of other processes in the middle of a pass. All processes that share a graph come to
 * the same exchanges in the same order; nn itself knows nothing of how rows travel.
 */
typedef struct trm_row_exchange {
  void *context;
  /** rows[own + halo, C] (for a collection: rows[n, C]): own rows are there, fills in the others. */
  void (*fill)(void *context, trm_real *rows, int64_t C);
  /** Told by operators in dry passes too: rows of C will be fetched. NULL: does not matter. */
  void (*expect)(void *context, int64_t C);
} trm_row_exchange;

/** Weights of a sum over edges; D is the target's or source's degree in the whole graph, S what of
 *  the target's is in the hop, both with the self-loop if there is one. */
typedef enum trm_edge_norm {
  TRM_EDGE_NORM_SUM,       /* 1 */
  TRM_EDGE_NORM_MEAN,      /* 1 / S_i */
  TRM_EDGE_NORM_SYMMETRIC, /* sqrt(D_i) / S_i / sqrt(D_j), which is 1 / sqrt(D_i D_j) where S_i = D_i:
                         Kipf, Welling 2017, arXiv:1609.02907, equation 2 */
} trm_edge_norm;

typedef enum trm_pool { TRM_POOL_SUM, TRM_POOL_MEAN, TRM_POOL_MAX, TRM_POOL_FIRST } trm_pool;

#endif
