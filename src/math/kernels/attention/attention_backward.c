/**
 * Attention backward: the scores are computed again, tile by tile, from the kept log-sum-exp. A unit of
 * work is one (sequence, head), packed as in the forward pass.
 */
#include "isa.h"

#include <omp.h>

#include "attention_parts.h"
#include "team.h"
#include "trireme/math/threads.h"

/* Of one thread. */
static int64_t backward_size(const heads *s) {
  const int64_t n = 3 * tiles_size(s, s->q_tiles) + 5 * tiles_size(s, s->kv_tiles) +
                    2 * TILE * TILE + BLOCK * TILE + s->q_tiles * TILE;
  return round_up(n, TRM_LANES);
}

int64_t trm_attention_backward_scratch(const trm_attention *attention) {
  if (is_empty(attention)) return 0;
  const heads s = heads_make(attention);
  return trm_threads_get() * backward_size(&s);
}

/* Rows of queries are counted from `start`, the tile of the first query that sees a key. */
typedef struct backward_head {
  int64_t start;
  trm_real *q, *dout, *dq;               /* [queries][d_padded] by tiles; q is scaled */
  trm_real *k, *dk, *dv;                 /* [keys][d_padded] by tiles */
  trm_real *k_transposed, *v_transposed; /* tiles of [d][TILE] */
  trm_real *p, *ds;                      /* [TILE][TILE] */
  trm_real *mask;                        /* [BLOCK][TILE] factors of dropout */
  trm_real *row_dot;                     /* [queries] dout . out */
} backward_head;

static backward_head backward_head_at(const heads *s, const head *x, trm_real *scratch) {
  const int64_t n_q = tiles_size(s, s->q_tiles), n_kv = tiles_size(s, s->kv_tiles);
  backward_head b = {.start = round_down(x->first, TILE), .q = scratch};
  b.dout = b.q + n_q;
  b.dq = b.dout + n_q;
  b.k = b.dq + n_q;
  b.dk = b.k + n_kv;
  b.dv = b.dk + n_kv;
  b.k_transposed = b.dv + n_kv;
  b.v_transposed = b.k_transposed + n_kv;
  b.p = b.v_transposed + n_kv;
  b.ds = b.p + TILE * TILE;
  b.mask = b.ds + TILE * TILE;
  b.row_dot = b.mask + BLOCK * TILE;
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

/* The same with dropout: p is what the values were multiplied by. */
static void backward_row_dropped(trm_real *p, trm_real *ds, const trm_real *mask, int64_t n_valid,
                                 int64_t n, trm_real lse, trm_real row_dot) {
  for (int64_t c = n_valid; c < n; ++c) p[c] = -(trm_real)INFINITY;
  for (int64_t c = 0; c < n; ++c) {
    const trm_real e = trm_exp(p[c] - lse);
    p[c] = e * mask[c];
    ds[c] = e * (ds[c] * mask[c] - row_dot);
  }
}

/* Probabilities and gradients of scores of a block of rows, and what they give to dq. */
static void backward_block(const heads *s, const head *x, const backward_head *b,
                           const tile_pair *pair, const trm_real *lse, int64_t i0, int64_t j0,
                           int64_t r0) {
  const int64_t ld = s->d_padded, at = (i0 - b->start + r0) * ld;
  const int64_t keys = block_keys(pair, r0), columns = round_up(keys, TRM_LANES);
  trm_real *p = b->p + r0 * TILE, *ds = b->ds + r0 * TILE;
  trm_small_product(BLOCK, columns, s->d, b->q + at, ld, 1, b->k_transposed + j0 * ld, TILE, p,
                    TILE, false);
  trm_small_product(BLOCK, columns, s->d, b->dout + at, ld, 1, b->v_transposed + j0 * ld, TILE, ds,
                    TILE, false);
  if (s->drops) block_mask(b->mask, s, x, i0 + r0 - x->shift, j0);
  /* Rows that do not exist are zero in q and dout, so what stands in p and ds there adds nothing. */
  const int64_t end = trm_min_i64(r0 + BLOCK, pair->rows);
  for (int64_t r = trm_max_i64(r0, pair->lead); r < end; ++r) {
    const trm_real row_lse = lse[i0 + r - x->shift], row_dot = b->row_dot[i0 - b->start + r];
    if (s->drops) {
      backward_row_dropped(b->p + r * TILE, b->ds + r * TILE, b->mask + (r - r0) * TILE,
                           row_keys(pair, r), columns, row_lse, row_dot);
    } else {
      backward_row(b->p + r * TILE, b->ds + r * TILE, row_keys(pair, r), columns, row_lse, row_dot);
    }
  }
  trm_small_product(BLOCK, ld, keys, ds, TILE, 1, b->k + j0 * ld, ld, b->dq + at, ld, j0 > 0);
}

/* Queries of the tile at i0 against keys of the tile at j0; `first` tile of queries for these keys. */
static void backward_pair(const heads *s, const head *x, const backward_head *b,
                          const trm_real *lse, int64_t i0, int64_t j0, bool first) {
  const tile_pair pair = tile_pair_at(s, x, i0, j0);
  const int64_t ld = s->d_padded, lead = round_down(pair.lead, BLOCK);
  for (int64_t r0 = lead; r0 < pair.rows; r0 += BLOCK) {
    backward_block(s, x, b, &pair, lse, i0, j0, r0);
  }
  for (int64_t c0 = 0; c0 < pair.n_keys; c0 += BLOCK) {
    const int64_t r0 = pair.diagonal ? trm_max_i64(c0, lead) : lead;
    const int64_t n = round_up(pair.rows, BLOCK) - r0, at = (i0 - b->start + r0) * ld;
    trm_small_product(BLOCK, ld, n, b->p + r0 * TILE + c0, 1, TILE, b->dout + at, ld,
                      b->dv + (j0 + c0) * ld, ld, !first);
    trm_small_product(BLOCK, ld, n, b->ds + r0 * TILE + c0, 1, TILE, b->q + at, ld,
                      b->dk + (j0 + c0) * ld, ld, !first);
  }
}

static void unpack_rows(trm_real *to, int64_t to_step, const trm_real *from, int64_t rows,
                        const heads *s, trm_real scale, bool add) {
  for (int64_t r = 0; r < rows; ++r) {
    trm_real *row = to + r * to_step;
    const trm_real *x = from + r * s->d_padded;
    if (add) {
      for (int64_t c = 0; c < s->d; ++c) row[c] = trm_fma(row[c], scale, x[c]);
    } else {
      for (int64_t c = 0; c < s->d; ++c) row[c] = scale * x[c];
    }
  }
}

static void clear_rows(trm_real *to, int64_t to_step, int64_t rows, const heads *s) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < s->d; ++c) to[r * to_step + c] = 0;
  }
}

