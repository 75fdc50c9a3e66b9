/*
 * Operators on sequences of different lengths, on the tape: a sequence's outputs and gradients are those
 * that it has alone, bit for bit, whatever else is in the pass and with any threads; a pass without
 * sequences is a pass like others; attention to kept keys is attention within the whole sequence.
 */
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { WIDTH = 48, HEADS = 3, VOCAB = 31, LONGEST = 130, MAX_THREADS = 3 };

static void fill_normal(trm_real *x, int64_t n, double scale, uint64_t stream) {
  const trm_random_key key = trm_random_key_make(3, TRM_RANDOM_TEST, 0, 0);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = (trm_real)(scale * trm_random_normal(key, stream, (uint64_t)i));
  }
}

static bool same_bits(const trm_real *a, const trm_real *b, int64_t n) {
  return n == 0 || memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

/* ---- a small net of all of them ---------------------------------------------------------------- */

/* Parameters, in order of use. */
typedef enum place {
  POSITIONS,
  NORM_W,
  NORM_B,
  QKV,
  PROJ,
  TO_Q,
  TO_KV,
  FF,
  FF_B,
  HEAD,
  N_PARAMS
} place;

typedef struct net {
  trm_params *params;
  trm_tape *tape;
  int rows[N_PARAMS];
} net;

static void net_make(net *n) {
  static const int64_t C = WIDTH, dims[N_PARAMS][2] = {
                                      [POSITIONS] = {LONGEST, C}, [NORM_W] = {C},  [NORM_B] = {C},
                                      [QKV] = {3 * C, C},         [PROJ] = {C, C}, [TO_Q] = {C, C},
                                      [TO_KV] = {2 * C, C},       [FF] = {C, C},   [FF_B] = {C},
                                      [HEAD] = {VOCAB, C}};
  CHECK_OK(trm_params_create(&n->params));
  for (int p = 0; p < N_PARAMS; ++p) {
    CHECK_OK(trm_params_add(n->params, &n->rows[p], dims[p][1] ? 2 : 1, dims[p], TRM_INIT_NORMAL,
                            0.3, true, "p%d", p));
  }
  CHECK_OK(trm_params_seal(n->params));
  trm_params_init(n->params, 1);
  CHECK_OK(trm_tape_create(n->params, &n->tape));
}

static void net_drop(net *n) {
  trm_tape_destroy(&n->tape);
  trm_params_destroy(&n->params);
}

/* What goes in: rows of the decoder's and the encoder's side, and targets. */
typedef struct data {
  trm_sequences x, y;
  trm_real *x_rows, *y_rows;
  int32_t *targets;
} data;

static trm_var *param(const net *n, place p) {
  return trm_tape_param(n->tape, n->rows[p]);
}

/* A layer of a decoder that also looks at y, and the loss. */
static trm_var *net_loss(const net *n, const data *d, trm_var **x, trm_var **y, trm_var **top) {
  static const trm_xent how = {.smoothing = 0.1};
  trm_tape *t = n->tape;
  *x = trm_tape_input(t, d->x_rows, 2, (int64_t[]){d->x.n_rows, WIDTH}, true);
  *y = trm_tape_input(t, d->y_rows, 2, (int64_t[]){d->y.n_rows, WIDTH}, true);
  trm_var *h = trm_op_position(t, *x, param(n, POSITIONS), &d->x, 1.5);
  h = trm_op_dropout(t, h, 0.2, &d->x);
  h = trm_op_layernorm(t, h, param(n, NORM_W), param(n, NORM_B));
  trm_var *a = trm_op_linear(t, h, param(n, QKV), NULL);
  a = trm_op_attention(t, a, &d->x, HEADS, true, 0.1);
  h = trm_op_add(t, h, trm_op_linear(t, a, param(n, PROJ), NULL));
  trm_var *kv = trm_op_linear(t, *y, param(n, TO_KV), NULL);
  trm_var *q = trm_op_linear(t, h, param(n, TO_Q), NULL);
  h = trm_op_add(t, h, trm_op_cross_attention(t, q, kv, &d->x, &d->y, HEADS, 0.1));
  h = trm_op_gelu(t, trm_op_linear(t, h, param(n, FF), param(n, FF_B)));
  *top = h;
  return trm_op_linear_xent(t, h, param(n, HEAD), d->targets, &how);
}

typedef struct result {
  trm_real *top, *dx, *dy; /* [rows, WIDTH] */
  trm_real *grads;
  double loss, count;
} result;

static trm_pass pass_of(int64_t sample0, trm_real *grads) {
  return (trm_pass){.training = true, .seed = 4, .step = 7, .sample0 = sample0, .grads = grads};
}

static trm_real *copy_of(const trm_real *x, int64_t n) {
  trm_real *y = NULL;
  CHECK_OK(TRM_ALLOC(&y, n + 1, "copy"));
  if (n > 0) memcpy(y, x, (size_t)n * sizeof *y);
  return y;
}

static void net_plan(const net *n, const data *d) {
  trm_var *x, *y, *top;
  trm_pass pass = pass_of(0, NULL);
  pass.dry = true;
  trm_tape_begin(n->tape, &pass);
  trm_tape_backward(n->tape, net_loss(n, d, &x, &y, &top), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
  CHECK_OK(trm_tape_reserve(n->tape));
}

static result net_run(const net *n, const data *d, int64_t sample0) {
  result r = {0};
  trm_var *x, *y, *top;
  CHECK_OK(TRM_ALLOC(&r.grads, n->params->n_elements, "grads"));
  memset(r.grads, 0x7f, (size_t)n->params->n_elements * sizeof *r.grads);
  const trm_pass pass = pass_of(sample0, r.grads);
  trm_tape_begin(n->tape, &pass);
  trm_var *loss = net_loss(n, d, &x, &y, &top);
  CHECK_OK(trm_tape_status(n->tape));
  r.top = copy_of(top->data, top->n);
  trm_tape_backward(n->tape, loss, NULL, NULL, NULL);
  r.dx = copy_of(x->grad, x->n);
  r.dy = copy_of(y->grad, y->n);
  r.loss = trm_tape_loss_sum(n->tape);
  r.count = trm_tape_loss_count(n->tape);
  return r;
}

static void result_drop(result *r) {
  TRM_FREE(r->top);
  TRM_FREE(r->dx);
  TRM_FREE(r->dy);
  TRM_FREE(r->grads);
}

enum { N_SEQUENCES = 7 };
static const int64_t x_offsets[] = {0, 5, 6, 6, 70, 200, 217, 219};
static const int64_t y_offsets[] = {0, 9, 9, 12, 77, 80, 110, 111};

static data data_make(void) {
  data d = {.x = {N_SEQUENCES, 219, LONGEST, x_offsets}, .y = {N_SEQUENCES, 111, 65, y_offsets}};
  CHECK_OK(TRM_ALLOC(&d.x_rows, d.x.n_rows * WIDTH, "x"));
  CHECK_OK(TRM_ALLOC(&d.y_rows, d.y.n_rows * WIDTH, "y"));
  CHECK_OK(TRM_ALLOC(&d.targets, d.x.n_rows, "targets"));
  fill_normal(d.x_rows, d.x.n_rows * WIDTH, 1, 1);
  fill_normal(d.y_rows, d.y.n_rows * WIDTH, 1, 2);
  for (int32_t i = 0; i < d.x.n_rows; ++i) d.targets[i] = i * 7 % VOCAB;
  return d;
}

static void data_drop(data *d) {
  TRM_FREE(d->x_rows);
  TRM_FREE(d->y_rows);
  TRM_FREE(d->targets);
}

static data one_of(const data *all, int64_t s) {
  const int64_t x0 = x_offsets[s], y0 = y_offsets[s];
  return (data){.x = trm_sequences_equal(1, trm_sequence_rows(&all->x, s)),
                .y = trm_sequences_equal(1, trm_sequence_rows(&all->y, s)),
                .x_rows = all->x_rows + x0 * WIDTH,
                .y_rows = all->y_rows + y0 * WIDTH,
                .targets = all->targets + x0};
}

static void check_alone(net *n, const data *all) {
  trm_threads_set(MAX_THREADS); /* scratch is for each thread */
  net_plan(n, all);
  result want = net_run(n, all, 3);
  double loss = 0;
  CHECK_NEAR(want.count, all->x.n_rows, 0);
  for (int64_t s = 0; s < N_SEQUENCES; ++s) {
    const data one = one_of(all, s);
    trm_threads_set(1 + (int)s % MAX_THREADS);
    result got = net_run(n, &one, 3 + s);
    const int64_t x0 = x_offsets[s] * WIDTH, y0 = y_offsets[s] * WIDTH;
    bool good = CHECK(same_bits(got.top, want.top + x0, one.x.n_rows * WIDTH));
    good = CHECK(same_bits(got.dx, want.dx + x0, one.x.n_rows * WIDTH)) && good;
    good = CHECK(same_bits(got.dy, want.dy + y0, one.y.n_rows * WIDTH)) && good;
    if (!good) fprintf(stderr, "  sequence %lld\n", (long long)s);
    loss += got.loss;
    result_drop(&got);
  }
  CHECK_NEAR(want.loss, loss, 1e-12 * loss);
  trm_threads_set(1);
  result_drop(&want);
}

/* A block without sequences gives zeros to all parameters. */
static void check_none(net *n) {
  const data none = {0};
  result r = net_run(n, &none, 3);
  for (int64_t i = 0; i < n->params->n_elements; ++i) {
    const int p = trm_params_find(n->params, i);
    if (p >= 0) CHECK_NEAR_AT(r.grads[i], 0, 0, i);
  }
  CHECK(r.loss == 0 && r.count == 0);
  result_drop(&r);
}

/* Sizes that are bounds, without arrays, plan for what comes. */
static void check_bounds(const data *all) {
  net n;
  net_make(&n);
  trm_threads_set(MAX_THREADS);
  const data bounds = {.x = {.n = N_SEQUENCES + 1, .n_rows = 230, .longest = LONGEST},
                       .y = {.n = N_SEQUENCES + 1, .n_rows = 120, .longest = 90}};
  trm_var *x, *y, *top;
  trm_pass pass = pass_of(0, NULL);
  pass.dry = pass.bounds = true;
  trm_tape_begin(n.tape, &pass);
  trm_tape_backward(n.tape, net_loss(&n, &bounds, &x, &y, &top), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n.tape));
  CHECK_OK(trm_tape_reserve(n.tape));
  result r = net_run(&n, all, 3);
  result_drop(&r);
  trm_threads_set(1);
  net_drop(&n);
}

/* ---- shapes that do not fit -------------------------------------------------------------------- */

static void expect_failure(trm_tape *tape, const char *part) {
  CHECK_EQ(trm_tape_status(tape), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), part);
}

