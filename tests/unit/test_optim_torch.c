/*
 * 200 steps of every optimizer, and the rates of every schedule, in double against PyTorch's;
 * tests/golden/optimizers_torch.py wrote optimizers_values.csv and says how both sides make what is
 * given. Promised are 1e-9.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"
#include "trireme/optim/optim.h"

static const char values_path[] = TRM_SOURCE_DIR "/tests/golden/optimizers_values.csv";
static const double tolerance = 1e-9;

enum { PARAMETERS = 9 };

/* Wellons' lowbias32 of the index and the array's number, its upper half, in [-1/2, 1/2). */
static double given(int64_t number, int64_t index) {
  uint32_t h = (uint32_t)index * 0x9E3779B1U + (uint32_t)number * 0x01000193U;
  h ^= h >> 16;
  h *= 0x7FEB352DU;
  h ^= h >> 15;
  h *= 0x846CA68BU;
  return (h >> 16) / 65536.0 - 0.5;
}

/* ---- the optimizer under test ----------------------------------------------------------------- */

typedef struct bench {
  trm_config *config;
  trm_params *params;
  trm_optimizer *optimizer;
  trm_real *grads; /* [n_elements] */
  int64_t step;
} bench;

static void add(trm_params *params, const char *name, int n_dims, int64_t rows, int64_t columns) {
  int row;
  CHECK_OK(trm_params_add(params, &row, n_dims, (int64_t[]){rows, columns}, TRM_INIT_ZERO, 0,
                          n_dims > 1, "%s", name));
  if (strcmp(name, "kernel") == 0) trm_params_mark_by_inputs(params, row);
  if (strcmp(name, "embedding") == 0) trm_params_mark(params, row, TRM_ROLE_EMBEDDING);
  if (strcmp(name, "head") == 0) trm_params_mark(params, row, TRM_ROLE_HEAD);
  if (strcmp(name, "joint") == 0) trm_params_mark_stacked(params, row, 3);
  if (strcmp(name, "pair") == 0) trm_params_mark_stacked(params, row, 2);
  if (strcmp(name, "vector") == 0) trm_params_mark(params, row, TRM_ROLE_HIDDEN);
}

/* PARAMETERS of the script. */
static trm_params *make_params(void) {
  trm_params *params = NULL;
  CHECK_OK(trm_params_create(&params));
  add(params, "wide", 2, 5, 9);
  add(params, "tall", 2, 8, 3);
  add(params, "kernel", 2, 6, 4);
  add(params, "square", 2, 4, 4);
  add(params, "embedding", 2, 7, 3);
  add(params, "vector", 1, 11, 1);
  add(params, "head", 2, 3, 5);
  add(params, "joint", 2, 12, 5);
  add(params, "pair", 2, 10, 4);
  CHECK_OK(trm_params_seal(params));
  for (int p = 0; p < PARAMETERS; ++p) {
    trm_real *w = params->weights + params->rows[p].offset;
    for (int64_t i = 0; i < params->rows[p].n; ++i) w[i] = (trm_real)given(p, i);
  }
  return params;
}

static trm_config *make_config(const char *text) {
  trm_config_parts parts = {0};
  trm_config *config = NULL;
  trm_optim_parts(&parts);
  CHECK_OK(trm_config_create(&parts, &config));
  CHECK_OK(trm_config_read_text(config, text, "values"));
  return config;
}

static bool open_bench(bench *b, const char *text) {
  char full[1024];
  const char *schedule =
      strstr(text, "schedule:") ? "" : ", schedule: {name: constant, warmup_steps: 0}";
  (void)snprintf(full, sizeof full, "{%s%s}", text, schedule);
  *b = (bench){.config = make_config(full), .params = make_params()};
  CHECK_OK(trm_config_set(b->config, "optimizer.clip_norm=0"));
  CHECK_OK(trm_optimizer_check(b->config));
  CHECK_OK(trm_schedule_check(b->config));
  CHECK_OK(trm_config_check(b->config));
  CHECK_OK(TRM_ALLOC(&b->grads, b->params->n_elements, "gradients"));
  return CHECK_OK(trm_optimizer_create(b->config, b->params, &b->optimizer));
}

static void close_bench(bench *b) {
  trm_optimizer_destroy(&b->optimizer);
  trm_params_destroy(&b->params);
  trm_config_destroy(&b->config);
  TRM_FREE(b->grads);
}

