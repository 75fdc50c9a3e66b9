/** A data set whose nodes or graphs have classes, and the split that a run works on. */
#ifndef TRIREME_TRAIN_CLASS_DATA_H
#define TRIREME_TRAIN_CLASS_DATA_H

#include "graph_store.h"
#include "task.h"

typedef struct trm_class_data {
  trm_graph_store store;
  trm_ids train;     /* training samples; borrowed from the graph */
  int8_t *parts;     /* [n_samples] bit p: the sample is in part p; owned */
  int64_t n_samples; /* nodes, or graphs of a set */
} trm_class_data;

/**
 * Opens data.path and the split data.split, and fills the facts of the task: sizes, digest, scores. To
 * predict, no split is opened and no sample is in a part.
 * `check` says whether the data are what the kind of task can work on. After a failure too, *data is
 * for trm_class_data_close. Collective; the status is the same on all ranks.
 */
trm_status trm_class_data_open(trm_task *task,
                               trm_status (*check)(const trm_task *task,
                                                   const trm_graph_store *store),
                               trm_class_data *data);
void trm_class_data_close(trm_class_data *data); /* collective */

/** label of sample `id` when it is in the part, -1 otherwise: a target of a loss. */
int32_t trm_class_target(const trm_class_data *data, int32_t id, trm_subset subset);

#endif
