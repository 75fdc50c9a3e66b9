/**
 * What a graph file says it holds: sizes and attributes, before any array is read. Each size is
 * bounded by bytes in the file (the io layer compares an array's shape with its storage), and where
 * two arrays must agree, they do, before memory is sized by either.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"

bool trm_graph_plausible(int64_t claimed, int64_t entries) {
  return claimed <= (1 << 20) || claimed / 16 <= entries;
}

static trm_status expect_int_attr(const trm_graph_file *f, const char *object, const char *name,
                                  int64_t low, int64_t high, int64_t *value) {
  TRM_TRY(trm_attr_read_int(f->file, object, name, value));
  if (*value >= low && *value <= high) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: attribute '%s' of '%s' is %lld, expected %lld to %lld",
                  f->path, name, object, (long long)*value, (long long)low, (long long)high);
}

/* The same for one that may be absent. */
static trm_status maybe_int_attr(const trm_graph_file *f, const char *object, const char *name,
                                 int64_t absent, int64_t *value) {
  *value = absent;
  if (!trm_attr_has(f->file, object, name)) return TRM_OK;
  return expect_int_attr(f, object, name, 0, INT64_MAX, value);
}

static trm_status add(trm_graph_file *f, int slot, const char *name, trm_dtype dtype, int n_dims,
                      bool required, trm_array_info *info) {
  trm_graph_slot *s = &f->slots[slot];
  memcpy(s->name, name, strlen(name) + 1);
  s->dtype = dtype;
  s->n = -1;
  if (!trm_container_has(f->file, name)) {
    if (!required) return TRM_OK;
    return trm_fail(TRM_ERR_DATA, "%s: no array '%s', which a data set of kind %s must have",
                    f->path, name, trm_graph_kind_name(f->graph.kind));
  }
  TRM_TRY(trm_array_info_get(f->file, name, info));
  const bool real = info->dtype == TRM_DTYPE_F32 || info->dtype == TRM_DTYPE_F64;
  if (info->n_dims != n_dims || (real && dtype != TRM_DTYPE_F32)) {
    return trm_fail(TRM_ERR_DATA, "%s: array '%s' is %s with %d dimension%s, expected %s with %d",
                    f->path, name, trm_dtype_name(info->dtype), info->n_dims,
                    info->n_dims == 1 ? "" : "s", dtype == TRM_DTYPE_F32 ? "numbers" : "integers",
                    n_dims);
  }
  s->n = info->n_elements;
  return TRM_OK;
}

static trm_status add_vector(trm_graph_file *f, int slot, const char *name, trm_dtype dtype,
                             bool required) {
  trm_array_info info;
  return add(f, slot, name, dtype, 1, required, &info);
}

/* An array that has an element for each of `n` things. */
static trm_status expect_length(const trm_graph_file *f, int slot, int64_t n, const char *of) {
  const trm_graph_slot *s = &f->slots[slot];
  if (s->n < 0 || s->n == n) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: array '%s' has %lld elements, expected %lld (%s)", f->path,
                  s->name, (long long)s->n, (long long)n, of);
}

/* Offsets of rows: how many rows there are. Ids of rows have 32 bits. */
static trm_status count_rows(const trm_graph_file *f, int slot, const char *of, int64_t *n) {
  const trm_graph_slot *s = &f->slots[slot];
  *n = s->n - 1;
  if (*n >= 1 && *n <= INT32_MAX) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: array '%s' has %lld elements, expected one more than the "
                  "number of %s, which is from 1 to 2147483647",
                  f->path, s->name, (long long)s->n, of);
}

/* group/offsets and group/bytes, both or none. */
static trm_status add_texts(trm_graph_file *f, int slot, const char *group) {
  char name[TRM_GRAPH_NAME_BYTES];
  const bool there = trm_container_has(f->file, group);
  snprintf(name, sizeof name, "%s/offsets", group);
  TRM_TRY(add_vector(f, slot, name, TRM_DTYPE_I64, there));
  snprintf(name, sizeof name, "%s/bytes", group);
  return add_vector(f, slot + 1, name, TRM_DTYPE_U8, there);
}

