#include "trireme/math/threads.h"

#include <ctype.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "team.h"
#include "trireme/core/clock.h"
#include "trireme/core/limits.h"
#include "trireme/core/memory.h"
#include "trireme/core/status.h"

/* Below this many elements a parallel region (about 1 us with spinning threads, 10 to 50 us with
 * sleeping ones) costs more than the work: benchmarks/bench_kernels.c at 1 and 2 threads. */
enum { SERIAL_WORK = 16384 };

/* Per calling thread, as OpenMP's own setting is: the communication thread has its own count. Kept
 * here and given to each parallel region, since the OpenMP build of OpenBLAS changes OpenMP's.
 * 0: not set or asked for yet, OMP_NUM_THREADS holds. */
static _Thread_local int n_threads;

void trm_threads_set(int n) {
  TRM_ASSERT(n >= 1);
  n_threads = n;
  trm_crowd_set(n);
  omp_set_dynamic(0);
}

int trm_threads_get(void) {
  return n_threads > 0 ? n_threads : omp_get_max_threads();
}

int trm_team(int64_t units, int64_t work) {
  if (work < SERIAL_WORK || units <= 1) return 1;
  const int n = trm_crowd_size(trm_threads_get());
  return units < n ? (int)units : n;
}

/* ---- how many can be had ----------------------------------------------------------------------- */

/* A thread that is tried waits until all have been, since a limit counts those that are there. */
typedef struct trial {
  pthread_mutex_t lock;
  pthread_cond_t over;
  bool done;
} trial;

static void *wait_for_the_end(void *context) {
  trial *t = context;
  (void)pthread_mutex_lock(&t->lock);
  while (!t->done) (void)pthread_cond_wait(&t->over, &t->lock);
  (void)pthread_mutex_unlock(&t->lock);
  return NULL;
}

/* Starts up to n threads as OpenMP would; returns how many could be. */
static int try_threads(int n, size_t stack_bytes) {
  pthread_t *threads = NULL;
  pthread_attr_t attributes;
  trial t = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
  int started = 0;
  if (TRM_ALLOC(&threads, n, "threads") != TRM_OK || pthread_attr_init(&attributes) != 0) {
    TRM_FREE(threads);
    return 0;
  }
  (void)pthread_attr_setstacksize(&attributes, stack_bytes); /* an odd size leaves the default */
  while (started < n && pthread_create(&threads[started], &attributes, wait_for_the_end, &t) == 0) {
    ++started;
  }
  (void)pthread_mutex_lock(&t.lock);
  t.done = true;
  (void)pthread_cond_broadcast(&t.over);
  (void)pthread_mutex_unlock(&t.lock);
  for (int i = 0; i < started; ++i) (void)pthread_join(threads[i], NULL);
  (void)pthread_attr_destroy(&attributes);
  TRM_FREE(threads);
  return started;
}

/* Bytes of a thread's stack: OMP_STACKSIZE, KiB unless it says otherwise, or the system's. */
static size_t stack_size(void) {
  size_t bytes = 8 << 20;
  pthread_attr_t attributes;
  const char *given = getenv("OMP_STACKSIZE");
  if (pthread_attr_init(&attributes) == 0) {
    if (pthread_attr_getstacksize(&attributes, &bytes) != 0) bytes = 8 << 20;
    (void)pthread_attr_destroy(&attributes);
  }
  if (!given) return bytes;
  char *unit = NULL;
  const unsigned long long n = strtoull(given, &unit, 10);
  if (n == 0 || n > 1 << 30) return bytes;
  while (*unit == ' ') ++unit;
  const char *const units = "bkmg",
                    *at = *unit ? strchr(units, tolower((unsigned char)*unit)) : NULL;
  return (size_t)n << (10 * (at ? at - units : 1));
}

int trm_threads_startable(int n, char *why) {
  const size_t bytes = stack_size();
  const int got = try_threads(n, bytes);
  why[0] = 0;
  if (got < n) trm_limit_of_threads(n, (int64_t)bytes, why);
  return got;
}

int trm_threads_available(int n, char *why) {
  enum {
    OTHERS = 4
  }; /* threads that are not for computing: they read, write, communicate, watch */
  char limit[TRM_LIMIT_BYTES];
  const int most = omp_get_thread_limit();
  TRM_ASSERT(n >= 1);
  why[0] = 0;
  if (n > most) {
    (void)snprintf(why, TRM_LIMIT_BYTES, "OMP_THREAD_LIMIT is %d", most);
    n = most;
  }
  if (n == 1) return 1;
  const int got = trm_threads_startable(n - 1 + OTHERS, limit) + 1 - OTHERS;
  if (got >= n) return n;
  memcpy(why, limit, TRM_LIMIT_BYTES);
  return got > 1 ? got : 1;
}

