/* A round of a search: what can be tried now, by whom, and what came of it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/train/scores.h"
#include "tune_internal.h"

/* ---- a round --------------------------------------------------------------------------------- */

/* Jobs [first, first + n) that can be decided by what is known; those of the journal have results. */
typedef struct trial_round {
  int64_t first, n;
  int *group_of;     /* [n] that trains the job; -1: none has to */
  trm_job *results;  /* [n] by this rank's group */
  trm_job *all;      /* [ranks, n] */
  trm_track *tracks; /* [n]; NULL: not wanted */
} trial_round;

static void free_round(trial_round *r) {
  TRM_FREE(r->group_of);
  TRM_FREE(r->results);
  TRM_FREE(r->all);
  TRM_FREE(r->tracks);
}

static trm_status make_round(const trm_search *t, trial_round *r) {
  const int64_t most = t->space.search.parallel;
  static const char what[] = "round of trials";
  *r = (trial_round){.first = t->search.n_jobs};
  TRM_TRY(TRM_ALLOC(&r->group_of, most, what));
  TRM_TRY(TRM_ALLOC(&r->results, most, what));
  TRM_TRY(TRM_ALLOC(&r->all, most * trm_comm_size(t->comm), what));
  return t->trials.tracks ? TRM_ALLOC(&r->tracks, most, what) : TRM_OK;
}

/* Steps of a job beyond those that its trial has, in full lengths. */
static double cost_of(const trm_search *t, const trm_job *job) {
  const trm_search_options *o = &t->space.search;
  const double before = job->rung > 0 ? trm_tuning_length(o, job->rung - 1) : 0;
  return job->trial < 0 ? 0 : trm_tuning_length(o, job->rung) - before;
}

/* Decides jobs while results before the round suffice. */
static trm_status decide(trm_search *t, trial_round *r) {
  bool over = false;
  while (r->n < t->space.search.parallel && !over) {
    TRM_TRY(trm_tuning_next(&t->search, &over));
    if (over) return TRM_OK;
    r->group_of[r->n++] = t->search.jobs[t->search.n_jobs - 1].trial < 0 ? -1 : 0;
  }
  return TRM_OK;
}

/* Results that the journal has; rank 0 reads it. Collective. */
static trm_status recall(trm_search *t, trial_round *r) {
  trm_status status = TRM_OK;
  for (int64_t i = 0; i < r->n && trm_comm_rank(t->comm) == 0 && status == TRM_OK; ++i) {
    bool taken;
    if (r->group_of[i] < 0) continue;
    status = trm_journal_take(&t->journal, &t->search, r->first + i, &taken);
    if (status == TRM_OK && !taken) break; /* what follows is not there either */
  }
  TRM_TRY(trm_comm_agree(t->comm, status));
  trm_job *jobs = t->search.jobs + r->first;
  TRM_TRY(trm_comm_broadcast(t->comm, jobs, r->n * (int64_t)sizeof *jobs, 0));
  for (int64_t i = 0; i < r->n; ++i) {
    if (jobs[i].outcome != TRM_JOB_PENDING) r->group_of[i] = -1;
  }
  return TRM_OK;
}

/* The longest first, each to the group that has least to do. Who trains a job makes no difference to it. */
static trm_status deal(const trm_search *t, trial_round *r) {
  const int n_groups = t->crew.n_groups;
  double *loads = NULL;
  TRM_TRY(TRM_ALLOC(&loads, n_groups, "round of trials"));
  for (int64_t done = 0; done < r->n; ++done) {
    int64_t longest = -1;
    for (int64_t i = 0; i < r->n; ++i) { /* those that are dealt have group + 1 */
      if (r->group_of[i] != 0) continue;
      const trm_job *jobs = t->search.jobs + r->first;
      if (longest < 0 || cost_of(t, &jobs[i]) > cost_of(t, &jobs[longest])) longest = i;
    }
    if (longest < 0) break;
    int least = 0;
    for (int g = 1; g < n_groups; ++g) least = loads[g] < loads[least] ? g : least;
    r->group_of[longest] = least + 1;
    loads[least] += cost_of(t, &t->search.jobs[r->first + longest]);
  }
  for (int64_t i = 0; i < r->n; ++i) r->group_of[i] -= r->group_of[i] > 0;
  TRM_FREE(loads);
  return TRM_OK;
}

static void say_score(const trm_search *t, double score, char *text, size_t size) {
  const trm_metric *metric = trm_metric_find(t->select);
  const bool share = metric && metric->unit == TRM_METRIC_SHARE;
  (void)snprintf(text, size, share ? "%s %.2f" : "%s %.4f", t->select, share ? 100 * score : score);
}

