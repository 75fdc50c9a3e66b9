/*
 * Rules by parameter: patterns, settings, and what is wrong with them; limits of norms, zeros, and noise
 * against plain loops. What rules do to 200 steps of optimizers is in test_optim_torch.c.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/optim/optim.h"

static const trm_config_key seed_key[] = {
    TRM_KEY_INT("run.seed", "1", 0, 1e9, "", TRM_ON_RESULT, "Of the noise.")};
static const trm_config_rows seed_rows = TRM_CONFIG_ROWS(seed_key);
static const trm_config_part seed_part = {.rows = {&seed_rows}};

static trm_config *config_of(const char *text, const char *rules) {
  trm_config_parts parts = {0};
  trm_config *config = NULL;
  char assignment[512];
  trm_optim_parts(&parts);
  trm_config_parts_add(&parts, &seed_part);
  CHECK_OK(trm_config_create(&parts, &config));
  CHECK_OK(trm_config_read_text(config, text, "test"));
  CHECK_OK(trm_config_set(config, "schedule.name=constant"));
  CHECK_OK(trm_config_set(config, "schedule.warmup_steps=0"));
  (void)snprintf(assignment, sizeof assignment, "params.rules=%s", rules);
  CHECK_OK(trm_config_set(config, assignment));
  return config;
}

static const char sgd[] = "optimizer: {name: sgd, lr: 0.5, momentum: 0, weight_decay: 0, "
                          "clip_norm: 0}";

enum { WTE, WEIGHT, BIAS, NORM, SHIFT, MEAN, KERNEL, HEAD };

static trm_params *make_params(void) {
  trm_params *params = NULL;
  int row;
  CHECK_OK(trm_params_create(&params));
  CHECK_OK(trm_params_add(params, &row, 2, (int64_t[]){50, 300}, TRM_INIT_NORMAL, 1, true,
                          "wte/weight"));
  trm_params_mark(params, row, TRM_ROLE_EMBEDDING);
  CHECK_OK(trm_params_add(params, &row, 2, (int64_t[]){7, 5}, TRM_INIT_NORMAL, 1, true,
                          "layers/0/weight"));
  trm_params_mark(params, row, TRM_ROLE_HIDDEN);
  CHECK_OK(
      trm_params_add(params, &row, 1, (int64_t[]){7}, TRM_INIT_NORMAL, 1, false, "layers/0/bias"));
  CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){7}, TRM_INIT_ONE, 1, false,
                          "layers/0/norm/weight"));
  CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){7}, TRM_INIT_ZERO, 1, false,
                          "layers/0/norm/bias"));
  CHECK_OK(trm_params_add_buffer(params, &row, 7, TRM_INIT_ZERO, "layers/0/norm/mean"));
  CHECK_OK(trm_params_add(params, &row, 2, (int64_t[]){9, 4}, TRM_INIT_NORMAL, 1, true,
                          "layers/1/kernel"));
  trm_params_mark_by_inputs(params, row);
  CHECK_OK(
      trm_params_add(params, &row, 2, (int64_t[]){3, 7}, TRM_INIT_NORMAL, 1, true, "head/weight"));
  trm_params_mark(params, row, TRM_ROLE_HEAD);
  CHECK_OK(trm_params_seal(params));
  trm_params_init(params, 5);
  return params;
}

static void test_patterns(void) {
  static const struct {
    const char *pattern, *name;
    bool fits;
  } cases[] = {{"a", "a", true},           {"a", "ab", false},
               {"a", "", false},           {"*", "", true},
               {"*", "a/b", true},         {"", "", true},
               {"", "a", false},           {"head/*", "head/", true},
               {"head/*", "head", false},  {"*/bias", "a/b/bias", true},
               {"*/bias", "bias", false},  {"a*a", "a", false},
               {"a*a", "aa", true},        {"a*b*c", "axbxbxc", true},
               {"a*b*c", "axbxbx", false}, {"?", "a", true},
               {"?", "", false},           {"a?c", "abc", true},
               {"**", "ab", true},         {"*ab", "aab", true},
               {"a[b]", "ab", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_EQ(trm_param_matches(cases[i].pattern, cases[i].name), cases[i].fits);
  }
}

/* ---- what rules match ------------------------------------------------------------------------- */

