#include "shop_scores.h"

#include <math.h>
#include <string.h>

#include "prediction_columns.h"
#include "recommendations.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/math/choice_offset.h"
#include "trireme/math/gemm.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/train/pair_auc.h"
#include "trireme/train/scores.h"

/* Customers scored in one matrix product, at most; of many products fewer. The same for any ranks. */
enum { GROUP = 128, GROUP_SCORES = 1 << 23 };

/* What is kept of each customer, one array after another. */
enum {
  CUSTOMERS,
  NEW,
  NEW_RECALL,
  NEW_NDCG,
  REPEATS,
  REPEAT_RECALL,
  REPEAT_NDCG,
  COLD,
  COLD_RECALL,
  LOSS,
  COUNT,
  BOUGHT, /* pairs in the month */
  N_SUMS
};

void trm_shop_scores_declare(trm_task *task, trm_subset part) {
  const char *name = trm_subset_name(part);
  trm_task_add_score(task, name, "recall");
  trm_task_add_score(task, name, "ndcg");
  trm_task_add_score(task, name, "repeat_recall");
  trm_task_add_score(task, name, "repeat_ndcg");
  trm_task_add_score(task, name, "cold_recall");
  trm_task_add_score(task, name, "auc");
  if (trm_config_is(task->config, "loss.choice", "purchase")) {
    trm_task_add_score(task, name, "log_loss");
  }
}

/* ---- groups of customers ---------------------------------------------------------------------- */

/* A list of each customer of a group, what it knows and buys. */
typedef struct lists {
  int64_t *known_offsets, *bought_offsets;
  int32_t *known, *bought;
  float *habits;
  trm_choices choices;
} lists;

/* A group of customers, its scores, and room for the lists. */
typedef struct group {
  int64_t n, most; /* customers; in a group */
  int32_t *customers;
  float *bias;   /* [n_products] */
  float *scores; /* [most, n_products] */
  lists part, month;
  /* one customer's */
  float *some;             /* [n_products] scores of some products */
  int32_t *ids, *relevant; /* [n_products] which, and which of them are looked for */
  int32_t *top;            /* [K] */
  uint8_t *cold;           /* [n_products] not sold before the day */
  trm_blend blend;         /* of several voices */
  float *zeros;            /* [n_products] */
  /* of losses */
  float *slopes, *losses, *dh, *weights, *scratch;
} group;

static void free_lists(lists *l) {
  TRM_FREE(l->known_offsets);
  TRM_FREE(l->bought_offsets);
  TRM_FREE(l->known);
  TRM_FREE(l->bought);
  TRM_FREE(l->habits);
}

static trm_status make_lists(int64_t customers, int64_t pairs, lists *l) {
  TRM_TRY(TRM_ALLOC(&l->known_offsets, customers + 1, "lists of customers"));
  TRM_TRY(TRM_ALLOC(&l->bought_offsets, customers + 1, "lists of customers"));
  TRM_TRY(TRM_ALLOC(&l->known, pairs, "lists of customers"));
  TRM_TRY(TRM_ALLOC(&l->bought, pairs, "lists of customers"));
  return TRM_ALLOC(&l->habits, pairs * TRM_SHOP_HABITS, "lists of customers");
}

static void group_free(group *g) {
  free_lists(&g->part);
  free_lists(&g->month);
  TRM_FREE(g->customers);
  TRM_FREE(g->bias);
  TRM_FREE(g->scores);
  TRM_FREE(g->some);
  TRM_FREE(g->ids);
  TRM_FREE(g->relevant);
  TRM_FREE(g->top);
  TRM_FREE(g->cold);
  trm_blend_free(&g->blend);
  TRM_FREE(g->zeros);
  TRM_FREE(g->slopes);
  TRM_FREE(g->losses);
  TRM_FREE(g->dh);
  TRM_FREE(g->weights);
  TRM_FREE(g->scratch);
}

static int64_t n_groups(const trm_shop_ranker *r, const group *g) {
  return trm_ceil_div(r->shop->n_customers, g->most);
}

