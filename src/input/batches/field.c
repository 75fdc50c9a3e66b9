/**
 * Fields: the rows, halo and compressed rows that one process has of a graph that is shared out.
 *
 * Nodes are in levels by their distance to a seed, against the edges: level l holds those of at most
 * l edges. Of n hops, the last one has level 0 as targets and level 1 as sources, the one before
 * levels 1 and 2, and so on; without seeds every level holds every node.
 *
 *     hop h:  targets = level n - 1 - h,  sources = level n - h
 *
 * Invariants
 * 1. Rows of a level are the process's nodes in it, in the partition's order; so a block's are
 *    contiguous, and halves of a hop that meet (sources of one, targets of the one before) agree.
 * 2. Edges of a row stay in the order of the whole graph's row, whatever the numbers of the columns:
 *    a sum over them has the same bits for any number of processes.
 * 3. `out` is the transpose of the whole graph's edges between the two levels, not of this process's
 *    `in`: it has the edges that lead to other processes' targets, and lacks those that come from
 *    their sources.
 */
#include <string.h>

#include "field_internal.h"
#include "partition_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

enum { UNREACHED = 255, NO_COLUMN = -1, IN_HALO = -2 };
_Static_assert((int)TRM_MAX_HOPS < (int)UNREACHED, "a distance fits a byte");

/* Own nodes of a level. */
typedef struct level {
  int64_t n;
  int32_t *ids;    /* [n] */
  int64_t *blocks; /* [n_local + 1] */
} level;

typedef struct builder {
  const trm_graph *graph;
  const trm_partition *partition;
  int size;
  int64_t begin, end; /* own places in the partition's order */
  uint8_t *distance;  /* [n_nodes] edges to a seed; NULL: no seeds, all nodes are in all levels */
  int32_t *column;    /* [n_nodes] of the side that is being made */
  level levels[TRM_MAX_HOPS + 1];
  trm_field *field;
} builder;

trm_status trm_field_new(const trm_graph *graph, trm_field **out) {
  trm_field *f = NULL;
  trm_field_owned *owned = NULL;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&f, 1, "field"));
  const trm_status status = TRM_ALLOC(&owned, 1, "field");
  if (status != TRM_OK) {
    TRM_FREE(f);
    return status;
  }
  owned->graph = graph;
  f->owned = owned;
  *out = f;
  return TRM_OK;
}

trm_status trm_field_take(trm_field *field, int64_t n, size_t size, const char *what, void **out) {
  trm_field_owned *owned = field->owned;
  TRM_ASSERT(owned->n < (int)(sizeof owned->blocks / sizeof owned->blocks[0]));
  TRM_TRY(trm_alloc_bytes(out, n, size, what));
  owned->blocks[owned->n++] = *out;
  return TRM_OK;
}

void trm_field_destroy(trm_field **field) {
  trm_field *f = *field;
  *field = NULL;
  if (!f) return;
  trm_field_owned *owned = f->owned;
  for (int i = 0; i < owned->n; ++i) TRM_FREE(owned->blocks[i]);
  TRM_FREE(owned);
  TRM_FREE(f);
}

static bool in_level(const builder *b, int32_t node, int reach) {
  return !b->distance || b->distance[node] <= reach;
}

/* Distances to the seeds up to n_hops, by breadth first search against the edges. */
static trm_status measure_distances(builder *b, const trm_ids *seeds, int n_hops) {
  const trm_csr *in = &b->graph->in;
  int32_t *queue = NULL;
  int64_t n = 0, done = 0;
  TRM_TRY(TRM_ALLOC(&b->distance, b->graph->n_nodes, "distances to seeds"));
  TRM_TRY(TRM_ALLOC(&queue, b->graph->n_nodes, "distances to seeds"));
  memset(b->distance, UNREACHED, (size_t)b->graph->n_nodes);
  for (int64_t s = 0; s < seeds->n; ++s) {
    if (b->distance[seeds->ids[s]] == 0) continue;
    b->distance[seeds->ids[s]] = 0;
    queue[n++] = seeds->ids[s];
  }
  for (int d = 1; d <= n_hops; ++d) {
    for (const int64_t end = n; done < end; ++done) {
      const int32_t target = queue[done];
      for (int64_t e = in->offsets[target]; e < in->offsets[target + 1]; ++e) {
        const int32_t source = in->columns[e];
        if (b->distance[source] != UNREACHED) continue;
        b->distance[source] = (uint8_t)d;
        queue[n++] = source;
      }
    }
  }
  TRM_FREE(queue);
  return TRM_OK;
}

