/** What is known of customers, products and pairs on a day. */
#include <math.h>

#include "trireme/core/memory.h"
#include "trireme/input/shop.h"

/* ---- days of nodes ---------------------------------------------------------------------------- */

/* Days of a customer are many pairs' at once: each is listed once. */
static int64_t unique(int32_t *days, int64_t n) {
  int64_t to = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (to == 0 || days[to - 1] != days[i]) days[to++] = days[i];
  }
  return to;
}

/* Places by counting: `next` has the first free place of each node. */
static void count_nodes(const trm_shop *s, int64_t *next) {
  for (int64_t u = 0; u < s->n_customers; ++u) {
    for (int64_t p = s->pairs.offsets[u]; p < s->pairs.offsets[u + 1]; ++p) {
      const int64_t n = s->day_offsets[p + 1] - s->day_offsets[p];
      next[u + 1] += n;
      next[s->n_customers + s->pairs.columns[p] + 1] += n;
    }
  }
  for (int64_t v = 0; v < s->graph.n_nodes; ++v) next[v + 1] += next[v];
}

/* A pair as it is listed by day. */
typedef struct purchase {
  int32_t customer, product;
} purchase;

/* Purchases in order of their days: counted, so that ties stay in the order of pairs. */
static trm_status sort_by_day(const trm_shop *s, purchase *sorted, int32_t *days) {
  int64_t *place = NULL;
  TRM_TRY(TRM_ALLOC(&place, s->end_day + 1, "days of a shop"));
  for (int64_t d = 0; d < s->n_days; ++d) ++place[s->days[d] + 1];
  for (int64_t d = 0; d < s->end_day; ++d) place[d + 1] += place[d];
  for (int64_t u = 0; u < s->n_customers; ++u) {
    for (int64_t p = s->pairs.offsets[u]; p < s->pairs.offsets[u + 1]; ++p) {
      for (int64_t d = s->day_offsets[p]; d < s->day_offsets[p + 1]; ++d) {
        const int64_t to = place[s->days[d]]++;
        sorted[to] = (purchase){(int32_t)u, s->pairs.columns[p]};
        days[to] = s->days[d];
      }
    }
  }
  TRM_FREE(place);
  return TRM_OK;
}

static void squeeze(trm_shop_calendar *c) {
  int64_t to = 0, begin = 0;
  for (int64_t v = 0; v < c->shop->graph.n_nodes; ++v) {
    const int64_t end = c->offsets[v + 1];
    int64_t n = end - begin;
    if (v < c->shop->n_customers) n = unique(c->days + begin, n);
    for (int64_t i = 0; i < n; ++i) c->days[to + i] = c->days[begin + i];
    to += n;
    begin = end;
    c->offsets[v + 1] = to;
  }
}

static trm_status fill(trm_shop_calendar *c) {
  const trm_shop *s = c->shop;
  purchase *sorted = NULL;
  int32_t *days = NULL;
  int64_t *next = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&sorted, s->n_days, "days of a shop"));
  TRM_TRY_OUT(TRM_ALLOC(&days, s->n_days, "days of a shop"));
  TRM_TRY_OUT(TRM_ALLOC(&next, s->graph.n_nodes + 1, "days of a shop"));
  TRM_TRY_OUT(sort_by_day(s, sorted, days));
  count_nodes(s, c->offsets);
  for (int64_t v = 0; v <= s->graph.n_nodes; ++v) next[v] = c->offsets[v];
  for (int64_t d = 0; d < s->n_days; ++d) {
    c->days[next[sorted[d].customer]++] = days[d];
    c->days[next[s->n_customers + sorted[d].product]++] = days[d];
  }
  squeeze(c);
out:
  TRM_FREE(sorted);
  TRM_FREE(days);
  TRM_FREE(next);
  return status;
}

trm_status trm_shop_calendar_create(const trm_shop *shop, trm_shop_calendar **out) {
  trm_shop_calendar *c = NULL;
  trm_status status = TRM_OK;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&c, 1, "days of a shop"));
  c->shop = shop;
  TRM_TRY_OUT(TRM_ALLOC(&c->offsets, shop->graph.n_nodes + 1, "days of a shop"));
  TRM_TRY_OUT(TRM_ALLOC(&c->days, 2 * shop->n_days, "days of a shop"));
  TRM_TRY_OUT(fill(c));
  *out = c;
  return TRM_OK;
