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
  trm_config_parts parts = {0};
  trm_config *config = NULL;
  trm_optim_parts(&parts);
  CHECK_OK(trm_config_create(&parts, &config));
  CHECK_OK(trm_config_read_text(config, text, "test"));
  CHECK_OK(trm_schedule_resolve(config, 2000));
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

static void plain_adam(plain *p, const trm_params *params, const trm_real *g, double scale,
                       double lr, int t) {
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    const double decay = row->decay ? 0.1 : 0;
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      const double d = (double)g[i] * scale + decay * p->w[i];
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

static void plain_rmsprop(plain *p, const trm_params *params, const trm_real *g, double scale,
                          double lr, double momentum) {
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    const double decay = row->decay ? 0.1 : 0;
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      const double d = (double)g[i] * scale + decay * p->w[i];
      p->v[i] = 0.99 * p->v[i] + 0.01 * d * d;
      p->m[i] = momentum * p->m[i] + d / (sqrt(p->v[i]) + 1e-8);
      p->w[i] -= lr * p->m[i];
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

/* kind: 0 adamw, 1 sgd, 2 sgd with Nesterov, 3 adam. */
static void test_updates(int kind, double size) {
  const char *texts[] = {"optimizer: {name: adamw, lr: 0.01, weight_decay: 0.1}",
                         "optimizer: {name: sgd, lr: 0.01, weight_decay: 0.1}",
                         "optimizer: {name: sgd, lr: 0.01, weight_decay: 0.1, nesterov: true}",
                         "optimizer: {name: adam, lr: 0.01, weight_decay: 0.1}",
                         "optimizer: {name: rmsprop, lr: 0.01, weight_decay: 0.1}",
                         "optimizer: {name: rmsprop, lr: 0.01, weight_decay: 0.1, momentum: 0.9}"};
  trm_config *config = config_of(texts[kind]);
  CHECK_OK(trm_config_set(config, "schedule.warmup_steps=5"));
  CHECK_OK(trm_config_set(config, "schedule.decay_steps=15"));
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
    else if (kind == 3)
      plain_adam(&p, params, g, scale, info.lr, step + 1);
    else if (kind >= 4)
      plain_rmsprop(&p, params, g, scale, info.lr, kind == 5 ? 0.9 : 0);
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
  trm_config *config = config_of("{optimizer: {lr: 0.1}, schedule: {warmup_steps: 10,"
                                 " min_lr: 0.02, decay_steps: 0}}");
  CHECK_OK(trm_config_set(config, "schedule.decay_steps=0"));
  CHECK_EQ(trm_schedule_length(config), 0);
  CHECK_OK(trm_schedule_resolve(config, 110));
  CHECK_EQ(trm_schedule_length(config), 110);
  CHECK_OK(trm_schedule_resolve(config, 999)); /* given, or resolved before: it stays */
  CHECK_EQ(trm_schedule_length(config), 110);
  CHECK_OK(trm_schedule_check(config));
  CHECK_OK(trm_config_set(config, "schedule.min_lr=0.2"));
  CHECK_EQ(trm_schedule_check(config), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "above optimizer.lr (0.1)");
  CHECK_OK(trm_config_set(config, "schedule.min_lr=0.02"));
  CHECK_NEAR(trm_schedule_lr(config, 0), 0.01, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 9), 0.1, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 10), 0.1, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 60), 0.06, 1e-12);
  CHECK_NEAR(trm_schedule_lr(config, 110), 0.02, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 100000), 0.02, 1e-15);
  CHECK_OK(trm_config_set(config, "schedule.decay_steps=60"));
  CHECK_NEAR(trm_schedule_lr(config, 35), 0.06, 1e-12);
  CHECK_OK(trm_config_set(config, "schedule.name=constant"));
  CHECK(trm_schedule_length_key(config) == NULL);
  CHECK_EQ(trm_schedule_length(config), 0);
  CHECK_NEAR(trm_schedule_lr(config, 4), 0.05, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 5000), 0.1, 1e-15);
  CHECK_OK(trm_config_set(config, "schedule.warmup_steps=0"));
  CHECK_NEAR(trm_schedule_lr(config, 0), 0.1, 1e-15);
  trm_config_destroy(&config);
}

