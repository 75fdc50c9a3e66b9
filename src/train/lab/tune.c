#include "trireme/train/tune.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep_table.h"
#include "task.h"
#include "text_file.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/io/files.h"
#include "trireme/train/keys.h"
#include "trireme/train/scores.h"
#include "tune_files.h"
#include "tune_internal.h"

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
static trm_status set_trial_keys(trm_search *t, trm_config *config) {
  TRM_TRY(set_default(config, "checkpoint.keep", "1"));
  TRM_TRY(set_default(config, "checkpoint.initial", "false"));
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
static trm_status check_choice(const trm_search *t, int parameter, int choice) {
  const trm_space *s = &t->space;
  double values[TRM_SPACE_MOST];
  trm_config *config = NULL;
  trm_status status;
  for (int i = 0; i < s->n; ++i) {
    values[i] = i == parameter ? choice : s->parameters[i].low;
    if (!trm_parameter_wanted(s, i, values)) values[i] = (double)NAN;
  }
  TRM_TRY_OUT(trm_crew_config_of(t->given, &config));
  TRM_TRY_OUT(trm_space_set(s, values, config));
  status = trm_config_check(config);
out:
  trm_config_destroy(&config);
  return status;
}

/* Keys that the search sets itself. */
static trm_status check_parameters(const trm_search *t) {
  const bool splits = t->options->n_splits > 0, folds = t->space.search.folds > 0;
  for (int i = 0; i < t->space.n; ++i) {
    const trm_parameter *p = &t->space.parameters[i];
    const char *by = strcmp(p->key, "run.dir") == 0                ? "-o"
                     : splits && strcmp(p->key, "data.split") == 0 ? "--splits"
                     : folds && strcmp(p->key, "data.folds") == 0  ? "search.folds"
                     : folds && strcmp(p->key, "data.fold") == 0   ? "search.folds"
                                                                   : NULL;
    if (!by) continue;
    return trm_fail(TRM_ERR_CONFIG,
                    "%s: %s is set by %s for each trial; take it out of the parameters",
                    t->space.path, p->key, by);
  }
  return TRM_OK;
}

static trm_status check_space(trm_search *t) {
  trm_config *config = NULL;
  trm_status status;
  TRM_TRY(check_parameters(t));
  TRM_TRY_OUT(trm_crew_config_of(t->given, &config));
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

/* A folder without a journal is of no search: what a search would write over is the user's, and trials
 * would be taken for this one's. */
static trm_status check_folder(const trm_search *t) {
  static const char *const written[] = {"trials.csv",   "importance.csv", "report.html",
                                        "parallel.csv", "best.yaml",      "best",
                                        "test.csv"};
  char journal[TRM_PATH_BYTES], trials[TRM_PATH_BYTES];
  TRM_TRY(trm_path_join(journal, sizeof journal, t->folder, "journal.csv"));
  if (trm_path_exists(journal)) return TRM_OK;
  for (size_t i = 0; i < sizeof written / sizeof *written; ++i) {
    char path[TRM_PATH_BYTES];
    TRM_TRY(trm_path_join(path, sizeof path, t->folder, written[i]));
    if (!trm_path_exists(path)) continue;
    return trm_fail(TRM_ERR_USAGE,
                    "tune: %s is there already, and no search wrote it; give -o another folder",
                    path);
  }
  TRM_TRY(trm_path_join(trials, sizeof trials, t->folder, "trials"));
  if (!trm_path_exists(trials)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: trials of a search without its journal; choose another folder, or remove it",
                  trials);
}

static trm_status prepare(trm_search *t, int64_t split) {
  trm_config *config = t->options->config;
  const trm_task_kind *kind;
  TRM_TRY(trm_space_read(t->options->space, &t->space));
  if (t->options->folds > 0) t->space.search.folds = t->options->folds;
  TRM_TRY(trm_task_choose(config, TRM_USE_TRAIN, &kind));
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

/* ---- the test -------------------------------------------------------------------------------- */

/* The run whose weights are tested: the best trial, or its values trained on all folds together. */
static trm_status tested_folder(const trm_search *t, int64_t best, char folder[TRM_PATH_BYTES]) {
  if (t->space.search.folds == 0) return trm_trial_folder(&t->trials, best, -1, folder);
  return trm_path_join(folder, TRM_PATH_BYTES, t->folder, "best");
}

/* Collective over the first group. */
static trm_status open_test(trm_search *t, int64_t best, const char *folder,
                            trm_evaluation *tested) {
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
  if (t->space.search.folds > 0) TRM_TRY(trm_trial_train_again(&t->trials, best, folder));
  trm_log_line(t->log, "the test part is opened, once, for trial %" PRId64 ": %s", best + 1,
               folder);
  const trm_evaluate_options options = {.run = folder, .best = true};
  TRM_TRY(trm_evaluate_run(t->crew.group, &options, tested));
  if (!trm_crew_leads(&t->crew)) return TRM_OK;
  const trm_job *job = &t->search.jobs[trm_tuning_job_of(&t->search, best, t->search.n_jobs)];
  return trm_tune_write_test(&t->trials, best, job->score, tested);
}

/* The result for people, and the page. On rank 0. */
static trm_status present(trm_search *t, int64_t best, const trm_evaluation *tested,
                          const char *folder) {
  trm_status status;
  if (t->nested) {
    const double took_s = t->work > 0 ? trm_clock_s() - t->start_s : 0;
    status = trm_nested_add(t->nested, &t->trials, best, tested, folder, took_s);
  } else {
    status = trm_tune_print(&t->trials, best, tested, stdout);
  }
  if (t->reports && trm_tune_write_page(&t->trials) != TRM_OK) {
    trm_log_warn(t->log, "no report: %s", trm_message());
  }
  return status;
}

static trm_status conclude(trm_search *t) {
  const int64_t best = trm_tuning_best(&t->search);
  const bool speaks = trm_comm_rank(t->comm) == 0;
  trm_evaluation tested = {.n_scores = 0};
  char folder[TRM_PATH_BYTES];
  TRM_TRY(trm_comm_agree(t->comm, speaks ? trm_tune_write_tables(&t->trials) : TRM_OK));
  if (best < 0) {
    return trm_fail(TRM_ERR_DIVERGED, "no trial came to its full length: see %s/trials.csv for why",
                    t->folder);
  }
  TRM_TRY(trm_comm_agree(t->comm, speaks ? trm_tune_write_best(&t->trials, best) : TRM_OK));
  trm_status status = tested_folder(t, best, folder);
  if (status == TRM_OK && t->crew.my_group == 0) status = open_test(t, best, folder, &tested);
  trm_watch_pause(t->comm);
  TRM_TRY(trm_comm_agree(t->comm, status));
  return trm_comm_agree(t->comm, speaks ? present(t, best, &tested, folder) : TRM_OK);
}

/* Which of several searches begins. On rank 0. */
static void say_split(const trm_search *t) {
  const trm_nested *nested = t->nested;
  const double left_s = trm_nested_left_s(nested);
  char left[32] = "";
  if (left_s > 0) trm_format_duration(left_s, left);
  trm_log_line(t->log, "---- split %" PRId64 ", search %" PRId64 " of %" PRId64 "%s%s%s",
               nested->options->splits[nested->n_found], nested->n_found + 1,
               nested->options->n_splits, *left ? ", about " : "", left,
               *left ? " left for all" : "");
}

static void say_begin(const trm_search *t) {
  static const char *const methods[] = {"TPE", "random search", "a grid"};
  static const char *const rules[] = {"none is given up", "given up by the median",
                                      "successive halving", "ASHA"};
  const trm_search_options *o = &t->space.search;
  char folds[48] = "";
  if (o->folds > 0) {
    (void)snprintf(folds, sizeof folds, ", each on %" PRId64 " inner folds", o->folds);
  }
  trm_log_line(t->log,
               "%" PRId64 " trial%s by %s over %d parameter%s%s, %s; %" PRId64
               " at a time on %d rank%s, in %s",
               t->search.n_trials, trm_plural(t->search.n_trials), methods[o->method], t->space.n,
               trm_plural(t->space.n), folds, rules[o->prune], o->parallel, trm_comm_size(t->comm),
               trm_plural(trm_comm_size(t->comm)), t->folder);
  if (!t->untouched) {
    trm_log_warn(t->log, "data of this kind have no validation part or no test part apart: what is "
                         "found is not tested on anything new");
  }
}

static trm_status search(trm_search *t, int64_t split) {
  bool over = false;
  trm_status status = trm_comm_agree(t->comm, prepare(t, split));
  if (status != TRM_OK) return status;
  TRM_TRY(trm_crew_create(t->comm, t->space.search.parallel, t->log, &t->crew));
  if (t->nested && trm_comm_rank(t->comm) == 0) say_split(t);
  say_begin(t);
  t->start_s = trm_clock_s();
  while (!over && status == TRM_OK) status = trm_search_round(t, &over);
  return status == TRM_OK ? conclude(t) : status;
}

static trm_status run_search(const trm_search *begin, int64_t split) {
  trm_search t = *begin;
  char name[40];
  trm_status status = TRM_OK;
  (void)snprintf(name, sizeof name, "split_%" PRId64, split);
  if (split < 0) {
    (void)snprintf(t.folder, sizeof t.folder, "%s", t.options->folder);
  } else {
    status = trm_path_join(t.folder, sizeof t.folder, t.options->folder, name);
  }
  if (status == TRM_OK) status = search(&t, split);
  trm_journal_close(&t.journal);
  trm_crew_free(&t.crew);
  trm_tuning_free(&t.search);
  TRM_FREE(t.trials.tracks);
  TRM_FREE(t.given);
  trm_space_free(&t.space);
  return status;
}

/* ---- several splits -------------------------------------------------------------------------- */

/* On rank 0. */
static trm_status report_nested(const trm_nested *nested, bool page, trm_log *log) {
  TRM_TRY(trm_nested_write(nested));
  TRM_TRY(trm_nested_print(nested, stdout));
  if (page && trm_nested_write_page(nested) != TRM_OK) {
    trm_log_warn(log, "no report: %s", trm_message());
  }
  return TRM_OK;
}

/* A search for each split, one after another. */
static trm_status search_splits(trm_search *begin) {
  const trm_tune_options *options = begin->options;
  const bool speaks = trm_comm_rank(begin->comm) == 0;
  trm_nested nested;
  trm_status status = trm_comm_agree(begin->comm, trm_nested_make(options, &nested));
  begin->nested = &nested;
  for (int64_t k = 0; k < options->n_splits && status == TRM_OK; ++k) {
    char text[512];
    status = run_search(begin, options->splits[k]);
    if (status != TRM_OK || !speaks) continue;
    trm_nested_tell(&nested, k, text, sizeof text);
    trm_log_line(begin->log, "split %" PRId64 ": %s", options->splits[k], text);
  }
  if (status == TRM_OK) {
    status = trm_comm_agree(begin->comm,
                            speaks ? report_nested(&nested, begin->reports, begin->log) : TRM_OK);
  }
  trm_nested_free(&nested);
  return status;
}

trm_status trm_tune(trm_comm *comm, const trm_tune_options *options, trm_log *log) {
  trm_search begin = {.options = options,
                      .comm = comm,
                      .log = log,
                      .journal = {.fd = -1},
                      /* before trials are told to write none of their own */
                      .reports = trm_config_bool(options->config, "log.report")};
  return options->n_splits == 0 ? run_search(&begin, -1) : search_splits(&begin);
}
