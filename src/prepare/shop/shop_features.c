/**
 * Features of customers and products: words of a product's text, times how rare they are and divided by
 * their length as a vector, values of categories, and numbers in deviations from their mean.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "words_internal.h"

static const char text_prefix[] = "text:";
enum { PREFIX_BYTES = sizeof text_prefix - 1, MOST_NAME = 512, SHOWN_BYTES = 80 };

/* A feature of one node. */
typedef struct entry {
  int32_t column;
  float value;
} entry;

typedef struct maker {
  trm_shop_tables *tables;
  trm_shop_features *features;
  bool given;      /* the features are those of another data set */
  trm_words words; /* of all products that have a text */
  trm_scan scan;   /* for numbers */
  entry *row;
  int64_t n_row, row_capacity;
} maker;

static float number_at(const trm_buffer *floats, int64_t i) {
  return ((const float *)(const void *)floats->data)[i];
}

static trm_status add_feature(maker *m, const char *name, int64_t bytes, double shift,
                              double scale) {
  int32_t id;
  bool added;
  const float values[2] = {(float)shift, (float)scale};
  TRM_TRY(trm_names_add(&m->features->names, name, bytes, &id, &added));
  if (!added) return TRM_OK;
  TRM_TRY(trm_buffer_append(&m->features->shifts, &values[0], (int64_t)sizeof values[0]));
  return trm_buffer_append(&m->features->scales, &values[1], (int64_t)sizeof values[1]);
}

static bool is_number(maker *m, const char *text, int64_t bytes, double *value) {
  return trm_scan_number(&m->scan, text, bytes, value) && fabs(*value) < 1e30;
}

/* ---- words ------------------------------------------------------------------------------------ */

static trm_status read_words(maker *m) {
  const trm_shop_side *products = &m->tables->products;
  for (int64_t i = 0; i < products->n_rows; ++i) {
    int64_t bytes;
    const char *text = trm_shop_cell(products, i, 0, &bytes);
    TRM_TRY(trm_words_add_text(&m->words, text, bytes));
    TRM_TRY(trm_words_end_document(&m->words));
  }
  return TRM_OK;
}

/* "text:lamp"; false where it is longer than names are. */
static bool word_name(const trm_words *words, int32_t word, char name[MOST_NAME], int64_t *bytes) {
  const int64_t *offsets = trm_names_offsets(&words->names);
  const int64_t n = offsets[word + 1] - offsets[word];
  *bytes = PREFIX_BYTES + n;
  if (*bytes > MOST_NAME) return false;
  memcpy(name, text_prefix, PREFIX_BYTES);
  memcpy(name + PREFIX_BYTES, words->names.bytes.data + offsets[word], (size_t)n);
  return true;
}

/* Words of enough products that were sold in the part to train on, in order of appearance. */
static trm_status choose_words(maker *m) {
  const trm_shop_side *products = &m->tables->products;
  int64_t *documents = NULL, n_documents = 0;
  char name[MOST_NAME];
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&documents, m->words.names.n, "words"));
  for (int64_t i = 0; i < products->n_rows; ++i) {
    int64_t n;
    const int32_t *words = trm_words_of(&m->words, i, &n);
    if (!products->trained[i] || n == 0) continue;
    ++n_documents;
    for (int64_t w = 0; w < n; ++w) ++documents[words[w]];
  }
  for (int64_t w = 0; w < m->words.names.n; ++w) {
    int64_t bytes;
    if (documents[w] < m->tables->options->min_count || documents[w] == 0) continue;
    if (!word_name(&m->words, (int32_t)w, name, &bytes)) continue;
    TRM_TRY_OUT(add_feature(m, name, bytes, 0, log1p((double)n_documents / (double)documents[w])));
  }
out:
  TRM_FREE(documents);
  return status;
}

static trm_status put(maker *m, int32_t column, double value) {
  TRM_TRY(TRM_GROW(&m->row, m->n_row, &m->row_capacity, "features of a node"));
  m->row[m->n_row++] = (entry){column, (float)value};
  return TRM_OK;
}

