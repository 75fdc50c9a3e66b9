/*
 * MLP. On samples: samples/dense.c. On graphs: features alone, without the graph; what a graph adds is
 * measured against it.
 *
 *   layer(x) = W x + b
 *
 * In residual blocks it is the ResNet of Platonov et al. 2023, arXiv:2302.11640, section 4.
 */
#include "dense.h"
#include "graph_layers.h"
#include "net_layers.h"
#include "trireme/core/memory.h"

typedef struct mlp {
  trm_gnn net;
  trm_affine *layers; /* [net.layers], owned */
} mlp;

static trm_status add_layer(trm_gnn *net, trm_params *params, int layer, int64_t in, int64_t out) {
  mlp *m = (mlp *)(void *)net;
  return trm_gnn_add_linear(net, params, &m->layers[layer], in, out, trm_gnn_enters(layer),
                            "layers/%d", layer);
}

static trm_var *layer(const trm_gnn *net, trm_tape *t, trm_gnn_rows in, int l,
                      const trm_gnn_hop *at) {
  (void)at;
  return trm_gnn_linear(t, in, ((const mlp *)(const void *)net)->layers[l]);
}

static trm_var *aggregate(const trm_gnn *net, trm_tape *t, trm_var *x, int l,
                          const trm_gnn_hop *at) {
  (void)net, (void)t, (void)l, (void)at;
  return x;
}

/* ---- life ------------------------------------------------------------------------------------ */

static trm_status open_mlp(trm_gnn *net, const trm_config *config) {
  (void)config; /* no keys of its own */
  return TRM_ALLOC(&((mlp *)(void *)net)->layers, net->layers, "model");
}

static void close_mlp(trm_gnn *net) {
  TRM_FREE(((mlp *)(void *)net)->layers);
}

static const trm_gnn_family family = {.bytes = sizeof(mlp),
                                      .no_hops = true,
                                      .open = open_mlp,
                                      .close = close_mlp,
                                      .add_layer = add_layer,
                                      .layer = layer,
                                      .aggregate = aggregate};

/* ---- graphs and samples ---------------------------------------------------------------------- */

/* The model on one or the other. */
typedef struct either {
  bool samples;
  void *self;
} either;

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  either *e = NULL;
  TRM_TRY(TRM_ALLOC(&e, 1, "model"));
  e->samples = dims->n_value_dims > 0;
  const trm_status status = e->samples ? trm_dense_create(config, dims, params, &e->self)
                                       : trm_gnn_create(&family, config, dims, params, &e->self);
  if (status == TRM_OK) {
    *self = e;
  } else {
    TRM_FREE(e);
  }
  return status;
}

static void destroy(void *self) {
  either *e = self;
  if (!e) return;
  if (e->samples) {
    trm_dense_destroy(e->self);
  } else {
    trm_gnn_destroy(e->self);
  }
  TRM_FREE(e);
}

static trm_var *outputs(void *self, trm_tape *tape, const trm_batch *batch) {
  const either *e = self;
  return e->samples ? trm_dense_outputs(e->self, tape, batch)
                    : trm_gnn_outputs(e->self, tape, batch);
}

static trm_var *loss_of(void *self, trm_tape *tape, trm_var *y, const trm_batch *batch) {
  const either *e = self;
  if (e->samples) return trm_dense_loss_of(e->self, tape, y, batch);
  return trm_op_softmax_xent(tape, y, batch->graph->targets, NULL);
}

/* Keys by the kind of data. */
#define ON(data, of, ...)                                                                          \
  {                                                                                                \
    .within = &trm_model_mlp.part, .selector = "data", .name = data, .label = "mlp on " of,        \
    .rows = {                                                                                      \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }
static const trm_config_part on_graph = ON("graph", "graphs", &trm_gnn_stack_keys);
static const trm_config_part on_graphs = ON("graphs", "sets of graphs", &trm_gnn_stack_keys);
static const trm_config_part on_samples = ON("samples", "samples", &trm_dense_keys, &trm_net_keys,
                                             &trm_smoothing_keys, &trm_number_loss_keys);
static const trm_config_part residual = TRM_GNN_RESIDUAL_PART(trm_model_mlp, "mlp");

const trm_model_kind trm_model_mlp = {TRM_MODEL_PART("mlp", NULL),
                                      .more = {&on_graph, &on_graphs, &on_samples, &residual,
                                               &trm_gnn_feed_forward, &trm_dense_levels_part,
                                               &trm_huber_part},
                                      .data = {"graph", "graphs", "samples"},
                                      .create = create,
                                      .destroy = destroy,
                                      .outputs = outputs,
                                      .loss_of = loss_of,
                                      .frame = trm_dense_frame};
