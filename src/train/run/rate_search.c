#include "rate_search.h"

#include <math.h>

#include "trireme/core/clock.h"

static const double keep = 0.9;     /* of the running mean, in each step */
static const double divergence = 4; /* times the least mean */

double trm_rate_search_rate(const trm_rate_search *search, int64_t step) {
  const int64_t last = search->n_steps - 1;
  if (step >= last) return search->to;
  return search->from * pow(search->to / search->from, (double)step / (double)last);
}

void trm_rate_search_note(trm_rate_search *search, double loss, bool finite) {
  search->last_s = trm_clock_s();
  if (search->n == 0) search->first_s = search->last_s;
  if (!finite || !isfinite(loss)) {
    search->diverged = search->over = true;
    return;
  }
  search->losses[search->n++] = loss;
  search->sum = keep * search->sum + (1 - keep) * loss;
  search->weight = keep * search->weight + (1 - keep);
  const double mean = search->sum / search->weight;
  if (search->n == 1 || mean < search->best) search->best = mean;
  search->diverged = search->best > 0 && mean > divergence * search->best;
  search->over = search->diverged || search->n > search->n_steps;
}
