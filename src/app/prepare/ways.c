/** What the ways of `trireme prepare` share: parsing, files of a folder, summaries. */
#include "ways.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/input/data_file.h"
#include "trireme/input/node_data.h"
#include "trireme/io/files.h"

enum { PATH_BYTES = 4096 };

static void add_inputs(const char **inputs, int *n_inputs, const char *const *names, int n) {
  for (int i = 0; i < n; ++i) inputs[(*n_inputs)++] = names[i];
}

/* How many texts the options may hold. */
static int count_texts(const app_option *options, int n_options) {
  int n = 0;
  for (int i = 0; i < n_options; ++i) {
    if (options[i].type == APP_TYPE_LIST) n += ((const app_list *)options[i].value)->n;
    n += options[i].type == APP_TYPE_TEXT;
  }
  return n;
}

/* The output is no file of the user's: every word and value that names a file is an input, whatever it
 * is for. */
static trm_status check_output(const app_prepare_call *call, const app_option *options,
                               int n_options, const app_list *words) {
  const char **inputs = NULL;
  int n = 0;
  TRM_TRY(TRM_ALLOC(&inputs, words->n + count_texts(options, n_options) + 1, "names of inputs"));
  add_inputs(inputs, &n, words->items, words->n);
  for (int i = 0; i < n_options; ++i) {
    const app_option *o = &options[i];
    const app_list *list = o->value;
    if (o->type == APP_TYPE_LIST) add_inputs(inputs, &n, list->items, list->n);
    if (o->type != APP_TYPE_TEXT || o->value == (const void *)&call->output) continue;
    const char *const *text = o->value;
    if (*text) add_inputs(inputs, &n, text, 1);
  }
  const trm_output_rule rule = {.command = call->name,
                                .made = trm_dataset_is_sealed,
                                .force = call->force,
                                .inputs = inputs,
                                .n_inputs = n};
  const trm_status status = trm_output_check(&rule, call->output);
  TRM_FREE(inputs);
  return status;
}

trm_status app_prepare_parse(app_prepare_call *call, const app_option *options, int n_options,
                             app_list *words) {
  if (call->asked) {
    const app_option *o = app_option_find(options, n_options, call->asked);
    if (o) call->taken = *o;
    call->done = true;
    return TRM_OK;
  }
  char usage[128];
  (void)snprintf(usage, sizeof usage, "%s%s-o DATA.h5", call->words, *call->words ? " " : "");
  const app_command page = {.name = call->name, .words = usage, .summary = call->summary};
  TRM_TRY(app_parse_page(&page, call->argc, call->argv, options, n_options, words, &call->done));
  if (call->done) return TRM_OK;
  TRM_TRY(app_single_process("prepare"));
  if (call->output) return check_output(call, options, n_options, words);
  return trm_fail(TRM_ERR_USAGE, "%s: give the file to write by -o DATA.h5", call->name);
}

trm_status app_prepare_words(const app_prepare_call *call, const app_list *words, int most,
                             const char *what) {
  if (words->n <= most) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: takes %s, but '%s' is given", call->name, what,
                  words->items[most]);
}

void app_prepare_progress(void *log, double share, const char *what) {
  trm_log_progress(log, false, "%s: %3.0f %%", what, 100 * share);
}

/* ---- files of usual names in a folder ------------------------------------------------------- */

trm_status app_folder_open(app_folder *f, const app_prepare_call *call, const app_list *words) {
  struct stat of;
  TRM_TRY(app_prepare_words(call, words, 1, "one folder"));
  *f = (app_folder){.path = words->n > 0 ? words->items[0] : NULL, .call = call->name};
  if (!f->path || (stat(f->path, &of) == 0 && S_ISDIR(of.st_mode))) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: '%s' is no folder; give the folder of the files, or name each by its option",
                  call->name, f->path);
}

trm_status app_folder_open_or_file(app_folder *f, const app_prepare_call *call,
                                   const app_list *words, const char **file) {
  struct stat of;
  const app_list none = {0};
  if (words->n != 1 || *file || stat(words->items[0], &of) != 0 || S_ISDIR(of.st_mode)) {
    return app_folder_open(f, call, words);
  }
  *file = words->items[0];
  return app_folder_open(f, call, &none);
}

/* A path for a file of the folder; the folder owns it once f->n counts it. */
static trm_status join(app_folder *f, const char *name, char **path) {
  if (f->n == f->capacity) {
    const int capacity = f->capacity > 0 ? 2 * f->capacity : 16;
    char **more;
    TRM_TRY(TRM_ALLOC(&more, capacity, "names of files"));
    if (f->n > 0) memcpy(more, f->files, (size_t)f->n * sizeof *more);
    TRM_FREE(f->files);
    f->files = more;
    f->capacity = capacity;
  }
  TRM_TRY(TRM_ALLOC(path, PATH_BYTES, "name of a file"));
  const trm_status status = trm_path_join(*path, PATH_BYTES, f->path, name);
  if (status != TRM_OK) TRM_FREE(*path);
  return status;
}

