/** Lists of what customers had bought before a day and buy after it; facts and vectors of a day. */
#include "trireme/core/status.h"
#include "trireme/input/shop_steps.h"

bool trm_shop_bought(const trm_shop *shop, int64_t pair, int64_t from, int64_t to) {
  for (int64_t d = shop->day_offsets[pair]; d < shop->day_offsets[pair + 1]; ++d) {
    if (shop->days[d] >= from) return shop->days[d] < to;
  }
  return false;
}

void trm_shop_lists(const trm_shop *shop, const int32_t *customers, int64_t n, int64_t day,
                    int64_t to, const int32_t *numbers, const trm_shop_room *room,
                    trm_choices *choices) {
  int64_t known = 0, bought = 0;
  for (int64_t b = 0; b < n; ++b) {
    const int64_t u = customers[b];
    room->known_offsets[b] = known;
    room->bought_offsets[b] = bought;
    for (int64_t p = shop->pairs.offsets[u]; p < shop->pairs.offsets[u + 1]; ++p) {
      const int32_t product = shop->pairs.columns[p];
      const int32_t number = numbers ? numbers[product] : product;
      if (number < 0) continue;
      if (trm_shop_bought(shop, p, day, to)) {
        TRM_ASSERT(bought < room->most_bought);
        room->bought[bought++] = number;
      }
      if (shop->days[shop->day_offsets[p]] >= day) continue;
      TRM_ASSERT(known < room->most_known);
      trm_shop_habits(shop, p, day, room->habits + known * TRM_SHOP_HABITS);
      room->known[known++] = number;
    }
  }
  room->known_offsets[n] = known;
  room->bought_offsets[n] = bought;
  choices->n_habits = TRM_SHOP_HABITS;
  choices->habits = room->habits;
  choices->bought = (trm_csr){.n_rows = n,
                              .n_columns = choices->n_products,
                              .n_edges = bought,
                              .offsets = room->bought_offsets,
                              .columns = room->bought};
  choices->known = (trm_csr){.n_rows = n,
                             .n_columns = choices->n_products,
                             .n_edges = known,
                             .offsets = room->known_offsets,
                             .columns = room->known};
}

void trm_shop_facts_fill(const trm_shop_calendar *calendar, const int32_t *ids, int64_t n,
                         int64_t day, float *facts) {
  for (int64_t i = 0; i < n; ++i) trm_shop_facts(calendar, ids[i], day, facts + i * TRM_SHOP_FACTS);
}

int64_t trm_shop_ids_list(const trm_shop_calendar *calendar, const int32_t *ids, int64_t n,
                          int64_t day, const int32_t *rows, int32_t *id_rows, int32_t *id_places) {
  const trm_shop *s = calendar->shop;
  int64_t kept = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t product = ids[i] - s->n_customers;
    if (product < 0 || rows[product] < 0) continue;
    if (trm_shop_count(calendar, ids[i], 0, day) == 0) continue;
    id_rows[kept] = rows[product];
    id_places[kept++] = (int32_t)i;
  }
  return kept;
}
