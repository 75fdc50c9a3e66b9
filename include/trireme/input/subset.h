/** What the samples of a data set are for: a split divides them into subsets. */
#ifndef TRIREME_INPUT_SUBSET_H
#define TRIREME_INPUT_SUBSET_H

#include <stdint.h>

typedef enum trm_subset {
  TRM_SUBSET_TRAIN,
  TRM_SUBSET_VALID,
  TRM_SUBSET_TEST,
  TRM_N_SUBSETS,
} trm_subset;

/** All of them as a set of bits. */
enum { TRM_ALL_SUBSETS = (1 << TRM_N_SUBSETS) - 1 };

/**
 * A 0 or 1 for each of n > 2 things becomes the ids of those with 1; a list of ids, rising, each once, stays.
 * @return how many ids there are
 */
int64_t trm_mask_to_ids(int32_t *values, int64_t n);

/** "train", "valid", "test": also their names in files. */
const char *trm_subset_name(trm_subset subset);

#endif
