/**
 * Kernels of trireme/math/kernels.h: bytes moved per second against a memory copy of the same size,
 * attention as a rate of its useful FLOP against one plain matrix product.
 *
 * Usage: bench_kernels [threads]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/math/attention.h"
#include "trireme/math/gemm.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"

enum { ROUNDS = 9 };
static const double round_s = 0.003;

typedef struct sizes {
  int64_t N, T, C, H, V; /* sequences, positions, width, heads, vocabulary */
} sizes;

typedef struct buffers {
  trm_real *x, *y, *z, *w, *mean, *rstd, *qkv, *dqkv, *scratch;
  int32_t *ids;
  int64_t n; /* N T C */
} buffers;

typedef struct bench {
  sizes s;
  buffers b;
} bench;

static double sink; /* keeps results alive */

static void do_copy(bench *p) {
  memcpy(p->b.y, p->b.x, (size_t)p->b.n * sizeof *p->b.x);
}
static void do_add(bench *p) {
  trm_add(p->b.y, p->b.x, p->b.z, p->b.n);
}
static void do_gelu(bench *p) {
  trm_gelu_forward(p->b.y, p->b.x, p->b.n);
}
static void do_gelu_back(bench *p) {
  trm_gelu_backward(p->b.y, p->b.x, p->b.z, p->b.n, false);
}
static void do_relu(bench *p) {
  trm_relu_forward(p->b.y, p->b.x, p->b.n);
}
static void do_bias_back(bench *p) {
  trm_bias_backward(p->b.w, p->b.x, p->s.N * p->s.T, p->s.C, true);
}
static void do_norm(bench *p) {
  trm_layernorm_forward(p->b.y, p->b.mean, p->b.rstd, p->b.x, p->b.w, p->b.w, p->s.N * p->s.T,
                        p->s.C, (trm_real)1e-5);
}
static void do_norm_back(bench *p) {
  trm_layernorm_backward(p->b.y, p->b.w, p->b.w + p->s.C, p->b.z, p->b.x, p->b.mean, p->b.rstd,
                         p->b.w + 2 * p->s.C, p->s.N * p->s.T, p->s.C, false, false);
}
static void do_dropout(bench *p) {
  const trm_random_key key = {{1, 2}};
  const trm_sequences s = trm_sequences_equal(p->s.N, p->s.T);
  trm_dropout(p->b.y, p->b.x, &s, p->s.C, 0.1, key, 0, false);
}
static void do_normal(bench *p) {
  const trm_random_key key = {{1, 2}};
  trm_fill_normal(p->b.y, 0.02, key, 0, p->b.n);
}
static void do_embedding(bench *p) {
  trm_embedding_forward(p->b.y, p->b.qkv, p->b.ids, p->s.N * p->s.T, p->s.C);
}
static void do_embedding_back(bench *p) {
  trm_embedding_backward(p->b.qkv, p->b.x, p->b.ids, p->s.N * p->s.T, p->s.C, p->s.V, true);
}
static void do_xent(bench *p) {
  const trm_xent plain = {0};
  sink += trm_softmax_xent_forward(&sink, p->b.mean, NULL, p->b.x, p->b.ids, &plain,
                                   p->b.n / p->s.V, p->s.V);
}
static void do_xent_back(bench *p) {
  const trm_xent plain = {0};
  trm_softmax_xent_backward(p->b.y, p->b.x, p->b.mean, p->b.ids, &plain, 1, p->b.n / p->s.V, p->s.V,
                            false);
}
static void do_squares(bench *p) {
  sink += trm_sum_squares(p->b.x, p->b.n);
}
static void do_finite(bench *p) {
  sink += (double)trm_find_not_finite(p->b.x, p->b.n);
}
static void do_adamw(bench *p) {
  const trm_adamw_scalars s = {
      1, (trm_real)1e-6, 0.9, 0.999, (trm_real)1e-8, (trm_real)0.1, (trm_real)0.1};
  trm_adamw_update(p->b.y, p->b.dqkv, p->b.qkv, p->b.x, (trm_real)0.1, s, p->b.n);
}
/* Causal, on the rows q, k, v of b.qkv. */
static trm_attention attention_of(const bench *p, const trm_sequences *s) {
  const int64_t C = p->s.C;
  return (trm_attention){.queries = s,
                         .keys = s,
                         .H = p->s.H,
                         .d = C / p->s.H,
                         .causal = true,
                         .q = p->b.qkv,
                         .k = p->b.qkv + C,
                         .v = p->b.qkv + 2 * C,
                         .q_step = 3 * C,
                         .kv_step = 3 * C};
}
static void do_attention(bench *p) {
  const trm_sequences s = trm_sequences_equal(p->s.N, p->s.T);
  const trm_attention a = attention_of(p, &s);
  trm_attention_forward(p->b.y, p->b.rstd, &a, p->b.scratch);
}
static void do_attention_back(bench *p) {
  const trm_sequences s = trm_sequences_equal(p->s.N, p->s.T);
  const trm_attention a = attention_of(p, &s);
  trm_real *d = p->b.dqkv;
  trm_attention_backward(d, d + p->s.C, d + 2 * p->s.C, p->b.z, p->b.y, p->b.rstd, &a, false, false,
                         p->b.scratch);
}
/* A step of decoding: the last query of each sequence. */
static void do_attention_last(bench *p) {
  const trm_sequences last = trm_sequences_equal(p->s.N, 1);
  const trm_sequences keys = trm_sequences_equal(p->s.N, p->s.T);
  trm_attention a = attention_of(p, &keys);
  a.queries = &last;
  trm_attention_forward(p->b.y, NULL, &a, p->b.scratch);
}
static void do_gemm(bench *p) {
  (void)p;
  trm_gemm_tile(false, true, 512, 512, 512, 1, p->b.x, 512, p->b.x, 512, 0, p->b.dqkv, 512);
}

