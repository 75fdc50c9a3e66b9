#include "tuning.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

double trm_tuning_length(const trm_search_options *o, int rung) {
  return pow((double)o->eta, -(double)(o->rungs - 1 - rung));
}

bool trm_tuning_better(const trm_tuning *s, double a, double b) {
  if (isnan(a)) return false;
  if (isnan(b)) return true;
  return s->higher ? a > b : a < b;
}

int64_t trm_tuning_known(const trm_tuning *s, int64_t j) {
  return trm_max_i64(0, trm_min_i64(s->n_jobs, j - s->options->parallel + 1));
}

int64_t trm_tuning_job_of(const trm_tuning *s, int64_t trial, int64_t n) {
  for (int64_t j = n - 1; j >= 0; --j) {
    if (s->jobs[j].trial == trial) return j;
  }
  return -1;
}

int64_t trm_tuning_best(const trm_tuning *s) {
  int64_t best = -1;
  double score = (double)NAN;
  for (int64_t j = 0; j < s->n_jobs; ++j) {
    const trm_job *job = &s->jobs[j];
    if (job->trial < 0 || job->outcome != TRM_JOB_DONE || job->rung + 1 < s->options->rungs)
      continue;
    const bool equal_but_first = job->score == score && job->trial < best;
    if (best >= 0 && !trm_tuning_better(s, job->score, score) && !equal_but_first) continue;
    best = job->trial;
    score = job->score;
  }
  return best;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The points of a grid that differ from those before. */
static trm_status list_points(trm_tuning *s) {
  double values[TRM_SPACE_MOST];
  const int64_t n = trm_space_grid_points(s->space);
  if (n > 100000) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "%s: a grid of more than 100000 points; give parameters fewer points, or choose "
        "search.method random",
        s->space->path);
  }
  TRM_TRY(TRM_ALLOC(&s->points, n, "grid"));
  s->n_trials = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (trm_space_grid_values(s->space, i, values)) s->points[s->n_trials++] = i;
  }
  return TRM_OK;
}

trm_status trm_tuning_create(const trm_space *space, bool higher, trm_tuning *s) {
  *s = (trm_tuning){.space = space, .options = &space->search, .higher = higher};
  s->n_trials = s->options->trials;
  if (s->options->method == TRM_SEARCH_GRID) TRM_TRY(list_points(s));
  /* Each trial has a job a rung at most, and so many wait together before one goes on. */
  s->room = s->n_trials * s->options->rungs * (s->options->parallel + 1) + 2 * s->options->parallel;
  s->room = trm_min_i64(s->room, 1 << 20);
  TRM_TRY(TRM_ALLOC(&s->jobs, s->room, "jobs of a search"));
  return TRM_ALLOC(&s->values, s->n_trials * TRM_SPACE_MOST, "trials");
}

void trm_tuning_free(trm_tuning *s) {
  TRM_FREE(s->jobs);
  TRM_FREE(s->values);
  TRM_FREE(s->points);
}

/* ---- what is known --------------------------------------------------------------------------- */

static bool went_wrong(const trm_job *job) {
  return job->outcome == TRM_JOB_DIVERGED || job->outcome == TRM_JOB_REFUSED;
}

/* A trial as the first `known` jobs tell it. */
static void look_at(const trm_tuning *s, int64_t trial, int64_t known, trm_trial *t) {
  memcpy(t->values, s->values + trial * TRM_SPACE_MOST, sizeof t->values);
  const int64_t j = trm_tuning_job_of(s, trial, known);
  t->state = TRM_TRIAL_UNDER_WAY;
  if (j < 0) return;
  const trm_job *job = &s->jobs[j];
  const bool whole = job->outcome == TRM_JOB_DONE && job->rung + 1 == s->options->rungs;
  t->state = went_wrong(job) || isnan(job->score) ? TRM_TRIAL_BAD
             : whole                              ? TRM_TRIAL_COMPLETE
                                                  : TRM_TRIAL_PRUNED;
  t->cost = s->higher ? -job->score : job->score;
  t->reached =
      job->outcome == TRM_JOB_PRUNED ? (double)job->step : trm_tuning_length(s->options, job->rung);
}

/* ---- values of a new trial ------------------------------------------------------------------- */

static trm_status propose(trm_tuning *s, int64_t number, int64_t known, double *values) {
  const trm_search_options *o = s->options;
  trm_trial *trials = NULL;
  if (s->points) {
    (void)trm_space_grid_values(s->space, s->points[number], values);
    return TRM_OK;
  }
  if (o->method == TRM_SEARCH_RANDOM || number < o->startup || known == 0) {
    trm_tuning_draw(s->space, o->seed, number, values);
    return TRM_OK;
  }
  TRM_TRY(TRM_ALLOC(&trials, number, "trials"));
  for (int64_t t = 0; t < number; ++t) look_at(s, t, known, &trials[t]);
  const trm_status status = trm_tpe_propose(s->space, o, trials, number, number, values);
  TRM_FREE(trials);
  return status;
}

/* ---- promotions ------------------------------------------------------------------------------ */

/* A trial's result at a rung. */
typedef struct standing {
  int64_t trial;
  double score;
  bool promoted; /* decided already */
} standing;

static bool is_promoted(const trm_tuning *s, int64_t trial, int rung) {
  for (int64_t j = 0; j < s->n_jobs; ++j) {
    if (s->jobs[j].trial == trial && s->jobs[j].rung == rung + 1) return true;
  }
  return false;
}

