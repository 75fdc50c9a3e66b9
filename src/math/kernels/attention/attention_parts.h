/**
 * What the passes of attention share: a sequence of one head as they see it, and packing.
 *
 * Queries have positions on the axis of their keys: a causal query at position P sees keys 0 .. P, the
 * last query stands beside the last key. Tiles of queries and of keys begin at multiples of TILE on
 * that axis, so a query meets the same tiles wherever the computed queries begin.
 */
#ifndef TRIREME_MATH_KERNELS_ATTENTION_PARTS_H
#define TRIREME_MATH_KERNELS_ATTENTION_PARTS_H

#include <string.h>

#include "draws.h"
#include "micro.h"
#include "real_math.h"
#include "simd.h"
#include "trireme/core/integers.h"
#include "trireme/core/status.h"
#include "trireme/math/attention.h"

enum {
  TILE = 64,
  BLOCK = TRM_MICRO_BLOCK,
  GROUP = 256, /* queries of a forward unit: keys are packed again for each group */
};

TRM_INLINE int64_t round_up(int64_t n, int64_t step) {
  return trm_ceil_div(n, step) * step;
}

TRM_INLINE int64_t round_down(int64_t n, int64_t step) {
  return n / step * step;
}

/** What all sequences and heads have alike. */
typedef struct heads {
  const trm_attention *a;
  int64_t width;             /* elements of a row of out: H d */
  int64_t d, d_padded;       /* of a head; rounded up to 16 */
  int64_t q_tiles, kv_tiles; /* of the longest sequence */
  trm_real scale;            /* 1 / sqrt(d) */
  bool drops;
  trm_drop drop;
} heads;

static heads heads_make(const trm_attention *a) {
  TRM_ASSERT(a->H > 0 && a->d > 0 && a->queries->n == a->keys->n);
  heads s = {.a = a, .width = a->H * a->d, .d = a->d, .drops = a->dropout > 0};
  s.d_padded = round_up(a->d, TRM_LANES);
  s.kv_tiles = trm_ceil_div(a->keys->longest, TILE);
  s.q_tiles = a->causal ? s.kv_tiles : trm_ceil_div(a->queries->longest, TILE);
  s.scale = (trm_real)1 / trm_sqrt((trm_real)a->d);
  s.drop = trm_drop_make(a->dropout);
  TRM_ASSERT(!s.drops ||
             (a->H <= TRM_ATTENTION_MAX_HEADS && a->keys->longest <= TRM_ATTENTION_MAX_KEYS));
  return s;
}

/** Nothing to read or write. */
TRM_INLINE bool is_empty(const trm_attention *a) {
  return a->queries->n <= 0 || (a->queries->longest <= 0 && a->keys->longest <= 0);
}

/** Elements of scratch that tiles of a head take. */
TRM_INLINE int64_t tiles_size(const heads *s, int64_t n_tiles) {
  return n_tiles * TILE * s->d_padded;
}

/** One sequence of one head. */
typedef struct head {
  const trm_real *q, *k, *v; /* of its first query and key, from this head's column on */
  const int32_t *key_rows;   /* of its keys, counted from k and v; NULL: one after another */
  int64_t query0, key0;      /* rows before it */
  int64_t n_queries, n_keys;
  int64_t shift;      /* query i stands at position i + shift */
  int64_t first, end; /* positions of the queries that see keys: [first, end) */
  uint64_t sample;    /* of the random numbers, */
  uint32_t number;    /* and the head */
} head;

static head head_at(const heads *s, int64_t sequence, int64_t h) {
  const trm_attention *a = s->a;
  head x = {.query0 = trm_sequence_first(a->queries, sequence),
            .key0 = trm_sequence_first(a->keys, sequence),
            .n_queries = trm_sequence_rows(a->queries, sequence),
            .n_keys = trm_sequence_rows(a->keys, sequence),
            .sample = (uint64_t)(a->sample0 + sequence),
            .number = (uint32_t)h};
  const int64_t row0 = a->key_rows ? 0 : x.key0;
  x.key_rows = a->key_rows ? a->key_rows + x.key0 : NULL;
  x.q = a->q + x.query0 * a->q_step + h * s->d;
  x.k = a->k + row0 * a->kv_step + h * s->d;
  x.v = a->v + row0 * a->kv_step + h * s->d;
  x.shift = a->causal ? x.n_keys - x.n_queries : 0;
  x.first = x.shift > 0 ? x.shift : 0;
  x.end = x.n_keys > 0 ? x.n_queries + x.shift : x.first;
  return x;
}

/** Its queries that see no key: the first ones. */
TRM_INLINE int64_t blind_queries(const head *x) {
  return x->n_queries - (x->end - x->first);
}

/** Keys that some query of the tile at position i0 sees. */
TRM_INLINE int64_t keys_seen(const heads *s, const head *x, int64_t i0) {
  return s->a->causal ? trm_min_i64(i0 + TILE, x->end) : x->n_keys;
}

