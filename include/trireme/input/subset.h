/** What the samples of a data set are for: a split divides them into subsets. */
#ifndef TRIREME_INPUT_SUBSET_H
#define TRIREME_INPUT_SUBSET_H

typedef enum trm_subset {
  TRM_SUBSET_TRAIN,
  TRM_SUBSET_VALID,
  TRM_SUBSET_TEST,
  TRM_N_SUBSETS,
} trm_subset;

/** All of them as a set of bits. */
enum { TRM_ALL_SUBSETS = (1 << TRM_N_SUBSETS) - 1 };

/** "train", "valid", "test": also their names in files. */
const char *trm_subset_name(trm_subset subset);

#endif