trm_status app_folder_take(app_folder *f, const char *name, const char **file) {
  char *path;
  if (*file || !f->path) return TRM_OK;
  TRM_TRY(join(f, name, &path));
  if (trm_path_exists(path)) {
    f->files[f->n++] = path;
    *file = path;
  } else {
    TRM_FREE(path);
  }
  return TRM_OK;
}

trm_status app_folder_need(app_folder *f, const char *name, const char *option, const char **file) {
  TRM_TRY(app_folder_take(f, name, file));
  if (*file) return TRM_OK;
  if (!f->path) {
    return trm_fail(TRM_ERR_USAGE, "%s: give a folder with %s, or %s FILE", f->call, name, option);
  }
  return trm_fail(TRM_ERR_MISSING, "%s: has no %s, which %s needs; name the file by %s", f->path,
                  name, f->call, option);
}

static int by_number(const void *a, const void *b) {
  return strverscmp(*(char *const *)a, *(char *const *)b);
}

trm_status app_folder_take_all(app_folder *f, const char *prefix, const char *suffix,
                               const char *const **files, int *n_files) {
  char **names = NULL;
  int n = 0;
  const int first = f->n;
  trm_status status = TRM_OK;
  TRM_TRY(trm_folder_list(f->path, prefix, suffix, &names, &n));
  if (n > 0) qsort(names, (size_t)n, sizeof *names, by_number);
  for (int i = 0; i < n; ++i) {
    char *path;
    TRM_TRY_OUT(join(f, names[i], &path));
    f->files[f->n++] = path;
  }
  *files = (const char *const *)f->files + first;
  *n_files = n;
out:
  TRM_FREE(names);
  return status;
}

trm_status app_folder_take_first(app_folder *f, const char *prefix, const char *suffix,
                                 const char **file) {
  const char *const *files;
  int n = 0;
  if (*file || !f->path) return TRM_OK;
  TRM_TRY(app_folder_take_all(f, prefix, suffix, &files, &n));
  if (n > 1) {
    return trm_fail(TRM_ERR_USAGE,
                    "%s and %s: two data sets in one folder? Give each one of its own", files[0],
                    files[1]);
  }
  if (n > 0) *file = files[0];
  return TRM_OK;
}

/* The first folder or file in `path` whose name does not begin with a dot; "" when there is none. */
static trm_status first_below(const char *path, char name[256]) {
  char **below = NULL;
  int n = 0;
  name[0] = 0;
  TRM_TRY(trm_folder_list(path, "", "", &below, &n));
  for (int i = 0; i < n && !name[0]; ++i) {
    if (below[i][0] != '.') (void)snprintf(name, 256, "%.200s", below[i]);
  }
  TRM_FREE(below);
  return TRM_OK;
}

trm_status app_folder_take_split(app_folder *f, const char *sub, const char **train,
                                 const char **valid, const char **test) {
  static const char *const names[] = {"train", "valid", "test"};
  const char **const files[] = {train, valid, test};
  char path[PATH_BYTES], folder[256];
  if (!f->path || *train || *valid || *test) return TRM_OK;
  TRM_TRY(trm_path_join(path, sizeof path, f->path, sub));
  if (!trm_path_exists(path)) return TRM_OK;
  TRM_TRY(first_below(path, folder));
  if (strstr(folder, ".csv")) folder[0] = 0; /* the lists themselves */
  for (int i = 0; i < 6; ++i) {
    char name[512];
    (void)snprintf(name, sizeof name, "%s/%s%s%s.csv%s", sub, folder, folder[0] ? "/" : "",
                   names[i % 3], i < 3 ? ".gz" : "");
    TRM_TRY(app_folder_take(f, name, files[i % 3]));
  }
  return TRM_OK;
}

static bool is_taken(const app_folder *f, const char *name) {
  const size_t length = strlen(name);
  for (int i = 0; i < f->n; ++i) {
    const char *in_folder = f->files[i] + strlen(f->path);
    while (*in_folder == '/') ++in_folder;
    if (strncmp(in_folder, name, length) == 0 && (!in_folder[length] || in_folder[length] == '/')) {
      return true;
    }
  }
  return false;
}

void app_folder_tell_rest(const app_folder *f, trm_log *log) {
  enum { SHOWN = 6 };
  char text[400] = "", **names = NULL;
  int n = 0, n_passed = 0;
  if (!f->path || trm_folder_list(f->path, "", "", &names, &n) != TRM_OK) return;
  for (int i = 0; i < n; ++i) {
    const size_t length = strlen(text);
    if (names[i][0] == '.' || is_taken(f, names[i])) continue;
    if (++n_passed > SHOWN) continue;
    (void)snprintf(text + length, sizeof text - length, "%s%.60s", length ? ", " : "", names[i]);
  }
  if (n_passed > 0) {
    trm_log_line(log, "%s: passed over: %s%s", f->path, text, n_passed > SHOWN ? ", ..." : "");
  }
  TRM_FREE(names);
}

void app_folder_close(app_folder *f) {
  for (int i = 0; i < f->n; ++i) TRM_FREE(f->files[i]);
  TRM_FREE(f->files);
  *f = (app_folder){0};
}

