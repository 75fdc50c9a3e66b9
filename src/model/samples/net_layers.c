#include "net_layers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("model.dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an activation of a hidden linear layer is dropped while "
                 "training."),
    TRM_KEY_CHOICE("model.activation", "relu", "gelu|relu|elu", TRM_ON_MODEL,
                   "Non-linearity behind each layer but the last."),
    TRM_KEY_BOOL("model.bias", "true", TRM_ON_MODEL,
                 "Layers have biases; a norm in place of one has its own."),
    TRM_KEY_CHOICE("model.init", "he", "he|xavier", TRM_ON_MODEL,
                   "First weights: normal of variance 2 / inputs (He et al. 2015), or uniform by "
                   "Glorot's rule; the output layer always by Glorot's."),
};
const trm_config_rows trm_net_keys = TRM_CONFIG_ROWS(keys);

trm_var *(*trm_net_activation(const trm_config *config))(trm_tape *tape, trm_var *x) {
  if (trm_config_is(config, "model.activation", "gelu")) return trm_op_gelu;
  return trm_config_is(config, "model.activation", "elu") ? trm_op_elu : trm_op_relu;
}

trm_status trm_net_check_images(const trm_config *config, const trm_model_dims *dims) {
  if (dims->n_value_dims == 3) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "model.kind is '%s', which works on images, but the inputs of the data set are "
                  "rows of a table; set it to mlp",
                  trm_config_string(config, "model.kind"));
}

void trm_net_configure(const trm_config *config, trm_net *net) {
  *net = (trm_net){.dropout = trm_config_real(config, "model.dropout"),
                   .bias = trm_config_bool(config, "model.bias"),
                   .xavier = trm_config_is(config, "model.init", "xavier"),
                   .activation = trm_net_activation(config)};
}

static trm_status bad_list(const char *key, const char *text) {
  return trm_fail(
      TRM_ERR_CONFIG,
      "%s is '%s', expected whole numbers from 1 to %d separated by commas, %d at most, "
      "or none",
      key, text, TRM_NET_LARGEST, TRM_NET_MOST);
}