static trm_status put_words(maker *m, int64_t product) {
  int64_t n;
  double squares = 0;
  char name[MOST_NAME];
  const int32_t *words = trm_words_of(&m->words, product, &n);
  for (int64_t w = 0; w < n; ++w) {
    int64_t bytes;
    if (!word_name(&m->words, words[w], name, &bytes)) continue;
    const int32_t column = trm_names_find(&m->features->names, name, bytes);
    if (column < 0) continue;
    const double value = (double)number_at(&m->features->scales, column);
    squares += value * value;
    TRM_TRY(put(m, column, value));
    TRM_TRY(trm_buffer_append(&m->features->text_words, &column, (int64_t)sizeof column));
  }
  for (int64_t i = 0; i < m->n_row; ++i) {
    m->row[i].value = (float)((double)m->row[i].value / sqrt(squares));
  }
  m->tables->counts->without_text += m->n_row == 0;
  return TRM_OK;
}

/* ---- fields ----------------------------------------------------------------------------------- */

static const char *field_name(const trm_shop_side *side, int field, int64_t *bytes) {
  const int64_t *offsets = trm_names_offsets(&side->fields);
  *bytes = offsets[field + 1] - offsets[field];
  return side->fields.bytes.data + offsets[field];
}

/* Whether every field that is not empty is a number, and what they come to. */
typedef struct column_facts {
  bool numbers;
  int64_t n;
  double sum, squares;
} column_facts;

static column_facts look_at_field(maker *m, const trm_shop_side *side, int field) {
  column_facts c = {.numbers = true};
  for (int64_t i = 0; i < side->n_rows; ++i) {
    int64_t bytes;
    double value;
    const char *text = trm_shop_cell(side, i, field, &bytes);
    if (bytes == 0) continue;
    if (!is_number(m, text, bytes, &value)) {
      c.numbers = false;
    } else if (side->trained[i]) {
      ++c.n;
      c.sum += value;
      c.squares += value * value;
    }
  }
  c.numbers = c.numbers && c.n > 0;
  return c;
}

/* "product.colour=red" */
static int64_t level_name(const trm_shop_side *side, int field, const char *level, int64_t bytes,
                          char name[MOST_NAME]) {
  int64_t n;
  const char *column = field_name(side, field, &n);
  if (n + 1 + bytes > MOST_NAME) bytes = MOST_NAME - n - 1; /* as much as has room */
  memcpy(name, column, (size_t)n);
  name[n] = '=';
  memcpy(name + n + 1, level, (size_t)bytes);
  return n + 1 + bytes;
}

static trm_status choose_field(maker *m, const trm_shop_side *side, int field) {
  const column_facts c = look_at_field(m, side, field);
  int64_t n;
  const char *column = field_name(side, field, &n);
  if (c.numbers) {
    const double mean = c.sum / (double)c.n;
    const double variance = c.squares / (double)c.n - mean * mean;
    return add_feature(m, column, n, mean, variance > 1e-12 * mean * mean ? 1 / sqrt(variance) : 0);
  }
  for (int64_t i = 0; i < side->n_rows; ++i) {
    char name[MOST_NAME];
    int64_t bytes;
    const char *text = trm_shop_cell(side, i, field, &bytes);
    if (bytes == 0 || !side->trained[i]) continue;
    TRM_TRY(add_feature(m, name, level_name(side, field, text, bytes, name), 0, 1));
  }
  return TRM_OK;
}

static trm_status put_field(maker *m, const trm_shop_side *side, int64_t row, int field) {
  char name[MOST_NAME], cell[SHOWN_BYTES];
  int64_t n, bytes;
  double value;
  const char *column = field_name(side, field, &n), *text = trm_shop_cell(side, row, field, &bytes);
  if (bytes == 0) return TRM_OK;
  const int32_t number = trm_names_find(&m->features->names, column, n);
  if (number >= 0) {
    if (!is_number(m, text, bytes, &value)) {
      trm_text_escape(text, bytes, cell, sizeof cell);
      return trm_fail(TRM_ERR_DATA, "%s: '%s' of '%.*s' is no number, which it is in %s",
                      side == &m->tables->products ? m->tables->options->products
                                                   : m->tables->options->customers,
                      cell, (int)n, column, m->tables->options->vocabulary);
    }
    return put(m, number,
               (value - (double)number_at(&m->features->shifts, number)) *
                   (double)number_at(&m->features->scales, number));
  }
  const int32_t level =
      trm_names_find(&m->features->names, name, level_name(side, field, text, bytes, name));
  if (level >= 0) return put(m, level, 1);
  ++m->tables->counts->new_levels;
  return TRM_OK;
}

