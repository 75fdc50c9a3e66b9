/* The log on a terminal, on a plain stream and in a file. */
#include "trireme/core/log.h"

#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"
#include "trireme/core/clock.h"

static char folder[4096];

static void read_whole(const char *path, char *text, size_t n) {
  FILE *file = fopen(path, "r");
  text[0] = '\0';
  if (!CHECK(file != NULL)) return;
  text[fread(text, 1, n - 1, file)] = '\0';
  CHECK_EQ(fclose(file), 0);
}

/* A plain stream gets whole lines, and progress only when it is to be kept. */
static void test_stream_and_file(void) {
  char terminal_path[4200], file_path[4200], text[4096];
  regex_t pattern;
  trm_log log;
  (void)snprintf(terminal_path, sizeof terminal_path, "%s/stream", folder);
  (void)snprintf(file_path, sizeof file_path, "%s/log.txt", folder);
  FILE *stream = fopen(terminal_path, "w");
  if (!CHECK(stream != NULL)) return;
  trm_log_init(&log, stream);
  CHECK(!log.is_terminal);
  trm_log_line(&log, "before %s", "the file");
  if (!CHECK_OK(trm_log_open_file(&log, file_path))) return;
  trm_log_line(&log, "layers: %d", 4);
  trm_log_warn(&log, "two threads on core %d", 1);
  trm_log_progress(&log, false, "step 1");
  trm_log_progress(&log, true, "step 2");
  trm_log_close(&log);
  CHECK(log.file == NULL);
  trm_log_close(&log);
  if (!CHECK_OK(trm_log_open_file(&log, file_path))) return; /* appends */
  trm_log_line(&log, "resumed");
  trm_log_close(&log);
  CHECK_EQ(fclose(stream), 0);

  read_whole(terminal_path, text, sizeof text);
  CHECK_STR(text, "before the file\nlayers: 4\nwarning: two threads on core 1\nstep 2\nresumed\n");
  read_whole(file_path, text, sizeof text);
#define DATE "20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z "
  CHECK_EQ(regcomp(&pattern,
                   "^" DATE "layers: 4\n" DATE "warning: two threads on core 1\n" DATE
                   "step 2\n" DATE "resumed\n$",
                   REG_EXTENDED | REG_NOSUB),
           0);
  if (!CHECK_EQ(regexec(&pattern, text, 0, NULL, 0), 0)) fprintf(stderr, "%s", text);
  regfree(&pattern);
}

static void test_bad_files(void) {
  char path[4200], text[4096];
  trm_log log;
  trm_log_init(&log, NULL);
  (void)snprintf(path, sizeof path, "%s/none/log.txt", folder);
  CHECK_EQ(trm_log_open_file(&log, path), TRM_ERR_IO);
  CHECK_HAS(trm_message(), path);
  CHECK_HAS(trm_message(), "No such file");
  trm_log_line(&log, "to nobody");
  trm_log_progress(&log, true, "to nobody");

  /* A full disk: one warning, and the run's log goes on at the terminal. */
  if (access("/dev/full", W_OK) != 0) return;
  (void)snprintf(path, sizeof path, "%s/full", folder);
  FILE *stream = fopen(path, "w");
  if (!CHECK(stream != NULL)) return;
  trm_log_init(&log, stream);
  CHECK_OK(trm_log_open_file(&log, "/dev/full"));
  trm_log_line(&log, "one");
  trm_log_line(&log, "two");
  trm_log_close(&log);
  CHECK_EQ(fclose(stream), 0);
  read_whole(path, text, sizeof text);
  CHECK_STR(text, "one\nwarning: the log file cannot be written (No space left on device); this "
                  "run's log stops here\ntwo\n");
}

