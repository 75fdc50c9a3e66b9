/**
 * Convolution forward, and the gradient of its input, which is a convolution too: of the output's gradient
 * with the weights turned about, one for each residue of the stride (a phase), whose pixels see the same
 * taps. Both are products whose left operand is never there: a register tile of pixels by columns keeps
 * its sums over all of the window, and reads each pixel's window where a band of the images lies with its
 * zeros; a row of a window is contiguous. Weights are packed once into panels of columns.
 */
#include "isa.h"

#include <omp.h>

#include "conv_parts.h"
#include "micro.h"
#include "team.h"
#include "trireme/math/threads.h"

enum {
  BAND_PIXELS = 256,      /* of a unit of work, about */
  PIECE_PIXELS = 256,     /* whose places are listed at a time */
  PRODUCTS_PER_WORK = 32, /* multiply-adds that take as long as touching one element */
};

/* ---- windows along one axis -------------------------------------------------------------------- */

/* Output pixels to, to + step, ... along an axis, `places` of them; the first one's window begins at
 * `start` of the source with its zeros, and has so many taps. */
typedef struct axis {
  int64_t taps, start, places, to;
} axis;

/* Input pixels i with (i + padding) % stride = residue are reached by taps residue, residue + stride, ...;
 * `before`: zeros in front of the source. */
static axis backward_axis(int64_t size, int64_t window, int64_t stride, int64_t padding,
                          int64_t residue, int64_t before) {
  axis a = {.to = ((residue - padding) % stride + stride) % stride};
  if (a.to < size) a.places = trm_ceil_div(size - a.to, stride);
  if (residue >= window) return a; /* nothing reaches them */
  a.taps = trm_ceil_div(window - residue, stride);
  /* The first pixel's tap `residue` lies at the place (to + padding - residue) / stride. */
  a.start = before + (a.to + padding - residue) / stride - (a.taps - 1);
  return a;
}

/* Zeros in front of the places that any residue's first window needs. */
static int64_t backward_before(int64_t size, int64_t window, int64_t stride, int64_t padding) {
  int64_t before = 0;
  for (int64_t r = 0; r < trm_min_i64(stride, window); ++r) {
    before = trm_max_i64(before, -backward_axis(size, window, stride, padding, r, 0).start);
  }
  return before;
}

/* ---- what is to be done ------------------------------------------------------------------------ */

typedef struct job {
  const trm_conv *conv;
  bool backward, add;
  conv_source source;
  trm_real *to; /* [N, to_H, to_W, to_C] */
  int64_t to_H, to_W, to_C, to_step;
  int64_t step;              /* of windows over the source */
  int64_t phases;            /* each way */
  int64_t channels, columns; /* of the source and of the output, in a group */
  int64_t rows, band_rows, band_images, copy_rows;
  trm_real *packed, *copies; /* weights; a band for each thread */
} job;

static axis axis_down(const job *j, int64_t residue) {
  const trm_windows *w = &j->conv->windows;
  if (!j->backward) return (axis){.taps = w->height, .places = w->down};
  return backward_axis(w->H, w->height, w->stride, w->padding, residue, j->source.before);
}
static axis axis_across(const job *j, int64_t residue) {
  const trm_windows *w = &j->conv->windows;
  if (!j->backward) return (axis){.taps = w->width, .places = w->across};
  return backward_axis(w->W, w->width, w->stride, w->padding, residue, j->source.before);
}

/* Rows and columns of the source that windows reach, and rows that those of one place in a row do. */
static void measure_source(job *j) {
  conv_source *s = &j->source;
  for (int64_t r = 0; r < j->phases; ++r) {
    const axis y = axis_down(j, r), x = axis_across(j, r);
    if (y.taps > 0) {
      s->height = trm_max_i64(s->height, y.start + (y.places - 1) * j->step + y.taps);
      j->copy_rows = trm_max_i64(j->copy_rows, y.start + y.taps);
    }
    if (x.taps > 0) {
      s->width = trm_max_i64(s->width, x.start + (x.places - 1) * j->step + x.taps);
    }
  }
}