/* ---- where they are ---------------------------------------------------------------------------- */

static bool has_cpu(const cpu_set_t *cpus, int cpu) {
  return cpu < CPU_SETSIZE && CPU_ISSET((size_t)cpu, cpus);
}

/* The set as "0-3,8"; ends with ",..." when the text is full. */
static void format_cpus(const cpu_set_t *cpus, char *text, size_t text_bytes) {
  size_t used = 0;
  text[0] = '\0';
  for (int first = 0; first < CPU_SETSIZE; ++first) {
    if (!has_cpu(cpus, first)) continue;
    int last = first;
    while (has_cpu(cpus, last + 1)) ++last;
    char range[32];
    const int length = last == first ? snprintf(range, sizeof range, "%d", first)
                                     : snprintf(range, sizeof range, "%d-%d", first, last);
    const char *comma = used > 0 ? "," : "";
    if (used + (size_t)length + sizeof ",..." + 1 > text_bytes) {
      (void)snprintf(text + used, text_bytes - used, "%s...", comma);
      return;
    }
    used += (size_t)snprintf(text + used, text_bytes - used, "%s%s", comma, range);
    first = last;
  }
}

static void fill_place(trm_thread_place *place, int thread) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  place->thread = thread;
  place->cpu = sched_getcpu();
  place->n_allowed = 0;
  place->allowed[0] = '\0';
  if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) {
    place->n_allowed = CPU_COUNT(&cpus);
    format_cpus(&cpus, place->allowed, sizeof place->allowed);
  }
}

void trm_threads_places(trm_thread_place *places) {
  const int n = trm_threads_get();
  /* Should the runtime grant fewer threads, the rest say so instead of holding nothing. */
  for (int i = 0; i < n; ++i) places[i] = (trm_thread_place){.thread = i, .cpu = -1};
#pragma omp parallel num_threads(n)
  fill_place(&places[omp_get_thread_num()], omp_get_thread_num());
}

/* ---- processors of threads started now --------------------------------------------------------- */

_Static_assert(sizeof(cpu_set_t) == sizeof((trm_processors){0}.bits), "a set is kept whole");

void trm_threads_unpin(trm_processors *before) {
  const int n_places = omp_get_num_places(); /* 0: threads are not pinned */
  cpu_set_t own, all;
  CPU_ZERO(&all);
  before->known = n_places > 0 && sched_getaffinity(0, sizeof own, &own) == 0;
  if (!before->known) return;
  memcpy(before->bits, &own, sizeof own);
  for (int place = 0; place < n_places; ++place) {
    int ids[CPU_SETSIZE];
    const int n = omp_get_place_num_procs(place);
    if (n > CPU_SETSIZE) continue;
    omp_get_place_proc_ids(place, ids);
    for (int i = 0; i < n; ++i) {
      if (ids[i] >= 0 && ids[i] < CPU_SETSIZE) CPU_SET((size_t)ids[i], &all);
    }
  }
  before->known = sched_setaffinity(0, sizeof all, &all) == 0;
}

void trm_threads_pin(const trm_processors *before) {
  cpu_set_t own;
  if (!before->known) return;
  memcpy(&own, before->bits, sizeof own);
  /* The set was taken from this thread a moment ago; if it has become impossible, the wider stays. */
  (void)sched_setaffinity(0, sizeof own, &own);
}

/* ---- waiting ----------------------------------------------------------------------------------- */

int64_t trm_threads_spins(double seconds) {
  enum { SPINS = 1000, TRIES = 5 };
  double least_s = 1;
  for (int t = 0; t < TRIES; ++t) {
    const double start_s = trm_clock_s();
    for (int i = 0; i < SPINS; ++i) {
#if defined(__SSE2__)
      _mm_pause();
#else
      __asm__ volatile("" ::: "memory");
#endif
    }
    const double spent_s = trm_clock_s() - start_s;
    if (spent_s < least_s) least_s = spent_s;
  }
  return 1 + (int64_t)(seconds / (least_s / SPINS + 1e-12));
}

/* ---- numbers ----------------------------------------------------------------------------------- */

static void flush_subnormals(void) {
#if defined(__SSE2__)
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
  _mm_setcsr(_mm_getcsr() | 0x40u); /* DAZ: subnormal inputs are zero */
#endif
}

void trm_threads_flush_subnormals(void) {
  /* First on the calling thread, outside the region: LLVM's runtime gives the workers its mode and
   * takes changes inside the region back; GNU's does neither. */
  flush_subnormals();
#pragma omp parallel num_threads(trm_threads_get())
  flush_subnormals();
}
