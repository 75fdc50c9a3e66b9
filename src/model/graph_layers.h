/**
 * What the families on graphs share: their keys, the linear maps, norms and dropout in a layer
 * (graph_layers.c), and the two ways of stacking layers with input, jumping knowledge, readout and
 * output around them (graph_net.c). A family gives what one layer does.
 */
#ifndef TRIREME_MODEL_GRAPH_LAYERS_H
#define TRIREME_MODEL_GRAPH_LAYERS_H

#include <stddef.h>

#include "model_internal.h"
#include "trireme/nn/ops.h"

typedef struct trm_gnn trm_gnn;

typedef struct trm_gnn_norm {
  int weight, bias;
  int mean, variance; /* buffers of batch normalisation */
} trm_gnn_norm;

/** Rows that enter a layer: a variable, or sparse features, which only a linear map can take. */
typedef struct trm_gnn_rows {
  trm_var *x;                   /* NULL: */
  const trm_features *features; /* these */
  double dropout;               /* of their stored values */
} trm_gnn_rows;

/** Where a layer is in the graph. */
typedef struct trm_gnn_hop {
  const trm_hop *hop;     /* NULL: no message passing (mlp) */
  bool same;              /* rows that leave are those that enter, in their order */
  const int32_t *in_ids;  /* node ids of rows that enter, */
  const int32_t *out_ids; /* and that leave: keys of dropout */
} trm_gnn_hop;

/** A family. `self` of its kind is a struct of `bytes` that begins with the trm_gnn. */
typedef struct trm_gnn_family {
  size_t bytes;
  bool no_hops;
  /** Reads and checks the family's own keys, and takes the memory of its layers; the shared keys are in
   *  `net` already. */
  trm_status (*open)(trm_gnn *net, const trm_config *config);
  /** Gives back what `open` took, also after a failure of it. */
  void (*close)(trm_gnn *net);
  /** Layers as in the paper: adds the parameters of one from rows of `in` to rows of `out`; applies
   *  it, without norm and activation after it. */
  trm_status (*add_layer)(trm_gnn *net, trm_params *params, int layer, int64_t in, int64_t out);
  trm_var *(*layer)(const trm_gnn *net, trm_tape *t, trm_gnn_rows in, int layer,
                    const trm_gnn_hop *at);
  /** In a residual block: adds the parameters of the aggregation, which gives rows of *out; applies
   *  it. add_aggregate may be NULL: none, *out is the width. */
  trm_status (*add_aggregate)(trm_gnn *net, trm_params *params, int layer, int64_t *out);
  trm_var *(*aggregate)(const trm_gnn *net, trm_tape *t, trm_var *x, int layer,
                        const trm_gnn_hop *at);
  /** Adds all parameters; NULL: trm_gnn_add. */
  trm_status (*add)(trm_gnn *net, trm_params *params);
} trm_gnn_family;

/* model.block, model.norm, model.jumping */
typedef enum trm_gnn_block { TRM_GNN_PLAIN, TRM_GNN_RESIDUAL } trm_gnn_block;
typedef enum trm_gnn_norm_kind {
  TRM_GNN_NORM_NONE,
  TRM_GNN_NORM_LAYER,
  TRM_GNN_NORM_BATCH
} trm_gnn_norm_kind;
typedef enum trm_gnn_jumping {
  TRM_GNN_JUMP_LAST,
  TRM_GNN_JUMP_CONCAT,
  TRM_GNN_JUMP_MAX
} trm_gnn_jumping;

struct trm_gnn {
  const trm_gnn_family *family;
  /* sizes */
  int layers;
  int64_t width, ff_width, n_features, n_outputs;
  bool sparse; /* features */
  /* keys */
  double dropout, input_dropout;
  trm_gnn_block block;
  trm_gnn_norm_kind norm;
  trm_gnn_jumping jumping;
  bool feed_forward, bias, decay_first;
  bool readout;
  trm_pool pool;
  trm_var *(*activation)(trm_tape *t, trm_var *x);
  /* parameters around the layers */
  trm_affine input; /* residual */
  /* [layers + 1], owned: after each layer (plain), or before each and before the output (residual) */
  trm_gnn_norm *norms;
  trm_affine *ff_hidden, *ff_out; /* [layers], owned: residual */
  trm_affine output;              /* weight -1: the last layer gives the outputs */
};

/* ---- graph_layers.c: pieces of a layer ------------------------------------------------------- */

