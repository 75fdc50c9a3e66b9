/**
 * The journal of a search: one line a job, in their order, only ever added to. A search that was killed is
 * the same search again: decisions are made anew, and must be those of the journal.
 */
#ifndef TRIREME_TRAIN_JOURNAL_H
#define TRIREME_TRAIN_JOURNAL_H

#include "tuning.h"

enum { TRM_JOURNAL_LINE = 16384 };

typedef struct trm_journal {
  char path[4096];
  char *text;   /* as it was when it was opened; owned */
  char *next;   /* its next line; NULL: no more */
  int64_t line; /* number of that line */
  int fd;       /* -1: closed */
} trm_journal;

/**
 * Opens the journal of a search, and makes it where there is none; half a line or zeros at its end, which a kill may
 * leave, is cut off. On rank 0.
 * @param[in] identity  of space and configuration
 * @param[in] resume    false: one that has lines is refused
 * @return TRM_ERR_USAGE, TRM_ERR_DATA for one of another search, TRM_ERR_IO
 */
trm_status trm_journal_open(const char *folder, const trm_tuning *search, uint64_t identity,
                            bool resume, trm_journal *journal);
void trm_journal_close(trm_journal *journal);
/** Takes the result of job j from the next line, if there is one.
 *  @return TRM_ERR_DATA when the line is of another job */
trm_status trm_journal_take(trm_journal *journal, trm_tuning *search, int64_t j, bool *taken);
/** Adds job j and brings it to the disk. @return TRM_ERR_IO */
trm_status trm_journal_add(trm_journal *journal, const trm_tuning *search, int64_t j);

/** Words of an outcome: "done", "given up", "diverged", "refused". */
const char *trm_job_outcome_text(trm_job_outcome outcome);

#endif
