/* Dropout: y = x mask / (1 - p). The mask is drawn again in the backward pass, never stored. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct dropout {
  double p;
  trm_sequences s;
  int64_t sample0;
  trm_random_key key;
} dropout;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const dropout *a = TRM_ATTR(node, dropout);
  if (x->n_dims < 2 || !(a->p >= 0 && a->p < 1)) {
    return trm_op_fail(node, "%d axes, p = %g", x->n_dims, a->p);
  }
  TRM_TRY(trm_op_check_sequences(node, &a->s, trm_var_rows(x)));
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  shape->blocks = x->blocks;
  return TRM_OK;
}

static void apply(const trm_node *node, trm_real *y, const trm_real *x, bool add) {
  const dropout *a = TRM_ATTR(node, dropout);
  trm_dropout(y, x, &a->s, trm_var_width(node->out), a->p, a->key, a->sample0, add);
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  apply(node, node->out->data, node->in[0]->data, false);
}

static void backward(trm_tape *tape, trm_node *node) {
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (dx) apply(node, dx, node->out->grad, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t offsets[] = {0, 3, 3, 8};
  static const trm_sequences s[] = {
      {1, 1, 1, NULL}, {2, 6, 3, NULL}, {3, 8, 5, offsets}, {0}, {2, 12, 6, NULL}};
  static const int64_t widths[] = {1, 5, 19, 3}, images[] = {2, 3, 2, 5};
  if (variant > 4) return NULL;
  if (variant == 4) {
    return trm_op_dropout(c->tape, trm_case_real(c, 0, 4, images), 0.4, &s[variant]);
  }
  const int64_t dims[2] = {s[variant].n_rows, widths[variant]};
  return trm_op_dropout(c->tape, trm_case_real(c, 0, 2, dims), 0.4, &s[variant]);
}

const trm_op trm_op_table_dropout = {
    .name = "dropout", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_dropout(trm_tape *tape, trm_var *x, double p, const trm_sequences *s) {
  const trm_pass *pass = trm_tape_pass(tape);
  if (!pass->training || p == 0) return x;
  if (pass->n_blocks > 0) return trm_op_dropout_rows(tape, x, p, pass->row_ids);
  dropout a = {.p = p, .s = *s, .sample0 = pass->sample0};
  a.key = trm_random_key_make(pass->seed, TRM_RANDOM_DROPOUT, (uint64_t)pass->step,
                              trm_tape_next_dropout(tape));
  return trm_tape_apply_over(tape, &trm_op_table_dropout, (trm_var *[]){x}, 1, &a, sizeof a, 0);
}
