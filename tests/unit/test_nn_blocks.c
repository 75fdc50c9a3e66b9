/* A pass over several blocks gives each block's gradients and loss as a pass of its own does, bit for
 * bit: dense layers, norms, losses; blocks of no rows; a parameter that nobody
 * uses; a change of the input. */
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { N = 23, C = 19, H = 33, O = 5, BLOCKS = 4 };

static const int64_t blocks[BLOCKS + 1] = {0, 7, 7, 8, N};

typedef struct net {
  trm_params *params;
  trm_tape *tape;
  int w1, b1, norm_w, norm_b, unused, w2;
  trm_real x[N * C];
  int32_t targets[N];
} net;

static void net_create(net *n) {
  trm_params *p = NULL;
  CHECK_OK(trm_params_create(&p));
  n->params = p;
  CHECK_OK(trm_params_add(p, &n->w1, 2, (int64_t[]){H, C}, TRM_INIT_NORMAL, 0.3, true, "w1"));
  CHECK_OK(trm_params_add(p, &n->b1, 1, (int64_t[]){H}, TRM_INIT_NORMAL, 0.3, false, "b1"));
  CHECK_OK(trm_params_add(p, &n->norm_w, 1, (int64_t[]){H}, TRM_INIT_ONE, 0, false, "norm/w"));
  CHECK_OK(trm_params_add(p, &n->norm_b, 1, (int64_t[]){H}, TRM_INIT_ZERO, 0, false, "norm/b"));
  CHECK_OK(trm_params_add(p, &n->unused, 1, (int64_t[]){9}, TRM_INIT_ONE, 0, false, "unused"));
  CHECK_OK(trm_params_add(p, &n->w2, 2, (int64_t[]){O, H}, TRM_INIT_NORMAL, 0.3, true, "w2"));
  CHECK_OK(trm_params_seal(p));
  trm_params_init(p, 1);
  CHECK_OK(trm_tape_create(p, &n->tape));
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  for (int i = 0; i < N * C; ++i) n->x[i] = (trm_real)trm_random_normal(key, 0, (uint64_t)i);
  for (int i = 0; i < N; ++i) n->targets[i] = i % (O + 1) - 1;
}

/* Rows [first, first + rows); in blocks when asked. */
static trm_var *loss_of(net *n, int64_t first, int64_t rows, bool in_blocks) {
  trm_tape *t = n->tape;
  trm_var *x = trm_tape_input(t, n->x + first * C, 2, (int64_t[]){rows, C}, false);
  if (in_blocks) x->blocks = blocks;
  x = trm_op_nudge(t, x);
  trm_var *h = trm_op_linear(t, x, trm_tape_param(t, n->w1), trm_tape_param(t, n->b1));
  h = trm_op_layernorm(t, h, trm_tape_param(t, n->norm_w), trm_tape_param(t, n->norm_b));
  h = trm_op_add(t, h, trm_op_relu(t, h));
  h = trm_op_linear(t, h, trm_tape_param(t, n->w2), NULL);
  return trm_op_softmax_xent(t, h, n->targets + first, NULL);
}

