/* A shop: days as they were, windows and steps, against plain loops over all purchases. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "input_fixture.h"
#include "random_graph.h"
#include "trireme/core/random.h"
#include "trireme/input/field.h"
#include "trireme/input/shop_steps.h"

enum { CUSTOMERS = 30, PRODUCTS = 20, DAYS = 100, NODES = CUSTOMERS + PRODUCTS };
enum { VALID = 70, TEST = 85, MONTH = 15, FIRST = 20, STRIDE = 4, BLOCKS = 3, BATCH = 7 };

static bool bought[CUSTOMERS][PRODUCTS][DAYS];

static bool bought_between(int64_t u, int64_t p, int64_t from, int64_t to) {
  for (int64_t d = from < 0 ? 0 : from; d < to; ++d) {
    if (bought[u][p][d]) return true;
  }
  return false;
}

static void draw(void) {
  const trm_random_key key = trm_random_key_make(5, TRM_RANDOM_TEST, 0, 0);
  for (uint64_t i = 0; i < 500; ++i) {
    const uint64_t u = trm_random_below(key, i, 0, CUSTOMERS - 1); /* the last one buys nothing */
    const uint64_t p = trm_random_below(key, i, 1, PRODUCTS), d = trm_random_below(key, i, 2, DAYS);
    bought[u][p][p % 5 == 4 && d < 60 ? 60 : d] = true;
  }
}

enum { WORDS = 5 };

/* Product p has p % 4 words, from number p % WORDS on downwards. */
static int32_t word_of(int64_t product, int64_t i) {
  return (int32_t)((product + (WORDS - 1) * i) % WORDS);
}

/* Written and opened again; `least`: the number of the first word. */
static trm_status make_shop(const char *path, int32_t least, trm_shop **open) {
  static int64_t offsets[CUSTOMERS + 1], day_offsets[CUSTOMERS * PRODUCTS + 1];
  static int64_t feature_offsets[NODES + 1], name_offsets[NODES + 1];
  static int32_t products[CUSTOMERS * PRODUCTS], days[CUSTOMERS * PRODUCTS * DAYS], columns[NODES];
  static float values[NODES];
  static char names[NODES];
  static int64_t text_offsets[NODES + 1];
  static int32_t text_words[4 * PRODUCTS];
  int64_t n_pairs = 0, n_days = 0;
  for (int64_t u = 0; u < CUSTOMERS; ++u) {
    for (int32_t p = 0; p < PRODUCTS; ++p) {
      if (!bought_between(u, p, 0, DAYS)) continue;
      products[n_pairs++] = p;
      for (int32_t d = 0; d < DAYS; ++d) {
        if (bought[u][p][d]) days[n_days++] = d;
      }
      day_offsets[n_pairs] = n_days;
    }
    offsets[u + 1] = n_pairs;
  }
  for (int64_t v = 0, n = 0; v < NODES; ++v) {
    for (int64_t i = 0; v >= CUSTOMERS && i < (v - CUSTOMERS) % 4; ++i) {
      text_words[n++] = least + word_of(v - CUSTOMERS, i);
    }
    text_offsets[v + 1] = n;
    feature_offsets[v + 1] = v < CUSTOMERS ? 0 : v + 1 - CUSTOMERS;
    name_offsets[v + 1] = v + 1;
    names[v] = (char)('!' + v);
    values[v] = 1;
  }
  static const int64_t word[WORDS + 2] = {0, 6, 12, 18, 24, 30, 33};
  static const float zeros[WORDS + 1], ones[WORDS + 1] = {1, 1, 1, 1, 1, 1};
  const trm_shop shop = {
      .graph = {.n_nodes = NODES,
                .n_features = WORDS + 1,
                .sparse = true,
                .features = {NODES, WORDS + 1, PRODUCTS, feature_offsets, columns, values, NULL},
                .names = {NODES, name_offsets, names}},
      .n_customers = CUSTOMERS,
      .n_products = PRODUCTS,
      .pairs = {CUSTOMERS, PRODUCTS, n_pairs, offsets, products, NULL, NULL},
      .n_days = n_days,
      .day_offsets = day_offsets,
      .days = days,
      .valid_day = VALID,
      .test_day = TEST,
      .end_day = DAYS,
      .features = {WORDS + 1, word, "text:atext:btext:ctext:dtext:eage"},
      .shifts = zeros,
      .scales = ones,
      .n_text_words = text_offsets[NODES],
      .text_offsets = text_offsets,
      .text_words = text_words};
  if (!CHECK_OK(trm_shop_write(path, &shop))) exit(1);
  return trm_shop_open(path, NULL, open);
}

