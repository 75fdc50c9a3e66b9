/* The tape: hooks, gradient memory, unused parameters, dry passes, no allocation after the first, nudges. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { N = 6, C = 5, O = 3 };

typedef struct toy {
  trm_params *params;
  trm_tape *tape;
  int used_w, used_b, unused, shared;
  trm_real x[N * C];
  int32_t targets[N];
} toy;

static void net_create(toy *net) {
  CHECK_OK(trm_params_create(&net->params));
  CHECK_OK(trm_params_add(net->params, &net->shared, 2, (int64_t[]){C, C}, TRM_INIT_NORMAL, 0.5,
                          true, "shared"));
  CHECK_OK(trm_params_add(net->params, &net->unused, 1, (int64_t[]){7}, TRM_INIT_ONE, 0, false,
                          "unused"));
  CHECK_OK(trm_params_add(net->params, &net->used_w, 2, (int64_t[]){O, C}, TRM_INIT_NORMAL, 0.5,
                          true, "head/weight"));
  CHECK_OK(trm_params_add(net->params, &net->used_b, 1, (int64_t[]){O}, TRM_INIT_ZERO, 0, false,
                          "head/bias"));
  CHECK_OK(trm_params_seal(net->params));
  trm_params_init(net->params, 1);
  CHECK_OK(trm_tape_create(net->params, &net->tape));
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  for (int i = 0; i < N * C; ++i) net->x[i] = (trm_real)trm_random_normal(key, 0, (uint64_t)i);
  for (int i = 0; i < N; ++i) net->targets[i] = i % O;
}

static void net_destroy(toy *net) {
  trm_tape_destroy(&net->tape);
  trm_params_destroy(&net->params);
}

static trm_var *net_loss(toy *net, int64_t n) {
  trm_tape *t = net->tape;
  trm_var *x = trm_tape_input(t, net->x, 2, (int64_t[]){n, C}, false);
  trm_var *h = trm_op_gelu(t, trm_op_linear(t, x, trm_tape_param(t, net->shared), NULL));
  h = trm_op_add(t, h, trm_op_linear(t, h, trm_tape_param(t, net->shared), NULL));
  const trm_sequences s = trm_sequences_equal(n / 2, 2);
  h = trm_op_dropout(t, h, 0.25, &s);
  trm_var *logits =
      trm_op_linear(t, h, trm_tape_param(t, net->used_w), trm_tape_param(t, net->used_b));
  return trm_op_softmax_xent(t, logits, net->targets, NULL);
}

static void net_plan(toy *net) {
  const trm_pass pass = {.training = true, .dry = true};
  trm_tape_begin(net->tape, &pass);
  trm_tape_backward(net->tape, net_loss(net, N), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(net->tape));
  CHECK_OK(trm_tape_reserve(net->tape));
}

typedef struct calls {
  int order[8], n, n_between;
} calls;

static void on_ready(void *context, int param) {
  calls *c = context;
  c->order[c->n++] = param;
}

static void on_between(void *context) {
  ++((calls *)context)->n_between;
}

static void run(toy *net, trm_real *grads, bool add, calls *c) {
  const trm_pass pass = {.training = true, .seed = 9, .step = 3, .grads = grads, .add = add};
  trm_tape_begin(net->tape, &pass);
  trm_var *loss = net_loss(net, N);
  trm_tape_backward(net->tape, loss, on_ready, on_between, c);
  CHECK_OK(trm_tape_status(net->tape));
}

/* Rows added last come first in the flat array; each offset is aligned. */
static void test_layout(const toy *net) {
  const trm_params *p = net->params;
  CHECK_EQ(p->rows[net->used_b].offset, 0);
  for (int i = 0; i + 1 < p->n_rows; ++i) {
    CHECK(p->rows[i].offset >= p->rows[i + 1].offset + p->rows[i + 1].n);
    CHECK_EQ(p->rows[i].offset % TRM_PARAM_ALIGN, 0);
  }
  CHECK_EQ(p->n_weights, C * C + 7 + O * C + O);
  CHECK_EQ(trm_params_find(p, p->rows[net->unused].offset + 6), net->unused);
  CHECK_EQ(trm_params_find(p, p->rows[net->unused].offset + 7), -1);
}

