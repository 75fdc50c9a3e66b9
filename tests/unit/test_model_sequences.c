/*
 * Encoder and seq2seq over sequences of different lengths: all gradients against central differences
 * (double build), with dropout, smoothing and class weights, and so is that of a change of the inputs' vectors;
 * and, with the native products, the outputs
 * of a sample alone and among others in every bit. Values are those of PyTorch: tests/golden.
 */
#include <math.h>

#include "model_graph_fixture.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

enum { N = 3, V_IN = 9, V_OUT = 7, N_CLASSES = 4, MOST_ROWS = 16 };

/* One length 1, and one behind another of the same tokens. */
static const int64_t in_offsets[N + 1] = {0, 4, 5, 8}, out_offsets[N + 1] = {0, 1, 4, 7};
static const int32_t in_tokens[8] = {3, 8, 2, 2, 5, 7, 1, 0}, out_tokens[7] = {1, 1, 3, 6, 1, 2, 2};
static const int32_t out_targets[7] = {2, 3, 6, 2, 2, -1, 5}, classes[N] = {1, 3, 0};
static const float numbers[N] = {0.5F, -2, 1}, weights[N_CLASSES] = {0.5F, 2, 1, 1.5F};

static const trm_sample_batch all = {.n = N,
                                     .inputs = {N, 8, 4, in_offsets},
                                     .input_tokens = in_tokens,
                                     .outputs = {N, 7, 3, out_offsets},
                                     .output_tokens = out_tokens};

static const trm_pass training = {.training = true, .seed = 3, .step = 2, .sample0 = 5};

static void plan(test_model *m) {
  const trm_sample_batch sizes = {
      .n = N, .inputs = {N, MOST_ROWS, 5, NULL}, .outputs = {N, MOST_ROWS, 5, NULL}};
  trm_pass pass = training;
  pass.dry = pass.bounds = true;
  pass.grads = m->grads;
  pass.nudge = &(trm_nudge){0};
  trm_threads_set(3);
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &(trm_batch){.samples = &sizes});
  CHECK_OK(trm_tape_status(m->tape));
  trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  CHECK(trm_tape_nudge_size(m->tape) > 0 && trm_tape_nudge_size(m->tape) % MOST_ROWS == 0);
  CHECK_OK(trm_tape_reserve(m->tape));
  trm_threads_set(1);
}

#if TRM_REAL_IS_DOUBLE
static double loss_of(test_model *m, const trm_sample_batch *batch, bool backward) {
  trm_pass pass = training;
  pass.grads = backward ? m->grads : NULL;
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &(trm_batch){.samples = batch});
  CHECK_OK(trm_tape_status(m->tape));
  if (backward) trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  return trm_tape_loss_sum(m->tape);
}

static void check_gradient(test_model *m, const trm_sample_batch *batch) {
  const double step = 1e-5;
  (void)loss_of(m, batch, true);
  for (int i = 0; i < m->params->n_rows; ++i) {
    const trm_param *row = &m->params->rows[i];
    for (int64_t e = 0; e < row->n; ++e) {
      trm_real *w = &m->params->weights[row->offset + e];
      const trm_real old = *w;
      *w = old + step;
      const double up = loss_of(m, batch, false);
      *w = old - step;
      const double down = loss_of(m, batch, false);
      *w = old;
      const double numeric = (up - down) / (2 * step);
      if (!CHECK_NEAR_AT(m->grads[row->offset + e], numeric, 2e-6 * (1 + fabs(numeric)), e)) {
        fprintf(stderr, "  %s\n", row->name);
      }
    }
  }
}
#endif

/* ---- changes of the inputs ---------------------------------------------------------------------- */

enum { MOST_NUDGE = MOST_ROWS * 8 };

/* One pass in evaluation with a nudge; backward for it alone, or with the parameters too. */
static double nudged_loss(test_model *m, const trm_sample_batch *batch, trm_real *grads,
                          const trm_nudge *nudge) {
  const trm_pass pass = {.grads = grads, .nudge = nudge};
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &(trm_batch){.samples = batch});
  CHECK_OK(trm_tape_status(m->tape));
  if (nudge->grad) trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  return trm_tape_loss_sum(m->tape);
}

