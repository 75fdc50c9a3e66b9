/** `trireme prepare shop`: a data set of kind shop (data/FORMAT.md) from tables of purchases and products. */
#ifndef TRIREME_PREPARE_SHOP_H
#define TRIREME_PREPARE_SHOP_H

#include <stdint.h>

#include "trireme/core/status.h"

typedef struct trm_prepare_shop_options {
  const char *output;
  const char *purchases, *products; /* tables with a header */
  const char *customers;            /* NULL: nothing is known of them but what they bought */
  /* Columns, by name or number from 1. */
  const char *customer, *product, *time; /* of purchases; the other tables call theirs the same */
  const char *text;                      /* of products */
  const char *product_fields, *customer_fields; /* more columns, parted by commas; NULL: none */
  const char *time_unit;                        /* of times that are numbers: "day", "second" */
  const char *valid_from, *test_from;           /* times, written as in the table; NULL: by days */
  int64_t valid_days, test_days;                /* before the end */
  int64_t min_count;                            /* a word is in so many products, at least */
  const char *vocabulary; /* a data set whose features are taken; NULL: made here */
  /** Progress, may be NULL: share done in [0, 1] and what is being done. */
  void (*progress)(void *context, double share, const char *what);
  void *context;
} trm_prepare_shop_options;

/** What was found, or is odd. */
typedef struct trm_shop_counts {
  int64_t lines;        /* of the purchases */
  int64_t repeated;     /* of them the same customer, product and day again: joined */
  int64_t without_text; /* products that no word is known of, */
  int64_t unlisted;     /* and such that are not in their table at all */
  int64_t new_customers[2], new_products[2]; /* first seen in the part to validate, to test */
  int64_t never_sold;                        /* products */
  int64_t new_levels; /* values of fields of categories that are not among the features */
} trm_shop_counts;

/**
 * Purchases with a time each, cut into parts by time alone. Times are whole or broken numbers of days (or
 * seconds), or dates: 2011-12-09, also with 10:15 or 10:15:30 behind a blank or T. Words of the texts, the
 * values of fields of categories, and the scale of those of numbers are taken from what was sold, or bought
 * something, in the part to train on.
 *
 * Not collective; the same files and options give the same file. Memory is that of the tables.
 *
 * @return TRM_ERR_DATA with file and line: bad table, a time that is none, a product twice in its table,
 *         a part without purchases; TRM_ERR_USAGE for columns that are not there and options that do not go
 *         together; TRM_ERR_IO, TRM_ERR_MEMORY. The output appears complete or not at all
 */
trm_status trm_prepare_shop(const trm_prepare_shop_options *options, trm_shop_counts *counts);

#endif