/* Every element is a function of (seed, name, place in its row); padding stays 0. */
static void test_initial_values(void) {
  enum { LENGTH = 5001 };
  static const trm_init kinds[] = {TRM_INIT_NORMAL, TRM_INIT_ZERO, TRM_INIT_UNIFORM, TRM_INIT_ONE};
  trm_params *params = NULL;
  CHECK_OK(trm_params_create(&params));
  for (int r = 0; r < 4; ++r) {
    int row;
    CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){LENGTH}, kinds[r], 0.3, true, "row%d", r));
  }
  CHECK_OK(trm_params_seal(params));
  trm_params_init(params, 11);
  for (int r = 0; r < 4; ++r) {
    const trm_param *row = &params->rows[r];
    const trm_real *w = params->weights + row->offset;
    const uint64_t salt = trm_hash64(row->name, strlen(row->name), 0);
    const trm_random_key key = trm_random_key_make(11, TRM_RANDOM_INIT, 0, salt);
    for (int k = 0; k < LENGTH; ++k) {
      const uint64_t at = (uint64_t)k;
      const double want = r == 0   ? 0.3 * trm_random_normal(key, 0, at)
                          : r == 2 ? 0.3 * (2 * trm_random_uniform(key, 0, at) - 1)
                                   : r / 2;
      CHECK_NEAR_AT(w[k], (trm_real)want, 0, k);
    }
    for (int k = LENGTH; k % TRM_PARAM_ALIGN != 0; ++k) CHECK_NEAR_AT(w[k], 0, 0, k);
  }
  trm_params_destroy(&params);
}

static void test_backward(toy *net) {
  const int64_t n = net->params->n_elements;
  trm_real *grads = NULL, *twice = NULL;
  CHECK_OK(TRM_ALLOC(&grads, n, "grads"));
  CHECK_OK(TRM_ALLOC(&twice, n, "grads"));
  for (int64_t i = 0; i < n; ++i) grads[i] = (trm_real)1e30; /* must be overwritten */
  calls c = {.n = 0};
  run(net, grads, false, &c);
  CHECK_EQ(c.n, net->params->n_rows); /* each parameter once, */
  CHECK_EQ(c.order[0], net->unused);  /* the unused at once, the shared one last */
  CHECK_EQ(c.order[c.n - 1], net->shared);
  CHECK(c.n_between >= 6);
  CHECK_EQ(trm_tape_loss_count(net->tape), N);
  for (int i = 0; i < 7; ++i) CHECK_EQ(grads[net->params->rows[net->unused].offset + i], 0);

  memcpy(twice, grads, (size_t)n * sizeof *grads);
  c.n = 0;
  run(net, twice, true, &c);
  for (int r = 0; r < net->params->n_rows; ++r) {
    const trm_param *row = &net->params->rows[r];
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      CHECK_NEAR_AT(twice[i], 2 * grads[i], 1e-5, i);
    }
  }
  TRM_FREE(grads);
  TRM_FREE(twice);
}

static void test_no_allocation(toy *net) {
  trm_real *grads = NULL;
  calls c = {.n = 0};
  CHECK_OK(TRM_ALLOC(&grads, net->params->n_elements, "grads"));
  run(net, grads, false, &c);
  const int64_t before = trm_alloc_counts_get().total_blocks;
  for (int i = 0; i < 9; ++i) {
    c.n = 0;
    run(net, grads, false, &c);
  }
  CHECK_EQ(trm_alloc_counts_get().total_blocks, before);
  TRM_FREE(grads);
}

/* Half a loss has half the gradients, and its sum goes on from what was there. */
static void test_loss_scale(toy *net) {
  const int64_t n = net->params->n_elements;
  trm_real *grads = NULL, *half = NULL;
  calls c = {.n = 0};
  CHECK_OK(TRM_ALLOC(&grads, n, "grads"));
  CHECK_OK(TRM_ALLOC(&half, n, "grads"));
  run(net, grads, false, &c);
  const double sum = trm_tape_loss_sum(net->tape);
  const trm_pass pass = {
      .training = true, .seed = 9, .step = 3, .grads = half, .loss_scale = 0.5, .loss_before = 3};
  trm_tape_begin(net->tape, &pass);
  trm_tape_backward(net->tape, net_loss(net, N), NULL, NULL, NULL);
  CHECK_NEAR(trm_tape_loss_sum(net->tape), 3 + sum / 2, 1e-12);
  CHECK_EQ(trm_tape_loss_count(net->tape), N);
  for (int64_t i = 0; i < n; ++i) CHECK_NEAR_AT(half[i], grads[i] / 2, 0, i);
  TRM_FREE(grads);
  TRM_FREE(half);
}

