/* Attacks, number by number: ball, range, signs, directions, starts. Passes are in tests/golden and e2e. */
#include <math.h>
#include <string.h>

#include "attack.h"
#include "check.h"
#include "robustness.h"

enum { N = 3, WIDTH = 4, ROWS = 6, SIZE = ROWS * WIDTH };

/* Samples of 1, 3 and 2 rows. */
static const int64_t offsets[N + 1] = {0, 1, 4, ROWS};
static const trm_attacked ragged = {.rows = {N, ROWS, 3, offsets}, .width = WIDTH, .sample0 = 5};

static const trm_random_key *key(void) {
  static trm_random_key k;
  k = trm_random_key_make(3, TRM_RANDOM_ATTACK, 7, 0);
  return &k;
}

static double length_of(const trm_real *x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += (double)x[i] * (double)x[i];
  return sqrt(sum);
}

static void test_step_size(void) {
  CHECK_NEAR(trm_attack_step_size(0.3, 1), 0.3, 0);
  CHECK_NEAR(trm_attack_step_size(0.3, 10), 0.075, 1e-15);
}

/* A sign of 0 moves nothing; the ball comes before the range. */
static void test_sup(void) {
  const float clean[WIDTH] = {0.5F, 0.05F, 0.98F, 0.5F};
  const trm_attacked on = {.rows = trm_sequences_equal(1, 1), .width = WIDTH, .clean = clean};
  const trm_attack a = {.norm = TRM_ATTACK_SUP, .eps = 0.1, .step_size = 0.08, .steps = 2};
  const trm_real grad[WIDTH] = {1e-30F, -5, 2, 0};
  trm_real change[WIDTH] = {0};
  trm_attack_step(&a, &on, grad, change);
  CHECK_NEAR(change[0], 0.08F, 0);
  CHECK_NEAR(change[1], -0.05F, 0);
  CHECK_NEAR(change[2], 1 - 0.98F, 0);
  CHECK_NEAR(change[3], 0, 0);
  trm_attack_step(&a, &on, grad, change);
  CHECK_NEAR(change[0], 0.1F, 0);
  for (int i = 0; i < WIDTH; ++i) {
    const trm_real moved = clean[i] + change[i];
    CHECK(moved >= 0 && moved <= 1);
  }
  const trm_real nothing[WIDTH] = {NAN, 0, -0.0F, NAN}; /* no direction: it stays */
  trm_real before[WIDTH];
  memcpy(before, change, sizeof before);
  trm_attack_step(&a, &on, nothing, change);
  CHECK(memcmp(before, change, sizeof before) == 0);
}

/* Every sample has a ball of its own, whatever the others do. */
static void test_two(void) {
  const trm_attack a = {.norm = TRM_ATTACK_TWO, .eps = 1, .step_size = 0.75, .steps = 2};
  trm_real grad[SIZE] = {0}, change[SIZE] = {0};
  grad[0] = 3; /* sample 0: (3, 4); 1: all alike; 2: none */
  grad[1] = 4;
  for (int i = WIDTH; i < 4 * WIDTH; ++i) grad[i] = -1e-20F;
  trm_attack_step(&a, &ragged, grad, change);
  CHECK_NEAR(change[0], 0.45, 1e-7);
  CHECK_NEAR(change[1], 0.6, 1e-7);
  CHECK_NEAR(length_of(change + WIDTH, 3 * WIDTH), 0.75, 1e-6);
  CHECK_NEAR(change[WIDTH], -0.75 / sqrt(12), 1e-6);
  trm_attack_step(&a, &ragged, grad, change);
  CHECK_NEAR(change[0], 0.6, 1e-6);
  CHECK_NEAR(change[1], 0.8, 1e-6);
  CHECK_NEAR(length_of(change + WIDTH, 3 * WIDTH), 1, 1e-6);
  for (int i = 4 * WIDTH; i < SIZE; ++i) CHECK_NEAR_AT(change[i], 0, 0, i);
}

/* A start is in the ball, and that of the sample alone. */
static void test_starts(void) {
  for (int norm = 0; norm < 2; ++norm) {
    for (int start = TRM_ATTACK_CLEAN; start <= TRM_ATTACK_SPREAD; ++start) {
      const trm_attack a = {.norm = (trm_attack_norm)norm,
                            .eps = 0.25,
                            .step_size = 1,
                            .steps = 1,
                            .start = (trm_attack_start)start};
      trm_real change[SIZE], alone[SIZE];
      trm_attack_begin(&a, &ragged, *key(), change);
      double most = 0;
      for (int i = 0; i < SIZE; ++i) most = fmax(most, fabs((double)change[i]));
      CHECK(start == TRM_ATTACK_CLEAN ? most == 0 : most > 0);
      CHECK(most <= (start == TRM_ATTACK_NEAR ? 0.005 : 0.25));
      for (int s = 0; s < N; ++s) {
        const int64_t n = (offsets[s + 1] - offsets[s]) * WIDTH;
        const double length = length_of(change + offsets[s] * WIDTH, n);
        if (norm == TRM_ATTACK_TWO || start == TRM_ATTACK_SPREAD) CHECK(length <= 0.25 + 1e-7);
        const trm_attacked one = {
            .rows = trm_sequences_equal(1, n / WIDTH), .width = WIDTH, .sample0 = 5 + s};
        trm_attack_begin(&a, &one, *key(), alone);
        CHECK(memcmp(alone, change + offsets[s] * WIDTH, (size_t)n * sizeof *alone) == 0);
      }
    }
  }
}

