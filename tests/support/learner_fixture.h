/** A decoder to be trained, with memory for two sequences a pass. */
#ifndef TRIREME_TESTS_LEARNER_FIXTURE_H
#define TRIREME_TESTS_LEARNER_FIXTURE_H

#include "trireme/train/learner.h"

static inline trm_status fixture_decoder(const trm_config *config, int64_t vocab, int rank,
                                         int size, trm_learner *learner) {
  const trm_model_dims dims = {.n_outputs = vocab};
  TRM_TRY(trm_learner_create(config, &dims, true, rank, size, learner));
  return trm_learner_plan_tokens(learner, 2, trm_config_int(config, "model.context"), true);
}

#endif
