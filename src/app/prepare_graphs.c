/** `trireme prepare` for graphs: which files of a folder are taken, defaults, the summary. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "prepare.h"
#include "trireme/core/memory.h"
#include "trireme/input/graph_set.h"
#include "trireme/input/interactions.h"
#include "trireme/input/node_data.h"
#include "trireme/io/files.h"
#include "trireme/prepare/graphs.h"

enum { PATH_BYTES = 4096, MAX_PATHS = 16 };

/** A folder in which files have their usual names. */
typedef struct shelf {
  const char *folder; /* NULL: none */
  char paths[MAX_PATHS][PATH_BYTES];
  int n;
  char *split_paths; /* [splits][PATH_BYTES] */
  const char **splits;
  int n_splits;
} shelf;

static trm_status check_folder(const char *word, const shelf *s) {
  struct stat of;
  if (!s->folder || (stat(s->folder, &of) == 0 && S_ISDIR(of.st_mode))) return TRM_OK;
  return trm_fail(
      TRM_ERR_USAGE,
      "prepare %s: '%s' is no folder; give the folder of the files, or name each by its "
      "option",
      word, s->folder);
}

/* The file in the folder, unless an option named another; NULL when there is none. */
static trm_status take(shelf *s, const char *name, const char **file) {
  if (*file || !s->folder) return TRM_OK;
  TRM_ASSERT(s->n < MAX_PATHS);
  TRM_TRY(trm_path_join(s->paths[s->n], PATH_BYTES, s->folder, name));
  if (trm_path_exists(s->paths[s->n])) *file = s->paths[s->n++];
  return TRM_OK;
}

static trm_status need(shelf *s, const char *word, const char *name, const char *option,
                       const char **file) {
  TRM_TRY(take(s, name, file));
  if (*file) return TRM_OK;
  if (!s->folder) {
    return trm_fail(TRM_ERR_USAGE, "prepare %s: give a folder with %s, or %s FILE", word, name,
                    option);
  }
  return trm_fail(TRM_ERR_IO, "%s: has no %s, which prepare %s needs; name the file by %s",
                  s->folder, name, word, option);
}

