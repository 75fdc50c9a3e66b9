#include "transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rundir.h"
#include "sample_facts.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/io/files.h"
#include "trireme/optim/optim.h"
#include "trireme/train/train.h"
#include "value_facts.h"
#include "vocab_facts.h"

/* What becomes of a row. */
enum { NEW, TAKEN, MADE_ANEW };

enum { NAMES_BYTES = 320 };

/* Rank 0's look at the checkpoint. */
typedef struct look {
  const trm_params *params;
  const char *path, *anew; /* train.init_new */
  bool same_vocabulary, same_classes;
  const char *columns;    /* how those of the table differ, NULL: not */
  char *fates;            /* [n_rows] */
  char left[NAMES_BYTES]; /* names that are there and not here */
  int n_left;
} look;

/* ---- names ----------------------------------------------------------------------------------- */

/* A name for a list that may be too long to say. */
static void add_name(char names[NAMES_BYTES], int n_before, const char *name) {
  enum { SAID = 6 };
  const size_t at = strlen(names);
  if (n_before < SAID) {
    (void)snprintf(names + at, NAMES_BYTES - at, "%s%s", n_before ? ", " : "", name);
  } else if (n_before == SAID) {
    (void)snprintf(names + at, NAMES_BYTES - at, ", ...");
  }
}

/* The next pattern of a list with commas; false: there is none. */
static bool next_pattern(const char **list, char pattern[TRM_PARAM_NAME_BYTES]) {
  const char *from = *list + strspn(*list, " ,");
  const size_t n = strcspn(from, " ,");
  *list = from + n;
  (void)snprintf(pattern, TRM_PARAM_NAME_BYTES, "%.*s", (int)n, from);
  return n > 0;
}

static bool is_made_anew(const char *list, const char *name) {
  char pattern[TRM_PARAM_NAME_BYTES];
  while (next_pattern(&list, pattern)) {
    if (trm_param_matches(pattern, name)) return true;
  }
  return false;
}

/* Every pattern is of some parameter. */
static trm_status check_patterns(const trm_params *params, const char *list) {
  char pattern[TRM_PARAM_NAME_BYTES], near[4 * TRM_PARAM_NAME_BYTES];
  while (next_pattern(&list, pattern)) {
    bool found = false;
    for (int i = 0; i < params->n_rows; ++i) {
      found = found || trm_param_matches(pattern, params->rows[i].name);
    }
    if (found) continue;
    trm_param_names_near(params, pattern, near, sizeof near);
    return trm_fail(TRM_ERR_CONFIG,
                    "train.init_new: '%s' matches no parameter of the model; near it are %s",
                    pattern, near);
  }
  return TRM_OK;
}

/* ---- what the checkpoint has ------------------------------------------------------------------- */

/* An old file may have a map of sparse features the other way round; reading it sees to that. */
static bool same_shape(const trm_param *row, int n_dims, const int64_t *dims) {
  bool same = row->n_dims == n_dims;
  if (same && row->drawn_by_inputs && row->dims[0] == dims[1] && row->dims[1] == dims[0])
    return true;
  for (int d = 0; same && d < n_dims; ++d) same = row->dims[d] == dims[d];
  return same;
}

/* "5 x 128" */
static const char *shape_text(int n_dims, const int64_t *dims, char text[96]) {
  size_t at = 0;
  text[0] = 0;
  for (int d = 0; d < n_dims && at < 80; ++d) {
    at += (size_t)snprintf(text + at, 96 - at, "%s%" PRId64, d ? " x " : "", dims[d]);
  }
  return text;
}

/* "head" of "head/weight", with what stands for the rest. */
static const char *pattern_of(const char *name, char pattern[TRM_PARAM_NAME_BYTES]) {
  const char *slash = strrchr(name, '/');
  if (!slash) return name;
  (void)snprintf(pattern, TRM_PARAM_NAME_BYTES, "%.*s/*", (int)(slash - name), name);
  return pattern;
}

static trm_status other_shape(const look *l, const trm_param *row, int n_dims,
                              const int64_t *dims) {
  char here[96], there[96], pattern[TRM_PARAM_NAME_BYTES];
  return trm_fail(
      TRM_ERR_CONFIG,
      "train.init_from: %s has shape %s here and %s in %s; make the model alike, or name what "
      "is made anew: train.init_new: \"%s\"",
      row->name, shape_text(row->n_dims, row->dims, here), shape_text(n_dims, dims, there), l->path,
      pattern_of(row->name, pattern));
}

static trm_status other_vocabulary(const look *l, const trm_param *row) {
  char pattern[TRM_PARAM_NAME_BYTES];
  return trm_fail(
      TRM_ERR_CONFIG,
      "train.init_from: the vocabulary of %s is another than the data set's, so %s "
      "stands for other tokens; prepare the data with its vocabulary (--vocabulary), or "
      "set train.init_new: \"%s\"",
      l->path, row->name, pattern_of(row->name, pattern));
}

static trm_status other_columns(const look *l, const trm_param *row) {
  char pattern[TRM_PARAM_NAME_BYTES];
  return trm_fail(
      TRM_ERR_CONFIG,
      "train.init_from: %s was trained with other %s than the data set has, so %s stands for other "
      "values; prepare the data with the same columns and levels in the same order, or set "
      "train.init_new: \"%s\"",
      l->path, l->columns, row->name, pattern_of(row->name, pattern));
}

static int find(const trm_params *params, const char *name) {
  int i = 0;
  while (i < params->n_rows && strcmp(params->rows[i].name, name) != 0) ++i;
  return i < params->n_rows ? i : -1;
}

