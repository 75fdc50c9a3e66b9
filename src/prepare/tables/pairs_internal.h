/** Pairs of users and items on their way from text: pair_text.c, pair_split.c. */
#ifndef TRIREME_PREPARE_PAIRS_INTERNAL_H
#define TRIREME_PREPARE_PAIRS_INTERNAL_H

#include "graph_text_internal.h"
#include "trireme/prepare/graphs.h"

/** A user's choice. */
typedef struct trm_interaction {
  int32_t user, item;
  double time; /* when, or the place in the file */
} trm_interaction;

/** All pairs, and what users and items are called. Zero it first. */
typedef struct trm_pair_list {
  int64_t n, capacity;
  trm_interaction *pairs;
  int64_t n_below; /* passed over: their rating is below the threshold */
  bool rated, timed;
} trm_pair_list;
void trm_pair_list_free(trm_pair_list *list);

/** Whether a file has pairs, a line each, or lists of items, a user a line. *words: ids are no numbers.
 *  @param[in] told  the user has said which; else what is neither is refused with TRM_ERR_DATA */
trm_status trm_pairs_guess(const char *path, const trm_reading *reading, bool told, bool *pairs,
                           bool *words);

/** Whether ids are to be taken as the numbers of users and items that they are. */
bool trm_pairs_numbered(const trm_reading *reading);
/** Reads pairs, or the pairs of lists; users and items are names, and added to both tables, unless they are
 *  numbered. */
trm_status trm_pairs_read(const trm_prepare_interactions_options *options, const char *path,
                          bool lists, trm_scan_progress *progress, trm_names *users,
                          trm_names *items, trm_pair_list *list);

/** Sorts by user, item and time, and leaves out what comes again. Returns how many. */
int64_t trm_pairs_compact(trm_pair_list *list);
/** Moves a share of each user's pairs to `test`, which is empty; both stay sorted by user and item. */
trm_status trm_pairs_deal(const trm_prepare_interactions_options *options, trm_pair_list *train,
                          trm_pair_list *test);
/** Compressed rows of sorted pairs. *offsets and *columns: TRM_FREE. */
trm_status trm_pairs_rows(const trm_pair_list *list, int64_t n_users, int64_t **offsets,
                          int32_t **columns);

#endif
