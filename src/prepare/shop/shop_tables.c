/** Reading purchases, products and customers. */
#include <stdio.h>
#include <string.h>

#include "shop_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"

enum { SHOWN_BYTES = 80, MOST_FIELDS = 256, MOST_DAYS = 36525, NAME_BYTES = 160 };

static const trm_records_form form = {.no_units = true};

static const char *shown(const char *text, int64_t bytes, char to[SHOWN_BYTES]) {
  trm_text_escape(text, bytes, to, SHOWN_BYTES);
  return to;
}

/* The id of a field that names a customer or product. */
static trm_status take_name(const trm_records *r, int column, trm_shop_side *side, int32_t *id,
                            bool *added) {
  int64_t bytes;
  const char *text = trm_records_trimmed(r, column, &bytes);
  if (bytes == 0) return trm_records_fail(r, "the line has no %s", side->what);
  return trm_names_add(&side->names, text, bytes, id, added);
}

/* ---- products, customers ---------------------------------------------------------------------- */

/* Which columns of a table are read: the name, then fields in their order. */
typedef struct table_columns {
  int name, fields[MOST_FIELDS];
} table_columns;

/* "colour,price" after what is there; names of the features begin with "product.". */
static trm_status find_fields(const trm_records *r, const char *list, const char *option,
                              trm_shop_side *side, table_columns *c) {
  for (const char *at = list; at && *at;) {
    char column[NAME_BYTES], name[2 * NAME_BYTES];
    const size_t n = strcspn(at, ",");
    int32_t id;
    bool added;
    if (n == 0 || n >= sizeof column || side->n_fields == MOST_FIELDS) {
      return trm_fail(TRM_ERR_USAGE, "prepare shop: %s '%s' is no list of columns, a,b,c", option,
                      list);
    }
    memcpy(column, at, n);
    column[n] = 0;
    TRM_TRY(trm_records_column(r, true, column, option, &c->fields[side->n_fields]));
    const int length = snprintf(name, sizeof name, "%s.%s", side->what, column);
    TRM_TRY(trm_names_add(&side->fields, name, length, &id, &added));
    if (!added) return trm_fail(TRM_ERR_USAGE, "prepare shop: %s names '%s' twice", option, column);
    ++side->n_fields;
    at += n + (at[n] == ',');
  }
  return TRM_OK;
}

static trm_status keep_cells(const trm_records *r, const table_columns *c, trm_shop_side *side) {
  for (int f = 0; f < side->n_fields; ++f) {
    int64_t cell[2];
    const char *text = trm_records_trimmed(r, c->fields[f], &cell[1]);
    cell[0] = side->bytes.n;
    TRM_TRY(trm_buffer_append(&side->bytes, text, cell[1]));
    TRM_TRY(trm_buffer_append(&side->cells, cell, (int64_t)sizeof cell));
  }
  ++side->n_rows;
  return TRM_OK;
}

const char *trm_shop_cell(const trm_shop_side *side, int64_t row, int field, int64_t *bytes) {
  const int64_t *cells = (const int64_t *)(const void *)side->cells.data;
  const int64_t *cell = cells + 2 * (row * side->n_fields + field);
  *bytes = cell[1];
  return *bytes > 0 ? side->bytes.data + cell[0] : "";
}

/* A line each. */
static trm_status read_rows(trm_records *r, const table_columns *c, trm_shop_side *side) {
  char name[SHOWN_BYTES];
  bool more = true, added;
  for (;;) {
    int32_t id;
    int64_t bytes;
    TRM_TRY(trm_records_next(r, &more));
    if (!more) return TRM_OK;
    TRM_TRY(take_name(r, c->name, side, &id, &added));
    if (!added) {
      const char *text = trm_records_trimmed(r, c->name, &bytes);
      return trm_records_fail(r, "%s '%s' has a line already; join them", side->what,
                              shown(text, bytes, name));
    }
    TRM_TRY(keep_cells(r, c, side));
  }
}

static trm_status read_side(trm_shop_tables *t, const char *path, const char *name,
                            const char *option, const char *fields, const char *fields_option,
                            trm_shop_side *side) {
  trm_records r = {0};
  table_columns c = {0};
  bool more;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_records_open(&r, path, &form, t->progress));
  TRM_TRY_OUT(trm_records_next(&r, &more));
  TRM_TRY_OUT(trm_records_column(&r, true, name, option, &c.name));
  if (side->text_first) {
    int32_t id;
    bool added;
    TRM_TRY_OUT(trm_records_column(&r, true, t->options->text, "--text", &c.fields[0]));
    TRM_TRY_OUT(trm_names_add(&side->fields, "text", 4, &id, &added));
    side->n_fields = 1;
  }
  TRM_TRY_OUT(find_fields(&r, fields, fields_option, side, &c));
  TRM_TRY_OUT(read_rows(&r, &c, side));
  if (side->n_rows == 0) status = trm_fail(TRM_ERR_DATA, "%s: has no %ss", path, side->what);
