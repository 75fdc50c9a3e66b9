/* One line for each task: expanded to declarations and to the registry of task.c. */
TRM_TASK(text)
TRM_TASK(samples)
TRM_TASK(nodes)
TRM_TASK(set)
TRM_TASK(pairs)
TRM_TASK(shop)
