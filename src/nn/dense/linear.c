/* Linear: y = x w^T + b. dx = dy w, dw = dy^T x, db = sum of dy over rows. */
#include "tape_internal.h"
#include "trireme/math/gemm.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, W, B };

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *w = node->in[W], *b = node->in[B];
  if (x->n_dims < 1 || w->n_dims != 2 || trm_var_width(x) != w->dims[1]) {
    return trm_op_fail(node, "x has rows of %lld, w is [%lld, %lld]", (long long)trm_var_width(x),
                       (long long)w->dims[0], (long long)w->dims[1]);
  }
  if (b && b->n != w->dims[0]) {
    return trm_op_fail(node, "b has %lld elements, w %lld rows", (long long)b->n,
                       (long long)w->dims[0]);
  }
  shape->n_dims = 2;
  shape->dims[0] = trm_var_rows(x);
  shape->dims[1] = w->dims[0];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X], *w = node->in[W], *b = node->in[B];
  const int64_t N = node->out->dims[0], O = w->dims[0], I = w->dims[1];
  const trm_factors factors = {.M = N,
                               .N = O,
                               .K = I,
                               .a = x->data,
                               .a_bf16 = x->bf16,
                               .a_row = I,
                               .a_k = 1,
                               .b = w->data,
                               .ldb = I,
                               .transpose_b = true,
                               .packed = trm_tape_packed(tape, w, true),
                               .bf16 = trm_gemm_bf16()};
  const trm_after after = {.c = node->out->data, .ldc = O, .alpha = 1, .bias = b ? b->data : NULL};
  trm_gemm_then(&factors, &after);
}

static void backward_weights(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X], *w = node->in[W];
  const int64_t N = node->out->dims[0], O = w->dims[0], I = w->dims[1];
  const int n_merges = trm_node_merges(tape, node, W);
  bool add;
  trm_real *dw = trm_node_grad(tape, node, W, &add);
  if (!dw) return;
  const trm_factors factors = {.M = O,
                               .N = I,
                               .K = N,
                               .a = node->out->grad,
                               .a_row = 1,
                               .a_k = O,
                               .b = x->data,
                               .b_bf16 = x->bf16,
                               .ldb = I,
                               .bf16 = trm_gemm_bf16()};
  const trm_after after = {.c = dw,
                           .ldc = I,
                           .alpha = 1,
                           .beta = add ? 1 : 0,
                           .n_merges = n_merges,
                           .merge_step = trm_tape_pass(tape)->merge_step};
  trm_gemm_then(&factors, &after);
}

static void backward_input(trm_tape *tape, trm_node *node) {
  const trm_var *w = node->in[W];
  const int64_t N = node->out->dims[0], O = w->dims[0], I = w->dims[1];
  bool add;
  trm_real *dx = trm_node_grad(tape, node, X, &add);
  if (!dx) return;
  const trm_factors factors = {.M = N,
                               .N = I,
                               .K = O,
                               .a = node->out->grad,
                               .a_row = O,
                               .a_k = 1,
                               .b = w->data,
                               .ldb = I,
                               .packed = trm_tape_packed(tape, w, false),
                               .bf16 = trm_gemm_bf16()};
  trm_gemm_then(&factors, &(trm_after){.c = dx, .ldc = I, .alpha = 1, .beta = add ? 1 : 0});
}

static void backward(trm_tape *tape, trm_node *node) {
  backward_weights(tape, node);
  bool add;
  trm_real *db = trm_node_grad(tape, node, B, &add);
  if (db) {
    trm_bias_backward(db, node->out->grad, node->out->dims[0], node->in[W]->dims[0], add);
  }
  backward_input(tape, node);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const struct {
    int64_t n, in, out;
    bool bias;
  } cases[] = {
      {1, 1, 1, true}, {3, 5, 7, true}, {7, 4, 1, false}, {2, 1, 3, true}, {0, 3, 2, true}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  const int64_t n = cases[variant].n, in = cases[variant].in, out = cases[variant].out;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){n, in});
  trm_var *w = trm_case_real(c, 0, 2, (int64_t[]){out, in});
  trm_var *b = cases[variant].bias ? trm_case_real(c, 0, 1, (int64_t[]){out}) : NULL;
  return trm_op_linear(c->tape, x, w, b);
}

const trm_op trm_op_table_linear = {.name = "linear",
                                    .shape = shape,
                                    .forward = forward,
                                    .backward = backward,
                                    .sample = sample,
                                    .matrix = W,
                                    .multiplies = true,
                                    .rowwise = true};

trm_var *trm_op_linear(trm_tape *tape, trm_var *x, trm_var *w, trm_var *b) {
  return trm_tape_apply(tape, &trm_op_table_linear, (trm_var *[]){x, w, b}, 3, NULL, 0);
}
