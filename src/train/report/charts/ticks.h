/** Places and words on an axis. */
#ifndef TRIREME_TRAIN_TICKS_H
#define TRIREME_TRAIN_TICKS_H

#include <stdbool.h>

enum { TRM_MAX_TICKS = 12, TRM_TICK_BYTES = 24 };

/**
 * Round numbers from low to high: multiples of 1, 2 or 5 times a power of ten, at most `most` of them; on
 * a logarithmic axis (low > 0) powers of ten, with 2 and 5 between where they are few.
 * @param[out] ticks  [TRM_MAX_TICKS] rising
 * @return how many, 1 at least
 */
int trm_ticks(double low, double high, bool log, int most, double *ticks);

/** A number as short as people write it: "0.25", "1500", "20k", "3M", "1e-5". */
void trm_tick_text(double value, char text[TRM_TICK_BYTES]);

#endif
