/*
 * Step: the learning rate is multiplied by schedule.factor every schedule.step_every updates after the
 * warm-up, or at the steps of schedule.milestones, which count from the run's beginning; as
 * torch.optim.lr_scheduler.StepLR and MultiStepLR when they are stepped with the optimizer.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "optim_internal.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("schedule.step_every", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "The rate is multiplied by schedule.factor every so many steps."),
    TRM_KEY_TEXT("schedule.milestones", "", TRM_ON_RESULT,
                 "Or at these steps, as \"3000,6000,8000\"."),
    TRM_KEY_REAL("schedule.factor", "0.5", 0, 1, "", TRM_ON_RESULT,
                 "The learning rate is multiplied by this."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

/* Milestones at or before `step`; *good: the list is one, of numbers that rise. */
static int64_t count_milestones(const char *list, int64_t step, bool *good) {
  int64_t n_passed = 0;
  long long last = 0;
  *good = true;
  while (*good && *list) {
    char *end;
    const long long at = strtoll(list, &end, 10);
    *good = isdigit((unsigned char)*list) && at > last && (*end == 0 || (*end == ',' && end[1]));
    n_passed += at <= step;
    last = at;
    list = *end == ',' ? end + 1 : end;
    while (*list == ' ') ++list;
  }
  return n_passed;
}

static double lr(const trm_config *config, double base, int64_t warmup, int64_t step) {
  const int64_t every = trm_config_int(config, "schedule.step_every");
  bool good;
  const int64_t n_passed =
      every > 0 ? (step - warmup) / every
                : count_milestones(trm_config_string(config, "schedule.milestones"), step, &good);
  return base * pow(trm_config_real(config, "schedule.factor"), (double)n_passed);
}

static trm_status check(const trm_config *config) {
  const char *list = trm_config_string(config, "schedule.milestones");
  const bool every = trm_config_int(config, "schedule.step_every") > 0;
  bool good;
  (void)count_milestones(list, 0, &good);
  if (!good) {
    return trm_fail(TRM_ERR_CONFIG,
                    "schedule.milestones is '%s', which is no list of rising steps; write it as "
                    "\"3000,6000,8000\"",
                    list);
  }
  if (every != (*list != 0)) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  every ? "schedule.step_every and schedule.milestones are both given; the rate is "
                          "lowered by one of them"
                        : "schedule.step_every is 0 and schedule.milestones is empty, but "
                          "schedule.name is step: set after how many steps the rate is lowered");
}

const trm_schedule trm_schedule_step = {TRM_SCHEDULE_PART("step", &rows), .lr = lr, .check = check};
