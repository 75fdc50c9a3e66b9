/*
 * GCN: graph convolutional network.
 *
 *   layer(x)_i = b + sum over j in N(i) + {i} of W x_j / sqrt(d_i d_j),  d: degrees with self-loops
 *
 * As in the paper the sum is taken after the linear map: for a layer that narrows, the usual one, there
 * is less to add up. The paper's network: plain blocks, model.layers 2, model.activation relu,
 * optimizer.decay_scope first.
 *
 * Source: Kipf, Welling 2017, arXiv:1609.02907, equations 2 and 9.
 */
#include "graph_layers.h"
#include "trireme/core/memory.h"

static const trm_config_key keys[] = {
    TRM_KEY_BOOL("model.self_loops", "true", TRM_ON_MODEL, "Every node is its own neighbour too."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct gcn {
  trm_gnn net;
  bool self_loops;
  trm_affine *layers; /* [net.layers], owned; the bias is added after the sum */
} gcn;

static const gcn *of(const trm_gnn *net) {
  return (const gcn *)(const void *)net;
}

static trm_status add_layer(trm_gnn *net, trm_params *params, int layer, int64_t in, int64_t out) {
  trm_affine *a = &((gcn *)(void *)net)->layers[layer];
  const unsigned flags = trm_gnn_enters(layer) | TRM_GNN_GLOROT | TRM_GNN_NO_BIAS;
  TRM_TRY(trm_gnn_add_linear(net, params, a, in, out, flags, "layers/%d", layer));
  return trm_gnn_add_bias(net, params, &a->bias, out, "layers/%d", layer);
}

static trm_var *layer(const trm_gnn *net, trm_tape *t, trm_gnn_rows in, int l,
                      const trm_gnn_hop *at) {
  const trm_affine a = of(net)->layers[l];
  trm_var *x = trm_gnn_linear(t, in, (trm_affine){a.weight, -1});
  x = trm_op_spmm(t, x, at->hop, TRM_EDGE_NORM_SYMMETRIC, of(net)->self_loops);
  return trm_gnn_bias(t, x, a.bias);
}

static trm_var *aggregate(const trm_gnn *net, trm_tape *t, trm_var *x, int l,
                          const trm_gnn_hop *at) {
  (void)l;
  return trm_op_spmm(t, x, at->hop, TRM_EDGE_NORM_SYMMETRIC, of(net)->self_loops);
}

/* ---- life ------------------------------------------------------------------------------------ */

static trm_status open_gcn(trm_gnn *net, const trm_config *config) {
  gcn *m = (gcn *)(void *)net;
  m->self_loops = trm_config_bool(config, "model.self_loops");
  return TRM_ALLOC(&m->layers, net->layers, "model");
}

static void close_gcn(trm_gnn *net) {
  TRM_FREE(((gcn *)(void *)net)->layers);
}

static const trm_gnn_family family = {.bytes = sizeof(gcn),
                                      .open = open_gcn,
                                      .close = close_gcn,
                                      .add_layer = add_layer,
                                      .layer = layer,
                                      .aggregate = aggregate};

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  return trm_gnn_create(&family, config, dims, params, self);
}

static const trm_config_part residual = TRM_GNN_RESIDUAL_PART(trm_model_gcn, "gcn");

const trm_model_kind trm_model_gcn = {
    TRM_MODEL_PART("gcn", &trm_gnn_stack_keys, &trm_gnn_hop_keys, &rows),
    .more = {&residual, &trm_gnn_feed_forward},
    .data = {"graph", "graphs"},
    .create = create,
    .destroy = trm_gnn_destroy,
    .outputs = trm_gnn_outputs,
    .n_hops = trm_gnn_n_hops};
