/* Optimizers against plain double formulas, clipping, schedules, and gradients that are not finite. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/optim/optim.h"

enum { STEPS = 20 };

static trm_config *config_of(const char *text) {
  int n_keys;
  const trm_config_key *keys = trm_config_keys(&n_keys);
  trm_config *config = NULL;
  CHECK_OK(trm_config_create(keys, n_keys, &config));
  CHECK_OK(trm_config_read_text(config, text, "test"));
  return config;
}

static trm_params *make_params(void) {
  trm_params *params = NULL;
  int row;
  CHECK_OK(trm_params_create(&params));
  CHECK_OK(trm_params_add(params, &row, 2, (int64_t[]){3, 7}, TRM_INIT_NORMAL, 1, true, "a"));
  CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){5}, TRM_INIT_NORMAL, 1, false, "b"));
  CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){33}, TRM_INIT_NORMAL, 1, true, "c"));
  CHECK_OK(trm_params_seal(params));
  trm_params_init(params, 5);
  return params;
}

typedef struct plain {
  double w[256], m[256], v[256];
} plain;

static void plain_adamw(plain *p, const trm_params *params, const trm_real *g, double scale,
                        double lr, int t) {
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    const double decay = row->decay ? 0.1 : 0;
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      const double d = (double)g[i] * scale;
      p->w[i] -= lr * decay * p->w[i];
      p->m[i] = 0.9 * p->m[i] + 0.1 * d;
      p->v[i] = 0.99 * p->v[i] + 0.01 * d * d;
      const double denominator = sqrt(p->v[i] / (1 - pow(0.99, t))) + 1e-8;
      p->w[i] -= lr * (p->m[i] / (1 - pow(0.9, t))) / denominator;
    }
  }
}

static void plain_sgd(plain *p, const trm_params *params, const trm_real *g, double scale,
                      double lr, bool nesterov) {
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    const double decay = row->decay ? 0.1 : 0;
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      const double d = (double)g[i] * scale + decay * p->w[i];
      p->m[i] = 0.9 * p->m[i] + d;
      p->w[i] -= lr * (nesterov ? d + 0.9 * p->m[i] : p->m[i]);
    }
  }
}

static double fill_grads(const trm_params *params, trm_real *g, int step, double size) {
  const trm_random_key key = trm_random_key_make(2, TRM_RANDOM_TEST, (uint64_t)step, 0);
  double sum = 0;
  memset(g, 0, (size_t)params->n_elements * sizeof *g);
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      g[i] = (trm_real)(size * trm_random_normal(key, 0, (uint64_t)i));
      sum += (double)g[i] * (double)g[i];
    }
  }
  return sqrt(sum);
}

/* kind: 0 adamw, 1 sgd, 2 sgd with Nesterov. */
static void test_updates(int kind, double size) {
  const char *texts[] = {"optimizer: {name: adamw, lr: 0.01, weight_decay: 0.1}",
                         "optimizer: {name: sgd, lr: 0.01, weight_decay: 0.1}",
                         "optimizer: {name: sgd, lr: 0.01, weight_decay: 0.1, nesterov: true}"};
  trm_config *config = config_of(texts[kind]);
  CHECK_OK(trm_config_set(config, "schedule.warmup_steps=5"));
  CHECK_OK(trm_config_set(config, "train.steps=15"));
  trm_params *params = make_params();
  trm_optimizer *optimizer = NULL;
  CHECK_OK(trm_optimizer_create(config, params, &optimizer));
  plain p = {.w = {0}};
  for (int64_t i = 0; i < params->n_elements; ++i) p.w[i] = (double)params->weights[i];
  trm_real g[256];
  CHECK(params->n_elements <= 256);
  const double count = 12;
  for (int step = 0; step < STEPS; ++step) {
    const double norm = fill_grads(params, g, step, size) / count;
    trm_step_info info;
    trm_optimizer_step(optimizer, g, count, step, &info);
    CHECK(info.finite);
    CHECK_NEAR(info.grad_norm, norm, 1e-6 * norm);
    const double scale = (norm > 1 ? 1 / norm : 1) / count;
    if (kind == 0)
      plain_adamw(&p, params, g, scale, info.lr, step + 1);
    else
      plain_sgd(&p, params, g, scale, info.lr, kind == 2);
  }
  for (int64_t i = 0; i < params->n_elements; ++i) {
    CHECK_NEAR_AT(params->weights[i], p.w[i], 2e-6 * (1 + fabs(p.w[i])), i);
  }
  trm_optimizer_destroy(&optimizer);
  trm_params_destroy(&params);
  trm_config_destroy(&config);
}

static void test_schedule(void) {
  trm_config *config = config_of("{optimizer: {lr: 0.1}, train: {steps: 110},"
                                 " schedule: {warmup_steps: 10, min_lr: 0.02}}");
  CHECK_NEAR(trm_schedule_lr(config, 0), 0.01, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 9), 0.1, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 10), 0.1, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 60), 0.06, 1e-12);
  CHECK_NEAR(trm_schedule_lr(config, 110), 0.02, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 100000), 0.02, 1e-15);
  CHECK_OK(trm_config_set(config, "schedule.decay_steps=60"));
  CHECK_NEAR(trm_schedule_lr(config, 35), 0.06, 1e-12);
  CHECK_OK(trm_config_set(config, "schedule.name=constant"));
  CHECK_NEAR(trm_schedule_lr(config, 4), 0.05, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 5000), 0.1, 1e-15);
  CHECK_OK(trm_config_set(config, "schedule.warmup_steps=0"));
  CHECK_NEAR(trm_schedule_lr(config, 0), 0.1, 1e-15);
  trm_config_destroy(&config);
}

static void test_not_finite(void) {
  trm_config *config = config_of("");
  trm_params *params = make_params();
  trm_optimizer *optimizer = NULL;
  CHECK_OK(trm_optimizer_create(config, params, &optimizer));
  const uint64_t before = trm_params_hash(params);
  trm_real g[256];
  (void)fill_grads(params, g, 0, 1);
  const int64_t bad = params->rows[1].offset + 3;
  g[bad] = (trm_real)NAN;
  trm_step_info info;
  trm_optimizer_step(optimizer, g, 1, 0, &info);
  CHECK(!info.finite);
  CHECK_EQ(info.bad_element, bad);
  CHECK_EQ(trm_params_hash(params), before); /* weights untouched */
  trm_optimizer_destroy(&optimizer);
  trm_params_destroy(&params);
  trm_config_destroy(&config);
}

int main(void) {
  trm_math_init();
  for (int kind = 0; kind < 3; ++kind) {
    test_updates(kind, 0.5); /* not clipped */
    test_updates(kind, 50);  /* clipped */
  }
  test_schedule();
  test_not_finite();
  return check_verdict();
}