static trm_status layout_edges(trm_graph_file *f) {
  trm_graph *g = &f->graph;
  TRM_TRY(add_vector(f, TRM_GA_EDGE_OFFSETS, "/edges/offsets", TRM_DTYPE_I64, true));
  TRM_TRY(add_vector(f, TRM_GA_EDGE_SOURCES, "/edges/sources", TRM_DTYPE_I32, true));
  TRM_TRY(add_vector(f, TRM_GA_EDGE_WEIGHTS, "/edges/weights", TRM_DTYPE_F32, false));
  TRM_TRY(count_rows(f, TRM_GA_EDGE_OFFSETS, "nodes", &g->n_nodes));
  TRM_TRY(expect_length(f, TRM_GA_EDGE_WEIGHTS, f->slots[TRM_GA_EDGE_SOURCES].n, "one an edge"));
  int64_t symmetric = 0;
  if (trm_attr_has(f->file, "/edges", "symmetric")) {
    TRM_TRY(expect_int_attr(f, "/edges", "symmetric", 0, 1, &symmetric));
  }
  g->symmetric = symmetric == 1;
  TRM_TRY(maybe_int_attr(f, "/edges", "self_loops", -1, &f->self_loops));
  return maybe_int_attr(f, "/edges", "duplicates", -1, &f->duplicates);
}

static trm_status layout_sparse(trm_graph_file *f) {
  trm_graph *g = &f->graph;
  static const char group[] = "/nodes/features";
  TRM_TRY(add_vector(f, TRM_GA_FEATURE_OFFSETS, "/nodes/features/offsets", TRM_DTYPE_I64, true));
  TRM_TRY(add_vector(f, TRM_GA_FEATURE_COLUMNS, "/nodes/features/columns", TRM_DTYPE_I32, true));
  TRM_TRY(add_vector(f, TRM_GA_FEATURE_VALUES, "/nodes/features/values", TRM_DTYPE_F32, false));
  TRM_TRY(expect_length(f, TRM_GA_FEATURE_OFFSETS, g->n_nodes + 1, "one more than the nodes"));
  const int64_t n = f->slots[TRM_GA_FEATURE_COLUMNS].n;
  TRM_TRY(expect_length(f, TRM_GA_FEATURE_VALUES, n, "one a column"));
  if (!trm_attr_has(f->file, group, "n_features")) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: no attribute 'n_features' of '%s', which sparse features "
                    "must have",
                    f->path, group);
  }
  TRM_TRY(expect_int_attr(f, group, "n_features", 1, INT32_MAX, &g->n_features));
  g->sparse = true;
  if (trm_graph_plausible(g->n_features, n)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %lld features, but only %lld values; number the columns "
                  "without gaps",
                  f->path, (long long)g->n_features, (long long)n);
}

static trm_status layout_nodes(trm_graph_file *f) {
  trm_graph *g = &f->graph;
  if (trm_container_has(f->file, "/nodes/features/offsets")) {
    TRM_TRY(layout_sparse(f));
  } else {
    trm_array_info info = {0};
    TRM_TRY(add(f, TRM_GA_DENSE, "/nodes/features", TRM_DTYPE_F32, 2, false, &info));
    if (f->slots[TRM_GA_DENSE].n >= 0) {
      if (info.dims[0] != g->n_nodes || info.dims[1] < 1 || info.dims[1] > INT32_MAX) {
        return trm_fail(TRM_ERR_DATA,
                        "%s: array '/nodes/features' is [%lld, %lld], expected a row for each of "
                        "the %lld nodes",
                        f->path, (long long)info.dims[0], (long long)info.dims[1],
                        (long long)g->n_nodes);
      }
      g->n_features = info.dims[1];
    }
  }
  TRM_TRY(add_texts(f, TRM_GA_NAME_OFFSETS, "/nodes/names"));
  return expect_length(f, TRM_GA_NAME_OFFSETS, g->n_nodes + 1, "one more than the nodes");
}

