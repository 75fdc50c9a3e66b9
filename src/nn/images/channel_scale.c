/* Scale and shift of channels by given numbers: y = x scale + shift. dx = dy scale. */
#include "tape_internal.h"
#include "trireme/math/images.h"
#include "trireme/nn/ops.h"

typedef struct channel_scale {
  const float *scale, *shift; /* [channels], borrowed for the pass; NULL: 1 and 0 */
} channel_scale;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  shape->n_dims = x->n_dims;
  for (int d = 0; d < x->n_dims; ++d) shape->dims[d] = x->dims[d];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const channel_scale *a = TRM_ATTR(node, channel_scale);
  const trm_var *x = node->in[0];
  trm_channel_scale_forward(node->out->data, x->data, a->scale, a->shift, trm_var_rows(x),
                            trm_var_width(x));
}

static void backward(trm_tape *tape, trm_node *node) {
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  const trm_var *x = node->in[0];
  trm_channel_scale_backward(dx, node->out->grad, TRM_ATTR(node, channel_scale)->scale,
                             trm_var_rows(x), trm_var_width(x), add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t dims[][4] = {{1, 1, 1, 1}, {2, 3, 5, 3}, {3, 1, 2, 17}, {0, 4, 4, 3}};
  static const float scale[17] = {2, -1.5F, 0.25F, 3, 0}, shift[17] = {1, 0, -2};
  if (variant > 3) return NULL;
  trm_var *x = trm_case_real(c, 0, 4, dims[variant]);
  return trm_op_channel_scale(c->tape, x, scale, variant == 2 ? NULL : shift);
}

const trm_op trm_op_table_channel_scale = {.name = "channel_scale",
                                           .shape = shape,
                                           .forward = forward,
                                           .backward = backward,
                                           .sample = sample,
                                           .rowwise = true};

/* A dry pass may have sizes alone: it counts the operator in. */
trm_var *trm_op_channel_scale(trm_tape *tape, trm_var *x, const float *scale, const float *shift) {
  if (!scale && !shift && !trm_tape_pass(tape)->dry) return x;
  const channel_scale a = {scale, shift};
  return trm_tape_apply_over(tape, &trm_op_table_channel_scale, (trm_var *[]){x}, 1, &a, sizeof a,
                             0);
}
