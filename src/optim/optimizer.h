/** What the files of the optimizer share: its struct, and what one of them does for another. */
#ifndef TRIREME_OPTIM_OPTIMIZER_H
#define TRIREME_OPTIM_OPTIMIZER_H

#include "optim_internal.h"
#include "plugged.h"
#include "rules.h"

/** Elements of a gradient that more is added to at a time. */
enum { TRM_GRADIENT_PIECE = 16 * TRM_CHUNK };

struct trm_optimizer {
  const trm_optimizer_kind *kind;
  const trm_plugged *plugged; /* the user's own, which the configuration owns; NULL: kind is all */
  const trm_config *config;   /* kept: the schedule reads it */
  trm_params *params;         /* kept */
  trm_stripes stripes;        /* those of `rank` are updated here */
  int rank;
  int n_states;
  double settings[TRM_OPTIMIZER_SETTINGS];
  double clip_norm;
  double noise;       /* variance of the first step's noise on gradients; 0: none */
  uint64_t seed;      /* of the noise */
  trm_treatment *how; /* [n_rows], owned */
  trm_rules rules;
  trm_real *
      gradient; /* [TRM_GRADIENT_PIECE] what becomes of a gradient, owned; NULL: gradients are as given */
  double fixed_rate;                          /* in place of the schedule's, NaN: none */
  trm_real *states[TRM_OPTIMIZER_MAX_STATES]; /* of the own stripes, owned */
  int *movers;          /* [n_rows] rank that moves a whole parameter, -1: element by element */
  trm_real *directions; /* [n_elements] of whole parameters; NULL: there are none. Owned */
  trm_real *scratch;    /* for the moves of this rank, owned */
  int64_t step;         /* number of the update at hand, for moves */
  int64_t bytes;        /* of what is owned */
  trm_schedule_state schedule;
};

/* kinds.c */

/** The one that optimizer.name chooses. */
const trm_optimizer_kind *trm_optimizer_kind_of(const trm_config *config);

/* optim.c */

/** Memory of n elements that the optimizer counts as its own. @return TRM_ERR_MEMORY */
trm_status trm_optimizer_take(trm_optimizer *o, trm_real **array, int64_t n, const char *what);
/** Rate of weights that are updated element by element, by the schedule's. */
double trm_optimizer_rate(const trm_optimizer *o, double lr);
/** The part of a plug-in's parameter from element `from` on, whose states are kept from `kept` on. */
trm_plugged_span trm_optimizer_plugged_span(const trm_optimizer *o, int row, int64_t from,
                                            int64_t n, int64_t kept);

/* norm.c */

/** Sum of squares of a whole gradient, of what is in the norm. */
double trm_optimizer_sum_squares(const trm_optimizer *o, const trm_real *grads);

/* whole.c */

/** Whether a parameter is moved whole. */
bool trm_optimizer_wants_whole(const trm_optimizer *o, const trm_param *row);
/** Deals whole parameters to ranks, and takes room for the directions and for the moves of this rank. */
trm_status trm_optimizer_prepare_moves(trm_optimizer *o);

#endif
