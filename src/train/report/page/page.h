/** The report's page: its sections, each a function that writes HTML. */
#ifndef TRIREME_TRAIN_PAGE_H
#define TRIREME_TRAIN_PAGE_H

#include <stdio.h>

#include "curves.h"
#include "look.h"
#include "study.h"
#include "trireme/train/report.h"

typedef struct trm_page {
  FILE *file;
  const trm_study *study;
  const trm_charts *charts;
  const trm_report_options *options;
  const char *text;       /* that its model has written; NULL: none */
  const trm_look *look;   /* at its data set; NULL: it was not asked for */
  const trm_record *best; /* the run with the best evaluation: whose model and findings are shown */
} trm_page;

/** "<h2>title</h2>" */
void trm_page_heading(const trm_page *page, const char *title);
/** A number as tables show it: shares in percent, losses with four digits; "" for NaN. */
void trm_score_text(const char *column, double value, char *text, size_t size);
/** What heads a column: "valid accuracy, %". */
void trm_score_title(const char *column, char *text, size_t size);

/** What a reader wants to know first (page_brief.c). */
void trm_page_brief(const trm_page *page);
/** Settings, warnings and words of the runs. */
void trm_page_history(const trm_page *page);
/** Tables of results and of what differs (page_results.c). */
void trm_page_results(const trm_page *page);
void trm_page_differences(const trm_page *page);
/** Tables of ensembles that `evaluate --report` has left (page_ensemble.c). */
void trm_page_ensembles(const trm_page *page);
/** Curves (page_curves.c). */
void trm_page_curves(const trm_page *page);
/** The data set (page_data.c), the model (page_model.c), and what it makes of samples (page_findings.c). */
void trm_page_data(const trm_page *page);
void trm_page_model(const trm_page *page);
void trm_page_findings(const trm_page *page);
/** Says what has just gone wrong, where a section should stand. */
void trm_page_trouble(const trm_page *page);

/** Stands near the beginning of every page. */
#define TRM_PAGE_MARK "<meta name=\"generator\" content=\"trireme report "
/** The whole page. */
void trm_page_write(const trm_page *page);

/** Whether those files may be written: none is one of the user's, unless `force`, or of a run. */
trm_status trm_report_csv_check(const char *const *runs, int n_runs, const char *folder,
                                bool force);
/** Every number of the page as CSV files in a folder (csv.c). */
trm_status trm_report_csv(const trm_study *study, const trm_look *look, const char *folder);

#endif
