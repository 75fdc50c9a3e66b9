/*
 * The mean of the weights of checkpoints: w = (w_1 + ... + w_n) / n, added in double in the order in
 * which they are given (of a run: of their steps), so that the same files give the same bits. Running
 * statistics are averaged alike. States of the optimizer are left out.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "average.h"
#include "best_kept.h"
#include "rundir.h"
#include "trireme/ckpt/ckpt.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/output.h"
#include "trireme/optim/plugins.h"
#include "trireme/train/keys.h"
#include "trireme/train/layout.h"
#include "trireme/train/train.h"

typedef struct file_path {
  char text[TRM_PATH_BYTES];
} file_path;

typedef struct work {
  const trm_average_options *options;
  file_path *paths; /* [n], owned */
  int n;
  trm_ckpt_info newest; /* of the file of the highest step */
  trm_region *regions;  /* of the model; owned */
  char *names;
  int n_regions;
  double *sums;  /* all regions, one behind the other; owned */
  float *values; /* the same of one file; owned */
  trm_log log;   /* to stderr */
} work;

/* ---- which files ----------------------------------------------------------------------------- */

static trm_status put_step(work *w, const char *folder, int64_t step) {
  char name[64];
  (void)snprintf(name, sizeof name, "step_%08" PRId64 ".h5", step);
  TRM_TRY(trm_path_join(w->paths[w->n].text, TRM_PATH_BYTES, folder, name));
  if (!trm_path_exists(w->paths[w->n].text)) {
    return trm_fail(TRM_ERR_IO, "%s: is not there any more", w->paths[w->n].text);
  }
  ++w->n;
  return TRM_OK;
}

/* The newest checkpoints. */
static trm_status choose_last(work *w, const char *folder) {
  char **names = NULL;
  int n = 0;
  const int wanted = (int)w->options->last;
  TRM_TRY(trm_folder_list(folder, "step_", ".h5", &names, &n));
  trm_status status = TRM_OK;
  if (n < wanted) {
    status = trm_fail(TRM_ERR_DATA,
                      "%s: holds %d checkpoints, not %d; train with a larger checkpoint.keep",
                      folder, n, wanted);
  }
  for (int i = n - wanted; status == TRM_OK && i < n; ++i) {
    status = put_step(w, folder, strtoll(names[i] + strlen("step_"), NULL, 10));
  }
  TRM_FREE(names);
  return status;
}

static int compare_steps(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The best by the list in the newest checkpoint, in the order of their steps. */
static trm_status choose_best(work *w, const char *folder) {
  char newest[TRM_PATH_BYTES];
  trm_ckpt_info info = {0};
  trm_best_list list = {0};
  const int wanted = (int)w->options->best;
  TRM_TRY(trm_checkpoint_newest(w->options->words[0], newest, sizeof newest, NULL));
  TRM_TRY(trm_ckpt_read_info(newest, &info));
  trm_best_list_restore(&info.facts, &list);
  trm_ckpt_info_free(&info);
  if (list.n < wanted) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: keeps %d of its best checkpoints, not %d; train with a larger "
                    "checkpoint.keep_best",
                    folder, list.n, wanted);
  }
  qsort(list.steps, (size_t)wanted, sizeof *list.steps, compare_steps);
  for (int i = 0; i < wanted; ++i) TRM_TRY(put_step(w, folder, (int64_t)list.steps[i]));
  return TRM_OK;
}

static trm_status choose_files(work *w) {
  const trm_average_options *o = w->options;
  for (int i = 0; i < o->n_words; ++i, ++w->n) {
    TRM_TRY(trm_checkpoint_resolve(o->words[i], false, w->paths[i].text, TRM_PATH_BYTES, NULL));
  }
  return TRM_OK;
}

static trm_status choose(work *w) {
  const trm_average_options *o = w->options;
  trm_rundir dir;
  const int64_t n = o->last > 0 ? o->last : o->best > 0 ? o->best : o->n_words;
  TRM_TRY(TRM_ALLOC(&w->paths, n, "paths of checkpoints"));
  if (o->last == 0 && o->best == 0) return choose_files(w);
  TRM_TRY(trm_rundir_paths(o->words[0], &dir));
  const char *folder = trm_path_exists(dir.checkpoints) ? dir.checkpoints : dir.root;
  return o->last > 0 ? choose_last(w, folder) : choose_best(w, folder);
}

/* ---- whether they go together ---------------------------------------------------------------- */

/* Facts that say how a run goes, and not what the model is; those of plug-ins have names in the
 * folders of their keys, "optimizer.plugin/name". */
static bool of_run(const trm_fact *f) {
  static const char *const names[] = {"average_updates", "average_statistics", "average_from",
                                      "average_hash",    "early_stop",         "schedule",
                                      "best_list",       "averaged",           "select"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    if (strcmp(f->name, names[i]) == 0) return true;
  }
  for (int i = 0; i < TRM_PLUGIN_KEYS; ++i) {
    const size_t n = strlen(trm_plugin_keys[i]);
    if (strncmp(f->name, trm_plugin_keys[i], n) == 0 && f->name[n] == '/') return true;
  }
  return false;
}

