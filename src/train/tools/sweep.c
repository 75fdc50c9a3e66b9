#include "trireme/train/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rundir.h"
#include "signals.h"
#include "sweep_table.h"
#include "task.h"
#include "text_file.h"
#include "trireme/comm/split.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/input/kind.h"
#include "trireme/io/files.h"
#include "trireme/optim/plugins.h"
#include "trireme/train/keys.h"
#include "trireme/train/train.h"

/* ---- lists of numbers ------------------------------------------------------------------------ */

enum { MAX_NUMBERS = 100000 };
static const long long max_number = 9007199254740992; /* the most run.seed may be */

static trm_status bad_numbers(const char *text, const char *what) {
  return trm_fail(TRM_ERR_USAGE,
                  "%s '%s': give numbers and ranges up to %lld, as 0-9 or 1,3,5 (at most %d)", what,
                  text, max_number, MAX_NUMBERS);
}

static bool take_number(const char **at, long long *value) {
  char *end;
  errno = 0;
  *value = strtoll(*at, &end, 10);
  const bool good = end != *at && errno != ERANGE && *value >= 0 && *value <= max_number;
  *at = end;
  return good;
}

static int rising(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* A number given twice would be two runs in one folder. */
static trm_status check_distinct(const char *text, const char *what, const int64_t *numbers,
                                 int64_t n) {
  int64_t *sorted = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&sorted, n, "runs"));
  memcpy(sorted, numbers, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, rising);
  for (int64_t i = 1; i < n && status == TRM_OK; ++i) {
    if (sorted[i] != sorted[i - 1]) continue;
    status = trm_fail(TRM_ERR_USAGE, "%s '%s': %" PRId64 " is there twice; give each number once",
                      what, text, sorted[i]);
  }
  TRM_FREE(sorted);
  return status;
}

/* As many as `text` names into numbers[MAX_NUMBERS]. */
static trm_status take_numbers(const char *text, const char *what, int64_t *numbers, int64_t *n) {
  for (const char *at = text;; ++at) {
    long long first, last;
    if (!take_number(&at, &first)) break;
    last = first;
    if (*at == '-') {
      ++at;
      if (!take_number(&at, &last)) break;
    }
    if (last < first || last - first >= MAX_NUMBERS - *n) break;
    const int64_t count = last - first + 1;
    for (int64_t i = 0; i < count; ++i) numbers[(*n)++] = first + i;
    if (!*at) return check_distinct(text, what, numbers, *n);
    if (*at != ',') break;
  }
  return bad_numbers(text, what);
}

trm_status trm_sweep_numbers(const char *text, const char *what, int64_t **numbers, int64_t *n) {
  *n = 0;
  TRM_TRY(TRM_ALLOC(numbers, MAX_NUMBERS, "runs"));
  const trm_status status = take_numbers(text, what, *numbers, n);
  if (status == TRM_OK) return TRM_OK;
  TRM_FREE(*numbers);
  *n = 0;
  return status;
}

trm_status trm_sweep_count_splits(const char *path, int64_t *n) {
  const trm_data_kind *kind;
  int n_splits = 0;
  *n = 1;
  TRM_TRY(trm_data_kind_of(path, &kind));
  if (!kind->count_splits) {
    return trm_fail(TRM_ERR_USAGE, "--splits: %s is of kind '%s', which has one split", path,
                    kind->name);
  }
  TRM_TRY(kind->count_splits(path, &n_splits));
  *n = n_splits;
  if (n_splits > 0) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG, "--splits: %s has no %s; prepare it with some", path,
                  kind->splits);
}

/* ---- one run --------------------------------------------------------------------------------- */

/* What came of a run; only done ones are in the table. */
typedef enum outcome { NOT_RUN, DONE, FAILED, STOPPED } outcome;

