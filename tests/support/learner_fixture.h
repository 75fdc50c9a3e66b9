/** A decoder to be trained, with memory for two sequences a pass. */
#ifndef TRIREME_TESTS_LEARNER_FIXTURE_H
#define TRIREME_TESTS_LEARNER_FIXTURE_H

#include "trireme/train/learner.h"

static inline trm_status fixture_decoder(const trm_config *config, int64_t vocab, int rank,
                                         int size, trm_learner *learner) {
  const trm_model_dims dims = {.n_outputs = vocab};
  TRM_TRY(trm_learner_create(config, &dims, true, rank, size, learner));
  const trm_tokens tokens = {.N = 2, .T = trm_config_int(config, "model.context")};
  /* Blocks follow each other with the same weights. */
  const trm_pass pass = {.weights_use = TRM_WEIGHTS_FIRST};
  TRM_TRY(trm_learner_plan(learner, TRM_PLAN_BACKWARD, pass, &(trm_batch){.tokens = &tokens}));
  return trm_tape_reserve(learner->tape);
}

#endif