/* The most pairs that a group has. */
static int64_t most_pairs(const trm_shop *s, int64_t customers) {
  int64_t most = 0;
  for (int64_t u = 0; u < s->n_customers; u += customers) {
    const int64_t end = trm_min_i64(u + customers, s->n_customers);
    most = trm_max_i64(most, s->pairs.offsets[end] - s->pairs.offsets[u]);
  }
  return most;
}

static void note_products(const trm_shop_ranker *r, group *g) {
  const int64_t first = r->shop->n_customers;
  for (int64_t i = 0; i < r->shop->n_products; ++i) {
    g->cold[i] = trm_shop_count(r->calendar, first + i, 0, r->day) == 0;
  }
}

static trm_status group_make(const trm_shop_ranker *r, group *g) {
  const char *what = "scores of products";
  const int64_t J = r->shop->n_products, fit = GROUP_SCORES / J;
  *g = (group){.most = fit < 1 ? 1 : trm_min_i64(fit, GROUP)};
  const int64_t pairs = most_pairs(r->shop, g->most);
  TRM_TRY(make_lists(g->most, pairs, &g->part));
  TRM_TRY(make_lists(g->most, pairs, &g->month));
  TRM_TRY(TRM_ALLOC(&g->customers, g->most, what));
  TRM_TRY(TRM_ALLOC(&g->bias, J, what));
  TRM_TRY(TRM_ALLOC(&g->scores, g->most * J, what));
  TRM_TRY(TRM_ALLOC(&g->some, J, what));
  TRM_TRY(TRM_ALLOC(&g->ids, J, what));
  TRM_TRY(TRM_ALLOC(&g->relevant, J, what));
  TRM_TRY(TRM_ALLOC(&g->top, r->K, what));
  TRM_TRY(TRM_ALLOC(&g->cold, J, what));
  TRM_TRY(TRM_ALLOC(&g->zeros, J, what));
  TRM_TRY(TRM_ALLOC(&g->slopes, g->most * J, what));
  TRM_TRY(TRM_ALLOC(&g->losses, g->most, what));
  TRM_TRY(TRM_ALLOC(&g->dh, g->most * (1 + TRM_SHOP_HABITS), what));
  TRM_TRY(TRM_ALLOC(&g->weights, g->most, what));
  TRM_TRY(TRM_ALLOC(&g->scratch, pairs, what));
  if (r->n_voices > 1) TRM_TRY(trm_blend_make(g->most, J, r->loss == TRM_CHOICE_EACH, &g->blend));
  note_products(r, g);
  return TRM_OK;
}

static void list_customers(const trm_shop_ranker *r, const group *g, int64_t end, lists *l) {
  const trm_shop_room room = {.known_offsets = l->known_offsets,
                              .bought_offsets = l->bought_offsets,
                              .known = l->known,
                              .bought = l->bought,
                              .habits = l->habits,
                              .most_known = INT64_MAX,
                              .most_bought = INT64_MAX};
  l->choices =
      (trm_choices){.n_customers = g->n, .n_products = r->shop->n_products, .log_shares = g->zeros};
  trm_shop_lists(r->shop, g->customers, g->n, r->day, end, NULL, &room, &l->choices);
}

/* What one model gives all products for the customers of the group. */
static void score_voice(const trm_shop_ranker *r, const trm_voice *voice, group *g) {
  const trm_shop *s = r->shop;
  const int64_t W = voice->width, C = W - 1 - TRM_SHOP_HABITS;
  const float *x = voice->rows + g->customers[0] * W, *y = voice->rows + s->n_customers * W;
  for (int64_t i = 0; i < s->n_products; ++i) {
    g->bias[i] = y[i * W + C];
    if (r->loss == TRM_CHOICE_EACH) g->bias[i] += (float)trm_choice_offset;
  }
  trm_gemm(false, true, g->n, s->n_products, C, 1, x, W, y, W, 0, g->scores, s->n_products);
  const trm_choice_scores scores = {.bias = g->bias, .customers = x + C, .step = W};
  trm_choice_complete(g->scores, &g->part.choices, &scores);
}

