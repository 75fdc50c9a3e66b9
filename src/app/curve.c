/* Curves, drawn in characters. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "trireme/optim/optim.h"

enum { COLUMNS = APP_CURVE_COLUMNS, LINES = 8 };

/* Line of a value, from the bottom; the top line is for the highest. */
static int line_of(double value, double low, double high) {
  const double share = (value - low) / (high - low);
  const int line = (int)(fmin(fmax(share, 0), 1) * LINES);
  return line < LINES ? line : LINES - 1;
}

/* A line of stars and blanks, without blanks at its end. */
static void draw_line(const double *values, double low, double high, int line,
                      char text[COLUMNS + 1]) {
  int n = 0;
  for (int c = 0; c < COLUMNS; ++c) {
    const bool here = !isnan(values[c]) && line_of(values[c], low, high) == line;
    text[c] = here ? '*' : ' ';
    n = here ? c + 1 : n;
  }
  text[n] = 0;
}

void app_print_curve(const double *values, double low, double high) {
  for (int line = LINES - 1; line >= 0; --line) {
    char text[COLUMNS + 1];
    draw_line(values, low, high, line, text);
    if (line == LINES - 1 || line == 0) {
      printf("#  %9.3g |%s\n", line == 0 ? low : high, text);
    } else {
      printf("#  %9s |%s\n", "", text);
    }
  }
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
  printf("#            0%*" PRId64 " steps\n", COLUMNS - 1, n_steps);
  if (trm_schedule_follows(config)) printf("# and lower after evaluations that are no better\n");
}
