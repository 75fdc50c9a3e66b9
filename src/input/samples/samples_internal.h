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
  TRM_SA_PIXELS, /* from here on: in the digest only of inputs and targets that have them */
  TRM_SA_ROW_NUMBERS,
  TRM_SA_NUMBER_NAME_OFFSETS,
  TRM_SA_NUMBER_NAME_BYTES,
  TRM_SA_ROW_CATEGORIES,
  TRM_SA_CATEGORY_NAME_OFFSETS,
  TRM_SA_CATEGORY_NAME_BYTES,
  TRM_SA_LEVELS,
  TRM_SA_LEVEL_NAME_OFFSETS,
  TRM_SA_LEVEL_NAME_BYTES,
  TRM_SA_SET_OFFSETS,
  TRM_SA_SET_VALUES,
  TRM_SA_NAME_OFFSETS, /* from here on: for people, and in no digest */
  TRM_SA_NAME_BYTES,
  TRM_N_SAMPLE_PLACES,
} trm_sample_place;

/** What the length of an array along one of its dimensions is. */
typedef enum trm_sample_axis {
  TRM_AXIS_NONE, /* the array has no such dimension */
  TRM_AXIS_SAMPLES,
  TRM_AXIS_SAMPLES_1, /* one more than there are samples */
  TRM_AXIS_CLASSES_1, /* than there are names of classes */
  TRM_AXIS_CHANNELS,
  TRM_AXIS_HEIGHT,
  TRM_AXIS_WIDTH,
  TRM_AXIS_NUMBERS, /* columns */
  TRM_AXIS_NUMBERS_1,
  TRM_AXIS_CATEGORIES, /* columns */
  TRM_AXIS_CATEGORIES_1,
  TRM_AXIS_LEVELS_1,
  TRM_AXIS_ENDS, /* what the offsets in the place before end with */
  TRM_N_SAMPLE_AXES,
} trm_sample_axis;

/** The count behind an axis. The first array that has the axis tells it, others must agree. */
typedef struct trm_sample_count {
  size_t count; /* offsetof the int64_t in trm_samples */
  int more;     /* the length is the count and so many more */
  int64_t least;
  const char *what;
} trm_sample_count;
extern const trm_sample_count trm_sample_counts[TRM_N_SAMPLE_AXES];
/** Length along an axis but TRM_AXIS_NONE and TRM_AXIS_ENDS. */
int64_t trm_sample_axis_length(const trm_samples *samples, trm_sample_axis axis);

typedef struct trm_sample_array {
  const char *name;
  trm_dtype dtype; /* in memory; integers may be narrower in the file */
  trm_sample_axis axes[TRM_MAX_DIMS];
  unsigned inputs, targets; /* 1 << each trm_sample_input and trm_sample_target that has it */
  bool required;            /* with TRM_AXIS_ENDS: where the array in the place before is */
  size_t data;              /* offsetof the pointer to it in trm_samples */
} trm_sample_array;

/** Whether samples of their input and target have an array, if only as one that may be absent. */
bool trm_sample_array_belongs(const trm_samples *samples, int place);
/** Dimensions of an array. */
int trm_sample_array_dims(const trm_sample_array *array);

extern const trm_sample_array trm_sample_arrays[TRM_N_SAMPLE_PLACES];
/** Names of inputs and targets, as attributes of a file have them. */
extern const char *const trm_sample_input_names[TRM_N_SAMPLE_INPUTS];
extern const char *const trm_sample_target_names[TRM_N_SAMPLE_TARGETS];

/** The array in a place; NULL: the data set has none. */
const void *trm_sample_array_of(const trm_samples *samples, int place);
/** Its elements, -1 when there is none. */
int64_t trm_sample_elements(const trm_samples *samples, int place);
/** Its lengths along each dimension, and how many dimensions; 0 when there is none. */
int trm_sample_shape(const trm_samples *samples, int place, int64_t dims[TRM_MAX_DIMS]);
/** The place of the classes of samples, whose attribute tells how many there are; -1: targets are
 *  others. */
int trm_sample_classes_place(const trm_samples *samples);
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
/** Of these, the columns of a table; completes their names. */
trm_status trm_samples_check_table(trm_samples_file *f);
/** The content hash. */
uint64_t trm_samples_digest(const trm_samples *samples);
/** The lines of a description behind the head. */
trm_status trm_samples_describe(const trm_samples *samples, FILE *file);
/** Of these, those about images and tables, and an example of either. */
void trm_images_describe(const trm_samples *samples, FILE *file);
trm_status trm_table_describe(const trm_samples *samples, FILE *file);
void trm_image_show(const trm_samples *samples, int64_t i, const char *label, FILE *file);
void trm_table_row_show(const trm_samples *samples, int64_t i, char *text, size_t bytes);

#endif
