/*
 * Muon: momentum whose hidden matrices are made orthogonal; AdamW for everything else.
 *
 *   m = momentum m + (1 - momentum) g;  u = (1 - momentum) g + momentum m, or without nesterov u = m
 *   X = u / max(|u|, 1e-7);  five times  A = X X^T;  X = a X + (b A + c A^2) X
 *   w = (1 - lr weight_decay) w - lr scale X
 *
 * with a = 3.4445, b = -4.775, c = 2.0315, which brings singular values close to 1. The scale is
 * sqrt(max(1, outputs / inputs)) ("shape"), or 0.2 sqrt(max(outputs, inputs)) ("rms"), with which steps
 * are as long as AdamW's, so that its rates and decays can be taken over. A convolution's kernel is the
 * matrix [outputs, height * width * channels]. Matrices that lie one below the other in a parameter
 * (trm_params_mark_stacked: queries, keys and values) are taken each for itself, norm, products and
 * scale. Products are in float32, in bfloat16 runs too.
 *
 * Embeddings, heads and vectors are AdamW's, with keys of its own (optimizer.adamw_*); its rate follows
 * the schedule in the same proportion.
 * Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; "rms": Liu et
 * al. 2025, arXiv:2502.16982, section 2.2; forms as torch.optim.Muon has them. That queries, keys and
 * values are taken apart is as in the authors' training code (modded-nanogpt), which splits them so.
 */
#include <string.h>

