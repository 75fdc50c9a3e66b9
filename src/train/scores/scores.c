#include "trireme/train/scores.h"

#include <math.h>
#include <stdlib.h>

void trm_predict_classes(const float *logits, int64_t n, int64_t n_classes, int32_t *predicted) {
  for (int64_t i = 0; i < n; ++i) {
    const float *row = logits + i * n_classes;
    int32_t best = -1;
    for (int64_t c = 0; c < n_classes; ++c) {
      if (!isfinite(row[c])) {
        best = -1;
        break;
      }
      if (best < 0 || row[c] > row[best]) best = (int32_t)c;
    }
    predicted[i] = best;
  }
}

void trm_class_counts_add(double *counts, int64_t n_classes, const int32_t *labels,
                          const int32_t *predicted, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t label = labels[i], guess = predicted[i];
    if (label < 0) continue;
    counts[TRM_COUNT_LABELLED * n_classes + label] += 1;
    if (guess < 0) continue;
    counts[TRM_COUNT_PREDICTED * n_classes + guess] += 1;
    if (guess == label) counts[TRM_COUNT_RIGHT * n_classes + label] += 1;
  }
}

double trm_class_counts_accuracy(const double *counts, int64_t n_classes) {
  double right = 0, all = 0;
  for (int64_t c = 0; c < n_classes; ++c) {
    right += counts[TRM_COUNT_RIGHT * n_classes + c];
    all += counts[TRM_COUNT_LABELLED * n_classes + c];
  }
  return all > 0 ? right / all : (double)NAN;
}

double trm_class_counts_macro_f1(const double *counts, int64_t n_classes) {
  double sum = 0, n = 0;
  for (int64_t c = 0; c < n_classes; ++c) {
    const double either =
        counts[TRM_COUNT_LABELLED * n_classes + c] + counts[TRM_COUNT_PREDICTED * n_classes + c];
    if (either == 0) continue;
    sum += 2 * counts[TRM_COUNT_RIGHT * n_classes + c] / either;
    n += 1;
  }
  return n > 0 ? sum / n : (double)NAN;
}

double trm_class_counts_micro_f1(const double *counts, int64_t n_classes) {
  double right = 0, either = 0;
  for (int64_t c = 0; c < n_classes; ++c) {
    right += counts[TRM_COUNT_RIGHT * n_classes + c];
    either +=
        counts[TRM_COUNT_LABELLED * n_classes + c] + counts[TRM_COUNT_PREDICTED * n_classes + c];
  }
  return either > 0 ? 2 * right / either : (double)NAN;
}

double trm_class_counts_mcc(const double *counts, int64_t n_classes) {
  double right = 0, all = 0, predicted = 0, both = 0, labels = 0, guesses = 0;
  for (int64_t c = 0; c < n_classes; ++c) {
    const double labelled = counts[TRM_COUNT_LABELLED * n_classes + c];
    const double guessed = counts[TRM_COUNT_PREDICTED * n_classes + c];
    right += counts[TRM_COUNT_RIGHT * n_classes + c];
    all += labelled;
    predicted += guessed;
    both += labelled * guessed;
    labels += labelled * labelled;
    guesses += guessed * guessed;
  }
  guesses += (all - predicted) * (all - predicted); /* without a prediction */
  const double spread = (all * all - guesses) * (all * all - labels);
  if (all == 0) return (double)NAN;
  return spread > 0 ? (all * right - both) / sqrt(spread) : 0;
}

/* ---- area under the ROC curve ---------------------------------------------------------------- */

static int by_score(const void *a, const void *b) {
  const double x = ((const trm_scored *)a)->score, y = ((const trm_scored *)b)->score;
  return (x > y) - (x < y);
}

/* Of samples in rising order of their scores. */
static double area(const trm_scored *samples, int64_t n) {
  double positives = 0, negatives = 0, below = 0, sum = 0;
  for (int64_t i = 0; i < n;) {
    double here[2] = {0, 0};
    int64_t end = i;
    for (; end < n && !(samples[end].score > samples[i].score); ++end)
      here[samples[end].label] += 1;
    sum += here[1] * (below + here[0] / 2); /* ties count half */
    below += here[0];
    positives += here[1];
    negatives += here[0];
    i = end;
  }
  return positives > 0 && negatives > 0 ? sum / (positives * negatives) : (double)NAN;
}

double trm_roc_auc(trm_scored *samples, int64_t n) {
  int64_t kept = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (samples[i].label != 0 && samples[i].label != 1) continue;
    if (isnan(samples[i].score)) return (double)NAN;
    samples[kept++] = samples[i];
  }
  if (kept == 0) return (double)NAN;
  qsort(samples, (size_t)kept, sizeof *samples, by_score);
  return area(samples, kept);
}

void trm_mean_deviation(const double *values, int64_t n, double *mean, double *deviation) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i) sum += values[i];
  *mean = n > 0 ? sum / (double)n : (double)NAN;
  for (int64_t i = 0; i < n; ++i) squares += (values[i] - *mean) * (values[i] - *mean);
  *deviation = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
}
