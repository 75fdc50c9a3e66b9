/*
 * Choices of customers among products. Every process has the rows of all customers and products of the
 * step and makes the gradient from all of them, so that nothing has to be sent back; the loss it records
 * is that of its own customers, block by block.
 *
 * A row is [vector of C | bias | weights of habits]: the score of product i for customer u is
 * x_u . y_i + bias_u + bias_i, and for a product that u had bought before the weights of u times the
 * habits of the pair.
 */
#include "trireme/math/choice.h"
#include "trireme/math/choice_offset.h"

#include <math.h>

#include "hop_rows.h"
#include "tape_internal.h"
#include "trireme/math/gemm.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { SLOPES, DH };

typedef struct choosing {
  const trm_choices *choices; /* borrowed for the pass */
  trm_choice_loss kind;
  double balance;
} choosing;

/* Widths of a node's row, of its vector, and of a customer's other numbers. */
typedef struct widths {
  int64_t row, vector, other;
} widths;

static widths widths_of(const trm_node *node) {
  const int64_t other = 1 + TRM_ATTR(node, choosing)->choices->n_habits, W = node->in[0]->dims[1];
  return (widths){.row = W, .vector = W - other, .other = other};
}

/* Scratch of both directions: rows of customers and of products, then what each needs. */
static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const choosing *a = TRM_ATTR(node, choosing);
  const trm_choices *c = a->choices;
  const int64_t B = c->n_customers, J = c->n_products;
  if (x->n_dims != 2 || x->dims[1] <= 1 + c->n_habits || x->dims[0] != B + J) {
    return trm_op_fail(node, "x is [%lld, %lld] for %lld customers, %lld products and %lld habits",
                       (long long)trm_var_rows(x), (long long)trm_var_width(x), (long long)B,
                       (long long)J, (long long)c->n_habits);
  }
  if (!(a->balance >= 0 && a->balance <= 1)) {
    return trm_op_fail(node, "balance is %g, not from 0 to 1", a->balance);
  }
  const int64_t rows = trm_scratch_cost(B * x->dims[1]) + trm_scratch_cost(J * x->dims[1]);
  shape->n_dims = 1;
  shape->dims[0] = 1;
  shape->saved[SLOPES] = B * J;
  shape->saved[DH] = B * (1 + c->n_habits);
  shape->scratch_forward =
      rows + trm_scratch_cost(J) + 2 * trm_scratch_cost(B) + trm_scratch_cost(c->bought.n_edges);
  shape->scratch_backward = 2 * rows + trm_scratch_cost(J);
  return TRM_OK;
}

/* What each product that a customer buys counts, and all of them: n^-balance, so that with a balance of 1
 * all customers count the same. Each product for itself: 1 a customer. */
static double weight_of(const choosing *a, int64_t u, trm_real *weight) {
  const int64_t n = a->choices->bought.offsets[u + 1] - a->choices->bought.offsets[u];
  *weight = n > 0 ? (trm_real)pow((double)n, -a->balance) : 0;
  if (a->kind == TRM_CHOICE_EACH) return 1;
  return (double)*weight * (double)n;
}

/* Rows of customers [B, W] and of products [J, W]. */
static void split_rows(const trm_node *node, trm_real **scratch, trm_real **customers,
                       trm_real **products) {
  const trm_choices *c = TRM_ATTR(node, choosing)->choices;
  const int64_t W = node->in[0]->dims[1];
  *customers = trm_scratch_take(scratch, c->n_customers * W);
  *products = trm_scratch_take(scratch, c->n_products * W);
  trm_embedding_forward(*customers, node->in[0]->data, c->customers, c->n_customers, W);
  trm_embedding_forward(*products, node->in[0]->data, c->products, c->n_products, W);
}

static void record(trm_tape *tape, trm_node *node, const trm_real *losses) {
  const choosing *a = TRM_ATTR(node, choosing);
  const trm_choices *c = a->choices;
  const int n_blocks = trm_tape_pass(tape)->n_blocks > 0 ? trm_tape_pass(tape)->n_blocks : 1;
  double sum = 0;
  for (int k = 0; k < n_blocks; ++k) {
    double block = 0, count = 0;
    for (int64_t u = c->first + c->blocks[k]; u < c->first + c->blocks[k + 1]; ++u) {
      trm_real weight;
      block += (double)losses[u];
      count += weight_of(a, u, &weight);
    }
    trm_tape_add_block_loss(tape, k, block, count);
    sum += block;
  }
  node->out->data[0] = (trm_real)sum;
}

