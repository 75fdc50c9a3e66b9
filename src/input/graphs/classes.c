/** Classes of nodes or graphs: their labels, how many there are, their names. */
#include <inttypes.h>

#include "graph_internal.h"
#include "labels_internal.h"

trm_status trm_classes_layout(trm_graph_file *f, int64_t n) {
  const trm_graph_slot *labels = &f->slots[TRM_GA_LABELS];
  const int64_t n_names = f->slots[TRM_GA_CLASS_OFFSETS].n - 1;
  f->n_classes_told = n_names >= 0 ? n_names : -1;
  if (labels->n < 0 || !trm_attr_has(f->file, labels->name, "n_classes")) return TRM_OK;
  int64_t told;
  TRM_TRY(trm_graph_attr_expect(f, labels->name, "n_classes", 0, INT32_MAX, &told));
  if (n_names >= 0 && n_names != told) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: attribute 'n_classes' of '%s' is %lld, '/classes' has %lld "
                    "names",
                    f->path, labels->name, (long long)told, (long long)n_names);
  }
  f->n_classes_told = told;
  if (trm_graph_plausible(told, n)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: %lld classes for %lld labels; number them without gaps",
                  f->path, (long long)told, (long long)n);
}

trm_status trm_classes_check(const trm_graph_file *f, int64_t *n_classes) {
  *n_classes = 0;
  TRM_TRY(trm_graph_check_texts(f, TRM_GA_CLASS_OFFSETS));
  if (f->slots[TRM_GA_LABELS].n < 0) return TRM_OK;
  int32_t *labels = trm_graph_data(f, TRM_GA_LABELS);
  const int64_t n = f->slots[TRM_GA_LABELS].n;
  int64_t highest = -1;
  TRM_TRY(trm_labels_read(f->file, f->slots[TRM_GA_LABELS].name, f->n_classes_told, labels, n));
  for (int64_t i = 0; i < n; ++i) highest = labels[i] > highest ? labels[i] : highest;
  *n_classes = f->n_classes_told >= 0 ? f->n_classes_told : highest + 1;
  TRM_TRY(trm_graph_check_ids(f, TRM_GA_LABELS, -1, *n_classes));
  if (trm_graph_plausible(*n_classes, n)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: '%s' has a class %" PRId64 " among %" PRId64 " labels; number "
                  "the classes without gaps",
                  f->path, f->slots[TRM_GA_LABELS].name, highest, n);
}

trm_status trm_classes_write(trm_container *file, const char *labels, const trm_classes *classes) {
  TRM_ASSERT(classes->names.n == 0 || (classes->labels && classes->names.n == classes->n));
  return classes->labels ? trm_attr_write_int(file, labels, "n_classes", classes->n) : TRM_OK;
}
