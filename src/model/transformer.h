/**
 * Layers of a Transformer: attention and feed-forward parts, each with a residual and a norm, in the
 * order of the paper (post-norm) or before the part (pre-norm). Models read like stacks of them.
 *
 * Sources: Vaswani et al. 2017, arXiv:1706.03762, section 3; pre-norm: Xiong et al. 2020,
 * arXiv:2002.04745.
 */
#ifndef TRIREME_MODEL_TRANSFORMER_H
#define TRIREME_MODEL_TRANSFORMER_H

#include <stdbool.h>
#include <stdint.h>

#include "model_internal.h"

/** Keys of all Transformers, and more of those on samples (encoder, seq2seq). */
extern const trm_config_rows trm_transformer_keys, trm_transformer_sample_keys;

/** What all layers of a model have in common. */
typedef struct trm_transformer {
  int64_t layers, heads, width, ff_width, context;
  double dropout, attention_dropout;
  double drop_path; /* of the last layer of each stack */
  bool bias, gelu, post_norm;
  bool xavier;          /* first values by Glorot's rule, else normal ones of deviation 0.02 */
  trm_real *sinusoidal; /* [context, width], NULL with learned positions; owned */
} trm_transformer;

/** A layer; `cross` parts are those of a decoder that looks at an encoder's rows. */
typedef struct trm_transformer_layer {
  trm_affine ln1, qkv, proj;
  trm_affine ln_cross, cross_q, cross_kv, cross_proj;
  trm_affine ln2, fc, fc_proj;
  double drop_path; /* probability that a sample skips each of its parts */
} trm_transformer_layer;

/** Tokens with their places: where a stack begins. */
typedef struct trm_embedding_rows {
  int tokens, positions; /* positions -1: fixed waves */
  bool attacked;         /* attacks change the vectors of its tokens (trm_op_nudge) */
} trm_embedding_rows;

/** Reads the keys that all Transformers have, and makes the table of waves.
 *  @return TRM_ERR_CONFIG, TRM_ERR_MEMORY; after a failure too, *t is for trm_transformer_release */
trm_status trm_transformer_configure(const trm_config *config, trm_transformer *t);
/** For a caller that has filled *t in by keys of its own: ff_width 0 becomes four times the width, and the
 *  table of waves is made where they are wanted. Fails as trm_transformer_configure. */
trm_status trm_transformer_settle(trm_transformer *t, bool waves);
void trm_transformer_release(trm_transformer *t);

/** A matrix [out, in] and, if the model has biases, [out]; `name` is the path. `residual`: it writes
 *  into the residual stream. */
trm_status trm_affine_add(const trm_transformer *t, trm_params *params, trm_affine *a, int64_t out,
                          int64_t in, bool residual, const char *name);
/** Scales and shifts [width] of a norm. */
trm_status trm_norm_add(const trm_transformer *t, trm_params *params, trm_affine *a,
                        const char *name);
/** Token vectors [n, width] called `name`. */
trm_status trm_token_vectors_add(const trm_transformer *t, trm_params *params, int *row, int64_t n,
                                 const char *name);
/** Learned positions [context, width] called `name`, unless they are waves: then *row is -1. */
trm_status trm_positions_add(const trm_transformer *t, trm_params *params, int *row,
                             const char *name);
/** Parameters of a layer below `path`, "blocks/3", in order of first use. */
trm_status trm_transformer_layer_add(const trm_transformer *t, trm_params *params,
                                     trm_transformer_layer *layer, bool cross, const char *path);

trm_var *trm_linear(trm_tape *tape, trm_var *x, trm_affine a);
trm_var *trm_norm(trm_tape *tape, trm_var *x, trm_affine a);
/** Vectors of tokens[s->n_rows] plus those of their places, with dropout. */
trm_var *trm_embed(const trm_transformer *t, trm_tape *tape, trm_embedding_rows e,
                   const int32_t *tokens, const trm_sequences *s);
/** Self-attention (causal or not) and feed-forward; with `memory`, rows of `keys`, cross-attention
 *  between the two. */
trm_var *trm_transformer_layer_run(const trm_transformer *t, trm_tape *tape,
                                   const trm_transformer_layer *layer, trm_var *x,
                                   const trm_sequences *s, bool causal, trm_var *memory,
                                   const trm_sequences *keys);
/** What leaves a stack of layers, for linear maps alone: norm(x), or x where its last layer ends in one. */
trm_var *trm_transformer_end(const trm_transformer *t, trm_tape *tape, trm_var *x, trm_affine norm);

/* ---- writing token by token ------------------------------------------------------------------- */

/** Vectors of new tokens with their places. */
trm_var *trm_embed_step(const trm_transformer *t, trm_tape *tape, trm_embedding_rows e,
                        const trm_step_batch *batch);
/** The layer on new rows alone; `number` is its place in batch->self and batch->cross. */
trm_var *trm_transformer_layer_step(const trm_transformer *t, trm_tape *tape,
                                    const trm_transformer_layer *layer, trm_var *x,
                                    const trm_step_batch *batch, int64_t number);
/** Keys and values of `memory` for cross-attention, into rows[memory rows, 2 width]. */
void trm_transformer_layer_keep(trm_tape *tape, const trm_transformer_layer *layer, trm_var *memory,
                                trm_real *rows);
/** The rows that say what comes next, of all new ones. */
trm_var *trm_last_rows(trm_tape *tape, trm_var *x, const trm_step_batch *batch);

#endif
