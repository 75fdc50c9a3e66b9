/*
 * GraphSAGE.
 *
 *   layer(x)_i = W_self x_i + b + W_neighbor aggregate of x_j over j in N(i)
 *
 * with aggregate the mean, the sum, or the maximum of relu(W_pool x_j + b_pool), element by element.
 * W_self and W_neighbor are the halves of the paper's W that acts on [x_i | aggregate]. Mean and sum
 * commute with the linear map, so it is applied where rows are shorter: before the aggregation in a
 * layer that narrows (and on sparse features), after it otherwise. The paper's scaling of rows to
 * length 1 is left out, as is common. On sparse features each map draws a dropout mask of its own.
 *
 * The paper's network: plain blocks, model.layers 2, model.activation relu, sampler.kind neighbor with
 * sampler.fanout 10,25 (from the seeds back: S_2 = 10, S_1 = 25).
 *
 * Source: Hamilton, Ying, Leskovec 2017, arXiv:1706.02216, algorithm 1, equations 2 and 3.
 */
#include <string.h>

#include "graph_layers.h"
#include "trireme/core/memory.h"

static const trm_config_key keys[] = {
    TRM_KEY_CHOICE("model.aggregator", "mean", "mean|max|sum", TRM_ON_MODEL,
                   "How neighbours are summed up."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct sage_layer {
  trm_affine pool, self, neighbor;
  bool map_first; /* the linear map before the aggregation */
} sage_layer;

typedef struct sage {
  trm_gnn net;
  bool maximum;
  trm_edge_norm norm; /* of mean and sum */
  sage_layer *layers; /* [net.layers], owned */
} sage;

static const sage *of(const trm_gnn *net) {
  return (const sage *)(const void *)net;
}

static sage_layer *layer_of(const trm_gnn *net, int layer) {
  return &of(net)->layers[layer];
}

/* ---- plain layers ---------------------------------------------------------------------------- */

static trm_status add_pool(trm_gnn *net, trm_params *params, int layer, int64_t in,
                           unsigned flags) {
  return trm_gnn_add_linear(net, params, &layer_of(net, layer)->pool, in, net->width, flags,
                            "layers/%d/pool", layer);
}

static trm_status add_layer(trm_gnn *net, trm_params *params, int layer, int64_t in, int64_t out) {
  sage_layer *p = layer_of(net, layer);
  const bool maximum = of(net)->maximum;
  const unsigned enters = trm_gnn_enters(layer) | TRM_GNN_GLOROT;
  p->map_first = !maximum && (in > out || (layer == 0 && net->sparse));
  TRM_TRY(trm_gnn_add_linear(net, params, &p->self, in, out, enters, "layers/%d/self", layer));
  if (maximum) TRM_TRY(add_pool(net, params, layer, in, enters));
  const unsigned neighbor =
      (maximum ? enters & ~(unsigned)TRM_GNN_FEATURES : enters) | TRM_GNN_NO_BIAS;
  return trm_gnn_add_linear(net, params, &p->neighbor, maximum ? net->width : in, out, neighbor,
                            "layers/%d/neighbor", layer);
}

/* W_self x_i + b */
static trm_var *own_part(trm_tape *t, trm_gnn_rows in, const sage_layer *p, const trm_gnn_hop *at) {
  if (!in.x) return trm_gnn_own(t, trm_gnn_linear(t, in, p->self), at);
  return trm_gnn_linear_of(t, trm_gnn_own(t, in.x, at), p->self);
}

/* relu(W_pool x + b_pool), the largest of the neighbours' */
static trm_var *pooled(trm_tape *t, trm_gnn_rows in, const sage_layer *p, const trm_gnn_hop *at) {
  trm_var *x = trm_op_relu(t, trm_gnn_linear(t, in, p->pool));
  return trm_op_neighbor_max(t, x, at->hop, false);
}

static trm_var *layer(const trm_gnn *net, trm_tape *t, trm_gnn_rows in, int l,
                      const trm_gnn_hop *at) {
  const sage *m = of(net);
  const sage_layer *p = layer_of(net, l);
  if (in.x) trm_gnn_keep(in.x);
  trm_var *own = own_part(t, in, p, at), *neighbors;
  if (m->maximum) {
    neighbors = trm_gnn_linear_of(t, pooled(t, in, p, at), p->neighbor);
  } else if (p->map_first) {
    neighbors = trm_op_spmm(t, trm_gnn_linear(t, in, p->neighbor), at->hop, m->norm, false);
  } else {
    neighbors = trm_gnn_linear_of(t, trm_op_spmm(t, in.x, at->hop, m->norm, false), p->neighbor);
  }
  return trm_op_add(t, own, neighbors);
}

/* ---- residual blocks: [x_i | aggregate], which the block's linear map takes -------------------- */

static trm_status add_aggregate(trm_gnn *net, trm_params *params, int layer, int64_t *out) {
  *out = 2 * net->width;
  return of(net)->maximum ? add_pool(net, params, layer, net->width, TRM_GNN_GLOROT) : TRM_OK;
}

static trm_var *aggregate(const trm_gnn *net, trm_tape *t, trm_var *x, int l,
                          const trm_gnn_hop *at) {
  const sage *m = of(net);
  trm_gnn_keep(x);
  trm_var *neighbors = m->maximum ? pooled(t, (trm_gnn_rows){.x = x}, layer_of(net, l), at)
                                  : trm_op_spmm(t, x, at->hop, m->norm, false);
  return trm_op_concat(t, trm_gnn_own(t, x, at), neighbors);
}

/* ---- life ------------------------------------------------------------------------------------ */

static trm_status open_sage(trm_gnn *net, const trm_config *config) {
  sage *m = (sage *)(void *)net;
  const char *aggregator = trm_config_string(config, "model.aggregator");
  m->maximum = strcmp(aggregator, "max") == 0;
  m->norm = strcmp(aggregator, "sum") == 0 ? TRM_EDGE_NORM_SUM : TRM_EDGE_NORM_MEAN;
  return TRM_ALLOC(&m->layers, net->layers, "model");
}

static void close_sage(trm_gnn *net) {
  TRM_FREE(((sage *)(void *)net)->layers);
}

static const trm_gnn_family family = {.bytes = sizeof(sage),
                                      .open = open_sage,
                                      .close = close_sage,
                                      .add_layer = add_layer,
                                      .layer = layer,
                                      .add_aggregate = add_aggregate,
                                      .aggregate = aggregate};

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  return trm_gnn_create(&family, config, dims, params, self);
}

static const trm_config_part residual = TRM_GNN_RESIDUAL_PART(trm_model_sage, "sage");

const trm_model_kind trm_model_sage = {
    TRM_MODEL_PART("sage", &trm_gnn_stack_keys, &trm_gnn_hop_keys, &rows),
    .more = {&residual, &trm_gnn_feed_forward},
    .data = {"graph", "graphs"},
    .create = create,
    .destroy = trm_gnn_destroy,
    .outputs = trm_gnn_outputs,
    .n_hops = trm_gnn_n_hops};
