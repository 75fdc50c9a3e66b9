/** What `trireme inspect` prints of images and of tables. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "describe_internal.h"
#include "samples_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/core/utf8.h"

enum { MOST_COLUMNS = 64, NAME_BYTES = 48, DRAWN_WIDTH = 56 };

/* ---- images ----------------------------------------------------------------------------------- */

/* Mean and deviation of a channel, from 0 to 1. */
static void measure_channel(const trm_samples *s, int64_t channel, double *mean,
                            double *deviation) {
  const int64_t area = s->images.height * s->images.width;
  const double n = (double)s->n * (double)area;
  int64_t counts[256] = {0};
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < s->n; ++i) {
    const uint8_t *pixels = s->images.pixels + (i * s->images.channels + channel) * area;
    for (int64_t p = 0; p < area; ++p) ++counts[pixels[p]];
  }
  for (int b = 0; b < 256; ++b) sum += b / 255.0 * (double)counts[b];
  *mean = sum / n;
  for (int b = 0; b < 256; ++b) {
    squares += (b / 255.0 - *mean) * (b / 255.0 - *mean) * (double)counts[b];
  }
  *deviation = sqrt(squares / n);
}

void trm_images_describe(const trm_samples *s, FILE *file) {
  const trm_images *images = &s->images;
  trm_describe_row(
      file, "inputs", "%14" PRId64 "  pixels high, %" PRId64 " wide, %" PRId64 " channel%s",
      images->height, images->width, images->channels, images->channels == 1 ? "" : "s");
  for (int64_t c = 0; c < images->channels && c < MOST_COLUMNS; ++c) {
    char label[32];
    double mean, deviation;
    measure_channel(s, c, &mean, &deviation);
    (void)snprintf(label, sizeof label, "  %" PRId64, c);
    trm_describe_row(file, label, "%14.4f  in the mean of pixels from 0 to 1; deviation %.4f", mean,
                     deviation);
  }
  if (images->channels > MOST_COLUMNS) trm_describe_row(file, "  ...", "%s", "");
}

/* Mean over channels at a place of an image, from 0 to 255. */
static int64_t light_at(const trm_images *images, int64_t i, int64_t y, int64_t x) {
  const int64_t area = images->height * images->width;
  const uint8_t *pixels = images->pixels + i * images->channels * area + y * images->width + x;
  int64_t sum = 0;
  for (int64_t c = 0; c < images->channels; ++c) sum += pixels[c * area];
  return sum / images->channels;
}

/* A character is about twice as high as wide: half as many lines as columns for a square. */
void trm_image_show(const trm_samples *s, int64_t i, const char *label, FILE *file) {
  static const char shades[] = " .:-=+*#%@"; /* from dark to light */
  const trm_images *images = &s->images;
  const int64_t columns = trm_min_i64(images->width, DRAWN_WIDTH);
  const int64_t lines =
      trm_min_i64(trm_max_i64(1, images->height * columns / images->width / 2), DRAWN_WIDTH / 2);
  for (int64_t line = 0; line < lines; ++line) {
    char text[DRAWN_WIDTH + 1];
    const int64_t y = (2 * line + 1) * images->height / (2 * lines);
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t x = (2 * column + 1) * images->width / (2 * columns);
      text[column] = shades[light_at(images, i, y, x) * (int64_t)(sizeof shades - 2) / 255];
    }
    text[columns] = 0;
    trm_describe_row(file, line == 0 ? label : "", "| %s", text);
  }
}

/* ---- tables ----------------------------------------------------------------------------------- */

/* The name of one of the texts, or its number. */
static void name_of(const trm_texts *texts, int64_t i, char name[NAME_BYTES]) {
  if (texts->n > 0) {
    const int64_t begin = texts->offsets[i];
    trm_text_escape_cut(texts->bytes + begin, texts->offsets[i + 1] - begin, false, name,
                        NAME_BYTES);
  } else {
    (void)snprintf(name, NAME_BYTES, "%" PRId64, i);
  }
}

static void describe_number(const trm_samples *s, int64_t column, FILE *file) {
  const trm_table *t = &s->table;
  const float *at = t->numbers + column;
  double sum = 0, squares = 0;
  int64_t n = 0;
  char name[NAME_BYTES];
  for (int64_t i = 0; i < s->n; ++i) {
    const double x = (double)at[i * t->n_numbers];
    if (isnan(x)) continue;
    sum += x;
    ++n;
  }
  const double mean = n > 0 ? sum / (double)n : 0;
  for (int64_t i = 0; i < s->n; ++i) {
    const double x = (double)at[i * t->n_numbers];
    if (!isnan(x)) squares += (x - mean) * (x - mean);
  }
  name_of(&t->number_names, column, name);
  trm_describe_row(file, "", "%14.6g  in the mean of %s; deviation %.6g, %s missing", mean, name,
                   n > 0 ? sqrt(squares / (double)n) : 0.0, trm_count_text_of(s->n - n).text);
}

