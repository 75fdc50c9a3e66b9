/* Charts as SVG. */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "ticks.h"
#include "trireme/train/report.h"

/* A picture in units of its view box: margins around a frame. */
typedef struct frame {
  const trm_chart *chart;
  bool alone;
  double width, height, left, right, top, bottom;
  double y0; /* where the chart begins in a file of several */
} frame;

enum { LEGEND_LINE = 18, LEGEND_MOST = 20, MOST_MARKED = 32 };

static int legend_lines(const trm_chart *chart) {
  if (chart->n_lines < 2) return 0;
  const int n = chart->n_lines > LEGEND_MOST ? LEGEND_MOST + 1 : chart->n_lines;
  return (n + 1) / 2;
}

static frame frame_of(const trm_chart *chart, bool alone) {
  if (!alone) {
    return (frame){.chart = chart,
                   .width = 480,
                   .height = 270,
                   .left = 50,
                   .right = 12,
                   .top = 10,
                   .bottom = 34};
  }
  return (frame){.chart = chart,
                 .alone = true,
                 .width = 720,
                 .height = 400 + LEGEND_LINE * legend_lines(chart),
                 .left = 70,
                 .right = 20,
                 .top = 42,
                 .bottom = 48 + LEGEND_LINE * legend_lines(chart)};
}

/* ---- places ---------------------------------------------------------------------------------- */

static double share(double value, double low, double high, bool log) {
  if (log) {
    if (!(value > 0)) return 0;
    value = log10(value);
    low = log10(low);
    high = log10(high);
  }
  return fmin(fmax((value - low) / (high - low), 0), 1);
}

static double x_of(const frame *f, double x) {
  const trm_chart *c = f->chart;
  return f->left + share(x, c->x_low, c->x_high, c->log_x) * (f->width - f->left - f->right);
}

static double y_of(const frame *f, double y) {
  const trm_chart *c = f->chart;
  const double span = f->height - f->top - f->bottom;
  return f->y0 + f->height - f->bottom - share(y, c->y_low, c->y_high, c->log_y) * span;
}

static double floor_of(const frame *f) {
  return f->y0 + f->height - f->bottom;
}

static double ceiling_of(const frame *f) {
  return f->y0 + f->top;
}

/* What the axes can show. */
static bool is_shown(const trm_chart *chart, double x, double y) {
  return (!chart->log_x || x > 0) && (!chart->log_y || y > 0);
}

/* ---- axes ------------------------------------------------------------------------------------ */

/* Style of an element: a class in a page, attributes in a file of its own. */
static const char *style(const frame *f, const char *in_page, const char *alone) {
  return f->alone ? alone : in_page;
}

static void write_axes(const frame *f, FILE *file) {
  const trm_chart *c = f->chart;
  double ticks[TRM_MAX_TICKS];
  char text[TRM_TICK_BYTES];
  (void)fprintf(file, "<g class=\"axes\">");
  int n = trm_ticks(c->y_low, c->y_high, c->log_y, 6, ticks);
  for (int i = 0; i < n; ++i) {
    const double y = y_of(f, ticks[i]);
    trm_tick_text(ticks[i], text);
    (void)fprintf(file,
                  "<path %s d=\"M%.1f,%.1fH%.1f\"/><text %sx=\"%.1f\" y=\"%.1f\" "
                  "text-anchor=\"end\">%s</text>",
                  style(f, "class=\"grid\"", "stroke=\"#ddd\" fill=\"none\""), f->left, y,
                  f->width - f->right, style(f, "class=\"tick\" ", ""), f->left - 6, y + 4, text);
  }
  n = trm_ticks(c->x_low, c->x_high, c->log_x, 7, ticks);
  for (int i = 0; i < n; ++i) {
    const double x = x_of(f, ticks[i]);
    trm_tick_text(ticks[i], text);
    (void)fprintf(file,
                  "<path %s d=\"M%.1f,%.1fV%.1f\"/><text %sx=\"%.1f\" y=\"%.1f\" "
                  "text-anchor=\"middle\">%s</text>",
                  style(f, "class=\"grid\"", "stroke=\"#eee\" fill=\"none\""), x, ceiling_of(f),
                  floor_of(f), style(f, "class=\"tick\" ", ""), x, floor_of(f) + 15, text);
  }
  (void)fprintf(file, "<path %s d=\"M%.1f,%.1fH%.1f\"/></g>",
                style(f, "class=\"base\"", "stroke=\"#888\" fill=\"none\""), f->left, floor_of(f),
                f->width - f->right);
}

