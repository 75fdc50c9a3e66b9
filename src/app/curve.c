/* Curves, drawn in characters. */
#include <inttypes.h>
#include <stdio.h>

#include "app.h"
#include "trireme/core/plural.h"
#include "trireme/optim/optim.h"
#include "trireme/train/report.h"

enum { COLUMNS = APP_CURVE_COLUMNS, LINES = 8 };

void app_print_curve(const double *values, double low, double high) {
  trm_print_grid(&values, 1, "*", COLUMNS, LINES, low, high, "#  ", stdout);
}

/* ---- rates over steps ------------------------------------------------------------------------ */

/* Step in the middle of a column. */
static int64_t step_at(int column, int64_t n_steps) {
  return (int64_t)(((double)column + 0.5) / COLUMNS * (double)n_steps);
}

void app_print_rates(const trm_config *config, int64_t n_steps) {
  double rates[COLUMNS], highest = 0;
  const char *key = trm_schedule_length_key(config);
  if (n_steps < 1 || (key && trm_schedule_length(config) == 0))
    return; /* the checkpoint knows it */
  for (int c = 0; c < COLUMNS; ++c) {
    rates[c] = trm_schedule_lr(config, step_at(c, n_steps));
    highest = rates[c] > highest ? rates[c] : highest;
  }
  if (!(highest > 0)) return;
  printf("# learning rate (%s): %.3g in the first step, %.3g in the last, up to %.3g\n",
         trm_config_string(config, "schedule.name"), trm_schedule_lr(config, 0),
         trm_schedule_lr(config, n_steps - 1), highest);
  app_print_curve(rates, 0, highest);
  printf("#            0%*" PRId64 " step%s\n", COLUMNS - 1, n_steps, trm_plural(n_steps));
  if (trm_schedule_follows(config)) printf("# and lower after evaluations that are no better\n");
}