out:
  trm_shop_calendar_destroy(&c);
  return status;
}

void trm_shop_calendar_destroy(trm_shop_calendar **calendar) {
  trm_shop_calendar *c = *calendar;
  if (!c) return;
  TRM_FREE(c->offsets);
  TRM_FREE(c->days);
  TRM_FREE(*calendar);
}

/* How many of rising days[n] are before `day`. */
static int64_t before(const int32_t *days, int64_t n, int64_t day) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (days[middle] < day) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

int64_t trm_shop_count(const trm_shop_calendar *calendar, int64_t node, int64_t from, int64_t to) {
  const int32_t *days = calendar->days + calendar->offsets[node];
  const int64_t n = calendar->offsets[node + 1] - calendar->offsets[node];
  return before(days, n, to) - before(days, n, from);
}

/* ---- facts ------------------------------------------------------------------------------------ */

enum { WEEK = 7, FORTNIGHT = 14, MONTH = 30, QUARTER = 90 };

static float log_of(double x) {
  return (float)log1p(x);
}

static void product_facts(const trm_shop_calendar *c, int64_t node, int64_t day, float *facts) {
  const int64_t all = trm_shop_count(c, node, 0, day);
  const int64_t month = trm_shop_count(c, node, day - MONTH, day);
  facts[0] = log_of(4 * (double)trm_shop_count(c, node, day - WEEK, day));
  facts[1] = log_of(2 * (double)trm_shop_count(c, node, day - FORTNIGHT, day));
  facts[2] = log_of((double)month);
  facts[3] = log_of((double)trm_shop_count(c, node, day - (int64_t)2 * MONTH, day - MONTH));
  facts[4] = log_of((double)MONTH * (double)all / (double)(day > 0 ? day : 1));
  facts[5] = month == 0;
  facts[6] = all == 0;
}

/* Different products that a customer had bought. */
static int64_t products_before(const trm_shop *s, int64_t customer, int64_t day) {
  int64_t n = 0;
  for (int64_t p = s->pairs.offsets[customer]; p < s->pairs.offsets[customer + 1]; ++p) {
    n += s->days[s->day_offsets[p]] < day;
  }
  return n;
}

static void customer_facts(const trm_shop_calendar *c, int64_t node, int64_t day, float *facts) {
  const int64_t all = trm_shop_count(c, node, 0, day);
  facts[0] = log_of((double)trm_shop_count(c, node, day - MONTH, day));
  facts[1] = log_of((double)trm_shop_count(c, node, day - QUARTER, day));
  facts[2] = log_of((double)all);
  facts[3] = 0;
  if (all > 0) {
    facts[3] = log_of((double)(day - c->days[c->offsets[node] + all - 1]) / (double)WEEK);
  }
  facts[4] = log_of((double)products_before(c->shop, node, day));
  facts[5] = all == 0;
}

void trm_shop_facts(const trm_shop_calendar *calendar, int64_t node, int64_t day, float *facts) {
  for (int i = 0; i < TRM_SHOP_FACTS; ++i) facts[i] = 0;
  if (node < calendar->shop->n_customers) {
    customer_facts(calendar, node, day, facts + TRM_SHOP_PRODUCT_FACTS);
  } else {
    product_facts(calendar, node, day, facts);
  }
}

void trm_shop_habits(const trm_shop *shop, int64_t pair, int64_t day, float *habits) {
  const int32_t *days = shop->days + shop->day_offsets[pair];
  const int64_t n = before(days, shop->day_offsets[pair + 1] - shop->day_offsets[pair], day);
  TRM_ASSERT(n > 0);
  const double between = n > 1 ? (double)(days[n - 1] - days[0]) / (double)(n - 1) : 0;
  habits[0] = 1;
  habits[1] = (float)log((double)n);
  habits[2] = log_of((double)(day - days[n - 1]) / (double)WEEK);
  habits[3] = log_of(between / (double)WEEK);
}
