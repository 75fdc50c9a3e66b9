#include "trireme/train/sweep.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crew.h"
#include "csv.h"
#include "rundir.h"
#include "sweep_summary.h"
#include "task.h"
#include "text_file.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/input/kind.h"
#include "trireme/io/files.h"
#include "trireme/train/report.h"

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

/* ---- names ----------------------------------------------------------------------------------- */

enum { NAME_BYTES = 256, SELECT_BYTES = 32 };

typedef struct sweep {
  trm_crew crew;
  const trm_sweep_options *options;
  trm_grid empty; /* for options without a grid */
  const trm_grid *grid;
  trm_log *log;
  char root[TRM_PATH_BYTES]; /* run.dir of the configuration */
  char select[SELECT_BYTES];
  int64_t n_runs, runs_a_point;
  bool numbered;    /* points are named by their numbers */
  double *outcomes; /* [n_runs] of enum trm_outcome, by the first rank of the run's group; owned */
  char *given;      /* what the configuration gives, as YAML; owned */
} sweep;

static int64_t n_seeds(const sweep *s) {
  return s->options->n_seeds > 0 ? s->options->n_seeds : 1;
}

/* Which point, split and seed a run is of. */
typedef struct place {
  int64_t point, split, seed;
} place;

static place place_of(const sweep *s, int64_t run) {
  const int64_t in_point = run % s->runs_a_point;
  return (place){run / s->runs_a_point, in_point / n_seeds(s), in_point % n_seeds(s)};
}

/* "optimizer.name-adam_model.dropout-0.2"; what file names had better not have is '-'. False: too long. */
static bool point_name(const trm_grid *grid, int64_t point, char name[NAME_BYTES]) {
  size_t n = 0;
  name[0] = 0;
  for (int a = 0; a < grid->n_axes; ++a) {
    const int more = snprintf(name + n, NAME_BYTES - n, "%s%s-%s", a > 0 ? "_" : "",
                              grid->axes[a].key, trm_grid_value(grid, point, a));
    if (more < 0 || n + (size_t)more > NAME_BYTES - 64) return false;
    n += (size_t)more;
  }
  for (char *c = name; *c; ++c) {
    if (!isalnum((unsigned char)*c) && !strchr("._+-", *c)) *c = '-';
  }
  return true;
}

/* Whether points can be named by their values: names are short, and differ. */
static bool names_tell(const trm_grid *grid) {
  enum { MOST_COMPARED = 2000 };
  char a[NAME_BYTES], b[NAME_BYTES];
  const int64_t n = trm_grid_points(grid);
  if (n > MOST_COMPARED) return false;
  for (int64_t i = 0; i < n; ++i) {
    if (!point_name(grid, i, a)) return false;
    for (int64_t k = 0; k < i; ++k) {
      if (point_name(grid, k, b) && strcmp(a, b) == 0) return false;
    }
  }
  return true;
}

static void append(char name[NAME_BYTES], const char *what, int64_t number) {
  const size_t n = strlen(name);
  (void)snprintf(name + n, NAME_BYTES - n, "%s%s_%" PRId64, n > 0 ? "_" : "", what, number);
}

/* Name of the run's folder: "seed_3", "split_0_seed_3", "optimizer.name-adam_seed_3". */
static void run_name(const sweep *s, int64_t run, char name[NAME_BYTES]) {
  const place p = place_of(s, run);
  const trm_sweep_options *o = s->options;
  name[0] = 0;
  if (s->grid->n_axes > 0 && s->numbered) append(name, "point", p.point);
  if (s->grid->n_axes > 0 && !s->numbered) (void)point_name(s->grid, p.point, name);
  if (o->n_splits > 0) append(name, "split", o->splits[p.split]);
  if (o->n_seeds > 0) append(name, "seed", o->seeds[p.seed]);
}

static trm_status folder_of(const sweep *s, int64_t run, char path[TRM_PATH_BYTES]) {
  char name[NAME_BYTES];
  run_name(s, run, name);
  return trm_path_join(path, TRM_PATH_BYTES, s->root, name);
}

/* ---- one run --------------------------------------------------------------------------------- */

