/**
 * Attention forward by tiles of 64 queries x 64 keys with a running softmax.
 *
 * A unit of work is one (sequence, head), cut once more into groups of queries. It copies its operands
 * out of their strided rows into scratch: K transposed tile by tile, so that every product reads its
 * second operand along contiguous vectors. Rows are padded to 16 and head columns to 16 with zeros, so
 * no product has a ragged edge. Rows go in blocks of eight and a block on the diagonal stops at its own
 * last key, hence the masked half is skipped inside tiles too.
 */
#include "isa.h"

#include <omp.h>

#include "attention_parts.h"
#include "attention_row.h"
#include "team.h"
#include "trireme/math/threads.h"

/* Of one thread. */
static int64_t forward_size(const heads *s) {
  const int64_t n = 2 * tiles_size(s, s->kv_tiles) + 2 * TILE * s->d_padded + BLOCK * TILE +
                    2 * TILE + BLOCK * TILE;
  return round_up(n, TRM_LANES);
}

int64_t trm_attention_forward_scratch(const trm_attention *attention) {
  if (is_empty(attention)) return 0;
  const heads s = heads_make(attention);
  return trm_threads_get() * forward_size(&s);
}

typedef struct forward_tile {
  trm_real *q;    /* [TILE][d_padded], scaled */
  trm_real *out;  /* [TILE][d_padded], sum of e^(s - max) v so far */
  trm_real *s;    /* [BLOCK][TILE] scores, then their exponentials */
  trm_real *mask; /* [BLOCK][TILE] factors of dropout */
  trm_real *max;  /* [TILE] of the scores so far */
  trm_real *sum;  /* [TILE] of the exponentials so far */
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

/* The tile of queries at i0 against the tile of keys at j0. */
static void forward_pair(const heads *s, const head *x, forward_tile *t, const trm_real *k,
                         const trm_real *v, int64_t i0, int64_t j0) {
  const tile_pair pair = tile_pair_at(s, x, i0, j0);
  const int64_t ld = s->d_padded;
  const bool first = j0 == 0;
  for (int64_t r0 = round_down(pair.lead, BLOCK); r0 < pair.rows; r0 += BLOCK) {
    const int64_t keys = block_keys(&pair, r0), columns = round_up(keys, TRM_LANES);
    trm_small_product(BLOCK, columns, s->d, t->q + r0 * ld, ld, 1, k, TILE, t->s, TILE, false);
    for (int64_t r = r0; r < r0 + BLOCK; ++r) {
      softmax_row(t->s + (r - r0) * TILE, row_keys(&pair, r), columns, first, t->out + r * ld, ld,
                  &t->max[r], &t->sum[r]);
    }
    if (s->drops) {
      block_mask(t->mask, s, x, i0 + r0 - x->shift, j0);
      for (int64_t i = 0; i < BLOCK * TILE; ++i) t->s[i] *= t->mask[i];
    }
    trm_small_product(BLOCK, ld, keys, t->s, TILE, 1, v, ld, t->out + r0 * ld, ld, !first);
  }
}

/* Keys [0, n) and their values, packed. */
static void pack_keys(const heads *s, const head *x, trm_real *k, trm_real *v, int64_t n) {
  const int64_t step = s->a->kv_step;
  if (x->key_rows) { /* brought together first */
    pack_rows(v, x->k, step, x->key_rows, n, s, 1);
    pack_transposed(k, v, s->d_padded, n, s);
    pack_rows(v, x->v, step, x->key_rows, n, s, 1);
  } else {
    pack_transposed(k, x->k, step, n, s);
    pack_rows(v, x->v, step, NULL, n, s, 1);
  }
  pack_zeros(v, n, round_up(n, BLOCK), s);
}

/* Queries at positions [begin, end) of a group; out and lse are those of the sequence's first query. */
static void forward_group(const heads *s, const head *x, trm_real *out, trm_real *lse,
                          int64_t begin, int64_t end, trm_real *scratch) {
  const int64_t ld = s->d_padded, n_keys = s->a->causal ? end : x->n_keys;
  trm_real *k = scratch, *v = k + tiles_size(s, s->kv_tiles);
  forward_tile t = {.q = v + tiles_size(s, s->kv_tiles)};
  t.out = t.q + TILE * ld;
  t.s = t.out + TILE * ld;
  t.max = t.s + BLOCK * TILE;
  t.sum = t.max + TILE;
  t.mask = t.sum + TILE;
  pack_keys(s, x, k, v, n_keys);
  for (int64_t i0 = round_down(begin, TILE); i0 < end; i0 += TILE) {
    const int64_t lead = trm_max_i64(begin - i0, 0), rows = trm_min_i64(TILE, end - i0);
    pack_queries(t.q, x->q, s->a->q_step, i0, lead, rows, s, x, s->scale);
    for (int64_t j0 = 0; j0 < keys_seen(s, x, i0); j0 += TILE) {
      forward_pair(s, x, &t, k + j0 * ld, v + j0 * ld, i0, j0);
    }
    for (int64_t r = lead; r < rows; ++r) {
      const trm_real inverse = 1 / t.sum[r];
      const int64_t query = i0 + r - x->shift;
      trm_real *to = out + query * s->width;
      for (int64_t c = 0; c < s->d; ++c) to[c] = t.out[r * ld + c] * inverse;
      if (lse) lse[query] = t.max[r] + trm_log(t.sum[r]);
    }
  }
}

/* ---- few queries ------------------------------------------------------------------------------ */

/* Queries of a unit up to which nothing is packed (bench_kernels, "last query", with more of them):
 * where each sees other keys, and where all see the same. */
enum { FEW = 2, FEW_ALIKE = 8 };

static bool in_place(const heads *s, int64_t n_queries) {
  return n_queries <= (s->a->causal ? FEW : FEW_ALIKE) && s->d == s->d_padded && !s->drops;
}

/* Of n keys from j0 on: their rows in `base`, k or v. */
static void rows_of_tile(const trm_real **rows, const heads *s, const head *x, const trm_real *base,
                         int64_t j0, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    rows[i] = base + (x->key_rows ? x->key_rows[j0 + i] : j0 + i) * s->a->kv_step;
  }
}

