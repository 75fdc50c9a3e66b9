/** What the files of trireme/input/field.h share. */
#ifndef TRIREME_INPUT_FIELD_INTERNAL_H
#define TRIREME_INPUT_FIELD_INTERNAL_H

#include "trireme/input/field.h"

/* Blocks of memory of a hop, and of a level of rows. */
enum { TRM_FIELD_HOP_BLOCKS = 14, TRM_FIELD_LEVEL_BLOCKS = 2 };

/** field->owned. */
typedef struct trm_field_owned {
  const trm_graph *graph; /* borrowed */
  const trm_field *whole; /* of a thinned field: what it was made of */
  int n;
  void *blocks[TRM_MAX_HOPS * TRM_FIELD_HOP_BLOCKS + (TRM_MAX_HOPS + 1) * TRM_FIELD_LEVEL_BLOCKS];
} trm_field_owned;

/** A field that holds nothing yet. Keeps `graph`. */
trm_status trm_field_new(const trm_graph *graph, trm_field **out);
/** Zeroed memory that lives as long as the field. */
trm_status trm_field_take(trm_field *field, int64_t n, size_t size, const char *what, void **out);
#define TRM_FIELD_TAKE(field, out, n, what)                                                        \
  trm_field_take((field), (n), sizeof **(out), (what), (void **)(out))

#endif