static double best_s(void (*run)(bench *), bench *p) {
  run(p);
  double start = trm_clock_s();
  run(p);
  const int repeats = 1 + (int)(round_s / (trm_clock_s() - start + 1e-9));
  double best = 1e9;
  for (int round = 0; round < ROUNDS; ++round) {
    start = trm_clock_s();
    for (int i = 0; i < repeats; ++i) run(p);
    const double s = (trm_clock_s() - start) / repeats;
    if (s < best) best = s;
  }
  return best;
}

static trm_status allocate(bench *p) {
  const sizes s = p->s;
  p->b.n = s.N * s.T * s.C;
  const int64_t n = p->b.n > 512 * 512 ? p->b.n : 512 * 512;
  const int64_t table = s.V * s.C > 3 * n ? s.V * s.C : 3 * n;
  TRM_TRY(TRM_ALLOC(&p->b.x, n, "x"));
  TRM_TRY(TRM_ALLOC(&p->b.y, n, "y"));
  TRM_TRY(TRM_ALLOC(&p->b.z, n, "z"));
  TRM_TRY(TRM_ALLOC(&p->b.w, 3 * s.C, "w"));
  TRM_TRY(TRM_ALLOC(&p->b.mean, n, "mean"));
  TRM_TRY(TRM_ALLOC(&p->b.rstd, n, "rstd"));
  TRM_TRY(TRM_ALLOC(&p->b.qkv, table, "qkv"));
  TRM_TRY(TRM_ALLOC(&p->b.dqkv, table, "dqkv"));
  const trm_sequences sequences = trm_sequences_equal(s.N, s.T);
  const trm_attention attention = attention_of(p, &sequences);
  TRM_TRY(TRM_ALLOC(&p->b.scratch, trm_attention_backward_scratch(&attention), "scratch"));
  TRM_TRY(TRM_ALLOC(&p->b.ids, n, "ids"));
  for (int64_t i = 0; i < n; ++i) {
    p->b.x[i] = (trm_real)((double)(i * 7919 % 1009) / 504 - 1);
    p->b.z[i] = (trm_real)((double)(i * 104729 % 997) / 498 - 1);
    p->b.ids[i] = (int32_t)(i * 31 % s.V);
  }
  for (int64_t i = 0; i < table; ++i) p->b.qkv[i] = (trm_real)((double)(i * 31 % 1009) / 504);
  for (int64_t i = 0; i < 3 * s.C; ++i) p->b.w[i] = 1;
  return TRM_OK;
}

