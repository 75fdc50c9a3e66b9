/* Causal multi-head self-attention; the scores are computed again in the backward pass. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { LSE };
typedef struct attention {
  int64_t T, H;
} attention;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *qkv = node->in[0];
  const attention *a = TRM_ATTR(node, attention);
  if (qkv->n_dims != 2 || a->T < 1 || a->H < 1 || qkv->dims[1] % (3 * a->H) != 0 ||
      qkv->dims[0] % a->T != 0) {
    return trm_op_fail(node,
                       "%lld rows of %lld do not hold q, k, v of %lld heads over sequences "
                       "of %lld",
                       (long long)trm_var_rows(qkv), (long long)trm_var_width(qkv), (long long)a->H,
                       (long long)a->T);
  }
  const int64_t N = qkv->dims[0] / a->T, C = qkv->dims[1] / 3;
  shape->n_dims = 2;
  shape->dims[0] = qkv->dims[0];
  shape->dims[1] = C;
  shape->saved[LSE] = N * a->H * a->T;
  shape->scratch_forward = shape->scratch_backward = trm_attention_scratch(N, a->T, C, a->H);
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const attention *a = TRM_ATTR(node, attention);
  const trm_var *out = node->out;
  trm_attention_forward(out->data, node->saved[LSE], node->in[0]->data, out->dims[0] / a->T, a->T,
                        out->dims[1], a->H, node->scratch);
}

static void backward(trm_tape *tape, trm_node *node) {
  const attention *a = TRM_ATTR(node, attention);
  const trm_var *out = node->out;
  bool add;
  trm_real *dqkv = trm_node_grad(tape, node, 0, &add);
  if (!dqkv) return;
  trm_attention_backward(dqkv, out->grad, node->in[0]->data, out->data, node->saved[LSE],
                         out->dims[0] / a->T, a->T, out->dims[1], a->H, add, node->scratch);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const struct {
    int64_t N, T, H, head;
  } cases[] = {{1, 1, 1, 1}, {2, 3, 2, 5}, {1, 7, 3, 4}, {1, 65, 1, 3}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  const int64_t N = cases[variant].N, T = cases[variant].T, H = cases[variant].H;
  const int64_t dims[2] = {N * T, 3 * H * cases[variant].head};
  return trm_op_attention(c->tape, trm_case_real(c, 0, 2, dims), T, H);
}

const trm_op trm_op_table_attention = {.name = "attention",
                                       .shape = shape,
                                       .forward = forward,
                                       .backward = backward,
                                       .sample = sample,
                                       .reads_output = true};

trm_var *trm_op_attention(trm_tape *tape, trm_var *qkv, int64_t T, int64_t H) {
  const attention a = {T, H};
  return trm_tape_apply(tape, &trm_op_table_attention, (trm_var *[]){qkv}, 1, &a, sizeof a);
}
