/* What a curve of losses over rates says, and how it is written. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/train/find_lr.h"

/* ---- the curve -------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* Points on both sides that a mean around point i takes: as many on one as on the other, so that the
 * curve is not moved along the rates. */
static int64_t reach(const trm_rate_curve *c, int64_t i) {
  return least(c->half_width, least(i, c->n - 1 - i));
}

static void smoothen(trm_rate_curve *c) {
  for (int64_t i = 0; i < c->n; ++i) {
    const int64_t h = reach(c, i);
    double sum = 0;
    for (int64_t k = i - h; k <= i + h; ++k) sum += c->losses[k];
    c->smooth[i] = sum / (double)(2 * h + 1);
  }
}

/* Root of the mean squared distance of losses from the smooth curve, up to its lowest point. */
static double scatter(const trm_rate_curve *c) {
  double sum = 0;
  for (int64_t i = 0; i <= c->lowest; ++i) {
    sum += (c->losses[i] - c->smooth[i]) * (c->losses[i] - c->smooth[i]);
  }
  return sqrt(sum / (double)(c->lowest + 1));
}

/* The point before the lowest where the smooth curve falls most in its neighbourhood; points are
 * equally far apart in the logarithm of the rate. */
static int64_t find_steepest(const trm_rate_curve *c) {
  int64_t best = -1;
  double most = 0;
  for (int64_t i = 1; i < c->lowest; ++i) {
    const int64_t h = least(c->half_width, least(i, c->lowest - i));
    const double fall = (c->smooth[i - h] - c->smooth[i + h]) / (double)(2 * h);
    if (fall <= most) continue;
    most = fall;
    best = i;
  }
  return best;
}

static void judge(trm_rate_curve *c) {
  c->lowest = 0;
  c->steepest = -1;
  for (int64_t i = 1; i < c->n; ++i) {
    if (c->smooth[i] < c->smooth[c->lowest]) c->lowest = i;
  }
  if (c->n == 0) return;
  /* Means of losses that only scatter differ by less. */
  c->fell = c->lowest > 0 && c->smooth[0] - c->smooth[c->lowest] > 3 * scatter(c);
  if (!c->fell) return;
  c->steepest = find_steepest(c);
  c->suggestion = c->rates[c->lowest] / 10;
  if (c->steepest >= 0 && c->rates[c->steepest] < c->suggestion) {
    c->suggestion = c->rates[c->steepest];
  }
}

trm_status trm_rate_curve_make(const double *rates, const double *losses, int64_t n_losses,
                               bool diverged, trm_rate_curve *curve) {
  enum { SHARE = 25 }; /* of the points on one side of a mean */
  const int64_t n = n_losses > 0 ? n_losses - 1 : 0;
  trm_status status = TRM_OK;
  *curve = (trm_rate_curve){.n = n, .diverged = diverged};
  TRM_TRY_OUT(TRM_ALLOC(&curve->rates, n, "curve of rates"));
  TRM_TRY_OUT(TRM_ALLOC(&curve->losses, n, "curve of rates"));
  TRM_TRY_OUT(TRM_ALLOC(&curve->smooth, n, "curve of rates"));
  curve->half_width = n / SHARE > 1 ? n / SHARE : 1;
  for (int64_t i = 0; i < n; ++i) {
    curve->rates[i] = rates[i];
    curve->losses[i] = losses[i + 1];
  }
  smoothen(curve);
  judge(curve);
  return TRM_OK;
out:
  trm_rate_curve_free(curve);
  return status;
}

void trm_rate_curve_free(trm_rate_curve *curve) {
  TRM_FREE(curve->rates);
  TRM_FREE(curve->losses);
  TRM_FREE(curve->smooth);
  curve->n = 0;
}

void trm_rate_curve_range(const trm_rate_curve *curve, double *low, double *high) {
  const double first = curve->n > 0 ? curve->smooth[0] : 1;
  *low = curve->n > 0 ? curve->smooth[curve->lowest] : 0;
  *high = first + (first - *low) / 4;
  if (*high > *low) return;
  *high = *low; /* it only rose */
  for (int64_t i = 0; i < curve->n; ++i) *high = fmax(*high, curve->smooth[i]);
  *high = fmin(*high, *low + fabs(*low));
  if (!(*high > *low)) *high = *low + 1;
}

/* ---- files ------------------------------------------------------------------------------------ */

