/**
 * Facts: what whoever saves a checkpoint adds to it by name, besides arrays of weights and state:
 * whole numbers, texts and one-dimensional arrays. `ckpt` stores them and knows none of them.
 *
 * Facts lie in one block, one after another, each with a header, so that a copy or a message is one
 * piece of memory. Not collective.
 */
#ifndef TRIREME_CKPT_FACTS_H
#define TRIREME_CKPT_FACTS_H

#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/io/container.h"

enum { TRM_FACT_NAME_BYTES = 48 };

typedef enum trm_fact_type { TRM_FACT_INT, TRM_FACT_TEXT, TRM_FACT_ARRAY } trm_fact_type;

/** The header of a fact; what it says follows it. */
typedef struct trm_fact {
  char name[TRM_FACT_NAME_BYTES]; /* "vocab/offsets" */
  int32_t type;                   /* trm_fact_type */
  int32_t dtype;                  /* trm_dtype, of an array */
  int64_t n;                      /* elements of an array, bytes of a text without its 0 */
  int64_t bytes;                  /* from here to the next fact */
} trm_fact;

/** Zero it first. */
typedef struct trm_facts {
  unsigned char *block; /* owned */
  int64_t used_bytes, capacity_bytes;
} trm_facts;

void trm_facts_free(trm_facts *facts);

/** Add a fact, copied; a name comes once. @return TRM_ERR_MEMORY */
trm_status trm_facts_put_int(trm_facts *facts, const char *name, int64_t value);
trm_status trm_facts_put_text(trm_facts *facts, const char *name, const char *text);
/** @param[in] data  [n] elements of `dtype`; NULL: to be filled in through trm_fact_data */
trm_status trm_facts_put_array(trm_facts *facts, const char *name, trm_dtype dtype, int64_t n,
                               const void *data);
/** Replaces all of `to`. @return TRM_ERR_MEMORY */
trm_status trm_facts_copy(trm_facts *to, const trm_facts *from);

/** The fact after `last` (NULL: the first), NULL past the last one. Valid until one is added. */
const trm_fact *trm_facts_next(const trm_facts *facts, const trm_fact *last);
/** What a fact says: an int64_t, a text with its 0, or the elements of an array. */
void *trm_fact_data(const trm_fact *fact);
const trm_fact *trm_facts_find(const trm_facts *facts, const char *name, trm_fact_type type);
/** A fact's value; `absent` (NULL) when there is none of that name and type. */
int64_t trm_facts_int(const trm_facts *facts, const char *name, int64_t absent);
const char *trm_facts_text(const trm_facts *facts, const char *name);
/** Elements of an array of type `dtype`; NULL when there is none. @param[out] n  how many */
void *trm_facts_array(const trm_facts *facts, const char *name, trm_dtype dtype, int64_t *n);

#endif