static void check_nudge(test_model *m, const trm_sample_batch *batch) {
  trm_real values[MOST_NUDGE], alone[MOST_NUDGE], beside[MOST_NUDGE];
  const int64_t n = trm_tape_nudge_size(m->tape) / MOST_ROWS * batch->inputs.n_rows;
  const trm_random_key key = trm_random_key_make(5, TRM_RANDOM_TEST, 0, 0);
  CHECK(n <= MOST_NUDGE);
  for (int64_t i = 0; i < n; ++i) {
    values[i] = (trm_real)(0.1 * trm_random_normal(key, 0, (uint64_t)i));
    alone[i] = beside[i] = 77; /* must be overwritten */
  }
  trm_nudge nudge = {.n = n, .values = values, .grad = alone};
  (void)nudged_loss(m, batch, NULL, &nudge);
  nudge.grad = beside;
  (void)nudged_loss(m, batch, m->grads, &nudge);
  CHECK(memcmp(alone, beside, (size_t)n * sizeof *alone) == 0);
#if TRM_REAL_IS_DOUBLE
  nudge.grad = NULL;
  for (int64_t i = 0; i < n; ++i) {
    const double step = 1e-5;
    const trm_real old = values[i];
    values[i] = old + step;
    const double up = nudged_loss(m, batch, NULL, &nudge);
    values[i] = old - step;
    const double down = nudged_loss(m, batch, NULL, &nudge);
    values[i] = old;
    const double numeric = (up - down) / (2 * step);
    CHECK_NEAR_AT(alone[i], numeric, 2e-6 * (1 + fabs(numeric)), i);
  }
#endif
}

#if !TRM_REAL_IS_DOUBLE
/* ---- neighbours ------------------------------------------------------------------------------- */

/* Samples in the order of `order`, n of them, into the arrays of `to`. */
typedef struct picked {
  trm_sample_batch batch;
  int64_t in[N + 1], out[N + 1];
  int32_t in_tokens[MOST_ROWS], out_tokens[MOST_ROWS];
} picked;

static void pick(picked *to, const int *order, int n) {
  to->in[0] = to->out[0] = 0;
  for (int i = 0; i < n; ++i) {
    const int64_t a = in_offsets[order[i]], k = in_offsets[order[i] + 1] - a;
    const int64_t b = out_offsets[order[i]], l = out_offsets[order[i] + 1] - b;
    memcpy(to->in_tokens + to->in[i], in_tokens + a, (size_t)k * sizeof *in_tokens);
    memcpy(to->out_tokens + to->out[i], out_tokens + b, (size_t)l * sizeof *out_tokens);
    to->in[i + 1] = to->in[i] + k;
    to->out[i + 1] = to->out[i] + l;
  }
  to->batch = (trm_sample_batch){.n = n,
                                 .inputs = {n, to->in[n], 4, to->in},
                                 .input_tokens = to->in_tokens,
                                 .outputs = {n, to->out[n], 3, to->out},
                                 .output_tokens = to->out_tokens};
}

static const trm_var *outputs_of(test_model *m, const trm_sample_batch *batch) {
  trm_tape_begin(m->tape, &(trm_pass){.training = false});
  const trm_var *y = trm_model_outputs(m->model, m->tape, &(trm_batch){.samples = batch});
  CHECK_OK(trm_tape_status(m->tape));
  return y;
}

static void check_alone(test_model *m, bool by_token) {
  static const int orders[][N] = {{0, 1, 2}, {2, 0, 1}, {1, 1, 0}};
  picked p;
  trm_real alone[N][MOST_ROWS * V_IN];
  for (int s = 0; s < N; ++s) {
    pick(&p, &s, 1);
    const trm_var *y = outputs_of(m, &p.batch);
    memcpy(alone[s], y->data, (size_t)y->n * sizeof *y->data);
  }
  for (int k = 0; k < 3; ++k) {
    trm_threads_set(1 + k);
    pick(&p, orders[k], N);
    const trm_var *y = outputs_of(m, &p.batch);
    for (int i = 0; i < N; ++i) {
      const int64_t first = by_token ? p.out[i] : i, n = by_token ? p.out[i + 1] - first : 1;
      const int64_t C = y->dims[1];
      CHECK(memcmp(y->data + first * C, alone[orders[k][i]], (size_t)(n * C) * sizeof *y->data) ==
            0);
    }
  }
  trm_threads_set(1);
}

