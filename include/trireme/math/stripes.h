/**
 * Which elements of a flat array belong to which rank, when ranks share it out: stripes of equal
 * length, dealt in turn.
 *
 *     array, 3 ranks   | stripe 0 | stripe 1 | stripe 2 | stripe 3 | stripe 4 |
 *     owner                 0          1          2          0          1
 *     kept by rank 0   | stripe 0 | stripe 3 |                   (one after the other)
 *
 * A stripe is whole chunks of the sums over flat arrays (TRM_CHUNK), so that the sum of squares of
 * the array can be formed from the owners' chunks in the same order as by one rank. The table is a
 * function of length and rank count alone.
 */
#ifndef TRIREME_MATH_STRIPES_H
#define TRIREME_MATH_STRIPES_H

#include <stdint.h>

/** Elements that kernels over flat arrays take as one piece of work and of summation. */
enum { TRM_CHUNK = 4096 };

typedef struct trm_stripes {
  int64_t n;      /* elements of the array */
  int64_t length; /* of a stripe; the last one may be shorter */
  int size;       /* ranks */
} trm_stripes;

enum {
  /* A row of stripes, one a rank, should be a small share of the array, so that ranks get equal
   * parts and owners take turns while gradients are finished; and a stripe should be long enough
   * for a message of its own (src/comm/README.md, segments). */
  TRM_STRIPE_MOST = 16 * TRM_CHUNK,
  TRM_STRIPE_ROWS = 8,
};

static inline trm_stripes trm_stripes_make(int64_t n, int size) {
  int64_t length = n / (TRM_STRIPE_ROWS * (int64_t)size) / TRM_CHUNK * TRM_CHUNK;
  if (length < TRM_CHUNK) length = TRM_CHUNK;
  if (length > TRM_STRIPE_MOST) length = TRM_STRIPE_MOST;
  return (trm_stripes){.n = n, .length = length, .size = size};
}

/** Rank that owns `element`. */
static inline int trm_stripes_owner(const trm_stripes *s, int64_t element) {
  return (int)(element / s->length % s->size);
}

/** One past the last element of the stripe that `element` is in. */
static inline int64_t trm_stripes_end(const trm_stripes *s, int64_t element) {
  const int64_t end = (element / s->length + 1) * s->length;
  return end < s->n ? end : s->n;
}

/** Elements of `rank` that come before `element`, which is where its own stripes are kept when
 *  `element` is the first of one; for element n: how many it has. */
static inline int64_t trm_stripes_before(const trm_stripes *s, int rank, int64_t element) {
  const int64_t row = s->length * s->size;
  const int64_t rest = element % row - rank * s->length;
  return element / row * s->length + (rest < 0 ? 0 : rest < s->length ? rest : s->length);
}

/** First element of the stripe of `rank` number k = 0, 1, ...; n or more: there are no more. */
static inline int64_t trm_stripes_begin(const trm_stripes *s, int rank, int64_t k) {
  return (k * s->size + rank) * s->length;
}

/** Loops over the stripes [begin, end) of `rank`. */
#define TRM_FOR_STRIPES(s, rank, begin, end)                                                       \
  for (int64_t begin = trm_stripes_begin((s), (rank), 0), end = trm_stripes_end((s), begin);       \
       begin < (s)->n; begin += (s)->length * (s)->size, end = trm_stripes_end((s), begin))

#endif
