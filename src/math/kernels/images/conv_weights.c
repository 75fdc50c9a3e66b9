/**
 * Gradient of a convolution's weights: dw[(row, column, channel), o] = sum over places of x at the place's
 * window, times dy. A register tile of weights keeps its sums over a band of places, in the order of
 * images and places, and adds them to what waits in scratch; both operands are read where they lie, x with
 * its zeros. Images are copied and walked some at a time, all threads together.
 */
#include "isa.h"

#include "conv_parts.h"
#include "team.h"

enum {
  BAND_PLACES = 128,        /* whose sums stay in registers, about */
  BAND_ROWS_MOST = 128,     /* rows of places in a band */
  GROUP_ELEMENTS = 1 << 17, /* of the images that are copied at a time, unless one is larger */
  PRODUCTS_PER_WORK = 32,   /* multiply-adds that take as long as touching one element */
};

typedef struct job {
  const trm_conv *conv;
  conv_source x;
  const trm_real *dy;
  int64_t rows, columns; /* of the weights of a group: window x channels, output channels */
  int64_t images;        /* that are copied at a time */
  int64_t band_rows;     /* rows of places */
  bool copy_dy;          /* vectors reach past its rows */
  trm_real *sums;        /* [groups][panel][rows, filled up][columns of the panel] */
  trm_real *copies, *dy_copies;
  int64_t tiles, parts; /* tiles of rows in a unit of work, and units in a panel */
  int64_t panels;       /* in a group */
} job;

static int64_t padded_rows(const job *j) {
  return trm_ceil_div(j->rows, CONV_ROWS_MOST) * CONV_ROWS_MOST;
}
static int64_t sums_elements(const job *j) {
  return j->conv->groups * padded_rows(j) * conv_columns_most(j->columns);
}
static int64_t copies_elements(const job *j) {
  return conv_in_place(&j->x) ? 0 : j->images * j->x.height * j->x.width * j->x.C;
}
static int64_t dy_elements(const job *j) {
  const trm_windows *w = &j->conv->windows;
  return j->images * w->down * w->across * j->conv->O + CONV_PANEL;
}

/* Bands and groups of images are cut by the shapes alone. */
static job make_job(const trm_conv *conv) {
  const trm_windows *w = &conv->windows;
  job j = {.conv = conv,
           .x = {.H = w->H,
                 .W = w->W,
                 .C = w->C,
                 .before = w->padding,
                 .height = (w->down - 1) * w->stride + w->height,
                 .width = (w->across - 1) * w->stride + w->width},
           .rows = w->height * w->width * w->C / conv->groups,
           .columns = conv->O / conv->groups};
  const int64_t image = trm_max_i64(j.x.height * j.x.width * j.x.C, 1);
  j.images = trm_max_i64(GROUP_ELEMENTS / image, 1);
  j.band_rows =
      trm_min_i64(trm_max_i64(BAND_PLACES / trm_max_i64(w->across, 1), 1), BAND_ROWS_MOST);
  j.copy_dy = j.columns % CONV_VECTOR != 0;
  j.panels = conv_panels(j.columns);
  return j;
}

int64_t trm_conv_backward_weights_scratch(const trm_conv *conv) {
  const job j = make_job(conv);
  return sums_elements(&j) + copies_elements(&j) + dy_elements(&j);
}

/* ---- register tiles ---------------------------------------------------------------------------- */

/* Rows of places: where their windows begin in x; dy lies behind one another. */
typedef struct band {
  int64_t n;
  int64_t from[BAND_ROWS_MOST];
  int64_t across, x_step, dy_step; /* places of a row, and elements from one to the next */
  bool first;                      /* of all: sums are written */
} band;

/* The next `steps` places of a row; narrow tiles take several at a time, since they have more weights than
 * there are registers for addresses. */
TRM_INLINE void grow(int rows, int vectors, int steps, trm_vector sum[][CONV_VECTORS],
                     const trm_real *const *x, int64_t at, int64_t x_step, const trm_real *dy,
                     int64_t dy_step) {
  trm_vector row[CONV_STEPS][CONV_VECTORS];
#pragma GCC unroll 4
  for (int k = 0; k < steps; ++k) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      row[k][v] = trm_vector_load(dy + k * dy_step + v * CONV_VECTOR);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
    for (int k = 0; k < steps; ++k) {
      const trm_vector a = trm_vector_set(x[i][at + k * x_step]);
#pragma GCC unroll 3
      for (int v = 0; v < vectors; ++v) sum[i][v] = trm_vector_fma(sum[i][v], a, row[k][v]);
    }
  }
}

/* Sums of `rows` weights, which see x from x[.] on, and `vectors` vectors of columns of dy, added to
 * sums[rows][vectors] (written by the first band). */