static void list_known(group *g, int64_t u) {
  const trm_csr *known = &g->part.choices.known;
  trm_blend_list(&g->blend, known->columns + known->offsets[u],
                 known->offsets[u + 1] - known->offsets[u]);
}

/* The same of several models: what is new competes with what is new, what is known with what is known. */
static void score_voices(const trm_shop_ranker *r, group *g) {
  const int64_t J = r->shop->n_products;
  trm_blend_begin(&g->blend);
  for (int v = 0; v < r->n_voices; ++v) {
    score_voice(r, &r->voices[v], g);
    for (int64_t i = 0; i < g->n; ++i) {
      list_known(g, i);
      trm_blend_add(&g->blend, i, g->scores + i * J);
    }
  }
  for (int64_t i = 0; i < g->n; ++i) {
    list_known(g, i);
    trm_blend_tell(&g->blend, i, g->scores + i * J);
  }
}

/* Scores of all products for the customers of group `number`. */
static void score_group(const trm_shop_ranker *r, int64_t number, group *g) {
  const int64_t first = number * g->most;
  g->n = trm_min_i64(g->most, r->shop->n_customers - first);
  for (int64_t i = 0; i < g->n; ++i) g->customers[i] = (int32_t)(first + i);
  list_customers(r, g, r->end, &g->part);
  list_customers(r, g, r->month_end, &g->month);
  if (r->n_voices > 1) {
    score_voices(r, g);
  } else {
    score_voice(r, r->voices, g);
  }
}

/* ---- rankings --------------------------------------------------------------------------------- */

/* Row `u` of a list. */
typedef struct span {
  const int32_t *ids;
  int64_t n;
} span;

static span span_of(const trm_csr *rows, int64_t u) {
  return (span){rows->columns + rows->offsets[u], rows->offsets[u + 1] - rows->offsets[u]};
}

/* What is ranked of a customer's products. */
typedef enum sort { SORT_NEW, SORT_KNOWN, SORT_COLD } sort;

/* Takes the products of a sort, and which of them are bought; returns how many, *n_relevant of them. */
static int64_t take_sort(const group *g, const float *scores, sort which, span known, span bought,
                         int64_t n_products, int64_t *n_relevant) {
  int64_t n = 0, k = 0, b = 0;
  *n_relevant = 0;
  for (int32_t j = 0; j < n_products; ++j) {
    while (k < known.n && known.ids[k] < j) ++k;
    while (b < bought.n && bought.ids[b] < j) ++b;
    const bool is_known = k < known.n && known.ids[k] == j;
    if (which == SORT_KNOWN ? !is_known : is_known) continue;
    if (which == SORT_COLD && !g->cold[j]) continue;
    if (b < bought.n && bought.ids[b] == j) g->relevant[(*n_relevant)++] = (int32_t)n;
    g->some[n] = scores[j];
    g->ids[n++] = j;
  }
  return n;
}

static trm_ranking rank_sort(const trm_shop_ranker *r, const group *g, int64_t u, sort which,
                             int64_t *n_relevant) {
  const int64_t J = r->shop->n_products;
  const int64_t n = take_sort(g, g->scores + u * J, which, span_of(&g->part.choices.known, u),
                              span_of(&g->part.choices.bought, u), J, n_relevant);
  if (*n_relevant == 0) return (trm_ranking){0};
  trm_top_k(g->top, g->some, NULL, 1, n, r->K);
  return trm_score_ranking(g->top, r->K, g->relevant, *n_relevant);
}

/* Losses of the month; the count is what the operator counts, of a balance of 0. */
static void add_losses(const trm_shop_ranker *r, group *g, double *sums) {
  const int64_t J = r->shop->n_products, U = r->shop->n_customers;
  const trm_choices *c = &g->month.choices;
  memcpy(g->slopes, g->scores, (size_t)(g->n * J) * sizeof *g->slopes);
  for (int64_t i = 0; i < g->n; ++i) g->weights[i] = 1;
  const bool pairs = r->loss == TRM_CHOICE_PAIRS; /* which have no rivals here: as softmax */
  trm_choice(g->slopes, g->losses, g->dh, g->scratch, c, g->weights,
             pairs ? TRM_CHOICE_SOFTMAX : r->loss);
  for (int64_t i = 0; i < g->n; ++i) {
    const int64_t u = g->customers[i], bought = span_of(&c->bought, i).n;
    if (span_of(&c->known, i).n == 0) continue;
    sums[LOSS * U + u] = (double)g->losses[i];
    sums[COUNT * U + u] = r->loss == TRM_CHOICE_EACH ? 1 : (double)bought;
    sums[BOUGHT * U + u] = (double)bought;
  }
}