static trm_shop *make(const char *path) {
  trm_shop *open = NULL;
  if (!CHECK_OK(make_shop(path, 0, &open))) exit(1);
  CHECK_EQ(open->n_products, PRODUCTS);
  CHECK_EQ(trm_shop_end(open, TRM_SUBSET_VALID), TEST);
  return open;
}

/* ---- texts ------------------------------------------------------------------------------------ */

/* Of some nodes, cut off after two words; fields are no words. */
static void check_texts(const trm_shop *shop, const char *path) {
  static const int32_t ids[] = {CUSTOMERS + 7, 3, CUSTOMERS + 2, CUSTOMERS + 4, CUSTOMERS + 9};
  int64_t offsets[6], n = 0;
  int32_t words[8], rows[8];
  trm_shop *wrong = NULL;
  CHECK(trm_shop_is_word(shop, WORDS - 1) && !trm_shop_is_word(shop, WORDS));
  CHECK_EQ(trm_shop_texts(shop, ids, 5, 2, NULL, NULL, NULL), 5);
  CHECK_EQ(trm_shop_texts(shop, ids, 5, 2, offsets, words, rows), 5);
  for (int i = 0; i < 5; ++i) {
    const int64_t product = ids[i] - CUSTOMERS, all = product < 0 ? 0 : product % 4;
    CHECK_EQ(offsets[i], n);
    for (int64_t w = 0; w < all && w < 2; ++w, ++n) {
      CHECK_EQ(words[n], word_of(product, w));
      CHECK_EQ(rows[n], shop->text_offsets[ids[i]] + w);
    }
  }
  CHECK_EQ(offsets[5], n);
  CHECK_EQ(make_shop(path, 1, &wrong), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "'/nodes/texts/words' is 5");
}

/* ---- days ------------------------------------------------------------------------------------- */

static void check_calendar(const trm_shop_calendar *c) {
  for (int64_t v = 0; v < NODES; ++v) {
    for (int64_t from = -5; from < DAYS; from += 13) {
      int64_t n = 0;
      for (int64_t d = from < 0 ? 0 : from; d < from + 30 && d < DAYS; ++d) {
        bool any = false;
        for (int64_t o = 0; o < (v < CUSTOMERS ? PRODUCTS : CUSTOMERS); ++o) {
          const bool here = v < CUSTOMERS ? bought[v][o][d] : bought[o][v - CUSTOMERS][d];
          any = any || here;
          if (v >= CUSTOMERS) n += here;
        }
        if (v < CUSTOMERS) n += any;
      }
      CHECK_EQ(trm_shop_count(c, v, from, from + 30), n);
    }
  }
}

/* Edges and degrees of the field of each of three processes on a day. */
static void check_field(const trm_shop *shop, const trm_partition *partition, int64_t day) {
  int64_t edges = 0, want = 0;
  for (int r = 0; r < BLOCKS; ++r) {
    trm_field *field = NULL, *past = NULL;
    CHECK_OK(trm_field_create(&shop->graph, partition, r, BLOCKS, 2, NULL, &field));
    CHECK_OK(trm_field_before(field, shop->first_days, DAYS, 0, 1, 0, &past));
    CHECK_OK(
        trm_field_before(field, shop->first_days, day, 0, 1, 0, &past)); /* in the same memory */
    const trm_hop *hop = &past->hops[1];
    for (int64_t i = 0; i < hop->in.n_rows; ++i) {
      const int64_t a = hop->target_ids[i];
      int64_t degree = 0;
      for (int64_t e = hop->in.offsets[i]; e < hop->in.offsets[i + 1]; ++e) {
        const int64_t b = hop->source_ids[hop->in.columns[e]];
        CHECK(a < CUSTOMERS ? bought_between(a, b - CUSTOMERS, 0, day)
                            : bought_between(b, a - CUSTOMERS, 0, day));
        ++degree;
      }
      CHECK_NEAR_AT(hop->target_degrees[i], (double)degree, 0, i);
      edges += degree;
    }
    CHECK_EQ(hop->out.offsets[hop->out.n_rows], hop->in.offsets[hop->in.n_rows]);
    trm_field_destroy(&past);
    trm_field_destroy(&field);
  }
  for (int64_t u = 0; u < CUSTOMERS; ++u) {
    for (int64_t p = 0; p < PRODUCTS; ++p) want += 2 * bought_between(u, p, 0, day);
  }
  CHECK_EQ(edges, want);
}

