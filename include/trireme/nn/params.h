/**
 * The parameter table: one row a parameter. Saving, clipping, averaging, updating, printing and
 * sharding loop over it; nothing repeats the list.
 *
 * All parameters live in one flat array, laid out in the order in which the backward pass finishes
 * their gradients, so a bucket of gradients is an offset and a length. Models add parameters in
 * the order of their first use in the forward pass; sealing reverses it.
 */
#ifndef TRIREME_NN_PARAMS_H
#define TRIREME_NN_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/math/real.h"

typedef enum trm_init {
  TRM_INIT_ZERO,
  TRM_INIT_ONE,
  TRM_INIT_NORMAL,  /* mean 0, standard deviation `scale` */
  TRM_INIT_UNIFORM, /* in [-scale, scale) */
} trm_init;

/** What a parameter is for; some optimizers treat matrices by it (muon). */
typedef enum trm_role {
  TRM_ROLE_HIDDEN,    /* between input and outputs, and all vectors */
  TRM_ROLE_EMBEDDING, /* rows that are looked up by an id or a place */
  TRM_ROLE_HEAD,      /* makes the outputs */
} trm_role;

enum { TRM_PARAM_NAME_BYTES = 96, TRM_PARAM_ALIGN = 16 };

typedef struct trm_param {
  char name[TRM_PARAM_NAME_BYTES]; /* path, "blocks/0/attn/qkv/weight" */
  int n_dims;
  int64_t dims[4];
  int64_t n;      /* elements */
  int64_t offset; /* in the flat array, a multiple of TRM_PARAM_ALIGN */
  bool decay;     /* weight decay applies */
  bool buffer;    /* not trained: a moving average of what passes give as its gradient */
  trm_role role;
  bool tokens;          /* rows are vectors of a vocabulary's tokens */
  bool columns;         /* numbers are of a table's columns, or of their levels */
  bool by_inputs;       /* a kernel is [inputs, outputs]; false: all others are [outputs, inputs] */
  bool drawn_by_inputs; /* first values are drawn as if it were [inputs, outputs] */
  int n_stacked;        /* matrices that lie one below the other in it, each with its outputs */
  trm_init init;
  double scale; /* of the first values, see trm_init */
} trm_param;

typedef struct trm_params {
  trm_param *rows; /* in order of addition */
  int n_rows, capacity;
  int64_t n_weights;  /* sum of n */
  int64_t n_elements; /* of the flat array, with padding */
  trm_real *weights;  /* [n_elements], padding is 0 */
  bool sealed;
} trm_params;

/** An empty table. Not collective, as all functions here. @return TRM_ERR_MEMORY */
trm_status trm_params_create(trm_params **out);
/** Frees table and weights. *params may be NULL, and is afterwards. */
void trm_params_destroy(trm_params **params);

/**
 * Adds a row; not after trm_params_seal.
 *
 * Called in the same order on all ranks, since offsets follow it.
 * @param[out] index   handle: the row's place in `rows`
 * @param[in]  dims    [n_dims], 1 to 4 of them, each at least 1; borrowed
 * @param[in]  scale   of the first values: standard deviation of TRM_INIT_NORMAL, limit of
 *                     TRM_INIT_UNIFORM (both >= 0); not read by the others
 * @param[in]  decay   weight decay applies
 * @param[in]  format  makes the name, a path unique in the table and shorter than
 *                     TRM_PARAM_NAME_BYTES
 * @return TRM_ERR_CONFIG when the sizes are not positive or their product overflows,
 *         TRM_ERR_MEMORY
 */
trm_status trm_params_add(trm_params *params, int *index, int n_dims, const int64_t *dims,
                          trm_init init, double scale, bool decay, const char *format, ...)
    __attribute__((format(printf, 8, 9)));
/** Adds a buffer, e.g. running statistics: it is saved, hashed and reduced like a parameter, but the
 *  update is value += 0.1 (gradient / count - value), without clipping, decay or learning rate.
 *  [n]; TRM_INIT_ZERO or TRM_INIT_ONE. Otherwise as trm_params_add. */
trm_status trm_params_add_buffer(trm_params *params, int *index, int64_t n, trm_init init,
                                 const char *format, ...) __attribute__((format(printf, 5, 6)));
/** Sets the role of the rows added since, and with, row `first`; until then they are hidden. */
void trm_params_mark(trm_params *params, int first, trm_role role);
/** Says that the rows of matrix `index` are vectors of a vocabulary's tokens. */
void trm_params_mark_tokens(trm_params *params, int index);
/** Says that the numbers of matrix `index` are of a table's columns, or of the levels of one. */
void trm_params_mark_columns(trm_params *params, int index);
/** Says that matrix `index` is [inputs, outputs] (kernels of convolutions). */
void trm_params_mark_by_inputs(trm_params *params, int index);
/** Says that the first values of matrix `index`, [outputs, inputs], are drawn input by input (maps of
 *  sparse features): as one lies that is [inputs, outputs]. Checkpoints of format 1 hold it so. */
void trm_params_mark_drawn_by_inputs(trm_params *params, int index);
/** Says that matrix `index` is n matrices [dims[0] / n, dims[1]] one below the other, such as those that
 *  make queries, keys and values in one product. Some optimizers take each for itself (muon). */
void trm_params_mark_stacked(trm_params *params, int index, int n);
/** Fixes offsets (last added row first) and allocates the weights, zeroed. Once. @return
 *  TRM_ERR_MEMORY */
trm_status trm_params_seal(trm_params *params);
/** Draws initial values: a function of (seed, row name hash, element) alone. Thread-parallel; the
 *  memory of the weights is first touched here, by the threads that compute. */
void trm_params_init(trm_params *params, uint64_t seed);
/** 64-bit hash of all weights (XXH3 over the flat array, padding included): equal exactly when every
 *  bit is. */
uint64_t trm_params_hash(const trm_params *params);
/** Row whose span holds flat element `element`, -1 for padding. */
int trm_params_find(const trm_params *params, int64_t element);

#endif
