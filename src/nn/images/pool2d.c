/* Pooling of images by windows, or of whole ones: the maximum, mean or sum of each channel. */
#include "windows.h"

enum { WINNERS };

typedef struct pool2d {
  trm_window window;
  trm_pool pool;
  bool global; /* the window is the image */
} pool2d;

static trm_windows windows_of(const trm_node *node) {
  const pool2d *a = TRM_ATTR(node, pool2d);
  const trm_var *x = node->in[0];
  if (!a->global) return trm_windows_of(x, a->window);
  return trm_windows_of(
      x, (trm_window){.height = x->dims[1], .width = x->dims[2], .stride = 1, .padding = 0});
}

static trm_status shape_of(const trm_node *node, trm_shape *shape) {
  const trm_windows w = windows_of(node);
  shape->dims[0] = w.N;
  if (TRM_ATTR(node, pool2d)->global) {
    shape->n_dims = 2;
    shape->dims[1] = w.C;
  } else {
    shape->n_dims = 4;
    shape->dims[1] = w.down;
    shape->dims[2] = w.across;
    shape->dims[3] = w.C;
  }
  if (TRM_ATTR(node, pool2d)->pool == TRM_POOL_MAX) {
    shape->saved[WINNERS] = w.N * w.down * w.across * w.C;
  }
  return TRM_OK;
}

static trm_winner *winners_of(const trm_node *node) {
  return (trm_winner *)(void *)node->saved[WINNERS];
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_windows w = windows_of(node);
  const trm_pool pool = TRM_ATTR(node, pool2d)->pool;
  if (pool == TRM_POOL_MAX) {
    trm_pool_max_forward(node->out->data, winners_of(node), node->in[0]->data, &w);
  } else {
    trm_pool_sum_forward(node->out->data, node->in[0]->data, &w, pool == TRM_POOL_MEAN);
  }
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_windows w = windows_of(node);
  const trm_pool pool = TRM_ATTR(node, pool2d)->pool;
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  if (pool == TRM_POOL_MAX) {
    trm_pool_max_backward(dx, node->out->grad, winners_of(node), &w, add);
  } else {
    trm_pool_sum_backward(dx, node->out->grad, &w, pool == TRM_POOL_MEAN, add);
  }
}

/* ---- by windows --------------------------------------------------------------------------------- */

static trm_status shape_windows(const trm_node *node, trm_shape *shape) {
  const pool2d *a = TRM_ATTR(node, pool2d);
  if (a->pool != TRM_POOL_MAX && a->pool != TRM_POOL_MEAN) {
    return trm_op_fail(node, "windows are pooled by their maximum or mean");
  }
  TRM_TRY(trm_window_check(node, node->in[0], a->window));
  return shape_of(node, shape);
}

static trm_var *sample_windows(trm_op_case *c, int variant) {
  static const struct {
    int64_t x[4];
    trm_window window;
  } cases[] = {{{1, 1, 1, 1}, {1, 1, 1, 0}}, {{2, 4, 6, 3}, {2, 2, 2, 0}},
               {{1, 7, 5, 2}, {3, 3, 2, 1}}, {{2, 5, 4, 17}, {3, 2, 1, 1}},
               {{0, 4, 4, 2}, {2, 2, 2, 0}}, {{1, 5, 6, 1}, {2, 2, 3, 0}}};
  enum { N_CASES = sizeof cases / sizeof cases[0] };
  if (variant >= 2 * N_CASES) return NULL;
  const int k = variant % N_CASES;
  return trm_op_pool2d(c->tape, trm_case_real(c, 0, 4, cases[k].x), cases[k].window,
                       variant < N_CASES ? TRM_POOL_MAX : TRM_POOL_MEAN);
}

const trm_op trm_op_table_pool2d = {.name = "pool2d",
                                    .shape = shape_windows,
                                    .forward = forward,
                                    .backward = backward,
                                    .sample = sample_windows,
                                    .rowwise = true};

trm_var *trm_op_pool2d(trm_tape *tape, trm_var *x, trm_window window, trm_pool pool) {
  const pool2d a = {.window = window, .pool = pool};
  return trm_tape_apply(tape, &trm_op_table_pool2d, (trm_var *[]){x}, 1, &a, sizeof a);
}

/* ---- of whole images ---------------------------------------------------------------------------- */

static trm_status shape_global(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  if (x->n_dims != 4 || x->dims[1] < 1 || x->dims[2] < 1) {
    return trm_op_fail(node, "x has %d axes, or no pixels", x->n_dims);
  }
  if (TRM_ATTR(node, pool2d)->pool == TRM_POOL_FIRST) {
    return trm_op_fail(node, "images are pooled by their maximum, mean or sum");
  }
  return shape_of(node, shape);
}

static trm_var *sample_global(trm_op_case *c, int variant) {
  static const int64_t dims[][4] = {{1, 1, 1, 1}, {2, 3, 5, 3}, {3, 4, 2, 17}, {0, 4, 4, 3}};
  static const trm_pool pools[] = {TRM_POOL_MAX, TRM_POOL_MEAN, TRM_POOL_SUM};
  if (variant >= 12) return NULL;
  trm_var *x = trm_case_real(c, 0, 4, dims[variant % 4]);
  return trm_op_global_pool(c->tape, x, pools[variant / 4]);
}

const trm_op trm_op_table_global_pool = {.name = "global_pool",
                                         .shape = shape_global,
                                         .forward = forward,
                                         .backward = backward,
                                         .sample = sample_global,
                                         .rowwise = true};

trm_var *trm_op_global_pool(trm_tape *tape, trm_var *x, trm_pool pool) {
  const pool2d a = {.pool = pool, .global = true};
  return trm_tape_apply(tape, &trm_op_table_global_pool, (trm_var *[]){x}, 1, &a, sizeof a);
}
