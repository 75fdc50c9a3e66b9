/**
 * Charts: lines over one pair of axes, without a word about how they are drawn. svg.c and terminal.c draw
 * them.
 */
#ifndef TRIREME_TRAIN_CHART_H
#define TRIREME_TRAIN_CHART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/status.h"

typedef enum trm_line_style {
  TRM_LINE_SOLID,
  TRM_LINE_PALE,   /* what is looked at less: training loss beside that of validation */
  TRM_LINE_DASHED, /* a third one: test */
  TRM_LINE_DOTS,   /* points without a line */
} trm_line_style;

/** A line, rising in x. */
typedef struct trm_chart_line {
  char name[160];
  int colour; /* number of the run or configuration, from 0 */
  trm_line_style style;
  int64_t n;
  const double *x, *y;  /* [n] finite */
  const double *spread; /* [n] a band from y - spread to y + spread; NULL: none */
  double bad_x;         /* from where on there is no finite number; NaN: nowhere */
} trm_chart_line;

/** A line across, at x. */
typedef struct trm_chart_mark {
  double x;
  char text[48];
} trm_chart_mark;

enum { TRM_CHART_MARKS = 8 };

typedef struct trm_chart {
  const char *name;  /* "loss", also as a file name */
  const char *mark;  /* comment that a file of its own begins with; NULL: none */
  const char *title; /* "loss, in nats a token" */
  const char *x_name;
  const char *y_name; /* NULL: the title says it */
  bool log_x, log_y;
  const trm_chart_line *lines; /* [n_lines] */
  int n_lines;
  trm_chart_mark marks[TRM_CHART_MARKS];
  int n_marks;
  double x_low, x_high; /* what is shown */
  double y_low, y_high; /* likewise; what lies outside is drawn at the edge */
} trm_chart;

/** Fits the axes to what the lines have: all in x, and in y all but single values far outside the rest.
 *  On a logarithmic axis, what is not positive is left out. @return TRM_ERR_MEMORY */
trm_status trm_chart_fit(trm_chart *chart);

/**
 * Points of a line that show what all of them do: of each of most / 2 stretches the lowest and the highest,
 * and the first and last of all.
 * @param[out] kept  [most] numbers of points, rising; all n of them where there are no more
 * @return how many; most >= 4
 */
int64_t trm_thin(const double *y, int64_t n, int64_t most, int64_t *kept);

/** Number of a colour, as class names and the palette have it. */
int trm_colour_slot(int colour);
enum { TRM_COLOURS = 40 };
/** "#1f77b4" of a slot, on white or on black. */
const char *trm_colour(int slot, bool dark, char text[8]);

/** Where a picture is to be. */
typedef enum trm_svg_place {
  TRM_SVG_IN_PAGE, /* colours by the page's style sheet, values for its script, no title */
  TRM_SVG_ALONE,   /* a file of its own: title, legend, colours on white */
} trm_svg_place;
void trm_chart_svg(const trm_chart *chart, trm_svg_place place, FILE *file);
/** Charts of one file, below each other. */
void trm_charts_svg(const trm_chart *charts, int n, FILE *file);

/** Draws a chart in characters, `columns` wide and `lines` high, between its axes and a legend of at most `names`
 *  lines. */
trm_status trm_chart_print(const trm_chart *chart, int columns, int lines, int names, FILE *file);

#endif