static void say_values(const trm_search *t, int64_t trial, char *text, size_t size) {
  size_t n = 0;
  text[0] = 0;
  for (int i = 0; i < t->space.n && n < size; ++i) {
    char value[TRM_SPACE_TEXT];
    const double x = t->search.values[trial * TRM_SPACE_MOST + i];
    const trm_parameter *p = &t->space.parameters[i];
    if (isnan(x)) continue;
    if (p->kind == TRM_PARAMETER_REAL)
      (void)snprintf(value, sizeof value, "%.3g", x);
    else
      trm_parameter_text(p, x, value);
    const char *dot = strchr(p->key, '.');
    const int more =
        snprintf(text + n, size - n, "%s%s %s", n > 0 ? ", " : "", dot ? dot + 1 : p->key, value);
    n += more > 0 ? (size_t)more : 0;
  }
}

static void say_job(const trm_search *t, const trm_job *job) {
  char values[400], score[64] = "no score", what[TRM_JOB_REASON + 128];
  const trm_tuning *s = &t->search;
  say_values(t, job->trial, values, sizeof values);
  if (!isnan(job->score)) say_score(t, job->score, score, sizeof score);
  if (job->outcome == TRM_JOB_DIVERGED || job->outcome == TRM_JOB_REFUSED) {
    (void)snprintf(what, sizeof what, "%s: %s", trm_job_outcome_text(job->outcome), job->reason);
  } else if (job->outcome == TRM_JOB_PRUNED) {
    (void)snprintf(what, sizeof what, "given up at step %" PRId64 ", %s", job->step, score);
  } else {
    (void)snprintf(what, sizeof what, "%s (step %" PRId64 " of %" PRId64 "%s)", score,
                   job->best_step, job->step, job->rung + 1 < s->options->rungs ? ", paused" : "");
  }
  trm_crew_say(&t->crew, "trial %" PRId64 " of %" PRId64 " (%s): %s", job->trial + 1, s->n_trials,
               values, what);
}

/* Jobs of this group. Collective over it. */
static trm_status train_own(trm_search *t, trial_round *r) {
  for (int64_t i = 0; i < r->n; ++i) {
    bool stop;
    if (r->group_of[i] != t->crew.my_group) continue;
    TRM_TRY(trm_crew_stop_asked(&t->crew, &stop));
    if (stop) return trm_fail(TRM_STOPPED, "stopped by a signal; go on with --resume");
    TRM_TRY(trm_trial_train(&t->trials, r->first + i, &r->results[i],
                            r->tracks ? &r->tracks[i] : NULL));
    say_job(t, &r->results[i]);
  }
  return TRM_OK;
}

/* The first rank of a group. */
static int leader_of(const trm_search *t, int group) {
  const int size = trm_comm_size(t->comm);
  int rank = 0;
  while (trm_share_begin(t->crew.n_groups, rank, size) != group) ++rank;
  return rank;
}

/* Every rank gets every result that there is, and what the median needs. Collective. */
static trm_status exchange(trm_search *t, trial_round *r) {
  TRM_TRY(trm_comm_allgather(t->comm, r->results, r->all, r->n * (int64_t)sizeof *r->results));
  for (int64_t i = 0; i < r->n; ++i) {
    trm_job *job = &t->search.jobs[r->first + i];
    if (r->group_of[i] < 0) continue;
    const int leader = leader_of(t, r->group_of[i]);
    const trm_job *result = &r->all[(int64_t)leader * r->n + i];
    if (result->outcome == TRM_JOB_PENDING) continue; /* it was not got to */
    *job = *result;
    if (!r->tracks) continue;
    TRM_TRY(trm_comm_broadcast(t->comm, &r->tracks[i], sizeof r->tracks[i], leader));
    t->trials.tracks[job->trial] = r->tracks[i];
  }
  return TRM_OK;
}

/* Tracks of trials that the journal tells of, which rank 0 reads. Collective. */
static trm_status recall_tracks(trm_search *t, const trial_round *r) {
  for (int64_t i = 0; i < r->n && t->trials.tracks; ++i) {
    const trm_job *job = &t->search.jobs[r->first + i];
    if (r->group_of[i] >= 0 || job->outcome != TRM_JOB_DONE || job->trial < 0) continue;
    trm_track *track = &t->trials.tracks[job->trial];
    trm_status status = TRM_OK;
    if (trm_comm_rank(t->comm) == 0) status = trm_trial_track(&t->trials, job, track);
    TRM_TRY(trm_comm_agree(t->comm, status));
    TRM_TRY(trm_comm_broadcast(t->comm, track, sizeof *track, 0));
  }
  return TRM_OK;
}

/* In their order, up to the first that is missing. On rank 0. */
static trm_status note(trm_search *t, const trial_round *r) {
  for (int64_t i = 0; i < r->n; ++i) {
    const trm_job *job = &t->search.jobs[r->first + i];
    if (job->outcome == TRM_JOB_PENDING) return TRM_OK;
    if (r->group_of[i] >= 0) TRM_TRY(trm_journal_add(&t->journal, &t->search, r->first + i));
  }
  return TRM_OK;
}

/* ---- checkpoints that stay ------------------------------------------------------------------- */

/* How much a trial's checkpoint is worth. */
typedef struct worth {
  int64_t trial;
  int class; /* 3: the best; 2: may go on; 1: of full length; 0: never needed */
  int rung;
  double cost;
} worth;

