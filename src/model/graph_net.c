/*
 * Networks on graphs: two ways to stack a family's layers.
 *
 * Plain, as in the families' papers:
 *
 *   x = features;  x = act(norm(layer_l(dropout(x), graph)))     for all layers but the last
 *   logits = layer_L(dropout(x), graph)
 *
 * Residual, with pre-norm blocks (Platonov et al. 2023, arXiv:2302.11640, section 4 and its code):
 *
 *   x = act(dropout(linear(features)))
 *   x = x + feed_forward(aggregate_l(norm(x), graph))            for all layers
 *   logits = linear(norm(x))
 *   feed_forward(a) = dropout(linear(act(dropout(linear(a)))));  without: dropout(act(linear(a)))
 *
 * Jumping knowledge (Xu et al. 2018, arXiv:1806.03536) puts the output of all layers, side by side or
 * their maximum, where the last layer's would be, and a readout pools the rows of each graph; a plain
 * stack then ends in a linear map too. Where rows become fewer from hop to hop, earlier layers are
 * brought down to the rows that are left.
 */
#include <string.h>

#include "graph_layers.h"
#include "trireme/core/memory.h"

/* ---- keys ------------------------------------------------------------------------------------ */

static const trm_config_key stack_keys[] = {
    TRM_KEY_INT("model.layers", "4", 1, 1024, "", TRM_ON_MODEL,
                "Layers of message passing, one on the other."),
    TRM_KEY_INT("model.width", "128", 1, 65536, "", TRM_ON_MODEL,
                "Length of a node's vector between layers (gat: of all heads together)."),
    TRM_KEY_REAL("model.dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an activation is dropped while training."),
    TRM_KEY_REAL("model.input_dropout", "-1", -1, 0.99, "", TRM_ON_RESULT,
                 "Probability that an input feature is dropped; -1: as model.dropout."),
    TRM_KEY_BOOL("model.bias", "true", TRM_ON_MODEL,
                 "Linear layers and norms have biases; batch norm always does."),
    TRM_KEY_CHOICE("model.activation", "gelu", "gelu|relu|elu", TRM_ON_MODEL,
                   "Non-linearity between the layers, and of the feed-forward part."),
    TRM_KEY_CHOICE("model.block", "plain", "plain|residual", TRM_ON_MODEL,
                   "Bare layers as in the papers, or pre-norm residual blocks with a linear layer "
                   "before and after them."),
    TRM_KEY_CHOICE(
        "model.norm", "none", "none|layer|batch", TRM_ON_MODEL,
        "Normalisation in each layer (gin: also inside its MLPs). batch: over the rows of "
        "a block (batch.blocks)."),
    TRM_KEY_CHOICE(
        "model.jumping", "last", "last|concat|max", TRM_ON_MODEL,
        "The output layer sees the last layer, all of them, or their maximum; gin with a "
        "readout sees all in plain blocks."),
    TRM_KEY_CHOICE("model.readout", "none", "none|sum|mean|max", TRM_ON_MODEL,
                   "Sets of graphs: how the nodes' vectors become the graph's."),
    TRM_KEY_CHOICE("optimizer.decay_scope", "all", "all|first", TRM_ON_RESULT,
                   "Layers whose matrices decay."),
};
const trm_config_rows trm_gnn_stack_keys = TRM_CONFIG_ROWS(stack_keys);

static const trm_config_key residual_keys[] = {
    TRM_KEY_BOOL("model.feed_forward", "false", TRM_ON_MODEL,
                 "A feed-forward part after the aggregation of a residual block."),
};
const trm_config_rows trm_gnn_residual_keys = TRM_CONFIG_ROWS(residual_keys);

static const trm_config_key ff_keys[] = {
    TRM_KEY_INT("model.ff_width", "0", 0, 1048576, "", TRM_ON_MODEL,
                "Hidden width of the feed-forward part; 0: twice model.width."),
};
const trm_config_rows trm_gnn_ff_keys = TRM_CONFIG_ROWS(ff_keys);
const trm_config_part trm_gnn_feed_forward = {
    .selector = "model.feed_forward", .name = "true", .rows = {&trm_gnn_ff_keys}};

