/**
 * Maximum over the edges of a row, element by element, and its way back. A winner is kept as an id
 * and looked for from the other side, so the gradient is a pull over the transpose like any other.
 * Blocks of columns and their sums in registers: csr_rows.h.
 */
#include "isa.h"

#include "csr_rows.h"
#include "simd.h"
#include "team.h"

enum { WIDEST = 4 }; /* vectors of a block: value and winner of each are in registers */

_Static_assert(sizeof(trm_winner) == sizeof(trm_real), "winners travel as numbers do");

typedef struct max_rows {
  trm_real *y;
  trm_winner *winners;
  const trm_real *x;        /* backward: dy */
  const trm_winner *chosen; /* backward: winners */
  const trm_csr *a;
  const int32_t *self, *ids;
  int64_t n_self, C;
  bool add;
} max_rows;

TRM_INLINE int64_t self_of_row(const max_rows *p, int64_t i) {
  if (i >= p->n_self) return -1;
  return p->self ? p->self[i] : i;
}

TRM_INLINE trm_vector load(const trm_real *p, bool whole, trm_part part) {
  return whole ? trm_vector_load(p) : trm_part_load(p, part);
}
TRM_INLINE void store(trm_real *p, bool whole, trm_part part, trm_vector v) {
  if (whole) {
    trm_vector_store(p, v);
  } else {
    trm_part_store(p, part, v);
  }
}

TRM_INLINE trm_mask_vector choose(trm_mask_vector mask, trm_mask_vector yes, trm_mask_vector no) {
  return (mask & yes) | (~mask & no);
}

/* Columns [c0, ..) of rows [begin, end): n vectors, the last one a part of one when `tail`. */
TRM_INLINE void forward_rows(const max_rows *p, int64_t begin, int64_t end, int64_t c0, int n,
                             bool tail) {
  const trm_csr *a = p->a;
  const int64_t C = p->C, last = a->offsets[a->n_rows] - 1;
  const trm_part part = trm_part_of(C % TRM_VECTOR_REALS);
  for (int64_t i = begin; i < end; ++i) {
    trm_vector best[WIDEST];
    trm_mask_vector winner[WIDEST];
#pragma GCC unroll 4
    for (int k = 0; k < n; ++k) {
      best[k] = (trm_vector){0};
      winner[k] = (trm_mask_vector){0} - 1;
    }
    const int64_t self = self_of_row(p, i);
    bool any = false;
    for (int64_t e = a->offsets[i] - (self >= 0 ? 1 : 0); e < a->offsets[i + 1]; ++e) {
      const int64_t j = e < a->offsets[i] ? self : a->columns[e];
      const int64_t later = trm_min_i64(e + TRM_EDGES_AHEAD, last);
      if (last >= a->offsets[0]) trm_ask_for(p->x + a->columns[later] * C + c0, n);
      const trm_mask_vector id = (trm_mask_vector){0} + (p->ids ? p->ids[j] : (trm_winner)j);
      const trm_mask_vector first = (trm_mask_vector){0} - (any ? 0 : 1);
#pragma GCC unroll 4
      for (int k = 0; k < n; ++k) {
        const trm_real *at = p->x + j * C + c0 + k * TRM_VECTOR_REALS;
        const trm_vector v = load(at, !(tail && k == n - 1), part);
        const trm_mask_vector wins = (v > best[k]) | (v != v) | first;
        best[k] = (trm_vector)choose(wins, (trm_mask_vector)v, (trm_mask_vector)best[k]);
        winner[k] = choose(wins, id, winner[k]);
      }
      any = true;
    }
#pragma GCC unroll 4
    for (int k = 0; k < n; ++k) {
      const int64_t at = i * C + c0 + k * TRM_VECTOR_REALS;
      const bool whole = !(tail && k == n - 1);
      store(p->y + at, whole, part, best[k]);
      if (p->winners) {
        store((trm_real *)(void *)(p->winners + at), whole, part, (trm_vector)winner[k]);
      }
    }
  }
}