void trm_rate_curve_write_csv(const trm_rate_curve *curve, FILE *file) {
  (void)fprintf(file, TRM_RATE_CURVE_COLUMNS "\n");
  for (int64_t i = 0; i < curve->n; ++i) {
    (void)fprintf(file, "%" PRId64 ",%.9g,%.9g,%.9g\n", i + 1, curve->rates[i], curve->losses[i],
                  curve->smooth[i]);
  }
}

/* The picture in points: margins around a frame. */
enum { WIDTH = 640, HEIGHT = 400, LEFT = 70, RIGHT = 20, TOP = 40, BOTTOM = 50 };

typedef struct frame {
  double first, last; /* logarithms of rates */
  double low, high;   /* losses */
} frame;

static double x_of(const frame *f, double rate) {
  const double span = f->last > f->first ? f->last - f->first : 1;
  return LEFT + (log10(rate) - f->first) / span * (WIDTH - LEFT - RIGHT);
}

/* What lies outside is drawn at the frame. */
static double y_of(const frame *f, double loss) {
  const double share = fmin(fmax((loss - f->low) / (f->high - f->low), 0), 1);
  return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

static void write_axes(const frame *f, FILE *file) {
  (void)fprintf(file,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
                "stroke=\"#888\"/>\n",
                LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
  for (int decade = (int)ceil(f->first - 1e-9); decade <= f->last + 1e-9; ++decade) {
    const double x = x_of(f, pow(10, decade));
    (void)fprintf(file,
                  "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>"
                  "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">1e%d</text>\n",
                  x, TOP, x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 18, decade);
  }
  for (int i = 0; i <= 4; ++i) {
    const double loss = f->low + (f->high - f->low) * i / 4;
    (void)fprintf(file, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n", LEFT - 6,
                  y_of(f, loss) + 4, loss);
  }
  (void)fprintf(file,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">learning rate</text>\n"
                "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">loss of "
                "the next batch</text>\n",
                LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 12, TOP + (HEIGHT - TOP - BOTTOM) / 2);
}

static void write_mark(const frame *f, double rate, const char *what, int line, FILE *file) {
  const double x = x_of(f, rate);
  (void)fprintf(
      file,
      "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#c33\" "
      "stroke-dasharray=\"4 3\"/><text x=\"%.1f\" y=\"%d\" fill=\"#c33\">%s %.2g</text>\n",
      x, TOP, x, HEIGHT - BOTTOM, x + 4, TOP + 16 * line, what, rate);
}

/* Text of a file: the signs that mean something there are replaced. */
static void write_escaped(const char *text, FILE *file) {
  for (; *text; ++text) {
    if (*text == '<') {
      (void)fputs("&lt;", file);
    } else if (*text == '&') {
      (void)fputs("&amp;", file);
    } else {
      (void)fputc(*text, file);
    }
  }
}

void trm_rate_curve_write_svg(const trm_rate_curve *curve, const char *title, FILE *file) {
  frame f = {.first = 0, .last = 1};
  if (curve->n > 0) {
    f.first = log10(curve->rates[0]);
    f.last = log10(curve->rates[curve->n - 1]);
  }
  trm_rate_curve_range(curve, &f.low, &f.high);
  (void)fprintf(
      file,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
      "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n" TRM_RATE_CURVE_MARK
      "\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"24\" "
      "font-size=\"14\">",
      WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT);
  write_escaped(title, file);
  (void)fprintf(file, "</text>\n");
  write_axes(&f, file);
  for (int64_t i = 0; i < curve->n; ++i) {
    (void)fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.8\" fill=\"#9bd\"/>\n",
                  x_of(&f, curve->rates[i]), y_of(&f, curve->losses[i]));
  }
  (void)fprintf(file, "<polyline fill=\"none\" stroke=\"#147\" stroke-width=\"2\" points=\"");
  for (int64_t i = 0; i < curve->n; ++i) {
    (void)fprintf(file, "%.1f,%.1f ", x_of(&f, curve->rates[i]), y_of(&f, curve->smooth[i]));
  }
  (void)fprintf(file, "\"/>\n");
  if (curve->steepest >= 0) write_mark(&f, curve->rates[curve->steepest], "steepest", 1, file);
  if (curve->fell) write_mark(&f, curve->rates[curve->lowest] / 10, "lowest / 10", 2, file);
  (void)fprintf(file, "</svg>\n");
}
