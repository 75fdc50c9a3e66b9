#include "study.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "task.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"
#include "trireme/io/files.h"
#include "trireme/io/lock.h"
#include "trireme/train/scores.h"

enum { MOST_RUNS = 1000, MOST_DEPTH = 2, MOST_LABELLED = 4 };

/* ---- folders --------------------------------------------------------------------------------- */

static bool is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_run(const char *folder) {
  char path[TRM_RECORD_PATH_BYTES];
  return trm_path_join(path, sizeof path, folder, "metrics.csv") == TRM_OK && trm_path_exists(path);
}

/* Whether the first line of metrics.csv is there, which a run writes when it begins. */
static bool has_begun(const char *folder) {
  char path[TRM_RECORD_PATH_BYTES];
  int byte = EOF;
  if (trm_path_join(path, sizeof path, folder, "metrics.csv") != TRM_OK) return false;
  FILE *file = fopen(path, "r");
  if (!file) return false;
  do byte = fgetc(file);
  while (byte != '\n' && byte != EOF);
  (void)fclose(file);
  return byte == '\n';
}

/* Whether something holds for a folder or for one below it. */
static bool holds_within(const char *folder, int depth, bool (*holds)(const char *)) {
  char **names = NULL, path[TRM_RECORD_PATH_BYTES];
  int n = 0;
  if (holds(folder)) return true;
  if (depth == MOST_DEPTH || !is_folder(folder)) return false;
  if (trm_folder_list(folder, "", "", &names, &n) != TRM_OK) return false;
  bool found = false;
  for (int i = 0; i < n && !found; ++i) {
    if (names[i][0] == '.' || trm_path_join(path, sizeof path, folder, names[i]) != TRM_OK)
      continue;
    found = is_folder(path) && holds_within(path, depth + 1, holds);
  }
  TRM_FREE(names);
  return found;
}

bool trm_study_begun(const char *folder) {
  if (trm_path_exists(folder) && !is_folder(folder)) return true;
  return holds_within(folder, 0, has_begun);
}

bool trm_study_going_on(const char *folder) {
  return holds_within(folder, 0, trm_lock_held);
}

static bool is_known(const trm_study *study, const char *folder) {
  for (int i = 0; i < study->n; ++i) {
    if (strcmp(study->records[i].folder, folder) == 0) return true;
  }
  return false;
}

static trm_status add_run(trm_study *study, const char *folder) {
  if (is_known(study, folder)) return TRM_OK;
  if (study->n == MOST_RUNS) {
    return trm_fail(TRM_ERR_USAGE, "%s: there are more than %d runs; give some of them", folder,
                    (int)MOST_RUNS);
  }
  TRM_TRY(trm_record_read(folder, &study->records[study->n]));
  ++study->n;
  return TRM_OK;
}

static trm_status add_folder(trm_study *study, const char *folder, int depth, int *n_found);

/* Runs in the folders of `folder`. */
static trm_status add_below(trm_study *study, const char *folder, int depth, int *n_found) {
  char **names = NULL, path[TRM_RECORD_PATH_BYTES];
  int n = 0;
  trm_status status = TRM_OK;
  TRM_TRY(trm_folder_list(folder, "", "", &names, &n));
  for (int i = 0; i < n && status == TRM_OK; ++i) {
    if (names[i][0] == '.' || trm_path_join(path, sizeof path, folder, names[i]) != TRM_OK)
      continue;
    if (is_folder(path)) status = add_folder(study, path, depth + 1, n_found);
  }
  TRM_FREE(names);
  return status;
}

/* Those that are known already are found too; those of a sweep that have not begun are left out. */
static trm_status add_folder(trm_study *study, const char *folder, int depth, int *n_found) {
  if (is_run(folder) && (depth == 0 || has_begun(folder))) {
    ++*n_found;
    return add_run(study, folder);
  }
  if (depth < MOST_DEPTH && is_folder(folder)) TRM_TRY(add_below(study, folder, depth, n_found));
  if (depth > 0 || *n_found > 0) return TRM_OK;
  return add_run(study, folder); /* says what is wrong */
}

/* ---- names ----------------------------------------------------------------------------------- */

/* The last `depth` folders of a path. */
static const char *end_of(const char *path, int depth) {
  const char *at = path + strlen(path);
  while (at > path && (at[-1] != '/' || --depth > 0)) --at;
  return at;
}

static bool names_differ(const trm_study *study) {
  for (int i = 0; i < study->n; ++i) {
    for (int k = 0; k < i; ++k) {
      if (strcmp(study->records[i].name, study->records[k].name) == 0) return false;
    }
  }
  return true;
}

