#include "trial.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep_table.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"
#include "trireme/io/files.h"

/* ---- folders and configurations -------------------------------------------------------------- */

trm_status trm_trial_folder(const trm_trials *t, int64_t trial, int64_t fold,
                            char path[TRM_PATH_BYTES]) {
  char name[64];
  const int n = snprintf(name, sizeof name, "trials/%05" PRId64, trial);
  if (fold >= 0) (void)snprintf(name + n, sizeof name - (size_t)n, "/fold_%" PRId64, fold);
  return trm_path_join(path, TRM_PATH_BYTES, t->folder, name);
}

typedef struct own_keys {
  const trm_trials *t;
  int64_t trial, fold;
} own_keys;

static trm_status set_own(const void *context, trm_config *config) {
  const own_keys *own = context;
  const trm_tuning *s = own->t->search;
  char text[64];
  TRM_TRY(trm_space_set(s->space, s->values + own->trial * TRM_SPACE_MOST, config));
  if (own->t->split >= 0) TRM_TRY(trm_config_set_int(config, "data.split", own->t->split));
  if (own->fold < 0) return TRM_OK;
  (void)snprintf(text, sizeof text, "data.folds=%" PRId64, s->options->folds);
  TRM_TRY(trm_config_set_from(config, text, "search.folds", 0));
  return trm_config_set_int(config, "data.fold", own->fold);
}

static trm_crew_run run_of(const trm_trials *t, const own_keys *own, const char *folder) {
  return (trm_crew_run){.given = t->given, .folder = folder, .set = set_own, .context = own};
}

trm_status trm_trial_config(const trm_trials *t, int64_t trial, int64_t fold, const char *folder,
                            trm_config **config) {
  const own_keys own = {t, trial, fold};
  const trm_crew_run run = run_of(t, &own, folder);
  return trm_crew_config(&run, config);
}

/* ---- the median ------------------------------------------------------------------------------ */

/* What a trial is compared with while it trains. */
typedef struct judge {
  const trm_trials *t;
  int64_t known;    /* jobs that may be known */
  double best;      /* of the trial so far */
  double *values;   /* [trials] scratch; owned */
  int64_t given_up; /* step, -1: it was not */
} judge;

