/*
 * The decoder with and without tied matrices, biases and a trained table of positions: which parameters
 * it has, its outputs against its formula in plain loops, and (double build) all of its gradient
 * against central differences.
 */
#include <math.h>

#include "model_graph_fixture.h"
#include "reference.h"
#include "trireme/math/threads.h"

enum { N = 2, T = 4, CONTEXT = 5, VOCAB = 7, C = 6, F = 24, ROWS = N * T, HEADS = 2 };

static const int32_t inputs[ROWS] = {3, 0, 6, 3, 1, 1, 5, 2};
static const int32_t targets[ROWS] = {0, 6, 3, 4, 1, -1, 2, 2};

typedef struct kind {
  bool tied, bias, sinusoidal;
} kind;

/* ---- parameters ------------------------------------------------------------------------------- */

static int64_t expect_param(const test_model *m, int *n_rows, int64_t rows, int64_t columns,
                            const char *format, int layer) {
  char name[96];
  (void)snprintf(name, sizeof name, format, layer);
  const trm_param *p = param_named(m->params, name);
  ++*n_rows;
  if (!CHECK(p != NULL)) {
    fprintf(stderr, "  %s\n", name);
    return 0;
  }
  CHECK_EQ(p->n_dims, columns > 0 ? 2 : 1);
  CHECK_EQ(p->dims[0], rows);
  if (columns > 0) CHECK_EQ(p->dims[1], columns);
  CHECK_EQ(p->decay, columns > 0);
  return p->n;
}

/* Exactly these, so that what a key leaves out is not there. */
static void check_parameters(const test_model *m, kind k) {
  static const struct {
    const char *weight, *bias;
    int rows, columns;
  } of_layer[] = {{"blocks/%d/ln1/weight", "blocks/%d/ln1/bias", C, 0},
                  {"blocks/%d/attn/qkv/weight", "blocks/%d/attn/qkv/bias", 3 * C, C},
                  {"blocks/%d/attn/proj/weight", "blocks/%d/attn/proj/bias", C, C},
                  {"blocks/%d/ln2/weight", "blocks/%d/ln2/bias", C, 0},
                  {"blocks/%d/mlp/fc/weight", "blocks/%d/mlp/fc/bias", F, C},
                  {"blocks/%d/mlp/proj/weight", "blocks/%d/mlp/proj/bias", C, F}};
  int rows = 0;
  int64_t n = expect_param(m, &rows, VOCAB, C, "wte/weight", 0);
  if (!k.sinusoidal) n += expect_param(m, &rows, CONTEXT, C, "wpe/weight", 0);
  for (int layer = 0; layer < LAYERS; ++layer) {
    for (size_t i = 0; i < sizeof of_layer / sizeof *of_layer; ++i) {
      n += expect_param(m, &rows, of_layer[i].rows, of_layer[i].columns, of_layer[i].weight, layer);
      if (k.bias) n += expect_param(m, &rows, of_layer[i].rows, 0, of_layer[i].bias, layer);
    }
  }
  n += expect_param(m, &rows, C, 0, "ln_f/weight", 0);
  if (k.bias) n += expect_param(m, &rows, C, 0, "ln_f/bias", 0);
  if (!k.tied) n += expect_param(m, &rows, VOCAB, C, "head/weight", 0);
  CHECK_EQ(m->params->n_rows, rows);
  CHECK_EQ(m->params->n_weights, n);
}

/* ---- plain loops ------------------------------------------------------------------------------ */

/* Weight `name` of a path, or zeros where the model has none. */
static void load(const test_model *m, const char *path, const char *name, int64_t n, double *to) {
  char full[96];
  (void)snprintf(full, sizeof full, "%s/%s", path, name);
  const trm_param *p = param_named(m->params, full);
  TRM_ASSERT(!p || p->n == n);
  for (int64_t i = 0; i < n; ++i) to[i] = p ? (double)m->params->weights[p->offset + i] : 0;
}

/* y[ROWS, out] = x[ROWS, in] W^T + b */
static void linear(const test_model *m, const char *path, const double *x, int in, double *y,
                   int out) {
  double w[3 * C * F], b[3 * C + F];
  load(m, path, "weight", (int64_t)out * in, w);
  load(m, path, "bias", out, b);
  for (int r = 0; r < ROWS; ++r) {
    for (int o = 0; o < out; ++o) {
      y[r * out + o] = b[o];
      for (int i = 0; i < in; ++i) y[r * out + o] += x[r * in + i] * w[o * in + i];
    }
  }
}

static void norm(const test_model *m, const char *path, const double *x, double *y) {
  double w[C], b[C], mean[ROWS], rstd[ROWS];
  load(m, path, "weight", C, w);
  load(m, path, "bias", C, b);
  ref_layernorm_forward(y, mean, rstd, x, w, b, ROWS, C, 1e-5);
}

static double position_of(const test_model *m, kind k, int t, int c) {
  double table[CONTEXT * C];
  if (k.sinusoidal) {
    const double angle = t / pow(10000, (double)(c / 2 * 2) / C);
    return c % 2 ? cos(angle) : sin(angle);
  }
  load(m, "wpe", "weight", CONTEXT * C, table);
  return table[t * C + c];
}

