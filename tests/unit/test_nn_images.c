/* A small network of images: passes of fewer images than were planned fit; threads change no bit; an image's
 * outputs are those it has alone; blocks of a pass give what passes of their own do; gradients are merged;
 * shapes that do not fit are named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { N = 7, SIZE = 9, C = 3, D = 18, CLASSES = 5, BLOCKS = 3, IMAGE = SIZE * SIZE * C };
static const int64_t blocks[BLOCKS + 1] = {0, 4, 4, N};
static const float scale[C] = {2, 0.5F, -1}, shift[C] = {0.1F, 0, -0.3F};
static const trm_window window = {3, 3, 1, 1}, by_two = {3, 3, 2, 1}, half = {2, 2, 2, 0};

typedef struct net {
  trm_params *params;
  trm_tape *tape;
  int w1, norm_w, norm_b, mean, variance, w2, b2, w3;
  float x[N * IMAGE];
  trm_real numbers[N * IMAGE];
  int32_t targets[N];
} net;

static void net_create(net *n) {
  trm_params *p = NULL;
  CHECK_OK(trm_params_create(&p));
  n->params = p;
  CHECK_OK(
      trm_params_add(p, &n->w1, 2, (int64_t[]){9 * C, D}, TRM_INIT_NORMAL, 0.3, true, "conv1"));
  CHECK_OK(trm_params_add(p, &n->norm_w, 1, (int64_t[]){D}, TRM_INIT_ONE, 0, false, "norm/w"));
  CHECK_OK(trm_params_add(p, &n->norm_b, 1, (int64_t[]){D}, TRM_INIT_NORMAL, 1, false, "norm/b"));
  CHECK_OK(trm_params_add(p, &n->mean, 1, (int64_t[]){D}, TRM_INIT_ZERO, 0, false, "mean"));
  CHECK_OK(trm_params_add(p, &n->variance, 1, (int64_t[]){D}, TRM_INIT_ONE, 0, false, "variance"));
  CHECK_OK(trm_params_add(p, &n->w2, 2, (int64_t[]){9 * D / 2, 2 * D}, TRM_INIT_NORMAL, 0.3, true,
                          "conv2"));
  CHECK_OK(trm_params_add(p, &n->b2, 1, (int64_t[]){2 * D}, TRM_INIT_NORMAL, 0.3, false, "b2"));
  CHECK_OK(trm_params_add(p, &n->w3, 2, (int64_t[]){CLASSES, 2 * D}, TRM_INIT_NORMAL, 0.3, true,
                          "head"));
  CHECK_OK(trm_params_seal(p));
  trm_params_init(p, 1);
  CHECK_OK(trm_tape_create(p, &n->tape));
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  for (int i = 0; i < N * IMAGE; ++i) {
    n->x[i] = (float)trm_random_normal(key, 0, (uint64_t)i);
    n->numbers[i] = (trm_real)n->x[i];
  }
  for (int i = 0; i < N; ++i) n->targets[i] = i % CLASSES;
}

static trm_var *param(net *n, int row) {
  return trm_tape_param(n->tape, row);
}

/* What follows the images x. */
static trm_var *logits_of(net *n, trm_var *x) {
  trm_tape *t = n->tape;
  x = trm_op_channel_scale(t, x, scale, shift);
  trm_var *y = trm_op_conv2d(t, x, param(n, n->w1), window, 1);
  y = trm_op_batchnorm_relu(t, y, param(n, n->norm_w), param(n, n->norm_b), param(n, n->mean),
                            param(n, n->variance));
  y = trm_op_pool2d(t, y, half, TRM_POOL_MAX);
  y = trm_op_bias(t, trm_op_conv2d(t, y, param(n, n->w2), by_two, 2), param(n, n->b2));
  y = trm_op_global_pool(t, trm_op_gelu(t, y), TRM_POOL_MEAN);
  return trm_op_linear(t, y, param(n, n->w3), NULL);
}

static trm_var *loss_of(net *n, int64_t first, int64_t count) {
  const trm_values values = {.n_dims = 3, .dims = {SIZE, SIZE, C}, .values = n->x + first * IMAGE};
  trm_var *y = logits_of(n, trm_op_values(n->tape, &values, count));
  y = trm_op_reshape(n->tape, y, 2, (int64_t[]){count, CLASSES});
  return trm_op_softmax_xent(n->tape, y, n->targets + first, NULL);
}

