/* Learning-rate schedules: warm-up, and the list. */
#include <math.h>
#include <string.h>

#include "optim_internal.h"

static const trm_schedule *const schedules[] = {
#define TRM_SCHEDULE(name) &trm_schedule_##name,
#include "schedule_list.h"
#undef TRM_SCHEDULE
};
enum { N_SCHEDULES = sizeof schedules / sizeof schedules[0] };

static const trm_config_key keys[] = {
    TRM_KEY_SELECTOR("schedule.name", "cosine", TRM_ON_RESULT,
                     "Learning rate over the steps, after the warm-up."),
};
static const trm_config_key warmup_keys[] = {
    TRM_KEY_INT("schedule.warmup_steps", "100", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "The learning rate rises linearly over so many steps."),
    TRM_KEY_REAL("schedule.warmup_share", "0", 0, 1, "", TRM_ON_RESULT,
                 "The same as a share of train.steps; above 0 it gives schedule.warmup_steps."),
};
const trm_config_rows trm_warmup_keys = TRM_CONFIG_ROWS(warmup_keys);
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);
static const trm_config_part part = {.rows = {&rows}};

void trm_schedule_parts(trm_config_parts *parts) {
  trm_config_parts_add(parts, &part);
  for (int i = 0; i < N_SCHEDULES; ++i) trm_config_parts_add(parts, &schedules[i]->part);
}

/* The choices of the key are the names of the list. */
static const trm_schedule *find_schedule(const trm_config *config) {
  const char *name = trm_config_string(config, "schedule.name");
  int i = 0;
  while (strcmp(schedules[i]->part.name, name) != 0) {
    ++i;
    TRM_ASSERT(i < N_SCHEDULES);
  }
  return schedules[i];
}

/* ---- the rate -------------------------------------------------------------------------------- */

int64_t trm_schedule_warmup(const trm_config *config) {
  const char *key = "schedule.warmup_steps";
  return trm_config_used(config, key) ? trm_config_int(config, key) : 0;
}

double trm_schedule_lr_after(const trm_config *config, const trm_schedule_state *state,
                             int64_t step) {
  const trm_schedule *schedule = find_schedule(config);
  const double highest = trm_config_real(config, "optimizer.lr");
  const double base = schedule->base ? schedule->base(config, state, highest) : highest;
  const int64_t warmup = trm_schedule_warmup(config);
  if (step < warmup) return base * (double)(step + 1) / (double)warmup;
  return schedule->lr(config, base, warmup, step);
}

double trm_schedule_lr(const trm_config *config, int64_t step) {
  return trm_schedule_lr_after(config, &(trm_schedule_state){0}, step);
}

double trm_schedule_left(const trm_config *config, int64_t warmup, int64_t step) {
  const int64_t decay = trm_config_int(config, "schedule.decay_steps");
  TRM_ASSERT(decay > 0); /* trm_schedule_resolve comes first */
  if (step >= decay) return 0;
  return 1 - (double)(step - warmup) / (double)(decay - warmup);
}

bool trm_schedule_follows(const trm_config *config) {
  return find_schedule(config)->observe != NULL;
}

void trm_schedule_observe(const trm_config *config, trm_schedule_state *state, double value) {
  const trm_schedule *schedule = find_schedule(config);
  if (schedule->observe) schedule->observe(config, state, value);
}

/* ---- momentum -------------------------------------------------------------------------------- */

bool trm_schedule_wants_momentum(const trm_config *config) {
  return find_schedule(config)->momentum && trm_config_is(config, "schedule.cycle_momentum", "on");
}

bool trm_schedule_momentum(const trm_config *config, bool by_default, int64_t step,
                           double *momentum) {
  const trm_schedule *schedule = find_schedule(config);
  if (!schedule->momentum) return false;
  const bool automatic = trm_config_is(config, "schedule.cycle_momentum", "auto");
  if (!(automatic ? by_default : trm_schedule_wants_momentum(config))) return false;
  *momentum = schedule->momentum(config, step);
  return true;
}

/* ---- checks, and the length ------------------------------------------------------------------- */

trm_status trm_schedule_check_min_lr(const trm_config *config) {
  const double base = trm_config_real(config, "optimizer.lr");
  const double low = trm_config_real(config, "schedule.min_lr");
  if (low <= base) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG,
      "schedule.min_lr is %g, above optimizer.lr (%g), from which the rate falls; set it "
      "lower, for instance to %g",
      low, base, base / 10);
}

trm_status trm_schedule_check(const trm_config *config) {
  const trm_schedule *schedule = find_schedule(config);
  return schedule->check ? schedule->check(config) : TRM_OK;
}

const char *trm_schedule_length_key(const trm_config *config) {
  return find_schedule(config)->length;
}

int64_t trm_schedule_length(const trm_config *config) {
  const char *key = trm_schedule_length_key(config);
  return key ? trm_config_int(config, key) : 0;
}

/* Whether the warm-up is a share of the run. */
static bool shares_warmup(const trm_config *config) {
  const char *key = "schedule.warmup_share";
  return trm_config_used(config, key) && trm_config_real(config, key) > 0;
}

trm_schedule_steps trm_schedule_steps_for(const trm_config *config, int64_t n_steps) {
  trm_schedule_steps steps = {.length = n_steps, .warmup = -1};
  if (shares_warmup(config)) {
    const double share = trm_config_real(config, "schedule.warmup_share");
    steps.warmup = (int64_t)llround(share * (double)n_steps);
  }
  return steps;
}

trm_schedule_steps trm_schedule_steps_of(const trm_config *config) {
  return (trm_schedule_steps){.length = trm_schedule_length(config),
                              .warmup = shares_warmup(config) ? trm_schedule_warmup(config) : -1};
}

trm_status trm_schedule_take(trm_config *config, const trm_schedule_steps *steps) {
  const char *key = trm_schedule_length_key(config);
  if (key && trm_config_int(config, key) == 0 && steps->length > 0) {
    TRM_TRY(trm_config_set_int(config, key, steps->length));
  }
  if (!shares_warmup(config) || steps->warmup < 0) return TRM_OK;
  return trm_config_set_int(config, "schedule.warmup_steps", steps->warmup);
}

trm_status trm_schedule_resolve(trm_config *config, int64_t n_steps) {
  const trm_schedule_steps steps = trm_schedule_steps_for(config, n_steps);
  return trm_schedule_take(config, &steps);
}
