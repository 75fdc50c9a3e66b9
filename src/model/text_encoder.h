/**
 * A Transformer that makes a vector of a short text of a node: the mean of its words' rows.
 *
 *   x = sqrt(width) wte[words] + waves;  x = layer(x) for each layer, pre-norm;  y = mean of W norm(x)
 *
 * For passes over several blocks (trm_pass.sequence_blocks), and for those over one.
 *
 * Source: Vaswani et al. 2017, arXiv:1706.03762, section 3 (the encoder); pre-norm: Xiong et al. 2020,
 * arXiv:2002.04745.
 */
#ifndef TRIREME_MODEL_TEXT_ENCODER_H
#define TRIREME_MODEL_TEXT_ENCODER_H

#include "transformer.h"

/** Keys of an encoder beside the model's own model.width and model.dropout. */
extern const trm_config_rows trm_text_encoder_keys;

typedef struct trm_text_encoder {
  trm_transformer t;
  trm_embedding_rows words;
  trm_transformer_layer *layers; /* [t.layers], owned */
  trm_affine norm, out;          /* out: without a bias */
} trm_text_encoder;

/** Parameters below `path` ("text") for n_words different words; model.input_dropout acts on words' rows.
 *  @return TRM_ERR_CONFIG, TRM_ERR_MEMORY; after a failure too, *e is for trm_text_encoder_release */
trm_status trm_text_encoder_create(const trm_config *config, trm_params *params, int64_t n_words,
                                   const char *path, trm_text_encoder *e);
void trm_text_encoder_release(trm_text_encoder *e);
/** y[texts->n, width]; 0 for a text without words. */
trm_var *trm_text_encoder_run(const trm_text_encoder *e, trm_tape *tape, const int32_t *words,
                              const trm_sequences *texts);

#endif
