/**
 * `trireme prepare synth --graph`: graphs of any size whose classes can be learned.
 *
 *     slots     nodes in order of their classes, which are equally large; a keyed permutation gives
 *               every slot its node id, so that neither ids nor their order tell anything
 *     edges     of two slots: a stochastic block model (Holland, Laskey, Leinhardt 1983, Social
 *               Networks 5(2)), or R-MAT (Chakrabarti, Zhan, Faloutsos 2004, SDM) with Graph500's
 *               probabilities, places permuted to slots, where an end is moved into the other's class
 *     features  the class's centre, a point at a distance of about 1 from the origin, plus noise in
 *               each coordinate: with noise of 1 a node tells little, its neighbours' mean much
 *     splits    0: 60/20/20 % of the nodes; 1: 10/5/5 %
 *
 * Every number is a function of (seed, what it is for, edge or node): nothing is drawn in sequence.
 * Noise is a sum of uniform numbers, so that its bits do not depend on a library's logarithm.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "edges.h"
#include "random_splits_internal.h"
#include "trireme/core/config.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/data_file.h"
#include "trireme/input/node_data.h"
#include "trireme/input/permute.h"
#include "trireme/prepare/graphs.h"

/* Users of TRM_RANDOM_TEST here: salts of the key. */
enum { DRAW_EDGES = 1, DRAW_CENTRES, DRAW_NOISE };
enum { PLACES_KEY = 1, NODES_KEY = 2 }; /* of the permutations, added to the seed */
/* R-MAT: of 2^16, the quadrants (0, 0), (0, 1), (1, 0) and, with the rest, (1, 1). */
enum { RMAT_A = 37355, RMAT_AB = 49807, RMAT_ABC = 62259 };
enum { PIECE_NODES = 4096, TELL_EVERY = 1 << 20, LEAST_NODES = 20 };

typedef struct job {
  const trm_prepare_synthetic_graph_options *options;
  bool powerlaw;
  int64_t n; /* nodes */
  int C;     /* classes */
  int32_t *slot_of_place, *node_of_slot, *labels;
  trm_edge_list edges;
  int64_t *offsets;
  int32_t *columns;
  float *weights; /* none */
  float *centres; /* [C, n_features] */
  trm_random_splits splits;
} job;

static void tell(const job *j, double share, const char *what) {
  if (j->options->progress) j->options->progress(j->options->context, share, what);
}

/* Slots of class c are [c n / C, (c + 1) n / C). */
static int64_t first_slot(const job *j, int64_t c) {
  return c * j->n / j->C;
}

static int64_t class_of(const job *j, int64_t slot) {
  return ((slot + 1) * j->C - 1) / j->n;
}

static trm_status permutation(uint64_t key, int64_t n, int32_t **out) {
  TRM_TRY(TRM_ALLOC(out, n, "nodes of a synthetic graph"));
  for (int64_t i = 0; i < n; ++i) (*out)[i] = (int32_t)trm_permute(key, n, i);
  return TRM_OK;
}

/* ---- edges ------------------------------------------------------------------------------------ */

/* One end anywhere; the other in its class, or, with probability 1 - homophily, in another. */
static void draw_blocks(const job *j, trm_random_key key, uint64_t edge, int64_t *u, int64_t *v) {
  *u = (int64_t)trm_random_below(key, edge, 0, (uint64_t)j->n);
  const int64_t c = class_of(j, *u), begin = first_slot(j, c), size = first_slot(j, c + 1) - begin;
  if (j->C == 1 || trm_random_uniform(key, edge, 1) < j->options->homophily) {
    *v = begin + (int64_t)trm_random_below(key, edge, 2, (uint64_t)size);
    return;
  }
  *v = (int64_t)trm_random_below(key, edge, 2, (uint64_t)(j->n - size));
  if (*v >= begin) *v += size;
}

/* Two places of the smallest power of two that holds all; again while one is past the last. */
static void draw_places(int64_t n, trm_random_key key, uint64_t edge, int64_t *u, int64_t *v) {
  enum { LEVELS_A_CALL = 8, CALLS = 4 };
  int scale = 0;
  while (INT64_C(1) << scale < n) ++scale;
  for (uint64_t attempt = 0;; ++attempt) {
    uint32_t words[4] = {0};
    *u = *v = 0;
    for (int level = 0; level < scale; ++level) {
      const int at = level % LEVELS_A_CALL;
      if (at == 0) {
        trm_random_words(key, edge, attempt * CALLS + (uint64_t)(level / LEVELS_A_CALL), words);
      }
      const int x = (int)(words[at / 2] >> (at % 2 * 16) & 0xFFFF);
      *u = 2 * *u + (x >= RMAT_AB);
      *v = 2 * *v + ((x >= RMAT_A && x < RMAT_AB) || x >= RMAT_ABC);
    }
    if (*u < n && *v < n) return;
  }
}

