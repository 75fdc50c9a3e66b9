/** A small graph as a model sees it, and a model with its tape on it: for tests of src/model. */
#ifndef TRIREME_TESTS_MODEL_GRAPH_FIXTURE_H
#define TRIREME_TESTS_MODEL_GRAPH_FIXTURE_H

#include <string.h>

#include "check.h"
#include "trireme/core/config.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/model/model.h"
#include "trireme/nn/graph.h"
#include "trireme/nn/ops.h"

enum { NODES = 9, FEATURES = 5, CLASSES = 3, MAX_EDGES = 64, LAYERS = 2, GRAPHS = 3 };

/* ---- the graph ------------------------------------------------------------------------------- */

/* To, from. Node 7 has no edges, node 8 takes but does not give; 2 <- 0 is there once only. */
static const int edge_list[][2] = {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {2, 0}, {2, 3}, {3, 2},
                                   {3, 4}, {4, 3}, {4, 5}, {5, 4}, {5, 6}, {6, 5}, {6, 4},
                                   {4, 6}, {6, 1}, {8, 0}, {8, 3}, {8, 5}};
enum { EDGES = sizeof edge_list / sizeof edge_list[0] };

static inline bool has_edge(int to, int from) {
  for (int e = 0; e < EDGES; ++e) {
    if (edge_list[e][0] == to && edge_list[e][1] == from) return true;
  }
  return false;
}

static inline int in_degree(int node) {
  int n = 0;
  for (int j = 0; j < NODES; ++j) n += has_edge(node, j);
  return n;
}

/** A hop and its arrays. */
typedef struct test_hop {
  trm_hop hop;
  int64_t in_offsets[NODES + 1], out_offsets[NODES + 1], map[MAX_EDGES];
  int32_t in_columns[MAX_EDGES], out_columns[MAX_EDGES];
  int32_t self[NODES], self_of[NODES], source_ids[NODES], target_ids[NODES];
  float source_degrees[NODES], target_degrees[NODES];
} test_hop;

/* Ids in the whole graph: the nodes are some of a larger one. */
static inline int32_t id_of(int node) {
  return 3 * node + 4;
}

/** The hop from sources[n_sources] to targets[n_targets], nodes in any order. */
static inline void hop_make(test_hop *h, const int *targets, int n_targets, const int *sources,
                            int n_sources, bool with_self) {
  int64_t e = 0;
  memset(h, 0, sizeof *h);
  for (int j = 0; j < n_sources; ++j) {
    h->source_ids[j] = id_of(sources[j]);
    h->source_degrees[j] = (float)in_degree(sources[j]);
    h->self_of[j] = -1;
  }
  for (int i = 0; i < n_targets; ++i) {
    h->target_ids[i] = id_of(targets[i]);
    h->target_degrees[i] = (float)in_degree(targets[i]);
    for (int j = 0; j < n_sources; ++j) {
      if (sources[j] == targets[i]) h->self[i] = j, h->self_of[j] = i;
      if (has_edge(targets[i], sources[j])) h->in_columns[e++] = j;
    }
    h->in_offsets[i + 1] = e;
  }
  h->hop = (trm_hop){.in = {.n_rows = n_targets,
                            .n_columns = n_sources,
                            .n_edges = e,
                            .offsets = h->in_offsets,
                            .columns = h->in_columns},
                     .out = {.n_rows = n_sources,
                             .n_columns = n_targets,
                             .n_edges = e,
                             .offsets = h->out_offsets,
                             .columns = h->out_columns,
                             .map = h->map},
                     .self = with_self ? h->self : NULL,
                     .self_of = with_self ? h->self_of : NULL,
                     .source_ids = h->source_ids,
                     .target_ids = h->target_ids,
                     .source_degrees = h->source_degrees,
                     .target_degrees = h->target_degrees};
  trm_csr_transpose(&h->hop.in, h->out_offsets, h->out_columns, h->map);
}

/** Features, dense and sparse, of some nodes in some order. */
typedef struct test_features {
  trm_features dense, sparse;
  float values[NODES * FEATURES], stored[NODES * FEATURES];
  int32_t ids[NODES];
  trm_csr csr, transposed;
  int64_t offsets[NODES + 1], back_offsets[FEATURES + 1], map[NODES * FEATURES];
  int32_t columns[NODES * FEATURES], back_columns[NODES * FEATURES];
} test_features;

static inline float feature_of(int node, int k) {
  const trm_random_key key = trm_random_key_make(5, TRM_RANDOM_TEST, 0, 0);
  if ((node + k) % 3 == 0) return 0;
  return (float)trm_random_normal(key, (uint64_t)node, (uint64_t)k);
}

