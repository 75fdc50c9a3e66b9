/*
 * Proposals of TPE have the distribution of Optuna's after the same trials; tests/golden/tpe_optuna.py wrote
 * tpe_optuna.csv and says how. And the course of a search: the same for any order of results within the
 * window, promotions, ends.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/train/lab/importance.h"
#include "../../src/train/lab/tuning.h"
#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"
#include "trireme/io/files.h"

static const char values_path[] = TRM_SOURCE_DIR "/tests/golden/tpe_optuna.csv";

enum { N = 1500, QUANTILES = 40, MOST_TRIALS = 100 };
/* By as much 1500 and 4000 proposals of one distribution differ in 1 of 1000 comparisons. */
static const double tolerance = 0.059;

/* ---- against Optuna -------------------------------------------------------------------------- */

/* The space of tpe_optuna.py. */
static void make_space(trm_space *s) {
  static const char *const names[] = {"a", "b", "c"};
  *s = (trm_space){.n = 6, .path = "space"};
  s->parameters[0] =
      (trm_parameter){.key = "rate", .low = 1e-5, .high = 1e-1, .log = true, .parent = -1};
  s->parameters[1] = (trm_parameter){.key = "beta", .high = 0.99, .parent = -1};
  s->parameters[2] = (trm_parameter){.key = "batch",
                                     .kind = TRM_PARAMETER_INT,
                                     .low = 8,
                                     .high = 512,
                                     .step = 1,
                                     .log = true,
                                     .parent = -1};
  s->parameters[3] = (trm_parameter){
      .key = "layers", .kind = TRM_PARAMETER_INT, .low = 1, .high = 9, .step = 2, .parent = -1};
  s->parameters[4] = (trm_parameter){.key = "kind",
                                     .kind = TRM_PARAMETER_CHOICE,
                                     .high = 2,
                                     .step = 1,
                                     .n_choices = 3,
                                     .parent = -1};
  memcpy(s->parameters[4].choices, names, sizeof names);
  s->parameters[5] = (trm_parameter){.key = "momentum", .high = 1, .parent = -1};
  s->search = (trm_search_options){
      .startup = 10, .candidates = 24, .parallel = 1, .rungs = 1, .eta = 4, .trials = 20};
}

static double number(const char *text) {
  double value = (double)NAN;
  (void)trm_real_parse(text, &value);
  return value;
}

static void take_trial(char *line, trm_trial *t) {
  char *rest = NULL;
  const char *state = strtok_r(line, ",", &rest);
  t->state = strcmp(state, "complete") == 0 ? TRM_TRIAL_COMPLETE
             : strcmp(state, "pruned") == 0 ? TRM_TRIAL_PRUNED
                                            : TRM_TRIAL_UNDER_WAY;
  t->cost = number(strtok_r(NULL, ",", &rest));
  t->reached = number(strtok_r(NULL, ",", &rest));
  for (int i = 0; i < 6; ++i) {
    const char *text = strtok_r(NULL, ",", &rest);
    t->values[i] = i == 4 ? text[0] - 'a' : number(text);
  }
}

static int rising(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double share_up_to(const double *sorted, double x) {
  int n = 0;
  while (n < N && sorted[n] <= x) ++n;
  return (double)n / N;
}

/* Their quantiles lie where ours do. */
static void compare_numbers(const double *drawn, char *said, const char *key) {
  static double sorted[N];
  char *rest = NULL;
  memcpy(sorted, drawn, sizeof sorted);
  qsort(sorted, N, sizeof *sorted, rising);
  double before = -HUGE_VAL;
  for (int q = 0; q <= QUANTILES; ++q) {
    const double x = number(strtok_r(q == 0 ? said : NULL, ",", &rest));
    const double share = (double)q / QUANTILES;
    if (x == before) continue; /* of whole numbers: their last equal quantile counts */
    before = x;
    /* Theirs below x is less than the share, and up to x at least that. */
    const double up_to = share_up_to(sorted, x * (1 + 1e-9)),
                 below = share_up_to(sorted, x * (1 - 1e-9));
    if (!CHECK(up_to > share - tolerance) || !CHECK(below < share + tolerance)) {
      (void)fprintf(stderr, "%s: quantile %g at %g, ours from %g to %g\n", key, share, x, below,
                    up_to);
    }
  }
}

static void compare_choices(const double *drawn, char *said) {
  char *rest = NULL;
  for (int c = 0; c < 3; ++c) {
    int n = 0;
    for (int i = 0; i < N; ++i) n += drawn[i] == c;
    CHECK_NEAR((double)n / N, number(strtok_r(c == 0 ? said : NULL, ",", &rest)), tolerance);
  }
}

/* Proposals of every parameter after trials[n]. */
static double drawn[6][N];
static void draw(const trm_space *space, const trm_trial *trials, int64_t n) {
  for (int64_t k = 0; k < N; ++k) {
    double values[TRM_SPACE_MOST];
    if (!CHECK_OK(trm_tpe_propose(space, &space->search, trials, n, 1000 + k, values))) return;
    for (int i = 0; i < 6; ++i) drawn[i][k] = values[i];
  }
}

static void check_optuna(void) {
  static trm_trial trials[MOST_TRIALS];
  static trm_space space;
  char *text = NULL, *rest = NULL;
  int64_t bytes, n = 0;
  int n_compared = 0;
  make_space(&space);
  if (!CHECK_OK(trm_file_read_all(values_path, 1 << 20, &text, &bytes))) return;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (strncmp(line, "history,", 8) == 0) n = 0;
    if (strncmp(line, "trial,", 6) == 0 && n < MOST_TRIALS) take_trial(line + 6, &trials[n++]);
    if (strncmp(line, "proposed,", 9) != 0) continue;
    char *key = line + 9, *said = strchr(key, ',');
    *said++ = 0;
    int i = 0;
    while (i < 5 && strcmp(space.parameters[i].key, key) != 0) ++i;
    if (i == 0) draw(&space, trials, n);
    if (i == 4) compare_choices(drawn[4], said);
    if (i != 4) compare_numbers(drawn[i], said, key);
    ++n_compared;
  }
  CHECK_EQ(n_compared, 18);
  TRM_FREE(text);
}

