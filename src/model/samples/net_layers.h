/**
 * What networks on images and rows share: how values enter, and layers of a linear map or a convolution
 * with norm, activation and dropout behind it.
 */
#ifndef TRIREME_MODEL_NET_LAYERS_H
#define TRIREME_MODEL_NET_LAYERS_H

#include "sample_loss.h"

/** model.dropout, model.activation, model.bias, model.init: of mlp on samples and cnn. */
extern const trm_config_rows trm_net_keys;

typedef enum trm_net_norm { TRM_NET_NO_NORM, TRM_NET_BATCH_NORM, TRM_NET_LAYER_NORM } trm_net_norm;

/** What the layers of a network have in common. */
typedef struct trm_net {
  trm_net_norm norm;
  bool bias, xavier;
  double dropout;
  trm_var *(*activation)(trm_tape *tape, trm_var *x);
} trm_net;

/** A map and the norm behind it; rows of the parameter table, -1: there is none. */
typedef struct trm_net_layer {
  trm_affine map;
  trm_affine norm;
  int mean, variance; /* buffers of batch normalisation */
} trm_net_layer;

/** Reads trm_net_keys; the norm is the caller's. */
void trm_net_configure(const trm_config *config, trm_net *net);

/** The activation that model.activation names. */
trm_var *(*trm_net_activation(const trm_config *config))(trm_tape *tape, trm_var *x);
/** That inputs are images. @return TRM_ERR_CONFIG */
trm_status trm_net_check_images(const trm_config *config, const trm_model_dims *dims);

/** Most numbers in a list, and the largest of them. */
enum { TRM_NET_MOST = 64, TRM_NET_LARGEST = 1048576 };
/**
 * Reads a list of whole numbers from 1 on, "128,128"; "none": there are none.
 * @param[out] numbers [TRM_NET_MOST]
 * @return TRM_ERR_CONFIG naming the key
 */
trm_status trm_net_list(const trm_config *config, const char *key, int64_t *numbers, int *n);

/** Parameters of a linear layer w[out, in] below `path`. `last`: the output layer, without norm. */
trm_status trm_net_add_linear(const trm_net *net, trm_params *params, trm_net_layer *layer,
                              int64_t in, int64_t out, bool last, const char *path);
/**
 * Hidden layers of the widths that model.widths lists, "layers/0" and on, and an output layer, "head".
 * @param[out] layers  [*n + 1], the last gives the outputs; TRM_FREE, after a failure too
 */
trm_status trm_net_add_dense(const trm_net *net, const trm_config *config, trm_params *params,
                             int64_t in, int64_t out, trm_net_layer **layers, int *n);
/** Of a convolution w[window of `taps` pixels * in, out]; it has a bias only without a norm. */
trm_status trm_net_add_conv(const trm_net *net, trm_params *params, trm_net_layer *layer,
                            int64_t taps, int64_t in, int64_t out, const char *path);

/** The numbers of a batch as networks see them: [n, height, width, channels], or [n, row]. */
trm_var *trm_net_values(trm_tape *tape, const trm_sample_batch *batch);
/** x[n, places, ..] as rows [n, all]. */
trm_var *trm_net_flatten(trm_tape *tape, trm_var *x);
/** x w^T + b; x is read by nothing else. */
trm_var *trm_net_linear(trm_tape *tape, trm_var *x, const trm_net_layer *layer);
/** All of x[n, in] up to the outputs, with dropout behind each hidden layer. */
trm_var *trm_net_dense(const trm_net *net, trm_tape *tape, trm_var *x, const trm_net_layer *layers,
                       int n);
/** The convolution, with its bias. */
trm_var *trm_net_conv(trm_tape *tape, trm_var *x, const trm_net_layer *layer, trm_window window);
/** Norm and activation behind a map. */
trm_var *trm_net_normalise(const trm_net *net, trm_tape *tape, trm_var *x,
                           const trm_net_layer *layer);
trm_var *trm_net_activate(const trm_net *net, trm_tape *tape, trm_var *x,
                          const trm_net_layer *layer);
/** Dropout of x[n, ..] by sample and place. */
trm_var *trm_net_dropout(const trm_net *net, trm_tape *tape, trm_var *x);

#endif
