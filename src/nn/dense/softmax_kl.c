/* Divergence of what two runs of a model say of the same rows: the sum over the rows that count. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { A, B };
enum { KEPT };
typedef struct softmax_kl {
  const int32_t *targets; /* borrowed for the pass; NULL: all rows count */
  double scale;
} softmax_kl;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *a = node->in[A], *b = node->in[B];
  if (a->n_dims != 2 || b->n_dims != 2 || a->dims[0] != b->dims[0] || a->dims[1] != b->dims[1]) {
    return trm_op_fail(node, "a is [%lld, %lld], b [%lld, %lld]", (long long)a->dims[0],
                       (long long)a->dims[1], (long long)b->dims[0], (long long)b->dims[1]);
  }
  shape->n_dims = 1;
  shape->dims[0] = 1;
  shape->saved[KEPT] = 3 * a->dims[0];
  return TRM_OK;
}

/* Of the rows that are being run. */
static const int32_t *targets_of(const trm_tape *tape, const trm_node *node) {
  const int32_t *targets = TRM_ATTR(node, softmax_kl)->targets;
  return targets ? targets + trm_tape_row(tape) : NULL;
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *a = node->in[A];
  const double scale = TRM_ATTR(node, softmax_kl)->scale;
  double loss;
  trm_softmax_kl_forward(&loss, node->saved[KEPT], a->data, node->in[B]->data,
                         targets_of(tape, node), a->dims[0], a->dims[1]);
  node->out->data[0] = (trm_real)(scale * loss);
  trm_tape_add_loss(tape, scale * loss, 0);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *a = node->in[A];
  const double dloss = TRM_ATTR(node, softmax_kl)->scale * (double)node->out->grad[0];
  bool add_da, add_db;
  trm_real *da = trm_node_grad(tape, node, A, &add_da);
  trm_real *db = trm_node_grad(tape, node, B, &add_db);
  trm_softmax_kl_backward(da, db, a->data, node->in[B]->data, node->saved[KEPT],
                          targets_of(tape, node), (trm_real)dloss, a->dims[0], a->dims[1], add_da,
                          add_db);
}

static trm_var *sample(trm_op_case *c, int variant) {
  const int64_t N[] = {1, 5, 4, 0}, V[] = {1, 7, 19, 3};
  if (variant > 3) return NULL;
  const int64_t dims[2] = {N[variant], V[variant]};
  trm_var *a = trm_case_real(c, 0, 2, dims), *b = trm_case_real(c, 0, 2, dims);
  const int32_t *targets = variant == 2 ? trm_case_ids(c, N[variant], -1, 2) : NULL;
  return trm_op_softmax_kl(c->tape, a, b, targets, variant == 1 ? 6 : 1);
}

const trm_op trm_op_table_softmax_kl = {.name = "softmax_kl",
                                        .shape = shape,
                                        .forward = forward,
                                        .backward = backward,
                                        .sample = sample,
                                        .rowwise = true,
                                        .sums_rows = true};

trm_var *trm_op_softmax_kl(trm_tape *tape, trm_var *a, trm_var *b, const int32_t *targets,
                           double scale) {
  const softmax_kl attr = {targets, scale};
  return trm_tape_apply(tape, &trm_op_table_softmax_kl, (trm_var *[]){a, b}, 2, &attr, sizeof attr);
}
