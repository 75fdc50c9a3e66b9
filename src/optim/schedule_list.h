/* One line for each schedule: expanded to declarations and to the registry of schedule.c. */
TRM_SCHEDULE(constant)
TRM_SCHEDULE(cosine)
TRM_SCHEDULE(step)
TRM_SCHEDULE(exponential)
