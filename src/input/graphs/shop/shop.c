/** Kind `shop`: customers, products, and the days on which who bought what. */
#include "trireme/input/shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "graph_internal.h"
#include "kind_internal.h"
#include "trireme/core/memory.h"

#define TEXTS_GROUP "/nodes/texts"
static const char word_prefix[] = "text:"; /* of names of features that are words */

static const trm_graph_array arrays[TRM_N_GRAPH_PLACES] = {
    TRM_LISTS_ARRAYS(TRM_GA_FEATURE_OFFSETS, TRM_FEATURES_GROUP, "columns", TRM_LENGTH_ROWS,
                     trm_shop, graph.features.offsets, graph.features.columns,
                     graph.features.n_edges, graph.n_nodes, "customers and products"),
    [TRM_GA_FEATURE_VALUES] = {.name = TRM_FEATURES_GROUP "/values",
                               .dtype = TRM_DTYPE_F32,
                               .length = TRM_LENGTH_EACH,
                               .required = true,
                               .data = offsetof(trm_graph, features.values),
                               .count = offsetof(trm_graph, features.n_edges),
                               .of = "one a column"},
    [TRM_GA_CLASS_OFFSETS] = {.name = "/features/names/offsets",
                              .dtype = TRM_DTYPE_I64,
                              .length = TRM_LENGTH_TEXTS,
                              .required = true,
                              .data = offsetof(trm_shop, features.offsets),
                              .count = offsetof(trm_shop, features.n)},
    [TRM_GA_CLASS_BYTES] = {.name = "/features/names/bytes",
                            .dtype = TRM_DTYPE_U8,
                            .length = TRM_LENGTH_TEXT_BYTES,
                            .required = true,
                            .data = offsetof(trm_shop, features.bytes)},
    [TRM_GA_NAME_OFFSETS] = {.name = "/nodes/names/offsets",
                             .dtype = TRM_DTYPE_I64,
                             .length = TRM_LENGTH_OF_TEXTS,
                             .required = true,
                             .data = offsetof(trm_graph, names.offsets),
                             .count = offsetof(trm_graph, n_nodes),
                             .columns = offsetof(trm_graph, names.n),
                             .of = "one more than the customers and products"},
    [TRM_GA_NAME_BYTES] = {.name = "/nodes/names/bytes",
                           .dtype = TRM_DTYPE_U8,
                           .length = TRM_LENGTH_TEXT_BYTES,
                           .required = true,
                           .data = offsetof(trm_graph, names.bytes)},
    TRM_LISTS_ARRAYS(TRM_GA_TRAIN_OFFSETS, "/purchases", "products", TRM_LENGTH_ROWS, trm_shop,
                     pairs.offsets, pairs.columns, pairs.n_edges, n_customers, "customers"),
    TRM_LISTS_ARRAYS(TRM_GA_DAY_OFFSETS, "/purchases/days", "values", TRM_LENGTH_OFFSETS, trm_shop,
                     day_offsets, days, n_days, pairs.n_edges,
                     "one more than '/purchases/products'"),
    [TRM_GA_FEATURE_SHIFTS] = {.name = "/features/shifts",
                               .dtype = TRM_DTYPE_F32,
                               .length = TRM_LENGTH_EACH,
                               .required = true,
                               .data = offsetof(trm_shop, shifts),
                               .count = offsetof(trm_shop, features.n),
                               .of = "one a feature"},
    [TRM_GA_FEATURE_SCALES] = {.name = "/features/scales",
                               .dtype = TRM_DTYPE_F32,
                               .length = TRM_LENGTH_EACH,
                               .required = true,
                               .data = offsetof(trm_shop, scales),
                               .count = offsetof(trm_shop, features.n),
                               .of = "one a feature"},
    [TRM_GA_TEXT_OFFSETS] = {.name = TEXTS_GROUP "/offsets",
                             .dtype = TRM_DTYPE_I64,
                             .length = TRM_LENGTH_OFFSETS,
                             .required = true,
                             .with = TEXTS_GROUP,
                             .data = offsetof(trm_shop, text_offsets),
                             .count = offsetof(trm_shop, graph.n_nodes),
                             .of = "one more than the customers and products"},
    [TRM_GA_TEXT_WORDS] = {.name = TEXTS_GROUP "/words",
                           .dtype = TRM_DTYPE_I32,
                           .length = TRM_LENGTH_TELLS,
                           .required = true,
                           .with = TEXTS_GROUP,
                           .data = offsetof(trm_shop, text_words),
                           .count = offsetof(trm_shop, n_text_words)},
};

