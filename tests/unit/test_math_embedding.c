/* Token and position tables against plain loops; repeated ids add up in index order. */
#include "kernel_check.h"

typedef struct table_case {
  trm_real *x, *w, scale;
  int32_t *ids;
  int64_t N, C, V;
  trm_sequences s;
  bool add;
} table_case;

static void run_forward(void *p, trm_real **out) {
  const table_case *k = p;
  trm_embedding_forward(out[0], k->w, k->ids, k->N, k->C);
}
static void run_backward(void *p, trm_real **out) {
  const table_case *k = p;
  trm_embedding_backward(out[0], k->x, k->ids, k->N, k->C, k->V, k->add);
}
static void run_position(void *p, trm_real **out) {
  const table_case *k = p;
  trm_position_forward(out[0], k->x, k->w, k->scale, &k->s, k->C);
}
static void run_position_in_place(void *p, trm_real **out) {
  const table_case *k = p;
  memcpy(out[0], k->x, (size_t)(k->s.n_rows * k->C) * sizeof **out);
  trm_position_forward(out[0], out[0], k->w, k->scale, &k->s, k->C);
}
static void run_position_backward(void *p, trm_real **out) {
  const table_case *k = p;
  trm_position_backward(out[0], k->x, &k->s, k->C, k->add);
}

static void check_tokens(int64_t N, int64_t C, int64_t V) {
  uint64_t state = (uint64_t)(N + 31 * C + 977 * V);
  table_case k = {.N = N, .C = C, .V = V};
  double *x, *w;
  k.x = test_random(N * C, 1, &state, &x);
  k.w = test_random(V * C, 1, &state, &w);
  k.ids = test_calloc(N, sizeof *k.ids);
  trm_real *start = test_random(V * C, 1, &state, NULL);
  double *y = NEW_DOUBLES(N * C), *dw = NEW_DOUBLES(V * C);
  for (int64_t i = 0; i < N; ++i) {
    k.ids[i] = (int32_t)test_below(&state, V);
    for (int64_t c = 0; c < C; ++c) {
      y[i * C + c] = w[k.ids[i] * C + c];
      dw[k.ids[i] * C + c] += x[i * C + c];
    }
  }
  const double tolerance = 4 + 2 * sqrt((double)N);
  check_kernel((kernel_case){
      .name = "embedding", .run = run_forward, .context = &k, .n = {N * C}, .want = {y}});
  check_kernel((kernel_case){.name = "embedding backward",
                             .run = run_backward,
                             .context = &k,
                             .n = {V * C},
                             .want = {dw},
                             .tolerance = {tolerance}});
  k.add = true;
  check_kernel((kernel_case){.name = "embedding backward add",
                             .run = run_backward,
                             .context = &k,
                             .n = {V * C},
                             .want = {dw},
                             .start = {start},
                             .tolerance = {tolerance}});
  free(k.x);
  free(k.w);
  free(k.ids);
  free(x);
  free(w);
  free(start);
  free(y);
  free(dw);
}

static void check_positions(trm_sequences s, int64_t C, double scale) {
  const int64_t R = s.n_rows, T = s.longest;
  uint64_t state = (uint64_t)(R + 31 * C + 977 * T);
  table_case k = {.C = C, .s = s, .scale = (trm_real)scale};
  double *x, *p;
  k.x = test_random(R * C, 1, &state, &x);
  k.w = test_random(T * C, 1, &state, &p);
  trm_real *start = test_random(T * C, 1, &state, NULL);
  double *y = NEW_DOUBLES(R * C), *dp = NEW_DOUBLES(T * C);
  for (int64_t i = 0, r = 0; i < s.n; ++i) {
    for (int64_t t = 0; t < trm_sequence_rows(&s, i); ++t, ++r) {
      CHECK_EQ(trm_sequence_of_row(&s, r), i);
      for (int64_t c = 0; c < C; ++c) {
        y[r * C + c] = (double)k.scale * x[r * C + c] + p[t * C + c];
        dp[t * C + c] += x[r * C + c];
      }
    }
  }
  const double tolerance = 4 + 2 * sqrt((double)s.n);
  check_kernel((kernel_case){.name = "position",
                             .run = run_position,
                             .context = &k,
                             .n = {R * C},
                             .want = {y},
                             .tolerance = {1}});
  check_kernel((kernel_case){.name = "position in place",
                             .run = run_position_in_place,
                             .context = &k,
                             .n = {R * C},
                             .want = {y},
                             .tolerance = {1}});
  check_kernel((kernel_case){.name = "position backward",
                             .run = run_position_backward,
                             .context = &k,
                             .n = {T * C},
                             .want = {dp},
                             .tolerance = {tolerance}});
  k.add = true;
  check_kernel((kernel_case){.name = "position backward add",
                             .run = run_position_backward,
                             .context = &k,
                             .n = {T * C},
                             .want = {dp},
                             .start = {start},
                             .tolerance = {tolerance}});
  free(k.x);
  free(k.w);
  free(x);
  free(p);
  free(start);
  free(y);
  free(dp);
}

static void check_sinusoidal(void *context, const char *isa) {
  (void)context;
  (void)isa;
  trm_real p[3 * 5];
  trm_position_sinusoidal(p, 3, 5);
  for (int t = 0; t < 3; ++t) {
    CHECK_NEAR(p[t * 5], sin(t), 1e-6);
    CHECK_NEAR(p[t * 5 + 1], cos(t), 1e-6);
    CHECK_NEAR(p[t * 5 + 2], sin(t / pow(10000, 2.0 / 5)), 1e-6);
    CHECK_NEAR(p[t * 5 + 3], cos(t / pow(10000, 2.0 / 5)), 1e-6);
    CHECK_NEAR(p[t * 5 + 4], sin(t / pow(10000, 4.0 / 5)), 1e-6);
  }
}

int main(void) {
  check_tokens(0, 4, 3);
  check_tokens(1, 1, 1);
  check_tokens(50, 33, 7);
  check_tokens(400, 128, 65);
  check_tokens(90, 384, 300);
  static const int64_t ragged[] = {0, 3, 3, 10, 11, 75};
  check_positions(trm_sequences_equal(0, 3), 4, 1);
  check_positions(trm_sequences_equal(1, 1), 1, 1);
  check_positions(trm_sequences_equal(3, 7), 33, 1);
  check_positions(trm_sequences_equal(12, 64), 128, 1);
  check_positions((trm_sequences){5, 75, 64, ragged}, 33, 1);
  check_positions((trm_sequences){5, 75, 64, ragged}, 300, 11.25);
  for_each_isa(check_sinusoidal, NULL);
  return check_verdict();
}
