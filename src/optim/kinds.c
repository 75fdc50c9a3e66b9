/* The list of optimizers: their keys, and which one a configuration chooses. */
#include <string.h>

#include "optimizer.h"
#include "rules.h"

static const trm_optimizer_kind *const kinds[] = {
#define TRM_OPTIMIZER(name) &trm_optimizer_##name,
#include "optimizer_list.h"
#undef TRM_OPTIMIZER
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static const trm_config_key keys[] = {
    TRM_KEY_SELECTOR("optimizer.name", "adamw", TRM_ON_RESULT, "Update rule."),
    TRM_KEY_REAL("optimizer.lr", "1e-3", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Learning rate at its highest."),
    TRM_KEY_REAL("optimizer.clip_norm", "1.0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Longer gradients are scaled down to this norm; 0: off."),
    TRM_KEY_REAL("optimizer.gradient_noise", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Variance of normal noise on the clipped gradients, times (1 + step)^-0.55; 0: "
                 "none."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static const trm_config_key decay_keys[] = {
    TRM_KEY_REAL("optimizer.weight_decay", "0.1", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Pull of matrices towards zero, times the learning rate; biases and norms have "
                 "none."),
};
const trm_config_rows trm_decoupled_decay_keys = TRM_CONFIG_ROWS(decay_keys);

static const trm_config_key l2_keys[] = {
    TRM_KEY_REAL("optimizer.weight_decay", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "Times the weights of matrices, added to the gradient (L2); biases and norms have "
                 "none."),
};
const trm_config_rows trm_l2_decay_keys = TRM_CONFIG_ROWS(l2_keys);

static const trm_config_part common = {.rows = {&rows, &trm_rule_keys}};

void trm_optim_parts(trm_config_parts *parts) {
  trm_config_parts_add(parts, &common);
  for (int i = 0; i < N_KINDS; ++i) trm_config_parts_add(parts, &kinds[i]->part);
  trm_schedule_parts(parts);
}

/* The choices of the key are the names of the list. */
const trm_optimizer_kind *trm_optimizer_kind_of(const trm_config *config) {
  const char *name = trm_config_string(config, "optimizer.name");
  int i = 0;
  while (strcmp(kinds[i]->part.name, name) != 0) {
    ++i;
    TRM_ASSERT(i < N_KINDS);
  }
  return kinds[i];
}

trm_status trm_optimizer_check(const trm_config *config) {
  const trm_optimizer_kind *kind = trm_optimizer_kind_of(config);
  if (trm_schedule_wants_momentum(config) && !kind->has_momentum) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "schedule.cycle_momentum is on, but optimizer.name is %s, which has no momentum "
        "to cycle; set it to off",
        kind->part.name);
  }
  return kind->check ? kind->check(config) : TRM_OK;
}
