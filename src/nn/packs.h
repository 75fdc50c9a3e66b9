/** Weights in the forms that products read, made at first use and kept until the weights change. */
#ifndef TRIREME_NN_PACKS_H
#define TRIREME_NN_PACKS_H

#include <stddef.h>

#include "trireme/nn/params.h"

typedef struct trm_packs trm_packs;

/** Keeps `params`. @return TRM_ERR_MEMORY */
trm_status trm_packs_create(const trm_params *params, trm_packs **out);
void trm_packs_destroy(trm_packs **packs);
/** Matrix `row` will be asked for in this form. */
void trm_packs_plan(trm_packs *packs, int row, bool transposed);
/** The transpose of matrix `row` will be asked for, as a matrix that lies row by row. */
void trm_packs_plan_plain(trm_packs *packs, int row);
/** Takes the memory of what was planned. @return TRM_ERR_MEMORY */
trm_status trm_packs_reserve(trm_packs *packs);
/** Bytes that were taken. */
size_t trm_packs_bytes(const trm_packs *packs);
/** The weights have changed. */
void trm_packs_forget(trm_packs *packs);
/** Matrix `row` as B[K, N]; transposed: the matrix is [N, K]. NULL where it was
 *  not planned. */
const trm_real *trm_packs_get(trm_packs *packs, int row, bool transposed);
/** Matrix `row` [N, K], which was planned so, transposed: [K, N], row by row. */
const trm_real *trm_packs_get_plain(trm_packs *packs, int row);

#endif
