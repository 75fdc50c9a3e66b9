/** The kinds of data sets: the attribute `kind` of a file (data/FORMAT.md). Not collective. */
#ifndef TRIREME_INPUT_KIND_H
#define TRIREME_INPUT_KIND_H

#include <stdio.h>

#include "trireme/core/status.h"

typedef struct trm_data_kind {
  const char *name;   /* "text", "graph", ... */
  const char *splits; /* how its samples can be divided in several ways: "splits", "folds"; NULL: in
                         one way only */
  /** Opens a data set, checks it in full and prints what `trireme inspect` shows. */
  trm_status (*describe)(const char *path, FILE *file);
  /** How many splits or folds a data set has, 0 or more; NULL where `splits` is. */
  trm_status (*count_splits)(const char *path, int *n);
  const struct trm_graph_kind *graph; /* how graphs are read, private to `input`; NULL: others */
} trm_data_kind;

/** All kinds, one for each line of src/input/kind_list.h; *n: how many. */
const trm_data_kind *const *trm_data_kinds(int *n);
/** The kind of that name; NULL: none has it. */
const trm_data_kind *trm_data_kind_find(const char *name);
/** Kind of the data set in a file, without checking the rest.
 *  @return TRM_ERR_DATA for a file that is none, or of a kind that nobody knows: the message lists the
 *          known ones; TRM_ERR_IO */
trm_status trm_data_kind_of(const char *path, const trm_data_kind **kind);

#endif
