/** `trireme prepare shop`: purchases, products and customers become a data set of kind shop. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shop_internal.h"
#include "trireme/core/memory.h"

typedef struct job {
  const trm_prepare_shop_options *options;
  trm_shop_counts *counts;
  trm_shop_tables tables;
  trm_shop_features features;
  int64_t valid_day, test_day, end_day;
  /* what is written besides */
  int64_t *offsets, *day_offsets; /* [customers + 1], [pairs + 1] */
  int32_t *products, *days;       /* [pairs], [purchases] */
  int64_t n_pairs, n_days;
  int64_t *name_offsets, *feature_offsets, *text_offsets; /* [nodes + 1] */
  char *name_bytes;
} job;

/* ---- parts ------------------------------------------------------------------------------------ */

/* The day on which a part begins: as told, or so many days before `end`. */
static trm_status part_begin(job *j, const char *time, const char *option, int64_t days,
                             int64_t end, int64_t *day) {
  const char *why;
  *day = end - days;
  if (!time) return TRM_OK;
  *day = trm_shop_day(&j->tables.clock, time, (int64_t)strlen(time), &why) - j->tables.first_day;
  if (!why) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "prepare shop: %s '%s' %s", option, time, why);
}

static int64_t bought_between(const job *j, int64_t from, int64_t to) {
  int64_t n = 0;
  for (int64_t i = 0; i < j->tables.n; ++i) {
    n += j->tables.purchases[i].day >= from && j->tables.purchases[i].day < to;
  }
  return n;
}

static trm_status cut_parts(job *j) {
  const trm_prepare_shop_options *o = j->options;
  for (int64_t i = 0; i < j->tables.n; ++i) {
    if (j->tables.purchases[i].day >= j->end_day) j->end_day = j->tables.purchases[i].day + 1;
  }
  TRM_TRY(part_begin(j, o->test_from, "--test-from", o->test_days, j->end_day, &j->test_day));
  TRM_TRY(part_begin(j, o->valid_from, "--valid-from", o->valid_days, j->test_day, &j->valid_day));
  if (j->test_day >= j->end_day && o->test_from) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: nothing was bought from --test-from '%s' on (day %" PRId64
                    "); the last purchase is of day %" PRId64,
                    o->purchases, o->test_from, j->test_day, j->end_day - 1);
  }
  if (j->valid_day > j->test_day) {
    return trm_fail(TRM_ERR_USAGE,
                    "prepare shop: the part to validate begins on day %" PRId64
                    ", after that to test, day %" PRId64 "; give an earlier --valid-from",
                    j->valid_day, j->test_day);
  }
  if (j->valid_day < 1 || bought_between(j, 0, j->valid_day) == 0) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: nothing was bought before the part to validate, which begins on day "
                    "%" PRId64 " of %" PRId64 "; give later or shorter parts",
                    o->purchases, j->valid_day, j->end_day);
  }
  if (j->valid_day == j->test_day || bought_between(j, j->valid_day, j->test_day) > 0) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: nothing was bought in the part to validate, days %" PRId64 " to %" PRId64
                  "; give others, or --valid-days 0",
                  o->purchases, j->valid_day, j->test_day - 1);
}

/* ---- purchases -------------------------------------------------------------------------------- */

static int by_pair_and_day(const void *a, const void *b) {
  const trm_shop_purchase *x = a, *y = b;
  if (x->customer != y->customer) return x->customer < y->customer ? -1 : 1;
  if (x->product != y->product) return x->product < y->product ? -1 : 1;
  return (x->day > y->day) - (x->day < y->day);
}

static trm_status list_pairs(job *j) {
  trm_shop_tables *t = &j->tables;
  const int64_t n = t->n;
  TRM_TRY(TRM_ALLOC(&j->offsets, t->customers.names.n + 1, "purchases"));
  TRM_TRY(TRM_ALLOC(&j->day_offsets, n + 1, "purchases"));
  TRM_TRY(TRM_ALLOC(&j->products, n, "purchases"));
  TRM_TRY(TRM_ALLOC(&j->days, n, "purchases"));
  qsort(t->purchases, (size_t)n, sizeof *t->purchases, by_pair_and_day);
  for (int64_t i = 0; i < n; ++i) {
    const trm_shop_purchase *p = &t->purchases[i], *last = i > 0 ? p - 1 : NULL;
    const bool same = last && last->customer == p->customer && last->product == p->product;
    if (same && last->day == p->day) {
      ++j->counts->repeated;
      continue;
    }
    if (!same) {
      j->products[j->n_pairs++] = p->product;
      j->offsets[p->customer + 1] = j->n_pairs;
    }
    j->days[j->n_days++] = (int32_t)p->day;
    j->day_offsets[j->n_pairs] = j->n_days;
  }
  for (int64_t u = 0; u < t->customers.names.n; ++u) { /* who bought nothing */
    if (j->offsets[u + 1] < j->offsets[u]) j->offsets[u + 1] = j->offsets[u];
  }
  return TRM_OK;
}

/* First day of each, -1: none. */
static trm_status first_days(const job *j, bool products, int64_t **first) {
  const trm_shop_side *side = products ? &j->tables.products : &j->tables.customers;
  TRM_TRY(TRM_ALLOC(first, side->names.n, "first days"));
  for (int64_t i = 0; i < side->names.n; ++i) (*first)[i] = -1;
  for (int64_t i = 0; i < j->tables.n; ++i) {
    const trm_shop_purchase *p = &j->tables.purchases[i];
    int64_t *day = &(*first)[products ? p->product : p->customer];
    if (*day < 0 || p->day < *day) *day = p->day;
  }
  return TRM_OK;
}