static int by_worth(const void *a, const void *b) {
  const worth *x = a, *y = b;
  if (x->class != y->class) return x->class > y->class ? -1 : 1;
  if (x->rung != y->rung) return x->rung > y->rung ? -1 : 1;
  if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
  return (x->trial > y->trial) - (x->trial < y->trial);
}

static worth worth_of(const trm_search *t, int64_t trial, int64_t best) {
  const trm_tuning *s = &t->search;
  const trm_job *job = &s->jobs[trm_tuning_job_of(s, trial, s->n_jobs)];
  const bool done = job->outcome == TRM_JOB_DONE && !isnan(job->score);
  const bool whole = job->rung + 1 == s->options->rungs;
  return (worth){.trial = trial,
                 .class = trial == best ? 3
                          : !done       ? 0
                          : whole       ? 1
                                        : 2,
                 .rung = job->rung,
                 .cost = !done       ? 0
                         : s->higher ? -job->score
                                     : job->score};
}

/* Checkpoints of all but the first `keep` go; a trial that goes on without one begins anew, and comes to the
 * same bits. On rank 0, while nothing trains. */
static trm_status keep_few(trm_search *t) {
  worth *list = NULL;
  const int64_t n = t->search.n_begun, best = trm_tuning_best(&t->search);
  TRM_TRY(TRM_ALLOC(&list, n, "trials"));
  for (int64_t i = 0; i < n; ++i) list[i] = worth_of(t, i, best);
  qsort(list, (size_t)n, sizeof *list, by_worth);
  trm_status status = TRM_OK;
  for (int64_t i = 0; i < n && status == TRM_OK; ++i) {
    if (i >= t->space.search.keep || list[i].class == 0)
      status = trm_trial_forget(&t->trials, list[i].trial);
  }
  TRM_FREE(list);
  return status;
}

/* ---- progress -------------------------------------------------------------------------------- */

/* Work that is left, in full lengths; of trials that are given up early by what those before took. */
static double work_left(const trm_search *t) {
  const trm_tuning *s = &t->search;
  double done = 0;
  for (int64_t j = 0; j < s->n_jobs; ++j) done += cost_of(t, &s->jobs[j]);
  return s->n_begun > 0 ? done / (double)s->n_begun * (double)(s->n_trials - s->n_begun) : 0;
}

static void say_progress(trm_search *t) {
  const trm_tuning *s = &t->search;
  const int64_t best = trm_tuning_best(s);
  char score[64] = "none of full length yet", left[32] = "", trial[40] = "";
  if (best >= 0) {
    say_score(t, s->jobs[trm_tuning_job_of(s, best, s->n_jobs)].score, score, sizeof score);
    (void)snprintf(trial, sizeof trial, " (trial %" PRId64 ")", best + 1);
  }
  const double work = work_left(t);
  if (t->work > 0 && work > 0) {
    trm_format_duration((trm_clock_s() - t->start_s) / t->work * work, left);
  }
  trm_log_line(t->log, "%" PRId64 " of %" PRId64 " trials, best %s%s%s%s%s", s->n_begun,
               s->n_trials, score, trial, *left ? ", about " : "", left, *left ? " left" : "");
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* What the results of the round, good or bad, bring with them. Collective. */
static trm_status end_round(trm_search *t, trial_round *r, trm_status mine) {
  bool trained = false;
  trm_watch_pause(t->comm); /* other groups may have more to do */
  const trm_status all = trm_comm_agree(t->comm, mine);
  char message[TRM_MESSAGE_BYTES];
  (void)snprintf(message, sizeof message, "%s", trm_message());
  TRM_TRY(exchange(t, r));
  for (int64_t i = 0; i < r->n; ++i) {
    if (r->group_of[i] < 0) continue;
    trained = true;
    t->work += cost_of(t, &t->search.jobs[r->first + i]);
  }
  trm_status status = trm_comm_rank(t->comm) == 0 ? note(t, r) : TRM_OK;
  if (status == TRM_OK && trm_comm_rank(t->comm) == 0 && all == TRM_OK && trained)
    status = keep_few(t);
  TRM_TRY(trm_comm_agree(t->comm, status));
  if (all != TRM_OK) {
    trm_message_set(message);
    return all;
  }
  if (trained) say_progress(t);
  return TRM_OK;
}

trm_status trm_search_round(trm_search *search, bool *over) {
  trm_search *t = search;
  trial_round r;
  trm_status status = make_round(t, &r);
  if (status == TRM_OK) status = decide(t, &r);
  status = trm_comm_agree(t->comm, status);
  if (status == TRM_OK) status = recall(t, &r);
  if (status == TRM_OK) status = trm_comm_agree(t->comm, deal(t, &r));
  if (status == TRM_OK) status = recall_tracks(t, &r);
  if (status == TRM_OK) status = end_round(t, &r, train_own(t, &r));
  *over = r.n == 0;
  free_round(&r);
  return status;
}
