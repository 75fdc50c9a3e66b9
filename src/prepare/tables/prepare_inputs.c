/** The files a graph is prepared from, and small things all ways to prepare one need. */
#include <stdio.h>
#include <string.h>

#include "prepare_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"

trm_status trm_inputs_add(trm_inputs *inputs, const char *path) {
  if (!path) return TRM_OK;
  TRM_TRY(TRM_GROW(&inputs->paths, inputs->n, &inputs->capacity, "names of inputs"));
  inputs->paths[inputs->n++] = path;
  return TRM_OK;
}

static void name_source(trm_inputs *inputs) {
  int used = 0;
  for (int64_t i = 0; i < inputs->n; ++i) {
    const int room = TRM_SOURCE_BYTES - 64 - used;
    const int n =
        snprintf(inputs->source + used, (size_t)room, "%s%s", i ? ", " : "", inputs->paths[i]);
    if (n < 0 || n >= room) {
      snprintf(inputs->source + used, 64, " ... (%lld files)", (long long)inputs->n);
      return;
    }
    used += n;
  }
}

trm_status trm_inputs_check(trm_inputs *inputs, const char *output, trm_scan_progress *progress) {
  for (int64_t i = 0; i < inputs->n; ++i) TRM_TRY(trm_scan_check(inputs->paths[i], progress));
  name_source(inputs);
  return trm_output_check_place(output, inputs->paths, (int)inputs->n);
}

void trm_inputs_free(trm_inputs *inputs) {
  TRM_FREE(inputs->paths);
}

void trm_row_normalize(float *values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += (double)values[i];
  if (sum == 0) return;
  for (int64_t i = 0; i < n; ++i) values[i] = (float)((double)values[i] / sum);
}

bool trm_row_is_empty(const float *values, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    if (values[i] != 0) return false;
  }
  return true;
}
