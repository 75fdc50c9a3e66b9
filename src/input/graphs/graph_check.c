/**
 * Reading the arrays of a graph file and checking every element of them. One process does this for
 * all that share the memory; what it finds is what they are told.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"
#include "trireme/io/seal.h"

static trm_status read_slot(const trm_graph_file *f, int slot) {
  const trm_graph_slot *s = &f->slots[slot];
  if (s->at < 0) return TRM_OK;
  return trm_array_read(f->file, s->name, s->dtype, trm_graph_data(f, slot), s->n);
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* Offsets that start at 0, never fall, and end where the array of `values` ends. */
static trm_status check_offsets(const trm_graph_file *f, int slot, int values) {
  const trm_graph_slot *s = &f->slots[slot];
  const int64_t *offsets = trm_graph_data(f, slot), end = f->slots[values].n;
  for (int64_t i = 0; i < s->n; ++i) {
    const int64_t last = i > 0 ? offsets[i - 1] : 0;
    if (offsets[i] >= last && offsets[i] <= end && (i > 0 || offsets[i] == 0)) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is %" PRId64 " at index %" PRId64 "; offsets start at 0, never fall "
                    "(%" PRId64 " before) and end at %" PRId64 ", the length of '%s'",
                    f->path, s->name, offsets[i], i, last, end, f->slots[values].name);
  }
  if (offsets[s->n - 1] == end) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: '%s' ends at %" PRId64 ", but '%s' has %" PRId64 " elements",
                  f->path, s->name, offsets[s->n - 1], f->slots[values].name, end);
}

/* Ids in [low, high); the extremes first, which the compiler vectorises. */
static trm_status check_ids(const trm_graph_file *f, int slot, int64_t low, int64_t high) {
  const trm_graph_slot *s = &f->slots[slot];
  const int32_t *ids = trm_graph_data(f, slot);
  int32_t least = INT32_MAX, most = INT32_MIN;
  for (int64_t i = 0; i < s->n; ++i) {
    least = ids[i] < least ? ids[i] : least;
    most = ids[i] > most ? ids[i] : most;
  }
  if (s->n == 0 || (least >= low && most < high)) return TRM_OK;
  int64_t bad = 0;
  while (ids[bad] >= low && ids[bad] < high) ++bad;
  return trm_fail(TRM_ERR_DATA,
                  "%s: '%s' is %d at index %" PRId64 ", out of [%" PRId64 ", %" PRId64 ")", f->path,
                  s->name, (int)ids[bad], bad, low, high);
}

/* Columns of compressed rows: in range, rising in a row, so each once. */
static trm_status check_rows(const trm_graph_file *f, int offsets_slot, int columns_slot,
                             int64_t n_columns, const char *row_of) {
  TRM_TRY(check_offsets(f, offsets_slot, columns_slot));
  TRM_TRY(check_ids(f, columns_slot, 0, n_columns));
  const int64_t *offsets = trm_graph_data(f, offsets_slot);
  const int32_t *columns = trm_graph_data(f, columns_slot);
  for (int64_t r = 0; r + 1 < f->slots[offsets_slot].n; ++r) {
    for (int64_t e = offsets[r] + 1; e < offsets[r + 1]; ++e) {
      if (columns[e] > columns[e - 1]) continue;
      return trm_fail(TRM_ERR_DATA,
                      "%s: '%s' is %d at index %" PRId64 " after %d; the row of %s %" PRId64
                      " must be rising, each id once",
                      f->path, f->slots[columns_slot].name, (int)columns[e], e, (int)columns[e - 1],
                      row_of, r);
    }
  }
  return TRM_OK;
}

/* ---- numbers ---------------------------------------------------------------------------------- */

int64_t trm_first_not_finite(const float *x, int64_t n) {
  enum { PIECE = 4096 };
  for (int64_t first = 0; first < n; first += PIECE) {
    const int64_t end = n - first < PIECE ? n : first + PIECE;
    int bad = 0;
    for (int64_t i = first; i < end; ++i) bad |= !(fabsf(x[i]) <= 3.40282347e38f);
    for (int64_t i = first; bad && i < end; ++i) {
      if (!isfinite(x[i])) return i;
    }
  }
  return -1;
}

static trm_status bad_dense(const trm_graph_file *f, int64_t index, float value) {
  const int64_t n = f->graph.n_features;
  return trm_fail(TRM_ERR_DATA,
                  "%s: '/nodes/features' is %f at node %" PRId64 ", feature %" PRId64
                  "; features must be finite numbers",
                  f->path, (double)value, index / n, index % n);
}

