/** Choosing the next token from logits. */
#ifndef TRIREME_TRAIN_TOKEN_SAMPLER_H
#define TRIREME_TRAIN_TOKEN_SAMPLER_H

#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/math/real.h"

typedef struct trm_token_sampler {
  double temperature; /* 0: the most likely token, the first of equals */
  int64_t top_k;      /* 0: all */
  double top_p;       /* 1: all */
  uint64_t seed;
  int64_t V;
  struct trm_candidate *candidates; /* [V], owned */
} trm_token_sampler;

trm_status trm_token_sampler_create(int64_t V, double temperature, int64_t top_k, double top_p,
                                    uint64_t seed, trm_token_sampler *sampler);
void trm_token_sampler_free(trm_token_sampler *sampler);

/**
 * Draws token number `position` of a text from logits[V]: softmax at the temperature, cut to the
 * top_k most likely, then to the fewest whose probabilities reach top_p.
 * Source of the latter: Holtzman et al. 2020, arXiv:1904.09751.
 */
int32_t trm_token_sampler_draw(trm_token_sampler *sampler, const trm_real *logits,
                               uint64_t position);

#endif
