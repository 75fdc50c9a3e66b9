/** Weights for other programs: safetensors and NumPy's .npz. For one process. */
#ifndef TRIREME_TRAIN_EXPORT_H
#define TRIREME_TRAIN_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

typedef struct trm_export_options {
  const char *run;    /* run directory or checkpoint file */
  const char *output; /* ends with .safetensors or .npz */
  bool best, raw;     /* as evaluate has them */
  bool force;         /* also over a file that is no export */
} trm_export_options;

typedef struct trm_export_result {
  int64_t step;       /* of the checkpoint */
  int64_t n_arrays;   /* written */
  int64_t n_elements; /* in them */
} trm_export_result;

/**
 * Writes the weights of a checkpoint, of the average where there is one, under the names they have
 * there without their group ("wte/weight"), float32, and the configuration as text beside them:
 * the metadata of safetensors, an array "__trireme__" of bytes in .npz. The same checkpoint makes the same bytes.
 * @return TRM_ERR_USAGE for another ending; TRM_ERR_DATA, TRM_ERR_IO
 */
trm_status trm_export_run(const trm_export_options *options, trm_export_result *result);

#endif