static trm_status layout_labels(trm_graph_file *f, const char *name, int64_t n, const char *of) {
  TRM_TRY(add_vector(f, TRM_GA_LABELS, name, TRM_DTYPE_I32, false));
  TRM_TRY(expect_length(f, TRM_GA_LABELS, n, of));
  TRM_TRY(add_texts(f, TRM_GA_CLASS_OFFSETS, "/classes"));
  const int64_t n_names = f->slots[TRM_GA_CLASS_OFFSETS].n - 1;
  f->n_classes_told = n_names >= 0 ? n_names : -1;
  if (f->slots[TRM_GA_LABELS].n < 0 || !trm_attr_has(f->file, name, "n_classes")) return TRM_OK;
  int64_t told;
  TRM_TRY(expect_int_attr(f, name, "n_classes", 0, INT32_MAX, &told));
  if (n_names >= 0 && n_names != told) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: attribute 'n_classes' of '%s' is %lld, '/classes' has %lld "
                    "names",
                    f->path, name, (long long)told, (long long)n_names);
  }
  f->n_classes_told = told;
  if (trm_graph_plausible(told, n)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: %lld classes for %lld labels; number them without gaps",
                  f->path, (long long)told, (long long)n);
}

static trm_status layout_splits(trm_graph_file *f) {
  for (int s = 0; s < f->graph.n_splits; ++s) {
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      char name[TRM_GRAPH_NAME_BYTES];
      const int slot = TRM_GA_SPLITS + s * TRM_N_SUBSETS + p;
      trm_graph_split_name(s, (trm_subset)p, name);
      TRM_TRY(add_vector(f, slot, name, TRM_DTYPE_I32, p == TRM_SUBSET_TRAIN));
      if (f->slots[slot].n <= f->graph.n_nodes) continue;
      return trm_fail(TRM_ERR_DATA, "%s: array '%s' has %lld elements, there are %lld nodes",
                      f->path, name, (long long)f->slots[slot].n, (long long)f->graph.n_nodes);
    }
  }
  return TRM_OK;
}

static trm_status layout_set(trm_graph_file *f) {
  trm_graph *g = &f->graph;
  TRM_TRY(add_vector(f, TRM_GA_GRAPHS, "/graphs/offsets", TRM_DTYPE_I64, true));
  TRM_TRY(add_vector(f, TRM_GA_FOLDS, "/graphs/folds", TRM_DTYPE_I32, false));
  TRM_TRY(count_rows(f, TRM_GA_GRAPHS, "graphs", &g->n_graphs));
  return expect_length(f, TRM_GA_FOLDS, g->n_graphs, "one a graph");
}

static trm_status layout_interactions(trm_graph_file *f) {
  trm_graph *g = &f->graph;
  TRM_TRY(add_vector(f, TRM_GA_TRAIN_OFFSETS, "/train/offsets", TRM_DTYPE_I64, true));
  TRM_TRY(add_vector(f, TRM_GA_TRAIN_ITEMS, "/train/items", TRM_DTYPE_I32, true));
  TRM_TRY(add_vector(f, TRM_GA_TEST_OFFSETS, "/test/offsets", TRM_DTYPE_I64, true));
  TRM_TRY(add_vector(f, TRM_GA_TEST_ITEMS, "/test/items", TRM_DTYPE_I32, true));
  TRM_TRY(count_rows(f, TRM_GA_TRAIN_OFFSETS, "users", &g->n_users));
  TRM_TRY(expect_length(f, TRM_GA_TEST_OFFSETS, g->n_users + 1, "one more than the users"));
  if (!trm_attr_has(f->file, "/", "n_items")) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: no attribute 'n_items', which a data set of kind "
                    "interactions must have",
                    f->path);
  }
  TRM_TRY(expect_int_attr(f, "/", "n_items", 1, INT32_MAX - g->n_users, &g->n_items));
  TRM_TRY(maybe_int_attr(f, "/train", "duplicates", -1, &f->duplicates));
  const int64_t n = f->slots[TRM_GA_TRAIN_ITEMS].n + f->slots[TRM_GA_TEST_ITEMS].n;
  g->n_nodes = g->n_users + g->n_items;
  g->symmetric = true;
  if (trm_graph_plausible(g->n_items, n)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %lld items, but only %lld interactions; number the items "
                  "without gaps",
                  f->path, (long long)g->n_items, (long long)n);
}

