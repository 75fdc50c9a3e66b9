/**
 * Matrix products of training shapes through trm_gemm: one plain call of the library, the tiled
 * call at one and at two threads, as rates and as ratios.
 *
 * Usage: bench_gemm [back end]
 * Timings of the three are interleaved and the best of several rounds counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

enum { ROUNDS = 9, N_WAYS = 3 };
static const double round_s = 0.004;

typedef struct product {
  bool ta, tb;
  int64_t M, N, K;
  trm_real *a, *b, *c;
} product;

/* way 0: the library alone; 1, 2: trm_gemm with as many threads. */
static void run(const product *p, int way) {
  const int64_t lda = p->ta ? p->M : p->K, ldb = p->tb ? p->K : p->N;
  if (way == 0) {
    trm_gemm_tile(p->ta, p->tb, p->M, p->N, p->K, 1, p->a, lda, p->b, ldb, 0, p->c, p->N);
  } else {
    trm_gemm(p->ta, p->tb, p->M, p->N, p->K, 1, p->a, lda, p->b, ldb, 0, p->c, p->N);
  }
}

static double time_s(const product *p, int way, int repeats) {
  trm_threads_set(way > 0 ? way : 1);
  run(p, way);
  const double start = trm_clock_s();
  for (int i = 0; i < repeats; ++i) run(p, way);
  return (trm_clock_s() - start) / repeats;
}

static trm_status measure(bool ta, bool tb, int64_t M, int64_t N, int64_t K, double best[N_WAYS]) {
  trm_status status = TRM_OK;
  product p = {ta, tb, M, N, K, NULL, NULL, NULL};
  const double flop = 2.0 * (double)M * (double)N * (double)K;
  TRM_TRY_OUT(TRM_ALLOC(&p.a, M * K, "A"));
  TRM_TRY_OUT(TRM_ALLOC(&p.b, N * K, "B"));
  TRM_TRY_OUT(TRM_ALLOC(&p.c, M * N, "C"));
  for (int64_t i = 0; i < M * K; ++i) p.a[i] = (trm_real)(i % 13 - 6);
  for (int64_t i = 0; i < N * K; ++i) p.b[i] = (trm_real)(i % 11 - 5);
  for (int way = 0; way < N_WAYS; ++way) best[way] = 1e9;
  const int repeats = 1 + (int)(round_s / time_s(&p, 0, 1));
  for (int round = 0; round < ROUNDS; ++round) {
    for (int way = 0; way < N_WAYS; ++way) {
      const double s = time_s(&p, way, repeats);
      if (s < best[way]) best[way] = s;
    }
  }
  for (int way = 0; way < N_WAYS; ++way) best[way] = flop / best[way] * 1e-9;
out:
  TRM_FREE(p.c);
  TRM_FREE(p.b);
  TRM_FREE(p.a);
  return status;
}

/* Worst and geometric-mean-free summary: the least ratio of each kind over all shapes. */
static double least_one = 10, least_two = 10;

static trm_status row(const char *form, bool ta, bool tb, int64_t M, int64_t N, int64_t K,
                      double peak) {
  double rate[N_WAYS];
  TRM_TRY(measure(ta, tb, M, N, K, rate));
  printf("%s %5lld %5lld %5lld  %7.1f %7.1f %7.1f   %5.2f  %5.3f  %5.2f\n", form, (long long)M,
         (long long)N, (long long)K, rate[0], rate[1], rate[2], rate[1] / peak, rate[1] / rate[0],
         rate[2] / rate[1]);
  if (rate[1] / rate[0] < least_one) least_one = rate[1] / rate[0];
  if (rate[2] / rate[1] < least_two) least_two = rate[2] / rate[1];
  return TRM_OK;
}

static trm_status run_all(void) {
  /* tokens, output width, input width of a linear layer */
  static const int64_t layers[][3] = {
      {64, 384, 128},   {64, 128, 512},    {256, 512, 128},   {768, 384, 128}, {768, 128, 128},
      {768, 512, 128},  {768, 128, 512},   {768, 65, 128},    {768, 512, 128}, {1024, 1152, 384},
      {1024, 384, 384}, {1024, 1536, 384}, {1024, 384, 1536}, {1024, 65, 384}, {1024, 8192, 384}};
  double peak[N_WAYS];
  TRM_TRY(measure(false, false, 1536, 1536, 1536, peak));
  printf("%s, %s; 1536^3: %.1f GFLOP/s (%.1f, %.1f tiled on 1, 2 threads)\n",
         trm_gemm_selected()->part.name, trm_gemm_selected()->kernel(), peak[0], peak[1], peak[2]);
  printf("form   M     N     K      one   tiled  2 thr   /peak  tiled/one  2/1\n");
  for (size_t i = 0; i < sizeof layers / sizeof layers[0]; ++i) {
    const int64_t T = layers[i][0], O = layers[i][1], I = layers[i][2];
    TRM_TRY(row("NT", false, true, T, O, I, peak[0]));
    TRM_TRY(row("NN", false, false, T, I, O, peak[0]));
    TRM_TRY(row("TN", true, false, O, I, T, peak[0]));
  }
  printf("least: tiled/one %.3f, 2 threads/1 %.2f\n", least_one, least_two);
  return TRM_OK;
}

int main(int argc, char **argv) {
  trm_math_init();
  trm_status status = argc > 1 ? trm_gemm_select(argv[1]) : TRM_OK;
  if (status == TRM_OK) status = run_all();
  if (status != TRM_OK) fprintf(stderr, "error: %s\n", trm_message());
  return trm_status_exit_code(status);
}
