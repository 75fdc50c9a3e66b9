/** A data set whose nodes or graphs have classes, and the split that a run works on. */
#ifndef TRIREME_TRAIN_CLASS_DATA_H
#define TRIREME_TRAIN_CLASS_DATA_H

#include "graph_store.h"
#include "task.h"
#include "training_part.h"

/** Keys of classes: the split, and what makes an evaluation the best. */
extern const trm_config_rows trm_class_keys;

typedef struct trm_class_data {
  trm_graph_store store;
  const trm_classes *classes; /* of the samples; borrowed from the data set, or `taken` */
  trm_classes taken;      /* the model's, to evaluate or predict; names borrowed from its facts */
  int32_t *labels;        /* [n_samples] of those; owned */
  trm_ids train;          /* training samples; borrowed likewise, or of `part` */
  trm_training_part part; /* what the split is made of; owned */
  unsigned scored;        /* subsets that evaluations score, as bits */
  int8_t *subsets;        /* [n_samples] bit s: the sample is in subset s of the split; owned */
  int64_t n_samples;      /* nodes, or graphs of a set */
  int n_splits;
} trm_class_data;

/** What a task tells of its data set. */
typedef struct trm_class_source {
  /** As trm_graph_opener; fills store.graph, classes, n_samples and n_splits. */
  trm_status (*open)(trm_task *task, const char *path, const trm_graph_memory *memory,
                     bool features, trm_class_data *data);
  /** Whether the data are what the task can work on. */
  trm_status (*check)(const trm_task *task, const trm_graph_store *store);
  /** Samples of a subset of split `split`; hold_out as trm_graph_set_split. */
  trm_status (*split)(const trm_task *task, int split, trm_subset subset, bool hold_out,
                      trm_ids *ids);
} trm_class_source;

/**
 * Opens data.path and the split data.split, and fills the facts of the task: sizes, digest, scores. To
 * predict, no split is opened and no sample is in a subset. After a failure too, the task closes its
 * data set and *data is for trm_class_data_close. Collective; the status is the same on all ranks.
 */
trm_status trm_class_data_open(trm_task *task, const trm_class_source *source,
                               trm_class_data *data);
/** What checkpoints keep of the data: names of classes. */
trm_status trm_class_data_facts(const trm_class_data *data, trm_facts *facts);
/** As trm_task_kind's check_facts: labels become those of the model's classes. */
trm_status trm_class_data_check_facts(trm_task *task, trm_class_data *data, const trm_facts *facts,
                                      const char *path);
/** The data set must be closed before. Collective. */
void trm_class_data_close(trm_class_data *data);

/** label of sample `id` when it is in the subset, -1 otherwise: a target of a loss. */
int32_t trm_class_target(const trm_class_data *data, int32_t id, trm_subset subset);

#endif
