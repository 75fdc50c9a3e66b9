/** Scores of predictions: exact, from counts and sorted scores, the same for any order of samples; those of
 *  numbers in the order of the samples. Of texts: text_scores.h. */
#ifndef TRIREME_TRAIN_SCORES_H
#define TRIREME_TRAIN_SCORES_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/csr.h"
#include "trireme/core/status.h"

typedef enum trm_metric_unit {
  TRM_METRIC_SHARE,  /* a share or the like, at most 1: tables give it in percent */
  TRM_METRIC_POINTS, /* 0 to 100 */
  TRM_METRIC_PLAIN,  /* in a unit of its own */
} trm_metric_unit;
/** A loss or a kind of score. */
typedef struct trm_metric {
  const char *name; /* "loss", "macro_f1" */
  trm_metric_unit unit;
  bool less_is_better;
} trm_metric;
/** By its name, or that of a score, "valid_macro_f1"; NULL: there is none. */
const trm_metric *trm_metric_find(const char *name);

/** Class with the greatest logit of each row, the first of equals; -1 for a row that is not finite. */
void trm_predict_classes(const float *logits, int64_t n, int64_t n_classes, int32_t *predicted);

/** What is counted of each class: counts[TRM_N_CLASS_COUNTS, n_classes], whole numbers. */
typedef enum trm_class_count {
  TRM_COUNT_RIGHT,     /* predicted, and the label */
  TRM_COUNT_LABELLED,  /* the label */
  TRM_COUNT_PREDICTED, /* predicted */
  TRM_N_CLASS_COUNTS
} trm_class_count;
/** Counts samples with a label >= 0. One without a prediction (-1) is labelled, and no more. */
void trm_class_counts_add(double *counts, int64_t n_classes, const int32_t *labels,
                          const int32_t *predicted, int64_t n);
/** Share of labelled samples that are right; NaN without any. */
double trm_class_counts_accuracy(const double *counts, int64_t n_classes);
/** Mean over classes that occur (as a label or predicted) of the harmonic mean of precision and
 *  recall, 2 right / (labelled + predicted); NaN without any. */
double trm_class_counts_macro_f1(const double *counts, int64_t n_classes);
/** The same of all classes together: 2 right / (labelled + predicted) of their sums; NaN without any. Of
 *  samples with one class each it is the accuracy. */
double trm_class_counts_micro_f1(const double *counts, int64_t n_classes);
/**
 * Matthews correlation of labels and predictions, -1 to 1, of any number of classes (R_K):
 * (n right - sum of labelled * predicted) / sqrt((n^2 - sum of predicted^2) (n^2 - sum of labelled^2)).
 * Samples without a prediction are predicted in a class of their own. 0 where all labels or all
 * predictions are one class; NaN without samples.
 * Source: Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
 */
double trm_class_counts_mcc(const double *counts, int64_t n_classes);

/** How much class 1 is preferred for a sample, and its label. */
typedef struct trm_scored {
  double score;
  int32_t label;
} trm_scored;
/** Area under the ROC curve for labels 0 and 1 (others do not count): ties count half. Reorders
 *  samples[n]. NaN with one class only, or where a score that counts is NaN. */
double trm_roc_auc(trm_scored *samples, int64_t n);

/** What is predicted of a sample, and what it is, in the same unit. */
typedef struct trm_estimate {
  double predicted, target;
} trm_estimate;
typedef struct trm_fit {
  double rmse, mae; /* root of the mean square, mean size of predicted - target */
  double r2;        /* 1 - sum of squares of errors / sum of squares of target - mean target */
} trm_fit;
/** Of estimates[n], added up in their order. Those whose target is NaN do not count. All NaN without any
 *  left, or where a prediction is not finite; r2 also where targets are all the same. */
trm_fit trm_score_numbers(const trm_estimate *estimates, int64_t n);

/** Whether `item` is in the list, which rises. */
bool trm_list_has(const int32_t *list, int64_t n, int32_t item);
/** Top-K of one user. */
typedef struct trm_ranking {
  double recall, ndcg, precision;
} trm_ranking;
/** Of the first K items, top[K] (-1 past the last one), those that are `relevant` (rising). NDCG with
 *  gains 0 and 1, ideal cut at min(K, relevant); all 0 where nothing is relevant. */
trm_ranking trm_score_ranking(const int32_t *top, int64_t K, const int32_t *relevant,
                              int64_t n_relevant);

/** Mean and deviation (n - 1) of n numbers. */
void trm_mean_deviation(const double *values, int64_t n, double *mean, double *deviation);

#endif
