/* Which way round a matrix of weights lies: said by an attribute of its array. */
#include <string.h>

#include "ckpt_internal.h"
#include "trireme/core/memory.h"

static const char *const texts[] = {
    [TRM_AXES_OUTPUTS_INPUTS] = "outputs, inputs", [TRM_AXES_INPUTS_OUTPUTS] = "inputs, outputs"};
enum { N_TEXTS = sizeof texts / sizeof texts[0] };

trm_status trm_ckpt_axes_write(trm_container *file, const char *name, trm_axes axes) {
  return axes == TRM_AXES_UNSAID ? TRM_OK : trm_attr_write_text(file, name, "axes", texts[axes]);
}

trm_status trm_ckpt_axes_read(trm_container *file, const char *name, trm_axes *axes) {
  char *text = NULL;
  *axes = TRM_AXES_UNSAID;
  if (!trm_attr_has(file, name, "axes")) return TRM_OK;
  TRM_TRY(trm_attr_read_text(file, name, "axes", &text));
  for (int i = TRM_AXES_UNSAID + 1; i < N_TEXTS; ++i) {
    if (strcmp(text, texts[i]) == 0) *axes = (trm_axes)i;
  }
  TRM_FREE(text);
  return TRM_OK;
}

trm_status trm_ckpt_axes_other(trm_container *file, const char *name, const trm_region *region,
                               bool *other) {
  trm_axes there = TRM_AXES_UNSAID;
  *other = false;
  if (region->n_dims != 2 || region->axes == TRM_AXES_UNSAID) return TRM_OK;
  TRM_TRY(trm_ckpt_axes_read(file, name, &there));
  if (there == TRM_AXES_UNSAID) there = region->axes_old;
  *other = there != TRM_AXES_UNSAID && there != region->axes;
  return TRM_OK;
}

trm_status trm_ckpt_turn(float *matrix, int64_t rows, int64_t columns) {
  float *turned = NULL;
  TRM_TRY(TRM_ALLOC(&turned, rows * columns, "a matrix that is turned"));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) turned[j * rows + i] = matrix[i * columns + j];
  }
  memcpy(matrix, turned, (size_t)(rows * columns) * sizeof *matrix);
  TRM_FREE(turned);
  return TRM_OK;
}
