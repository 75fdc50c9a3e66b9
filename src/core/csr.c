#include "trireme/core/csr.h"

#include <string.h>

void trm_csr_transpose(const trm_csr *a, int64_t *offsets, int32_t *columns, int64_t *map) {
  const int64_t begin = a->n_rows > 0 ? a->offsets[0] : 0;
  const int64_t end = a->n_rows > 0 ? a->offsets[a->n_rows] : 0;
  memset(offsets, 0, (size_t)(a->n_columns + 1) * sizeof *offsets);
  for (int64_t e = begin; e < end; ++e) ++offsets[a->columns[e] + 1];
  for (int64_t c = 0; c < a->n_columns; ++c) offsets[c + 1] += offsets[c];
  /* offsets[c] walks through row c of the result and ends where row c + 1 begins. */
  for (int64_t r = 0; r < a->n_rows; ++r) {
    for (int64_t e = a->offsets[r]; e < a->offsets[r + 1]; ++e) {
      const int64_t to = offsets[a->columns[e]]++;
      columns[to] = (int32_t)r;
      if (map) map[to] = a->map ? a->map[e] : e;
    }
  }
  memmove(offsets + 1, offsets, (size_t)a->n_columns * sizeof *offsets);
  offsets[0] = 0;
}