/* Bands are cut by the shapes of an image alone. */
static void cut_bands(job *j) {
  const int64_t across = trm_max_i64(trm_ceil_div(j->to_W, j->to_step), 1);
  j->rows = trm_ceil_div(j->to_H, j->to_step);
  const int64_t pixels = trm_max_i64(j->rows * across, 1);
  j->band_images = trm_max_i64(BAND_PIXELS / pixels, 1);
  const int64_t n_bands = trm_ceil_div(pixels, BAND_PIXELS);
  j->band_rows = trm_max_i64(trm_ceil_div(j->rows, n_bands), 1);
  j->copy_rows = trm_min_i64(j->copy_rows + (j->band_rows - 1) * j->step, j->source.height);
}

static int64_t band_elements(const job *j) {
  if (conv_in_place(&j->source)) return 0;
  return j->band_images * j->copy_rows * j->source.width * j->source.C;
}

/* Each tap belongs to one phase. */
static int64_t packed_elements(const job *j) {
  const trm_windows *w = &j->conv->windows;
  return j->conv->groups * w->height * w->width * j->channels * conv_columns_most(j->columns);
}

static job forward_job(const trm_conv *conv) {
  const trm_windows *w = &conv->windows;
  job j = {.conv = conv,
           .source = {.H = w->H, .W = w->W, .C = w->C, .before = w->padding},
           .to_H = w->down,
           .to_W = w->across,
           .to_C = conv->O,
           .to_step = 1,
           .step = w->stride,
           .phases = 1,
           .channels = w->C / conv->groups,
           .columns = conv->O / conv->groups};
  measure_source(&j);
  cut_bands(&j);
  return j;
}

static job backward_job(const trm_conv *conv) {
  const trm_windows *w = &conv->windows;
  job j = {.conv = conv,
           .backward = true,
           .source = {.H = w->down, .W = w->across, .C = conv->O},
           .to_H = w->H,
           .to_W = w->W,
           .to_C = w->C,
           .to_step = w->stride,
           .step = 1,
           .phases = w->stride,
           .channels = conv->O / conv->groups,
           .columns = w->C / conv->groups};
  j.source.before = trm_max_i64(backward_before(w->H, w->height, w->stride, w->padding),
                                backward_before(w->W, w->width, w->stride, w->padding));
  measure_source(&j);
  cut_bands(&j);
  return j;
}

static int64_t job_scratch(const job *j) {
  return packed_elements(j) + trm_threads_get() * band_elements(j);
}
int64_t trm_conv_forward_scratch(const trm_conv *conv) {
  const job j = forward_job(conv);
  return job_scratch(&j);
}
int64_t trm_conv_backward_input_scratch(const trm_conv *conv) {
  const job j = backward_job(conv);
  return job_scratch(&j);
}

/* ---- weights ----------------------------------------------------------------------------------- */

/* The taps of a phase, and where its packed weights are: [group][panel][taps, channels][columns]. */
typedef struct phase {
  axis y, x;
  int64_t residue_y, residue_x;
  int64_t depth; /* of a sum */
  trm_real *packed;
} phase;

static phase first_phase(const job *j) {
  phase p = {.y = axis_down(j, 0), .x = axis_across(j, 0), .packed = j->packed};
  p.depth = p.y.taps * p.x.taps * j->channels;
  return p;
}

/* False after the last one. */
static bool next_phase(const job *j, phase *p) {
  p->packed += j->conv->groups * p->depth * conv_columns(j->columns);
  if (++p->residue_x == j->phases) {
    p->residue_x = 0;
    if (++p->residue_y == j->phases) return false;
  }
  p->y = axis_down(j, p->residue_y);
  p->x = axis_across(j, p->residue_x);
  p->depth = p->y.taps * p->x.taps * j->channels;
  return true;
}

/* Columns first .. first + n - 1 of group g, filled up with zeros to `width`. */
static void pack_forward(const job *j, const phase *p, trm_real *restrict to, const trm_real *w,
                         int64_t g, int64_t first, int64_t n, int64_t width) {
  const trm_real *from = w + g * j->columns + first;
  for (int64_t k = 0; k < p->depth; ++k) {
    for (int64_t c = 0; c < n; ++c) to[k * width + c] = from[k * j->conv->O + c];
  }
}

