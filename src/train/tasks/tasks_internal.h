/** The list of tasks. */
#ifndef TRIREME_TRAIN_TASKS_INTERNAL_H
#define TRIREME_TRAIN_TASKS_INTERNAL_H

#include "task.h"
#include "trireme/input/dataset.h"

extern const trm_task_kind trm_task_text, trm_task_nodes, trm_task_set, trm_task_pairs;

/** The vocabulary of text; NULL for other kinds. */
const trm_vocab *trm_text_task_vocab(const trm_task *task);

#endif
