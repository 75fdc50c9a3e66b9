/** How each parameter is updated: what the keys params.* say of it. */
#ifndef TRIREME_OPTIM_RULES_H
#define TRIREME_OPTIM_RULES_H

#include "trireme/core/config.h"
#include "trireme/optim/optim.h"

extern const trm_config_rows trm_rule_keys;

/** Of one parameter. */
typedef struct trm_treatment {
  double rate;     /* times the learning rate of the step */
  double decay;    /* the optimizer's weight decay */
  double l1;       /* weights shrink by rate l1 in each step, and stop at 0 */
  double l2;       /* the gradient is g + l2 w */
  double max_norm; /* of the weights into one output; 0: any */
  bool frozen;     /* neither weights nor states change, nor running statistics */
} trm_treatment;

/** Rules as they were read. */
typedef struct trm_rules {
  char *text;              /* of params.rules, cut up; owned */
  trm_rule_match *matches; /* [n], owned */
  int n;
} trm_rules;

/**
 * Fills how[params->n_rows] by params.*, and by optimizer.weight_decay, which is matrices' alone unless
 * a rule says more.
 * @param[in] lr  [n_rows] rate of each row at its highest, which "lr=0.01" is measured by
 * @return TRM_ERR_CONFIG, with the rule and the remedy; TRM_ERR_MEMORY. After a failure too, *rules is
 *         for trm_rules_free
 */
trm_status trm_rules_read(const trm_config *config, const trm_params *params, const double *lr,
                          trm_treatment *how, trm_rules *rules);
void trm_rules_free(trm_rules *rules);

/** w = sign(w) max(|w| - by, 0), elements [0, n): the proximal step of by |w|. Thread-parallel. */
void trm_shrink(trm_real *w, double by, int64_t n);
/** Scales the weights into each output of a parameter down to the norm `most`. Thread-parallel; a sum
 *  runs over the inputs in order, so the thread count changes no bit.
 *  Source: Srivastava et al. 2014, "Dropout", JMLR 15, section 5.1. */
void trm_limit_norms(const trm_param *row, trm_real *w, double most);

#endif
