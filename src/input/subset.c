#include "trireme/input/subset.h"

const char *trm_subset_name(trm_subset subset) {
  static const char *const names[TRM_N_SUBSETS] = {"train", "valid", "test"};
  return names[subset];
}
