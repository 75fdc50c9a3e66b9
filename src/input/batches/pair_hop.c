/**
 * The last hop of a pass over the whole graph, for the nodes of a batch alone. Of its edges, which are
 * few, each process has the rows of its own nodes by target, and by source those that lead to any node
 * of the batch, in the order of the whole graph's rows: sums have the same bits for any number of
 * processes (field.c, invariants 2 and 3). Interactions have no weights.
 */
#include <string.h>

#include "batching_internal.h"
#include "edge_drop_internal.h"
#include "pair_hop_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

static const trm_hop *whole_hop(const trm_pair_batching *way) {
  return &way->field->hops[way->field->n_hops - 1];
}

/* Sum of the n largest degrees of nodes [begin, end); sorts `degrees`. */
static int64_t largest_degrees(const trm_csr *in, int64_t begin, int64_t end, int64_t n,
                               trm_ranked *degrees) {
  int64_t sum = 0;
  for (int64_t i = begin; i < end; ++i) {
    degrees[i - begin] = (trm_ranked){.key = in->offsets[i + 1] - in->offsets[i], .tie = i};
  }
  trm_ranked_sort(degrees, end - begin);
  for (int64_t i = end - begin; i > 0 && n > 0; --i, --n) sum += degrees[i - 1].key;
  return sum;
}

/* A batch has at most B users and 2 B items, each once. */
trm_status trm_pair_hop_bounds(const trm_pair_batching *way, int64_t B, const trm_collection *most,
                               trm_hop *hop) {
  const trm_graph *graph = &way->data->graph;
  const trm_hop *whole = whole_hop(way);
  const int64_t n_users = way->data->n_users;
  trm_ranked *degrees = NULL;
  TRM_TRY(TRM_ALLOC(&degrees, graph->n_nodes, "degrees of users and items"));
  int64_t n_edges = largest_degrees(&graph->in, 0, n_users, B, degrees);
  n_edges += largest_degrees(&graph->in, n_users, graph->n_nodes, 2 * B, degrees);
  TRM_FREE(degrees);
  *hop = (trm_hop){.in = {.n_rows = most->n_own,
                          .n_columns = whole->in.n_columns,
                          .n_edges = trm_min_i64(n_edges, whole->in.n_edges)},
                   .out = {.n_rows = whole->out.n_rows,
                           .n_columns = most->n,
                           .n_edges = trm_min_i64(n_edges, whole->out.n_edges)},
                   .in_exchange = way->sources};
  return TRM_OK;
}

trm_status trm_pair_hop_init(const trm_pair_batching *way, const trm_hop *most, trm_pair_hop *h) {
  const char *what = "edges to the nodes of a batch";
  TRM_TRY(TRM_ALLOC(&h->in_offsets, most->in.n_rows + 1, what));
  TRM_TRY(TRM_ALLOC(&h->in_columns, most->in.n_edges, what));
  TRM_TRY(TRM_ALLOC(&h->out_offsets, most->out.n_rows + 1, what));
  TRM_TRY(TRM_ALLOC(&h->out_columns, most->out.n_edges, what));
  TRM_TRY(TRM_ALLOC(&h->degrees, most->out.n_columns, what));
  return TRM_ALLOC(&h->counts, way->drop_edge > 0 ? most->out.n_columns : 0, what);
}

void trm_pair_hop_release(trm_pair_hop *h) {
  TRM_FREE(h->in_offsets);
  TRM_FREE(h->in_columns);
  TRM_FREE(h->out_offsets);
  TRM_FREE(h->out_columns);
  TRM_FREE(h->degrees);
  TRM_FREE(h->counts);
}

/* Rows of own nodes of the batch. */
static void take_targets(const trm_hop *whole, const trm_collection *c, const trm_edge_drop *drop,
                         trm_pair_hop *h) {
  const trm_csr *in = &whole->in;
  int64_t n = 0;
  for (int64_t i = 0; i < c->n_own; ++i) {
    const int32_t row = c->rows[i];
    h->in_offsets[i] = n;
    for (int64_t e = in->offsets[row]; e < in->offsets[row + 1]; ++e) {
      const int32_t column = in->columns[e];
      if (trm_edge_dropped(drop, whole->target_ids[row], whole->source_ids[column])) continue;
      h->in_columns[n++] = column;
    }
  }
  h->in_offsets[c->n_own] = n;
  h->hop.in = (trm_csr){.n_rows = c->n_own,
                        .n_columns = in->n_columns,
                        .n_edges = n,
                        .offsets = h->in_offsets,
                        .columns = h->in_columns};
}

/* Rows of own sources. number[columns of the whole hop's `out`]: place in the batch, -1 for none. */
static void take_sources(const trm_hop *whole, const trm_collection *c, const int32_t *number,
                         const trm_edge_drop *drop, trm_pair_hop *h) {
  const trm_csr *out = &whole->out;
  int64_t n = 0;
  for (int64_t i = 0; i < out->n_rows; ++i) {
    h->out_offsets[i] = n;
    for (int64_t e = out->offsets[i]; e < out->offsets[i + 1]; ++e) {
      const int32_t column = number[out->columns[e]];
      if (column < 0) continue;
      if (trm_edge_dropped(drop, whole->target_ids[out->columns[e]], whole->source_ids[i])) {
        continue;
      }
      h->out_columns[n++] = column;
    }
  }
  h->out_offsets[out->n_rows] = n;
  h->hop.out = (trm_csr){.n_rows = out->n_rows,
                         .n_columns = c->n,
                         .n_edges = n,
                         .offsets = h->out_offsets,
                         .columns = h->out_columns};
}

void trm_pair_hop_make(const trm_pair_batching *way, uint64_t seed, int64_t step,
                       const trm_collection *c, const int32_t *ids, const trm_pair_numbers *numbers,
                       trm_pair_hop *h) {
  const trm_graph *g = &way->data->graph;
  const trm_hop *whole = whole_hop(way);
  const trm_edge_drop drop = trm_edge_drop_at(seed, step, way->drop_edge);
  for (int64_t t = 0; t < whole->out.n_columns; ++t) {
    numbers->columns[t] = numbers->of_place[numbers->place[whole->target_ids[t]]];
  }
  h->hop = (trm_hop){.source_ids = whole->source_ids,
                     .source_degrees = whole->source_degrees,
                     .target_ids = ids,
                     .target_degrees = h->degrees,
                     .in_exchange = way->sources};
  take_targets(whole, c, &drop, h);
  take_sources(whole, c, numbers->columns, &drop, h);
  for (int64_t i = 0; i < c->n; ++i) h->degrees[i] = g->degrees[ids[i]];
  if (drop.p <= 0) return;
  trm_edge_drop_counts(&drop, &g->in, ids, c->n, h->counts);
  h->hop.target_counts = h->counts;
}