static void check_shapes(net *n) {
  static const int64_t short_offsets[] = {0, 2, 3};
  const trm_sequences four = trm_sequences_equal(2, 2), less = {2, 4, 2, short_offsets};
  const trm_sequences three = trm_sequences_equal(3, 1), long_one = trm_sequences_equal(1, 4);
  const trm_pass pass = {.dry = true, .training = true};
  trm_tape *t = n->tape;
  trm_tape_begin(t, &pass);
  trm_var *x = trm_tape_input(t, NULL, 2, (int64_t[]){4, 6}, false);
  (void)trm_op_attention(t, x, &three, 2, true, 0);
  expect_failure(t, "3 sequences of 3 rows together, x has 4");
  trm_tape_begin(t, &pass);
  x = trm_tape_input(t, NULL, 2, (int64_t[]){4, 6}, false);
  (void)trm_op_dropout(t, x, 0.5, &less);
  expect_failure(t, "2 sequences of 4 rows together");
  trm_tape_begin(t, &pass);
  x = trm_tape_input(t, NULL, 2, (int64_t[]){4, 6}, false);
  (void)trm_op_attention(t, x, &four, 4, true, 0);
  expect_failure(t, "rows of 6 do not hold q, k, v of 4 heads");
  trm_tape_begin(t, &pass);
  x = trm_tape_input(t, NULL, 2, (int64_t[]){4, 6}, false);
  trm_var *kv = trm_tape_input(t, NULL, 2, (int64_t[]){4, 12}, false);
  (void)trm_op_cross_attention(t, x, kv, &four, &long_one, 2, 0);
  expect_failure(t, "2 sequences of queries and 1 of keys");
  trm_tape_begin(t, &pass);
  x = trm_tape_input(t, NULL, 2, (int64_t[]){4, 6}, false);
  trm_var *table = trm_tape_input(t, NULL, 2, (int64_t[]){3, 6}, false);
  (void)trm_op_position(t, x, table, &long_one, 1);
  expect_failure(t, "sequences are up to 4 long, the table is [3, 6]");
  trm_tape_begin(t, &pass);
  x = trm_tape_input(t, NULL, 2, (int64_t[]){4, 6}, false);
  table = trm_tape_input(t, NULL, 2, (int64_t[]){(1 << 24) + 1, 6}, false);
  (void)trm_op_linear_top_k(t, x, table, 2); /* a float does not hold all of the columns' numbers */
  expect_failure(t, "wanted are 2 of at most 16777216");
}