typedef struct sweep {
  trm_comm *comm, *group;
  const trm_sweep_options *options;
  trm_log *log;
  char root[TRM_PATH_BYTES]; /* run.dir of the configuration */
  char select[32];
  int64_t n_runs;
  int n_groups, my_group;
  double *outcomes; /* [n_runs] of enum outcome, by rank 0 of the run's group; owned */
  char *given;      /* what the configuration gives, as YAML; owned */
} sweep;

static int64_t n_seeds(const sweep *s) {
  return s->options->n_seeds > 0 ? s->options->n_seeds : 1;
}

enum { NAME_BYTES = 64 };

/* Name of the run's folder: "seed_3", "split_0", "split_0_seed_3". */
static void run_name(const sweep *s, int64_t run, char name[NAME_BYTES]) {
  const int64_t seed = run % n_seeds(s), split = run / n_seeds(s);
  const trm_sweep_options *o = s->options;
  if (o->n_splits == 0) {
    (void)snprintf(name, NAME_BYTES, "seed_%" PRId64, o->seeds[seed]);
  } else if (o->n_seeds == 0) {
    (void)snprintf(name, NAME_BYTES, "split_%" PRId64, o->splits[split]);
  } else {
    (void)snprintf(name, NAME_BYTES, "split_%" PRId64 "_seed_%" PRId64, o->splits[split],
                   o->seeds[seed]);
  }
}

static trm_status folder_of(const sweep *s, int64_t run, char path[TRM_PATH_BYTES]) {
  char name[NAME_BYTES];
  run_name(s, run, name);
  return trm_path_join(path, TRM_PATH_BYTES, s->root, name);
}

static trm_status config_of(const sweep *s, int64_t run, trm_config **config) {
  char folder[TRM_PATH_BYTES], text[TRM_PATH_BYTES + 16];
  const trm_sweep_options *o = s->options;
  TRM_TRY(trm_program_config(config));
  TRM_TRY(trm_config_read_text(*config, s->given, "configuration"));
  TRM_TRY(folder_of(s, run, folder));
  (void)snprintf(text, sizeof text, "run.dir=%s", folder);
  TRM_TRY(trm_config_set(*config, text));
  if (o->n_seeds > 0) TRM_TRY(trm_config_set_int(*config, "run.seed", o->seeds[run % o->n_seeds]));
  if (o->n_splits > 0) {
    TRM_TRY(trm_config_set_int(*config, "data.split", o->splits[run / n_seeds(s)]));
  }
  TRM_TRY(trm_config_check(*config));
  return trm_plugins_load(*config); /* those of the configuration that the user gave */
}

/* By the ranks of one group. A run that fails on its own terms (it diverged) does not stop others. */
static trm_status train_one(sweep *s, int64_t run) {
  trm_config *config = NULL;
  char name[NAME_BYTES], title[NAME_BYTES + 64];
  trm_log log; /* progress alone, where somebody looks */
  run_name(s, run, name);
  (void)snprintf(title, sizeof title, "run %" PRId64 " of %" PRId64 " (%s)", run + 1, s->n_runs,
                 name);
  trm_log_init(&log, trm_comm_rank(s->comm) == 0 ? stderr : NULL);
  log.title = title;
  trm_status status = trm_comm_agree(s->group, config_of(s, run, &config));
  if (status == TRM_OK) {
    const trm_train_options train = {
        .config = config, .resume = s->options->resume, .allow_changes = s->options->allow_changes};
    status = trm_train(s->group, &train, &log);
  }
  if (log.progress_shown) { /* the line that follows takes its place */
    s->log->progress_shown = true;
    log.progress_shown = false;
  }
  trm_log_close(&log);
  trm_config_destroy(&config);
  if (trm_comm_rank(s->group) == 0) {
    s->outcomes[run] = status == TRM_OK ? DONE : status == TRM_STOPPED ? STOPPED : FAILED;
  }
  return status;
}