static void add_rankings(const trm_shop_ranker *r, const group *g, double *sums) {
  const int64_t U = r->shop->n_customers;
  for (int64_t i = 0; i < g->n; ++i) {
    const int64_t u = g->customers[i];
    int64_t n;
    if (span_of(&g->part.choices.known, i).n == 0) continue;
    sums[CUSTOMERS * U + u] = 1;
    trm_ranking ranking = rank_sort(r, g, i, SORT_NEW, &n);
    sums[NEW * U + u] = n > 0;
    sums[NEW_RECALL * U + u] = ranking.recall;
    sums[NEW_NDCG * U + u] = ranking.ndcg;
    ranking = rank_sort(r, g, i, SORT_KNOWN, &n);
    sums[REPEATS * U + u] = n > 0;
    sums[REPEAT_RECALL * U + u] = ranking.recall;
    sums[REPEAT_NDCG * U + u] = ranking.ndcg;
    ranking = rank_sort(r, g, i, SORT_COLD, &n);
    sums[COLD * U + u] = n > 0;
    sums[COLD_RECALL * U + u] = ranking.recall;
  }
}

/* ---- area under the curve --------------------------------------------------------------------- */

/* Scores of what is bought in the month, one customer after the other at places[u]. */
static void take_bought(const trm_shop_ranker *r, const group *g, const int64_t *places,
                        double *bought) {
  for (int64_t i = 0; i < g->n; ++i) {
    if (span_of(&g->month.choices.known, i).n == 0) continue;
    const span b = span_of(&g->month.choices.bought, i);
    for (int64_t k = 0; k < b.n; ++k) {
      bought[places[g->customers[i]] + k] = (double)g->scores[i * r->shop->n_products + b.ids[k]];
    }
  }
}

static double count_rest(const trm_shop_ranker *r, const group *g, const trm_pair_auc *auc) {
  double twice = 0;
  for (int64_t i = 0; i < g->n; ++i) {
    if (span_of(&g->month.choices.known, i).n == 0) continue;
    const span b = span_of(&g->month.choices.bought, i);
    const float *scores = g->scores + i * r->shop->n_products;
    int64_t n = 0, k = 0;
    for (int32_t j = 0; j < r->shop->n_products; ++j) {
      if (k < b.n && b.ids[k] == j) {
        ++k;
      } else {
        g->some[n++] = scores[j];
      }
    }
    twice += (double)trm_pair_auc_count(auc, g->some, n);
  }
  return twice;
}

/* Where each known customer's pairs of the month go; returns how many there are. */
static int64_t place_bought(const trm_shop_ranker *r, int64_t *places) {
  const trm_shop *s = r->shop;
  int64_t n = 0;
  for (int64_t u = 0; u < s->n_customers; ++u) {
    bool known = false;
    int64_t bought = 0;
    for (int64_t p = s->pairs.offsets[u]; p < s->pairs.offsets[u + 1]; ++p) {
      known = known || s->days[s->day_offsets[p]] < r->day;
      bought += trm_shop_bought(s, p, r->day, r->month_end);
    }
    places[u] = n;
    if (known) n += bought;
  }
  return n;
}

/* ---- evaluation ------------------------------------------------------------------------------- */

/* A group at a time, of this rank; false when asked to stop. */
typedef struct walk {
  trm_comm *comm;
  const trm_shop_ranker *ranker;
  group *g;
  trm_task_stop stop;
  void *context;
  int64_t number, end;
} walk;

static walk walk_begin(trm_comm *comm, const trm_shop_ranker *r, group *g, trm_task_stop stop,
                       void *context) {
  walk w = {comm, r, g, stop, context, 0, 0};
  int64_t n;
  trm_block_range(n_groups(r, g), trm_comm_rank(comm), trm_comm_size(comm), &w.number, &n);
  w.end = w.number + n;
  return w;
}

