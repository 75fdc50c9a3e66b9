#include "trireme/train/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "restore.h"
#include "rundir.h"
#include "trireme/ckpt/ckpt.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/io/files.h"
#include "trireme/optim/plugins.h"
#include "trireme/train/keys.h"
#include "trireme/train/train.h"

/* ---- which checkpoint, and how far ----------------------------------------------------------- */

typedef struct plan {
  char path[TRM_PATH_BYTES]; /* checkpoint to begin with, or whose configuration to begin with */
  int64_t from, last;        /* its step, and the last step to replay */
  bool afresh;               /* from the initial weights, step 0, as no checkpoint is so early */
} plan;

/* The checkpoint of the newest step <= `limit`, or with limit -1 the oldest; -1 when there is none. */
static int64_t pick_step(char *const *names, int n, int64_t limit) {
  int64_t best = -1;
  for (int i = 0; i < n; ++i) {
    const int64_t step = strtoll(names[i] + strlen("step_"), NULL, 10);
    if (limit < 0 ? best < 0 || step < best : step <= limit && step > best) best = step;
  }
  return best;
}

static trm_status choose(const char *run, int64_t limit, plan *p) {
  trm_rundir dir;
  char name[64], **names = NULL;
  int n = 0;
  TRM_TRY(trm_rundir_paths(run, &dir));
  TRM_TRY(trm_folder_list(dir.checkpoints, "step_", ".h5", &names, &n));
  int64_t step = pick_step(names, n, limit);
  p->afresh = step < 0;
  p->from = p->afresh ? 0 : step;
  if (p->afresh) step = pick_step(names, n, -1);
  TRM_FREE(names);
  if (step < 0) return trm_fail(TRM_ERR_MISSING, "%s: has no checkpoint to replay from", run);
  (void)snprintf(name, sizeof name, "step_%08" PRId64 ".h5", step);
  return trm_path_join(p->path, sizeof p->path, dir.checkpoints, name);
}

/* ---- one replay ------------------------------------------------------------------------------ */

/* The user's own libraries, from the paths of this command: the checkpoint's count for nothing. */
static trm_status load_plugins(trm_config *config, const trm_verify_plugins *plugins) {
  const char *const paths[TRM_PLUGIN_KEYS] = {plugins->optimizer, plugins->schedule};
  const char *const options[TRM_PLUGIN_KEYS] = {"--plugin", "--schedule-plugin"};
  for (int i = 0; i < TRM_PLUGIN_KEYS; ++i) {
    const char *key = trm_plugin_keys[i];
    const bool used = trm_config_used(config, key);
    if (used && !paths[i]) {
      return trm_fail(
          TRM_ERR_USAGE,
          "the run was trained with a library of its own (%s %s), which is never loaded "
          "from a path in a checkpoint; give %s FILE.so",
          key, trm_config_string(config, key), options[i]);
    }
    if (used) TRM_TRY(trm_config_set_text(config, key, paths[i]));
  }
  return trm_plugins_load(config);
}

/* Trains from p->path to p->last without writing. Collective. */
static trm_status replay_run(trm_comm *comm, const plan *p, const char *data,
                             const trm_verify_plugins *plugins, trm_replay *replay, trm_log *log) {
  trm_restored restored;
  TRM_TRY(trm_restore_begin(comm, p->path, true, &restored));
  trm_config *config = restored.config;
  trm_status status = TRM_OK;
  status = trm_config_set_int(config, "train.steps", p->last);
  if (status == TRM_OK)
    status = trm_config_set(config, "train.epochs=0"); /* else it sets the steps */
  if (status == TRM_OK && data) status = trm_config_set_text(config, "data.path", data);
  if (status == TRM_OK) status = trm_config_set(config, "train.time_budget_s=0");
  if (status == TRM_OK) status = load_plugins(config, plugins);
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) {
    const trm_train_options options = {.config = config,
                                       .resume = !p->afresh,
                                       .resume_path = p->afresh ? NULL : p->path,
                                       .replay = replay};
    if (p->afresh) {
      trm_log_line(log, "no checkpoint is so early: %" PRId64 " step%s replayed from the start",
                   p->last, trm_plural(p->last));
    }
    status = trm_train(comm, &options, log);
    /* The first difference, which rank 0 sees, stops a replay as a signal stops a run. */
    int64_t differs = replay->differs;
    const trm_status told = trm_comm_broadcast(comm, &differs, sizeof differs, 0);
    if (told != TRM_OK)
      status = told;
    else if (status == TRM_STOPPED && differs >= 0)
      status = TRM_OK;
  }
  trm_restored_free(&restored);
  return status;
}

/* ---- a run that went on with changes --------------------------------------------------------- */

