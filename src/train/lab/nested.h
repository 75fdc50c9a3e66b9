/** Several searches, one a split of the data: what each has found, and what they come to together. */
#ifndef TRIREME_TRAIN_NESTED_H
#define TRIREME_TRAIN_NESTED_H

#include "trial.h"
#include "trireme/train/train.h"
#include "trireme/train/tune.h"

/** What the search of a split has found. */
typedef struct trm_found {
  trm_evaluation tested;        /* scores of the test part */
  double score;                 /* of the best trial in the search */
  char *values[TRM_SPACE_MOST]; /* of its parameters, as text, "" where it has none; owned */
  char folder[TRM_PATH_BYTES];  /* run whose weights were tested */
  double took_s;                /* 0: the search had ended before */
} trm_found;

/** Searches of all splits. */
typedef struct trm_nested {
  const trm_tune_options *options;
  trm_found *found; /* [options->n_splits] of which n_found are filled; owned */
  int64_t n_found;
  char select[32];            /* score that searches choose by */
  char *keys[TRM_SPACE_MOST]; /* of the parameters; owned */
  int n_parameters;
} trm_nested;

trm_status trm_nested_make(const trm_tune_options *options, trm_nested *nested);
void trm_nested_free(trm_nested *nested);
/** Keeps what the best trial of the next split is. Not collective. */
trm_status trm_nested_add(trm_nested *nested, const trm_trials *trials, int64_t trial,
                          const trm_evaluation *tested, const char *folder, double took_s);
/** One line: score in the search and in the test, values. Into text[size]. */
void trm_nested_tell(const trm_nested *nested, int64_t split, char *text, size_t size);
/** Seconds that the splits which are left will take, as far as those before tell; 0: nothing is known. */
double trm_nested_left_s(const trm_nested *nested);
/** nested.csv and the table, for people, of all splits. On rank 0. */
trm_status trm_nested_write(const trm_nested *nested);
trm_status trm_nested_print(const trm_nested *nested, FILE *file);
/** report.html: the tested runs of the splits side by side, and the table. On rank 0. */
trm_status trm_nested_write_page(const trm_nested *nested);

#endif
