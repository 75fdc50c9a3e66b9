/**
 * A learner: model, parameters, tape and (for training) optimizer, built from a configuration.
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
  trm_tape *tape;              /* arena reserved for the shapes asked for */
  trm_optimizer *optimizer;    /* NULL without training */
  struct trm_average *average; /* of the weights (average.h); NULL: none is kept */
} trm_learner;

/**
 * Builds model, parameters and tape, and for training an optimizer with the state of rank `rank` of
 * `size` (0 of 1: all of it). Weights are drawn from run.seed. The tape's memory is planned by the
 * task. Keeps `config`.
 */
trm_status trm_learner_create(const trm_config *config, const trm_model_dims *dims, bool training,
                              int rank, int size, trm_learner *learner);
/** How far a dry pass goes. */
typedef enum trm_plan_depth { TRM_PLAN_OUTPUTS, TRM_PLAN_LOSS, TRM_PLAN_BACKWARD } trm_plan_depth;
/**
 * A dry pass over a batch of sizes alone: the one way in which the tape learns what memory it needs,
 * which is the most of all dry passes (trm_tape_reserve takes it).
 * @param pass  what the batch needs beside its sizes: blocks, weights, bounds; training and dry are
 *              set here
 */
trm_status trm_learner_plan(trm_learner *learner, trm_plan_depth depth, trm_pass pass,
                            const trm_batch *batch);
void trm_learner_destroy(trm_learner *learner);

enum { TRM_RULE_TEXT_BYTES = 512 };
/** "rule head/w* lr=10x: 2 parameters, 1,290 weights": of rule `i` of its optimizer. */
void trm_learner_rule_text(const trm_learner *learner, int i, char text[TRM_RULE_TEXT_BYTES]);

/** Regions of a checkpoint: "model/<name>"; with an optimizer "optimizer/<state>/<name>", and with an
 *  average "average/<name>". */
typedef struct trm_regions {
  trm_region *rows; /* [n], owned */
  char *names;      /* owned */
  int n;
  int n_model;    /* rows[0..n_model) are the model's */
  int n_training; /* rows[n_model..n_training) are the states', one state after the other; those of the
                     average follow */
} trm_regions;
/** Regions of a state that is shared out have no data until they are bound. */
trm_status trm_learner_regions(trm_learner *learner, trm_regions *regions);
/** Regions of the weights alone, of the file's average where `average`: "average/<name>". */
trm_status trm_learner_weights_regions(trm_learner *learner, bool average, trm_regions *regions);
/** Lets the regions of state s be those of the flat array states + s * n_elements; NULL: of none. */
void trm_learner_bind_states(const trm_learner *learner, trm_regions *regions, trm_real *states);
void trm_regions_free(trm_regions *regions);

#endif