typedef struct own_keys {
  const sweep *s;
  int64_t run;
} own_keys;

static trm_status set_own(const void *context, trm_config *config) {
  const own_keys *own = context;
  const sweep *s = own->s;
  const trm_sweep_options *o = s->options;
  const place p = place_of(s, own->run);
  char text[TRM_MESSAGE_BYTES];
  for (int a = 0; a < s->grid->n_axes; ++a) {
    (void)snprintf(text, sizeof text, "%s=%s", s->grid->axes[a].key,
                   trm_grid_value(s->grid, p.point, a));
    TRM_TRY(trm_config_set_from(config, text, "--grid", 0));
  }
  if (o->n_seeds > 0) TRM_TRY(trm_config_set_int(config, "run.seed", o->seeds[p.seed]));
  if (o->n_splits > 0) TRM_TRY(trm_config_set_int(config, "data.split", o->splits[p.split]));
  return TRM_OK;
}

static trm_outcome outcome_of(trm_status status) {
  return status == TRM_OK ? TRM_RUN_DONE : status == TRM_STOPPED ? TRM_RUN_STOPPED : TRM_RUN_FAILED;
}

/* By the ranks of one group. A run that fails on its own terms (it diverged) does not stop others. */
static trm_status train_one(sweep *s, int64_t run) {
  char name[NAME_BYTES], title[NAME_BYTES + 64], folder[TRM_PATH_BYTES];
  const own_keys own = {s, run};
  run_name(s, run, name);
  (void)snprintf(title, sizeof title, "run %" PRId64 " of %" PRId64 " (%s)", run + 1, s->n_runs,
                 name);
  TRM_TRY(folder_of(s, run, folder));
  const trm_crew_run of = {
      .given = s->given, .folder = folder, .title = title, .set = set_own, .context = &own};
  const trm_train_options train = {.resume = s->options->resume,
                                   .allow_changes = s->options->allow_changes};
  const trm_status status = trm_crew_train(&s->crew, &of, &train);
  if (trm_crew_leads(&s->crew)) s->outcomes[run] = outcome_of(status);
  return status;
}

/* A run's best score from its metrics.csv, in words. Not collective. */
static trm_status read_best(const sweep *s, int64_t run, char *text, size_t size) {
  char folder[TRM_PATH_BYTES];
  trm_curves curves;
  int column;
  bool higher;
  trm_status status = TRM_OK;
  TRM_TRY(folder_of(s, run, folder));
  TRM_TRY(trm_curves_create(1, &curves));
  TRM_TRY_OUT(trm_curves_read(&curves, 0, folder));
  TRM_TRY_OUT(trm_curves_select(&curves, s->select, &column, &higher));
  trm_sweep_say_best(&curves.runs[0], &curves, column, higher, text, size);
out:
  trm_curves_free(&curves);
  return status;
}

static void say_run(const sweep *s, int64_t run, trm_status status) {
  char name[NAME_BYTES], what[TRM_MESSAGE_BYTES + 16];
  if (!trm_crew_leads(&s->crew)) return;
  run_name(s, run, name);
  if (status != TRM_OK) {
    (void)snprintf(what, sizeof what, "%s%s",
                   status == TRM_STOPPED ? "" : "failed: ", trm_message());
  } else if (read_best(s, run, what, sizeof what) != TRM_OK) {
    (void)snprintf(what, sizeof what, "done, but it is not in the table: %s", trm_message());
  }
  trm_crew_say(&s->crew, "run %" PRId64 " of %" PRId64 " (%s): %s", run + 1, s->n_runs, name, what);
}

/* Status between the run that has ended and the next one of this group. Collective over it. */
static trm_status check_stop(const sweep *s, int64_t next) {
  bool stop = false;
  if (next >= s->n_runs) return TRM_OK;
  TRM_TRY(trm_crew_stop_asked(&s->crew, &stop));
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
  for (int64_t run = s->crew.my_group; run < s->n_runs; run += s->crew.n_groups) {
    trm_status status = train_one(s, run);
    keep_first(status, &first, message);
    say_run(s, run, status);
    if (status == TRM_STOPPED) break; /* the same on all ranks of the group */
    status = check_stop(s, run + s->crew.n_groups);
    keep_first(status, &first, message);
    if (status != TRM_OK) break;
  }
  if (first != TRM_OK) trm_message_set(message);
  return first;
}

