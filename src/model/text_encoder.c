#include "text_encoder.h"

#include <math.h>
#include <stdio.h>

#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.text_layers", "1", 1, 1024, "", TRM_ON_MODEL,
                "Transformer layers that read a text."),
    TRM_KEY_INT("model.heads", "4", 1, 1024, "", TRM_ON_MODEL,
                "Attention heads of a layer that reads texts; must divide model.width."),
    TRM_KEY_INT("model.ff_width", "0", 0, 1048576, "", TRM_ON_MODEL,
                "Hidden width of the feed-forward part; 0: four times model.width."),
    TRM_KEY_INT("model.context", "32", 1, 65536, "words", TRM_ON_RESULT,
                "Words of a text that are read, from its first on."),
};
/* Of an element that comes out: about that of the vectors it is added to. */
static const double std_out = 0.1;

const trm_config_rows trm_text_encoder_keys = TRM_CONFIG_ROWS(keys);

static trm_status configure(const trm_config *config, trm_transformer *t) {
  *t = (trm_transformer){.layers = trm_config_int(config, "model.text_layers"),
                         .heads = trm_config_int(config, "model.heads"),
                         .width = trm_config_int(config, "model.width"),
                         .ff_width = trm_config_int(config, "model.ff_width"),
                         .context = trm_config_int(config, "model.context"),
                         .dropout = trm_config_real(config, "model.input_dropout"),
                         .bias = true,
                         .xavier = true};
  return trm_transformer_settle(t, true);
}

/* Vectors of words, which are features of nodes; they are multiplied by sqrt(width) when they are read. */
static trm_status add_words(trm_text_encoder *e, trm_params *params, int64_t n_words,
                            const char *path) {
  const int64_t shape[2] = {n_words, e->t.width};
  TRM_TRY(trm_params_add(params, &e->words.tokens, 2, shape, TRM_INIT_NORMAL,
                         1 / sqrt((double)e->t.width), true, "%s/wte/weight", path));
  trm_params_mark(params, e->words.tokens, TRM_ROLE_EMBEDDING);
  e->words.positions = -1;
  return TRM_OK;
}

static trm_status add_parameters(trm_text_encoder *e, trm_params *params, int64_t n_words,
                                 const char *path) {
  char name[48];
  TRM_TRY(add_words(e, params, n_words, path));
  for (int64_t i = 0; i < e->t.layers; ++i) {
    (void)snprintf(name, sizeof name, "%s/blocks/%lld", path, (long long)i);
    TRM_TRY(trm_transformer_layer_add(&e->t, params, &e->layers[i], false, name));
  }
  (void)snprintf(name, sizeof name, "%s/ln_f", path);
  TRM_TRY(trm_norm_add(&e->t, params, &e->norm, name));
  e->out.bias = -1;
  return trm_params_add(params, &e->out.weight, 2, (int64_t[]){e->t.width, e->t.width},
                        TRM_INIT_NORMAL, std_out / sqrt((double)e->t.width), true, "%s/out/weight",
                        path);
}

trm_status trm_text_encoder_create(const trm_config *config, trm_params *params, int64_t n_words,
                                   const char *path, trm_text_encoder *e) {
  TRM_TRY(configure(config, &e->t));
  TRM_TRY(TRM_ALLOC(&e->layers, e->t.layers, "model"));
  return add_parameters(e, params, n_words, path);
}

void trm_text_encoder_release(trm_text_encoder *e) {
  trm_transformer_release(&e->t);
  TRM_FREE(e->layers);
}

trm_var *trm_text_encoder_run(const trm_text_encoder *e, trm_tape *tape, const int32_t *words,
                              const trm_sequences *texts) {
  trm_var *x = trm_embed(&e->t, tape, e->words, words, texts);
  for (int64_t i = 0; i < e->t.layers; ++i) {
    x = trm_transformer_layer_run(&e->t, tape, &e->layers[i], x, texts, false, NULL, NULL);
  }
  x = trm_linear(tape, trm_tape_operand(tape, trm_norm(tape, x, e->norm)), e->out);
  return trm_op_segment_pool(tape, x, texts->offsets, texts->n, TRM_POOL_MEAN);
}