/* Feature number i of ragged names. */
static bool is_word(const int64_t *offsets, const char *bytes, int64_t i) {
  const int64_t n = sizeof word_prefix - 1;
  return offsets[i + 1] - offsets[i] >= n &&
         memcmp(bytes + offsets[i], word_prefix, (size_t)n) == 0;
}

bool trm_shop_is_word(const trm_shop *shop, int64_t feature) {
  return is_word(shop->features.offsets, shop->features.bytes, feature);
}

int64_t trm_shop_texts(const trm_shop *shop, const int32_t *ids, int64_t n, int64_t most,
                       int64_t *offsets, int32_t *words, int32_t *rows) {
  int64_t to = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t first = shop->text_offsets[ids[i]];
    const int64_t all = shop->text_offsets[ids[i] + 1] - first, taken = all < most ? all : most;
    if (offsets) offsets[i] = to;
    for (int64_t w = 0; w < taken; ++w, ++to) {
      if (words) words[to] = shop->text_words[first + w];
      if (rows) rows[to] = (int32_t)(first + w);
    }
  }
  if (offsets) offsets[n] = to;
  return to;
}

int64_t trm_shop_begin(const trm_shop *shop, trm_subset part) {
  return part == TRM_SUBSET_TRAIN ? 0 : part == TRM_SUBSET_VALID ? shop->valid_day : shop->test_day;
}

int64_t trm_shop_end(const trm_shop *shop, trm_subset part) {
  return part == TRM_SUBSET_TRAIN   ? shop->valid_day
         : part == TRM_SUBSET_VALID ? shop->test_day
                                    : shop->end_day;
}

/* ---- layout ----------------------------------------------------------------------------------- */

static trm_status read_day(trm_graph_file *f, const char *name, int64_t low, int64_t *day) {
  TRM_TRY(trm_graph_attr_required(f, "/", name, "a data set of kind shop"));
  return trm_graph_attr_expect(f, "/", name, low, INT32_MAX, day);
}

static trm_status layout(trm_graph_file *f) {
  trm_shop *s = f->data;
  trm_graph *g = &s->graph;
  s->n_products = g->n_nodes - s->n_customers;
  if (s->n_products < 1) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is of %" PRId64 " customers and products, but there are %" PRId64
                    " customers; customers come first, then products",
                    f->path, f->slots[TRM_GA_FEATURE_OFFSETS].name, g->n_nodes, s->n_customers);
  }
  TRM_TRY(read_day(f, "valid_day", 1, &s->valid_day));
  TRM_TRY(read_day(f, "test_day", s->valid_day, &s->test_day));
  TRM_TRY(read_day(f, "end_day", s->test_day, &s->end_day));
  g->symmetric = g->sparse = true;
  g->n_features = s->features.n;
  s->pairs.n_rows = s->n_customers;
  s->pairs.n_columns = s->n_products;
  if (g->n_features >= 1) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: '/features/names' is empty; prepare products with texts",
                  f->path);
}

/* ---- checks ----------------------------------------------------------------------------------- */

/* Each pair has been bought at least once; days rise and are before the end. */
static trm_status check_days(const trm_graph_file *f) {
  const trm_shop *s = f->data;
  const int64_t *offsets = trm_graph_data(f, TRM_GA_DAY_OFFSETS);
  const int32_t *days = trm_graph_data(f, TRM_GA_DAYS);
  TRM_TRY(trm_graph_check_rows(f, TRM_GA_DAY_OFFSETS, TRM_GA_DAYS, s->end_day, "pair"));
  for (int64_t p = 0; p < s->pairs.n_edges; ++p) {
    if (offsets[p] < offsets[p + 1]) continue;
    return trm_fail(TRM_ERR_DATA, "%s: pair %" PRId64 " of '/purchases/products' has no day",
                    f->path, p);
  }
  for (int64_t d = 0; d < s->n_days; ++d) {
    if (days[d] < s->valid_day) return TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA, "%s: nothing was bought before day %" PRId64 " ('valid_day')",
                  f->path, s->valid_day);
}

