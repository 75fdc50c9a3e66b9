/**
 * What a graph file says it holds: sizes and attributes, before any array is read. Each size is
 * bounded by bytes in the file (the io layer compares an array's shape with its storage), and where
 * two arrays must agree, they do, before memory is sized by either.
 */
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "kind_internal.h"
#include "trireme/core/memory.h"

bool trm_graph_plausible(int64_t claimed, int64_t entries) {
  return claimed <= (1 << 20) || claimed / 16 <= entries;
}

/* ---- attributes ------------------------------------------------------------------------------- */

trm_status trm_graph_attr_expect(const trm_graph_file *f, const char *object, const char *name,
                                 int64_t low, int64_t high, int64_t *value) {
  TRM_TRY(trm_attr_read_int(f->file, object, name, value));
  if (*value >= low && *value <= high) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: attribute '%s' of '%s' is %lld, expected %lld to %lld",
                  f->path, name, object, (long long)*value, (long long)low, (long long)high);
}

trm_status trm_graph_attr_maybe(const trm_graph_file *f, const char *object, const char *name,
                                int64_t *value) {
  *value = -1;
  if (!trm_attr_has(f->file, object, name)) return TRM_OK;
  return trm_graph_attr_expect(f, object, name, 0, INT64_MAX, value);
}

trm_status trm_graph_attr_required(const trm_graph_file *f, const char *object, const char *name,
                                   const char *of) {
  if (trm_attr_has(f->file, object, name)) return TRM_OK;
  const bool root = strcmp(object, "/") == 0;
  return trm_fail(TRM_ERR_DATA, "%s: no attribute '%s'%s%s%s, which %s must have", f->path, name,
                  root ? "" : " of '", root ? "" : object, root ? "" : "'", of);
}

/* ---- arrays ----------------------------------------------------------------------------------- */

/* A list of pairs where compressed rows are needed: of PyTorch Geometric, or of who has read too fast. */
static trm_status refuse_edge_list(const trm_graph_file *f) {
  static const char *const usual[] = {"/edges", "/edge_index", "/edges/edge_index", "/edges/index"};
  for (size_t i = 0; i < sizeof usual / sizeof usual[0]; ++i) {
    trm_array_info info;
    if (!trm_container_has(f->file, usual[i]) ||
        trm_array_info_get(f->file, usual[i], &info) != TRM_OK || info.n_dims != 2) {
      continue;
    }
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is a list of edges [%lld, %lld]; the format has rows by destination, "
                    "/edges/offsets and /edges/sources: write the pairs as text for trireme "
                    "prepare graph, or sort them (data/FORMAT.md has the lines)",
                    f->path, usual[i], (long long)info.dims[0], (long long)info.dims[1]);
  }
  return TRM_OK;
}

static trm_status find(trm_graph_file *f, int slot, const char *name, trm_dtype dtype, int n_dims,
                       bool required, trm_array_info *info) {
  trm_graph_slot *s = &f->slots[slot];
  TRM_ASSERT(strlen(name) < sizeof s->name);
  memcpy(s->name, name, strlen(name) + 1);
  s->dtype = dtype;
  s->n = -1;
  if (!trm_container_has(f->file, name)) {
    if (!required) return TRM_OK;
    TRM_TRY(refuse_edge_list(f));
    return trm_fail(TRM_ERR_DATA, "%s: no array '%s', which a data set of kind %s must have",
                    f->path, name, f->kind->data_kind->name);
  }
  TRM_TRY(trm_array_info_get(f->file, name, info));
  /* Tools that know matrices alone write lists as rows or columns. */
  const bool row = n_dims == 1 && info->n_dims == 2 && (info->dims[0] == 1 || info->dims[1] == 1);
  if (info->n_dims != n_dims && !row) {
    return trm_fail(TRM_ERR_DATA, "%s: array '%s' is %s with %d dimension%s, expected %s with %d",
                    f->path, name, trm_dtype_name(info->dtype), info->n_dims,
                    info->n_dims == 1 ? "" : "s", dtype == TRM_DTYPE_F32 ? "numbers" : "integers",
                    n_dims);
  }
  s->n = info->n_elements;
  return TRM_OK;
}