static inline void features_make(test_features *f, const int *nodes, int n) {
  int64_t e = 0;
  memset(f, 0, sizeof *f);
  for (int i = 0; i < n; ++i) {
    f->ids[i] = id_of(nodes[i]);
    for (int k = 0; k < FEATURES; ++k) {
      const float value = feature_of(nodes[i], k);
      f->values[i * FEATURES + k] = value;
      if (value == 0) continue;
      f->stored[e] = value;
      f->columns[e++] = k;
    }
    f->offsets[i + 1] = e;
  }
  f->csr = (trm_csr){n, FEATURES, e, f->offsets, f->columns, f->stored, NULL};
  trm_csr_transpose(&f->csr, f->back_offsets, f->back_columns, f->map);
  f->transposed = (trm_csr){FEATURES, n, e, f->back_offsets, f->back_columns, f->stored, f->map};
  f->dense = (trm_features){.n_rows = n, .n_features = FEATURES, .dense = f->values, .ids = f->ids};
  f->sparse = (trm_features){.n_rows = n,
                             .n_features = FEATURES,
                             .sparse = &f->csr,
                             .transposed = &f->transposed,
                             .ids = f->ids};
}

/** What a model takes, with all its arrays. */
typedef struct test_graph_batch {
  trm_graph_batch batch;
  test_features features;
  test_hop made[LAYERS];
  trm_hop hops[LAYERS];
  int32_t targets[NODES];
  int64_t graphs[GRAPHS + 1];
} test_graph_batch;

static inline int32_t class_of(int node) {
  return node == 4 ? -1 : (node * node + 1) % CLASSES;
}

/** The whole graph: one hop for all layers. */
static inline void batch_whole(test_graph_batch *b, bool sparse) {
  int nodes[NODES];
  memset(b, 0, sizeof *b);
  for (int i = 0; i < NODES; ++i) {
    nodes[i] = i;
    b->targets[i] = class_of(i);
  }
  features_make(&b->features, nodes, NODES);
  hop_make(&b->made[0], nodes, NODES, nodes, NODES, false);
  b->hops[0] = b->made[0].hop;
  b->batch = (trm_graph_batch){.features = sparse ? b->features.sparse : b->features.dense,
                               .hops = b->hops,
                               .n_hops = 1,
                               .targets = b->targets};
}

/** The same as a set of graphs, the last of which is empty; targets belong to graphs. */
static inline void batch_set(test_graph_batch *b, bool sparse) {
  batch_whole(b, sparse);
  const int64_t first[GRAPHS + 1] = {0, 4, NODES, NODES};
  memcpy(b->graphs, first, sizeof first);
  b->batch.n_graphs = GRAPHS;
  b->batch.graphs = b->graphs;
}

/**
 * Only what seeds[n_seeds] depend on: a hop for each layer, whose targets are the first of its
 * sources, or, with `scattered`, in reverse order among them.
 */
static inline void batch_of_seeds(test_graph_batch *b, const int *seeds, int n_seeds, bool sparse,
                                  bool scattered) {
  int nodes[NODES], n = n_seeds;
  memset(b, 0, sizeof *b);
  memcpy(nodes, seeds, (size_t)n * sizeof *nodes);
  for (int i = 0; i < n; ++i) b->targets[i] = class_of(seeds[i]);
  for (int l = LAYERS - 1; l >= 0; --l) {
    int targets[NODES];
    const int n_targets = n;
    bool seen[NODES] = {false};
    memcpy(targets, nodes, sizeof targets);
    for (int i = 0; i < n; ++i) seen[nodes[i]] = true;
    for (int i = 0; i < n_targets; ++i) {
      for (int j = 0; j < NODES; ++j) {
        if (seen[j] || !has_edge(targets[i], j)) continue;
        seen[j] = true;
        nodes[n++] = j;
      }
    }
    for (int i = 0; scattered && i < n / 2; ++i) {
      const int other = nodes[i];
      nodes[i] = nodes[n - 1 - i];
      nodes[n - 1 - i] = other;
    }
    hop_make(&b->made[l], targets, n_targets, nodes, n, scattered);
    b->hops[l] = b->made[l].hop;
  }
  features_make(&b->features, nodes, n);
  b->batch = (trm_graph_batch){.features = sparse ? b->features.sparse : b->features.dense,
                               .hops = b->hops,
                               .n_hops = LAYERS,
                               .targets = b->targets};
}

/** Counts of a batch without its arrays, as a plan has them. */
static inline trm_graph_batch batch_counts(const trm_graph_batch *batch, trm_hop *hops,
                                           trm_csr csr[2]) {
  trm_graph_batch dry = *batch;
  for (int l = 0; l < batch->n_hops; ++l) {
    const trm_csr *in = &batch->hops[l].in, *out = &batch->hops[l].out;
    hops[l] = (trm_hop){.in = {in->n_rows, in->n_columns, in->n_edges, NULL, NULL, NULL, NULL},
                        .out = {out->n_rows, out->n_columns, out->n_edges, NULL, NULL, NULL, NULL}};
  }
  dry.hops = hops;
  dry.features =
      (trm_features){.n_rows = batch->features.n_rows, .n_features = batch->features.n_features};
  if (batch->features.sparse) {
    const trm_csr *a = batch->features.sparse, *b = batch->features.transposed;
    csr[0] = (trm_csr){a->n_rows, a->n_columns, a->n_edges, NULL, NULL, NULL, NULL};
    csr[1] = (trm_csr){b->n_rows, b->n_columns, b->n_edges, NULL, NULL, NULL, NULL};
    dry.features.sparse = &csr[0];
    dry.features.transposed = &csr[1];
  }
  dry.targets = NULL;
  dry.graphs = NULL;
  return dry;
}

