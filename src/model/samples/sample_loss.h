/** The loss of samples with a class, several classes or a number, and the keys that choose it. */
#ifndef TRIREME_MODEL_SAMPLE_LOSS_H
#define TRIREME_MODEL_SAMPLE_LOSS_H

#include "model_internal.h"
#include "trireme/math/xent.h"

/** loss.label_smoothing; loss.numbers, and what its values select. */
extern const trm_config_rows trm_smoothing_keys, trm_number_loss_keys;
extern const trm_config_part trm_huber_part;

typedef struct trm_sample_loss {
  bool numbers, class_sets; /* else one class a sample */
  double smoothing;
  trm_number_error error;
} trm_sample_loss;

/** Reads the keys that targets such as these need. */
void trm_sample_loss_configure(const trm_config *config, const trm_model_dims *dims,
                               trm_sample_loss *loss);
/** Scalar: the summed loss of outputs y[n, outputs]; smoothing, weights and mixing act in training. */
trm_var *trm_sample_loss_of(const trm_sample_loss *loss, trm_tape *tape, trm_var *y,
                            const trm_sample_batch *batch);

#endif