trm_status trm_net_list(const trm_config *config, const char *key, int64_t *numbers, int *n) {
  const char *text = trm_config_string(config, key), *at = text;
  *n = 0;
  if (strcmp(text, "none") == 0) return TRM_OK;
  for (;; ++at) {
    char *end;
    errno = 0;
    const long long value = strtoll(at, &end, 10);
    if (end == at || errno != 0 || value < 1 || value > TRM_NET_LARGEST || *n == TRM_NET_MOST) {
      return bad_list(key, text);
    }
    numbers[(*n)++] = value;
    at = end + strspn(end, " ");
    if (*at == '\0') return TRM_OK;
    if (*at != ',') return bad_list(key, text);
  }
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* Glorot, Bengio 2010, equation 16; He et al. 2015, arXiv:1502.01852, equation 10. */
static trm_status add_matrix(trm_params *params, int *row, const int64_t dims[2], double in,
                             double out, bool xavier, const char *path) {
  const double limit = sqrt(6 / (in + out)), deviation = sqrt(2 / in);
  return trm_params_add(params, row, 2, dims, xavier ? TRM_INIT_UNIFORM : TRM_INIT_NORMAL,
                        xavier ? limit : deviation, true, "%s/weight", path);
}

static trm_status add_bias(trm_params *params, int *row, int64_t n, const char *path) {
  return trm_params_add(params, row, 1, &n, TRM_INIT_ZERO, 0, false, "%s/bias", path);
}

static trm_status add_norm(const trm_net *net, trm_params *params, trm_net_layer *layer,
                           int64_t width, const char *path) {
  if (net->norm == TRM_NET_NO_NORM) return TRM_OK;
  TRM_TRY(trm_params_add(params, &layer->norm.weight, 1, &width, TRM_INIT_ONE, 0, false,
                         "%s/norm/weight", path));
  TRM_TRY(trm_params_add(params, &layer->norm.bias, 1, &width, TRM_INIT_ZERO, 0, false,
                         "%s/norm/bias", path));
  if (net->norm == TRM_NET_LAYER_NORM) return TRM_OK;
  TRM_TRY(trm_params_add_buffer(params, &layer->mean, width, TRM_INIT_ZERO, "%s/norm/mean", path));
  return trm_params_add_buffer(params, &layer->variance, width, TRM_INIT_ONE, "%s/norm/variance",
                               path);
}

trm_status trm_net_add_linear(const trm_net *net, trm_params *params, trm_net_layer *layer,
                              int64_t in, int64_t out, bool last, const char *path) {
  *layer = (trm_net_layer){{-1, -1}, {-1, -1}, -1, -1};
  TRM_TRY(add_matrix(params, &layer->map.weight, (int64_t[]){out, in}, (double)in, (double)out,
                     last || net->xavier, path));
  if (last) trm_params_mark(params, layer->map.weight, TRM_ROLE_HEAD);
  if (net->bias && (last || net->norm == TRM_NET_NO_NORM)) {
    TRM_TRY(add_bias(params, &layer->map.bias, out, path));
  }
  return last ? TRM_OK : add_norm(net, params, layer, out, path);
}

trm_status trm_net_add_dense(const trm_net *net, const trm_config *config, trm_params *params,
                             int64_t in, int64_t out, trm_net_layer **layers, int *n) {
  int64_t widths[TRM_NET_MOST];
  char path[32];
  TRM_TRY(trm_net_list(config, "model.widths", widths, n));
  TRM_TRY(TRM_ALLOC(layers, *n + 1, "model"));
  for (int i = 0; i < *n; ++i) {
    (void)snprintf(path, sizeof path, "layers/%d", i);
    TRM_TRY(trm_net_add_linear(net, params, &(*layers)[i], in, widths[i], false, path));
    in = widths[i];
  }
  return trm_net_add_linear(net, params, &(*layers)[*n], in, out, true, "head");
}

trm_status trm_net_add_conv(const trm_net *net, trm_params *params, trm_net_layer *layer,
                            int64_t taps, int64_t in, int64_t out, const char *path) {
  *layer = (trm_net_layer){{-1, -1}, {-1, -1}, -1, -1};
  TRM_TRY(add_matrix(params, &layer->map.weight, (int64_t[]){taps * in, out}, (double)(taps * in),
                     (double)(taps * out), net->xavier, path));
  trm_params_mark_by_inputs(params, layer->map.weight);
  if (net->bias && net->norm == TRM_NET_NO_NORM) {
    TRM_TRY(add_bias(params, &layer->map.bias, out, path));
  }
  return add_norm(net, params, layer, out, path);
}

/* ---- forward --------------------------------------------------------------------------------- */

static trm_var *param(trm_tape *tape, int row) {
  return row < 0 ? NULL : trm_tape_param(tape, row);
}

trm_var *trm_net_values(trm_tape *tape, const trm_sample_batch *batch) {
  trm_var *x = trm_op_nudge(tape, trm_op_values(tape, &batch->values, batch->n));
  return trm_op_channel_scale(tape, x, batch->values.scale, batch->values.shift);
}

trm_var *trm_net_flatten(trm_tape *tape, trm_var *x) {
  int64_t width = 1;
  if (x->n_dims <= 2) return x;
  for (int d = 1; d < x->n_dims; ++d) width *= x->dims[d];
  return trm_op_reshape(tape, x, 2, (int64_t[]){x->dims[0], width});
}

trm_var *trm_net_linear(trm_tape *tape, trm_var *x, const trm_net_layer *layer) {
  x = trm_tape_operand(tape, x);
  return trm_op_linear(tape, x, param(tape, layer->map.weight), param(tape, layer->map.bias));
}

trm_var *trm_net_dense(const trm_net *net, trm_tape *tape, trm_var *x, const trm_net_layer *layers,
                       int n) {
  for (int i = 0; i < n; ++i) {
    x = trm_net_linear(tape, x, &layers[i]);
    x = trm_net_dropout(net, tape, trm_net_activate(net, tape, x, &layers[i]));
  }
  return trm_net_linear(tape, x, &layers[n]);
}

trm_var *trm_net_conv(trm_tape *tape, trm_var *x, const trm_net_layer *layer, trm_window window) {
  trm_var *y = trm_op_conv2d(tape, x, param(tape, layer->map.weight), window, 1);
  return layer->map.bias < 0 ? y : trm_op_bias(tape, y, param(tape, layer->map.bias));
}

trm_var *trm_net_normalise(const trm_net *net, trm_tape *tape, trm_var *x,
                           const trm_net_layer *layer) {
  trm_var *w = param(tape, layer->norm.weight), *b = param(tape, layer->norm.bias);
  if (net->norm == TRM_NET_NO_NORM) return x;
  if (net->norm == TRM_NET_LAYER_NORM) return trm_op_layernorm(tape, x, w, b);
  return trm_op_batchnorm(tape, x, w, b, param(tape, layer->mean), param(tape, layer->variance));
}

trm_var *trm_net_activate(const trm_net *net, trm_tape *tape, trm_var *x,
                          const trm_net_layer *layer) {
  if (net->norm == TRM_NET_BATCH_NORM && net->activation == trm_op_relu) { /* in one pass */
    return trm_op_batchnorm_relu(tape, x, param(tape, layer->norm.weight),
                                 param(tape, layer->norm.bias), param(tape, layer->mean),
                                 param(tape, layer->variance));
  }
  return net->activation(tape, trm_net_normalise(net, tape, x, layer));
}

trm_var *trm_net_dropout(const trm_net *net, trm_tape *tape, trm_var *x) {
  const int64_t n = x->dims[0], width = x->dims[x->n_dims - 1];
  if (net->dropout == 0 || x->n_dims == 2) {
    const trm_sequences rows = trm_sequences_equal(n, 1);
    return trm_op_dropout(tape, x, net->dropout, &rows);
  }
  int64_t dims[4], places = 1;
  const int n_dims = x->n_dims;
  memcpy(dims, x->dims, sizeof dims);
  for (int d = 1; d + 1 < n_dims; ++d) places *= dims[d];
  const trm_sequences rows = trm_sequences_equal(n, places);
  x = trm_op_reshape(tape, x, 2, (int64_t[]){n * places, width});
  return trm_op_reshape(tape, trm_op_dropout(tape, x, net->dropout, &rows), n_dims, dims);
}
