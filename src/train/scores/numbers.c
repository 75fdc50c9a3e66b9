#include <math.h>

#include "trireme/train/scores.h"

/* Mean of the targets that there are, and how many; *constant: they are all the same. */
static double mean_target(const trm_estimate *estimates, int64_t n, int64_t *count,
                          bool *constant) {
  double sum = 0, first = (double)NAN;
  *count = 0;
  *constant = true;
  for (int64_t i = 0; i < n; ++i) {
    const double target = estimates[i].target;
    if (isnan(target)) continue;
    if (++*count == 1) first = target;
    *constant = *constant && target == first;
    sum += target;
  }
  return sum / (double)*count;
}

trm_fit trm_score_numbers(const trm_estimate *estimates, int64_t n) {
  const double none = (double)NAN;
  int64_t count;
  bool constant;
  const double mean = mean_target(estimates, n, &count, &constant);
  double sizes = 0, squares = 0, spread = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double predicted = estimates[i].predicted, target = estimates[i].target;
    if (isnan(target)) continue;
    if (!isfinite(predicted)) return (trm_fit){none, none, none};
    sizes += fabs(predicted - target);
    squares += (predicted - target) * (predicted - target);
    spread += (target - mean) * (target - mean);
  }
  if (count == 0) return (trm_fit){none, none, none};
  return (trm_fit){.rmse = sqrt(squares / (double)count),
                   .mae = sizes / (double)count,
                   .r2 = constant ? none : 1 - squares / spread};
}
