/** A run at rates of its own, which writes nothing: what find-lr sees of it. */
#ifndef TRIREME_TRAIN_RATE_SEARCH_H
#define TRIREME_TRAIN_RATE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

/** The same on all ranks, since losses are. */
typedef struct trm_rate_search {
  double from, to;
  int64_t n_steps;        /* updates, the first at `from`, the last at `to` */
  double *losses;         /* [n_steps + 1] of batch k, before update k; owned by the caller */
  int64_t n;              /* losses there are */
  double sum, weight;     /* running mean of losses, not yet divided */
  double best;            /* least of it */
  double first_s, last_s; /* clock after the first batch and after the last one */
  bool diverged, over;
} trm_rate_search;

/** Rate of update `step`: from (to / from)^(step / (n_steps - 1)). */
double trm_rate_search_rate(const trm_rate_search *search, int64_t step);
/** Takes the loss of a batch. The search is over when it has all, or when loss or gradient is not
 *  finite, or the running mean exceeds 4 times the least there was. */
void trm_rate_search_note(trm_rate_search *search, double loss, bool finite);

#endif
