/** Where a run begins: from drawn weights, or from a checkpoint. */
#ifndef TRIREME_TRAIN_RESUME_H
#define TRIREME_TRAIN_RESUME_H

#include "best_kept.h"
#include "early_stop.h"
#include "rundir.h"
#include "task.h"
#include "trireme/comm/comm.h"
#include "trireme/train/learner.h"
#include "trireme/train/train.h"

/** State that goes on over restarts, besides weights and optimizer. */
typedef struct trm_run_state {
  int64_t step;      /* updates done */
  double best_value; /* of what is compared (trm_task_rank_value); NaN: none yet */
  int64_t best_step;
  int64_t eval_step;     /* last evaluated, -1: never */
  trm_best_list best;    /* of checkpoint.keep_best > 1 */
  trm_early_stop early;  /* what patience has seen */
  uint64_t samples_hash; /* of the last step */
} trm_run_state;

/**
 * Loads the checkpoint `options` ask for into the learner; leaves it as it is when there is none.
 * What the configuration left to us of the schedule becomes what the run began with. Checks that
 * configuration, data and shapes are those of the checkpoint.
 * Collective; the status is the same on all ranks.
 *
 * @param[out] from  path of the checkpoint; "": there is none, and the run begins
 */
trm_status trm_resume(trm_comm *comm, const trm_train_options *options, const trm_rundir *dir,
                      trm_task *task, trm_learner *learner, trm_regions *regions, trm_log *log,
                      trm_run_state *state, char from[TRM_PATH_BYTES]);

#endif
