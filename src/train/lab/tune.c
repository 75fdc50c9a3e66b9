#include "trireme/train/tune.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "sweep_table.h"
#include "task.h"
#include "text_file.h"
#include "trial.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/hash.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/train/keys.h"
#include "trireme/train/scores.h"
#include "tune_files.h"

/* One search: of a split, or the only one. */
typedef struct tune {
  const trm_tune_options *options;
  trm_comm *comm;
  trm_crew crew;
  trm_log *log;
  trm_space space;
  trm_tuning search;
  trm_journal journal; /* rank 0 */
  trm_trials trials;
  char folder[TRM_PATH_BYTES], select[32];
  char *given; /* what the configuration gives, as YAML; owned */
  uint64_t identity;
  bool reports;         /* a page of all trials is written */
  bool untouched;       /* trials do not score the test part */
  double start_s, work; /* of this session, in runs of full length */
} tune;

/* ---- before ---------------------------------------------------------------------------------- */

trm_status trm_tune_config_path(const char *path, char *config, size_t size) {
  trm_space space = {.n = 0};
  trm_status status = trm_space_read(path, &space);
  if (status == TRM_OK) (void)snprintf(config, size, "%s", space.config);
  trm_space_free(&space);
  return status;
}

static trm_status set_default(trm_config *config, const char *key, const char *value) {
  if (!trm_config_used(config, key) || trm_config_given(config, key)) return TRM_OK;
  return trm_config_set_text(config, key, value);
}

/* Trials keep little, and leave the test part alone. */
static trm_status set_trial_keys(tune *t, trm_config *config) {
  TRM_TRY(set_default(config, "checkpoint.keep", "1"));
  TRM_TRY(set_default(config, "checkpoint.initial", "false"));
  t->reports = trm_config_bool(config, "log.report");
  TRM_TRY(trm_config_set_text(config, "log.report", "false")); /* one for all trials, at the end */
  TRM_TRY(set_default(config, "log.tensorboard", "false"));
  t->untouched = trm_config_used(config, "eval.test");
  if (t->untouched) TRM_TRY(trm_config_set_text(config, "eval.test", "false"));
  if (trm_config_bool(config, "eval.at_end")) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG, "eval.at_end is false: trials would have no result to compare");
}

/* What two searches must have in common to be one: all but how long it is and what is kept. */
static uint64_t identity_of(const trm_space *s, const trm_config *config, int64_t split) {
  trm_search_options o = s->search;
  uint64_t hash = trm_config_digest(config, true);
  o.trials = o.keep = 0;
  const int64_t numbers[] = {(int64_t)o.method,
                             (int64_t)o.prune,
                             (int64_t)o.seed,
                             o.parallel,
                             o.startup,
                             o.candidates,
                             o.eta,
                             o.rungs,
                             o.median_startup,
                             o.folds,
                             split};
  hash = trm_hash64(numbers, sizeof numbers, hash);
  for (int i = 0; i < s->n; ++i) {
    const trm_parameter *p = &s->parameters[i];
    const double range[] = {p->low,         p->high,           p->step,
                            (double)p->log, (double)p->points, (double)p->parent};
    hash = trm_hash64(p->key, strlen(p->key), hash);
    hash = trm_hash64(range, sizeof range, hash);
    hash = trm_hash64(p->wanted, sizeof p->wanted, hash);
    for (int k = 0; k < p->n_choices; ++k) {
      hash = trm_hash64(p->choices[k], strlen(p->choices[k]) + 1, hash);
    }
  }
  return hash;
}

/* That the keys fit together for each choice, the other values being the first. */
static trm_status check_choice(const tune *t, int parameter, int choice) {
  const trm_space *s = &t->space;
  double values[TRM_SPACE_MOST];
  trm_config *config = NULL;
  trm_status status;
  for (int i = 0; i < s->n; ++i) {
    values[i] = i == parameter ? choice : s->parameters[i].low;
    if (!trm_parameter_wanted(s, i, values)) values[i] = (double)NAN;
  }
  TRM_TRY_OUT(trm_program_config(&config));
  TRM_TRY_OUT(trm_config_read_text(config, t->given, "configuration"));
  TRM_TRY_OUT(trm_space_set(s, values, config));
  status = trm_config_check(config);
out:
  trm_config_destroy(&config);
  return status;
}