/* With probability `homophily` the second end goes to the slot of the first one's class that has its
 * rank there, else it stays where it is (which may be the same class). */
static void draw_powerlaw(const job *j, trm_random_key key, uint64_t edge, int64_t *u, int64_t *v) {
  int64_t first, second;
  draw_places(j->n, key, edge, &first, &second);
  *u = j->slot_of_place[first];
  *v = j->slot_of_place[second];
  const double chance = trm_random_uniform(key, edge, UINT64_MAX); /* places use low positions */
  if (chance >= j->options->homophily) return;
  const int64_t c = class_of(j, *u), begin = first_slot(j, c), size = first_slot(j, c + 1) - begin;
  *v = begin + (*v - first_slot(j, class_of(j, *v))) % size;
}

static trm_status make_edges(job *j, trm_graph_counts *counts) {
  const trm_random_key key = trm_random_key_make(j->options->seed, TRM_RANDOM_TEST, 0, DRAW_EDGES);
  trm_edge_list *list = &j->edges;
  list->capacity = j->options->n_edges;
  TRM_TRY(TRM_ALLOC(&list->sources, list->capacity, "edges of a synthetic graph"));
  TRM_TRY(TRM_ALLOC(&list->targets, list->capacity, "edges of a synthetic graph"));
  for (; list->n < list->capacity; ++list->n) {
    int64_t u, v;
    if (j->powerlaw) {
      draw_powerlaw(j, key, (uint64_t)list->n, &u, &v);
    } else {
      draw_blocks(j, key, (uint64_t)list->n, &u, &v);
    }
    list->sources[list->n] = j->node_of_slot[u];
    list->targets[list->n] = j->node_of_slot[v];
    if (list->n % TELL_EVERY == 0) {
      tell(j, 0.4 * (double)list->n / (double)list->capacity, "drawing edges");
    }
  }
  tell(j, 0.4, "sorting edges");
  TRM_TRY(trm_graph_from_edges(list, j->n, true, &j->offsets, &j->columns, &j->weights, counts));
  TRM_FREE(list->sources); /* the rest needs the room */
  TRM_FREE(list->targets);
  return TRM_OK;
}

/* ---- features --------------------------------------------------------------------------------- */

/* Mean 0, deviation 1: eight uniform numbers of 16 bits, whose sum has a variance of 8 (4^16 - 1) /
 * 12 and lies within 4.9 deviations. */
static double bell(trm_random_key key, uint64_t sample, uint64_t position) {
  uint32_t w[4];
  int64_t sum = 0;
  trm_random_words(key, sample, position, w);
  for (int i = 0; i < 4; ++i) sum += (int64_t)(w[i] & 0xFFFF) + (int64_t)(w[i] >> 16);
  return ((double)sum - 4 * 65535.0) / sqrt((65536.0 * 65536.0 - 1) * 8 / 12);
}

static trm_status make_centres(job *j) {
  const int64_t F = j->options->n_features;
  const trm_random_key key =
      trm_random_key_make(j->options->seed, TRM_RANDOM_TEST, 0, DRAW_CENTRES);
  TRM_TRY(TRM_ALLOC(&j->centres, j->C * F, "centres of classes"));
  for (int64_t c = 0; c < j->C; ++c) {
    for (int64_t f = 0; f < F; ++f) {
      j->centres[c * F + f] = (float)(bell(key, (uint64_t)c, (uint64_t)f) / sqrt((double)F));
    }
  }
  return TRM_OK;
}

static void fill_row(const job *j, trm_random_key key, int64_t node, float *row) {
  const int64_t F = j->options->n_features;
  const float *centre = j->centres + j->labels[node] * F;
  for (int64_t f = 0; f < F; ++f) {
    const double noise = bell(key, (uint64_t)node, (uint64_t)f);
    row[f] = (float)((double)centre[f] + j->options->noise * noise);
  }
}

/* Piece by piece: two million nodes with 128 features are 1 GB. */
static trm_status write_features(void *context, trm_container *file) {
  const job *j = context;
  const int64_t F = j->options->n_features, dims[2] = {j->n, F};
  const trm_random_key key = trm_random_key_make(j->options->seed, TRM_RANDOM_TEST, 0, DRAW_NOISE);
  if (F == 0) return TRM_OK;
  float *rows = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&rows, PIECE_NODES * F, "features of a synthetic graph"));
  TRM_TRY_OUT(trm_array_create(file, "/nodes/features", TRM_DTYPE_F32, 2, dims));
  for (int64_t first = 0; first < j->n; first += PIECE_NODES) {
    const int64_t n = j->n - first < PIECE_NODES ? j->n - first : PIECE_NODES;
    for (int64_t i = 0; i < n; ++i) fill_row(j, key, first + i, rows + i * F);
    TRM_TRY_OUT(
        trm_array_write_range(file, "/nodes/features", TRM_DTYPE_F32, first * F, n * F, rows));
    tell(j, 0.7 + 0.3 * (double)(first + n) / (double)j->n, "writing features");
  }
