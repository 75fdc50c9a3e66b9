/** The charts of a study. */
#ifndef TRIREME_TRAIN_CURVES_H
#define TRIREME_TRAIN_CURVES_H

#include "chart.h"
#include "study.h"

/** Charts with the memory of their lines. */
typedef struct trm_charts {
  trm_chart *charts; /* [n] */
  int n;
  trm_chart_line *lines; /* of all charts, one after another */
  int n_lines;
  double **blocks;      /* [n_lines] numbers of a line; owned */
  char (*texts)[2][96]; /* [n] name and title */
} trm_charts;

/**
 * One chart of the losses, one for each kind of score, and those of the rate, the gradient's norm,
 * throughput, waiting and memory, as far as the runs have them. Runs of one configuration are one line,
 * their mean, with a band of one standard deviation, where there are several.
 * @param[in] only    one chart of this column alone ("valid_accuracy"), NULL: all
 * @param[in] points  about so many in all lines together
 * @return TRM_ERR_USAGE when no run has the column, TRM_ERR_MEMORY
 */
trm_status trm_charts_make(const trm_study *study, const char *only, int64_t points,
                           trm_charts *charts);
void trm_charts_free(trm_charts *charts);

/** Points of one column of a group: of its run, or the mean and deviation over its runs. */
typedef struct trm_points {
  int64_t n;
  double *x, *y, *spread; /* [n] of one block, `x`; spread is 0 for one run */
} trm_points;
/** @return TRM_ERR_MEMORY; n = 0 where no run has the column */
trm_status trm_group_points(const trm_study *study, int group, const char *column,
                            trm_points *points);
void trm_points_free(trm_points *points);

/** Name of the column with units a second, and of the share of waiting, which is made of two. */
void trm_rate_column(const trm_study *study, char name[TRM_COLUMN_BYTES]);
extern const char trm_waiting_column[];

#endif
