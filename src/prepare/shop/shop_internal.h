/** Tables of a shop on their way to a data set. */
#ifndef TRIREME_PREPARE_SHOP_INTERNAL_H
#define TRIREME_PREPARE_SHOP_INTERNAL_H

#include "names_internal.h"
#include "prepare_internal.h"
#include "records_internal.h"
#include "trireme/input/shop.h"
#include "trireme/prepare/shop.h"

/* ---- times: shop_times.c ---------------------------------------------------------------------- */

/** How times are written: as the first one is. */
typedef struct trm_shop_clock {
  bool seconds;      /* numbers are seconds; else days */
  bool begun, dates; /* what the first one was */
  trm_scan scan;     /* for numbers */
} trm_shop_clock;

/** The day of a time. Fails without a file's name: `*why` says what is wrong, NULL: nothing. */
int64_t trm_shop_day(trm_shop_clock *clock, const char *text, int64_t bytes, const char **why);

/* ---- tables: shop_tables.c -------------------------------------------------------------------- */

/** Products or customers: those of their table in its order, then others as they are met. */
typedef struct trm_shop_side {
  const char *what; /* "product" */
  trm_names names;
  int64_t n_rows; /* of them from the table */
  int n_fields;   /* columns besides the name; of products the text is the first */
  bool text_first;
  trm_names fields; /* their names as features begin: "product.colour" */
  trm_buffer cells; /* int64_t [n_rows, n_fields, 2]: first byte and bytes of each field */
  trm_buffer bytes;
  uint8_t *trained; /* [names.n] bought, or were bought, in the part to train on */
} trm_shop_side;

typedef struct trm_shop_purchase {
  int32_t customer, product;
  int64_t day;
} trm_shop_purchase;

typedef struct trm_shop_tables {
  const trm_prepare_shop_options *options;
  trm_shop_counts *counts;
  trm_scan_progress *progress;
  trm_shop_clock clock;
  trm_shop_side products, customers;
  trm_shop_purchase *purchases;
  int64_t n, capacity;
  int64_t first_day; /* from which days are counted */
} trm_shop_tables;

/** Reads all tables; days are counted from the first purchase. */
trm_status trm_shop_tables_read(trm_shop_tables *tables);
void trm_shop_tables_free(trm_shop_tables *tables);
/** Field `field` of a row of the table, without the blanks around it. */
const char *trm_shop_cell(const trm_shop_side *side, int64_t row, int field, int64_t *bytes);

/* ---- features: shop_features.c ---------------------------------------------------------------- */

typedef struct trm_shop_features {
  trm_names names;
  trm_buffer shifts, scales;  /* float [names.n] */
  trm_buffer columns, values; /* int32_t, float: rows of customers, then of products */
  trm_buffer ends;            /* int64_t [nodes] */
  trm_buffer text_words;      /* int32_t: words of texts in their order, columns */
  trm_buffer text_ends;       /* int64_t [nodes] */
} trm_shop_features;

/** Takes the features of options->vocabulary, or makes them of what is trained on; then the rows. */
trm_status trm_shop_features_make(trm_shop_tables *tables, trm_shop_features *features);
void trm_shop_features_free(trm_shop_features *features);

#endif
