/* Dropout: the mask against the documented use of the generator, its independence of batch and
 * layout, the share of dropped elements, rounding of p, in place and adding. */
#include "kernel_check.h"

typedef struct dropout_case {
  trm_real *x;
  int64_t C, sample0;
  trm_sequences s;
  double p;
  trm_random_key key;
  bool add;
} dropout_case;

static void run(void *p, trm_real **out) {
  const dropout_case *k = p;
  trm_dropout(out[0], k->x, &k->s, k->C, k->p, k->key, k->sample0, k->add);
}
static void run_in_place(void *p, trm_real **out) {
  const dropout_case *k = p;
  memcpy(out[0], k->x, (size_t)(k->s.n_rows * k->C) * sizeof **out);
  trm_dropout(out[0], out[0], &k->s, k->C, k->p, k->key, k->sample0, false);
}

static bool keeps(const dropout_case *k, int64_t i, uint32_t threshold) {
  const int64_t sequence = trm_sequence_of_row(&k->s, i / k->C), sample = k->sample0 + sequence;
  const int64_t position = i - trm_sequence_first(&k->s, sequence) * k->C;
  uint32_t words[4];
  trm_random_words(k->key, (uint64_t)sample, (uint64_t)position / 8, words);
  const uint32_t word = words[position % 8 / 2];
  return (position % 2 == 0 ? word & 0xffffu : word >> 16) >= threshold;
}

static void check_one(trm_sequences s, int64_t C, int64_t sample0, double p) {
  const int64_t N = s.n_rows;
  uint64_t state = (uint64_t)(N * 77 + C + s.longest);
  dropout_case k = {.s = s, .C = C, .sample0 = sample0, .p = p};
  k.key = trm_random_key_make(42, TRM_RANDOM_DROPOUT, 7, 3);
  double *x;
  k.x = test_random(N * C, 2, &state, &x);
  trm_real *start = test_random(N * C, 1, &state, NULL);
  double *want = NEW_DOUBLES(N * C);
  const uint32_t threshold = (uint32_t)fmin(65535, floor(p * 65536 + 0.5));
  int64_t n_kept = 0;
  for (int64_t i = 0; i < N * C; ++i) {
    const bool keep = keeps(&k, i, threshold);
    n_kept += keep;
    want[i] = keep ? x[i] * 65536 / (65536 - (double)threshold) : 0;
  }
  if (N * C > 10000) {
    const double n = (double)(N * C);
    CHECK_NEAR((double)n_kept / n, 1 - p, 5 * sqrt(p * (1 - p) / n) + 1e-5);
  }
  kernel_case c = {
      .name = "dropout", .run = run, .context = &k, .n = {N * C}, .want = {want}, .tolerance = {2}};
  check_kernel(c);
  c.run = run_in_place;
  check_kernel(c);
  k.add = true;
  c.run = run;
  c.start[0] = start;
  check_kernel(c);
  free(k.x);
  free(x);
  free(start);
  free(want);
}

/* Sequence 5 alone has the mask that it has as the third of a batch; a shorter one has the beginning of
 * it. */
static void check_batch_independence(void *context, const char *isa) {
  (void)context;
  (void)isa;
  enum { ROWS = 13, C = 37, SAMPLES = 4 };
  trm_real x[SAMPLES * ROWS * C], all[SAMPLES * ROWS * C], one[ROWS * C];
  for (int i = 0; i < SAMPLES * ROWS * C; ++i) x[i] = 1;
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_DROPOUT, 2, 3);
  const trm_sequences several = trm_sequences_equal(SAMPLES, ROWS);
  const trm_sequences whole = trm_sequences_equal(1, ROWS), part = trm_sequences_equal(1, ROWS - 2);
  trm_dropout(all, x, &several, C, 0.3, key, 3, false);
  trm_dropout(one, x, &part, C, 0.3, key, 5, false);
  CHECK(memcmp(one, all + 2 * ROWS * C, (ROWS - 2) * C * sizeof *one) == 0);
  const trm_random_key other = trm_random_key_make(1, TRM_RANDOM_DROPOUT, 2, 4);
  trm_dropout(one, x, &whole, C, 0.3, other, 5, false);
  CHECK(memcmp(one, all + 2 * ROWS * C, sizeof one) != 0);
}