static trm_status check_finite(const trm_graph_file *f, int slot) {
  const float *x = trm_graph_data(f, slot);
  if (!x) return TRM_OK;
  const int64_t bad = trm_first_not_finite(x, f->slots[slot].n);
  if (bad < 0) return TRM_OK;
  if (slot == TRM_GA_DENSE) return bad_dense(f, bad, x[bad]);
  return trm_fail(TRM_ERR_DATA, "%s: '%s' is %f at index %" PRId64 "; it must be a finite number",
                  f->path, f->slots[slot].name, (double)x[bad], bad);
}

static trm_status check_weights(const trm_graph_file *f) {
  const float *weights = trm_graph_data(f, TRM_GA_EDGE_WEIGHTS);
  if (!weights) return TRM_OK;
  TRM_TRY(check_finite(f, TRM_GA_EDGE_WEIGHTS));
  for (int64_t e = 0; e < f->slots[TRM_GA_EDGE_WEIGHTS].n; ++e) {
    if (weights[e] >= 0) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '/edges/weights' is %g at index %" PRId64 "; weights must not be negative",
                    f->path, (double)weights[e], e);
  }
  return TRM_OK;
}

/* ---- edges ------------------------------------------------------------------------------------ */

static trm_status no_reverse(const trm_graph_file *f, int64_t source, int64_t target,
                             const char *what) {
  return trm_fail(TRM_ERR_DATA,
                  "%s: attribute 'symmetric' of '/edges' is 1, but the edge from node %" PRId64
                  " to %" PRId64 " has no reverse%s; set it to 0, or add the edge",
                  f->path, source, target, what);
}

/**
 * Whether every edge has its reverse, of the same weight. Rows are visited in rising order, so the
 * reverses that a row c must have are asked for in rising order too: a place in each row that only
 * moves on. O(nodes + edges), 8 bytes a node. Not collective.
 */
trm_status trm_graph_check_symmetric(const trm_graph_file *f) {
  const int64_t *offsets = trm_graph_data(f, TRM_GA_EDGE_OFFSETS), n = f->graph.n_nodes;
  const int32_t *sources = trm_graph_data(f, TRM_GA_EDGE_SOURCES);
  const float *weights = trm_graph_data(f, TRM_GA_EDGE_WEIGHTS);
  int64_t *next = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&next, n, "check of a graph"));
  memcpy(next, offsets, (size_t)n * sizeof *next);
  for (int64_t r = 0; r < n && status == TRM_OK; ++r) {
    for (int64_t e = offsets[r]; e < offsets[r + 1]; ++e) {
      const int64_t c = sources[e], at = next[c]++;
      if (at >= offsets[c + 1] || sources[at] > r) {
        status = no_reverse(f, c, r, "");
      } else if (sources[at] < r) { /* asked for by nobody */
        status = no_reverse(f, sources[at], c, "");
      } else if (weights && weights[at] != weights[e]) {
        status = no_reverse(f, c, r, " of the same weight");
      }
      if (status != TRM_OK) break;
    }
  }
  TRM_FREE(next);
  return status;
}

static trm_status read_edges(const trm_graph_file *f) {
  TRM_TRY(read_slot(f, TRM_GA_EDGE_OFFSETS));
  TRM_TRY(read_slot(f, TRM_GA_EDGE_SOURCES));
  TRM_TRY(check_rows(f, TRM_GA_EDGE_OFFSETS, TRM_GA_EDGE_SOURCES, f->graph.n_nodes, "node"));
  TRM_TRY(read_slot(f, TRM_GA_EDGE_WEIGHTS));
  TRM_TRY(check_weights(f));
  return f->graph.symmetric ? trm_graph_check_symmetric(f) : TRM_OK;
}

static trm_status read_features(const trm_graph_file *f) {
  if (!f->graph.sparse) {
    TRM_TRY(read_slot(f, TRM_GA_DENSE));
    return check_finite(f, TRM_GA_DENSE);
  }
  TRM_TRY(read_slot(f, TRM_GA_FEATURE_OFFSETS));
  TRM_TRY(read_slot(f, TRM_GA_FEATURE_COLUMNS));
  TRM_TRY(
      check_rows(f, TRM_GA_FEATURE_OFFSETS, TRM_GA_FEATURE_COLUMNS, f->graph.n_features, "node"));
  TRM_TRY(read_slot(f, TRM_GA_FEATURE_VALUES));
  return check_finite(f, TRM_GA_FEATURE_VALUES);
}

