/**
 * The "openblas" back end: one thread per call, several calls at once.
 *
 * The builds of the library differ in what that takes, and since all of them share one file name the
 * one that was linked need not be the one that is loaded. See README.md for what was observed.
 */
#include <cblas.h>
#include <limits.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>

#include "gemm_internal.h"
#include "trireme/core/status.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t serial_build = PTHREAD_MUTEX_INITIALIZER;

/* What cannot fail but by a bug of ours. */
static void must(int error) {
  TRM_ASSERT(error == 0);
}

static void make_single_threaded(void) {
  if (openblas_get_parallel() == OPENBLAS_THREAD) openblas_set_num_threads(1);
}

void trm_gemm_init(void) {
  must(pthread_once(&once, make_single_threaded));
}

static int narrow(int64_t n) {
  TRM_ASSERT(n >= 0 && n <= INT_MAX);
  return (int)n;
}

static void call_library(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                         trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b,
                         int64_t ldb, trm_real beta, trm_real *c, int64_t ldc) {
  const enum CBLAS_TRANSPOSE ta = transpose_a ? CblasTrans : CblasNoTrans;
  const enum CBLAS_TRANSPOSE tb = transpose_b ? CblasTrans : CblasNoTrans;
#if TRM_REAL_IS_DOUBLE
  cblas_dgemm
#else
  cblas_sgemm
#endif
      (CblasRowMajor, ta, tb, narrow(M), narrow(N), narrow(K), alpha, a, narrow(lda), b,
       narrow(ldb), beta, c, narrow(ldc));
}

static void openblas_tile(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                          trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b,
                          int64_t ldb, trm_real beta, trm_real *c, int64_t ldc) {
  trm_gemm_init();
  const bool serial = openblas_get_parallel() == OPENBLAS_SEQUENTIAL;
  /* The OpenMP build takes the calling thread's setting at each call; ours is kept elsewhere. */
  if (openblas_get_parallel() == OPENBLAS_OPENMP && omp_get_max_threads() > 1) {
    omp_set_num_threads(1);
  }
  /* The serial build hands one buffer to two threads now and then. */
  if (serial) must(pthread_mutex_lock(&serial_build));
  call_library(transpose_a, transpose_b, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc);
  if (serial) must(pthread_mutex_unlock(&serial_build));
}

static const char *openblas_kernel(void) {
  static _Thread_local char text[96];
  if (openblas_get_parallel() != OPENBLAS_SEQUENTIAL) return openblas_get_corename();
  (void)snprintf(text, sizeof text, "%.31s (serial build of OpenBLAS: one product at a time)",
                 openblas_get_corename());
  return text;
}

const char *trm_gemm_better_kernel(void) {
#if defined(__x86_64__)
  static const char *const old[] = {"Generic",    "Prescott", "Core2",     "Penryn",
                                    "Dunnington", "Nehalem",  "Northwood", "Katmai"};
  const char *chosen = openblas_get_corename();
  for (size_t i = 0; i < sizeof old / sizeof old[0]; ++i) {
    if (strcasecmp(chosen, old[i]) != 0) continue;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq")) {
      return "SkylakeX";
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
  }
#endif
  return NULL;
}

const trm_gemm_backend trm_gemm_openblas = {TRM_BACKEND_PART("openblas"), .tile = openblas_tile,
                                            .kernel = openblas_kernel};