TRM_INLINE void register_tile(int rows, int vectors, const band *places, const trm_real *const *x,
                              const trm_real *dy, trm_real *sums) {
  trm_vector sum[CONV_ROWS_MOST][CONV_VECTORS];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) sum[i][v] = trm_vector_set(0);
  }
  const int steps = vectors == 1 ? CONV_STEPS : 1;
  const int64_t x_step = places->x_step, dy_step = places->dy_step;
  for (int64_t r = 0; r < places->n; ++r) {
    int64_t at = places->from[r], left = places->across;
    for (; left >= steps; left -= steps) {
      grow(rows, vectors, steps, sum, x, at, x_step, dy, dy_step);
      at += steps * x_step;
      dy += steps * dy_step;
    }
    for (; left > 0; --left) {
      grow(rows, vectors, 1, sum, x, at, x_step, dy, dy_step);
      at += x_step;
      dy += dy_step;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; ++v) {
      trm_real *at = sums + (i * vectors + v) * CONV_VECTOR;
      trm_vector_store(at, places->first ? sum[i][v] : trm_vector_load(at) + sum[i][v]);
    }
  }
}

typedef void tile_function(const band *places, const trm_real *const *x, const trm_real *dy,
                           trm_real *sums);
#define TILE(name, rows, vectors)                                                                  \
  static void name(const band *places, const trm_real *const *x, const trm_real *dy,               \
                   trm_real *sums) {                                                               \
    register_tile(rows, vectors, places, x, dy, sums);                                             \
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

/* ---- a unit of work: some tiles of a panel, over some images ---------------------------------------- */

typedef struct unit {
  int64_t group, first_column, vectors; /* of the panel in its group */
  int64_t first_row, end_row;
} unit;

static unit make_unit(const job *j, int64_t number) {
  const conv_panel panel = conv_panel_at(j->columns, number / j->parts % j->panels);
  unit u = {.group = number / (j->panels * j->parts),
            .first_column = panel.first,
            .vectors = panel.vectors};
  u.first_row = number % j->parts * j->tiles * CONV_ROWS_MOST;
  u.end_row = trm_min_i64(u.first_row + j->tiles * CONV_ROWS_MOST, j->rows);
  return u;
}

/* Sums of a unit's panel. */
static trm_real *sums_of(const job *j, const unit *u) {
  const int64_t rows = padded_rows(j);
  return j->sums + (u->group * conv_columns(j->columns) + u->first_column) * rows;
}

/* A row of weights: where it sees x, of a window that begins at 0. */
typedef struct weight_row {
  int64_t row, column, channel, at;
} weight_row;

static weight_row weight_row_make(const job *j, int64_t row_elements, int64_t number) {
  const trm_windows *w = &j->conv->windows;
  const int64_t C = w->C / j->conv->groups;
  weight_row r = {
      .row = number / (w->width * C), .column = number / C % w->width, .channel = number % C};
  r.at = r.row * row_elements + r.column * w->C + r.channel;
  return r;
}
TRM_INLINE void weight_row_next(weight_row *r, const trm_windows *w, int64_t C,
                                int64_t row_elements) {
  ++r->at;
  if (++r->channel < C) return;
  r->channel = 0;
  r->at += w->C - C;
  if (++r->column < w->width) return;
  r->column = 0;
  ++r->row;
  r->at = r->row * row_elements;
}

/* The tiles of a unit over a band; rows past the last one make it again, into room that is there. */
static void run_band(const job *j, const unit *u, const band *places, const trm_real *x,
                     int64_t row_elements, const trm_real *dy) {
  const trm_windows *w = &j->conv->windows;
  const int64_t C = w->C / j->conv->groups;
  trm_real *sums = sums_of(j, u) + u->first_row * u->vectors * CONV_VECTOR;
  weight_row at = weight_row_make(j, row_elements, u->first_row);
  const trm_real *from[CONV_ROWS_MOST];
  for (int64_t row = u->first_row; row < u->end_row;) {
    int64_t rows = conv_tile_rows(u->vectors);
    const int64_t n = trm_min_i64(u->end_row - row, rows);
    const bool whole = n > rows / 2;
    if (!whole) rows /= 2;
    for (int64_t i = 0; i < n; ++i) {
      from[i] = x + at.at;
      weight_row_next(&at, w, C, row_elements);
    }
    for (int64_t i = n; i < rows; ++i) from[i] = from[0];
    tiles[whole][u->vectors - 1](places, from, dy, sums);
    sums += rows * u->vectors * CONV_VECTOR;
    row += n;
  }
}

/* Images first .. first + n - 1, band by band. */
static void run_unit(const job *j, const unit *u, int64_t first, int64_t n) {
  const trm_windows *w = &j->conv->windows;
  const conv_source *s = &j->x;
  const bool in_place = conv_in_place(s);
  const int64_t row_elements = (in_place ? s->W : s->width) * s->C;
  const int64_t image_elements = (in_place ? s->H : s->height) * row_elements;
  const trm_real *x = in_place ? s->data + first * image_elements : j->copies;
  const int64_t dy_row = w->across * j->conv->O;
  const trm_real *dy = j->copy_dy ? j->dy_copies : j->dy + first * w->down * dy_row;
  const int64_t channel = u->group * w->C / j->conv->groups;
  const int64_t column = u->group * j->columns + u->first_column;
  band places;
  places.across = w->across;
  places.x_step = w->stride * s->C;
  places.dy_step = j->conv->O;
  for (int64_t row = 0; row < n * w->down; row += places.n) {
    places.n = trm_min_i64(j->band_rows, n * w->down - row);
    places.first = first + row == 0;
    for (int64_t i = 0; i < places.n; ++i) {
      const int64_t image = (row + i) / w->down, y = (row + i) % w->down;
      places.from[i] = image * image_elements + y * w->stride * row_elements;
    }
    run_band(j, u, &places, x + channel, row_elements, dy + row * dy_row + column);
  }
}

/* ---- all of them ------------------------------------------------------------------------------- */

static void copy_images(const job *j, int64_t first, int64_t n) {
  const trm_windows *w = &j->conv->windows;
  const conv_source *s = &j->x;
  const int64_t row = s->width * s->C, dy_row = w->across * j->conv->O;
  if (!conv_in_place(s)) {
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < n * s->height; ++i) {
      conv_copy_row(j->copies + i * row, s, first + i / s->height, i % s->height);
    }
  }
  if (j->copy_dy) {
#pragma omp for schedule(static) nowait
    for (int64_t i = 0; i < n * w->down; ++i) {
      memcpy(j->dy_copies + i * dy_row, j->dy + (first * w->down + i) * dy_row,
             (size_t)dy_row * sizeof *j->dy_copies);
    }
  }
#pragma omp barrier
}

