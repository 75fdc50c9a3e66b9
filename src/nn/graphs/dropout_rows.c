/* Dropout of rows keyed by node ids. The mask is drawn again in the backward pass, never stored. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct dropout {
  double p;
  const int32_t *ids; /* of all rows of the pass, borrowed */
  trm_random_key key;
} dropout;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const dropout *a = TRM_ATTR(node, dropout);
  if (x->n_dims != 2 || !(a->p >= 0 && a->p < 1)) {
    return trm_op_fail(node, "%d axes, p = %g", x->n_dims, a->p);
  }
  shape->n_dims = 2;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = x->dims[1];
  return TRM_OK;
}

static void apply(const trm_tape *tape, const trm_node *node, trm_real *y, const trm_real *x,
                  bool add) {
  const dropout *a = TRM_ATTR(node, dropout);
  const trm_var *out = node->out;
  trm_dropout_rows(y, x, a->ids + trm_tape_row(tape), out->dims[0], out->dims[1], a->p, a->key,
                   add);
}

static void forward(trm_tape *tape, trm_node *node) {
  apply(tape, node, node->out->data, node->in[0]->data, false);
}

static void backward(trm_tape *tape, trm_node *node) {
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (dx) apply(tape, node, dx, node->out->grad, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  const int64_t dims[4][2] = {{1, 1}, {6, 5}, {4, 19}, {0, 3}};
  trm_var *x = trm_case_real(c, 0, 2, dims[variant]);
  const int32_t *ids = trm_case_ids(c, dims[variant][0], 0, 1000);
  return trm_op_dropout_rows(c->tape, x, 0.4, ids);
}

const trm_op trm_op_table_dropout_rows = {.name = "dropout_rows",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample,
                                          .rowwise = true};

trm_var *trm_op_dropout_rows(trm_tape *tape, trm_var *x, double p, const int32_t *ids) {
  const trm_pass *pass = trm_tape_pass(tape);
  if (!pass->training || p == 0) return x;
  dropout a = {.p = p, .ids = ids};
  a.key = trm_random_key_make(pass->seed, TRM_RANDOM_DROPOUT, (uint64_t)pass->step,
                              trm_tape_next_dropout(tape));
  return trm_tape_apply_over(tape, &trm_op_table_dropout_rows, (trm_var *[]){x}, 1, &a, sizeof a,
                             0);
}
