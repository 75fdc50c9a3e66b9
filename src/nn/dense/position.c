/* Positions: y = scale x + p[place in the sequence]; written over x when it is free. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, P };
typedef struct position {
  trm_sequences s;
  double scale;
} position;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *p = node->in[P];
  const trm_sequences *s = &TRM_ATTR(node, position)->s;
  if (x->n_dims != 2 || p->n_dims != 2 || x->dims[1] != p->dims[1] || s->longest > p->dims[0]) {
    return trm_op_fail(node,
                       "x has rows of %lld, sequences are up to %lld long, the table is "
                       "[%lld, %lld]",
                       (long long)trm_var_width(x), (long long)s->longest, (long long)p->dims[0],
                       (long long)trm_var_width(p));
  }
  TRM_TRY(trm_op_check_sequences(node, s, x->dims[0]));
  shape->n_dims = 2;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = x->dims[1];
  shape->blocks = x->blocks;
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_var *x = node->in[X];
  const position *a = TRM_ATTR(node, position);
  trm_position_forward(node->out->data, x->data, node->in[P]->data, (trm_real)a->scale, &a->s,
                       x->dims[1]);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X], *p = node->in[P];
  const position *a = TRM_ATTR(node, position);
  const int64_t T = a->s.longest, C = x->dims[1];
  const trm_real *dy = node->out->grad;
  bool add;
  trm_real *dp = trm_node_grad(tape, node, P, &add);
  if (dp) {
    trm_position_backward(dp, dy, &a->s, C, add);
    if (!add) trm_fill(dp + T * C, 0, (p->dims[0] - T) * C); /* positions not reached */
  }
  trm_real *dx = trm_node_grad(tape, node, X, &add);
  if (dx) trm_scale(dx, dy, (trm_real)a->scale, x->n, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t offsets[] = {0, 2, 2, 6, 7};
  static const trm_sequences s[] = {
      {1, 1, 1, NULL}, {3, 9, 3, NULL}, {2, 4, 2, NULL}, {4, 7, 4, offsets}, {0}};
  static const int64_t C[] = {1, 5, 3, 3, 2}, table[] = {1, 3, 4, 5, 2};
  if (variant > 4) return NULL;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){s[variant].n_rows, C[variant]});
  trm_var *p = trm_case_real(c, 0, 2, (int64_t[]){table[variant], C[variant]});
  return trm_op_position(c->tape, x, p, &s[variant], variant == 3 ? 1.7 : 1);
}

const trm_op trm_op_table_position = {
    .name = "position", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_position(trm_tape *tape, trm_var *x, trm_var *p, const trm_sequences *s,
                         double scale) {
  const position a = {*s, scale};
  /* The table's gradient would be that of all blocks at once. */
  TRM_ASSERT(trm_tape_pass(tape)->n_blocks == 0 || p->param < 0);
  return trm_tape_apply_over(tape, &trm_op_table_position, (trm_var *[]){x, p}, 2, &a, sizeof a, X);
}