static void test_step_schedule(void) {
  trm_config *config =
      config_of("{optimizer: {lr: 0.1}, schedule: {name: step, warmup_steps: 10}}");
  CHECK_NEAR(trm_schedule_lr(config, 4), 0.05, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 100000), 0.1, 0); /* step_every 0: never */
  CHECK_EQ(trm_schedule_check(config), TRM_ERR_CONFIG);
  CHECK_OK(trm_config_set(config, "schedule.step_every=50"));
  CHECK_NEAR(trm_schedule_lr(config, 59), 0.1, 0);
  CHECK_NEAR(trm_schedule_lr(config, 60), 0.05, 0);
  CHECK_NEAR(trm_schedule_lr(config, 109), 0.05, 0);
  CHECK_NEAR(trm_schedule_lr(config, 110), 0.025, 0);
  CHECK_NEAR(trm_schedule_lr(config, 1000000000), 0, 0);
  trm_config_destroy(&config);
}

static void test_exponential_schedule(void) {
  trm_config *config = config_of("{optimizer: {lr: 0.1},"
                                 " schedule: {name: exponential, warmup_steps: 10, gamma: 0.5}}");
  CHECK(trm_schedule_length_key(config) == NULL);
  CHECK_NEAR(trm_schedule_lr(config, 4), 0.05, 1e-15);
  CHECK_NEAR(trm_schedule_lr(config, 10), 0.1, 0);
  CHECK_NEAR(trm_schedule_lr(config, 11), 0.05, 0);
  CHECK_NEAR(trm_schedule_lr(config, 13), 0.0125, 0);
  CHECK_NEAR(trm_schedule_lr(config, 100000000), 0, 0);
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

/* ---- buffers --------------------------------------------------------------------------------- */

enum { RANKS = 3, BUFFERS = 2 };

/* Buffers that begin and end inside chunks, and one that has whole chunks of its own. */
static trm_params *make_buffered(int buffers[BUFFERS]) {
  trm_params *params = NULL;
  int row;
  CHECK_OK(trm_params_create(&params));
  CHECK_OK(trm_params_add(params, &row, 2, (int64_t[]){50, 700}, TRM_INIT_UNIFORM, 0.5, true, "a"));
  CHECK_OK(trm_params_add_buffer(params, &buffers[0], 33, TRM_INIT_ONE, "mean/%d", 0));
  CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){5}, TRM_INIT_NORMAL, 1, false, "b"));
  CHECK_OK(trm_params_add_buffer(params, &buffers[1], 9000, TRM_INIT_ZERO, "variance"));
  CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){15000}, TRM_INIT_NORMAL, 1, true, "c"));
  CHECK_OK(trm_params_seal(params));
  trm_params_init(params, 5);
  return params;
}

static trm_real *buffered_grads(const trm_params *params, int step) {
  trm_real *g = NULL;
  CHECK_OK(TRM_ALLOC(&g, params->n_elements, "gradients"));
  (void)fill_grads(params, g, step, 40);
  return g;
}

/* Weights are updated as if there were no buffers, which follow their own rule: double loops. */
static void test_buffers(void) {
  trm_config *config =
      config_of("optimizer: {name: sgd, lr: 0.01, weight_decay: 0.1, clip_norm: 1}");
  CHECK_OK(trm_config_set(config, "schedule.warmup_steps=0"));
  int buffers[BUFFERS];
  trm_params *params = make_buffered(buffers);
  trm_optimizer *optimizer = NULL;
  CHECK_OK(trm_optimizer_create(config, params, &optimizer));
  trm_real *g = buffered_grads(params, 0), *before = NULL;
  CHECK_OK(TRM_ALLOC(&before, params->n_elements, "weights"));
  memcpy(before, params->weights, (size_t)params->n_elements * sizeof *before);
  double squares = 0;
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    for (int64_t i = row->offset; !row->buffer && i < row->offset + row->n; ++i) {
      squares += (double)g[i] * (double)g[i];
    }
  }
  const double count = 7, norm = sqrt(squares) / count;
  trm_step_info info;
  trm_optimizer_step(optimizer, g, count, 0, &info);
  CHECK(info.finite);
  CHECK_NEAR(info.grad_norm, norm, 1e-9 * norm);
  CHECK(norm > 1);
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    CHECK(row->buffer == (r == buffers[0] || r == buffers[1]));
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      const double w = (double)before[i], d = (double)g[i] / count;
      const double want =
          row->buffer ? w + 0.1 * (d - w) : w - info.lr * (d / norm + (row->decay ? 0.1 : 0) * w);
      if (!CHECK_NEAR_AT(params->weights[i], want, 1e-6 * (1 + fabs(want)), i)) break;
    }
  }
  const uint64_t was = trm_params_hash(params);
  g[params->rows[buffers[0]].offset + 2] = (trm_real)INFINITY;
  trm_optimizer_step(optimizer, g, count, 1, &info); /* statistics that are not finite: no step */
  CHECK(!info.finite);
  CHECK_EQ(info.bad_element, params->rows[buffers[0]].offset + 2);
  CHECK_EQ(trm_params_hash(params), was);
  TRM_FREE(g);
  TRM_FREE(before);
  trm_optimizer_destroy(&optimizer);
  trm_params_destroy(&params);
  trm_config_destroy(&config);
}

