/**
 * `trireme prepare debian --graph`: the package index as a graph whose packages are to be sorted into
 * their sections.
 *
 *     nodes     packages, in the order of the index
 *     edges     a relation of any kind between two packages, both ways, once; the kinds are beside it
 *     labels    sections without the archive's area: "contrib/games" is "games"
 *     features  words of name and description, and debtags: which there are, times how rare they
 *               are, ln(packages / packages that have it), scaled to length 1 (tf-idf; Salton,
 *               Buckley 1988, Information Processing and Management 24(5))
 *
 * Nothing of the section enters the features: the Section field is a label only (index.text has it
 * too, and is cut after it), and debtags of a facet "section" are passed over.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "debian_internal.h"
#include "edges.h"
#include "random_splits_internal.h"
#include "trireme/core/memory.h"
#include "trireme/input/node_data.h"
#include "trireme/prepare/graphs.h"
#include "words_internal.h"

enum { LEAST_PACKAGES = 3 }; /* that have a word or tag */
#define MOST_SHARE 0.2       /* of the packages that have a word */

/* Words and tags with their places among the features. */
typedef struct lexicon {
  trm_words words;
  int32_t *rank, *chosen;
  int64_t n; /* chosen */
} lexicon;

typedef struct job {
  const trm_prepare_debian_graph_options *options;
  trm_prepare_options reading; /* the progress of reading, as the other kind of data set has it */
  trm_debian_index index;
  lexicon words, tags;
  trm_names classes; /* in order of their bytes */
  int32_t *labels;
  trm_edge_list edges;
  int64_t *offsets, *feature_offsets;
  int32_t *columns, *feature_columns;
  float *weights, *feature_values;
  trm_random_splits splits;
} job;

static void tell(const job *j, double share, const char *what) {
  if (j->options->progress) j->options->progress(j->options->context, share, what);
}

/* ---- labels ----------------------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Names without area, copied with their ends, sorted. */
static trm_status sort_classes(job *j, char *bytes, char **names) {
  const trm_names *sections = &j->index.sections;
  const int64_t *offsets = trm_names_offsets(sections);
  char *next = bytes;
  for (int64_t s = 0; s < sections->n; ++s) {
    const char *name = sections->bytes.data + offsets[s];
    int64_t n = offsets[s + 1] - offsets[s];
    const char *slash = memrchr(name, '/', (size_t)n);
    if (slash) n -= slash + 1 - name, name = slash + 1;
    names[s] = next;
    memcpy(next, name, (size_t)n);
    next[n] = 0;
    next += n + 1;
  }
  if (sections->n > 0) qsort(names, (size_t)sections->n, sizeof *names, compare_names);
  int32_t id;
  bool added;
  for (int64_t s = 0; s < sections->n; ++s) {
    TRM_TRY(trm_names_add(&j->classes, names[s], (int64_t)strlen(names[s]), &id, &added));
  }
  return TRM_OK;
}

static trm_status make_labels(job *j, trm_graph_counts *counts) {
  const trm_names *sections = &j->index.sections;
  const int32_t *section = (const int32_t *)(const void *)j->index.section.data;
  const int64_t n = j->index.packages.n, *offsets = trm_names_offsets(sections);
  char *bytes = NULL, **names = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&j->labels, n, "labels"));
  TRM_TRY_OUT(TRM_ALLOC(&bytes, sections->bytes.n + sections->n, "sections"));
  TRM_TRY_OUT(TRM_ALLOC(&names, sections->n, "sections"));
  TRM_TRY_OUT(sort_classes(j, bytes, names));
  for (int64_t p = 0; p < n; ++p) {
    j->labels[p] = -1;
    if (section[p] < 0) {
      ++counts->unlabelled;
      continue;
    }
    const char *name = sections->bytes.data + offsets[section[p]];
    const int64_t length = offsets[section[p] + 1] - offsets[section[p]];
    const char *slash = memrchr(name, '/', (size_t)length);
    const char *bare = slash ? slash + 1 : name;
    j->labels[p] = trm_names_find(&j->classes, bare, name + length - bare);
  }
