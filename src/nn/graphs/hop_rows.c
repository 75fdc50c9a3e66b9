#include "hop_rows.h"

#include <string.h>

#include "trireme/math/kernels.h"

int64_t trm_scratch_cost(int64_t n) {
  const int64_t line = TRM_ALIGN_BYTES / (int64_t)sizeof(trm_real);
  return (n + line - 1) / line * line;
}

trm_real *trm_scratch_take(trm_real **scratch, int64_t n) {
  trm_real *at = *scratch;
  *scratch += trm_scratch_cost(n);
  return at;
}

void trm_exchange_expect(const trm_row_exchange *exchange, int64_t C) {
  if (exchange && exchange->expect) exchange->expect(exchange->context, C);
}

int64_t trm_hop_sources_cost(const trm_hop *hop, int64_t C) {
  trm_exchange_expect(hop->in_exchange, C);
  return hop->in_exchange ? trm_scratch_cost(hop->in.n_columns * C) : 0;
}

int64_t trm_hop_targets_cost(const trm_hop *hop, int64_t C) {
  trm_exchange_expect(hop->out_exchange, C);
  return hop->out_exchange ? trm_scratch_cost(hop->out.n_columns * C) : 0;
}

/* Rows [0, n_own) are copied, the exchange brings the others up to n. */
static const trm_real *fetch(const trm_row_exchange *exchange, const trm_real *own, int64_t n_own,
                             int64_t n, int64_t C, trm_real **scratch) {
  if (!exchange) return own;
  trm_real *rows = trm_scratch_take(scratch, n * C);
  trm_copy_columns(rows, C, own, C, n_own, C, false); /* bits: some rows hold ids */
  exchange->fill(exchange->context, rows, C);
  return rows;
}

const trm_real *trm_hop_sources(const trm_hop *hop, const trm_real *x, int64_t C,
                                trm_real **scratch) {
  return fetch(hop->in_exchange, x, hop->out.n_rows, hop->in.n_columns, C, scratch);
}

const trm_real *trm_hop_targets(const trm_hop *hop, const trm_real *dy, int64_t C,
                                trm_real **scratch) {
  return fetch(hop->out_exchange, dy, hop->in.n_rows, hop->out.n_columns, C, scratch);
}

int64_t trm_hop_n_self_of(const trm_hop *hop) {
  if (hop->self_of || hop->out.n_rows < hop->in.n_rows) return hop->out.n_rows;
  return hop->in.n_rows;
}

trm_status trm_hop_shape(const trm_node *node, const trm_hop *hop, trm_shape *shape) {
  const trm_var *x = node->in[0];
  if (x->n_dims != 2 || x->dims[0] != hop->out.n_rows) {
    return trm_op_fail(node, "x has %d axes and %lld rows for %lld sources", x->n_dims,
                       (long long)trm_var_rows(x), (long long)hop->out.n_rows);
  }
  shape->n_dims = 2;
  shape->dims[0] = hop->in.n_rows;
  shape->dims[1] = x->dims[1];
  shape->blocks = hop->blocks;
  return TRM_OK;
}

/* ---- samples --------------------------------------------------------------------------------- */

enum { CASE_NODES = 16, CASE_EDGES = 48 };

typedef struct case_arrays {
  trm_hop hop;
  int64_t in_offsets[CASE_NODES + 1], out_offsets[CASE_NODES + 1], map[CASE_EDGES];
  int32_t in_columns[CASE_EDGES], out_columns[CASE_EDGES];
  int32_t self[CASE_NODES], self_of[CASE_NODES], source_ids[CASE_NODES];
  float values[CASE_EDGES];
  float source_degrees[CASE_NODES], target_degrees[CASE_NODES], target_counts[CASE_NODES];
} case_arrays;

/* Edges by target; the first edge of all stands there twice where there is room. */
static void put_edges(trm_op_case *c, const trm_case_graph *g, case_arrays *a) {
  const int32_t *targets = trm_case_ids(c, g->n_edges, 0, (int32_t)g->n_targets);
  const int32_t *sources = trm_case_ids(c, g->n_edges, 0, (int32_t)g->n_sources);
  int64_t n = 0;
  for (int64_t i = 0; i < g->n_targets; ++i) {
    a->in_offsets[i] = n;
    for (int64_t e = 0; e < g->n_edges; ++e) {
      if (targets[e] != i) continue;
      const bool repeat = n > a->in_offsets[i] && e % 4 == 3;
      a->in_columns[n] = repeat ? a->in_columns[n - 1] : sources[e];
      a->values[n] = 0.5f + (float)(e % 5) / 4;
      ++n;
    }
  }
  a->in_offsets[g->n_targets] = n;
}

static void put_degrees(const trm_case_graph *g, case_arrays *a) {
  for (int64_t j = 0; j < g->n_sources; ++j) {
    a->source_ids[j] = (int32_t)(100 + 7 * j);
    a->source_degrees[j] = (float)(j % 3) + (g->sampled ? 0.5f : 0);
    a->self_of[j] = -1;
  }
  for (int64_t i = 0; i < g->n_targets; ++i) {
    float count = 0;
    for (int64_t e = a->in_offsets[i]; e < a->in_offsets[i + 1]; ++e) {
      count += g->weighted ? a->values[e] : 1;
    }
    a->target_counts[i] = count;
    a->target_degrees[i] = g->sampled ? 1.5f * count + 1 : count;
    a->self[i] = (int32_t)(g->n_sources - 1 - i);
    if (g->shifted) a->self_of[a->self[i]] = (int32_t)i;
  }
}

const trm_hop *trm_case_hop(trm_op_case *c, const trm_case_graph *g) {
  static case_arrays arrays;
  case_arrays *a = &arrays;
  TRM_ASSERT(g->n_sources <= CASE_NODES && g->n_targets <= g->n_sources &&
             g->n_edges <= CASE_EDGES);
  memset(a, 0, sizeof *a);
  put_edges(c, g, a);
  put_degrees(g, a);
  trm_csr in = {.n_rows = g->n_targets, .n_columns = g->n_sources, .n_edges = g->n_edges};
  in.offsets = a->in_offsets;
  in.columns = a->in_columns;
  if (g->weighted) in.values = a->values;
  trm_csr_transpose(&in, a->out_offsets, a->out_columns, a->map);
  trm_csr out = {.n_rows = g->n_sources, .n_columns = g->n_targets, .n_edges = g->n_edges};
  out.offsets = a->out_offsets;
  out.columns = a->out_columns;
  out.values = in.values;
  out.map = a->map;
  a->hop = (trm_hop){.in = in, .out = out};
  a->hop.source_ids = a->source_ids;
  a->hop.source_degrees = a->source_degrees;
  a->hop.target_degrees = a->target_degrees;
  if (g->sampled) a->hop.target_counts = a->target_counts;
  if (g->shifted) {
    a->hop.self = a->self;
    a->hop.self_of = a->self_of;
  }
  return &a->hop;
}
