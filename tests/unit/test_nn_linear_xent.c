/*
 * The output layer by tiles of the vocabulary, against the whole logits and softmax_xent: loss and
 * gradients, bits that neither threads nor kept weights change, memory. And gradients of weights that
 * are merged into lower arrays as they are written: which ones, and in which order.
 */
#include <math.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/gemm.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { TILE = 1008, MAX_THREADS = 3 };

/* Ways to multiply. In bfloat16 gradients of logits are rounded, so that a difference in their last
 * digit may grow. */
static const struct {
  const char *backend;
  trm_precision precision;
  double tolerance;
} ways[] = {{"native", TRM_FLOAT32, 2e-5},
            {"native", TRM_BF16, 2e-3},
            {"openblas", TRM_FLOAT32, 2e-5},
            {"reference", TRM_FLOAT32, 2e-5}};
enum { N_WAYS = sizeof ways / sizeof ways[0] };
static int way; /* of the running checks */

static const char *way_name(void) {
  return ways[way].precision == TRM_BF16 ? "bf16" : ways[way].backend;
}

static void fill_normal(trm_real *x, int64_t n, double scale, uint64_t stream) {
  const trm_random_key key = trm_random_key_make(3, TRM_RANDOM_TEST, 0, 0);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = (trm_real)(scale * trm_random_normal(key, stream, (uint64_t)i));
  }
}

static bool same_bits(const trm_real *a, const trm_real *b, int64_t n) {
  return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

/* ---- one layer -------------------------------------------------------------------------------- */

typedef struct layer {
  int64_t N, V, C;
  trm_params *params;
  trm_tape *tape;
  int w;
  trm_real *weights; /* [V, C] of params */
  trm_real *x;       /* [N, C] */
  int32_t *targets;  /* [N] */
  const trm_xent *how;
  bool training;
} layer;

typedef enum form { TILES, WHOLE } form;

typedef struct result {
  double loss, count;
  trm_real value;
  trm_real *grads; /* [params->n_elements], holds dw alone */
  trm_real *dx;    /* [N, C] */
} result;

static trm_var *layer_loss(const layer *l, form f, trm_var **x) {
  trm_tape *t = l->tape;
  *x = trm_tape_input(t, l->x, 2, (int64_t[]){l->N, l->C}, true);
  trm_var *w = trm_tape_param(t, l->w);
  if (f == TILES) return trm_op_linear_xent(t, *x, w, l->targets, l->how);
  return trm_op_softmax_xent(t, trm_op_linear(t, *x, w, NULL), l->targets, l->how);
}

static void layer_plan(const layer *l, form f) {
  trm_var *x;
  const trm_pass pass = {.dry = true, .weights_use = TRM_WEIGHTS_FIRST, .training = l->training};
  trm_tape_begin(l->tape, &pass);
  trm_tape_backward(l->tape, layer_loss(l, f, &x), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(l->tape));
  CHECK_OK(trm_tape_reserve(l->tape));
}

/* Targets stand at the first and last columns of all tiles, and between; every fourth row has none. */
static int32_t target_of(int64_t row, int64_t V) {
  const int64_t places[] = {V - 1, TILE - 1, TILE, 0, V / 2, 2 * TILE - 1, 2 * TILE, row * 61};
  if (row % 4 == 3) return -1;
  return (int32_t)(places[row % 8] % V);
}

static layer layer_make(int64_t N, int64_t V, int64_t C, double scale) {
  layer l = {.N = N, .V = V, .C = C};
  CHECK_OK(trm_params_create(&l.params));
  CHECK_OK(trm_params_add(l.params, &l.w, 2, (int64_t[]){V, C}, TRM_INIT_ZERO, 0, true, "w"));
  CHECK_OK(trm_params_seal(l.params));
  CHECK_OK(trm_tape_create(l.params, &l.tape));
  CHECK_OK(TRM_ALLOC(&l.x, N * C + 1, "x"));
  CHECK_OK(TRM_ALLOC(&l.targets, N + 1, "targets"));
  l.weights = l.params->weights + l.params->rows[l.w].offset;
  fill_normal(l.weights, V * C, 1 / sqrt((double)C), 1);
  fill_normal(l.x, N * C, scale, 2);
  for (int64_t i = 0; i < N; ++i) l.targets[i] = target_of(i, V);
  return l;
}

static void layer_drop(layer *l) {
  TRM_FREE(l->x);
  TRM_FREE(l->targets);
  trm_tape_destroy(&l->tape);
  trm_params_destroy(&l->params);
}

static result layer_run(const layer *l, form f, trm_weights_use use, int n_threads) {
  result r = {0};
  trm_var *x;
  CHECK_OK(TRM_ALLOC(&r.grads, l->params->n_elements, "grads"));
  CHECK_OK(TRM_ALLOC(&r.dx, l->N * l->C + 1, "dx"));
  const trm_pass pass = {.grads = r.grads, .weights_use = use, .training = l->training};
  trm_threads_set(n_threads);
  trm_tape_begin(l->tape, &pass);
  trm_var *loss = layer_loss(l, f, &x);
  CHECK_OK(trm_tape_status(l->tape));
  r.value = loss->data[0];
  trm_tape_backward(l->tape, loss, NULL, NULL, NULL);
  trm_threads_set(1);
  if (l->N > 0) memcpy(r.dx, x->grad, (size_t)(l->N * l->C) * sizeof *r.dx);
  r.loss = trm_tape_loss_sum(l->tape);
  r.count = trm_tape_loss_count(l->tape);
  return r;
}

static void result_drop(result *r) {
  TRM_FREE(r->grads);
  TRM_FREE(r->dx);
}

static bool same_result(const layer *l, const result *a, const result *b) {
  return memcmp(&a->loss, &b->loss, sizeof a->loss) == 0 && a->count == b->count &&
         same_bits(&a->value, &b->value, 1) &&
         same_bits(a->grads, b->grads, l->params->n_elements) &&
         same_bits(a->dx, b->dx, l->N * l->C);
}

static void say(const layer *l, const char *what) {
  fprintf(stderr, "  %s: N %lld, V %lld, C %lld, %s\n", way_name(), (long long)l->N,
          (long long)l->V, (long long)l->C, what);
}

/* ---- against the whole logits ----------------------------------------------------------------- */

static void compare_arrays(const trm_real *got, const trm_real *want, int64_t n, double tolerance) {
  double worst = 0;
  int64_t at = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double off = fabs((double)got[i] - (double)want[i]) / (1 + fabs((double)want[i]));
    if (off <= worst) continue; /* NaN is the worst */
    worst = off;
    at = i;
    if (!(off <= tolerance)) break;
  }
  if (n > 0) CHECK_NEAR_AT(got[at], want[at], tolerance * (1 + fabs((double)want[at])), at);
}