static void name_runs(trm_study *study) {
  for (int depth = 1; depth <= 8; ++depth) {
    for (int i = 0; i < study->n; ++i) {
      trm_record *r = &study->records[i];
      (void)snprintf(r->name, sizeof r->name, "%.250s", end_of(r->folder, depth));
    }
    if (names_differ(study)) return;
  }
}

/* ---- configurations -------------------------------------------------------------------------- */

static bool begins_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* Keys that tell runs of one configuration apart, and those that change nothing one would compare. */
static bool is_passed_over(const char *key) {
  static const char *const names[] = {"run.",        "data.split", "log.",
                                      "checkpoint.", "check.",     "debug."};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    if (begins_with(key, names[i])) return true;
  }
  return false;
}

static bool is_same(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

/* Value of the key that is number i of another configuration: mostly it has that number here too. */
static const char *value_near(const trm_record *r, int i, const char *key) {
  if (i < r->n_settings && strcmp(r->settings[i].key, key) == 0) return r->settings[i].value;
  return trm_record_value(r, key);
}

/* Whether a key of `a` has another value in `b`, or none there. */
static bool differs_from(const trm_record *a, const trm_record *b) {
  for (int i = 0; i < a->n_settings; ++i) {
    const trm_setting *setting = &a->settings[i];
    if (is_passed_over(setting->key)) continue;
    if (!is_same(setting->value, value_near(b, i, setting->key))) return true;
  }
  return false;
}

static bool is_one_configuration(const trm_record *a, const trm_record *b) {
  if (a->n_settings == 0 || b->n_settings == 0) return false; /* unknown */
  return !differs_from(a, b) && !differs_from(b, a);
}

static trm_status make_groups(trm_study *study) {
  int *group_of = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&group_of, study->n, "runs"));
  TRM_TRY_OUT(TRM_ALLOC(&study->groups, study->n, "runs"));
  TRM_TRY_OUT(TRM_ALLOC(&study->all, study->n, "runs"));
  for (int i = 0; i < study->n; ++i) {
    int k = 0;
    while (k < i && !is_one_configuration(&study->records[i], &study->records[k])) ++k;
    group_of[i] = k < i ? group_of[k] : study->n_groups++;
  }
  int *next = study->all;
  for (int g = 0; g < study->n_groups; ++g) {
    study->groups[g].members = next;
    for (int i = 0; i < study->n; ++i) {
      if (group_of[i] == g) *next++ = i;
    }
    study->groups[g].n = (int)(next - study->groups[g].members);
  }
out:
  TRM_FREE(group_of);
  return status;
}

static const trm_record *first_of(const trm_study *study, int group) {
  return &study->records[study->groups[group].members[0]];
}

static bool is_listed(const trm_study *study, const char *key) {
  for (int i = 0; i < study->n_differences; ++i) {
    if (strcmp(study->differences[i], key) == 0) return true;
  }
  return false;
}

/* Keys whose values differ between groups, in the order in which configurations have them. */
static trm_status find_differences(trm_study *study) {
  int n_keys = 0;
  for (int g = 0; g < study->n_groups; ++g) n_keys += first_of(study, g)->n_settings;
  TRM_TRY(TRM_ALLOC(&study->differences, n_keys, "configurations"));
  for (int g = 0; g < study->n_groups; ++g) {
    const trm_record *r = first_of(study, g);
    for (int i = 0; i < r->n_settings; ++i) {
      const char *key = r->settings[i].key;
      bool same = true;
      if (is_passed_over(key) || is_listed(study, key)) continue;
      for (int k = 0; k < study->n_groups && same; ++k) {
        const trm_record *other = first_of(study, k);
        same = other->n_settings == 0 || is_same(r->settings[i].value, value_near(other, i, key));
      }
      if (!same) study->differences[study->n_differences++] = key;
    }
  }
  return TRM_OK;
}

/* Whether all groups have a value of the key: "momentum" is one of some optimizers alone. */
static bool is_common(const trm_study *study, const char *key) {
  for (int g = 0; g < study->n_groups; ++g) {
    if (!trm_record_value(first_of(study, g), key)) return false;
  }
  return true;
}

/* A number that was drawn from a range in as many digits as people read; else the value itself. */
static const char *brief(const char *value, char text[32]) {
  double number;
  const bool whole = strspn(value, "0123456789-") == strlen(value);
  if (whole || strlen(value) < 6 || !trm_real_parse(value, &number)) return value;
  (void)snprintf(text, 32, "%.3g", number);
  return text;
}

