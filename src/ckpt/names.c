/* Names of checkpoint files: making, reading, listing, sweeping. Invariant 6 rests on these. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckpt_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

static const char prefix[] = "step_", suffix[] = ".h5";

void trm_ckpt_name(int64_t step, char out[TRM_CKPT_NAME_BYTES]) {
  snprintf(out, TRM_CKPT_NAME_BYTES, "%s%08lld%s", prefix, (long long)step, suffix);
}

/* Length of the run of digits at `text`. */
static size_t n_digits(const char *text) {
  return strspn(text, "0123456789");
}

bool trm_ckpt_name_parse(const char *name, int64_t *step) {
  char again[TRM_CKPT_NAME_BYTES];
  if (strncmp(name, prefix, strlen(prefix)) != 0) return false;
  const char *digits = name + strlen(prefix);
  const size_t n = n_digits(digits);
  if (n < 8 || n > 18 || strcmp(digits + n, suffix) != 0) return false;
  const int64_t value = strtoll(digits, NULL, 10);
  trm_ckpt_name(value, again); /* "step_000000200.h5" is not a name we give */
  if (strcmp(name, again) != 0) return false;
  *step = value;
  return true;
}

static int compare_steps(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

trm_status trm_ckpt_list(const char *folder, int64_t **steps, int *n_steps) {
  char **names = NULL;
  int64_t *found = NULL;
  int n_names = 0, n = 0;
  TRM_TRY(trm_folder_list(folder, prefix, suffix, &names, &n_names));
  const trm_status status = TRM_ALLOC(&found, n_names, "a list of checkpoints");
  if (status == TRM_OK) {
    for (int i = 0; i < n_names; ++i) n += trm_ckpt_name_parse(names[i], &found[n]);
    if (n > 0) qsort(found, (size_t)n, sizeof *found, compare_steps);
    *steps = found;
    *n_steps = n;
  }
  TRM_FREE(names);
  return status;
}

/* Whether it is ".step_<digits>.h5.tmp-<digits>" or ".best.h5.tmp-<digits>". */
static bool is_temporary(const char *name) {
  static const char best[] = ".best.h5", mark[] = ".tmp-";
  char published[TRM_CKPT_NAME_BYTES];
  int64_t step;
  const char *tail = strstr(name, mark);
  if (!tail || tail == name) return false;
  const char *digits = tail + strlen(mark);
  if (n_digits(digits) == 0 || digits[n_digits(digits)] != 0) return false;
  const size_t n = (size_t)(tail - name);
  if (n == strlen(best) && strncmp(name, best, n) == 0) return true;
  if (name[0] != '.' || n >= sizeof published) return false;
  memcpy(published, name + 1, n - 1);
  published[n - 1] = 0;
  return trm_ckpt_name_parse(published, &step);
}

trm_status trm_ckpt_sweep(const char *folder) {
  char path[PATH_MAX], **names = NULL;
  int n = 0;
  trm_status status = TRM_OK;
  TRM_TRY(trm_folder_list(folder, ".", "", &names, &n));
  for (int i = 0; i < n; ++i) {
    if (!is_temporary(names[i])) continue; /* invariant 6 */
    TRM_TRY_OUT(trm_path_join(path, sizeof path, folder, names[i]));
    TRM_TRY_OUT(trm_file_remove(path));
  }
out:
  TRM_FREE(names);
  return status;
}