/* ---- kept keys ---------------------------------------------------------------------------------- */

enum { N_KEPT = 3, STEPS = LONGEST };

/* Sequences that grow together, one behind the other in qkv, with their keys mixed in the cache. */
typedef struct cache {
  trm_tape *tape;
  trm_params *params;
  int64_t H, d;
  trm_real *qkv;     /* [N_KEPT, STEPS, 3C] */
  trm_real *x;       /* [N_KEPT, rows, 3C] of a pass */
  trm_real *rows;    /* [N_KEPT STEPS, 2C] */
  int32_t *append;   /* [N_KEPT STEPS] */
  int32_t *key_rows; /* [N_KEPT STEPS] */
} cache;

static int64_t row_in_cache(int64_t s, int64_t t) {
  return (t * 7 % STEPS) * N_KEPT + (s + t) % N_KEPT;
}

static void begin_pass(const cache *c, bool dry) {
  const trm_pass pass = {.dry = dry};
  trm_tape_begin(c->tape, &pass);
}

/* Attention of rows [first, first + n) of each sequence to what is kept, those included. */
static trm_var *kept_pass(cache *c, int64_t first, int64_t n, bool dry) {
  const int64_t C = c->H * c->d, T = first + n;
  for (int64_t s = 0; s < N_KEPT; ++s) {
    memcpy(c->x + s * n * 3 * C, c->qkv + (s * STEPS + first) * 3 * C,
           (size_t)(n * 3 * C) * sizeof *c->x);
    for (int64_t i = 0; i < n; ++i) c->append[s * n + i] = (int32_t)row_in_cache(s, first + i);
    for (int64_t t = 0; t < T; ++t) c->key_rows[s * T + t] = (int32_t)row_in_cache(s, t);
  }
  const trm_sequences queries = trm_sequences_equal(N_KEPT, n);
  const trm_sequences keys = trm_sequences_equal(N_KEPT, T);
  const trm_kept kept = {
      .rows = dry ? NULL : c->rows, .append = c->append, .keys = &keys, .key_rows = c->key_rows};
  begin_pass(c, dry);
  trm_var *x = trm_tape_input(c->tape, dry ? NULL : c->x, 2, (int64_t[]){N_KEPT * n, 3 * C}, false);
  trm_var *y = trm_op_kept_attention(c->tape, x, &queries, &kept, c->H, true);
  CHECK_OK(trm_tape_status(c->tape));
  return y;
}