/* Enough units for the threads to share out evenly: bits do not depend on it. */
static int cut_units(job *j) {
  const trm_windows *w = &j->conv->windows;
  const int64_t most = trm_ceil_div(j->rows, CONV_ROWS_MOST);
  const int64_t places = w->N * w->down * w->across;
  const int n_threads = trm_team(j->conv->groups * j->panels * most,
                                 places * j->rows * j->conv->O / PRODUCTS_PER_WORK);
  const int64_t wanted = n_threads == 1 ? 1 : 4 * n_threads;
  j->parts = trm_min_i64(trm_ceil_div(wanted, j->conv->groups * j->panels), most);
  j->tiles = trm_ceil_div(most, j->parts);
  j->parts = trm_ceil_div(most, j->tiles);
  return n_threads;
}

/* What waits in scratch goes where it shall, row by row. */
static void store_row(const job *j, trm_real *dw, int64_t row, bool add, int n_merges,
                      int64_t merge_step) {
  const int64_t O = j->conv->O, rows = padded_rows(j);
  for (int64_t g = 0; g < j->conv->groups; ++g) {
    for (int64_t first = 0, width; first < j->columns; first += width) {
      width = conv_panel_vectors(j->columns - first) * CONV_VECTOR;
      const trm_real *sums = j->sums + (g * conv_columns(j->columns) + first) * rows + row * width;
      trm_real *to = dw + row * O + g * j->columns + first;
      for (int64_t c = 0; c < trm_min_i64(width, j->columns - first); ++c) {
        trm_real sum = add ? sums[c] + to[c] : sums[c];
        trm_real *at = to + c;
        for (int i = 0; i < n_merges; ++i) {
          at -= merge_step;
          sum += *at;
        }
        *at = sum;
      }
    }
  }
}

void trm_conv_backward_weights(trm_real *dw, const trm_real *dy, const trm_real *x,
                               const trm_conv *conv, bool add, int n_merges, int64_t merge_step,
                               trm_real *scratch) {
  job j = make_job(conv);
  j.dy = dy;
  j.x.data = x;
  j.sums = scratch;
  j.copies = j.sums + sums_elements(&j);
  j.dy_copies = j.copies + copies_elements(&j);
  const int n_threads = cut_units(&j);
  const int64_t N = conv->windows.N, units = conv->groups * j.panels * j.parts;
  if (N <= 0) memset(j.sums, 0, (size_t)sums_elements(&j) * sizeof *j.sums);
#pragma omp parallel num_threads(n_threads)
  {
    for (int64_t first = 0; first < N; first += j.images) {
      const int64_t n = trm_min_i64(j.images, N - first);
      copy_images(&j, first, n);
#pragma omp for schedule(dynamic)
      for (int64_t i = 0; i < units; ++i) {
        const unit u = make_unit(&j, i);
        run_unit(&j, &u, first, n);
      }
    }
#pragma omp for schedule(static)
    for (int64_t row = 0; row < j.rows; ++row) {
      store_row(&j, dw, row, add, n_merges, merge_step);
    }
  }
}
