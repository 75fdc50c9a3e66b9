/*
 * Linear layer, softmax and choice in one: of the logits x w^T of each row the K greatest, and the
 * log-sum-exp of all. Logits exist for a tile of the vocabulary at a time. No gradient.
 */
#include "output_tile.h"
#include "tape_internal.h"
#include "trireme/core/integers.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, W };
/* Whole numbers that a float holds. */
enum { MOST_COLUMNS = 1 << 24 };

typedef struct linear_top_k {
  int64_t K;
} linear_top_k;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *w = node->in[W];
  const int64_t K = TRM_ATTR(node, linear_top_k)->K;
  if (x->n_dims != 2 || w->n_dims != 2 || x->dims[1] != w->dims[1] || K < 1 || K > w->dims[0] ||
      w->dims[0] > MOST_COLUMNS) {
    return trm_op_fail(node, "x has rows of %lld, w is [%lld, %lld], wanted are %lld of at most %d",
                       (long long)trm_var_width(x), (long long)w->dims[0],
                       (long long)trm_var_width(w), (long long)K, MOST_COLUMNS);
  }
  const int64_t N = x->dims[0];
  shape->n_dims = 2;
  shape->dims[0] = N;
  shape->dims[1] = 1 + 2 * K;
  /* max, sum, targets, values, columns, and a tile */
  shape->scratch_forward = N * (3 + 2 * K + trm_min_i64(TRM_OUTPUT_TILE, w->dims[0]));
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X], *w = node->in[W];
  const int64_t N = x->dims[0], V = w->dims[0], K = TRM_ATTR(node, linear_top_k)->K;
  const trm_xent plain = {0};
  trm_real *max = node->scratch, *sum = max + N, *values = sum + 2 * N;
  trm_real *logits = values + 2 * N * K;
  int32_t *none = (int32_t *)(void *)(sum + N), *columns = (int32_t *)(void *)(values + N * K);
  for (int64_t r = 0; r < N; ++r) none[r] = -1;
  for (int64_t first = 0; first < V; first += TRM_OUTPUT_TILE) {
    const int64_t n = trm_min_i64(TRM_OUTPUT_TILE, V - first);
    trm_output_tile(tape, x, w, logits, first, n);
    trm_xent_tile_forward(max, sum, NULL, NULL, logits, none, N, first, n);
    trm_top_k_tile(columns, values, logits, N, first, n, K);
  }
  double loss;
  (void)trm_xent_tiles_end(&loss, max, max, sum, NULL, NULL, none, &plain, N, V);
  for (int64_t r = 0; r < N; ++r) {
    trm_real *to = node->out->data + r * (1 + 2 * K);
    to[0] = max[r];
    for (int64_t k = 0; k < K; ++k) {
      to[1 + k] = values[r * K + k];
      to[1 + K + k] = (trm_real)columns[r * K + k];
    }
  }
}

/* Never for an x that needs a gradient: the tape would see that it got none. */
static void backward(trm_tape *tape, trm_node *node) {
  (void)tape;
  (void)node;
}

/* Added to an input, since a case must have a gradient. */
static trm_var *sample(trm_op_case *c, int variant) {
  static trm_real x[3 * 4], w[9 * 4];
  if (variant > 2) return NULL;
  for (int i = 0; i < 3 * 4; ++i) x[i] = (trm_real)(i % 7 - 3) / 3;
  for (int i = 0; i < 9 * 4; ++i) w[i] = (trm_real)(i % 5 - 2) / 2;
  trm_var *a = trm_tape_input(c->tape, x, 2, (int64_t[]){3, 4}, false);
  trm_var *b = trm_tape_input(c->tape, w, 2, (int64_t[]){9, 4}, false);
  const int64_t K = 1 + 4 * variant;
  trm_var *more = trm_case_real(c, 0, 2, (int64_t[]){3, 1 + 2 * K});
  return trm_op_add(c->tape, trm_op_linear_top_k(c->tape, a, b, K), more);
}

const trm_op trm_op_table_linear_top_k = {.name = "linear_top_k",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample,
                                          .matrix = W,
                                          .multiplies = true};

trm_var *trm_op_linear_top_k(trm_tape *tape, trm_var *x, trm_var *w, int64_t K) {
  const linear_top_k a = {K};
  return trm_tape_apply(tape, &trm_op_table_linear_top_k, (trm_var *[]){x, w}, 2, &a, sizeof a);
}