static trm_status look_at(void *context, const char *region, int n_dims, const int64_t *dims) {
  look *l = context;
  const char *name = region + strlen("model/");
  const int i = find(l->params, name);
  if (i < 0) {
    add_name(l->left, l->n_left++, name);
    return TRM_OK;
  }
  const trm_param *row = &l->params->rows[i];
  if (l->fates[i] == MADE_ANEW) return TRM_OK;
  if (row->tokens && !l->same_vocabulary) return other_vocabulary(l, row);
  if (row->columns && l->columns) return other_columns(l, row);
  if (!same_shape(row, n_dims, dims)) return other_shape(l, row, n_dims, dims);
  l->fates[i] = TAKEN;
  return TRM_OK;
}

static trm_status compare_facts(const trm_task *task, look *l, int64_t *step) {
  trm_ckpt_info info = {0};
  trm_facts ours = {0};
  TRM_TRY(trm_ckpt_read_info(l->path, &info));
  trm_status status = trm_task_facts(task, &ours);
  if (status == TRM_OK) {
    *step = info.step;
    l->same_vocabulary = trm_vocab_facts_same(&ours, &info.facts);
    l->same_classes = trm_sample_facts_same_classes(&ours, &info.facts);
    status = trm_value_facts_compare(&ours, &info.facts, l->path, &l->columns);
  }
  trm_facts_free(&ours);
  trm_ckpt_info_free(&info);
  return status;
}

/* ---- taking -------------------------------------------------------------------------------------- */

static trm_status nothing_taken(const look *l) {
  return trm_fail(TRM_ERR_CONFIG,
                  "train.init_from: nothing in %s has the name of a parameter of the model; it has "
                  "%s",
                  l->path, l->left);
}

static void say(const look *l, int64_t step, trm_log *log) {
  int n_taken = 0, n_new = 0;
  int64_t n_weights = 0;
  bool head = false;
  char fresh[NAMES_BYTES] = "", text[32];
  for (int i = 0; i < l->params->n_rows; ++i) {
    const trm_param *row = &l->params->rows[i];
    if (l->fates[i] != TAKEN) {
      add_name(fresh, n_new++, row->name);
      continue;
    }
    ++n_taken;
    n_weights += row->n;
    head = head || (row->role == TRM_ROLE_HEAD && !row->tokens);
  }
  trm_format_count(n_weights, text);
  trm_log_line(log, "%d parameter%s (%s weights) taken from %s, step %" PRId64, n_taken,
               trm_plural(n_taken), text, l->path, step);
  if (n_new > 0) trm_log_line(log, "%d are new: %s", n_new, fresh);
  if (l->n_left > 0) trm_log_line(log, "%d are left there: %s", l->n_left, l->left);
  if (head && !l->same_classes) {
    trm_log_warn(log,
                 "the classes of %s have other names, and its head is taken all the same; "
                 "train.init_new makes one anew",
                 l->path);
  }
}

/* On rank 0: which rows are taken. */
static trm_status look_into(const trm_config *config, const trm_task *task,
                            const trm_learner *learner, const char *path, char *fates,
                            trm_log *log) {
  const trm_params *params = learner->params;
  look l = {.params = params,
            .path = path,
            .anew = trm_config_string(config, "train.init_new"),
            .fates = fates};
  int64_t step = 0;
  bool any = false;
  TRM_TRY(check_patterns(params, l.anew));
  for (int i = 0; i < params->n_rows; ++i) {
    fates[i] = is_made_anew(l.anew, params->rows[i].name) ? MADE_ANEW : NEW;
  }
  TRM_TRY(compare_facts(task, &l, &step));
  TRM_TRY(trm_ckpt_visit_model(path, look_at, &l));
  for (int i = 0; i < params->n_rows; ++i) any = any || fates[i] == TAKEN;
  if (!any) return nothing_taken(&l);
  say(&l, step, log);
  return TRM_OK;
}

/* Reads the rows that are taken. Collective. */
static trm_status take(trm_comm *comm, const char *path, trm_learner *learner, const char *fates) {
  trm_regions all = {0};
  trm_ckpt_info info = {0};
  int n = 0;
  trm_status status = trm_learner_regions(learner, &all);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  for (int i = 0; i < all.n_model; ++i) {
    if (fates[i] == TAKEN) all.rows[n++] = all.rows[i];
  }
  status = trm_ckpt_load_all(comm, path, &info, all.rows, n);
  trm_ckpt_info_free(&info);
out:
  trm_regions_free(&all);
  return status;
}

trm_status trm_transfer(trm_comm *comm, const trm_config *config, trm_task *task,
                        trm_learner *learner, trm_log *log) {
  const char *from = trm_config_string(config, "train.init_from");
  const int64_t n_rows = learner->params->n_rows;
  char path[TRM_PATH_BYTES] = "", *fates = NULL;
  if (!*from) {
    if (!*trm_config_string(config, "train.init_new")) return TRM_OK;
    return trm_fail(TRM_ERR_CONFIG, "train.init_new says what is not taken from train.init_from, "
                                    "which is empty; set that, or remove both");
  }
  trm_status status = TRM_ALLOC(&fates, n_rows, "what is taken from a checkpoint");
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  if (trm_comm_rank(comm) == 0) {
    status = trm_checkpoint_resolve(from, false, path, sizeof path, log);
    if (status == TRM_OK) status = look_into(config, task, learner, path, fates, log);
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_broadcast(comm, path, sizeof path, 0));
  TRM_TRY_OUT(trm_comm_broadcast(comm, fates, n_rows, 0));
  status = take(comm, path, learner, fates);
out:
  TRM_FREE(fates);
  return status;
}