/* The same of the weights turned about: rows are (tap down, tap across, output channel), taps from the last
 * to the first, columns are input channels. */
static void pack_backward(const job *j, const phase *p, trm_real *restrict to, const trm_real *w,
                          int64_t g, int64_t first, int64_t n, int64_t width) {
  const trm_windows *windows = &j->conv->windows;
  const int64_t O = j->conv->O;
  for (int64_t i = p->y.taps - 1; i >= 0; --i) {
    for (int64_t k = p->x.taps - 1; k >= 0; --k) {
      const int64_t row = p->residue_y + i * windows->stride;
      const int64_t column = p->residue_x + k * windows->stride;
      const int64_t at = (row * windows->width + column) * j->columns + first;
      trm_transpose(to, width, w + at * O + g * j->channels, O, n, j->channels);
      to += j->channels * width;
    }
  }
}

/* A panel of group g. */
static void pack_panel(const job *j, const phase *p, const trm_real *w, int64_t g,
                       conv_panel panel) {
  const int64_t width = panel.vectors * CONV_VECTOR, first = panel.first;
  const int64_t n = trm_min_i64(width, j->columns - first);
  trm_real *to = p->packed + (g * conv_columns(j->columns) + first) * p->depth;
  (j->backward ? pack_backward : pack_forward)(j, p, to, w, g, first, n, width);
  for (int64_t k = 0; n < width && k < p->depth; ++k) {
    for (int64_t c = n; c < width; ++c) to[k * width + c] = 0;
  }
}

static void pack(const job *j, const trm_real *w) {
  const int64_t n_panels = conv_panels(j->columns);
  phase p = first_phase(j);
  do {
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < j->conv->groups * n_panels; ++i) {
      pack_panel(j, &p, w, i / n_panels, conv_panel_at(j->columns, i % n_panels));
    }
  } while (next_phase(j, &p));
#pragma omp barrier
}

/* ---- register tiles ---------------------------------------------------------------------------- */

/* Windows as segments that are contiguous in the source. */
typedef struct segments {
  int64_t n_rows, n_in_row; /* of a window */
  int64_t row_step, in_row; /* elements from one to the next */
  int64_t length;           /* of each */
} segments;

/* The next `steps` elements of each pixel's window. Narrow tiles take several at a time, since they have
 * more pixels than there are registers for addresses. */
TRM_INLINE void grow(int rows, int vectors, int steps, trm_vector sum[][CONV_VECTORS],
                     const trm_real *const *from, int64_t at, const trm_real *b) {
  trm_vector row[CONV_STEPS][CONV_VECTORS];
#pragma GCC unroll 4
  for (int k = 0; k < steps; ++k) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      row[k][v] = trm_vector_load(b + (k * vectors + v) * CONV_VECTOR);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
    for (int k = 0; k < steps; ++k) {
      const trm_vector a = trm_vector_set(from[i][at + k]);
#pragma GCC unroll 3
      for (int v = 0; v < vectors; ++v) sum[i][v] = trm_vector_fma(sum[i][v], a, row[k][v]);
    }
  }
}

/* Sums of `rows` pixels, whose windows begin at from[.], and `vectors` vectors of columns; b is a panel. */
TRM_INLINE void register_tile(int rows, int vectors, const segments *s, const trm_real *const *from,
                              const trm_real *b, trm_real *const *to, bool add) {
  trm_vector sum[CONV_ROWS_MOST][CONV_VECTORS];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) sum[i][v] = trm_vector_set(0);
  }
  const int steps = vectors == 1 ? CONV_STEPS : 1;
  for (int64_t y = 0; y < s->n_rows; ++y) {
    for (int64_t x = 0; x < s->n_in_row; ++x) {
      int64_t k = y * s->row_step + x * s->in_row;
      const int64_t end = k + s->length;
      for (; k + steps <= end; k += steps) {
        grow(rows, vectors, steps, sum, from, k, b);
        b += steps * vectors * CONV_VECTOR;
      }
      for (; k < end; ++k) {
        grow(rows, vectors, 1, sum, from, k, b);
        b += vectors * CONV_VECTOR;
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      trm_real *at = to[i] + v * CONV_VECTOR;
      trm_vector_store(at, add ? trm_vector_load(at) + sum[i][v] : sum[i][v]);
    }
  }
}

