/** The best evaluations of a run, whose checkpoints are kept (checkpoint.keep_best). Not collective. */
#ifndef TRIREME_TRAIN_BEST_KEPT_H
#define TRIREME_TRAIN_BEST_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/ckpt/facts.h"

enum { TRM_BEST_LIST_MOST = 64 };

/** The best first. Zero it first. */
typedef struct trm_best_list {
  int n;
  double values[TRM_BEST_LIST_MOST]; /* the lower the better */
  double steps[TRM_BEST_LIST_MOST];
} trm_best_list;

/** Takes an evaluation in if it is among the best `most` (1 to TRM_BEST_LIST_MOST): of equal ones the
 *  earlier is the better. @return whether it is */
bool trm_best_list_offer(trm_best_list *list, int most, int64_t step, double value);

/** For a checkpoint. @return TRM_ERR_MEMORY */
trm_status trm_best_list_keep(const trm_best_list *list, trm_facts *facts);
/** Leaves the list as it is where a checkpoint says nothing. */
void trm_best_list_restore(const trm_facts *facts, trm_best_list *list);

#endif
