/** Lists that data sets are made of. */
#ifndef TRIREME_INPUT_LISTS_H
#define TRIREME_INPUT_LISTS_H

#include <stdint.h>

/** A list of ids, rising. */
typedef struct trm_ids {
  const int32_t *ids;
  int64_t n;
} trm_ids;

/** Texts one after another: text i is bytes [offsets[i], offsets[i + 1]). n = 0: none. */
typedef struct trm_texts {
  int64_t n;
  const int64_t *offsets;
  const char *bytes;
} trm_texts;

/** Lists of whole numbers one after another: list i is values [offsets[i], offsets[i + 1]). */
typedef struct trm_ragged {
  const int64_t *offsets; /* NULL: there are none */
  const int32_t *values;
} trm_ragged;

/** Classes of samples, nodes or graphs. */
typedef struct trm_classes {
  int n;
  const int32_t *labels; /* one a thing, in [0, n), -1: missing; NULL: there are none */
  trm_texts names;       /* [n] if the file has them */
} trm_classes;

#endif
