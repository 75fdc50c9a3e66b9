#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app.h"
#include "trireme/train/report.h"

enum { AXIS_COLUMNS = 12 };

/* The terminal, and the columns that a chart has beside its axis. */
static void measure_terminal(trm_show_options *o) {
  struct winsize size;
  o->width = 80;
  o->rows = 0;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    o->width = size.ws_col;
    o->rows = size.ws_row;
  }
  const int columns = o->width - AXIS_COLUMNS;
  o->columns = columns < 20 ? 20 : columns > 200 ? 200 : columns;
}

int app_show_runs(int argc, char **argv) {
  app_list words;
  trm_show_options o = {.what = NULL};
  bool helped;
  int64_t lines = 14;
  const app_option options[] = {
      APP_TEXT("--column", 'c', &o.what, "NAME",
               "one column of metrics.csv, or a kind of score (default: loss and best score)"),
      APP_FLAG("--follow", &o.follow, "go on until no run trains any more"),
      APP_INT("--lines", 'n', &lines, 3, 200, "N",
              "height of a chart (14; with --follow at most what fits)"),
  };
  trm_status status = app_parse("show", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_single_process("show");
  if (status == TRM_OK && words.n == 0) {
    status = trm_fail(TRM_ERR_USAGE, "show: give one run directory or more; see trireme help show");
  }
  measure_terminal(&o);
  o.lines = (int)lines;
  o.redraw = isatty(STDOUT_FILENO) == 1;
  if (status == TRM_OK) status = trm_show_write(words.items, words.n, &o, stdout);
  return app_end(NULL, status);
}
