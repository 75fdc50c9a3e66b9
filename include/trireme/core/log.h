/**
 * The log of a run: lines for a person at a terminal and plain lines in a file.
 * Only `train` and `app` write to it; the layers below return statuses.
 */
#ifndef TRIREME_CORE_LOG_H
#define TRIREME_CORE_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "trireme/core/status.h"

typedef struct trm_log {
  FILE *terminal;      /* stderr or NULL: not owned */
  FILE *file;          /* owned, NULL if none */
  bool is_terminal;    /* progress is rewritten in place */
  bool progress_shown; /* a progress line stands on the terminal and must be cleared first */
  double progress_last_s;
  const char *title; /* stands before progress, and lines are kept from the terminal: for a part of
                        something larger that has a log of its own. NULL: none; not owned */
} trm_log;

/** Terminal only; `terminal` may be NULL for silence (ranks other than 0). TRIREME_TERMINAL=1 in the
 *  environment tells that a pipe ends at a terminal (launch/run sets it). */
void trm_log_init(trm_log *log, FILE *terminal);
/** Also appends to `path`, which is made if need be. @return TRM_ERR_IO */
trm_status trm_log_open_file(trm_log *log, const char *path);
/** Closes the file; a failure is told on the terminal. The last progress line stays there, ended, so
 *  that the prompt gets its own line. */
void trm_log_close(trm_log *log);

/** From now on all logs of the process show warnings alone on the terminal; files have all lines. */
void trm_log_quiet(bool quiet);

/** One line to terminal and file (there with date and time). */
void trm_log_line(trm_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A line to the file alone: what the caller has said, or will say, to the terminal itself. */
void trm_log_note(trm_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A line that begins with "warning: ". */
void trm_log_warn(trm_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/**
 * Progress: on a terminal rewritten in place, at most ten times a second unless `keep` is set, which
 * the end of a run does so that it is seen. Elsewhere, and in the file, a plain line when `keep` is
 * set (the caller decides how often).
 */
void trm_log_progress(trm_log *log, bool keep, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** "1 h 02 min", "3 min 05 s", "12 s" into text[32]. */
void trm_format_duration(double seconds, char text[32]);
/** "1,234,567" into text[32]. */
void trm_format_count(long long n, char text[32]);

#endif