static void write_names(const frame *f, FILE *file) {
  const trm_chart *c = f->chart;
  (void)fprintf(file, "<text %sx=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                style(f, "class=\"tick\" ", ""), f->width - f->right, floor_of(f) + 30);
  trm_report_text(file, c->x_name);
  (void)fprintf(file, "</text>");
  if (!f->alone) return;
  (void)fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"15\" font-weight=\"bold\">", f->left,
                f->y0 + 26);
  trm_report_text(file, c->title);
  (void)fprintf(file, "</text>");
  if (!c->y_name) return;
  (void)fprintf(file, "<text transform=\"translate(16 %.1f) rotate(-90)\" text-anchor=\"middle\">",
                (ceiling_of(f) + floor_of(f)) / 2);
  trm_report_text(file, c->y_name);
  (void)fprintf(file, "</text>");
}

static void write_marks(const frame *f, FILE *file) {
  for (int i = 0; i < f->chart->n_marks; ++i) {
    const trm_chart_mark *mark = &f->chart->marks[i];
    const double x = x_of(f, mark->x);
    const bool right = x > f->width * 0.75; /* the text goes to the left then */
    (void)fprintf(file,
                  "<path %s d=\"M%.1f,%.1fV%.1f\" stroke-dasharray=\"4 3\"/><text %sx=\"%.1f\" "
                  "y=\"%.1f\"%s>",
                  style(f, "class=\"mark\"", "stroke=\"#c33\" fill=\"none\""), x, ceiling_of(f),
                  floor_of(f), style(f, "class=\"tick\" ", "fill=\"#c33\" "), right ? x - 4 : x + 4,
                  ceiling_of(f) + 14 * (i + 1), right ? " text-anchor=\"end\"" : "");
    trm_report_text(file, mark->text);
    (void)fprintf(file, "</text>");
  }
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Attributes of a line's stroke, or of a band's area. */
static void write_look(const frame *f, const trm_chart_line *line, const char *kind, FILE *file) {
  static const char *const styles[] = {"", " pale", " dashed", ""};
  char text[8];
  const int slot = trm_colour_slot(line->colour);
  if (!f->alone) {
    (void)fprintf(file, "class=\"%s c%d%s\" data-run=\"%d\"", kind, slot, styles[line->style],
                  line->colour);
    return;
  }
  const char *colour = trm_colour(slot, false, text);
  if (strcmp(kind, "band") == 0) {
    (void)fprintf(file, "fill=\"%s\" fill-opacity=\"0.18\" stroke=\"none\"", colour);
    return;
  }
  const bool dots = strcmp(kind, "dots") == 0;
  const double opacity = line->style == TRM_LINE_PALE || line->style == TRM_LINE_DOTS ? 0.45 : 1;
  (void)fprintf(file,
                "fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" stroke-opacity=\"%.2f\" "
                "stroke-linejoin=\"round\" stroke-linecap=\"%s\"%s",
                colour,
                dots                           ? "5"
                : line->style == TRM_LINE_PALE ? "1.2"
                                               : "1.8",
                opacity, dots ? "round" : "butt",
                line->style == TRM_LINE_DASHED ? " stroke-dasharray=\"5 3\"" : "");
}

/* Values for the page's script: "x,y x,y" or "x,y,spread x,y,spread". */
static void write_values(const trm_chart_line *line, FILE *file) {
  (void)fprintf(file, " data-v=\"");
  for (int64_t i = 0; i < line->n; ++i) {
    (void)fprintf(file, "%s%.7g,%.4g", i ? " " : "", line->x[i], line->y[i]);
    if (line->spread) (void)fprintf(file, ",%.3g", line->spread[i]);
  }
  (void)fprintf(file, "\"");
}

static void write_band(const frame *f, const trm_chart_line *line, FILE *file) {
  (void)fprintf(file, "<path ");
  write_look(f, line, "band", file);
  (void)fprintf(file, " d=\"");
  char command = 'M';
  for (int64_t i = 0; i < line->n; ++i) {
    if (!is_shown(f->chart, line->x[i], line->y[i])) continue;
    (void)fprintf(file, "%c%.1f,%.1f", command, x_of(f, line->x[i]),
                  y_of(f, line->y[i] + line->spread[i]));
    command = 'L';
  }
  for (int64_t i = line->n - 1; i >= 0; --i) {
    if (!is_shown(f->chart, line->x[i], line->y[i])) continue;
    (void)fprintf(file, "L%.1f,%.1f", x_of(f, line->x[i]), y_of(f, line->y[i] - line->spread[i]));
  }
  (void)fprintf(file, "%s\"/>", command == 'L' ? "Z" : "");
}

static void write_path(const frame *f, const trm_chart_line *line, const char *kind, bool values,
                       FILE *file) {
  const bool dots = strcmp(kind, "dots") == 0;
  (void)fprintf(file, "<path ");
  write_look(f, line, kind, file);
  if (!f->alone && values) {
    (void)fprintf(file, " data-name=\"");
    trm_report_text(file, line->name);
    (void)fprintf(file, "\"");
    write_values(line, file);
  }
  (void)fprintf(file, " d=\"");
  bool first = true;
  for (int64_t i = 0; i < line->n; ++i) {
    if (!is_shown(f->chart, line->x[i], line->y[i])) continue;
    const char command = first || dots ? 'M' : 'L';
    (void)fprintf(file, "%c%.1f,%.1f%s", command, x_of(f, line->x[i]), y_of(f, line->y[i]),
                  dots ? "h0" : "");
    first = false;
  }
  (void)fprintf(file, "\"/>");
}

/* A cross where numbers cease to be finite. */
static void write_bad(const frame *f, const trm_chart_line *line, FILE *file) {
  const double x = x_of(f, line->bad_x), y = ceiling_of(f) + 8;
  (void)fprintf(file, "<path ");
  write_look(f, line, "bad", file);
  (void)fprintf(file,
                " data-x=\"%.7g\" d=\"M%.1f,%.1fl8,8m0,-8l-8,8\"><title>no finite number from step "
                "%.0f on</title></path>",
                line->bad_x, x - 4, y - 4, line->bad_x);
}

static void write_line(const frame *f, const trm_chart_line *line, FILE *file) {
  if (line->spread) write_band(f, line, file);
  if (line->style == TRM_LINE_DOTS) {
    write_path(f, line, "dots", true, file);
  } else {
    write_path(f, line, "line", true, file);
    if (line->n <= MOST_MARKED) write_path(f, line, "dots", false, file);
  }
  if (isfinite(line->bad_x)) write_bad(f, line, file);
}

/* ---- the legend of a file of its own ---------------------------------------------------------- */

static void write_legend(const frame *f, FILE *file) {
  const trm_chart *c = f->chart;
  const double column = (f->width - f->left - f->right) / 2;
  if (legend_lines(c) == 0) return;
  const int n = c->n_lines > LEGEND_MOST ? LEGEND_MOST : c->n_lines;
  for (int i = 0; i <= n; ++i) {
    const double x = f->left + column * (i % 2), y = floor_of(f) + 52 + LEGEND_LINE * (i / 2);
    if (i == n) {
      if (c->n_lines > n) {
        (void)fprintf(file, "<text x=\"%.1f\" y=\"%.1f\">and %d more</text>", x, y, c->n_lines - n);
      }
      break;
    }
    (void)fprintf(file, "<path ");
    write_look(f, &c->lines[i], "line", file);
    (void)fprintf(file, " d=\"M%.1f,%.1fh20\"/><text x=\"%.1f\" y=\"%.1f\">", x, y - 4, x + 26, y);
    char name[56];
    (void)snprintf(name, sizeof name, "%.52s", c->lines[i].name);
    trm_report_text(file, name);
    (void)fprintf(file, "</text>");
  }
}

/* ---- a chart --------------------------------------------------------------------------------- */

static void write_chart(const frame *f, FILE *file) {
  write_axes(f, file);
  write_names(f, file);
  for (int l = 0; l < f->chart->n_lines; ++l) write_line(f, &f->chart->lines[l], file);
  write_marks(f, file);
  if (f->alone) write_legend(f, file);
}

void trm_charts_svg(const trm_chart *charts, int n, FILE *file) {
  double height = 0;
  for (int i = 0; i < n; ++i) height += frame_of(&charts[i], true).height;
  (void)fprintf(file,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"%.0f\" "
                "viewBox=\"0 0 720 %.0f\" font-family=\"sans-serif\" font-size=\"12\" "
                "fill=\"#222\">\n%s\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                height, height, n > 0 && charts[0].mark ? charts[0].mark : "");
  double y0 = 0;
  for (int i = 0; i < n; ++i) {
    frame f = frame_of(&charts[i], true);
    f.y0 = y0;
    y0 += f.height;
    (void)fprintf(file, "<g>");
    write_chart(&f, file);
    (void)fprintf(file, "</g>\n");
  }
  (void)fprintf(file, "</svg>\n");
}

void trm_chart_svg(const trm_chart *chart, trm_svg_place place, FILE *file) {
  if (place == TRM_SVG_ALONE) {
    trm_charts_svg(chart, 1, file);
    return;
  }
  const frame f = frame_of(chart, false);
  (void)fprintf(file, "<svg class=\"plot\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
                f.width, f.height);
  trm_report_text(file, chart->title);
  (void)fprintf(file, "\" data-xname=\"");
  trm_report_text(file, chart->x_name);
  (void)fprintf(file,
                "\" data-frame=\"%.0f %.0f %.0f %.0f\" data-x=\"%.9g %.9g\" data-y=\"%.9g %.9g\" "
                "data-log=\"%d %d\">",
                f.left, f.top, f.width - f.right, f.height - f.bottom, chart->x_low, chart->x_high,
                chart->y_low, chart->y_high, chart->log_x, chart->log_y);
  write_chart(&f, file);
  (void)fprintf(file, "</svg>");
}