static void check_whole(const layer *l, double tolerance) {
  result got = layer_run(l, TILES, TRM_WEIGHTS_ONCE, 1);
  result want = layer_run(l, WHOLE, TRM_WEIGHTS_ONCE, 1);
  const trm_param *row = &l->params->rows[l->w];
  CHECK_NEAR(got.count, want.count, 0);
  CHECK_NEAR(got.loss, want.loss, tolerance * (1 + fabs(want.loss)));
  CHECK_NEAR(got.value, got.loss, 1e-6 * (1 + fabs(got.loss)));
  compare_arrays(got.grads + row->offset, want.grads + row->offset, row->n, tolerance);
  compare_arrays(got.dx, want.dx, l->N * l->C, tolerance);
  result_drop(&got);
  result_drop(&want);
}

/* Rows without target: nothing counts, and nothing comes back. */
static void check_no_targets(const layer *l) {
  int32_t *kept = NULL;
  CHECK_OK(TRM_ALLOC(&kept, l->N + 1, "targets"));
  memcpy(kept, l->targets, (size_t)l->N * sizeof *kept);
  for (int64_t i = 0; i < l->N; ++i) l->targets[i] = -1;
  result r = layer_run(l, TILES, TRM_WEIGHTS_ONCE, 2);
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < l->params->n_elements; ++i) n_wrong += r.grads[i] != 0;
  for (int64_t i = 0; i < l->N * l->C; ++i) n_wrong += r.dx[i] != 0;
  CHECK_EQ(n_wrong, 0);
  CHECK_EQ(r.count, 0);
  CHECK(r.loss == 0 && r.value == 0);
  memcpy(l->targets, kept, (size_t)l->N * sizeof *kept);
  TRM_FREE(kept);
  result_drop(&r);
}

