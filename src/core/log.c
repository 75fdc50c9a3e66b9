#include "trireme/core/log.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "trireme/core/clock.h"

#define CLEAR_LINE "\r\033[K"
static const double progress_interval_s = 0.1;

/* Under mpirun a rank sees a pipe; launch/run sets TRIREME_TERMINAL when a person is at its end. */
static bool is_terminal(FILE *file) {
  const char *said = getenv("TRIREME_TERMINAL");
  return isatty(fileno(file)) == 1 || (said && strcmp(said, "1") == 0);
}

/* The level of all logs: an exception to "no global variables". */
static bool is_quiet;

void trm_log_quiet(bool quiet) {
  is_quiet = quiet;
}

void trm_log_init(trm_log *log, FILE *terminal) {
  *log = (trm_log){.terminal = terminal, .progress_last_s = -INFINITY};
  log->is_terminal = terminal && is_terminal(terminal);
}

trm_status trm_log_open_file(trm_log *log, const char *path) {
  FILE *file = fopen(path, "ae");
  if (!file) {
    return trm_fail(TRM_ERR_IO, "%s: cannot open the log (%s); make its folder writable", path,
                    strerror(errno));
  }
  if (log->file) (void)fclose(log->file); /* every line was flushed when written */
  log->file = file;
  return TRM_OK;
}

/* The terminal is the last place to complain to: what fails there is dropped. */
static void terminal_line(trm_log *log, const char *prefix, const char *format, va_list args) {
  char line[4096]; /* written at once: several ranks may share the terminal */
  if (!log->terminal || log->title || (is_quiet && !prefix[0])) return;
  const char *clear = log->progress_shown ? CLEAR_LINE : "";
  log->progress_shown = false;
  const int n = snprintf(line, sizeof line, "%s%s", clear, prefix);
  const int more = vsnprintf(line + n, sizeof line - (size_t)n, format, args);
  size_t end = (size_t)n + (size_t)(more < 0 ? 0 : more);
  if (end > sizeof line - 2) end = sizeof line - 2;
  line[end] = '\n';
  (void)fwrite(line, 1, end + 1, log->terminal);
  (void)fflush(log->terminal);
}

/* Universal time: the hosts of a run, or of its next attempt, may be set to different zones. */
static bool write_date(FILE *file) {
  char date[32];
  struct tm parts;
  const time_t now = time(NULL);
  if (!gmtime_r(&now, &parts)) return false;
  if (strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ ", &parts) == 0) return false;
  return fputs(date, file) >= 0;
}

/* A full disk must not end a training run for its log's sake: the file is given up, once. */
static void file_line(trm_log *log, const char *prefix, const char *format, va_list args) {
  if (!log->file) return;
  const bool good = write_date(log->file) && fputs(prefix, log->file) >= 0 &&
                    vfprintf(log->file, format, args) >= 0 && fputc('\n', log->file) != EOF &&
                    fflush(log->file) == 0;
  if (good) return;
  const int error = errno;
  (void)fclose(log->file);
  log->file = NULL;
  trm_log_warn(log, "the log file cannot be written (%s); this run's log stops here",
               strerror(error));
}

static void both_lines(trm_log *log, const char *prefix, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  terminal_line(log, prefix, format, args);
  file_line(log, prefix, format, again);
  va_end(again);
}

void trm_log_line(trm_log *log, const char *format, ...) {
  va_list args;
  va_start(args, format);
  both_lines(log, "", format, args);
  va_end(args);
}

void trm_log_warn(trm_log *log, const char *format, ...) {
  va_list args;
  va_start(args, format);
  both_lines(log, "warning: ", format, args);
  va_end(args);
}

/* Columns a progress line may fill: one that wraps could not be rewritten in place. */
static size_t terminal_columns(FILE *terminal) {
  struct winsize size;
  if (ioctl(fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return 79;
  return (size_t)size.ws_col - 1;
}

/* Bytes of `text` that fill at most `columns`, one for each UTF-8 character. */
static size_t bytes_in_columns(const char *text, size_t columns) {
  size_t i = 0;
  for (; text[i]; ++i) {
    const bool starts = ((unsigned char)text[i] & 0xC0) != 0x80;
    if (starts && columns-- == 0) break;
  }
  return i;
}

/* `always`: also when the last one was shown a moment ago, so that the end of a run is seen. */
static void terminal_rewrite(trm_log *log, bool always, const char *format, va_list args) {
  char text[512];
  const double now_s = trm_clock_s();
  if (!always && now_s - log->progress_last_s < progress_interval_s) return;
  log->progress_last_s = now_s;
  const int before =
      log->title ? snprintf(text, sizeof text / 2, "%s: ", log->title) : 0; /* one with room left */
  if (before < 0 || before >= (int)sizeof text / 2) return;
  if (vsnprintf(text + before, sizeof text - (size_t)before, format, args) < 0) return;
  const size_t n = bytes_in_columns(text, terminal_columns(log->terminal));
  (void)fprintf(log->terminal, CLEAR_LINE "%.*s", (int)n, text);
  (void)fflush(log->terminal);
  log->progress_shown = true;
}

void trm_log_note(trm_log *log, const char *format, ...) {
  va_list args;
  va_start(args, format);
  file_line(log, "", format, args);
  va_end(args);
}

void trm_log_progress(trm_log *log, bool keep, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  if (log->is_terminal && !is_quiet) {
    terminal_rewrite(log, keep, format, args);
  } else if (keep) {
    terminal_line(log, "", format, args);
  }
  if (keep) file_line(log, "", format, again);
  va_end(again);
  va_end(args);
}

void trm_log_close(trm_log *log) {
  if (log->progress_shown) {
    (void)fputc('\n', log->terminal);
    (void)fflush(log->terminal);
  }
  log->progress_shown = false;
  if (log->file && fclose(log->file) != 0) {
    log->file = NULL;
    trm_log_warn(log, "the log file could not be closed (%s); its end may be missing",
                 strerror(errno));
  }
  log->file = NULL;
}

void trm_format_duration(double seconds, char text[32]) {
  if (!(seconds >= 0 && seconds < 1e12)) {
    (void)snprintf(text, 32, "unknown");
    return;
  }
  const long long s = (long long)(seconds + 0.5);
  if (s < 60) {
    (void)snprintf(text, 32, "%lld s", s);
  } else if (s < 3600) {
    (void)snprintf(text, 32, "%lld min %02lld s", s / 60, s % 60);
  } else {
    (void)snprintf(text, 32, "%lld h %02lld min", s / 3600, s % 3600 / 60);
  }
}

void trm_format_count(long long n, char text[32]) {
  char digits[24];
  const unsigned long long size = n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n;
  const int count = snprintf(digits, sizeof digits, "%llu", size);
  size_t out = 0;
  if (n < 0) text[out++] = '-';
  for (int i = 0; i < count; ++i) {
    if (i > 0 && (count - i) % 3 == 0) text[out++] = ',';
    text[out++] = digits[i];
  }
  text[out] = '\0';
}