/** A tile of queries against a tile of keys. */
typedef struct tile_pair {
  int64_t lead, rows; /* queries [lead, rows) of the tile exist */
  int64_t n_keys;     /* of the tile; past the diagonal's end there are zeros */
  bool diagonal;      /* row r sees keys 0 .. r of the tile; else all */
} tile_pair;

TRM_INLINE tile_pair tile_pair_at(const heads *s, const head *x, int64_t i0, int64_t j0) {
  return (tile_pair){.lead = trm_max_i64(x->first - i0, 0),
                     .rows = trm_min_i64(TILE, x->end - i0),
                     .n_keys = trm_min_i64(TILE, x->n_keys - j0),
                     .diagonal = s->a->causal && i0 == j0};
}

/** Keys that a block of rows starting at row r of a tile needs. */
TRM_INLINE int64_t block_keys(const tile_pair *t, int64_t r) {
  return t->diagonal ? r + BLOCK : t->n_keys;
}
/** Keys that row r of a tile sees. */
TRM_INLINE int64_t row_keys(const tile_pair *t, int64_t r) {
  return t->diagonal ? r + 1 : t->n_keys;
}

/* ---- packing --------------------------------------------------------------------------------- */

/** Rows [begin, end) of a packed matrix are 0. */
TRM_INLINE void pack_zeros(trm_real *to, int64_t begin, int64_t end, const heads *s) {
  for (int64_t i = begin * s->d_padded; i < end * s->d_padded; ++i) to[i] = 0;
}

/** rows x d of a strided matrix, times scale, columns padded with zeros to a multiple of 16. `table`
 *  (NULL: none) says which rows. */
TRM_INLINE void pack_rows(trm_real *restrict to, const trm_real *restrict from, int64_t from_step,
                          const int32_t *table, int64_t rows, const heads *s, trm_real scale) {
  for (int64_t r = 0; r < rows; ++r) {
    const trm_real *x = from + (table ? table[r] : r) * from_step;
    trm_real *row = to + r * s->d_padded;
    for (int64_t c = 0; c < s->d; ++c) row[c] = scale * x[c];
    for (int64_t c = s->d; c < s->d_padded; ++c) row[c] = 0;
  }
}

/** Tile by tile: [d][TILE] with the row as column; columns are padded with zeros to 16. */
TRM_INLINE void pack_transposed(trm_real *restrict to, const trm_real *restrict from,
                                int64_t from_step, int64_t rows, const heads *s) {
  for (int64_t r0 = 0; r0 < rows; r0 += TILE) {
    const int64_t n = trm_min_i64(TILE, rows - r0);
    trm_real *tile = to + r0 * s->d_padded;
    trm_transpose(tile, TILE, from + r0 * from_step, from_step, n, s->d);
    for (int64_t c = 0; c < s->d; ++c) {
      for (int64_t r = n; r < round_up(n, TRM_LANES); ++r) tile[c * TILE + r] = 0;
    }
  }
}

/** Queries (or what lies like them) at positions [lead, rows) after i0: row r of `to` is position
 *  i0 + r, the other rows of their blocks are zeros. `from` is the sequence's first row. */
TRM_INLINE void pack_queries(trm_real *restrict to, const trm_real *restrict from,
                             int64_t from_step, int64_t i0, int64_t lead, int64_t rows,
                             const heads *s, const head *x, trm_real scale) {
  pack_zeros(to, round_down(lead, BLOCK), lead, s);
  pack_rows(to + lead * s->d_padded, from + (i0 + lead - x->shift) * from_step, from_step, NULL,
            rows - lead, s, scale);
  pack_zeros(to, rows, round_up(rows, BLOCK), s);
}

/* ---- dropout --------------------------------------------------------------------------------- */

/** Factors of a block of rows whose first query is number `query` and of the keys from j0 on. */
TRM_INLINE void block_mask(trm_real *restrict mask, const heads *s, const head *x, int64_t query,
                           int64_t j0) {
  enum { CALLS = TILE / PER_CALL };
  uint32_t words[4 * BLOCK * CALLS], c0[BLOCK * CALLS], c1[BLOCK * CALLS];
  uint32_t c2[BLOCK * CALLS], c3[BLOCK * CALLS];
  uint16_t draw[BLOCK * TILE];
  for (int i = 0; i < BLOCK * CALLS; ++i) {
    c0[i] = (x->number << 22) + (uint32_t)(j0 / PER_CALL + i % CALLS);
    c1[i] = (uint32_t)(query + i / CALLS);
    c2[i] = (uint32_t)x->sample;
    c3[i] = (uint32_t)(x->sample >> 32);
  }
  trm_philox_batch(words, s->a->key, c0, c1, c2, c3, BLOCK * CALLS);
  memcpy(draw, words, sizeof draw);
  for (int i = 0; i < BLOCK * TILE; ++i) mask[i] = draw[i] < s->drop.threshold ? 0 : s->drop.scale;
}

#endif
