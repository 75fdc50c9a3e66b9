/**
 * Causal attention by tiles of 64 queries x 64 keys with a running softmax.
 *
 * A unit of work is one (sequence, head), forward cut once more into groups of queries. It copies
 * its operands out of the strided qkv into scratch: K (and V, backward) transposed tile by tile,
 * so that every product reads its second operand along contiguous vectors. Rows are padded to 16 and
 * head columns to 16 with zeros, so no product has a ragged edge. Rows go in blocks of eight and each
 * block stops at its own diagonal, hence the masked half is skipped inside tiles too.
 */
#include "isa.h"

#include <omp.h>
#include <string.h>

#include "micro.h"
#include "real_math.h"
#include "simd.h"
#include "team.h"
#include "trireme/core/status.h"
#include "trireme/math/threads.h"

enum {
  TILE = 64,
  BLOCK = TRM_MICRO_BLOCK,
  GROUP = 256, /* queries of a forward unit: keys are packed again for each group */
};

typedef struct attention {
  int64_t N, T, C, H;
  int64_t d;        /* head size */
  int64_t d_padded; /* rounded up to 16 */
  int64_t n_tiles;
  trm_real scale; /* 1 / sqrt(d) */
} attention;

static int64_t round_up(int64_t n, int64_t step) {
  return trm_ceil_div(n, step) * step;
}

static attention attention_make(int64_t N, int64_t T, int64_t C, int64_t H) {
  TRM_ASSERT(H > 0 && C % H == 0);
  const int64_t d = C / H;
  return (attention){N,
                     T,
                     C,
                     H,
                     d,
                     round_up(d, TRM_LANES),
                     trm_ceil_div(T, TILE),
                     (trm_real)1 / trm_sqrt((trm_real)d)};
}

/* Elements of one operand in scratch: all tiles of a head. */
static int64_t operand_size(const attention *s) {
  return s->n_tiles * TILE * s->d_padded;
}

static int64_t forward_size(const attention *s) {
  return 2 * operand_size(s) + 2 * TILE * s->d_padded + BLOCK * TILE + 2 * TILE;
}

static int64_t backward_size(const attention *s) {
  return 8 * operand_size(s) + 2 * TILE * TILE + s->n_tiles * TILE;
}

int64_t trm_attention_scratch(int64_t N, int64_t T, int64_t C, int64_t H) {
  if (N <= 0 || T <= 0 || C <= 0) return 0;
  const attention s = attention_make(N, T, C, H);
  return trm_threads_get() * round_up(trm_max_i64(forward_size(&s), backward_size(&s)), TRM_LANES);
}

static trm_real *thread_scratch(const attention *s, trm_real *scratch) {
  const int64_t size = trm_max_i64(forward_size(s), backward_size(s));
  return scratch + omp_get_thread_num() * round_up(size, TRM_LANES);
}

/* rows x d of a strided matrix, times scale, padded with zeros to a multiple of 16 both ways. */
static void pack_rows(trm_real *restrict to, const trm_real *restrict from, int64_t from_step,
                      int64_t rows, const attention *s, trm_real scale) {
  for (int64_t r = 0; r < rows; ++r) {
    trm_real *row = to + r * s->d_padded;
    for (int64_t c = 0; c < s->d; ++c) row[c] = scale * from[r * from_step + c];
    for (int64_t c = s->d; c < s->d_padded; ++c) row[c] = 0;
  }
  for (int64_t i = rows * s->d_padded; i < round_up(rows, TRM_LANES) * s->d_padded; ++i) to[i] = 0;
}

/* Tile by tile: [d][TILE] with the row as column; columns are padded with zeros to 16. */
static void pack_transposed(trm_real *restrict to, const trm_real *restrict from, int64_t from_step,
                            int64_t rows, const attention *s) {
  for (int64_t r0 = 0; r0 < rows; r0 += TILE) {
    const int64_t n = trm_min_i64(TILE, rows - r0);
    trm_real *tile = to + r0 * s->d_padded;
    trm_transpose(tile, TILE, from + r0 * from_step, from_step, n, s->d);
    for (int64_t c = 0; c < s->d; ++c) {
      for (int64_t r = n; r < round_up(n, TRM_LANES); ++r) tile[c * TILE + r] = 0;
    }
  }
}