static bool same_fact(const trm_fact *a, const trm_fact *b) {
  return b && a->dtype == b->dtype && a->n == b->n && a->bytes == b->bytes &&
         memcmp(a + 1, b + 1, (size_t)a->bytes - sizeof *a) == 0;
}

static trm_status different(const char *path, const char *other, const char *what) {
  return trm_fail(TRM_ERR_DATA, "%s and %s are of different models (%s): no mean of them", path,
                  other, what);
}

/* Those of `a` are in `b`. */
static trm_status find_facts(const trm_facts *a, const trm_facts *b, const char *path,
                             const char *other) {
  for (const trm_fact *f = NULL; (f = trm_facts_next(a, f));) {
    if (of_run(f)) continue;
    const trm_fact *g = trm_facts_find(b, f->name, (trm_fact_type)f->type);
    if (!same_fact(f, g)) return different(path, other, f->name);
  }
  return TRM_OK;
}

static trm_status compare_facts(const trm_facts *a, const trm_facts *b, const char *path,
                                const char *other) {
  TRM_TRY(find_facts(a, b, path, other));
  return find_facts(b, a, path, other);
}

static trm_status compare_models(const trm_ckpt_info *a, const trm_ckpt_info *b, const char *path,
                                 const char *other) {
  trm_config *one = NULL, *two = NULL;
  trm_config_change c = {0};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_program_config(&one));
  TRM_TRY_OUT(trm_program_config(&two));
  TRM_TRY_OUT(trm_config_read_text(one, a->config_text, path));
  TRM_TRY_OUT(trm_config_read_text(two, b->config_text, other));
  while (status == TRM_OK && trm_config_difference(one, two, c.key, &c)) {
    if (c.effect == TRM_ON_MODEL) status = different(path, other, c.key);
  }
out:
  trm_config_destroy(&one);
  trm_config_destroy(&two);
  return status;
}

/* ---- the mean -------------------------------------------------------------------------------- */

static int64_t elements_of(const trm_region *row) {
  int64_t n = 1;
  for (int i = 0; i < row->n_dims; ++i) n *= row->dims[i];
  return n;
}

static int64_t all_elements(const work *w) {
  int64_t n = 0;
  for (int i = 0; i < w->n_regions; ++i) n += elements_of(&w->regions[i]);
  return n;
}

/* Regions of `group` in place of those of the model; *names is a counted block. */
static trm_status in_group(const work *w, const char *group, trm_region **rows, char **names) {
  enum { BYTES = 1024 };
  TRM_TRY(TRM_ALLOC(rows, w->n_regions, "regions of a checkpoint"));
  TRM_TRY(TRM_ALLOC(names, (int64_t)w->n_regions * BYTES, "regions of a checkpoint"));
  float *at = w->values;
  for (int i = 0; i < w->n_regions; ++i) {
    char *name = *names + (size_t)i * BYTES;
    (void)snprintf(name, BYTES, "%s%s", group, strchr(w->regions[i].name, '/'));
    (*rows)[i] = w->regions[i];
    (*rows)[i].name = name;
    (*rows)[i].data = at;
    at += elements_of(&w->regions[i]);
  }
  return TRM_OK;
}

/* Reads a file's weights, or what evaluations of it look at, and adds them. */
static trm_status add_file(work *w, const char *path, const trm_ckpt_info *info) {
  bool stale;
  trm_region *rows = NULL;
  char *names = NULL;
  const bool average = !w->options->raw && trm_average_in(&info->facts, &stale);
  if (average && stale) trm_average_warn_stale(&w->log, path);
  trm_status status = in_group(w, average ? "average" : "model", &rows, &names);
  if (status == TRM_OK) status = trm_ckpt_read_regions(path, rows, w->n_regions);
  const int64_t n = status == TRM_OK ? all_elements(w) : 0;
  for (int64_t i = 0; i < n; ++i) w->sums[i] += (double)w->values[i];
  TRM_FREE(rows);
  TRM_FREE(names);
  return status;
}

static trm_status begin(work *w) {
  TRM_TRY(trm_ckpt_list_regions(w->paths[0].text, "model", &w->regions, &w->names, &w->n_regions));
  const int64_t n = all_elements(w);
  TRM_TRY(TRM_ALLOC(&w->sums, n, "mean of weights"));
  return TRM_ALLOC(&w->values, n, "weights of a checkpoint");
}

/* A file must have what the first has, and nothing else. */
static trm_status check_regions(const work *w, const char *path) {
  trm_region *rows = NULL;
  char *names = NULL;
  int n = 0;
  TRM_TRY(trm_ckpt_list_regions(path, "model", &rows, &names, &n));
  const bool same = n == w->n_regions;
  TRM_FREE(rows);
  TRM_FREE(names);
  return same ? TRM_OK : different(w->paths[0].text, path, "their arrays");
}

