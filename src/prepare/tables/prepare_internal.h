/** What the ways to prepare graphs share. */
#ifndef TRIREME_PREPARE_INTERNAL_H
#define TRIREME_PREPARE_INTERNAL_H

#include "graph_text_internal.h"

enum { TRM_SOURCE_BYTES = 1024 };

/** The files that will be read. Zero it first. */
typedef struct trm_inputs {
  const char **paths;
  int64_t n, capacity;
  char source[TRM_SOURCE_BYTES]; /* "edges.tsv, labels.tsv ... (12 files)", as much as fits */
} trm_inputs;

/** NULL is passed over. */
trm_status trm_inputs_add(trm_inputs *inputs, const char *path);
/** All are looked at before the first is read: a slip in the last name shows at once. Also that the
 *  output is none of them and can be written; fills `source` and the progress's total. */
trm_status trm_inputs_check(trm_inputs *inputs, const char *output, trm_scan_progress *progress);
void trm_inputs_free(trm_inputs *inputs);

/** Whether a word is what people call a part of a split ("train", "Val", "dev"), or `none`: in no part. */
bool trm_part_of_word(const char *word, int64_t bytes, trm_subset *which, bool *none);

/** Divides by the sum; a row whose sum is 0 stays as it is. */
void trm_row_normalize(float *values, int64_t n);
bool trm_row_is_empty(const float *values, int64_t n);

#endif
