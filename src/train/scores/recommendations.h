/** Files of recommendations: every rank ranks for a group of users or customers, rank 0 writes the groups in
 *  their order. */
#ifndef TRIREME_TRAIN_RECOMMENDATIONS_H
#define TRIREME_TRAIN_RECOMMENDATIONS_H

#include <stdio.h>

#include "trireme/comm/comm.h"
#include "trireme/input/graph.h"

/** A line of the file. */
typedef struct trm_recommendation {
  int32_t user, item; /* item -1: there is no line */
  int32_t known;      /* of a shop: whether the customer had bought it */
  float score;
} trm_recommendation;

/** Who ranks, and how lines look. */
typedef struct trm_recommender {
  void *self;
  int64_t n_groups, lines; /* lines of a group, at most */
  /** The lines of group `number`: to[lines], those past the last one with item -1. */
  void (*rank)(void *self, int64_t number, trm_recommendation *to);
  /** Writes a line with its end. */
  void (*write)(const void *self, const trm_recommendation *line, FILE *file);
} trm_recommender;

/**
 * Writes `head` and the lines of all groups to `path`. Collective.
 * @param made  status of making `recommender` on this rank: the ranks agree on it first
 * @param[out] n_rows  lines written; 0 but on rank 0
 */
trm_status trm_recommendations_write(trm_comm *comm, const trm_recommender *recommender,
                                     trm_status made, const char *head, const char *path,
                                     int64_t *n_rows);
/** Name number i, on one line: what would end a field or a line is a blank. */
void trm_recommended_name(FILE *file, const trm_texts *names, int64_t i);

#endif
