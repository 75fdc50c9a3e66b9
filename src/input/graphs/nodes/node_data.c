/** Kind `graph`: one graph whose nodes have classes, and splits of the nodes. */
#include "trireme/input/node_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "kind_internal.h"
#include "split_names_internal.h"
#include "trireme/core/memory.h"

static const char labels_name[] = "/nodes/labels";

static const trm_graph_array arrays[TRM_N_GRAPH_PLACES] = {
    TRM_GRAPH_ARRAYS,
    TRM_CLASS_ARRAYS(trm_node_data, labels_name, graph.n_nodes, "one a node"),
};

/* Arrays of the splits follow those of the list: TRM_N_SUBSETS of each. */
enum { SPLITS = TRM_N_GRAPH_PLACES };

static void name_subset(int split, int subset, char name[TRM_GRAPH_NAME_BYTES]) {
  (void)snprintf(name, TRM_GRAPH_NAME_BYTES, "/splits/%d/%s", split,
                 trm_subset_name((trm_subset)subset));
}

/* ---- layout ----------------------------------------------------------------------------------- */

/* How many splits: numbered from 0 without a gap. */
static trm_status count_arrays(trm_graph_file *f, int *n_arrays) {
  trm_node_data *d = f->data;
  char name[TRM_GRAPH_NAME_BYTES];
  int64_t n_groups = 0;
  if (!trm_container_has(f->file, "/splits")) return TRM_OK;
  TRM_TRY(trm_container_count(f->file, "/splits", &n_groups));
  int n = 0;
  for (;; ++n) {
    (void)snprintf(name, sizeof name, "/splits/%d", n);
    if (n == INT32_MAX / 8 || !trm_container_has(f->file, name)) break;
  }
  d->n_splits = n;
  *n_arrays = n * TRM_N_SUBSETS;
  TRM_TRY(trm_split_names_check(f->file, n));
  if (n > 0 && n_groups > n) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: group '/splits' has %" PRId64 " members, but no '/splits/%d'; splits are "
                    "numbered from 0 without gaps",
                    f->path, n_groups, n);
  }
  if (n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: group '/splits' has no '/splits/0/train'; splits are numbered "
                  "from 0",
                  f->path);
}

static trm_status layout_splits(trm_graph_file *f) {
  for (int s = 0; s < ((const trm_node_data *)f->data)->n_splits; ++s) {
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      char name[TRM_GRAPH_NAME_BYTES];
      const int slot = SPLITS + s * TRM_N_SUBSETS + p;
      name_subset(s, p, name);
      TRM_TRY(trm_graph_slot_find(f, slot, name, TRM_DTYPE_I32, p == TRM_SUBSET_TRAIN));
      if (f->slots[slot].n <= f->graph->n_nodes) continue;
      return trm_fail(TRM_ERR_DATA, "%s: array '%s' has %lld elements, there are %lld nodes",
                      f->path, name, (long long)f->slots[slot].n, (long long)f->graph->n_nodes);
    }
  }
  return TRM_OK;
}

static trm_status layout(trm_graph_file *f) {
  TRM_TRY(trm_graph_layout_attributes(f));
  TRM_TRY(trm_classes_layout(f, f->graph->n_nodes));
  return layout_splits(f);
}

/* ---- checks ----------------------------------------------------------------------------------- */

/* A 0 or 1 for each node becomes the ids of the nodes with 1, and -1 behind them. */
static void read_mask(const trm_graph_file *f, int slot) {
  int32_t *ids = trm_graph_data(f, slot);
  const int64_t n = f->slots[slot].n;
  if (n != f->graph->n_nodes) return;
  for (int64_t i = trm_mask_to_ids(ids, n); i < n; ++i) ids[i] = -1;
}

/* Ids of a subset: those of a mask end before their array does. */
static int64_t count_ids(const trm_graph_file *f, int slot) {
  const int32_t *ids = trm_graph_data(f, slot);
  int64_t n = trm_graph_elements(f, slot);
  while (n > 0 && n <= f->graph->n_nodes && f->slots[slot].n == f->graph->n_nodes &&
         ids[n - 1] == -1)
    --n;
  return n;
}

/* A subset of a split: rising ids of nodes that have a label and are in no other subset of it. */
static trm_status check_subset(const trm_graph_file *f, int slot, uint8_t *taken) {
  const trm_graph_slot *s = &f->slots[slot];
  const int32_t *ids = trm_graph_data(f, slot), *labels = trm_graph_data(f, TRM_GA_LABELS);
  const int subset = (slot - SPLITS) % TRM_N_SUBSETS;
  const int64_t n = count_ids(f, slot);
  if (n == s->n) TRM_TRY(trm_graph_check_ids(f, slot, 0, f->graph->n_nodes));
  for (int64_t i = 0; i < n; ++i) {
    if (i > 0 && ids[i] <= ids[i - 1]) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: '%s' is %d at index %" PRId64 " after %d; ids must be "
                      "rising, each once",
                      f->path, s->name, (int)ids[i], i, (int)ids[i - 1]);
    }
    if (taken[ids[i]]) {
      const int other = taken[ids[i]] - 1;
      return trm_fail(TRM_ERR_DATA,
                      "%s: node %d is in '%s' and in '%s'; the parts of a split must "
                      "not overlap",
                      f->path, (int)ids[i], f->slots[slot - subset + other].name, s->name);
    }
    if (labels && labels[ids[i]] < 0) {
      return trm_fail(TRM_ERR_DATA, "%s: node %d is in '%s', but has no label", f->path,
                      (int)ids[i], s->name);
    }
    taken[ids[i]] = (uint8_t)(subset + 1);
  }
  return TRM_OK;
}

