/*
 * Graph operators in a pass over several blocks: what works row by row makes the bits of one pass for
 * each block, statistics and losses are the blocks' own; batch normalisation in evaluation.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { N = 11, C = 5, BLOCKS = 4, MOST = 512 };
static const int64_t blocks[BLOCKS + 1] = {0, 4, 4, 5, N}; /* one is empty, one has one row */
static const double weights[BLOCKS] = {3, 0, 1, 5};

/* Targets that see only themselves: attention is the identity, and its result lies in blocks. */
static const int64_t no_edges[N + 1];
static int32_t node_ids[N];

static trm_hop self_hop(int64_t n, const int64_t *of_blocks) {
  const trm_csr none = {n, n, 0, no_edges, NULL, NULL, NULL};
  return (trm_hop){
      .in = none, .out = none, .source_ids = node_ids, .target_ids = node_ids, .blocks = of_blocks};
}

typedef struct net {
  trm_params *params;
  trm_tape *tape;
  int w, b, mean, variance, eps, a, rows;
  trm_real x[N * C], scores[2 * N];
  int32_t targets[N];
  trm_var *input, *y;
} net;

static void create(net *n) {
  *n = (net){0};
  CHECK_OK(trm_params_create(&n->params));
  trm_params *p = n->params;
  const int64_t one = 1, width = C;
  CHECK_OK(trm_params_add(p, &n->w, 1, &width, TRM_INIT_NORMAL, 1, false, "w"));
  CHECK_OK(trm_params_add(p, &n->b, 1, &width, TRM_INIT_NORMAL, 1, false, "b"));
  CHECK_OK(trm_params_add_buffer(p, &n->mean, C, TRM_INIT_ZERO, "mean"));
  CHECK_OK(trm_params_add_buffer(p, &n->variance, C, TRM_INIT_ONE, "variance"));
  CHECK_OK(trm_params_add(p, &n->eps, 1, &one, TRM_INIT_NORMAL, 1, false, "eps"));
  CHECK_OK(trm_params_add(p, &n->a, 2, (int64_t[]){1, 2 * C}, TRM_INIT_NORMAL, 1, true, "a"));
  CHECK_OK(trm_params_add(p, &n->rows, 2, (int64_t[]){9, C}, TRM_INIT_NORMAL, 1, true, "rows"));
  CHECK_OK(trm_params_seal(p));
  trm_params_init(p, 1);
  CHECK(p->n_elements <= MOST);
  CHECK_OK(trm_tape_create(p, &n->tape));
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  for (int i = 0; i < N * C; ++i) n->x[i] = (trm_real)trm_random_normal(key, 0, (uint64_t)i);
  for (int i = 0; i < N; ++i) {
    n->targets[i] = i % C;
    node_ids[i] = 50 + 7 * i;
  }
}

static void destroy(net *n) {
  trm_tape_destroy(&n->tape);
  trm_params_destroy(&n->params);
}

/* Rows [first, first + n) through every operator that works row by row. */
static trm_var *build(net *k, int64_t first, int64_t n, const trm_hop *hop) {
  trm_tape *t = k->tape;
  k->input = trm_tape_input(t, k->x + first * C, 2, (int64_t[]){n, C}, true);
  trm_var *zero = trm_tape_input(t, k->scores, 2, (int64_t[]){n, 1}, false);
  trm_var *x = trm_op_graph_attention(t, k->input, zero, zero, hop, true, 0.2, 0);
  trm_var *y = trm_op_dropout_rows(t, x, 0.4, node_ids + first);
  y = trm_op_batchnorm(t, y, trm_tape_param(t, k->w), trm_tape_param(t, k->b),
                       trm_tape_param(t, k->mean), trm_tape_param(t, k->variance));
  y = trm_op_gin_combine(t, trm_op_elu(t, y), x, trm_tape_param(t, k->eps));
  y = trm_op_maximum(t, y, trm_op_combine(t, x, 0.5, y, 2));
  trm_var *both = trm_op_concat(t, y, x);
  trm_var *s = trm_op_head_dot(t, both, trm_tape_param(t, k->a));
  k->y = trm_op_concat(t, trm_op_head_mean(t, both, 2), s);
  return trm_op_softmax_xent(t, k->y, k->targets + first, NULL);
}

static void plan(net *k, trm_var *(*make)(net *, int64_t, int64_t, const trm_hop *)) {
  const trm_hop hop = self_hop(N, blocks);
  const trm_pass pass = {.training = true, .dry = true, .n_blocks = BLOCKS, .weights = weights};
  trm_tape_begin(k->tape, &pass);
  trm_tape_backward(k->tape, make(k, 0, N, &hop), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(k->tape));
  CHECK_OK(trm_tape_reserve(k->tape));
}

/* Gradients of each block in a place of its own. */
typedef struct places {
  trm_real grads[BLOCKS][MOST];
  int64_t whole_offset, whole_n;
} places;

