/**
 * Reports: what runs came to, as one page, as pictures, as tables, or in a terminal.
 *
 * All is read from run directories (config.yaml, metrics.csv, log.txt, layers.csv, findings and
 * checkpoints' facts); no model is built and nothing is trained. For one process, or rank 0 of several.
 */
#ifndef TRIREME_TRAIN_REPORT_H
#define TRIREME_TRAIN_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/status.h"

/** A section that the caller adds to the page, behind the results. */
typedef struct trm_report_section {
  const char *title;
  /** Writes the section's HTML; text of others goes through trm_report_text. */
  void (*write)(void *context, FILE *html);
  void *context;
} trm_report_section;

typedef struct trm_report_options {
  const char *title;                  /* NULL: made of the runs' names */
  const trm_report_section *sections; /* [n_sections] */
  int n_sections;
  bool data;       /* look into the data sets too: samples, structure of graphs */
  bool force;      /* a file that is no report is written over, too */
  const char *csv; /* folder that gets every number of the page as CSV; NULL: none */
  /** Writes text with the model of a single run that writes such, for the page, which goes without where
   *  that fails; NULL: not wanted. */
  trm_status (*generate)(void *context, const char *run, FILE *out);
  void *context; /* of generate */
} trm_report_options;

/**
 * Writes the report of runs to `path`, whole or not at all.
 *
 * A folder is a run's (it has metrics.csv), or one whose subfolders are (of a sweep: seeds, splits); runs
 * that differ in seed and split alone are one configuration, drawn as a band. Not collective.
 * @param[in] folders  [n_folders]
 * @param[in] options  NULL: as all zeros
 * @return TRM_ERR_MISSING for no folder, TRM_ERR_IO for one that is no run, TRM_ERR_DATA for a damaged
 *         one and for runs of different tasks
 */
trm_status trm_report_write(const char *const *folders, int n_folders,
                            const trm_report_options *options, const char *path);

/** The report that a run writes at its end: report.html in its folder. A data set is looked into where it is
 *  small. @return as trm_report_write */
trm_status trm_report_of_run(const char *folder);

/** Text as HTML and SVG have it: & < > " ' replaced, invalid bytes and control characters too. */
void trm_report_text(FILE *file, const char *text);

/**
 * Draws the curves of runs as one picture: SVG, or PNG where the path ends with .png, which the program
 * rsvg-convert makes of it.
 * @param force  a file that is no such picture is written over, too
 * @param what   a column ("lr"), "loss", or a kind of score ("accuracy"); NULL: the loss, and what makes an
 *              evaluation the best
 * @return as trm_report_write; TRM_ERR_USAGE for a column that no run has, TRM_ERR_IO where rsvg-convert
 *         is missing or fails
 */
trm_status trm_plot_write(const char *const *folders, int n_folders, const char *what, bool force,
                          const char *path);

typedef struct trm_show_options {
  const char *what;   /* as for trm_plot_write */
  int columns, lines; /* of a chart, without its axis */
  int width, rows;    /* of the terminal, which what is drawn over must fit into; 0: no limit */
  bool follow;        /* go on until no run trains any more */
  bool redraw;        /* over what was drawn before, as terminals can; else new rows are told */
} trm_show_options;

/** Draws curves in characters, and says how far each run is. @return as trm_plot_write */
trm_status trm_show_write(const char *const *folders, int n_folders,
                          const trm_show_options *options, FILE *out);

/**
 * Draws values in columns as characters, beside an axis from low to high.
 * @param[in] values  [n][columns]; NaN: nothing there
 * @param[in] signs   [n] of the lines; where two meet, the later one shows
 * @param[in] prefix  what each line begins with
 */
void trm_print_grid(const double *const *values, int n, const char *signs, int columns, int lines,
                    double low, double high, const char *prefix, FILE *file);

/** What `trireme inspect` says of a run: what was trained, on what, how far, its best score and its
 *  checkpoints. @return as trm_report_write */
trm_status trm_run_describe(const char *folder, FILE *out);

#endif
