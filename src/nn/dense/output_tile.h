/** A tile of the logits of an output layer, for operators that never have all of them. */
#ifndef TRIREME_NN_OUTPUT_TILE_H
#define TRIREME_NN_OUTPUT_TILE_H

#include "tape_internal.h"
#include "trireme/math/gemm.h"

/** Columns of a tile: one of 256 rows fits a second-level cache. */
enum { TRM_OUTPUT_TILE = 21 * TRM_PANEL };

/** logits[N, n] = x[N, C] w^T of rows first .. first + n - 1 of w[V, C]; `first` is a multiple of the
 *  tile. The operator names w as its matrix. */
void trm_output_tile(trm_tape *tape, const trm_var *x, const trm_var *w, trm_real *logits,
                     int64_t first, int64_t n);

#endif
