/* trm_permute: a bijection for every n, uniform over keys, and the same for ever. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/core/random.h"
#include "trireme/input/permute.h"

static void check_bijection(uint64_t key, int64_t n) {
  unsigned char *seen = calloc((size_t)n, 1);
  if (!seen) exit(1);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = trm_permute(key, n, i);
    if (!CHECK(0 <= at && at < n)) break;
    if (!CHECK_EQ(seen[at], 0)) break;
    seen[at] = 1;
  }
  free(seen);
}

/* Past what can be tried in full: in range, and no value twice among many. */
static int compare(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void check_large(uint64_t key, int64_t n) {
  enum { TRIES = 50000 };
  static int64_t values[TRIES];
  for (int64_t i = 0; i < TRIES; ++i) {
    /* From both ends. */
    values[i] = trm_permute(key, n, i % 2 ? n - 1 - i : i);
    if (!CHECK(0 <= values[i] && values[i] < n)) return;
  }
  qsort(values, TRIES, sizeof values[0], compare);
  for (int64_t i = 1; i < TRIES; ++i) {
    if (!CHECK(values[i] != values[i - 1])) return;
  }
}

/* Over many keys every index lands on every place equally often. */
static void check_uniform(int64_t n) {
  enum { KEYS = 20000, MOST = 16 };
  int64_t count[MOST][MOST];
  memset(count, 0, sizeof count);
  for (uint64_t key = 0; key < KEYS; ++key) {
    for (int64_t i = 0; i < n; ++i) ++count[i][trm_permute(trm_mix64(key), n, i)];
  }
  const double p = 1.0 / (double)n, want = KEYS * p, sigma = sqrt(KEYS * p * (1 - p));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t at = 0; at < n; ++at) {
      CHECK_NEAR_AT((double)count[i][at], want, 5 * sigma, i * n + at);
    }
  }
}

/* All six orders of three things are equally likely. */
static void check_orders(void) {
  enum { KEYS = 60000 };
  int64_t count[27] = {0};
  for (uint64_t key = 0; key < KEYS; ++key) {
    int64_t code = 0;
    for (int64_t i = 0; i < 3; ++i) code = 3 * code + trm_permute(key, 3, i);
    ++count[code];
  }
  int kinds = 0;
  for (int i = 0; i < 27; ++i) {
    if (count[i] == 0) continue;
    ++kinds;
    CHECK_NEAR_AT((double)count[i], KEYS / 6.0, 6 * sqrt(KEYS / 6.0), i);
  }
  CHECK_EQ(kinds, 6);
}

int main(void) {
  for (int64_t n = 1; n <= 70; ++n) check_bijection(12345 + (uint64_t)n, n);
  for (int bits = 7; bits <= 17; ++bits) {
    for (int64_t d = -1; d <= 1; ++d) check_bijection(~(uint64_t)bits, ((int64_t)1 << bits) + d);
  }
  check_bijection(0, 1000003);
  for (int bits = 31; bits <= 61; bits += 6) {
    for (int64_t d = -1; d <= 1; ++d) check_large(7, ((int64_t)1 << bits) + d);
  }
  check_large(7, (int64_t)1 << 62);
  for (int64_t n = 2; n <= 16; ++n) check_uniform(n);
  check_orders();
  /* The order of samples is part of what a resumed run relies on: these never change. */
  CHECK_EQ(trm_permute(1, 1000, 0), 208);
  CHECK_EQ(trm_permute(1, 1000, 999), 414);
  CHECK_EQ(trm_permute(UINT64_C(0xFEDCBA9876543210), INT64_C(123456789012), 42),
           INT64_C(45803585529));
  return check_verdict();
}