/* Ranks that share out the state, with sums of chunks put together as parallel/sharded.c does it,
 * make the bits of one rank that has everything. */
static void test_shared_buffers(const char *name, const char *option) {
  trm_config *config =
      config_of("{optimizer: {lr: 0.01, clip_norm: 1}, schedule: {warmup_steps: 0}}");
  char text[64];
  snprintf(text, sizeof text, "optimizer.name=%s", name);
  CHECK_OK(trm_config_set(config, text));
  if (option) CHECK_OK(trm_config_set(config, option));
  int buffers[BUFFERS];
  trm_params *whole = make_buffered(buffers), *params[RANKS];
  trm_optimizer *one = NULL, *ranks[RANKS] = {NULL};
  CHECK_OK(trm_optimizer_create(config, whole, &one));
  for (int r = 0; r < RANKS; ++r) {
    params[r] = make_buffered(buffers);
    CHECK_OK(trm_optimizer_create_share(config, params[r], r, RANKS, &ranks[r]));
  }
  const trm_stripes stripes = trm_optimizer_stripes(ranks[0]);
  CHECK(stripes.n > RANKS * stripes.length);
  for (int step = 0; step < 3; ++step) {
    trm_real *g = buffered_grads(whole, step);
    trm_step_info want, got;
    double sums[64], squares = 0;
    CHECK(stripes.n <= 64 * TRM_CHUNK);
    for (int r = 0; r < RANKS; ++r) {
      TRM_FOR_STRIPES(&stripes, r, begin, end) {
        trm_optimizer_sum_squares_chunks(ranks[r], sums + begin / TRM_CHUNK, g, begin, end);
      }
    }
    for (int64_t k = 0; k * TRM_CHUNK < stripes.n; ++k) squares += sums[k];
    trm_optimizer_step(one, g, 3, step, &want);
    for (int r = 0; r < RANKS; ++r) {
      trm_optimizer_apply(ranks[r], g, squares, 3, step, &got);
      CHECK(got.grad_norm == want.grad_norm);
      TRM_FOR_STRIPES(&stripes, r, begin, end) {
        CHECK(memcmp(params[r]->weights + begin, whole->weights + begin,
                     (size_t)(end - begin) * sizeof(trm_real)) == 0);
      }
    }
    TRM_FREE(g);
  }
  for (int r = 0; r < RANKS; ++r) {
    trm_optimizer_destroy(&ranks[r]);
    trm_params_destroy(&params[r]);
  }
  trm_optimizer_destroy(&one);
  trm_params_destroy(&whole);
  trm_config_destroy(&config);
}

/* Uniform initial values: within their bounds, with the mean and deviation of the distribution. */
static void test_uniform(void) {
  int buffers[BUFFERS];
  trm_params *params = make_buffered(buffers);
  const trm_param *row = &params->rows[0];
  double sum = 0, squares = 0;
  for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
    const double w = (double)params->weights[i];
    CHECK(w >= -0.5 && w <= 0.5);
    sum += w;
    squares += w * w;
  }
  const double n = (double)row->n, deviation = 0.5 / sqrt(3);
  CHECK_NEAR(sum / n, 0, 5 * deviation / sqrt(n));
  CHECK_NEAR(sqrt(squares / n), deviation, 0.01);
  CHECK(params->weights[params->rows[buffers[0]].offset] == 1);
  trm_params_destroy(&params);
}

int main(void) {
  trm_math_init();
  for (int kind = 0; kind < 6; ++kind) {
    test_updates(kind, 0.5); /* not clipped */
    test_updates(kind, 50);  /* clipped */
  }
  test_schedule();
  test_step_schedule();
  test_exponential_schedule();
  test_buffers();
  test_shared_buffers("adam", NULL);
  test_shared_buffers("adam", "optimizer.amsgrad=true");
  test_shared_buffers("sgd", "optimizer.dampening=0.5");
  test_shared_buffers("rmsprop", NULL);
  test_shared_buffers("rmsprop", "optimizer.centered=true");
  test_shared_buffers("adagrad", NULL);
  test_shared_buffers("lion", NULL);
  test_uniform();
  test_not_finite();
  return check_verdict();
}