out:
  TRM_FREE(bytes);
  TRM_FREE(names);
  return status;
}

/* ---- features --------------------------------------------------------------------------------- */

/* Tags "facet::tag, facet::tag"; those that tell the section are passed over. */
static trm_status add_tags(trm_words *tags, const char *text, int64_t bytes) {
  static const char section[] = "section::";
  for (int64_t at = 0; at < bytes;) {
    int64_t n = 0;
    while (at + n < bytes && text[at + n] != 0 && !strchr(", \t\r\n", text[at + n])) ++n;
    const char *tag = text + at;
    const bool leaks = n >= (int64_t)strlen(section) && !memcmp(tag, section, strlen(section));
    if (n > 2 && memmem(tag, (size_t)n, "::", 2) && !leaks) TRM_TRY(trm_words_add(tags, tag, n));
    at += n + 1;
  }
  return TRM_OK;
}

static trm_status collect_words(job *j) {
  const trm_debian_index *index = &j->index;
  const int64_t *names = trm_names_offsets(&index->packages);
  const int64_t *tag_ends = (const int64_t *)(const void *)index->tag_ends.data;
  for (int64_t p = 0; p < index->packages.n; ++p) {
    const char *text;
    int64_t bytes;
    TRM_TRY(trm_words_add_text(&j->words.words, index->packages.bytes.data + names[p],
                               names[p + 1] - names[p]));
    trm_debian_description(index, p, &text, &bytes);
    TRM_TRY(trm_words_add_text(&j->words.words, text, bytes));
    TRM_TRY(trm_words_end_document(&j->words.words));
    const int64_t first = p > 0 ? tag_ends[p - 1] : 0;
    if (tag_ends[p] > first) {
      TRM_TRY(add_tags(&j->tags.words, index->tags.data + first, tag_ends[p] - first));
    }
    TRM_TRY(trm_words_end_document(&j->tags.words));
    if (p % 4096 == 0) {
      tell(j, 0.5 + 0.2 * (double)p / (double)index->packages.n, "collecting words");
    }
  }
  return TRM_OK;
}

static trm_status choose(lexicon *l, double most_share, int64_t max) {
  TRM_TRY(TRM_ALLOC(&l->rank, l->words.names.n, "words"));
  TRM_TRY(TRM_ALLOC(&l->chosen, l->words.names.n, "words"));
  return trm_words_choose(&l->words, LEAST_PACKAGES, most_share, max, l->rank, l->chosen, &l->n);
}

static int compare_columns(const void *left, const void *right) {
  const int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
  return a < b ? -1 : a > b;
}

/* Features of package p that `l` has, behind the n that are there; returns how many there are then. */
static int64_t add_columns(const lexicon *l, int64_t p, int64_t first_column, int32_t *columns,
                           int64_t n) {
  int64_t n_words;
  const int32_t *words = trm_words_of(&l->words, p, &n_words);
  for (int64_t w = 0; w < n_words; ++w) {
    const int32_t rank = l->rank[words[w]];
    if (rank >= 0) columns[n++] = (int32_t)first_column + rank;
  }
  return n;
}

static void fill_row(const job *j, const int32_t *columns, int64_t n, float *values) {
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    const bool word = columns[i] < j->words.n;
    const lexicon *l = word ? &j->words : &j->tags;
    const int32_t id = l->chosen[word ? columns[i] : columns[i] - j->words.n];
    const double idf =
        log((double)l->words.n_documents / (double)trm_words_documents(&l->words, id));
    values[i] = (float)idf;
    squares += idf * idf;
  }
  const double length = sqrt(squares);
  for (int64_t i = 0; i < n && length > 0; ++i) values[i] = (float)((double)values[i] / length);
}