/* ---- the same bits ---------------------------------------------------------------------------- */

static void expect_bits(const layer *l, form f, trm_weights_use use, const result *want) {
  static const char *const names[] = {"once", "first", "same"};
  for (int n_threads = 1; n_threads <= MAX_THREADS; ++n_threads) {
    result got = layer_run(l, f, use, n_threads);
    if (!CHECK(same_result(l, &got, want))) {
      say(l, names[use]);
      fprintf(stderr, "  %s, %d threads\n", f == TILES ? "tiles" : "whole", n_threads);
    }
    result_drop(&got);
  }
}

/* Nothing may come between the passes with the old weights and the first with the new ones: a pass
 * on its own would make the tape forget what it has kept. */
static void check_uses(const layer *l, form f) {
  result old = layer_run(l, f, TRM_WEIGHTS_ONCE, 1);
  expect_bits(l, f, TRM_WEIGHTS_ONCE, &old);
  expect_bits(l, f, TRM_WEIGHTS_FIRST, &old);
  expect_bits(l, f, TRM_WEIGHTS_SAME, &old);
  for (int64_t i = 0; i < l->V * l->C; ++i) l->weights[i] *= (trm_real)-0.75;
  result first = layer_run(l, f, TRM_WEIGHTS_FIRST, 1);
  result same = layer_run(l, f, TRM_WEIGHTS_SAME, 2);
  result once = layer_run(l, f, TRM_WEIGHTS_ONCE, 1);
  if (!CHECK(same_result(l, &first, &once))) say(l, "first after the weights have changed");
  if (!CHECK(same_result(l, &same, &once))) say(l, "same after the weights have changed");
  if (l->N > 0 && l->V > 1) CHECK(!same_result(l, &old, &once));
  result_drop(&old);
  result_drop(&first);
  result_drop(&same);
  result_drop(&once);
}

/* ---- NaN -------------------------------------------------------------------------------------- */

static double loss_with(const layer *l, form f, trm_real *at, trm_real value) {
  const trm_real kept = *at;
  *at = value;
  result r = layer_run(l, f, TRM_WEIGHTS_ONCE, 1);
  *at = kept;
  result_drop(&r);
  return r.loss;
}

/* In a row that counts, or in what a single column is made of, in whichever tile. */
static void check_nan(const layer *l) {
  const int64_t columns[] = {0, l->V / 2, TILE - 1, TILE, l->V - 1};
  for (int64_t row = 0; row < l->N; row += 9) {
    const double loss = loss_with(l, TILES, &l->x[row * l->C + row % l->C], (trm_real)NAN);
    CHECK(isnan(loss) == (l->targets[row] >= 0));
  }
  for (int i = 0; l->N > 0 && i < 5; ++i) {
    trm_real *w = &l->weights[columns[i] % l->V * l->C];
    CHECK(isnan(loss_with(l, TILES, w, (trm_real)NAN)));
    const double loss = loss_with(l, TILES, w, (trm_real)INFINITY); /* logits of either sign */
    CHECK_EQ(isfinite(loss), isfinite(loss_with(l, WHOLE, w, (trm_real)INFINITY)));
    if (l->N > 8) CHECK(!isfinite(loss));
  }
}

/* A tile without any finite logit, before one that has some; and none at all. */
static void check_infinite_tile(void) {
  layer l = layer_make(1, TILE + 1, 1, 1);
  layer_plan(&l, TILES);
  l.x[0] = 1;
  l.targets[0] = TILE;
  for (int64_t i = 0; i < TILE; ++i) l.weights[i] = (trm_real)-INFINITY;
  CHECK_NEAR(loss_with(&l, TILES, &l.weights[TILE], 1), 0, 0);
  CHECK(isnan(loss_with(&l, TILES, &l.weights[TILE], (trm_real)-INFINITY)));
  CHECK(isnan(loss_with(&l, TILES, &l.weights[TILE], (trm_real)NAN)));
  CHECK(isnan(loss_with(&l, TILES, &l.weights[7], (trm_real)NAN)));
  layer_drop(&l);
}

