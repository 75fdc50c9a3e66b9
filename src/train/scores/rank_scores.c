#include "rank_scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prediction_columns.h"
#include "recommendations.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/gemm.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/train/scores.h"

/* Users scored in one matrix product, at most; of many items fewer, so that the scores of a group stay
 * within 64 MiB or of one user. The same for any ranks, so that a user's scores are. */
enum { GROUP = 128, GROUP_SCORES = 1 << 24 };

/* What is kept of each user, one array after another. */
enum { RECALL, NDCG, PRECISION, LOSS, PAIRS, N_SUMS };

void trm_rank_scores_declare(trm_task *task) {
  const char *test = trm_subset_name(TRM_SUBSET_TEST);
  trm_task_add_score(task, test, "recall");
  trm_task_add_score(task, test, "ndcg");
  trm_task_add_score(task, test, "precision");
}

/* A group of users, the scores of all items for them, and the best items. */
typedef struct group {
  int64_t users;   /* in a group; in the last one fewer */
  float *scores;   /* [users, n_items] */
  int32_t *top;    /* [users, K] */
  trm_blend blend; /* of several voices */
} group;

static void group_free(group *g) {
  TRM_FREE(g->scores);
  TRM_FREE(g->top);
  trm_blend_free(&g->blend);
}

static trm_status group_make(const trm_ranker *r, group *g) {
  const int64_t fit = GROUP_SCORES / r->data->n_items;
  *g = (group){.users = fit < 1 ? 1 : fit < GROUP ? fit : GROUP};
  TRM_TRY(TRM_ALLOC(&g->scores, g->users * r->data->n_items, "scores of items"));
  if (r->n_voices > 1) TRM_TRY(trm_blend_make(g->users, r->data->n_items, false, &g->blend));
  return TRM_ALLOC(&g->top, g->users * r->K, "items");
}

static int64_t n_groups(const trm_ranker *r, const group *g) {
  return (r->data->n_users + g->users - 1) / g->users;
}

static int64_t list_of(const trm_csr *lists, int64_t user, const int32_t **items) {
  *items = lists->columns + lists->offsets[user];
  return lists->offsets[user + 1] - lists->offsets[user];
}

/* Scores of all items for users [first, first + n) by one model. */
static void score_voice(const trm_ranker *r, const trm_voice *voice, int64_t first, int64_t n,
                        group *g) {
  const int64_t J = r->data->n_items, C = voice->width;
  trm_gemm(false, true, n, J, C, 1, voice->rows + first * C, C, voice->rows + r->data->n_users * C,
           C, 0, g->scores, J);
}

/* The same by several. What a user has is apart: its scores were raised by training and are not ranked. */
static void score_voices(const trm_ranker *r, int64_t first, int64_t n, group *g) {
  const int64_t J = r->data->n_items;
  trm_blend_begin(&g->blend);
  for (int v = 0; v <= r->n_voices; ++v) {
    if (v < r->n_voices) score_voice(r, &r->voices[v], first, n, g);
    for (int64_t i = 0; i < n; ++i) {
      const int32_t *has;
      const int64_t n_has = list_of(&r->data->train, first + i, &has);
      trm_blend_list(&g->blend, has, n_has);
      if (v < r->n_voices) {
        trm_blend_add(&g->blend, i, g->scores + i * J);
      } else {
        trm_blend_tell(&g->blend, i, g->scores + i * J);
      }
    }
  }
}

/* Ranks the items for the users of group `number`: [*first, *first + *n). */
static void rank_group(const trm_ranker *r, int64_t number, group *g, int64_t *first, int64_t *n) {
  const trm_interactions *data = r->data;
  const int64_t left = data->n_users - number * g->users;
  *first = number * g->users;
  *n = left < g->users ? left : g->users;
  const trm_csr chosen = {.n_rows = *n,
                          .n_columns = data->n_items,
                          .offsets = data->train.offsets + *first,
                          .columns = data->train.columns};
  if (r->n_voices > 1) {
    score_voices(r, *first, *n, g);
  } else {
    score_voice(r, r->voices, *first, *n, g);
  }
  trm_top_k(g->top, g->scores, &chosen, *n, data->n_items, r->K);
}

/* An item that is in neither list, fixed for the pair. Gives up after some tries for users who have
 * nearly everything. */
static int32_t negative_of(const trm_ranker *r, int64_t user, int64_t place) {
  const int32_t *train, *test;
  const int64_t n_train = list_of(&r->data->train, user, &train);
  const int64_t n_test = list_of(&r->data->test, user, &test);
  const trm_random_key key =
      trm_random_key_make(r->seed, TRM_RANDOM_NEGATIVE, UINT64_MAX, (uint64_t)place);
  int32_t item = 0;
  for (uint64_t try = 0; try < 64; ++try) {
    item = (int32_t)trm_random_below(key, (uint64_t)user, try, (uint64_t)r->data->n_items);
    if (!trm_list_has(train, n_train, item) && !trm_list_has(test, n_test, item)) break;
  }
  return item;
}

static double loss_of(const trm_ranker *r, int64_t user, const float *scores, const int32_t *test,
                      int64_t n_test) {
  double sum = 0;
  for (int64_t i = 0; i < n_test; ++i) {
    const double margin = (double)scores[test[i]] - (double)scores[negative_of(r, user, i)];
    sum += margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin;
  }
  return sum;
}

