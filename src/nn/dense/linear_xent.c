/*
 * Linear layer, softmax and cross-entropy in one: the sum over the rows whose target counts of
 * -log softmax(x w^T)[target]. Logits exist for a tile of the vocabulary at a time; the backward pass
 * makes them again, unless one tile is all.
 */
#include "output_tile.h"
#include "tape_internal.h"
#include "trireme/core/integers.h"
#include "trireme/math/gemm.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { X, W, LSE = 0, LOGITS = 1, TILE = TRM_OUTPUT_TILE };

typedef struct linear_xent {
  const int32_t *targets; /* borrowed for the pass */
  trm_xent how;
} linear_xent;

static int64_t tile_columns(int64_t V) {
  return trm_min_i64(V, TILE);
}

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[X], *w = node->in[W];
  if (x->n_dims != 2 || w->n_dims != 2 || x->dims[1] != w->dims[1]) {
    return trm_op_fail(node, "x has rows of %lld, w is [%lld, %lld]", (long long)trm_var_width(x),
                       (long long)w->dims[0], (long long)trm_var_width(w));
  }
  const int64_t N = x->dims[0], V = w->dims[0];
  shape->n_dims = 1;
  shape->dims[0] = 1;
  shape->saved[LSE] = N;
  if (V <= TILE) shape->saved[LOGITS] = N * V;
  shape->scratch_forward = 3 * N + (V <= TILE ? 0 : N * tile_columns(V));
  shape->scratch_backward = N * tile_columns(V);
  return TRM_OK;
}

/* Of the rows that are being run. */
static const int32_t *targets_of(const trm_tape *tape, const trm_node *node) {
  return TRM_ATTR(node, linear_xent)->targets + trm_tape_row(tape);
}

/* Rows whose target's logit is the greatest, or one of them. */
static int64_t count_right(const trm_real *max, const trm_real *at, const int32_t *targets,
                           int64_t N) {
  int64_t n = 0;
  for (int64_t r = 0; r < N; ++r) n += targets[r] >= 0 && at[r] >= max[r];
  return n;
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X], *w = node->in[W];
  const int64_t N = x->dims[0], V = w->dims[0];
  const int32_t *targets = targets_of(tape, node);
  const trm_xent *how = &TRM_ATTR(node, linear_xent)->how;
  trm_real *lse = node->saved[LSE], *sum = node->scratch, *at = sum + N, *totals = at + N;
  trm_real *total = how->smoothing > 0 ? totals : NULL;
  trm_real *logits = node->saved[LOGITS] ? node->saved[LOGITS] : totals + N;
  for (int64_t first = 0; first < V; first += TILE) {
    const int64_t n = trm_min_i64(TILE, V - first);
    trm_output_tile(tape, x, w, logits, first, n);
    trm_xent_tile_forward(lse, sum, at, total, logits, targets, N, first, n);
  }
  trm_tape_add_right(tape, count_right(lse, at, targets, N));
  double loss;
  const double count = trm_xent_tiles_end(&loss, lse, lse, sum, at, total, targets, how, N, V);
  node->out->data[0] = (trm_real)loss;
  trm_tape_add_loss(tape, loss, count);
}

/* What a tile of dlogits gives to its rows of w, and to x; `started`: dx holds something. */
static void spread_tile(trm_tape *tape, const trm_node *node, const trm_real *dlogits,
                        int64_t first, int64_t n, trm_after dw, trm_after dx, bool started) {
  const trm_var *x = node->in[X], *w = node->in[W];
  const int64_t N = x->dims[0], C = x->dims[1];
  if (dw.c) {
    const trm_factors factors = {.M = n,
                                 .N = C,
                                 .K = N,
                                 .a = dlogits,
                                 .a_row = 1,
                                 .a_k = n,
                                 .b = x->data,
                                 .b_bf16 = x->bf16,
                                 .ldb = C,
                                 .bf16 = trm_gemm_bf16()};
    dw.c += first * C;
    trm_gemm_then(&factors, &dw);
  }
  if (dx.c) {
    const trm_factors factors = {.M = N,
                                 .N = C,
                                 .K = n,
                                 .a = dlogits,
                                 .a_row = n,
                                 .a_k = 1,
                                 .b = w->data + first * C,
                                 .ldb = C,
                                 .packed = trm_tape_packed(tape, w, false),
                                 .packed_first = first,
                                 .packed_depth = w->dims[0],
                                 .bf16 = trm_gemm_bf16()};
    if (started) dx.beta = 1;
    trm_gemm_then(&factors, &dx);
  }
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *x = node->in[X], *w = node->in[W];
  const int64_t N = x->dims[0], C = x->dims[1], V = w->dims[0];
  const int n_merges = trm_node_merges(tape, node, W);
  const int64_t merge_step = trm_tape_pass(tape)->merge_step;
  bool add;
  trm_after dw = {.ldc = C, .alpha = 1, .n_merges = n_merges, .merge_step = merge_step};
  trm_after dx = {.ldc = C, .alpha = 1};
  dw.c = trm_node_grad(tape, node, W, &add);
  dw.beta = add ? 1 : 0;
  dx.c = trm_node_grad(tape, node, X, &add);
  dx.beta = add ? 1 : 0;
  if (!dw.c && !dx.c) return;
  trm_real *dlogits = node->scratch;
  for (int64_t first = 0; first < V; first += TILE) {
    const int64_t n = trm_min_i64(TILE, V - first);
    const trm_real *logits = node->saved[LOGITS] ? node->saved[LOGITS] : dlogits;
    if (logits == dlogits) trm_output_tile(tape, x, w, dlogits, first, n);
    trm_xent_tile_backward(dlogits, logits, node->saved[LSE], targets_of(tape, node),
                           &TRM_ATTR(node, linear_xent)->how, node->out->grad[0], N, V, first, n);
    spread_tile(tape, node, dlogits, first, n, dw, dx, first > 0);
  }
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const float weights[17] = {1, 0, 0.5F, 2, 1, 3, 0.1F};
  static const trm_xent hows[] = {{.smoothing = 0},
                                  {.smoothing = 0},
                                  {.smoothing = 0},
                                  {.smoothing = 0.1},
                                  {.smoothing = 0.2, .weights = weights},
                                  {.smoothing = 0}};
  if (variant > 5) return NULL;
  const int64_t N[] = {1, 5, 7, 2, 6, 0}, V[] = {1, 7, 17, TILE + 3, 17, 5};
  const int64_t C[] = {1, 3, 4, 1, 3, 2};
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){N[variant], C[variant]});
  trm_var *w = trm_case_real(c, 0, 2, (int64_t[]){V[variant], C[variant]});
  const int32_t low = variant == 2 ? -1 : 0; /* some rows do not count */
  const int32_t *targets = trm_case_ids(c, N[variant], low, (int32_t)V[variant]);
  return trm_op_linear_xent(c->tape, x, w, targets, &hows[variant]);
}

const trm_op trm_op_table_linear_xent = {.name = "linear_xent",
                                         .shape = shape,
                                         .forward = forward,
                                         .backward = backward,
                                         .sample = sample,
                                         .matrix = W,
                                         .multiplies = true,
                                         .rowwise = true,
                                         .sums_rows = true};

trm_var *trm_op_linear_xent(trm_tape *tape, trm_var *x, trm_var *w, const int32_t *targets,
                            const trm_xent *how) {
  const linear_xent a = {targets, trm_xent_of_pass(tape, how)};
  return trm_tape_apply(tape, &trm_op_table_linear_xent, (trm_var *[]){x, w}, 2, &a, sizeof a);
}
