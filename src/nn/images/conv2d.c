/* Convolution of images, in float32 whatever the precision of products. */
#include "windows.h"

enum { X, W };

typedef struct conv2d {
  trm_window window;
  int64_t groups;
} conv2d;

static trm_conv conv_of(const trm_node *node) {
  const conv2d *a = TRM_ATTR(node, conv2d);
  return (trm_conv){.windows = trm_windows_of(node->in[X], a->window),
                    .O = node->in[W]->dims[1],
                    .groups = a->groups};
}

/* Every output sees one channel of its own. */
static bool by_channel(const trm_conv *conv) {
  return conv->groups == conv->windows.C && conv->groups == conv->O;
}

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *w = node->in[W];
  const conv2d *a = TRM_ATTR(node, conv2d);
  TRM_TRY(trm_window_check(node, x, a->window));
  if (a->groups < 1 || x->dims[3] % a->groups != 0 || w->n_dims != 2 ||
      w->dims[1] % a->groups != 0 ||
      w->dims[0] != a->window.height * a->window.width * x->dims[3] / a->groups) {
    return trm_op_fail(node,
                       "x has %lld channels in %lld groups, the window is %lld x %lld, w is "
                       "[%lld, %lld]",
                       (long long)x->dims[3], (long long)a->groups, (long long)a->window.height,
                       (long long)a->window.width, (long long)w->dims[0], (long long)w->dims[1]);
  }
  const trm_conv conv = conv_of(node);
  shape->n_dims = 4;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = conv.windows.down;
  shape->dims[2] = conv.windows.across;
  shape->dims[3] = conv.O;
  if (by_channel(&conv)) return TRM_OK;
  shape->scratch_forward = trm_conv_forward_scratch(&conv);
  shape->scratch_backward = trm_max_i64(x->needs_grad ? trm_conv_backward_input_scratch(&conv) : 0,
                                        trm_conv_backward_weights_scratch(&conv));
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_conv conv = conv_of(node);
  const trm_real *x = node->in[X]->data, *w = node->in[W]->data;
  if (by_channel(&conv)) {
    trm_conv_channels_forward(node->out->data, x, w, &conv.windows);
  } else {
    trm_conv_forward(node->out->data, x, w, &conv, node->scratch);
  }
}

static void backward_weights(trm_tape *tape, trm_node *node, const trm_conv *conv) {
  const trm_real *x = node->in[X]->data, *dy = node->out->grad;
  const int64_t step = trm_tape_pass(tape)->merge_step;
  const int n_merges = trm_node_merges(tape, node, W);
  bool add;
  trm_real *dw = trm_node_grad(tape, node, W, &add);
  if (!dw) return;
  if (by_channel(conv)) {
    trm_conv_channels_backward_weights(dw, dy, x, &conv->windows, add, n_merges, step);
  } else {
    trm_conv_backward_weights(dw, dy, x, conv, add, n_merges, step, node->scratch);
  }
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_conv conv = conv_of(node);
  const trm_real *w = node->in[W]->data, *dy = node->out->grad;
  backward_weights(tape, node, &conv);
  bool add;
  trm_real *dx = trm_node_grad(tape, node, X, &add);
  if (!dx) return;
  if (by_channel(&conv)) {
    trm_conv_channels_backward_input(dx, dy, w, &conv.windows, add);
  } else {
    trm_conv_backward_input(dx, dy, w, &conv, add, node->scratch);
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const struct {
    int64_t x[4], O, groups;
    trm_window window;
  } cases[] = {{{1, 1, 1, 1}, 1, 1, {1, 1, 1, 0}},  {{2, 5, 4, 3}, 5, 1, {3, 3, 1, 1}},
               {{1, 7, 6, 2}, 3, 1, {3, 2, 2, 1}},  {{2, 5, 5, 4}, 6, 2, {3, 3, 2, 1}},
               {{1, 4, 5, 3}, 3, 3, {2, 3, 1, 1}},  {{0, 4, 4, 2}, 3, 1, {3, 3, 1, 1}},
               {{1, 8, 7, 2}, 19, 1, {5, 5, 3, 2}}, {{2, 5, 5, 3}, 2, 1, {1, 1, 2, 0}},
               {{1, 3, 12, 1}, 2, 1, {3, 4, 1, 0}}, {{2, 6, 5, 19}, 19, 19, {3, 2, 2, 1}}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  const trm_window window = cases[variant].window;
  const int64_t groups = cases[variant].groups, O = cases[variant].O;
  const int64_t rows = window.height * window.width * cases[variant].x[3] / groups;
  trm_var *x = trm_case_real(c, 0, 4, cases[variant].x);
  trm_var *w = trm_case_real(c, 0, 2, (int64_t[]){rows, O});
  return trm_op_conv2d(c->tape, x, w, window, groups);
}

const trm_op trm_op_table_conv2d = {.name = "conv2d",
                                    .shape = shape,
                                    .forward = forward,
                                    .backward = backward,
                                    .sample = sample,
                                    .rowwise = true};

trm_var *trm_op_conv2d(trm_tape *tape, trm_var *x, trm_var *w, trm_window window, int64_t groups) {
  const conv2d a = {window, groups};
  return trm_tape_apply(tape, &trm_op_table_conv2d, (trm_var *[]){x, w}, 2, &a, sizeof a);
}
