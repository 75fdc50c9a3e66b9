/** N-grams of a list of symbols, counted by sorting the places where they begin. */
#ifndef TRIREME_TRAIN_GRAMS_H
#define TRIREME_TRAIN_GRAMS_H

#include <stdint.h>

#include "trireme/core/status.h"

enum { TRM_GRAMS_ORDER = 6 }; /* n-grams of more symbols are not told apart */

/** Symbols are not 0. */
typedef struct trm_grams {
  uint32_t *symbols;       /* [n + TRM_GRAMS_ORDER], 0 past the last; owned */
  const uint32_t **sorted; /* [n] beginnings, by the symbols from there on; owned */
  int64_t n;
} trm_grams;

/** Room for n symbols, to be written before trm_grams_sort. @return TRM_ERR_MEMORY; free in any case */
trm_status trm_grams_create(int64_t n, trm_grams *grams);
void trm_grams_free(trm_grams *grams);
void trm_grams_sort(trm_grams *grams);

/** N-grams that there are, 0 where the list is shorter. */
int64_t trm_grams_count(const trm_grams *grams, int n);
/**
 * N-grams of a hypothesis that are in a reference, each at most as often as in the one that has it most
 * often. All are sorted.
 * @param[in,out] scratch  [hypothesis->n]
 */
int64_t trm_grams_matches(const trm_grams *hypothesis, const trm_grams *references,
                          int64_t n_references, int n, int64_t *scratch);

#endif