/* Those that came to the rung, so far as it is known, the best first; ties by number. */
static int64_t rank_rung(const trm_tuning *s, int rung, int64_t known, standing *list) {
  int64_t n = 0;
  for (int64_t j = 0; j < known; ++j) {
    const trm_job *job = &s->jobs[j];
    if (job->trial < 0 || job->rung != rung || job->outcome != TRM_JOB_DONE) continue;
    int64_t at = n++;
    while (at > 0 && (trm_tuning_better(s, job->score, list[at - 1].score) ||
                      (job->score == list[at - 1].score && job->trial < list[at - 1].trial))) {
      list[at] = list[at - 1];
      --at;
    }
    list[at] = (standing){job->trial, job->score, is_promoted(s, job->trial, rung)};
  }
  return n;
}

/* Trials that are or were to be trained to the rung, those that went wrong included. */
static int64_t count_rung(const trm_tuning *s, int rung, int64_t n_jobs, bool ended) {
  int64_t n = 0;
  for (int64_t j = 0; j < n_jobs; ++j) {
    const trm_job *job = &s->jobs[j];
    n += job->trial >= 0 && job->rung == rung && (!ended || job->outcome != TRM_JOB_PENDING);
  }
  return n;
}

/* The best of the first `most` that has not been promoted; -1: none. */
static int64_t first_waiting(const standing *list, int64_t n, int64_t most) {
  for (int64_t i = 0; i < n && i < most; ++i) {
    if (!list[i].promoted && !isnan(list[i].score)) return list[i].trial;
  }
  return -1;
}

/* Whether job j would have results of all before it. */
static bool all_known(const trm_tuning *s, int64_t known) {
  for (int64_t j = known; j < s->n_jobs; ++j) {
    if (s->jobs[j].trial >= 0) return false;
  }
  return true;
}

/* ASHA: a trial goes on as soon as it is among the best 1 / eta of those that came as far. */
static int64_t promote_any(const trm_tuning *s, int64_t known, standing *list, int *rung) {
  for (int k = (int)s->options->rungs - 2; k >= 0; --k) {
    const int64_t n = rank_rung(s, k, known, list);
    const int64_t trial = first_waiting(list, n, count_rung(s, k, known, true) / s->options->eta);
    if (trial < 0) continue;
    *rung = k + 1;
    return trial;
  }
  return -1;
}

/* Halving: once all of a rung have ended, the best 1 / eta go on, one at least. */
static int64_t promote_whole(const trm_tuning *s, int64_t known, standing *list, int *rung) {
  for (int k = 0; k + 1 < s->options->rungs; ++k) {
    const int64_t n_here = count_rung(s, k, s->n_jobs, false);
    if (count_rung(s, k, known, true) < n_here) return -1;
    const int64_t n = rank_rung(s, k, known, list);
    const int64_t most = trm_max_i64(1, n_here / s->options->eta);
    const int64_t trial = first_waiting(list, n, most);
    if (trial >= 0) {
      *rung = k + 1;
      return trial;
    }
  }
  return -1;
}

/* When all is said and nothing got to the end: the best of the longest goes on. */
static int64_t promote_last(const trm_tuning *s, int64_t known, standing *list, int *rung) {
  for (int k = (int)s->options->rungs - 1; k >= 0; --k) {
    const int64_t n = rank_rung(s, k, known, list);
    if (n == 0 || isnan(list[0].score)) continue;
    if (k + 1 == s->options->rungs) return -1;
    const int64_t trial = first_waiting(list, n, n);
    if (trial < 0) continue;
    *rung = k + 1;
    return trial;
  }
  return -1;
}

/* ---- the next job ---------------------------------------------------------------------------- */

static trm_status begin_trial(trm_tuning *s, int64_t known) {
  double *values = s->values + s->n_begun * TRM_SPACE_MOST;
  TRM_TRY(propose(s, s->n_begun, known, values));
  s->jobs[s->n_jobs++] = (trm_job){.trial = s->n_begun++, .score = (double)NAN};
  return TRM_OK;
}

static int64_t promotion(const trm_tuning *s, int64_t known, standing *list, int *rung) {
  const trm_prune_rule rule = s->options->prune;
  int64_t trial = -1;
  if (rule == TRM_PRUNE_ASHA) trial = promote_any(s, known, list, rung);
  if (s->n_begun < s->n_trials || trial >= 0) return trial;
  if (rule == TRM_PRUNE_HALVING) trial = promote_whole(s, known, list, rung);
  if (trial >= 0 || rule == TRM_PRUNE_NONE || rule == TRM_PRUNE_MEDIAN) return trial;
  return all_known(s, known) ? promote_last(s, known, list, rung) : -1;
}

trm_status trm_tuning_next(trm_tuning *s, bool *over) {
  const int64_t known = trm_tuning_known(s, s->n_jobs);
  standing *list = NULL;
  int rung = 0;
  *over = s->over;
  if (s->over) return TRM_OK;
  if (s->n_jobs == s->room) {
    return trm_fail(TRM_ERR_CONFIG, "%s: more than %" PRId64 " jobs; lower search.trials",
                    s->space->path, s->room);
  }
  TRM_TRY(TRM_ALLOC(&list, s->n_jobs + 1, "search"));
  const int64_t trial = promotion(s, known, list, &rung);
  TRM_FREE(list);
  if (trial >= 0) {
    s->jobs[s->n_jobs++] = (trm_job){.trial = trial, .rung = rung, .score = (double)NAN};
    return TRM_OK;
  }
  if (s->n_begun < s->n_trials) return begin_trial(s, known);
  if (all_known(s, known)) {
    s->over = *over = true;
  } else {
    s->jobs[s->n_jobs++] = (trm_job){.trial = -1, .outcome = TRM_JOB_DONE};
  }
  return TRM_OK;
}