/* ---- what was found out ----------------------------------------------------------------------- */

void app_tell_notes(trm_log *log, const trm_notes *notes) {
  for (const char *line = notes->text; line && *line;) {
    const int n = (int)strcspn(line, "\n");
    trm_log_line(log, "%.*s", n, line);
    line += n + (line[n] == '\n');
  }
}

trm_status app_number(const char *command, const char *option, const char *text, bool *given,
                      double *value) {
  char *end = NULL;
  *given = text != NULL;
  if (!text) return TRM_OK;
  *value = strtod(text, &end);
  if (end != text && !*end && isfinite(*value)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: %s is '%s', expected a number", command, option, text);
}

/* ---- summaries ------------------------------------------------------------------------------ */

void app_say(app_line *l, int64_t count, const char *one, const char *many) {
  char number[32];
  trm_format_count((long long)count, number);
  const int n = snprintf(l->text + l->n, sizeof l->text - (size_t)l->n, "%s%s %s", l->n ? ", " : "",
                         number, count == 1 ? one : many);
  TRM_ASSERT(n >= 0 && n < (int)sizeof l->text - l->n);
  l->n += n;
}

void app_say_graph(app_line *l, const trm_graph *g) {
  app_say(l, g->n_nodes, "node", "nodes");
  if (g->symmetric) {
    app_say(l, g->in.n_edges / 2, "edge both ways", "edges both ways");
  } else {
    app_say(l, g->in.n_edges, "directed edge", "directed edges");
  }
  app_say(l, g->n_features, g->sparse ? "sparse feature" : "feature",
          g->sparse ? "sparse features" : "features");
}

/* " (of 0: 140 train, 500 valid, 1,000 test)". */
static void say_subsets(app_line *l, const trm_node_data *d) {
  char numbers[TRM_N_SUBSETS][32];
  for (int p = 0; p < TRM_N_SUBSETS; ++p) trm_format_count(d->splits[p].n, numbers[p]);
  const int n =
      snprintf(l->text + l->n, sizeof l->text - (size_t)l->n,
               d->n_splits == 1 ? " (%s train, %s valid, %s test)"
                                : " (the first: %s train, %s valid, %s test)",
               numbers[TRM_SUBSET_TRAIN], numbers[TRM_SUBSET_VALID], numbers[TRM_SUBSET_TEST]);
  TRM_ASSERT(n >= 0 && n < (int)sizeof l->text - l->n);
  l->n += n;
}

static void say_some(app_line *l, int64_t n, const char *const words[2]) {
  if (n > 0) app_say(l, n, words[0], words[1]);
}

void app_tell_counts(trm_log *log, const char *path, const trm_graph_counts *c,
                     const app_count_words *words) {
  static const char *const loops[2] = {"self-loop", "self-loops"};
  static const char *const empty[2] = {"node without features", "nodes without features"};
  app_line left_out = {0}, noted = {0};
  say_some(&left_out, c->self_loops, loops);
  say_some(&left_out, c->duplicates, words->duplicate);
  if (left_out.n > 0) trm_log_line(log, "%s: left out: %s", path, left_out.text);
  say_some(&noted, c->isolated, words->isolated);
  say_some(&noted, c->unlabelled, words->unlabelled);
  say_some(&noted, c->empty_features, empty);
  if (noted.n > 0) trm_log_line(log, "%s: note: %s", path, noted.text);
}

trm_status app_tell_nodes(const app_prepare_call *call, const trm_graph_counts *counts) {
  static const app_count_words words = {{"repeated edge", "repeated edges"},
                                        {"node without edges", "nodes without edges"},
                                        {"node without a label", "nodes without a label"}};
  trm_graph *graph = NULL;
  TRM_TRY(trm_graph_open(call->output, NULL, false, &graph));
  const trm_node_data *nodes = trm_node_data_of(graph);
  app_line l = {0};
  app_say_graph(&l, graph);
  app_say(&l, nodes->classes.n, "class", "classes");
  app_say(&l, nodes->n_splits, "split", "splits");
  if (nodes->n_splits > 0) say_subsets(&l, nodes);
  trm_log_line(call->log, "%s: %s", graph->path, l.text);
  app_tell_counts(call->log, graph->path, counts, &words);
  trm_graph_close(&graph);
  return TRM_OK;
}

void app_tell_tokens(const app_prepare_call *call, const trm_prepare_summary *s) {
  char tokens[32], train[32], valid[32], packages[32];
  trm_format_count(s->n_tokens, tokens);
  trm_format_count(s->n_train, train);
  trm_format_count(s->n_valid, valid);
  trm_format_count(s->n_packages, packages);
  if (s->n_packages > 0)
    trm_log_line(call->log, "%s: %s package%s", call->output, packages, trm_plural(s->n_packages));
  trm_log_line(call->log, "%s: %s token%s (%s for training, %s for validation), vocabulary %lld",
               call->output, tokens, trm_plural(s->n_tokens), train, valid, (long long)s->vocab);
}