trm_status trm_graph_slot_find(trm_graph_file *f, int slot, const char *name, trm_dtype dtype,
                               bool required) {
  trm_array_info info;
  return find(f, slot, name, dtype, 1, required, &info);
}

static trm_status expect_length(const trm_graph_file *f, const trm_graph_slot *s, int64_t n,
                                const char *of) {
  if (s->n == n) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: array '%s' has %lld elements, expected %lld (%s)", f->path,
                  s->name, (long long)s->n, (long long)n, of);
}

/* Offsets of rows: how many rows there are. Ids of rows have 32 bits. */
static trm_status count_rows(const trm_graph_file *f, const trm_graph_slot *s, const char *of,
                             int64_t *n) {
  *n = s->n - 1;
  if (*n >= 1 && *n <= INT32_MAX) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: array '%s' has %lld elements, expected one more than the "
                  "number of %s, which is from 1 to 2147483647",
                  f->path, s->name, (long long)s->n, of);
}

static trm_status check_table(const trm_graph_file *f, const trm_graph_slot *s,
                              const trm_array_info *info, int64_t n, const char *of,
                              int64_t *columns) {
  *columns = info->dims[1];
  if (info->dims[0] == n && *columns >= 1 && *columns <= INT32_MAX) return TRM_OK;
  if (info->dims[1] == n && info->dims[0] != n) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: array '%s' is [%lld, %lld], a column for each of the %lld %s; write it "
                    "transposed (MATLAB and Fortran store columns, so x')",
                    f->path, s->name, (long long)info->dims[0], (long long)info->dims[1],
                    (long long)n, of);
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: array '%s' is [%lld, %lld], expected a row for each of the %lld %s", f->path,
                  s->name, (long long)info->dims[0], (long long)info->dims[1], (long long)n, of);
}

/* Looks one array of the list up, and what its length tells or must agree with. */
static trm_status lay_out(trm_graph_file *f, int place) {
  const trm_graph_array *a = &f->kind->arrays[place];
  const trm_graph_slot *s = &f->slots[place];
  int64_t *count = (int64_t *)(void *)((unsigned char *)f->data + a->count);
  int64_t *columns = (int64_t *)(void *)((unsigned char *)f->data + a->columns);
  trm_array_info info = {0};
  if (!a->name || (a->with && !trm_container_has(f->file, a->with)) ||
      (a->unless && trm_container_has(f->file, a->unless))) {
    return TRM_OK;
  }
  const int n_dims = a->length == TRM_LENGTH_TABLE ? 2 : 1;
  TRM_TRY(find(f, place, a->name, a->dtype, n_dims, a->required, &info));
  if (s->n < 0) return TRM_OK;
  switch (a->length) {
  case TRM_LENGTH_ROWS:
    return count_rows(f, s, a->of, count);
  case TRM_LENGTH_OFFSETS:
    return expect_length(f, s, *count + 1, a->of);
  case TRM_LENGTH_TELLS:
    *count = s->n;
    return TRM_OK;
  case TRM_LENGTH_EACH:
    return expect_length(f, s, *count, a->of);
  case TRM_LENGTH_TABLE:
    return check_table(f, s, &info, *count, a->of, columns);
  case TRM_LENGTH_TEXTS: /* an empty array is refused when it is read */
    *count = s->n > 0 ? s->n - 1 : 0;
    return TRM_OK;
  case TRM_LENGTH_OF_TEXTS:
    *columns = *count;
    return expect_length(f, s, *count + 1, a->of);
  case TRM_LENGTH_TEXT_BYTES:
    break;
  }
  return TRM_OK;
}

/* Whether others must agree with what this one tells: it is looked up before them. */
static bool tells(int place, const trm_graph_kind *kind) {
  const trm_graph_length length = kind->arrays[place].length;
  return length == TRM_LENGTH_ROWS || length == TRM_LENGTH_TELLS;
}

/* ---- edges and features ----------------------------------------------------------------------- */

