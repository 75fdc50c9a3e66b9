/** The run directory and its checkpoints. */
#ifndef TRIREME_TRAIN_RUNDIR_H
#define TRIREME_TRAIN_RUNDIR_H

#include <stddef.h>

#include "trireme/core/config.h"
#include "trireme/core/log.h"

enum { TRM_PATH_BYTES = 4096 };

typedef struct trm_rundir {
  char root[TRM_PATH_BYTES];
  char checkpoints[TRM_PATH_BYTES]; /* root/checkpoints */
} trm_rundir;

/** Paths below `root`; touches nothing. */
trm_status trm_rundir_paths(const char *root, trm_rundir *dir);
/** Makes the folders, tries that they can be written, and writes config.yaml. */
trm_status trm_rundir_make(const trm_rundir *dir, const trm_config *config);
/** Makes the best checkpoint the run's result, "final.h5", which is taken before the newest one. */
trm_status trm_rundir_final_make(const trm_rundir *dir);
/** The run has no other result than its newest checkpoint, for it goes on. */
trm_status trm_rundir_final_remove(const trm_rundir *dir);
/** Whether it holds any checkpoint file. */
trm_status trm_rundir_has_checkpoints(const trm_rundir *dir, bool *has);

#endif