static bool walk_next(walk *w, bool *stopped) {
  if (w->number == w->end || *stopped) return false;
  if (w->stop && w->stop(w->context)) *stopped = true;
  trm_watch_phase(w->comm, "ranking products", w->number); /* each group is progress */
  if (!*stopped) score_group(w->ranker, w->number++, w->g);
  return !*stopped;
}

static void put(trm_task *task, trm_evaluation *result, double sum, double count) {
  trm_task_put_score(task, count > 0 ? sum / count : (double)NAN, result);
}

static void add_up(trm_task *task, const trm_shop_ranker *r, const double *sums, double auc,
                   trm_evaluation *result) {
  const int64_t U = r->shop->n_customers;
  double totals[N_SUMS] = {0};
  for (int s = 0; s < N_SUMS; ++s) {
    for (int64_t u = 0; u < U; ++u) totals[s] += sums[s * U + u];
  }
  put(task, result, totals[NEW_RECALL], totals[NEW]);
  put(task, result, totals[NEW_NDCG], totals[NEW]);
  put(task, result, totals[REPEAT_RECALL], totals[REPEATS]);
  put(task, result, totals[REPEAT_NDCG], totals[REPEATS]);
  put(task, result, totals[COLD_RECALL], totals[COLD]);
  trm_task_put_score(task, auc, result);
  if (r->loss == TRM_CHOICE_EACH) {
    put(task, result, totals[LOSS], totals[CUSTOMERS] * (double)r->shop->n_products);
  }
  result->loss = totals[COUNT] > 0 ? totals[LOSS] / totals[COUNT] : (double)NAN;
  result->count = (int64_t)totals[COUNT];
}

static double share_of_pairs(const trm_shop_ranker *r, const double *sums, double twice) {
  const int64_t U = r->shop->n_customers;
  double customers = 0, bought = 0;
  for (int64_t u = 0; u < U; ++u) {
    customers += sums[CUSTOMERS * U + u];
    bought += sums[BOUGHT * U + u];
  }
  const double rest = customers * (double)r->shop->n_products - bought;
  return bought > 0 && rest > 0 ? twice / (2 * bought * rest) : (double)NAN;
}

/* Counts what stands below what is bought, in a second walk: the scores are made again. */
static trm_status find_auc(trm_comm *comm, const trm_shop_ranker *r, group *g, const double *bought,
                           int64_t n, const double *sums, trm_task_stop stop, void *context,
                           double *area, bool *stopped) {
  double told[2] = {0}; /* twice the pairs in order, and whether to stop */
  float *scores = NULL;
  trm_pair_auc *auc = NULL;
  bool stopping = false;
  trm_status status = TRM_ALLOC(&scores, n, "scores of pairs");
  for (int64_t i = 0; status == TRM_OK && i < n; ++i) scores[i] = (float)bought[i];
  if (status == TRM_OK) status = trm_pair_auc_create(scores, n, &auc);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  for (walk w = walk_begin(comm, r, g, stop, context); walk_next(&w, &stopping);) {
    told[0] += count_rest(r, g, auc);
  }
  told[1] = stopping;
  TRM_TRY_OUT(trm_comm_sum_f64(comm, told, 2));
  *stopped = told[1] > 0;
  *area = share_of_pairs(r, sums, told[0]);
out:
  TRM_FREE(scores);
  trm_pair_auc_destroy(&auc);
  return status;
}

