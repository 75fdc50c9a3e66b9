/**
 * Reports: what runs came to, as one page, as pictures, as tables, or in a terminal.
 *
 * All is read from run directories (config.yaml, metrics.csv, log.txt, layers.csv, outcome files and
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
  const char *title; /* NULL: made of the runs' names */
  const trm_report_section *sections; /* [n_sections] */
  int n_sections;
  bool data;       /* look into the data sets too: samples, structure of graphs */
  const char *csv; /* folder that gets every number of the page as CSV; NULL: none */
  const char *generated; /* text the model of the one run has written; NULL: none */
} trm_report_options;

/**
 * Writes the report of runs to `path`, whole or not at all.
 *
 * A folder is a run's (it has metrics.csv), or one whose subfolders are (of a sweep: seeds, splits); runs
 * that differ in seed and split alone are one configuration, drawn as a band. Not collective.
 * @param[in] folders  [n_folders]
 * @param[in] options  NULL: as all zeros
 * @return TRM_ERR_IO for a folder that is no run, TRM_ERR_DATA for a damaged one and for runs of
 *         different tasks
 */
trm_status trm_report_write(const char *const *folders, int n_folders,
                            const trm_report_options *options, const char *path);

/** Text as HTML and SVG have it: & < > " ' replaced, invalid bytes and control characters too. */
void trm_report_text(FILE *file, const char *text);

/** Draws the curves of runs as one picture; a path that ends with .png becomes one of pixels by the program
 *  rsvg-convert. @param what  column ("loss", "valid_accuracy"), or NULL: the losses and what matters */
trm_status trm_plot_write(const char *const *folders, int n_folders, const char *what,
                          const char *path);

#endif
