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
#include "trireme/input/data_file.h"

void *trm_graph_data(const trm_graph_file *f, int slot) {
  return f->slots[slot].at < 0 ? NULL : f->block + f->slots[slot].at;
}

int64_t trm_graph_elements(const trm_graph_file *f, int slot) {
  return f->slots[slot].n < 0 ? 0 : f->slots[slot].n;
}

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
  int64_t *offsets; /* of the transpose; of the whole graph for interactions */
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
  const trm_graph *g = &f->graph;
  pieces p = {0};
  *used = 0;
  p.degrees = next_piece(base, used, g->n_nodes, sizeof *p.degrees);
  if (g->kind == TRM_GRAPH_INTERACTIONS) {
    p.offsets = next_piece(base, used, g->n_nodes + 1, sizeof *p.offsets);
    p.columns = next_piece(base, used, 2 * g->train.n_edges, sizeof *p.columns);
  } else if (!g->symmetric) {
    p.offsets = next_piece(base, used, g->n_nodes + 1, sizeof *p.offsets);
    p.columns = next_piece(base, used, g->in.n_edges, sizeof *p.columns);
    if (g->in.values) p.map = next_piece(base, used, g->in.n_edges, sizeof *p.map);
  }
  return p;
}

/* Users first, then items: row u lists its items, row n_users + i the users that have it. */
static void make_bipartite(const trm_graph *g, const pieces *p) {
  const int64_t n = g->train.n_edges;
  trm_csr_transpose(&g->train, p->offsets + g->n_users, p->columns + n, NULL);
  for (int64_t r = 0; r <= g->n_items; ++r) p->offsets[g->n_users + r] += n;
  memcpy(p->offsets, g->train.offsets, (size_t)g->n_users * sizeof *p->offsets);
  for (int64_t e = 0; e < n; ++e) p->columns[e] = (int32_t)(g->n_users + g->train.columns[e]);
}

static void bind_derived(trm_graph_file *f, const pieces *p) {
  trm_graph *g = &f->graph;
  g->degrees = p->degrees;
  if (g->kind == TRM_GRAPH_INTERACTIONS) {
    g->in.n_edges = 2 * g->train.n_edges;
    g->in.offsets = p->offsets;
    g->in.columns = p->columns;
  }
  g->out = g->in;
  if (p->offsets && g->kind != TRM_GRAPH_INTERACTIONS) {
    g->out.offsets = p->offsets;
    g->out.columns = p->columns;
    g->out.map = p->map;
  }
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

static trm_status open_derived(trm_graph_file *f) {
  int64_t bytes;
  bool fill = false;
  void *memory = NULL;
  (void)lay_out_derived(f, NULL, &bytes);
  trm_status status =
      f->memory.take(f->memory.context, bytes, "degrees and transpose of a graph", &memory, &fill);
  f->derived = memory;
  if (status == TRM_OK) {
    const pieces p = lay_out_derived(f, f->derived, &bytes);
    if (fill && f->graph.kind == TRM_GRAPH_INTERACTIONS) make_bipartite(&f->graph, &p);
    if (fill && f->graph.kind != TRM_GRAPH_INTERACTIONS && p.offsets) {
      trm_csr_transpose(&f->graph.in, p.offsets, p.columns, p.map);
    }
    bind_derived(f, &p);
    if (fill) fill_degrees(&f->graph.in, p.degrees);
  }
  return f->memory.settle(f->memory.context, status);
}

/* ---- the file's arrays ------------------------------------------------------------------------ */

static trm_csr csr_of(const trm_graph_file *f, int offsets, int columns, int values,
                      int64_t n_columns) {
  trm_csr csr = {.n_rows = trm_graph_elements(f, offsets) - 1,
                 .n_columns = n_columns,
                 .n_edges = trm_graph_elements(f, columns),
                 .offsets = trm_graph_data(f, offsets),
                 .columns = trm_graph_data(f, columns)};
  if (values >= 0) csr.values = trm_graph_data(f, values);
  return csr;
}

static trm_texts texts_of(const trm_graph_file *f, int slot) {
  if (f->slots[slot].n < 0) return (trm_texts){0};
  return (trm_texts){.n = f->slots[slot].n - 1,
                     .offsets = trm_graph_data(f, slot),
                     .bytes = trm_graph_data(f, slot + 1)};
}

static void bind_block(trm_graph_file *f) {
  trm_graph *g = &f->graph;
  const trm_graph_facts *facts = (const trm_graph_facts *)(const void *)f->block;
  g->path = f->path;
  g->source = f->source;
  g->created_by = f->created_by;
  g->digest = facts->digest;
  g->n_classes = (int)facts->n_classes;
  g->n_folds = (int)facts->n_folds;
  if (g->kind == TRM_GRAPH_INTERACTIONS) {
    g->train = csr_of(f, TRM_GA_TRAIN_OFFSETS, TRM_GA_TRAIN_ITEMS, -1, g->n_items);
    g->test = csr_of(f, TRM_GA_TEST_OFFSETS, TRM_GA_TEST_ITEMS, -1, g->n_items);
    g->in = (trm_csr){.n_rows = g->n_nodes, .n_columns = g->n_nodes};
    return;
  }
  g->in = csr_of(f, TRM_GA_EDGE_OFFSETS, TRM_GA_EDGE_SOURCES, TRM_GA_EDGE_WEIGHTS, g->n_nodes);
  if (g->sparse) {
    g->features = csr_of(f, TRM_GA_FEATURE_OFFSETS, TRM_GA_FEATURE_COLUMNS, TRM_GA_FEATURE_VALUES,
                         g->n_features);
  }
  g->dense = trm_graph_data(f, TRM_GA_DENSE);
  g->labels = trm_graph_data(f, TRM_GA_LABELS);
  g->classes = texts_of(f, TRM_GA_CLASS_OFFSETS);
  g->names = texts_of(f, TRM_GA_NAME_OFFSETS);
  g->graphs = trm_graph_data(f, TRM_GA_GRAPHS);
  g->folds = trm_graph_data(f, TRM_GA_FOLDS);
}

static trm_status open_block(trm_graph_file *f) {
  bool fill = false;
  void *memory = NULL;
  trm_status status =
      f->memory.take(f->memory.context, f->block_bytes, "arrays of a graph", &memory, &fill);
  f->block = memory;
  if (status == TRM_OK && fill) status = trm_graph_read(f);
  TRM_TRY(f->memory.settle(f->memory.context, status));
  bind_block(f);
  return TRM_OK;
}

static trm_status bind_splits(trm_graph_file *f) {
  trm_graph *g = &f->graph;
  if (g->kind == TRM_GRAPH_SET) return g->folds ? trm_graph_folds_make(f) : TRM_OK;
  if (g->n_splits == 0) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&f->splits, g->n_splits * TRM_N_SUBSETS, "splits of a graph"));
  for (int i = 0; i < g->n_splits * TRM_N_SUBSETS; ++i) {
    f->splits[i].n = trm_graph_elements(f, TRM_GA_SPLITS + i);
    f->splits[i].ids = trm_graph_data(f, TRM_GA_SPLITS + i);
  }
  g->splits = f->splits;
  return TRM_OK;
}

