/* Averages of weights against plain loops in double, and the view on them. */
#include <stdlib.h>
#include <string.h>

#include "average.h"
#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/train/keys.h"

enum { N = 37, N_BUFFER = 5, N_STEPS = 40 };

typedef struct fixture {
  trm_config *config;
  trm_params *params;
  trm_average *average;
  int weight, buffer; /* rows */
} fixture;

static fixture make(const char *sets) {
  fixture f = {0};
  char words[256], *rest = words;
  CHECK_OK(trm_program_config(&f.config));
  (void)snprintf(words, sizeof words, "%s", sets);
  for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
    CHECK_OK(trm_config_set(f.config, word));
  }
  CHECK_OK(trm_params_create(&f.params));
  CHECK_OK(trm_params_add(f.params, &f.weight, 1, (int64_t[]){N}, TRM_INIT_ZERO, 0, true, "w"));
  CHECK_OK(trm_params_add_buffer(f.params, &f.buffer, N_BUFFER, TRM_INIT_ONE, "mean"));
  CHECK_OK(trm_params_seal(f.params));
  CHECK_OK(trm_average_create(f.config, f.params, &f.average));
  return f;
}

static void release(fixture *f) {
  trm_average_destroy(&f->average);
  trm_params_destroy(&f->params);
  trm_config_destroy(&f->config);
}

static trm_real *row_of(const fixture *f, trm_real *flat, int row) {
  return flat + f->params->rows[row].offset;
}

static void draw(const fixture *f, int step) {
  const trm_random_key key = trm_random_key_make(3, TRM_RANDOM_TEST, (uint64_t)step, 0);
  for (int r = 0; r < f->params->n_rows; ++r) {
    trm_real *w = row_of(f, f->params->weights, r);
    for (int64_t i = 0; i < f->params->rows[r].n; ++i) {
      w[i] = (trm_real)trm_random_normal(key, (uint64_t)r, (uint64_t)i);
    }
  }
}

/* The formula: the first weights, then a share of the difference. */
static void test_ema(bool warmup, double decay) {
  char sets[128];
  double plain[N + N_BUFFER];
  (void)snprintf(sets, sizeof sets, "average.kind=ema average.decay=%g average.warmup=%s", decay,
                 warmup ? "true" : "false");
  fixture f = make(sets);
  CHECK(!trm_average_any(f.average));
  for (int t = 0; t < N_STEPS; ++t) {
    draw(&f, t);
    trm_average_observe(f.average, f.params, t + 1);
    const double early = (1.0 + t) / (10.0 + t);
    const double kept = warmup && early < decay ? early : decay;
    for (int i = 0; i < N + N_BUFFER; ++i) {
      const double w = (double)(i < N ? row_of(&f, f.params->weights, f.weight)[i]
                                      : row_of(&f, f.params->weights, f.buffer)[i - N]);
      plain[i] = t == 0 ? w : kept * plain[i] + (1 - kept) * w;
    }
  }
  CHECK_EQ(f.average->n_updates, N_STEPS);
  CHECK(!trm_average_wants_statistics(f.average));
  for (int i = 0; i < N; ++i) {
    CHECK_NEAR(row_of(&f, f.average->weights, f.weight)[i], plain[i], 1e-6);
  }
  for (int i = 0; i < N_BUFFER; ++i) {
    CHECK_NEAR(row_of(&f, f.average->weights, f.buffer)[i], plain[N + i], 1e-6);
  }
  release(&f);
}

/* The mean of every third of the second half; running statistics are those of the first ones. */
static void test_swa(void) {
  double sums[N] = {0}, first[N_BUFFER] = {0};
  int n = 0;
  fixture f = make("train.steps=40 average.kind=swa average.from=0.5 average.every=3");
  for (int t = 1; t <= N_STEPS; ++t) {
    draw(&f, t);
    trm_average_observe(f.average, f.params, t);
    if (t <= 20 || (t - 20) % 3 != 0) continue;
    for (int i = 0; i < N; ++i) sums[i] += (double)row_of(&f, f.params->weights, f.weight)[i];
    for (int i = 0; n == 0 && i < N_BUFFER; ++i) {
      first[i] = (double)row_of(&f, f.params->weights, f.buffer)[i];
    }
    ++n;
  }
  CHECK_EQ(f.average->n_updates, n);
  CHECK_EQ(n, 6);
  CHECK(trm_average_wants_statistics(f.average));
  for (int i = 0; i < N; ++i) {
    CHECK_NEAR(row_of(&f, f.average->weights, f.weight)[i], sums[i] / n, 1e-6);
  }
  for (int i = 0; i < N_BUFFER; ++i) {
    CHECK_NEAR(row_of(&f, f.average->weights, f.buffer)[i], first[i], 0);
  }
  release(&f);
}

/* The table shows the average, and the weights are as they were. */
static void test_view(void) {
  fixture f = make("average.kind=ema");
  draw(&f, 1);
  trm_average_observe(f.average, f.params, 1);
  draw(&f, 2);
  trm_real *weights = f.params->weights;
  const uint64_t before = trm_params_hash(f.params),
                 average = trm_average_hash(f.average, f.params);
  CHECK(before != average);
  trm_average_show(f.average, f.params);
  CHECK(trm_params_hash(f.params) == average);
  trm_average_hide(f.average, f.params);
  CHECK(f.params->weights == weights);
  CHECK(trm_params_hash(f.params) == before);
  release(&f);
}

/* Counters come back; where the average begins is what the run began with. */
static void test_facts(void) {
  bool stale;
  trm_facts facts = {0};
  fixture f = make("train.steps=40 average.kind=swa average.from=0.5");
  draw(&f, 1);
  trm_average_observe(f.average, f.params, 21);
  CHECK_OK(trm_average_keep(f.average, f.params, &facts));
  CHECK(trm_average_in(&facts, &stale));
  CHECK(stale);
  fixture longer = make("train.steps=80 average.kind=swa average.from=0.5");
  CHECK_EQ(longer.average->from, 40);
  trm_average_restore(&facts, longer.average);
  CHECK_EQ(longer.average->from, 20);
  CHECK_EQ(longer.average->n_updates, 1);
  trm_facts_free(&facts);
  CHECK(!trm_average_in(&facts, &stale));
  release(&f);
  release(&longer);
  f = make("average.kind=none");
  CHECK(!f.average);
  CHECK(!trm_average_any(f.average));
  release(&f);
}

int main(void) {
  test_ema(false, 0.9);
  test_ema(true, 0.9);
  test_ema(true, 0.999);
  test_swa();
  test_view();
  test_facts();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
