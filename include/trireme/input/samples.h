/**
 * Data sets of kind `samples`: each sample has an input and a target (data/FORMAT.md). An input is a
 * sequence of tokens, an image, or a row of a table; a target is a class, several classes, a number,
 * or a sequence of tokens; where there is none, samples can only be predicted.
 *
 * Not collective; knows nothing of MPI. An open data set does not change: any thread may read it.
 */
#ifndef TRIREME_INPUT_SAMPLES_H
#define TRIREME_INPUT_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/input/lists.h"
#include "trireme/input/subset.h"
#include "trireme/input/vocab.h"

/** What an input is: the attribute `input` of the file. */
typedef enum trm_sample_input {
  TRM_INPUT_TOKENS,
  TRM_INPUT_IMAGE,
  TRM_INPUT_ROW,
  TRM_N_SAMPLE_INPUTS,
} trm_sample_input;

/** What a target is: the attribute `target` of the file. */
typedef enum trm_sample_target {
  TRM_TARGET_CLASS,
  TRM_TARGET_NUMBER,
  TRM_TARGET_TOKENS,
  TRM_TARGET_CLASSES, /* any number of them, none included */
  TRM_TARGET_NONE,    /* nothing is known: samples to predict */
  TRM_N_SAMPLE_TARGETS,
} trm_sample_target;

/** Images of one size: a byte each pixel and channel. */
typedef struct trm_images {
  int64_t channels, height, width; /* each at least 1; 0: there are none */
  const uint8_t *pixels;           /* [n, channels, height, width] */
} trm_images;

/** Rows of a table, as they were: columns of numbers and columns of categories. Either may be none. */
typedef struct trm_table {
  int64_t n_numbers;
  const float *numbers;      /* [n, n_numbers] finite, or NaN where one is missing */
  trm_texts number_names;    /* [n_numbers] if the file has them */
  int64_t n_categories;      /* columns */
  const int32_t *categories; /* [n, n_categories] a level of its column each, -1: missing */
  trm_texts category_names;  /* [n_categories] if the file has them */
  const int64_t
      *levels; /* [n_categories + 1] those of column c have the names levels[c] to levels[c + 1] */
  trm_texts level_names; /* [levels[n_categories]] */
} trm_table;

typedef struct trm_samples {
  const char *path, *source, *created_by;
  uint64_t digest; /* content hash: the same on every rank if the files are */
  int64_t n;       /* samples, from 1 to 2^31 - 1 */

  trm_sample_input input;
  trm_ragged inputs;     /* TRM_INPUT_TOKENS: [n] without tokens for begin and end; none is empty */
  trm_vocab input_vocab; /* TRM_INPUT_TOKENS */
  trm_images images;     /* TRM_INPUT_IMAGE */
  trm_table table;       /* TRM_INPUT_ROW */

  trm_sample_target target;
  trm_classes
      classes; /* TRM_TARGET_CLASS: labels[n], none missing; TRM_TARGET_CLASSES: no labels */
  trm_ragged class_sets; /* TRM_TARGET_CLASSES: [n] rising */
  const float *numbers;  /* TRM_TARGET_NUMBER: [n], finite */
  trm_ragged targets;    /* TRM_TARGET_TOKENS: [n] without tokens for begin and end; may be empty */
  trm_vocab target_vocab; /* TRM_TARGET_TOKENS */
  bool shared_vocab;      /* target_vocab is the input's, of the same memory */
  trm_texts
      references; /* TRM_TARGET_TOKENS: [n] targets as they were before they became tokens, for
                             scores; n = 0: tokens say all */

  const int32_t
      *groups; /* [n] in [0, n): samples of one number are in one part of a split, and where they
                            are tokens they have the same input and several right targets; NULL: each
                            sample stands for itself */
  trm_texts names; /* [n] of the samples, for people; n = 0: they have none */
  int n_splits;
  const trm_ids *splits;                 /* [n_splits, TRM_N_SUBSETS] */
  int64_t longest_input, longest_target; /* tokens */
} trm_samples;

/**
 * Opens and checks everything, every element included, before memory is sized by it.
 * @param[out] out  NULL after a failure
 * @return TRM_ERR_DATA naming file and array; TRM_ERR_IO, TRM_ERR_MEMORY
 */
trm_status trm_samples_open(const char *path, trm_samples **out);
/** Of a data set that was opened. NULL is accepted; sets NULL. The message of a failure before is kept. */
void trm_samples_close(trm_samples **samples);

/** Samples of one subset of a split, rising; borrowed until the data set is closed.
 *  @return TRM_ERR_CONFIG when there is no such split */
trm_status trm_samples_split(const trm_samples *samples, int split, trm_subset subset,
                             trm_ids *ids);

/** Lets a subset of a split that there is be these samples, in memory alone. Keeps `ids`. */
void trm_samples_set_split(trm_samples *samples, int split, trm_subset subset, trm_ids ids);

/**
 * Writes a data set: it appears by its name complete or not at all.
 *
 * Taken: source (may be NULL), n, inputs, targets and what belongs to them, groups, names, splits.
 * Not looked at: path, created_by, digest, the longest.
 *
 * @return TRM_ERR_IO; TRM_ERR_USAGE for a bad place
 */
trm_status trm_samples_write(const char *path, const trm_samples *samples);

/** How long the rows of a ragged list are. */
typedef struct trm_row_lengths {
  int64_t n, total, median, most_95; /* 95 of 100 rows are no longer than most_95 */
  int64_t longest;
} trm_row_lengths;
/** Of the rows ids[n], all when ids is NULL; zeros when there are none. @return TRM_ERR_MEMORY */
trm_status trm_row_lengths_of(const int64_t *offsets, const int32_t *ids, int64_t n,
                              trm_row_lengths *lengths);

#endif