/* ---- labels, names, splits -------------------------------------------------------------------- */

static trm_status read_texts(const trm_graph_file *f, int slot) {
  if (f->slots[slot].n < 0) return TRM_OK;
  TRM_TRY(read_slot(f, slot));
  TRM_TRY(read_slot(f, slot + 1));
  if (f->slots[slot].n == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: array '%s' is empty, expected one more than the texts",
                    f->path, f->slots[slot].name);
  }
  return check_offsets(f, slot, slot + 1);
}

/* Labels are classes or -1; how many classes there are is told, or one more than the highest. */
static trm_status read_labels(const trm_graph_file *f, int64_t *n_classes) {
  *n_classes = 0;
  TRM_TRY(read_texts(f, TRM_GA_CLASS_OFFSETS));
  if (f->slots[TRM_GA_LABELS].n < 0) return TRM_OK;
  TRM_TRY(read_slot(f, TRM_GA_LABELS));
  const int32_t *labels = trm_graph_data(f, TRM_GA_LABELS);
  const int64_t n = f->slots[TRM_GA_LABELS].n;
  int64_t highest = -1;
  for (int64_t i = 0; i < n; ++i) highest = labels[i] > highest ? labels[i] : highest;
  *n_classes = f->n_classes_told >= 0 ? f->n_classes_told : highest + 1;
  TRM_TRY(check_ids(f, TRM_GA_LABELS, -1, *n_classes));
  if (trm_graph_plausible(*n_classes, n)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: '%s' has a class %" PRId64 " among %" PRId64 " labels; number "
                  "the classes without gaps",
                  f->path, f->slots[TRM_GA_LABELS].name, highest, n);
}

/* One part of a split: rising ids of nodes that have a label and are in no other part of it. */
static trm_status check_part(const trm_graph_file *f, int slot, uint8_t *taken) {
  const trm_graph_slot *s = &f->slots[slot];
  const int32_t *ids = trm_graph_data(f, slot), *labels = trm_graph_data(f, TRM_GA_LABELS);
  const int part = (slot - TRM_GA_SPLITS) % TRM_N_SUBSETS;
  TRM_TRY(check_ids(f, slot, 0, f->graph.n_nodes));
  for (int64_t i = 0; i < s->n; ++i) {
    if (i > 0 && ids[i] <= ids[i - 1]) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: '%s' is %d at index %" PRId64 " after %d; ids must be "
                      "rising, each once",
                      f->path, s->name, (int)ids[i], i, (int)ids[i - 1]);
    }
    if (taken[ids[i]]) {
      const int other = taken[ids[i]] - 1;
      return trm_fail(TRM_ERR_DATA,
                      "%s: node %d is in '%s' and in '%s'; the parts of a split must "
                      "not overlap",
                      f->path, (int)ids[i], f->slots[slot - part + other].name, s->name);
    }
    if (labels && labels[ids[i]] < 0) {
      return trm_fail(TRM_ERR_DATA, "%s: node %d is in '%s', but has no label", f->path,
                      (int)ids[i], s->name);
    }
    taken[ids[i]] = (uint8_t)(part + 1);
  }
  return TRM_OK;
}

static trm_status read_splits(const trm_graph_file *f) {
  if (f->graph.n_splits == 0) return TRM_OK;
  uint8_t *taken = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&taken, f->graph.n_nodes, "check of a split"));
  for (int s = 0; s < f->graph.n_splits; ++s) {
    memset(taken, 0, (size_t)f->graph.n_nodes);
    for (int p = 0; p < TRM_N_SUBSETS; ++p) {
      const int slot = TRM_GA_SPLITS + s * TRM_N_SUBSETS + p;
      if (f->slots[slot].n < 0) continue;
      TRM_TRY_OUT(read_slot(f, slot));
      TRM_TRY_OUT(check_part(f, slot, taken));
    }
    const trm_graph_slot *train = &f->slots[TRM_GA_SPLITS + s * TRM_N_SUBSETS];
    if (train->n == 0) {
      status = trm_fail(TRM_ERR_DATA, "%s: '%s' is empty; a split needs nodes to train on", f->path,
                        train->name);
      goto out;
    }
  }
out:
  TRM_FREE(taken);
  return status;
}

/* ---- sets and interactions -------------------------------------------------------------------- */