/* Smoothed targets and weighted classes act when training, and only then. */
static void check_how(layer *l, double tolerance) {
  float *weights = NULL;
  CHECK_OK(TRM_ALLOC(&weights, l->V, "weights"));
  for (int64_t i = 0; i < l->V; ++i) weights[i] = (float)(i % 4) / 2;
  result plain = layer_run(l, TILES, TRM_WEIGHTS_ONCE, 1);
  for (int i = 0; i < 3; ++i) {
    const trm_xent how = {.smoothing = i == 1 ? 0 : 0.1, .weights = i == 0 ? NULL : weights};
    l->how = &how;
    result evaluated = layer_run(l, TILES, TRM_WEIGHTS_ONCE, 2);
    CHECK(same_result(l, &evaluated, &plain));
    result_drop(&evaluated);
    l->training = true;
    layer_plan(l, TILES);
    layer_plan(l, WHOLE);
    check_whole(l, tolerance);
    result trained = layer_run(l, TILES, TRM_WEIGHTS_ONCE, 1);
    if (l->N > 1 && l->V > 1) CHECK(!same_result(l, &trained, &plain));
    expect_bits(l, TILES, TRM_WEIGHTS_ONCE, &trained);
    result_drop(&trained);
    l->training = false;
    l->how = NULL;
  }
  result_drop(&plain);
  TRM_FREE(weights);
}

static void check_layers(void) {
  static const int64_t widths[] = {1, 33};
  static const int64_t vocabs[] = {1, 65, TILE, TILE + 1, 2 * TILE, 2100};
  static const int64_t row_counts[] = {0, 1, 37};
  for (int i = 0; i < 2 * 6 * 3; ++i) {
    layer l = layer_make(row_counts[i % 3], vocabs[i / 3 % 6], widths[i / 18], 1);
    layer_plan(&l, TILES);
    layer_plan(&l, WHOLE);
    check_whole(&l, ways[way].tolerance);
    check_no_targets(&l);
    if (way < 2) check_how(&l, ways[way].tolerance);
    if (l.C > 1) check_nan(&l);
    check_uses(&l, TILES); /* last: it changes the weights */
    check_uses(&l, WHOLE);
    layer_drop(&l);
  }
  /* Logits of some hundreds: the maximum moves on from tile to tile. Products deeper than what is
   * packed at once. */
  static const int64_t more[][3] = {{37, 2100, 33}, {3, TILE + 1, 2 * TRM_PRODUCT_DEPTH + 3}};
  static const double scales[] = {90, 1};
  for (int i = 0; i < 2; ++i) {
    layer l = layer_make(more[i][0], more[i][1], more[i][2], scales[i]);
    layer_plan(&l, TILES);
    layer_plan(&l, WHOLE);
    check_whole(&l, (i == 0 ? 10 : 1) * ways[way].tolerance);
    check_uses(&l, TILES);
    layer_drop(&l);
  }
}

/* ---- memory ----------------------------------------------------------------------------------- */

static void check_memory(void) {
  enum { ROWS = 256, VOCAB = 32000, WIDTH = 8 };
  const size_t logits_bytes = (size_t)ROWS * VOCAB * sizeof(trm_real);
  layer l = layer_make(ROWS, VOCAB, WIDTH, 1);
  layer_plan(&l, TILES);
  CHECK(trm_tape_arena_bytes(l.tape) < logits_bytes / 16);
  result r = layer_run(&l, TILES, TRM_WEIGHTS_ONCE, 2); /* and that is enough */
  CHECK_EQ(r.count, ROWS - ROWS / 4);
  result_drop(&r);
  layer_plan(&l, WHOLE);
  CHECK(trm_tape_arena_bytes(l.tape) >= logits_bytes);
  layer_drop(&l);
}

/* ---- merges ----------------------------------------------------------------------------------- */

enum {
  ROWS = 37,
  WIDTH = 72, /* a panel of whole vectors and one that ends within a vector */
  VOCAB = TILE + 1,
  SLOTS = 3,
  GAP = 48, /* between the arrays */
  N_PARAMS = 6
};

/* Parameters of a small net, and what its output layer is. */
typedef enum place { EMBEDDING, FIRST, FIRST_BIAS, SHARED, HEAD, HEAD_BIAS } place;
typedef enum output { HEAD_WHOLE, HEAD_TILES, HEAD_TIED, N_OUTPUTS } output;