static trm_status make_level(builder *b, int reach) {
  level *l = &b->levels[reach];
  const trm_partition *p = b->partition;
  const int64_t first = b->field->first_block, n_local = b->field->n_local;
  for (int64_t at = b->begin; at < b->end; ++at) l->n += in_level(b, p->order[at], reach);
  TRM_TRY(TRM_FIELD_TAKE(b->field, &l->ids, l->n, "rows of a field"));
  TRM_TRY(TRM_FIELD_TAKE(b->field, &l->blocks, n_local + 1, "blocks of a field"));
  int64_t n = 0;
  for (int64_t k = 0; k < n_local; ++k) {
    for (int64_t at = p->offsets[first + k]; at < p->offsets[first + k + 1]; ++at) {
      if (in_level(b, p->order[at], reach)) l->ids[n++] = p->order[at];
    }
    l->blocks[k + 1] = n;
  }
  return TRM_OK;
}

/* One direction of a hop: rows and columns are levels of nodes. */
typedef struct side {
  const trm_csr *whole;
  int row_level, column_level;
  trm_csr *csr; /* to be made, with the columns' ids and degrees and the halo */
  const int32_t **ids;
  const float **degrees;
  trm_halo_plan *halo;
} side;

/* Numbers of own columns, marks on those of the halo; counts edges and halo. */
static void mark_columns(builder *b, const side *s, int64_t *n_edges, int64_t *n_halo) {
  const level *rows = &b->levels[s->row_level], *columns = &b->levels[s->column_level];
  for (int64_t i = 0; i < b->graph->n_nodes; ++i) b->column[i] = NO_COLUMN;
  for (int64_t i = 0; i < columns->n; ++i) b->column[columns->ids[i]] = (int32_t)i;
  *n_edges = *n_halo = 0;
  for (int64_t i = 0; i < rows->n; ++i) {
    const int32_t node = rows->ids[i];
    for (int64_t e = s->whole->offsets[node]; e < s->whole->offsets[node + 1]; ++e) {
      const int32_t other = s->whole->columns[e];
      if (!in_level(b, other, s->column_level)) continue;
      ++*n_edges;
      if (b->column[other] != NO_COLUMN) continue;
      b->column[other] = IN_HALO;
      ++*n_halo;
    }
  }
}

/* Ids of the columns, those of the halo in the partition's order, which is by owner. */
static trm_status make_halo(builder *b, const side *s, int64_t n_halo) {
  const level *columns = &b->levels[s->column_level];
  const trm_partition *p = b->partition;
  int32_t *ids = NULL;
  int64_t *from = NULL;
  float *degrees = NULL;
  int64_t n = columns->n;
  TRM_TRY(TRM_FIELD_TAKE(b->field, &ids, n + n_halo, "nodes of a field"));
  TRM_TRY(TRM_FIELD_TAKE(b->field, &degrees, n + n_halo, "degrees of a field"));
  TRM_TRY(TRM_FIELD_TAKE(b->field, &from, (int64_t)b->size + 1, "halo of a field"));
  if (n > 0) memcpy(ids, columns->ids, (size_t)n * sizeof *ids);
  for (int r = 0; r < b->size; ++r) {
    const int64_t end = p->offsets[trm_share_begin(p->n_parts, r + 1, b->size)];
    for (int64_t at = p->offsets[trm_share_begin(p->n_parts, r, b->size)]; at < end; ++at) {
      if (b->column[p->order[at]] != IN_HALO) continue;
      b->column[p->order[at]] = (int32_t)n;
      ids[n++] = p->order[at];
    }
    from[r + 1] = n - columns->n;
  }
  TRM_ASSERT(n == columns->n + n_halo);
  for (int64_t i = 0; i < n; ++i) degrees[i] = b->graph->degrees[ids[i]];
  *s->ids = ids;
  *s->degrees = degrees;
  *s->halo = (trm_halo_plan){
      .n_own = columns->n, .n_halo = n_halo, .halo = ids + columns->n, .from = from, .own = ids};
  return TRM_OK;
}

