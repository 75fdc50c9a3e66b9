/** Edges, labels, class names, splits: the tables of a graph, read from text. */
#include "graph_text_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

void trm_id_limit_set(trm_id_limit *limit, int64_t n, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(limit->why, sizeof limit->why, format, arguments);
  va_end(arguments);
  limit->n = n;
}

static void note_highest(trm_highest *highest, const trm_scan *scan, int64_t id) {
  if (id > highest->id) *highest = (trm_highest){scan->path, id, scan->line_number};
}

/* ---- edges ------------------------------------------------------------------------------------ */

typedef struct edge_capacity {
  int64_t sources, targets, weights;
} edge_capacity;

static trm_status read_edge(trm_scan *scan, const trm_id_limit *limit, trm_edge_list *e,
                            edge_capacity *capacity, trm_highest *highest) {
  int64_t u, v;
  float w = 1;
  TRM_TRY(trm_scan_id(scan, "source node", limit->n, limit->why, &u));
  TRM_TRY(trm_scan_id(scan, "target node", limit->n, limit->why, &v));
  const bool weighted = trm_scan_more(scan);
  if (e->n > 0 && weighted != (e->weights != NULL)) {
    return trm_scan_fail(scan,
                         "the edge %lld %lld has %s weight, the lines before have %s; give "
                         "all edges one, or none",
                         (long long)u, (long long)v, weighted ? "a" : "no",
                         weighted ? "none" : "one");
  }
  if (weighted) {
    TRM_TRY(trm_scan_real(scan, "weight", &w));
    if (w < 0) return trm_scan_fail(scan, "weight %g is negative", (double)w);
    TRM_TRY(TRM_GROW(&e->weights, e->n, &capacity->weights, "weights of edges"));
    e->weights[e->n] = w;
  }
  TRM_TRY(trm_scan_end(scan));
  TRM_TRY(TRM_GROW(&e->sources, e->n, &capacity->sources, "edges"));
  TRM_TRY(TRM_GROW(&e->targets, e->n, &capacity->targets, "edges"));
  e->sources[e->n] = (int32_t)u;
  e->targets[e->n++] = (int32_t)v;
  note_highest(highest, scan, u > v ? u : v);
  return TRM_OK;
}

trm_status trm_text_edges(const char *path, const trm_id_limit *limit, const int32_t *graph_of,
                          trm_scan_progress *progress, trm_edge_list *edges, trm_highest *highest) {
  trm_scan scan;
  edge_capacity capacity = {0};
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "u<TAB>v[<TAB>weight]", progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_edge(&scan, limit, edges, &capacity, highest));
    const int32_t u = edges->sources[edges->n - 1], v = edges->targets[edges->n - 1];
    if (!graph_of || graph_of[u] == graph_of[v]) continue;
    TRM_TRY_OUT(trm_scan_fail(&scan, "the edge %d %d joins the graphs %d and %d; edges stay in one",
                              (int)u, (int)v, (int)graph_of[u], (int)graph_of[v]));
  }
  edges->capacity = capacity.sources;
  if (edges->n == 0) status = trm_fail(TRM_ERR_DATA, "%s: has no edges", path);
out:
  return trm_scan_close(&scan, status);
}

void trm_edge_list_free(trm_edge_list *edges) {
  TRM_FREE(edges->sources);
  TRM_FREE(edges->targets);
  TRM_FREE(edges->weights);
  edges->n = edges->capacity = 0;
}

/* ---- one value an id -------------------------------------------------------------------------- */

trm_status trm_text_values(const trm_value_table *table, const trm_id_limit *limit,
                           trm_scan_progress *progress, int32_t *values, trm_highest *highest) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  for (int64_t i = 0; i < limit->n; ++i) values[i] = -1;
  TRM_TRY_OUT(trm_scan_open(&scan, table->path, table->form, progress));
  for (;;) {
    int64_t id, value;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_id(&scan, table->id_name, limit->n, limit->why, &id));
    if (values[id] >= 0) {
      TRM_TRY_OUT(trm_scan_fail(&scan, "%s %lld is listed twice, first with %s %d; leave one out",
                                table->id_name, (long long)id, table->value_name, (int)values[id]));
    }
    TRM_TRY_OUT(trm_scan_id(&scan, table->value_name, table->value_limit,
                            "too high; number from 0 without gaps", &value));
    TRM_TRY_OUT(trm_scan_end(&scan));
    values[id] = (int32_t)value;
    note_highest(highest, &scan, value);
  }
