/* Scores against values worked out by hand and against plain definitions on random numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/core/random.h"
#include "trireme/train/pair_auc.h"
#include "trireme/train/scores.h"

static void check_classes(void) {
  const float logits[] = {1, 3, 2, /* */ 5, 5, 1, /* */ NAN, 1, 2, /* */ -1, -2, -0.5F};
  int32_t got[4];
  trm_predict_classes(logits, 4, 3, got);
  CHECK_EQ(got[0], 1);
  CHECK_EQ(got[1], 0); /* the first of equals */
  CHECK_EQ(got[2], -1);
  CHECK_EQ(got[3], 2);
  double counts[TRM_N_CLASS_COUNTS * 3] = {0};
  trm_class_counts_add(counts, 3, (int32_t[]){1, 0, 2, 2}, got, 4);
  trm_class_counts_add(counts, 3, (int32_t[]){-1}, (int32_t[]){0}, 1);
  CHECK_NEAR(trm_class_counts_accuracy(counts, 3), 0.75, 1e-15); /* no prediction is a wrong one */
  /* Classes 0 and 1 right; 2 labelled twice, predicted once. */
  CHECK_NEAR(trm_class_counts_macro_f1(counts, 3), (1 + 1 + 2.0 / 3) / 3, 1e-15);
  memset(counts, 0, sizeof counts);
  CHECK(isnan(trm_class_counts_accuracy(counts, 3)));
  CHECK(isnan(trm_class_counts_macro_f1(counts, 3)));
  /* Class 2 never occurs; class 0: precision 2/3, recall 1; class 1: 1, 1/2. */
  trm_class_counts_add(counts, 3, (int32_t[]){0, 0, 1, 1}, (int32_t[]){0, 0, 0, 1}, 4);
  CHECK_NEAR(trm_class_counts_macro_f1(counts, 3), (0.8 + 2.0 / 3) / 2, 1e-15);
  CHECK_NEAR(trm_class_counts_micro_f1(counts, 3), 0.75, 1e-15); /* the accuracy */
  /* As many classes a sample as there are: 3 right of 4 labelled and 5 predicted. */
  const double sets[TRM_N_CLASS_COUNTS * 2] = {1, 2, /* */ 2, 2, /* */ 2, 3};
  CHECK_NEAR(trm_class_counts_micro_f1(sets, 2), 6.0 / 9, 1e-15);
  CHECK(isnan(trm_class_counts_micro_f1((double[TRM_N_CLASS_COUNTS]){0}, 1)));
}

static double mcc(int64_t n, const int32_t *labels, const int32_t *predicted) {
  double counts[TRM_N_CLASS_COUNTS * 3] = {0};
  trm_class_counts_add(counts, 3, labels, predicted, n);
  return trm_class_counts_mcc(counts, 3);
}

static void check_mcc(void) {
  /* Two classes: (tp tn - fp fn) / sqrt(...) with tp 2, tn 1, fp 1, fn 1. */
  CHECK_NEAR(mcc(5, (int32_t[]){1, 1, 1, 0, 0}, (int32_t[]){1, 1, 0, 0, 1}), 1.0 / 6, 1e-15);
  CHECK_NEAR(mcc(3, (int32_t[]){0, 1, 2}, (int32_t[]){0, 1, 2}), 1, 1e-15);
  CHECK_NEAR(mcc(3, (int32_t[]){0, 1, 1}, (int32_t[]){1, 0, 0}), -1, 1e-15);
  CHECK_NEAR(mcc(3, (int32_t[]){0, 1, 2}, (int32_t[]){1, 1, 1}), 0, 0);
  CHECK_NEAR(mcc(3, (int32_t[]){1, 1, 1}, (int32_t[]){0, 1, 2}), 0, 0);
  CHECK_NEAR(mcc(1, (int32_t[]){1}, (int32_t[]){1}), 0, 0);
  CHECK(isnan(mcc(1, (int32_t[]){-1}, (int32_t[]){1})));
  /* No prediction is as good as one class that is never right. */
  CHECK_NEAR(mcc(5, (int32_t[]){0, 0, 1, 1, 1}, (int32_t[]){0, -1, 1, -1, 1}),
             mcc(5, (int32_t[]){0, 0, 1, 1, 1}, (int32_t[]){0, 2, 1, 2, 1}), 1e-15);
}

/* Share of pairs in the right order, ties half. */
static double plain_auc(const trm_scored *s, int n) {
  double right = 0, pairs = 0;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      if (s[i].label != 1 || s[j].label != 0) continue;
      pairs += 1;
      right += s[i].score > s[j].score ? 1 : s[i].score < s[j].score ? 0 : 0.5;
    }
  }
  return pairs > 0 ? right / pairs : (double)NAN;
}

static void check_auc(void) {
  trm_scored s[200];
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  for (int n = 2; n <= 200; n += 33) {
    for (int i = 0; i < n; ++i) {
      s[i].score = (double)trm_random_below(key, (uint64_t)n, (uint64_t)i, 12); /* many ties */
      s[i].label = (int32_t)trm_random_below(key, 1000 + (uint64_t)n, (uint64_t)i, 3) - 1;
    }
    s[0].label = 0;
    s[1].label = 1;
    const double want = plain_auc(s, n);
    CHECK_NEAR_AT(trm_roc_auc(s, n), want, 1e-12, n);
  }
  CHECK(isnan(trm_roc_auc((trm_scored[]){{1, 1}, {2, 1}}, 2)));
  CHECK(isnan(trm_roc_auc(s, 0)));
  CHECK_NEAR(trm_roc_auc((trm_scored[]){{2, 1}, {1, 0}}, 2), 1, 0);
  CHECK_NEAR(trm_roc_auc((trm_scored[]){{1, 1}, {2, 0}}, 2), 0, 0);
  CHECK_NEAR(trm_roc_auc((trm_scored[]){{1 + 1e-12, 1}, {1, 0}}, 2), 1, 0); /* a tie of floats */
  CHECK(isnan(trm_roc_auc((trm_scored[]){{2, 1}, {NAN, 1}, {1, 0}}, 3)));
  CHECK_NEAR(trm_roc_auc((trm_scored[]){{2, 1}, {NAN, -1}, {1, 0}}, 3), 1, 0);
}

