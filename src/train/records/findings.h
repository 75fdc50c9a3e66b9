/**
 * What an evaluation says besides scores: which classes are taken for which, the mistakes it is surest of,
 * what it writes. Kept for reports: confusion.tsv, mistakes.tsv, written.tsv of a run, of its best
 * evaluation.
 */
#ifndef TRIREME_TRAIN_FINDINGS_H
#define TRIREME_TRAIN_FINDINGS_H

#include "trireme/comm/comm.h"
#include "trireme/core/status.h"
#include "trireme/input/lists.h"
#include "trireme/input/subset.h"

enum {
  TRM_FINDINGS_CLASSES = 100, /* with more there is no table of them */
  TRM_FINDINGS_MISTAKES = 24,
  TRM_FINDINGS_TEXTS = 12,
  TRM_FINDINGS_TEXT_BYTES = 600, /* of one, longer ones are cut */
};

/** A sample and what it is taken for; all whole numbers but the probability. */
typedef struct trm_mistake {
  double probability; /* of the predicted class; 0: there is no mistake here */
  double sample, label, predicted;
} trm_mistake;

/** A text, what is right, and what was written. */
typedef struct trm_written_text {
  int64_t sample;
  char source[TRM_FINDINGS_TEXT_BYTES], reference[TRM_FINDINGS_TEXT_BYTES];
  char written[TRM_FINDINGS_TEXT_BYTES];
} trm_written_text;

typedef struct trm_findings {
  int64_t n_classes;            /* 0: no classes were predicted */
  double *confusion;            /* [TRM_N_SUBSETS, n_classes, n_classes] label, predicted; owned */
  const trm_texts *class_names; /* borrowed from the data set; NULL: none */
  const trm_texts *names;       /* of the samples, borrowed likewise; NULL or empty: none */
  trm_subset shown;             /* that mistakes and texts are of */
  trm_mistake mistakes[TRM_FINDINGS_MISTAKES];
  int n_mistakes;
  trm_written_text texts[TRM_FINDINGS_TEXTS];
  int n_texts;
} trm_findings;

/** @return TRM_ERR_MEMORY. Not collective. */
trm_status trm_findings_create(trm_findings **out);
void trm_findings_destroy(trm_findings **findings);
/** Before an evaluation: nothing is known. */
void trm_findings_begin(trm_findings *findings);

/** Rows of classes that one rank has, as trm_class_rows, and what it predicts of them. */
typedef struct trm_findings_rows {
  const int32_t *predicted; /* [n], -1: nothing */
  const float *logits;      /* [n, n_classes] */
  const int32_t *ids;       /* [n] */
  const int32_t *labels;    /* [n_samples] */
  const int8_t *subsets;    /* [n_samples] */
  int64_t n, n_classes;
} trm_findings_rows;

/** Counts them over all ranks, and finds the mistakes of the subset to validate, or without one to test. The
 *  result is the same on all ranks, whatever their number. Collective. */
trm_status trm_findings_add_classes(trm_findings *findings, trm_comm *comm,
                                    const trm_findings_rows *rows);

/** Probability of the predicted class: softmax of logits[C]. */
double trm_class_confidence(const float *logits, int64_t C, int32_t predicted);

/** Writes the files of what there is into a run directory, each whole or not at all. */
trm_status trm_findings_write(const trm_findings *findings, const char *folder);

#endif
