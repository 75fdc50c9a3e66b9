/* Attention forward and backward against the naive form with the whole T x T matrix. */
#include "kernel_check.h"
#include "reference.h"
#include "trireme/math/attention.h"

typedef struct attention_case {
  trm_real *qkv, *dout, *out, *lse;
  trm_sequences s;
  int64_t C, H;
  bool add;
} attention_case;

static trm_attention attention_of(const attention_case *k) {
  return (trm_attention){.queries = &k->s,
                         .keys = &k->s,
                         .H = k->H,
                         .d = k->C / k->H,
                         .causal = true,
                         .q = k->qkv,
                         .k = k->qkv + k->C,
                         .v = k->qkv + 2 * k->C,
                         .q_step = 3 * k->C,
                         .kv_step = 3 * k->C};
}

static void run_forward(void *p, trm_real **out) {
  const attention_case *k = p;
  const trm_attention a = attention_of(k);
  const int64_t n = trm_attention_forward_scratch(&a);
  trm_real *scratch = guarded_new(n, NULL);
  trm_attention_forward(out[0], out[1], &a, scratch);
  CHECK(guarded_intact(scratch, n));
  free(scratch - GUARD);
}

static void run_backward(void *p, trm_real **out) {
  const attention_case *k = p;
  const trm_attention a = attention_of(k);
  const int64_t n = trm_attention_backward_scratch(&a);
  trm_real *scratch = guarded_new(n, NULL), *d = out[0];
  trm_attention_backward(d, d + k->C, d + 2 * k->C, k->dout, k->out, k->lse, &a, k->add, k->add,
                         scratch);
  CHECK(guarded_intact(scratch, n));
  free(scratch - GUARD);
}

static void check_one(int64_t N, int64_t T, int64_t H, int64_t d) {
  const int64_t C = H * d;
  uint64_t state = (uint64_t)(N + 31 * C + 977 * T);
  attention_case k = {.s = trm_sequences_equal(N, T), .C = C, .H = H};
  double *qkv, *dout;
  k.qkv = test_random(N * T * 3 * C, 2, &state, &qkv);
  k.dout = test_random(N * T * C, 1, &state, &dout);
  trm_real *start = test_random(N * T * 3 * C, 1, &state, NULL);
  double *out = NEW_DOUBLES(N * T * C), *lse = NEW_DOUBLES(N * H * T), *p = NEW_DOUBLES(2 * T * T);
  double *dqkv = NEW_DOUBLES(N * T * 3 * C);
  char name[96];
  snprintf(name, sizeof name, "attention N %lld T %lld H %lld head %lld", (long long)N,
           (long long)T, (long long)H, (long long)d);
  ref_attention_forward(out, lse, qkv, N, T, C, H, p);
  double *by_head = NEW_DOUBLES(N * H * T); /* [H, N T] */
  for (int64_t i = 0; i < N * H * T; ++i) {
    by_head[i / T % H * N * T + i / (H * T) * T + i % T] = lse[i];
  }
  check_kernel((kernel_case){.name = name,
                             .run = run_forward,
                             .context = &k,
                             .n = {N * T * C, N * H * T},
                             .want = {out, by_head},
                             .tolerance = {32, 16}});
  k.out = NEW_REALS(N * T * C);
  k.lse = NEW_REALS(N * H * T);
  for (int64_t i = 0; i < N * T * C; ++i) k.out[i] = (trm_real)out[i];
  for (int64_t i = 0; i < N * H * T; ++i) k.lse[i] = (trm_real)by_head[i];
  ref_attention_backward(dqkv, dout, qkv, N, T, C, H, p);
  kernel_case backward = {.name = name,
                          .run = run_backward,
                          .context = &k,
                          .n = {N * T * 3 * C},
                          .want = {dqkv},
                          .tolerance = {128}};
  check_kernel(backward);
  k.add = true;
  backward.start[0] = start;
  check_kernel(backward);
  trm_real *const reals[] = {k.qkv, k.dout, k.out, k.lse, start};
  double *const doubles[] = {qkv, dout, out, lse, by_head, p, dqkv};
  for (size_t i = 0; i < sizeof reals / sizeof reals[0]; ++i) free(reals[i]);
  for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; ++i) free(doubles[i]);
}

/* Scores of several hundred must neither overflow nor lose the largest; NaN must show. */
static void check_extremes(void *context, const char *isa) {
  (void)context;
  (void)isa;
  enum { T = 70, C = 8 };
  trm_real qkv[T * 3 * C], out[T * C], lse[T];
  for (int i = 0; i < T * 3 * C; ++i) qkv[i] = (trm_real)(i % 3 == 0 ? 20 : -15);
  attention_case k = {.qkv = qkv, .s = trm_sequences_equal(1, T), .C = C, .H = 1};
  run_forward(&k, (trm_real *[]){out, lse});
  for (int i = 0; i < T * C; ++i) CHECK(isfinite(out[i]));
  qkv[66 * 3 * C + C] = (trm_real)NAN; /* key 66: queries from 66 on see it */
  run_forward(&k, (trm_real *[]){out, lse});
  for (int i = 0; i < T * C; ++i) CHECK_EQ(isnan(out[i]) != 0, i / C >= 66);
  for (int i = 0; i < T; ++i) CHECK_EQ(isnan(lse[i]) != 0, i >= 66);
}

int main(void) {
  static const int64_t lengths[] = {1, 2, 63, 64, 65, 130};
  static const int64_t heads[] = {1, 8, 32, 64};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
    for (size_t j = 0; j < sizeof heads / sizeof heads[0]; ++j) {
      check_one(2, lengths[i], 1, heads[j]);
      check_one(1, lengths[i], 3, heads[j]);
    }
  }
  check_one(1, 530, 2, 20); /* three groups of queries, a head size that is no multiple of 16 */
  check_one(5, 100, 2, 48);
  check_one(0, 5, 1, 4);
  check_one(2, 0, 1, 4);
  for_each_isa(check_extremes, NULL);
  return check_verdict();
}