/* Steps until `n_steps` are made. */
static void go_on(bench *b, int64_t n_steps) {
  for (; b->step < n_steps; ++b->step) {
    trm_step_info info;
    for (int p = 0; p < PARAMETERS; ++p) {
      const trm_param *row = &b->params->rows[p];
      const trm_real *w = b->params->weights + row->offset;
      for (int64_t i = 0; i < row->n; ++i) {
        const double slope = (given(100 + p, i) + 1) * ((double)w[i] - given(200 + p, i));
        b->grads[row->offset + i] = (trm_real)(slope + given(1000 + 10 * b->step + p, i) / 2);
      }
    }
    trm_optimizer_step(b->optimizer, b->grads, 1, b->step, &info);
    CHECK(info.finite);
  }
}

static const trm_param *find_row(const trm_params *params, const char *name) {
  for (int i = 0; i < params->n_rows; ++i) {
    if (strcmp(params->rows[i].name, name) == 0) return &params->rows[i];
  }
  CHECK(false);
  return &params->rows[0];
}

/* ---- schedules -------------------------------------------------------------------------------- */

/* What the k-th evaluation gives, and what it is when more of it is better. */
static double observed(int64_t k, bool score) {
  const double value = 2 / (1 + (double)k / 5) + 0.3 * given(7, k);
  return score ? -(5 - value) : value;
}

/* "RATE RATE ...": of steps from 0, or after evaluations. */
static bool compare_rates(const trm_config *config, bool follows, bool score, char *line) {
  trm_schedule_state state = {0};
  char *rest = line;
  int64_t n = 0;
  bool same = CHECK(follows == trm_schedule_follows(config));
  for (char *word; (word = strtok_r(rest, " \n", &rest)) != NULL; ++n) {
    if (follows) trm_schedule_observe(config, &state, observed(n, score));
    const double want = strtod(word, NULL), got = trm_schedule_lr_after(config, &state, n);
    same &= CHECK_NEAR_AT(got, want, tolerance * want + 1e-16, n);
  }
  return CHECK(n > 100) && same;
}

/* ---- lines of the file ------------------------------------------------------------------------ */

/* "STEP;PARAMETER;INDEX:VALUE INDEX:VALUE ..." */
static bool compare_weights(bench *b, char *line) {
  char *rest = line;
  const long long step = atoll(strtok_r(rest, ";", &rest));
  const trm_param *row = find_row(b->params, strtok_r(rest, ";", &rest));
  bool same = true;
  go_on(b, step);
  for (char *word; (word = strtok_r(rest, " \n", &rest)) != NULL;) {
    char *end;
    const long long i = strtoll(word, &end, 10);
    const double want = strtod(end + 1, NULL);
    same &= CHECK_NEAR_AT(b->params->weights[row->offset + i], want, tolerance, i);
  }
  if (!same) fprintf(stderr, "  %s after step %lld\n", row->name, step);
  return same;
}

static void check_file(FILE *file) {
  char *line = NULL, name[64] = "";
  size_t capacity = 0;
  int n_optimizers = 0, n_schedules = 0;
  bool follows = false;
  bench b = {0};
  while (getline(&line, &capacity, file) > 0) {
    char *rest = line;
    if (line[0] == '#') continue;
    const char *what = strtok_r(rest, ";", &rest);
    bool good = true;
    if (strcmp(what, "weights") == 0) {
      good = compare_weights(&b, rest);
    } else if (strcmp(what, "rates") == 0) {
      good = compare_rates(b.config, follows, strstr(name, "score") != NULL, rest);
    } else {
      close_bench(&b);
      (void)snprintf(name, sizeof name, "%s", strtok_r(rest, ";", &rest));
      if (!open_bench(&b, strtok_r(rest, ";\n", &rest))) break;
      follows = strcmp(what, "plateau") == 0;
      n_optimizers += strcmp(what, "optimizer") == 0;
      n_schedules += strcmp(what, "optimizer") != 0;
    }
    if (!good) fprintf(stderr, "  of %s\n", name);
  }
  close_bench(&b);
  free(line);
  CHECK(n_optimizers >= 25);
  CHECK(n_schedules >= 17);
}

int main(void) {
  trm_math_init();
  trm_threads_set(1);
  CHECK_OK(trm_gemm_select("openblas"));
  FILE *file = fopen(values_path, "r");
  if (CHECK(file != NULL)) {
    check_file(file);
    (void)fclose(file);
  }
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
