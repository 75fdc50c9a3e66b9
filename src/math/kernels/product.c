/**
 * The program's own matrix product.
 *
 * B is packed into panels of 48 columns, so that the inner loop reads it along contiguous vectors; A
 * is read where it lies, element by element, which costs the same for A and its transpose. A register
 * tile of 8 rows (AVX-512; 4 otherwise) by three vectors keeps its sums for all of K, so C is touched
 * once, and what follows the product is done as the tile is stored. Panels deeper than
 * TRM_PRODUCT_DEPTH are packed piece by piece, the sums waiting in a buffer: their order stays.
 */
#include "isa.h"

#include <omp.h>

#include "micro.h"
#include "simd.h"
#include "team.h"
#include "trireme/math/product.h"

#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
enum { ROWS = 8 };
#else
enum { ROWS = 4 };
#endif
enum {
  VECTORS = 3, /* of columns in a register tile */
  VECTOR = TRM_VECTOR_REALS,
  PANEL = TRM_PANEL,
  DEPTH = TRM_PRODUCT_DEPTH,
  UNIT_ROWS = 256,          /* rows of a unit of work at most */
  PACKED_MOST = 1024 * 768, /* elements of B that are packed at a time for all threads */
  PACKED_ROWS = 64,         /* of A, when its elements are */
  FAR_APART = 1024,         /* columns of A; from here on they fall into few sets of the caches */
  UNITS_A_THREAD = 4,
  PRODUCTS_PER_WORK = 32, /* multiply-adds that take as long as touching one element */
};
_Static_assert(PANEL % (VECTORS * VECTOR) == 0 && PACKED_MOST >= DEPTH * PANEL &&
                   PACKED_ROWS >= PANEL,
               "sizes fit");

/* ---- packing -------------------------------------------------------------------------------- */

static int64_t panel_width(int64_t N, int64_t j) {
  const int64_t rest = N - j;
  return rest >= PANEL ? PANEL : trm_ceil_div(rest, TRM_LANES) * TRM_LANES;
}

/* Columns j .. of B, rows k0 .. k0 + depth - 1, as [depth][width]; columns past N are 0. */
static void pack_panel(trm_real *restrict to, const trm_real *b, int64_t ldb, bool transpose_b,
                       int64_t j, int64_t N, int64_t k0, int64_t depth) {
  const int64_t width = panel_width(N, j), columns = trm_min_i64(width, N - j);
  if (transpose_b) {
    trm_transpose(to, width, b + j * ldb + k0, ldb, columns, depth);
  } else {
    for (int64_t k = 0; k < depth; ++k) {
      const trm_real *from = b + (k0 + k) * ldb + j;
      trm_real *row = to + k * width;
      if (columns == PANEL) {
        for (int c = 0; c < PANEL; c += TRM_LANES) {
          trm_lanes_store(row + c, trm_lanes_load(from + c));
        }
      } else {
        for (int64_t c = 0; c < columns; ++c) row[c] = from[c];
      }
    }
  }
  for (int64_t k = 0; columns < width && k < depth; ++k) {
    for (int64_t c = columns; c < width; ++c) to[k * width + c] = 0;
  }
}

int64_t trm_packed_elements(int64_t N, int64_t K) {
  const int64_t whole = N / PANEL * PANEL;
  return (whole < N ? whole + panel_width(N, whole) : whole) * K;
}

void trm_product_pack(trm_real *packed, const trm_real *b, int64_t ldb, bool transpose_b, int64_t N,
                      int64_t K) {
  const int64_t n_panels = trm_ceil_div(N, PANEL);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_panels, N *K))
  for (int64_t p = 0; p < n_panels; ++p) {
    pack_panel(packed + p * PANEL * K, b, ldb, transpose_b, p * PANEL, N, 0, K);
  }
}

/* ---- register tiles -------------------------------------------------------------------------- */

TRM_INLINE trm_vector vector_load(const trm_real *p) {
  trm_vector v;
  memcpy(&v, p, sizeof v);
  return v;
}
TRM_INLINE void vector_store(trm_real *p, trm_vector v) {
  memcpy(p, &v, sizeof v);
}
TRM_INLINE trm_vector vector_set(trm_real x) {
  return x - (trm_vector){0};
}