/* ---- the course ------------------------------------------------------------------------------ */

/* What a trial's training would come to: the nearer x is to 0.3, the better; longer is better. */
static double score_of(const trm_tuning *s, const trm_job *job) {
  const double x = s->values[job->trial * TRM_SPACE_MOST];
  return (x - 0.3) * (x - 0.3) + 0.1 * (double)(s->options->rungs - 1 - job->rung) +
         0.001 * (double)(job->trial % 3);
}

/* Runs a search to its end, in rounds of at most `at_once` jobs: what ranks would. */
static void run_search(trm_tuning *s, int64_t at_once) {
  bool over = false;
  for (int64_t ended = 0; !over;) {
    while (!over && s->n_jobs - ended < at_once) {
      if (!CHECK_OK(trm_tuning_next(s, &over))) return;
    }
    if (over && s->n_jobs > ended) over = false;
    for (; ended < s->n_jobs; ++ended) {
      trm_job *job = &s->jobs[ended];
      if (job->trial < 0) continue;
      job->outcome = job->trial == 5 ? TRM_JOB_DIVERGED : TRM_JOB_DONE;
      job->score = job->trial == 5 ? (double)NAN : score_of(s, job);
    }
    if (s->over) return;
  }
}

static void make_line(trm_space *s, trm_search_method method, trm_prune_rule prune) {
  *s = (trm_space){.n = 1, .path = "space"};
  s->parameters[0] = (trm_parameter){.key = "x", .high = 1, .parent = -1};
  s->search = (trm_search_options){.method = method,
                                   .prune = prune,
                                   .seed = 7,
                                   .trials = 32,
                                   .parallel = 4,
                                   .startup = 6,
                                   .candidates = 24,
                                   .eta = 4,
                                   .rungs = prune >= TRM_PRUNE_HALVING ? 3 : 1};
}

/* The same jobs whether one or all of the window are trained at a time. */
static void check_course(trm_search_method method, trm_prune_rule prune) {
  static trm_space space;
  trm_tuning one, all;
  make_line(&space, method, prune);
  CHECK_OK(trm_tuning_create(&space, false, &one));
  CHECK_OK(trm_tuning_create(&space, false, &all));
  run_search(&one, 1);
  run_search(&all, 4);
  CHECK_EQ(one.n_jobs, all.n_jobs);
  for (int64_t j = 0; j < one.n_jobs; ++j) {
    CHECK_EQ(one.jobs[j].trial, all.jobs[j].trial);
    CHECK_EQ(one.jobs[j].rung, all.jobs[j].rung);
  }
  for (int64_t t = 0; t < 32; ++t) {
    CHECK(one.values[t * TRM_SPACE_MOST] == all.values[t * TRM_SPACE_MOST]);
  }
  CHECK_EQ(one.n_begun, 32);
  const int64_t best = trm_tuning_best(&one);
  CHECK(best >= 0 && best != 5);
  CHECK(fabs(one.values[best * TRM_SPACE_MOST] - 0.3) < 0.1);
  trm_tuning_free(&one);
  trm_tuning_free(&all);
}

static int64_t count(const trm_tuning *s, int rung) {
  int64_t n = 0;
  for (int64_t j = 0; j < s->n_jobs; ++j) n += s->jobs[j].trial >= 0 && s->jobs[j].rung == rung;
  return n;
}

/* Of 32 trials 8 go on, and of these 2; with ASHA some more, since it does not wait. A trial that was given up
 * never wins, whatever its score. */