/* The same from images that lie in blocks. */
static trm_var *loss_in_blocks(net *n) {
  trm_var *x = trm_tape_input(n->tape, n->numbers, 4, (int64_t[]){N, SIZE, SIZE, C}, false);
  x->blocks = blocks;
  return trm_op_softmax_xent(n->tape, logits_of(n, x), n->targets, NULL);
}

/* Once, for the most images: smaller passes must fit what it found. */
static void plan(net *n) {
  trm_threads_set(3);
  const trm_pass one = {.training = true, .dry = true, .bounds = true};
  trm_tape_begin(n->tape, &one);
  trm_tape_backward(n->tape, loss_of(n, 0, N), NULL, NULL, NULL);
  const trm_pass all = {.training = true, .dry = true, .n_blocks = BLOCKS};
  trm_tape_begin(n->tape, &all);
  trm_tape_backward(n->tape, loss_in_blocks(n), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
  CHECK_OK(trm_tape_reserve(n->tape));
}

static void run(net *n, trm_pass pass, int64_t first, int64_t count) {
  trm_tape_begin(n->tape, &pass);
  trm_tape_backward(n->tape, loss_of(n, first, count), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
}

static trm_real *new_grads(const net *n, int64_t copies) {
  trm_real *grads = NULL;
  CHECK_OK(TRM_ALLOC(&grads, copies * n->params->n_elements, "gradients"));
  return grads;
}

static void check_threads(net *n) {
  const size_t bytes = (size_t)n->params->n_elements * sizeof(trm_real);
  trm_real *one = new_grads(n, 1), *more = new_grads(n, 1);
  for (int64_t count = 0; count <= N; ++count) {
    trm_threads_set(1);
    run(n, (trm_pass){.training = true, .grads = one}, 0, count);
    const double loss = trm_tape_loss_sum(n->tape);
    for (int threads = 2; threads <= 3; ++threads) {
      trm_threads_set(threads);
      run(n, (trm_pass){.training = true, .grads = more}, 0, count);
      CHECK(trm_tape_loss_sum(n->tape) == loss);
      CHECK(memcmp(one, more, bytes) == 0);
    }
  }
  TRM_FREE(one);
  TRM_FREE(more);
}

static void check_alone(net *n) {
  trm_real all[N * CLASSES];
  const trm_pass pass = {.grads = NULL};
  trm_tape_begin(n->tape, &pass);
  trm_var *x = trm_tape_input(n->tape, n->numbers, 4, (int64_t[]){N, SIZE, SIZE, C}, false);
  memcpy(all, logits_of(n, x)->data, sizeof all);
  for (int64_t i = 0; i < N; ++i) {
    trm_tape_begin(n->tape, &pass);
    x = trm_tape_input(n->tape, n->numbers + i * IMAGE, 4, (int64_t[]){1, SIZE, SIZE, C}, false);
    CHECK(memcmp(all + i * CLASSES, logits_of(n, x)->data, CLASSES * sizeof *all) == 0);
  }
}

/* What was in the array below is added, for the convolutions' weights at least. */
static void check_merges(net *n) {
  const int64_t step = n->params->n_elements;
  trm_real *want = new_grads(n, 1), *two = new_grads(n, 2);
  run(n, (trm_pass){.training = true, .grads = want}, 0, N);
  for (int64_t i = 0; i < step; ++i) two[i] = (trm_real)(i % 5);
  run(n, (trm_pass){.training = true, .grads = two + step, .n_merges = 1, .merge_step = step}, 0,
      N);
  CHECK(trm_tape_merged(n->tape, n->w1) && trm_tape_merged(n->tape, n->w2));
  for (int p = 0; p < n->params->n_rows; ++p) {
    const trm_param *row = &n->params->rows[p];
    const bool merged = trm_tape_merged(n->tape, p);
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      CHECK(merged ? two[i] == want[i] + (trm_real)(i % 5) : two[step + i] == want[i]);
    }
  }
  TRM_FREE(want);
  TRM_FREE(two);
}

/* ---- blocks -------------------------------------------------------------------------------------- */

typedef struct record {
  trm_real *grads; /* [BLOCKS, n] */
  int64_t n;
} record;
static trm_real *target(void *context, int block, bool *add) {
  const record *r = context;
  *add = false;
  return r->grads + block * r->n;
}
static void ignore(void *context, int block, int64_t offset, int64_t n) {
  (void)context, (void)block, (void)offset, (void)n;
}
static void ignore_whole(void *context, int64_t offset, int64_t n) {
  (void)context, (void)offset, (void)n;
}

static void check_blocks(net *n) {
  record r = {.grads = new_grads(n, BLOCKS), .n = n->params->n_elements};
  trm_real *want = new_grads(n, 1);
  const trm_block_sink sink = {&r, target, ignore, ignore_whole};
  const double weights[BLOCKS] = {1, 1, 1};
  const trm_pass all = {.training = true, .n_blocks = BLOCKS, .sink = &sink, .weights = weights};
  trm_tape_begin(n->tape, &all);
  trm_tape_backward(n->tape, loss_in_blocks(n), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
  for (int k = 0; k < BLOCKS; ++k) {
    run(n, (trm_pass){.training = true, .grads = want, .weight = 1}, blocks[k],
        blocks[k + 1] - blocks[k]);
    CHECK(memcmp(want, r.grads + k * r.n, (size_t)r.n * sizeof *want) == 0);
  }
  TRM_FREE(r.grads);
  TRM_FREE(want);
}

/* ---- shapes that do not fit -------------------------------------------------------------------- */

static void expect(net *n, const char *name) {
  CHECK_EQ(trm_tape_status(n->tape), TRM_ERR_ARG);
  if (!CHECK(strstr(trm_message(), name))) fprintf(stderr, "  %s\n", trm_message());
  const trm_pass pass = {.dry = true};
  trm_tape_begin(n->tape, &pass);
}

static void check_shapes(net *n) {
  trm_tape *t = n->tape;
  const int64_t dims[] = {2, 4, 5, 3};
  const trm_pass pass = {.dry = true};
  trm_tape_begin(t, &pass);
  const trm_window windows[] = {{5, 3, 1, 0}, {3, 6, 1, 0}, {0, 3, 1, 0},
                                {3, 3, 0, 0}, {3, 2, 1, 2}, {3, 3, 1, -1}};
  for (size_t i = 0; i < sizeof windows / sizeof windows[0]; ++i) {
    trm_op_pool2d(t, trm_tape_input(t, NULL, 4, dims, true), windows[i], TRM_POOL_MAX);
    expect(n, "operator pool2d: a window of ");
    trm_op_conv2d(t, trm_tape_input(t, NULL, 4, dims, true), param(n, n->w1), windows[i], 1);
    expect(n, "operator conv2d: a window of ");
  }
  trm_op_conv2d(t, trm_tape_input(t, NULL, 3, dims, true), param(n, n->w1), window, 1);
  expect(n, "operator conv2d: x has 3 axes");
  trm_op_conv2d(t, trm_tape_input(t, NULL, 4, dims, true), param(n, n->w2), window, 1);
  expect(n, "operator conv2d: x has 3 channels in 1 groups");
  trm_op_conv2d(t, trm_tape_input(t, NULL, 4, dims, true), param(n, n->w1), window, 2);
  expect(n, "operator conv2d: x has 3 channels in 2 groups");
  trm_op_pool2d(t, trm_tape_input(t, NULL, 4, dims, true), half, TRM_POOL_SUM);
  expect(n, "operator pool2d: windows are pooled by");
  trm_op_global_pool(t, trm_tape_input(t, NULL, 4, dims, true), TRM_POOL_FIRST);
  expect(n, "operator global_pool: images are pooled by");
  trm_op_global_pool(t, trm_tape_input(t, NULL, 2, dims, true), TRM_POOL_MAX);
  expect(n, "operator global_pool: x has 2 axes");
  trm_op_reshape(t, trm_tape_input(t, NULL, 4, dims, true), 2, (int64_t[]){2, 59});
  expect(n, "operator reshape: x has 120 elements");
  trm_op_reshape(t, trm_tape_input(t, NULL, 4, dims, true), 5, (int64_t[]){2, 4, 5, 3, 1});
  expect(n, "operator reshape: x has 120 elements");
  trm_op_values(t, &(trm_values){.n_dims = 0}, 3);
  expect(n, "operator values: a sample has 0 axes");
}

int main(void) {
  trm_math_init();
  net *n = calloc(1, sizeof *n);
  if (!CHECK(n)) return check_verdict();
  net_create(n);
  plan(n);
  check_threads(n);
  check_alone(n);
  check_merges(n);
  check_blocks(n);
  check_shapes(n);
  trm_tape_destroy(&n->tape);
  trm_params_destroy(&n->params);
  free(n);
  return check_verdict();
}
