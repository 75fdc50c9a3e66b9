/** How many threads a kernel starts; shared by everything in `math` that opens a parallel region. */
#ifndef TRIREME_MATH_TEAM_H
#define TRIREME_MATH_TEAM_H

#include <stdint.h>

#include "trireme/core/integers.h"

/**
 * Threads for `units` independent pieces that touch `work` elements together: one when a parallel
 * region would cost more than it saves. Only the speed depends on it, never a result.
 */
int trm_team(int64_t units, int64_t work);

/* crowd.c */

/** Begins anew with n threads on this thread. */
void trm_crowd_set(int n);
/** How many of n threads to take now: fewer where that has been found faster. */
int trm_crowd_size(int n);

#endif