static trm_status check_space(tune *t) {
  trm_config *config = NULL;
  trm_status status;
  TRM_TRY_OUT(trm_program_config(&config));
  TRM_TRY_OUT(trm_config_read_text(config, t->given, "configuration"));
  TRM_TRY_OUT(trm_space_check(&t->space, config));
  TRM_TRY_OUT(check_choice(t, -1, 0));
  for (int i = 0; i < t->space.n; ++i) {
    for (int k = 0; k < t->space.parameters[i].n_choices; ++k) TRM_TRY_OUT(check_choice(t, i, k));
  }
  if (t->space.search.prune == TRM_PRUNE_MEDIAN && t->space.search.folds > 0) {
    status = trm_fail(TRM_ERR_CONFIG,
                      "%s: search.prune is median and search.folds %" PRId64
                      ": the median judges one run a trial; choose asha or halving",
                      t->space.path, t->space.search.folds);
  }
out:
  trm_config_destroy(&config);
  return status;
}

/* Trials of a search whose journal is gone would be taken for this one's. */
static trm_status check_folder(const tune *t) {
  char journal[TRM_PATH_BYTES], trials[TRM_PATH_BYTES];
  TRM_TRY(trm_path_join(journal, sizeof journal, t->folder, "journal.csv"));
  TRM_TRY(trm_path_join(trials, sizeof trials, t->folder, "trials"));
  if (trm_path_exists(journal) || !trm_path_exists(trials)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: trials of a search without its journal; choose another folder, or remove it",
                  trials);
}

static trm_status prepare(tune *t, int64_t split) {
  trm_config *config = t->options->config;
  const trm_task_kind *kind;
  TRM_TRY(trm_space_read(t->options->space, &t->space));
  TRM_TRY(trm_task_choose(config, &kind));
  trm_config_tell(config, "data", kind->brings.name);
  TRM_TRY(trm_config_check(config));
  TRM_TRY(set_trial_keys(t, config));
  const trm_metric *metric = trm_metric_find(trm_task_metric(kind, config));
  TRM_ASSERT(metric);
  (void)snprintf(t->select, sizeof t->select, "%s", metric->name);
  TRM_TRY(trm_config_text(config, true, &t->given));
  TRM_TRY(check_space(t));
  t->identity = identity_of(&t->space, config, split);
  TRM_TRY(trm_tuning_create(&t->space, !metric->less_is_better, &t->search));
  t->trials = (trm_trials){.crew = &t->crew,
                           .search = &t->search,
                           .given = t->given,
                           .folder = t->folder,
                           .select = t->select,
                           .split = split};
  if (t->space.search.prune == TRM_PRUNE_MEDIAN) {
    TRM_TRY(TRM_ALLOC(&t->trials.tracks, t->search.n_trials, "evaluations of trials"));
  }
  if (trm_comm_rank(t->comm) != 0) return TRM_OK;
  TRM_TRY(check_folder(t));
  TRM_TRY(trm_folder_make(t->folder));
  return trm_journal_open(t->folder, &t->search, t->identity, t->options->resume, &t->journal);
}

/* ---- a round --------------------------------------------------------------------------------- */

/* Jobs [first, first + n) that can be decided by what is known; those of the journal have results. */
typedef struct tune_round {
  int64_t first, n;
  int *group_of;     /* [n] that trains the job; -1: none has to */
  trm_job *results;  /* [n] by this rank's group */
  trm_job *all;      /* [ranks, n] */
  trm_track *tracks; /* [n]; NULL: not wanted */
} tune_round;

static void free_round(tune_round *r) {
  TRM_FREE(r->group_of);
  TRM_FREE(r->results);
  TRM_FREE(r->all);
  TRM_FREE(r->tracks);
}

