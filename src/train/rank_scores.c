#include "rank_scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text_file.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/gemm.h"
#include "trireme/train/scores.h"

/* Users scored in one matrix product; fixed, so that a user's scores do not depend on the ranks. */
enum { GROUP = 128 };

/* What is kept of each user, one array after another. */
enum { RECALL, NDCG, PRECISION, LOSS, PAIRS, N_SUMS };

void trm_rank_scores_declare(trm_task *task) {
  trm_task_add_score(task, "test", "recall");
  trm_task_add_score(task, "test", "ndcg");
  trm_task_add_score(task, "test", "precision");
}

static int64_t n_groups(const trm_graph *g) {
  return (g->n_users + GROUP - 1) / GROUP;
}

/* scores[n, n_items] of users [first, first + n). */
static void score_users(const trm_ranker *r, int64_t first, int64_t n, float *scores) {
  const float *items = r->vectors + r->graph->n_users * r->C;
  trm_gemm(false, true, n, r->graph->n_items, r->C, 1, r->vectors + first * r->C, r->C, items, r->C,
           0, scores, r->graph->n_items);
}

static int64_t list_of(const trm_csr *lists, int64_t user, const int32_t **items) {
  *items = lists->columns + lists->offsets[user];
  return lists->offsets[user + 1] - lists->offsets[user];
}

static bool holds(const int32_t *items, int64_t n, int32_t item) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (items[middle] < item)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && items[low] == item;
}

/* An item that is in neither list, fixed for the pair. Gives up after some tries for users who have
 * nearly everything. */
static int32_t negative_of(const trm_ranker *r, int64_t user, int64_t place) {
  const int32_t *train, *test;
  const int64_t n_train = list_of(&r->graph->train, user, &train);
  const int64_t n_test = list_of(&r->graph->test, user, &test);
  const trm_random_key key =
      trm_random_key_make(r->seed, TRM_RANDOM_NEGATIVE, UINT64_MAX, (uint64_t)place);
  int32_t item = 0;
  for (uint64_t try = 0; try < 64; ++try) {
    item = (int32_t)trm_random_below(key, (uint64_t)user, try, (uint64_t)r->graph->n_items);
    if (!holds(train, n_train, item) && !holds(test, n_test, item)) break;
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

static void rank_user(const trm_ranker *r, int64_t user, const float *scores, double *sums) {
  const int32_t *train, *test;
  const int64_t n_train = list_of(&r->graph->train, user, &train);
  const int64_t n_test = list_of(&r->graph->test, user, &test), U = r->graph->n_users;
  trm_ranking ranking;
  if (n_test == 0) return;
  trm_rank_items(scores, r->graph->n_items, train, n_train, test, n_test, r->K, NULL, &ranking);
  sums[RECALL * U + user] = ranking.recall;
  sums[NDCG * U + user] = ranking.ndcg;
  sums[PRECISION * U + user] = ranking.precision;
  sums[LOSS * U + user] = loss_of(r, user, scores, test, n_test);
  sums[PAIRS * U + user] = (double)n_test;
}

/* Users of this rank; false when asked to stop. */
static bool rank_own(trm_comm *comm, const trm_ranker *r, trm_task_stop stop, void *context,
                     float *scores, double *sums) {
  int64_t first, n;
  trm_block_range(n_groups(r->graph), trm_comm_rank(comm), trm_comm_size(comm), &first, &n);
  for (int64_t g = first; g < first + n; ++g) {
    if (stop && stop(context)) return false;
    trm_watch_phase(comm, "ranking items", g); /* each group is progress */
    const int64_t user = g * GROUP;
    const int64_t here = user + GROUP < r->graph->n_users ? GROUP : r->graph->n_users - user;
    score_users(r, user, here, scores);
    for (int64_t i = 0; i < here; ++i) {
      rank_user(r, user + i, scores + i * r->graph->n_items, sums);
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
  const int64_t U = r->graph->n_users;
  float *scores = NULL;
  double *sums = NULL; /* [N_SUMS, U], and whether to stop; other ranks' users are 0 */
  *stopped = false;
  trm_status status = TRM_ALLOC(&scores, GROUP * r->graph->n_items, "scores of items");
  if (status == TRM_OK) status = TRM_ALLOC(&sums, N_SUMS * U + 1, "scores of users");
  TRM_TRY_OUT(trm_comm_agree(task->comm, status));
  if (!rank_own(task->comm, r, stop, context, scores, sums)) sums[N_SUMS * U] = 1;
  TRM_TRY_OUT(trm_comm_sum_f64(task->comm, sums, N_SUMS * U + 1));
  *stopped = sums[N_SUMS * U] > 0;
  if (!*stopped) add_up(task, sums, U, result);
out:
  TRM_FREE(scores);
  TRM_FREE(sums);
  return status;
}

/* ---- predictions ----------------------------------------------------------------------------- */

static void write_user(const trm_ranker *r, int64_t user, const float *scores, int32_t *top,
                       FILE *file, int64_t *n_rows) {
  const int32_t *train, *test;
  const int64_t n_train = list_of(&r->graph->train, user, &train);
  const int64_t n_test = list_of(&r->graph->test, user, &test);
  trm_ranking ranking;
  trm_rank_items(scores, r->graph->n_items, train, n_train, test, n_test, r->K, top, &ranking);
  for (int64_t k = 0; k < r->K && top[k] >= 0; ++k) {
    (void)fprintf(file, "%lld\t%d\t%.6g\n", (long long)user, top[k], (double)scores[top[k]]);
    ++*n_rows;
  }
}

static trm_status write_all(const trm_ranker *r, const char *path, int64_t *n_rows) {
  float *scores = NULL;
  int32_t *top = NULL;
  trm_text_file file = {0};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&scores, GROUP * r->graph->n_items, "scores of items"));
  TRM_TRY_OUT(TRM_ALLOC(&top, r->K, "items"));
  TRM_TRY_OUT(trm_text_file_begin(&file));
  (void)fprintf(file.stream, "user\titem\tscore\n");
  for (int64_t user = 0; user < r->graph->n_users; user += GROUP) {
    const int64_t here = user + GROUP < r->graph->n_users ? GROUP : r->graph->n_users - user;
    score_users(r, user, here, scores);
    for (int64_t i = 0; i < here; ++i) {
      write_user(r, user + i, scores + i * r->graph->n_items, top, file.stream, n_rows);
    }
  }
  status = trm_text_file_publish(&file, path);
out:
  TRM_FREE(scores);
  TRM_FREE(top);
  return status;
}

trm_status trm_rank_predictions_write(trm_comm *comm, const trm_ranker *r, const char *path,
                                      int64_t *n_rows) {
  *n_rows = 0;
  return trm_comm_agree(comm, trm_comm_rank(comm) == 0 ? write_all(r, path, n_rows) : TRM_OK);
}
