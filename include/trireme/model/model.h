/**
 * Models: a table of families, each in one file, built from the configuration.
 * Not collective; knows nothing of MPI.
 */
#ifndef TRIREME_MODEL_MODEL_H
#define TRIREME_MODEL_MODEL_H

#include <stdint.h>

#include "trireme/core/config.h"
#include "trireme/nn/params.h"
#include "trireme/nn/tape.h"

/** One block of sequences. */
typedef struct trm_tokens {
  int64_t N, T;           /* sequences, positions */
  const int32_t *inputs;  /* [N*T] */
  const int32_t *targets; /* [N*T], -1: does not count; NULL when no loss is asked */
} trm_tokens;

typedef struct trm_model trm_model;

/** A model family. */
typedef struct trm_model_kind {
  const char *name;
  /** Reads its keys, adds its parameters to `params` in order of first use. */
  trm_status (*create)(const trm_config *config, int64_t vocab, trm_params *params, void **self);
  void (*destroy)(void *self);
  /** Logits [N*T, vocab]. */
  trm_var *(*logits)(void *self, trm_tape *tape, const trm_tokens *tokens);
} trm_model_kind;

/** Model named by model.kind over a vocabulary; adds to and seals `params` (kept). */
trm_status trm_model_create(const trm_config *config, int64_t vocab, trm_params *params,
                            trm_model **out);
void trm_model_destroy(trm_model **model);

trm_var *trm_model_logits(trm_model *model, trm_tape *tape, const trm_tokens *tokens);
/** Scalar: summed cross-entropy of next tokens. */
trm_var *trm_model_loss(trm_model *model, trm_tape *tape, const trm_tokens *tokens);

#endif
