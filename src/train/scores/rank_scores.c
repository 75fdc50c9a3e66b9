#include "rank_scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prediction_columns.h"
#include "text_file.h"
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
  int64_t users; /* in a group; in the last one fewer */
  float *scores; /* [users, n_items] */
  int32_t *top;  /* [users, K] */
} group;

static void group_free(group *g) {
  TRM_FREE(g->scores);
  TRM_FREE(g->top);
}

static trm_status group_make(const trm_ranker *r, group *g) {
  const int64_t fit = GROUP_SCORES / r->data->n_items;
  *g = (group){.users = fit < 1 ? 1 : fit < GROUP ? fit : GROUP};
  TRM_TRY(TRM_ALLOC(&g->scores, g->users * r->data->n_items, "scores of items"));
  return TRM_ALLOC(&g->top, g->users * r->K, "items");
}

static int64_t n_groups(const trm_ranker *r, const group *g) {
  return (r->data->n_users + g->users - 1) / g->users;
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
  trm_gemm(false, true, *n, data->n_items, r->C, 1, r->vectors + *first * r->C, r->C,
           r->vectors + data->n_users * r->C, r->C, 0, g->scores, data->n_items);
  trm_top_k(g->top, g->scores, &chosen, *n, data->n_items, r->K);
}

static int64_t list_of(const trm_csr *lists, int64_t user, const int32_t **items) {
  *items = lists->columns + lists->offsets[user];
  return lists->offsets[user + 1] - lists->offsets[user];
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

/* A line of the file. */
typedef struct recommendation {
  int32_t user, item; /* item -1: none */
  float score;
} recommendation;

/* Every rank ranks a group of a round, rank 0 writes them in their order. */
typedef struct rank_round {
  group g;
  recommendation *own; /* [users, K] */
  recommendation *all; /* [ranks, users, K] */
  trm_text_file file;  /* on rank 0 */
} rank_round;

static trm_status round_make(trm_comm *comm, const trm_ranker *r, rank_round *rounds) {
  TRM_TRY(group_make(r, &rounds->g));
  const int64_t n = rounds->g.users * r->K;
  TRM_TRY(TRM_ALLOC(&rounds->own, n, "recommendations"));
  TRM_TRY(TRM_ALLOC(&rounds->all, n * trm_comm_size(comm), "recommendations"));
  if (trm_comm_rank(comm) > 0) return TRM_OK;
  TRM_TRY(trm_text_file_begin(&rounds->file));
  (void)fprintf(rounds->file.stream, "user" TRM_ITEM_COLUMNS "%s\n",
                r->data->graph.names.n > 0 ? "\tuser_name\titem_name" : "");
  return TRM_OK;
}

/* Group `number`, nothing past the last one. */
static void recommend(const trm_ranker *r, int64_t number, rank_round *rounds) {
  const group *g = &rounds->g;
  int64_t user = 0, here = 0;
  if (number < n_groups(r, g)) rank_group(r, number, &rounds->g, &user, &here);
  for (int64_t i = 0; i < g->users; ++i) {
    for (int64_t k = 0; k < r->K; ++k) {
      const int32_t item = i < here ? g->top[i * r->K + k] : -1;
      rounds->own[i * r->K + k] = (recommendation){
          (int32_t)(user + i), item, item >= 0 ? g->scores[i * r->data->n_items + item] : 0};
    }
  }
}

/* A name on one line, behind a tab. */
static void put_name(FILE *file, const trm_texts *names, int64_t node) {
  (void)fputc('\t', file);
  for (int64_t k = names->offsets[node]; k < names->offsets[node + 1]; ++k) {
    const unsigned char byte = (unsigned char)names->bytes[k];
    (void)fputc(byte < 0x20 ? ' ' : byte, file);
  }
}

static void write_round(const trm_ranker *r, int n_ranks, rank_round *rounds, int64_t *n_rows) {
  for (int64_t i = 0; i < n_ranks * rounds->g.users * r->K; ++i) {
    const recommendation *line = &rounds->all[i];
    if (line->item < 0) continue;
    FILE *file = rounds->file.stream;
    const trm_texts *names = &r->data->graph.names;
    (void)fprintf(file, "%d\t%d\t%.6g", line->user, line->item, (double)line->score);
    if (names->n > 0) {
      put_name(file, names, line->user);
      put_name(file, names, r->data->n_users + line->item);
    }
    (void)fputc('\n', file);
    ++*n_rows;
  }
}

trm_status trm_rank_predictions_write(trm_comm *comm, const trm_ranker *r, const char *path,
                                      int64_t *n_rows) {
  const int size = trm_comm_size(comm), rank = trm_comm_rank(comm);
  rank_round rounds = {0};
  *n_rows = 0;
  trm_status status = trm_comm_agree(comm, round_make(comm, r, &rounds));
  for (int64_t n = 0; status == TRM_OK && n < n_groups(r, &rounds.g); n += size) {
    trm_watch_phase(comm, "ranking items", n);
    recommend(r, n + rank, &rounds);
    status = trm_comm_allgather(comm, rounds.own, rounds.all,
                                rounds.g.users * r->K * (int64_t)sizeof *rounds.own);
    if (status == TRM_OK && rank == 0) write_round(r, size, &rounds, n_rows);
  }
  if (rank == 0 && status == TRM_OK) status = trm_text_file_publish(&rounds.file, path);
  status = trm_comm_agree(comm, status);
  trm_text_file_discard(&rounds.file);
  group_free(&rounds.g);
  TRM_FREE(rounds.own);
  TRM_FREE(rounds.all);
  return status;
}