/* ---- rows ------------------------------------------------------------------------------------- */

static int by_column(const void *a, const void *b) {
  const int32_t x = ((const entry *)a)->column, y = ((const entry *)b)->column;
  return (x > y) - (x < y);
}

static trm_status end_row(maker *m) {
  trm_shop_features *f = m->features;
  if (m->n_row > 1) qsort(m->row, (size_t)m->n_row, sizeof *m->row, by_column);
  for (int64_t i = 0; i < m->n_row; ++i) {
    TRM_TRY(trm_buffer_append(&f->columns, &m->row[i].column, (int64_t)sizeof m->row[i].column));
    TRM_TRY(trm_buffer_append(&f->values, &m->row[i].value, (int64_t)sizeof m->row[i].value));
  }
  const int64_t end = f->columns.n / (int64_t)sizeof(int32_t);
  const int64_t text_end = f->text_words.n / (int64_t)sizeof(int32_t);
  m->n_row = 0;
  TRM_TRY(trm_buffer_append(&f->text_ends, &text_end, (int64_t)sizeof text_end));
  return trm_buffer_append(&f->ends, &end, (int64_t)sizeof end);
}

static trm_status make_rows(maker *m, const trm_shop_side *side) {
  for (int64_t i = 0; i < side->names.n; ++i) {
    if (side->text_first && i >= side->n_rows) ++m->tables->counts->without_text;
    for (int f = 0; i < side->n_rows && f < side->n_fields; ++f) {
      TRM_TRY(side->text_first && f == 0 ? put_words(m, i) : put_field(m, side, i, f));
    }
    TRM_TRY(end_row(m));
  }
  return TRM_OK;
}

/* ---- features --------------------------------------------------------------------------------- */

static trm_status take_given(maker *m) {
  trm_shop *other = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(trm_shop_open(m->tables->options->vocabulary, NULL, &other));
  for (int64_t i = 0; i < other->features.n; ++i) {
    const int64_t begin = other->features.offsets[i];
    TRM_TRY_OUT(add_feature(m, other->features.bytes + begin,
                            other->features.offsets[i + 1] - begin, (double)other->shifts[i],
                            (double)other->scales[i]));
  }
out:
  trm_shop_close(&other);
  return status;
}

static trm_status choose(maker *m) {
  const trm_shop_tables *t = m->tables;
  TRM_TRY(choose_words(m));
  for (int f = 1; f < t->products.n_fields; ++f) TRM_TRY(choose_field(m, &t->products, f));
  for (int f = 0; f < t->customers.n_fields; ++f) TRM_TRY(choose_field(m, &t->customers, f));
  if (m->features->names.n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: no word of column '%s' is in %lld products that were sold in the part to "
                  "train on; give another --text or a lower --min-count",
                  t->options->products, t->options->text, (long long)t->options->min_count);
}

trm_status trm_shop_features_make(trm_shop_tables *tables, trm_shop_features *features) {
  maker m = {.tables = tables, .features = features};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(read_words(&m));
  TRM_TRY_OUT(tables->options->vocabulary ? take_given(&m) : choose(&m));
  TRM_TRY_OUT(make_rows(&m, &tables->customers));
  TRM_TRY_OUT(make_rows(&m, &tables->products));
out:
  trm_words_free(&m.words);
  TRM_FREE(m.row);
  (void)trm_scan_close(&m.scan, TRM_OK);
  return status;
}

void trm_shop_features_free(trm_shop_features *features) {
  trm_names_free(&features->names);
  trm_buffer_free(&features->shifts);
  trm_buffer_free(&features->scales);
  trm_buffer_free(&features->columns);
  trm_buffer_free(&features->values);
  trm_buffer_free(&features->ends);
  trm_buffer_free(&features->text_words);
  trm_buffer_free(&features->text_ends);
}