/* sizes: room for a count of each level of the column. */
static void describe_category(const trm_samples *s, int64_t column, int64_t *sizes, FILE *file) {
  const trm_table *t = &s->table;
  const int64_t first = t->levels[column], n = t->levels[column + 1] - first;
  int64_t missing = 0, most = 0;
  char name[NAME_BYTES], level[NAME_BYTES] = "";
  memset(sizes, 0, (size_t)n * sizeof *sizes);
  for (int64_t i = 0; i < s->n; ++i) {
    const int32_t x = t->categories[i * t->n_categories + column];
    if (x < 0) {
      ++missing;
    } else {
      ++sizes[x];
    }
  }
  for (int64_t l = 1; l < n; ++l) most = sizes[l] > sizes[most] ? l : most;
  name_of(&t->category_names, column, name);
  if (n > 0) name_of(&t->level_names, t->level_names.n > 0 ? first + most : most, level);
  trm_describe_row(file, "", "%14s  levels of %s; most often %s, %.1f %%, %s missing",
                   trm_count_text_of(n).text, name, n > 0 ? level : "none",
                   n > 0 ? 100.0 * (double)sizes[most] / (double)s->n : 0.0,
                   trm_count_text_of(missing).text);
}

trm_status trm_table_describe(const trm_samples *s, FILE *file) {
  const trm_table *t = &s->table;
  int64_t *sizes = NULL, most = 0;
  for (int64_t c = 0; c < t->n_categories; ++c) {
    most = trm_max_i64(most, t->levels[c + 1] - t->levels[c]);
  }
  TRM_TRY(TRM_ALLOC(&sizes, most, "sizes of levels"));
  trm_describe_row(file, "inputs", "%14s  column%s: %s of numbers, %s of categories",
                   trm_count_text_of(t->n_numbers + t->n_categories).text,
                   trm_plural(t->n_numbers + t->n_categories), trm_count_text_of(t->n_numbers).text,
                   trm_count_text_of(t->n_categories).text);
  for (int64_t c = 0; c < t->n_numbers && c < MOST_COLUMNS; ++c) describe_number(s, c, file);
  if (t->n_numbers > MOST_COLUMNS) trm_describe_row(file, "  ...", "%s", "");
  for (int64_t c = 0; c < t->n_categories && c < MOST_COLUMNS; ++c) {
    describe_category(s, c, sizes, file);
  }
  if (t->n_categories > MOST_COLUMNS) trm_describe_row(file, "  ...", "%s", "");
  TRM_FREE(sizes);
  return TRM_OK;
}

/* A column of a row: "?" where it is missing. */
static void show_column(const trm_samples *s, int64_t i, int64_t c, char text[NAME_BYTES]) {
  const trm_table *t = &s->table;
  if (c < t->n_numbers) {
    const double x = (double)t->numbers[i * t->n_numbers + c];
    if (isnan(x)) {
      (void)snprintf(text, NAME_BYTES, "?");
    } else {
      (void)snprintf(text, NAME_BYTES, "%.6g", x);
    }
    return;
  }
  const int64_t column = c - t->n_numbers;
  const int32_t level = t->categories[i * t->n_categories + column];
  if (level < 0) {
    (void)snprintf(text, NAME_BYTES, "?");
  } else {
    name_of(&t->level_names, t->level_names.n > 0 ? t->levels[column] + level : level, text);
  }
}

void trm_table_row_show(const trm_samples *s, int64_t i, char *text, size_t bytes) {
  const int64_t n = s->table.n_numbers + s->table.n_categories;
  size_t length = 0;
  text[0] = 0;
  for (int64_t c = 0; c < n; ++c) {
    char column[NAME_BYTES];
    show_column(s, i, c, column);
    const size_t more = strlen(column) + (c > 0 ? 2 : 0);
    if (length + more + sizeof ", ..." > bytes) {
      (void)snprintf(text + length, bytes - length, "%s...", c > 0 ? ", " : "");
      return;
    }
    length += (size_t)snprintf(text + length, bytes - length, "%s%s", c > 0 ? ", " : "", column);
  }
}
