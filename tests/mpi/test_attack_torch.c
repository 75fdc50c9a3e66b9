/*
 * A step of training against attacks on 1 to 3 ranks: losses and gradients of a small network against
 * PyTorch's; tests/golden/attack_torch.py wrote attack_values.csv and says how both sides make what is
 * given.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adversary.h"
#include "check.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"
#include "trireme/train/keys.h"

enum { N = 7, FEATURES = 6, CLASSES = 4, BLOCKS = 3, MOST = 512 };

static const char values_path[] = TRM_SOURCE_DIR "/tests/golden/attack_values.csv";
static const double tolerance = 2e-6; /* promised are 1e-5, seen are 3e-7 */

static trm_comm *comm;
static float x[N * FEATURES];
static int32_t targets[N], ids[N];

/* ---- what is given and expected ---------------------------------------------------------------- */

/* Wellons' lowbias32 of the index and the array's number, its upper half. */
static uint32_t hashed(uint32_t number, uint32_t index) {
  uint32_t h = index * 0x9E3779B1U + number * 0x01000193U;
  h ^= h >> 16;
  h *= 0x7FEB352DU;
  h ^= h >> 15;
  h *= 0x846CA68BU;
  return h >> 16;
}

static void give(float *to, uint32_t number, double base, double scale, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    to[i] = (float)(base + scale * (hashed(number, (uint32_t)i) / 65536.0 - 0.5));
  }
}

typedef struct expected {
  char name[24], array[40];
  int index;
  double value;
} expected;
static expected wanted[MOST];
static int n_wanted;

static void read_expectations(void) {
  char line[256];
  FILE *file = fopen(values_path, "r");
  if (!CHECK(file != NULL)) return;
  while (n_wanted < MOST && fgets(line, sizeof line, file)) {
    expected *e = &wanted[n_wanted];
    if (sscanf(line, "%23[^,],%39[^,],%d,%lf", e->name, e->array, &e->index, &e->value) == 4) {
      ++n_wanted;
    }
  }
  (void)fclose(file);
}

/* ---- one step ---------------------------------------------------------------------------------- */

typedef struct trial {
  const char *name, *keys;
  bool clipped;
} trial;

static trm_config *config_of(const trial *t) {
  char words[320], *rest = words;
  trm_config *config = NULL;
  CHECK_OK(trm_program_config(&config));
  (void)snprintf(
      words, sizeof words,
      "data.path=none model.kind=mlp model.layers=2 model.width=5 model.activation=gelu %s",
      t->keys);
  for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
    CHECK_OK(trm_config_set(config, word));
  }
  trm_config_tell(config, "data", "graph");
  CHECK_OK(trm_config_check(config));
  return config;
}

static trm_graph_batch rows_of(int64_t first, int64_t n, bool dry) {
  return (trm_graph_batch){.features = {.n_rows = n,
                                        .n_features = FEATURES,
                                        .dense = dry ? NULL : x + first * FEATURES,
                                        .ids = ids + first},
                           .targets = targets + first};
}

static trm_status run_blocks(const trial *t, trm_adversary *adversary, trm_gradsync *sync) {
  int64_t first_block, n_local;
  trm_gradsync_blocks(sync, &first_block, &n_local);
  for (int64_t i = 0; i < n_local; ++i) {
    int64_t first, n;
    trm_share(N, BLOCKS, first_block + i, &first, &n);
    const int64_t samples[N] = {0};
    const trm_graph_batch graph = rows_of(first, n, false);
    const trm_pass pass = {.training = true, .seed = 3, .step = 7, .sample0 = first};
    const trm_attacked on = {.rows = trm_sequences_equal(n, 1),
                             .width = trm_adversary_width(adversary),
                             .clean = t->clipped ? graph.features.dense : NULL,
                             .sample0 = first};
    TRM_TRY(trm_adversary_block(adversary, sync, i, &pass, &(trm_batch){.graph = &graph}, &on,
                                samples, n));
  }
  return TRM_OK;
}

