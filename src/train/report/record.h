/** A run as its folder tells it: configuration, metrics, what happened. */
#ifndef TRIREME_TRAIN_RECORD_H
#define TRIREME_TRAIN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"

enum { TRM_RECORD_COLUMNS = 48, TRM_COLUMN_BYTES = 48, TRM_RECORD_PATH_BYTES = 4096 };

/** A column of metrics.csv. */
typedef struct trm_column {
  char name[TRM_COLUMN_BYTES]; /* "valid_loss" */
  double *values;              /* [n_rows]; NaN: nothing there, or no finite number */
  int64_t n;                   /* rows with a finite number */
  int64_t bad_step;            /* first one with a number that is not finite, -1: none */
} trm_column;

typedef enum trm_run_state_word {
  TRM_RUN_DONE,
  TRM_RUN_EARLY, /* ended before its last step, as it was told to */
  TRM_RUN_RUNNING,
  TRM_RUN_STOPPED,
  TRM_RUN_PAUSED,   /* a trial of a search, left where others were better or may be */
  TRM_RUN_GIVEN_UP, /* a trial of a search that was worse than others */
  TRM_RUN_DIVERGED,
  TRM_RUN_BROKEN, /* it ended before its last step, without a word */
} trm_run_state_word;

typedef struct trm_setting {
  const char *key, *value;
} trm_setting;

typedef struct trm_record {
  char folder[TRM_RECORD_PATH_BYTES];
  char name[256]; /* the shortest end of the path that tells the runs apart (study.c) */

  trm_setting *settings; /* [n_settings] configuration, in the order of the file */
  int n_settings;

  int64_t n_rows;
  double *steps; /* [n_rows] */
  trm_column columns[TRM_RECORD_COLUMNS];
  int n_columns;
  int first_score; /* columns from here on are scores; n_columns: there are none */
  char unit[32];   /* "token" */
  int64_t last_step;

  trm_run_state_word state;
  char why[512];       /* of one that ended early, stopped or diverged: its own words; else "" */
  char parameters[32]; /* "23,063"; "": not known */
  char layout[160];    /* "2 ranks x 1 thread on 1 host, ..." */
  char data[200];      /* "2708 nodes, ..." */
  const char **notes;  /* [n_notes] what it said besides progress */
  int n_notes;
  int n_resumes;

  char *text; /* of metrics.csv, log.txt and config.yaml: owned, as what follows */
  char *log;
  char *config;
} trm_record;

/**
 * Reads a run directory. After a failure there is nothing to free.
 * @return TRM_ERR_IO for what is no run directory; TRM_ERR_DATA naming file and line
 */
trm_status trm_record_read(const char *folder, trm_record *record);
void trm_record_free(trm_record *record);

/** Value of a key of the configuration; NULL: it has none. */
const char *trm_record_value(const trm_record *record, const char *key);
/** Number of a column, -1: there is none, or nothing is in it. */
int trm_record_column(const trm_record *record, const char *name);
/** "done", "diverged at step 120". */
const char *trm_run_state_text(trm_run_state_word state);
/** Step the run is to end at; 0: not known. */
int64_t trm_record_end(const trm_record *record);

#endif