TRM_INLINE void backward_rows(const max_rows *p, int64_t begin, int64_t end, int64_t c0, int n,
                              bool tail) {
  const trm_csr *t = p->a;
  const int64_t C = p->C, last = t->offsets[t->n_rows] - 1;
  const trm_part part = trm_part_of(C % TRM_VECTOR_REALS);
  for (int64_t j = begin; j < end; ++j) {
    trm_vector sum[WIDEST];
#pragma GCC unroll 4
    for (int k = 0; k < n; ++k) sum[k] = (trm_vector){0};
    const trm_mask_vector id = (trm_mask_vector){0} + (p->ids ? p->ids[j] : (trm_winner)j);
    const int64_t self = self_of_row(p, j);
    int64_t before = -1;
    for (int64_t e = t->offsets[j] - (self >= 0 ? 1 : 0); e < t->offsets[j + 1]; ++e) {
      const bool edge = e >= t->offsets[j];
      const int64_t i = edge ? t->columns[e] : self;
      const int64_t later = trm_min_i64(e + TRM_EDGES_AHEAD, last);
      if (last >= t->offsets[0]) {
        const int64_t at = t->columns[later] * C + c0;
        trm_ask_for(p->x + at, n);
        trm_ask_for((const trm_real *)(const void *)(p->chosen + at), n);
      }
      if (edge && (i == before || i == self)) continue; /* its gradient has been taken */
      before = i;
#pragma GCC unroll 4
      for (int k = 0; k < n; ++k) {
        const bool whole = !(tail && k == n - 1);
        const int64_t at = i * C + c0 + k * TRM_VECTOR_REALS;
        const trm_vector w = load((const trm_real *)(const void *)(p->chosen + at), whole, part);
        const trm_vector dy = load(p->x + at, whole, part);
        const trm_mask_vector mine = (trm_mask_vector)w == id;
        sum[k] += (trm_vector)(mine & (trm_mask_vector)dy);
      }
    }
#pragma GCC unroll 4
    for (int k = 0; k < n; ++k) {
      trm_real *to = p->y + j * C + c0 + k * TRM_VECTOR_REALS;
      const bool whole = !(tail && k == n - 1);
      store(to, whole, part, p->add ? load(to, whole, part) + sum[k] : sum[k]);
    }
  }
}

/* Calls `rows` for each block of columns, with its width a constant. */
#define FOR_BLOCKS(rows, p, begin, end)                                                            \
  for (int64_t c0 = 0; c0 < (p)->C; c0 += WIDEST * TRM_VECTOR_REALS) {                             \
    const int64_t width = trm_min_i64(WIDEST * TRM_VECTOR_REALS, (p)->C - c0);                     \
    const bool tail = width % TRM_VECTOR_REALS != 0;                                               \
    switch (2 * trm_ceil_div(width, TRM_VECTOR_REALS) + tail) {                                    \
    case 2:                                                                                        \
      rows(p, begin, end, c0, 1, false);                                                           \
      break;                                                                                       \
    case 3:                                                                                        \
      rows(p, begin, end, c0, 1, true);                                                            \
      break;                                                                                       \
    case 4:                                                                                        \
      rows(p, begin, end, c0, 2, false);                                                           \
      break;                                                                                       \
    case 5:                                                                                        \
      rows(p, begin, end, c0, 2, true);                                                            \
      break;                                                                                       \
    case 6:                                                                                        \
      rows(p, begin, end, c0, 3, false);                                                           \
      break;                                                                                       \
    case 7:                                                                                        \
      rows(p, begin, end, c0, 3, true);                                                            \
      break;                                                                                       \
    case 8:                                                                                        \
      rows(p, begin, end, c0, 4, false);                                                           \
      break;                                                                                       \
    default:                                                                                       \
      rows(p, begin, end, c0, 4, true);                                                            \
      break;                                                                                       \
    }                                                                                              \
  }

static void forward_chunk(const max_rows *p, int64_t begin, int64_t end) {
  FOR_BLOCKS(forward_rows, p, begin, end)
}
static void backward_chunk(const max_rows *p, int64_t begin, int64_t end) {
  FOR_BLOCKS(backward_rows, p, begin, end)
}

void trm_neighbor_max(trm_real *y, trm_winner *winners, const trm_real *x, const trm_csr *a,
                      const int32_t *self, int64_t n_self, const int32_t *ids, int64_t C) {
  if (a->n_rows == 0) return;
  const max_rows p = {.y = y,
                      .winners = winners,
                      .x = x,
                      .a = a,
                      .self = self,
                      .ids = ids,
                      .n_self = n_self,
                      .C = C};
  TRM_FOR_CSR_CHUNKS(a->offsets, a->n_rows, C, begin, end, forward_chunk(&p, begin, end));
}

void trm_neighbor_max_backward(trm_real *dx, const trm_real *dy, const trm_winner *winners,
                               const trm_csr *t, const int32_t *self_of, int64_t n_self,
                               const int32_t *ids, int64_t C, bool add) {
  if (t->n_rows == 0) return;
  const max_rows p = {.y = dx,
                      .x = dy,
                      .chosen = winners,
                      .a = t,
                      .self = self_of,
                      .ids = ids,
                      .n_self = n_self,
                      .C = C,
                      .add = add};
  TRM_FOR_CSR_CHUNKS(t->offsets, t->n_rows, 2 * C, begin, end, backward_chunk(&p, begin, end));
}