typedef void tile_function(const segments *s, const trm_real *const *from, const trm_real *b,
                           trm_real *const *to, bool add);
#define TILE(name, rows, vectors)                                                                  \
  static void name(const segments *s, const trm_real *const *from, const trm_real *b,              \
                   trm_real *const *to, bool add) {                                                \
    register_tile(rows, vectors, s, from, b, to, add);                                             \
  }
TILE(tile_1, CONV_NARROW_ROWS, 1)
TILE(tile_2, CONV_ROWS, 2)
TILE(tile_3, CONV_ROWS, 3)
TILE(half_1, CONV_NARROW_ROWS / 2, 1)
TILE(half_2, CONV_ROWS / 2, 2)
TILE(half_3, CONV_ROWS / 2, 3)
/* By halves of rows, and vectors. */
static tile_function *const tiles[2][CONV_VECTORS] = {{half_1, half_2, half_3},
                                                      {tile_1, tile_2, tile_3}};

/* ---- a unit of work: a band of an image, or some whole images ------------------------------------ */

/* Pixels of a unit, as offsets of their windows and of themselves. */
typedef struct piece {
  int64_t n;
  int64_t from[PIECE_PIXELS], to[PIECE_PIXELS];
} piece;

typedef struct unit {
  int64_t first_image, n_images, first_row, n_rows;
  const trm_real *source; /* of the first row of places of the first image */
  int64_t image_elements; /* of the source */
  int64_t row_elements;
} unit;

static unit make_unit(const job *j, int64_t number) {
  const int64_t N = j->conv->windows.N, n_bands = trm_ceil_div(j->rows, j->band_rows);
  unit u = {.first_image = number / n_bands * j->band_images,
            .first_row = number % n_bands * j->band_rows};
  u.n_images = trm_min_i64(j->band_images, N - u.first_image);
  u.n_rows = trm_min_i64(j->band_rows, j->rows - u.first_row);
  const conv_source *s = &j->source;
  const int64_t source_row = u.first_row * j->step;
  if (conv_in_place(s)) {
    u.row_elements = s->W * s->C;
    u.image_elements = s->H * u.row_elements;
    u.source = s->data + u.first_image * u.image_elements + source_row * u.row_elements;
    return u;
  }
  trm_real *copy = j->copies + omp_get_thread_num() * band_elements(j);
  u.row_elements = s->width * s->C;
  u.image_elements = j->copy_rows * u.row_elements;
  u.source = copy;
  const int64_t n = trm_min_i64(j->copy_rows, s->height - source_row);
  for (int64_t i = 0; i < u.n_images; ++i) {
    for (int64_t r = 0; r < n; ++r) {
      conv_copy_row(copy + i * u.image_elements + r * u.row_elements, s, u.first_image + i,
                    source_row + r);
    }
  }
  return u;
}

/* One tile: rows past the last pixel make it again, beside. */
static void run_tile(const job *j, const piece *pixels, const segments *s, const trm_real *source,
                     const trm_real *b, int64_t first, int64_t column, int64_t vectors,
                     int64_t n_columns) {
  trm_real beside[CONV_ROWS_MOST * CONV_PANEL];
  const trm_real *from[CONV_ROWS_MOST];
  trm_real *to[CONV_ROWS_MOST];
  const int64_t width = vectors * CONV_VECTOR, n = pixels->n - first;
  const bool ragged = n_columns < width;
  int64_t rows = conv_tile_rows(vectors);
  const bool whole = n > rows / 2;
  if (!whole) rows /= 2;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t at = first + trm_min_i64(i, n - 1);
    from[i] = source + pixels->from[at];
    to[i] = ragged || i >= n ? beside + i * width : j->to + pixels->to[at] + column;
  }
  if (j->add && (ragged || n < rows)) memset(beside, 0, sizeof beside);
  tiles[whole][vectors - 1](s, from, b, to, j->add);
  for (int64_t i = 0; ragged && i < trm_min_i64(n, rows); ++i) {
    trm_real *at = j->to + pixels->to[first + i] + column;
    for (int64_t c = 0; c < n_columns; ++c) {
      at[c] = j->add ? at[c] + beside[i * width + c] : beside[i * width + c];
    }
  }
}