static void check_promotions(void) {
  static trm_space space;
  trm_tuning s;
  make_line(&space, TRM_SEARCH_RANDOM, TRM_PRUNE_HALVING);
  CHECK_OK(trm_tuning_create(&space, false, &s));
  run_search(&s, 4);
  CHECK_EQ(count(&s, 0), 32);
  CHECK_EQ(count(&s, 1), 8);
  CHECK_EQ(count(&s, 2), 2);
  trm_tuning_free(&s);
  make_line(&space, TRM_SEARCH_RANDOM, TRM_PRUNE_ASHA);
  CHECK_OK(trm_tuning_create(&space, false, &s));
  run_search(&s, 4);
  CHECK_EQ(count(&s, 0), 32);
  CHECK(count(&s, 1) >= 8 && count(&s, 1) <= 16);
  CHECK(count(&s, 2) >= 1 && count(&s, 2) <= 6);
  s.jobs[0].score = -1; /* a short one */
  const int64_t best = trm_tuning_best(&s);
  CHECK_EQ(s.jobs[trm_tuning_job_of(&s, best, s.n_jobs)].rung, 2);
  trm_tuning_free(&s);
  make_line(&space, TRM_SEARCH_RANDOM,
            TRM_PRUNE_ASHA); /* too few to promote: one goes to the end all the same */
  space.search.trials = 3;
  CHECK_OK(trm_tuning_create(&space, false, &s));
  run_search(&s, 2);
  CHECK_EQ(count(&s, 2), 1);
  CHECK(trm_tuning_best(&s) >= 0);
  trm_tuning_free(&s);
}

static void check_grid_and_importance(void) {
  static trm_space space;
  trm_tuning s;
  double shares[TRM_SPACE_MOST];
  int64_t n;
  make_space(&space);
  space.search.method = TRM_SEARCH_GRID;
  space.n = 2;
  space.parameters[0] = space.parameters[4]; /* a, b, c */
  space.parameters[1] = space.parameters[5]; /* with b alone */
  space.parameters[1].parent = 0;
  space.parameters[1].wanted[1] = true;
  CHECK_OK(trm_tuning_create(&space, false, &s));
  CHECK_EQ(s.n_trials, 1 + 5 + 1);
  trm_tuning_free(&s);
  space.parameters[1] = (trm_parameter){.key = "x", .high = 1, .parent = -1};
  space.n = 2;
  CHECK_OK(trm_tuning_create(&space, false, &s));
  CHECK_EQ(s.n_trials, 15);
  for (bool over = false; !over;) {
    CHECK_OK(trm_tuning_next(&s, &over));
    if (over) break;
    trm_job *job = &s.jobs[s.n_jobs - 1];
    job->outcome = TRM_JOB_DONE;
    job->score = s.values[job->trial * TRM_SPACE_MOST] + 0.01 * (double)(job->trial % 2);
  }
  CHECK_OK(trm_tuning_importance(&s, shares, &n));
  CHECK_EQ(n, 15);
  CHECK(shares[0] > 0.8 && shares[0] <= 1);
  CHECK(shares[1] < 0.1);
  trm_tuning_free(&s);
}

/* A grid over one range; the values that are tried. */
static int64_t grid_of(trm_parameter parameter, double *tried) {
  trm_space s = {.n = 1, .parameters = {parameter}};
  int64_t n = 0;
  for (int64_t i = 0; i < trm_space_grid_points(&s); ++i) {
    double values[TRM_SPACE_MOST];
    if (trm_space_grid_values(&s, i, values)) tried[n++] = values[0];
  }
  return n;
}

/* The last step may lie below the end of the range; more points than steps are as many as steps. */
static void check_steps_of_grids(void) {
  double tried[100];
  trm_parameter p = {.low = 20, .high = 60, .step = 25, .parent = -1};
  CHECK_EQ(grid_of(p, tried), 2);
  CHECK_NEAR(tried[1], 45, 0);
  p = (trm_parameter){.low = 0, .high = 1, .step = 0.4, .parent = -1};
  CHECK_EQ(grid_of(p, tried), 3);
  CHECK_NEAR(tried[1], 0.4, 1e-12);
  CHECK_NEAR(tried[2], 0.8, 1e-12);
  p = (trm_parameter){.low = 1, .high = 3, .step = 1, .points = 10, .parent = -1};
  CHECK_EQ(grid_of(p, tried), 3);
  p = (trm_parameter){.low = 1e-3, .high = 1e-1, .log = true, .points = 3, .parent = -1};
  CHECK_EQ(grid_of(p, tried), 3);
  CHECK_NEAR(tried[1], 1e-2, 1e-12);
  CHECK_NEAR(tried[2], 1e-1, 1e-12);
}

int main(void) {
  check_steps_of_grids();
  check_optuna();
  for (int method = TRM_SEARCH_TPE; method <= TRM_SEARCH_RANDOM; ++method) {
    for (int prune = TRM_PRUNE_NONE; prune <= TRM_PRUNE_ASHA; ++prune) {
      check_course((trm_search_method)method, (trm_prune_rule)prune);
    }
  }
  check_promotions();
  check_grid_and_importance();
  return check_verdict();
}