static void release(bench *p) {
  TRM_FREE(p->b.x);
  TRM_FREE(p->b.y);
  TRM_FREE(p->b.z);
  TRM_FREE(p->b.w);
  TRM_FREE(p->b.mean);
  TRM_FREE(p->b.rstd);
  TRM_FREE(p->b.qkv);
  TRM_FREE(p->b.dqkv);
  TRM_FREE(p->b.scratch);
  TRM_FREE(p->b.ids);
}

static void print_streams(bench *p) {
  static const struct {
    const char *name;
    void (*run)(bench *);
    double passes; /* readings and writings of N T C elements */
  } rows[] = {{"copy (libc)", do_copy, 2},
              {"add", do_add, 3},
              {"relu", do_relu, 2},
              {"gelu", do_gelu, 2},
              {"gelu backward", do_gelu_back, 3},
              {"bias backward", do_bias_back, 1},
              {"layernorm", do_norm, 2},
              {"layernorm backward", do_norm_back, 5},
              {"dropout", do_dropout, 2},
              {"initial normals", do_normal, 1},
              {"embedding", do_embedding, 2},
              {"embedding backward", do_embedding_back, 3},
              {"softmax xent", do_xent, 1},
              {"softmax xent backward", do_xent_back, 2},
              {"sum of squares", do_squares, 1},
              {"find not finite", do_finite, 1},
              {"adamw", do_adamw, 7}};
  double copy = 0;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    const double s = best_s(rows[i].run, p);
    const double rate = rows[i].passes * (double)p->b.n * sizeof(trm_real) / s * 1e-9;
    if (i == 0) copy = rate;
    printf("  %-22s %8.1f us %7.1f GB/s  %5.2f of copy\n", rows[i].name, s * 1e6, rate,
           rate / copy);
  }
}

static void print_attention(bench *p) {
  const sizes s = p->s;
  const double gemm = 2 * pow(512, 3) / best_s(do_gemm, p);
  const double forward = best_s(do_attention, p), backward = best_s(do_attention_back, p);
  /* Two products forward and five backward over half of the square. */
  const double flop = (double)s.N * (double)s.T * (double)(s.T + 1) / 2 * (double)s.C * 2;
  printf("  product 512^3 on 1 thread %.1f GFLOP/s (%s)\n", gemm * 1e-9,
         trm_gemm_selected()->kernel());
  printf("  attention forward  %8.1f us, %.2f of that rate\n", forward * 1e6,
         2 * flop / forward / gemm);
  printf("  attention backward %8.1f us, %.2f of that rate\n", backward * 1e6,
         5 * flop / backward / gemm);
  const double last = best_s(do_attention_last, p);
  const double bytes = 2 * (double)(s.N * s.T * s.C) * sizeof(trm_real); /* of keys and values */
  printf("  attention, last query %5.1f us, %.1f GB/s\n", last * 1e6, bytes / last * 1e-9);
}

int main(int argc, char **argv) {
  static const sizes all[] = {
      {12, 64, 128, 4, 65}, {4, 256, 384, 6, 512}, {1, 1024, 768, 12, 8192}};
  trm_math_init();
  trm_threads_set(argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1);
  printf("kernels for %s, %d threads\n", trm_math_isa(), trm_threads_get());
  for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i) {
    bench p = {.s = all[i]};
    const trm_status status = allocate(&p);
    if (status != TRM_OK) {
      fprintf(stderr, "error: %s\n", trm_message());
      return trm_status_exit_code(status);
    }
    printf("N %lld T %lld C %lld H %lld V %lld\n", (long long)p.s.N, (long long)p.s.T,
           (long long)p.s.C, (long long)p.s.H, (long long)p.s.V);
    print_streams(&p);
    print_attention(&p);
    release(&p);
  }
  return sink == -1 ? 1 : 0;
}