static void read_choices(trm_gnn *net, const trm_config *config) {
  net->block = trm_config_is(config, "model.block", "residual") ? TRM_GNN_RESIDUAL : TRM_GNN_PLAIN;
  net->norm = trm_config_is(config, "model.norm", "layer")   ? TRM_GNN_NORM_LAYER
              : trm_config_is(config, "model.norm", "batch") ? TRM_GNN_NORM_BATCH
                                                             : TRM_GNN_NORM_NONE;
  net->jumping = trm_config_is(config, "model.jumping", "concat") ? TRM_GNN_JUMP_CONCAT
                 : trm_config_is(config, "model.jumping", "max")  ? TRM_GNN_JUMP_MAX
                                                                  : TRM_GNN_JUMP_LAST;
  net->readout = !trm_config_is(config, "model.readout", "none");
  net->pool = trm_config_is(config, "model.readout", "max")    ? TRM_POOL_MAX
              : trm_config_is(config, "model.readout", "mean") ? TRM_POOL_MEAN
                                                               : TRM_POOL_SUM;
  net->activation = trm_config_is(config, "model.activation", "relu")  ? trm_op_relu
                    : trm_config_is(config, "model.activation", "elu") ? trm_op_elu
                                                                       : trm_op_gelu;
}

static trm_status read_keys(trm_gnn *net, const trm_config *config, const trm_model_dims *dims) {
  net->layers = (int)trm_config_int(config, "model.layers");
  net->width = trm_config_int(config, "model.width");
  net->n_features = dims->n_features;
  net->n_outputs = dims->n_outputs;
  net->sparse = dims->sparse;
  net->dropout = trm_config_real(config, "model.dropout");
  net->input_dropout = trm_config_real(config, "model.input_dropout");
  if (net->input_dropout < 0) net->input_dropout = net->dropout;
  net->bias = trm_config_bool(config, "model.bias");
  net->decay_first = trm_config_is(config, "optimizer.decay_scope", "first");
  net->output.weight = net->output.bias = -1;
  read_choices(net, config);
  if (net->n_features < 1 || net->n_outputs < 1) {
    return trm_fail(TRM_ERR_DATA,
                    "model.kind is '%s', which needs features and classes, but the data set has "
                    "%lld features and %lld classes; choose another family or data set",
                    trm_config_string(config, "model.kind"), (long long)net->n_features,
                    (long long)net->n_outputs);
  }
  net->feed_forward = trm_config_used(config, "model.feed_forward") &&
                      trm_config_bool(config, "model.feed_forward");
  if (trm_config_used(config, "model.ff_width")) {
    net->ff_width = trm_config_int(config, "model.ff_width");
    if (net->ff_width == 0) net->ff_width = 2 * net->width;
  }
  TRM_TRY(TRM_ALLOC(&net->norms, net->layers + 1, "model"));
  TRM_TRY(TRM_ALLOC(&net->ff_hidden, net->layers, "model"));
  return TRM_ALLOC(&net->ff_out, net->layers, "model");
}

void trm_gnn_destroy(void *self) {
  trm_gnn *net = self;
  if (!net) return;
  net->family->close(net);
  TRM_FREE(net->norms);
  TRM_FREE(net->ff_hidden);
  TRM_FREE(net->ff_out);
  TRM_FREE(net);
}

trm_status trm_gnn_create(const trm_gnn_family *family, const trm_config *config,
                          const trm_model_dims *dims, trm_params *params, void **self) {
  trm_gnn *net = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(trm_alloc_bytes((void **)&net, 1, family->bytes, "model"));
  net->family = family;
  TRM_TRY_OUT(read_keys(net, config, dims));
  TRM_TRY_OUT(family->open(net, config));
  TRM_TRY_OUT(family->add ? family->add(net, params) : trm_gnn_add(net, params));
  *self = net;
  return TRM_OK;
out:
  trm_gnn_destroy(net);
  return status;
}

