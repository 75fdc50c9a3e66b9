/** Tables of pixels: an image a line, with a column for its class. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "images_internal.h"
#include "trireme/core/utf8.h"

enum { MOST_CLASSES = 65536 };

/* ---- values ----------------------------------------------------------------------------------- */

/* A whole number below 1000 by its digits; -1: it is none. */
static int small_number(const char *text, int64_t bytes) {
  int value = 0;
  if (bytes < 1 || bytes > 3) return -1;
  for (int64_t i = 0; i < bytes; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = 10 * value + (text[i] - '0');
  }
  return value;
}

static trm_status out_of_range(const trm_image_set *set, const trm_records *r, int column) {
  char shown[40];
  int64_t bytes;
  const char *text = trm_records_field(r, column, &bytes);
  trm_text_escape_cut(text, bytes, false, shown, sizeof shown);
  if (set->options->scale > 0) {
    return trm_records_fail(r, "value %s in column %d is out of [0, %g], the range of --scale",
                            shown, column + 1, set->options->scale);
  }
  return trm_records_fail(r,
                          "value %s in column %d is no whole number from 0 to 255; give another "
                          "range's end by --scale MAX",
                          shown, column + 1);
}

/* A field from [0, scale] to [0, 255], to the nearest. */
static trm_status read_value(const trm_image_set *set, const trm_records *r, int column,
                             uint8_t *value) {
  const double scale = set->options->scale;
  int64_t bytes;
  const char *text = trm_records_field(r, column, &bytes);
  const int small = small_number(text, bytes);
  double number = small;
  if (small < 0) {
    float real;
    char what[40];
    (void)snprintf(what, sizeof what, "value in column %d", column + 1);
    TRM_TRY(trm_records_real(r, column, what, &real));
    number = (double)real;
  }
  if (scale > 0) number = number / scale * 255;
  if (!(number >= 0 && number <= 255)) return out_of_range(set, r, column);
  *value = (uint8_t)(number + 0.5);
  return scale > 0 || (double)*value == number ? TRM_OK : out_of_range(set, r, column);
}

/* ---- lines ------------------------------------------------------------------------------------ */

static trm_status take_label(trm_image_set *set, const trm_records *r, int column, int32_t *label) {
  trm_names *classes = &set->corpus.classes;
  int64_t bytes;
  bool added;
  const char *text = trm_records_field(r, column, &bytes);
  if (trm_is_blank(text, bytes)) {
    return trm_records_fail(r, "the label is empty; give the line one, or remove it");
  }
  TRM_TRY(trm_names_add(classes, text, bytes, label, &added));
  if (classes->n <= MOST_CLASSES) return TRM_OK;
  return trm_records_fail(r, "more than %d different labels; is --label the right column?",
                          MOST_CLASSES);
}

/* Whether the label says that there is none. */
static bool has_no_label(const trm_prepare_images_options *o, const trm_records *r, int column) {
  int64_t bytes;
  const char *text = trm_records_trimmed(r, column, &bytes);
  return o->no_label && (bytes == 0 || (bytes == (int64_t)strlen(o->no_label) &&
                                        memcmp(text, o->no_label, (size_t)bytes) == 0));
}

/* Those that are no values; -1: there is none. */
typedef struct columns {
  int label, id;
} columns;

static trm_status add_line(trm_image_set *set, const trm_records *r, const columns *c,
                           trm_subset part) {
  const trm_prepare_images_options *o = set->options;
  const trm_origin origin = {.line = r->line, .path = r->path, .part = part};
  trm_corpus_row row = {0};
  if (c->label >= 0 && has_no_label(o, r, c->label)) {
    ++set->counts->no_label;
    return TRM_OK;
  }
  TRM_TRY(
      trm_image_reserve(&set->image, r->path, o->height, o->width, o->channels, o->most_pixels));
  uint8_t *next = set->image.pixels;
  for (int i = 0; i < (int)r->n_fields; ++i) {
    if (i != c->label && i != c->id) TRM_TRY(read_value(set, r, i, next++));
  }
  if (c->label >= 0) TRM_TRY(take_label(set, r, c->label, &row.label));
  if (c->id >= 0) trm_corpus_take_name(r, c->id, &row);
  return trm_image_set_add(set, r->path, &row, &origin);
}

/* The first line tells how many columns there are. */
static trm_status check_columns(const trm_image_set *set, const trm_records *r) {
  const trm_prepare_images_options *o = set->options;
  const int64_t wanted = o->height * o->width * o->channels + !o->unlabelled + (o->id != NULL);
  if (r->n_columns == wanted) return TRM_OK;
  return trm_records_fail(r,
                          "%" PRId64 " columns, but --size %" PRId64 "x%" PRId64 "x%" PRId64
                          " needs %" PRId64 "%s%s",
                          r->n_columns, o->height, o->width, o->channels, wanted,
                          o->unlabelled ? "" : ", one of them the label",
                          !o->id          ? ""
                          : o->unlabelled ? ", one of them the name"
                                          : ", one the name");
}

static trm_status find_columns(const trm_image_set *set, const trm_records *r, bool named,
                               columns *c) {
  const trm_prepare_images_options *o = set->options;
  *c = (columns){-1, -1};
  if (o->id) TRM_TRY(trm_records_column(r, named, o->id, "--id", &c->id));
  if (o->label) TRM_TRY(trm_records_column(r, named, o->label, "--label", &c->label));
  if (!o->label && !o->unlabelled) c->label = c->id == 0;
  if (c->id >= 0 && c->label == c->id) {
    return trm_fail(TRM_ERR_USAGE, "%s: --label and --id are the same column", r->path);
  }
  return check_columns(set, r);
}

static trm_status read_lines(trm_image_set *set, trm_records *r, bool named, trm_subset part) {
  bool more, first = true;
  columns c;
  for (;; first = false) {
    TRM_TRY(trm_records_next(r, &more));
    if (!more) return TRM_OK;
    if (first) TRM_TRY(find_columns(set, r, named, &c));
    if (!first || !named) TRM_TRY(add_line(set, r, &c, part));
  }
}

/* ---- tables ----------------------------------------------------------------------------------- */

static trm_status read_part(trm_image_set *set, const trm_records_form *form, bool named,
                            trm_subset part) {
  trm_corpus *c = &set->corpus;
  for (int i = 0; i < set->files->n_pixels[part]; ++i) {
    trm_records r;
    trm_status status = trm_records_open(&r, set->files->pixels[part][i], form, &c->progress);
    if (status == TRM_OK) status = read_lines(set, &r, named, part);
    TRM_TRY(trm_records_close(&r, status));
    c->has_part[part] = true;
  }
  return TRM_OK;
}

trm_status trm_images_read_tables(trm_image_set *set) {
  const trm_image_files *f = set->files;
  const char *label = set->options->label, *id = set->options->id;
  trm_records_form form;
  trm_header header;
  TRM_TRY(trm_corpus_table_form(&set->corpus, &form, &header));
  form.no_units = true;
  const bool by_name = (label && !trm_column_is_number(label)) || (id && !trm_column_is_number(id));
  const bool named = header == TRM_HEADER_AS_NAMED ? by_name : header == TRM_HEADER_YES;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    TRM_TRY(trm_image_set_inputs(set, f->pixels[p], f->n_pixels[p]));
  }
  set->corpus.progress.show = set->options->progress;
  set->corpus.progress.context = set->options->context;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) TRM_TRY(read_part(set, &form, named, (trm_subset)p));
  return TRM_OK;
}
