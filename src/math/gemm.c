#include "trireme/math/gemm.h"

#include <stdatomic.h>
#include <string.h>

#include "gemm_internal.h"
#include "team.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"

static const trm_gemm_backend *const backends[] = {
#define TRM_BACKEND(name) &trm_gemm_##name,
#include "backend_list.h"
#undef TRM_BACKEND
};
enum {
  N_BACKENDS = sizeof backends / sizeof backends[0],
  PRODUCTS_PER_WORK = 32, /* multiply-adds that take as long as touching one element */
};

static const trm_config_key keys[] = {
    TRM_KEY_SELECTOR("math.gemm", "auto", TRM_ON_RESULT,
                     "Matrix products: our own kernels, a library, or plain loops. auto: native "
                     "where the processor has fused multiply-adds, else openblas."),
    TRM_KEY_CHOICE("train.precision", "float32", "float32|bf16", TRM_ON_RESULT,
                   "Operands of the layers' matrix products, kept so where they alone are read; all "
                   "else is float32. bf16 is for processors with AVX512_BF16."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);
static const trm_config_part part = {.rows = {&rows}};
static const trm_config_part automatic = {TRM_BACKEND_NAME("auto")};

static _Atomic(const trm_gemm_backend *) selected;
static _Atomic(trm_precision) precision;

static const trm_gemm_backend *best_backend(void) {
  return trm_math_has_fma() ? &trm_gemm_native : &trm_gemm_openblas;
}

void trm_gemm_parts(trm_config_parts *parts) {
  trm_config_parts_add(parts, &part);
  trm_config_parts_add(parts, &automatic);
  for (int i = 0; i < N_BACKENDS; ++i) trm_config_parts_add(parts, &backends[i]->part);
}

static trm_status take(const trm_gemm_backend *backend) {
  if (backend == &trm_gemm_openblas) TRM_TRY(trm_openblas_load());
  atomic_store(&selected, backend);
  return TRM_OK;
}

trm_status trm_gemm_select(const char *name) {
  if (strcmp(name, automatic.name) == 0) return take(best_backend());
  for (int i = 0; i < N_BACKENDS; ++i) {
    if (strcmp(name, backends[i]->part.name) == 0) return take(backends[i]);
  }
  return trm_fail(TRM_ERR_CONFIG, "there is no matrix back end '%s'; there are: auto"
#define TRM_BACKEND(backend) " " #backend
#include "backend_list.h"
#undef TRM_BACKEND
                  ,
                  name);
}

const trm_gemm_backend *trm_gemm_selected(void) {
  const trm_gemm_backend *backend = atomic_load(&selected);
  return backend ? backend : best_backend();
}

trm_status trm_precision_select(trm_precision wanted) {
  const trm_gemm_backend *backend = trm_gemm_selected();
  if (wanted == TRM_BF16 && !backend->product) {
    return trm_fail(TRM_ERR_CONFIG,
                    "train.precision is bf16, which the matrix back end %s does not have; set "
                    "math.gemm to native, or train.precision to float32",
                    backend->part.name);
  }
  atomic_store(&precision, wanted);
  return TRM_OK;
}

bool trm_gemm_bf16(void) {
  return atomic_load(&precision) == TRM_BF16;
}

trm_status trm_gemm_configure(const trm_config *config) {
  TRM_TRY(trm_gemm_select(trm_config_string(config, "math.gemm")));
  return trm_precision_select(trm_config_is(config, "train.precision", "bf16") ? TRM_BF16
                                                                               : TRM_FLOAT32);
}

/* ---- tiles ---------------------------------------------------------------------------------- */

typedef struct tiling {
  int64_t rows, columns;
} tiling;

/**
 * What cutting costs: the library packs its operands for each call, so a cut into row tiles packs B
 * again for each, a cut into column tiles packs A. The share of time lost is near
 * row (1/rows - 1/M) + column (1/columns - 1/N), in units of one row; fitted to bench_gemm with the
 * Haswell kernels (with AVX-512 kernels, twice as fast, the share is nearly twice as large).
 */
typedef struct cut_cost {
  double row, column;
} cut_cost;

static cut_cost cost_of_cuts(bool transpose_a, bool transpose_b) {
  if (transpose_a) return (cut_cost){7, 6};
  return transpose_b ? (cut_cost){8, 4.5} : (cut_cost){3.5, 5};
}

enum {
  TILE_STEP = 16, /* tile sizes are multiples of the library's register tile */
  MANY_TILES = 8,
  MAX_TILES = 32,
};
static const double cut_loss_max = 0.03, cut_loss_max_many = 0.015;

static int64_t tile_size(int64_t n, int64_t n_cuts) {
  return trm_ceil_div(trm_ceil_div(n, n_cuts), TILE_STEP) * TILE_STEP;
}

/**
 * The most tiles of nearly equal size that lose at most 3 % of one thread's speed, or 1.5 % past
 * eight tiles; powers of two, so that 2, 4 and 8 threads get equal shares. A function of the shapes
 * alone: a thread count in here would change bits.
 */
static tiling choose_tiles(bool transpose_a, bool transpose_b, int64_t M, int64_t N) {
  const cut_cost cost = cost_of_cuts(transpose_a, transpose_b);
  tiling best = {M, N};
  int64_t most = 1;
  double least = 0;
  for (int64_t p = 1; p <= MAX_TILES; p *= 2) {
    for (int64_t q = 1; p * q <= MAX_TILES; q *= 2) {
      const tiling t = {p == 1 ? M : tile_size(M, p), q == 1 ? N : tile_size(N, q)};
      const double loss = cost.row * (1.0 / (double)t.rows - 1.0 / (double)M) +
                          cost.column * (1.0 / (double)t.columns - 1.0 / (double)N);
      if (loss > (p * q > MANY_TILES ? cut_loss_max_many : cut_loss_max)) continue;
      if (p * q < most || (p * q == most && loss >= least)) continue;
      most = p * q;
      least = loss;
      best = t;
    }
  }
  return best;
}

/* ---- products ------------------------------------------------------------------------------- */

static void scale_matrix(int64_t M, int64_t N, trm_real beta, trm_real *c, int64_t ldc) {
  for (int64_t i = 0; i < M; ++i) {
    for (int64_t j = 0; j < N; ++j) c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
  }
}

void trm_gemm_tile(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                   trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b, int64_t ldb,
                   trm_real beta, trm_real *c, int64_t ldc) {
  if (M <= 0 || N <= 0) return;
  if (K <= 0) {
    scale_matrix(M, N, beta, c, ldc);
    return;
  }
  trm_gemm_selected()->tile(transpose_a, transpose_b, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc);
}

/* The product of f into c, by tiles of a library. */
static void product_by_tiles(const trm_factors *f, const trm_after *after) {
  const bool transpose_a = f->a_k != 1;
  /* Of a single row or column the step between them says nothing, but libraries check it. */
  const int64_t lda = transpose_a ? trm_max_i64(f->a_k, f->M) : trm_max_i64(f->a_row, f->K);
  const tiling t = choose_tiles(transpose_a, f->transpose_b, f->M, f->N);
  const int64_t n_rows = trm_ceil_div(f->M, t.rows), n_columns = trm_ceil_div(f->N, t.columns);
  const int64_t n_tiles = n_rows * n_columns;
  TRM_ASSERT(f->K <= 0 || (f->b && (f->a_k == 1 || f->a_row == 1)));
#pragma omp parallel for schedule(dynamic)                                                         \
    num_threads(trm_team(n_tiles, f->M * f->N * f->K / PRODUCTS_PER_WORK))
  for (int64_t u = 0; u < n_tiles; ++u) {
    const int64_t i = u / n_columns * t.rows, j = u % n_columns * t.columns;
    trm_gemm_tile(transpose_a, f->transpose_b, trm_min_i64(t.rows, f->M - i),
                  trm_min_i64(t.columns, f->N - j), f->K, after->alpha,
                  f->a + (transpose_a ? i : i * lda), lda, f->b + (f->transpose_b ? j * f->ldb : j),
                  f->ldb, after->beta, after->c + i * after->ldc + j, after->ldc);
  }
}

/* What follows a product, in passes of its own. */
static void follow_up(const trm_factors *f, const trm_after *after) {
  const bool dense = after->ldc == f->N;
  const int64_t n_rows = dense ? 1 : f->M, n = dense ? f->M * f->N : f->N;
  for (int64_t i = 0; after->bias && i < f->M; i += dense ? f->M : 1) {
    trm_real *row = after->c + i * after->ldc;
    trm_bias_forward(row, row, after->bias, dense ? f->M : 1, f->N);
  }
  for (int64_t i = 0; i < n_rows; ++i) {
    trm_real *top = after->c + i * after->ldc;
    for (int k = 0; k < after->n_merges; ++k, top -= after->merge_step) {
      trm_real *lower = top - after->merge_step;
      trm_add(lower, lower, top, n);
    }
  }
}

void trm_gemm_then(const trm_factors *f, const trm_after *after) {
  const trm_gemm_backend *backend = trm_gemm_selected();
  if (f->M <= 0 || f->N <= 0) return;
  if (backend->product) {
    backend->product(f, after);
    return;
  }
  TRM_ASSERT(!f->bf16);
  product_by_tiles(f, after);
  follow_up(f, after);
}

void trm_gemm(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K, trm_real alpha,
              const trm_real *a, int64_t lda, const trm_real *b, int64_t ldb, trm_real beta,
              trm_real *c, int64_t ldc) {
  const trm_factors f = trm_factors_of(transpose_a, transpose_b, M, N, K, a, lda, b, ldb);
  trm_gemm_then(&f, &(trm_after){.c = c, .ldc = ldc, .alpha = alpha, .beta = beta});
}
