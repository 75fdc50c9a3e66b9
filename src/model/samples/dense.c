/*
 * Dense network: layers of a linear map, norm, activation and dropout, and a linear map behind them.
 *
 *   x = values, and a vector for each level of a categorical column (or its levels one-hot)
 *   x = dropout(act(norm(W x + b)))     for each width of model.widths
 *   y = W x + b
 *
 * Vectors of levels: Guo, Berkhahn 2016, arXiv:1604.06737.
 */
#include "dense.h"

#include "net_layers.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_TEXT("model.widths", "128,128", TRM_ON_MODEL,
                 "Widths of the hidden layers, the first one first; none: a linear model."),
    TRM_KEY_REAL("model.input_dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that a value of an input is dropped while training."),
    TRM_KEY_CHOICE("model.norm", "none", "none|batch|layer", TRM_ON_MODEL,
                   "Normalisation before each activation. batch: over the rows of a block "
                   "(batch.blocks)."),
    TRM_KEY_CHOICE("model.levels", "one-hot", "one-hot|embedded", TRM_ON_MODEL,
                   "How categories of a table enter: a value for each level, or a trained vector."),
};
const trm_config_rows trm_dense_keys = TRM_CONFIG_ROWS(keys);

static const trm_config_key level_keys[] = {
    TRM_KEY_INT("model.level_width", "0", 0, 65536, "", TRM_ON_MODEL,
                "Length of a level's vector; 0: half of the levels of its column, 50 at most."),
};
static const trm_config_rows level_rows = TRM_CONFIG_ROWS(level_keys);
const trm_config_part trm_dense_levels_part = {
    .selector = "model.levels", .name = "embedded", .rows = {&level_rows}};

enum { MOST_LEVEL_WIDTH = 50 };

typedef struct dense {
  trm_net net;
  trm_sample_loss loss;
  double input_dropout;
  int64_t n_levels;
  int *levels; /* [n_levels] tables of vectors, owned */
  int n_layers;
  trm_net_layer *layers; /* [n_layers + 1], owned; the last gives the outputs */
} dense;

void trm_dense_destroy(void *self) {
  dense *m = self;
  if (!m) return;
  TRM_FREE(m->levels);
  TRM_FREE(m->layers);
  TRM_FREE(m);
}

/* Vectors of the levels of each column; *width grows by their lengths. */
static trm_status add_levels(dense *m, const trm_config *config, const trm_model_dims *dims,
                             trm_params *params, int64_t *width) {
  TRM_TRY(TRM_ALLOC(&m->levels, m->n_levels, "model"));
  for (int64_t k = 0; k < m->n_levels; ++k) {
    const int64_t n = dims->levels[k], half = trm_min_i64((n + 1) / 2, MOST_LEVEL_WIDTH);
    const int64_t given = trm_config_int(config, "model.level_width");
    const int64_t table[2] = {n, given > 0 ? given : half};
    TRM_TRY(trm_params_add(params, &m->levels[k], 2, table, TRM_INIT_NORMAL, 0.1, true,
                           "levels/%lld/weight", (long long)k));
    trm_params_mark(params, m->levels[k], TRM_ROLE_EMBEDDING);
    trm_params_mark_columns(params, m->levels[k]);
    *width += table[1];
  }
  return TRM_OK;
}

static trm_status fill(dense *m, const trm_config *config, const trm_model_dims *dims,
                       trm_params *params) {
  int64_t in = 1;
  for (int d = 0; d < dims->n_value_dims; ++d) in *= dims->value_dims[d];
  trm_net_configure(config, &m->net);
  trm_sample_loss_configure(config, dims, &m->loss);
  m->net.norm = trm_config_is(config, "model.norm", "batch")   ? TRM_NET_BATCH_NORM
                : trm_config_is(config, "model.norm", "layer") ? TRM_NET_LAYER_NORM
                                                               : TRM_NET_NO_NORM;
  m->input_dropout = trm_config_real(config, "model.input_dropout");
  m->n_levels = dims->n_levels;
  if (m->n_levels > 0) TRM_TRY(add_levels(m, config, dims, params, &in));
  TRM_TRY(
      trm_net_add_dense(&m->net, config, params, in, dims->n_outputs, &m->layers, &m->n_layers));
  const bool table = dims->n_value_dims == 1; /* the others are images */
  if (table) trm_params_mark_columns(params, m->layers[0].map.weight);
  return TRM_OK;
}

trm_status trm_dense_create(const trm_config *config, const trm_model_dims *dims,
                            trm_params *params, void **self) {
  dense *m = NULL;
  TRM_TRY(TRM_ALLOC(&m, 1, "model"));
  const trm_status status = fill(m, config, dims, params);
  if (status != TRM_OK) {
    trm_dense_destroy(m);
    return status;
  }
  *self = m;
  return TRM_OK;
}

trm_frame trm_dense_frame(const trm_config *config) {
  return (trm_frame){.levels = trm_config_is(config, "model.levels", "embedded")};
}

static trm_var *inputs(const dense *m, trm_tape *tape, const trm_sample_batch *b) {
  trm_var *x = trm_net_flatten(tape, trm_net_values(tape, b));
  const trm_sequences rows = trm_sequences_equal(b->n, 1);
  x = trm_op_dropout(tape, x, m->input_dropout, &rows);
  for (int64_t k = 0; k < m->n_levels; ++k) {
    const int32_t *levels = b->values.levels ? b->values.levels + k * b->n : NULL;
    trm_var *vectors = trm_op_embedding(tape, trm_tape_param(tape, m->levels[k]), levels, b->n);
    x = x->n > 0 || b->n == 0 ? trm_op_concat(tape, x, vectors) : vectors;
  }
  return x;
}

trm_var *trm_dense_outputs(void *self, trm_tape *tape, const trm_batch *batch) {
  const dense *m = self;
  return trm_net_dense(&m->net, tape, inputs(m, tape, batch->samples), m->layers, m->n_layers);
}

trm_var *trm_dense_loss_of(void *self, trm_tape *tape, trm_var *outputs, const trm_batch *batch) {
  return trm_sample_loss_of(&((const dense *)self)->loss, tape, outputs, batch->samples);
}
