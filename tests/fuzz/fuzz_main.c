/**
 * Runs a harness without libFuzzer: every file of a corpus, then random changes of them.
 *
 *   fuzz_NAME FOLDER|FILE [seconds [seed]]     default 0 s, seed 1
 *
 * An input at which the harness ends badly is left as crash-NAME.bin, and named.
 */
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "trireme/core/clock.h"
#include "trireme/core/random.h"

enum { MOST_FILES = 512, MOST_BYTES = 1 << 16, HANG_S = 60 };

static uint8_t *seeds[MOST_FILES], current[MOST_BYTES];
static size_t sizes[MOST_FILES], current_size;
static int n_seeds;
static char crash_path[PATH_MAX];
static trm_random_key key;
static uint64_t drawn;

/* Async-signal-safe: the input is written as it lies. */
static void keep_input(int signal_number) {
  FILE *file = fopen(crash_path, "wb");
  if (file) {
    (void)fwrite(current, 1, current_size, file);
    (void)fclose(file);
  }
  (void)fprintf(stderr, "signal %d at the input kept as %s\n", signal_number, crash_path);
  (void)signal(signal_number, SIG_DFL);
  (void)raise(signal_number);
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_seed(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || n_seeds == MOST_FILES) {
    perror(path);
    exit(1);
  }
  seeds[n_seeds] = malloc(MOST_BYTES);
  if (!seeds[n_seeds]) exit(1);
  sizes[n_seeds] = fread(seeds[n_seeds], 1, MOST_BYTES, file);
  ++n_seeds;
  (void)fclose(file);
}

/* In the order of names, so that a seed means the same everywhere. */
static void read_corpus(const char *path) {
  char *names[MOST_FILES], whole[PATH_MAX];
  int n = 0;
  struct stat facts;
  if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode)) {
    read_seed(path);
    return;
  }
  DIR *folder = opendir(path);
  if (!folder) {
    perror(path);
    exit(1);
  }
  for (struct dirent *entry; (entry = readdir(folder)) != NULL && n < MOST_FILES;) {
    if (entry->d_name[0] != '.') names[n++] = strdup(entry->d_name);
  }
  (void)closedir(folder);
  qsort(names, (size_t)n, sizeof *names, compare_names);
  for (int i = 0; i < n; ++i) {
    (void)snprintf(whole, sizeof whole, "%s/%s", path, names[i]);
    read_seed(whole);
    free(names[i]);
  }
}

static size_t draw(size_t below) {
  return below == 0 ? 0 : (size_t)trm_random_below(key, drawn++, 0, below);
}

/* One change: a byte, a number, bytes taken out, bytes repeated, or a piece of another file. */
static void change(void) {
  const size_t at = draw(current_size);
  size_t n = 1 + draw(8);
  static const uint8_t liked[] = {0, 1, 0x7f, 0x80, 0xff, ' ', '\n', '-', '9', ',', ':', '"'};
  switch (draw(5)) {
  case 0:
    if (current_size > 0) current[at] = (uint8_t)draw(256);
    return;
  case 1:
    if (current_size > 0) current[at] = liked[draw(sizeof liked)];
    return;
  case 2:
    if (n > current_size - at) n = current_size - at;
    memmove(current + at, current + at + n, current_size - at - n);
    current_size -= n;
    return;
  case 3:
    if (n > current_size - at) n = current_size - at;
    break;
  default:
    break;
  }
  if (current_size + n > MOST_BYTES) return;
  uint8_t piece[8] = {0};
  const int other = (int)draw((size_t)n_seeds);
  const size_t from = draw(sizes[other]);
  if (n > sizes[other] - from) n = sizes[other] - from;
  memcpy(piece, seeds[other] + from, n);
  memmove(current + at + n, current + at, current_size - at);
  memcpy(current + at, piece, n);
  current_size += n;
}

static void try_current(void) {
  uint8_t *exact = malloc(current_size > 0 ? current_size : 1); /* so that reading past it shows */
  if (!exact) exit(1);
  memcpy(exact, current, current_size);
  alarm(HANG_S);
  (void)LLVMFuzzerTestOneInput(exact, current_size);
  alarm(0);
  free(exact);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    (void)fprintf(stderr, "%s FOLDER|FILE [seconds [seed]]\n", argv[0]);
    return 64;
  }
  const double seconds = argc > 2 ? strtod(argv[2], NULL) : 0;
  const uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
  static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
  for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; ++i) (void)signal(fatal[i], keep_input);
  (void)snprintf(crash_path, sizeof crash_path, "crash-%s.bin", basename(argv[0]));
  key = trm_random_key_make(seed, TRM_RANDOM_TEST, 0, 0);
  read_corpus(argv[1]);
  if (n_seeds == 0) {
    (void)fprintf(stderr, "%s: no files\n", argv[1]);
    return 1;
  }
  int64_t n = 0;
  for (int i = 0; i < n_seeds; ++i, ++n) {
    memcpy(current, seeds[i], current_size = sizes[i]);
    try_current();
  }
  for (const double end_s = trm_clock_s() + seconds; trm_clock_s() < end_s; ++n) {
    const int from = (int)draw((size_t)n_seeds);
    memcpy(current, seeds[from], current_size = sizes[from]);
    for (size_t changes = 1 + draw(6); changes > 0; --changes) change();
    try_current();
  }
  for (int i = 0; i < n_seeds; ++i) free(seeds[i]);
  if (seconds > 0) printf("%lld inputs\n", (long long)n);
  return 0;
}
