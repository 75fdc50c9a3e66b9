#include "trireme/input/subset.h"

const char *trm_subset_name(trm_subset subset) {
  static const char *const names[TRM_N_SUBSETS] = {"train", "valid", "test"};
  return names[subset];
}

int64_t trm_mask_to_ids(int32_t *values, int64_t n) {
  int64_t to = 0;
  if (n <= 2) return n; /* 0, 1 may be two ids */
  for (int64_t i = 0; i < n; ++i) {
    if (values[i] != 0 && values[i] != 1) return n;
  }
  for (int64_t i = 0; i < n; ++i) {
    if (values[i] == 1) values[to++] = (int32_t)i;
  }
  return to;
}