static void plan(net *n) {
  const trm_nudge any = {0};
  const trm_pass one = {.training = true, .dry = true, .nudge = &any};
  const trm_pass all = {.training = true, .dry = true, .n_blocks = BLOCKS, .nudge = &any};
  trm_tape_begin(n->tape, &one);
  trm_tape_backward(n->tape, loss_of(n, 0, N, false), NULL, NULL, NULL);
  trm_tape_begin(n->tape, &all);
  trm_tape_backward(n->tape, loss_of(n, 0, N, true), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
  CHECK_OK(trm_tape_reserve(n->tape));
}

/* A change of the input, and its gradient alone. */
static void check_nudge(net *n) {
  trm_real values[N * C], grad[N * C], want[N * C];
  const double weights[BLOCKS] = {1, 1, 1, 1};
  for (int i = 0; i < N * C; ++i) values[i] = (trm_real)(i % 7) / 8;
  const trm_nudge nudge = {.n = N * C, .values = values, .grad = grad};
  const trm_pass all = {.n_blocks = BLOCKS, .weights = weights, .nudge = &nudge};
  trm_tape_begin(n->tape, &all);
  trm_tape_backward(n->tape, loss_of(n, 0, N, true), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
  for (int k = 0; k < BLOCKS; ++k) {
    const int64_t first = blocks[k], rows = blocks[k + 1] - first;
    const trm_nudge part = {.n = rows * C, .values = values + first * C, .grad = want + first * C};
    trm_tape_begin(n->tape, &(trm_pass){.nudge = &part});
    trm_tape_backward(n->tape, loss_of(n, first, rows, false), NULL, NULL, NULL);
    CHECK_OK(trm_tape_status(n->tape));
  }
  CHECK(memcmp(grad, want, sizeof grad) == 0);
}

/* What a sink sees: the gradients of each block, and how often each element was merged. */
typedef struct record {
  trm_real *grads; /* [BLOCKS, n] */
  int *merged;     /* [n] */
  int last[4096];  /* block merged last, by element: blocks come in order */
  int64_t n;
} record;

static trm_real *target(void *context, int block, bool *add) {
  record *r = context;
  *add = false;
  return r->grads + block * r->n;
}

static void merge(void *context, int block, int64_t offset, int64_t n) {
  record *r = context;
  for (int64_t i = offset; i < offset + n; ++i) {
    CHECK_EQ(r->last[i], block - 1);
    r->last[i] = block;
    ++r->merged[i];
  }
}

static void whole(void *context, int64_t offset, int64_t n) {
  record *r = context;
  for (int64_t i = offset; i < offset + n; ++i) r->merged[i] += BLOCKS;
}

static void check_blocks(net *n) {
  record r = {.n = n->params->n_elements};
  trm_real *want = NULL;
  CHECK(r.n <= 4096);
  CHECK_OK(TRM_ALLOC(&r.grads, BLOCKS * r.n, "gradients"));
  CHECK_OK(TRM_ALLOC(&r.merged, r.n, "merges"));
  CHECK_OK(TRM_ALLOC(&want, r.n, "gradients"));
  for (int64_t i = 0; i < r.n; ++i) r.last[i] = -1;
  const trm_block_sink sink = {.context = &r, .target = target, .merge = merge, .whole = whole};
  const double weights[BLOCKS] = {1, 1, 1, 1};
  const trm_pass all = {.training = true, .n_blocks = BLOCKS, .sink = &sink, .weights = weights};
  trm_tape_begin(n->tape, &all);
  trm_tape_backward(n->tape, loss_of(n, 0, N, true), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
  double sums[BLOCKS], counts[BLOCKS];
  for (int k = 0; k < BLOCKS; ++k) trm_tape_block_loss(n->tape, k, &sums[k], &counts[k]);

  for (int k = 0; k < BLOCKS; ++k) {
    const trm_pass one = {.training = true, .grads = want};
    trm_tape_begin(n->tape, &one);
    trm_tape_backward(n->tape, loss_of(n, blocks[k], blocks[k + 1] - blocks[k], false), NULL, NULL,
                      NULL);
    CHECK(sums[k] == trm_tape_loss_sum(n->tape));
    CHECK_EQ(counts[k], trm_tape_loss_count(n->tape));
    for (int p = 0; p < n->params->n_rows; ++p) {
      const trm_param *row = &n->params->rows[p];
      CHECK(memcmp(want + row->offset, r.grads + k * r.n + row->offset,
                   (size_t)row->n * sizeof *want) == 0);
      for (int64_t i = 0; i < row->n; ++i) CHECK_EQ(r.merged[row->offset + i], BLOCKS);
    }
  }
  TRM_FREE(r.grads);
  TRM_FREE(r.merged);
  TRM_FREE(want);
}

int main(void) {
  trm_math_init();
  net n;
  net_create(&n);
  plan(&n);
  for (int threads = 1; threads <= 3; ++threads) {
    trm_threads_set(threads);
    check_blocks(&n);
    check_nudge(&n);
  }
  trm_tape_destroy(&n.tape);
  trm_params_destroy(&n.params);
  return check_verdict();
}