/* By numbers in the names: split_2 before split_10. */
static int by_number(const void *a, const void *b) {
  return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* split_*.tsv in the order of their numbers. */
static trm_status take_splits(shelf *s) {
  char **names = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(trm_folder_list(s->folder, "split_", ".tsv", &names, &s->n_splits));
  if (s->n_splits > 0) qsort(names, (size_t)s->n_splits, sizeof *names, by_number);
  TRM_TRY_OUT(TRM_ALLOC(&s->splits, s->n_splits, "names of splits"));
  TRM_TRY_OUT(TRM_ALLOC(&s->split_paths, (int64_t)s->n_splits * PATH_BYTES, "names of splits"));
  for (int i = 0; i < s->n_splits; ++i) {
    char *path = s->split_paths + (ptrdiff_t)i * PATH_BYTES;
    TRM_TRY_OUT(trm_path_join(path, PATH_BYTES, s->folder, names[i]));
    s->splits[i] = path;
  }
out:
  TRM_FREE(names);
  return status;
}

static trm_status prepare_graph(shelf *s, const app_prepare_request *r,
                                trm_prepare_graph_options *o, trm_graph_counts *counts) {
  TRM_TRY(need(s, "graph", "edges.tsv", "--edges", &o->edges));
  if (!o->features && !o->features_dense) {
    TRM_TRY(take(s, "features.tsv", &o->features));
    TRM_TRY(take(s, "features_dense.tsv", &o->features_dense));
  }
  TRM_TRY(take(s, "labels.tsv", &o->labels));
  TRM_TRY(take(s, "classes.tsv", &o->classes));
  if (s->folder && r->splits.n == 0 && !r->train && !r->valid && !r->test) {
    TRM_TRY(take(s, "train.txt", &o->train));
    TRM_TRY(take(s, "val.txt", &o->valid));
    TRM_TRY(take(s, "valid.txt", &o->valid));
    TRM_TRY(take(s, "test.txt", &o->test));
    if (!o->train && (o->valid || o->test)) {
      return trm_fail(TRM_ERR_IO, "%s: has a %s part, but no train.txt; name the file by --train",
                      s->folder, o->valid ? "validation" : "test");
    }
    if (!o->train) {
      TRM_TRY(take_splits(s));
      o->splits = s->splits;
      o->n_splits = s->n_splits;
    }
  }
  return trm_prepare_graph(o, counts);
}

static trm_status prepare_set(shelf *s, trm_prepare_graph_options *o, trm_graph_counts *counts) {
  TRM_TRY(need(s, "graphs", "nodes.tsv", "--nodes-file", &o->nodes));
  TRM_TRY(need(s, "graphs", "edges.tsv", "--edges", &o->edges));
  TRM_TRY(need(s, "graphs", "graph_labels.tsv", "--graph-labels", &o->labels));
  TRM_TRY(take(s, "classes.tsv", &o->classes));
  TRM_TRY(take(s, "folds.tsv", &o->folds));
  TRM_TRY(take(s, "node_attributes.tsv", &o->attributes));
  return trm_prepare_graph_set(o, counts);
}

static trm_status prepare_interactions(shelf *s, const app_prepare_request *r,
                                       trm_graph_counts *counts) {
  const char *train = r->train, *test = r->test;
  TRM_TRY(need(s, "interactions", "train.txt", "--train", &train));
  TRM_TRY(need(s, "interactions", "test.txt", "--test", &test));
  return trm_prepare_interactions(train, test, r->output, counts);
}

static trm_status prepare_tables(app_prepare_kind kind, shelf *s, const app_prepare_request *r,
                                 trm_log *log, trm_graph_counts *counts) {
  trm_prepare_graph_options o = {
      .output = r->output,
      .edges = r->edges,
      .features = r->features,
      .features_dense = r->features_dense,
      .labels = kind == APP_PREPARE_SET ? r->graph_labels : r->labels,
      .classes = r->classes,
      .splits = r->splits.items,
      .n_splits = r->splits.n,
      .train = r->train,
      .valid = r->valid,
      .test = r->test,
      .nodes = r->nodes,
      .attributes = r->attributes,
      .folds = r->folds,
      .keep_file = r->keep,
      .directed = r->directed,
      .row_normalize = r->row_normalize,
      .degree_features = r->degree_features,
      .n_nodes = r->n_nodes > 0 ? r->n_nodes : 0,
      .progress = app_prepare_progress,
      .context = log,
  };
  if (kind == APP_PREPARE_INTERACTIONS) {
    TRM_TRY(check_folder("interactions", s));
    return prepare_interactions(s, r, counts);
  }
  if (kind == APP_PREPARE_SET) {
    TRM_TRY(check_folder("graphs", s));
    return prepare_set(s, &o, counts);
  }
  TRM_TRY(check_folder("graph", s));
  return prepare_graph(s, r, &o, counts);
}

static trm_status prepare_debian(const app_prepare_request *r, trm_log *log,
                                 trm_graph_counts *counts) {
  const trm_prepare_debian_graph_options o = {
      .output = r->output,
      .index = r->index,
      .seed = r->seed >= 0 ? (uint64_t)r->seed : 1,
      .n_splits = r->n_splits > 0 ? (int)r->n_splits : 10,
      .max_words = r->n_words > 0 ? r->n_words : 2000,
      .progress = app_prepare_progress,
      .context = log,
  };
  if (r->graph[0]) {
    return trm_fail(TRM_ERR_USAGE, "prepare debian: --graph takes no value, but '%s' is given",
                    r->graph);
  }
  return trm_prepare_debian_graph(&o, counts);
}

static trm_status prepare_synthetic(const app_prepare_request *r, trm_log *log,
                                    trm_graph_counts *counts) {
  const int64_t n_nodes = r->n_nodes > 0 ? r->n_nodes : 10000;
  const trm_prepare_synthetic_graph_options o = {
      .output = r->output,
      .model = r->graph[0] ? r->graph : "blocks",
      .n_nodes = n_nodes,
      .n_edges = r->n_edges > 0 ? r->n_edges : 10 * n_nodes,
      .n_classes = r->n_classes > 0 ? (int)r->n_classes : 8,
      .n_features = r->n_features > 0 ? r->n_features : 32,
      .homophily = isnan(r->homophily) ? 0.8 : r->homophily,
      .noise = isnan(r->noise) ? 1.0 : r->noise,
      .seed = r->seed >= 0 ? (uint64_t)r->seed : 1,
      .progress = app_prepare_progress,
      .context = log,
  };
  return trm_prepare_synthetic_graph(&o, counts);
}

/* ---- the summary ------------------------------------------------------------------------------ */

/* A line that grows: "a, b, c". */
typedef struct line {
  char text[512];
  int n;
} line;

static void say(line *l, int64_t count, const char *one, const char *many) {
  char number[32];
  trm_format_count((long long)count, number);
  const int n = snprintf(l->text + l->n, sizeof l->text - (size_t)l->n, "%s%s %s", l->n ? ", " : "",
                         number, count == 1 ? one : many);
  TRM_ASSERT(n >= 0 && n < (int)sizeof l->text - l->n);
  l->n += n;
}

/* " (of 0: 140 train, 500 valid, 1,000 test)". */
static void say_subsets(line *l, const trm_node_data *d) {
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

static void say_graph(line *l, const trm_graph *g) {
  say(l, g->n_nodes, "node", "nodes");
  if (g->symmetric) {
    say(l, g->in.n_edges / 2, "edge both ways", "edges both ways");
  } else {
    say(l, g->in.n_edges, "directed edge", "directed edges");
  }
  say(l, g->n_features, g->sparse ? "sparse feature" : "feature",
      g->sparse ? "sparse features" : "features");
}

static void say_interactions(line *l, const trm_interactions *d) {
  say(l, d->n_users, "user", "users");
  say(l, d->n_items, "item", "items");
  say(l, d->train.n_edges, "interaction for training", "interactions for training");
  say(l, d->test.n_edges, "to be found", "to be found");
}

static void print_sizes(trm_log *log, const trm_graph *g) {
  const trm_node_data *nodes = trm_node_data_of(g);
  const trm_graph_set *set = trm_graph_set_of(g);
  const trm_interactions *pairs = trm_interactions_of(g);
  line l = {0};
  if (set) say(&l, set->n_graphs, "graph", "graphs");
  if (pairs) {
    say_interactions(&l, pairs);
  } else {
    say_graph(&l, g);
  }
  if (set) {
    say(&l, set->classes.n, "class", "classes");
    say(&l, set->n_folds, "fold", "folds");
  }
  if (nodes) {
    say(&l, nodes->classes.n, "class", "classes");
    say(&l, nodes->n_splits, "split", "splits");
    if (nodes->n_splits > 0) say_subsets(&l, nodes);
  }
  trm_log_line(log, "%s: %s", g->path, l.text);
}

/* What the counts of trm_graph_counts are of. */
typedef struct count_words {
  const char *duplicate[2], *isolated[2], *unlabelled[2];
} count_words;

static const count_words *words_of(const trm_graph *g) {
  static const count_words of_nodes = {{"repeated edge", "repeated edges"},
                                       {"node without edges", "nodes without edges"},
                                       {"node without a label", "nodes without a label"}};
  static const count_words of_graphs = {{"repeated edge", "repeated edges"},
                                        {"node without edges", "nodes without edges"},
                                        {"graph without a label", "graphs without a label"}};
  static const count_words of_pairs = {{"repeated item", "repeated items"},
                                       {"item in no training list", "items in no training list"},
                                       {"user with nothing to find", "users with nothing to find"}};
  if (trm_interactions_of(g)) return &of_pairs;
  return trm_graph_set_of(g) ? &of_graphs : &of_nodes;
}

static void say_some(line *l, int64_t n, const char *const words[2]) {
  if (n > 0) say(l, n, words[0], words[1]);
}

static void print_counts(trm_log *log, const trm_graph *g, const trm_graph_counts *c) {
  static const char *const loops[2] = {"self-loop", "self-loops"};
  static const char *const empty[2] = {"node without features", "nodes without features"};
  const count_words *words = words_of(g);
  line left_out = {0}, noted = {0};
  say_some(&left_out, c->self_loops, loops);
  say_some(&left_out, c->duplicates, words->duplicate);
  if (left_out.n > 0) trm_log_line(log, "%s: left out: %s", g->path, left_out.text);
  say_some(&noted, c->isolated, words->isolated);
  say_some(&noted, c->unlabelled, words->unlabelled);
  say_some(&noted, c->empty_features, empty);
  if (noted.n > 0) trm_log_line(log, "%s: note: %s", g->path, noted.text);
}

static bool is_taken(const shelf *s, const char *name) {
  for (int i = 0; i < s->n; ++i) {
    if (strcmp(strrchr(s->paths[i], '/') + 1, name) == 0) return true;
  }
  for (int i = 0; i < s->n_splits; ++i) {
    if (strcmp(strrchr(s->splits[i], '/') + 1, name) == 0) return true;
  }
  return false;
}

/* Files of the folder that no option and no usual name asked for: a slip in a name would show here. */
static void print_passed_over(trm_log *log, const shelf *s) {
  enum { SHOWN = 6 };
  char text[400] = "", **names = NULL;
  int n = 0, n_passed = 0;
  if (!s->folder || trm_folder_list(s->folder, "", "", &names, &n) != TRM_OK) return;
  for (int i = 0; i < n; ++i) {
    const size_t length = strlen(text);
    if (names[i][0] == '.' || is_taken(s, names[i])) continue;
    if (++n_passed > SHOWN) continue;
    (void)snprintf(text + length, sizeof text - length, "%s%.60s", length ? ", " : "", names[i]);
  }
  if (n_passed > 0) {
    trm_log_line(log, "%s: passed over: %s%s", s->folder, text, n_passed > SHOWN ? ", ..." : "");
  }
  TRM_FREE(names);
}

/**
 * Prepares one of the graph kinds, then opens what was written: it is checked, and tells its sizes.
 *
 * @param[in] folder  with files of the usual names (data/FORMAT.md); options name others. NULL: none
 */
trm_status app_prepare_graphs(app_prepare_kind kind, const char *folder,
                              const app_prepare_request *request, trm_log *log) {
  static shelf s; /* 64 KiB of names */
  trm_graph_counts counts = {0};
  trm_graph *graph = NULL;
  trm_status status;
  s = (shelf){.folder = folder};
  if (kind == APP_PREPARE_DEBIAN_GRAPH) {
    status = prepare_debian(request, log, &counts);
  } else if (kind == APP_PREPARE_SYNTH_GRAPH) {
    status = prepare_synthetic(request, log, &counts);
  } else {
    status = prepare_tables(kind, &s, request, log, &counts);
  }
  if (status == TRM_OK) print_passed_over(log, &s);
  TRM_FREE(s.splits);
  TRM_FREE(s.split_paths);
  TRM_TRY(status);
  TRM_TRY(trm_graph_open(request->output, NULL, false, &graph));
  print_sizes(log, graph);
  print_counts(log, graph, &counts);
  trm_graph_close(&graph);
  return TRM_OK;
}