/* ---- the table ------------------------------------------------------------------------------- */

static void write_scores(const trm_sweep_summary *summary, int64_t run, FILE *file) {
  const trm_curves *curves = summary->curves;
  const trm_curve *curve = &curves->runs[run];
  const int64_t row = trm_curve_best(curve, curves->n_columns, summary->column, summary->higher);
  if (row >= 0)
    (void)fprintf(file, ",%" PRId64, curve->steps[row]);
  else
    (void)fputc(',', file);
  for (int c = 0; c < curves->n_columns; ++c) {
    (void)fputc(',', file);
    if (row >= 0) (void)fprintf(file, "%.9g", curve->values[row * curves->n_columns + c]);
  }
}

static void write_run(const sweep *s, const trm_sweep_summary *summary, int64_t run, FILE *file) {
  static const char *const words[] = {[TRM_RUN_NOT_RUN] = "not run",
                                      [TRM_RUN_DONE] = "done",
                                      [TRM_RUN_FAILED] = "failed",
                                      [TRM_RUN_STOPPED] = "stopped"};
  const trm_sweep_options *o = s->options;
  const place p = place_of(s, run);
  char name[NAME_BYTES];
  run_name(s, run, name);
  (void)fprintf(file, "\n%s,%s", name, words[(int)s->outcomes[run]]);
  for (int a = 0; a < s->grid->n_axes; ++a) {
    (void)fputc(',', file);
    trm_csv_field(trm_grid_value(s->grid, p.point, a), file);
  }
  if (o->n_splits > 0) (void)fprintf(file, ",%" PRId64, o->splits[p.split]);
  if (o->n_seeds > 0) (void)fprintf(file, ",%" PRId64, o->seeds[p.seed]);
  write_scores(summary, run, file);
}

static trm_status write_runs(const sweep *s, const trm_sweep_summary *summary, FILE *file) {
  const trm_curves *curves = summary->curves;
  (void)fprintf(file, "run,outcome");
  for (int a = 0; a < s->grid->n_axes; ++a) (void)fprintf(file, ",%s", s->grid->axes[a].key);
  (void)fprintf(file, "%s%s,best_step", s->options->n_splits > 0 ? ",split" : "",
                s->options->n_seeds > 0 ? ",seed" : "");
  for (int c = 0; c < curves->n_columns; ++c) (void)fprintf(file, ",%s", curves->names[c]);
  for (int64_t r = 0; r < s->n_runs; ++r) write_run(s, summary, r, file);
  (void)fprintf(file, "\n");
  return TRM_OK;
}

static trm_status publish(const sweep *s, const trm_sweep_summary *summary, bool points) {
  char path[TRM_PATH_BYTES];
  trm_text_file file;
  TRM_TRY(trm_path_join(path, sizeof path, s->root, points ? "points.csv" : "sweep.csv"));
  TRM_TRY(trm_text_file_begin(&file));
  const trm_status status =
      points ? trm_sweep_write_points(summary, file.stream) : write_runs(s, summary, file.stream);
  if (status == TRM_OK) return trm_text_file_publish(&file, path);
  trm_text_file_discard(&file);
  return status;
}

/* Runs whose results can be read; of the others a line has told already. */
static int64_t read_all(const sweep *s, trm_curves *curves) {
  int64_t n_good = 0;
  for (int64_t r = 0; r < s->n_runs; ++r) {
    char folder[TRM_PATH_BYTES];
    if (s->outcomes[r] != TRM_RUN_DONE || folder_of(s, r, folder) != TRM_OK) continue;
    if (trm_curves_read(curves, r, folder) == TRM_OK) n_good += curves->runs[r].n > 0;
  }
  return n_good;
}