/* ---- rows keyed by ids ----------------------------------------------------------------------- */

typedef struct rows_case {
  trm_real *x;
  int32_t *ids;
  int64_t N, C;
  double p;
  trm_random_key key;
  bool add;
} rows_case;

static void run_rows(void *p, trm_real **out) {
  const rows_case *k = p;
  trm_dropout_rows(out[0], k->x, k->ids, k->N, k->C, k->p, k->key, k->add);
}

static void check_rows(int64_t N, int64_t C, double p, bool add) {
  uint64_t state = (uint64_t)(N * 77 + C);
  rows_case k = {.N = N, .C = C, .p = p, .add = add, .ids = test_calloc(N, sizeof(int32_t))};
  k.key = trm_random_key_make(42, TRM_RANDOM_DROPOUT, 7, 3);
  double *x, *want = NEW_DOUBLES(N * C);
  k.x = test_random(N * C, 2, &state, &x);
  trm_real *start = test_random(N * C, 1, &state, NULL);
  const double threshold = floor(p * 65536 + 0.5);
  for (int64_t r = 0; r < N; ++r) {
    k.ids[r] = (int32_t)test_below(&state, INT32_MAX);
    for (int64_t c = 0; c < C; ++c) {
      uint32_t words[4];
      trm_random_words(k.key, (uint64_t)k.ids[r], (uint64_t)c / 8, words);
      const uint32_t word = words[c % 8 / 2];
      const uint32_t draw = c % 2 == 0 ? word & 0xffffu : word >> 16;
      want[r * C + c] = draw < threshold ? 0 : x[r * C + c] * 65536 / (65536 - threshold);
    }
  }
  check_kernel((kernel_case){.name = "dropout of rows",
                             .run = run_rows,
                             .context = &k,
                             .n = {N * C},
                             .want = {want},
                             .start = {add ? start : NULL},
                             .tolerance = {2}});
  free(k.x), free(k.ids), free(x), free(want), free(start);
}

static void check_nan(void *context, const char *isa) {
  (void)context;
  (void)isa;
  trm_real x[64], y[64];
  for (int i = 0; i < 64; ++i) x[i] = (trm_real)NAN;
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_DROPOUT, 2, 3);
  const trm_sequences one = trm_sequences_equal(1, 1);
  trm_dropout(y, x, &one, 64, 0.5, key, 0, false);
  for (int i = 0; i < 64; ++i) CHECK(isnan(y[i]));
}

int main(void) {
  static const int64_t ragged[] = {0, 1, 1, 80, 83, 300};
  check_one(trm_sequences_equal(0, 2), 4, 0, 0.1);
  check_one(trm_sequences_equal(1, 1), 1, 0, 0.5);
  check_one(trm_sequences_equal(3, 2), 3, 9, 0.25);
  check_one(trm_sequences_equal(13, 10), 65, INT64_C(5000000000), 0.1);
  check_one(trm_sequences_equal(12, 64), 128, 100, 0.2);
  check_one(trm_sequences_equal(2, 150), 384, 0, 0.0);
  check_one(trm_sequences_equal(1, 100), 40, 1, 0.9999999);
  check_one((trm_sequences){5, 300, 217, ragged}, 67, 12, 0.3);
  for (int add = 0; add < 2; ++add) {
    check_rows(0, 4, 0.5, add);
    check_rows(1, 1, 0.5, add);
    check_rows(67, 7, 0.6, add);
    check_rows(300, 64, 0.6, add);
    check_rows(40, 1003, 0.1, add);
  }
  for_each_isa(check_batch_independence, NULL);
  for_each_isa(check_nan, NULL);
  return check_verdict();
}
