/* Philox against published vectors; plain statistics; independence of keys. */
#include "trireme/core/random.h"

#include <math.h>

#include "check.h"

static void check_vector(uint64_t sample, uint64_t position, uint32_t k0, uint32_t k1,
                         const uint32_t want[4]) {
  uint32_t got[4];
  trm_random_words((trm_random_key){{k0, k1}}, sample, position, got);
  for (int i = 0; i < 4; ++i) CHECK_EQ(got[i], want[i]);
}

/* philox4x32-10 of Random123's kat_vectors: zeros, ones, digits of pi. */
static void test_known_answers(void) {
  const uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  const uint32_t ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  const uint32_t pi[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  check_vector(0, 0, 0, 0, zeros);
  check_vector(UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX, ones);
  check_vector(0x0370734413198a2e, 0x85a308d3243f6a88, 0xa4093822, 0x299f31d0, pi);
  /* First outputs of splitmix64 from the states 0 and 1234567, which Rosetta Code lists too. */
  CHECK_EQ(trm_mix64(0), INT64_C(-2152535657050944081)); /* e220a8397b1dcdaf */
  CHECK_EQ(trm_mix64(1234567), 6457827717110365317);
}

static const int64_t n_draws = 1 << 18;

static void test_uniform(void) {
  const trm_random_key key = trm_random_key_make(7, TRM_RANDOM_TEST, 0, 0);
  double sum = 0, squares = 0, lag = 0, last = 0.5;
  double bins[256] = {0};
  for (int64_t i = 0; i < n_draws; ++i) {
    const double u = trm_random_uniform(key, (uint64_t)(i / 512), (uint64_t)(i % 512));
    if (!CHECK(u >= 0 && u < 1)) return;
    sum += u;
    squares += (u - 0.5) * (u - 0.5);
    lag += (u - 0.5) * (last - 0.5);
    bins[(int)(u * 256)] += 1;
    last = u;
  }
  const double n = (double)n_draws;
  double chi = 0;
  for (int i = 0; i < 256; ++i) chi += (bins[i] - n / 256) * (bins[i] - n / 256) / (n / 256);
  CHECK_NEAR(sum / n, 0.5, 4.5 * sqrt(1.0 / 12 / n));
  CHECK_NEAR(squares / n, 1.0 / 12, 4.5 * sqrt(1.0 / 180 / n));
  CHECK_NEAR(lag / n, 0, 4.5 / 12 / sqrt(n));
  CHECK_NEAR(chi, 255, 4.5 * sqrt(2.0 * 255));
}

static void test_below(void) {
  const trm_random_key key = trm_random_key_make(7, TRM_RANDOM_TEST, 1, 0);
  double bins[7] = {0};
  for (int64_t i = 0; i < n_draws; ++i) {
    const uint64_t x = trm_random_below(key, (uint64_t)i, 3, 7);
    if (!CHECK(x < 7)) return;
    bins[x] += 1;
    const uint64_t big = trm_random_below(key, (uint64_t)i, 3, UINT64_MAX);
    CHECK(big < UINT64_MAX);
    if (trm_random_below(key, (uint64_t)i, 3, 1) != 0) CHECK(false);
  }
  const double expected = (double)n_draws / 7;
  double chi = 0;
  for (int i = 0; i < 7; ++i) chi += (bins[i] - expected) * (bins[i] - expected) / expected;
  CHECK_NEAR(chi, 6, 4.5 * sqrt(12.0));
}

static void test_normal(void) {
  const trm_random_key key = trm_random_key_make(7, TRM_RANDOM_INIT, 0, 5);
  double m[5] = {0};
  int64_t beyond_two = 0;
  for (int64_t i = 0; i < n_draws; ++i) {
    const double x = trm_random_normal(key, 0, (uint64_t)i);
    if (!CHECK(isfinite(x))) return;
    for (int p = 1; p <= 4; ++p) m[p] += pow(x, p);
    beyond_two += fabs(x) > 2;
  }
  const double n = (double)n_draws;
  CHECK_NEAR(m[1] / n, 0, 4.5 / sqrt(n));
  CHECK_NEAR(m[2] / n, 1, 4.5 * sqrt(2 / n));
  CHECK_NEAR(m[3] / n, 0, 4.5 * sqrt(15 / n));
  CHECK_NEAR(m[4] / n, 3, 4.5 * sqrt(96 / n));
  CHECK_NEAR((double)beyond_two / n, 0.0455002639, 4.5 * sqrt(0.0455 / n));
}

static int bit_count(uint32_t x) {
  return __builtin_popcount(x);
}

/* Streams of two keys: half of all bits agree, at the same counter and one apart. */
static void check_independent(trm_random_key a, trm_random_key b) {
  const int64_t n = 4096;
  int64_t same = 0, shifted = 0;
  for (int64_t i = 0; i < n; ++i) {
    uint32_t x[4], y[4], z[4];
    trm_random_words(a, 1, (uint64_t)i, x);
    trm_random_words(b, 1, (uint64_t)i, y);
    trm_random_words(b, 1, (uint64_t)i + 1, z);
    for (int w = 0; w < 4; ++w) {
      same += bit_count(~(x[w] ^ y[w]));
      shifted += bit_count(~(x[w] ^ z[w]));
    }
  }
  const double bits = 128.0 * (double)n;
  CHECK_NEAR((double)same / bits, 0.5, 4.5 * 0.5 / sqrt(bits));
  CHECK_NEAR((double)shifted / bits, 0.5, 4.5 * 0.5 / sqrt(bits));
}

static void test_keys(void) {
  const trm_random_key base = trm_random_key_make(1, TRM_RANDOM_DROPOUT, 2, 3);
  const trm_random_key others[] = {
      trm_random_key_make(2, TRM_RANDOM_DROPOUT, 2, 3),
      trm_random_key_make(1, TRM_RANDOM_PHASE, 2, 3),
      trm_random_key_make(1, TRM_RANDOM_DROPOUT, 3, 3),
      trm_random_key_make(1, TRM_RANDOM_DROPOUT, 2, 4),
      trm_random_key_make(1, TRM_RANDOM_DROPOUT, 3, 2),
      trm_random_key_make(1, TRM_RANDOM_DROPOUT, 2 + (UINT64_C(1) << 40), 3),
  };
  for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) check_independent(base, others[i]);
  /* The streams are part of every checkpoint's meaning: these two words never change. */
  CHECK_EQ(base.k[0], 0xee9f104c);
  CHECK_EQ(base.k[1], 0xd0041a9d);
}

/* Every bit of sample and position reaches the words. */
static void test_counter(void) {
  const trm_random_key key = trm_random_key_make(9, TRM_RANDOM_TEST, 0, 0);
  uint32_t base[4];
  trm_random_words(key, 5, 6, base);
  for (int bit = 0; bit < 64; ++bit) {
    uint32_t by_sample[4], by_position[4];
    trm_random_words(key, 5 ^ UINT64_C(1) << bit, 6, by_sample);
    trm_random_words(key, 5, 6 ^ UINT64_C(1) << bit, by_position);
    int changed_sample = 0, changed_position = 0, apart = 0;
    for (int w = 0; w < 4; ++w) {
      changed_sample += bit_count(base[w] ^ by_sample[w]);
      changed_position += bit_count(base[w] ^ by_position[w]);
      apart += bit_count(by_sample[w] ^ by_position[w]);
    }
    CHECK_NEAR_AT(changed_sample, 64, 30, bit);
    CHECK_NEAR_AT(changed_position, 64, 30, bit);
    CHECK_NEAR_AT(apart, 64, 30, bit);
  }
}

int main(void) {
  test_known_answers();
  test_uniform();
  test_below();
  test_normal();
  test_keys();
  test_counter();
  return check_verdict();
}