/* Columns that a block of rows starting at row r of a tile needs. */
static int64_t block_keys(bool diagonal, int64_t r) {
  return diagonal ? r + BLOCK : TILE;
}

/* ---- forward -------------------------------------------------------------------------------- */

typedef struct forward_tile {
  trm_real *q;   /* [TILE][d_padded], scaled */
  trm_real *out; /* [TILE][d_padded], sum of e^(s - max) v so far */
  trm_real *s;   /* [BLOCK][TILE] scores, then their exponentials */
  trm_real *max; /* [TILE] of the scores so far */
  trm_real *sum; /* [TILE] of the exponentials so far */
} forward_tile;

/* One row of scores: its first n_valid of n (a multiple of 16) count. */
static void softmax_row(trm_real *s, int64_t n_valid, int64_t n, bool first, trm_real *out,
                        int64_t d_padded, trm_real *max, trm_real *sum) {
  for (int64_t c = n_valid; c < n; ++c) s[c] = -(trm_real)INFINITY;
  const trm_real here = trm_max_row(s, n);
  const trm_real top = first || here > *max ? here : *max;
  if (!first && top != *max) {
    const trm_real shrink = trm_exp(*max - top);
    for (int64_t c = 0; c < d_padded; ++c) out[c] *= shrink;
    *sum *= shrink;
  }
  for (int64_t c = 0; c < n; ++c) s[c] = trm_exp(s[c] - top);
  const trm_real total = trm_sum_row(s, n);
  *sum = first ? total : *sum + total;
  *max = top;
}

/* A tile of queries against a tile of keys. */
static void forward_key_tile(const attention *s, forward_tile *t, const trm_real *k_transposed,
                             const trm_real *v, int64_t rows, bool first, bool diagonal) {
  const int64_t ld = s->d_padded;
  for (int64_t r0 = 0; r0 < rows; r0 += BLOCK) {
    const int64_t keys = block_keys(diagonal, r0), columns = round_up(keys, TRM_LANES);
    trm_small_product(BLOCK, columns, s->d, t->q + r0 * ld, ld, 1, k_transposed, TILE, t->s, TILE,
                      false);
    for (int64_t r = r0; r < r0 + BLOCK; ++r) {
      softmax_row(t->s + (r - r0) * TILE, diagonal ? r + 1 : TILE, columns, first, t->out + r * ld,
                  ld, &t->max[r], &t->sum[r]);
    }
    trm_small_product(BLOCK, ld, keys, t->s, TILE, 1, v, ld, t->out + r0 * ld, ld, !first);
  }
}

static void forward_unit(const attention *s, trm_real *out, trm_real *lse, const trm_real *qkv,
                         int64_t query0, trm_real *scratch) {
  const int64_t end = trm_min_i64(query0 + GROUP, s->T), ld = s->d_padded;
  trm_real *k = scratch, *v = k + operand_size(s);
  forward_tile t = {.q = v + operand_size(s)};
  t.out = t.q + TILE * ld;
  t.s = t.out + TILE * ld;
  t.max = t.s + BLOCK * TILE;
  t.sum = t.max + TILE;
  pack_transposed(k, qkv + s->C, 3 * s->C, end, s);
  pack_rows(v, qkv + 2 * s->C, 3 * s->C, end, s, 1);
  for (int64_t i0 = query0; i0 < end; i0 += TILE) {
    const int64_t rows = trm_min_i64(TILE, end - i0);
    pack_rows(t.q, qkv + i0 * 3 * s->C, 3 * s->C, rows, s, s->scale);
    for (int64_t j0 = 0; j0 <= i0; j0 += TILE) {
      forward_key_tile(s, &t, k + j0 * ld, v + j0 * ld, rows, j0 == 0, j0 == i0);
    }
    for (int64_t r = 0; r < rows; ++r) {
      const trm_real inverse = 1 / t.sum[r];
      trm_real *to = out + (i0 + r) * s->C;
      for (int64_t c = 0; c < s->d; ++c) to[c] = t.out[r * ld + c] * inverse;
      lse[i0 + r] = t.max[r] + trm_log(t.sum[r]);
    }
  }
}

