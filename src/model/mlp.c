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

static const trm_gnn_family family = {
    .name = "mlp", .no_hops = true, .add_layer = add_layer, .layer = layer, .aggregate = aggregate};

static void destroy(void *self) {
  mlp *m = self;
  if (!m) return;
  trm_gnn_release(&m->net);
  TRM_FREE(m->layers);
  TRM_FREE(m);
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  mlp *m = NULL;
  TRM_TRY(TRM_ALLOC(&m, 1, "model"));
  TRM_TRY_OUT(trm_gnn_init(&m->net, &family, config, dims));
  TRM_TRY_OUT(TRM_ALLOC(&m->layers, m->net.layers, "model"));
  TRM_TRY_OUT(trm_gnn_add(&m->net, params));
  *self = m;
  return TRM_OK;
out:
  destroy(m);
  return status;
}

const trm_model_kind trm_model_mlp = {.name = "mlp",
                                      .data = "graph",
                                      .create = create,
                                      .destroy = destroy,
                                      .outputs = trm_gnn_outputs};
