/** Writing a graph data set (data/FORMAT.md): all of it under a temporary name, then published. */
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/memory.h"

static int64_t number_at(const void *data, size_t place) {
  int64_t n;
  memcpy(&n, (const unsigned char *)data + place, sizeof n);
  return n;
}

static const void *pointer_at(const void *data, size_t place) {
  const void *pointer;
  memcpy(&pointer, (const unsigned char *)data + place, sizeof pointer);
  return pointer;
}

/* Elements of the array in a place of the list; texts that there are none of are not there. */
static int64_t elements(const trm_graph_kind *kind, const void *data, int place) {
  const trm_graph_array *a = &kind->arrays[place];
  switch (a->length) {
  case TRM_LENGTH_ROWS:
  case TRM_LENGTH_OFFSETS:
    return number_at(data, a->count) + 1;
  case TRM_LENGTH_TELLS:
  case TRM_LENGTH_EACH:
    return number_at(data, a->count);
  case TRM_LENGTH_TABLE:
    return number_at(data, a->count) * number_at(data, a->columns);
  case TRM_LENGTH_TEXTS: {
    const int64_t n = number_at(data, a->count);
    return n > 0 ? n + 1 : -1;
  }
  case TRM_LENGTH_OF_TEXTS: {
    const int64_t n = number_at(data, a->columns);
    TRM_ASSERT(n == 0 || n == number_at(data, a->count));
    return n > 0 ? n + 1 : -1;
  }
  case TRM_LENGTH_TEXT_BYTES: {
    const int64_t *offsets = pointer_at(data, kind->arrays[place - 1].data);
    const int64_t n = elements(kind, data, place - 1);
    return n > 0 ? offsets[n - 1] : -1;
  }
  }
  return -1;
}

/* What is not in memory is not written: it is not there, or `more` writes it. */
static trm_status write_place(const trm_graph_kind *kind, const void *data, int place,
                              trm_container *file) {
  const trm_graph_array *a = &kind->arrays[place];
  const void *array = a->name ? pointer_at(data, a->data) : NULL;
  const int64_t n = array ? elements(kind, data, place) : -1;
  if (n < 0) return TRM_OK;
  if (a->length != TRM_LENGTH_TABLE) return trm_array_write(file, a->name, a->dtype, 1, &n, array);
  const int64_t dims[2] = {number_at(data, a->count), number_at(data, a->columns)};
  return trm_array_write(file, a->name, a->dtype, 2, dims, array);
}

trm_status trm_graph_write_attributes(trm_container *file, const trm_graph *g,
                                      const trm_graph_counts *counts) {
  TRM_TRY(trm_attr_write_int(file, "/edges", "symmetric", g->symmetric));
  TRM_TRY(trm_attr_write_int(file, "/edges", "self_loops", counts->self_loops));
  TRM_TRY(trm_attr_write_int(file, "/edges", "duplicates", counts->duplicates));
  if (!g->sparse) return TRM_OK;
  return trm_attr_write_int(file, TRM_FEATURES_GROUP, "n_features", g->n_features);
}

static bool is_whole(const trm_csr *csr) {
  return !csr->offsets ||
         (csr->offsets[0] == 0 && csr->offsets[csr->n_rows] == csr->n_edges && !csr->map);
}

trm_status trm_graph_write_kind(const trm_graph_kind *kind, const char *path, const void *data,
                                const trm_graph_counts *counts, const trm_graph_more *more) {
  const trm_graph *g = data;
  trm_output output = {0};
  trm_status status = TRM_OK;
  TRM_ASSERT(is_whole(&g->in) && is_whole(&g->features));
  TRM_TRY_OUT(trm_output_check_place(path, NULL, 0));
  TRM_TRY_OUT(trm_output_create(&output, path));
  TRM_TRY_OUT(trm_output_head(output.file, kind->data_kind->name, g->source ? g->source : ""));
  for (int i = 0; i < TRM_N_GRAPH_PLACES; ++i) TRM_TRY_OUT(write_place(kind, data, i, output.file));
  TRM_TRY_OUT(kind->write(output.file, data, counts));
  if (more) TRM_TRY_OUT(more->write(more->context, output.file));
  TRM_TRY_OUT(trm_output_publish(&output));
out:
  trm_output_abandon(&output);
  return status;
}
