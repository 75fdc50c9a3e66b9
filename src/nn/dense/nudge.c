/* Nudge: y = x + the change of the pass's input, whose gradient goes to whoever attacks or defends. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct nudge {
  const trm_nudge *by; /* borrowed for the pass */
  bool dry;
} nudge;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const nudge *a = TRM_ATTR(node, nudge);
  if (!a->dry && a->by->n != x->n) {
    return trm_op_fail(node, "x has %lld elements, the nudge %lld", (long long)x->n,
                       (long long)a->by->n);
  }
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  return TRM_OK;
}

/* First element of the rows that are being run. */
static int64_t first_of(const trm_tape *tape, const trm_node *node) {
  const trm_var *x = node->in[0];
  return x->dims[0] > 0 ? trm_tape_row(tape) * (x->n / x->dims[0]) : 0;
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_real *values = TRM_ATTR(node, nudge)->by->values;
  const trm_var *x = node->in[0], *y = node->out;
  if (values) {
    trm_add(y->data, x->data, values + first_of(tape, node), x->n);
  } else if (y->data != x->data) {
    trm_scale(y->data, x->data, 1, x->n, false);
  }
}

static void backward(trm_tape *tape, trm_node *node) {
  trm_real *grad = TRM_ATTR(node, nudge)->by->grad;
  const trm_var *y = node->out;
  bool add;
  if (grad) trm_scale(grad + first_of(tape, node), y->grad, 1, y->n, false);
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (dx) trm_scale(dx, y->grad, 1, y->n, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const trm_real values[6] = {0.5, -1, 0, 2, 0.25, -3};
  static trm_nudge by;
  const int64_t dims[3][2] = {{1, 1}, {3, 2}, {0, 4}};
  if (variant > 2) return NULL;
  trm_var *x = trm_case_real(c, 0, 2, dims[variant]);
  by = (trm_nudge){.n = x->n, .values = values};
  trm_tape_nudge(c->tape, &by);
  return trm_op_nudge(c->tape, x);
}

const trm_op trm_op_table_nudge = {.name = "nudge",
                                   .shape = shape,
                                   .forward = forward,
                                   .backward = backward,
                                   .sample = sample,
                                   .rowwise = true,
                                   .starts = true};

trm_var *trm_op_nudge(trm_tape *tape, trm_var *x) {
  const trm_pass *pass = trm_tape_pass(tape);
  const nudge a = {.by = pass->nudge, .dry = pass->dry};
  if (!a.by) return x;
  trm_tape_set_nudge_size(tape, x->n);
  return trm_tape_apply_over(tape, &trm_op_table_nudge, (trm_var *[]){x}, 1, &a, sizeof a, 0);
}