/* "adam, dropout 0.2": the values of the n keys; of names the value says enough. */
static void describe(const trm_record *r, const char *const *keys, int n, bool shorten, char *label,
                     size_t size) {
  size_t at = 0;
  label[0] = 0;
  for (int k = 0; k < n && at < size; ++k) {
    const char *dot = strrchr(keys[k], '.'), *leaf = dot ? dot + 1 : keys[k];
    const char *value = trm_record_value(r, keys[k]);
    char text[32];
    if (value && shorten) value = brief(value, text);
    const bool plain = strcmp(leaf, "name") == 0 || strcmp(leaf, "kind") == 0;
    const int put = value ? snprintf(label + at, size - at, "%s%s%s%s", at ? ", " : "",
                                     plain ? "" : leaf, plain ? "" : " ", value)
                          : 0;
    at += put > 0 ? (size_t)put : 0;
  }
}

static bool labels_differ(const trm_study *study) {
  for (int g = 0; g < study->n_groups; ++g) {
    if (!study->groups[g].label[0]) return false;
    for (int k = 0; k < g; ++k) {
      if (strcmp(study->groups[g].label, study->groups[k].label) == 0) return false;
    }
  }
  return true;
}

/* By what differs: by the keys that all groups have, or by all of them, when they are few. */
static bool label_by_values(trm_study *study, bool common) {
  const char *keys[MOST_LABELLED];
  int n = 0;
  for (int d = 0; d < study->n_differences; ++d) {
    if (common && !is_common(study, study->differences[d])) continue;
    if (n == MOST_LABELLED) return false;
    keys[n++] = study->differences[d];
  }
  for (int shorten = 1; shorten >= 0; --shorten) {
    for (int g = 0; g < study->n_groups; ++g) {
      trm_group *group = &study->groups[g];
      describe(first_of(study, g), keys, n, shorten, group->label, sizeof group->label);
    }
    if (labels_differ(study)) return true;
  }
  return false;
}

/* The length of a folder's name without the seed or split that it ends with; 0: it is nothing else. */
static int length_of_point(const char *name) {
  int n = (int)strlen(name);
  for (bool more = true; more && n > 0;) {
    int at = n;
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') --at;
    const char *const words[] = {"seed_", "split_"};
    more = false;
    for (int w = 0; w < 2 && at < n; ++w) {
      const int length = (int)strlen(words[w]);
      if (at < length || strncmp(name + at - length, words[w], (size_t)length) != 0) continue;
      n = at - length;
      if (n > 0 && name[n - 1] == '_') --n;
      more = true;
      break;
    }
  }
  return n;
}

/* By the runs' folders: "dropout-0.2" of dropout-0.2_seed_0, "sweep" of sweep/seed_0. */
static void label_by_folder(trm_group *group, const trm_record *r) {
  if (group->n == 1) {
    (void)snprintf(group->label, sizeof group->label, "%.150s", r->name);
    return;
  }
  const char *slash = strrchr(r->folder, '/'), *name = slash ? slash + 1 : r->folder;
  int length = length_of_point(name);
  if (length == 0 && slash) { /* the folder that the runs are in */
    for (name = slash; name > r->folder && name[-1] != '/';) --name;
    length = (int)(slash - name);
  }
  (void)snprintf(group->label, sizeof group->label, "%.*s", length > 0 ? length : 4,
                 length > 0 ? name : "runs");
}

static void label_groups(trm_study *study) {
  if (label_by_values(study, true) || label_by_values(study, false)) return;
  for (int g = 0; g < study->n_groups; ++g) label_by_folder(&study->groups[g], first_of(study, g));
}

/* ---- tasks and scores ------------------------------------------------------------------------ */

bool trm_score_parts(const char *column, char subset[16], const char **metric) {
  const char *end = strchr(column, '_');
  if (!end || end - column > 15) return false;
  (void)snprintf(subset, 16, "%.*s", (int)(end - column), column);
  *metric = end + 1;
  return strcmp(subset, "valid") == 0 || strcmp(subset, "test") == 0 ||
         strcmp(subset, "train") == 0;
}

/* Whether there is a score that both have, or one has none at all. */
static bool share_scores(const trm_record *a, const trm_record *b) {
  if (a->first_score == a->n_columns || b->first_score == b->n_columns) {
    return a->first_score == a->n_columns && b->first_score == b->n_columns;
  }
  for (int i = a->first_score; i < a->n_columns; ++i) {
    for (int k = b->first_score; k < b->n_columns; ++k) {
      if (strcmp(a->columns[i].name, b->columns[k].name) == 0) return true;
    }
  }
  return false;
}

