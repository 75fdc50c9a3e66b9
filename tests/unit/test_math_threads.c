/* Thread count, places, instruction set and its override, subnormals. */
#include <pthread.h>

#include "kernel_check.h"
#include "trireme/math/gemm.h"
#include "trireme/math/stripes.h"
#include "trireme/math/threads.h"

static void check_places(int n) {
  trm_thread_place places[MAX_THREADS + 1];
  places[n].thread = -7;
  trm_threads_set(n);
  CHECK_EQ(trm_threads_get(), n);
  trm_threads_places(places);
  for (int i = 0; i < n; ++i) {
    CHECK_EQ(places[i].thread, i);
    CHECK(places[i].cpu >= 0);
    CHECK(places[i].n_allowed >= 1);
    CHECK(strlen(places[i].allowed) >= 1);
  }
  CHECK_EQ(places[n].thread, -7);
  trm_threads_set(1);
}

static void *other_thread(void *got) {
  trm_threads_set(4);
  *(int *)got = trm_threads_get();
  return NULL;
}

/* The count belongs to the calling thread: another one does not disturb it. */
static void check_own_count(void) {
  pthread_t thread;
  int got = 0;
  trm_threads_set(2);
  CHECK_EQ(pthread_create(&thread, NULL, other_thread, &got), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(got, 4);
  CHECK_EQ(trm_threads_get(), 2);
  trm_threads_set(1);
}

static void check_isa(void) {
  CHECK(setenv("TRIREME_ISA", "vax", 1) == 0);
  trm_math_init();
  if (strcmp(trm_math_isa(), "compiler default") != 0) {
    CHECK_HAS(trm_math_isa(), "vax");
    CHECK_HAS(trm_math_isa(), "ignored");
  }
  CHECK(unsetenv("TRIREME_ISA") == 0);
  trm_math_init();
  CHECK(strchr(trm_math_isa(), '(') == NULL);
}

/* The sets with fused multiply-add have one name for their bits, the one without has its own. */
static void check_bits(void *context, const char *isa) {
  (void)context;
  if (strcmp(isa, "x86-64-v3") == 0 || strcmp(isa, "x86-64-v4") == 0) {
    CHECK_STR(trm_math_bits(), "x86-64 with fused multiply-add");
  } else {
    CHECK_STR(trm_math_bits(), isa);
  }
}

/* Every element of a span that all threads share must come out as zero. */
static void check_subnormals(void) {
#if defined(__SSE2__)
  enum { N = 40000 };
  trm_real *x = NEW_REALS(N), *y = NEW_REALS(N);
  const trm_real small = (trm_real)(TRM_REAL_IS_DOUBLE ? DBL_MIN : (double)FLT_MIN);
  for (int i = 0; i < N; ++i) x[i] = small;
  trm_threads_set(3);
  trm_scale(y, x, (trm_real)0.5, N, false);
  CHECK(y[0] > 0);
  trm_threads_flush_subnormals();
  trm_scale(y, x, (trm_real)0.5, N, false);
  for (int i = 0; i < N; ++i) CHECK_EQ(y[i] == 0, 1);
  free(x);
  free(y);
#endif
}

/* A loop of somebody else's: every element once, chunks cut by the length alone. */
static void visit(void *context, int64_t begin, int64_t end) {
  int *visits = context;
  CHECK(begin % TRM_CHUNK == 0 && end > begin && end - begin <= TRM_CHUNK);
  for (int64_t i = begin; i < end; ++i) ++visits[i];
}

static void check_chunks(void) {
  enum { N = 20 * TRM_CHUNK + 7 };
  static int visits[N + 1];
  const int64_t sizes[] = {0, 1, TRM_CHUNK, TRM_CHUNK + 1, N};
  for (int threads = 1; threads <= MAX_THREADS; ++threads) {
    trm_threads_set(threads);
    for (int s = 0; s < 5; ++s) {
      memset(visits, 0, sizeof visits);
      trm_for_chunks(sizes[s], visit, visits);
      for (int64_t i = 0; i <= N; ++i) CHECK_EQ(visits[i], i < sizes[s]);
    }
  }
  trm_threads_set(1);
}

int main(void) {
  check_chunks();
  for (int n = 1; n <= MAX_THREADS; ++n) check_places(n);
  check_own_count();
  check_isa();
  for_each_isa(check_bits, NULL);
  check_subnormals();
  return check_verdict();
}
