/* Sum of squares and the search for what is not finite. */
#include "kernel_check.h"
#include "trireme/math/stripes.h"

typedef struct flat_case {
  trm_real *x;
  int64_t n;
  double want;
} flat_case;

static void check_sum_body(void *p, const char *isa) {
  const flat_case *k = p;
  double first = 0;
  (void)isa;
  for (int threads = 1; threads <= MAX_THREADS; ++threads) {
    trm_threads_set(threads);
    const double got = trm_sum_squares(k->x, k->n);
    if (threads == 1) first = got;
    CHECK_NEAR(got, k->want, 1e-13 * (1 + k->want));
    CHECK(memcmp(&got, &first, sizeof got) == 0);
    static double sums[5000000 / TRM_CHUNK + 1];
    double sum = 0;
    const int64_t n_chunks = (k->n + TRM_CHUNK - 1) / TRM_CHUNK;
    trm_sum_squares_chunks(sums, k->x, k->n);
    for (int64_t c = 0; c < n_chunks; ++c) sum += sums[c];
    CHECK(memcmp(&sum, &first, sizeof sum) == 0);
  }
  trm_threads_set(1);
}

static void check_sum(int64_t n) {
  uint64_t state = (uint64_t)n;
  flat_case k = {.n = n};
  double *x;
  long double sum = 0;
  k.x = test_random(n, 3, &state, &x);
  for (int64_t i = 0; i < n; ++i) sum += (long double)x[i] * (long double)x[i];
  k.want = (double)sum;
  for_each_isa(check_sum_body, &k);
  free(k.x);
  free(x);
}

static void check_find_body(void *p, const char *isa) {
  flat_case *k = p;
  (void)isa;
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  for (int threads = 1; threads <= MAX_THREADS; ++threads) {
    trm_threads_set(threads);
    CHECK_EQ(trm_find_not_finite(k->x, k->n), -1);
    for (int i = 0; i < 3; ++i) {
      const int64_t places[] = {0, 5, 4096, k->n / 2, k->n - 1};
      for (size_t j = 0; j < sizeof places / sizeof places[0]; ++j) {
        const trm_real first = k->x[places[j]], last = k->x[k->n - 1];
        k->x[k->n - 1] = (trm_real)NAN; /* a later one must not win */
        k->x[places[j]] = (trm_real)bad[i];
        CHECK_EQ(trm_find_not_finite(k->x, k->n), places[j]);
        k->x[k->n - 1] = last;
        k->x[places[j]] = first;
      }
    }
  }
  trm_threads_set(1);
}

static void check_find(int64_t n) {
  uint64_t state = 3;
  flat_case k = {.n = n, .x = test_random(n, 3, &state, NULL)};
  k.x[3] = (trm_real)(TRM_REAL_IS_DOUBLE ? DBL_MAX : (double)FLT_MAX);
  for_each_isa(check_find_body, &k);
  free(k.x);
}

int main(void) {
  static const int64_t counts[] = {0, 1, 15, 16, 4095, 4096, 4097, 100003, 5000000};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) check_sum(counts[i]);
  check_find(5000);
  check_find(300001);
  const trm_real one = 1;
  CHECK_EQ(trm_find_not_finite(&one, 0), -1);
  return check_verdict();
}
