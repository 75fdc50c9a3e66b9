/** DropEdge: which edges a step leaves out. */
#ifndef TRIREME_INPUT_EDGE_DROP_INTERNAL_H
#define TRIREME_INPUT_EDGE_DROP_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/random.h"

static inline trm_random_key trm_edge_drop_key(uint64_t seed, int64_t step) {
  return trm_random_key_make(seed, TRM_RANDOM_EDGE, (uint64_t)step, 0);
}

/** Whether the edge source -> target is left out, with probability p: the same in rows by target and
 *  by source, and on every process. Source: Rong et al. 2020, arXiv:1907.10903, section 3.1. */
static inline bool trm_edge_dropped(trm_random_key key, int64_t target, int64_t source, double p) {
  return trm_random_uniform(key, (uint64_t)target, (uint64_t)source) < p;
}

#endif