static trm_status check_tasks(const trm_study *study) {
  const trm_record *a = &study->records[0];
  for (int i = 1; i < study->n; ++i) {
    const trm_record *b = &study->records[i];
    if (strcmp(a->unit, b->unit) != 0) {
      return trm_fail(
          TRM_ERR_DATA,
          "%.300s and %.300s have different tasks: losses of the one are per %s, of the "
          "other per %s; give runs of one task",
          a->folder, b->folder, a->unit, b->unit);
    }
    if (!share_scores(a, b)) {
      return trm_fail(TRM_ERR_DATA,
                      "%.300s and %.300s have different tasks: they have no score in common (%s, "
                      "%s); give runs of one task",
                      a->folder, b->folder,
                      a->first_score < a->n_columns ? a->columns[a->first_score].name : "none",
                      b->first_score < b->n_columns ? b->columns[b->first_score].name : "none");
    }
  }
  return TRM_OK;
}

static bool has_column(const trm_study *study, const char *name) {
  for (int i = 0; i < study->n; ++i) {
    const int c = trm_record_column(&study->records[i], name);
    if (c >= 0 && study->records[i].columns[c].n > 0) return true;
  }
  return false;
}

/* What makes an evaluation the best, as the first run's configuration says. */
static void find_select(trm_study *study) {
  static const char *const subsets[] = {"valid", "test"};
  const trm_record *r = &study->records[0];
  const char *metric = trm_record_value(r, "eval.select");
  if (!metric || strcmp(metric, "auto") == 0) metric = trm_task_select_of_unit(r->unit);
  for (int s = 0; s < 2 && !study->select[0]; ++s) {
    (void)snprintf(study->select, sizeof study->select, "%s_%.30s", subsets[s], metric);
    if (!has_column(study, study->select)) study->select[0] = 0;
  }
  if (!study->select[0] && has_column(study, "valid_loss")) {
    (void)snprintf(study->select, sizeof study->select, "valid_loss");
  }
  const trm_metric *known = study->select[0] ? trm_metric_find(study->select) : NULL;
  study->higher = known && !known->less_is_better;
}

/* ---- values ---------------------------------------------------------------------------------- */

int64_t trm_study_best_row(const trm_study *study, const trm_record *record) {
  const int c = study->select[0] ? trm_record_column(record, study->select) : -1;
  int64_t best = -1;
  for (int64_t i = 0; c >= 0 && i < record->n_rows; ++i) {
    const double value = record->columns[c].values[i];
    if (isnan(value)) continue;
    const double least = best < 0 ? 0 : record->columns[c].values[best];
    if (best < 0 || (study->higher ? value > least : value < least)) best = i;
  }
  return best;
}

double trm_record_at(const trm_record *record, const char *column, int64_t row) {
  const int c = trm_record_column(record, column);
  return c < 0 || row < 0 ? (double)NAN : record->columns[c].values[row];
}

double trm_record_last(const trm_record *record, const char *column) {
  const int c = trm_record_column(record, column);
  for (int64_t i = record->n_rows - 1; c >= 0 && i >= 0; --i) {
    if (!isnan(record->columns[c].values[i])) return record->columns[c].values[i];
  }
  return (double)NAN;
}

int trm_study_group_of(const trm_study *study, int record) {
  for (int g = 0; g < study->n_groups; ++g) {
    for (int m = 0; m < study->groups[g].n; ++m) {
      if (study->groups[g].members[m] == record) return g;
    }
  }
  return 0;
}

int trm_study_best_record(const trm_study *study) {
  int best = -1;
  double best_value = 0;
  for (int i = 0; i < study->n; ++i) {
    const trm_record *r = &study->records[i];
    const double value = trm_record_at(r, study->select, trm_study_best_row(study, r));
    if (isnan(value)) continue;
    if (best >= 0 && !(study->higher ? value > best_value : value < best_value)) continue;
    best = i;
    best_value = value;
  }
  return best < 0 ? 0 : best;
}

/* ---- all of it ------------------------------------------------------------------------------- */

trm_status trm_study_read(const char *const *folders, int n, trm_study *study) {
  trm_status status = TRM_OK;
  *study = (trm_study){0};
  TRM_TRY(TRM_ALLOC(&study->records, MOST_RUNS, "runs"));
  for (int i = 0; i < n; ++i) {
    int n_found = 0;
    TRM_TRY_OUT(add_folder(study, folders[i], 0, &n_found));
  }
  name_runs(study);
  TRM_TRY_OUT(check_tasks(study));
  find_select(study);
  TRM_TRY_OUT(make_groups(study));
  TRM_TRY_OUT(find_differences(study));
  label_groups(study);
  return TRM_OK;
out:
  trm_study_free(study);
  return status;
}

void trm_study_free(trm_study *study) {
  for (int i = 0; study->records && i < study->n; ++i) trm_record_free(&study->records[i]);
  TRM_FREE(study->records);
  TRM_FREE(study->groups);
  TRM_FREE(study->all);
  TRM_FREE(study->differences);
  study->n = 0;
}