/* What every process does for itself before the first settle. */
static trm_status open_file(trm_graph_file *f, const char *path, bool features) {
  const int64_t n_path = (int64_t)strlen(path) + 1;
  TRM_TRY(TRM_ALLOC(&f->path, n_path, "path of a data set"));
  memcpy(f->path, path, (size_t)n_path);
  TRM_TRY(trm_container_open(path, &f->file));
  return trm_graph_layout(f, features);
}

/* And after the last but one: nothing here may differ between processes but a failure. */
static trm_status finish(trm_graph_file *f) {
  TRM_TRY(bind_splits(f));
  const bool needed = f->slots[TRM_GA_DENSE].n >= 0 && !f->graph.dense;
  return needed ? TRM_OK : trm_container_close(&f->file);
}

/**
 * Opens and checks a graph data set: every array in full, before anything is sized by its content.
 *
 * Not collective without `memory`; with it as collective as its functions, which are called in the
 * same order by all, whatever fails.
 *
 * @param[out] out       NULL after a failure
 * @param[in]  memory    NULL: in this process; copied, its context must outlive the graph
 * @param[in]  features  false: dense features stay in the file, which stays open; sparse ones are
 *                       always read. They are checked in any case
 * @return TRM_ERR_DATA, TRM_ERR_IO, TRM_ERR_MEMORY, the same on all
 *
 * Cost: the file's arrays once, 8 bytes a node while symmetry is checked; a graph that is not
 * symmetric also has its transpose, 4 bytes an edge (12 with weights).
 */
trm_status trm_graph_open(const char *path, const trm_graph_memory *memory, bool features,
                          trm_graph **out) {
  *out = NULL;
  trm_graph_file *f = NULL;
  trm_status status = TRM_ALLOC(&f, 1, "graph");
  trm_graph_memory m = memory ? *memory : (trm_graph_memory){f, take_own, settle_own};
  if (f) f->memory = m;
  if (status == TRM_OK) status = open_file(f, path, features);
  status = m.settle(m.context, status);
  if (status == TRM_OK) status = open_block(f);
  if (status == TRM_OK) status = open_derived(f);
  if (status == TRM_OK) status = m.settle(m.context, finish(f));
  trm_graph *graph = f ? &f->graph : NULL;
  if (status != TRM_OK) {
    trm_graph_close(&graph);
    return status;
  }
  *out = graph;
  return TRM_OK;
}

/** Releases all but memory that trm_graph_memory gave. NULL is accepted. The message of a failure
 *  before is kept. Not collective. */
void trm_graph_close(trm_graph **graph) {
  trm_graph_file *f = (trm_graph_file *)(void *)*graph;
  if (!f) return;
  (void)trm_input_close(&f->file, TRM_ERR_DATA);
  for (int i = 0; f->fold_rest && i < 2 * f->graph.n_folds; ++i) TRM_FREE(f->fold_rest[i]);
  TRM_FREE(f->fold_rest);
  TRM_FREE(f->fold_order);
  TRM_FREE(f->splits);
  TRM_FREE(f->slots);
  for (int i = 0; i < f->n_own; ++i) TRM_FREE(f->own[i]);
  TRM_FREE(f->path);
  TRM_FREE(f->source);
  TRM_FREE(f->created_by);
  TRM_FREE(f);
  *graph = NULL;
}
