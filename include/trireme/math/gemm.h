/**
 * Matrix products, shared out as tiles among the program's own OpenMP threads; the library beneath
 * is called single-threaded. Tile shapes depend on the operand shapes only, so the thread count
 * never changes a bit of the result.
 */
#ifndef TRIREME_MATH_GEMM_H
#define TRIREME_MATH_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/config.h"
#include "trireme/core/status.h"
#include "trireme/math/real.h"

/** A matrix library: computes one tile on the calling thread. */
typedef struct trm_gemm_backend {
  trm_config_part part; /* its name, a value of math.gemm */
  /** C[M,N] = alpha op(A) op(B) + beta C, row-major, leading dimensions in elements. */
  void (*tile)(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K, trm_real alpha,
               const trm_real *a, int64_t lda, const trm_real *b, int64_t ldb, trm_real beta,
               trm_real *c, int64_t ldc);
  /** Name of the micro-kernel it chose for this processor, e.g. "Cooperlake". */
  const char *(*kernel)(void);
} trm_gemm_backend;

/** Chooses a back end by name, for the whole process: not while products
 *  run. @return TRM_ERR_CONFIG for an unknown name, with those that there are */
trm_status trm_gemm_select(const char *name);
/** The one that was chosen; until then the first of the list. */
const trm_gemm_backend *trm_gemm_selected(void);
/** Adds the key that chooses among the back ends, and a part for each. */
void trm_gemm_parts(trm_config_parts *parts);

/**
 * Value of OPENBLAS_CORETYPE that suits this processor better than what the library has chosen by
 * itself, NULL when its choice is good. A library that is older than the processor may not know it and
 * then takes a kernel of 2004, ten times slower (seen with OpenBLAS 0.3.21 on Xeons of 2024). It reads
 * the variable only when it is loaded: a program has to set it and start itself again.
 */
const char *trm_gemm_better_kernel(void);

/**
 * C[M,N] = alpha op(A)[M,K] op(B)[K,N] + beta C, row-major.
 *
 * @param[in,out] c  [M, N] rows ldc elements apart
 * @param[in]     a  [M, K], transpose_a: [K, M], rows lda elements apart
 * @param[in]     b  [K, N], transpose_b: [N, K], rows ldb elements apart
 *
 * Not collective. Threads share out tiles of C. beta = 0 writes C without reading it (NaN in C
 * does not survive). Any size may be 0; K = 0 scales C.
 * Must not be called inside a parallel region: use trm_gemm_tile there.
 */
void trm_gemm(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K, trm_real alpha,
              const trm_real *a, int64_t lda, const trm_real *b, int64_t ldb, trm_real beta,
              trm_real *c, int64_t ldc);

/** The same on the calling thread alone, for use inside kernels that are parallel themselves. */
void trm_gemm_tile(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                   trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b, int64_t ldb,
                   trm_real beta, trm_real *c, int64_t ldc);

#endif