static trm_status make_round(const tune *t, tune_round *r) {
  const int64_t most = t->space.search.parallel;
  static const char what[] = "round of trials";
  *r = (tune_round){.first = t->search.n_jobs};
  TRM_TRY(TRM_ALLOC(&r->group_of, most, what));
  TRM_TRY(TRM_ALLOC(&r->results, most, what));
  TRM_TRY(TRM_ALLOC(&r->all, most * trm_comm_size(t->comm), what));
  return t->trials.tracks ? TRM_ALLOC(&r->tracks, most, what) : TRM_OK;
}

/* Steps of a job beyond those that its trial has, in full lengths. */
static double cost_of(const tune *t, const trm_job *job) {
  const trm_search_options *o = &t->space.search;
  const double before = job->rung > 0 ? trm_tuning_length(o, job->rung - 1) : 0;
  return job->trial < 0 ? 0 : trm_tuning_length(o, job->rung) - before;
}

/* Decides jobs while results before the round suffice. */
static trm_status decide(tune *t, tune_round *r) {
  bool over = false;
  while (r->n < t->space.search.parallel && !over) {
    TRM_TRY(trm_tuning_next(&t->search, &over));
    if (over) return TRM_OK;
    r->group_of[r->n++] = t->search.jobs[t->search.n_jobs - 1].trial < 0 ? -1 : 0;
  }
  return TRM_OK;
}

