/*
 * The K greatest of each row: one pass with a heap of the K best so far, its worst at the root.
 * Most of a row is worse than that and is passed over a block of columns at a time.
 */
#include "isa.h"

#include <stdbool.h>
#include <stddef.h>

#include "simd.h"
#include "team.h"
#include "trireme/core/csr.h"
#include "trireme/core/integers.h"

enum { BLOCK = 64 };

/* The best columns of a row, in the row's place in the result. */
typedef struct heap {
  int32_t *columns;
  int64_t n;
} heap;

/* Whether column a comes before b. */
static inline bool before(const trm_real *x, int32_t a, int32_t b) {
  return x[a] > x[b] || (!(x[a] < x[b]) && a < b);
}

static void swap(heap *h, int64_t i, int64_t j) {
  const int32_t column = h->columns[i];
  h->columns[i] = h->columns[j];
  h->columns[j] = column;
}

static void sift_down(heap *h, const trm_real *x) {
  for (int64_t i = 0;;) {
    int64_t worst = i;
    for (int64_t child = 2 * i + 1; child <= 2 * i + 2 && child < h->n; ++child) {
      if (before(x, h->columns[worst], h->columns[child])) worst = child;
    }
    if (worst == i) return;
    swap(h, i, worst);
    i = worst;
  }
}

static void push(heap *h, const trm_real *x, int32_t column) {
  int64_t i = h->n++;
  h->columns[i] = column;
  while (i > 0 && before(x, h->columns[(i - 1) / 2], h->columns[i])) {
    swap(h, i, (i - 1) / 2);
    i = (i - 1) / 2;
  }
}

static bool any_above(const trm_real *x, trm_real limit) {
  int32_t any = 0;
  for (int i = 0; i < BLOCK; ++i) any |= x[i] > limit;
  return any != 0;
}

/* Columns rise, so one that equals the worst kept comes after it. */
static void select_columns(heap *h, const trm_real *x, int64_t C, const int32_t *exclude,
                           int64_t n_exclude, int64_t K) {
  int64_t next = 0;
  for (int64_t begin = 0; begin < C; begin += BLOCK) {
    const int64_t end = trm_min_i64(begin + BLOCK, C);
    if (h->n == K && end - begin == BLOCK && !any_above(x + begin, x[h->columns[0]])) continue;
    while (next < n_exclude && exclude[next] < begin) ++next;
    for (int32_t c = (int32_t)begin; c < end; ++c) {
      if (next < n_exclude && exclude[next] == c) {
        ++next;
      } else if (h->n < K) {
        push(h, x, c);
      } else if (x[c] > x[h->columns[0]]) {
        h->columns[0] = c;
        sift_down(h, x);
      }
    }
  }
}

/* The best first. */
static void sort_columns(heap *h, const trm_real *x) {
  const int64_t n = h->n;
  while (h->n > 1) {
    swap(h, 0, h->n - 1);
    --h->n;
    sift_down(h, x);
  }
  h->n = n;
}

void trm_top_k(int32_t *top, const trm_real *x, const trm_csr *exclude, int64_t n, int64_t C,
               int64_t K) {
#pragma omp parallel for schedule(dynamic) num_threads(trm_team(n, n *C))
  for (int64_t i = 0; i < n; ++i) {
    heap h = {.columns = top + i * K};
    const int64_t first = exclude ? exclude->offsets[i] : 0;
    const int64_t n_exclude = exclude ? exclude->offsets[i + 1] - first : 0;
    select_columns(&h, x + i * C, C, exclude ? exclude->columns + first : NULL, n_exclude, K);
    sort_columns(&h, x + i * C);
    for (int64_t k = h.n; k < K; ++k) h.columns[k] = -1;
  }
}

/* ---- by tiles of columns ---------------------------------------------------------------------- */

/* Puts a column into a row's list of n, the greatest first, of equals the earlier; of K the last falls
 * out. */
static int64_t insert(int32_t *columns, trm_real *values, int64_t n, int64_t K, int32_t column,
                      trm_real value) {
  int64_t at = n < K ? n : K - 1;
  for (; at > 0 && values[at - 1] < value; --at) {
    values[at] = values[at - 1];
    columns[at] = columns[at - 1];
  }
  values[at] = value;
  columns[at] = column;
  return n < K ? n + 1 : K;
}

/* Bit i: x[i] is above the limit, of n <= BLOCK. */
static uint64_t above(const trm_real *x, int64_t n, trm_real limit) {
  uint64_t bits = 0;
  int64_t i = 0;
  for (; i + TRM_LANES <= n; i += TRM_LANES) {
    bits |= (uint64_t)trm_lanes_above(trm_lanes_load(x + i), limit) << i;
  }
  for (; i < n; ++i) bits |= (x[i] > limit ? UINT64_C(1) : 0) << i;
  return bits;
}

void trm_top_k_tile(int32_t *columns, trm_real *values, const trm_real *x, int64_t N, int64_t first,
                    int64_t n, int64_t K) {
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *n))
  for (int64_t r = 0; r < N; ++r) {
    const trm_real *row = x + r * n;
    int32_t *list = columns + r * K;
    trm_real *kept = values + r * K;
    int64_t have = trm_min_i64(first, K);
    int64_t begin = 0;
    for (; begin < n && have < K; ++begin) {
      have = insert(list, kept, have, K, (int32_t)(first + begin), row[begin]);
    }
    for (; begin < n; begin += BLOCK) {
      uint64_t bits = above(row + begin, trm_min_i64(BLOCK, n - begin), kept[K - 1]);
      for (; bits != 0; bits &= bits - 1) {
        const int64_t c = begin + __builtin_ctzll(bits);
        if (row[c] > kept[K - 1]) { /* now, too */
          (void)insert(list, kept, K, K, (int32_t)(first + c), row[c]);
        }
      }
    }
  }
}
