#include "trireme/input/kind.h"

#include <string.h>

#include "kind_internal.h"
#include "trireme/input/data_file.h"

static const trm_data_kind *const kinds[] = {
#define TRM_DATA_KIND(name) &trm_data_kind_##name,
#include "kind_list.h"
#undef TRM_DATA_KIND
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

const trm_data_kind *const *trm_data_kinds(int *n) {
  *n = N_KINDS;
  return kinds;
}

const trm_data_kind *trm_data_kind_find(const char *name) {
  for (int i = 0; i < N_KINDS; ++i) {
    if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
  }
  return NULL;
}

trm_status trm_data_kind_refuse(const char *path, const char *found, const char *expected) {
  return trm_fail(TRM_ERR_DATA, "%s: kind is '%s', expected %s; give another data set%s", path,
                  found, expected,
                  trm_data_kind_find(found) ? ", or ask for what this kind is made for" : "");
}

trm_status trm_data_kind_of(const char *path, const trm_data_kind **kind) {
  char found[TRM_KIND_BYTES], known[256] = "";
  *kind = NULL;
  TRM_TRY(trm_dataset_kind(path, found));
  *kind = trm_data_kind_find(found);
  if (*kind) return TRM_OK;
  for (int i = 0; i < N_KINDS; ++i) {
    const size_t at = strlen(known);
    (void)snprintf(known + at, sizeof known - at, "%s'%s'",
                   i == 0            ? ""
                   : i + 1 < N_KINDS ? ", "
                                     : " or ",
                   kinds[i]->name);
  }
  return trm_data_kind_refuse(path, found, known);
}
