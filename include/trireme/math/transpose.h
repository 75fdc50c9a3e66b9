/** Transposed matrices. No kernels: nothing is computed, so one set of instructions is enough. */
#ifndef TRIREME_MATH_TRANSPOSE_H
#define TRIREME_MATH_TRANSPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/math/real.h"

/**
 * y[columns, rows] = x[rows, columns] transposed (add: y += that). They do not overlap.
 *
 * Not collective. Thread-parallel; each element is moved, or added, once.
 */
void trm_transpose_matrix(trm_real *y, const trm_real *x, int64_t rows, int64_t columns, bool add);

#endif
