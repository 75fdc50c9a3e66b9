/**
 * Rows of features with dropout. Unlike trm_dropout, neighbouring rows are of any nodes: counters are
 * put together one by one. Stored values of sparse features are counted by their place in the row,
 * so that eight of them share a call of the generator.
 */
#include "isa.h"

#include <string.h>

#include "csr_rows.h"
#include "draws.h"
#include "team.h"

enum { CHUNK_ROWS_WORK = 1 << 14 }; /* elements per chunk of dense rows */

/* Counters of a batch of calls. */
typedef struct counters {
  uint32_t c0[BATCH_CALLS], c1[BATCH_CALLS], c2[BATCH_CALLS], c3[BATCH_CALLS];
} counters;

static void set_counter(counters *c, int i, int32_t id, int64_t call) {
  c->c0[i] = (uint32_t)call;
  c->c1[i] = (uint32_t)((uint64_t)call >> 32);
  c->c2[i] = (uint32_t)id;
  c->c3[i] = 0;
}

static void draw_words(uint32_t *words, trm_random_key key, const counters *c, int n) {
  trm_philox_batch(words, key, c->c0, c->c1, c->c2, c->c3, n);
}

typedef struct feature_rows {
  trm_real *y;
  const float *x;
  const int32_t *rows, *ids;
  int64_t F;
  trm_random_key key;
  trm_drop drop;
} feature_rows;

static const float *row_of(const feature_rows *p, int64_t i) {
  return p->x + (p->rows ? p->rows[i] : i) * p->F;
}

static void copy_rows(const feature_rows *p, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const float *from = row_of(p, i);
    trm_real *to = p->y + i * p->F;
    for (int64_t f = 0; f < p->F; ++f) to[f] = (trm_real)from[f];
  }
}

/* Calls of the generator are numbered through the rows; a batch of them may span several. */
static void drop_rows(const feature_rows *p, int64_t begin, int64_t end) {
  const int64_t calls = trm_ceil_div(p->F, PER_CALL), n = (end - begin) * calls;
  const uint32_t threshold = p->drop.threshold;
  const trm_real scale = (trm_real)p->drop.scale;
  counters c;
  for (int64_t first = 0; first < n; first += BATCH_CALLS) {
    const int count = (int)trm_min_i64(BATCH_CALLS, n - first);
    uint32_t words[4 * BATCH_CALLS];
    uint16_t draw[BATCH_CALLS][PER_CALL];
    for (int k = 0; k < count; ++k) {
      const int64_t i = begin + (first + k) / calls;
      set_counter(&c, k, p->ids[i], (first + k) % calls);
    }
    draw_words(words, p->key, &c, count);
    memcpy(draw, words, sizeof draw);
    for (int k = 0; k < count; ++k) {
      const int64_t i = begin + (first + k) / calls, f0 = (first + k) % calls * PER_CALL;
      const int64_t width = trm_min_i64(PER_CALL, p->F - f0);
      const float *from = row_of(p, i) + f0;
      trm_real *to = p->y + i * p->F + f0;
      for (int64_t f = 0; f < width; ++f) {
        to[f] = (trm_real)from[f] * (draw[k][f] < threshold ? 0 : scale);
      }
    }
  }
}

void trm_feature_rows(trm_real *y, const float *x, const int32_t *rows, int64_t n, int64_t F,
                      double p, trm_random_key key, const int32_t *ids) {
  const trm_drop drop = trm_drop_make(p);
  const feature_rows job = {y, x, rows, ids, F, key, drop};
  const int64_t chunk_rows = trm_max_i64(1, CHUNK_ROWS_WORK / trm_max_i64(F, 1));
  const int64_t n_chunks = trm_ceil_div(n, chunk_rows);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_chunks, n *F))
  for (int64_t k = 0; k < n_chunks; ++k) {
    const int64_t begin = k * chunk_rows, end = trm_min_i64(begin + chunk_rows, n);
    if (drop.threshold > 0) {
      drop_rows(&job, begin, end);
    } else {
      copy_rows(&job, begin, end);
    }
  }
}

typedef struct sparse_drop {
  float *values;
  const trm_csr *a;
  const int32_t *ids;
  trm_random_key key;
  trm_drop drop;
} sparse_drop;

/* Up to eight stored values of one row, which one call of the generator serves. */
typedef struct run_of_edges {
  int64_t first;
  int n;
} run_of_edges;

static void drop_runs(const sparse_drop *p, const counters *c, const run_of_edges *runs, int n) {
  const trm_csr *a = p->a;
  const float scale = (float)p->drop.scale;
  const uint32_t threshold = p->drop.threshold;
  uint32_t words[4 * BATCH_CALLS];
  uint16_t draw[BATCH_CALLS][PER_CALL];
  draw_words(words, p->key, c, n);
  memcpy(draw, words, sizeof draw);
  for (int k = 0; k < n; ++k) {
    const int64_t e = runs[k].first;
    float *to = p->values + (e - a->offsets[0]);
    for (int i = 0; i < runs[k].n; ++i) {
      const float v = a->values ? a->values[a->map ? a->map[e + i] : e + i] : 1;
      to[i] = v * (draw[k][i] < threshold ? 0 : scale);
    }
  }
}

static void drop_stored(const sparse_drop *p, int64_t begin, int64_t end) {
  const trm_csr *a = p->a;
  counters c;
  run_of_edges runs[BATCH_CALLS];
  int n = 0;
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; e += PER_CALL) {
      set_counter(&c, n, p->ids[i], (e - a->offsets[i]) / PER_CALL);
      runs[n++] = (run_of_edges){e, (int)trm_min_i64(PER_CALL, a->offsets[i + 1] - e)};
      if (n < BATCH_CALLS) continue;
      drop_runs(p, &c, runs, n);
      n = 0;
    }
  }
  if (n > 0) drop_runs(p, &c, runs, n);
}

void trm_sparse_dropout(float *values, const trm_csr *a, const int32_t *ids, double p,
                        trm_random_key key) {
  if (a->n_rows == 0) return;
  const sparse_drop job = {values, a, ids, key, trm_drop_make(p)};
  enum { EDGE_WORK = 2 }; /* a draw costs about as much as so many elements of a sum */
  TRM_FOR_CSR_CHUNKS(a->offsets, a->n_rows, EDGE_WORK, begin, end, drop_stored(&job, begin, end));
}
