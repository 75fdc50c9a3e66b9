#include "attack.h"

#include <inttypes.h>
#include <math.h>

#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

double trm_attack_step_size(double eps, int64_t steps) {
  return steps > 1 ? 2.5 * eps / (double)steps : eps;
}

/* ---- what is attacked --------------------------------------------------------------------------- */

trm_attacked trm_attacked_samples(const trm_sample_batch *batch, int64_t width, int64_t sample0) {
  const bool values = batch->values.n_dims > 0;
  return (trm_attacked){.rows = values ? trm_sequences_equal(batch->n, 1) : batch->inputs,
                        .width = width,
                        .clean = batch->values.n_dims == 3 ? batch->values.values : NULL,
                        .sample0 = sample0};
}

int64_t trm_attacked_elements(const trm_attacked *on) {
  return on->rows.n_rows * on->width;
}

/* Elements of one sample. */
typedef struct span {
  int64_t first, n;
} span;

static span span_of(const trm_attacked *on, int64_t sample) {
  const int64_t begin = trm_sequence_first(&on->rows, sample);
  const int64_t end = trm_sequence_first(&on->rows, sample + 1);
  return (span){begin * on->width, (end - begin) * on->width};
}

/* ---- ball and range ------------------------------------------------------------------------------ */

static double length_of(const trm_real *x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += (double)x[i] * (double)x[i];
  return sqrt(sum);
}

static void scale_by(trm_real *x, double factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = (trm_real)(factor * (double)x[i]);
}

/* Into the ball first, then into the range, which only brings it nearer to the clean input. */
static void project(const trm_attack *a, const float *clean, trm_real *change, int64_t n) {
  const trm_real eps = (trm_real)a->eps;
  if (a->norm == TRM_ATTACK_SUP) {
    for (int64_t i = 0; i < n; ++i) {
      change[i] = change[i] > eps ? eps : change[i] < -eps ? -eps : change[i];
    }
  } else {
    const double length = length_of(change, n);
    if (length > a->eps) scale_by(change, a->eps / length, n);
  }
  for (int64_t i = 0; clean && i < n; ++i) {
    const trm_real x = (trm_real)clean[i], moved = x + change[i];
    if (moved < 0) change[i] = -x;
    if (moved > 1) change[i] = 1 - x;
  }
}

/* ---- the start ----------------------------------------------------------------------------------- */

/* Uniform in [-radius, radius): four elements a draw. */
static void fill_uniform(trm_real *x, double radius, trm_random_key key, uint64_t sample,
                         int64_t n) {
  uint32_t words[4] = {0};
  for (int64_t i = 0; i < n; ++i) {
    if (i % 4 == 0) trm_random_words(key, sample, (uint64_t)(i / 4), words);
    x[i] = (trm_real)(radius * ((double)(words[i % 4] >> 8) * 0x1p-23 - 1));
  }
}

static void fill_normal(trm_real *x, double deviation, trm_random_key key, uint64_t sample,
                        int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    x[i] = (trm_real)(deviation * trm_random_normal(key, sample, (uint64_t)i));
  }
}

/* Any direction, the length uniform up to eps: its draw comes behind those of the elements. */
static void fill_direction(trm_real *x, double eps, trm_random_key key, uint64_t sample,
                           int64_t n) {
  fill_normal(x, 1, key, sample, n);
  const double length = length_of(x, n);
  if (length > 0) scale_by(x, eps * trm_random_uniform(key, sample, (uint64_t)n) / length, n);
}

static void begin_sample(const trm_attack *a, trm_random_key key, uint64_t sample, trm_real *x,
                         int64_t n) {
  switch (a->start) {
  case TRM_ATTACK_RANDOM:
    if (a->norm == TRM_ATTACK_SUP) {
      fill_uniform(x, a->eps, key, sample, n);
    } else {
      fill_direction(x, a->eps, key, sample, n);
    }
    break;
  case TRM_ATTACK_NEAR:
    fill_normal(x, 0.001, key, sample, n);
    break;
  case TRM_ATTACK_SPREAD:
    fill_uniform(x, n > 0 ? a->eps / sqrt((double)n) : 0, key, sample, n);
    break;
  default:
    for (int64_t i = 0; i < n; ++i) x[i] = 0;
    break;
  }
}

