/**
 * A learning rate by trial: one short run whose rate rises exponentially, and the loss at each rate.
 * Source: Smith 2017, arXiv:1506.01186, section 3.3.
 */
#ifndef TRIREME_TRAIN_FIND_LR_H
#define TRIREME_TRAIN_FIND_LR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/comm/comm.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"

typedef struct trm_find_lr_options {
  trm_config *config; /* checked; its schedule is set aside, its length is changed */
  double from, to;    /* 0 < from < to */
  int64_t n_steps;    /* updates, at least 10 */
  const char *folder; /* for find_lr.csv and find_lr.svg; NULL: none are written */
  bool force;         /* also over files of these names that hold no curve */
} trm_find_lr_options;

/** Points in order of rates. Zero it first; trm_rate_curve_free. */
typedef struct trm_rate_curve {
  int64_t n;
  double *rates;
  double *losses; /* of the batch after the update at that rate */
  double *smooth; /* mean of the losses around a point, as far as `half_width` to both sides */
  int64_t half_width;
  int64_t lowest, steepest; /* points of the smooth curve; steepest: before the lowest, -1: none */
  bool diverged;            /* the run ended by it, after the last point */
  bool fell;                /* by more than 3 deviations of losses from the smooth curve */
  double suggestion;        /* 0: none; else the lesser of steepest and a tenth of lowest */
} trm_rate_curve;

/** Trains at most n_steps, evaluates nothing and writes to no run directory. The same curve on any
 *  number of ranks. Collective; the status is the same on all ranks. */
trm_status trm_find_lr(trm_comm *comm, const trm_find_lr_options *options, trm_log *log,
                       trm_rate_curve *curve);

/** The curve of losses[0..n_losses), of batch k before update k, at rates[k]. Not collective.
 *  @return TRM_ERR_MEMORY */
trm_status trm_rate_curve_make(const double *rates, const double *losses, int64_t n_losses,
                               bool diverged, trm_rate_curve *curve);
void trm_rate_curve_free(trm_rate_curve *curve);
/** Range of losses to show: that of the smooth curve, without what divergence adds. */
void trm_rate_curve_range(const trm_rate_curve *curve, double *low, double *high);
/** What the files begin with, by which they are known again. */
#define TRM_RATE_CURVE_COLUMNS "step,lr,loss,smooth_loss"
#define TRM_RATE_CURVE_MARK "<!-- trireme find-lr -->"
/** As comma-separated values, and as a picture (SVG). */
void trm_rate_curve_write_csv(const trm_rate_curve *curve, FILE *file);
void trm_rate_curve_write_svg(const trm_rate_curve *curve, const char *title, FILE *file);

#endif