/* Texts are rows of words, in any order. */
static trm_status check_text_words(const trm_graph_file *f) {
  const trm_shop *s = f->data;
  if (f->slots[TRM_GA_TEXT_OFFSETS].n < 0) return TRM_OK;
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_TEXT_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_TEXT_WORDS));
  TRM_TRY(trm_graph_check_offsets(f, TRM_GA_TEXT_OFFSETS, TRM_GA_TEXT_WORDS));
  TRM_TRY(trm_graph_check_ids(f, TRM_GA_TEXT_WORDS, 0, s->features.n));
  const int32_t *words = trm_graph_data(f, TRM_GA_TEXT_WORDS);
  for (int64_t w = 0; w < s->n_text_words; ++w) {
    if (is_word(trm_graph_data(f, TRM_GA_CLASS_OFFSETS), trm_graph_data(f, TRM_GA_CLASS_BYTES),
                words[w])) {
      continue;
    }
    return trm_fail(TRM_ERR_DATA,
                    "%s: '" TEXTS_GROUP "/words' is %d at index %" PRId64
                    ", a feature whose name does not begin with '%s'",
                    f->path, (int)words[w], w, word_prefix);
  }
  return TRM_OK;
}

static trm_status check(const trm_graph_file *f, trm_graph_facts *facts) {
  const trm_shop *s = f->data;
  facts->n_items = s->n_products;
  TRM_TRY(trm_graph_check_features(f));
  TRM_TRY(trm_graph_check_texts(f, TRM_GA_CLASS_OFFSETS));
  TRM_TRY(trm_graph_check_texts(f, TRM_GA_NAME_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_TRAIN_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_TRAIN_ITEMS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_DAY_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_DAYS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_FEATURE_SHIFTS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_FEATURE_SCALES));
  TRM_TRY(check_text_words(f));
  TRM_TRY(
      trm_graph_check_rows(f, TRM_GA_TRAIN_OFFSETS, TRM_GA_TRAIN_ITEMS, s->n_products, "customer"));
  return check_days(f);
}

/* ---- the graph -------------------------------------------------------------------------------- */

static int64_t count_edges(const void *data) {
  return 2 * ((const trm_shop *)data)->pairs.n_edges;
}

static void make_edges(const void *data, int64_t *offsets, int32_t *columns) {
  const trm_shop *s = data;
  trm_graph_join_sides(&s->pairs, offsets, columns);
}

/* First days of the edges: those of the customers' rows are the pairs in their order, and the products'
 * rows list their customers in the order in which the pairs come. */
static trm_status bind(trm_graph_file *f, const trm_graph_facts *facts) {
  (void)facts;
  trm_shop *s = f->data;
  const trm_csr *in = &s->graph.in;
  int64_t *next = NULL;
  int32_t *first = NULL;
  TRM_TRY(TRM_ALLOC(&first, in->n_edges, "days of a shop"));
  f->self = first;
  TRM_TRY(TRM_ALLOC(&next, s->n_products, "days of a shop"));
  for (int64_t i = 0; i < s->n_products; ++i) next[i] = in->offsets[s->n_customers + i];
  for (int64_t p = 0; p < s->pairs.n_edges; ++p) {
    first[p] = s->days[s->day_offsets[p]];
    first[next[s->pairs.columns[p]]++] = first[p];
  }
  TRM_FREE(next);
  s->first_days = first;
  return TRM_OK;
}

/* ---- description, writing --------------------------------------------------------------------- */

static int64_t purchases_between(const trm_shop *s, int64_t from, int64_t to) {
  int64_t n = 0;
  for (int64_t d = 0; d < s->n_days; ++d) n += s->days[d] >= from && s->days[d] < to;
  return n;
}

