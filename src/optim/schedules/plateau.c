/*
 * Plateau: the rate is multiplied by schedule.factor when more than schedule.patience evaluations in
 * a row were not better than the best by schedule.threshold of it. What is compared is eval.select
 * over the whole validation part, the same number on all ranks; evaluations come every eval.every
 * steps, and the state is in checkpoints. As torch.optim.lr_scheduler.ReduceLROnPlateau, relative.
 */
#include <math.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_REAL("schedule.factor", "0.1", 0, 1, "", TRM_ON_RESULT,
                 "The rate is multiplied by this."),
    TRM_KEY_INT("schedule.patience", "10", 0, TRM_MAX_STEPS, "evaluations", TRM_ON_RESULT,
                "So many evaluations in a row may be no better; the next one lowers the rate."),
    TRM_KEY_REAL("schedule.threshold", "1e-4", 0, 1, "", TRM_ON_RESULT,
                 "Share of the best value by which a better one must differ."),
    TRM_KEY_INT("schedule.cooldown", "0", 0, TRM_MAX_STEPS, "evaluations", TRM_ON_RESULT,
                "So many evaluations after a cut do not count."),
    TRM_KEY_REAL("schedule.min_lr", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
                 "The rate is not lowered any further."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  (void)config, (void)warmup, (void)step;
  return base;
}

static double lowered(const trm_config *config, const trm_schedule_state *state, double lr) {
  const double low = trm_config_real(config, "schedule.min_lr");
  const double cut = lr * pow(trm_config_real(config, "schedule.factor"), state->n_cuts);
  return cut > low ? cut : low;
}

/* A value that is not a number is never better. */
static bool is_better(const trm_config *config, const trm_schedule_state *state, double value) {
  const double margin = trm_config_real(config, "schedule.threshold") * fabs(state->best);
  return isfinite(value) && (state->any == 0 || value < state->best - margin);
}

static void observe(const trm_config *config, trm_schedule_state *state, double value) {
  if (is_better(config, state, value)) {
    state->any = 1;
    state->best = value;
    state->n_bad = 0;
  } else {
    state->n_bad += 1;
  }
  if (state->n_pauses > 0) {
    state->n_pauses -= 1;
    state->n_bad = 0;
  }
  if (state->n_bad <= (double)trm_config_int(config, "schedule.patience")) return;
  state->n_cuts += 1;
  state->n_bad = 0;
  state->n_pauses = (double)trm_config_int(config, "schedule.cooldown");
}

const trm_schedule trm_schedule_plateau = {TRM_SCHEDULE_PART("plateau", &rows), .lr = lr,
                                           .check = trm_schedule_check_min_lr, .observe = observe,
                                           .base = lowered};