/* A pseudo terminal of `columns`, raw; its far end in *master. NULL when the system has none. */
static FILE *open_terminal(int *master, int columns) {
  *master = posix_openpt(O_RDWR | O_NOCTTY);
  if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0) return NULL;
  const char *name = ptsname(*master);
  const int fd = name ? open(name, O_RDWR | O_NOCTTY) : -1;
  struct termios modes;
  struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
  if (fd < 0 || tcgetattr(fd, &modes) != 0) return NULL;
  cfmakeraw(&modes);
  if (tcsetattr(fd, TCSANOW, &modes) != 0 || ioctl(fd, TIOCSWINSZ, &size) != 0) return NULL;
  return fdopen(fd, "w");
}

/* What was written to the terminal so far; the marker is written to know where it ends. */
static void read_terminal(FILE *terminal, int master, char *text, size_t n) {
  size_t used = 0;
  CHECK(fputc('@', terminal) == '@' && fflush(terminal) == 0);
  while (used < n - 1) {
    const ssize_t got = read(master, text + used, 1);
    if (got != 1 || text[used] == '@') break;
    ++used;
  }
  text[used] = '\0';
}

static bool test_terminal(void) {
  char text[8192];
  int master = -1;
  trm_log log;
  FILE *terminal = open_terminal(&master, 20);
  if (!terminal) return false;
  trm_log_init(&log, terminal);
  CHECK(log.is_terminal);
  trm_log_progress(&log, false, "step %d", 1);
  trm_log_line(&log, "saved");
  trm_log_line(&log, "done");
  read_terminal(terminal, master, text, sizeof text);
  CHECK_STR(text, "\r\033[Kstep 1\r\033[Ksaved\ndone\n");

  /* Not more than ten a second. */
  const double start_s = trm_clock_s();
  int64_t tries = 0;
  for (; trm_clock_s() - start_s < 0.35; ++tries) trm_log_progress(&log, false, "s");
  const double taken_s = trm_clock_s() - start_s;
  read_terminal(terminal, master, text, sizeof text);
  int64_t shown = 0;
  for (const char *p = text; (p = strstr(p, "\033[Ks")); ++p) ++shown;
  CHECK(tries > 20);
  CHECK(shown >= 1 && (double)shown <= taken_s * 10 + 1);

  /* Longer than the terminal is wide: cut one column short, by characters. */
  trm_sleep_s(0.11);
  trm_log_progress(&log, false, "%s", "123456789 äöü 567890123456");
  trm_log_close(&log);
  read_terminal(terminal, master, text, sizeof text);
  CHECK_STR(text, "\r\033[K123456789 äöü 56789\n");
  CHECK_EQ(fclose(terminal), 0);
  CHECK_EQ(close(master), 0);
  return true;
}

static void check_duration(double seconds, const char *want) {
  char text[32];
  trm_format_duration(seconds, text);
  CHECK_STR(text, want);
}

static void check_count(long long n, const char *want) {
  char text[32];
  trm_format_count(n, text);
  CHECK_STR(text, want);
}

static void test_formats(void) {
  check_duration(0, "0 s");
  check_duration(12.3, "12 s");
  check_duration(59.4, "59 s");
  check_duration(59.6, "1 min 00 s");
  check_duration(185, "3 min 05 s");
  check_duration(3599.9, "1 h 00 min");
  check_duration(3720, "1 h 02 min");
  check_duration(360000, "100 h 00 min");
  check_duration(-1, "unknown");
  check_duration(0.0 / 0.0, "unknown");
  check_duration(1e300, "unknown");
  check_count(0, "0");
  check_count(999, "999");
  check_count(1000, "1,000");
  check_count(1234567, "1,234,567");
  check_count(-12345, "-12,345");
  check_count(LLONG_MAX, "9,223,372,036,854,775,807");
  check_count(LLONG_MIN, "-9,223,372,036,854,775,808");
}

int main(void) {
  (void)snprintf(folder, sizeof folder, "%s", check_temp_folder());
  test_stream_and_file();
  test_bad_files();
  test_formats();
  const bool has_terminal = test_terminal();
  if (!has_terminal && check_verdict() == 0) return check_skip("no pseudo terminal here");
  return check_verdict();
}