out:
  TRM_FREE(rows);
  return status;
}

/* ---- the file --------------------------------------------------------------------------------- */

static trm_status check_options(const trm_prepare_synthetic_graph_options *o) {
  static const char *const models[] = {"blocks", "powerlaw"};
  if (strcmp(o->model, models[0]) != 0 && strcmp(o->model, models[1]) != 0) {
    const char *near = trm_nearest(o->model, models, 2);
    return trm_fail(TRM_ERR_USAGE,
                    "synthetic graph: no model '%s'%s%s%s; there are blocks and powerlaw", o->model,
                    near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
  }
  const struct {
    const char *what;
    double value, min, max;
  } rows[] = {{"nodes", (double)o->n_nodes, LEAST_NODES, INT32_MAX},
              {"edges", (double)o->n_edges, 0, 0x1p40},
              {"classes", (double)o->n_classes, 1, (double)o->n_nodes},
              {"features", (double)o->n_features, 0, 0x1p20},
              {"homophily", o->homophily, 0, 1},
              {"noise", o->noise, 0, 1e6}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    if (rows[i].value >= rows[i].min && rows[i].value <= rows[i].max) continue; /* NaN is out */
    return trm_fail(TRM_ERR_USAGE, "synthetic graph: %s is %.16g, allowed from %.16g to %.16g",
                    rows[i].what, rows[i].value, rows[i].min, rows[i].max);
  }
  return TRM_OK;
}

static trm_status write_graph(job *j, const trm_graph_counts *counts) {
  const trm_prepare_synthetic_graph_options *o = j->options;
  char source[160];
  (void)snprintf(source, sizeof source,
                 "synthetic: %s, %" PRId64 " edges drawn, homophily %g, noise %g, seed %" PRIu64,
                 j->powerlaw ? "power law (R-MAT)" : "stochastic block model", o->n_edges,
                 o->homophily, o->noise, o->seed);
  const trm_node_data data = {.graph = {.source = source,
                                        .n_nodes = j->n,
                                        .symmetric = true,
                                        .in = {.n_rows = j->n,
                                               .n_columns = j->n,
                                               .n_edges = j->offsets[j->n],
                                               .offsets = j->offsets,
                                               .columns = j->columns},
                                        .n_features = o->n_features},
                              .classes = {.n = j->C, .labels = j->labels},
                              .n_splits = j->splits.n,
                              .splits = j->splits.splits};
  const trm_graph_more features = {write_features, j};
  tell(j, 0.65, "writing edges");
  return trm_node_data_write(o->output, &data, counts, &features);
}

static trm_status prepare(job *j, trm_graph_counts *counts) {
  const uint64_t seed = j->options->seed;
  const trm_split_shares shares[] = {{{60, 20, 20}}, {{10, 5, 5}}};
  if (j->powerlaw) TRM_TRY(permutation(trm_mix64(seed) + PLACES_KEY, j->n, &j->slot_of_place));
  TRM_TRY(permutation(trm_mix64(seed) + NODES_KEY, j->n, &j->node_of_slot));
  TRM_TRY(TRM_ALLOC(&j->labels, j->n, "labels"));
  for (int64_t s = 0; s < j->n; ++s) j->labels[j->node_of_slot[s]] = (int32_t)class_of(j, s);
  TRM_TRY(make_edges(j, counts));
  TRM_TRY(make_centres(j));
  tell(j, 0.6, "drawing splits");
  TRM_TRY(trm_random_splits_make(j->labels, j->n, 2, shares, 2, seed, &j->splits));
  return write_graph(j, counts);
}

trm_status trm_prepare_synthetic_graph(const trm_prepare_synthetic_graph_options *options,
                                       trm_graph_counts *counts) {
  *counts = (trm_graph_counts){0};
  TRM_TRY(check_options(options));
  TRM_TRY(trm_output_check_place(options->output, NULL, 0));
  job j = {.options = options,
           .powerlaw = strcmp(options->model, "powerlaw") == 0,
           .n = options->n_nodes,
           .C = options->n_classes};
  const trm_status status = prepare(&j, counts);
  TRM_FREE(j.slot_of_place);
  TRM_FREE(j.node_of_slot);
  TRM_FREE(j.labels);
  TRM_FREE(j.edges.sources);
  TRM_FREE(j.edges.targets);
  TRM_FREE(j.offsets);
  TRM_FREE(j.columns);
  TRM_FREE(j.weights);
  TRM_FREE(j.centres);
  trm_random_splits_free(&j.splits);
  return status;
}