/* Steps of n rows each from the beginning; `want` is [N_KEPT, STEPS, C]. */
static void check_steps(cache *c, const trm_real *want, int64_t prompt, int64_t n) {
  const int64_t C = c->H * c->d;
  memset(c->rows, 0x7f, (size_t)(N_KEPT * STEPS * 2 * C) * sizeof *c->rows);
  for (int64_t first = 0, step = prompt; first + step <= STEPS; first += step, step = n) {
    trm_threads_set(1 + (int)(first % MAX_THREADS));
    const trm_var *y = kept_pass(c, first, step, false);
    bool good = true;
    for (int64_t s = 0; s < N_KEPT; ++s) {
      good = good && same_bits(y->data + s * step * C, want + (s * STEPS + first) * C, step * C);
    }
    if (!CHECK(good)) {
      fprintf(stderr, "  rows %lld to %lld, %lld heads of %lld\n", (long long)first,
              (long long)(first + step - 1), (long long)c->H, (long long)c->d);
    }
  }
  trm_threads_set(1);
}

static void check_kept(int64_t H, int64_t d) {
  const int64_t C = H * d;
  cache c = {.H = H, .d = d};
  CHECK_OK(trm_params_create(&c.params));
  CHECK_OK(trm_params_seal(c.params));
  CHECK_OK(trm_tape_create(c.params, &c.tape));
  CHECK_OK(TRM_ALLOC(&c.qkv, N_KEPT * STEPS * 3 * C, "qkv"));
  CHECK_OK(TRM_ALLOC(&c.x, N_KEPT * STEPS * 3 * C, "x"));
  CHECK_OK(TRM_ALLOC(&c.rows, N_KEPT * STEPS * 2 * C, "rows"));
  CHECK_OK(TRM_ALLOC(&c.append, N_KEPT * STEPS, "append"));
  CHECK_OK(TRM_ALLOC(&c.key_rows, N_KEPT * STEPS, "key rows"));
  fill_normal(c.qkv, N_KEPT * STEPS * 3 * C, 1, 5);
  const trm_sequences all = trm_sequences_equal(N_KEPT, STEPS);
  trm_real *want = NULL;
  trm_threads_set(MAX_THREADS);
  (void)kept_pass(&c, 0, STEPS, true);
  for (int dry = 1; dry >= 0; --dry) {
    if (!dry) CHECK_OK(trm_tape_reserve(c.tape));
    begin_pass(&c, dry);
    trm_var *x = trm_tape_input(c.tape, c.qkv, 2, (int64_t[]){N_KEPT * STEPS, 3 * C}, false);
    const trm_var *y = trm_op_attention(c.tape, x, &all, H, true, 0);
    if (!dry) want = copy_of(y->data, y->n);
  }
  check_steps(&c, want, 1, 1);
  check_steps(&c, want, 5, 1);
  check_steps(&c, want, 70, 3);
  check_steps(&c, want, STEPS, 1);
  TRM_FREE(want);
  TRM_FREE(c.qkv);
  TRM_FREE(c.x);
  TRM_FREE(c.rows);
  TRM_FREE(c.append);
  TRM_FREE(c.key_rows);
  trm_tape_destroy(&c.tape);
  trm_params_destroy(&c.params);
}