static trm_status check_splits(const trm_graph_file *f) {
  const int n_splits = ((const trm_node_data *)f->data)->n_splits;
  if (n_splits == 0) return TRM_OK;
  uint8_t *taken = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&taken, f->graph->n_nodes, "check of a split"));
  for (int s = 0; s < n_splits; ++s) {
    memset(taken, 0, (size_t)f->graph->n_nodes);
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      const int slot = SPLITS + s * TRM_N_SUBSETS + p;
      if (f->slots[slot].n < 0) continue;
      TRM_TRY_OUT(trm_graph_slot_read(f, slot));
      read_mask(f, slot);
      TRM_TRY_OUT(check_subset(f, slot, taken));
    }
    const trm_graph_slot *train = &f->slots[SPLITS + s * TRM_N_SUBSETS];
    if (count_ids(f, SPLITS + s * TRM_N_SUBSETS) == 0) {
      status = trm_fail(TRM_ERR_DATA, "%s: '%s' is empty; a split needs nodes to train on", f->path,
                        train->name);
      goto out;
    }
  }
out:
  TRM_FREE(taken);
  return status;
}

static trm_status check(const trm_graph_file *f, trm_graph_facts *facts) {
  TRM_TRY(trm_graph_check_edges(f));
  TRM_TRY(trm_graph_check_features(f));
  TRM_TRY(trm_classes_check(f, &facts->n_classes));
  TRM_TRY(trm_graph_check_texts(f, TRM_GA_NAME_OFFSETS));
  return check_splits(f);
}

static trm_status bind(trm_graph_file *f, const trm_graph_facts *facts) {
  trm_node_data *d = f->data;
  const int n = d->n_splits * TRM_N_SUBSETS;
  trm_ids *splits = NULL;
  d->classes.n = (int)facts->n_classes;
  if (n == 0) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&splits, n, "splits of a graph"));
  for (int i = 0; i < n; ++i) {
    splits[i].n = count_ids(f, SPLITS + i);
    splits[i].ids = trm_graph_data(f, SPLITS + i);
  }
  d->splits = f->self = splits;
  return TRM_OK;
}

/* ---- description, writing --------------------------------------------------------------------- */

static trm_status describe(const trm_graph_file *f, FILE *file) {
  const trm_node_data *d = f->data;
  TRM_TRY(trm_describe_graph(f, file));
  TRM_TRY(trm_classes_describe(&d->classes, d->graph.n_nodes, file));
  trm_splits_describe(d->splits, d->n_splits, d->graph.n_nodes, file);
  return TRM_OK;
}

static trm_status write(trm_container *file, const void *data, const trm_graph_counts *counts) {
  const trm_node_data *d = data;
  char name[TRM_GRAPH_NAME_BYTES];
  TRM_TRY(trm_graph_write_attributes(file, &d->graph, counts));
  TRM_TRY(trm_classes_write(file, labels_name, &d->classes));
  for (int s = 0; s < d->n_splits; ++s) {
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      const trm_ids *ids = &d->splits[s * TRM_N_SUBSETS + p];
      name_subset(s, p, name);
      TRM_TRY(trm_array_write(file, name, TRM_DTYPE_I32, 1, &ids->n, ids->ids));
    }
  }
  return TRM_OK;
}

static const trm_graph_kind kind = {.data_kind = &trm_data_kind_nodes,
                                    .bytes = sizeof(trm_node_data),
                                    .arrays = arrays,
                                    .count_more = count_arrays,
                                    .layout = layout,
                                    .check = check,
                                    .bind = bind,
                                    .describe = describe,
                                    .write = write};

/* ---- public ----------------------------------------------------------------------------------- */

trm_status trm_node_data_open(const char *path, const trm_graph_memory *memory, bool features,
                              trm_node_data **out) {
  void *data = NULL;
  const trm_status status = trm_graph_open_kind(&kind, path, memory, features, &data);
  *out = data;
  return status;
}

void trm_node_data_close(trm_node_data **data) {
  trm_graph *graph = *data ? &(*data)->graph : NULL;
  trm_graph_close(&graph);
  *data = NULL;
}

const trm_node_data *trm_node_data_of(const trm_graph *graph) {
  return trm_graph_data_of(graph, &kind);
}

trm_status trm_node_data_split(const trm_node_data *data, int split, trm_subset subset,
                               trm_ids *ids) {
  *ids = (trm_ids){0};
  TRM_TRY(trm_graph_check_split(&data->graph, split, data->n_splits));
  *ids = data->splits[split * TRM_N_SUBSETS + (int)subset];
  return TRM_OK;
}

trm_status trm_node_data_write(const char *path, const trm_node_data *data,
                               const trm_graph_counts *counts, const trm_graph_more *more) {
  return trm_graph_write_kind(&kind, path, data, counts, more);
}

static trm_status count_splits(const char *path, int *n) {
  trm_node_data *data = NULL;
  *n = 0;
  TRM_TRY(trm_node_data_open(path, NULL, false, &data));
  *n = data->n_splits;
  trm_node_data_close(&data);
  return TRM_OK;
}

const trm_data_kind trm_data_kind_nodes = {.name = "graph",
                                           .splits = "splits",
                                           .describe = trm_graph_describe_path,
                                           .count_splits = count_splits,
                                           .graph = &kind};
