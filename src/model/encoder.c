/*
 * Encoder: a Transformer that reads a whole sample and says one thing of it, a class or a number.
 *
 *   x = s wte[tokens] + wpe[place];  x = layer(x) for each layer (s: 1, or sqrt(width) by model.init)
 *   logits = head(pool(x))
 *
 * Source: Vaswani et al. 2017, arXiv:1706.03762, section 3 (the encoder, post-norm); pooling of the
 * first token: Devlin et al. 2018, arXiv:1810.04805.
 */
#include <stdio.h>

#include "model_internal.h"
#include "sample_loss.h"
#include "transformer.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_CHOICE(
        "model.pooling", "mean", "mean|max|first", TRM_ON_MODEL,
        "How the rows of a sample become one: their mean, their maximum, or the row of a "
        "<s> put before it."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct encoder {
  trm_transformer t;
  trm_pool pooling;
  trm_sample_loss loss;
  trm_embedding_rows embedding;
  trm_transformer_layer *layers; /* [t.layers], owned */
  trm_affine ln_f;               /* pre-norm only */
  trm_affine head;
} encoder;

static void destroy(void *self) {
  encoder *e = self;
  if (!e) return;
  trm_transformer_release(&e->t);
  TRM_FREE(e->layers);
  TRM_FREE(e);
}

static trm_status add_parameters(encoder *e, trm_params *params, const trm_model_dims *dims) {
  char path[32];
  TRM_TRY(trm_token_vectors_add(&e->t, params, &e->embedding.tokens, dims->n_inputs, "wte"));
  TRM_TRY(trm_positions_add(&e->t, params, &e->embedding.positions, "wpe"));
  for (int64_t i = 0; i < e->t.layers; ++i) {
    (void)snprintf(path, sizeof path, "blocks/%lld", (long long)i);
    TRM_TRY(trm_transformer_layer_add(&e->t, params, &e->layers[i], false, path));
    e->layers[i].drop_path = trm_drop_path_of(e->t.drop_path, i, e->t.layers);
  }
  if (!e->t.post_norm) TRM_TRY(trm_norm_add(&e->t, params, &e->ln_f, "ln_f"));
  TRM_TRY(trm_affine_add(&e->t, params, &e->head, dims->n_outputs, e->t.width, false, "head"));
  trm_params_mark(params, e->head.weight, TRM_ROLE_HEAD);
  return TRM_OK;
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  encoder *e = NULL;
  TRM_TRY(TRM_ALLOC(&e, 1, "model"));
  TRM_TRY_OUT(trm_transformer_configure(config, &e->t));
  e->pooling = trm_config_is(config, "model.pooling", "mean")  ? TRM_POOL_MEAN
               : trm_config_is(config, "model.pooling", "max") ? TRM_POOL_MAX
                                                               : TRM_POOL_FIRST;
  trm_sample_loss_configure(config, dims, &e->loss);
  e->embedding.attacked = true;
  TRM_TRY_OUT(TRM_ALLOC(&e->layers, e->t.layers, "model"));
  TRM_TRY_OUT(add_parameters(e, params, dims));
  *self = e;
  return TRM_OK;
out:
  destroy(e);
  return status;
}

static trm_frame frame(const trm_config *config) {
  return (trm_frame){.tokens = true,
                     .input_begin = trm_config_is(config, "model.pooling", "first")};
}

static trm_var *outputs(void *self, trm_tape *tape, const trm_batch *batch) {
  const encoder *e = self;
  const trm_sample_batch *b = batch->samples;
  const trm_sequences *s = &b->inputs;
  trm_var *x = trm_embed(&e->t, tape, e->embedding, b->input_tokens, s);
  for (int64_t i = 0; i < e->t.layers; ++i) {
    x = trm_transformer_layer_run(&e->t, tape, &e->layers[i], x, s, false, NULL, NULL);
  }
  if (!e->t.post_norm) x = trm_norm(tape, x, e->ln_f);
  const trm_sequences single = {.n = s->n, .n_rows = s->n, .longest = 1};
  x = trm_op_segment_pool(tape, x, s->offsets, s->n, e->pooling);
  return trm_linear(tape, trm_op_dropout(tape, x, e->t.dropout, &single), e->head);
}

static trm_var *loss_of(void *self, trm_tape *tape, trm_var *y, const trm_batch *batch) {
  return trm_sample_loss_of(&((const encoder *)self)->loss, tape, y, batch->samples);
}

const trm_model_kind trm_model_encoder = {TRM_MODEL_PART("encoder", &trm_transformer_keys,
                                                         &trm_transformer_sample_keys, &rows,
                                                         &trm_number_loss_keys),
                                          .more = {&trm_huber_part},
                                          .data = {"samples"},
                                          .create = create,
                                          .destroy = destroy,
                                          .outputs = outputs,
                                          .loss_of = loss_of,
                                          .frame = frame};