/* Everything of one head of a sequence, from its first query and key on. */
typedef struct backward_rows {
  trm_real *dq, *dk, *dv;
  const trm_real *dout, *out, *lse;
} backward_rows;

static void pack_head(const heads *s, const head *x, const backward_head *b,
                      const backward_rows *rows) {
  const int64_t q_step = s->a->q_step, kv_step = s->a->kv_step, n_keys = x->n_keys;
  const int64_t lead = x->first - b->start, n = x->end - b->start;
  pack_queries(b->q, x->q, q_step, b->start, lead, n, s, x, s->scale);
  pack_queries(b->dout, rows->dout, s->width, b->start, lead, n, s, x, 1);
  pack_rows(b->k, x->k, kv_step, NULL, n_keys, s, 1);
  pack_zeros(b->k, n_keys, round_up(n_keys, BLOCK), s);
  pack_transposed(b->k_transposed, x->k, kv_step, n_keys, s);
  pack_transposed(b->v_transposed, x->v, kv_step, n_keys, s);
  for (int64_t r = lead; r < n; ++r) {
    const int64_t at = (b->start + r - x->shift) * s->width;
    b->row_dot[r] = dot(rows->dout + at, rows->out + at, s->d);
  }
}

static void backward_unit(const heads *s, const head *x, const backward_rows *rows, bool add_q,
                          bool add_kv, trm_real *scratch) {
  const int64_t q_step = s->a->q_step, kv_step = s->a->kv_step, blind = blind_queries(x);
  if (rows->dq && !add_q) clear_rows(rows->dq, q_step, blind, s);
  if (x->first == x->end) { /* nobody sees a key */
    if (rows->dk && !add_kv) {
      clear_rows(rows->dk, kv_step, x->n_keys, s);
      clear_rows(rows->dv, kv_step, x->n_keys, s);
    }
    return;
  }
  const backward_head b = backward_head_at(s, x, scratch);
  pack_head(s, x, &b, rows);
  /* The first tile of queries that sees a tile of keys writes dk and dv; tile 0 of keys, which all see,
   * writes dq; all later ones add, so nothing is cleared. */
  for (int64_t j0 = 0; j0 < x->n_keys; j0 += TILE) {
    const int64_t start = s->a->causal ? trm_max_i64(j0, b.start) : 0;
    for (int64_t i0 = start; i0 < x->end; i0 += TILE) {
      backward_pair(s, x, &b, rows->lse, i0, j0, i0 == start);
    }
  }
  if (rows->dq) {
    unpack_rows(rows->dq + blind * q_step, q_step, b.dq + (x->first - b.start) * s->d_padded,
                x->end - x->first, s, s->scale, add_q);
  }
  if (rows->dk) {
    unpack_rows(rows->dk, kv_step, b.dk, x->n_keys, s, 1, add_kv);
    unpack_rows(rows->dv, kv_step, b.dv, x->n_keys, s, 1, add_kv);
  }
}

void trm_attention_backward(trm_real *dq, trm_real *dk, trm_real *dv, const trm_real *dout,
                            const trm_real *out, const trm_real *lse,
                            const trm_attention *attention, bool add_q, bool add_kv,
                            trm_real *scratch) {
  if (is_empty(attention)) return;
  TRM_ASSERT(!attention->key_rows && !dk == !dv);
  const heads s = heads_make(attention);
  const int64_t n_units = attention->queries->n * attention->H, R = attention->queries->n_rows;
  const int64_t work = trm_max_i64(R, attention->keys->n_rows) * s.width;
  const int64_t q_step = attention->q_step, kv_step = attention->kv_step;
  const int64_t size = backward_size(&s);
#pragma omp parallel for schedule(dynamic) num_threads(trm_team(n_units, work))
  for (int64_t u = 0; u < n_units; ++u) {
    const int64_t h = u % attention->H, column = h * s.d;
    const head x = head_at(&s, u / attention->H, h);
    const int64_t at = x.query0 * s.width + column;
    const backward_rows rows = {.dq = dq ? dq + x.query0 * q_step + column : NULL,
                                .dk = dk ? dk + x.key0 * kv_step + column : NULL,
                                .dv = dv ? dv + x.key0 * kv_step + column : NULL,
                                .dout = dout + at,
                                .out = out + at,
                                .lse = lse + h * R + x.query0};
    backward_unit(&s, &x, &rows, add_q, add_kv, scratch + omp_get_thread_num() * size);
  }
}
