/**
 * The "openblas" back end: one thread per call, several calls at once.
 *
 * The library is loaded when it is first chosen, and not before: as it is loaded it starts a thread for
 * each processor and reserves memory for each, unless the environment tells it to be content with one.
 *
 * The builds of the library differ in what several calls at once take. See README.md for what was
 * observed.
 */
#include <cblas.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "gemm_internal.h"
#include "trireme/core/limits.h"
#include "trireme/core/status.h"
#include "trireme/math/threads.h"

/* Memory that it takes for each call under way, in one piece; without it the library tries for ever. */
enum { BUFFER_BYTES = 130 << 20 };

typedef struct library {
  void *handle; /* NULL: not loaded */
#if TRM_REAL_IS_DOUBLE
  __typeof__(&cblas_dgemm) gemm;
#else
  __typeof__(&cblas_sgemm) gemm;
#endif
  __typeof__(&openblas_get_parallel) parallel;
  __typeof__(&openblas_set_num_threads) set_num_threads;
  __typeof__(&openblas_get_corename) corename;
} library;

static library blas;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t serial_build = PTHREAD_MUTEX_INITIALIZER;

/* What cannot fail but by a bug of ours. */
static void must(int error) {
  TRM_ASSERT(error == 0);
}

/* ---- loading ----------------------------------------------------------------------------------- */

/* A function's address is no pointer to data in C; POSIX has them alike. */
static bool find(void *handle, const char *name, void *function, size_t size) {
  void *const symbol = dlsym(handle, name);
  TRM_ASSERT(size == sizeof symbol);
  memcpy(function, &symbol, size);
  return symbol != NULL;
}

static trm_status open_file(const char *path, library *l) {
  *l = (library){.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
  const char *reason = l->handle ? NULL : dlerror();
  if (l->handle &&
      find(l->handle, TRM_REAL_IS_DOUBLE ? "cblas_dgemm" : "cblas_sgemm", &l->gemm,
           sizeof l->gemm) &&
      find(l->handle, "openblas_get_parallel", &l->parallel, sizeof l->parallel) &&
      find(l->handle, "openblas_set_num_threads", &l->set_num_threads, sizeof l->set_num_threads) &&
      find(l->handle, "openblas_get_corename", &l->corename, sizeof l->corename)) {
    return TRM_OK;
  }
  if (l->handle) (void)dlclose(l->handle);
  l->handle = NULL;
  return trm_fail(TRM_ERR_CONFIG,
                  "math.gemm is openblas, which cannot be loaded: %s; install it, name it by "
                  "TRIREME_OPENBLAS, or set math.gemm to native",
                  reason ? reason : path);
}

/* The library that TRIREME_OPENBLAS names, the one this program was built with, any. */
static trm_status open_any(library *l) {
  const char *named = getenv("TRIREME_OPENBLAS");
  if (named && *named) return open_file(named, l);
  if (open_file(TRM_OPENBLAS_FILE, l) == TRM_OK) return TRM_OK;
  return open_file("libopenblas.so.0", l);
}

/* The kernel that suits this processor better than the one that the library has chosen by itself; NULL
 * when its choice is good. A library that is older than the processor may not know it and then takes a
 * kernel of 2004, ten times slower (seen with OpenBLAS 0.3.21 on Xeons of 2024). */
static const char *better_kernel(const char *chosen) {
#if defined(__x86_64__)
  static const char *const old[] = {"Generic",    "Prescott", "Core2",     "Penryn",
                                    "Dunnington", "Nehalem",  "Northwood", "Katmai"};
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
  (void)chosen;
  return NULL;
}

/* Loads it once more with a better kernel, which it reads from the environment as it is loaded. Where
 * that fails it goes on as it was. */
static trm_status take_better_kernel(library *l) {
  const char *variable = "OPENBLAS_CORETYPE";
  const char *kernel = getenv(variable) ? NULL : better_kernel(l->corename());
  if (!kernel || setenv(variable, kernel, 1) != 0) return TRM_OK;
  (void)dlclose(l->handle);
  const trm_status status = open_any(l);
  (void)unsetenv(variable);
  return status;
}

/* Room for a call on each thread: address space is asked for and given back. */
static trm_status check_room(void) {
  const size_t bytes = (size_t)trm_threads_get() * BUFFER_BYTES;
  char limit[TRM_LIMIT_BYTES];
  void *room =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room != MAP_FAILED) {
    must(munmap(room, bytes));
    return TRM_OK;
  }
  trm_limit_of_memory((int64_t)bytes, limit);
  return trm_fail(TRM_ERR_MEMORY,
                  "math.gemm is openblas, which needs %zu MiB for its calls on %d thread(s): %s; "
                  "raise the limit, "
                  "use fewer threads, or set math.gemm to native",
                  bytes >> 20, trm_threads_get(), limit[0] ? limit : "they cannot be had");
}

