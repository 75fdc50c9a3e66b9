/* Rows of the targets' own nodes: y_i = x_self(i), dx_j = dy of the target that is j. */
#include "hop_rows.h"
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct own_rows {
  const trm_hop *hop; /* borrowed for the pass */
} own_rows;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  return trm_hop_shape(node, TRM_ATTR(node, own_rows)->hop, shape);
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *out = node->out;
  trm_gather_rows(out->data, node->in[0]->data, TRM_ATTR(node, own_rows)->hop->self, out->dims[0],
                  out->dims[1], false);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_hop *hop = TRM_ATTR(node, own_rows)->hop;
  const int64_t n = trm_hop_n_self_of(hop), C = node->out->dims[1];
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_gather_rows(dx, node->out->grad, hop->self_of, n, C, add);
  if (!add) trm_fill(dx + n * C, 0, (hop->out.n_rows - n) * C);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const trm_case_graph graphs[] = {{1, 1, 0, false, false, false},
                                          {7, 4, 0, false, false, false},
                                          {7, 4, 0, false, false, true},
                                          {5, 5, 0, false, false, false},
                                          {3, 0, 0, false, false, false}};
  if (variant >= (int)(sizeof graphs / sizeof graphs[0])) return NULL;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){graphs[variant].n_sources, 3});
  return trm_op_own_rows(c->tape, x, trm_case_hop(c, &graphs[variant]));
}

const trm_op trm_op_table_own_rows = {
    .name = "own_rows", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_own_rows(trm_tape *tape, trm_var *x, const trm_hop *hop) {
  /* A whole graph, where every source is its own target: nothing to do. */
  const bool whole = trm_tape_pass(tape)->n_blocks > 0;
  if (whole && !hop->self && hop->blocks == x->blocks && hop->in.n_rows == hop->out.n_rows)
    return x;
  const own_rows o = {hop};
  return trm_tape_apply(tape, &trm_op_table_own_rows, (trm_var *[]){x}, 1, &o, sizeof o);
}
