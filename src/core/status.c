#include "trireme/core/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local char stored[TRM_MESSAGE_BYTES];

static trm_abort_hook abort_hook;
static int abort_rank = -1; /* -1: not told yet, not printed */

/*
 * A message is one line of a terminal: names that came from outside may hold line feeds or escape
 * sequences, and a message cut off must not end inside a UTF-8 character. With `breaks` it is a message of
 * ours, in which failures were joined.
 */
static void message_store(const char *text, bool breaks) {
  size_t n = strnlen(text, TRM_MESSAGE_BYTES);
  const bool cut = n >= TRM_MESSAGE_BYTES - 1;
  if (cut) {
    n = TRM_MESSAGE_BYTES - 4;
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) --n;
  }
  memmove(stored, text, n);
  for (size_t i = 0; i < n; ++i) {
    const unsigned char c = (unsigned char)stored[i];
    if (breaks && c == TRM_MESSAGE_BREAK) continue;
    if (c < 0x20 || c == 0x7F) stored[i] = '?';
  }
  if (cut) {
    memcpy(stored + n, "...", 3);
    n += 3;
  }
  stored[n] = '\0';
}

trm_status trm_fail(trm_status status, const char *format, ...) {
  char text[TRM_MESSAGE_BYTES]; /* an argument may be trm_message() itself */
  va_list args;
  va_start(args, format);
  const int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  message_store(n >= 0 ? text : format, false);
  return status;
}

const char *trm_message(void) {
  return stored;
}

void trm_message_set(const char *message) {
  message_store(message, true);
}

void trm_failures_add(trm_failures *f, trm_status status) {
  enum { MORE_BYTES = 64 }; /* for the line that counts what is left out */
  if (status == TRM_OK) return;
  const size_t used = strlen(f->text);
  const size_t needed = strlen(stored) + (f->n > 0 ? 1 : 0);
  if (f->n == 0) f->status = status;
  ++f->n;
  if (used + needed + MORE_BYTES > sizeof f->text) {
    ++f->n_left_out;
    return;
  }
  (void)snprintf(f->text + used, sizeof f->text - used, "%s%s", used > 0 ? "\x1E" : "", stored);
}

trm_status trm_failures_end(const trm_failures *f) {
  char text[TRM_MESSAGE_BYTES + 64];
  if (f->status == TRM_OK) return TRM_OK;
  if (f->n == f->n_left_out) return f->status; /* the only one, which is stored */
  int n = snprintf(text, sizeof text, "%s", f->text);
  if (f->n_left_out > 0) {
    (void)snprintf(text + n, sizeof text - (size_t)n, "%cand %d more", TRM_MESSAGE_BREAK,
                   f->n_left_out);
  }
  message_store(text, true);
  return f->status;
}

trm_status trm_status_of_errno(int error) {
  return error == ENOENT ? TRM_ERR_MISSING : TRM_ERR_IO;
}

const char *trm_status_text(trm_status status) {
  switch (status) {
#define TRM_STATUS_TEXT(name, value, exit_code, text)                                              \
  case name:                                                                                       \
    return text;
    TRM_STATUS_LIST(TRM_STATUS_TEXT)
#undef TRM_STATUS_TEXT
  }
  return "unknown status";
}

int trm_status_exit_code(trm_status status) {
  switch (status) {
#define TRM_STATUS_EXIT(name, value, exit_code, text)                                              \
  case name:                                                                                       \
    return exit_code;
    TRM_STATUS_LIST(TRM_STATUS_EXIT)
#undef TRM_STATUS_EXIT
  }
  return trm_status_exit_code(TRM_ERR_INTERNAL);
}

void trm_abort_hook_set(trm_abort_hook hook, int rank) {
  abort_hook = hook;
  abort_rank = rank;
}

void trm_assert_failed(const char *expression, const char *file, int line) {
  char who[32] = "";
  if (abort_rank >= 0) (void)snprintf(who, sizeof who, "rank %d: ", abort_rank);
  /* A progress line may stand on the terminal; on a plain stream there is none to get away from. */
  const char *start = isatty(STDERR_FILENO) ? "\n" : "";
  (void)fprintf(stderr, "%sbug: %s%s:%d: '%s' does not hold; please report this line\n", start, who,
                file, line, expression);
  (void)fflush(stderr);
  if (abort_hook) abort_hook(trm_status_exit_code(TRM_ERR_INTERNAL));
  abort();
}
