/*
 * GAT: graph attention network.
 *
 *   h = W x, cut into heads;  e_ij = LeakyReLU(a_target . h_i + a_source . h_j), slope 0.2
 *   layer(x)_i = b + sum over j in N(i) + {i} of softmax_j(e_ij) h_j
 *
 * for each head. Heads stand side by side, together model.width; where the last plain layer gives the
 * outputs, it has model.out_heads heads as long as the outputs, whose mean is taken. The paper's vector
 * a is cut into its halves for the target and the source, so that a node's part is computed once.
 *
 * The paper's network: plain blocks, model.layers 2, model.width 64, model.heads 8, model.activation
 * elu, model.dropout 0.6, model.attention_dropout 0.6. The authors' program besides drops numbers of h
 * where it is summed up, not where e is computed: model.projected_dropout 0.6.
 *
 * Source: Velickovic et al. 2018, arXiv:1710.10903, equations 1 to 6.
 */
#include "graph_layers.h"
#include "trireme/core/memory.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.heads", "4", 1, 1024, "", TRM_ON_MODEL,
                "Attention heads; must divide model.width."),
    TRM_KEY_INT("model.out_heads", "1", 1, 1024, "", TRM_ON_MODEL,
                "Heads of the output layer, averaged."),
    TRM_KEY_BOOL("model.self_loops", "true", TRM_ON_MODEL, "Every node is its own neighbour too."),
    TRM_KEY_REAL("model.attention_dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an attention weight is dropped."),
    TRM_KEY_REAL("model.projected_dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that a number of what attention sums up is dropped, as in the "
                 "authors' program."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct gat_layer {
  int64_t heads;
  trm_affine map;     /* [heads * C, in], without bias */
  int source, target; /* [heads, C] */
  int bias;           /* after the sum */
} gat_layer;

typedef struct gat {
  trm_gnn net;
  int64_t heads, out_heads;
  bool self_loops;
  double attention_dropout, projected_dropout;
  gat_layer *layers; /* [net.layers], owned */
} gat;

static const double slope = 0.2;

static const gat *of(const trm_gnn *net) {
  return (const gat *)(const void *)net;
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* Map and attention vectors of `heads` heads of length C. Each head is a map of its own, which decides
 * the initial weights. */
static trm_status add_heads(trm_gnn *net, trm_params *params, int layer, int64_t in, int64_t heads,
                            int64_t C, unsigned enters) {
  gat_layer *p = &of(net)->layers[layer];
  const int64_t vectors[2] = {heads, C};
  const int64_t map[2] = {heads * C, in};
  const bool decay = trm_gnn_decays(net, enters);
  p->heads = heads;
  p->map.bias = -1;
  TRM_TRY(trm_params_add(params, &p->map.weight, 2, map, TRM_INIT_UNIFORM, trm_gnn_glorot(in, C),
                         decay, "layers/%d/weight", layer));
  if ((enters & TRM_GNN_FEATURES) && net->sparse) {
    trm_params_mark_drawn_by_inputs(params, p->map.weight);
  }
  TRM_TRY(trm_params_add(params, &p->source, 2, vectors, TRM_INIT_UNIFORM, trm_gnn_glorot(C, 1),
                         decay, "layers/%d/source", layer));
  trm_params_mark_stacked(params, p->source, (int)heads); /* vectors, one a head */
  TRM_TRY(trm_params_add(params, &p->target, 2, vectors, TRM_INIT_UNIFORM, trm_gnn_glorot(C, 1),
                         decay, "layers/%d/target", layer));
  trm_params_mark_stacked(params, p->target, (int)heads);
  return TRM_OK;
}

/* Whether a layer gives the outputs: the mean of its heads. */
static bool is_output(const trm_gnn *net, int layer) {
  return layer == net->layers - 1 && net->block == TRM_GNN_PLAIN &&
         net->jumping == TRM_GNN_JUMP_LAST && !net->readout;
}

static trm_status add_layer(trm_gnn *net, trm_params *params, int layer, int64_t in, int64_t out) {
  const gat *m = of(net);
  const bool last = is_output(net, layer);
  TRM_TRY(add_heads(net, params, layer, in, last ? m->out_heads : m->heads,
                    last ? out : out / m->heads, trm_gnn_enters(layer)));
  return trm_gnn_add_bias(net, params, &m->layers[layer].bias, out, "layers/%d", layer);
}

static trm_status add_aggregate(trm_gnn *net, trm_params *params, int layer, int64_t *out) {
  const gat *m = of(net);
  *out = net->width;
  return add_heads(net, params, layer, net->width, m->heads, net->width / m->heads, 0);
}

/* ---- forward --------------------------------------------------------------------------------- */

/* Heads side by side. */
static trm_var *attend(const gat *m, trm_tape *t, trm_gnn_rows in, const gat_layer *p,
                       const trm_gnn_hop *at) {
  trm_var *h = trm_gnn_keep(trm_gnn_linear(t, in, p->map));
  trm_var *source = trm_op_head_dot(t, h, trm_tape_param(t, p->source));
  trm_var *target = trm_op_head_dot(t, h, trm_tape_param(t, p->target));
  if (m->projected_dropout > 0) {
    h = trm_gnn_keep(trm_op_dropout_rows(t, h, m->projected_dropout, at->in_ids));
  }
  return trm_op_graph_attention(t, h, source, trm_gnn_own(t, target, at), at->hop, m->self_loops,
                                slope, m->attention_dropout);
}

static trm_var *layer(const trm_gnn *net, trm_tape *t, trm_gnn_rows in, int l,
                      const trm_gnn_hop *at) {
  const gat *m = of(net);
  const gat_layer *p = &m->layers[l];
  trm_var *x = attend(m, t, in, p, at);
  if (is_output(net, l)) x = trm_op_head_mean(t, x, p->heads);
  return trm_gnn_bias(t, x, p->bias);
}

static trm_var *aggregate(const trm_gnn *net, trm_tape *t, trm_var *x, int l,
                          const trm_gnn_hop *at) {
  const gat *m = of(net);
  return attend(m, t, (trm_gnn_rows){.x = x}, &m->layers[l], at);
}

/* ---- life ------------------------------------------------------------------------------------ */

static trm_status open_gat(trm_gnn *net, const trm_config *config) {
  gat *m = (gat *)(void *)net;
  m->heads = trm_config_int(config, "model.heads");
  m->out_heads = trm_config_int(config, "model.out_heads");
  m->self_loops = trm_config_bool(config, "model.self_loops");
  m->attention_dropout = trm_config_real(config, "model.attention_dropout");
  m->projected_dropout = trm_config_real(config, "model.projected_dropout");
  if (!is_output(net, net->layers - 1) && m->out_heads != 1) {
    return trm_fail(TRM_ERR_CONFIG,
                    "model.out_heads is %lld, but the outputs come from a layer without heads "
                    "(residual blocks, model.jumping or model.readout); set it to 1",
                    (long long)m->out_heads);
  }
  if (net->width % m->heads != 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "model.width is %lld, which model.heads (%lld) does not divide; it is the "
                    "length of all heads together: choose a multiple",
                    (long long)net->width, (long long)m->heads);
  }
  return TRM_ALLOC(&m->layers, net->layers, "model");
}

static void close_gat(trm_gnn *net) {
  TRM_FREE(((gat *)(void *)net)->layers);
}

static const trm_gnn_family family = {.bytes = sizeof(gat),
                                      .open = open_gat,
                                      .close = close_gat,
                                      .add_layer = add_layer,
                                      .layer = layer,
                                      .add_aggregate = add_aggregate,
                                      .aggregate = aggregate};

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  return trm_gnn_create(&family, config, dims, params, self);
}

static const trm_config_part residual = TRM_GNN_RESIDUAL_PART(trm_model_gat, "gat");

const trm_model_kind trm_model_gat = {
    TRM_MODEL_PART("gat", &trm_gnn_stack_keys, &trm_gnn_hop_keys, &rows),
    .more = {&residual, &trm_gnn_feed_forward},
    .data = {"graph", "graphs"},
    .create = create,
    .destroy = trm_gnn_destroy,
    .outputs = trm_gnn_outputs,
    .n_hops = trm_gnn_n_hops};
