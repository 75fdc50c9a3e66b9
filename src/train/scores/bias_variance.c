#include "trireme/train/bias_variance.h"

#include <math.h>

/* Squared loss of value v, whose truth is y. */
static void add_squared(trm_bias_variance *b, const trm_spoken *s, int64_t v, double y) {
  const double mean = s->sums[v] / s->n_models, off = mean - y;
  const double spread =
      fmax(s->squares[v] / s->n_models - mean * mean, 0); /* not below 0 by rounding */
  b->bias += off * off;
  b->variance += spread;
  b->loss += off * off + spread;
}

void trm_bias_variance_add_number(trm_bias_variance *b, const trm_spoken *s, double target) {
  ++b->n;
  add_squared(b, s, 0, target);
}

void trm_bias_variance_add_class(trm_bias_variance *b, const trm_spoken *s, int32_t label) {
  int64_t main = 0;
  ++b->n;
  b->classes = true;
  for (int64_t c = 0; c < s->n_values; ++c) {
    add_squared(b, s, c, c == label);
    if (s->votes[c] > s->votes[main]) main = c; /* the first of equals */
  }
  const double error = 1 - s->votes[label] / s->n_models, wrong = main != label;
  b->error += error;
  b->wrong += wrong;
  b->disagree += 1 - s->votes[main] / s->n_models;
  b->net += error - wrong;
}

trm_bias_variance trm_bias_variance_mean(const trm_bias_variance *b) {
  const double n = b->n > 0 ? (double)b->n : (double)NAN;
  trm_bias_variance mean = *b;
  mean.loss /= n;
  mean.bias /= n;
  mean.variance /= n;
  mean.error /= n;
  mean.wrong /= n;
  mean.disagree /= n;
  mean.net /= n;
  return mean;
}
