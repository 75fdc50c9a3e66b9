/**
 * The program's own matrix product.
 *
 * B is packed into panels of 48 columns, so that the inner loop reads it along contiguous vectors; A
 * is read where it lies, element by element, which costs the same for A and its transpose. A register
 * tile of 8 rows (AVX-512; 4 otherwise) by three vectors keeps its sums for all of K, so C is touched
 * once, and what follows the product is done as the tile is stored. Panels deeper than
 * TRM_PRODUCT_DEPTH are packed piece by piece, the sums waiting in a buffer: their order stays.
 *
 * In bfloat16 both operands are packed as pairs along K, and a sum grows by two products at a time;
 * nothing else is different. Rows of A that were rounded before are pairs as they lie.
 */
#include "isa.h"

#include <omp.h>

#include "panels.h"
#include "simd.h"
#include "team.h"
#include "trireme/math/product.h"

#if defined(__AVX512F__) && !TRM_REAL_IS_DOUBLE
#define ROWS_ARE_8 1
#else
#define ROWS_ARE_8 0
#endif

enum {
  ROWS = ROWS_ARE_8 ? 8 : 4, /* and */
  VECTORS = 3,               /* of columns in a register tile */
  VECTOR = TRM_VECTOR_REALS,
  PANEL = TRM_PANEL,
  DEPTH = TRM_PRODUCT_DEPTH,
  UNIT_ROWS = 256,          /* rows of a unit of work at most */
  PACKED_MOST = 1024 * 768, /* elements of B that are packed at a time for all threads */
  PACKED_ROWS = 64,         /* of A at a time, when it is packed */
  FAR_APART = 1024,         /* columns of A; from here on they fall into few sets of the caches */
  UNITS_A_THREAD = 4,
  PRODUCTS_PER_WORK = 32, /* multiply-adds that take as long as touching one element */
};
_Static_assert(PANEL % (VECTORS * VECTOR) == 0 && PACKED_MOST >= DEPTH * PANEL, "sizes fit");

int64_t trm_packed_elements(int64_t N, int64_t K, bool bf16) {
  const int64_t whole = N / PANEL * PANEL;
  return (whole < N ? whole + trm_panel_width(N, whole) : whole) * trm_packed_depth(K, bf16);
}

static void pack_b(trm_real *to, const trm_factors *f, int64_t panel, int64_t k0, int64_t depth) {
#if !TRM_REAL_IS_DOUBLE
  if (f->bf16) {
    pack_panel_pairs(to, f, panel * PANEL, k0, depth);
    return;
  }
#endif
  pack_panel(to, f->b, f->ldb, f->transpose_b, panel * PANEL, f->N, k0, depth);
}

void trm_product_pack(trm_real *packed, const trm_real *b, int64_t ldb, bool transpose_b, int64_t N,
                      int64_t K, bool bf16) {
  const trm_factors f = {
      .N = N, .K = K, .b = b, .ldb = ldb, .transpose_b = transpose_b, .bf16 = bf16};
  const int64_t n_panels = trm_ceil_div(N, PANEL), depth = trm_packed_depth(K, bf16);
#pragma omp parallel for schedule(static) num_threads(trm_team(n_panels, N *K))
  for (int64_t p = 0; p < n_panels; ++p) pack_b(packed + p * PANEL * depth, &f, p, 0, K);
}

/* ---- register tiles -------------------------------------------------------------------------- */

/* Where the sums of a tile come from and go to. */
typedef struct place {
  const trm_after *after;
  const trm_real *sums; /* [.., TRM_PANEL] of an earlier piece of K, NULL: 0 */
  trm_real *raw; /* [.., TRM_PANEL] sums are left there as they are; NULL: they are complete */
  trm_real *c;   /* first element of the tile's row and panel */
  const trm_real *bias; /* of the panel's columns, or NULL */
} place;

TRM_INLINE void store_vector(const trm_after *s, const trm_real *bias, trm_real *to, trm_vector p) {
  if (s->alpha != 1) p *= s->alpha;
  if (bias) p += trm_vector_load(bias);
  if (s->beta == 1) {
    p += trm_vector_load(to);
  } else if (s->beta != 0) {
    p = trm_vector_fma(p, trm_vector_set(s->beta), trm_vector_load(to));
  }
  for (int i = 0; i < s->n_merges; ++i) {
    to -= s->merge_step;
    p += trm_vector_load(to);
  }
  trm_vector_store(to, p);
}