/* How many splits: numbered from 0 without a gap. */
static trm_status count_splits(trm_graph_file *f) {
  char name[TRM_GRAPH_NAME_BYTES];
  int64_t n_groups = 0;
  if (f->graph.kind != TRM_GRAPH_NODES || !trm_container_has(f->file, "/splits")) return TRM_OK;
  int n = 0;
  for (;; ++n) {
    snprintf(name, sizeof name, "/splits/%d", n);
    if (n == INT32_MAX / 8 || !trm_container_has(f->file, name)) break;
  }
  f->graph.n_splits = n;
  TRM_TRY(trm_container_count(f->file, "/splits", &n_groups));
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

static void place(trm_graph_file *f, bool features) {
  int64_t at = TRM_ALIGN_BYTES;
  _Static_assert(sizeof(trm_graph_facts) <= TRM_ALIGN_BYTES, "facts come first");
  for (int i = 0; i < f->n_slots; ++i) {
    trm_graph_slot *s = &f->slots[i];
    s->at = -1;
    if (s->n < 0 || (i == TRM_GA_DENSE && !features)) continue;
    s->at = at;
    const int64_t bytes = s->n * (int64_t)trm_dtype_bytes(s->dtype);
    at += (bytes + TRM_ALIGN_BYTES - 1) / TRM_ALIGN_BYTES * TRM_ALIGN_BYTES;
  }
  f->block_bytes = at;
}

static trm_status find_kind(trm_graph_file *f) {
  char kind[TRM_KIND_BYTES];
  TRM_TRY(trm_dataset_kind_read(f->file, f->path, kind));
  for (int k = TRM_GRAPH_NODES; k <= TRM_GRAPH_INTERACTIONS; ++k) {
    f->graph.kind = (trm_graph_kind)k;
    if (strcmp(kind, trm_graph_kind_name(f->graph.kind)) == 0) return TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA, "%s: kind is '%s', expected 'graph', 'graphs' or 'interactions'%s",
                  f->path, kind,
                  strcmp(kind, "text") == 0 ? ": a data set for model.kind decoder" : "");
}

/* Arrays that may be absent must not be overlooked because they are links to elsewhere: a walk over
 * all objects refuses those. */
static trm_status look_at(void *context, const char *name, const trm_array_info *info) {
  (void)context, (void)name, (void)info;
  return TRM_OK;
}

/**
 * Reads kind, attributes and the shape of every array, and lays the arrays out in one block. Not
 * collective; the same on every process that opens the same file.
 *
 * @param[in] features  false: dense features stay in the file
 */
trm_status trm_graph_layout(trm_graph_file *f, bool features) {
  trm_graph *g = &f->graph;
  TRM_TRY(find_kind(f));
  TRM_TRY(trm_container_visit(f->file, look_at, NULL));
  TRM_TRY(trm_note_read(f->file, "source", &f->source));
  TRM_TRY(trm_note_read(f->file, "created_by", &f->created_by));
  TRM_TRY(count_splits(f));
  f->n_slots = TRM_GA_SPLITS + g->n_splits * TRM_N_SUBSETS;
  TRM_TRY(TRM_ALLOC(&f->slots, f->n_slots, "arrays of a graph"));
  for (int i = 0; i < f->n_slots; ++i) f->slots[i].n = -1;
  f->n_classes_told = f->self_loops = f->duplicates = -1;
  if (g->kind == TRM_GRAPH_INTERACTIONS) {
    TRM_TRY(layout_interactions(f));
  } else {
    TRM_TRY(layout_edges(f));
    TRM_TRY(layout_nodes(f));
  }
  if (g->kind == TRM_GRAPH_NODES) {
    TRM_TRY(layout_labels(f, "/nodes/labels", g->n_nodes, "one a node"));
    TRM_TRY(layout_splits(f));
  } else if (g->kind == TRM_GRAPH_SET) {
    TRM_TRY(layout_set(f));
    TRM_TRY(layout_labels(f, "/graphs/labels", g->n_graphs, "one a graph"));
  }
  place(f, features);
  return TRM_OK;
}
