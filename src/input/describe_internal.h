/** What the descriptions of several kinds of data sets share. */
#ifndef TRIREME_INPUT_DESCRIBE_INTERNAL_H
#define TRIREME_INPUT_DESCRIBE_INTERNAL_H

#include "trireme/input/data_file.h"
#include "trireme/input/lists.h"
#include "trireme/input/subset.h"

enum { TRM_MOST_SPLITS_SHOWN = 16 };

/** "1,234,567"; a value, so that a line can have several. */
typedef struct trm_count_text {
  char text[32];
} trm_count_text;
trm_count_text trm_count_text_of(int64_t n);

/** Sizes of the classes of n labels. */
trm_status trm_classes_describe(const trm_classes *classes, int64_t n, FILE *file);
/** The same where sizes[classes->n] are known; `note` follows their number. */
void trm_class_sizes_describe(const trm_classes *classes, const int64_t *sizes, int64_t n,
                              const char *note, FILE *file);
/** How many of n things are in each subset of each split: splits[n_splits, TRM_N_SUBSETS]. */
void trm_splits_describe(const trm_ids *splits, int n_splits, int64_t n, FILE *file);

/** Whether a kind of data set knows the array of this name. */
typedef bool (*trm_known_array)(const void *context, const char *name);
/** Lines that name the arrays of a file that are not read; none where all are. */
trm_status trm_unread_describe(const char *path, trm_known_array is_known, const void *context,
                               FILE *file);
/** Whether an array is in a group, at any depth. */
bool trm_is_below(const char *name, const char *group);

#endif