/* a b + c, fused where the processor can. */
TRM_INLINE trm_vector vector_fma(trm_vector a, trm_vector b, trm_vector c) {
#if TRM_REAL_IS_DOUBLE || !defined(__FMA__)
  return a * b + c;
#elif defined(__AVX512F__)
  return (trm_vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#else
  return (trm_vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#endif
}

/* a b + c, fused where the processor can. */
TRM_INLINE trm_real one_fma(trm_real a, trm_real b, trm_real c) {
#if TRM_REAL_IS_DOUBLE || !defined(__FMA__)
  return a * b + c;
#else
  return __builtin_fmaf(a, b, c);
#endif
}

/* Where the sums of a tile come from and go to. */
typedef struct place {
  const trm_after *after;
  const trm_real *sums; /* [.., PANEL] of an earlier piece of K, NULL: 0 */
  trm_real *raw;        /* [.., PANEL] sums are left there as they are; NULL: they are complete */
  trm_real *c;          /* first element of the tile's row and panel */
  const trm_real *bias; /* of the panel's columns, or NULL */
} place;

TRM_INLINE void store_vector(const trm_after *s, const trm_real *bias, trm_real *to, trm_vector p) {
  if (s->alpha != 1) p *= s->alpha;
  if (bias) p += vector_load(bias);
  if (s->beta == 1) {
    p += vector_load(to);
  } else if (s->beta != 0) {
    p = vector_fma(vector_set(s->beta), vector_load(to), p);
  }
  for (int i = 0; i < s->n_merges; ++i) {
    to -= s->merge_step;
    p += vector_load(to);
  }
  vector_store(to, p);
}

/* The same for one element, at the ragged end of rows. */
TRM_INLINE void store_one(const trm_after *s, const trm_real *bias, trm_real *to, trm_real p) {
  if (s->alpha != 1) p *= s->alpha;
  if (bias) p += *bias;
  if (s->beta == 1) {
    p += *to;
  } else if (s->beta != 0) {
    p = one_fma(s->beta, *to, p);
  }
  for (int i = 0; i < s->n_merges; ++i) {
    to -= s->merge_step;
    p += *to;
  }
  *to = p;
}

/* Sums of `rows` rows and `vectors` vectors of columns, over a piece of K. */
TRM_INLINE void register_tile(int rows, int vectors, int64_t depth, const trm_real *a,
                              int64_t a_row, int64_t a_k, const trm_real *b, int64_t width,
                              const place *to, int64_t column) {
  trm_vector sum[ROWS][VECTORS];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      sum[i][v] =
          to->sums ? vector_load(to->sums + i * PANEL + column + v * VECTOR) : vector_set(0);
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    trm_vector row[VECTORS];
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) row[v] = vector_load(b + k * width + v * VECTOR);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const trm_vector x = vector_set(a[i * a_row + k * a_k]);
#pragma GCC unroll 3
      for (int v = 0; v < vectors; ++v) sum[i][v] = vector_fma(x, row[v], sum[i][v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      const int64_t at = column + v * VECTOR;
      if (to->raw) {
        vector_store(to->raw + i * PANEL + at, sum[i][v]);
      } else {
        store_vector(to->after, to->bias ? to->bias + at : NULL, to->c + i * to->after->ldc + at,
                     sum[i][v]);
      }
    }
  }
}

/* All columns of a panel for `rows` rows. */
TRM_INLINE void tile_columns(int rows, int64_t depth, const trm_real *a, int64_t a_row, int64_t a_k,
                             const trm_real *b, int64_t width, const place *to) {
  int64_t at = 0;
  for (; at + VECTORS * VECTOR <= width; at += VECTORS * VECTOR) {
    register_tile(rows, VECTORS, depth, a, a_row, a_k, b + at, width, to, at);
  }
  if (width - at == 2 * VECTOR) {
    register_tile(rows, 2, depth, a, a_row, a_k, b + at, width, to, at);
  } else if (width - at == VECTOR) {
    register_tile(rows, 1, depth, a, a_row, a_k, b + at, width, to, at);
  }
}

typedef void tile_function(int64_t depth, const trm_real *a, int64_t a_row, int64_t a_k,
                           const trm_real *b, int64_t width, const place *to);
#define TILE(rows)                                                                                 \
  static void tile_##rows(int64_t depth, const trm_real *a, int64_t a_row, int64_t a_k,            \
                          const trm_real *b, int64_t width, const place *to) {                     \
    tile_columns(rows, depth, a, a_row, a_k, b, width, to);                                        \
  }