static trm_real *target(void *context, int block, bool *add) {
  *add = false;
  return ((places *)context)->grads[block];
}
static void merge(void *context, int block, int64_t offset, int64_t n) {
  (void)context, (void)block, (void)offset, (void)n;
}
static void whole(void *context, int64_t offset, int64_t n) {
  places *p = context;
  p->whole_offset = offset;
  p->whole_n = n;
}

static void test_rows(void) {
  net k;
  places p = {0};
  trm_real y[N * (C + 1)], dx[N * C], grads[MOST];
  create(&k);
  plan(&k, build);
  const trm_block_sink sink = {&p, target, merge, whole};
  trm_pass pass = {.training = true, .seed = 4, .step = 6, .n_blocks = BLOCKS, .sink = &sink};
  pass.weights = weights;
  const trm_hop hop = self_hop(N, blocks);
  trm_tape_begin(k.tape, &pass);
  trm_tape_backward(k.tape, build(&k, 0, N, &hop), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(k.tape));
  memcpy(y, k.y->data, sizeof y);
  memcpy(dx, k.input->grad, sizeof dx);
  double sums[BLOCKS], counts[BLOCKS];
  for (int b = 0; b < BLOCKS; ++b) trm_tape_block_loss(k.tape, b, &sums[b], &counts[b]);

  for (int b = 0; b < BLOCKS; ++b) {
    const int64_t first = blocks[b], n = blocks[b + 1] - first;
    const trm_hop part = self_hop(n, NULL);
    const trm_pass alone = {
        .training = true, .seed = 4, .step = 6, .grads = grads, .weight = weights[b]};
    trm_tape_begin(k.tape, &alone);
    trm_tape_backward(k.tape, build(&k, first, n, &part), NULL, NULL, NULL);
    CHECK_OK(trm_tape_status(k.tape));
    CHECK_EQ(counts[b], n);
    CHECK(sums[b] == trm_tape_loss_sum(k.tape));
    if (n > 0) {
      CHECK(memcmp(y + first * (C + 1), k.y->data, (size_t)(n * (C + 1)) * sizeof *y) == 0);
      CHECK(memcmp(dx + first * C, k.input->grad, (size_t)(n * C) * sizeof *dx) == 0);
    }
    for (int r = 0; r < k.rows; ++r) {
      const trm_param *row = &k.params->rows[r];
      if (!CHECK(memcmp(p.grads[b] + row->offset, grads + row->offset,
                        (size_t)row->n * sizeof *grads) == 0)) {
        fprintf(stderr, "  %s, block %d\n", row->name, b);
      }
    }
  }
  destroy(&k);
}

static trm_var *build_norm(net *k, int64_t first, int64_t n, const trm_hop *hop) {
  (void)hop;
  trm_tape *t = k->tape;
  k->input = trm_tape_input(t, k->x + first * C, 2, (int64_t[]){n, C}, true);
  k->y = trm_op_batchnorm(t, k->input, trm_tape_param(t, k->w), trm_tape_param(t, k->b),
                          trm_tape_param(t, k->mean), trm_tape_param(t, k->variance));
  return trm_op_softmax_xent(t, k->y, k->targets, NULL);
}

/* Statistics of n rows, and the output of training and evaluation, by plain loops. */
static void test_statistics(int64_t n) {
  net k;
  trm_real grads[MOST];
  create(&k);
  plan(&k, build_norm);
  trm_real *of[] = {k.params->weights + k.params->rows[k.mean].offset,
                    k.params->weights + k.params->rows[k.variance].offset};
  const trm_real *w = k.params->weights + k.params->rows[k.w].offset;
  const trm_real *b = k.params->weights + k.params->rows[k.b].offset;
  for (int c = 0; c < C; ++c) {
    of[0][c] = (trm_real)(0.25 * c);
    of[1][c] = (trm_real)(0.5 + c);
  }
  for (int training = 0; training < 2; ++training) {
    const trm_pass pass = {.training = training, .grads = grads, .weight = 6};
    trm_tape_begin(k.tape, &pass);
    trm_var *loss = build_norm(&k, 0, n, NULL);
    if (training) trm_tape_backward(k.tape, loss, NULL, NULL, NULL);
    CHECK_OK(trm_tape_status(k.tape));
    for (int c = 0; c < C; ++c) {
      double mean = 0, square = 0;
      for (int r = 0; r < n; ++r) mean += (double)k.x[r * C + c] / (double)n;
      for (int r = 0; r < n; ++r) square += pow((double)k.x[r * C + c] - mean, 2);
      if (training) {
        const double unbiased = n > 1 ? square / (double)(n - 1) : 0;
        CHECK_NEAR_AT(grads[k.params->rows[k.mean].offset + c], 6 * mean, 1e-5, c);
        CHECK_NEAR_AT(grads[k.params->rows[k.variance].offset + c], 6 * unbiased, 1e-4, c);
      }
      const double variance = training ? (n > 0 ? square / (double)n : 0) : (double)of[1][c];
      if (!training) mean = (double)of[0][c];
      for (int r = 0; r < n; ++r) {
        const double want =
            ((double)k.x[r * C + c] - mean) / sqrt(variance + 1e-5) * (double)w[c] + (double)b[c];
        CHECK_NEAR_AT(k.y->data[r * C + c], want, 1e-4 * (1 + fabs(want)), r * C + c);
      }
    }
  }
  destroy(&k);
}