static trm_status add_all(work *w) {
  for (int i = 0; i < w->n; ++i) {
    trm_ckpt_info info = {0};
    TRM_TRY(trm_ckpt_read_info(w->paths[i].text, &info));
    trm_status status = TRM_OK;
    if (i > 0) {
      status = compare_models(&w->newest, &info, w->paths[0].text, w->paths[i].text);
      if (status == TRM_OK) {
        status = compare_facts(&w->newest.facts, &info.facts, w->paths[0].text, w->paths[i].text);
      }
      if (status == TRM_OK) status = check_regions(w, w->paths[i].text);
    }
    if (status == TRM_OK) status = add_file(w, w->paths[i].text, &info);
    if (status == TRM_OK && (i == 0 || info.step >= w->newest.step)) {
      trm_ckpt_info_free(&w->newest);
      w->newest = info;
    } else {
      trm_ckpt_info_free(&info);
    }
    TRM_TRY(status);
  }
  const int64_t n = all_elements(w);
  for (int64_t i = 0; i < n; ++i) w->values[i] = (float)(w->sums[i] / (double)w->n);
  return TRM_OK;
}

/* ---- where to ----------------------------------------------------------------------------- */

/* Whether a file is such a mean. */
static bool is_mean(const char *path) {
  char message[TRM_MESSAGE_BYTES];
  trm_ckpt_info info = {0};
  (void)snprintf(message, sizeof message, "%s", trm_message());
  const bool read = trm_ckpt_read_info(path, &info) == TRM_OK;
  const bool mean = read && trm_facts_find(&info.facts, "averaged", TRM_FACT_TEXT);
  if (read) trm_ckpt_info_free(&info);
  trm_message_set(message); /* what cannot be read is none */
  return mean;
}

static trm_status check_output(const work *w) {
  const char **inputs = NULL;
  TRM_TRY(TRM_ALLOC(&inputs, w->n, "names of inputs"));
  for (int i = 0; i < w->n; ++i) inputs[i] = w->paths[i].text;
  const trm_output_rule rule = {.command = "average",
                                .made = is_mean,
                                .force = w->options->force,
                                .inputs = inputs,
                                .n_inputs = w->n};
  const trm_status status = trm_output_check(&rule, w->options->output);
  TRM_FREE(inputs);
  return status;
}

/* ---- the file -------------------------------------------------------------------------------- */

static trm_status copy_fact(const trm_fact *f, trm_facts *to) {
  int64_t value;
  switch ((trm_fact_type)f->type) {
  case TRM_FACT_INT:
    memcpy(&value, trm_fact_data(f), sizeof value);
    return trm_facts_put_int(to, f->name, value);
  case TRM_FACT_TEXT:
    return trm_facts_put_text(to, f->name, trm_fact_data(f));
  case TRM_FACT_ARRAY:
    return trm_facts_put_array(to, f->name, (trm_dtype)f->dtype, f->n, trm_fact_data(f));
  }
  return TRM_OK;
}

static trm_status describe(const work *w, trm_facts *facts) {
  char text[32];
  for (const trm_fact *f = NULL; (f = trm_facts_next(&w->newest.facts, f));) {
    if (!of_run(f) || strcmp(f->name, "select") == 0) TRM_TRY(copy_fact(f, facts));
  }
  (void)snprintf(text, sizeof text, "%d checkpoints", w->n);
  return trm_facts_put_text(facts, "averaged", text);
}

static trm_status write_mean(const work *w, const char *output) {
  char fingerprint[128];
  trm_region *rows = NULL;
  char *names = NULL;
  trm_fingerprint(fingerprint, sizeof fingerprint);
  trm_ckpt_info info = w->newest;
  info.facts = (trm_facts){0};
  info.weights_hash = 0; /* its order of parameters is the model's, which nobody has built here */
  info.best_value = (double)NAN;
  info.best_step = info.eval_step = -1;
  info.program_version = TRM_VERSION;
  info.fingerprint = fingerprint;
  trm_status status = describe(w, &info.facts);
  if (status == TRM_OK) status = in_group(w, "model", &rows, &names);
  if (status == TRM_OK) status = trm_ckpt_publish(output, &info, rows, w->n_regions);
  trm_facts_free(&info.facts);
  TRM_FREE(rows);
  TRM_FREE(names);
  return status;
}

trm_status trm_average_run(const trm_average_options *options, trm_average_result *result) {
  work w = {.options = options};
  trm_status status = TRM_OK;
  trm_log_init(&w.log, stderr);
  TRM_TRY_OUT(choose(&w));
  TRM_TRY_OUT(check_output(&w));
  TRM_TRY_OUT(begin(&w));
  TRM_TRY_OUT(add_all(&w));
  TRM_TRY_OUT(write_mean(&w, options->output));
  *result = (trm_average_result){.n = w.n, .step = w.newest.step};
out:
  trm_ckpt_info_free(&w.newest);
  TRM_FREE(w.paths);
  TRM_FREE(w.regions);
  TRM_FREE(w.names);
  TRM_FREE(w.sums);
  TRM_FREE(w.values);
  return status;
}