/* In the range too, from the first. */
static void test_start_in_range(void) {
  static const float clean[WIDTH] = {0, 1, 0.5F, 0.01F};
  const trm_attacked on = {.rows = trm_sequences_equal(1, 1), .width = WIDTH, .clean = clean};
  const trm_attack a = {.eps = 0.3, .step_size = 1, .steps = 1, .start = TRM_ATTACK_RANDOM};
  for (uint64_t step = 0; step < 50; ++step) {
    trm_real change[WIDTH];
    trm_attack_begin(&a, &on, trm_random_key_make(1, TRM_RANDOM_ATTACK, step, 0), change);
    for (int i = 0; i < WIDTH; ++i) {
      CHECK(clean[i] + change[i] >= 0 && clean[i] + change[i] <= 1);
      CHECK(fabs((double)change[i]) <= (double)0.3F);
    }
  }
}

/* Of every row the worst of all outputs counts, each for itself. */
static void test_worst(void) {
  static const int32_t classes[4] = {0, 1, -1, 0};
  static const trm_real clean[8] = {2, 0, 0, 1, 0, 9, 0, 3}, once[8] = {1, 0, 5, 1, 9, 0, 0, 2},
                        again[8] = {0, 1, 0, 3, 9, 0, NAN, 0};
  const trm_judged judged[3] = {{.outputs = clean, .n = 4, .width = 2, .classes = classes},
                                {.outputs = once, .n = 4, .width = 2, .classes = classes},
                                {.outputs = again, .n = 4, .width = 2, .classes = classes}};
  trm_worst *w = NULL;
  double sums[2 * TRM_N_ROBUST_SUMS] = {0};
  trm_robustness r = {0};
  CHECK_OK(trm_worst_create(4, &w));
  trm_worst_begin(w, &judged[0]);
  trm_worst_see(w, &judged[1]);
  trm_worst_sum(w, 0, 2, sums);
  trm_worst_sum(w, 2, 4, sums + TRM_N_ROBUST_SUMS);
  trm_robustness_join(sums, 2, 0, &r);
  CHECK_EQ(r.count, 3);
  CHECK(r.classes);
  CHECK_NEAR(r.clean, 2.0 / 3, 1e-15);
  CHECK_NEAR(r.attacked, 1.0 / 3, 1e-15);
  const double losses[3] = {log1p(exp(-1)), log1p(exp(4)), log1p(exp(3))};
  CHECK_NEAR(r.attacked_loss, (losses[0] + losses[1] + losses[2]) / 3, 1e-12);
  trm_worst_see(w, &judged[2]);
  trm_worst_see(w, &judged[1]);
  memset(sums, 0, sizeof sums);
  trm_worst_sum(w, 0, 4, sums);
  CHECK_NEAR(sums[TRM_ROBUST_RIGHT], 2, 0);
  CHECK_NEAR(sums[TRM_ROBUST_HELD], 0, 0);
  CHECK(isnan(sums[TRM_ROBUST_WORST_LOSS])); /* what is no number is not forgotten */
  trm_worst_destroy(&w);
}

static void test_worst_numbers(void) {
  static const float numbers[3] = {1, NAN, -1};
  static const trm_real clean[3] = {1, 5, 0}, once[3] = {0, 9, -1}, again[3] = {4, 9, -1};
  trm_judged judged = {.outputs = clean, .n = 3, .width = 1, .numbers = numbers};
  trm_worst *w = NULL;
  double sums[TRM_N_ROBUST_SUMS] = {0};
  trm_robustness r = {0};
  CHECK_OK(trm_worst_create(3, &w));
  trm_worst_begin(w, &judged);
  judged.outputs = again;
  trm_worst_see(w, &judged);
  judged.outputs = once;
  trm_worst_see(w, &judged);
  trm_worst_sum(w, 0, 3, sums);
  trm_robustness_join(sums, 1, 10, &r);
  CHECK_EQ(r.count, 2);
  CHECK_NEAR(r.clean, 10 * sqrt(0.5), 1e-12);
  CHECK_NEAR(r.attacked, 10 * sqrt((9.0 + 1) / 2), 1e-12);
  trm_worst_destroy(&w);
}

static void test_read(void) {
  trm_attack_options o = {.name = "pgd", .norm = "2", .eps = 0.4, .restarts = 1};
  trm_attack a;
  CHECK_OK(trm_attack_read(&o, &a));
  CHECK_EQ(a.steps, 40);
  CHECK_EQ(a.norm, TRM_ATTACK_TWO);
  CHECK_EQ(a.start, TRM_ATTACK_RANDOM);
  CHECK_NEAR(a.step_size, 0.025, 1e-15);
  o = (trm_attack_options){.name = "fgsm", .norm = "sup", .eps = 0.4, .restarts = 1};
  CHECK_OK(trm_attack_read(&o, &a));
  CHECK_EQ(a.steps, 1);
  CHECK_EQ(a.start, TRM_ATTACK_CLEAN);
  CHECK_NEAR(a.step_size, 0.4, 0);
  o.restarts = 2;
  CHECK_OK(trm_attack_read(&o, &a));
  CHECK_EQ(a.start, TRM_ATTACK_RANDOM);
}

int main(void) {
  test_step_size();
  test_sup();
  test_two();
  test_starts();
  test_start_in_range();
  test_worst();
  test_worst_numbers();
  test_read();
  return check_verdict();
}
