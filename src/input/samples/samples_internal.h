/**
 * What the files about samples share: the list of arrays, which reading, the digest and writing walk, and
 * the data set while it is read.
 */
#ifndef TRIREME_INPUT_SAMPLES_INTERNAL_H
#define TRIREME_INPUT_SAMPLES_INTERNAL_H

#include <stddef.h>
#include <stdio.h>

#include "trireme/input/data_file.h"
#include "trireme/input/samples.h"

/** Places of arrays in the list and in the digest (data/FORMAT.md). */
typedef enum trm_sample_place {
  TRM_SA_INPUT_OFFSETS,
  TRM_SA_INPUT_VALUES,
  TRM_SA_LABELS,
  TRM_SA_CLASS_OFFSETS,
  TRM_SA_CLASS_BYTES,
  TRM_SA_NUMBERS,
  TRM_SA_TARGET_OFFSETS,
  TRM_SA_TARGET_VALUES,
  TRM_SA_TEXT_OFFSETS,
  TRM_SA_TEXT_BYTES,
  TRM_SA_GROUPS,
  TRM_N_SAMPLE_PLACES,
} trm_sample_place;

/** What the length of an array is. */
typedef enum trm_sample_length {
  TRM_SAMPLE_ROWS,    /* n + 1: it tells how many samples there are */
  TRM_SAMPLE_OFFSETS, /* n + 1 */
  TRM_SAMPLE_EACH,    /* n */
  TRM_SAMPLE_NAMES,   /* one more than the names of the classes: it tells how many those are */
  TRM_SAMPLE_VALUES,  /* what the offsets in the place before end with */
} trm_sample_length;

typedef struct trm_sample_array {
  const char *name;
  trm_dtype dtype; /* in memory; integers may be narrower in the file */
  trm_sample_length length;
  int target;    /* the trm_sample_target that has it; -1: all */
  bool required; /* values: where their offsets are */
  size_t data;   /* offsetof the pointer to it in trm_samples */
} trm_sample_array;

extern const trm_sample_array trm_sample_arrays[TRM_N_SAMPLE_PLACES];
/** Names of inputs and targets, as attributes of a file have them. */
extern const char *const trm_sample_input_names[TRM_N_SAMPLE_INPUTS];
extern const char *const trm_sample_target_names[TRM_N_SAMPLE_TARGETS];

/** The array in a place; NULL: the data set has none. */
const void *trm_sample_array_of(const trm_samples *samples, int place);
/** Its elements, -1 when there is none. */
int64_t trm_sample_elements(const trm_samples *samples, int place);
/** Name of a subset's array: "/splits/0/train". */
enum { TRM_SAMPLE_NAME_BYTES = 64 };
void trm_sample_split_name(int split, int subset, char name[TRM_SAMPLE_NAME_BYTES]);

/** A data set that is open, or is being opened. */
typedef struct trm_samples_file {
  trm_samples data;    /* first: what callers hold */
  trm_container *file; /* NULL once everything is in memory */
  char *path, *source, *created_by;
  void *arrays[TRM_N_SAMPLE_PLACES]; /* owned, as are the next */
  trm_ids *splits;
  int32_t *ids; /* of all splits, one after another */
} trm_samples_file;

/** Reads every array of the list, once lengths agree. */
trm_status trm_samples_read_arrays(trm_samples_file *f);
/** Reads the splits. */
trm_status trm_samples_read_splits(trm_samples_file *f);
/** Checks every element of what was read, and completes classes, references and the longest. */
trm_status trm_samples_check(trm_samples_file *f);
/** The content hash. */
uint64_t trm_samples_digest(const trm_samples *samples);
/** The lines of a description behind the head. */
trm_status trm_samples_describe(const trm_samples *samples, FILE *file);

#endif