/* A nudge of its own for each of two runs: gradients of both, none of parameters, and no more memory. */
static void test_nudges(toy *net) {
  trm_real values[2][N * C], grad[2][N * C];
  const trm_pass pass = {.nudge = NULL};
  for (int i = 0; i < N * C; ++i) {
    values[0][i] = (trm_real)(i % 3);
    values[1][i] = -1;
    grad[0][i] = grad[1][i] = 1e30F;
  }
  trm_tape_begin(net->tape, &pass);
  CHECK_EQ(trm_tape_nudge_size(net->tape), -1);
  trm_var *x = trm_tape_input(net->tape, net->x, 2, (int64_t[]){N, C}, false), *y[2];
  CHECK(trm_op_nudge(net->tape, x) == x);
  trm_nudge nudges[2];
  for (int k = 0; k < 2; ++k) {
    nudges[k] = (trm_nudge){.n = N * C, .values = values[k], .grad = grad[k]};
    trm_tape_nudge(net->tape, &nudges[k]);
    y[k] = trm_op_linear(net->tape, trm_op_nudge(net->tape, x),
                         trm_tape_param(net->tape, net->used_w), NULL);
    CHECK_EQ(trm_tape_nudge_size(net->tape), N * C);
  }
  trm_var *loss = trm_op_softmax_kl(net->tape, y[0], y[1], NULL, 1);
  CHECK_OK(trm_tape_status(net->tape));
  CHECK(loss->data[0] > 0);
  trm_tape_backward(net->tape, loss, NULL, NULL, NULL);
  double sums[2] = {0, 0};
  for (int i = 0; i < N * C; ++i) {
    sums[0] += fabs((double)grad[0][i]);
    sums[1] += fabs((double)grad[1][i]);
  }
  CHECK(sums[0] > 0 && sums[0] < 1e3 && sums[1] > 0 && sums[1] < 1e3);

  nudges[0].n = 3;
  trm_tape_begin(net->tape, &(trm_pass){.nudge = &nudges[0]});
  x = trm_tape_input(net->tape, net->x, 2, (int64_t[]){N, C}, false);
  (void)trm_op_nudge(net->tape, x);
  CHECK_EQ(trm_tape_status(net->tape), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "operator nudge: x has 30 elements, the nudge 3");
}

/* The mask of a sample does not depend on where its block begins. */
static void test_dropout_blocks(toy *net) {
  trm_real whole[N * C], part[N * C];
  for (int first = 0; first <= 4; first += 2) {
    const trm_pass pass = {.training = true, .seed = 4, .step = 8, .sample0 = first / 2};
    trm_tape_begin(net->tape, &pass);
    trm_var *x = trm_tape_input(net->tape, net->x + first * C, 2, (int64_t[]){N - first, C}, false);
    const trm_sequences s = trm_sequences_equal((N - first) / 2, 2);
    const trm_var *y = trm_op_dropout(net->tape, x, 0.5, &s);
    CHECK_OK(trm_tape_status(net->tape));
    if (first == 0) {
      memcpy(whole, y->data, sizeof whole);
      continue;
    }
    memcpy(part, y->data, (size_t)((N - first) * C) * sizeof *part);
    for (int i = 0; i < (N - first) * C; ++i) CHECK_NEAR_AT(part[i], whole[first * C + i], 0, i);
  }
}

static void test_sticky_error(toy *net) {
  const trm_pass pass = {.training = false};
  trm_tape_begin(net->tape, &pass);
  trm_var *x = trm_tape_input(net->tape, net->x, 2, (int64_t[]){2, C + 1}, false);
  trm_var *y = trm_op_linear(net->tape, x, trm_tape_param(net->tape, net->shared), NULL);
  y = trm_op_gelu(net->tape, trm_op_add(net->tape, y, y)); /* must not touch anything */
  (void)trm_op_softmax_xent(net->tape, y, net->targets, NULL);
  CHECK_EQ(trm_tape_status(net->tape), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "operator linear: x has rows of 6, w is [5, 5]");
}

static void test_allocation_failures(void) {
  const int64_t live = trm_alloc_counts_get().live_blocks;
  for (int64_t n = 0; n < 100; ++n) {
    trm_params *params = NULL;
    trm_tape *tape = NULL;
    int row;
    trm_alloc_fail_after(n);
    trm_status status = trm_params_create(&params);
    if (status == TRM_OK) {
      status = trm_params_add(params, &row, 1, (int64_t[]){3}, TRM_INIT_ZERO, 0, false, "p");
    }
    if (status == TRM_OK) status = trm_params_seal(params);
    if (status == TRM_OK) status = trm_tape_create(params, &tape);
    trm_alloc_fail_after(-1);
    trm_tape_destroy(&tape);
    trm_params_destroy(&params);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK) return;
    CHECK_EQ(status, TRM_ERR_MEMORY);
  }
  CHECK(false); /* never succeeded */
}

int main(void) {
  trm_math_init();
  toy net;
  net_create(&net);
  net_plan(&net);
  test_layout(&net);
  test_initial_values();
  test_backward(&net);
  test_no_allocation(&net);
  test_loss_scale(&net);
  test_nudges(&net);
  test_dropout_blocks(&net);
  test_sticky_error(&net);
  net_destroy(&net);
  test_allocation_failures();
  return check_verdict();
}