/* Customers and products that nothing is known of before `day`. */
static void count_unknown(const trm_shop *s, int64_t day, int64_t *customers, int64_t *products) {
  const trm_csr *in = &s->graph.in;
  *customers = *products = 0;
  for (int64_t v = 0; v < s->graph.n_nodes; ++v) {
    bool known = false;
    for (int64_t e = in->offsets[v]; e < in->offsets[v + 1]; ++e) {
      known = known || s->first_days[e] < day;
    }
    *(v < s->n_customers ? customers : products) += !known;
  }
}

static trm_status describe(const trm_graph_file *f, FILE *file) {
  const trm_shop *s = f->data;
  int64_t customers, products;
  count_unknown(s, s->valid_day, &customers, &products);
  trm_describe_row(file, "customers", "%14s  %s of them bought nothing before day %" PRId64,
                   trm_count_text_of(s->n_customers).text, trm_count_text_of(customers).text,
                   s->valid_day);
  trm_describe_row(file, "products", "%14s  %s of them were not sold before",
                   trm_count_text_of(s->n_products).text, trm_count_text_of(products).text);
  trm_describe_row(file, "purchases", "%14s  %s different pairs", trm_count_text_of(s->n_days).text,
                   trm_count_text_of(s->pairs.n_edges).text);
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    const int64_t from = trm_shop_begin(s, (trm_subset)p), to = trm_shop_end(s, (trm_subset)p);
    trm_describe_row(file, trm_subset_name((trm_subset)p), "%14s  days %" PRId64 " to %" PRId64,
                     trm_count_text_of(purchases_between(s, from, to)).text, from, to - 1);
  }
  trm_describe_row(file, "features", "%14s  words and fields, %s values",
                   trm_count_text_of(s->graph.n_features).text,
                   trm_count_text_of(s->graph.features.n_edges).text);
  if (s->text_offsets) {
    TRM_TRY(trm_describe_lengths(file, "per text", s->text_offsets + s->n_customers, s->n_products,
                                 "words a product, in order"));
  }
  TRM_TRY(trm_describe_lengths(file, "per customer", s->pairs.offsets, s->n_customers,
                               "products a customer"));
  return trm_describe_lengths(file, "per product", s->graph.in.offsets + s->n_customers,
                              s->n_products, "customers a product");
}

static trm_status write(trm_container *file, const void *data, const trm_graph_counts *counts) {
  const trm_shop *s = data;
  (void)counts;
  TRM_TRY(trm_attr_write_int(file, "/", "valid_day", s->valid_day));
  TRM_TRY(trm_attr_write_int(file, "/", "test_day", s->test_day));
  return trm_attr_write_int(file, "/", "end_day", s->end_day);
}

static const trm_graph_kind kind = {.data_kind = &trm_data_kind_shop,
                                    .bytes = sizeof(trm_shop),
                                    .arrays = arrays,
                                    .layout = layout,
                                    .check = check,
                                    .bind = bind,
                                    .count_edges = count_edges,
                                    .make_edges = make_edges,
                                    .describe = describe,
                                    .write = write};

/* ---- public ----------------------------------------------------------------------------------- */

trm_status trm_shop_open(const char *path, const trm_graph_memory *memory, trm_shop **out) {
  void *data = NULL;
  const trm_status status = trm_graph_open_kind(&kind, path, memory, true, &data);
  *out = data;
  return status;
}

void trm_shop_close(trm_shop **shop) {
  trm_graph *graph = *shop ? &(*shop)->graph : NULL;
  trm_graph_close(&graph);
  *shop = NULL;
}

const trm_shop *trm_shop_of(const trm_graph *graph) {
  return trm_graph_data_of(graph, &kind);
}

trm_status trm_shop_write(const char *path, const trm_shop *shop) {
  const trm_graph_counts none = {0};
  return trm_graph_write_kind(&kind, path, shop, &none, NULL);
}

const trm_data_kind trm_data_kind_shop = {
    .name = "shop", .describe = trm_graph_describe_path, .graph = &kind};