static void compare(const trial *t, const trm_params *params, const trm_gradsync_result *r) {
  int n = 0;
  CHECK_NEAR(r->count, N, 0);
  for (int k = 0; k < n_wanted; ++k) {
    const expected *e = &wanted[k];
    if (strcmp(e->name, t->name) != 0) continue;
    double got = r->loss_sum;
    for (int p = 0; p < params->n_rows; ++p) {
      if (strcmp(params->rows[p].name, e->array) == 0) {
        got = (double)r->grads[params->rows[p].offset + e->index];
      }
    }
    if (!CHECK_NEAR_AT(got, e->value, tolerance * (1 + fabs(e->value)), e->index)) {
      fprintf(stderr, "  %s, %s\n", t->name, e->array);
    }
    ++n;
  }
  CHECK_EQ(n, params->n_weights + 1);
}

static void run_trial(const trial *t) {
  trm_config *config = config_of(t);
  const trm_model_dims dims = {.n_outputs = CLASSES, .n_features = FEATURES};
  const trm_gradsync_options options = {
      .engine = "canonical", .progress = "poll", .n_blocks = BLOCKS, .shared_window = true};
  const trm_graph_batch bounds = rows_of(0, N, true);
  trm_learner learner;
  trm_adversary *adversary = NULL;
  trm_gradsync *sync = NULL;
  trm_gradsync_result result;
  CHECK_OK(trm_learner_create(config, &dims, false, 0, 1, &learner));
  for (int p = 0; p < learner.params->n_rows; ++p) {
    const trm_param *row = &learner.params->rows[p];
    give(learner.params->weights + row->offset, (uint32_t)p, 0, 2, row->n);
  }
  CHECK_OK(trm_adversary_create(comm, config, &dims, &learner, (trm_pass){.bounds = true},
                                &(trm_batch){.graph = &bounds}, N, &adversary));
  CHECK_OK(trm_tape_reserve(learner.tape));
  CHECK_OK(trm_gradsync_create(comm, learner.params, &options, &sync));
  for (int twice = 0; twice < 2; ++twice) { /* nothing is left of the step before, or allocated */
    const int64_t before = trm_alloc_counts_get().total_blocks;
    const trm_status status = run_blocks(t, adversary, sync);
    if (twice) CHECK_EQ(trm_alloc_counts_get().total_blocks, before);
    CHECK_OK(trm_gradsync_finish(sync, status, false, &result));
    CHECK_EQ(result.n_failed, 0);
    compare(t, learner.params, &result);
  }
  trm_gradsync_destroy(&sync);
  trm_adversary_destroy(&adversary);
  trm_learner_destroy(&learner);
  trm_config_destroy(&config);
}

#define KEYS(method, more) "adversarial.method=" method " adversarial." more

int main(int argc, char **argv) {
  static const trial trials[] = {
      {"fgsm", KEYS("fgsm", "eps=0.1"), true},
      {"pgd",
       KEYS("pgd", "eps=0.6 adversarial.steps=5 adversarial.step_size=0.17 adversarial.start=none"),
       true},
      {"pgd-2", KEYS("pgd", "eps=0.5 adversarial.steps=5 adversarial.norm=2"), true},
      {"pgd-random", KEYS("pgd", "eps=0.2 adversarial.steps=4"), false},
      {"trades", KEYS("trades", "eps=0.1 adversarial.steps=5"), false},
      {"freelb", KEYS("freelb", "eps=0.5 adversarial.steps=3 adversarial.step_size=0.5"), false},
  };
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return 1;
  trm_math_init();
  trm_threads_set(1);
  CHECK_OK(trm_gemm_select("native"));
  give(x, 10, 0.5, 1, N * FEATURES);
  for (int i = 0; i < N; ++i) {
    targets[i] = (int32_t)(hashed(11, (uint32_t)i) % CLASSES);
    ids[i] = i;
  }
  read_expectations();
  for (size_t i = 0; i < sizeof trials / sizeof *trials; ++i) run_trial(&trials[i]);
  const int verdict = check_verdict();
  trm_comm_finalize(&comm);
  return verdict;
}
