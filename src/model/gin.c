/*
 * GIN: graph isomorphism network.
 *
 *   layer(x)_i = MLP((1 + eps) x_i + sum over j in N(i) of x_j)
 *   MLP(a) = linear(act(norm(linear(a))))
 *   logits of a graph = sum over k = 0..L of dropout(linear_k(pool of h_k over its nodes)),  h_0 = x
 *
 * eps is 0 (the paper's GIN-0) or trained from 0. Sets of graphs (model.readout) are read out from all
 * layers, as in the paper; on a single graph the last layer gives the logits of nodes. The first linear
 * map of an MLP commutes with the sum and is applied before it where that shortens rows, and to sparse
 * features. In residual blocks the MLP is the feed-forward part.
 *
 * The paper's network: plain blocks, model.layers 4 (its 5 layers count the input), model.activation
 * relu, model.norm batch, model.readout sum, model.input_dropout 0, model.dropout 0 or 0.5.
 *
 * Source: Xu, Hu, Leskovec, Jegelka 2019, arXiv:1810.00826, equations 4.1 and 4.2, section 7.
 */
#include "graph_layers.h"
#include "trireme/core/memory.h"

static const trm_config_key keys[] = {
    TRM_KEY_BOOL("model.eps_trained", "false", TRM_ON_MODEL,
                 "The weight of a node's own vector is trained."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct gin_layer {
  int eps;           /* [1]; -1: 0, not trained */
  trm_affine hidden; /* its bias is added after the sum */
  trm_gnn_norm norm;
  trm_affine out;
  bool map_first; /* the hidden map before the sum */
} gin_layer;

typedef struct gin {
  trm_gnn net;
  bool eps_trained;
  gin_layer *layers;  /* [net.layers], owned */
  trm_affine *scores; /* [net.layers + 1] linear_k, owned */
} gin;

static const gin *of(const trm_gnn *net) {
  return (const gin *)(const void *)net;
}

/* ---- layers ---------------------------------------------------------------------------------- */

static trm_status add_eps(trm_gnn *net, trm_params *params, int layer) {
  const int64_t one = 1;
  int *eps = &of(net)->layers[layer].eps;
  *eps = -1;
  if (!of(net)->eps_trained) return TRM_OK;
  return trm_params_add(params, eps, 1, &one, TRM_INIT_ZERO, 0, false, "layers/%d/eps", layer);
}

static trm_status add_layer(trm_gnn *net, trm_params *params, int layer, int64_t in, int64_t out) {
  gin_layer *p = &of(net)->layers[layer];
  const unsigned enters = trm_gnn_enters(layer);
  p->map_first = in > net->width || (layer == 0 && net->sparse);
  TRM_TRY(trm_gnn_add_linear(net, params, &p->hidden, in, net->width, enters | TRM_GNN_NO_BIAS,
                             "layers/%d/mlp/hidden", layer));
  TRM_TRY(add_eps(net, params, layer));
  TRM_TRY(
      trm_gnn_add_bias(net, params, &p->hidden.bias, net->width, "layers/%d/mlp/hidden", layer));
  TRM_TRY(trm_gnn_add_norm(net, params, &p->norm, net->width, "layers/%d/mlp/norm", layer));
  return trm_gnn_add_linear(net, params, &p->out, net->width, out,
                            enters & ~(unsigned)TRM_GNN_FEATURES, "layers/%d/mlp/out", layer);
}

/* (1 + eps) x_i + sum over j in N(i) of x_j */
static trm_var *aggregate(const trm_gnn *net, trm_tape *t, trm_var *x, int l,
                          const trm_gnn_hop *at) {
  const int eps = of(net)->layers[l].eps;
  trm_gnn_keep(x);
  trm_var *sum = trm_op_spmm(t, x, at->hop, TRM_EDGE_NORM_SUM, false);
  trm_var *own = trm_gnn_own(t, x, at);
  return eps < 0 ? trm_op_add(t, own, sum)
                 : trm_op_gin_combine(t, own, sum, trm_tape_param(t, eps));
}

static trm_var *layer(const trm_gnn *net, trm_tape *t, trm_gnn_rows in, int l,
                      const trm_gnn_hop *at) {
  const gin_layer *p = &of(net)->layers[l];
  const trm_affine map = {p->hidden.weight, -1};
  trm_var *x;
  if (p->map_first) {
    x = aggregate(net, t, trm_gnn_linear(t, in, map), l, at);
  } else {
    x = trm_gnn_linear_of(t, aggregate(net, t, in.x, l, at), map);
  }
  x = trm_gnn_normalise(net, t, trm_gnn_bias(t, x, p->hidden.bias), &p->norm);
  return trm_gnn_linear_of(t, net->activation(t, x), p->out);
}

static trm_status add_aggregate(trm_gnn *net, trm_params *params, int layer, int64_t *out) {
  *out = net->width;
  return add_eps(net, params, layer);
}

/* ---- sets of graphs, plain: every layer is read out -------------------------------------------- */

static bool scores_layers(const trm_gnn *net) {
  return net->readout && net->block == TRM_GNN_PLAIN;
}

static trm_status add_score(gin *m, trm_params *params, int k, int64_t in, unsigned flags) {
  TRM_TRY(trm_gnn_add_linear(&m->net, params, &m->scores[k], in, m->net.n_outputs, flags,
                             "scores/%d", k));
  trm_params_mark(params, m->scores[k].weight, TRM_ROLE_HEAD);
  return TRM_OK;
}

static trm_status add_scored(gin *m, trm_params *params) {
  trm_gnn *net = &m->net;
  if (net->sparse) { /* the map comes before the pool: its bias is added after it */
    TRM_TRY(add_score(m, params, 0, net->n_features, TRM_GNN_FEATURES | TRM_GNN_NO_BIAS));
    TRM_TRY(trm_gnn_add_bias(net, params, &m->scores[0].bias, net->n_outputs, "scores/0"));
  } else {
    TRM_TRY(add_score(m, params, 0, net->n_features, 0));
  }
  for (int l = 0; l < net->layers; ++l) {
    TRM_TRY(trm_gnn_add_hidden(net, params, l));
    TRM_TRY(add_score(m, params, l + 1, net->width, 0));
  }
  return TRM_OK;
}

/* linear_k(pool of h_k) */
static trm_var *score(const gin *m, trm_tape *t, trm_gnn_rows h, int k,
                      const trm_graph_batch *batch) {
  const trm_affine a = m->scores[k];
  trm_var *y;
  if (h.x) {
    y = trm_op_segment_pool(t, trm_gnn_keep(h.x), batch->graphs, batch->n_graphs, m->net.pool);
    y = trm_gnn_linear_of(t, y, a);
  } else {
    y = trm_gnn_linear(t, h, (trm_affine){a.weight, -1});
    y = trm_op_segment_pool(t, y, batch->graphs, batch->n_graphs, m->net.pool);
    y = trm_gnn_bias(t, y, a.bias);
  }
  const trm_sequences graphs = trm_sequences_equal(batch->n_graphs, 1); /* are the samples */
  return trm_op_dropout(t, y, m->net.dropout, &graphs);
}

static trm_var *outputs(void *self, trm_tape *t, const trm_batch *batch) {
  const gin *m = self;
  const trm_gnn *net = &m->net;
  if (!scores_layers(net)) return trm_gnn_outputs(self, t, batch);
  trm_gnn_rows h = trm_gnn_input(net, t, &batch->graph->features);
  trm_var *sum = score(m, t, h, 0, batch->graph);
  for (int l = 0; l < net->layers; ++l) {
    const trm_gnn_hop at = trm_gnn_hop_at(batch->graph, net->layers, l);
    h.x = trm_gnn_hidden(net, t, h, l, &at);
    sum = trm_op_add(t, sum, score(m, t, h, l + 1, batch->graph));
  }
  return sum;
}

static trm_status check(const trm_gnn *net) {
  if (!scores_layers(net)) return TRM_OK;
  if (net->jumping == TRM_GNN_JUMP_MAX) {
    return trm_fail(TRM_ERR_CONFIG, "model.jumping is max, but gin with a readout and plain blocks "
                                    "reads out every layer; set it to last or concat");
  }
  if (net->sparse && net->pool == TRM_POOL_MAX) {
    return trm_fail(TRM_ERR_CONFIG,
                    "model.readout is max, but gin pools the features too, which is "
                    "not possible where they are sparse; set it to sum or mean");
  }
  return TRM_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

static trm_status open_gin(trm_gnn *net, const trm_config *config) {
  gin *m = (gin *)(void *)net;
  TRM_TRY(check(net));
  if (net->block == TRM_GNN_RESIDUAL) net->feed_forward = true; /* the MLP */
  m->eps_trained = trm_config_bool(config, "model.eps_trained");
  TRM_TRY(TRM_ALLOC(&m->layers, net->layers, "model"));
  return TRM_ALLOC(&m->scores, net->layers + 1, "model");
}

static void close_gin(trm_gnn *net) {
  TRM_FREE(((gin *)(void *)net)->layers);
  TRM_FREE(((gin *)(void *)net)->scores);
}

static trm_status add_all(trm_gnn *net, trm_params *params) {
  return scores_layers(net) ? add_scored((gin *)(void *)net, params) : trm_gnn_add(net, params);
}

static const trm_gnn_family family = {.bytes = sizeof(gin),
                                      .open = open_gin,
                                      .close = close_gin,
                                      .add_layer = add_layer,
                                      .layer = layer,
                                      .add_aggregate = add_aggregate,
                                      .aggregate = aggregate,
                                      .add = add_all};

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  return trm_gnn_create(&family, config, dims, params, self);
}

/* The feed-forward part of a residual block is the MLP. */
static const trm_config_part residual = {.within = &trm_model_gin.part,
                                         .selector = "model.block",
                                         .name = "residual",
                                         .label = "model.block residual of gin",
                                         .rows = {&trm_gnn_ff_keys}};

const trm_model_kind trm_model_gin = {
    TRM_MODEL_PART("gin", &trm_gnn_stack_keys, &trm_gnn_hop_keys, &rows),
    .more = {&residual},
    .data = {"graph", "graphs"},
    .create = create,
    .destroy = trm_gnn_destroy,
    .outputs = outputs,
    .n_hops = trm_gnn_n_hops};
