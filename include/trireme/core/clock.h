/** Monotonic time. */
#ifndef TRIREME_CORE_CLOCK_H
#define TRIREME_CORE_CLOCK_H

/** Seconds since an arbitrary start, monotonic. */
double trm_clock_s(void);

/** Sleeps for `seconds` >= 0; returns early on a signal. */
void trm_sleep_s(double seconds);

/** Seconds since this process was started by the kernel (from /proc); 0 when unknown. */
double trm_process_age_s(void);

#endif