/* The same for one element, at the ragged end of rows. */
TRM_INLINE void store_one(const trm_after *s, const trm_real *bias, trm_real *to, trm_real p) {
  if (s->alpha != 1) p *= s->alpha;
  if (bias) p += *bias;
  if (s->beta == 1) {
    p += *to;
  } else if (s->beta != 0) {
    p = trm_fma(p, s->beta, *to);
  }
  for (int i = 0; i < s->n_merges; ++i) {
    to -= s->merge_step;
    p += *to;
  }
  *to = p;
}

/* What a row of a tile will be added to is asked for while its sums are made. */
TRM_INLINE void ask_for_row(const place *to, int64_t row, int vectors, int64_t column) {
  const trm_after *s = to->after;
  const trm_real *at = to->c + row * s->ldc + column;
  for (int i = s->beta != 0 ? 0 : 1; i <= s->n_merges; ++i) {
    for (int v = 0; v < vectors; ++v) __builtin_prefetch(at - i * s->merge_step + v * VECTOR, 1);
  }
}

/* What a sum grows by: one product, or a pair of them by the instruction or by plain arithmetic. */
typedef enum step_kind { NUMBERS, PAIRS, PAIRS_REFERENCE } step_kind;

/* Where A is read: numbers or pairs, 32 bits each (64 in the double build). */
typedef struct operand {
  const trm_real *at;
  int64_t row, k; /* distance of rows, and along K */
} operand;

TRM_INLINE trm_vector grow(step_kind kind, trm_vector sum, const trm_real *a, trm_vector b) {
  if (kind == NUMBERS) return trm_vector_fma(sum, trm_vector_set(*a), b);
#if !TRM_REAL_IS_DOUBLE
  uint32_t pair;
  memcpy(&pair, a, sizeof pair);
  const trm_words all = pair - (trm_words){0};
#if defined(__AVX512F__)
  if (kind == PAIRS) return trm_pair_dot(sum, all, (trm_words)b);
#endif
  return trm_pair_dot_reference(sum, all, (trm_words)b);
#else
  return sum;
#endif
}

/* Sums of `rows` rows and `vectors` vectors of columns, over a piece of K. */
TRM_INLINE void register_tile(step_kind kind, int rows, int vectors, int64_t depth, operand a,
                              const trm_real *b, int64_t width, const place *to, int64_t column) {
  trm_vector sum[ROWS][VECTORS];
  for (int i = 0; !to->raw && i < rows; ++i) ask_for_row(to, i, vectors, column);
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      sum[i][v] = to->sums ? trm_vector_load(to->sums + i * TRM_PANEL + column + v * VECTOR)
                           : trm_vector_set(0);
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    trm_vector row[VECTORS];
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) row[v] = trm_vector_load(b + k * width + v * VECTOR);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const trm_real *x = a.at + i * a.row + k * a.k;
#pragma GCC unroll 3
      for (int v = 0; v < vectors; ++v) sum[i][v] = grow(kind, sum[i][v], x, row[v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      const int64_t at = column + v * VECTOR;
      if (to->raw) {
        trm_vector_store(to->raw + i * TRM_PANEL + at, sum[i][v]);
      } else {
        store_vector(to->after, to->bias ? to->bias + at : NULL, to->c + i * to->after->ldc + at,
                     sum[i][v]);
      }
    }
  }
}

/* All columns of a panel for `rows` rows. */
TRM_INLINE void tile_columns(step_kind kind, int rows, int64_t depth, operand a, const trm_real *b,
                             int64_t width, const place *to) {
  int64_t at = 0;
  for (; at + VECTORS * VECTOR <= width; at += VECTORS * VECTOR) {
    register_tile(kind, rows, VECTORS, depth, a, b + at, width, to, at);
  }
  if (width - at == 2 * VECTOR) {
    register_tile(kind, rows, 2, depth, a, b + at, width, to, at);
  } else if (width - at == VECTOR) {
    register_tile(kind, rows, 1, depth, a, b + at, width, to, at);
  }
}

/* Not by an operand as a whole: it would travel through memory, and reading back in one piece what was
 * written in several waits for all stores before it. */
