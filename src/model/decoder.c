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
#include <stdio.h>

#include "transformer.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.layers", "4", 1, 1024, "", TRM_ON_MODEL,
                "Transformer blocks, one on the other."),
    TRM_KEY_INT("model.context", "64", 1, 1048576, "tokens", TRM_ON_MODEL,
                "Length of a sequence: how far back attention looks."),
    TRM_KEY_REAL("model.dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Probability that an activation is dropped while training."),
    TRM_KEY_BOOL("model.tied", "false", TRM_ON_MODEL, "The output matrix is the input embedding."),
    TRM_KEY_CHOICE("model.positions", "learned", "learned|sinusoidal", TRM_ON_MODEL,
                   "How a token knows its place: a trained table or fixed waves."),
    TRM_KEY_CHOICE("model.activation", "gelu", "gelu|relu", TRM_ON_MODEL,
                   "Non-linearity of the feed-forward part."),
    TRM_KEY_CHOICE("model.norm", "pre", "pre|post", TRM_ON_MODEL,
                   "Layer norm before each part of a layer, or behind its residual."),
    TRM_KEY_CHOICE("model.init", "normal", "xavier|normal", TRM_ON_MODEL,
                   "First weights: normal of deviation 0.02, as GPT; or uniform by Glorot's rule, "
                   "with token vectors scaled by the root of the width."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct decoder {
  trm_transformer t;
  bool tied;
  trm_embedding_rows embedding;
  trm_transformer_layer *layers; /* [t.layers], owned */
  trm_affine ln_f;               /* pre-norm only */
  int head;
} decoder;

static void destroy(void *self) {
  decoder *d = self;
  if (!d) return;
  trm_transformer_release(&d->t);
  TRM_FREE(d->layers);
  TRM_FREE(d);
}

static trm_status add_parameters(decoder *d, trm_params *params, int64_t vocab) {
  const trm_transformer *t = &d->t;
  char path[32];
  TRM_TRY(trm_token_vectors_add(t, params, &d->embedding.tokens, vocab, "wte"));
  TRM_TRY(trm_positions_add(t, params, &d->embedding.positions, "wpe"));
  for (int64_t i = 0; i < t->layers; ++i) {
    (void)snprintf(path, sizeof path, "blocks/%lld", (long long)i);
    TRM_TRY(trm_transformer_layer_add(t, params, &d->layers[i], false, path));
    d->layers[i].drop_path = trm_drop_path_of(t->drop_path, i, t->layers);
  }
  if (!t->post_norm) TRM_TRY(trm_norm_add(t, params, &d->ln_f, "ln_f"));
  d->head = d->embedding.tokens;
  if (d->tied) return TRM_OK;
  TRM_TRY(trm_token_vectors_add(t, params, &d->head, vocab, "head"));
  trm_params_mark(params, d->head, TRM_ROLE_HEAD);
  return TRM_OK;
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  decoder *d = NULL;
  TRM_TRY(TRM_ALLOC(&d, 1, "model"));
  TRM_TRY_OUT(trm_transformer_configure(config, &d->t));
  d->tied = trm_config_bool(config, "model.tied");
  TRM_TRY_OUT(TRM_ALLOC(&d->layers, d->t.layers, "model"));
  TRM_TRY_OUT(add_parameters(d, params, dims->n_outputs));
  *self = d;
  return TRM_OK;
out:
  destroy(d);
  return status;
}

/* ---- forward -------------------------------------------------------------------------------- */

/* Up to the output layer. */
static trm_var *body(const decoder *d, trm_tape *tape, const trm_batch *batch) {
  const trm_tokens *tokens = batch->tokens;
  const trm_sequences s = trm_sequences_equal(tokens->N, tokens->T);
  trm_var *x = trm_embed(&d->t, tape, d->embedding, tokens->inputs, &s);
  for (int64_t i = 0; i < d->t.layers; ++i) {
    x = trm_transformer_layer_run(&d->t, tape, &d->layers[i], x, &s, true, NULL, NULL);
  }
  return trm_transformer_end(&d->t, tape, x, d->ln_f);
}

static trm_var *logits(void *self, trm_tape *tape, const trm_batch *batch) {
  const decoder *d = self;
  return trm_op_linear(tape, body(d, tape, batch), trm_tape_param(tape, d->head), NULL);
}

static trm_var *loss(void *self, trm_tape *tape, const trm_batch *batch) {
  const decoder *d = self;
  return trm_op_linear_xent(tape, body(d, tape, batch), trm_tape_param(tape, d->head),
                            batch->tokens->targets, NULL);
}

/* ---- writing token by token ------------------------------------------------------------------- */

static trm_kept_sizes kept(const void *self) {
  const decoder *d = self;
  return (trm_kept_sizes){.layers = d->t.layers, .width = d->t.width, .context = d->t.context};
}

static trm_var *step(void *self, trm_tape *tape, const trm_step_batch *batch) {
  const decoder *d = self;
  trm_var *x = trm_embed_step(&d->t, tape, d->embedding, batch);
  for (int64_t i = 0; i < d->t.layers; ++i) {
    x = trm_transformer_layer_step(&d->t, tape, &d->layers[i], x, batch, i);
  }
  x = trm_last_rows(tape, x, batch);
  return trm_transformer_end(&d->t, tape, x, d->ln_f);
}

static trm_var *head(void *self, trm_tape *tape) {
  const decoder *d = self;
  return trm_tape_param(tape, d->head);
}

const trm_model_kind trm_model_decoder = {TRM_MODEL_PART("decoder", &trm_transformer_keys, &rows),
                                          .data = {"text"},
                                          .create = create,
                                          .destroy = destroy,
                                          .outputs = logits,
                                          .loss = loss,
                                          .kept = kept,
                                          .step = step,
                                          .head = head};