TILE(1)
TILE(2)
TILE(4)
#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
TILE(8)
#else
#define tile_8 tile_4
#endif

/* ---- a unit of work: some rows, one panel ------------------------------------------------------ */

typedef struct unit {
  const trm_factors *f;
  const trm_after *after;
  int64_t row0, rows, j; /* j: the panel's first column */
} unit;

/* Rows of a piece of K against the piece of the panel, in blocks of registers. */
static void unit_piece(const unit *u, int64_t k0, int64_t depth, const trm_real *panel,
                       trm_real *waiting, bool last) {
  const trm_factors *f = u->f;
  const int64_t width = panel_width(f->N, u->j), columns = trm_min_i64(width, f->N - u->j);
  trm_real ragged[8 * PANEL];
  for (int64_t r = 0; r < u->rows;) {
    const int64_t left = u->rows - r;
    const int64_t rows = left >= ROWS ? ROWS : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    tile_function *run = rows == 8 ? tile_8 : rows == 4 ? tile_4 : rows == 2 ? tile_2 : tile_1;
    place to = {.after = u->after,
                .sums = k0 > 0 ? waiting + r * PANEL : NULL,
                .c = u->after->c + (u->row0 + r) * u->after->ldc + u->j,
                .bias = u->after->bias ? u->after->bias + u->j : NULL};
    if (!last) to.raw = waiting + r * PANEL;
    if (last && columns < width) to.raw = ragged;
    run(depth, f->a + (u->row0 + r) * f->a_row + k0 * f->a_k, f->a_row, f->a_k, panel, width, &to);
    for (int64_t i = 0; to.raw == ragged && i < rows; ++i) {
      for (int64_t c = 0; c < columns; ++c) {
        store_one(u->after, to.bias ? to.bias + c : NULL, to.c + i * u->after->ldc + c,
                  ragged[i * PANEL + c]);
      }
    }
    r += rows;
  }
}

/* A panel that is packed whole. */
static void unit_packed(const unit *u, const trm_real *panel) {
  unit_piece(u, 0, u->f->K, panel, NULL, true);
}

/* A deep panel, packed into `buffer` piece by piece. */
static void unit_deep(const unit *u, trm_real *buffer) {
  trm_real waiting[UNIT_ROWS * PANEL];
  const trm_factors *f = u->f;
  for (int64_t k0 = 0; k0 < f->K; k0 += DEPTH) {
    const int64_t depth = trm_min_i64(DEPTH, f->K - k0);
    pack_panel(buffer, f->b, f->ldb, f->transpose_b, u->j, f->N, k0, depth);
    unit_piece(u, k0, depth, buffer, waiting, k0 + depth == f->K);
  }
}

/* Rows i0 .. of A transposed, which lie side by side, as [K][n]. */
static void pack_rows_of_a(trm_real *restrict to, const trm_factors *f, int64_t i0, int64_t n) {
  for (int64_t k = 0; k < f->K; ++k) {
    const trm_real *from = f->a + i0 + k * f->a_k;
    for (int64_t i = 0; i < n; ++i) to[k * n + i] = from[i];
  }
}

/* ---- the product ------------------------------------------------------------------------------- */

int64_t trm_product_scratch(int n_threads) {
  return PACKED_MOST + (int64_t)n_threads * DEPTH * PACKED_ROWS;
}

/* Rows of a unit: enough units for the threads to share out evenly. */
static int64_t unit_rows(int64_t M, int64_t n_panels, int n_threads) {
  const int64_t wanted = n_threads == 1 ? 1 : trm_ceil_div(UNITS_A_THREAD * n_threads, n_panels);
  const int64_t rows = trm_ceil_div(trm_ceil_div(M, wanted), 8) * 8;
  return trm_min_i64(rows, UNIT_ROWS);
}

static unit unit_at(const trm_factors *f, const trm_after *after, int64_t rows, int64_t i,
                    int64_t panel) {
  return (unit){f, after, i * rows, trm_min_i64(rows, f->M - i * rows), panel * PANEL};
}

/* Buffer of the calling thread. */
static trm_real *own_scratch(trm_real *scratch) {
  return scratch + PACKED_MOST + (int64_t)omp_get_thread_num() * DEPTH * PACKED_ROWS;
}