/* Q queries from one position on, at most ROW_QUERIES; one where they are causal. */
static void forward_rows(const heads *s, const head *x, trm_real *out, trm_real *lse,
                         int64_t position, int64_t Q, trm_real *scratch) {
  const int64_t query = position - x->shift;
  const int64_t n_keys = s->a->causal ? position + 1 : x->n_keys;
  trm_real *q = scratch, *scores = q + ROW_QUERIES * s->d_padded, *to = out + query * s->width;
  trm_real max[ROW_QUERIES] = {0}, sum[ROW_QUERIES] = {0};
  const trm_real *rows[TILE];
  pack_rows(q, x->q + query * s->a->q_step, s->a->q_step, NULL, Q, s, s->scale);
  for (int64_t j0 = 0; j0 < n_keys; j0 += TILE) {
    const int64_t n = trm_min_i64(TILE, n_keys - j0);
    rows_of_tile(rows, s, x, x->k, j0, n);
    row_key_tile(Q, scores, q, rows, n, s->d);
    for (int64_t i = 0; i < Q; ++i) {
      softmax_row(scores + i * TILE, n, round_up(n, TRM_LANES), j0 == 0, to + i * s->width, s->d,
                  &max[i], &sum[i]);
    }
    rows_of_tile(rows, s, x, x->v, j0, n);
    row_value_tile(Q, to, s->width, scores, rows, n, s->d, j0 > 0);
  }
  for (int64_t i = 0; i < Q; ++i) {
    const trm_real inverse = 1 / sum[i];
    for (int64_t c = 0; c < s->d; ++c) to[i * s->width + c] *= inverse;
    if (lse) lse[query + i] = max[i] + trm_log(sum[i]);
  }
}

/* The queries that see no key. */
static void forward_blind(const heads *s, const head *x, trm_real *out, trm_real *lse) {
  for (int64_t i = 0; i < blind_queries(x); ++i) {
    for (int64_t c = 0; c < s->d; ++c) out[i * s->width + c] = 0;
    if (lse) lse[i] = 0;
  }
}

static void forward_range(const heads *s, const head *x, trm_real *out, trm_real *lse,
                          int64_t begin, int64_t end, trm_real *scratch) {
  if (begin >= end) return;
  if (!in_place(s, end - begin)) {
    forward_group(s, x, out, lse, begin, end, scratch);
    return;
  }
  const int64_t most = s->a->causal ? 1 : ROW_QUERIES;
  for (int64_t p = begin; p < end; p += most) {
    forward_rows(s, x, out, lse, p, trm_min_i64(most, end - p), scratch);
  }
}

void trm_attention_forward(trm_real *out, trm_real *lse, const trm_attention *attention,
                           trm_real *scratch) {
  if (is_empty(attention)) return;
  const heads s = heads_make(attention);
  const int64_t H = attention->H, R = attention->queries->n_rows;
  const int64_t n_groups = trm_max_i64(trm_ceil_div(s.q_tiles * TILE, GROUP), 1);
  const int64_t n_heads = attention->queries->n * H, n_units = n_heads * n_groups;
  const int64_t size = forward_size(&s), work = trm_max_i64(R, attention->keys->n_rows) * s.width;
/* The last group of queries sees the most keys: the largest pieces of work come first. */
#pragma omp parallel for schedule(dynamic) num_threads(trm_team(n_units, work))
  for (int64_t u = 0; u < n_units; ++u) {
    const int64_t group = n_groups - 1 - u / n_heads, h = u % H;
    const head x = head_at(&s, u % n_heads / H, h);
    trm_real *to = out + x.query0 * s.width + h * s.d,
             *to_lse = lse ? lse + h * R + x.query0 : NULL;
    const int64_t begin = trm_max_i64(group * GROUP, x.first);
    const int64_t end = trm_min_i64((group + 1) * GROUP, x.end);
    if (group == 0) forward_blind(&s, &x, to, to_lse);
    forward_range(&s, &x, to, to_lse, begin, end, scratch + omp_get_thread_num() * size);
  }
}