out:
  return trm_scan_close(&scan, status);
}

/* ---- class names ------------------------------------------------------------------------------ */

/* Names in the order of the lines, and which class each is of. */
typedef struct named {
  int64_t n, capacity, n_bytes, bytes_capacity, ends_capacity;
  int64_t *classes, *ends;
  char *bytes;
} named;

static trm_status read_name(trm_scan *scan, named *names) {
  int64_t class;
  TRM_TRY(trm_scan_id(scan, "class", INT32_MAX, "too high; number classes from 0", &class));
  trm_scan_rest(scan);
  if (scan->n_field == 0) {
    return trm_scan_fail(scan, "the name of class %lld is missing; a line is %s", (long long)class,
                         scan->form);
  }
  TRM_TRY(TRM_GROW(&names->classes, names->n, &names->capacity, "names of classes"));
  TRM_TRY(TRM_GROW(&names->ends, names->n, &names->ends_capacity, "names of classes"));
  TRM_TRY(TRM_GROW(&names->bytes, names->n_bytes + scan->n_field, &names->bytes_capacity,
                   "names of classes"));
  memcpy(names->bytes + names->n_bytes, scan->field, (size_t)scan->n_field);
  names->n_bytes += scan->n_field;
  names->classes[names->n] = class;
  names->ends[names->n++] = names->n_bytes;
  return TRM_OK;
}

/* Puts the names in the order of their classes; each of [0, n) has one. */
static trm_status order_names(const char *path, const named *names, int64_t n, int64_t **offsets,
                              char **bytes) {
  int64_t *line_of = NULL; /* place in `names` + 1 */
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&line_of, n, "names of classes"));
  TRM_TRY_OUT(TRM_ALLOC(offsets, n + 1, "names of classes"));
  TRM_TRY_OUT(TRM_ALLOC(bytes, names->n_bytes, "names of classes"));
  for (int64_t i = 0; i < names->n; ++i) {
    const int64_t class = names->classes[i];
    if (class < n && line_of[class] == 0) {
      line_of[class] = i + 1;
      continue;
    }
    status = trm_fail(TRM_ERR_DATA,
                      class < n ? "%s: class %lld is named twice"
                                : "%s: class %lld is named, but not all below it; "
                                  "number classes from 0 without gaps",
                      path, (long long)class);
    goto out;
  }
  for (int64_t c = 0; c < n; ++c) {
    const int64_t i = line_of[c] - 1;
    if (i < 0) {
      TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: class %lld has no name", path, (long long)c));
    }
    const int64_t begin = i > 0 ? names->ends[i - 1] : 0;
    memcpy(*bytes + (*offsets)[c], names->bytes + begin, (size_t)(names->ends[i] - begin));
    (*offsets)[c + 1] = (*offsets)[c] + names->ends[i] - begin;
  }
out:
  TRM_FREE(line_of);
  return status;
}

trm_status trm_text_classes(const char *path, int64_t at_least, trm_scan_progress *progress,
                            int64_t **offsets, char **bytes, int64_t *n) {
  trm_scan scan;
  named names = {0};
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "class<TAB>name", progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_name(&scan, &names));
  }
  *n = names.n > at_least ? names.n : at_least;
  TRM_TRY_OUT(order_names(path, &names, *n, offsets, bytes));
out:
  TRM_FREE(names.classes);
  TRM_FREE(names.ends);
  TRM_FREE(names.bytes);
  return trm_scan_close(&scan, status);
}

/* ---- splits ----------------------------------------------------------------------------------- */

static trm_status add_to_subset(const trm_scan *scan, int64_t node, trm_subset which,
                                const int32_t *labels, uint8_t *subset) {
  if (subset[node] != 0) {
    const trm_subset other = (trm_subset)(subset[node] - 1);
    if (other == which) {
      return trm_scan_fail(scan, "node %lld is listed twice in %s", (long long)node,
                           trm_subset_name(which));
    }
    return trm_scan_fail(scan, "node %lld is in %s already; train, valid and test must not overlap",
                         (long long)node, trm_subset_name(other));
  }
  if (labels && labels[node] < 0) {
    return trm_scan_fail(scan, "node %lld is in %s, but has no label; label it, or leave it out",
                         (long long)node, trm_subset_name(which));
  }
  subset[node] = (uint8_t)((int)which + 1);
  return TRM_OK;
}

static bool is_word(const trm_scan *scan, const char *word) {
  return scan->n_field == (int64_t)strlen(word) &&
         memcmp(scan->field, word, (size_t)scan->n_field) == 0;
}