/* Results that the journal has; rank 0 reads it. Collective. */
static trm_status recall(tune *t, tune_round *r) {
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
static trm_status deal(const tune *t, tune_round *r) {
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

static void say_score(const tune *t, double score, char *text, size_t size) {
  const trm_metric *metric = trm_metric_find(t->select);
  const bool share = metric && metric->unit == TRM_METRIC_SHARE;
  (void)snprintf(text, size, share ? "%s %.2f" : "%s %.4f", t->select, share ? 100 * score : score);
}

static void say_values(const tune *t, int64_t trial, char *text, size_t size) {
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

static void say_job(const tune *t, const trm_job *job) {
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
static trm_status train_own(tune *t, tune_round *r) {
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
static int leader_of(const tune *t, int group) {
  const int size = trm_comm_size(t->comm);
  int rank = 0;
  while (trm_share_begin(t->crew.n_groups, rank, size) != group) ++rank;
  return rank;
}

/* Every rank gets every result that there is, and what the median needs. Collective. */
static trm_status exchange(tune *t, tune_round *r) {
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
static trm_status recall_tracks(tune *t, const tune_round *r) {
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
static trm_status note(tune *t, const tune_round *r) {
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

static worth worth_of(const tune *t, int64_t trial, int64_t best) {
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
                 .cost = s->higher ? -job->score : job->score};
}

/* Checkpoints of all but the first `keep` go; a trial that goes on without one begins anew, and comes to the
 * same bits. On rank 0, while nothing trains. */
static trm_status keep_few(tune *t) {
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
static double work_left(const tune *t) {
  const trm_tuning *s = &t->search;
  double done = 0;
  for (int64_t j = 0; j < s->n_jobs; ++j) done += cost_of(t, &s->jobs[j]);
  return s->n_begun > 0 ? done / (double)s->n_begun * (double)(s->n_trials - s->n_begun) : 0;
}

static void say_progress(tune *t) {
  const trm_tuning *s = &t->search;
  const int64_t best = trm_tuning_best(s);
  char score[64] = "none of full length yet", left[32] = "", trial[40] = "";
  if (best >= 0) {
    say_score(t, s->jobs[trm_tuning_job_of(s, best, s->n_jobs)].score, score, sizeof score);
    (void)snprintf(trial, sizeof trial, " (trial %" PRId64 ")", best + 1);
  }
  if (t->work > 0) trm_format_duration((trm_clock_s() - t->start_s) / t->work * work_left(t), left);
  trm_log_line(t->log, "%" PRId64 " of %" PRId64 " trials, best %s%s%s%s%s", s->n_begun,
               s->n_trials, score, trial, *left ? ", about " : "", left, *left ? " left" : "");
}

/* ---- the search ------------------------------------------------------------------------------ */

/* What the results of the round, good or bad, bring with them. Collective. */
static trm_status end_round(tune *t, tune_round *r, trm_status mine) {
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

static trm_status run_round(tune *t, bool *over) {
  tune_round r;
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

/* ---- the test -------------------------------------------------------------------------------- */

/* The run whose weights are tested: the best trial, or its values trained on all folds together. */
static trm_status choose_tested(tune *t, int64_t best, char folder[TRM_PATH_BYTES]) {
  if (t->space.search.folds == 0) return trm_trial_folder(&t->trials, best, -1, folder);
  TRM_TRY(trm_path_join(folder, TRM_PATH_BYTES, t->folder, "best"));
  return trm_trial_train_again(&t->trials, best, folder);
}

/* Collective over the first group. */
static trm_status open_test(tune *t, int64_t best, trm_evaluation *tested) {
  char folder[TRM_PATH_BYTES];
  bool found = false;
  trm_status status = TRM_OK;
  if (trm_crew_leads(&t->crew)) status = trm_tune_read_test(&t->trials, best, tested, &found);
  double told = found;
  TRM_TRY(trm_comm_agree(t->crew.group, status));
  TRM_TRY(trm_comm_max_f64(t->crew.group, &told, 1));
  if (told > 0) {
    trm_log_line(
        t->log, "the test part was opened when the search ended; its scores are those of test.csv");
    return TRM_OK;
  }
  TRM_TRY(choose_tested(t, best, folder));
  trm_log_line(t->log, "the test part is opened, once, for trial %" PRId64 ": %s", best + 1,
               folder);
  const trm_evaluate_options options = {.run = folder, .best = true};
  TRM_TRY(trm_evaluate_run(t->crew.group, &options, tested));
  if (!trm_crew_leads(&t->crew)) return TRM_OK;
  const trm_job *job = &t->search.jobs[trm_tuning_job_of(&t->search, best, t->search.n_jobs)];
  return trm_tune_write_test(&t->trials, best, job->score, tested);
}

static trm_status conclude(tune *t, trm_evaluation *tested) {
  const int64_t best = trm_tuning_best(&t->search);
  const bool speaks = trm_comm_rank(t->comm) == 0;
  TRM_TRY(trm_comm_agree(t->comm, speaks ? trm_tune_write_tables(&t->trials) : TRM_OK));
  if (best < 0) {
    return trm_fail(TRM_ERR_DIVERGED, "no trial came to its full length: see %s/trials.csv for why",
                    t->folder);
  }
  TRM_TRY(trm_comm_agree(t->comm, speaks ? trm_tune_write_best(&t->trials, best) : TRM_OK));
  trm_status status = t->crew.my_group == 0 ? open_test(t, best, tested) : TRM_OK;
  trm_watch_pause(t->comm);
  TRM_TRY(trm_comm_agree(t->comm, status));
  status = speaks ? trm_tune_print(&t->trials, best, tested, stdout) : TRM_OK;
  if (speaks && t->reports && trm_tune_write_page(&t->trials) != TRM_OK) {
    trm_log_warn(t->log, "no report: %s", trm_message());
  }
  return trm_comm_agree(t->comm, status);
}

static void say_begin(const tune *t) {
  static const char *const methods[] = {"TPE", "random search", "a grid"};
  static const char *const rules[] = {"none is given up", "given up by the median",
                                      "successive halving", "ASHA"};
  const trm_search_options *o = &t->space.search;
  trm_log_line(t->log,
               "%" PRId64 " trials by %s over %d parameters, %s; %" PRId64
               " at a time on %d rank%s, in %s",
               t->search.n_trials, methods[o->method], t->space.n, rules[o->prune], o->parallel,
               trm_comm_size(t->comm), trm_comm_size(t->comm) == 1 ? "" : "s", t->folder);
  if (!t->untouched) {
    trm_log_warn(t->log, "data of this kind have no validation part or no test part apart: what is "
                         "found is not tested on anything new");
  }
}

static trm_status search(tune *t, int64_t split, trm_evaluation *tested) {
  bool over = false;
  trm_status status = trm_comm_agree(t->comm, prepare(t, split));
  if (status != TRM_OK) return status;
  TRM_TRY(trm_crew_create(t->comm, t->space.search.parallel, t->log, &t->crew));
  say_begin(t);
  t->start_s = trm_clock_s();
  while (!over && status == TRM_OK) status = run_round(t, &over);
  return status == TRM_OK ? conclude(t, tested) : status;
}

static trm_status run_search(trm_comm *comm, const trm_tune_options *options, int64_t split,
                             trm_log *log, trm_evaluation *tested) {
  tune t = {.options = options, .comm = comm, .log = log, .journal = {.fd = -1}};
  char name[40];
  trm_status status = TRM_OK;
  *tested = (trm_evaluation){.n_scores = 0};
  (void)snprintf(name, sizeof name, "split_%" PRId64, split);
  if (split < 0) {
    (void)snprintf(t.folder, sizeof t.folder, "%s", options->folder);
  } else {
    status = trm_path_join(t.folder, sizeof t.folder, options->folder, name);
  }
  if (status == TRM_OK) status = search(&t, split, tested);
  trm_journal_close(&t.journal);
  trm_crew_free(&t.crew);
  trm_tuning_free(&t.search);
  TRM_FREE(t.trials.tracks);
  TRM_FREE(t.given);
  trm_space_free(&t.space);
  return status;
}

/* ---- several splits -------------------------------------------------------------------------- */

/* nested.csv, and mean and deviation of each score over the splits. On rank 0. */
static trm_status report_nested(const trm_tune_options *options, const trm_evaluation *tested) {
  char path[TRM_PATH_BYTES];
  trm_text_file file;
  double *values = NULL;
  const int64_t n = options->n_splits;
  TRM_TRY(trm_path_join(path, sizeof path, options->folder, "nested.csv"));
  TRM_TRY(TRM_ALLOC(&values, n, "scores of splits"));
  trm_status status = trm_text_file_begin(&file);
  if (status == TRM_OK) {
    (void)fprintf(file.stream, "split");
    for (int c = 0; c < tested[0].n_scores; ++c)
      (void)fprintf(file.stream, ",%s", tested[0].scores[c].name);
    for (int64_t k = 0; k < n; ++k) {
      (void)fprintf(file.stream, "\n%" PRId64, options->splits[k]);
      for (int c = 0; c < tested[k].n_scores; ++c)
        (void)fprintf(file.stream, ",%.9g", tested[k].scores[c].value);
    }
    (void)fprintf(file.stream, "\n");
    status = trm_text_file_publish(&file, path);
  }
  printf("mean +- deviation over %" PRId64 " splits, each with a search of its own\n", n);
  for (int c = 0; c < tested[0].n_scores && status == TRM_OK; ++c) {
    double mean, deviation;
    char cell[64];
    for (int64_t k = 0; k < n; ++k) values[k] = tested[k].scores[c].value;
    trm_mean_deviation(values, n, &mean, &deviation);
    trm_curves_cell(tested[0].scores[c].name, mean, deviation, cell, sizeof cell);
    printf("%-24s  %s\n", tested[0].scores[c].name, cell);
  }
  TRM_FREE(values);
  return status;
}

trm_status trm_tune(trm_comm *comm, const trm_tune_options *options, trm_log *log) {
  trm_evaluation one, *tested = NULL;
  if (options->n_splits == 0) return run_search(comm, options, -1, log, &one);
  TRM_TRY(trm_comm_agree(comm, TRM_ALLOC(&tested, options->n_splits, "scores of splits")));
  trm_status status = TRM_OK;
  for (int64_t k = 0; k < options->n_splits && status == TRM_OK; ++k) {
    status = run_search(comm, options, options->splits[k], log, &tested[k]);
  }
  if (status == TRM_OK) {
    status =
        trm_comm_agree(comm, trm_comm_rank(comm) == 0 ? report_nested(options, tested) : TRM_OK);
  }
  TRM_FREE(tested);
  return status;
}
