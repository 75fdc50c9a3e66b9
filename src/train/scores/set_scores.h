/** Scores of samples that have any number of classes, by subset of the split: micro F1, macro F1, and
 *  the share of samples whose classes are all right and no others. A class is predicted where its
 *  probability is above 1/2. */
#ifndef TRIREME_TRAIN_SET_SCORES_H
#define TRIREME_TRAIN_SET_SCORES_H

#include "task.h"
#include "trireme/input/samples.h"

/** Tells the task the names of the scores, in the order in which they are added; bit s of `scored`:
 *  subset s is. */
void trm_set_scores_declare(trm_task *task, unsigned scored);

/** What one rank has to say: rows of logits for some of the samples. */
typedef struct trm_set_rows {
  const float *logits;    /* [n, n_classes] of each class on its own */
  const int32_t *ids;     /* [n] samples, in [0, n_samples) */
  const trm_ragged *sets; /* [n_samples] rising classes of each; NULL: unknown, for predictions */
  const int8_t *subsets;  /* [n_samples] bit s: the sample is in subset s of the split */
  int64_t n, n_classes, n_samples;
  const trm_texts *names; /* [n_samples] NULL or empty: samples have none */
} trm_set_rows;

/** Adds the scores over all ranks' rows, which together have each sample at most once. A row that is not
 *  finite predicts nothing and is not right. Collective. */
trm_status trm_set_scores_add(trm_task *task, const trm_set_rows *rows, unsigned scored,
                              trm_evaluation *result);

/** Writes "unit, classes, probabilities, labels, names" of every sample: lists of those that are predicted,
 *  with commas between them; last the sample's own name, where it has one. Collective.
 *  @param[in] known  classes of the model, for their names */
trm_status trm_set_predictions_write(trm_comm *comm, const char *unit, const trm_classes *known,
                                     const trm_set_rows *rows, const char *path, int64_t *n_rows);

#endif