static trm_status read_subset(trm_scan *scan, trm_subset *which) {
  TRM_TRY(trm_scan_word(scan, "part"));
  *which = TRM_SUBSET_TRAIN;
  if (is_word(scan, "train")) return TRM_OK;
  *which = TRM_SUBSET_VALID;
  if (is_word(scan, "val") || is_word(scan, "valid") || is_word(scan, "validation")) return TRM_OK;
  *which = TRM_SUBSET_TEST;
  if (is_word(scan, "test")) return TRM_OK;
  char text[64];
  trm_text_escape(scan->field, scan->n_field, text, sizeof text);
  return trm_scan_fail(scan, "'%s' is no part of a split; expected train, val or test", text);
}

/* Classes are numbered from 0 without large gaps: their number sizes memory. */
static trm_status check_classes(const trm_highest *highest, int64_t n) {
  if (highest->id < 0 || trm_graph_plausible(highest->id + 1, n)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s:%lld: class %lld of %lld labels; number classes from 0 without "
                  "gaps",
                  highest->path, (long long)highest->line, (long long)highest->id, (long long)n);
}

trm_status trm_text_labels_read(const trm_value_table *table, const char *classes,
                                const trm_id_limit *limit, trm_scan_progress *progress,
                                trm_text_labels *out) {
  trm_highest highest = {.id = -1};
  TRM_TRY(TRM_ALLOC(&out->labels, limit->n, "labels"));
  TRM_TRY(trm_text_values(table, limit, progress, out->labels, &highest));
  TRM_TRY(check_classes(&highest, limit->n));
  out->n_classes = highest.id + 1;
  if (!classes) return TRM_OK;
  TRM_TRY(trm_text_classes(classes, out->n_classes, progress, &out->name_offsets, &out->name_bytes,
                           &out->n_names));
  out->n_classes = out->n_names;
  return TRM_OK;
}

trm_classes trm_text_labels_classes(const trm_text_labels *labels) {
  return (trm_classes){.n = (int)labels->n_classes,
                       .labels = labels->labels,
                       .names = {labels->n_names, labels->name_offsets, labels->name_bytes}};
}

void trm_text_labels_free(trm_text_labels *labels) {
  TRM_FREE(labels->labels);
  TRM_FREE(labels->name_offsets);
  TRM_FREE(labels->name_bytes);
}

trm_status trm_text_split(const char *path, const trm_id_limit *limit, const int32_t *labels,
                          trm_scan_progress *progress, uint8_t *subset) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "node<TAB>train|val|test", progress));
  for (;;) {
    int64_t node;
    trm_subset which;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_id(&scan, "node", limit->n, limit->why, &node));
    TRM_TRY_OUT(read_subset(&scan, &which));
    TRM_TRY_OUT(trm_scan_end(&scan));
    TRM_TRY_OUT(add_to_subset(&scan, node, which, labels, subset));
  }
out:
  return trm_scan_close(&scan, status);
}

trm_status trm_text_subset(const char *path, trm_subset which, const trm_id_limit *limit,
                           const int32_t *labels, trm_scan_progress *progress, uint8_t *subset) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "a node", progress));
  for (;;) {
    int64_t node;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_id(&scan, "node", limit->n, limit->why, &node));
    TRM_TRY_OUT(trm_scan_end(&scan));
    TRM_TRY_OUT(add_to_subset(&scan, node, which, labels, subset));
  }
out:
  return trm_scan_close(&scan, status);
}

trm_status trm_text_keep(const char *path, const trm_id_limit *limit, trm_scan_progress *progress,
                         int32_t *new_ids, int64_t *n) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  for (int64_t i = 0; i < limit->n; ++i) new_ids[i] = -1;
  *n = 0;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "a node", progress));
  for (;;) {
    int64_t node;
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(trm_scan_id(&scan, "node", limit->n, limit->why, &node));
    TRM_TRY_OUT(trm_scan_end(&scan));
    if (new_ids[node] >= 0) {
      TRM_TRY_OUT(trm_scan_fail(&scan, "node %lld is listed twice", (long long)node));
    }
    new_ids[node] = 0;
    ++*n;
  }
  if (*n == 0) TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: has no nodes to keep", path));
  for (int64_t i = 0, next = 0; i < limit->n; ++i) {
    if (new_ids[i] >= 0) new_ids[i] = (int32_t)next++;
  }
out:
  return trm_scan_close(&scan, status);
}
