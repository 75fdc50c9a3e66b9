#include "states.h"

#include "trireme/core/memory.h"
#include "trireme/parallel/sharded.h"

trm_status trm_states_learner(trm_comm *comm, const trm_config *config, const trm_model_dims *dims,
                              trm_learner *learner) {
  const bool shared_out = trm_config_bool(config, "optimizer.sharded");
  return trm_learner_create(config, dims, true, shared_out ? trm_comm_rank(comm) : 0,
                            shared_out ? trm_comm_size(comm) : 1, learner);
}

bool trm_states_shared_out(const trm_learner *learner) {
  return trm_optimizer_stripes(learner->optimizer).size > 1;
}

/* Room for all of the state, on rank 0. Collective. */
static trm_status take_room(trm_comm *comm, const trm_learner *learner, trm_regions *regions,
                            trm_real **states) {
  trm_status status = TRM_OK;
  *states = NULL;
  if (trm_comm_rank(comm) == 0) {
    const int64_t n = trm_optimizer_n_states(learner->optimizer) * learner->params->n_elements;
    status = TRM_ALLOC(states, n, "optimizer state of all ranks, for a checkpoint");
    if (status == TRM_OK) trm_learner_bind_states(learner, regions, *states);
  }
  return trm_comm_agree(comm, status);
}

void trm_states_release(const trm_learner *learner, trm_regions *regions, trm_real **states) {
  trm_learner_bind_states(learner, regions, NULL);
  TRM_FREE(*states);
}

static trm_real *array(const trm_learner *learner, trm_real *states, int state) {
  return states ? states + state * learner->params->n_elements : NULL;
}

trm_status trm_states_collect(trm_comm *comm, trm_learner *learner, trm_regions *regions,
                              trm_real **states) {
  trm_status status = take_room(comm, learner, regions, states);
  for (int s = 0; status == TRM_OK && s < trm_optimizer_n_states(learner->optimizer); ++s) {
    status = trm_sharded_collect(comm, learner->optimizer, s, array(learner, *states, s));
  }
  return status;
}

trm_status trm_states_load(trm_comm *comm, trm_learner *learner, trm_regions *regions,
                           const char *path) {
  trm_real *states = NULL;
  trm_status status = take_room(comm, learner, regions, &states);
  if (status == TRM_OK) {
    if (trm_comm_rank(comm) == 0) {
      status = trm_ckpt_read_regions(path, regions->rows + regions->n_model,
                                     regions->n_training - regions->n_model);
    }
    status = trm_comm_agree(comm, status);
  }
  for (int s = 0; status == TRM_OK && s < trm_optimizer_n_states(learner->optimizer); ++s) {
    status = trm_sharded_distribute(comm, learner->optimizer, s, array(learner, states, s));
  }
  trm_states_release(learner, regions, &states);
  return status;
}
