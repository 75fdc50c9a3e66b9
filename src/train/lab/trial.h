/** One job of a search: a trial trained to a length. */
#ifndef TRIREME_TRAIN_TRIAL_H
#define TRIREME_TRAIN_TRIAL_H

#include "crew.h"
#include "rundir.h"
#include "tuning.h"

enum { TRM_TRACK_MOST = 512 };

/** Scores of a trial of full length at its evaluations, for the median. */
typedef struct trm_track {
  int64_t n;
  int64_t steps[TRM_TRACK_MOST];
  double scores[TRM_TRACK_MOST];
} trm_track;

/** What the trials of a search share. All is borrowed. */
typedef struct trm_trials {
  const trm_crew *crew;
  const trm_tuning *search;
  const char *given;  /* what the configuration gives, as YAML */
  const char *folder; /* of the search */
  const char *select; /* "loss", or a score */
  int64_t split;      /* -1: the configuration's */
  trm_track *tracks;  /* [trials] of those that are known; NULL: the rule needs none */
} trm_trials;

/** Folder of a trial, and of fold `fold` of it (-1: all of it). */
trm_status trm_trial_folder(const trm_trials *t, int64_t trial, int64_t fold,
                            char path[TRM_PATH_BYTES]);
/** Configuration of a trial; its inner fold is `fold`, -1: the validation part. Not collective. */
trm_status trm_trial_config(const trm_trials *t, int64_t trial, int64_t fold, const char *folder,
                            trm_config **config);

/**
 * Trains job j and fills in what it came to. What ended in results, good or bad, is TRM_OK.
 * Collective over the group.
 * @param[out] job    the job with its result, on the first rank of the group; pending where it has none
 * @param[out] track  its evaluations; NULL: not wanted
 */
trm_status trm_trial_train(const trm_trials *t, int64_t j, trm_job *job, trm_track *track);

/** Evaluations of a trial whose job is done, from its files. Not collective. */
trm_status trm_trial_track(const trm_trials *t, const trm_job *job, trm_track *track);

/** Trains the values of a trial to the end in a folder of its own, on the validation part. Collective over
 *  the group. */
trm_status trm_trial_train_again(const trm_trials *t, int64_t trial, const char *folder);

/** Removes a trial's checkpoints. */
trm_status trm_trial_forget(const trm_trials *t, int64_t trial);

#endif