/* Counting against the sorted ones gives what sorting all gives, ties and signs included. */
static void check_pair_auc(void) {
  enum { BOUGHT = 60, REST = 400 };
  float bought[BOUGHT], rest[REST];
  trm_scored all[BOUGHT + REST];
  uint32_t state = 7;
  for (int i = 0; i < BOUGHT + REST; ++i) {
    state = state * 1664525u + 1013904223u;
    float score = (float)((int)(state >> 20) % 101 - 50) * 0.01f;
    if (i % 7 == 0) score = (float)((int)(state >> 8) % 1000 - 500); /* few ties */
    if (i % 50 == 0) score = i % 100 ? 0.0f : -0.0f;
    *(i < BOUGHT ? &bought[i] : &rest[i - BOUGHT]) = score;
    all[i] = (trm_scored){(double)score, i < BOUGHT};
  }
  trm_pair_auc *auc = NULL;
  CHECK_OK(trm_pair_auc_create(bought, BOUGHT, &auc));
  const int64_t twice =
      trm_pair_auc_count(auc, rest, 150) + trm_pair_auc_count(auc, rest + 150, REST - 150);
  CHECK_NEAR((double)twice / (2.0 * BOUGHT * REST), trm_roc_auc(all, BOUGHT + REST), 1e-15);
  CHECK_EQ(trm_pair_auc_count(auc, &(float){NAN}, 1), 2 * BOUGHT); /* below all */
  trm_pair_auc_destroy(&auc);
  CHECK_OK(trm_pair_auc_create(NULL, 0, &auc));
  CHECK_EQ(trm_pair_auc_count(auc, rest, REST), 0);
  trm_pair_auc_destroy(&auc);
}

static void check_numbers(void) {
  const double none = (double)NAN;
  trm_fit fit = trm_score_numbers((trm_estimate[]){{1, 2}, {5, none}, {4, 2}, {7, 8}}, 4);
  CHECK_NEAR(fit.rmse, sqrt(2), 1e-15);
  CHECK_NEAR(fit.mae, 4.0 / 3, 1e-15);
  CHECK_NEAR(fit.r2, 1 - 6.0 / 24, 1e-15);
  fit = trm_score_numbers((trm_estimate[]){{0.2, 0.1}, {0.1, 0.1}, {0, 0.1}}, 3);
  CHECK_NEAR(fit.mae, 0.2 / 3, 1e-15);
  CHECK(isnan(fit.r2)); /* the mean of 0.1 three times is not 0.1 */
  fit = trm_score_numbers((trm_estimate[]){{3, none}, {none, none}, {2, 1}}, 3);
  CHECK_NEAR(fit.rmse, 1, 0);
  CHECK(isnan(fit.r2));
  const trm_estimate bad[] = {{1, 2}, {INFINITY, 2}, {1, 3}};
  fit = trm_score_numbers(bad, 3);
  CHECK(isnan(fit.rmse) && isnan(fit.mae) && isnan(fit.r2));
  fit = trm_score_numbers(bad, 0);
  CHECK(isnan(fit.rmse) && isnan(fit.mae) && isnan(fit.r2));
}

static void check_ranking(void) {
  const int32_t top[6] = {4, 0, 2, 3, -1, -1};
  trm_ranking r = trm_score_ranking(top, 3, (int32_t[]){2, 4}, 2);
  CHECK_NEAR(r.recall, 1, 0);
  CHECK_NEAR(r.precision, 2.0 / 3, 1e-15);
  CHECK_NEAR(r.ndcg, (1 + 0.5) / (1 + 1 / log2(3)), 1e-12);
  r = trm_score_ranking(top, 6, (int32_t[]){3}, 1); /* fewer items than K */
  CHECK_NEAR(r.recall, 1, 0);
  CHECK_NEAR(r.precision, 1.0 / 6, 1e-15);
  CHECK_NEAR(r.ndcg, 1 / log2(5), 1e-12);
  r = trm_score_ranking(top, 2, NULL, 0);
  CHECK_NEAR(r.recall, 0, 0);
  CHECK_NEAR(r.ndcg, 0, 0);
}

static void check_mean(void) {
  double mean, deviation;
  trm_mean_deviation((double[]){1, 2, 3, 4}, 4, &mean, &deviation);
  CHECK_NEAR(mean, 2.5, 1e-15);
  CHECK_NEAR(deviation, sqrt(5.0 / 3), 1e-15);
  trm_mean_deviation((double[]){7}, 1, &mean, &deviation);
  CHECK_NEAR(deviation, 0, 0);
  trm_mean_deviation(NULL, 0, &mean, &deviation);
  CHECK(isnan(mean));
}

int main(void) {
  check_classes();
  check_mcc();
  check_auc();
  check_pair_auc();
  check_numbers();
  check_ranking();
  check_mean();
  return check_verdict();
}
