#include "trireme/math/threads.h"

#include <omp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "team.h"
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
  omp_set_dynamic(0);
}

int trm_threads_get(void) {
  return n_threads > 0 ? n_threads : omp_get_max_threads();
}

int trm_team(int64_t units, int64_t work) {
  if (work < SERIAL_WORK || units <= 1) return 1;
  const int n = trm_threads_get();
  return units < n ? (int)units : n;
}

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
