/* Adding float arrays, for several instruction sets.
 *
 * The same operations on the same elements for every vector width, so all give the same bits; the
 * width counts while the data are in the caches (benchmarks/bench_allreduce: 512-bit registers
 * against 128-bit ones, 1.2 to 1.4 times the speed up to 1 MB, the same at 40 MB). Explicit
 * vectors, because compilers vectorise a plain loop only behind a test for overlap, which a sum in
 * place does not pass. */
#include "reducer_internal.h"

/* Sixteen floats of any alignment: one register of AVX-512, two of AVX, four of SSE. */
typedef float vector __attribute__((vector_size(4 * TRM_LINE_FLOATS), aligned(4), may_alias));

#define DEFINE_KERNELS(set, label, attributes)                                                     \
  attributes static void add_##set(float *out, const float *a, const float *b, int64_t n) {        \
    int64_t i = 0;                                                                                 \
    for (; i + TRM_LINE_FLOATS <= n; i += TRM_LINE_FLOATS) {                                       \
      *(vector *)(out + i) = *(const vector *)(a + i) + *(const vector *)(b + i);                  \
    }                                                                                              \
    for (; i < n; ++i) out[i] = a[i] + b[i];                                                       \
  }                                                                                                \
  attributes static void add_both_##set(float *a, float *b, int64_t n) {                           \
    int64_t i = 0;                                                                                 \
    for (; i + TRM_LINE_FLOATS <= n; i += TRM_LINE_FLOATS) {                                       \
      const vector sum = *(const vector *)(a + i) + *(const vector *)(b + i);                      \
      *(vector *)(a + i) = sum;                                                                    \
      *(vector *)(b + i) = sum;                                                                    \
    }                                                                                              \
    for (; i < n; ++i) a[i] = b[i] = a[i] + b[i];                                                  \
  }                                                                                                \
  static const trm_sum_kernels kernels_##set = {label, add_##set, add_both_##set};

DEFINE_KERNELS(any, "default", )

#if defined(__x86_64__)

DEFINE_KERNELS(avx2, "avx2", __attribute__((target("avx2"))))
DEFINE_KERNELS(avx512, "avx512f", __attribute__((target("avx512f"))))

const trm_sum_kernels *trm_sum_kernels_best(void) {
  if (__builtin_cpu_supports("avx512f")) return &kernels_avx512;
  if (__builtin_cpu_supports("avx2")) return &kernels_avx2;
  return &kernels_any;
}

#else

const trm_sum_kernels *trm_sum_kernels_best(void) {
  return &kernels_any;
}

#endif