int trm_gnn_n_hops(const void *self) {
  const trm_gnn *net = self;
  return net->layers;
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* Whether the outputs come from a linear map after the layers. */
static bool has_output_map(const trm_gnn *net) {
  return net->block == TRM_GNN_RESIDUAL || net->jumping != TRM_GNN_JUMP_LAST || net->readout;
}

/* Length of the rows after jumping knowledge. */
static int64_t jumped_width(const trm_gnn *net) {
  return net->jumping == TRM_GNN_JUMP_CONCAT ? net->layers * net->width : net->width;
}

static trm_status add_output(trm_gnn *net, trm_params *params) {
  TRM_TRY(trm_gnn_add_linear(net, params, &net->output, jumped_width(net), net->n_outputs, 0,
                             "output"));
  trm_params_mark(params, net->output.weight, TRM_ROLE_HEAD);
  return TRM_OK;
}

static int64_t width_entering(const trm_gnn *net, int layer) {
  return layer == 0 ? net->n_features : net->width;
}

trm_status trm_gnn_add_hidden(trm_gnn *net, trm_params *params, int layer) {
  TRM_TRY(net->family->add_layer(net, params, layer, width_entering(net, layer), net->width));
  return trm_gnn_add_norm(net, params, &net->norms[layer], net->width, "layers/%d/norm", layer);
}

static trm_status add_plain(trm_gnn *net, trm_params *params) {
  const int last = net->layers - 1;
  for (int l = 0; l < last; ++l) TRM_TRY(trm_gnn_add_hidden(net, params, l));
  if (!has_output_map(net)) {
    const int first = params->n_rows;
    TRM_TRY(net->family->add_layer(net, params, last, width_entering(net, last), net->n_outputs));
    trm_params_mark(params, first, TRM_ROLE_HEAD);
    return TRM_OK;
  }
  TRM_TRY(trm_gnn_add_hidden(net, params, last));
  return add_output(net, params);
}

static trm_status add_block(trm_gnn *net, trm_params *params, int l) {
  int64_t width = net->width;
  TRM_TRY(trm_gnn_add_norm(net, params, &net->norms[l], width, "layers/%d/norm", l));
  if (net->family->add_aggregate) {
    TRM_TRY(net->family->add_aggregate(net, params, l, &width));
  }
  if (net->feed_forward) {
    TRM_TRY(trm_gnn_add_linear(net, params, &net->ff_hidden[l], width, net->ff_width, 0,
                               "layers/%d/ff/hidden", l));
    width = net->ff_width;
  }
  return trm_gnn_add_linear(net, params, &net->ff_out[l], width, net->width, 0, "layers/%d/ff/out",
                            l);
}

static trm_status add_residual(trm_gnn *net, trm_params *params) {
  TRM_TRY(trm_gnn_add_linear(net, params, &net->input, net->n_features, net->width,
                             trm_gnn_enters(0), "input"));
  for (int l = 0; l < net->layers; ++l) TRM_TRY(add_block(net, params, l));
  TRM_TRY(trm_gnn_add_norm(net, params, &net->norms[net->layers], jumped_width(net), "norm"));
  return add_output(net, params);
}

trm_status trm_gnn_add(trm_gnn *net, trm_params *params) {
  return net->block == TRM_GNN_RESIDUAL ? add_residual(net, params) : add_plain(net, params);
}

/* ---- forward --------------------------------------------------------------------------------- */

trm_gnn_rows trm_gnn_input(const trm_gnn *net, trm_tape *t, const trm_features *features) {
  if (net->sparse) return (trm_gnn_rows){.features = features, .dropout = net->input_dropout};
  if (!trm_tape_pass(t)->nudge) {
    return (trm_gnn_rows){.x = trm_op_features(t, features, net->input_dropout)};
  }
  trm_var *x =
      trm_op_nudge(t, trm_op_features(t, features, 0)); /* the change is dropped with them */
  return (trm_gnn_rows){.x = trm_op_dropout_rows(t, x, net->input_dropout, features->ids)};
}

static trm_gnn_hop hop_at(const trm_gnn *net, const trm_graph_batch *batch, int layer) {
  const int32_t *ids = batch->features.ids;
  if (net->family->no_hops) return (trm_gnn_hop){.same = true, .in_ids = ids, .out_ids = ids};
  return trm_gnn_hop_at(batch, net->layers, layer);
}

/* What the output will see after the rows x of one more layer: `seen` is what it saw before. */
static trm_var *jump(const trm_gnn *net, trm_tape *t, trm_var *seen, trm_var *x,
                     const trm_gnn_hop *at) {
  if (net->jumping == TRM_GNN_JUMP_LAST) return x;
  trm_gnn_keep(x);
  if (!seen) return x;
  seen = trm_gnn_own(t, seen, at);
  return net->jumping == TRM_GNN_JUMP_CONCAT ? trm_op_concat(t, seen, x)
                                             : trm_op_maximum(t, seen, x);
}

/* The linear map to the outputs of nodes or, pooled, of graphs; dropout `p` before it. */
static trm_var *output(const trm_gnn *net, trm_tape *t, trm_var *x, double p, const int32_t *ids,
                       const trm_graph_batch *batch) {
  if (net->readout) {
    x = trm_op_segment_pool(t, x, batch->graphs, batch->n_graphs, net->pool);
    const trm_sequences graphs = trm_sequences_equal(batch->n_graphs, 1); /* are the samples */
    x = trm_op_dropout(t, x, p, &graphs);
  } else {
    x = trm_op_dropout_rows(t, x, p, ids);
  }
  return trm_gnn_linear_of(t, x, net->output);
}

trm_var *trm_gnn_hidden(const trm_gnn *net, trm_tape *t, trm_gnn_rows in, int layer,
                        const trm_gnn_hop *at) {
  trm_var *x = net->family->layer(net, t, in, layer, at);
  return net->activation(t, trm_gnn_normalise(net, t, x, &net->norms[layer]));
}

static trm_var *plain(const trm_gnn *net, trm_tape *t, const trm_graph_batch *batch) {
  trm_gnn_rows in = trm_gnn_input(net, t, &batch->features);
  trm_var *seen = NULL;
  trm_gnn_hop at = {0};
  for (int l = 0; l < net->layers; ++l) {
    at = hop_at(net, batch, l);
    if (l == net->layers - 1 && !has_output_map(net)) {
      return net->family->layer(net, t, in, l, &at);
    }
    trm_var *x = trm_gnn_hidden(net, t, in, l, &at);
    seen = jump(net, t, seen, x, &at);
    if (l < net->layers - 1) in.x = trm_op_dropout_rows(t, x, net->dropout, at.out_ids);
  }
  return output(net, t, seen, net->dropout, at.out_ids, batch);
}

static trm_var *feed_forward(const trm_gnn *net, trm_tape *t, trm_var *x, int l,
                             const int32_t *ids) {
  if (net->feed_forward) {
    x = trm_gnn_linear_of(t, x, net->ff_hidden[l]);
    x = net->activation(t, trm_op_dropout_rows(t, x, net->dropout, ids));
    x = trm_gnn_linear_of(t, x, net->ff_out[l]);
  } else {
    x = net->activation(t, trm_gnn_linear_of(t, x, net->ff_out[l]));
  }
  return trm_op_dropout_rows(t, x, net->dropout, ids);
}

static trm_var *residual(const trm_gnn *net, trm_tape *t, const trm_graph_batch *batch) {
  trm_var *x = trm_gnn_linear(t, trm_gnn_input(net, t, &batch->features), net->input);
  x = net->activation(t, trm_op_dropout_rows(t, x, net->dropout, batch->features.ids));
  trm_var *seen = NULL;
  trm_gnn_hop at = {0};
  for (int l = 0; l < net->layers; ++l) {
    at = hop_at(net, batch, l);
    trm_gnn_keep(x);
    trm_var *f = trm_gnn_normalise(net, t, x, &net->norms[l]);
    f = net->family->aggregate(net, t, f, l, &at);
    f = feed_forward(net, t, f, l, at.out_ids);
    x = trm_op_add(t, trm_gnn_own(t, x, &at), f);
    seen = jump(net, t, seen, x, &at);
  }
  seen = trm_gnn_normalise(net, t, seen, &net->norms[net->layers]);
  return output(net, t, seen, 0, at.out_ids, batch);
}

trm_var *trm_gnn_outputs(void *self, trm_tape *t, const trm_batch *batch) {
  const trm_gnn *net = self;
  return net->block == TRM_GNN_RESIDUAL ? residual(net, t, batch->graph)
                                        : plain(net, t, batch->graph);
}