/* ---- steps ------------------------------------------------------------------------------------ */

static bool known_before(int64_t u, int64_t day) {
  for (int64_t p = 0; p < PRODUCTS; ++p) {
    if (bought_between(u, p, 0, day)) return true;
  }
  return false;
}

static bool has(const trm_csr *lists, int64_t row, int64_t column) {
  for (int64_t e = lists->offsets[row]; e < lists->offsets[row + 1]; ++e) {
    if (lists->columns[e] == column) return true;
  }
  return false;
}

/* The customer or product that is in a place of the collection, in the order of the partition (which is
 * that of the nodes). */
static void check_step(const trm_graph_batch *b, int64_t day, bool all, int64_t *n_customers) {
  const trm_choices *c = b->choices;
  static int32_t node[NODES];
  int64_t n = 0;
  bool used[NODES] = {0};
  CHECK_EQ(b->collection->n, c->n_customers + c->n_products);
  for (int64_t u = 0; u < c->n_customers; ++u) used[c->customers[u]] = true;
  for (int64_t j = 0; j < c->n_products; ++j) {
    CHECK(!used[c->products[j]]);
    used[c->products[j]] = true;
  }
  for (int64_t k = 0; k < b->collection->n; ++k) CHECK(used[k]);
  if (!all) return;
  CHECK_EQ(c->n_products, PRODUCTS);
  for (int64_t j = 0; j < PRODUCTS; ++j) node[c->products[j]] = (int32_t)j;
  for (int64_t u = 0; u < c->n_customers; ++u, ++n) {
    int64_t products = 0;
    for (int64_t j = 0; j < PRODUCTS; ++j) {
      CHECK_EQ(node[c->products[j]], j);
      products += has(&c->bought, u, j);
    }
    CHECK(products > 0);
  }
  *n_customers += n;
  for (int64_t i = 0; i < b->n_ids; ++i) {
    bool sold = false;
    for (int64_t u = 0; u < CUSTOMERS; ++u) sold = sold || bought_between(u, b->id_rows[i], 0, day);
    CHECK(sold);
  }
}

static trm_shop_steps_options options_of(const trm_shop *shop, const trm_shop_calendar *calendar,
                                         const trm_partition *partition, int rank, int size) {
  trm_shop_steps_options o = {.shop = shop,
                              .calendar = calendar,
                              .partition = partition,
                              .seed = 3,
                              .end = VALID,
                              .first = FIRST,
                              .stride = STRIDE,
                              .month = MONTH,
                              .batch = BATCH,
                              .n_blocks = BLOCKS};
  o.first_block = rank * BLOCKS / size;
  o.n_local = (rank + 1) * BLOCKS / size - o.first_block;
  return o;
}

/* Every customer who buys in the month of a day and had bought before comes once an epoch. */
static void check_epoch(const trm_shop *shop, const trm_shop_calendar *calendar,
                        const trm_partition *partition) {
  trm_shop_steps *steps = NULL;
  const trm_shop_steps_options o = options_of(shop, calendar, partition, 0, 1);
  CHECK_OK(trm_shop_steps_create(&o, &steps));
  int64_t want = 0, seen = 0, offsets[BLOCKS + 1], ids[BATCH];
  for (int64_t day = VALID - MONTH; day >= FIRST; day -= STRIDE) {
    for (int64_t u = 0; u < CUSTOMERS; ++u) {
      bool buys = false;
      for (int64_t p = 0; p < PRODUCTS; ++p) buys = buys || bought_between(u, p, day, day + MONTH);
      want += buys && known_before(u, day);
    }
  }
  CHECK_EQ(trm_shop_epoch_samples(steps), want);
  bool *once = graph_calloc(want, sizeof *once);
  const int64_t n = trm_shop_epoch_steps(steps);
  for (int64_t step = n; step < 2 * n; ++step) { /* the second epoch */
    trm_graph_batch batch = {0};
    trm_shop_samples(steps, step, ids, offsets);
    for (int64_t i = 0; i < offsets[BLOCKS]; ++i) {
      CHECK_EQ(ids[i] / want, 1);
      CHECK(!once[ids[i] % want]);
      once[ids[i] % want] = true;
    }
    trm_shop_step_make(steps, step, &batch);
    CHECK_EQ(batch.choices->n_customers, offsets[BLOCKS]);
    check_step(&batch, trm_shop_step_day(steps, step), true, &seen);
  }
  CHECK_EQ(seen, want);
  free(once);
  trm_shop_steps_destroy(&steps);
}

