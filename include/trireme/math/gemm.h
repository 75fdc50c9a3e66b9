/**
 * Matrix products by one of several back ends, shared out among the program's own OpenMP threads. The
 * thread count never changes a bit of the result: the program's own kernels (`native`, math/product.h)
 * order each element's sum by K alone; a library is called single-threaded on tiles whose shapes
 * depend on the operand shapes only.
 */
#ifndef TRIREME_MATH_GEMM_H
#define TRIREME_MATH_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/config.h"
#include "trireme/core/status.h"
#include "trireme/math/product.h"
#include "trireme/math/real.h"

/** A way to multiply matrices: whole products, or tiles on the calling thread. */
typedef struct trm_gemm_backend {
  trm_config_part part; /* its name, a value of math.gemm */
  /** A whole product by all threads, and what follows it; NULL: tiles are made of it. */
  void (*product)(const trm_factors *f, const trm_after *after);
  /** C[M,N] = alpha op(A) op(B) + beta C, row-major, leading dimensions in elements. */
  void (*tile)(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K, trm_real alpha,
               const trm_real *a, int64_t lda, const trm_real *b, int64_t ldb, trm_real beta,
               trm_real *c, int64_t ldc);
  /** Name of the micro-kernel it chose for this processor, e.g. "Cooperlake". */
  const char *(*kernel)(void);
  /** Whether its bits depend on the processor no more than those of the kernels (trm_math_bits). */
  bool isa_free;
} trm_gemm_backend;

/** Chooses a back end by name, for the whole process: not while products run. "auto" is `native`
 *  where the processor has fused multiply-adds, else `openblas`.
 *  OpenBLAS is loaded when it is chosen, the first time, with room for as many calls at once as there are
 *  compute threads: set their number before.
 *  @return TRM_ERR_CONFIG for an unknown name, with those that there are, or a library that cannot be
 *  loaded; TRM_ERR_MEMORY */
trm_status trm_gemm_select(const char *name);
/** The one that was chosen; until then that of "auto". */
const trm_gemm_backend *trm_gemm_selected(void);
/** What the operands of products are rounded to; sums are float32. */
typedef enum trm_precision { TRM_FLOAT32, TRM_BF16 } trm_precision;
/** Chooses it, for the whole process: not while products run. Only products that ask for it
 *  (trm_factors.bf16) are in bfloat16: those of the model's layers.
 *  @return TRM_ERR_CONFIG where the chosen back end has no bfloat16 */
trm_status trm_precision_select(trm_precision precision);
/** Whether layers take their products in bfloat16. */
bool trm_gemm_bf16(void);
/** Whether the processor has a dot product of bfloat16 (AVX512_BF16) and TRIREME_BF16 is not
 *  "reference"; otherwise plain arithmetic gives the same bits, slowly. */
bool trm_bf16_instruction(void);

/** Back end and precision of a configuration (math.gemm, train.precision). @return TRM_ERR_CONFIG */
trm_status trm_gemm_configure(const trm_config *config);
/** Adds the keys that choose back end and precision, and a part for each back end. */
void trm_gemm_parts(trm_config_parts *parts);

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

/**
 * The product of f, and what `after` makes of it. Not collective; not inside a parallel region. Any
 * size may be 0; K = 0 is a product of zeros.
 */
void trm_gemm_then(const trm_factors *f, const trm_after *after);

/** trm_gemm on the calling thread alone, for use inside kernels that are parallel themselves. */
void trm_gemm_tile(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                   trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b, int64_t ldb,
                   trm_real beta, trm_real *c, int64_t ldc);

#endif