out:
  return trm_records_close(&r, status);
}

/* ---- purchases -------------------------------------------------------------------------------- */

static trm_status read_purchase(trm_shop_tables *t, const trm_records *r, const int columns[3]) {
  trm_shop_purchase p;
  int64_t bytes;
  const char *why;
  char time[SHOWN_BYTES];
  bool added;
  TRM_TRY(take_name(r, columns[0], &t->customers, &p.customer, &added));
  TRM_TRY(take_name(r, columns[1], &t->products, &p.product, &added));
  const char *text = trm_records_trimmed(r, columns[2], &bytes);
  p.day = trm_shop_day(&t->clock, text, bytes, &why);
  if (why) return trm_records_fail(r, "time '%s' %s", shown(text, bytes, time), why);
  TRM_TRY(TRM_GROW(&t->purchases, t->n, &t->capacity, "purchases"));
  t->purchases[t->n++] = p;
  return TRM_OK;
}

static trm_status read_purchases(trm_shop_tables *t) {
  const trm_prepare_shop_options *o = t->options;
  trm_records r = {0};
  int columns[3];
  bool more;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_records_open(&r, o->purchases, &form, t->progress));
  TRM_TRY_OUT(trm_records_next(&r, &more));
  TRM_TRY_OUT(trm_records_column(&r, true, o->customer, "--customer", &columns[0]));
  TRM_TRY_OUT(trm_records_column(&r, true, o->product, "--product", &columns[1]));
  TRM_TRY_OUT(trm_records_column(&r, true, o->time, "--time", &columns[2]));
  for (;;) {
    TRM_TRY_OUT(trm_records_next(&r, &more));
    if (!more) break;
    TRM_TRY_OUT(read_purchase(t, &r, columns));
  }
  if (t->n == 0) status = trm_fail(TRM_ERR_DATA, "%s: has no purchases", o->purchases);
out:
  return trm_records_close(&r, status);
}

/* Days from the first purchase on. */
static trm_status count_days(trm_shop_tables *t) {
  int64_t last = t->purchases[0].day;
  t->first_day = last;
  for (int64_t i = 0; i < t->n; ++i) {
    if (t->purchases[i].day < t->first_day) t->first_day = t->purchases[i].day;
    if (t->purchases[i].day > last) last = t->purchases[i].day;
  }
  if (last - t->first_day > MOST_DAYS) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: times run over %lld days, more than a century; of seconds say so "
                    "(--time-unit second)",
                    t->options->purchases, (long long)(last - t->first_day));
  }
  for (int64_t i = 0; i < t->n; ++i) t->purchases[i].day -= t->first_day;
  return TRM_OK;
}

trm_status trm_shop_tables_read(trm_shop_tables *t) {
  const trm_prepare_shop_options *o = t->options;
  t->products = (trm_shop_side){.what = "product", .text_first = true};
  t->customers = (trm_shop_side){.what = "customer"};
  t->clock.seconds = o->time_unit && strcmp(o->time_unit, "second") == 0;
  TRM_TRY(read_side(t, o->products, o->product, "--product", o->product_fields, "--product-fields",
                    &t->products));
  if (o->customers) {
    TRM_TRY(read_side(t, o->customers, o->customer, "--customer", o->customer_fields,
                      "--customer-fields", &t->customers));
  }
  TRM_TRY(read_purchases(t));
  t->counts->lines = t->n;
  t->counts->unlisted = t->products.names.n - t->products.n_rows;
  return count_days(t);
}

static void free_side(trm_shop_side *side) {
  trm_names_free(&side->names);
  trm_names_free(&side->fields);
  trm_buffer_free(&side->cells);
  trm_buffer_free(&side->bytes);
  TRM_FREE(side->trained);
}

void trm_shop_tables_free(trm_shop_tables *t) {
  free_side(&t->products);
  free_side(&t->customers);
  TRM_FREE(t->purchases);
  (void)trm_scan_close(&t->clock.scan, TRM_OK);
}
