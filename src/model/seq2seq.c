/*
 * Encoder and decoder: a Transformer that reads a sequence and writes another.
 *
 *   memory = layers(source[tokens] + places)
 *   y = layers(target[tokens so far] + places; attention to the past, then to memory)
 *   logits = y head^T
 *
 * Source: Vaswani et al. 2017, arXiv:1706.03762, section 3. Layers are post-norm as there, or pre-norm
 * with a norm at the end of each stack.
 */
#include <stdio.h>

#include "transformer.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.decoder_layers", "0", 0, 1024, "", TRM_ON_MODEL,
                "Layers of the decoder; 0: as many as model.layers."),
    TRM_KEY_CHOICE("model.embeddings", "separate", "separate|shared", TRM_ON_MODEL,
                   "Token vectors of source and target: two tables, or one where there is one "
                   "vocabulary."),
    TRM_KEY_BOOL("model.tied", "true", TRM_ON_MODEL,
                 "The output matrix is the target's table of token vectors."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct stack {
  trm_embedding_rows embedding;
  int64_t n;                     /* layers */
  trm_transformer_layer *layers; /* [n], owned */
  trm_affine ln_f;               /* pre-norm only */
} stack;

typedef struct seq2seq {
  trm_transformer t;
  bool tied;
  double smoothing;
  stack encoder, decoder;
  int head;
} seq2seq;

static void destroy(void *self) {
  seq2seq *m = self;
  if (!m) return;
  trm_transformer_release(&m->t);
  TRM_FREE(m->encoder.layers);
  TRM_FREE(m->decoder.layers);
  TRM_FREE(m);
}

/* ---- parameters ------------------------------------------------------------------------------ */

static trm_status add_layers(const seq2seq *m, trm_params *params, stack *s, bool cross,
                             const char *side) {
  char path[48];
  TRM_TRY(TRM_ALLOC(&s->layers, s->n, "model"));
  for (int64_t i = 0; i < s->n; ++i) {
    (void)snprintf(path, sizeof path, "%s/blocks/%lld", side, (long long)i);
    TRM_TRY(trm_transformer_layer_add(&m->t, params, &s->layers[i], cross, path));
    s->layers[i].drop_path = trm_drop_path_of(m->t.drop_path, i, s->n);
  }
  if (m->t.post_norm) return TRM_OK;
  (void)snprintf(path, sizeof path, "%s/ln_f", side);
  return trm_norm_add(&m->t, params, &s->ln_f, path);
}

static trm_status add_parameters(seq2seq *m, trm_params *params, const trm_model_dims *dims,
                                 bool shared) {
  const trm_transformer *t = &m->t;
  trm_embedding_rows *source = &m->encoder.embedding, *target = &m->decoder.embedding;
  TRM_TRY(trm_token_vectors_add(t, params, &source->tokens, dims->n_inputs,
                                shared ? "wte" : "encoder/wte"));
  TRM_TRY(trm_positions_add(t, params, &source->positions, "encoder/wpe"));
  TRM_TRY(add_layers(m, params, &m->encoder, false, "encoder"));
  target->tokens = source->tokens;
  if (!shared) {
    TRM_TRY(trm_token_vectors_add(t, params, &target->tokens, dims->n_outputs, "decoder/wte"));
  }
  TRM_TRY(trm_positions_add(t, params, &target->positions, "decoder/wpe"));
  TRM_TRY(add_layers(m, params, &m->decoder, true, "decoder"));
  m->head = target->tokens;
  if (m->tied) return TRM_OK;
  TRM_TRY(trm_token_vectors_add(t, params, &m->head, dims->n_outputs, "head"));
  trm_params_mark(params, m->head, TRM_ROLE_HEAD);
  return TRM_OK;
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  seq2seq *m = NULL;
  const bool shared = trm_config_is(config, "model.embeddings", "shared");
  TRM_TRY(TRM_ALLOC(&m, 1, "model"));
  TRM_TRY_OUT(trm_transformer_configure(config, &m->t));
  m->tied = trm_config_bool(config, "model.tied");
  m->smoothing = trm_config_real(config, "loss.label_smoothing");
  m->encoder.n = m->t.layers;
  m->encoder.embedding.attacked = true;
  m->decoder.n = trm_config_int(config, "model.decoder_layers");
  if (m->decoder.n == 0) m->decoder.n = m->t.layers;
  if (shared && !dims->shared) {
    status = trm_fail(TRM_ERR_CONFIG,
                      "model.embeddings is 'shared', but the data set has a vocabulary for each "
                      "side; set it to separate, or prepare the data with --vocab shared");
    goto out;
  }
  TRM_TRY_OUT(add_parameters(m, params, dims, shared));
  *self = m;
  return TRM_OK;
out:
  destroy(m);
  return status;
}

static trm_frame frame(const trm_config *config) {
  (void)config;
  return (trm_frame){.tokens = true, .input_end = true, .outputs = true};
}

/* ---- forward --------------------------------------------------------------------------------- */

static trm_var *encode(const seq2seq *m, trm_tape *tape, const trm_sample_batch *b) {
  const stack *s = &m->encoder;
  trm_var *x = trm_embed(&m->t, tape, s->embedding, b->input_tokens, &b->inputs);
  for (int64_t i = 0; i < s->n; ++i) {
    x = trm_transformer_layer_run(&m->t, tape, &s->layers[i], x, &b->inputs, false, NULL, NULL);
  }
  return trm_transformer_end(&m->t, tape, x, s->ln_f);
}

/* Up to the output layer. */
static trm_var *body(const seq2seq *m, trm_tape *tape, const trm_sample_batch *b) {
  const stack *s = &m->decoder;
  trm_var *memory = encode(m, tape, b);
  trm_var *y = trm_embed(&m->t, tape, s->embedding, b->output_tokens, &b->outputs);
  for (int64_t i = 0; i < s->n; ++i) {
    y = trm_transformer_layer_run(&m->t, tape, &s->layers[i], y, &b->outputs, true, memory,
                                  &b->inputs);
  }
  return trm_transformer_end(&m->t, tape, y, s->ln_f);
}

static trm_var *outputs(void *self, trm_tape *tape, const trm_batch *batch) {
  const seq2seq *m = self;
  return trm_op_linear(tape, body(m, tape, batch->samples), trm_tape_param(tape, m->head), NULL);
}

static trm_var *loss(void *self, trm_tape *tape, const trm_batch *batch) {
  const seq2seq *m = self;
  const trm_xent how = {.smoothing = m->smoothing};
  return trm_op_linear_xent(tape, body(m, tape, batch->samples), trm_tape_param(tape, m->head),
                            batch->samples->targets, &how);
}

/* ---- writing token by token ------------------------------------------------------------------- */

static trm_kept_sizes kept(const void *self) {
  const seq2seq *m = self;
  return (trm_kept_sizes){
      .layers = m->decoder.n, .width = m->t.width, .context = m->t.context, .cross = true};
}

static void encode_inputs(void *self, trm_tape *tape, const trm_sample_batch *batch,
                          trm_real *const *kept_rows) {
  const seq2seq *m = self;
  trm_var *memory = encode(m, tape, batch);
  for (int64_t i = 0; i < m->decoder.n; ++i) {
    trm_transformer_layer_keep(tape, &m->decoder.layers[i], memory, kept_rows[i]);
  }
}

static trm_var *step(void *self, trm_tape *tape, const trm_step_batch *batch) {
  const seq2seq *m = self;
  const stack *s = &m->decoder;
  trm_var *y = trm_embed_step(&m->t, tape, s->embedding, batch);
  for (int64_t i = 0; i < s->n; ++i) {
    y = trm_transformer_layer_step(&m->t, tape, &s->layers[i], y, batch, i);
  }
  y = trm_last_rows(tape, y, batch);
  return trm_transformer_end(&m->t, tape, y, s->ln_f);
}

static trm_var *head(void *self, trm_tape *tape) {
  const seq2seq *m = self;
  return trm_tape_param(tape, m->head);
}

const trm_model_kind trm_model_seq2seq = {
    TRM_MODEL_PART("seq2seq", &trm_transformer_keys, &trm_transformer_sample_keys, &rows),
    .data = {"samples"},
    .create = create,
    .destroy = destroy,
    .outputs = outputs,
    .loss = loss,
    .kept = kept,
    .encode = encode_inputs,
    .step = step,
    .head = head,
    .frame = frame};
