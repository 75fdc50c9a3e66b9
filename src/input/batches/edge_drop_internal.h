/** DropEdge: which edges a step leaves out. Source: Rong et al. 2020, arXiv:1907.10903, section 3.1. */
#ifndef TRIREME_INPUT_EDGE_DROP_INTERNAL_H
#define TRIREME_INPUT_EDGE_DROP_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/csr.h"
#include "trireme/core/random.h"

/** The rule of one step. */
typedef struct trm_edge_drop {
  trm_random_key key;
  double p;
} trm_edge_drop;

static inline trm_edge_drop trm_edge_drop_at(uint64_t seed, int64_t step, double p) {
  return (trm_edge_drop){trm_random_key_make(seed, TRM_RANDOM_EDGE, (uint64_t)step, 0), p};
}

/** Whether the edge source -> target is left out, with probability p: the same in rows by target and
 *  by source, and on every process. */
static inline bool trm_edge_dropped(const trm_edge_drop *drop, int64_t target, int64_t source) {
  return drop->p > 0 && trm_random_uniform(drop->key, (uint64_t)target, (uint64_t)source) < drop->p;
}

/** What is left of the degrees (sums of weights) of nodes ids[n]: counts[n]. `in` is the whole graph's. */
void trm_edge_drop_counts(const trm_edge_drop *drop, const trm_csr *in, const int32_t *ids,
                          int64_t n, float *counts);

#endif
