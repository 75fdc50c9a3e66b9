/** The list of tasks. */
#ifndef TRIREME_TRAIN_TASKS_INTERNAL_H
#define TRIREME_TRAIN_TASKS_INTERNAL_H

#include "task.h"

#define TRM_TASK(name) extern const trm_task_kind trm_task_##name;
#include "task_list.h"
#undef TRM_TASK

/** The task on a kind of data set; NULL: there is none. */
const trm_task_kind *trm_task_find(const char *data);

#endif