void trm_attention_forward(trm_real *out, trm_real *lse, const trm_real *qkv, int64_t N, int64_t T,
                           int64_t C, int64_t H, trm_real *scratch) {
  if (N <= 0 || T <= 0 || C <= 0) return;
  const attention s = attention_make(N, T, C, H);
  const int64_t n_groups = trm_ceil_div(T, GROUP);
  const int64_t n_units = N * H * n_groups;
/* The last group of queries sees the most keys: the largest pieces of work come first. */
#pragma omp parallel for schedule(dynamic) num_threads(trm_team(n_units, N *T *C))
  for (int64_t u = 0; u < n_units; ++u) {
    const int64_t group = n_groups - 1 - u / (N * H), n = u % (N * H) / H, h = u % H;
    forward_unit(&s, out + n * T * C + h * s.d, lse + (n * H + h) * T,
                 qkv + n * T * 3 * C + h * s.d, group * GROUP, thread_scratch(&s, scratch));
  }
}

/* ---- backward ------------------------------------------------------------------------------- */

typedef struct backward_head {
  trm_real *q, *k, *dout;                /* [T][d_padded] by tiles; q is scaled */
  trm_real *k_transposed, *v_transposed; /* tiles of [d][TILE] */
  trm_real *dq, *dk, *dv;                /* [T][d_padded] */
  trm_real *p, *ds;                      /* [TILE][TILE] */
  trm_real *row_dot;                     /* [T] dout . out */
} backward_head;

static backward_head backward_head_at(const attention *s, trm_real *scratch) {
  const int64_t n = operand_size(s);
  backward_head b = {.q = scratch};
  b.k = b.q + n;
  b.dout = b.k + n;
  b.k_transposed = b.dout + n;
  b.v_transposed = b.k_transposed + n;
  b.dq = b.v_transposed + n;
  b.dk = b.dq + n;
  b.dv = b.dk + n;
  b.p = b.dv + n;
  b.ds = b.p + TILE * TILE;
  b.row_dot = b.ds + TILE * TILE;
  return b;
}

static trm_real dot(const trm_real *a, const trm_real *b, int64_t n) {
  trm_lanes sum = trm_lanes_set(0);
  for (int64_t i = 0; i + TRM_LANES <= n; i += TRM_LANES) {
    sum = trm_lanes_fma(sum, trm_lanes_load(a + i), trm_lanes_load(b + i));
  }
  const int64_t rest = n % TRM_LANES;
  if (rest > 0) {
    sum = trm_lanes_fma(sum, trm_lanes_keep_last(trm_lanes_load_last(a, n, 0), rest),
                        trm_lanes_load_last(b, n, 0));
  }
  return trm_lanes_sum(sum);
}

/* p = e^(s - lse) and ds = p (dp - row_dot) for one row; the first n_valid of n columns count. */
static void backward_row(trm_real *p, trm_real *ds, int64_t n_valid, int64_t n, trm_real lse,
                         trm_real row_dot) {
  for (int64_t c = n_valid; c < n; ++c) p[c] = -(trm_real)INFINITY;
  for (int64_t c = 0; c < n; ++c) {
    const trm_real e = trm_exp(p[c] - lse);
    p[c] = e;
    ds[c] = e * (ds[c] - row_dot);
  }
}