/* Who is known to the part to train on, and what is new later. */
static trm_status find_trained(job *j, bool products) {
  trm_shop_side *side = products ? &j->tables.products : &j->tables.customers;
  int64_t *fresh = products ? j->counts->new_products : j->counts->new_customers, *first = NULL;
  TRM_TRY(TRM_ALLOC(&side->trained, side->names.n, "what is trained on"));
  TRM_TRY(first_days(j, products, &first));
  for (int64_t i = 0; i < side->names.n; ++i) {
    side->trained[i] = first[i] >= 0 && first[i] < j->valid_day;
    if (first[i] >= j->valid_day) ++fresh[first[i] >= j->test_day];
    if (products) j->counts->never_sold += first[i] < 0;
  }
  TRM_FREE(first);
  return TRM_OK;
}

/* ---- the data set ----------------------------------------------------------------------------- */

/* Names of customers, then of products. */
static trm_status join_names(job *j) {
  const trm_names *sides[2] = {&j->tables.customers.names, &j->tables.products.names};
  int64_t n = 0, bytes = 0;
  TRM_TRY(TRM_ALLOC(&j->name_offsets, sides[0]->n + sides[1]->n + 1, "names"));
  TRM_TRY(TRM_ALLOC(&j->name_bytes, sides[0]->bytes.n + sides[1]->bytes.n, "names"));
  for (int s = 0; s < 2; ++s) {
    const int64_t *offsets = trm_names_offsets(sides[s]);
    memcpy(j->name_bytes + bytes, sides[s]->bytes.data, (size_t)sides[s]->bytes.n);
    for (int64_t i = 0; i < sides[s]->n; ++i) j->name_offsets[++n] = bytes + offsets[i + 1];
    bytes += sides[s]->bytes.n;
  }
  return TRM_OK;
}

static trm_status write(job *j, const char *source) {
  const trm_shop_features *f = &j->features;
  const int64_t n_customers = j->tables.customers.names.n;
  const int64_t n_nodes = n_customers + j->tables.products.names.n;
  TRM_TRY(join_names(j));
  TRM_TRY(TRM_ALLOC(&j->feature_offsets, n_nodes + 1, "features"));
  memcpy(j->feature_offsets + 1, f->ends.data, (size_t)f->ends.n);
  TRM_TRY(TRM_ALLOC(&j->text_offsets, n_nodes + 1, "texts"));
  memcpy(j->text_offsets + 1, f->text_ends.data, (size_t)f->text_ends.n);
  const trm_shop shop = {
      .graph = {.source = source,
                .n_nodes = n_nodes,
                .n_features = f->names.n,
                .sparse = true,
                .features = {.n_rows = n_nodes,
                             .n_columns = f->names.n,
                             .n_edges = j->feature_offsets[n_nodes],
                             .offsets = j->feature_offsets,
                             .columns = (const int32_t *)(const void *)f->columns.data,
                             .values = (const float *)(const void *)f->values.data},
                .names = {n_nodes, j->name_offsets, j->name_bytes}},
      .n_customers = n_customers,
      .n_products = j->tables.products.names.n,
      .pairs = {.n_rows = n_customers,
                .n_columns = j->tables.products.names.n,
                .n_edges = j->n_pairs,
                .offsets = j->offsets,
                .columns = j->products},
      .n_days = j->n_days,
      .day_offsets = j->day_offsets,
      .days = j->days,
      .valid_day = j->valid_day,
      .test_day = j->test_day,
      .end_day = j->end_day,
      .features = {f->names.n, trm_names_offsets(&f->names), f->names.bytes.data},
      .shifts = (const float *)(const void *)f->shifts.data,
      .scales = (const float *)(const void *)f->scales.data,
      .n_text_words = j->text_offsets[n_nodes],
      .text_offsets = j->text_offsets,
      .text_words = (const int32_t *)(const void *)f->text_words.data};
  return trm_shop_write(j->options->output, &shop);
}

static void free_job(job *j) {
  trm_shop_tables_free(&j->tables);
  trm_shop_features_free(&j->features);
  TRM_FREE(j->offsets);
  TRM_FREE(j->day_offsets);
  TRM_FREE(j->products);
  TRM_FREE(j->days);
  TRM_FREE(j->name_offsets);
  TRM_FREE(j->name_bytes);
  TRM_FREE(j->feature_offsets);
  TRM_FREE(j->text_offsets);
}

trm_status trm_prepare_shop(const trm_prepare_shop_options *options, trm_shop_counts *counts) {
  trm_inputs inputs = {0};
  trm_scan_progress progress = {.show = options->progress, .context = options->context};
  job j = {.options = options, .counts = counts};
  trm_status status = TRM_OK;
  *counts = (trm_shop_counts){0};
  j.tables = (trm_shop_tables){.options = options, .counts = counts, .progress = &progress};
  TRM_TRY_OUT(trm_inputs_add(&inputs, options->purchases));
  TRM_TRY_OUT(trm_inputs_add(&inputs, options->products));
  TRM_TRY_OUT(trm_inputs_add(&inputs, options->customers));
  TRM_TRY_OUT(trm_inputs_check(&inputs, options->output, &progress));
  TRM_TRY_OUT(trm_shop_tables_read(&j.tables));
  TRM_TRY_OUT(cut_parts(&j));
  TRM_TRY_OUT(find_trained(&j, true));
  TRM_TRY_OUT(find_trained(&j, false));
  TRM_TRY_OUT(list_pairs(&j));
  TRM_TRY_OUT(trm_shop_features_make(&j.tables, &j.features));
  TRM_TRY_OUT(write(&j, inputs.source));
out:
  free_job(&j);
  trm_inputs_free(&inputs);
  return status;
}
