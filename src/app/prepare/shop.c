/** `trireme prepare shop`: who bought what and when, and what is written about products. */
#include "trireme/prepare/shop.h"

#include <inttypes.h>
#include <string.h>

#include "trireme/input/shop.h"
#include "ways.h"

enum { USUAL_DAYS = 30, USUAL_COUNT = 2 };

static void tell_parts(const app_prepare_call *call, const trm_shop *s,
                       const trm_shop_counts *counts) {
  static const char *const does[2] = {"validate", "test"};
  const int64_t begins[3] = {s->valid_day, s->test_day, s->end_day};
  trm_log_line(call->log, "%s: days 0 to %" PRId64 " to train on", call->output, s->valid_day - 1);
  for (int p = 0; p < 2; ++p) {
    if (begins[p] == begins[p + 1]) continue;
    app_line l = {0};
    app_say(&l, counts->new_customers[p], "customer", "customers");
    app_say(&l, counts->new_products[p], "product", "products");
    trm_log_line(call->log, "%s: days %" PRId64 " to %" PRId64 " to %s: first seen there: %s",
                 call->output, begins[p], begins[p + 1] - 1, does[p], l.text);
  }
}

static void tell_odd(const app_prepare_call *call, const trm_shop_counts *c) {
  app_line l = {0};
  if (c->repeated > 0)
    app_say(&l, c->repeated, "line joined with one of its day",
            "lines joined with others of their day");
  if (c->without_text > 0)
    app_say(&l, c->without_text, "product without a known word", "products without a known word");
  if (c->unlisted > 0)
    app_say(&l, c->unlisted, "product not in its table", "products not in their table");
  if (c->never_sold > 0) app_say(&l, c->never_sold, "product never sold", "products never sold");
  if (c->new_levels > 0)
    app_say(&l, c->new_levels, "value of a field that no training row has",
            "values of fields that no training row has");
  if (l.n > 0) trm_log_line(call->log, "%s: %s", call->output, l.text);
}

static trm_status tell(const app_prepare_call *call, const trm_shop_counts *counts) {
  trm_shop *s = NULL;
  app_line l = {0};
  TRM_TRY(trm_shop_open(call->output, NULL, &s));
  app_say(&l, s->n_customers, "customer", "customers");
  app_say(&l, s->n_products, "product", "products");
  app_say(&l, s->n_days, "purchase", "purchases");
  app_say(&l, s->pairs.n_edges, "different pair", "different pairs");
  app_say(&l, s->features.n, "feature", "features");
  trm_log_line(call->log, "%s: %s", call->output, l.text);
  tell_parts(call, s, counts);
  tell_odd(call, counts);
  trm_shop_close(&s);
  return TRM_OK;
}

static trm_status run(app_prepare_call *call) {
  trm_prepare_shop_options o = {.customer = "customer",
                                .product = "product",
                                .time = "time",
                                .text = "description",
                                .time_unit = "day",
                                .valid_days = USUAL_DAYS,
                                .test_days = USUAL_DAYS,
                                .min_count = USUAL_COUNT,
                                .progress = app_prepare_progress,
                                .context = call->log};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--purchases", 0, &o.purchases, "FILE",
               "who bought what when: CSV or TSV, a header"),
      APP_TEXT("--products", 0, &o.products, "FILE", "products and their texts"),
      APP_TEXT("--customers", 0, &o.customers, "FILE",
               "what is known of customers, if anything is"),
      APP_TEXT("--customer", 0, &o.customer, "COLUMN", "by which customers are known (customer)"),
      APP_TEXT("--product", 0, &o.product, "COLUMN", "by which products are known (product)"),
      APP_TEXT("--time", 0, &o.time, "COLUMN", "of purchases (time): dates, or numbers"),
      APP_TEXT("--time-unit", 0, &o.time_unit, "day|second", "of times that are numbers"),
      APP_TEXT("--text", 0, &o.text, "COLUMN", "of products (description)"),
      APP_TEXT("--product-fields", 0, &o.product_fields, "A,B,...",
               "more columns of products: numbers or categories"),
      APP_TEXT("--customer-fields", 0, &o.customer_fields, "A,B,...", "columns of customers"),
      APP_TEXT("--valid-from", 0, &o.valid_from, "TIME", "where the part to validate begins"),
      APP_TEXT("--test-from", 0, &o.test_from, "TIME", "where the part to test begins"),
      APP_INT("--valid-days", 0, &o.valid_days, 0, 36500, "N",
              "days to validate on, before those to test (30)"),
      APP_INT("--test-days", 0, &o.test_days, 0, 36500, "N", "days to test on, the last (30)"),
      APP_INT("--min-count", 0, &o.min_count, 1, 1e9, "N",
              "products that a word must be in to count (2)"),
      APP_TEXT("--vocabulary", 0, &o.vocabulary, "DATA.h5",
               "a data set whose words and fields are taken"),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  if (strcmp(o.time_unit, "day") != 0 && strcmp(o.time_unit, "second") != 0) {
    return trm_fail(TRM_ERR_USAGE, "%s: --time-unit is '%s', expected day or second", call->name,
                    o.time_unit);
  }
  app_folder folder;
  TRM_TRY(app_folder_open(&folder, call, &words));
  trm_shop_counts counts = {0};
  trm_status status = app_folder_need(&folder, "purchases.tsv", "--purchases", &o.purchases);
  if (status == TRM_OK)
    status = app_folder_need(&folder, "products.tsv", "--products", &o.products);
  if (status == TRM_OK) status = app_folder_take(&folder, "customers.tsv", &o.customers);
  if (status == TRM_OK && o.customer_fields && !o.customers) {
    status = trm_fail(TRM_ERR_USAGE, "%s: --customer-fields are of --customers, which is not given",
                      call->name);
  }
  o.output = call->output;
  if (status == TRM_OK) status = trm_prepare_shop(&o, &counts);
  app_folder_close(&folder);
  TRM_TRY(status);
  return tell(call, &counts);
}

const app_prepare_way app_prepare_way_shop = {
    .name = "shop",
    .words = "FOLDER",
    .summary = "purchases with their time, and texts of products, from tables",
    .run = run,
};