static void say_missing(const sweep *s, int64_t n_good) {
  int64_t n_failed = 0, n_waiting = 0;
  for (int64_t r = 0; r < s->n_runs; ++r) {
    n_failed += s->outcomes[r] == TRM_RUN_FAILED;
    n_waiting += s->outcomes[r] == TRM_RUN_STOPPED || s->outcomes[r] == TRM_RUN_NOT_RUN;
  }
  if (n_good == s->n_runs) return;
  trm_log_warn(s->log,
               "%" PRId64 " of %" PRId64 " run%s %s not in the table: %" PRId64 " failed, %" PRId64
               " stopped or not begun, %" PRId64 " without an evaluation",
               s->n_runs - n_good, s->n_runs, trm_plural(s->n_runs),
               s->n_runs - n_good == 1 ? "is" : "are", n_failed, n_waiting,
               s->n_runs - n_good - n_failed - n_waiting);
}

static trm_status print(const trm_sweep_summary *summary) {
  if (summary->grid->n_axes > 0) return trm_sweep_print_points(summary, stdout);
  return trm_curves_print(summary->curves, summary->column, summary->higher, stdout);
}

/* One page of all runs; a sweep is good without. */
static void write_page(const sweep *s) {
  char path[TRM_PATH_BYTES];
  const char *root = s->root;
  const trm_report_options options = {.data = false};
  trm_status status = trm_path_join(path, sizeof path, root, "report.html");
  if (status == TRM_OK) status = trm_report_write(&root, 1, &options, path);
  if (status != TRM_OK) trm_log_warn(s->log, "no report: %s", trm_message());
}

