/** Compressed sparse rows as plain arrays, which are borrowed. Ids are 32 bits, edges counted in 64. */
#ifndef TRIREME_CORE_CSR_H
#define TRIREME_CORE_CSR_H

#include <stdbool.h>
#include <stdint.h>

/** Compressed sparse rows. In a dry pass (sizes only) the arrays are NULL and the counts are upper
 *  bounds. offsets[0] need not be 0: a range of rows of a larger matrix is a valid one. */
typedef struct trm_csr {
  int64_t n_rows, n_columns, n_edges;
  const int64_t
      *offsets; /* [n_rows + 1], not decreasing: row i has edges [offsets[i], offsets[i+1]) */
  const int32_t *columns; /* of edge e, in [0, n_columns) */
  const float *values;    /* of edge e: values[map ? map[e] : e]; NULL: all 1 */
  const int64_t *map;     /* NULL: identity */
} trm_csr;

/**
 * Transpose by counting: rows of the result list the rows of `a` in rising order, repeated edges in
 * their order. Not collective, one thread, O(rows + columns + edges).
 * @param[out] offsets  [a->n_columns + 1], from 0
 * @param[out] columns  [edges of a]
 * @param[out] map      [edges of a] where the edge has its value in `a`: a->map, or its place; may be NULL
 */
void trm_csr_transpose(const trm_csr *a, int64_t *offsets, int32_t *columns, int64_t *map);

#endif
