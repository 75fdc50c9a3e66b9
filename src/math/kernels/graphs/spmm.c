/**
 * Sparse times dense: for each row of the result the rows of x that its edges name are added up in
 * registers, a block of columns at a time.
 *
 * What limits it is memory: rows of x come from anywhere, so those of edges further on are asked for
 * ahead of time, and the loop over edges does nothing but load, multiply and add. There is one
 * template, of which the compiler makes one function for each width of block.
 * The distance ahead was found with benchmarks/bench_spmm.c.
 */
#include "isa.h"

#include "csr_rows.h"
#include "simd.h"
#include "team.h"

typedef struct spmm {
  trm_real *y;
  const trm_real *x;
  const trm_csr *a;
  const trm_real *row_scale, *column_scale;
  const int32_t *self;
  int64_t n_self, C;
  bool add;
} spmm;

/* v_e c_j. */
TRM_INLINE trm_real weight_of(const spmm *p, int64_t e, int32_t column) {
  trm_real w = 1;
  if (p->a->values) w = (trm_real)p->a->values[p->a->map ? p->a->map[e] : e];
  return p->column_scale ? w * p->column_scale[column] : w;
}

/* What edge e will need. */
TRM_INLINE void ask_for_edge(const spmm *p, const trm_real *x, int64_t e, int vectors,
                             bool weighted) {
  const int32_t j = p->a->columns[e];
  trm_ask_for(x + j * p->C, vectors);
  if (weighted && p->column_scale) __builtin_prefetch(p->column_scale + j, 0, 2);
  if (weighted && p->a->map) __builtin_prefetch(p->a->values + p->a->map[e], 0, 2);
}

/* sum += w times one row of x, from `row` on. */
TRM_INLINE void add_row(trm_vector *sum, const trm_real *row, int n_vectors, bool tail,
                        trm_part part, bool weighted, trm_real w) {
  const trm_vector factor = w - (trm_vector){0};
#pragma GCC unroll 8
  for (int k = 0; k < n_vectors; ++k) {
    const trm_vector v = trm_vector_load(row + k * TRM_VECTOR_REALS);
    sum[k] = weighted ? trm_vector_fma(sum[k], factor, v) : sum[k] + v;
  }
  if (tail) {
    const trm_vector v = trm_part_load(row + n_vectors * TRM_VECTOR_REALS, part);
    trm_vector *to = &sum[n_vectors];
    *to = weighted ? trm_vector_fma(*to, factor, v) : *to + v;
  }
}

TRM_INLINE void write_row(trm_real *to, trm_vector *sum, int n_vectors, bool tail, trm_part part,
                          trm_real scale, bool add) {
  const trm_vector factor = scale - (trm_vector){0};
#pragma GCC unroll 8
  for (int k = 0; k < n_vectors; ++k) {
    trm_real *at = to + k * TRM_VECTOR_REALS;
    trm_vector_store(at,
                     add ? trm_vector_fma(trm_vector_load(at), factor, sum[k]) : factor * sum[k]);
  }
  if (tail) {
    trm_real *at = to + n_vectors * TRM_VECTOR_REALS;
    const trm_vector s = sum[n_vectors];
    trm_part_store(at, part, add ? trm_vector_fma(trm_part_load(at, part), factor, s) : factor * s);
  }
}

/* Columns [c0, ..) of rows [begin, end): n_vectors full vectors and, with `tail`, C % vector more. */
TRM_INLINE void sum_rows(const spmm *p, int64_t begin, int64_t end, int64_t c0, int n_vectors,
                         bool tail, bool weighted) {
  const trm_csr *a = p->a;
  const int64_t C = p->C, last = a->offsets[a->n_rows] - 1;
  const trm_real *x = p->x + c0;
  const trm_part part = trm_part_of(C % TRM_VECTOR_REALS);
  for (int64_t i = begin; i < end; ++i) {
    trm_vector sum[TRM_BLOCK_VECTORS + 1];
#pragma GCC unroll 9
    for (int k = 0; k < n_vectors + tail; ++k) sum[k] = (trm_vector){0};
    if (i < p->n_self) {
      const int32_t s = p->self ? p->self[i] : (int32_t)i;
      if (s >= 0) {
        add_row(sum, x + s * C, n_vectors, tail, part, weighted,
                p->column_scale ? p->column_scale[s] : 1);
      }
    }
    for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; ++e) {
      ask_for_edge(p, x, trm_min_i64(e + TRM_EDGES_AHEAD, last), n_vectors + tail, weighted);
      const int32_t j = a->columns[e];
      add_row(sum, x + j * C, n_vectors, tail, part, weighted, weighted ? weight_of(p, e, j) : 1);
    }
    write_row(p->y + i * C + c0, sum, n_vectors, tail, part, p->row_scale ? p->row_scale[i] : 1,
              p->add);
  }
}

/* One function for each block: SUM_ROWS(number of vectors, tail). */
typedef void rows_function(const spmm *p, int64_t begin, int64_t end, int64_t c0);
#define SUM_ROWS(n, tail)                                                                          \
  static void sum_##n##_##tail(const spmm *p, int64_t begin, int64_t end, int64_t c0) {            \
    sum_rows(p, begin, end, c0, n, tail, false);                                                   \
  }                                                                                                \
  static void weighted_##n##_##tail(const spmm *p, int64_t begin, int64_t end, int64_t c0) {       \
    sum_rows(p, begin, end, c0, n, tail, true);                                                    \
  }
#define BLOCKS(BLOCK)                                                                              \
  BLOCK(0, 1)                                                                                      \
  BLOCK(1, 0)                                                                                      \
  BLOCK(1, 1)                                                                                      \
  BLOCK(2, 0)                                                                                      \
  BLOCK(2, 1)                                                                                      \
  BLOCK(3, 0)                                                                                      \
  BLOCK(3, 1)                                                                                      \
  BLOCK(4, 0)                                                                                      \
  BLOCK(4, 1)                                                                                      \
  BLOCK(5, 0)                                                                                      \
  BLOCK(5, 1)                                                                                      \
  BLOCK(6, 0)                                                                                      \
  BLOCK(6, 1)                                                                                      \
  BLOCK(7, 0)                                                                                      \
  BLOCK(7, 1)                                                                                      \
  BLOCK(8, 0)
BLOCKS(SUM_ROWS)
#define ENTRY(n, tail) [n][tail] = {sum_##n##_##tail, weighted_##n##_##tail},
static rows_function *const functions[TRM_BLOCK_VECTORS + 1][2][2] = {BLOCKS(ENTRY)};

static void sum_chunk(const spmm *p, int64_t begin, int64_t end) {
  const bool weighted = p->a->values || p->column_scale;
  for (int64_t c0 = 0; c0 < p->C; c0 += TRM_BLOCK_REALS) {
    const int64_t width = trm_min_i64(TRM_BLOCK_REALS, p->C - c0);
    functions[width / TRM_VECTOR_REALS][width % TRM_VECTOR_REALS != 0][weighted](p, begin, end, c0);
  }
}

void trm_spmm(trm_real *y, const trm_real *x, const trm_csr *a, const trm_real *row_scale,
              const trm_real *column_scale, const int32_t *self, int64_t n_self, int64_t C,
              bool add) {
  if (a->n_rows == 0) return;
  const spmm p = {y, x, a, row_scale, column_scale, self, n_self, C, add};
  TRM_FOR_CSR_CHUNKS(a->offsets, a->n_rows, C, begin, end, sum_chunk(&p, begin, end));
}
