/** Small good data sets, one of each sort, made of texts by `prepare`: to be damaged, or believed. */
#ifndef TRIREME_TESTS_SMALL_SETS_H
#define TRIREME_TESTS_SMALL_SETS_H

typedef enum small_set {
  SMALL_TEXT,
  SMALL_LABELLED,
  SMALL_PAIRS,
  SMALL_TABLE, /* of numbers and categories; the target is a class */
  SMALL_GRAPH,
  SMALL_GRAPHS,
  SMALL_INTERACTIONS,
  SMALL_IMAGES,
  SMALL_SHOP,
  N_SMALL_SETS,
} small_set;

/** "text", "labelled", ... */
const char *small_set_name(small_set which);
/** Makes one as `path`, with its sources in `folder`; ends the program where that fails. */
void small_set_make(small_set which, const char *folder, const char *path);

#endif