/* ---- a model --------------------------------------------------------------------------------- */

typedef struct test_model {
  trm_config *config;
  trm_params *params;
  trm_model *model;
  trm_tape *tape;
  trm_real *grads; /* [params->n_elements] */
} test_model;

/** A configuration with words "model.kind=gcn model.norm=layer" set. */
static inline trm_config *config_of(const char *words) {
  char copy[512], *rest = copy;
  trm_config *config = NULL;
  trm_config_parts parts = {0};
  trm_model_parts(&parts);
  CHECK_OK(trm_config_create(&parts, &config));
  (void)snprintf(copy, sizeof copy, "model.width=6 model.layers=%d model.heads=2 %s", LAYERS,
                 words);
  for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
    CHECK_OK(trm_config_set(config, word));
  }
  return config;
}

static inline trm_model_dims dims_of(bool sparse) {
  return (trm_model_dims){.n_outputs = CLASSES, .n_features = FEATURES, .sparse = sparse};
}

static inline trm_status model_make_status(test_model *m, const char *words,
                                           const trm_model_dims *dims) {
  memset(m, 0, sizeof *m);
  m->config = config_of(words);
  TRM_TRY(trm_params_create(&m->params));
  TRM_TRY(trm_model_create(m->config, dims, m->params, &m->model));
  TRM_TRY(trm_tape_create(m->params, &m->tape));
  TRM_TRY(TRM_ALLOC(&m->grads, m->params->n_elements, "gradients"));
  trm_params_init(m->params, 1);
  return TRM_OK;
}

static inline void model_free(test_model *m) {
  TRM_FREE(m->grads);
  trm_tape_destroy(&m->tape);
  trm_model_destroy(&m->model);
  trm_params_destroy(&m->params);
  trm_config_destroy(&m->config);
}

/** Plans the memory of passes over `batch`, from its counts alone. */
static inline void model_plan(test_model *m, const trm_graph_batch *batch, bool training) {
  trm_hop hops[LAYERS];
  trm_csr csr[2];
  trm_graph_batch dry = batch_counts(batch, hops, csr);
  const trm_nudge any = {0};
  const trm_pass pass = {.training = training, .dry = true, .grads = m->grads, .nudge = &any};
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &(trm_batch){.graph = &dry});
  CHECK_OK(trm_tape_status(m->tape));
  trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  CHECK_OK(trm_tape_reserve(m->tape));
}

/** Sum of the loss; with `backward` its gradient is in m->grads. */
static inline double model_loss(test_model *m, const trm_graph_batch *batch, bool training,
                                bool backward) {
  const trm_pass pass = {
      .training = training, .seed = 9, .step = 4, .grads = backward ? m->grads : NULL, .weight = 1};
  trm_tape_begin(m->tape, &pass);
  trm_var *loss = trm_model_loss(m->model, m->tape, &(trm_batch){.graph = batch});
  CHECK_OK(trm_tape_status(m->tape));
  if (backward) trm_tape_backward(m->tape, loss, NULL, NULL, NULL);
  return trm_tape_loss_sum(m->tape);
}

/** Outputs without training, valid until the next pass. */
static inline trm_var *model_outputs(test_model *m, const trm_graph_batch *batch) {
  const trm_pass pass = {.seed = 9, .step = 4};
  trm_tape_begin(m->tape, &pass);
  trm_var *y = trm_model_outputs(m->model, m->tape, &(trm_batch){.graph = batch});
  CHECK_OK(trm_tape_status(m->tape));
  return y;
}

static inline const trm_param *param_named(const trm_params *params, const char *name) {
  for (int i = 0; i < params->n_rows; ++i) {
    if (strcmp(params->rows[i].name, name) == 0) return &params->rows[i];
  }
  return NULL;
}

/** Moves every weight a little away from its initial value, biases from 0 among them. */
static inline void model_shake(test_model *m) {
  const trm_random_key key = trm_random_key_make(8, TRM_RANDOM_TEST, 0, 0);
  for (int i = 0; i < m->params->n_rows; ++i) {
    const trm_param *row = &m->params->rows[i];
    for (int64_t k = 0; k < row->n; ++k) {
      const double by = 0.2 * trm_random_normal(key, (uint64_t)i, (uint64_t)k);
      m->params->weights[row->offset + k] += (trm_real)(row->buffer ? by * by : by);
    }
  }
}

#endif
