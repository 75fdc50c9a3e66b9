/* Gathering: y_i = x_ids[i]; dx_r = sum of the dy_i with ids[i] = r, in order of i. */
#include "sorted_rows.h"
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/nn/ops.h"

typedef struct gather {
  const int32_t *ids; /* borrowed for the pass */
  int64_t n;
} gather;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const gather *g = TRM_ATTR(node, gather);
  if (x->n_dims != 2) return trm_op_fail(node, "x has %d axes, not 2", x->n_dims);
  shape->n_dims = 2;
  shape->dims[0] = g->n;
  shape->dims[1] = x->dims[1];
  shape->scratch_backward = trm_add_rows_cost(g->n, x->dims[0]);
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const gather *g = TRM_ATTR(node, gather);
  trm_gather_rows(node->out->data, node->in[0]->data, g->ids, g->n, node->out->dims[1], false);
}

static void backward(trm_tape *tape, trm_node *node) {
  const gather *g = TRM_ATTR(node, gather);
  const trm_var *x = node->in[0];
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_add_rows(dx, node->out->grad, g->ids, g->n, x->dims[0], x->dims[1], add, node->scratch);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t rows[] = {1, 5, 3, 9}, n[] = {1, 12, 0, 4}, C[] = {1, 3, 2, 17};
  if (variant > 3) return NULL;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){rows[variant], C[variant]});
  const int32_t *ids = trm_case_ids(c, n[variant], 0, (int32_t)rows[variant]);
  return trm_op_gather_rows(c->tape, x, ids, n[variant]);
}

const trm_op trm_op_table_gather_rows = {.name = "gather_rows",
                                         .shape = shape,
                                         .forward = forward,
                                         .backward = backward,
                                         .sample = sample};

trm_var *trm_op_gather_rows(trm_tape *tape, trm_var *x, const int32_t *ids, int64_t n) {
  const gather g = {ids, n};
  return trm_tape_apply(tape, &trm_op_table_gather_rows, (trm_var *[]){x}, 1, &g, sizeof g);
}