static void add_to(double *x, const double *y) {
  for (int i = 0; i < ROWS * C; ++i) x[i] += y[i];
}

static void block(const test_model *m, int layer, double *x) {
  char path[5][64];
  double h[ROWS * C], y[ROWS * C], qkv[ROWS * 3 * C], f[ROWS * F], lse[ROWS * HEADS], p[T * T];
  static const char *const names[] = {"ln1", "attn/qkv", "attn/proj", "mlp/fc", "mlp/proj"};
  for (int i = 0; i < 5; ++i) {
    (void)snprintf(path[i], sizeof path[i], "blocks/%d/%s", layer, names[i]);
  }
  norm(m, path[0], x, h);
  linear(m, path[1], h, C, qkv, 3 * C);
  ref_attention_forward(h, lse, qkv, N, T, C, HEADS, p);
  linear(m, path[2], h, C, y, C);
  add_to(x, y);
  (void)snprintf(path[0], sizeof path[0], "blocks/%d/ln2", layer);
  norm(m, path[0], x, h);
  linear(m, path[3], h, C, f, F);
  for (int i = 0; i < ROWS * F; ++i) f[i] = ref_gelu(f[i]);
  linear(m, path[4], f, F, y, C);
  add_to(x, y);
}

static void plain_logits(const test_model *m, kind k, double *logits) {
  double x[ROWS * C], h[ROWS * C], wte[VOCAB * C];
  load(m, "wte", "weight", VOCAB * C, wte);
  for (int r = 0; r < ROWS; ++r) {
    for (int c = 0; c < C; ++c) x[r * C + c] = wte[inputs[r] * C + c] + position_of(m, k, r % T, c);
  }
  for (int layer = 0; layer < LAYERS; ++layer) block(m, layer, x);
  norm(m, "ln_f", x, h);
  linear(m, k.tied ? "wte" : "head", h, C, logits, VOCAB);
}

/* ---- passes ----------------------------------------------------------------------------------- */

static const trm_tokens tokens = {.N = N, .T = T, .inputs = inputs, .targets = targets};
static const trm_batch batch = {.tokens = &tokens};

static void plan(test_model *m) {
  const trm_pass pass = {.dry = true, .grads = m->grads};
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &batch);
  CHECK_OK(trm_tape_status(m->tape));
  trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  CHECK_OK(trm_tape_reserve(m->tape));
}

static void check_outputs(test_model *m, kind k) {
  double want[ROWS * VOCAB];
  const trm_pass pass = {.training = false};
  plain_logits(m, k, want);
  trm_tape_begin(m->tape, &pass);
  const trm_var *y = trm_model_outputs(m->model, m->tape, &batch);
  CHECK_OK(trm_tape_status(m->tape));
  CHECK_EQ(y->n, ROWS * VOCAB);
  const double tolerance = TRM_REAL_IS_DOUBLE ? 1e-12 : 1e-5;
  for (int i = 0; i < ROWS * VOCAB; ++i) {
    CHECK_NEAR_AT(y->data[i], want[i], tolerance * (1 + fabs(want[i])), i);
  }
}

#if TRM_REAL_IS_DOUBLE
static double loss_of(test_model *m, bool backward) {
  const trm_pass pass = {.grads = backward ? m->grads : NULL};
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &batch);
  CHECK_OK(trm_tape_status(m->tape));
  if (backward) trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  return trm_tape_loss_sum(m->tape);
}

/* Of every element: a tied matrix gets the gradients of both its uses. */
static void check_gradient(test_model *m) {
  const double step = 1e-5;
  (void)loss_of(m, true);
  for (int i = 0; i < m->params->n_rows; ++i) {
    const trm_param *row = &m->params->rows[i];
    for (int64_t e = 0; e < row->n; ++e) {
      trm_real *w = &m->params->weights[row->offset + e];
      const trm_real old = *w;
      *w = old + step;
      const double up = loss_of(m, false);
      *w = old - step;
      const double down = loss_of(m, false);
      *w = old;
      const double numeric = (up - down) / (2 * step);
      if (!CHECK_NEAR_AT(m->grads[row->offset + e], numeric, 1e-6 * (1 + fabs(numeric)), e)) {
        fprintf(stderr, "  %s\n", row->name);
      }
    }
  }
}
#endif

static void check_kind(kind k) {
  char words[256];
  test_model m;
  const trm_model_dims dims = {.n_outputs = VOCAB};
  (void)snprintf(words, sizeof words,
                 "model.kind=decoder model.context=%d model.tied=%s model.bias=%s "
                 "model.positions=%s",
                 CONTEXT, k.tied ? "true" : "false", k.bias ? "true" : "false",
                 k.sinusoidal ? "sinusoidal" : "learned");
  if (CHECK_OK(model_make_status(&m, words, &dims))) {
    check_parameters(&m, k);
    model_shake(&m);
    plan(&m);
    check_outputs(&m, k);
#if TRM_REAL_IS_DOUBLE
    check_gradient(&m);
#endif
  }
  model_free(&m);
}

int main(void) {
  trm_math_init();
  for (int i = 0; i < 8; ++i) {
    check_kind((kind){.tied = i & 1, .bias = i & 2, .sinusoidal = i & 4});
  }
  return check_verdict();
}