/* The first rank of each group speaks: lines are written whole. */
static void say_progress(sweep *s, int64_t run, trm_status status) {
  char name[NAME_BYTES];
  trm_log other;
  if (trm_comm_rank(s->group) != 0) return;
  run_name(s, run, name);
  const bool first = trm_comm_rank(s->comm) == 0;
  trm_log_init(&other, first ? NULL : stderr);
  other.progress_shown = other.is_terminal; /* rank 0 may show some there */
  trm_log_line(first ? s->log : &other, "run %" PRId64 " of %" PRId64 " (%s): %s", run + 1,
               s->n_runs, name, status == TRM_OK ? "done" : trm_message());
  trm_log_close(&other);
}

/* A signal may have reached some ranks of the group only: all leave, or none. Collective over it. */
static trm_status stop_asked(const sweep *s, bool *stop) {
  double flag = trm_signals_received() != 0;
  TRM_TRY(trm_comm_max_f64(s->group, &flag, 1));
  *stop = flag > 0;
  return TRM_OK;
}

/* Status between the run that has ended and the next one of this group. Collective over it. */
static trm_status check_stop(const sweep *s, int64_t next) {
  bool stop = false;
  if (next >= s->n_runs) return TRM_OK;
  TRM_TRY(stop_asked(s, &stop));
  if (!stop) return TRM_OK;
  return trm_fail(TRM_STOPPED,
                  "stopped by a signal before all runs were done; go on with --resume");
}

static void keep_first(trm_status status, trm_status *first, char message[TRM_MESSAGE_BYTES]) {
  if (status == TRM_OK || *first != TRM_OK) return;
  *first = status;
  (void)snprintf(message, TRM_MESSAGE_BYTES, "%s", trm_message());
}

/* Runs of this rank's group; the first failure is kept with its message. */
static trm_status train_all(sweep *s) {
  trm_status first = TRM_OK;
  char message[TRM_MESSAGE_BYTES] = "";
  for (int64_t run = s->my_group; run < s->n_runs; run += s->n_groups) {
    trm_status status = train_one(s, run);
    say_progress(s, run, status);
    keep_first(status, &first, message);
    if (status == TRM_STOPPED) break; /* the same on all ranks of the group */
    status = check_stop(s, run + s->n_groups);
    keep_first(status, &first, message);
    if (status != TRM_OK) break;
  }
  if (first != TRM_OK) trm_message_set(message);
  return first;
}

/* ---- the table ------------------------------------------------------------------------------- */

static trm_status write_csv(const sweep *s, const trm_curves *curves, int column, bool higher) {
  char path[TRM_PATH_BYTES], name[NAME_BYTES];
  trm_text_file file;
  TRM_TRY(trm_path_join(path, sizeof path, s->root, "sweep.csv"));
  TRM_TRY(trm_text_file_begin(&file));
  (void)fprintf(file.stream, "run,best_step");
  for (int c = 0; c < curves->n_columns; ++c) (void)fprintf(file.stream, ",%s", curves->names[c]);
  for (int64_t r = 0; r < s->n_runs; ++r) {
    const trm_curve *curve = &curves->runs[r];
    const int64_t row = trm_curve_best(curve, curves->n_columns, column, higher);
    if (row < 0) continue;
    run_name(s, r, name);
    (void)fprintf(file.stream, "\n%s,%" PRId64, name, curve->steps[row]);
    for (int c = 0; c < curves->n_columns; ++c) {
      (void)fprintf(file.stream, ",%.9g", curve->values[row * curves->n_columns + c]);
    }
  }
  (void)fprintf(file.stream, "\n");
  return trm_text_file_publish(&file, path);
}

static void leave_out(const sweep *s, int64_t run, const char *why) {
  char name[NAME_BYTES];
  run_name(s, run, name);
  trm_log_warn(s->log, "%s is not in the table: %s", name, why);
}