/* The edges of a graph stay in its range of nodes; rows are rising, so their ends tell. */
static trm_status check_inside(const trm_graph_file *f, int64_t graph, int64_t begin, int64_t end) {
  const int64_t *offsets = trm_graph_data(f, TRM_GA_EDGE_OFFSETS);
  const int32_t *sources = trm_graph_data(f, TRM_GA_EDGE_SOURCES);
  for (int64_t r = begin; r < end; ++r) {
    if (offsets[r] == offsets[r + 1]) continue;
    const int32_t first = sources[offsets[r]], last = sources[offsets[r + 1] - 1];
    if (first >= begin && last < end) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: the edge from node %d to %" PRId64 " leaves graph %" PRId64
                    ", which has the nodes [%" PRId64 ", %" PRId64 ")",
                    f->path, (int)(first < begin ? first : last), r, graph, begin, end);
  }
  return TRM_OK;
}

/* The nodes of a graph are a range. */
static trm_status check_graphs(const trm_graph_file *f) {
  const int64_t *graphs = trm_graph_data(f, TRM_GA_GRAPHS), n = f->graph.n_graphs;
  for (int64_t i = 0; i < n; ++i) {
    const bool joined = i > 0 || graphs[0] == 0;
    const bool complete = i + 1 < n || graphs[n] == f->graph.n_nodes;
    if (joined && complete && graphs[i] < graphs[i + 1]) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '/graphs/offsets' gives graph %" PRId64 " the nodes [%" PRId64 ", %" PRId64
                    "); graphs have a node at least, one after another, %" PRId64 " in all",
                    f->path, i, graphs[i], graphs[i + 1], f->graph.n_nodes);
  }
  for (int64_t i = 0; i < n; ++i) TRM_TRY(check_inside(f, i, graphs[i], graphs[i + 1]));
  return TRM_OK;
}

static trm_status read_folds(const trm_graph_file *f, int64_t *n_folds) {
  *n_folds = 0;
  if (f->slots[TRM_GA_FOLDS].n < 0) return TRM_OK;
  TRM_TRY(read_slot(f, TRM_GA_FOLDS));
  TRM_TRY(check_ids(f, TRM_GA_FOLDS, 0, f->graph.n_graphs));
  const int32_t *folds = trm_graph_data(f, TRM_GA_FOLDS),
                *labels = trm_graph_data(f, TRM_GA_LABELS);
  for (int64_t i = 0; i < f->graph.n_graphs; ++i) {
    if (labels && labels[i] < 0) {
      return trm_fail(TRM_ERR_DATA, "%s: graph %" PRId64 " is in a fold, but has no label", f->path,
                      i);
    }
    *n_folds = folds[i] >= *n_folds ? folds[i] + 1 : *n_folds;
  }
  uint8_t *seen = NULL;
  TRM_TRY(TRM_ALLOC(&seen, *n_folds, "check of folds"));
  for (int64_t i = 0; i < f->graph.n_graphs; ++i) seen[folds[i]] = 1;
  const uint8_t *empty = memchr(seen, 0, (size_t)*n_folds);
  const int64_t gap = empty ? empty - seen : -1;
  TRM_FREE(seen);
  if (gap < 0 && *n_folds > 1) return TRM_OK;
  if (gap < 0) {
    return trm_fail(TRM_ERR_DATA, "%s: '/graphs/folds' has one fold; two at least are needed",
                    f->path);
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: '/graphs/folds' has no graph in fold %" PRId64 " of %" PRId64
                  "; number the folds without gaps",
                  f->path, gap, *n_folds);
}

/* Users have something to learn from, and nothing of it is asked in the test. */
static trm_status check_users(const trm_graph_file *f) {
  const int64_t *train = trm_graph_data(f, TRM_GA_TRAIN_OFFSETS);
  const int64_t *test = trm_graph_data(f, TRM_GA_TEST_OFFSETS);
  const int32_t *train_items = trm_graph_data(f, TRM_GA_TRAIN_ITEMS);
  const int32_t *test_items = trm_graph_data(f, TRM_GA_TEST_ITEMS);
  for (int64_t u = 0; u < f->graph.n_users; ++u) {
    int64_t a = train[u], b = test[u];
    if (a == train[u + 1]) {
      return trm_fail(TRM_ERR_DATA, "%s: user %" PRId64 " has no items in '/train'", f->path, u);
    }
    while (a < train[u + 1] && b < test[u + 1]) {
      if (train_items[a] == test_items[b]) {
        return trm_fail(TRM_ERR_DATA,
                        "%s: item %d of user %" PRId64 " is in '/train' and in '/test'", f->path,
                        (int)test_items[b], u);
      }
      if (train_items[a] < test_items[b]) {
        ++a;
      } else {
        ++b;
      }
    }
  }
  return TRM_OK;
}