typedef void tile_function(int64_t depth, const trm_real *a, int64_t row, int64_t k,
                           const trm_real *b, int64_t width, const place *to);
#define TILE(name, kind, rows)                                                                     \
  static void name(int64_t depth, const trm_real *a, int64_t row, int64_t k, const trm_real *b,    \
                   int64_t width, const place *to) {                                               \
    tile_columns(kind, rows, depth, (operand){a, row, k}, b, width, to);                           \
  }
TILE(numbers_1, NUMBERS, 1)
TILE(numbers_2, NUMBERS, 2)
TILE(numbers_4, NUMBERS, 4)
#if ROWS_ARE_8
TILE(numbers_8, NUMBERS, 8)
TILE(pairs_1, PAIRS, 1)
TILE(pairs_2, PAIRS, 2)
TILE(pairs_4, PAIRS, 4)
TILE(pairs_8, PAIRS, 8)
#endif
#if !TRM_REAL_IS_DOUBLE
TILE(reference_1, PAIRS_REFERENCE, 1)
TILE(reference_4, PAIRS_REFERENCE, 4)
#endif

/* Tiles of 1, 2, 4 and 8 rows; where there are none of 8, blocks are of 4. */
static tile_function *const tiles[][4] = {
#if ROWS_ARE_8
    [NUMBERS] = {numbers_1, numbers_2, numbers_4, numbers_8},
    [PAIRS] = {pairs_1, pairs_2, pairs_4, pairs_8},
#else
    [NUMBERS] = {numbers_1, numbers_2, numbers_4, NULL},
#endif
#if !TRM_REAL_IS_DOUBLE
    [PAIRS_REFERENCE] = {reference_1, NULL, reference_4, NULL},
#endif
};

/* The largest tile for so many rows. */
static tile_function *choose_tile(step_kind kind, int64_t left, int64_t *rows) {
  for (int i = 3; i >= 0; --i) {
    *rows = 1 << i;
    if (left >= *rows && tiles[kind][i]) return tiles[kind][i];
  }
  return NULL;
}

/* ---- a unit of work: some rows, some panels ----------------------------------------------------- */

typedef struct product {
  const trm_factors *f;
  const trm_after *after;
  step_kind kind;
  bool pack_a;
  int n_threads;
  trm_real *scratch; /* for panels of B, then for each thread */
} product;

/* Of the calling thread: DEPTH x PACKED_ROWS for A, then DEPTH x PANEL for a deep panel. */
static trm_real *own_scratch(const product *p) {
  return p->scratch + PACKED_MOST + (int64_t)omp_get_thread_num() * DEPTH * (PACKED_ROWS + PANEL);
}

/* Whether rows of A are pairs already: none reaches into the next row, and words begin where they do. */
static bool rows_are_pairs(const trm_factors *f) {
  return f->a_bf16 && f->a_k == 1 && f->a_row % 2 == 0 && f->K % 2 == 0 &&
         (uintptr_t)f->a_bf16 % sizeof(trm_real) == 0;
}

/* A from row i0 and k0 on: where it lies, or packed into `to`. */
static operand take_a(const product *p, trm_real *to, int64_t i0, int64_t n, int64_t k0,
                      int64_t depth) {
  const trm_factors *f = p->f;
  if (!p->pack_a && f->bf16) {
    const void *pairs = f->a_bf16 + i0 * f->a_row + k0;
    return (operand){pairs, f->a_row / 2, 1};
  }
  if (!p->pack_a) return (operand){f->a + i0 * f->a_row + k0 * f->a_k, f->a_row, f->a_k};
#if !TRM_REAL_IS_DOUBLE
  if (f->bf16) {
    pack_rows_pairs(to, f, i0, n, k0, depth);
    if (f->a_k == 1) return (operand){to, trm_packed_depth(depth, true), 1};
    return (operand){to, 1, n};
  }
#endif
  pack_rows(to, f, i0, n, k0, depth);
  return (operand){to, 1, n};
}

/* n rows from row i0 against a panel, for a piece of K, in blocks of registers. `waiting` keeps the
 * sums between pieces; NULL: there is only one. */
