/** Random splits of the nodes that have a label. */
#ifndef TRIREME_PREPARE_RANDOM_SPLITS_INTERNAL_H
#define TRIREME_PREPARE_RANDOM_SPLITS_INTERNAL_H

#include "trireme/input/graph.h"

/** Of a hundred labelled nodes, how many are in each subset; the rest is in none. */
typedef struct trm_split_shares {
  int percent[TRM_N_SUBSETS];
} trm_split_shares;

/** The lists of some splits, as trm_graph.splits wants them. Zero it first. */
typedef struct trm_random_splits {
  int n;
  trm_ids *splits;  /* [n * TRM_N_SUBSETS] */
  int32_t **memory; /* [n] the lists of a split, one after another */
} trm_random_splits;

/**
 * n splits, split s by shares[min(s, n_shares - 1)]. Each is a permutation of the labelled nodes of
 * its own, keyed by (seed, s), and rounded so that shares of 100 in all take every node.
 * @param labels  [n_nodes], -1: none
 */
trm_status trm_random_splits_make(const int32_t *labels, int64_t n_nodes, int n,
                                  const trm_split_shares *shares, int n_shares, uint64_t seed,
                                  trm_random_splits *out);
void trm_random_splits_free(trm_random_splits *splits);

#endif