/** What a linear map is. */
enum {
  TRM_GNN_FIRST = 1,    /* in the first layer: decays whatever optimizer.decay_scope says */
  TRM_GNN_FEATURES = 2, /* takes the features, which may be sparse */
  TRM_GNN_GLOROT = 4, /* initial weights after Glorot, Bengio 2010, biases 0; otherwise PyTorch's */
  TRM_GNN_NO_BIAS = 8,
};

/** Flags of a map that takes what enters layer `layer` of plain layers. */
unsigned trm_gnn_enters(int layer);
bool trm_gnn_decays(const trm_gnn *net, unsigned flags);
/** Limit of Glorot's uniform initial weights. */
double trm_gnn_glorot(int64_t fan_in, int64_t fan_out);

/** Adds weight and bias of a linear map; `format` makes its path, "layers/0/self". */
trm_status trm_gnn_add_linear(const trm_gnn *net, trm_params *params, trm_affine *a, int64_t in,
                              int64_t out, unsigned flags, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
/** A bias on its own, for what is added after the aggregation: 0 at first; -1 without model.bias. */
trm_status trm_gnn_add_bias(const trm_gnn *net, trm_params *params, int *bias, int64_t n,
                            const char *format, ...) __attribute__((format(printf, 5, 6)));
trm_status trm_gnn_add_norm(const trm_gnn *net, trm_params *params, trm_gnn_norm *norm,
                            int64_t width, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** x w^T + b, of sparse features too. An x that others than linear maps read is kept before
 *  (trm_gnn_keep). */
trm_var *trm_gnn_linear(trm_tape *t, trm_gnn_rows in, trm_affine a);
trm_var *trm_gnn_linear_of(trm_tape *t, trm_var *x, trm_affine a);
/** x + b; x itself when there is no bias. */
trm_var *trm_gnn_bias(trm_tape *t, trm_var *x, int bias);
/** As model.norm says; x itself when it says none. */
trm_var *trm_gnn_normalise(const trm_gnn *net, trm_tape *t, trm_var *x, const trm_gnn_norm *norm);
/** Rows of the nodes that leave the layer. */
trm_var *trm_gnn_own(trm_tape *t, trm_var *x, const trm_gnn_hop *at);
/** x, which is read again later: no operator in between may write over it, or round it. */
trm_var *trm_gnn_keep(trm_var *x);

/** Layer `layer` of `layers` in the batch. */
trm_gnn_hop trm_gnn_hop_at(const trm_graph_batch *batch, int layers, int layer);

/** Keys of every stack of layers (graph_net.c), and of what passes messages (graph_layers.c). */
extern const trm_config_rows trm_gnn_stack_keys, trm_gnn_hop_keys;
/** What their values select: residual blocks of a family, and the feed-forward part in those. */
extern const trm_config_rows trm_gnn_residual_keys;
extern const trm_config_part trm_gnn_feed_forward;
#define TRM_GNN_RESIDUAL_PART(kind, family)                                                        \
  {                                                                                                \
    .within = &(kind).part, .selector = "model.block", .name = "residual",                         \
    .label = "model.block residual of " family, .rows = {                                          \
      &trm_gnn_residual_keys                                                                       \
    }                                                                                              \
  }
/** Width of the feed-forward part: for a family whose own layers have one too. */
extern const trm_config_rows trm_gnn_ff_keys;

/* ---- graph_net.c: stacks of layers ----------------------------------------------------------- */

/** A model of a family: keys, memory and parameters (trm_model_kind.create). */
trm_status trm_gnn_create(const trm_gnn_family *family, const trm_config *config,
                          const trm_model_dims *dims, trm_params *params, void **self);
void trm_gnn_destroy(void *self);
int trm_gnn_n_hops(const void *self);

/** Adds all parameters, those of the family's layers among them. */
trm_status trm_gnn_add(trm_gnn *net, trm_params *params);
/** Logits of nodes or graphs. */
trm_var *trm_gnn_outputs(void *self, trm_tape *t, const trm_batch *batch);

/* For a family with another output of its own (gin). */

/** Features with dropout. */
trm_gnn_rows trm_gnn_input(const trm_gnn *net, trm_tape *t, const trm_features *features);
/** A plain layer that is not the output: the family's, norm, activation. */
trm_status trm_gnn_add_hidden(trm_gnn *net, trm_params *params, int layer);
trm_var *trm_gnn_hidden(const trm_gnn *net, trm_tape *t, trm_gnn_rows in, int layer,
                        const trm_gnn_hop *at);

#endif