static void test_matches(void) {
  static const struct {
    const char *rule;
    int n_params;
    int64_t n_weights;
  } cases[] = {{"head/weight lr=2x", 1, 21},      {"layers/* decay=1", 5, 35 + 7 + 7 + 7 + 36},
               {"layers/0/* freeze", 5, 35 + 28}, {"@matrices l2=1", 4, 15000 + 35 + 36 + 21},
               {"@vectors l1=1", 3, 21},          {"@norms lr=0.1", 2, 14},
               {"@embeddings freeze", 1, 15000},  {"@heads max_norm=1", 1, 21},
               {"*/mean freeze", 1, 7},           {"* decay=0", 7, 15000 + 35 + 21 + 36 + 21}};
  trm_params *params = make_params();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    char two[128];
    (void)snprintf(two, sizeof two, "head/weight lr=1x,  %s", cases[i].rule);
    trm_config *config = config_of(sgd, two);
    trm_optimizer *o = NULL;
    if (!CHECK_OK(trm_optimizer_create(config, params, &o))) break;
    CHECK_EQ(trm_optimizer_n_rules(o), 2);
    CHECK_STR(trm_optimizer_rule(o, 0).text, "head/weight lr=1x");
    CHECK_STR(trm_optimizer_rule(o, 1).text, cases[i].rule);
    CHECK_EQ(trm_optimizer_rule(o, 1).n_params, cases[i].n_params);
    CHECK_EQ(trm_optimizer_rule(o, 1).n_weights, cases[i].n_weights);
    trm_optimizer_destroy(&o);
    trm_config_destroy(&config);
  }
  trm_params_destroy(&params);
}

static void refuse(const char *text, const char *rules, const char *want) {
  trm_params *params = make_params();
  trm_config *config = config_of(text, rules);
  trm_optimizer *o = NULL;
  CHECK_EQ(trm_optimizer_create(config, params, &o), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), want);
  CHECK(o == NULL);
  trm_config_destroy(&config);
  trm_params_destroy(&params);
}

static void test_refused(void) {
  refuse(sgd, "heads/* freeze",
         "'heads/* freeze' matches no parameter of the model; near it are head/weight");
  refuse(sgd, "layers/0/w lr=2x, layers/2/* lr=1x", "near it are layers/0/weight");
  refuse(sgd, "*/mean lr=2x", "matches no parameter"); /* running statistics have no rate */
  refuse(sgd, "@matrix freeze", "matches no parameter");
  refuse(sgd, "head/*", "'head/*' is a pattern alone");
  refuse(sgd, "head/* freeze,,* lr=1x", "an empty rule");
  refuse(sgd, "head/* freeze,", "an empty rule");
  refuse(sgd, "head/* max_nrm=1", "there is no setting 'max_nrm', did you mean 'max_norm'; there");
  refuse(sgd, "head/* lr", "'lr' is no setting; lr takes a factor (10x)");
  refuse(sgd, "head/* lr=x", "'lr=x' is no setting");
  refuse(sgd, "head/* lr=1xx", "'lr=1xx' is no setting");
  refuse(sgd, "head/* lr=-1", "'lr=-1' is no setting");
  refuse(sgd, "head/* decay=nan", "'decay=nan' is no setting");
  refuse(sgd, "head/* decay=2x", "'decay=2x' is no setting");
  refuse(sgd, "head/* freeze=1", "'freeze=1' is no setting");
  refuse(sgd, "* freeze", "freezes every parameter");
  refuse("optimizer: {name: sgd, lr: 0}", "head/* lr=0.1", "the rate of head/weight is 0");
}

/* ---- what settings do -------------------------------------------------------------------------- */

static trm_real *gradient(const trm_params *params, uint64_t step) {
  trm_real *g = NULL;
  const trm_random_key key = trm_random_key_make(2, TRM_RANDOM_TEST, step, 0);
  CHECK_OK(TRM_ALLOC(&g, params->n_elements, "gradients"));
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      g[i] = (trm_real)trm_random_normal(key, 0, (uint64_t)i);
    }
  }
  return g;
}

static trm_real *copy_of(const trm_params *params) {
  trm_real *w = NULL;
  CHECK_OK(TRM_ALLOC(&w, params->n_elements, "weights"));
  memcpy(w, params->weights, (size_t)params->n_elements * sizeof *w);
  return w;
}

/* One step of SGD with `rules`: weights before and after, of parameter `row`. */
typedef struct moved {
  trm_config *config;
  trm_params *params;
  trm_optimizer *o;
  trm_real *g, *before;
  trm_step_info info;
} moved;

static moved move(const char *text, const char *rules) {
  moved m = {.config = config_of(text, rules), .params = make_params()};
  CHECK_OK(trm_optimizer_create(m.config, m.params, &m.o));
  m.g = gradient(m.params, 0);
  m.before = copy_of(m.params);
  trm_optimizer_step(m.o, m.g, 2, 0, &m.info);
  CHECK(m.info.finite);
  return m;
}

