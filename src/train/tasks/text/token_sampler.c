#include "token_sampler.h"

#include <math.h>
#include <stdlib.h>

#include "trireme/core/memory.h"
#include "trireme/core/random.h"

typedef struct trm_candidate {
  double p;
  int32_t token;
} trm_candidate;

trm_status trm_token_sampler_create(int64_t V, double temperature, int64_t top_k, double top_p,
                                    uint64_t seed, trm_token_sampler *sampler) {
  *sampler = (trm_token_sampler){
      .temperature = temperature, .top_k = top_k, .top_p = top_p, .seed = seed, .V = V};
  return TRM_ALLOC(&sampler->candidates, V, "candidates");
}

void trm_token_sampler_free(trm_token_sampler *sampler) {
  TRM_FREE(sampler->candidates);
}

static int by_probability(const void *a_void, const void *b_void) {
  const trm_candidate *a = a_void, *b = b_void;
  if (a->p != b->p) return a->p > b->p ? -1 : 1;
  return a->token < b->token ? -1 : a->token > b->token;
}

int32_t trm_token_sampler_draw(trm_token_sampler *s, const trm_real *logits, uint64_t position) {
  trm_candidate *c = s->candidates;
  int64_t best = 0;
  for (int64_t v = 1; v < s->V; ++v) {
    if (logits[v] > logits[best]) best = v;
  }
  if (s->temperature == 0) return (int32_t)best;
  for (int64_t v = 0; v < s->V; ++v) {
    c[v].p = exp(((double)logits[v] - (double)logits[best]) / s->temperature);
    c[v].token = (int32_t)v;
  }
  qsort(c, (size_t)s->V, sizeof *c, by_probability);
  int64_t n = s->top_k > 0 && s->top_k < s->V ? s->top_k : s->V;
  double reachable = 0; /* of what top_k left */
  for (int64_t i = 0; i < n; ++i) reachable += c[i].p;
  double kept = 0;
  int64_t m = 0;
  while (m < n) {
    kept += c[m++].p;
    if (s->top_p < 1 && kept >= s->top_p * reachable) break;
  }
  const trm_random_key key = trm_random_key_make(s->seed, TRM_RANDOM_GENERATE, 0, 0);
  double u = trm_random_uniform(key, 0, position) * kept;
  for (int64_t i = 0; i < m; ++i) {
    u -= c[i].p;
    if (u < 0) return c[i].token;
  }
  return c[m - 1].token; /* rounding */
}