/* Panel p of B: in what the caller has packed, or in scratch, where p0 is the first. */
static const trm_real *panel_at(const trm_factors *f, int64_t p0, int64_t p,
                                const trm_real *scratch) {
  if (!f->packed) return scratch + (p - p0) * PANEL * f->K;
  const int64_t depth = f->packed_depth > 0 ? f->packed_depth : f->K;
  return f->packed + p * PANEL * depth + f->packed_first * panel_width(f->N, p * PANEL);
}

/* PACKED_ROWS rows of A, packed, against all panels [p0, p1). */
static void rows_against_panels(const trm_factors *f, const trm_after *after, int64_t i0,
                                int64_t p0, int64_t p1, const trm_real *scratch, trm_real *buffer) {
  const int64_t n = trm_min_i64(PACKED_ROWS, f->M - i0);
  trm_factors part = *f;
  trm_after to = *after;
  pack_rows_of_a(buffer, f, i0, n);
  part.M = n;
  part.a = buffer;
  part.a_k = n;
  to.c += i0 * to.ldc;
  for (int64_t p = p0; p < p1; ++p) {
    const unit u = {&part, &to, 0, n, p * PANEL};
    unit_packed(&u, panel_at(f, p0, p, scratch));
  }
}

/* Panels [p0, p1), packed or to be packed into scratch first. */
static void product_panels(const trm_factors *f, const trm_after *after, int64_t p0, int64_t p1,
                           int n_threads, trm_real *scratch) {
  const bool pack_a = f->a_row == 1 && f->a_k >= FAR_APART && f->K <= DEPTH;
  const int64_t rows = unit_rows(f->M, p1 - p0, n_threads);
  const int64_t n_rows = trm_ceil_div(f->M, pack_a ? PACKED_ROWS : rows);
  const int64_t n_units = pack_a ? n_rows : (p1 - p0) * n_rows;
#pragma omp parallel num_threads(n_threads)
  {
    if (!f->packed) {
#pragma omp for schedule(static)
      for (int64_t p = p0; p < p1; ++p) {
        pack_panel(scratch + (p - p0) * PANEL * f->K, f->b, f->ldb, f->transpose_b, p * PANEL, f->N,
                   0, f->K);
      }
    }
#pragma omp for schedule(dynamic) nowait
    for (int64_t w = 0; w < n_units; ++w) {
      if (pack_a) {
        rows_against_panels(f, after, w * PACKED_ROWS, p0, p1, scratch, own_scratch(scratch));
      } else {
        const unit u = unit_at(f, after, rows, w % n_rows, p0 + w / n_rows);
        unit_packed(&u, panel_at(f, p0, p0 + w / n_rows, scratch));
      }
    }
  }
}

static void product_deep(const trm_factors *f, const trm_after *after, int n_threads,
                         trm_real *scratch) {
  const int64_t n_panels = trm_ceil_div(f->N, PANEL);
  const int64_t rows = unit_rows(f->M, n_panels, n_threads), n_rows = trm_ceil_div(f->M, rows);
#pragma omp parallel for schedule(dynamic) num_threads(n_threads)
  for (int64_t w = 0; w < n_panels * n_rows; ++w) {
    const unit u = unit_at(f, after, rows, w % n_rows, w / n_rows);
    unit_deep(&u, own_scratch(scratch));
  }
}

void trm_product(const trm_factors *f, const trm_after *after, trm_real *scratch) {
  const int64_t n_panels = trm_ceil_div(f->N, PANEL);
  if (f->M <= 0 || f->N <= 0) return;
  const int n_threads =
      trm_team(n_panels * trm_ceil_div(f->M, ROWS), f->M * f->N * f->K / PRODUCTS_PER_WORK);
  if (f->K > DEPTH && !f->packed) {
    product_deep(f, after, n_threads, scratch);
    return;
  }
  /* One thread packs a panel and uses it while it is in the cache; several, and those that pack A for
   * it, take many at a time. */
  const bool one = n_threads == 1 && !(f->a_row == 1 && f->a_k >= FAR_APART);
  const int64_t most = PACKED_MOST / (trm_max_i64(f->K, 1) * PANEL);
  const int64_t at_a_time = f->packed ? n_panels : one ? 1 : most;
  for (int64_t p = 0; p < n_panels; p += at_a_time) {
    product_panels(f, after, p, trm_min_i64(p + at_a_time, n_panels), n_threads, scratch);
  }
}