#include "optim_internal.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("optimizer.momentum", "0.95", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Share of the gradient's mean kept, of hidden matrices."),
    TRM_KEY_BOOL("optimizer.nesterov", "true", TRM_ON_RESULT, "Gradient looked up one step ahead."),
    TRM_KEY_CHOICE("optimizer.scale", "shape", "shape|rms", TRM_ON_RESULT,
                   "Length of steps: by a matrix's shape, or as AdamW's (rms)."),
    TRM_KEY_REAL("optimizer.adamw_lr", "3e-4", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Learning rate at its highest of embeddings, heads and vectors."),
    TRM_KEY_REAL("optimizer.adamw_beta1", "0.9", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the gradient's mean, of embeddings, heads and vectors."),
    TRM_KEY_REAL("optimizer.adamw_beta2", "0.95", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Decay of the squared gradient's mean, of embeddings, heads and vectors."),
    TRM_KEY_REAL("optimizer.adamw_eps", "1e-10", 1e-30, 1, "", TRM_ON_RESULT,
                 "Keeps the step finite where gradients vanish, of embeddings, heads and vectors."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

enum { MOMENTUM = TRM_ADAM_SETTINGS, NESTEROV, RMS, ADAMW_RATE };
enum { M, V };

static void plan(const trm_config *config, double settings[TRM_OPTIMIZER_SETTINGS]) {
  const double lr = trm_config_real(config, "optimizer.lr");
  trm_adam_settings(settings, trm_config_real(config, "optimizer.adamw_beta1"),
                    trm_config_real(config, "optimizer.adamw_beta2"),
                    trm_config_real(config, "optimizer.adamw_eps"));
  settings[MOMENTUM] = trm_config_real(config, "optimizer.momentum");
  settings[NESTEROV] = trm_config_bool(config, "optimizer.nesterov") ? 1 : 0;
  settings[RMS] = trm_config_is(config, "optimizer.scale", "rms") ? 1 : 0;
  settings[ADAMW_RATE] = lr > 0 ? trm_config_real(config, "optimizer.adamw_lr") / lr : 0;
}

static trm_status check(const trm_config *config) {
  if (trm_config_real(config, "optimizer.lr") > 0) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "optimizer.lr is 0, but optimizer.adamw_lr follows the schedule in proportion to "
                  "it; set it to 0.02, for instance");
}

/* ---- everything but hidden matrices ---------------------------------------------------------- */

static double rate(const double settings[TRM_OPTIMIZER_SETTINGS], double lr) {
  return lr * settings[ADAMW_RATE];
}

static void step(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *w,
                 trm_real *const *states, const trm_real *g, double decay, double scale, double lr,
                 int64_t step_number, int64_t n) {
  const trm_adamw_scalars s = trm_adam_scalars(settings, scale, rate(settings, lr), step_number);
  trm_adamw_update(w, states[M], states[V], g, (trm_real)decay, s, n);
}

/* ---- hidden matrices --------------------------------------------------------------------------- */

/* As each of its matrices lies in memory: [rows, columns]. */
static int64_t n_columns(const trm_param *row) {
  return row->by_inputs ? row->dims[row->n_dims - 1] : row->n / row->dims[0];
}

static int64_t n_rows(const trm_param *row) {
  return row->n / n_columns(row) / row->n_stacked;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static bool wants(const trm_param *row) {
  return row->role == TRM_ROLE_HIDDEN && row->n_dims > 1 && n_rows(row) > 1 && n_columns(row) > 1;
}

/* One span of weights. */
typedef struct span {
  trm_real *u, *m;
  const trm_real *g;
  trm_real momentum, rest, scale;
  bool nesterov;
} span;

static void update(void *context, int64_t begin, int64_t end) {
  const span s = *(const span *)context;
  for (int64_t i = begin; i < end; ++i) {
    const trm_real gi = s.g[i] * s.scale;
    const trm_real mi = s.momentum * s.m[i] + s.rest * gi;
    s.m[i] = mi;
    s.u[i] = s.nesterov ? s.rest * gi + s.momentum * mi : mi;
  }
}

static void direct(const double settings[TRM_OPTIMIZER_SETTINGS], trm_real *u, const trm_real *w,
                   trm_real *const *states, const trm_real *g, double decay, double scale,
                   int64_t step_number, int64_t n) {
  (void)w, (void)decay, (void)step_number; /* the decay is part of the move */
  span s = {.u = u,
            .m = states[M],
            .g = g,
            .momentum = (trm_real)settings[MOMENTUM],
            .rest = (trm_real)(1 - settings[MOMENTUM]),
            .scale = (trm_real)scale,
            .nesterov = settings[NESTEROV] != 0};
  trm_for_chunks(n, update, &s);
}

/* Two squares of the shorter side, and another X. */
static int64_t n_scratch(const trm_param *row) {
  const int64_t k = least(n_rows(row), n_columns(row));
  return 2 * k * k + n_rows(row) * n_columns(row);
}

/* One step of Newton and Schulz: y from x [R, C], by squares of the shorter side. */
static void orthogonalize_once(trm_real *y, const trm_real *x, int64_t R, int64_t C,
                               trm_real *square, trm_real *factor) {
  const trm_real a = (trm_real)3.4445, b = (trm_real)-4.775, c = (trm_real)2.0315;
  const bool wide = R <= C;
  const int64_t k = least(R, C);
  memcpy(y, x, (size_t)(R * C) * sizeof *y);
  trm_gemm(!wide, wide, k, k, wide ? C : R, 1, x, C, x, C, 0, square, k);
  memcpy(factor, square, (size_t)(k * k) * sizeof *factor);
  trm_gemm(false, false, k, k, k, c, square, k, square, k, b, factor, k);
  if (wide) {
    trm_gemm(false, false, R, C, k, 1, factor, k, x, C, a, y, C);
  } else {
    trm_gemm(false, false, R, C, k, 1, x, C, factor, k, a, y, C);
  }
}

/* The matrix near x [R, C], overwritten, with the same singular vectors and singular values near 1. */
static const trm_real *orthogonalize(trm_real *x, int64_t R, int64_t C, trm_real *scratch) {
  enum { STEPS = 5 };
  const int64_t k = least(R, C);
  const double norm = sqrt(trm_sum_squares(x, R * C)), floor_of_norm = 1e-7;
  trm_real *square = scratch, *factor = square + k * k, *y = factor + k * k;
  trm_scale(x, x, (trm_real)(1 / (norm > floor_of_norm ? norm : floor_of_norm)), R * C, false);
  for (int i = 0; i < STEPS; ++i) {
    trm_real *from = i % 2 == 0 ? x : y, *to = i % 2 == 0 ? y : x;
    orthogonalize_once(to, from, R, C, square, factor);
  }
  return STEPS % 2 == 0 ? x : y;
}

static void move(const double settings[TRM_OPTIMIZER_SETTINGS], const trm_param *row, trm_real *w,
                 trm_real *u, double decay, double lr, trm_real *scratch) {
  const int64_t R = n_rows(row), C = n_columns(row);
  const double outputs = (double)(row->by_inputs ? C : R);
  const double inputs = (double)(row->by_inputs ? R : C);
  const double by_shape = sqrt(outputs > inputs ? outputs / inputs : 1);
  const double by_rms = 0.2 * sqrt(outputs > inputs ? outputs : inputs);
  const double length = lr * (settings[RMS] != 0 ? by_rms : by_shape);
  for (int64_t from = 0; from < row->n; from += R * C) {
    const trm_real *x = orthogonalize(u + from, R, C, scratch);
    trm_combine(w + from, w + from, (trm_real)(1 - lr * decay), x, (trm_real)-length, R * C);
  }
}

static const trm_whole_update whole = {
    .wants = wants, .direct = direct, .n_scratch = n_scratch, .move = move};

const trm_optimizer_kind trm_optimizer_muon = {
    TRM_OPTIMIZER_PART("muon", &trm_decoupled_decay_keys, &rows),
    .n_states = 2,
    .state_names = {"m", "v"},
    .check = check,
    .has_momentum = true,
    .momentum = MOMENTUM,
    .plan = plan,
    .step = step,
    .rate = rate,
    .whole = &whole};
