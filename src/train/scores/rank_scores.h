/** Top-K recommendation: scores of all users against all items. */
#ifndef TRIREME_TRAIN_RANK_SCORES_H
#define TRIREME_TRAIN_RANK_SCORES_H

#include <stdio.h>

#include "task.h"
#include "trireme/input/interactions.h"
#include "voices.h"

/** What one pass over all users is to give. */
typedef struct trm_ranker {
  const trm_interactions *data;
  /** Vectors of users and items. Of several models scores are joined (voices.h), those of items that a user
   *  does not have among themselves. Borrowed. */
  const trm_voice *voices;
  int n_voices;
  int64_t K;
  uint64_t seed; /* of the items that losses compare with */
} trm_ranker;

void trm_rank_scores_declare(trm_task *task);
/**
 * Recall@K, NDCG@K, precision@K over all users with test items, and as loss the mean of -log
 * sigmoid(score of a test item - score of an item drawn for it). Users are dealt to the ranks in
 * groups of fixed size; every user is ranked once. Collective; `stop` is asked between groups.
 */
trm_status trm_rank_scores_add(trm_task *task, const trm_ranker *ranker, trm_task_stop stop,
                               void *context, trm_evaluation *result, bool *stopped);
/** Writes "user, item, score" of each user's first K items. Rank 0 writes. Collective. */
trm_status trm_rank_predictions_write(trm_comm *comm, const trm_ranker *ranker, const char *path,
                                      int64_t *n_rows);

#endif
