/** The floating-point mode of a thread, which libraries change behind our back. */
#ifndef TRIREME_CORE_FLOAT_MODE_H
#define TRIREME_CORE_FLOAT_MODE_H

#include <stdbool.h>

/**
 * Sets IEEE 754's defaults for the calling thread, and so for threads it starts later: round to
 * nearest, subnormal numbers kept, no traps. A library built with -ffast-math turns subnormals off
 * when it is loaded, for the thread that loads it alone (seen with what Open MPI 4.1 loads on Debian
 * 12): the bits of a result would depend on which thread computes it.
 */
void trm_float_mode_standard(void);
/** Whether the calling thread keeps subnormal numbers. */
bool trm_float_mode_is_standard(void);

#endif
