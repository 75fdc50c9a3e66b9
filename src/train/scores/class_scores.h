/** Scores of classes, by subset of the split: accuracy, macro F1, Matthews correlation, and ROC AUC
 *  where there are two. */
#ifndef TRIREME_TRAIN_CLASS_SCORES_H
#define TRIREME_TRAIN_CLASS_SCORES_H

#include "task.h"
#include "trireme/input/graph.h"

/** Tells the task the names of the scores, in the order in which they are added; bit s of `scored`:
 *  subset s is. */
void trm_class_scores_declare(trm_task *task, int64_t n_classes, unsigned scored);

/** What one rank has to say: rows of logits for some of the samples. */
typedef struct trm_class_rows {
  const float *logits;   /* [n, n_classes] */
  const int32_t *ids;    /* [n] samples, in [0, n_samples) */
  const int32_t *labels; /* [n_samples], -1: missing; NULL: all missing, for predictions */
  const int8_t *subsets; /* [n_samples] bit s: the sample is in subset s of the split */
  int64_t n, n_classes, n_samples;
  const trm_texts *class_names; /* NULL: not known here */
  const trm_texts *names;       /* [n_samples] NULL or empty: samples have none */
} trm_class_rows;

/** Adds the scores over all ranks' rows, which together have each sample at most once. Collective. */
trm_status trm_class_scores_add(trm_task *task, const trm_class_rows *rows, unsigned scored,
                                trm_evaluation *result);

/** Writes "id, class, probability, ..." of every sample, with its name where it has one; of an ensemble, what all members say, after the
 *  last one. Collective.
 *  @param[in] known  classes of the model */
trm_status trm_class_predictions_write(const trm_task *task, const trm_classes *known,
                                       const trm_class_rows *rows, const char *path,
                                       int64_t *n_rows);

#endif