/* On rank 0. */
static trm_status report(const sweep *s) {
  trm_curves curves;
  trm_sweep_summary summary = {.grid = s->grid, .curves = &curves, .runs_a_point = s->runs_a_point};
  trm_status status = TRM_OK;
  TRM_TRY(trm_curves_create(s->n_runs, &curves));
  const int64_t n_good = read_all(s, &curves);
  say_missing(s, n_good);
  if (n_good == 0) goto out;
  TRM_TRY_OUT(trm_curves_select(&curves, s->select, &summary.column, &summary.higher));
  TRM_TRY_OUT(publish(s, &summary, false));
  if (s->grid->n_axes > 0) TRM_TRY_OUT(publish(s, &summary, true));
  TRM_TRY_OUT(print(&summary));
  if (trm_config_bool(s->options->config, "log.report")) write_page(s);
out:
  trm_curves_free(&curves);
  return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* Keys that the sweep sets itself. */
static trm_status check_axes(const sweep *s) {
  for (int a = 0; a < s->grid->n_axes; ++a) {
    const char *key = s->grid->axes[a].key;
    if (strcmp(key, "run.dir") == 0) {
      return trm_fail(TRM_ERR_USAGE, "--grid: each run has a folder of its own in run.dir; give "
                                     "that by --set");
    }
    const char *twin = s->options->n_seeds > 0 && strcmp(key, "run.seed") == 0      ? "--seeds"
                       : s->options->n_splits > 0 && strcmp(key, "data.split") == 0 ? "--splits"
                                                                                    : NULL;
    if (twin) {
      return trm_fail(TRM_ERR_USAGE, "--grid %s and %s are the same key; give one of them", key,
                      twin);
    }
  }
  return TRM_OK;
}

/* Every point has a configuration that holds, before the first one runs. */
static trm_status check_points(const sweep *s) {
  for (int64_t p = 0; p < trm_grid_points(s->grid) && s->grid->n_axes > 0; ++p) {
    char name[NAME_BYTES], why[TRM_MESSAGE_BYTES];
    const own_keys own = {s, p * s->runs_a_point};
    const trm_crew_run of = {.given = s->given, .folder = s->root, .set = set_own, .context = &own};
    trm_config *config = NULL;
    const trm_status status = trm_crew_config(&of, &config);
    trm_config_destroy(&config);
    if (status == TRM_OK) continue;
    (void)snprintf(why, sizeof why, "%s", trm_message());
    if (!point_name(s->grid, p, name)) (void)snprintf(name, sizeof name, "%" PRId64, p);
    return trm_fail(status, "%s (point %s of the grid)", why, name);
  }
  return TRM_OK;
}

/* Runs of an earlier sweep are gone on with, or left alone. */
static trm_status check_new(const sweep *s) {
  for (int64_t r = 0; r < s->n_runs && !s->options->resume; ++r) {
    char folder[TRM_PATH_BYTES];
    trm_rundir dir;
    bool has;
    TRM_TRY(folder_of(s, r, folder));
    TRM_TRY(trm_rundir_paths(folder, &dir));
    TRM_TRY(trm_rundir_has_checkpoints(&dir, &has));
    if (!has) continue;
    return trm_fail(
        TRM_ERR_USAGE,
        "%s has checkpoints of an earlier sweep; go on with --resume, or choose another "
        "run.dir",
        folder);
  }
  return TRM_OK;
}

static trm_status prepare(sweep *s, trm_comm *comm) {
  trm_config *config = s->options->config;
  const trm_task_kind *kind;
  TRM_TRY(TRM_ALLOC(&s->outcomes, s->n_runs, "results of runs"));
  (void)snprintf(s->root, sizeof s->root, "%s", trm_config_string(config, "run.dir"));
  TRM_TRY(trm_config_text(config, true, &s->given));
  TRM_TRY(check_axes(s));
  TRM_TRY(check_points(s));
  TRM_TRY(trm_task_choose(config, TRM_USE_TRAIN, &kind));
  trm_config_tell(config, "data", kind->brings.name);
  TRM_TRY(trm_config_check(config)); /* once, where messages still name file and line */
  (void)snprintf(s->select, sizeof s->select, "%s", trm_task_metric(kind, config));
  if (!trm_config_bool(config, "eval.at_end")) {
    return trm_fail(TRM_ERR_CONFIG, "eval.at_end is false: runs would have no result to compare");
  }
  if (trm_comm_rank(comm) != 0) return TRM_OK;
  TRM_TRY(check_new(s));
  return trm_folder_make(s->root);
}

/* One line for the end of it; those of the runs are there already. */
static trm_status say_end(const sweep *s, trm_status trained) {
  int64_t n_failed = 0;
  for (int64_t r = 0; r < s->n_runs; ++r) n_failed += s->outcomes[r] == TRM_RUN_FAILED;
  if (trained == TRM_OK || n_failed == 0) return trained;
  return trm_fail(trained, "%" PRId64 " of %" PRId64 " runs failed", n_failed, s->n_runs);
}

static trm_status run_all(sweep *s, trm_comm *comm) {
  char message[TRM_MESSAGE_BYTES];
  const trm_status mine = train_all(s);
  trm_watch_pause(comm); /* other groups may have more to do */
  TRM_TRY(trm_comm_sum_f64(comm, s->outcomes, s->n_runs));
  const trm_status trained = trm_comm_agree(comm, mine);
  (void)snprintf(message, sizeof message, "%s", trm_message());
  const trm_status told = trm_comm_agree(comm, trm_comm_rank(comm) == 0 ? report(s) : TRM_OK);
  if (trained == TRM_OK) return told;
  trm_message_set(message);
  return say_end(s, trained);
}

trm_status trm_sweep(trm_comm *comm, const trm_sweep_options *options, trm_log *log) {
  sweep s = {.options = options, .log = log};
  const int64_t most = options->at_once;
  s.grid = options->grid ? options->grid : &s.empty;
  s.numbered = !names_tell(s.grid);
  s.runs_a_point = n_seeds(&s) * (options->n_splits > 0 ? options->n_splits : 1);
  s.n_runs = trm_grid_points(s.grid) * s.runs_a_point;
  trm_status status = trm_comm_agree(comm, prepare(&s, comm));
  if (status != TRM_OK) goto out;
  TRM_TRY_OUT(trm_crew_create(comm, most > 0 && most < s.n_runs ? most : s.n_runs, log, &s.crew));
  trm_log_line(log, "%" PRId64 " run%s on %d rank%s, %d at a time, in %s", s.n_runs,
               trm_plural(s.n_runs), trm_comm_size(comm), trm_comm_size(comm) == 1 ? "" : "s",
               s.crew.n_groups, s.root);
  status = run_all(&s, comm);
out:
  trm_crew_free(&s.crew);
  TRM_FREE(s.outcomes);
  TRM_FREE(s.given);
  return status;
}