/* Keys that were kept before: several queries share them (hypotheses of a sentence). */
static void check_kept_others(int64_t H, int64_t d) {
  enum { KEYS = 77, QUERIES = 5 };
  const int64_t C = H * d;
  trm_params *params = NULL;
  trm_tape *tape = NULL;
  trm_real *q = NULL, *kv = NULL, *want = NULL;
  int32_t key_rows[QUERIES * KEYS];
  for (int i = 0; i < QUERIES * KEYS; ++i) key_rows[i] = i % KEYS;
  CHECK_OK(trm_params_create(&params));
  CHECK_OK(trm_params_seal(params));
  CHECK_OK(trm_tape_create(params, &tape));
  CHECK_OK(TRM_ALLOC(&q, QUERIES * C, "q"));
  CHECK_OK(TRM_ALLOC(&kv, KEYS * 2 * C, "kv"));
  fill_normal(q, QUERIES * C, 1, 6);
  fill_normal(kv, KEYS * 2 * C, 1, 7);
  for (int way = 0; way < 4; ++way) { /* cross-attention, then each query for itself; dry first */
    const bool dry = way % 2 == 0;
    const trm_pass pass = {.dry = dry};
    const trm_sequences one = trm_sequences_equal(1, QUERIES), keys = trm_sequences_equal(1, KEYS);
    const trm_sequences each = trm_sequences_equal(QUERIES, 1);
    const trm_sequences all = trm_sequences_equal(QUERIES, KEYS);
    if (!dry) CHECK_OK(trm_tape_reserve(tape));
    trm_tape_begin(tape, &pass);
    trm_var *x = trm_tape_input(tape, q, 2, (int64_t[]){QUERIES, C}, false);
    if (way < 2) {
      trm_var *y = trm_tape_input(tape, kv, 2, (int64_t[]){KEYS, 2 * C}, false);
      y = trm_op_cross_attention(tape, x, y, &one, &keys, H, 0);
      if (!dry) want = copy_of(y->data, y->n);
    } else {
      const trm_kept kept = {.rows = kv, .keys = &all, .key_rows = key_rows};
      const trm_var *y = trm_op_kept_attention(tape, x, &each, &kept, H, false);
      if (!dry) CHECK(same_bits(y->data, want, QUERIES * C));
    }
    CHECK_OK(trm_tape_status(tape));
  }
  TRM_FREE(q);
  TRM_FREE(kv);
  TRM_FREE(want);
  trm_tape_destroy(&tape);
  trm_params_destroy(&params);
}

int main(void) {
  net n;
  data d = data_make();
  trm_math_init();
  CHECK_OK(trm_gemm_select("native"));
  net_make(&n);
  check_alone(&n, &d);
  check_none(&n);
  check_bounds(&d);
  check_shapes(&n);
  net_drop(&n);
  data_drop(&d);
  check_kept(2, 32);
  check_kept(3, 16);
  check_kept(2, 20);
  check_kept(1, 80);
  check_kept_others(2, 48);
  check_kept_others(1, 7);
  return check_verdict();
}