static trm_status load(library *l) {
  if (setenv("OPENBLAS_NUM_THREADS", "1", 1) != 0) {
    return trm_fail(TRM_ERR_MEMORY, "OPENBLAS_NUM_THREADS cannot be set: %s", strerror(errno));
  }
  TRM_TRY(open_any(l));
  TRM_TRY(take_better_kernel(l));
  if (l->parallel() == OPENBLAS_THREAD) l->set_num_threads(1);
  return TRM_OK;
}

trm_status trm_openblas_load(void) {
  trm_status status = TRM_OK;
  must(pthread_mutex_lock(&loading));
  if (!blas.handle) status = load(&blas);
  must(pthread_mutex_unlock(&loading));
  return status == TRM_OK ? check_room() : status;
}

/* Where it was not chosen by name it is the last resort, of processors without fused multiply-adds. */
static const library *loaded(void) {
  if (__builtin_expect(!blas.handle, 0)) {
    const trm_status status = trm_openblas_load();
    TRM_ASSERT(status == TRM_OK); /* trm_gemm_select tells what is wrong */
  }
  return &blas;
}

/* ---- products ---------------------------------------------------------------------------------- */

static int narrow(int64_t n) {
  TRM_ASSERT(n >= 0 && n <= INT_MAX);
  return (int)n;
}

static void call_library(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                         trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b,
                         int64_t ldb, trm_real beta, trm_real *c, int64_t ldc) {
  const enum CBLAS_TRANSPOSE ta = transpose_a ? CblasTrans : CblasNoTrans;
  const enum CBLAS_TRANSPOSE tb = transpose_b ? CblasTrans : CblasNoTrans;
  blas.gemm(CblasRowMajor, ta, tb, narrow(M), narrow(N), narrow(K), alpha, a, narrow(lda), b,
            narrow(ldb), beta, c, narrow(ldc));
}

static void openblas_tile(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K,
                          trm_real alpha, const trm_real *a, int64_t lda, const trm_real *b,
                          int64_t ldb, trm_real beta, trm_real *c, int64_t ldc) {
  const int parallel = loaded()->parallel();
  const bool serial = parallel == OPENBLAS_SEQUENTIAL;
  /* The OpenMP build takes the calling thread's setting at each call; ours is kept elsewhere. */
  if (parallel == OPENBLAS_OPENMP && omp_get_max_threads() > 1) {
    omp_set_num_threads(1);
  }
  /* The serial build hands one buffer to two threads now and then. */
  if (serial) must(pthread_mutex_lock(&serial_build));
  call_library(transpose_a, transpose_b, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc);
  if (serial) must(pthread_mutex_unlock(&serial_build));
}

static const char *openblas_kernel(void) {
  static _Thread_local char text[96];
  if (loaded()->parallel() != OPENBLAS_SEQUENTIAL) return blas.corename();
  (void)snprintf(text, sizeof text, "%.31s (serial build of OpenBLAS: one product at a time)",
                 blas.corename());
  return text;
}

const trm_gemm_backend trm_gemm_openblas = {TRM_BACKEND_PART("openblas"), .tile = openblas_tile,
                                            .kernel = openblas_kernel};
