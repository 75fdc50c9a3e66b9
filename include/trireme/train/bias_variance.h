/**
 * Bias and variance of what several models, trained on samples of their own, say of the same data.
 *
 * Squared loss, of numbers, or of probabilities of classes (Brier): mean loss = bias + variance, where bias is
 * the loss of the mean prediction and variance the mean squared distance from it.
 * 0-1 loss: the main prediction is that of most models; bias is its loss, variance the share of models that say
 * something else. Where it is right variance adds to the loss, where it is wrong it may take from it:
 * mean loss = bias + net variance.
 * Noise of the data counts as bias. Source: Domingos 2000, "A unified bias-variance decomposition and its
 * applications" (ICML), sections 2 and 3.
 */
#ifndef TRIREME_TRAIN_BIAS_VARIANCE_H
#define TRIREME_TRAIN_BIAS_VARIANCE_H

#include <stdbool.h>
#include <stdint.h>

/** Sums over samples; trm_bias_variance_mean makes means of them. Zero it first. */
typedef struct trm_bias_variance {
  int64_t n;                          /* samples */
  bool classes;                       /* else numbers, which have a squared loss alone */
  bool test;                          /* of the test part; else of the validation part */
  double loss, bias, variance;        /* squared */
  double error, wrong, disagree, net; /* 0-1: loss, bias, variance, net variance */
} trm_bias_variance;

/** What all models together say of a sample. */
typedef struct trm_spoken {
  double n_models;
  int64_t n_values;      /* classes, or 1 for a number */
  const double *sums;    /* [n_values] of probabilities or numbers */
  const double *squares; /* [n_values] of their squares */
  const double *votes;   /* [n_values] of classes */
} trm_spoken;

void trm_bias_variance_add_class(trm_bias_variance *parts, const trm_spoken *spoken, int32_t label);
void trm_bias_variance_add_number(trm_bias_variance *parts, const trm_spoken *spoken,
                                  double target);
/** Means over the samples; NaN without any. */
trm_bias_variance trm_bias_variance_mean(const trm_bias_variance *parts);

#endif