static trm_status make_features(job *j, trm_graph_counts *counts) {
  const int64_t n = j->index.packages.n;
  TRM_TRY(collect_words(j));
  TRM_TRY(choose(&j->words, MOST_SHARE, j->options->max_words));
  TRM_TRY(choose(&j->tags, 1, INT32_MAX));
  const int64_t most = (j->words.words.ids.n + j->tags.words.ids.n) / (int64_t)sizeof(int32_t);
  TRM_TRY(TRM_ALLOC(&j->feature_offsets, n + 1, "features"));
  TRM_TRY(TRM_ALLOC(&j->feature_columns, most, "features"));
  TRM_TRY(TRM_ALLOC(&j->feature_values, most, "features"));
  for (int64_t p = 0; p < n; ++p) {
    const int64_t first = j->feature_offsets[p];
    int32_t *columns = j->feature_columns + first;
    int64_t n_columns = add_columns(&j->words, p, 0, columns, 0);
    n_columns = add_columns(&j->tags, p, j->words.n, columns, n_columns);
    if (n_columns == 0) ++counts->empty_features;
    if (n_columns > 0) qsort(columns, (size_t)n_columns, sizeof *columns, compare_columns);
    fill_row(j, columns, n_columns, j->feature_values + first);
    j->feature_offsets[p + 1] = first + n_columns;
  }
  return TRM_OK;
}

/* ---- edges ------------------------------------------------------------------------------------ */

static trm_status add_edges(trm_edge_list *list, const trm_debian_edges *edges, int64_t n_nodes) {
  if (list->n + edges->n > list->capacity) {
    int32_t *sources = NULL, *targets = NULL;
    const int64_t capacity = 2 * (list->n + edges->n);
    TRM_TRY(TRM_ALLOC(&sources, capacity, "relations"));
    const trm_status status = TRM_ALLOC(&targets, capacity, "relations");
    if (status != TRM_OK) {
      TRM_FREE(sources);
      return status;
    }
    if (list->n > 0) memcpy(sources, list->sources, (size_t)list->n * sizeof *sources);
    if (list->n > 0) memcpy(targets, list->targets, (size_t)list->n * sizeof *targets);
    TRM_FREE(list->sources);
    TRM_FREE(list->targets);
    list->sources = sources;
    list->targets = targets;
    list->capacity = capacity;
  }
  for (int64_t p = 0; p < n_nodes; ++p) {
    for (int64_t e = edges->offsets[p]; e < edges->offsets[p + 1]; ++e) {
      list->sources[list->n] = edges->sources[e];
      list->targets[list->n++] = (int32_t)p;
    }
  }
  return TRM_OK;
}

static trm_status make_edges(job *j, trm_graph_counts *counts) {
  const int64_t n = j->index.packages.n;
  for (int kind = 0; kind < TRM_N_RELATIONS; ++kind) {
    trm_debian_edges edges;
    tell(j, 0.75 + 0.05 * kind, "resolving relations");
    TRM_TRY(trm_debian_resolve(&j->index, kind, &edges));
    const trm_status status = add_edges(&j->edges, &edges, n);
    trm_debian_edges_free(&edges);
    TRM_TRY(status);
  }
  return trm_graph_from_edges(&j->edges, n, true, &j->offsets, &j->columns, &j->weights, counts);
}

/* ---- the file --------------------------------------------------------------------------------- */

/* The features' names as /debian/features, words then tags. */
static trm_status write_feature_names(const job *j, trm_container *file) {
  trm_buffer offsets = {0}, bytes = {0};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_buffer_append(&offsets, &bytes.n, (int64_t)sizeof bytes.n));
  for (int kind = 0; kind < 2; ++kind) {
    const lexicon *l = kind == 0 ? &j->words : &j->tags;
    const int64_t *starts = trm_names_offsets(&l->words.names);
    for (int64_t i = 0; i < l->n; ++i) {
      const int32_t id = l->chosen[i];
      TRM_TRY_OUT(trm_buffer_append(&bytes, l->words.names.bytes.data + starts[id],
                                    starts[id + 1] - starts[id]));
      TRM_TRY_OUT(trm_buffer_append(&offsets, &bytes.n, (int64_t)sizeof bytes.n));
    }
  }
  TRM_TRY_OUT(trm_output_names(file, "/debian/features", j->words.n + j->tags.n,
                               (const int64_t *)(const void *)offsets.data, bytes.data));
out:
  trm_buffer_free(&offsets);
  trm_buffer_free(&bytes);
  return status;
}

