#include "early_stop.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/plural.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("train.patience", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "End when the last better evaluation is so many steps back; 0: never."),
    TRM_KEY_INT("train.patience_evals", "0", 0, TRM_MAX_STEPS, "evaluations", TRM_ON_RESULT,
                "Instead: end after so many evaluations in a row that were no better."),
    TRM_KEY_REAL("train.patience_epochs", "0", 0, 1e9, "epochs", TRM_ON_RESULT,
                 "Instead: end when the last better evaluation is so many epochs back."),
    TRM_KEY_REAL("train.min_delta", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "An evaluation is better for patience when it is by more than this."),
    TRM_KEY_BOOL("train.restore_best", "false", TRM_NO_EFFECT,
                 "When the run has ended, its result is the best checkpoint, not the last one."),
};
const trm_config_rows trm_early_stop_keys = TRM_CONFIG_ROWS(keys);

static const char fact_name[] = "early_stop";
_Static_assert(sizeof(trm_early_stop) == TRM_EARLY_STOP_VALUES * sizeof(double),
               "a state is so many doubles");

static const char *const patience_keys[] = {"train.patience", "train.patience_evals",
                                            "train.patience_epochs"};
enum { N_KEYS = sizeof patience_keys / sizeof patience_keys[0] };

static double value_of(const trm_config *config, int key) {
  return key == N_KEYS - 1 ? trm_config_real(config, patience_keys[key])
                           : (double)trm_config_int(config, patience_keys[key]);
}

const char *trm_patience_key(const trm_config *config) {
  for (int i = 0; i < N_KEYS; ++i) {
    if (value_of(config, i) > 0) return patience_keys[i];
  }
  return NULL;
}

trm_status trm_patience_check(const trm_config *config) {
  const char *first = trm_patience_key(config);
  for (int i = 0; i < N_KEYS; ++i) {
    if (value_of(config, i) == 0 || strcmp(patience_keys[i], first) == 0) continue;
    return trm_fail(TRM_ERR_CONFIG, "%s and %s are both given; set one of them to 0", first,
                    patience_keys[i]);
  }
  if (!first && trm_config_real(config, "train.min_delta") > 0) {
    return trm_fail(TRM_ERR_CONFIG,
                    "train.min_delta is %g, but nothing has patience; set train.patience_evals",
                    trm_config_real(config, "train.min_delta"));
  }
  const bool restores = trm_config_bool(config, "train.restore_best");
  if ((!first && !restores) || trm_config_int(config, "eval.every") > 0) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%s is set, but eval.every is 0: set how often the run is evaluated",
                  first ? first : "train.restore_best");
}

trm_patience trm_patience_of(const trm_config *config, double epoch_steps) {
  const double epochs = trm_config_real(config, "train.patience_epochs");
  const trm_patience p = {.steps = trm_config_int(config, "train.patience"),
                          .evaluations = trm_config_int(config, "train.patience_evals"),
                          .min_delta = trm_config_real(config, "train.min_delta")};
  if (epochs == 0) return p;
  const double steps = ceil(epochs * epoch_steps);
  return (trm_patience){.steps = steps < TRM_MAX_STEPS ? (int64_t)steps : (int64_t)TRM_MAX_STEPS,
                        .min_delta = p.min_delta};
}

void trm_early_stop_observe(trm_early_stop *state, const trm_patience *patience, int64_t step,
                            double value) {
  const bool better =
      isfinite(value) && (state->any == 0 || value < state->best - patience->min_delta);
  if (!better) {
    state->n_bad += 1;
    return;
  }
  *state = (trm_early_stop){.any = 1, .best = value, .step = (double)step};
}

bool trm_early_stop_over(const trm_early_stop *state, const trm_patience *patience, int64_t step,
                         char *why, size_t size) {
  if (patience->evaluations > 0 && state->n_bad >= (double)patience->evaluations) {
    (void)snprintf(why, size, "none of the last %.0f evaluations was better", state->n_bad);
    return true;
  }
  const int64_t back = step - (int64_t)state->step;
  if (patience->steps == 0 || state->any == 0 || back < patience->steps) return false;
  (void)snprintf(why, size, "no better evaluation for %" PRId64 " step%s", back, trm_plural(back));
  return true;
}

trm_status trm_early_stop_keep(const trm_early_stop *state, trm_facts *facts) {
  if (state->any == 0 && state->n_bad == 0) return TRM_OK;
  return trm_facts_put_array(facts, fact_name, TRM_DTYPE_F64, TRM_EARLY_STOP_VALUES, state);
}

void trm_early_stop_restore(const trm_facts *facts, trm_early_stop *state) {
  int64_t n = 0;
  const double *values = trm_facts_array(facts, fact_name, TRM_DTYPE_F64, &n);
  if (values && n == TRM_EARLY_STOP_VALUES) memcpy(state, values, sizeof *state);
}