typedef struct net {
  trm_params *params;
  trm_tape *tape;
  int rows[N_PARAMS]; /* of the table, by place */
  bool merged[N_PARAMS];
  int n_ready[N_PARAMS];
  int32_t ids[ROWS], targets[ROWS];
} net;

/* A weight that one linear layer uses is merged; shared and tied ones are not, nor biases, embeddings
 * and what the pass does not use. */
static const bool expected[N_OUTPUTS][N_PARAMS] = {
    [HEAD_WHOLE] = {[FIRST] = true, [HEAD] = true},
    [HEAD_TILES] = {[FIRST] = true, [HEAD] = true},
    [HEAD_TIED] = {[FIRST] = true},
};

static void net_make(net *n) {
  static const struct {
    const char *name;
    int64_t rows, columns;
  } shapes[N_PARAMS] = {
      [EMBEDDING] = {"embedding", VOCAB, WIDTH}, [FIRST] = {"first", WIDTH, WIDTH},
      [FIRST_BIAS] = {"first_bias", WIDTH, 0},   [SHARED] = {"shared", WIDTH, WIDTH},
      [HEAD] = {"head", VOCAB, WIDTH},           [HEAD_BIAS] = {"head_bias", VOCAB, 0}};
  memset(n, 0, sizeof *n);
  CHECK_OK(trm_params_create(&n->params));
  for (int p = 0; p < N_PARAMS; ++p) {
    CHECK_OK(trm_params_add(n->params, &n->rows[p], shapes[p].columns > 0 ? 2 : 1,
                            (int64_t[]){shapes[p].rows, shapes[p].columns}, TRM_INIT_NORMAL, 0.3,
                            true, "%s", shapes[p].name));
  }
  CHECK_OK(trm_params_seal(n->params));
  trm_params_init(n->params, 1);
  CHECK_OK(trm_tape_create(n->params, &n->tape));
  for (int i = 0; i < ROWS; ++i) {
    n->ids[i] = (int32_t)(i * i * 7 % VOCAB);
    n->targets[i] = target_of(i, VOCAB);
  }
}

static void net_drop(net *n) {
  trm_tape_destroy(&n->tape);
  trm_params_destroy(&n->params);
}

static trm_var *net_param(const net *n, place p) {
  return trm_tape_param(n->tape, n->rows[p]);
}

static trm_var *net_loss(const net *n, output o) {
  trm_tape *t = n->tape;
  trm_var *h = trm_op_embedding(t, net_param(n, EMBEDDING), n->ids, ROWS);
  h = trm_op_gelu(t, trm_op_linear(t, h, net_param(n, FIRST), net_param(n, FIRST_BIAS)));
  h = trm_op_add(t, h, trm_op_linear(t, h, net_param(n, SHARED), NULL));
  h = trm_op_linear(t, h, net_param(n, SHARED), NULL);
  if (o == HEAD_TILES) return trm_op_linear_xent(t, h, net_param(n, HEAD), n->targets, NULL);
  if (o == HEAD_TIED) return trm_op_linear_xent(t, h, net_param(n, EMBEDDING), n->targets, NULL);
  h = trm_op_linear(t, h, net_param(n, HEAD), net_param(n, HEAD_BIAS));
  return trm_op_softmax_xent(t, h, n->targets, NULL);
}

static void net_plan(net *n, output o) {
  const trm_pass pass = {.dry = true};
  trm_tape_begin(n->tape, &pass);
  trm_tape_backward(n->tape, net_loss(n, o), NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(n->tape));
  CHECK_OK(trm_tape_reserve(n->tape));
}

/* Whether it was merged must be known by now: who sums up blocks asks here. */
static void on_ready(void *context, int param) {
  net *n = context;
  for (int p = 0; p < N_PARAMS; ++p) {
    if (n->rows[p] != param) continue;
    n->merged[p] = trm_tape_merged(n->tape, param);
    ++n->n_ready[p];
  }
}

static void net_run(net *n, output o, const trm_pass *pass) {
  memset(n->merged, 0, sizeof n->merged);
  memset(n->n_ready, 0, sizeof n->n_ready);
  trm_tape_begin(n->tape, pass);
  trm_tape_backward(n->tape, net_loss(n, o), on_ready, NULL, n);
  CHECK_OK(trm_tape_status(n->tape));
}

