/*
 * Stochastic depth: all of a sample's rows are dropped, or none; y = x / (1 - p) where they stay.
 * The draw is made again in the backward pass, never stored.
 *
 * Source: Huang et al. 2016, arXiv:1603.09382, section 3; divided by the survival while training
 * instead of multiplied by it afterwards, so that evaluation is plain.
 */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct drop_path {
  double p;
  trm_sequences s;
  int64_t sample0;
  trm_random_key key;
} drop_path;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const drop_path *a = TRM_ATTR(node, drop_path);
  if (x->n_dims < 2 || !(a->p >= 0 && a->p < 1)) {
    return trm_op_fail(node, "%d axes, p = %g", x->n_dims, a->p);
  }
  TRM_TRY(trm_op_check_sequences(node, &a->s, trm_var_rows(x)));
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  return TRM_OK;
}

static void apply(const trm_node *node, trm_real *y, const trm_real *x, bool add) {
  const drop_path *a = TRM_ATTR(node, drop_path);
  const int64_t C = trm_var_width(node->out);
  for (int64_t i = 0; i < a->s.n; ++i) {
    const int64_t at = trm_sequence_first(&a->s, i) * C, n = trm_sequence_rows(&a->s, i) * C;
    const bool stays = trm_random_uniform(a->key, (uint64_t)(a->sample0 + i), 0) >= a->p;
    if (stays) {
      trm_scale(y + at, x + at, (trm_real)(1 / (1 - a->p)), n, add);
    } else if (!add) {
      trm_fill(y + at, 0, n);
    }
  }
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
  static const trm_sequences s[] = {{1, 1, 1, NULL}, {6, 12, 2, NULL}, {3, 8, 5, offsets}, {0}};
  static const int64_t widths[] = {1, 5, 19, 3}, images[] = {4, 3, 2, 5};
  const trm_sequences pixels = trm_sequences_equal(4, 6);
  if (variant > 4) return NULL;
  if (variant == 4) {
    return trm_op_drop_path(c->tape, trm_case_real(c, 0, 4, images), 0.5, &pixels);
  }
  const int64_t dims[2] = {s[variant].n_rows, widths[variant]};
  return trm_op_drop_path(c->tape, trm_case_real(c, 0, 2, dims), 0.5, &s[variant]);
}

const trm_op trm_op_table_drop_path = {.name = "drop_path",
                                       .shape = shape,
                                       .forward = forward,
                                       .backward = backward,
                                       .sample = sample};

trm_var *trm_op_drop_path(trm_tape *tape, trm_var *x, double p, const trm_sequences *s) {
  const trm_pass *pass = trm_tape_pass(tape);
  if (!pass->training || p == 0) return x;
  TRM_ASSERT(pass->n_blocks == 0); /* where sequences have no numbers in the global batch */
  drop_path a = {.p = p, .s = *s, .sample0 = pass->sample0};
  a.key = trm_random_key_make(pass->seed, TRM_RANDOM_DROPOUT, (uint64_t)pass->step,
                              trm_tape_next_dropout(tape));
  return trm_tape_apply_over(tape, &trm_op_table_drop_path, (trm_var *[]){x}, 1, &a, sizeof a, 0);
}