trm_status trm_shop_scores_add(trm_task *task, const trm_shop_ranker *r, trm_task_stop stop,
                               void *context, trm_evaluation *result, bool *stopped) {
  const int64_t U = r->shop->n_customers;
  group g = {0};
  int64_t *places = NULL, n = 0;
  double *sums = NULL; /* [N_SUMS, U], [n] scores of what is bought, whether to stop; of others 0 */
  double area = 0;
  bool stopping = false;
  *stopped = false;
  trm_status status = group_make(r, &g);
  if (status == TRM_OK) status = TRM_ALLOC(&places, U, "scores of customers");
  if (status == TRM_OK) n = place_bought(r, places);
  const int64_t all = N_SUMS * U + n + 1;
  if (status == TRM_OK) status = TRM_ALLOC(&sums, all, "scores of customers");
  TRM_TRY_OUT(trm_comm_agree(task->comm, status));
  for (walk w = walk_begin(task->comm, r, &g, stop, context); walk_next(&w, &stopping);) {
    add_rankings(r, &g, sums);
    add_losses(r, &g, sums);
    take_bought(r, &g, places, sums + N_SUMS * U);
  }
  sums[all - 1] = stopping;
  TRM_TRY_OUT(trm_comm_sum_f64(task->comm, sums, all));
  *stopped = sums[all - 1] > 0;
  if (!*stopped) {
    TRM_TRY_OUT(
        find_auc(task->comm, r, &g, sums + N_SUMS * U, n, sums, stop, context, &area, stopped));
  }
  if (!*stopped) add_up(task, r, sums, area, result);
out:
  group_free(&g);
  TRM_FREE(places);
  TRM_FREE(sums);
  return status;
}

/* ---- predictions ------------------------------------------------------------------------------ */

typedef struct writer {
  const trm_shop_ranker *ranker;
  group g;
} writer;

static float shown_score(const trm_shop_ranker *r, float score) {
  return r->loss == TRM_CHOICE_EACH ? (float)(1 / (1 + exp(-(double)score))) : score;
}

/* The first K that are new to customer u of the group, then the first K that it knows. */
static void recommend_to(const trm_shop_ranker *r, const group *g, int64_t u,
                         trm_recommendation *to) {
  const int64_t J = r->shop->n_products;
  for (int known = 0; known < 2; ++known) {
    int64_t n_relevant;
    const int64_t n = take_sort(g, g->scores + u * J, known ? SORT_KNOWN : SORT_NEW,
                                span_of(&g->part.choices.known, u), (span){0}, J, &n_relevant);
    trm_top_k(g->top, g->some, NULL, 1, n, r->K);
    for (int64_t k = 0; k < r->K; ++k) {
      const int32_t at = g->top[k];
      to[known * r->K + k] =
          (trm_recommendation){.user = g->customers[u],
                               .item = at >= 0 ? g->ids[at] : -1,
                               .known = known,
                               .score = at >= 0 ? shown_score(r, g->some[at]) : 0};
    }
  }
}

static void recommend(void *self, int64_t number, trm_recommendation *to) {
  writer *w = self;
  const trm_shop_ranker *r = w->ranker;
  group *g = &w->g;
  score_group(r, number, g);
  for (int64_t i = 0; i < g->n; ++i) recommend_to(r, g, i, to + i * 2 * r->K);
  for (int64_t k = g->n * 2 * r->K; k < g->most * 2 * r->K; ++k) to[k].item = -1;
}

static void write_line(const void *self, const trm_recommendation *line, FILE *file) {
  const trm_shop *s = ((const writer *)self)->ranker->shop;
  trm_recommended_name(file, &s->graph.names, line->user);
  (void)fputc('\t', file);
  trm_recommended_name(file, &s->graph.names, s->n_customers + line->item);
  (void)fprintf(file, "\t%d\t%.6g\n", line->known, (double)line->score);
}

trm_status trm_shop_predictions_write(trm_comm *comm, const trm_shop_ranker *r, const char *path,
                                      int64_t *n_rows) {
  writer w = {.ranker = r};
  const char *head = r->loss == TRM_CHOICE_EACH ? "customer" TRM_PRODUCT_COLUMNS "probability"
                                                : "customer" TRM_PRODUCT_COLUMNS "score";
  trm_status status = group_make(r, &w.g);
  const trm_recommender recommender = {.self = &w,
                                       .n_groups = n_groups(r, &w.g),
                                       .lines = w.g.most * 2 * r->K,
                                       .rank = recommend,
                                       .write = write_line};
  status = trm_recommendations_write(comm, &recommender, status, head, path, n_rows);
  group_free(&w.g);
  return status;
}
