/**
 * One check for all kernels: run on every instruction set this processor has, at 1 to 4 threads,
 * into buffers with guard bytes; the first run is compared with the reference, the others with the
 * first, bit for bit. Included by the test itself, since trm_real differs between the builds.
 */
#ifndef TRIREME_TESTS_KERNEL_CHECK_H
#define TRIREME_TESTS_KERNEL_CHECK_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"

#define REAL_EPSILON (TRM_REAL_IS_DOUBLE ? DBL_EPSILON : (double)FLT_EPSILON)

enum { GUARD = 64, MAX_OUTPUTS = 4, MAX_THREADS = 4 };

static inline void *test_calloc(int64_t n, size_t size) {
  void *p = calloc((size_t)(n > 0 ? n : 1), size);
  if (!p) {
    perror("calloc");
    exit(1);
  }
  return p;
}
#define NEW_REALS(n) ((trm_real *)test_calloc((n), sizeof(trm_real)))
#define NEW_DOUBLES(n) ((double *)test_calloc((n), sizeof(double)))

/** Repeatable numbers in [-1, 1), the same for float and double. */
static inline double test_uniform(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(float)((double)(*state >> 40) * 0x1p-23 - 1.0);
}
static inline int64_t test_below(uint64_t *state, int64_t n) {
  return (int64_t)((test_uniform(state) + 1) / 2 * (double)n);
}

/** n random numbers times `scale` as trm_real; `copy` (may be NULL) gets the same in double. */
static inline trm_real *test_random(int64_t n, double scale, uint64_t *state, double **copy) {
  trm_real *x = NEW_REALS(n);
  double *d = NEW_DOUBLES(n);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = (trm_real)(scale * test_uniform(state));
    d[i] = (double)x[i];
  }
  if (copy) {
    *copy = d;
  } else {
    free(d);
  }
  return x;
}

/** A kernel call: writes out[0..], each of n[i] elements. */
typedef struct kernel_case {
  const char *name;
  void (*run)(void *context, trm_real **out);
  void *context;
  int64_t n[MAX_OUTPUTS];             /* of each output; 0 ends */
  const double *want[MAX_OUTPUTS];    /* the reference result, initial values not included */
  const trm_real *start[MAX_OUTPUTS]; /* what the kernel adds to; NULL: it writes over NaN */
  double tolerance[MAX_OUTPUTS];      /* in units of epsilon times (1 + |want|) */
} kernel_case;

static inline trm_real *guarded_new(int64_t n, const trm_real *start) {
  trm_real *block = NEW_REALS(n + 2 * GUARD);
  memset(block, 0xA5, (size_t)(n + 2 * GUARD) * sizeof *block);
  for (int64_t i = 0; i < n; ++i) block[GUARD + i] = start ? start[i] : (trm_real)NAN;
  return block + GUARD;
}

static inline bool guarded_intact(const trm_real *out, int64_t n) {
  const unsigned char *before = (const unsigned char *)(out - GUARD);
  const unsigned char *after = (const unsigned char *)(out + n);
  for (size_t i = 0; i < GUARD * sizeof *out; ++i) {
    if (before[i] != 0xA5 || after[i] != 0xA5) return false;
  }
  return true;
}

static inline void compare_with_reference(const kernel_case *k, trm_real **out, const char *label) {
  for (int o = 0; o < MAX_OUTPUTS && k->n[o] > 0; ++o) {
    for (int64_t i = 0; i < k->n[o]; ++i) {
      const double want = k->want[o][i] + (k->start[o] ? (double)k->start[o][i] : 0);
      const double tolerance = k->tolerance[o] * REAL_EPSILON * (1 + fabs(want));
      if (!CHECK_NEAR_AT(out[o][i], want, tolerance, i)) {
        fprintf(stderr, "  %s, output %d, %s\n", k->name, o, label);
        break;
      }
    }
  }
}

static inline void run_threads(const kernel_case *k, const char *isa) {
  trm_real *first[MAX_OUTPUTS] = {0}, *out[MAX_OUTPUTS] = {0};
  for (int threads = 1; threads <= MAX_THREADS; ++threads) {
    char label[64];
    snprintf(label, sizeof label, "%s, %d threads", isa, threads);
    trm_threads_set(threads);
    trm_real **to = threads == 1 ? first : out;
    for (int o = 0; o < MAX_OUTPUTS; ++o) to[o] = guarded_new(k->n[o], k->start[o]);
    k->run(k->context, to);
    if (threads == 1) compare_with_reference(k, to, label);
    for (int o = 0; o < MAX_OUTPUTS; ++o) {
      if (!CHECK(guarded_intact(to[o], k->n[o])) ||
          !CHECK(memcmp(to[o], first[o], (size_t)k->n[o] * sizeof **to) == 0)) {
        fprintf(stderr, "  %s, output %d, %s\n", k->name, o, label);
      }
      if (threads > 1) free(to[o] - GUARD);
    }
  }
  for (int o = 0; o < MAX_OUTPUTS; ++o) free(first[o] - GUARD);
  trm_threads_set(1);
}

/** Calls `body` once for each instruction set that this build and processor have. */
static inline void for_each_isa(void (*body)(void *context, const char *isa), void *context) {
  static const char *const isas[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};
  int n_run = 0;
  for (size_t i = 0; i < sizeof isas / sizeof isas[0]; ++i) {
    if (setenv("TRIREME_ISA", isas[i], 1) != 0) perror("setenv");
    trm_math_init();
    if (strcmp(trm_math_isa(), isas[i]) != 0) continue;
    ++n_run;
    body(context, isas[i]);
  }
  unsetenv("TRIREME_ISA");
  trm_math_init();
  if (n_run == 0) body(context, trm_math_isa());
}

static inline void run_isa(void *kernel, const char *isa) {
  run_threads((const kernel_case *)kernel, isa);
}
static inline void check_kernel(kernel_case k) {
  for_each_isa(run_isa, &k);
}

#endif
