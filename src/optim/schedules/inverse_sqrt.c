/* Inverse square root: after w steps of warm-up, at whose end it is optimizer.lr, the rate of the t-th
 * step is lr sqrt(w / t); it has no end. The form with the peak's rate, as fairseq has it.
 * Source: Vaswani et al. 2017, arXiv:1706.03762, equation 3, divided by its highest value. */
#include <math.h>

#include "optim_internal.h"

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  (void)config;
  return base * sqrt((double)(warmup > 0 ? warmup : 1) / (double)(step + 1));
}

const trm_schedule trm_schedule_inverse_sqrt = {TRM_SCHEDULE_PART("inverse_sqrt", NULL), .lr = lr};
