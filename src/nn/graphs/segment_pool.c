/* Pooling of segments of rows: their sum, mean, maximum, or first; 0 for an empty one. */
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/nn/ops.h"

enum { WINNERS };
typedef struct segments {
  const int64_t *offsets; /* [n + 1], borrowed for the pass; NULL in a dry one */
  int64_t n;
  trm_pool pool;
} segments;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const segments *s = TRM_ATTR(node, segments);
  if (x->n_dims != 2) return trm_op_fail(node, "x has %d axes, not 2", x->n_dims);
  if (s->offsets && (s->offsets[0] < 0 || s->offsets[s->n] > x->dims[0])) {
    return trm_op_fail(node, "x has %lld rows, segments are [%lld, %lld)", (long long)x->dims[0],
                       (long long)s->offsets[0], (long long)s->offsets[s->n]);
  }
  shape->n_dims = 2;
  shape->dims[0] = s->n;
  shape->dims[1] = x->dims[1];
  if (s->pool == TRM_POOL_MAX) shape->saved[WINNERS] = s->n * x->dims[1];
  return TRM_OK;
}

static trm_winner *winners_of(const trm_node *node) {
  return (trm_winner *)(void *)node->saved[WINNERS];
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const segments *s = TRM_ATTR(node, segments);
  trm_real *y = node->out->data;
  const trm_real *x = node->in[0]->data;
  const int64_t C = node->out->dims[1];
  if (s->pool == TRM_POOL_MAX) {
    trm_segment_max(y, winners_of(node), x, s->offsets, s->n, C);
  } else if (s->pool == TRM_POOL_FIRST) {
    trm_segment_first(y, x, s->offsets, s->n, C);
  } else {
    trm_segment_sum(y, x, s->offsets, s->n, C, s->pool == TRM_POOL_MEAN);
  }
}

static void backward(trm_tape *tape, trm_node *node) {
  const segments *s = TRM_ATTR(node, segments);
  const trm_var *x = node->in[0];
  const trm_real *dy = node->out->grad;
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  if (s->pool == TRM_POOL_MAX) {
    trm_segment_max_backward(dx, dy, winners_of(node), s->offsets, s->n, x->dims[0], x->dims[1],
                             add);
  } else if (s->pool == TRM_POOL_FIRST) {
    trm_segment_first_backward(dx, dy, s->offsets, s->n, x->dims[0], x->dims[1], add);
  } else {
    trm_segment_sum_backward(dx, dy, s->offsets, s->n, x->dims[0], x->dims[1],
                             s->pool == TRM_POOL_MEAN, add);
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t one[] = {0, 1}, some[] = {0, 2, 2, 5, 9}, inside[] = {1, 3, 4}, none[] = {0};
  static const struct {
    const int64_t *offsets;
    int64_t n, rows;
  } cases[] = {{one, 1, 1}, {some, 4, 9}, {inside, 2, 6}, {none, 0, 3}};
  const int n_cases = (int)(sizeof cases / sizeof cases[0]);
  if (variant >= 4 * n_cases) return NULL;
  const int k = variant % n_cases;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){cases[k].rows, 3});
  return trm_op_segment_pool(c->tape, x, cases[k].offsets, cases[k].n,
                             (trm_pool)(variant / n_cases));
}

const trm_op trm_op_table_segment_pool = {.name = "segment_pool",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample};

trm_var *trm_op_segment_pool(trm_tape *tape, trm_var *x, const int64_t *offsets, int64_t n,
                             trm_pool pool) {
  const segments s = {offsets, n, pool};
  return trm_tape_apply(tape, &trm_op_table_segment_pool, (trm_var *[]){x}, 1, &s, sizeof s);
}
