/* Concatenation along the width: y = [a | b]. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *a = node->in[0], *b = node->in[1];
  if (a->n_dims != 2 || b->n_dims != 2 || a->dims[0] != b->dims[0]) {
    return trm_op_fail(node, "a has %lld rows, b %lld", (long long)trm_var_rows(a),
                       (long long)trm_var_rows(b));
  }
  shape->n_dims = 2;
  shape->dims[0] = a->dims[0];
  shape->dims[1] = a->dims[1] + b->dims[1];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const int64_t width = node->out->dims[1];
  trm_real *to = node->out->data;
  for (int i = 0; i < 2; ++i) {
    const trm_var *x = node->in[i];
    trm_copy_columns(to, width, x->data, x->dims[1], x->dims[0], x->dims[1], false);
    to += x->dims[1];
  }
}

static void backward(trm_tape *tape, trm_node *node) {
  const int64_t width = node->out->dims[1];
  const trm_real *from = node->out->grad;
  for (int i = 0; i < 2; ++i) {
    const trm_var *x = node->in[i];
    bool add;
    trm_real *dx = trm_node_grad(tape, node, i, &add);
    if (dx) trm_copy_columns(dx, x->dims[1], from, width, x->dims[0], x->dims[1], add);
    from += x->dims[1];
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  const int64_t n[] = {1, 3, 0, 2}, a[] = {1, 2, 4, 3}, b[] = {1, 5, 3, 3};
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){n[variant], a[variant]});
  if (variant == 3) return trm_op_concat(c->tape, x, x);
  return trm_op_concat(c->tape, x, trm_case_real(c, 0, 2, (int64_t[]){n[variant], b[variant]}));
}

const trm_op trm_op_table_concat = {.name = "concat",
                                    .shape = shape,
                                    .forward = forward,
                                    .backward = backward,
                                    .sample = sample,
                                    .rowwise = true};

trm_var *trm_op_concat(trm_tape *tape, trm_var *a, trm_var *b) {
  return trm_tape_apply(tape, &trm_op_table_concat, (trm_var *[]){a, b}, 2, NULL, 0);
}
