/* A node and its neighbours' sum: y = (1 + eps) x + a. dx = (1 + eps) dy, da = dy, deps = dy . x. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, A, EPS };

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *a = node->in[A];
  if (x->n_dims != 2 || a->n_dims != 2 || x->dims[0] != a->dims[0] || x->dims[1] != a->dims[1] ||
      node->in[EPS]->n != 1) {
    return trm_op_fail(node, "x is [%lld, %lld], a [%lld, %lld], eps has %lld elements",
                       (long long)x->dims[0], (long long)x->dims[1], (long long)a->dims[0],
                       (long long)a->dims[1], (long long)node->in[EPS]->n);
  }
  shape->n_dims = 2;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = x->dims[1];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  trm_combine(node->out->data, node->in[X]->data, 1 + node->in[EPS]->data[0], node->in[A]->data, 1,
              node->out->n);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_real *dy = node->out->grad;
  const int64_t n = node->out->n;
  bool add;
  trm_real *deps = trm_node_grad(tape, node, EPS, &add);
  if (deps) deps[0] = (trm_real)((add ? (double)deps[0] : 0) + trm_dot(dy, node->in[X]->data, n));
  trm_real *dx = trm_node_grad(tape, node, X, &add);
  if (dx) trm_scale(dx, dy, 1 + node->in[EPS]->data[0], n, add);
  trm_real *da = trm_node_grad(tape, node, A, &add);
  if (da) trm_scale(da, dy, 1, n, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 2) return NULL;
  const int64_t dims[3][2] = {{1, 1}, {3, 5}, {0, 4}}, one = 1;
  trm_var *x = trm_case_real(c, 0, 2, dims[variant]);
  trm_var *a = trm_case_real(c, 0, 2, dims[variant]);
  return trm_op_gin_combine(c->tape, x, a, trm_case_real(c, 0, 1, &one));
}

const trm_op trm_op_table_gin_combine = {.name = "gin_combine",
                                         .shape = shape,
                                         .forward = forward,
                                         .backward = backward,
                                         .sample = sample,
                                         .rowwise = true};

trm_var *trm_op_gin_combine(trm_tape *tape, trm_var *x, trm_var *a, trm_var *eps) {
  return trm_tape_apply_over(tape, &trm_op_table_gin_combine, (trm_var *[]){x, a, eps}, 3, NULL, 0,
                             A);
}