static trm_status read_interactions(const trm_graph_file *f) {
  TRM_TRY(read_slot(f, TRM_GA_TRAIN_OFFSETS));
  TRM_TRY(read_slot(f, TRM_GA_TRAIN_ITEMS));
  TRM_TRY(read_slot(f, TRM_GA_TEST_OFFSETS));
  TRM_TRY(read_slot(f, TRM_GA_TEST_ITEMS));
  TRM_TRY(check_rows(f, TRM_GA_TRAIN_OFFSETS, TRM_GA_TRAIN_ITEMS, f->graph.n_items, "user"));
  TRM_TRY(check_rows(f, TRM_GA_TEST_OFFSETS, TRM_GA_TEST_ITEMS, f->graph.n_items, "user"));
  return check_users(f);
}

/* ---- digest ----------------------------------------------------------------------------------- */

/* The digest chains over pieces of TRM_PIECE_TOKENS elements, as that of a text does. An array that
 * stayed in the file passes through a buffer, and is checked on the way. */
static trm_status digest_array(const trm_graph_file *f, int slot, uint64_t *h) {
  const trm_graph_slot *s = &f->slots[slot];
  *h = trm_hash64(&s->n, sizeof s->n, *h);
  if (s->n <= 0) return TRM_OK;
  const size_t bytes = trm_dtype_bytes(s->dtype);
  const unsigned char *data = trm_graph_data(f, slot);
  const int64_t most = s->n < TRM_PIECE_TOKENS ? s->n : TRM_PIECE_TOKENS;
  float *buffer = NULL;
  trm_status status = TRM_OK;
  if (!data) TRM_TRY(TRM_ALLOC(&buffer, most, "piece of an array"));
  for (int64_t first = 0; first < s->n; first += most) {
    const int64_t n = s->n - first < most ? s->n - first : most;
    if (!data) {
      TRM_TRY_OUT(trm_array_read_range(f->file, s->name, s->dtype, first, n, buffer));
      const int64_t bad = trm_first_not_finite(buffer, n);
      if (bad >= 0) TRM_TRY_OUT(bad_dense(f, first + bad, buffer[bad]));
    }
    *h = trm_hash64(data ? data + (size_t)first * bytes : (const unsigned char *)buffer,
                    (size_t)n * bytes, *h);
  }
out:
  TRM_FREE(buffer);
  return status;
}

/**
 * Content hash of a data set (data/FORMAT.md): the kind, the scalars, every array in order. The types
 * in which the file stores arrays do not matter. Not collective.
 */
trm_status trm_graph_digest(trm_graph_file *f, uint64_t *digest) {
  const trm_graph *g = &f->graph;
  const trm_graph_facts *facts = (const trm_graph_facts *)(const void *)f->block;
  const char *kind = trm_graph_kind_name(g->kind);
  const int64_t scalars[] = {g->symmetric, g->n_features, facts->n_classes, g->n_items};
  uint64_t h = trm_hash64(kind, strlen(kind), 0);
  h = trm_hash64(scalars, sizeof scalars, h);
  for (int i = 0; i < f->n_slots; ++i) TRM_TRY(digest_array(f, i, &h));
  *digest = h;
  return TRM_OK;
}

trm_status trm_graph_read(trm_graph_file *f) {
  trm_graph_facts *facts = (trm_graph_facts *)(void *)f->block;
  bool sealed; /* a file of another tool is not */
  TRM_TRY(trm_file_seal_check(f->path, &sealed));
  if (f->graph.kind == TRM_GRAPH_INTERACTIONS) {
    TRM_TRY(read_interactions(f));
    return trm_graph_digest(f, &facts->digest);
  }
  TRM_TRY(read_edges(f));
  TRM_TRY(read_features(f));
  TRM_TRY(read_labels(f, &facts->n_classes));
  TRM_TRY(read_texts(f, TRM_GA_NAME_OFFSETS));
  if (f->graph.kind == TRM_GRAPH_NODES) {
    TRM_TRY(read_splits(f));
  } else {
    TRM_TRY(read_slot(f, TRM_GA_GRAPHS));
    TRM_TRY(check_graphs(f));
    TRM_TRY(read_folds(f, &facts->n_folds));
  }
  return trm_graph_digest(f, &facts->digest);
}
