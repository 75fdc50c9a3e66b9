/**
 * The "native" back end: the program's own kernels (kernels/product.c), with a buffer for packed
 * operands for each thread that asks for products.
 */
#include "gemm_internal.h"
#include "trireme/core/memory.h"
#include "trireme/math/threads.h"

/* A few MiB, taken at the thread's first product and kept: products are asked for by threads that live
 * as long as the program. */
static _Thread_local trm_real *buffer;
static _Thread_local int64_t buffer_elements;

static trm_real *scratch(void) {
  const int64_t n = trm_product_scratch(trm_threads_get());
  if (n > buffer_elements) {
    TRM_FREE(buffer);
    const trm_status status = TRM_ALLOC(&buffer, n, "packed operands of matrix products");
    TRM_ASSERT(status == TRM_OK);
    buffer_elements = n;
  }
  return buffer;
}

static void native_product(const trm_factors *f, const trm_after *after) {
  trm_factors factors = *f;
  factors.instruction = trm_bf16_instruction();
  trm_product(&factors, after, scratch());
}

static void native_tile(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                        trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b,
                        int64_t ldb, trm_real beta, trm_real *c, int64_t ldc) {
  const trm_factors f = trm_factors_of(transpose_a, transpose_b, M, N, K, a, lda, b, ldb);
  native_product(&f, &(trm_after){.c = c, .ldc = ldc, .alpha = alpha, .beta = beta});
}

static const char *native_kernel(void) {
  if (!trm_math_has_fma()) return "without fused multiply-add";
  if (!trm_gemm_bf16()) return "fused multiply-add";
  return trm_bf16_instruction() ? "bf16 by AVX512_BF16" : "bf16 by plain arithmetic";
}

const trm_gemm_backend trm_gemm_native = {TRM_BACKEND_PART("native"), .product = native_product,
                                          .tile = native_tile, .kernel = native_kernel,
                                          .isa_free = true};
