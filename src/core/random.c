#include "trireme/core/random.h"

#include <math.h>

#include <Random123/philox.h>

uint64_t trm_mix64(uint64_t x) {
  x += UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

trm_random_key trm_random_key_make(uint64_t seed, trm_random_purpose purpose, uint64_t step,
                                   uint64_t salt) {
  uint64_t h = trm_mix64(seed);
  h = trm_mix64(h ^ (uint64_t)purpose);
  h = trm_mix64(h ^ step);
  h = trm_mix64(h ^ salt);
  return (trm_random_key){{(uint32_t)h, (uint32_t)(h >> 32)}};
}

void trm_random_words(trm_random_key key, uint64_t sample, uint64_t position, uint32_t out[4]) {
  const philox4x32_ctr_t counter = {
      {(uint32_t)position, (uint32_t)(position >> 32), (uint32_t)sample, (uint32_t)(sample >> 32)}};
  const philox4x32_key_t philox_key = {{key.k[0], key.k[1]}};
  const philox4x32_ctr_t words = philox4x32(counter, philox_key);
  for (int i = 0; i < 4; ++i) out[i] = words.v[i];
}

/* 53 bits of two words as a double in [0, 1). */
static double unit_interval(uint32_t high, uint32_t low) {
  const uint64_t bits = ((uint64_t)high << 32 | low) >> 11;
  return (double)bits * 0x1p-53;
}

double trm_random_uniform(trm_random_key key, uint64_t sample, uint64_t position) {
  uint32_t w[4];
  trm_random_words(key, sample, position, w);
  return unit_interval(w[0], w[1]);
}

uint64_t trm_random_below(trm_random_key key, uint64_t sample, uint64_t position, uint64_t n) {
  uint32_t w[4];
  trm_random_words(key, sample, position, w);
  const uint64_t x = (uint64_t)w[0] << 32 | w[1];
  return (uint64_t)(((unsigned __int128)x * n) >> 64);
}

double trm_random_normal(trm_random_key key, uint64_t sample, uint64_t position) {
  const double two_pi = 6.283185307179586476925;
  uint32_t w[4];
  trm_random_words(key, sample, position, w);
  const double u = 1.0 - unit_interval(w[0], w[1]); /* in (0, 1]: its logarithm is finite */
  return sqrt(-2.0 * log(u)) * cos(two_pi * unit_interval(w[2], w[3]));
}