/* Row `row` of the table: `before` are the arrays as they were, `plain` the gradient that was not
 * merged; `sum` is overwritten. */
static bool row_is_right(const trm_param *row, bool merged, int n_merges, int64_t merge_step,
                         const trm_real *before, const trm_real *after, const trm_real *plain,
                         trm_real *sum) {
  const int top = SLOTS - 1, lowest = top - n_merges;
  bool right = true;
  memcpy(sum, plain + row->offset, (size_t)row->n * sizeof *sum);
  for (int slot = top - 1; merged && slot >= lowest; --slot) {
    trm_add(sum, before + slot * merge_step + row->offset, sum, row->n);
  }
  for (int slot = 0; slot < SLOTS; ++slot) {
    const int64_t at = slot * merge_step + row->offset;
    if (slot == (merged ? lowest : top)) {
      right = right && same_bits(after + at, sum, row->n);
    } else if (slot < (merged ? lowest : top)) {
      right = right && same_bits(after + at, before + at, row->n);
    } /* what is above the lowest array of a merged one may hold anything */
  }
  return right;
}

static void check_merges(net *n, output o, int n_merges, bool add, int n_threads) {
  const int64_t merge_step = n->params->n_elements + GAP;
  const int64_t n_all = SLOTS * merge_step;
  trm_real *before = NULL, *after = NULL, *plain = NULL, *sum = NULL;
  CHECK_OK(TRM_ALLOC(&before, n_all, "arrays"));
  CHECK_OK(TRM_ALLOC(&after, n_all, "arrays"));
  CHECK_OK(TRM_ALLOC(&plain, merge_step, "gradients"));
  CHECK_OK(TRM_ALLOC(&sum, merge_step, "sums"));
  fill_normal(before, n_all, 1, 5);
  memcpy(after, before, (size_t)n_all * sizeof *after);
  memcpy(plain, before + (SLOTS - 1) * merge_step, (size_t)merge_step * sizeof *plain);
  trm_threads_set(n_threads);
  net_run(n, o, &(trm_pass){.grads = plain, .add = add});
  for (int p = 0; p < N_PARAMS; ++p) CHECK(!n->merged[p]);
  net_run(n, o,
          &(trm_pass){.grads = after + (SLOTS - 1) * merge_step,
                      .add = add,
                      .n_merges = n_merges,
                      .merge_step = merge_step});
  trm_threads_set(1);
  for (int p = 0; p < N_PARAMS; ++p) {
    const trm_param *row = &n->params->rows[n->rows[p]];
    CHECK_EQ(n->n_ready[p], 1);
    const bool right =
        CHECK_EQ(n->merged[p], n_merges > 0 && expected[o][p]) &
        CHECK_EQ(trm_tape_merged(n->tape, n->rows[p]), n->merged[p]) &
        CHECK(row_is_right(row, n->merged[p], n_merges, merge_step, before, after, plain, sum));
    if (!right) {
      fprintf(stderr, "  %s: %s, output %d, %d merges, add %d\n", way_name(), row->name, (int)o,
              n_merges, add);
    }
  }
  TRM_FREE(before);
  TRM_FREE(after);
  TRM_FREE(plain);
  TRM_FREE(sum);
}

static void check_all_merges(void) {
  net n;
  net_make(&n);
  for (int o = 0; o < N_OUTPUTS; ++o) {
    net_plan(&n, (output)o);
    for (int n_merges = 0; n_merges < SLOTS; ++n_merges) {
      check_merges(&n, (output)o, n_merges, false, 1 + n_merges);
      check_merges(&n, (output)o, n_merges, true, 1);
    }
  }
  net_drop(&n);
}

int main(void) {
  trm_math_init();
  check_memory();
  for (way = 0; way < N_WAYS; ++way) {
    CHECK_OK(trm_gemm_select(ways[way].backend));
    CHECK_OK(trm_precision_select(ways[way].precision));
    check_layers();
    check_infinite_tile();
    check_all_merges();
    CHECK_OK(trm_precision_select(TRM_FLOAT32));
  }
  return check_verdict();
}