/* All columns of the pixels of a piece. */
static void run_piece(const job *j, const phase *p, const unit *u, const piece *pixels) {
  const bool joined = j->conv->groups == 1;
  const segments s = {.n_rows = p->y.taps,
                      .n_in_row = joined ? 1 : p->x.taps,
                      .row_step = u->row_elements,
                      .in_row = j->source.C,
                      .length = joined ? p->x.taps * j->channels : j->channels};
  for (int64_t g = 0; g < j->conv->groups; ++g) {
    const trm_real *b = p->packed + g * p->depth * conv_columns(j->columns);
    const trm_real *source = u->source + g * j->channels;
    for (int64_t first = 0, width; first < j->columns; first += width) {
      const int64_t vectors = conv_panel_vectors(j->columns - first);
      width = vectors * CONV_VECTOR;
      const int64_t n = trm_min_i64(width, j->columns - first);
      for (int64_t i = 0; i < pixels->n; i += conv_tile_rows(vectors)) {
        run_tile(j, pixels, &s, source, b, i, g * j->columns + first, vectors, n);
      }
      b += p->depth * width;
    }
  }
}

static void run_phase(const job *j, const phase *p, const unit *u) {
  piece pixels;
  pixels.n = 0;
  const int64_t end = trm_min_i64(u->first_row + u->n_rows, p->y.places);
  for (int64_t i = 0; i < u->n_images; ++i) {
    for (int64_t row = u->first_row; row < end; ++row) {
      const int64_t in_unit = (row - u->first_row) * j->step + p->y.start;
      int64_t from = i * u->image_elements + in_unit * u->row_elements + p->x.start * j->source.C;
      const int64_t to_row = (u->first_image + i) * j->to_H + p->y.to + row * j->to_step;
      int64_t to = (to_row * j->to_W + p->x.to) * j->to_C;
      for (int64_t x = 0; x < p->x.places; ++x) {
        pixels.from[pixels.n] = from;
        pixels.to[pixels.n++] = to;
        from += j->step * j->source.C;
        to += j->to_step * j->to_C;
        if (pixels.n < PIECE_PIXELS) continue;
        run_piece(j, p, u, &pixels);
        pixels.n = 0;
      }
    }
  }
  if (pixels.n > 0) run_piece(j, p, u, &pixels);
}

static void run_unit(const job *j, int64_t number) {
  const unit u = make_unit(j, number);
  phase p = first_phase(j);
  do {
    run_phase(j, &p, &u);
  } while (next_phase(j, &p));
}

static void run(job *j, const trm_real *w, trm_real *scratch) {
  const trm_windows *windows = &j->conv->windows;
  if (windows->N <= 0) return;
  const int64_t units =
      trm_ceil_div(windows->N, j->band_images) * trm_ceil_div(j->rows, j->band_rows);
  const int64_t products = windows->N * windows->down * windows->across * j->conv->O *
                           windows->height * windows->width * windows->C / j->conv->groups;
  j->packed = scratch;
  j->copies = scratch + packed_elements(j);
#pragma omp parallel num_threads(trm_team(units, products / PRODUCTS_PER_WORK))
  {
    pack(j, w);
#pragma omp for schedule(dynamic) nowait
    for (int64_t i = 0; i < units; ++i) run_unit(j, i);
  }
}

void trm_conv_forward(trm_real *y, const trm_real *x, const trm_real *w, const trm_conv *conv,
                      trm_real *scratch) {
  job j = forward_job(conv);
  j.source.data = x;
  j.to = y;
  run(&j, w, scratch);
}

void trm_conv_backward_input(trm_real *dx, const trm_real *dy, const trm_real *w,
                             const trm_conv *conv, bool add, trm_real *scratch) {
  job j = backward_job(conv);
  j.source.data = dy;
  j.to = dx;
  j.add = add;
  run(&j, w, scratch);
}
