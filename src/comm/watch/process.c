/* What /proc says of a process. Nothing here allocates or formats, so that it works in a process just
 * forked from one with threads. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "watch_internal.h"

/* "/proc/PID/stat". */
static void stat_path(int32_t pid, char path[32]) {
  char digits[12];
  int n = 0;
  do {
    digits[n++] = (char)('0' + pid % 10);
    pid /= 10;
  } while (pid > 0);
  memcpy(path, "/proc/", 6);
  char *at = path + 6;
  while (n > 0) *at++ = digits[--n];
  memcpy(at, "/stat", 6);
}

/* The number that begins at *at; *at is left behind it. */
static uint64_t read_number(const char **at) {
  uint64_t value = 0;
  for (; **at >= '0' && **at <= '9'; ++*at) value = value * 10 + (uint64_t)(**at - '0');
  return value;
}

/* The field `number` of the line, counted from 1; `at` is at the state, which is the third. A name
 * may hold spaces and parentheses, so fields are counted from the last parenthesis. */
static const char *field(const char *at, int number) {
  for (int i = 3; i < number && *at; ++i) {
    while (*at && *at != ' ') ++at;
    if (*at) ++at;
  }
  return at;
}

trm_process trm_process_look(int32_t pid) {
  enum { STATE = 3, PARENT = 4, STARTED = 22 };
  trm_process process = {.pid = pid, .state = 'X'};
  char path[32], text[1024];
  if (pid <= 0) return process;
  stat_path(pid, path);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return process;
  const ssize_t n = read(file, text, sizeof text - 1);
  (void)close(file);
  if (n <= 0) return process;
  text[n] = '\0';
  const char *open_at = strchr(text, '('), *close_at = strrchr(text, ')');
  if (!open_at || !close_at || close_at < open_at || close_at[1] != ' ') return process;
  const size_t length = (size_t)(close_at - open_at - 1);
  memcpy(process.name, open_at + 1,
         length < sizeof process.name ? length : sizeof process.name - 1);
  const char *state = close_at + 2;
  const char *parent = field(state, PARENT), *started = field(state, STARTED);
  process.state = *field(state, STATE);
  process.parent = (int32_t)read_number(&parent);
  process.started = read_number(&started);
  return process;
}

bool trm_process_lives(const trm_process *process) {
  const trm_process now = trm_process_look(process->pid);
  return now.started == process->started && now.state != 'X' && now.state != 'Z';
}
