#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "trireme/core/memory.h"
#include "trireme/core/numbers.h"
#include "trireme/io/files.h"

static const char *const outcomes[] = {[TRM_JOB_PENDING] = "pending",
                                       [TRM_JOB_DONE] = "done",
                                       [TRM_JOB_PRUNED] = "given up",
                                       [TRM_JOB_DIVERGED] = "diverged",
                                       [TRM_JOB_REFUSED] = "refused"};

const char *trm_job_outcome_text(trm_job_outcome outcome) {
  return outcomes[outcome];
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* "job,trial,rung,value,...," of a decision, to which the result is compared or added. */
static void write_decision(const trm_tuning *s, int64_t j, FILE *file) {
  char text[TRM_SPACE_TEXT];
  const trm_job *job = &s->jobs[j];
  (void)fprintf(file, "%" PRId64 ",%" PRId64 ",%d,", j, job->trial, job->rung);
  for (int i = 0; i < s->space->n; ++i) {
    trm_parameter_text(&s->space->parameters[i], s->values[job->trial * TRM_SPACE_MOST + i], text);
    trm_csv_field(text, file);
    (void)fputc(',', file);
  }
}

static void write_result(const trm_job *job, FILE *file) {
  (void)fprintf(file, "%s,", outcomes[job->outcome]);
  if (!isnan(job->score)) (void)fprintf(file, "%.9g", job->score);
  (void)fprintf(file, ",%" PRId64 ",%" PRId64 ",", job->step, job->best_step);
  trm_csv_field(job->reason, file);
}

static trm_status line_of(const trm_tuning *s, int64_t j, bool result, char **text) {
  size_t bytes;
  FILE *file = open_memstream(text, &bytes);
  if (!file) return trm_fail(TRM_ERR_MEMORY, "no memory for a line of the journal");
  write_decision(s, j, file);
  if (result) write_result(&s->jobs[j], file);
  if (result) (void)fputc('\n', file);
  if (fclose(file) == 0) return TRM_OK;
  free(*text);
  return trm_fail(TRM_ERR_MEMORY, "no memory for a line of the journal");
}

static trm_status head_of(const trm_tuning *s, uint64_t identity, char **text) {
  size_t bytes;
  FILE *file = open_memstream(text, &bytes);
  if (!file) return trm_fail(TRM_ERR_MEMORY, "no memory for a line of the journal");
  (void)fprintf(file, "# trireme tune, journal 1, search %016" PRIx64 "\njob,trial,rung,",
                identity);
  for (int i = 0; i < s->space->n; ++i) (void)fprintf(file, "%s,", s->space->parameters[i].key);
  (void)fprintf(file, "outcome,score,step,best_step,reason\n");
  if (fclose(file) == 0) return TRM_OK;
  free(*text);
  return trm_fail(TRM_ERR_MEMORY, "no memory for a line of the journal");
}

/* ---- the file -------------------------------------------------------------------------------- */

static trm_status io_error(const trm_journal *journal, const char *what) {
  return trm_fail(TRM_ERR_IO, "%s: cannot %s it (%s); check the disk and go on with --resume",
                  journal->path, what, strerror(errno));
}

static trm_status write_all(const trm_journal *journal, const char *text, size_t n) {
  while (n > 0) {
    const ssize_t done = write(journal->fd, text, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return io_error(journal, "write");
    text += done;
    n -= (size_t)done;
  }
  return fsync(journal->fd) == 0 ? TRM_OK : io_error(journal, "sync");
}

/* Whole lines of an old journal; what stands behind the last one goes, zeros too, which a host that lost its
 * power may have left. */
static trm_status read_lines(trm_journal *journal, int64_t *bytes) {
  TRM_TRY(trm_file_read_all(journal->path, (int64_t)1 << 30, &journal->text, bytes));
  *bytes = (int64_t)strnlen(journal->text, (size_t)*bytes);
  while (*bytes > 0 && journal->text[*bytes - 1] != '\n') --*bytes;
  journal->text[*bytes] = 0;
  return TRM_OK;
}

static trm_status check_head(trm_journal *journal, const char *head, bool resume) {
  const size_t n = strlen(head);
  if (!resume) {
    return trm_fail(TRM_ERR_USAGE,
                    "%s: a search is there already; go on with --resume, or choose another folder",
                    journal->path);
  }
  if (strncmp(journal->text, head, n) != 0) {
    return trm_fail(TRM_ERR_DATA,
                    "%s:1: the journal is of another space, configuration, seed or number of "
                    "folds; give those, or "
                    "choose another folder",
                    journal->path);
  }
  journal->next = journal->text + n;
  journal->line = 3;
  return TRM_OK;
}

static trm_status open_file(trm_journal *journal, int64_t bytes) {
  journal->fd = open(journal->path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (journal->fd < 0) return io_error(journal, "open");
  return ftruncate(journal->fd, bytes) == 0 ? TRM_OK : io_error(journal, "cut");
}

trm_status trm_journal_open(const char *folder, const trm_tuning *search, uint64_t identity,
                            bool resume, trm_journal *journal) {
  char *head = NULL;
  int64_t bytes = 0;
  trm_status status;
  *journal = (trm_journal){.fd = -1};
  TRM_TRY(trm_path_join(journal->path, sizeof journal->path, folder, "journal.csv"));
  TRM_TRY(head_of(search, identity, &head));
  if (trm_path_exists(journal->path)) {
    TRM_TRY_OUT(read_lines(journal, &bytes));
    if (bytes > 0) TRM_TRY_OUT(check_head(journal, head, resume));
  }
  if (bytes == 0) {
    bytes = (int64_t)strlen(head);
    TRM_TRY_OUT(trm_file_write_atomic(journal->path, head, (size_t)bytes));
  }
  TRM_TRY_OUT(open_file(journal, bytes));
out:
  free(head);
  if (status != TRM_OK) trm_journal_close(journal);
  return status;
}

void trm_journal_close(trm_journal *journal) {
  if (journal->fd >= 0) (void)close(journal->fd); /* each line was synced */
  journal->fd = -1;
  TRM_FREE(journal->text);
  journal->next = NULL;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

/* The field that begins at *at, up to a comma; *at goes behind it. */
static const char *field(char **at) {
  char *begin = *at, *end = begin + strcspn(begin, ",\n");
  *at = *end ? end + 1 : end;
  *end = 0;
  return begin;
}

static bool parse_result(char *at, trm_job *job) {
  const char *outcome = field(&at);
  job->outcome = TRM_JOB_PENDING;
  for (int i = TRM_JOB_DONE; i <= TRM_JOB_REFUSED; ++i) {
    if (strcmp(outcome, outcomes[i]) == 0) job->outcome = (trm_job_outcome)i;
  }
  const char *score = field(&at);
  job->score = (double)NAN;
  if (*score && !trm_real_parse(score, &job->score)) return false;
  if (!trm_int_parse(field(&at), &job->step) || !trm_int_parse(field(&at), &job->best_step))
    return false;
  const bool quoted = *at == '"';
  size_t n = 0;
  for (at += quoted; *at && *at != '\n' && n + 1 < sizeof job->reason; ++at) {
    if (quoted && *at == '"' && *++at != '"') break;
    job->reason[n++] = *at;
  }
  job->reason[n] = 0;
  return job->outcome != TRM_JOB_PENDING;
}

static trm_status other_job(const trm_journal *journal) {
  return trm_fail(TRM_ERR_DATA,
                  "%s:%" PRId64
                  ": not the job that this space, seed and version of the program would "
                  "do next; choose another folder, or cut the journal before this line",
                  journal->path, journal->line);
}

trm_status trm_journal_take(trm_journal *journal, trm_tuning *search, int64_t j, bool *taken) {
  char *decision = NULL, *whole = NULL;
  *taken = journal->next && *journal->next;
  if (!*taken) return TRM_OK;
  char *line = journal->next, *end = strchr(line, '\n');
  journal->next = end + 1;
  *end = 0;
  TRM_TRY(line_of(search, j, false, &decision));
  const size_t n = strlen(decision);
  bool same = strncmp(line, decision, n) == 0;
  char *copy = same ? strdup(line + n) : NULL;
  same = copy && parse_result(copy, &search->jobs[j]);
  free(copy);
  free(decision);
  if (same) {
    TRM_TRY(line_of(search, j, true, &whole));
    same = strncmp(line, whole, strlen(line)) == 0 && strlen(whole) == strlen(line) + 1;
    free(whole);
  }
  if (!same) return other_job(journal);
  ++journal->line;
  return TRM_OK;
}

trm_status trm_journal_add(trm_journal *journal, const trm_tuning *search, int64_t j) {
  char *text = NULL;
  TRM_TRY(line_of(search, j, true, &text));
  const trm_status status = write_all(journal, text, strlen(text));
  free(text);
  return status;
}
