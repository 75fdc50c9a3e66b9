/*
 * Sum over edges: y_i = r_i sum over j of w_ij c_j x_j, with r and c from the degrees as the norm asks.
 * The way back is the same product over the transpose with r and c exchanged.
 */
#include "hop_rows.h"
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/nn/ops.h"

typedef struct spmm {
  const trm_hop *hop; /* borrowed for the pass */
  trm_edge_norm norm;
  bool self;
} spmm;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const spmm *s = TRM_ATTR(node, spmm);
  const trm_hop *hop = s->hop;
  TRM_TRY(trm_hop_shape(node, hop, shape));
  const int64_t C = shape->dims[1];
  shape->scratch_forward = trm_hop_sources_cost(hop, C);
  shape->scratch_backward = trm_hop_targets_cost(hop, C);
  if (s->norm == TRM_EDGE_NORM_SUM) return TRM_OK;
  shape->scratch_forward += trm_scratch_cost(hop->in.n_rows);
  shape->scratch_backward += trm_scratch_cost(hop->out.n_columns);
  if (s->norm == TRM_EDGE_NORM_MEAN) return TRM_OK;
  shape->scratch_forward += trm_scratch_cost(hop->in.n_columns);
  shape->scratch_backward += trm_scratch_cost(hop->out.n_rows);
  return TRM_OK;
}

/* r of the first n targets; NULL: 1. */
static const trm_real *target_scales(const spmm *s, int64_t n, trm_real **scratch) {
  if (s->norm == TRM_EDGE_NORM_SUM) return NULL;
  const trm_hop *hop = s->hop;
  const float *counts = hop->target_counts ? hop->target_counts : hop->target_degrees;
  const float *over = s->norm == TRM_EDGE_NORM_SYMMETRIC ? hop->target_degrees : NULL;
  trm_real *r = trm_scratch_take(scratch, n);
  trm_target_scales(r, over, counts, s->self, n);
  return r;
}

/* c of the first n sources; NULL: 1. */
static const trm_real *source_scales(const spmm *s, int64_t n, trm_real **scratch) {
  if (s->norm != TRM_EDGE_NORM_SYMMETRIC) return NULL;
  trm_real *c = trm_scratch_take(scratch, n);
  trm_source_scales(c, s->hop->source_degrees, s->self, n);
  return c;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const spmm *s = TRM_ATTR(node, spmm);
  const trm_hop *hop = s->hop;
  const int64_t C = node->out->dims[1];
  trm_real *scratch = node->scratch;
  const trm_real *x = trm_hop_sources(hop, node->in[0]->data, C, &scratch);
  const trm_real *r = target_scales(s, hop->in.n_rows, &scratch);
  const trm_real *c = source_scales(s, hop->in.n_columns, &scratch);
  trm_spmm(node->out->data, x, &hop->in, r, c, hop->self, s->self ? hop->in.n_rows : 0, C, false);
}

static void backward(trm_tape *tape, trm_node *node) {
  const spmm *s = TRM_ATTR(node, spmm);
  const trm_hop *hop = s->hop;
  const int64_t C = node->out->dims[1];
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_real *scratch = node->scratch;
  const trm_real *dy = trm_hop_targets(hop, node->out->grad, C, &scratch);
  const trm_real *r = target_scales(s, hop->out.n_columns, &scratch);
  const trm_real *c = source_scales(s, hop->out.n_rows, &scratch);
  trm_spmm(dx, dy, &hop->out, c, r, hop->self_of, s->self ? trm_hop_n_self_of(hop) : 0, C, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const struct {
    trm_case_graph graph;
    int64_t C;
    trm_edge_norm norm;
    bool self;
  } cases[] = {{{1, 1, 1, false, false, false}, 1, TRM_EDGE_NORM_SUM, false},
               {{7, 7, 20, true, false, false}, 3, TRM_EDGE_NORM_SYMMETRIC, true},
               {{7, 7, 9, false, false, false}, 5, TRM_EDGE_NORM_SYMMETRIC, false},
               {{9, 4, 12, true, true, false}, 17, TRM_EDGE_NORM_SYMMETRIC, true},
               {{9, 5, 16, true, true, true}, 2, TRM_EDGE_NORM_MEAN, true},
               {{8, 5, 6, false, false, false}, 9, TRM_EDGE_NORM_MEAN, false},
               {{6, 4, 10, true, false, true}, 4, TRM_EDGE_NORM_SUM, true},
               {{5, 0, 0, false, false, false}, 4, TRM_EDGE_NORM_MEAN, true},
               {{5, 5, 0, false, false, false}, 4, TRM_EDGE_NORM_SYMMETRIC, true}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  const trm_case_graph *g = &cases[variant].graph;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){g->n_sources, cases[variant].C});
  return trm_op_spmm(c->tape, x, trm_case_hop(c, g), cases[variant].norm, cases[variant].self);
}

const trm_op trm_op_table_spmm = {
    .name = "spmm", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_spmm(trm_tape *tape, trm_var *x, const trm_hop *hop, trm_edge_norm norm,
                     bool self) {
  const spmm s = {hop, norm, self};
  return trm_tape_apply(tape, &trm_op_table_spmm, (trm_var *[]){x}, 1, &s, sizeof s);
}