/* Queries of tile i0 against keys of tile j0. */
static void backward_tile(const attention *s, const backward_head *b, const trm_real *lse,
                          int64_t i0, int64_t j0) {
  const int64_t ld = s->d_padded, rows = trm_min_i64(TILE, s->T - i0);
  const int64_t keys_here = trm_min_i64(TILE, s->T - j0);
  const bool diagonal = i0 == j0;
  for (int64_t r0 = 0; r0 < rows; r0 += BLOCK) {
    const int64_t keys = block_keys(diagonal, r0), columns = round_up(keys, TRM_LANES);
    trm_real *p = b->p + r0 * TILE, *ds = b->ds + r0 * TILE;
    trm_small_product(BLOCK, columns, s->d, b->q + (i0 + r0) * ld, ld, 1, b->k_transposed + j0 * ld,
                      TILE, p, TILE, false);
    trm_small_product(BLOCK, columns, s->d, b->dout + (i0 + r0) * ld, ld, 1,
                      b->v_transposed + j0 * ld, TILE, ds, TILE, false);
    /* Rows past T are zero in q and dout, so what stands in p and ds there adds nothing. */
    for (int64_t r = r0; r < trm_min_i64(r0 + BLOCK, rows); ++r) {
      backward_row(b->p + r * TILE, b->ds + r * TILE, diagonal ? r + 1 : TILE, columns, lse[i0 + r],
                   b->row_dot[i0 + r]);
    }
    trm_small_product(BLOCK, ld, keys, ds, TILE, 1, b->k + j0 * ld, ld, b->dq + (i0 + r0) * ld, ld,
                      j0 > 0);
  }
  for (int64_t c0 = 0; c0 < keys_here; c0 += BLOCK) {
    const int64_t r0 = diagonal ? c0 : 0, n = round_up(rows, BLOCK) - r0;
    trm_small_product(BLOCK, ld, n, b->p + r0 * TILE + c0, 1, TILE, b->dout + (i0 + r0) * ld, ld,
                      b->dv + (j0 + c0) * ld, ld, !diagonal);
    trm_small_product(BLOCK, ld, n, b->ds + r0 * TILE + c0, 1, TILE, b->q + (i0 + r0) * ld, ld,
                      b->dk + (j0 + c0) * ld, ld, !diagonal);
  }
}

static void unpack_rows(trm_real *to, int64_t to_step, const trm_real *from, const attention *s,
                        trm_real scale, bool add) {
  for (int64_t r = 0; r < s->T; ++r) {
    trm_real *row = to + r * to_step;
    const trm_real *x = from + r * s->d_padded;
    if (add) {
      for (int64_t c = 0; c < s->d; ++c) row[c] = trm_fma(row[c], scale, x[c]);
    } else {
      for (int64_t c = 0; c < s->d; ++c) row[c] = scale * x[c];
    }
  }
}

static void backward_unit(const attention *s, trm_real *dqkv, const trm_real *dout,
                          const trm_real *qkv, const trm_real *out, const trm_real *lse, bool add,
                          trm_real *scratch) {
  const int64_t C = s->C, T = s->T;
  const backward_head b = backward_head_at(s, scratch);
  pack_rows(b.q, qkv, 3 * C, T, s, s->scale);
  pack_rows(b.k, qkv + C, 3 * C, T, s, 1);
  pack_rows(b.dout, dout, C, T, s, 1);
  pack_transposed(b.k_transposed, qkv + C, 3 * C, T, s);
  pack_transposed(b.v_transposed, qkv + 2 * C, 3 * C, T, s);
  for (int64_t t = 0; t < T; ++t) b.row_dot[t] = dot(dout + t * C, out + t * C, s->d);
  /* The diagonal tile comes first for each tile of keys and writes dk and dv; tile 0 of keys writes
   * dq; all later ones add, so nothing is cleared. */
  for (int64_t j0 = 0; j0 < T; j0 += TILE) {
    for (int64_t i0 = j0; i0 < T; i0 += TILE) backward_tile(s, &b, lse, i0, j0);
  }
  unpack_rows(dqkv, 3 * C, b.dq, s, s->scale, add);
  unpack_rows(dqkv + C, 3 * C, b.dk, s, 1, add);
  unpack_rows(dqkv + 2 * C, 3 * C, b.dv, s, 1, add);
}

void trm_attention_backward(trm_real *dqkv, const trm_real *dout, const trm_real *qkv,
                            const trm_real *out, const trm_real *lse, int64_t N, int64_t T,
                            int64_t C, int64_t H, bool add, trm_real *scratch) {
  if (N <= 0 || T <= 0 || C <= 0) return;
  const attention s = attention_make(N, T, C, H);
#pragma omp parallel for schedule(dynamic) num_threads(trm_team(N *H, N *T *C))
  for (int64_t u = 0; u < N * H; ++u) {
    const int64_t n = u / H, h = u % H, wide = n * T * 3 * C + h * s.d, slim = n * T * C + h * s.d;
    backward_unit(&s, dqkv + wide, dout + slim, qkv + wide, out + slim, lse + u * T, add,
                  thread_scratch(&s, scratch));
  }
}