static trm_status make_rows(builder *b, const side *s, int64_t n_edges) {
  const level *rows = &b->levels[s->row_level];
  const trm_csr *whole = s->whole;
  int64_t *offsets = NULL, n = 0;
  int32_t *columns = NULL;
  float *values = NULL;
  TRM_TRY(TRM_FIELD_TAKE(b->field, &offsets, rows->n + 1, "edges of a field"));
  TRM_TRY(TRM_FIELD_TAKE(b->field, &columns, n_edges, "edges of a field"));
  if (whole->values) TRM_TRY(TRM_FIELD_TAKE(b->field, &values, n_edges, "edges of a field"));
  for (int64_t i = 0; i < rows->n; ++i) {
    const int32_t node = rows->ids[i];
    for (int64_t e = whole->offsets[node]; e < whole->offsets[node + 1]; ++e) {
      if (!in_level(b, whole->columns[e], s->column_level)) continue;
      if (values) values[n] = whole->values[whole->map ? whole->map[e] : e];
      columns[n++] = b->column[whole->columns[e]];
    }
    offsets[i + 1] = n;
  }
  TRM_ASSERT(n == n_edges);
  *s->csr = (trm_csr){.n_rows = rows->n,
                      .n_columns = s->halo->n_own + s->halo->n_halo,
                      .n_edges = n_edges,
                      .offsets = offsets,
                      .columns = columns,
                      .values = values};
  return TRM_OK;
}

/* Afterwards b->column still has the columns of this side. */
static trm_status make_side(builder *b, const side *s) {
  int64_t n_edges, n_halo;
  mark_columns(b, s, &n_edges, &n_halo);
  TRM_TRY(make_halo(b, s, n_halo));
  return make_rows(b, s, n_edges);
}

/* The own columns that are the rows' nodes, -1 without. */
static trm_status match_rows(builder *b, int row_level, const int32_t **out) {
  const level *rows = &b->levels[row_level];
  int32_t *self = NULL;
  TRM_TRY(TRM_FIELD_TAKE(b->field, &self, rows->n, "rows of a field"));
  for (int64_t i = 0; i < rows->n; ++i) self[i] = b->column[rows->ids[i]];
  *out = self;
  return TRM_OK;
}

static trm_status make_hop(builder *b, int h) {
  trm_field *f = b->field;
  trm_hop *hop = &f->hops[h];
  const int targets = f->n_hops - 1 - h, sources = targets + 1;
  const side in = {.whole = &b->graph->in,
                   .row_level = targets,
                   .column_level = sources,
                   .csr = &hop->in,
                   .ids = &hop->source_ids,
                   .degrees = &hop->source_degrees,
                   .halo = &f->in_halo[h]};
  const side out = {.whole = trm_graph_out(b->graph),
                    .row_level = sources,
                    .column_level = targets,
                    .csr = &hop->out,
                    .ids = &hop->target_ids,
                    .degrees = &hop->target_degrees,
                    .halo = &f->out_halo[h]};
  hop->blocks = b->levels[targets].blocks;
  TRM_TRY(make_side(b, &in));
  if (b->distance) TRM_TRY(match_rows(b, targets, &hop->self));
  TRM_TRY(make_side(b, &out));
  if (b->distance) TRM_TRY(match_rows(b, sources, &hop->self_of));
  return TRM_OK;
}

