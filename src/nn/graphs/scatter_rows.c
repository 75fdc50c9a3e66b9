/* Scattering: y_r = sum of the x_i with ids[i] = r, in order of i; dx_i = dy_ids[i]. */
#include "sorted_rows.h"
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/nn/ops.h"

typedef struct scatter {
  const int32_t *ids; /* borrowed for the pass */
  int64_t n_rows;
} scatter;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const scatter *s = TRM_ATTR(node, scatter);
  if (x->n_dims != 2) return trm_op_fail(node, "x has %d axes, not 2", x->n_dims);
  shape->n_dims = 2;
  shape->dims[0] = s->n_rows;
  shape->dims[1] = x->dims[1];
  shape->scratch_forward = trm_add_rows_cost(x->dims[0], s->n_rows);
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const scatter *s = TRM_ATTR(node, scatter);
  const trm_var *x = node->in[0];
  trm_add_rows(node->out->data, x->data, s->ids, x->dims[0], s->n_rows, x->dims[1], false,
               node->scratch);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[0];
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_gather_rows(dx, node->out->grad, TRM_ATTR(node, scatter)->ids, x->dims[0], x->dims[1], add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t rows[] = {1, 5, 3, 9}, n[] = {1, 12, 0, 4}, C[] = {1, 3, 2, 17};
  if (variant > 3) return NULL;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){n[variant], C[variant]});
  const int32_t *ids = trm_case_ids(c, n[variant], 0, (int32_t)rows[variant]);
  return trm_op_scatter_rows(c->tape, x, ids, rows[variant]);
}

const trm_op trm_op_table_scatter_rows = {.name = "scatter_rows",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample};

trm_var *trm_op_scatter_rows(trm_tape *tape, trm_var *x, const int32_t *ids, int64_t n_rows) {
  const scatter s = {ids, n_rows};
  return trm_tape_apply(tape, &trm_op_table_scatter_rows, (trm_var *[]){x}, 1, &s, sizeof s);
}