static void done(moved *m) {
  TRM_FREE(m->g);
  TRM_FREE(m->before);
  trm_optimizer_destroy(&m->o);
  trm_params_destroy(&m->params);
  trm_config_destroy(&m->config);
}

/* w - 0.5 times (g / 2 + l2 w), then shrunk. */
static void expect(const moved *m, int row, double times, double l2, double l1) {
  const trm_param *p = &m->params->rows[row];
  for (int64_t i = p->offset; i < p->offset + p->n; ++i) {
    const double w = (double)m->before[i], lr = 0.5 * times;
    const double v = w - lr * ((double)m->g[i] / 2 + l2 * w), by = lr * l1;
    const double want = v > by ? v - by : v < -by ? v + by : 0;
    if (!CHECK_NEAR_AT(m->params->weights[i], want, 1e-6 * (1 + fabs(w)), i)) return;
  }
}

static void test_settings(void) {
  moved m = move(sgd, "layers/* l2=0.1 lr=0.5x, @vectors l1=0.3, layers/0/weight lr=0.1 l2=0, "
                      "head/* freeze, head/* freeze=false");
  expect(&m, WTE, 1, 0, 0);
  expect(&m, WEIGHT, 0.2, 0, 0);
  expect(&m, BIAS, 0.5, 0.1, 0.3);
  expect(&m, KERNEL, 0.5, 0.1, 0);
  expect(&m, HEAD, 1, 0, 0);
  CHECK(trm_optimizer_makes_zeros(m.o));
  done(&m);
  /* For all matrices, and no vector. */
  m = move("{optimizer: {name: sgd, lr: 0.5, momentum: 0, weight_decay: 0, clip_norm: 0}, "
           "params: {l1: 0.4, l2: 0.2}}",
           "wte/* l1=0");
  expect(&m, WTE, 1, 0.2, 0);
  expect(&m, HEAD, 1, 0.2, 0.4);
  expect(&m, BIAS, 1, 0, 0);
  int64_t n = 0, n_zeros = 0;
  for (int r = 0; r < m.params->n_rows; ++r) {
    const trm_param *row = &m.params->rows[r];
    if (r != WEIGHT && r != KERNEL && r != HEAD) continue;
    n += row->n;
    for (int64_t i = 0; i < row->n; ++i) n_zeros += m.params->weights[row->offset + i] == 0;
  }
  CHECK(n_zeros > 5);
  CHECK_NEAR(trm_optimizer_zero_share(m.o), (double)n_zeros / (double)n, 1e-15);
  done(&m);
}

static void test_frozen(void) {
  moved m = move("optimizer: {name: adamw, weight_decay: 0.3, clip_norm: 1e-3, "
                 "gradient_noise: 0.1}",
                 "layers/0/* freeze, @heads freeze");
  double squares = 0;
  for (int r = 0; r < m.params->n_rows; ++r) {
    const trm_param *row = &m.params->rows[r];
    const bool still = r != WTE && r != KERNEL;
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      CHECK((m.params->weights[i] == m.before[i]) == still);
      CHECK((trm_optimizer_state(m.o, 0)[i] == 0) == still);
      if (!still) squares += (double)m.g[i] * (double)m.g[i];
    }
  }
  CHECK_NEAR(m.info.grad_norm, sqrt(squares) / 2, 1e-6 * sqrt(squares)); /* nor in the norm */
  done(&m);
}

/* Rows of [outputs, inputs], columns of [inputs, outputs], and a vector as a whole. */
static void test_max_norm(void) {
  moved m = move(sgd, "layers/* max_norm=0.7, head/* max_norm=100");
  const trm_param *p = &m.params->rows[WEIGHT], *k = &m.params->rows[KERNEL];
  for (int u = 0; u < 7; ++u) {
    double is = 0, was = 0;
    for (int i = 0; i < 5; ++i) {
      const int64_t at = p->offset + 5 * u + i;
      const double free_w = (double)m.before[at] - 0.25 * (double)m.g[at];
      is += pow((double)m.params->weights[at], 2);
      was += free_w * free_w;
    }
    CHECK_NEAR_AT(sqrt(is), fmin(sqrt(was), 0.7), 1e-6, u);
  }
  for (int u = 0; u < 4; ++u) {
    double is = 0;
    for (int i = 0; i < 9; ++i) is += pow((double)m.params->weights[k->offset + 4 * i + u], 2);
    CHECK(sqrt(is) < 0.7 + 1e-6);
  }
  expect(&m, HEAD, 1, 0, 0);
  expect(&m, WTE, 1, 0, 0);
  const trm_param *norm = &m.params->rows[NORM];
  double is = 0;
  for (int64_t i = 0; i < 7; ++i) is += pow((double)m.params->weights[norm->offset + i], 2);
  CHECK_NEAR(sqrt(is), 0.7, 1e-6);
  done(&m);
}

