/**
 * Opening a graph data set, by one process or by several that share memory:
 *
 *     layout   every process: sizes and attributes                         settle
 *     block    one take; the process that fills reads, checks, digests     settle
 *     derived  one take; the same makes degrees and the transpose          settle
 *
 * Between two settles a process that failed does what the others do, and the next settle tells all:
 * takes may be collective. Two takes, since shared memory is expensive by the piece.
 */
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/seal.h"

/* ---- memory ----------------------------------------------------------------------------------- */

static trm_status take_own(void *context, int64_t bytes, const char *what, void **memory,
                           bool *fill) {
  trm_graph_file *f = context;
  *fill = true;
  TRM_TRY(trm_alloc_bytes(memory, bytes, 1, what));
  f->own[f->n_own++] = *memory;
  return TRM_OK;
}

static trm_status settle_own(void *context, trm_status status) {
  (void)context;
  return status;
}

/* ---- derived arrays --------------------------------------------------------------------------- */

/* Pieces of the second block; in a dry pass `base` is NULL and only `used` counts. */
typedef struct pieces {
  float *degrees;
  int64_t *offsets; /* of the transpose, or of edges that are made here */
  int32_t *columns;
  int64_t *map;
} pieces;

static void *next_piece(unsigned char *base, int64_t *used, int64_t n, size_t size) {
  void *piece = base ? base + *used : NULL;
  const int64_t bytes = n * (int64_t)size;
  *used += (bytes + TRM_ALIGN_BYTES - 1) / TRM_ALIGN_BYTES * TRM_ALIGN_BYTES;
  return piece;
}

static pieces lay_out_derived(const trm_graph_file *f, unsigned char *base, int64_t *used) {
  const trm_graph *g = f->graph;
  const bool makes = f->kind->make_edges != NULL;
  pieces p = {0};
  *used = 0;
  p.degrees = next_piece(base, used, g->n_nodes, sizeof *p.degrees);
  if (!makes && g->symmetric) return p;
  const int64_t n_edges = makes ? f->kind->count_edges(f->data) : g->in.n_edges;
  p.offsets = next_piece(base, used, g->n_nodes + 1, sizeof *p.offsets);
  p.columns = next_piece(base, used, n_edges, sizeof *p.columns);
  if (!makes && g->in.values) p.map = next_piece(base, used, n_edges, sizeof *p.map);
  return p;
}

static void fill_degrees(const trm_csr *in, float *degrees) {
  for (int64_t r = 0; r < in->n_rows; ++r) {
    double sum = (double)(in->offsets[r + 1] - in->offsets[r]);
    if (in->values) {
      sum = 0;
      for (int64_t e = in->offsets[r]; e < in->offsets[r + 1]; ++e) sum += (double)in->values[e];
    }
    degrees[r] = (float)sum;
  }
}

void trm_graph_join_sides(const trm_csr *lists, int64_t *offsets, int32_t *columns) {
  const int64_t n = lists->n_edges, left = lists->n_rows;
  trm_csr_transpose(lists, offsets + left, columns + n, NULL);
  for (int64_t r = 0; r <= lists->n_columns; ++r) offsets[left + r] += n;
  memcpy(offsets, lists->offsets, (size_t)left * sizeof *offsets);
  for (int64_t e = 0; e < n; ++e) columns[e] = (int32_t)(left + lists->columns[e]);
}

static void derive(trm_graph_file *f, const pieces *p, bool fill) {
  trm_graph *g = f->graph;
  if (f->kind->make_edges) {
    if (fill) f->kind->make_edges(f->data, p->offsets, p->columns);
    g->in.n_edges = f->kind->count_edges(f->data);
    g->in.offsets = p->offsets;
    g->in.columns = p->columns;
    g->out = g->in;
  } else {
    g->out = g->in;
    if (fill && p->offsets) trm_csr_transpose(&g->in, p->offsets, p->columns, p->map);
    if (p->offsets) {
      g->out.offsets = p->offsets;
      g->out.columns = p->columns;
      g->out.map = p->map;
    }
  }
  if (fill) fill_degrees(&g->in, p->degrees);
  g->degrees = p->degrees;
}

static trm_status open_derived(trm_graph_file *f) {
  int64_t bytes;
  bool fill = false;
  void *memory = NULL;
  (void)lay_out_derived(f, NULL, &bytes);
  const trm_status status =
      f->memory.take(f->memory.context, bytes, "degrees and transpose of a graph", &memory, &fill);
  f->derived = memory;
  if (status == TRM_OK) {
    const pieces p = lay_out_derived(f, f->derived, &bytes);
    derive(f, &p, fill);
  }
  return f->memory.settle(f->memory.context, status);
}

/* ---- the file's arrays ------------------------------------------------------------------------ */

/* Puts the arrays of the list into the kind's struct; what they tell is there since the layout. */
static void bind_arrays(trm_graph_file *f) {
  for (int i = 0; i < TRM_N_GRAPH_PLACES; ++i) {
    const trm_graph_array *a = &f->kind->arrays[i];
    const void *array = a->name ? trm_graph_data(f, i) : NULL;
    if (array) memcpy((unsigned char *)f->data + a->data, &array, sizeof array);
  }
}

static void bind_graph(trm_graph_file *f, const trm_graph_facts *facts) {
  trm_graph *g = f->graph;
  g->file = f;
  g->path = f->path;
  g->source = f->source;
  g->created_by = f->created_by;
  g->digest = facts->digest;
  g->in.n_rows = g->in.n_columns = g->n_nodes;
  if (!g->sparse) return;
  g->features.n_rows = g->n_nodes;
  g->features.n_columns = g->n_features;
}

