/**
 * A keyed permutation of [0, n) without a table.
 *
 * A balanced Feistel network permutes the smallest domain of 2^(2h) >= n values; a result past n is
 * put through again until it falls inside (cycle walking), which keeps the map a bijection of
 * [0, n). The domain is less than 4 n, so about four passes at most are expected.
 * Sources: Luby, Rackoff 1988, "How to construct pseudorandom permutations", SIAM J. Comput. 17(2);
 * Black, Rogaway 2002, "Ciphers with arbitrary finite domains", CT-RSA, LNCS 2271.
 */
#include "trireme/input/permute.h"
#include "trireme/core/random.h"
#include "trireme/core/status.h"

/* Four rounds are pseudorandom on large domains; small ones (n of a few dozen) need some more
 * before every place is equally likely for every index (tests/unit/test_input_permute.c). */
enum { N_ROUNDS = 8 };

static uint64_t feistel(const uint64_t round_key[N_ROUNDS], int half_bits, uint64_t x) {
  const uint64_t mask = (UINT64_C(1) << half_bits) - 1;
  uint64_t left = x >> half_bits, right = x & mask;
  for (int round = 0; round < N_ROUNDS; ++round) {
    /* The high bits of the product-mix depend on all bits of its argument. */
    const uint64_t f = trm_mix64(right ^ round_key[round]) >> (64 - half_bits);
    const uint64_t next = left ^ f;
    left = right;
    right = next;
  }
  return (left << half_bits) | right;
}

int64_t trm_permute(uint64_t key, int64_t n, int64_t i) {
  TRM_ASSERT(0 <= i && i < n && n <= INT64_C(1) << 62);
  int half_bits = 1;
  while ((INT64_C(1) << (2 * half_bits)) < n) ++half_bits;
  uint64_t round_key[N_ROUNDS];
  for (int round = 0; round < N_ROUNDS; ++round) {
    round_key[round] = trm_mix64(key + (uint64_t)(round + 1) * UINT64_C(0x9E3779B97F4A7C15));
  }
  uint64_t x = (uint64_t)i;
  do {
    x = feistel(round_key, half_bits, x);
  } while (x >= (uint64_t)n);
  return (int64_t)x;
}