/* ---- ranking --------------------------------------------------------------------------------- */

enum { TRIPLETS = 7, NODES = 5 };
static const int32_t users[] = {0, 1, 0, 1, 0, 1, 0}, positives[] = {2, 3, 4, 2, 3, 4, 2};
static const int32_t negatives[] = {3, 2, 3, 4, 4, 2, 4}, some_rows[] = {8, 1, 4, 0, 6};
static const int64_t of_triplets[BLOCKS + 1] = {0, 2, 2, 3, 5};
static trm_triplets triplets;
static trm_collection collection;

static trm_var *build_ranking(net *k, int64_t first, int64_t n, const trm_hop *hop) {
  (void)first, (void)n, (void)hop;
  trm_var *e = trm_op_param_rows(k->tape, trm_tape_param(k->tape, k->rows), some_rows, NODES);
  e = trm_op_collect(k->tape, e, &collection);
  return trm_op_bpr(k->tape, e, e, &triplets, 0.1);
}

static double loss_of(const trm_real *w, int t) {
  double x = 0, squares = 0;
  for (int c = 0; c < C; ++c) {
    const double u = (double)w[some_rows[users[t]] * C + c];
    const double p = (double)w[some_rows[positives[t]] * C + c];
    const double q = (double)w[some_rows[negatives[t]] * C + c];
    x += u * (p - q);
    squares += u * u + p * p + q * q;
  }
  return log1p(exp(-x)) + 0.05 * squares;
}

static void test_ranking(void) {
  static const int32_t own[] = {0, 1, 2, 3, 4};
  int64_t offsets[NODES + 1] = {0};
  int32_t uses[3 * TRIPLETS];
  int64_t at = 0;
  for (int node = 0; node < NODES; ++node) {
    for (int32_t t = 0; t < TRIPLETS; ++t) {
      if (users[t] == node) uses[at++] = 3 * t;
      if (positives[t] == node) uses[at++] = 3 * t + 1;
      if (negatives[t] == node) uses[at++] = 3 * t + 2;
    }
    offsets[node + 1] = at;
  }
  const trm_csr used = {NODES, 3 * TRIPLETS, at, offsets, uses, NULL, NULL};
  collection = (trm_collection){.n = NODES, .n_own = NODES, .rows = own};
  triplets = (trm_triplets){TRIPLETS, users, positives, negatives, 1, of_triplets, &used};
  net k;
  places p = {0};
  create(&k);
  plan(&k, build_ranking);
  const trm_block_sink sink = {&p, target, merge, whole};
  const trm_pass pass = {.training = true, .n_blocks = BLOCKS, .sink = &sink, .weights = weights};
  trm_tape_begin(k.tape, &pass);
  trm_tape_backward(k.tape, build_ranking(&k, 0, 0, NULL), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(k.tape));
  const trm_param *row = &k.params->rows[k.rows];
  trm_real *w = k.params->weights + row->offset;
  for (int b = 0; b < BLOCKS; ++b) { /* the loss is that of the own triplets, from number 1 on */
    double sum, count, want = 0;
    trm_tape_block_loss(k.tape, b, &sum, &count);
    for (int64_t t = of_triplets[b]; t < of_triplets[b + 1]; ++t) want += loss_of(w, 1 + (int)t);
    CHECK_NEAR_AT(sum, want, 1e-5 * (1 + want), b);
    CHECK_EQ(count, of_triplets[b + 1] - of_triplets[b]);
  }
  CHECK_EQ(trm_tape_loss_count(k.tape), 5);
  CHECK_EQ(p.whole_offset, row->offset);
  CHECK_EQ(p.whole_n, row->n);
  for (int64_t i = 0; i < row->n; ++i) { /* the gradient is that of all triplets */
    const trm_real before = w[i];
    double side[2] = {0, 0};
    for (int s = 0; s < 2; ++s) {
      w[i] = before + (trm_real)(s == 0 ? 1 : -1) * (trm_real)0x1p-7;
      for (int t = 0; t < TRIPLETS; ++t) side[s] += loss_of(w, t);
    }
    w[i] = before;
    CHECK_NEAR_AT(p.grads[0][row->offset + i], (side[0] - side[1]) * 0x1p6, 2e-3, i);
  }
  destroy(&k);
}

int main(void) {
  trm_math_init();
  test_rows();
  test_statistics(0);
  test_statistics(1);
  test_statistics(N);
  test_ranking();
  return check_verdict();
}