void trm_attack_begin(const trm_attack *a, const trm_attacked *on, trm_random_key key,
                      trm_real *change) {
  for (int64_t i = 0; i < on->rows.n; ++i) {
    const span s = span_of(on, i);
    const uint64_t sample = (uint64_t)(on->ids32 ? on->ids32[i] : on->sample0 + i);
    begin_sample(a, key, sample, change + s.first, s.n);
    project(a, on->clean ? on->clean + s.first : NULL, change + s.first, s.n);
  }
}

/* ---- steps --------------------------------------------------------------------------------------- */

static void ascend(const trm_attack *a, const trm_real *grad, trm_real *change, int64_t n) {
  if (a->norm == TRM_ATTACK_SUP) {
    const trm_real step = (trm_real)a->step_size;
    for (int64_t i = 0; i < n; ++i) {
      change[i] += grad[i] > 0 ? step : grad[i] < 0 ? -step : 0;
    }
    return;
  }
  const double length = length_of(grad, n);
  if (!(length > 0)) return;
  const double factor = a->step_size / length;
  for (int64_t i = 0; i < n; ++i) {
    change[i] = (trm_real)((double)change[i] + factor * (double)grad[i]);
  }
}

void trm_attack_step(const trm_attack *a, const trm_attacked *on, const trm_real *grad,
                     trm_real *change) {
  for (int64_t i = 0; i < on->rows.n; ++i) {
    const span s = span_of(on, i);
    ascend(a, grad + s.first, change + s.first, s.n);
    project(a, on->clean ? on->clean + s.first : NULL, change + s.first, s.n);
  }
}

/* ---- carried out --------------------------------------------------------------------------------- */

struct trm_attacker {
  trm_attack attack;
  trm_attack_goal goal;
  trm_learner *learner;    /* kept */
  trm_comm *comm;          /* whose watch sees the steps, kept; NULL: none does */
  int64_t n, n_logits;     /* most elements of a change, and of outputs */
  trm_real *change, *grad; /* [n], owned */
  trm_real *logits;        /* [n_logits] of the clean input, for the divergence; owned */
};

/* What is to become large, in the pass that was begun. */
static trm_var *goal_of(const trm_attacker *a, const trm_batch *batch) {
  trm_tape *tape = a->learner->tape;
  if (a->goal == TRM_ATTACK_LOSS) return trm_model_loss(a->learner->model, tape, batch);
  trm_var *y = trm_model_outputs(a->learner->model, tape, batch);
  trm_var *clean = trm_tape_input(tape, a->logits, y->n_dims, y->dims, false);
  return trm_op_softmax_kl(tape, clean, y, NULL, 1);
}

static trm_status nothing_to_attack(void) {
  return trm_fail(
      TRM_ERR_CONFIG,
      "this model has no input that attacks could change: tokens whose vectors enter an "
      "encoder, images, rows, or dense features of nodes; set adversarial.method to "
      "none");
}

/* There and back, dry; what the change and the outputs come to. */
static trm_status plan(trm_attacker *a, trm_pass pass, const trm_batch *bounds) {
  trm_tape *tape = a->learner->tape;
  const trm_nudge any = {0};
  pass.dry = true;
  pass.training = false;
  pass.nudge = &any;
  trm_tape_begin(tape, &pass);
  const trm_var *y = trm_model_outputs(a->learner->model, tape, bounds);
  TRM_TRY(trm_tape_status(tape));
  a->n_logits = y->n;
  a->n = trm_tape_nudge_size(tape);
  if (a->n < 0) return nothing_to_attack();
  trm_tape_begin(tape, &pass);
  trm_var *goal = goal_of(a, bounds);
  TRM_TRY(trm_tape_status(tape));
  trm_tape_backward(tape, goal, NULL, NULL, NULL);
  return trm_tape_status(tape);
}