/* A key of two checkpoints that changes bits and has another value; "" in *text: none. */
static trm_status compare_configs(const char *a, const char *b, char *text, size_t bytes) {
  trm_ckpt_info infos[2] = {{0}, {0}};
  trm_config *configs[2] = {NULL, NULL};
  const char *const paths[2] = {a, b};
  trm_config_change change;
  trm_status status = TRM_OK;
  text[0] = 0;
  for (int i = 0; i < 2 && status == TRM_OK; ++i) {
    status = trm_ckpt_read_info(paths[i], &infos[i]);
    if (status == TRM_OK) status = trm_program_config(&configs[i]);
    if (status == TRM_OK) status = trm_config_read_text(configs[i], infos[i].config_text, paths[i]);
  }
  if (status == TRM_OK && trm_config_difference(configs[0], configs[1], NULL, &change)) {
    (void)snprintf(text, bytes, "%.60s was %.50s, is %.50s", change.key, change.a, change.b);
  }
  for (int i = 0; i < 2; ++i) {
    trm_config_destroy(&configs[i]);
    trm_ckpt_info_free(&infos[i]);
  }
  return status;
}

static int by_step(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* What a replay from `p` cannot repeat: later checkpoints of the run that have another configuration. */
static trm_status find_change(const char *run, const plan *p, trm_verify_result *result) {
  trm_rundir dir;
  char path[TRM_PATH_BYTES], name[64], **names = NULL;
  int64_t *steps = NULL;
  int n = 0;
  TRM_TRY(trm_rundir_paths(run, &dir));
  TRM_TRY(trm_folder_list(dir.checkpoints, "step_", ".h5", &names, &n));
  trm_status status = TRM_ALLOC(&steps, n + 1, "steps of checkpoints");
  for (int i = 0; i < n && status == TRM_OK; ++i) {
    steps[i] = strtoll(names[i] + strlen("step_"), NULL, 10);
  }
  if (status == TRM_OK) qsort(steps, (size_t)n, sizeof *steps, by_step);
  for (int i = 0; i < n && status == TRM_OK && !result->change[0]; ++i) {
    if (steps[i] <= p->from) continue;
    (void)snprintf(name, sizeof name, "step_%08" PRId64 ".h5", steps[i]);
    status = trm_path_join(path, sizeof path, dir.checkpoints, name);
    if (status == TRM_OK) {
      status = compare_configs(p->path, path, result->change, sizeof result->change);
    }
    if (status != TRM_OK || !result->change[0]) continue;
    if (steps[i] < p->last) {
      (void)snprintf(result->remedy, sizeof result->remedy,
                     "verify what came after that with --from %" PRId64, steps[i]);
    } else {
      (void)snprintf(result->remedy, sizeof result->remedy,
                     "no checkpoint is between the change and the end, so what came after it "
                     "cannot be replayed");
    }
  }
  TRM_FREE(steps);
  TRM_FREE(names);
  return status;
}

/* ---- verify ------------------------------------------------------------------------------ */

trm_status trm_verify_run(trm_comm *comm, const trm_verify_options *options, trm_log *log,
                          trm_verify_result *result) {
  plan p = {.path = ""};
  trm_hash_row *rows = NULL;
  trm_replay replay = {.differs = -1, .samples_differ = -1};
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) {
    status = trm_hash_rows_read(options->run, &rows, &replay.n_rows);
    replay.rows = rows;
    if (status == TRM_OK) status = choose(options->run, options->from, &p);
    p.last = replay.n_rows > 0 ? rows[replay.n_rows - 1].step : 0;
    if (options->n_steps > 0 && p.from + options->n_steps < p.last) {
      p.last = p.from + options->n_steps;
    }
    if (status == TRM_OK && p.last <= p.from) {
      status =
          trm_fail(TRM_ERR_DATA,
                   "%s: no hashes after step %" PRId64 ", its checkpoint; give an earlier --from",
                   options->run, p.from);
    }
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_broadcast(comm, &p, sizeof p, 0));
  TRM_TRY_OUT(replay_run(comm, &p, options->data, &options->plugins, &replay, log));
  *result = (trm_verify_result){.first = p.from + 1,
                                .last = p.last,
                                .differs = replay.differs,
                                .samples_differ = replay.samples_differ};
  if (trm_comm_rank(comm) == 0 && replay.differs >= 0) {
    status = find_change(options->run, &p, result);
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_broadcast(comm, result, sizeof *result, 0));
out:
  TRM_FREE(rows);
  return status;
}

/* ---- bisect ---------------------------------------------------------------------------------- */

/* First step both runs have whose weights differ; -1: none. *common: the last step both have. */
static int64_t first_difference(const trm_hash_row *a, int64_t n_a, const trm_hash_row *b,
                                int64_t n_b, int64_t *common, bool *samples_too) {
  *common = -1;
  *samples_too = false;
  for (int64_t i = 0, j = 0; i < n_a && j < n_b;) {
    if (a[i].step != b[j].step) {
      if (a[i].step < b[j].step)
        ++i;
      else
        ++j;
      continue;
    }
    *common = a[i].step;
    if (a[i].samples != b[j].samples) *samples_too = true;
    if (a[i].weights != b[j].weights) return a[i].step;
    ++i;
    ++j;
  }
  return -1;
}