static void score_user(const trm_ranker *r, int64_t user, const float *scores, const int32_t *top,
                       double *sums) {
  const int32_t *test;
  const int64_t n_test = list_of(&r->data->test, user, &test), U = r->data->n_users;
  if (n_test == 0) return;
  const trm_ranking ranking = trm_score_ranking(top, r->K, test, n_test);
  sums[RECALL * U + user] = ranking.recall;
  sums[NDCG * U + user] = ranking.ndcg;
  sums[PRECISION * U + user] = ranking.precision;
  sums[LOSS * U + user] = loss_of(r, user, scores, test, n_test);
  sums[PAIRS * U + user] = (double)n_test;
}

/* Users of this rank; false when asked to stop. */
static bool rank_own(trm_comm *comm, const trm_ranker *r, trm_task_stop stop, void *context,
                     group *g, double *sums) {
  int64_t first, n, user, here;
  trm_block_range(n_groups(r, g), trm_comm_rank(comm), trm_comm_size(comm), &first, &n);
  for (int64_t number = first; number < first + n; ++number) {
    if (stop && stop(context)) return false;
    trm_watch_phase(comm, "ranking items", number); /* each group is progress */
    rank_group(r, number, g, &user, &here);
    for (int64_t i = 0; i < here; ++i) {
      score_user(r, user + i, g->scores + i * r->data->n_items, g->top + i * r->K, sums);
    }
  }
  return true;
}

static void put(trm_task *task, trm_evaluation *result, double sum, double count) {
  trm_task_put_score(task, count > 0 ? sum / count : (double)NAN, result);
}

static void add_up(trm_task *task, const double *sums, int64_t U, trm_evaluation *result) {
  double totals[N_SUMS] = {0}, users = 0;
  for (int s = 0; s < N_SUMS; ++s) {
    for (int64_t u = 0; u < U; ++u) totals[s] += sums[s * U + u];
  }
  for (int64_t u = 0; u < U; ++u) users += sums[PAIRS * U + u] > 0;
  result->loss = totals[PAIRS] > 0 ? totals[LOSS] / totals[PAIRS] : (double)NAN;
  result->count = (int64_t)totals[PAIRS];
  put(task, result, totals[RECALL], users);
  put(task, result, totals[NDCG], users);
  put(task, result, totals[PRECISION], users);
}

trm_status trm_rank_scores_add(trm_task *task, const trm_ranker *r, trm_task_stop stop,
                               void *context, trm_evaluation *result, bool *stopped) {
  const int64_t U = r->data->n_users;
  group g = {0};
  double *sums = NULL; /* [N_SUMS, U], and whether to stop; other ranks' users are 0 */
  *stopped = false;
  trm_status status = group_make(r, &g);
  if (status == TRM_OK) status = TRM_ALLOC(&sums, N_SUMS * U + 1, "scores of users");
  TRM_TRY_OUT(trm_comm_agree(task->comm, status));
  if (!rank_own(task->comm, r, stop, context, &g, sums)) sums[N_SUMS * U] = 1;
  TRM_TRY_OUT(trm_comm_sum_f64(task->comm, sums, N_SUMS * U + 1));
  *stopped = sums[N_SUMS * U] > 0;
  if (!*stopped) add_up(task, sums, U, result);
out:
  group_free(&g);
  TRM_FREE(sums);
  return status;
}

/* ---- predictions ----------------------------------------------------------------------------- */

typedef struct writer {
  const trm_ranker *ranker;
  group g;
} writer;

static void recommend(void *self, int64_t number, trm_recommendation *to) {
  writer *w = self;
  const trm_ranker *r = w->ranker;
  int64_t user, here;
  rank_group(r, number, &w->g, &user, &here);
  for (int64_t i = 0; i < w->g.users; ++i) {
    for (int64_t k = 0; k < r->K; ++k) {
      const int32_t item = i < here ? w->g.top[i * r->K + k] : -1;
      to[i * r->K + k] =
          (trm_recommendation){.user = (int32_t)(user + i),
                               .item = item,
                               .score = item >= 0 ? w->g.scores[i * r->data->n_items + item] : 0};
    }
  }
}

static void write_line(const void *self, const trm_recommendation *line, FILE *file) {
  const trm_interactions *data = ((const writer *)self)->ranker->data;
  const trm_texts *names = &data->graph.names;
  (void)fprintf(file, "%d\t%d\t%.6g", line->user, line->item, (double)line->score);
  if (names->n > 0) {
    (void)fputc('\t', file);
    trm_recommended_name(file, names, line->user);
    (void)fputc('\t', file);
    trm_recommended_name(file, names, data->n_users + line->item);
  }
  (void)fputc('\n', file);
}

trm_status trm_rank_predictions_write(trm_comm *comm, const trm_ranker *r, const char *path,
                                      int64_t *n_rows) {
  writer w = {.ranker = r};
  const char *head = r->data->graph.names.n > 0 ? "user" TRM_ITEM_COLUMNS "\tuser_name\titem_name"
                                                : "user" TRM_ITEM_COLUMNS;
  trm_status status = group_make(r, &w.g);
  const trm_recommender recommender = {.self = &w,
                                       .n_groups = n_groups(r, &w.g),
                                       .lines = w.g.users * r->K,
                                       .rank = recommend,
                                       .write = write_line};
  status = trm_recommendations_write(comm, &recommender, status, head, path, n_rows);
  group_free(&w.g);
  return status;
}
