/**
 * Data sets of kind `shop`: who bought which product on which days, and what is written about products
 * (and customers). As a graph, nodes are the customers [0, n_customers), then the products; its edges,
 * made when the file is opened, join a customer to each product that was ever bought, both ways. What is
 * known on some day is the part of it that is older (trm_field_before).
 *
 * Days are counted from the first purchase. Those before valid_day are for training, those from it to
 * test_day for validation, those from test_day to end_day for the test.
 */
#ifndef TRIREME_INPUT_SHOP_H
#define TRIREME_INPUT_SHOP_H

#include "trireme/input/graph.h"
#include "trireme/input/graph_write.h"

typedef struct trm_shop {
  trm_graph graph; /* first: trm_shop_of; its features are sparse, of customers and products */
  int64_t n_customers, n_products;
  trm_csr pairs;  /* [n_customers, n_products] products that a customer ever bought, rising */
  int64_t n_days; /* purchases: days of all pairs together */
  const int64_t *day_offsets; /* [pairs.n_edges + 1] */
  const int32_t *days;        /* [n_days] of each pair, rising, each once */
  int64_t valid_day, test_day, end_day;
  trm_texts features;           /* [n_features] what they are: "text:lamp", "product.colour=red" */
  const float *shifts, *scales; /* [n_features] a feature is (what was read - shift) * scale */
  /* Words of texts in the order in which they stand there, each once; NULL: the data set has none (older
   * ones have no order). */
  int64_t n_text_words;        /* of all texts together */
  const int64_t *text_offsets; /* [n_nodes + 1] */
  const int32_t *text_words;   /* [n_text_words] columns of features */
  const int32_t *first_days;   /* [edges of the graph] first purchase of each; made at opening */
} trm_shop;

/** The first day of a part, and the day after its last. */
int64_t trm_shop_begin(const trm_shop *shop, trm_subset part);
int64_t trm_shop_end(const trm_shop *shop, trm_subset part);

/** Whether a feature is a word of a text, not a field. */
bool trm_shop_is_word(const trm_shop *shop, int64_t feature);
/** Texts of nodes ids[n], one behind the other, of each no more words than `most`. Returns how many words
 *  they have together; arrays may be NULL, to count.
 *  @param[out] offsets  [n + 1]
 *  @param[out] words    columns of features
 *  @param[out] rows     places of the words in text_words: random numbers are keyed by them */
int64_t trm_shop_texts(const trm_shop *shop, const int32_t *ids, int64_t n, int64_t most,
                       int64_t *offsets, int32_t *words, int32_t *rows);

/** As trm_graph_open, for this kind alone. */
trm_status trm_shop_open(const char *path, const trm_graph_memory *memory, trm_shop **out);
/** As trm_graph_close. */
void trm_shop_close(trm_shop **shop);
/** The data set that an open graph is of; NULL when it is of another kind. */
const trm_shop *trm_shop_of(const trm_graph *graph);

/** Writes a data set as trm_node_data_write does. Taken: source, names and features of the graph, and all
 *  of the shop but first_days. */
trm_status trm_shop_write(const char *path, const trm_shop *shop);

/* ---- what is known on a day -------------------------------------------------------------------- */

/** Numbers of a node on some day: what was sold of a product, how a customer buys. Columns of the other
 *  sort of node are 0. */
enum { TRM_SHOP_PRODUCT_FACTS = 7, TRM_SHOP_CUSTOMER_FACTS = 6 };
enum { TRM_SHOP_FACTS = TRM_SHOP_PRODUCT_FACTS + TRM_SHOP_CUSTOMER_FACTS };
/** Numbers of a pair that has been: see trm_shop_habits. */
enum { TRM_SHOP_HABITS = 4 };

/** Days on which each product was bought (once a customer and day), and on which each customer bought. */
typedef struct trm_shop_calendar {
  const trm_shop *shop; /* kept */
  int64_t *offsets;     /* [n_nodes + 1]; owned */
  int32_t *days;        /* rising; owned */
} trm_shop_calendar;

/** Cost: O(purchases + nodes). Not collective. @return TRM_ERR_MEMORY */
trm_status trm_shop_calendar_create(const trm_shop *shop, trm_shop_calendar **out);
/** NULL is accepted; sets NULL. */
void trm_shop_calendar_destroy(trm_shop_calendar **calendar);
/** How many days of a node there are in [from, to). */
int64_t trm_shop_count(const trm_shop_calendar *calendar, int64_t node, int64_t from, int64_t to);
/**
 * Facts of a node as known before `day`, each about 0 to 3:
 *
 *   product   log(1 + 4 sold in 7 days), log(1 + 2 sold in 14 days), log(1 + sold in 30 days),
 *             log(1 + sold in the 30 days before), log(1 + sold in a mean month), none in 30 days,
 *             never sold
 *   customer  log(1 + days with a purchase in the last 30, the last 90, at all), log(1 + days since the
 *             last one / 7), log(1 + different products), never bought
 *
 * @param[out] facts  [TRM_SHOP_FACTS]
 */
void trm_shop_facts(const trm_shop_calendar *calendar, int64_t node, int64_t day, float *facts);
/** Facts of pair number `pair` as known before `day`, when it had been bought: 1, log(times), log(1 + days
 *  since the last time / 7), log(1 + days between two times / 7), 0 after one. */
void trm_shop_habits(const trm_shop *shop, int64_t pair, int64_t day, float *habits);

#endif