trm_status trm_attacker_create(const trm_attack *attack, trm_attack_goal goal, trm_learner *learner,
                               trm_pass pass, const trm_batch *bounds, trm_attacker **out) {
  trm_attacker *a = NULL;
  trm_status status = TRM_OK;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&a, 1, "attack"));
  a->attack = *attack;
  a->goal = goal;
  a->learner = learner;
  TRM_TRY_OUT(plan(a, pass, bounds));
  TRM_TRY_OUT(TRM_ALLOC(&a->change, a->n, "changes of inputs"));
  TRM_TRY_OUT(TRM_ALLOC(&a->grad, a->n, "changes of inputs"));
  if (goal == TRM_ATTACK_DIVERGENCE) {
    TRM_TRY_OUT(TRM_ALLOC(&a->logits, a->n_logits, "outputs of clean inputs"));
  }
  *out = a;
  return TRM_OK;
out:
  trm_attacker_destroy(&a);
  return status;
}

void trm_attacker_destroy(trm_attacker **attacker) {
  trm_attacker *a = *attacker;
  if (!a) return;
  TRM_FREE(a->change);
  TRM_FREE(a->grad);
  TRM_FREE(a->logits);
  TRM_FREE(*attacker);
}

void trm_attacker_watch(trm_attacker *a, trm_comm *comm) {
  a->comm = comm;
}
void trm_attacker_touch(const trm_attacker *a) {
  if (a->comm) trm_watch_touch(a->comm);
}
int64_t trm_attacker_width(const trm_attacker *a, int64_t rows) {
  return rows > 0 ? a->n / rows : 0;
}
trm_real *trm_attacker_change(trm_attacker *a) {
  return a->change;
}
trm_real *trm_attacker_grad(trm_attacker *a) {
  return a->grad;
}

/* What the model says of the clean input. */
static trm_status keep_clean(trm_attacker *a, trm_pass *pass, const trm_batch *batch) {
  trm_tape *tape = a->learner->tape;
  trm_tape_begin(tape, pass);
  const trm_var *y = trm_model_outputs(a->learner->model, tape, batch);
  TRM_TRY(trm_tape_status(tape));
  TRM_ASSERT(y->n <= a->n_logits);
  for (int64_t i = 0; i < y->n; ++i) a->logits[i] = y->data[i];
  if (pass->weights_use == TRM_WEIGHTS_FIRST) pass->weights_use = TRM_WEIGHTS_SAME;
  return TRM_OK;
}

trm_status trm_attacker_run(trm_attacker *a, const trm_pass *pass, const trm_batch *batch,
                            const trm_attacked *on, trm_random_key key, trm_nudge *nudge) {
  trm_tape *tape = a->learner->tape;
  const int64_t n = trm_attacked_elements(on);
  trm_pass p = *pass;
  TRM_ASSERT(n <= a->n && !p.training && !p.grads && !p.sink);
  trm_attack_begin(&a->attack, on, key, a->change);
  if (a->goal == TRM_ATTACK_DIVERGENCE) TRM_TRY(keep_clean(a, &p, batch));
  const trm_nudge by = {.n = n, .values = a->change, .grad = a->grad};
  for (int64_t s = 0; s < a->attack.steps; ++s) {
    p.nudge = &by;
    trm_tape_begin(tape, &p);
    trm_var *goal = goal_of(a, batch);
    TRM_TRY(trm_tape_status(tape));
    trm_tape_backward(tape, goal, NULL, NULL, NULL);
    trm_attack_step(&a->attack, on, a->grad, a->change);
    trm_attacker_touch(a);
    if (p.weights_use == TRM_WEIGHTS_FIRST) p.weights_use = TRM_WEIGHTS_SAME;
  }
  *nudge = (trm_nudge){.n = n, .values = a->change};
  return TRM_OK;
}