static trm_status read_arrays(trm_graph_file *f) {
  trm_graph_facts *facts = (trm_graph_facts *)(void *)f->block;
  bool sealed; /* a file of another tool is not */
  TRM_TRY(trm_file_seal_check(f->path, &sealed));
  TRM_TRY(f->kind->check(f, facts));
  return trm_graph_digest(f, facts);
}

static trm_status open_block(trm_graph_file *f) {
  bool fill = false;
  void *memory = NULL;
  trm_status status =
      f->memory.take(f->memory.context, f->block_bytes, "arrays of a graph", &memory, &fill);
  f->block = memory;
  if (status == TRM_OK && fill) status = read_arrays(f);
  TRM_TRY(f->memory.settle(f->memory.context, status));
  bind_arrays(f);
  bind_graph(f, (const trm_graph_facts *)(const void *)f->block);
  return TRM_OK;
}

/* What every process does for itself before the first settle. */
static trm_status open_file(trm_graph_file *f, const trm_graph_kind *kind, const char *path,
                            bool features) {
  const int64_t n_path = (int64_t)strlen(path) + 1;
  TRM_TRY(TRM_ALLOC(&f->path, n_path, "path of a data set"));
  memcpy(f->path, path, (size_t)n_path);
  TRM_TRY(trm_container_open(path, &f->file));
  return trm_graph_layout(f, kind, features);
}

/* And after the last but one: nothing here may differ between processes but a failure. */
static trm_status finish(trm_graph_file *f) {
  const bool needed = f->slots[TRM_GA_DENSE].n >= 0 && !f->graph->dense;
  TRM_TRY(f->kind->bind(f, (const trm_graph_facts *)(const void *)f->block));
  return needed ? TRM_OK : trm_container_close(&f->file);
}

static void file_close(trm_graph_file *f) {
  if (!f) return;
  (void)trm_input_close(&f->file, TRM_ERR_DATA);
  if (f->kind && f->kind->release && f->self) f->kind->release(f);
  TRM_FREE(f->self);
  TRM_FREE(f->slots);
  for (int i = 0; i < f->n_own; ++i) TRM_FREE(f->own[i]);
  TRM_FREE(f->path);
  TRM_FREE(f->source);
  TRM_FREE(f->created_by);
  TRM_FREE(f->data);
  TRM_FREE(f);
}

/* ---- public ----------------------------------------------------------------------------------- */

trm_status trm_graph_open_kind(const trm_graph_kind *kind, const char *path,
                               const trm_graph_memory *memory, bool features, void **data) {
  *data = NULL;
  trm_graph_file *f = NULL;
  trm_status status = TRM_ALLOC(&f, 1, "graph");
  trm_graph_memory m = memory ? *memory : (trm_graph_memory){f, take_own, settle_own};
  if (f) f->memory = m;
  if (status == TRM_OK) status = open_file(f, kind, path, features);
  status = m.settle(m.context, status);
  if (status == TRM_OK) status = open_block(f);
  if (status == TRM_OK) status = open_derived(f);
  if (status == TRM_OK) status = m.settle(m.context, finish(f));
  if (status == TRM_OK) {
    *data = f->data;
  } else {
    file_close(f);
  }
  return status;
}

trm_status trm_graph_open(const char *path, const trm_graph_memory *memory, bool features,
                          trm_graph **out) {
  void *data = NULL;
  const trm_status status = trm_graph_open_kind(NULL, path, memory, features, &data);
  *out = data;
  return status;
}

void trm_graph_close(trm_graph **graph) {
  if (*graph) file_close((*graph)->file);
  *graph = NULL;
}

const void *trm_graph_data_of(const trm_graph *graph, const trm_graph_kind *kind) {
  return graph->file && graph->file->kind == kind ? graph : NULL;
}

trm_status trm_graph_features_read(const trm_graph *graph, const int32_t *nodes, int64_t n,
                                   float *out) {
  const int64_t C = graph->n_features;
  TRM_ASSERT(!graph->sparse && C > 0);
  if (graph->dense) {
    for (int64_t i = 0; i < n; ++i) {
      memcpy(out + i * C, graph->dense + nodes[i] * C, (size_t)C * sizeof *out);
    }
    return TRM_OK;
  }
  const trm_graph_file *f = graph->file;
  for (int64_t i = 0; i < n;) {
    int64_t run = 1;
    while (i + run < n && nodes[i + run] == nodes[i] + run) ++run;
    TRM_TRY(trm_array_read_range(f->file, f->slots[TRM_GA_DENSE].name, TRM_DTYPE_F32, nodes[i] * C,
                                 run * C, out + i * C));
    i += run;
  }
  return TRM_OK;
}

trm_status trm_graph_check_split(const trm_graph *graph, int split, int n) {
  if (n == 0) {
    const char *splits = graph->file ? graph->file->kind->data_kind->splits : "splits";
    const bool folds = strcmp(splits, "folds") == 0;
    return trm_fail(TRM_ERR_CONFIG, "%s: has no %s; prepare it with %s", graph->path, splits,
                    folds ? "folds: --folds N or a file of them"
                          : "parts: --valid-share and --test-share, --per-class N, lists "
                            "(--train, --valid, --test) or --split FILE");
  }
  if (split >= 0 && split < n) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG, "%s: has no split %d; there are %d, from 0 to %d", graph->path,
                  split, n, n - 1);
}