static trm_status write_more(void *context, trm_container *file) {
  const job *j = context;
  TRM_TRY(write_feature_names(j, file));
  return trm_debian_write_relations(&j->index, file);
}

static trm_status write_graph(job *j, const trm_graph_counts *counts) {
  const int64_t n = j->index.packages.n;
  const trm_names *names = &j->index.packages;
  const trm_node_data data = {
      .graph = {.source = j->options->index ? j->options->index : "apt-cache dumpavail",
                .n_nodes = n,
                .symmetric = true,
                .in = {.n_rows = n,
                       .n_columns = n,
                       .n_edges = j->offsets[n],
                       .offsets = j->offsets,
                       .columns = j->columns},
                .n_features = j->words.n + j->tags.n,
                .sparse = true,
                .features = {.n_rows = n,
                             .n_columns = j->words.n + j->tags.n,
                             .n_edges = j->feature_offsets[n],
                             .offsets = j->feature_offsets,
                             .columns = j->feature_columns,
                             .values = j->feature_values},
                .names = {n, trm_names_offsets(names), names->bytes.data}},
      .classes = {.n = (int)j->classes.n,
                  .labels = j->labels,
                  .names = {j->classes.n, trm_names_offsets(&j->classes), j->classes.bytes.data}},
      .n_splits = j->splits.n,
      .splits = j->splits.splits,
  };
  const trm_graph_more more = {write_more, j};
  tell(j, 0.95, "writing the graph");
  return trm_node_data_write(j->options->output, &data, counts, &more);
}

static trm_status check_sizes(const job *j, const trm_graph_counts *counts) {
  const char *source = j->options->index ? j->options->index : "apt-cache dumpavail";
  const int64_t n_labelled = j->index.packages.n - counts->unlabelled;
  if (n_labelled < 5) { /* each part of a split gets one */
    return trm_fail(TRM_ERR_DATA,
                    "%s: %lld packages have a section; 5 or more are needed, some of them to train "
                    "on, to validate and to test",
                    source, (long long)n_labelled);
  }
  if (j->words.n + j->tags.n == 0) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: no word of names and descriptions is in %d packages and in no more than "
                    "%.0f %% of them; the index is too small for a graph with features",
                    source, LEAST_PACKAGES, 100 * MOST_SHARE);
  }
  return TRM_OK;
}

static trm_status prepare(job *j, trm_graph_counts *counts) {
  const trm_split_shares shares = {{60, 20, 20}};
  TRM_TRY(trm_debian_read(&j->index, j->options->index, &j->reading));
  TRM_TRY(make_labels(j, counts));
  TRM_TRY(make_features(j, counts));
  TRM_TRY(check_sizes(j, counts));
  TRM_TRY(make_edges(j, counts));
  TRM_TRY(trm_random_splits_make(j->labels, j->index.packages.n, j->options->n_splits, &shares, 1,
                                 j->options->seed, &j->splits));
  return write_graph(j, counts);
}

trm_status trm_prepare_debian_graph(const trm_prepare_debian_graph_options *options,
                                    trm_graph_counts *counts) {
  job j = {.options = options,
           .reading = {.progress = options->progress, .context = options->context}};
  *counts = (trm_graph_counts){0};
  TRM_TRY(trm_output_check_place(options->output, &options->index, options->index ? 1 : 0));
  const trm_status status = prepare(&j, counts);
  trm_debian_free(&j.index);
  trm_names_free(&j.classes);
  for (int kind = 0; kind < 2; ++kind) {
    lexicon *l = kind == 0 ? &j.words : &j.tags;
    trm_words_free(&l->words);
    TRM_FREE(l->rank);
    TRM_FREE(l->chosen);
  }
  TRM_FREE(j.labels);
  TRM_FREE(j.edges.sources);
  TRM_FREE(j.edges.targets);
  TRM_FREE(j.offsets);
  TRM_FREE(j.columns);
  TRM_FREE(j.weights);
  TRM_FREE(j.feature_offsets);
  TRM_FREE(j.feature_columns);
  TRM_FREE(j.feature_values);
  trm_random_splits_free(&j.splits);
  return status;
}
