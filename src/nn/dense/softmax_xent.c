/* Softmax and cross-entropy in one: the sum over the rows whose target counts. */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { LSE };
typedef struct xent {
  const int32_t *targets; /* borrowed for the pass */
  trm_xent how;
} xent;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *logits = node->in[0];
  if (logits->n_dims != 2) return trm_op_fail(node, "logits have %d axes, not 2", logits->n_dims);
  shape->n_dims = 1;
  shape->dims[0] = 1;
  shape->saved[LSE] = logits->dims[0];
  shape->scratch_forward = TRM_ATTR(node, xent)->how.smoothing > 0 ? logits->dims[0] : 0;
  return TRM_OK;
}

/* Of the rows that are being run. */
static const int32_t *targets_of(const trm_tape *tape, const trm_node *node) {
  return TRM_ATTR(node, xent)->targets + trm_tape_row(tape);
}

static trm_xent how_of(const trm_tape *tape, const trm_node *node) {
  trm_xent how = TRM_ATTR(node, xent)->how;
  if (how.shares) how.shares += trm_tape_row(tape);
  return how;
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_xent how = how_of(tape, node);
  const trm_var *logits = node->in[0];
  double loss;
  const double count =
      trm_softmax_xent_forward(&loss, node->saved[LSE], node->scratch, logits->data,
                               targets_of(tape, node), &how, logits->dims[0], logits->dims[1]);
  node->out->data[0] = (trm_real)loss;
  trm_tape_add_loss(tape, loss, count);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_xent how = how_of(tape, node);
  const trm_var *logits = node->in[0];
  bool add;
  trm_real *dlogits = trm_node_grad(tape, node, 0, &add);
  if (!dlogits) return;
  trm_softmax_xent_backward(dlogits, logits->data, node->saved[LSE], targets_of(tape, node), &how,
                            node->out->grad[0], logits->dims[0], logits->dims[1], add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const float weights[17] = {1, 0, 0.5F, 2, 1, 3, 0.1F};
  static const float shares[5] = {1, 0.5F, 0.75F, 0, 0.9F};
  static const trm_xent hows[] = {{.smoothing = 0},
                                  {.smoothing = 0},
                                  {.smoothing = 0},
                                  {.smoothing = 0.1},
                                  {.smoothing = 0.2, .weights = weights},
                                  {.smoothing = 0},
                                  {.smoothing = 0.1, .shares = shares},
                                  {.weights = weights, .shares = shares, .rest = true}};
  if (variant > 7) return NULL;
  const int64_t N[] = {1, 5, 7, 6, 7, 0, 5, 5}, V[] = {1, 7, 17, 17, 7, 3, 4, 7};
  trm_var *logits = trm_case_real(c, 0, 2, (int64_t[]){N[variant], V[variant]});
  const int32_t low = variant >= 2 ? -1 : 0; /* some rows do not count */
  return trm_op_softmax_xent(c->tape, logits, trm_case_ids(c, N[variant], low, (int32_t)V[variant]),
                             &hows[variant]);
}

const trm_op trm_op_table_softmax_xent = {.name = "softmax_xent",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample,
                                          .rowwise = true,
                                          .sums_rows = true};

trm_var *trm_op_softmax_xent(trm_tape *tape, trm_var *logits, const int32_t *targets,
                             const trm_xent *how) {
  const xent a = {targets, trm_xent_of_pass(tape, how)};
  return trm_tape_apply(tape, &trm_op_table_softmax_xent, (trm_var *[]){logits}, 1, &a, sizeof a);
}
