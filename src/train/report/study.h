/** Several runs beside each other: what they have in common, what differs, which is best. */
#ifndef TRIREME_TRAIN_STUDY_H
#define TRIREME_TRAIN_STUDY_H

#include "record.h"

/** Runs of one configuration: they differ in seed and split alone. */
typedef struct trm_group {
  char label[160]; /* what tells it from others: "name adam, dropout 0.2"; or its run's name */
  int *members;    /* [n] numbers of records */
  int n;
} trm_group;

typedef struct trm_study {
  trm_record *records; /* [n] */
  int n;
  trm_group *groups; /* [n_groups] in the order of their first runs */
  int n_groups;
  int *all;                 /* [n] memory of the members */
  const char **differences; /* [n_differences] keys whose values differ between groups */
  int n_differences;
  char select[TRM_COLUMN_BYTES]; /* column that says which evaluation is the best; "": none */
  bool higher;                   /* it is the better the higher */
} trm_study;

/**
 * Reads the runs of folders: of a run, or of all runs below one, at most two folders down.
 * @return TRM_ERR_MISSING for no folder; TRM_ERR_IO for one without a run; TRM_ERR_DATA for damaged
 *         files, and for runs of different tasks; TRM_ERR_USAGE for too many runs
 */
trm_status trm_study_read(const char *const *folders, int n, trm_study *study);
void trm_study_free(trm_study *study);

/** Whether there is something to read: a run below the folder has written its first line, or the path is no
 *  folder, which reading it tells. */
bool trm_study_begun(const char *folder);
/** Whether a run below the folder holds its lock, be it that it has written nothing yet. */
bool trm_study_going_on(const char *folder);

/** Row of the best evaluation of a run, -1: it has none. */
int64_t trm_study_best_row(const trm_study *study, const trm_record *record);
/** Value of a column in a row; NaN: there is none. */
double trm_record_at(const trm_record *record, const char *column, int64_t row);
/** Last number of a column; NaN: it has none. */
double trm_record_last(const trm_record *record, const char *column);
/** Number of the record's group. */
int trm_study_group_of(const trm_study *study, int record);
/** The run whose best evaluation is the best of all; the first one without evaluations. */
int trm_study_best_record(const trm_study *study);

/** "valid", "test" or "train" and the metric of a score's column; false: it is named otherwise. */
bool trm_score_parts(const char *column, char subset[16], const char **metric);

#endif
