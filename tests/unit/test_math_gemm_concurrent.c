/* The matrix library called from several threads at once, as trm_gemm's tiles and a second thread of
 * the program do: every result must have the bits of the call made alone. */
#include <pthread.h>

#include "kernel_check.h"
#include "trireme/math/gemm.h"

enum { N_THREADS = 4, N_SHAPES = 4, ROUNDS = 1000, N_TEAM_ROUNDS = 60 };

static const int64_t shapes[N_SHAPES][3] = {
    {33, 65, 17}, {96, 128, 64}, {200, 40, 129}, {7, 300, 31}};
static trm_real *a, *b, *want[N_SHAPES];
enum { MAX_OPERAND = 300 * 300 };

static void multiply(int s, trm_real *c) {
  const int64_t *d = shapes[s];
  trm_gemm_tile(s % 2 == 0, s > 1, d[0], d[1], d[2], 1, a, s % 2 == 0 ? d[0] : d[2], b,
                s > 1 ? d[2] : d[1], 0, c, d[1]);
}

static void *work(void *seed) {
  trm_real *c = NEW_REALS(MAX_OPERAND);
  int64_t n_wrong = 0;
  for (int round = 0; round < ROUNDS; ++round) {
    const int s = (round + *(int *)seed) % N_SHAPES;
    multiply(s, c);
    n_wrong += memcmp(c, want[s], (size_t)(shapes[s][0] * shapes[s][1]) * sizeof *c) != 0;
  }
  free(c);
  *(int *)seed = (int)n_wrong;
  return NULL;
}

static void check_threads(void) {
  pthread_t threads[N_THREADS];
  int seeds[N_THREADS];
  for (int i = 0; i < N_THREADS; ++i) {
    seeds[i] = i;
    CHECK_EQ(pthread_create(&threads[i], NULL, work, &seeds[i]), 0);
  }
  for (int i = 0; i < N_THREADS; ++i) {
    CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(seeds[i], 0);
  }
}

/* Through trm_gemm, with shapes that make eight tiles. */
static void check_team(void) {
  enum { M = 1024, N = 1024, K = 48 };
  trm_real *x = NEW_REALS(M * K), *y = NEW_REALS(N * K), *one = NEW_REALS(M * N);
  trm_real *c = NEW_REALS(M * N);
  uint64_t state = 1;
  for (int i = 0; i < M * K; ++i) x[i] = (trm_real)test_uniform(&state);
  for (int i = 0; i < N * K; ++i) y[i] = (trm_real)test_uniform(&state);
  trm_gemm(false, true, M, N, K, 1, x, K, y, K, 0, one, N);
  trm_threads_set(N_THREADS);
  for (int round = 0; round < N_TEAM_ROUNDS; ++round) {
    memset(c, 0xff, (size_t)M * N * sizeof *c);
    trm_gemm(false, true, M, N, K, 1, x, K, y, K, 0, c, N);
    CHECK(memcmp(c, one, (size_t)M * N * sizeof *c) == 0);
  }
  trm_threads_set(1);
  free(x);
  free(y);
  free(one);
  free(c);
}

int main(void) {
  CHECK_OK(trm_gemm_select("openblas"));
  uint64_t state = 9;
  trm_math_init();
  a = test_random(MAX_OPERAND, 1, &state, NULL);
  b = test_random(MAX_OPERAND, 1, &state, NULL);
  for (int s = 0; s < N_SHAPES; ++s) {
    want[s] = NEW_REALS(MAX_OPERAND);
    multiply(s, want[s]);
  }
  check_threads();
  check_team();
  for (int s = 0; s < N_SHAPES; ++s) free(want[s]);
  free(a);
  free(b);
  return check_verdict();
}