static void rows_against_panel(const product *p, operand a, int64_t i0, int64_t n, int64_t panel,
                               const trm_real *b, int64_t depth, trm_real *waiting, bool first,
                               bool last) {
  const int64_t j = panel * PANEL, width = trm_panel_width(p->f->N, j);
  const int64_t columns = trm_min_i64(width, p->f->N - j), ldc = p->after->ldc;
  trm_real ragged[ROWS * PANEL];
  for (int64_t r = 0, rows; r < n; r += rows) {
    tile_function *run = choose_tile(p->kind, n - r, &rows);
    place to = {.after = p->after,
                .sums = first ? NULL : waiting + r * PANEL,
                .raw = last ? NULL : waiting + r * PANEL,
                .c = p->after->c + (i0 + r) * ldc + j,
                .bias = p->after->bias ? p->after->bias + j : NULL};
    if (last && columns < width) to.raw = ragged;
    run(depth, a.at + r * a.row, a.row, a.k, b, width, &to);
    for (int64_t i = 0; to.raw == ragged && i < rows; ++i) {
      for (int64_t c = 0; c < columns; ++c) {
        store_one(p->after, to.bias ? to.bias + c : NULL, to.c + i * ldc + c,
                  ragged[i * PANEL + c]);
      }
    }
  }
}

/* Panel `panel` of B: in what the caller has packed, or in scratch, where `first` is the first one. */
static const trm_real *packed_panel(const product *p, int64_t first, int64_t panel) {
  const trm_factors *f = p->f;
  const int64_t K = f->packed && f->packed_depth > 0 ? f->packed_depth : f->K;
  const int64_t depth = trm_packed_depth(K, f->bf16);
  if (!f->packed) return p->scratch + (panel - first) * PANEL * depth;
  const int64_t before = f->bf16 ? f->packed_first / 2 : f->packed_first;
  return f->packed + panel * PANEL * depth + before * trm_panel_width(f->N, panel * PANEL);
}

/* Rows i0 .. against panels [p0, p1), which are packed. */
static void unit_packed(const product *p, int64_t i0, int64_t n, int64_t first, int64_t p0,
                        int64_t p1) {
  const operand a = take_a(p, own_scratch(p), i0, n, 0, p->f->K);
  const int64_t depth = trm_packed_depth(p->f->K, p->f->bf16);
  for (int64_t panel = p0; panel < p1; ++panel) {
    rows_against_panel(p, a, i0, n, panel, packed_panel(p, first, panel), depth, NULL, true, true);
  }
}

/* Rows i0 .. against a deep panel, packed piece by piece. */
static void unit_deep(const product *p, int64_t i0, int64_t n, int64_t panel) {
  trm_real waiting[UNIT_ROWS * PANEL];
  trm_real *packed_a = own_scratch(p), *packed_b = packed_a + DEPTH * PACKED_ROWS;
  for (int64_t k0 = 0; k0 < p->f->K; k0 += DEPTH) {
    const int64_t depth = trm_min_i64(DEPTH, p->f->K - k0);
    const operand a = take_a(p, packed_a, i0, n, k0, depth);
    pack_b(packed_b, p->f, panel, k0, depth);
    rows_against_panel(p, a, i0, n, panel, packed_b, trm_packed_depth(depth, p->f->bf16), waiting,
                       k0 == 0, k0 + depth == p->f->K);
  }
}

/* ---- the product ------------------------------------------------------------------------------- */

int64_t trm_product_scratch(int n_threads) {
  return PACKED_MOST + (int64_t)n_threads * DEPTH * (PACKED_ROWS + PANEL);
}

/* How rows and panels are cut into units: bits do not depend on it, so it may follow the threads. */
typedef struct cut {
  int64_t rows, n_rows, panels, n_panels; /* of a unit, and units each way */
} cut;

/* Enough units for the threads to share out evenly. Where A is packed, a unit has many panels. */
static cut cut_units(const product *p, int64_t n_panels, int64_t rows_most) {
  const int64_t M = p->f->M;
  const int64_t wanted = p->n_threads == 1 ? 1 : (int64_t)UNITS_A_THREAD * p->n_threads;
  int64_t row_units = p->pack_a ? wanted : trm_ceil_div(wanted, n_panels);
  /* As many units for each thread, if a few more do it. */
  while (!p->pack_a && row_units * n_panels % p->n_threads != 0 &&
         row_units * n_panels < 4 * wanted) {
    ++row_units;
  }
  const int64_t rows = trm_ceil_div(trm_ceil_div(M, row_units), 8) * 8;
  cut c = {.rows = trm_min_i64(rows, rows_most), .panels = 1};
  c.n_rows = trm_ceil_div(M, c.rows);
  if (p->pack_a) c.panels = trm_ceil_div(n_panels, trm_ceil_div(wanted, c.n_rows));
  c.n_panels = trm_ceil_div(n_panels, c.panels);
  return c;
}

