/** Classes of a data set among those that a model was trained on: by name, since their numbers depend on
 *  the samples that a data set happens to have. */
#ifndef TRIREME_TRAIN_CLASS_MATCH_H
#define TRIREME_TRAIN_CLASS_MATCH_H

#include "task.h"
#include "trireme/input/lists.h"

/** Names of classes in a checkpoint. Nothing is kept where there are none. */
trm_status trm_class_names_put(trm_facts *facts, const trm_texts *names);
/** Borrowed from the facts; n = 0: there are none. `path` is the checkpoint's.
 *  @return TRM_ERR_DATA when they are damaged */
trm_status trm_class_names_get(const trm_facts *facts, const char *path, trm_texts *names);

/** A data set's classes and labels, and what a model knows. All borrowed. */
typedef struct trm_class_match {
  const char *path, *data; /* of the checkpoint, of the data set */
  const trm_classes *classes;
  const int32_t *labels; /* [n_labels] of all samples, -1: none; NULL: there are no labels */
  int64_t n_labels;
  trm_texts known; /* names; n = 0: there are none */
  int64_t n_known; /* classes of the model */
} trm_class_match;

/**
 * Finds the classes among those of the model: by their names, or where either has none by their numbers.
 * Notes in the task's log where their numbers are others here and there. To evaluate, labels of a class
 * that the model does not know are refused; to predict, they are told, and count for nothing.
 *
 * Not collective; the same on all ranks.
 *
 * @param[out] places  [classes->n] numbers of the model; -1: it does not know the class
 * @return TRM_ERR_DATA naming the classes, TRM_ERR_MEMORY
 */
trm_status trm_class_match_find(const trm_task *task, const trm_class_match *match,
                                int32_t *places);
/** In training the classes are the same ones. @return TRM_ERR_CONFIG naming both lists */
trm_status trm_class_match_same(const trm_class_match *match);

#endif
