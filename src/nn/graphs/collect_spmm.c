/*
 * The product over edges (spmm.c) for the nodes of a collection alone, on every process: each makes
 * the rows of its own nodes and gets the others. As in collect.c every process has the gradient of
 * all rows, so the way back pulls it over the transpose to the own sources and asks nobody.
 */
#include "hop_rows.h"
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/nn/ops.h"

enum { CASE_SOURCES = 12, CASE_TARGETS = 7, CASE_WIDTH = 17 }; /* of the gradient check */

typedef struct collect_spmm {
  const trm_hop *hop;               /* borrowed for the pass */
  const trm_collection *collection; /* likewise */
} collect_spmm;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const collect_spmm *s = TRM_ATTR(node, collect_spmm);
  const trm_hop *hop = s->hop;
  const trm_collection *c = s->collection;
  if (x->n_dims != 2 || x->dims[0] != hop->out.n_rows || hop->in.n_rows != c->n_own ||
      hop->out.n_columns != c->n) {
    return trm_op_fail(node, "x has %d axes and %lld rows for %lld sources; %lld of %lld targets",
                       x->n_dims, (long long)trm_var_rows(x), (long long)hop->out.n_rows,
                       (long long)hop->in.n_rows, (long long)hop->out.n_columns);
  }
  shape->n_dims = 2;
  shape->dims[0] = c->n;
  shape->dims[1] = x->dims[1];
  shape->scratch_forward = trm_hop_sources_cost(hop, x->dims[1]) + trm_scratch_cost(c->n) +
                           trm_scratch_cost(hop->in.n_columns);
  shape->scratch_backward = trm_scratch_cost(c->n) + trm_scratch_cost(hop->out.n_rows);
  return TRM_OK;
}

/* r of the collection's nodes, c of the first n sources. */
static void scales(const trm_hop *hop, int64_t n, trm_real **scratch, trm_real **r, trm_real **c) {
  const float *counts = hop->target_counts ? hop->target_counts : hop->target_degrees;
  *r = trm_scratch_take(scratch, hop->out.n_columns);
  *c = trm_scratch_take(scratch, n);
  trm_target_scales(*r, hop->target_degrees, counts, false, hop->out.n_columns);
  trm_source_scales(*c, hop->source_degrees, false, n);
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const collect_spmm *s = TRM_ATTR(node, collect_spmm);
  const trm_hop *hop = s->hop;
  const trm_collection *to = s->collection;
  const int64_t C = node->out->dims[1];
  trm_real *scratch = node->scratch, *r, *c;
  const trm_real *x = trm_hop_sources(hop, node->in[0]->data, C, &scratch);
  scales(hop, hop->in.n_columns, &scratch, &r, &c);
  trm_spmm(node->out->data + to->first * C, x, &hop->in, r + to->first, c, NULL, 0, C, false);
  if (to->exchange) to->exchange->fill(to->exchange->context, node->out->data, C);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_hop *hop = TRM_ATTR(node, collect_spmm)->hop;
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_real *scratch = node->scratch, *r, *c;
  scales(hop, hop->out.n_rows, &scratch, &r, &c);
  trm_spmm(dx, node->out->grad, &hop->out, c, r, NULL, 0, node->out->dims[1], add);
}

/* Rows of another process: it has the same sources, and the targets that are not own here. */
typedef struct other {
  const trm_hop *hop;
  const trm_collection *collection;
  const trm_real *x;
} other;

static void fill_case(void *context, trm_real *rows, int64_t C) {
  const other *o = context;
  trm_csr in = o->hop->in;
  trm_real r[CASE_TARGETS], s[CASE_SOURCES], all[CASE_TARGETS * CASE_WIDTH];
  in.n_rows = o->collection->n;
  trm_target_scales(r, o->hop->target_degrees, o->hop->target_degrees, false, in.n_rows);
  trm_source_scales(s, o->hop->source_degrees, false, in.n_columns);
  trm_spmm(all, o->x, &in, r, s, NULL, 0, C, false);
  for (int64_t i = 0; i < in.n_rows; ++i) {
    const bool own = i >= o->collection->first && i < o->collection->first + o->collection->n_own;
    for (int64_t k = 0; k < C && !own; ++k) rows[i * C + k] = all[i * C + k];
  }
}

/* All targets are own, or some in the middle. */
static trm_var *sample(trm_op_case *c, int variant) {
  static const struct {
    trm_case_graph graph;
    int64_t C, first, n_own;
  } cases[] = {{{1, 1, 1, false, false, false}, 1, 0, 1},
               {{9, 4, 12, true, false, false}, CASE_WIDTH, 0, 4},
               {{9, 5, 16, false, true, false}, 2, 0, 5},
               {{6, 0, 0, false, false, false}, 3, 0, 0},
               {{5, 3, 0, false, false, false}, 4, 0, 3},
               {{CASE_SOURCES, CASE_TARGETS, 30, false, false, false}, 5, 2, 3}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  static trm_collection collection;
  static trm_hop hop;
  static other context;
  static const trm_row_exchange exchange = {.context = &context, .fill = fill_case};
  const trm_case_graph *g = &cases[variant].graph;
  const int64_t first = cases[variant].first, n_own = cases[variant].n_own;
  const trm_hop *whole = trm_case_hop(c, g);
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){g->n_sources, cases[variant].C});
  collection = (trm_collection){.n = g->n_targets, .first = first, .n_own = n_own};
  if (n_own < g->n_targets) collection.exchange = &exchange;
  context = (other){whole, &collection, x->data};
  hop = *whole;
  hop.in.n_rows = n_own;
  hop.in.offsets += first;
  return trm_op_collect_spmm(c->tape, x, &hop, &collection);
}

const trm_op trm_op_table_collect_spmm = {.name = "collect_spmm",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample};

trm_var *trm_op_collect_spmm(trm_tape *tape, trm_var *x, const trm_hop *hop,
                             const trm_collection *collection) {
  const collect_spmm s = {hop, collection};
  return trm_tape_apply(tape, &trm_op_table_collect_spmm, (trm_var *[]){x}, 1, &s, sizeof s);
}