/* Panels [p0, p1), packed or to be packed into scratch first. */
static void product_panels(const product *p, int64_t p0, int64_t p1, int64_t rows_most) {
  const cut c = cut_units(p, p1 - p0, rows_most);
#pragma omp parallel num_threads(p->n_threads)
  {
    if (!p->f->packed) {
#pragma omp for schedule(static)
      for (int64_t panel = p0; panel < p1; ++panel) {
        pack_b(p->scratch + (panel - p0) * PANEL * trm_packed_depth(p->f->K, p->f->bf16), p->f,
               panel, 0, p->f->K);
      }
    }
#pragma omp for schedule(dynamic) nowait
    for (int64_t u = 0; u < c.n_panels * c.n_rows; ++u) {
      const int64_t i0 = u % c.n_rows * c.rows, panel = p0 + u / c.n_rows * c.panels;
      unit_packed(p, i0, trm_min_i64(c.rows, p->f->M - i0), p0, panel,
                  trm_min_i64(panel + c.panels, p1));
    }
  }
}

static void product_deep(const product *p, int64_t n_panels) {
  const cut c = cut_units(p, n_panels, p->pack_a ? PACKED_ROWS : UNIT_ROWS);
#pragma omp parallel for schedule(dynamic) num_threads(p->n_threads)
  for (int64_t u = 0; u < n_panels * c.n_rows; ++u) {
    const int64_t i0 = u % c.n_rows * c.rows;
    unit_deep(p, i0, trm_min_i64(c.rows, p->f->M - i0), u / c.n_rows);
  }
}

static step_kind kind_of(const trm_factors *f) {
  TRM_ASSERT(f->bf16 || (!f->a_bf16 && !f->b_bf16));
  if (!f->bf16) return NUMBERS;
  TRM_ASSERT(!TRM_REAL_IS_DOUBLE && f->packed_first % 2 == 0);
#if ROWS_ARE_8
  if (f->instruction) return PAIRS;
#endif
  return PAIRS_REFERENCE;
}

void trm_product(const trm_factors *f, const trm_after *after, trm_real *scratch) {
  if (f->M <= 0 || f->N <= 0) return;
  const int64_t n_panels = trm_ceil_div(f->N, PANEL), K = trm_max_i64(f->K, 1);
  const int64_t depth = trm_packed_depth(K, f->bf16);
  const bool far_apart = f->a_row == 1 && f->a_k >= FAR_APART && K <= DEPTH;
  product p = {.f = f,
               .after = after,
               .kind = kind_of(f),
               .pack_a = f->bf16 ? !rows_are_pairs(f) : far_apart,
               .scratch = scratch};
  p.n_threads =
      trm_team(n_panels * trm_ceil_div(f->M, ROWS), f->M * f->N * f->K / PRODUCTS_PER_WORK);
  /* Rows of A that fit when packed; panels so deep that not even one tile of them does are deep. */
  const int64_t a_rows = trm_min_i64(PACKED_ROWS, (int64_t)DEPTH * PACKED_ROWS / depth / 8 * 8);
  TRM_ASSERT(f->b || f->b_bf16 || f->packed || f->K <= 0);
  if (p.pack_a ? a_rows == 0 || (!f->packed && depth > DEPTH) : !f->packed && depth > DEPTH) {
    TRM_ASSERT(f->b || f->b_bf16);
    product_deep(&p, n_panels);
    return;
  }
  /* One thread packs a panel and uses it while it is in the cache; several, and those that pack A for
   * it, take many at a time. */
  const int64_t at_a_time = f->packed                       ? n_panels
                            : p.n_threads == 1 && !p.pack_a ? 1
                                                            : PACKED_MOST / (depth * PANEL);
  for (int64_t first = 0; first < n_panels; first += at_a_time) {
    product_panels(&p, first, trm_min_i64(first + at_a_time, n_panels),
                   p.pack_a ? a_rows : UNIT_ROWS);
  }
}