static void forward(trm_tape *tape, trm_node *node) {
  const choosing *a = TRM_ATTR(node, choosing);
  const trm_choices *c = a->choices;
  const widths w = widths_of(node);
  const int64_t B = c->n_customers, J = c->n_products;
  trm_real *scratch = node->scratch, *x, *y;
  split_rows(node, &scratch, &x, &y);
  trm_real *bias = trm_scratch_take(&scratch, J), *losses = trm_scratch_take(&scratch, B);
  trm_real *weights = trm_scratch_take(&scratch, B);
  trm_real *pairs = trm_scratch_take(&scratch, c->bought.n_edges);
  const trm_real offset = a->kind == TRM_CHOICE_EACH ? (trm_real)trm_choice_offset : 0;
  for (int64_t j = 0; j < J; ++j) bias[j] = y[j * w.row + w.vector] + offset;
  for (int64_t u = 0; u < B; ++u) (void)weight_of(a, u, &weights[u]);
  trm_gemm(false, true, B, J, w.vector, 1, x, w.row, y, w.row, 0, node->saved[SLOPES], J);
  const trm_choice_scores scores = {.bias = bias, .customers = x + w.vector, .step = w.row};
  trm_choice_complete(node->saved[SLOPES], c, &scores);
  trm_choice(node->saved[SLOPES], losses, node->saved[DH], pairs, c, weights, a->kind);
  record(tape, node, losses);
}

/* Each node is one customer or one product: its row of dx is that of the one. */
static void backward(trm_tape *tape, trm_node *node) {
  const trm_choices *c = TRM_ATTR(node, choosing)->choices;
  const widths w = widths_of(node);
  const int64_t B = c->n_customers, J = c->n_products;
  const trm_real dloss = node->out->grad[0], *slopes = node->saved[SLOPES], *dh = node->saved[DH];
  trm_real *scratch = node->scratch, *x, *y;
  bool add;
  trm_real *d = trm_node_grad(tape, node, 0, &add);
  if (!d) return;
  split_rows(node, &scratch, &x, &y);
  trm_real *dx = trm_scratch_take(&scratch, B * w.row), *dy = trm_scratch_take(&scratch, J * w.row);
  trm_real *bias = trm_scratch_take(&scratch, J);
  trm_gemm(false, false, B, w.vector, J, dloss, slopes, J, y, w.row, 0, dx, w.row);
  trm_gemm(true, false, J, w.vector, B, dloss, slopes, J, x, w.row, 0, dy, w.row);
  trm_bias_backward(bias, slopes, B, J, false);
  for (int64_t u = 0; u < B; ++u) {
    for (int64_t k = 0; k < w.other; ++k)
      dx[u * w.row + w.vector + k] = dloss * dh[u * w.other + k];
  }
  for (int64_t j = 0; j < J; ++j) {
    dy[j * w.row + w.vector] = dloss * bias[j];
    for (int64_t k = 1; k < w.other; ++k) dy[j * w.row + w.vector + k] = 0;
  }
  trm_embedding_backward(d, dx, c->customers, B, w.row, B + J, add);
  trm_embedding_backward(d, dy, c->products, J, w.row, B + J, true);
}

/* ---- sample ----------------------------------------------------------------------------------- */

enum { CASE_CUSTOMERS = 3, CASE_PRODUCTS = 5, CASE_HABITS = 2 };

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 6) return NULL;
  static const int32_t customers[] = {6, 1, 3}, products[] = {0, 2, 4, 5, 7};
  static const int32_t bought[] = {1, 3, 0, 2, 3}, known[] = {0, 3, 4, 1, 2, 4};
  static const int32_t rivals[] = {2, 0, 4, -1, 1};
  static const int64_t bought_offsets[] = {0, 2, 2, 5}, known_offsets[] = {0, 3, 4, 6};
  static const int64_t blocks[] = {0, CASE_CUSTOMERS};
  static const float habits[] = {1, 0.5F, 1, -0.3F, 1, 2, 1, 0, 1, 1.5F, 1, 0.1F};
  static const float none[CASE_PRODUCTS], shares[] = {-0.5F, -1, -0.1F, 0, -2};
  static trm_choices choices;
  choices = (trm_choices){
      .n_customers = CASE_CUSTOMERS,
      .n_products = CASE_PRODUCTS,
      .customers = customers,
      .products = products,
      .log_shares = variant % 2 ? shares : none,
      .bought = {CASE_CUSTOMERS, CASE_PRODUCTS, 5, bought_offsets, bought, NULL, NULL},
      .known = {CASE_CUSTOMERS, CASE_PRODUCTS, 6, known_offsets, known, NULL, NULL},
      .n_habits = CASE_HABITS,
      .habits = habits,
      .rivals = rivals,
      .blocks = blocks};
  static const trm_choice_loss kinds[] = {TRM_CHOICE_SOFTMAX, TRM_CHOICE_SOFTMAX, TRM_CHOICE_PAIRS,
                                          TRM_CHOICE_PAIRS,   TRM_CHOICE_EACH,    TRM_CHOICE_EACH,
                                          TRM_CHOICE_SOFTMAX};
  const int64_t C = variant == 6 ? 1 : 4;
  trm_var *x =
      trm_case_real(c, 0, 2, (int64_t[]){CASE_CUSTOMERS + CASE_PRODUCTS, C + 1 + CASE_HABITS});
  return trm_op_choice(c->tape, x, &choices, kinds[variant], variant % 3 * 0.5);
}

const trm_op trm_op_table_choice = {
    .name = "choice", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_choice(trm_tape *tape, trm_var *x, const trm_choices *choices, trm_choice_loss kind,
                       double balance) {
  const choosing a = {choices, kind, balance};
  return trm_tape_apply(tape, &trm_op_table_choice, (trm_var *[]){x}, 1, &a, sizeof a);
}
