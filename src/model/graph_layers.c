/*
 * Pieces of a layer on a graph: linear maps of dense rows or sparse features, biases, norms, own rows.
 *
 * Initial weights: Glorot's uniform for the maps of gcn, sage and gat, as in their papers (X. Glorot,
 * Y. Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks",
 * equation 16), with biases 0; for all others PyTorch's default for linear layers, weights and biases
 * uniform in +-1/sqrt(inputs).
 */
#include "graph_layers.h"

static const trm_config_key hop_keys[] = {
    TRM_KEY_REAL("model.drop_edge", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an edge is left out of a training step (DropEdge)."),
};
const trm_config_rows trm_gnn_hop_keys = TRM_CONFIG_ROWS(hop_keys);

#include <math.h>
#include <stdarg.h>

enum { PATH_BYTES = 64 };

/* Writes a path into path[PATH_BYTES]. */
#define MAKE_PATH(path, format)                                                                    \
  do {                                                                                             \
    va_list arguments_;                                                                            \
    va_start(arguments_, format);                                                                  \
    const int n_ = vsnprintf(path, PATH_BYTES, format, arguments_);                                \
    va_end(arguments_);                                                                            \
    TRM_ASSERT(n_ > 0 && n_ < PATH_BYTES);                                                         \
  } while (0)

/* ---- parameters ------------------------------------------------------------------------------ */

unsigned trm_gnn_enters(int layer) {
  return layer == 0 ? TRM_GNN_FIRST | TRM_GNN_FEATURES : 0;
}

bool trm_gnn_decays(const trm_gnn *net, unsigned flags) {
  return !net->decay_first || (flags & TRM_GNN_FIRST);
}

double trm_gnn_glorot(int64_t fan_in, int64_t fan_out) {
  return sqrt(6 / (double)(fan_in + fan_out));
}

trm_status trm_gnn_add_linear(const trm_gnn *net, trm_params *params, trm_affine *a, int64_t in,
                              int64_t out, unsigned flags, const char *format, ...) {
  char path[PATH_BYTES];
  MAKE_PATH(path, format);
  const int64_t dims[2] = {out, in};
  const double torch = 1 / sqrt((double)in);
  const bool glorot = flags & TRM_GNN_GLOROT;
  TRM_TRY(trm_params_add(params, &a->weight, 2, dims, TRM_INIT_UNIFORM,
                         glorot ? trm_gnn_glorot(in, out) : torch, trm_gnn_decays(net, flags),
                         "%s/weight", path));
  if ((flags & TRM_GNN_FEATURES) && net->sparse) {
    trm_params_mark_drawn_by_inputs(params, a->weight);
  }
  a->bias = -1;
  if (!net->bias || (flags & TRM_GNN_NO_BIAS)) return TRM_OK;
  return trm_params_add(params, &a->bias, 1, &out, glorot ? TRM_INIT_ZERO : TRM_INIT_UNIFORM, torch,
                        false, "%s/bias", path);
}

trm_status trm_gnn_add_bias(const trm_gnn *net, trm_params *params, int *bias, int64_t n,
                            const char *format, ...) {
  char path[PATH_BYTES];
  MAKE_PATH(path, format);
  *bias = -1;
  if (!net->bias) return TRM_OK;
  return trm_params_add(params, bias, 1, &n, TRM_INIT_ZERO, 0, false, "%s/bias", path);
}

trm_status trm_gnn_add_norm(const trm_gnn *net, trm_params *params, trm_gnn_norm *norm,
                            int64_t width, const char *format, ...) {
  char path[PATH_BYTES];
  MAKE_PATH(path, format);
  *norm = (trm_gnn_norm){-1, -1, -1, -1};
  if (net->norm == TRM_GNN_NORM_NONE) return TRM_OK;
  TRM_TRY(
      trm_params_add(params, &norm->weight, 1, &width, TRM_INIT_ONE, 0, false, "%s/weight", path));
  if (net->norm == TRM_GNN_NORM_LAYER) {
    return trm_gnn_add_bias(net, params, &norm->bias, width, "%s", path);
  }
  TRM_TRY(trm_params_add(params, &norm->bias, 1, &width, TRM_INIT_ZERO, 0, false, "%s/bias", path));
  TRM_TRY(trm_params_add_buffer(params, &norm->mean, width, TRM_INIT_ZERO, "%s/mean", path));
  return trm_params_add_buffer(params, &norm->variance, width, TRM_INIT_ONE, "%s/variance", path);
}

/* ---- forward --------------------------------------------------------------------------------- */

static trm_var *param(trm_tape *t, int row) {
  return row < 0 ? NULL : trm_tape_param(t, row);
}

trm_var *trm_gnn_linear(trm_tape *t, trm_gnn_rows in, trm_affine a) {
  if (in.x) return trm_gnn_linear_of(t, in.x, a);
  return trm_op_sparse_linear(t, in.features, param(t, a.weight), param(t, a.bias), in.dropout);
}

trm_var *trm_gnn_linear_of(trm_tape *t, trm_var *x, trm_affine a) {
  x = trm_tape_operand(t, x);
  return trm_op_linear(t, x, param(t, a.weight), param(t, a.bias));
}

trm_var *trm_gnn_bias(trm_tape *t, trm_var *x, int bias) {
  return bias < 0 ? x : trm_op_bias(t, x, param(t, bias));
}

trm_var *trm_gnn_normalise(const trm_gnn *net, trm_tape *t, trm_var *x, const trm_gnn_norm *norm) {
  if (net->norm == TRM_GNN_NORM_NONE) return x;
  trm_var *w = param(t, norm->weight), *b = param(t, norm->bias);
  if (net->norm == TRM_GNN_NORM_LAYER) return trm_op_layernorm(t, x, w, b);
  return trm_op_batchnorm(t, x, w, b, param(t, norm->mean), param(t, norm->variance));
}

trm_var *trm_gnn_own(trm_tape *t, trm_var *x, const trm_gnn_hop *at) {
  return at->same ? x : trm_op_own_rows(t, x, at->hop);
}

trm_var *trm_gnn_keep(trm_var *x) {
  ++x->n_uses; /* the tape writes over, or rounds, what has no other reader */
  return x;
}

/* Whether rows stay the same is decided by counts of hops, never by their arrays: a dry pass has none,
 * and has to come to the same operators. */
trm_gnn_hop trm_gnn_hop_at(const trm_graph_batch *batch, int layers, int layer) {
  const int32_t *inputs = batch->features.ids;
  if (batch->n_hops == 0) return (trm_gnn_hop){.same = true, .in_ids = inputs, .out_ids = inputs};
  TRM_ASSERT(batch->n_hops == 1 || batch->n_hops == layers);
  const trm_hop *hop = &batch->hops[batch->n_hops == 1 ? 0 : layer];
  return (trm_gnn_hop){.hop = hop,
                       .same = batch->n_hops == 1 && layers > 1,
                       .in_ids = layer == 0 ? inputs : hop->source_ids,
                       .out_ids = hop->target_ids};
}
