/** mlp on samples: images, pixel by pixel, or rows of a table. */
#ifndef TRIREME_MODEL_DENSE_H
#define TRIREME_MODEL_DENSE_H

#include "model_internal.h"

extern const trm_config_rows trm_dense_keys;
/** What a value of its keys selects. */
extern const trm_config_part trm_dense_levels_part;

trm_status trm_dense_create(const trm_config *config, const trm_model_dims *dims,
                            trm_params *params, void **self);
/** NULL is accepted. */
void trm_dense_destroy(void *self);
/** [n, outputs] */
trm_var *trm_dense_outputs(void *self, trm_tape *tape, const trm_batch *batch);
trm_var *trm_dense_loss_of(void *self, trm_tape *tape, trm_var *outputs, const trm_batch *batch);
trm_frame trm_dense_frame(const trm_config *config);

#endif
