/* Positions: y = x + p[t], the same table for every sequence; written over x when it is free. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, P };
typedef struct position {
  int64_t T;
} position;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *p = node->in[P];
  const int64_t T = TRM_ATTR(node, position)->T;
  if (x->n_dims != 2 || p->n_dims != 2 || x->dims[1] != p->dims[1] || T < 1 || T > p->dims[0] ||
      x->dims[0] % T != 0) {
    return trm_op_fail(node,
                       "x has %lld rows of %lld, sequences are %lld long, the table is "
                       "[%lld, %lld]",
                       (long long)trm_var_rows(x), (long long)trm_var_width(x), (long long)T,
                       (long long)p->dims[0], (long long)trm_var_width(p));
  }
  shape->n_dims = 2;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = x->dims[1];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *x = node->in[X];
  const int64_t T = TRM_ATTR(node, position)->T;
  trm_position_forward(node->out->data, x->data, node->in[P]->data, x->dims[0] / T, T, x->dims[1]);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X], *p = node->in[P];
  const int64_t T = TRM_ATTR(node, position)->T, C = x->dims[1];
  const trm_real *dy = node->out->grad;
  bool add;
  trm_real *dp = trm_node_grad(tape, node, P, &add);
  if (dp) {
    trm_position_backward(dp, dy, x->dims[0] / T, T, C, add);
    if (!add) trm_fill(dp + T * C, 0, (p->dims[0] - T) * C); /* positions not reached */
  }
  trm_real *dx = trm_node_grad(tape, node, X, &add);
  if (dx) trm_scale(dx, dy, 1, x->n, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 2) return NULL;
  const int64_t N[] = {1, 3, 2}, T[] = {1, 3, 2}, C[] = {1, 5, 3}, table[] = {1, 3, 4};
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){N[variant] * T[variant], C[variant]});
  trm_var *p = trm_case_real(c, 0, 2, (int64_t[]){table[variant], C[variant]});
  return trm_op_position(c->tape, x, p, T[variant]);
}

const trm_op trm_op_table_position = {
    .name = "position", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_position(trm_tape *tape, trm_var *x, trm_var *p, int64_t T) {
  const position a = {T};
  return trm_tape_apply_over(tape, &trm_op_table_position, (trm_var *[]){x, p}, 2, &a, sizeof a, X);
}
