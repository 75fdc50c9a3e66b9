/* Initial values: the bits of the scalar generator, number by number, on every instruction set and at
 * any thread count; the error that the bounds allow for, against what it is; and numbers that would
 * get other bits if the scalar generator were not asked. */
#include "../../src/math/kernels/normals.h"
#include "kernel_check.h"

typedef struct init_case {
  double scale;
  trm_random_key key;
  uint64_t first;
  int64_t n;
} init_case;

static trm_real normal_of(const init_case *k, int64_t i) {
  return (trm_real)(k->scale * trm_random_normal(k->key, 0, k->first + (uint64_t)i));
}
static trm_real uniform_of(const init_case *k, int64_t i) {
  return (trm_real)(k->scale * (2 * trm_random_uniform(k->key, 0, k->first + (uint64_t)i) - 1));
}

static void run_normal(void *p, trm_real **out) {
  const init_case *k = p;
  trm_fill_normal(out[0], k->scale, k->key, k->first, k->n);
}
static void run_uniform(void *p, trm_real **out) {
  const init_case *k = p;
  trm_fill_uniform(out[0], k->scale, k->key, k->first, k->n);
}

static bool same_bits(const trm_real *a, const trm_real *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

/* A kernel on one instruction set against the scalar results. */
typedef struct comparison {
  const init_case *k;
  void (*run)(void *, trm_real **);
  const trm_real *want;
  const char *name;
} comparison;

static void compare(void *context, const char *isa) {
  const comparison *c = context;
  trm_real *got = NEW_REALS(c->k->n + 1);
  for (int threads = 1; threads <= 3; threads += 2) {
    trm_threads_set(threads);
    memset(got, 0x55, (size_t)(c->k->n + 1) * sizeof *got);
    c->run((void *)(uintptr_t)c->k, &got);
    int64_t n_bad = 0;
    for (int64_t i = 0; i < c->k->n; ++i) {
      if (same_bits(&got[i], &c->want[i])) continue;
      if (n_bad++ > 0) continue;
      fprintf(stderr, "  %s, scale %g, number %lld from %llu on: %a, not %a\n", c->name,
              c->k->scale, (long long)i, (unsigned long long)c->k->first, (double)got[i],
              (double)c->want[i]);
    }
    unsigned char guard[sizeof *got];
    memset(guard, 0x55, sizeof guard);
    if (!CHECK_EQ(n_bad, 0) || !CHECK(memcmp(&got[c->k->n], guard, sizeof guard) == 0)) {
      fprintf(stderr, "  %s, scale %g, %s, %d threads\n", c->name, c->k->scale, isa, threads);
    }
  }
  trm_threads_set(1);
  free(got);
}

static void check_case(init_case k) {
  const int64_t n = k.n;
  trm_real *want = NEW_REALS(n);
  for (int64_t i = 0; i < n; ++i) want[i] = normal_of(&k, i);
  comparison c = {&k, run_normal, want, "normal"};
  for_each_isa(compare, &c);
  for (int64_t i = 0; i < n; ++i) want[i] = uniform_of(&k, i);
  c = (comparison){&k, run_uniform, want, "uniform"};
  for_each_isa(compare, &c);
  free(want);
}

static void check(double scale, uint64_t salt, uint64_t first, int64_t n) {
  check_case((init_case){scale, trm_random_key_make(1, TRM_RANDOM_INIT, 0, salt), first, n});
}

#if !TRM_REAL_IS_DOUBLE

enum { PAIR = 2 * TRM_DOUBLES };

/* Numbers first .. first + PAIR - 1 between bounds, as the kernel makes them. */
static void bound_pair(float *low, float *high, const init_case *k, int64_t i, double error) {
  trm_calls calls[2];
  trm_calls_make(calls, k->key, k->first + (uint64_t)i);
  trm_normals_bound(low, high, &calls[0], k->scale, error);
  trm_normals_bound(low + TRM_DOUBLES, high + TRM_DOUBLES, &calls[1], k->scale, error);
}

typedef struct tally {
  int64_t n_open;  /* numbers whose bounds are two floats */
  int64_t n_wrong; /* numbers whose bounds are one float, but not the scalar generator's */
} tally;

static tally count(const init_case *k, double error) {
  tally t = {0};
  for (int64_t i = 0; i < k->n; i += PAIR) {
    float low[PAIR], high[PAIR];
    bound_pair(low, high, k, i, error);
    for (int j = 0; j < PAIR; ++j) {
      const float want = normal_of(k, i + j);
      if (!same_bits(&low[j], &high[j])) {
        ++t.n_open;
      } else if (!same_bits(&low[j], &want)) {
        ++t.n_wrong;
      }
    }
  }
  return t;
}

/* Some numbers are open; with much wider bounds many, none wrong. */
static void check_bounds(void) {
  const init_case k = {
      .scale = 0.02, .key = trm_random_key_make(7, TRM_RANDOM_INIT, 0, 1), .n = 1 << 22};
  const tally used = count(&k, TRM_NORMAL_ERROR), wide = count(&k, 0x1p-30);
  CHECK_EQ(used.n_wrong, 0);
  CHECK(used.n_open > 50 && used.n_open < k.n / 5000);
  CHECK_EQ(wide.n_wrong, 0);
  CHECK(wide.n_open > 100 * used.n_open);
}

/* Numbers so near to the middle of two floats that the series round to the wrong one, on every
 * instruction set (all there are among the first 2^27): the kernel has to ask. */
static void check_hard(void) {
  static const uint64_t hard[] = {5768931,  66352317, 72688844, 74337613,
                                  80712227, 99293361, 110103141};
  for (size_t i = 0; i < sizeof hard / sizeof *hard; ++i) {
    const init_case k = {.scale = 0.02,
                         .key = trm_random_key_make(7, TRM_RANDOM_INIT, 0, 1),
                         .first = hard[i],
                         .n = 1};
    float low[PAIR], high[PAIR];
    const float want = normal_of(&k, 0);
    bound_pair(low, high, &k, 0, 0);
    CHECK(same_bits(&low[0], &high[0]) && !same_bits(&low[0], &want));
    bound_pair(low, high, &k, 0, TRM_NORMAL_ERROR);
    CHECK(!same_bits(&low[0], &high[0]));
    CHECK(same_bits(&low[0], &want) || same_bits(&high[0], &want));
    check_case(k);
  }
}

/* Radius and cosine against the C library, at integers m that stand for m / 2^53. */
static void check_parts(uint64_t m) {
  const trm_doubles x = (trm_doubles){0} + (double)m;
  const double radius = sqrt(-2.0 * log(1.0 - (double)m * 0x1p-53));
  const double cosine = cos(6.283185307179586476925 * ((double)m * 0x1p-53));
  CHECK_NEAR(trm_doubles_radius(x)[0], radius, 0x1p-45 * radius);
  CHECK_NEAR(trm_doubles_cosine(x)[0], cosine, 0x1p-44);
  const trm_words high = (trm_words){0} + (m >> 21);
  const trm_words low = (trm_words){0} + (m << 11 & UINT32_MAX);
  CHECK(trm_doubles_of_53_bits(high, low)[0] == (double)m);
}

static void check_all_parts(void) {
  const uint64_t end = UINT64_C(1) << 53, eighth = end / 8;
  for (uint64_t k = 0; k <= 8; ++k) { /* turns of the cosine, both ends of the logarithm */
    for (uint64_t d = 0; d < 100; ++d) {
      if (k * eighth + d < end) check_parts(k * eighth + d);
      if (k * eighth > d) check_parts(k * eighth - d - 1);
    }
  }
  for (int e = 0; e < 53; ++e) { /* 1 - m / 2^53 about 2^-e and 2^-e sqrt(1/2) */
    for (int64_t d = -50; d < 50; ++d) {
      const int64_t whole = (int64_t)(end >> e);
      const int64_t at[] = {whole + d, (int64_t)((double)whole * 0x1.6a09e667f3bcdp-1) + d};
      for (int i = 0; i < 2; ++i) {
        if (at[i] > 0 && at[i] <= (int64_t)end) check_parts(end - (uint64_t)at[i]);
      }
    }
  }
  const trm_random_key key = trm_random_key_make(3, TRM_RANDOM_TEST, 0, 0);
  for (uint64_t i = 0; i < 2000000; ++i) {
    check_parts((uint64_t)(trm_random_uniform(key, 0, i) * 0x1p53));
  }
}

/* Nothing that may be a zero is decided: its sign would be a guess. u = 1 makes the radius 0. */
static void check_zero(void) {
  float low[TRM_DOUBLES], high[TRM_DOUBLES];
  const trm_calls calls = {{{0}}};
  trm_normals_bound(low, high, &calls, 1, TRM_NORMAL_ERROR);
  for (int i = 0; i < TRM_DOUBLES; ++i) CHECK(!same_bits(&low[i], &high[i]));
}

#endif

int main(void) {
  static const int64_t lengths[] = {0, 1, 15, 16, 63, 64, 65, 1000, 4095, 4096, 4097, 12345};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; ++i) check(1, i, 3 * i, lengths[i]);
  const int64_t many = TRM_REAL_IS_DOUBLE ? 100000 : 1000000;
  check(0.02, 100, 0, 3 * many);
  check(0.02 / sqrt(24), 101, UINT64_C(123456789), 2 * many); /* scales of a decoder and a GCN */
  check(1, 102, (UINT64_C(1) << 32) - 4321, many);            /* the position's words carry */
  check(0x1.8p-3, 103, UINT64_MAX - 4321, 10000);             /* and wrap */
  check(0.1, UINT64_C(1) << 63, UINT64_C(987654321987654321), many);
  check(0, 104, 0, 10000); /* zeros of both signs */
  check(-0.5, 105, 0, 10000);
  check(1e-38, 106, 0, 100000); /* subnormal floats */
  check(1e-44, 107, 0, 100000);
  check(1e-60, 108, 0, 10000);
  check(1e-300, 109, 0, 10000);
  check(1e38, 110, 0, 100000); /* floats that overflow */
#if !TRM_REAL_IS_DOUBLE
  check_bounds();
  check_hard();
  check_all_parts();
  check_zero();
#endif
  return check_verdict();
}
