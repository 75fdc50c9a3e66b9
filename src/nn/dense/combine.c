/* Combine: y = alpha a + beta b. It has memory of its own: models use a and b again. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

typedef struct combine {
  trm_real factor[2];
} combine;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *a = node->in[0], *b = node->in[1];
  if (a->n_dims != 2 || b->n_dims != 2 || a->dims[0] != b->dims[0] || a->dims[1] != b->dims[1]) {
    return trm_op_fail(node, "a is [%lld, %lld], b [%lld, %lld]", (long long)a->dims[0],
                       (long long)a->dims[1], (long long)b->dims[0], (long long)b->dims[1]);
  }
  shape->n_dims = 2;
  shape->dims[0] = a->dims[0];
  shape->dims[1] = a->dims[1];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const combine *c = TRM_ATTR(node, combine);
  trm_combine(node->out->data, node->in[0]->data, c->factor[0], node->in[1]->data, c->factor[1],
              node->out->n);
}

static void backward(trm_tape *tape, trm_node *node) {
  const combine *c = TRM_ATTR(node, combine);
  for (int i = 0; i < 2; ++i) {
    bool add;
    trm_real *dx = trm_node_grad(tape, node, i, &add);
    if (dx) trm_scale(dx, node->out->grad, c->factor[i], node->out->n, add);
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  const int64_t dims[4][2] = {{1, 1}, {3, 5}, {0, 4}, {2, 3}};
  trm_var *a = trm_case_real(c, 0, 2, dims[variant]);
  if (variant == 3) return trm_op_combine(c->tape, a, 0.75, a, -0.5);
  return trm_op_combine(c->tape, a, 0.25, trm_case_real(c, 0, 2, dims[variant]), -3);
}

const trm_op trm_op_table_combine = {.name = "combine",
                                     .shape = shape,
                                     .forward = forward,
                                     .backward = backward,
                                     .sample = sample,
                                     .rowwise = true};

trm_var *trm_op_combine(trm_tape *tape, trm_var *a, double alpha, trm_var *b, double beta) {
  const combine c = {{(trm_real)alpha, (trm_real)beta}};
  return trm_tape_apply(tape, &trm_op_table_combine, (trm_var *[]){a, b}, 2, &c, sizeof c);
}