/* Drawn products and rivals are the same for whichever process makes the step; own rows are the parts of
 * one whole. */
static void check_parts(const trm_shop *shop, const trm_shop_calendar *calendar,
                        const trm_partition *partition) {
  trm_shop_steps *whole = NULL, *parts[BLOCKS] = {0};
  trm_shop_steps_options o = options_of(shop, calendar, partition, 0, 1);
  o.negatives = 6;
  o.rivals = true;
  o.id_drop = 0.5;
  CHECK_OK(trm_shop_steps_create(&o, &whole));
  for (int r = 0; r < BLOCKS; ++r) {
    trm_shop_steps_options own = options_of(shop, calendar, partition, r, BLOCKS);
    own.negatives = o.negatives;
    own.rivals = o.rivals;
    own.id_drop = o.id_drop;
    CHECK_OK(trm_shop_steps_create(&own, &parts[r]));
  }
  for (int64_t step = 0; step < 12; ++step) {
    trm_graph_batch all = {0}, part = {0};
    int64_t n_own = 0, n_ids = 0, customers = 0, ignored = 0;
    trm_shop_step_make(whole, step, &all);
    check_step(&all, 0, false, &ignored);
    for (int r = 0; r < BLOCKS; ++r) {
      trm_shop_step_make(parts[r], step, &part);
      const trm_choices *a = all.choices, *b = part.choices;
      CHECK_EQ(b->n_products, a->n_products);
      CHECK(memcmp(a->products, b->products, (size_t)a->n_products * sizeof *a->products) == 0);
      CHECK(memcmp(a->rivals, b->rivals, (size_t)a->bought.n_edges * sizeof *a->rivals) == 0);
      CHECK_EQ(part.collection->first, n_own);
      CHECK_EQ(b->first, customers);
      for (int64_t i = 0; i < part.n_ids; ++i, ++n_ids) {
        CHECK_EQ(part.id_rows[i], all.id_rows[n_ids]);
      }
      n_own += part.collection->n_own;
      customers += b->blocks[1];
    }
    CHECK_EQ(n_own, all.collection->n);
    CHECK_EQ(n_ids, all.n_ids);
    CHECK_EQ(customers, all.choices->n_customers);
    for (int64_t u = 0; u < all.choices->n_customers; ++u) {
      const trm_csr *buys = &all.choices->bought;
      for (int64_t t = buys->offsets[u]; t < buys->offsets[u + 1]; ++t) {
        const int32_t rival = all.choices->rivals[t];
        if (rival < 0) continue;
        CHECK(!has(buys, u, rival));
        CHECK_EQ(has(&all.choices->known, u, rival), has(&all.choices->known, u, buys->columns[t]));
      }
    }
  }
  trm_shop_steps_destroy(&whole);
  for (int r = 0; r < BLOCKS; ++r) trm_shop_steps_destroy(&parts[r]);
}

int main(void) {
  const char *folder = check_temp_folder();
  trm_shop_calendar *calendar = NULL;
  trm_partition *partition = NULL;
  draw();
  trm_shop *shop = make(fixture_path(folder, "shop.h5"));
  CHECK_OK(trm_shop_calendar_create(shop, &calendar));
  CHECK_OK(trm_partition_contiguous(&shop->graph, BLOCKS, &partition));
  check_texts(shop, fixture_path(folder, "wrong.h5"));
  check_calendar(calendar);
  for (int64_t day = 0; day < DAYS; day += 33) check_field(shop, partition, day);
  check_epoch(shop, calendar, partition);
  check_parts(shop, calendar, partition);
  trm_partition_destroy(&partition);
  trm_shop_calendar_destroy(&calendar);
  trm_shop_close(&shop);
  return check_verdict();
}
