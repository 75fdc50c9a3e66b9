/* Learning-rate schedules: warm-up, and the list. */
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
    TRM_KEY_INT("schedule.warmup_steps", "100", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "The learning rate rises linearly over so many steps."),
};
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

double trm_schedule_lr(const trm_config *config, int64_t step) {
  const double base = trm_config_real(config, "optimizer.lr");
  const int64_t warmup = trm_config_int(config, "schedule.warmup_steps");
  if (step < warmup) return base * (double)(step + 1) / (double)warmup;
  return find_schedule(config)->lr(config, base, warmup, step);
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

trm_status trm_schedule_resolve(trm_config *config, int64_t n_steps) {
  const char *key = trm_schedule_length_key(config);
  if (!key || trm_config_int(config, key) != 0) return TRM_OK;
  return trm_config_set_int(config, key, n_steps);
}
