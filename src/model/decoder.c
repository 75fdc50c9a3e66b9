/*
 * Decoder: a pre-norm Transformer language model (GPT).
 *
 *   x = wte[tokens] + wpe[position]
 *   x = x + attention(layernorm(x));  x = x + mlp(layernorm(x))      for each block
 *   logits = layernorm(x) head^T
 *
 * Source: Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3,
 * after Vaswani et al. 2017, arXiv:1706.03762. Initial deviations as there: 0.02, and 0.02 /
 * sqrt(2 layers) for the projections that write into the residual stream.
 */
#include <math.h>
#include <string.h>

#include "model_internal.h"
#include "trireme/core/memory.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.layers", "4", 1, 1024, "", TRM_ON_MODEL,
                "Transformer blocks, one on the other."),
    TRM_KEY_INT("model.heads", "4", 1, 1024, "", TRM_ON_MODEL,
                "Attention heads; must divide model.width."),
    TRM_KEY_INT("model.width", "128", 1, 65536, "", TRM_ON_MODEL,
                "Length of a token's vector between layers."),
    TRM_KEY_INT("model.context", "64", 1, 1048576, "tokens", TRM_ON_MODEL,
                "Length of a sequence: how far back attention looks."),
    TRM_KEY_INT("model.ff_width", "0", 0, 1048576, "", TRM_ON_MODEL,
                "Hidden width of the feed-forward part; 0: four times model.width."),
    TRM_KEY_REAL("model.dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an activation is dropped while training."),
    TRM_KEY_REAL("model.attention_dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an attention weight is dropped while training."),
    TRM_KEY_BOOL("model.tied", "false", TRM_ON_MODEL, "The output matrix is the input embedding."),
    TRM_KEY_BOOL("model.bias", "true", TRM_ON_MODEL, "Linear layers and norms have biases."),
    TRM_KEY_CHOICE("model.positions", "learned", "learned|sinusoidal", TRM_ON_MODEL,
                   "How a token knows its place: a trained table or fixed waves."),
    TRM_KEY_CHOICE("model.activation", "gelu", "gelu|relu", TRM_ON_MODEL,
                   "Non-linearity of the feed-forward part."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

/* Rows of the parameter table; -1: the model has none (no bias, tied output). */
typedef struct affine {
  int weight, bias;
} affine;

typedef struct block {
  affine ln1, qkv, proj, ln2, fc, fc_proj;
} block;

typedef struct decoder {
  int64_t layers, heads, width, context, ff_width, vocab;
  double dropout, attention_dropout;
  bool tied, bias, gelu;
  trm_real *sinusoidal; /* [context, width], NULL with learned positions; owned */
  int wte, wpe;
  block *blocks; /* [layers], owned */
  affine ln_f;
  int head;
} decoder;

/* ---- parameters ----------------------------------------------------------------------------- */

static const double std_init = 0.02;

static trm_status add_linear(const decoder *d, trm_params *params, affine *a, int64_t out,
                             int64_t in, double std, const char *name, int64_t layer) {
  TRM_TRY(trm_params_add(params, &a->weight, 2, (int64_t[]){out, in}, TRM_INIT_NORMAL, std, true,
                         "blocks/%lld/%s/weight", (long long)layer, name));
  a->bias = -1;
  if (!d->bias) return TRM_OK;
  return trm_params_add(params, &a->bias, 1, &out, TRM_INIT_ZERO, 0, false, "blocks/%lld/%s/bias",
                        (long long)layer, name);
}

/* `path` is "blocks/3/ln1" or "ln_f". */
static trm_status add_norm(const decoder *d, trm_params *params, affine *a, const char *path) {
  TRM_TRY(
      trm_params_add(params, &a->weight, 1, &d->width, TRM_INIT_ONE, 0, false, "%s/weight", path));
  a->bias = -1;
  if (!d->bias) return TRM_OK;
  return trm_params_add(params, &a->bias, 1, &d->width, TRM_INIT_ZERO, 0, false, "%s/bias", path);
}

static trm_status add_block(const decoder *d, trm_params *params, block *b, int64_t layer) {
  const int64_t C = d->width, F = d->ff_width;
  const double std_residual = std_init / sqrt(2 * (double)d->layers);
  char path[64];
  (void)snprintf(path, sizeof path, "blocks/%lld/ln1", (long long)layer);
  TRM_TRY(add_norm(d, params, &b->ln1, path));
  TRM_TRY(add_linear(d, params, &b->qkv, 3 * C, C, std_init, "attn/qkv", layer));
  TRM_TRY(add_linear(d, params, &b->proj, C, C, std_residual, "attn/proj", layer));
  (void)snprintf(path, sizeof path, "blocks/%lld/ln2", (long long)layer);
  TRM_TRY(add_norm(d, params, &b->ln2, path));
  TRM_TRY(add_linear(d, params, &b->fc, F, C, std_init, "mlp/fc", layer));
  TRM_TRY(add_linear(d, params, &b->fc_proj, C, F, std_residual, "mlp/proj", layer));
  return TRM_OK;
}

static trm_status add_parameters(decoder *d, trm_params *params) {
  const int64_t token_dims[2] = {d->vocab, d->width}, position_dims[2] = {d->context, d->width};
  TRM_TRY(trm_params_add(params, &d->wte, 2, token_dims, TRM_INIT_NORMAL, std_init, true,
                         "wte/weight"));
  d->wpe = -1;
  if (!d->sinusoidal) {
    TRM_TRY(trm_params_add(params, &d->wpe, 2, position_dims, TRM_INIT_NORMAL, std_init, true,
                           "wpe/weight"));
  }
  for (int64_t i = 0; i < d->layers; ++i) TRM_TRY(add_block(d, params, &d->blocks[i], i));
  TRM_TRY(add_norm(d, params, &d->ln_f, "ln_f"));
  d->head = d->wte;
  if (d->tied) return TRM_OK;
  return trm_params_add(params, &d->head, 2, token_dims, TRM_INIT_NORMAL, std_init, true,
                        "head/weight");
}

/* ---- life ----------------------------------------------------------------------------------- */

static void destroy(void *self) {
  decoder *d = self;
  if (!d) return;
  TRM_FREE(d->sinusoidal);
  TRM_FREE(d->blocks);
  TRM_FREE(d);
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  decoder *d = NULL;
  TRM_TRY(TRM_ALLOC(&d, 1, "model"));
  d->layers = trm_config_int(config, "model.layers");
  d->heads = trm_config_int(config, "model.heads");
  d->width = trm_config_int(config, "model.width");
  d->context = trm_config_int(config, "model.context");
  d->ff_width = trm_config_int(config, "model.ff_width");
  d->dropout = trm_config_real(config, "model.dropout");
  d->attention_dropout = trm_config_real(config, "model.attention_dropout");
  d->tied = trm_config_bool(config, "model.tied");
  d->bias = trm_config_bool(config, "model.bias");
  d->gelu = trm_config_is(config, "model.activation", "gelu");
  d->vocab = dims->n_outputs;
  if (d->ff_width == 0) d->ff_width = 4 * d->width;
  if (d->width % d->heads != 0) {
    status = trm_fail(TRM_ERR_CONFIG,
                      "model.width is %lld, which model.heads (%lld) does not "
                      "divide; choose a multiple",
                      (long long)d->width, (long long)d->heads);
    goto out;
  }
  TRM_TRY_OUT(TRM_ALLOC(&d->blocks, d->layers, "model"));
  if (trm_config_is(config, "model.positions", "sinusoidal")) {
    TRM_TRY_OUT(TRM_ALLOC(&d->sinusoidal, d->context * d->width, "position table"));
    trm_position_sinusoidal(d->sinusoidal, d->context, d->width);
  }
  TRM_TRY_OUT(add_parameters(d, params));
  *self = d;
  return TRM_OK;
out:
  destroy(d);
  return status;
}

/* ---- forward -------------------------------------------------------------------------------- */

static trm_var *param(trm_tape *t, int row) {
  return row < 0 ? NULL : trm_tape_param(t, row);
}

static trm_var *linear(trm_tape *t, trm_var *x, affine a) {
  return trm_op_linear(t, x, param(t, a.weight), param(t, a.bias));
}

static trm_var *norm(trm_tape *t, trm_var *x, affine a) {
  return trm_op_layernorm(t, x, param(t, a.weight), param(t, a.bias));
}

static trm_var *attention(const decoder *d, trm_tape *t, trm_var *x, const block *b,
                          const trm_sequences *s) {
  trm_var *y = trm_op_attention(t, linear(t, x, b->qkv), s, d->heads, true, d->attention_dropout);
  return trm_op_dropout(t, linear(t, y, b->proj), d->dropout, s);
}

static trm_var *mlp(const decoder *d, trm_tape *t, trm_var *x, const block *b,
                    const trm_sequences *s) {
  trm_var *h = linear(t, x, b->fc);
  h = d->gelu ? trm_op_gelu(t, h) : trm_op_relu(t, h);
  return trm_op_dropout(t, linear(t, h, b->fc_proj), d->dropout, s);
}

/* [context, width] as a variable: a parameter, or the constant table. */
static trm_var *positions(const decoder *d, trm_tape *t) {
  if (!d->sinusoidal) return trm_tape_param(t, d->wpe);
  return trm_tape_input(t, d->sinusoidal, 2, (int64_t[]){d->context, d->width}, false);
}

/* Up to the norm before the output layer. */
static trm_var *body(const decoder *d, trm_tape *t, const trm_batch *batch) {
  const trm_tokens *tokens = batch->tokens;
  const trm_sequences s = trm_sequences_equal(tokens->N, tokens->T);
  trm_var *x = trm_op_embedding(t, trm_tape_param(t, d->wte), tokens->inputs, s.n_rows);
  x = trm_op_position(t, x, positions(d, t), &s, 1);
  x = trm_op_dropout(t, x, d->dropout, &s);
  for (int64_t i = 0; i < d->layers; ++i) {
    const block *b = &d->blocks[i];
    x = trm_op_add(t, x, attention(d, t, norm(t, x, b->ln1), b, &s));
    x = trm_op_add(t, x, mlp(d, t, norm(t, x, b->ln2), b, &s));
  }
  return norm(t, x, d->ln_f);
}

static trm_var *logits(void *self, trm_tape *t, const trm_batch *batch) {
  const decoder *d = self;
  trm_var *x = body(d, t, batch);
  return trm_op_linear(t, x, trm_tape_param(t, d->head), NULL);
}

static trm_var *loss(void *self, trm_tape *t, const trm_batch *batch) {
  const decoder *d = self;
  trm_var *x = body(d, t, batch);
  return trm_op_linear_xent(t, x, trm_tape_param(t, d->head), batch->tokens->targets, NULL);
}

const trm_model_kind trm_model_decoder = {TRM_MODEL_PART("decoder", &rows),
                                          .data = {"text"},
                                          .create = create,
                                          .destroy = destroy,
                                          .outputs = logits,
                                          .loss = loss};