static trm_status make_hops(builder *b) {
  trm_field *f = b->field;
  const int last = b->distance ? f->n_hops : 0;
  for (int reach = 0; reach <= last; ++reach) TRM_TRY(make_level(b, reach));
  if (!b->distance) {
    for (int reach = 1; reach <= f->n_hops; ++reach) b->levels[reach] = b->levels[0];
  }
  const level *inputs = &b->levels[f->n_hops], *targets = &b->levels[0];
  f->n_inputs = inputs->n;
  f->inputs = inputs->ids;
  f->input_blocks = inputs->blocks;
  f->n_targets = targets->n;
  f->targets = targets->ids;
  f->target_blocks = targets->blocks;
  for (int h = 0; h < f->n_hops; ++h) {
    if (h == 0 || b->distance) {
      TRM_TRY(make_hop(b, h));
      continue;
    }
    f->hops[h] = f->hops[0];
    f->in_halo[h] = f->in_halo[0];
    f->out_halo[h] = f->out_halo[0];
  }
  return TRM_OK;
}

/* One process, nodes in their own order, all of them: the graph's own arrays will do. */
static void borrow_graph(const trm_graph *graph, const trm_partition *p, trm_field *f) {
  static const int64_t no_halo[2] = {0};
  const trm_hop hop = {.in = graph->in,
                       .out = *trm_graph_out(graph),
                       .source_ids = p->order,
                       .target_ids = p->order,
                       .source_degrees = graph->degrees,
                       .target_degrees = graph->degrees,
                       .blocks = p->offsets};
  const trm_halo_plan halo = {
      .n_own = graph->n_nodes, .halo = p->order, .from = no_halo, .own = p->order};
  for (int h = 0; h < f->n_hops; ++h) {
    f->hops[h] = hop;
    f->in_halo[h] = f->out_halo[h] = halo;
  }
  f->n_inputs = f->n_targets = graph->n_nodes;
  f->inputs = f->targets = p->order;
  f->input_blocks = f->target_blocks = p->offsets;
}

static bool in_own_order(const trm_partition *p) {
  for (int64_t i = 0; i < p->n_nodes; ++i) {
    if (p->order[i] != i) return false;
  }
  return true;
}

trm_status trm_field_create(const trm_graph *graph, const trm_partition *partition, int rank,
                            int size, int n_hops, const trm_ids *seeds, trm_field **out) {
  *out = NULL;
  if (n_hops < 0 || n_hops > TRM_MAX_HOPS || size < 1 || rank < 0 || rank >= size) {
    return trm_fail(TRM_ERR_ARG, "field of %d hops (at most %d) for process %d of %d", n_hops,
                    TRM_MAX_HOPS, rank, size);
  }
  TRM_ASSERT(partition->n_nodes == graph->n_nodes);
  builder b = {.graph = graph, .partition = partition, .size = size};
  trm_status status = TRM_OK;
  TRM_TRY(trm_field_new(graph, &b.field));
  trm_field *f = b.field;
  f->n_hops = n_hops;
  f->same_hops = seeds == NULL;
  trm_share(partition->n_parts, size, rank, &f->first_block, &f->n_local);
  b.begin = partition->offsets[f->first_block];
  b.end = partition->offsets[f->first_block + f->n_local];
  if (size == 1 && !seeds && in_own_order(partition)) {
    borrow_graph(graph, partition, f);
  } else {
    TRM_TRY_OUT(TRM_ALLOC(&b.column, graph->n_nodes, "columns of nodes"));
    if (seeds) TRM_TRY_OUT(measure_distances(&b, seeds, n_hops));
    TRM_TRY_OUT(make_hops(&b));
  }
out:
  TRM_FREE(b.distance);
  TRM_FREE(b.column);
  if (status != TRM_OK) trm_field_destroy(&b.field);
  *out = b.field;
  return status;
}
