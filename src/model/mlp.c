/*
 * MLP: features alone, without the graph; what a graph adds is measured against it.
 *
 *   layer(x) = W x + b
 *
 * In residual blocks it is the ResNet of Platonov et al. 2023, arXiv:2302.11640, section 4.
 */
#include "graph_layers.h"
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

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  return trm_gnn_create(&family, config, dims, params, self);
}

static const trm_config_part residual = TRM_GNN_RESIDUAL_PART(trm_model_mlp, "mlp");

const trm_model_kind trm_model_mlp = {TRM_MODEL_PART("mlp", &trm_gnn_stack_keys),
                                      .more = {&residual, &trm_gnn_feed_forward},
                                      .data = {"graph", "graphs"},
                                      .create = create,
                                      .destroy = trm_gnn_destroy,
                                      .outputs = trm_gnn_outputs};
