/** How a model fares under attack: of every row the worst of several outputs counts. */
#ifndef TRIREME_TRAIN_ROBUSTNESS_H
#define TRIREME_TRAIN_ROBUSTNESS_H

#include "attack.h"
#include "trireme/train/train.h"

/** Reads what a command was given. @return TRM_ERR_USAGE */
trm_status trm_attack_read(const trm_attack_options *options, trm_attack *attack);

/** Sums over rows; the rank that has rows adds them, others 0. */
enum {
  TRM_ROBUST_COUNT,
  TRM_ROBUST_RIGHT,      /* rows that are classified right, */
  TRM_ROBUST_HELD,       /* and under every attack */
  TRM_ROBUST_LOSS,       /* nats, or squared errors, */
  TRM_ROBUST_WORST_LOSS, /* and the greatest of each row */
  TRM_N_ROBUST_SUMS,
};

/** Rows with the worst that was seen of each. */
typedef struct trm_worst trm_worst;
/** For up to n rows. @return TRM_ERR_MEMORY */
trm_status trm_worst_create(int64_t n, trm_worst **out);
/** NULL is accepted; sets NULL. */
void trm_worst_destroy(trm_worst **worst);

/** Rows of outputs and what they should be; one of the two is NULL. */
typedef struct trm_judged {
  const trm_real *outputs; /* [n, width] logits, or numbers */
  int64_t n, width;
  const int32_t *classes; /* [n], -1: does not count */
  const float *numbers;   /* [n], NaN: does not count */
} trm_judged;

/** The outputs of clean inputs, with which rows begin, and then those of attacks. */
void trm_worst_begin(trm_worst *worst, const trm_judged *clean);
void trm_worst_see(trm_worst *worst, const trm_judged *attacked);
/** Adds rows [first, end) that count to sums[TRM_N_ROBUST_SUMS]. */
void trm_worst_sum(const trm_worst *worst, int64_t first, int64_t end, double *sums);

/** Result of sums[n, TRM_N_ROBUST_SUMS], of groups or blocks in order. `unit`: what numbers were divided
 *  by; 0: they are classes. */
void trm_robustness_join(const double *sums, int64_t n, double unit, trm_robustness *result);

#endif
