/* The user's own optimizer (optim_probe.c): what it is given, by shares and all at once, and that only
 * trm_plugins_load brings it in. The path of the library is in OPTIM_PROBE. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/optim/optim.h"
#include "trireme/optim/plugins.h"

enum { STEPS = 3, SHARES = 3 };

static trm_config *config_of(const char *settings) {
  trm_config_parts parts = {0};
  trm_config *config = NULL;
  char text[1024];
  trm_optim_parts(&parts);
  (void)snprintf(text, sizeof text,
                 "optimizer: {name: plugin, plugin: '%s', plugin_settings: '%s', lr: 0.5, "
                 "weight_decay: 0.25, clip_norm: 0}\nschedule: {name: constant, warmup_steps: 0}",
                 OPTIM_PROBE, settings);
  CHECK_OK(trm_config_create(&parts, &config));
  CHECK_OK(trm_config_read_text(config, text, "test"));
  return config;
}

/* Long enough that chunks and shares cut rows, and with padding between them. */
static trm_params *make_params(void) {
  trm_params *params = NULL;
  int row;
  CHECK_OK(trm_params_create(&params));
  CHECK_OK(trm_params_add(params, &row, 2, (int64_t[]){70, 71}, TRM_INIT_NORMAL, 1, true, "a"));
  CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){9001}, TRM_INIT_NORMAL, 1, false, "b"));
  CHECK_OK(trm_params_add_buffer(params, &row, 3, TRM_INIT_ONE, "c"));
  CHECK_OK(trm_params_add(params, &row, 1, (int64_t[]){4999}, TRM_INIT_NORMAL, 1, true, "d"));
  CHECK_OK(trm_params_seal(params));
  trm_params_init(params, 5);
  return params;
}

static trm_real *make_grads(const trm_params *params) {
  trm_real *g = NULL;
  const trm_random_key key = trm_random_key_make(2, TRM_RANDOM_TEST, 0, 0);
  CHECK_OK(TRM_ALLOC(&g, params->n_elements, "gradients"));
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    for (int64_t i = row->offset; i < row->offset + row->n; ++i) {
      g[i] = (trm_real)trm_random_normal(key, 0, (uint64_t)i);
    }
  }
  return g;
}

/* Element i of a row after STEPS updates, where it is updated by itself; count is 2. */
static trm_real plain(const trm_param *row, trm_real w, trm_real g, int64_t i, trm_real rho) {
  trm_real state = (trm_real)(i + 1);
  const trm_real decay = row->decay ? (trm_real)0.25 : 0;
  for (int t = 0; t < STEPS; ++t) {
    state = rho * state + g * (trm_real)0.5;
    w -= (trm_real)0.5 * (state + decay * w + (trm_real)t);
  }
  return w;
}

static void check_elements(const trm_params *params, const trm_params *before, const trm_real *g,
                           trm_real rho) {
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    const int64_t end = r > 0 ? params->rows[r - 1].offset : params->n_elements;
    for (int64_t i = row->offset + row->n; i < end; ++i) CHECK(params->weights[i] == 0);
    if (row->n_dims != 1 || row->buffer) continue;
    for (int64_t i = 0; i < row->n; ++i) {
      const int64_t at = row->offset + i;
      if (!CHECK(params->weights[at] == plain(row, before->weights[at], g[at], i, rho))) return;
    }
  }
}

/* All at once against the formula; then shares of three, one after the other, against that. */
static void test_updates(const char *settings, trm_real rho) {
  trm_config *config = config_of(settings);
  trm_params *before = make_params(), *params = make_params(), *shared = make_params();
  trm_real *g = make_grads(params);
  trm_optimizer *whole = NULL, *shares[SHARES] = {NULL};
  trm_step_info info;
  CHECK_OK(trm_plugins_load(config));
  CHECK_OK(trm_optimizer_create(config, params, &whole));
  CHECK(trm_optimizer_is_plugged(whole));
  CHECK_EQ(trm_optimizer_n_states(whole), 2);
  CHECK_STR(trm_optimizer_state_name(whole, 1), "s");
  CHECK(trm_optimizer_mover(whole, 0) == 0 && trm_optimizer_mover(whole, 1) == -1);
  CHECK(trm_optimizer_state(whole, 1)[params->rows[3].offset] == (trm_real)'d');
  double squares = 0;
  for (int t = 0; t < STEPS; ++t) {
    trm_optimizer_step(whole, g, 2, t, &info);
    CHECK(info.finite);
    squares = info.grad_norm * 2;
    squares *= squares;
  }
  check_elements(params, before, g, rho);
  for (int s = 0; s < SHARES; ++s) {
    CHECK_OK(trm_optimizer_create_share(config, shared, s, SHARES, &shares[s]));
  }
  const trm_stripes stripes = trm_optimizer_stripes(shares[0]);
  for (int t = 0; t < STEPS; ++t) {
    for (int s = 0; s < SHARES; ++s) trm_optimizer_apply(shares[s], g, squares, 2, t, &info);
    for (int s = 1; s < SHARES; ++s) { /* what ranks gather */
      TRM_FOR_STRIPES(&stripes, s, begin, end) {
        memcpy(trm_optimizer_directions(shares[0]) + begin,
               trm_optimizer_directions(shares[s]) + begin, (size_t)(end - begin) * sizeof *g);
      }
    }
    for (int s = 0; s < SHARES; ++s) {
      memcpy(trm_optimizer_directions(shares[s]), trm_optimizer_directions(shares[0]),
             (size_t)shared->n_elements * sizeof *g);
      trm_optimizer_move(shares[s], info.lr);
    }
  }
  CHECK_EQ(trm_params_hash(shared), trm_params_hash(params));
  for (int s = 0; s < SHARES; ++s) trm_optimizer_destroy(&shares[s]);
  trm_optimizer_destroy(&whole);
  TRM_FREE(g);
  trm_params_destroy(&before);
  trm_params_destroy(&params);
  trm_params_destroy(&shared);
  trm_config_destroy(&config);
}

/* A configuration that names a library has none until it is told to load it. */
static void test_not_loaded(void) {
  trm_config *config = config_of("");
  trm_params *params = make_params();
  trm_optimizer *optimizer = NULL;
  trm_plugin_identity identity;
  CHECK_EQ(trm_optimizer_check(config), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "never loaded from a path in a checkpoint");
  CHECK_EQ(trm_optimizer_create(config, params, &optimizer), TRM_ERR_CONFIG);
  CHECK(optimizer == NULL && !trm_plugin_identify(config, "optimizer.plugin", &identity));
  CHECK(trm_plugins_digest(config) == 0);
  CHECK_OK(trm_plugins_load(config));
  CHECK_OK(trm_plugins_load(config)); /* again: the first one is let go */
  CHECK(trm_plugin_identify(config, "optimizer.plugin", &identity));
  CHECK_STR(identity.name, "probe");
  CHECK(trm_plugins_digest(config) != 0);
  CHECK_OK(trm_config_set(config, "schedule.name=plugin"));
  CHECK_OK(trm_config_set(config, "schedule.plugin=x"));
  CHECK_EQ(trm_schedule_check(config), TRM_ERR_CONFIG);
  trm_params_destroy(&params);
  trm_config_destroy(&config);
}

int main(void) {
  test_updates("", (trm_real)0.5);
  test_updates("rho = 0.25", (trm_real)0.25);
  test_not_loaded();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
