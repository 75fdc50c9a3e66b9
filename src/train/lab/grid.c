/* Values of keys to try in all combinations. */
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/train/sweep.h"

static trm_status no_values(const char *text) {
  return trm_fail(
      TRM_ERR_USAGE,
      "--grid '%.200s': write KEY=VALUE,VALUE, as optimizer.name=adam,sgd; a value with "
      "commas stands in brackets",
      text);
}

/* Cuts values in place, at commas outside of brackets; false: a bracket is not closed. */
static bool cut_values(trm_grid_axis *axis, char *at) {
  for (;;) {
    const bool bracket = *at == '[';
    char *end = bracket ? strchr(at, ']') : at + strcspn(at, ",");
    if (!end || (bracket && end[1] != ',' && end[1] != 0)) return false;
    char *next = bracket ? end + 1 : end;
    const bool last = *next == 0;
    axis->values[axis->n++] = at + bracket;
    *end = *next = 0;
    if (last) return true;
    at = next + 1;
  }
}

static trm_status check_axis(const trm_grid *grid, const trm_grid_axis *axis, const char *text) {
  for (int i = 0; i < grid->n_axes; ++i) {
    if (strcmp(grid->axes[i].key, axis->key) != 0) continue;
    return trm_fail(TRM_ERR_USAGE,
                    "--grid '%.200s': %s is there twice; give it all its values once", text,
                    axis->key);
  }
  for (int64_t i = 0; i < axis->n; ++i) {
    for (int64_t k = 0; k < i; ++k) {
      if (strcmp(axis->values[i], axis->values[k]) != 0) continue;
      return trm_fail(TRM_ERR_USAGE, "--grid '%.200s': the value '%s' is there twice; give it once",
                      text, axis->values[i]);
    }
  }
  if (axis->n <= TRM_GRID_MOST / trm_grid_points(grid)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "--grid '%.200s': more than %d points; give fewer values", text,
                  TRM_GRID_MOST);
}

static void free_axis(trm_grid_axis *axis) {
  TRM_FREE(axis->values);
  TRM_FREE(axis->text);
}

trm_status trm_grid_add(trm_grid *grid, const char *text) {
  trm_grid_axis axis = {0};
  trm_status status;
  const size_t n = strlen(text);
  const char *equals = strchr(text, '=');
  if (!equals || equals == text || !equals[1]) return no_values(text);
  if (grid->n_axes == TRM_GRID_AXES) {
    return trm_fail(TRM_ERR_USAGE, "--grid '%.200s': more than %d keys; give fewer", text,
                    TRM_GRID_AXES);
  }
  TRM_TRY_OUT(TRM_ALLOC(&axis.text, (int64_t)n + 1, "grid"));
  TRM_TRY_OUT(TRM_ALLOC(&axis.values, (int64_t)n + 1, "grid"));
  memcpy(axis.text, text, n);
  axis.text[equals - text] = 0;
  axis.key = axis.text;
  if (!cut_values(&axis, axis.text + (equals - text) + 1)) {
    status = no_values(text);
    goto out;
  }
  TRM_TRY_OUT(check_axis(grid, &axis, text));
  grid->axes[grid->n_axes++] = axis;
  return TRM_OK;
out:
  free_axis(&axis);
  return status;
}

void trm_grid_free(trm_grid *grid) {
  for (int i = 0; i < grid->n_axes; ++i) free_axis(&grid->axes[i]);
  grid->n_axes = 0;
}

int64_t trm_grid_points(const trm_grid *grid) {
  int64_t n = 1;
  for (int i = 0; i < grid->n_axes; ++i) n *= grid->axes[i].n;
  return n;
}

const char *trm_grid_value(const trm_grid *grid, int64_t point, int axis) {
  for (int i = grid->n_axes - 1; i > axis; --i) point /= grid->axes[i].n;
  return grid->axes[axis].values[point % grid->axes[axis].n];
}