static int rising(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Number as tables have it, so that one that was read again is the same. */
static double as_written(double value) {
  char text[32];
  double read = value;
  (void)snprintf(text, sizeof text, "%.9g", value);
  return isfinite(value) && trm_real_parse(text, &read) ? read : value;
}

static double track_at(const trm_track *track, int64_t step) {
  for (int64_t i = 0; i < track->n; ++i) {
    if (track->steps[i] == step) return track->scores[i];
  }
  return (double)NAN;
}

/* Scores that known trials of full length had at the step, rising. */
static int64_t scores_at(const judge *g, int64_t step, int64_t *n_whole) {
  const trm_tuning *s = g->t->search;
  int64_t n = 0;
  *n_whole = 0;
  for (int64_t j = 0; j < g->known; ++j) {
    if (s->jobs[j].trial < 0 || s->jobs[j].outcome != TRM_JOB_DONE) continue;
    ++*n_whole;
    const double score = track_at(&g->t->tracks[s->jobs[j].trial], step);
    if (!isnan(score)) g->values[n++] = score;
  }
  qsort(g->values, (size_t)n, sizeof *g->values, rising);
  return n;
}

/* Gives up when the trial's best is worse than the median of the others at this step. */
static bool gives_up(void *context, int64_t step, double score) {
  judge *g = context;
  int64_t n_whole;
  score = as_written(score);
  if (trm_tuning_better(g->t->search, score, g->best)) g->best = score;
  const int64_t n = scores_at(g, step, &n_whole);
  if (n == 0 || n_whole < g->t->search->options->median_startup) return false;
  const double median = (g->values[(n - 1) / 2] + g->values[n / 2]) / 2;
  if (!trm_tuning_better(g->t->search, median, g->best)) return false;
  g->given_up = step;
  return true;
}

/* ---- results --------------------------------------------------------------------------------- */

/* Scores of a run up to a step, from its metrics.csv. */
static trm_status read_track(const trm_trials *t, const char *folder, int64_t last,
                             trm_track *track) {
  trm_curves curves;
  int column;
  bool higher;
  trm_status status = TRM_OK;
  track->n = 0;
  TRM_TRY(trm_curves_create(1, &curves));
  TRM_TRY_OUT(trm_curves_read(&curves, 0, folder));
  TRM_TRY_OUT(trm_curves_select(&curves, t->select, &column, &higher));
  const trm_curve *curve = &curves.runs[0];
  for (int64_t i = 0; i < curve->n && curve->steps[i] <= last; ++i) {
    const bool again = track->n > 0 && track->steps[track->n - 1] == curve->steps[i];
    if (track->n == TRM_TRACK_MOST) {
      status =
          trm_fail(TRM_ERR_CONFIG, "%s: more than %d evaluations; raise eval.every for a search",
                   folder, TRM_TRACK_MOST);
      goto out;
    }
    if (again) --track->n; /* evaluated once more after a kill */
    track->steps[track->n] = curve->steps[i];
    track->scores[track->n++] = curve->values[i * curves.n_columns + column];
  }
out:
  trm_curves_free(&curves);
  return status;
}

static void take_best(const trm_tuning *s, const trm_track *track, trm_job *job) {
  job->score = (double)NAN;
  for (int64_t i = 0; i < track->n; ++i) {
    if (!trm_tuning_better(s, track->scores[i], job->score)) continue;
    job->score = track->scores[i];
    job->best_step = track->steps[i];
  }
  job->step = track->n > 0 ? track->steps[track->n - 1] : 0;
}

trm_status trm_trial_track(const trm_trials *t, const trm_job *job, trm_track *track) {
  char folder[TRM_PATH_BYTES];
  TRM_TRY(trm_trial_folder(t, job->trial, -1, folder));
  return read_track(t, folder, job->step, track);
}

/* The message up to its remedy. */
static void take_reason(trm_job *job) {
  const char *message = trm_message();
  (void)snprintf(job->reason, sizeof job->reason, "%.*s", (int)strcspn(message, ";\n"), message);
}

/* A run that had evaluations when it was killed is judged by those first; its bits are the same. On the
 * first rank of the group. */
static trm_status judge_again(const trm_trials *t, const char *folder, judge *g, trm_track *track) {
  char path[TRM_PATH_BYTES];
  TRM_TRY(trm_path_join(path, sizeof path, folder, "metrics.csv"));
  if (!trm_path_exists(path)) return TRM_OK;
  TRM_TRY(read_track(t, folder, INT64_MAX, track));
  for (int64_t i = 0; i < track->n && g->given_up < 0; ++i) {
    (void)gives_up(g, track->steps[i], track->scores[i]);
  }
  return TRM_OK;
}

/* What of the evaluations that there are already all ranks of the group must know. */
static trm_status share_judgement(const trm_trials *t, const char *folder, judge *g,
                                  trm_track *track) {
  trm_status status = TRM_OK;
  if (trm_crew_leads(t->crew)) status = judge_again(t, folder, g, track);
  TRM_TRY(trm_comm_agree(t->crew->group, status));
  TRM_TRY(trm_comm_broadcast(t->crew->group, &g->given_up, sizeof g->given_up, 0));
  return trm_comm_broadcast(t->crew->group, &g->best, sizeof g->best, 0);
}

/* ---- training -------------------------------------------------------------------------------- */

/* Whether the trial is to blame, and not the world. */
static bool is_own_fault(trm_status status) {
  return status == TRM_ERR_DIVERGED || status == TRM_ERR_CONFIG;
}

/* Of a run that ended in a result. */
static trm_job_outcome outcome_of(const judge *g, trm_status status) {
  if (g->given_up >= 0) return TRM_JOB_PRUNED;
  return status == TRM_ERR_DIVERGED ? TRM_JOB_DIVERGED
         : status == TRM_ERR_CONFIG ? TRM_JOB_REFUSED
                                    : TRM_JOB_DONE;
}

/* Lets the median judge the run, first by the evaluations that there are. Collective over the group. */
static trm_status begin_judging(const trm_trials *t, const char *folder, judge *g,
                                trm_train_watch *watch, trm_track *track) {
  trm_status status = TRM_ALLOC(&g->values, t->search->n_trials, "scores of trials");
  watch->gives_up = gives_up;
  watch->context = g;
  TRM_TRY(trm_comm_agree(t->crew->group, status));
  return share_judgement(t, folder, g, track);
}

/* One run of a job: a trial, or a fold of it. The job's result on the first rank of the group. */
static trm_status train_run(const trm_trials *t, int64_t j, int64_t fold, trm_job *job,
                            trm_track *track) {
  const trm_tuning *s = t->search;
  const own_keys own = {t, job->trial, fold};
  char folder[TRM_PATH_BYTES], title[96];
  judge g = {.t = t, .known = trm_tuning_known(s, j), .best = (double)NAN, .given_up = -1};
  trm_train_watch watch = {.until = trm_tuning_length(s->options, job->rung)};
  const trm_train_options options = {.resume = true, .watch = &watch};
  trm_status status = trm_trial_folder(t, job->trial, fold, folder);
  trm_crew_run run = run_of(t, &own, folder);
  (void)snprintf(title, sizeof title, "trial %" PRId64 " of %" PRId64, job->trial + 1, s->n_trials);
  run.title = title;
  if (status == TRM_OK && t->tracks) status = begin_judging(t, folder, &g, &watch, track);
  if (status == TRM_OK && g.given_up < 0) status = trm_crew_train(t->crew, &run, &options);
  TRM_FREE(g.values);
  if (status != TRM_OK && !is_own_fault(status)) return status;
  job->outcome = outcome_of(&g, status);
  if (status != TRM_OK) {
    take_reason(job);
    return TRM_OK;
  }
  const int64_t last = g.given_up >= 0 ? g.given_up : watch.end_step;
  if (trm_crew_leads(t->crew)) status = read_track(t, folder, last, track);
  take_best(s, track, job);
  return trm_comm_agree(t->crew->group, status);
}

/* The mean over folds; the worst outcome is the trial's. */
static trm_status train_folds(const trm_trials *t, int64_t j, trm_job *job, trm_track *track) {
  const int64_t n = t->search->options->folds;
  double sum = 0;
  for (int64_t fold = 0; fold < n; ++fold) {
    TRM_TRY(train_run(t, j, fold, job, track));
    if (job->outcome != TRM_JOB_DONE) return TRM_OK;
    sum += job->score;
  }
  job->score = as_written(sum / (double)n);
  return TRM_OK;
}

trm_status trm_trial_train(const trm_trials *t, int64_t j, trm_job *job, trm_track *track) {
  trm_track *own = NULL;
  *job = t->search->jobs[j];
  job->score = (double)NAN;
  trm_status status = TRM_OK;
  if (!track) status = TRM_ALLOC(&own, 1, "evaluations of a trial");
  TRM_TRY(trm_comm_agree(t->crew->group, status));
  trm_track *at = track ? track : own;
  status =
      t->search->options->folds > 0 ? train_folds(t, j, job, at) : train_run(t, j, -1, job, at);
  if (status != TRM_OK) job->outcome = TRM_JOB_PENDING; /* stopped, say: it is done again */
  TRM_FREE(own);
  return status;
}

trm_status trm_trial_train_again(const trm_trials *t, int64_t trial, const char *folder) {
  const own_keys own = {t, trial, -1};
  const trm_train_options options = {.resume = true};
  trm_crew_run run = run_of(t, &own, folder);
  run.title = "the best values on all of the training part";
  return trm_crew_train(t->crew, &run, &options);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static trm_status forget_run(const char *folder) {
  char path[TRM_PATH_BYTES], **names = NULL;
  trm_rundir dir;
  trm_status status = TRM_OK;
  int n = 0;
  TRM_TRY(trm_rundir_paths(folder, &dir));
  if (!trm_path_exists(dir.checkpoints)) return TRM_OK;
  TRM_TRY(trm_folder_list(dir.checkpoints, "", ".h5", &names, &n));
  for (int i = 0; i < n && status == TRM_OK; ++i) {
    status = trm_path_join(path, sizeof path, dir.checkpoints, names[i]);
    if (status == TRM_OK) status = trm_file_remove(path);
  }
  TRM_FREE(names);
  return status;
}

trm_status trm_trial_forget(const trm_trials *t, int64_t trial) {
  char folder[TRM_PATH_BYTES];
  const int64_t folds = t->search->options->folds;
  if (folds == 0) {
    TRM_TRY(trm_trial_folder(t, trial, -1, folder));
    return forget_run(folder);
  }
  for (int64_t fold = 0; fold < folds; ++fold) {
    TRM_TRY(trm_trial_folder(t, trial, fold, folder));
    TRM_TRY(forget_run(folder));
  }
  return TRM_OK;
}