/* The weights of run A after the step, kept to be compared with B's. */
typedef struct kept {
  trm_real *weights; /* [n_elements], owned */
  int64_t n_elements;
  FILE *out;
} kept;

static trm_status keep(void *context, const trm_params *params) {
  kept *k = context;
  TRM_TRY(TRM_ALLOC(&k->weights, params->n_elements, "weights of a run"));
  memcpy(k->weights, params->weights, (size_t)params->n_elements * sizeof *k->weights);
  k->n_elements = params->n_elements;
  return TRM_OK;
}

static trm_status compare(void *context, const trm_params *params) {
  const kept *k = context;
  int n_differ = 0;
  if (k->n_elements != params->n_elements) {
    (void)fprintf(k->out, "the models have different shapes\n");
    return TRM_OK;
  }
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    const trm_real *a = k->weights + row->offset, *b = params->weights + row->offset;
    if (memcmp(a, b, (size_t)row->n * sizeof *a) == 0) continue;
    if (++n_differ > 1) continue;
    double most = 0;
    int64_t first = -1;
    for (int64_t e = 0; e < row->n; ++e) {
      const double d = fabs((double)a[e] - (double)b[e]);
      if (memcmp(&a[e], &b[e], sizeof *a) != 0 && first < 0) first = e;
      if (d > most) most = d;
    }
    (void)fprintf(k->out,
                  "first parameter that differs: %s, element %" PRId64 ": %.9g and %.9g; "
                  "greatest difference in it %.3g\n",
                  row->name, first, (double)a[first], (double)b[first], most);
  }
  (void)fprintf(k->out, "%d of %d parameters differ\n", n_differ, params->n_rows);
  return TRM_OK;
}

/* Replays both runs to `step` and compares parameters. Collective. */
static trm_status compare_parameters(trm_comm *comm, const char *const runs[2],
                                     trm_hash_row *const rows[2], const int64_t n_rows[2],
                                     int64_t step, const trm_verify_plugins *plugins, FILE *out,
                                     trm_log *log) {
  kept k = {.out = out};
  trm_status status = TRM_OK;
  for (int i = 0; i < 2; ++i) {
    plan p = {.last = step};
    trm_replay replay = {.rows = rows[i],
                         .n_rows = n_rows[i],
                         .differs = -1,
                         .samples_differ = -1,
                         .to_the_end = true,
                         .at_end = i == 0 ? keep : compare,
                         .context = &k};
    p.from = -1;
    if (trm_comm_rank(comm) == 0 && choose(runs[i], step - 1, &p) != TRM_OK) {
      (void)fprintf(out, "which parameter is not known: %s\n", trm_message());
    }
    TRM_TRY_OUT(trm_comm_broadcast(comm, &p, sizeof p, 0));
    if (p.from < 0) break;
    TRM_TRY_OUT(replay_run(comm, &p, NULL, plugins, &replay, log));
    if (replay.differs >= 0) {
      (void)fprintf(out,
                    "%s does not repeat itself on this layout (from step %" PRId64 " on): "
                    "replay it on its own, or train with comm.allreduce: canonical\n",
                    runs[i], replay.differs);
    }
  }
out:
  TRM_FREE(k.weights);
  return status;
}

trm_status trm_bisect_runs(trm_comm *comm, const char *run_a, const char *run_b,
                           const trm_verify_plugins *plugins, FILE *out, trm_log *log,
                           bool *parted) {
  const char *const runs[2] = {run_a, run_b};
  trm_hash_row *rows[2] = {NULL, NULL};
  int64_t n_rows[2] = {0, 0}, found[2] = {-1, -1}; /* step that differs, last common step */
  bool samples_too = false;
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) {
    for (int i = 0; i < 2 && status == TRM_OK; ++i) {
      status = trm_hash_rows_read(runs[i], &rows[i], &n_rows[i]);
    }
    found[0] = first_difference(rows[0], n_rows[0], rows[1], n_rows[1], &found[1], &samples_too);
    if (status == TRM_OK && found[1] < 0) {
      status = trm_fail(TRM_ERR_DATA, "%s and %s have no step in common", run_a, run_b);
    }
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_broadcast(comm, found, sizeof found, 0));
  *parted = found[0] >= 0;
  if (trm_comm_rank(comm) == 0) {
    if (!*parted) {
      (void)fprintf(out, "the runs agree in every bit up to step %" PRId64 "\n", found[1]);
    } else {
      (void)fprintf(out, "the runs part at step %" PRId64 "%s\n", found[0],
                    samples_too ? "; their samples differ, too" : ", on the same samples");
    }
  }
  if (*parted) {
    status = compare_parameters(comm, runs, rows, n_rows, found[0], plugins, out, log);
  }
out:
  TRM_FREE(rows[0]);
  TRM_FREE(rows[1]);
  return status;
}