#endif

/* A block may have no samples: nothing comes of it. */
static void check_none(test_model *m, const trm_sample_batch *batch) {
  static const int64_t zero[1] = {0};
  trm_sample_batch none = *batch;
  none.n = 0;
  none.inputs = (trm_sequences){0, 0, 0, zero};
  none.outputs = (trm_sequences){0, 0, 0, zero};
  trm_pass pass = training;
  pass.grads = m->grads;
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &(trm_batch){.samples = &none});
  CHECK_OK(trm_tape_status(m->tape));
  trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  CHECK(!(trm_tape_loss_sum(m->tape) > 0) && !(trm_tape_loss_count(m->tape) > 0));
  for (int64_t i = 0; i < m->params->n_elements; ++i) CHECK(!(fabs((double)m->grads[i]) > 0));
}

/* Matrices that one product makes several things of say how many. */
static void check_stacked(const trm_params *params) {
  for (int i = 0; i < params->n_rows; ++i) {
    const char *name = params->rows[i].name;
    const int n = strstr(name, "/attn/qkv/weight") ? 3 : strstr(name, "/cross/kv/weight") ? 2 : 1;
    if (!CHECK_EQ(params->rows[i].n_stacked, n)) fprintf(stderr, "  %s\n", name);
  }
}

static void check_model(const char *words, trm_model_dims dims, trm_sample_batch batch) {
  test_model m;
  if (CHECK_OK(model_make_status(&m, words, &dims))) {
    model_shake(&m);
    check_stacked(m.params);
    plan(&m);
    check_nudge(&m, &batch);
#if TRM_REAL_IS_DOUBLE
    check_gradient(&m, &batch);
#else
    check_alone(&m, batch.outputs.n > 0);
#endif
    check_none(&m, &batch);
  }
  model_free(&m);
}

static void check_encoder(const char *words, bool as_numbers) {
  trm_sample_batch batch = all;
  batch.outputs = (trm_sequences){0};
  batch.output_tokens = NULL;
  batch.targets = as_numbers ? NULL : classes;
  batch.numbers = as_numbers ? numbers : NULL;
  batch.class_weights = as_numbers ? NULL : weights;
  const trm_model_dims dims = {
      .n_inputs = V_IN, .n_outputs = as_numbers ? 1 : N_CLASSES, .numbers = as_numbers};
  check_model(words, dims, batch);
}

static void check_seq2seq(const char *words, bool shared) {
  trm_sample_batch batch = all;
  batch.targets = out_targets;
  const trm_model_dims dims = {
      .n_inputs = V_IN, .n_outputs = shared ? V_IN : V_OUT, .shared = shared};
  check_model(words, dims, batch);
}

int main(void) {
  trm_math_init();
  CHECK_OK(trm_gemm_select(TRM_REAL_IS_DOUBLE ? "reference" : "native"));
  check_encoder("model.kind=encoder model.context=8", false);
  check_encoder("model.kind=encoder model.context=8 model.pooling=max model.norm=post "
                "model.positions=learned model.activation=gelu model.attention_dropout=0.2 "
                "loss.label_smoothing=0.1",
                false);
  check_encoder("model.kind=encoder model.context=5 model.pooling=first model.bias=false "
                "model.init=normal model.ff_width=5",
                true);
  check_seq2seq("model.kind=seq2seq model.context=8 model.attention_dropout=0.3 "
                "loss.label_smoothing=0.2",
                false);
  check_seq2seq("model.kind=seq2seq model.context=8 model.norm=post model.tied=false "
                "model.positions=learned model.decoder_layers=1 model.activation=gelu",
                false);
  check_seq2seq("model.kind=seq2seq model.context=8 model.embeddings=shared model.bias=false",
                true);
  return check_verdict();
}