/* Normal numbers of the variance that the paper says, in each step others. */
static void test_noise(void) {
  const char *text = "{run: {seed: 3}, optimizer: {name: sgd, lr: 1, momentum: 0, weight_decay: 0, "
                     "clip_norm: 0, gradient_noise: 0.3}}";
  trm_config *config = config_of(text, "");
  double first = 0;
  for (int64_t step = 0; step < 200; step += 99) {
    trm_params *params = make_params();
    trm_optimizer *o = NULL;
    trm_step_info info;
    CHECK_OK(trm_optimizer_create(config, params, &o));
    trm_real *g = gradient(params, 0), *before = copy_of(params);
    trm_optimizer_step(o, g, 2, step, &info);
    const trm_param *row = &params->rows[WTE];
    double sum = 0, squares = 0;
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      const double z = (double)before[i] - (double)params->weights[i] - (double)g[i] / 2;
      sum += z;
      squares += z * z;
      if (i == row->offset) CHECK(z != first);
      if (i == row->offset) first = z;
    }
    const double n = (double)row->n, deviation = sqrt(0.3 / pow(1 + (double)step, 0.55));
    CHECK_NEAR(sum / n, 0, 5 * deviation / sqrt(n));
    CHECK_NEAR(sqrt(squares / n), deviation, 0.03 * deviation);
    int64_t n_all = 0;
    for (int64_t i = 0; i < params->n_elements; ++i) n_all += params->weights[i] != 0;
    CHECK(n_all <= params->n_weights); /* padding stays 0 */
    TRM_FREE(g);
    TRM_FREE(before);
    trm_optimizer_destroy(&o);
    trm_params_destroy(&params);
  }
  trm_config_destroy(&config);
}

/* Three ranks that share out the state, cut inside rows and outputs, make the bits of one. */
static void test_shared(const char *name) {
  enum { RANKS = 3, STEPS = 4 };
  trm_config *config = config_of("optimizer: {gradient_noise: 0.01, clip_norm: 1}",
                                 "wte/* lr=2x l2=0.1 l1=0.05 max_norm=15, @vectors decay=0.2, "
                                 "layers/0/* freeze");
  char text[64];
  (void)snprintf(text, sizeof text, "optimizer.name=%s", name);
  CHECK_OK(trm_config_set(config, text));
  trm_params *whole = make_params(), *params[RANKS];
  trm_optimizer *one = NULL, *ranks[RANKS] = {NULL};
  CHECK_OK(trm_optimizer_create(config, whole, &one));
  for (int r = 0; r < RANKS; ++r) {
    params[r] = make_params();
    CHECK_OK(trm_optimizer_create_share(config, params[r], r, RANKS, &ranks[r]));
  }
  const trm_stripes stripes = trm_optimizer_stripes(ranks[0]);
  for (int step = 0; step < STEPS; ++step) {
    trm_real *g = gradient(whole, (uint64_t)step);
    trm_step_info info;
    double sums[16], squares = 0;
    CHECK(stripes.n <= 16 * TRM_CHUNK);
    trm_optimizer_sum_squares_chunks(one, sums, g, 0, stripes.n);
    for (int64_t k = 0; k * TRM_CHUNK < stripes.n; ++k) squares += sums[k];
    trm_threads_set(1 + step % 3);
    trm_optimizer_step(one, g, 3, step, &info);
    for (int r = 0; r < RANKS; ++r) trm_optimizer_apply(ranks[r], g, squares, 3, step, &info);
    for (int r = 0; r < RANKS; ++r) { /* as parallel/sharded.c gathers them */
      TRM_FOR_STRIPES(&stripes, r, begin, end) {
        for (int to = 0; to < RANKS; ++to) {
          memcpy(params[to]->weights + begin, params[r]->weights + begin,
                 (size_t)(end - begin) * sizeof(trm_real));
        }
      }
    }
    for (int r = 0; r < RANKS; ++r) {
      trm_optimizer_limit_norms(ranks[r]);
      CHECK_EQ(trm_params_hash(params[r]), trm_params_hash(whole));
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

int main(void) {
  trm_math_init();
  trm_threads_set(2);
  test_patterns();
  test_matches();
  test_refused();
  test_settings();
  test_frozen();
  test_max_norm();
  test_noise();
  test_shared("adamw");
  test_shared("sgd");
  test_shared("lion");
  return check_verdict();
}