/* Reads what a run came to, or says why the table goes without it. */
static void take_run(const sweep *s, int64_t run, trm_curves *curves) {
  static const char *const why[] = {
      [NOT_RUN] = "not run", [FAILED] = "it failed", [STOPPED] = "stopped"};
  char folder[TRM_PATH_BYTES];
  const int came_to = (int)s->outcomes[run];
  if (came_to != DONE) {
    leave_out(s, run, why[came_to]);
  } else if (folder_of(s, run, folder) != TRM_OK ||
             trm_curves_read(curves, run, folder) != TRM_OK) {
    leave_out(s, run, trm_message());
  } else if (curves->runs[run].n == 0) {
    leave_out(s, run, "its metrics.csv has no evaluation");
  }
}

static trm_status report(const sweep *s) {
  trm_curves curves;
  int column = 0;
  bool higher = false;
  int64_t n_good = 0;
  trm_status status = TRM_OK;
  TRM_TRY(trm_curves_create(s->n_runs, &curves));
  for (int64_t r = 0; r < s->n_runs; ++r) {
    take_run(s, r, &curves);
    n_good += curves.runs[r].n > 0;
  }
  if (n_good == 0) goto out;
  TRM_TRY_OUT(trm_curves_select(&curves, s->select, &column, &higher));
  TRM_TRY_OUT(write_csv(s, &curves, column, higher));
  TRM_TRY_OUT(trm_curves_print(&curves, column, higher, stdout));
out:
  trm_curves_free(&curves);
  return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static trm_status prepare(sweep *s) {
  trm_config *config = s->options->config;
  const trm_task_kind *kind;
  TRM_TRY(TRM_ALLOC(&s->outcomes, s->n_runs, "results of runs"));
  (void)snprintf(s->root, sizeof s->root, "%s", trm_config_string(config, "run.dir"));
  TRM_TRY(trm_task_choose(config, &kind));
  trm_config_tell(config, "data", kind->brings.name);
  TRM_TRY(trm_config_check(config)); /* once, where messages still name file and line */
  TRM_TRY(trm_config_text(config, true, &s->given));
  (void)snprintf(s->select, sizeof s->select, "%s", trm_task_metric(kind, config));
  if (!trm_config_bool(config, "eval.at_end")) {
    return trm_fail(TRM_ERR_CONFIG, "eval.at_end is false: runs would have no result to compare");
  }
  return trm_comm_rank(s->comm) == 0 ? trm_folder_make(s->root) : TRM_OK;
}

trm_status trm_sweep(trm_comm *comm, const trm_sweep_options *options, trm_log *log) {
  sweep s = {.comm = comm, .options = options, .log = log};
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  s.n_runs = n_seeds(&s) * (options->n_splits > 0 ? options->n_splits : 1);
  s.n_groups = s.n_runs < size ? (int)s.n_runs : size;
  s.my_group = (int)trm_share_begin(s.n_groups, rank, size);
  trm_status status = trm_comm_agree(comm, prepare(&s));
  if (status != TRM_OK) goto out;
  trm_log_line(log, "%" PRId64 " runs on %d ranks, %d at a time, in %s", s.n_runs, size, s.n_groups,
               s.root);
  TRM_TRY_OUT(trm_comm_split(comm, s.my_group, &s.group));
  const trm_status mine = train_all(&s);
  trm_watch_pause(comm); /* other groups may have more to do */
  TRM_TRY_OUT(trm_comm_sum_f64(comm, s.outcomes, s.n_runs));
  const trm_status trained = trm_comm_agree(comm, mine);
  char message[TRM_MESSAGE_BYTES];
  (void)snprintf(message, sizeof message, "%s", trm_message());
  status = trm_comm_agree(comm, rank == 0 ? report(&s) : TRM_OK);
  if (trained != TRM_OK) {
    trm_message_set(message);
    status = trained;
  }
out:
  trm_comm_free(&s.group);
  TRM_FREE(s.outcomes);
  TRM_FREE(s.given);
  return status;
}
