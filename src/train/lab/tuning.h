/**
 * The course of a search: which trial is trained next, and how far.
 *
 * A search is a sequence of jobs, each of which trains one trial to one length (rung). What job j is depends
 * on the seed, on the jobs decided before it, and on the results of jobs up to j - parallel alone: so it may
 * run while the last `parallel` - 1 before it are under way, and the sequence is the same for any ranks.
 *
 *   next -> a trial's first job | a promotion | nothing, while results are missing | the end
 *
 * Pure, but for what callers put in: the results.
 */
#ifndef TRIREME_TRAIN_STUDY_H
#define TRIREME_TRAIN_STUDY_H

#include "tpe.h"
#include "trireme/train/scores.h"

typedef enum trm_job_outcome {
  TRM_JOB_PENDING,
  TRM_JOB_DONE,     /* got to its length */
  TRM_JOB_PRUNED,   /* given up on the way */
  TRM_JOB_DIVERGED, /* loss or gradient not finite */
  TRM_JOB_REFUSED,  /* its values do not go together */
} trm_job_outcome;

enum { TRM_JOB_REASON = 200 };

typedef struct trm_job {
  int64_t trial; /* -1: nothing was to be done */
  int rung;
  trm_job_outcome outcome;
  double score; /* best up to its length, of eval.select; NaN: none */
  int64_t step, best_step;
  char reason[TRM_JOB_REASON]; /* why it diverged or was refused */
} trm_job;

typedef struct trm_tuning {
  const trm_space *space;            /* borrowed */
  const trm_search_options *options; /* borrowed */
  bool higher;                       /* more is better */
  int64_t n_trials;                  /* in all */
  trm_job *jobs;                     /* [n_jobs] owned */
  int64_t n_jobs, room;
  double *values;  /* [n_trials, TRM_SPACE_MOST] of trials begun; owned */
  int64_t n_begun; /* trials */
  int64_t *points; /* [n_trials] of the grid; owned; NULL: no grid */
  bool over;
} trm_tuning;

/** @return TRM_ERR_CONFIG for a grid of too many points, TRM_ERR_MEMORY */
trm_status trm_tuning_create(const trm_space *space, bool higher, trm_tuning *search);
void trm_tuning_free(trm_tuning *search);

/** Decides the next job, whose number is n_jobs before; its trial is -1 where there is nothing to do.
 *  @param[out] over  the search is: no job was added */
trm_status trm_tuning_next(trm_tuning *search, bool *over);

/** Share of the full length that a rung has: eta^-(rungs - 1 - rung). */
double trm_tuning_length(const trm_search_options *options, int rung);
/** Whether score a is better than b; NaN never is. */
bool trm_tuning_better(const trm_tuning *search, double a, double b);
/** The last job of a trial among the first n jobs; -1: none. */
int64_t trm_tuning_job_of(const trm_tuning *search, int64_t trial, int64_t n);
/** The trial whose full length came to the best score, the first of equals; -1: none. */
int64_t trm_tuning_best(const trm_tuning *search);
/** Jobs whose results a decision about job j may know: the first so many. */
int64_t trm_tuning_known(const trm_tuning *search, int64_t j);

#endif
