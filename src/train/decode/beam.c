#include "beam.h"

#include <math.h>
#include <stdlib.h>

double trm_length_reward(int64_t n, double alpha) {
  return pow((5.0 + (double)n) / 6.0, alpha);
}

static int by_likelihood(const void *a, const void *b) {
  const trm_continuation *x = a, *y = b;
  if (x->log_prob > y->log_prob) return -1;
  if (x->log_prob < y->log_prob) return 1;
  if (x->parent != y->parent) return x->parent < y->parent ? -1 : 1;
  return (x->token > y->token) - (x->token < y->token);
}

void trm_continuations_sort(trm_continuation *c, int64_t n) {
  qsort(c, (size_t)n, sizeof *c, by_likelihood);
}

bool trm_beam_is_done(double finished, double live, int64_t n, int64_t longest, double alpha) {
  /* A log-probability only falls; the divisor that is kindest to it is the one of the end. */
  const double soon = live / trm_length_reward(n + 1, alpha);
  const double late = live / trm_length_reward(longest, alpha);
  return finished >= (soon > late ? soon : late);
}
