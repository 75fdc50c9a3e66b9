/**
 * Models: a table of families, each in one file, built from the configuration.
 * Not collective; knows nothing of MPI.
 */
#ifndef TRIREME_MODEL_MODEL_H
#define TRIREME_MODEL_MODEL_H

#include <stdint.h>

#include "trireme/core/batch.h"
#include "trireme/core/config.h"
#include "trireme/nn/ops.h"
#include "trireme/nn/params.h"
#include "trireme/nn/tape.h"

/** Sizes a data set gives to a model; those a kind of data does not have are 0. */
typedef struct trm_model_dims {
  int64_t n_outputs; /* tokens of the vocabulary, or classes; 1 for numbers */
  int64_t n_inputs;  /* tokens of the vocabulary of samples */
  int n_value_dims;  /* of samples that are numbers: as trm_values has them */
  int64_t value_dims[3];
  int64_t n_levels; /* columns of categories that are handed over as levels */
  const int64_t
      *levels;        /* [n_levels] levels of each, the one for what is missing included; kept while
                            the model is created */
  bool shared;        /* of samples: inputs and outputs have one vocabulary */
  bool numbers;       /* outputs are numbers */
  bool class_sets;    /* a sample may have several classes, or none */
  int64_t n_features; /* of a node */
  bool sparse;        /* features are sparse */
  int64_t n_nodes;    /* with a vector of their own: users and items, products of a shop */
  int64_t n_facts, n_habits; /* of a shop: numbers of a node on a day, of a pair that was bought */
  int64_t n_words; /* of a shop: features that are words of texts in their order; 0: there are
                                no such texts */
} trm_model_dims;

/** What writing token by token keeps of a sequence: for each layer rows of keys and values. */
typedef struct trm_kept_sizes {
  int64_t layers, width; /* a row is [2 width] */
  int64_t context;       /* longest sequence */
  bool cross;            /* of an input's rows too */
} trm_kept_sizes;

/** New tokens of sequences that are being written. */
typedef struct trm_step_batch {
  trm_sequences fresh;   /* new tokens of each sequence, at least one */
  const int32_t *tokens; /* [fresh.n_rows] */
  const int32_t *places; /* [fresh.n_rows] place of each in its sequence */
  const int32_t *last;   /* [fresh.n] row of the last new token of each; NULL: each has one */
  const trm_kept *self;  /* [layers] */
  const trm_kept *cross; /* [layers] of inputs; NULL without an encoder */
  trm_sequences readers; /* of each input of `cross` the new tokens that look at it: all of them, in
                            their order */
} trm_step_batch;

typedef struct trm_model trm_model;

enum { TRM_MODEL_MAX_DATA = 4, TRM_MODEL_MAX_PARTS = 8 };

/** A model family. */
typedef struct trm_model_kind {
  trm_config_part part; /* its name, a value of model.kind, and the keys it reads */
  const trm_config_part
      *more[TRM_MODEL_MAX_PARTS];       /* what its own keys select; NULL past the last */
  const char *data[TRM_MODEL_MAX_DATA]; /* kinds of data set it works on; NULL past the last */
  /** Reads its keys, adds its parameters to `params` in order of first use. */
  trm_status (*create)(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                       void **self);
  void (*destroy)(void *self);
  /** Logits [N*T, vocab] of tokens, [rows, classes] of nodes or graphs, vectors of users and items. */
  trm_var *(*outputs)(void *self, trm_tape *tape, const trm_batch *batch);
  /** Scalar: the summed loss of outputs; NULL: softmax cross-entropy against the batch's targets. */
  trm_var *(*loss_of)(void *self, trm_tape *tape, trm_var *outputs, const trm_batch *batch);
  /** The same without outputs that are all there; NULL: by outputs and loss_of. */
  trm_var *(*loss)(void *self, trm_tape *tape, const trm_batch *batch);
  /** Hops of message passing; NULL: none. */
  int (*n_hops)(const void *self);
  /** Writing token by token; NULL: the family writes nothing. */
  trm_kept_sizes (*kept)(const void *self);
  /** Reads the inputs of samples; *rows of each layer get their keys and values. NULL: no encoder. */
  void (*encode)(void *self, trm_tape *tape, const trm_sample_batch *batch, trm_real *const *rows);
  /** Rows [fresh.n, width] of the last new token of each sequence, up to the output layer, for it alone
   *  (trm_tape_operand), and its matrix [outputs, width]. */
  trm_var *(*step)(void *self, trm_tape *tape, const trm_step_batch *batch);
  trm_var *(*head)(void *self, trm_tape *tape);
  /** What is to be put around the tokens of samples; NULL: nothing. */
  trm_frame (*frame)(const trm_config *config);
} trm_model_kind;

/**
 * Model named by model.kind; adds to and seals `params` (kept).
 * @return TRM_ERR_CONFIG (keys and sizes that do not fit each other), TRM_ERR_MEMORY
 */
trm_status trm_model_create(const trm_config *config, const trm_model_dims *dims,
                            trm_params *params, trm_model **out);
void trm_model_destroy(trm_model **model);

/** Runs the model on the tape: logits [N*T, vocab] of tokens, [rows, classes] of nodes or graphs,
 *  vectors of users and items. Failures are the tape's (trm_tape_status). */
trm_var *trm_model_outputs(trm_model *model, trm_tape *tape, const trm_batch *batch);
/** The same up to the summed loss of the batch's targets, a scalar. */
trm_var *trm_model_loss(trm_model *model, trm_tape *tape, const trm_batch *batch);
/** The summed loss of outputs that were computed, where the family makes its loss of them
 *  (trm_model_splits). */
trm_var *trm_model_loss_of(trm_model *model, trm_tape *tape, trm_var *outputs,
                           const trm_batch *batch);
bool trm_model_splits(const trm_model *model);
/** Hops of message passing, from a batch's first; 0: none. */
int trm_model_n_hops(const trm_model *model);
/** What writing keeps; layers is 0 where the family writes nothing. */
trm_kept_sizes trm_model_kept(const trm_model *model);
/** Keys and values of inputs, of each layer into rows[layer][inputs.n_rows, 2 width]. */
void trm_model_encode(trm_model *model, trm_tape *tape, const trm_sample_batch *batch,
                      trm_real *const *rows);
/** Rows x[fresh.n, width] whose logits, x head^T, are those of the next token of each sequence; keys and
 *  values of the new tokens go where batch->self says. The bits of a pass over the whole sequence. */
trm_var *trm_model_step(trm_model *model, trm_tape *tape, const trm_step_batch *batch);
/** The output layer, [outputs, width]. */
trm_var *trm_model_head(trm_model *model, trm_tape *tape);
/** What the family named by model.kind puts around the tokens of samples. */
trm_frame trm_model_frame(const trm_config *config);
/** Kinds of data set that the family named by model.kind works on; NULL past the last. Static. */
const char *const *trm_model_data(const trm_config *config);
/** Adds the parts of all families, and the key that chooses among them. */
void trm_model_parts(trm_config_parts *parts);

#endif
