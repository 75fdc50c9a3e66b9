/**
 * A learner: model, parameters, tape and (for training) optimizer, built from a configuration; and
 * how the samples of a global batch are cut into blocks.
 * Not collective; the same on every rank.
 */
#ifndef TRIREME_TRAIN_LEARNER_H
#define TRIREME_TRAIN_LEARNER_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/ckpt/ckpt.h"
#include "trireme/core/config.h"
#include "trireme/input/dataset.h"
#include "trireme/model/model.h"
#include "trireme/nn/params.h"
#include "trireme/nn/tape.h"
#include "trireme/optim/optim.h"

typedef struct trm_learner {
  trm_params *params;
  trm_model *model;
  trm_tape *tape;           /* arena reserved for the shapes asked for */
  trm_optimizer *optimizer; /* NULL without training */
} trm_learner;

/**
 * Builds everything and reserves the activation arena for passes over up to `max_samples`
 * sequences of the model's context. Weights are drawn from run.seed. Keeps `config`.
 */
trm_status trm_learner_create(const trm_config *config, int64_t vocab, int64_t max_samples,
                              bool training, trm_learner *learner);
/** The same for training with the optimizer's state shared out: what rank `rank` of `size` has. */
trm_status trm_learner_create_share(const trm_config *config, int64_t vocab, int64_t max_samples,
                                    int rank, int size, trm_learner *learner);
void trm_learner_destroy(trm_learner *learner);

/** Regions of a checkpoint: "model/<name>" and, with an optimizer, "optimizer/<state>/<name>". */
typedef struct trm_regions {
  trm_region *rows; /* [n], owned */
  char *names;      /* owned */
  int n;
  int n_model; /* rows[0..n_model) are the model's; the states' follow, one state after the other */
} trm_regions;
/** Regions of a state that is shared out have no data until they are bound. */
trm_status trm_learner_regions(trm_learner *learner, trm_regions *regions);
/** Lets the regions of state s be those of the flat array states + s * n_elements; NULL: of none. */
void trm_learner_bind_states(const trm_learner *learner, trm_regions *regions, trm_real *states);
void trm_regions_free(trm_regions *regions);

/**
 * Number of blocks V a global batch is cut into: batch.blocks, or, when that is 0, a number that
 * gives a block about 256 tokens but no fewer than 8 blocks, at most one a sample. It depends on the
 * configuration alone, never on the layout.
 */
int64_t trm_batch_blocks(const trm_config *config);
/** Samples of block v of V: [v B / V, (v+1) B / V). */
void trm_block_samples(int64_t batch, int64_t n_blocks, int64_t block, int64_t *first, int64_t *n);
/** The most samples any block has. */
int64_t trm_block_samples_max(int64_t batch, int64_t n_blocks);

#endif