trm_status trm_graph_layout_attributes(trm_graph_file *f) {
  trm_graph *g = f->graph;
  int64_t symmetric = 0;
  if (trm_attr_has(f->file, "/edges", "symmetric")) {
    TRM_TRY(trm_graph_attr_expect(f, "/edges", "symmetric", 0, 1, &symmetric));
  }
  g->symmetric = symmetric == 1;
  TRM_TRY(trm_graph_attr_maybe(f, "/edges", "self_loops", &f->self_loops));
  TRM_TRY(trm_graph_attr_maybe(f, "/edges", "duplicates", &f->duplicates));
  g->sparse = f->slots[TRM_GA_FEATURE_OFFSETS].n >= 0;
  if (!g->sparse) return TRM_OK;
  TRM_TRY(trm_graph_attr_required(f, TRM_FEATURES_GROUP, "n_features", "sparse features"));
  TRM_TRY(trm_graph_attr_expect(f, TRM_FEATURES_GROUP, "n_features", 1, INT32_MAX, &g->n_features));
  if (trm_graph_plausible(g->n_features, g->features.n_edges)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: %lld features, but only %lld values; number the columns "
                  "without gaps",
                  f->path, (long long)g->n_features, (long long)g->features.n_edges);
}

/* ---- the file --------------------------------------------------------------------------------- */

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

/* "'graph', 'graphs' or 'interactions'": all kinds of graphs, or the one that is wanted. */
static void list_kinds(const trm_graph_kind *wanted, char *text, size_t size) {
  int n_kinds, n = 0, i = 0;
  const trm_data_kind *const *kinds = trm_data_kinds(&n_kinds);
  text[0] = 0;
  for (int k = 0; k < n_kinds; ++k) n += kinds[k]->graph && (!wanted || kinds[k]->graph == wanted);
  for (int k = 0; k < n_kinds; ++k) {
    if (!kinds[k]->graph || (wanted && kinds[k]->graph != wanted)) continue;
    const size_t at = strlen(text);
    (void)snprintf(text + at, size - at, "%s'%s'",
                   i == 0      ? ""
                   : i + 1 < n ? ", "
                               : " or ",
                   kinds[k]->name);
    ++i;
  }
}

static trm_status find_kind(trm_graph_file *f, const trm_graph_kind *wanted) {
  char name[TRM_KIND_BYTES], expected[160];
  TRM_TRY(trm_dataset_kind_read(f->file, f->path, name));
  const trm_data_kind *found = trm_data_kind_find(name);
  if (found && found->graph && (!wanted || found->graph == wanted)) {
    f->kind = found->graph;
    return TRM_OK;
  }
  list_kinds(wanted, expected, sizeof expected);
  return trm_data_kind_refuse(f->path, name, expected);
}

/* Arrays that may be absent must not be overlooked because they are links to elsewhere: a walk over
 * all objects refuses those. */
static trm_status look_at(void *context, const char *name, const trm_array_info *info) {
  (void)context, (void)name, (void)info;
  return TRM_OK;
}

trm_status trm_graph_layout(trm_graph_file *f, const trm_graph_kind *wanted, bool features) {
  int n_more = 0;
  TRM_TRY(find_kind(f, wanted));
  TRM_TRY(trm_alloc_bytes(&f->data, 1, (size_t)f->kind->bytes, "graph"));
  f->graph = f->data;
  TRM_TRY(trm_container_visit(f->file, look_at, NULL));
  TRM_TRY(trm_note_read(f->file, "source", &f->source));
  TRM_TRY(trm_note_read(f->file, "created_by", &f->created_by));
  if (f->kind->count_more) TRM_TRY(f->kind->count_more(f, &n_more));
  f->n_slots = TRM_N_GRAPH_PLACES + n_more;
  TRM_TRY(TRM_ALLOC(&f->slots, f->n_slots, "arrays of a graph"));
  for (int i = 0; i < f->n_slots; ++i) f->slots[i].n = -1;
  f->n_classes_told = f->self_loops = f->duplicates = -1;
  for (int i = 0; i < TRM_N_GRAPH_PLACES; ++i) {
    if (tells(i, f->kind)) TRM_TRY(lay_out(f, i));
  }
  for (int i = 0; i < TRM_N_GRAPH_PLACES; ++i) {
    if (!tells(i, f->kind)) TRM_TRY(lay_out(f, i));
  }
  TRM_TRY(f->kind->layout(f));
  place(f, features);
  return TRM_OK;
}
