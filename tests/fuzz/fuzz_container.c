/* Random bytes of small valid HDF5 files are changed, and the files are read: data, attributes and
 * facts of a checkpoint.
 *
 * Each reading runs in a child process. HDF5 itself may crash on damaged structures; what is looked
 * for is trouble of ours: a failed assertion, a sanitizer's report from src/io or src/ckpt, a reading
 * that does not end, or a checkpoint read with success but with other contents.
 *
 *   fuzz_container [seconds [seed]]     default 10 s, seed 1; a bad file is kept and named */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ckpt_fixture.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/io/container.h"
#include "trireme/io/files.h"

enum { STEP = 3, N_SEEDS = 2, SEAL_BYTES = 32, FILES_A_CHILD = 50, WRONG_CODE = 3, HANG_S = 30 };

/* State the child leaves for the parent: the file it was at. */
typedef struct progress {
  uint64_t at;
} progress;

static char base[PATH_MAX], victim[PATH_MAX + 32], log_path[PATH_MAX + 32];
static char *seeds[N_SEEDS];
static int64_t seed_bytes[N_SEEDS];
static ckpt_fixture fixture;
static trm_random_key key;

static void make_container(const char *path) {
  trm_container *c = NULL;
  const int64_t dims[] = {4, 8};
  int32_t ints[32];
  float reals[32];
  for (int i = 0; i < 32; ++i) {
    ints[i] = i;
    reals[i] = (float)i;
  }
  CHECK_OK(trm_container_create(path, &c));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", "text"));
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_attr_write_real(c, "/group", "x", 0.5));
  CHECK_OK(trm_array_write(c, "/group/ints", TRM_DTYPE_I32, 2, dims, ints));
  CHECK_OK(trm_array_write(c, "/group/reals", TRM_DTYPE_F32, 2, dims, reals));
  CHECK_OK(trm_container_close(&c));
}

static void make_seeds(void) {
  char path[PATH_MAX + 32];
  trm_ckpt_store *store = NULL;
  snprintf(path, sizeof path, "%s/data.h5", base);
  make_container(path);
  CHECK_OK(trm_file_read_all(path, 1 << 24, &seeds[0], &seed_bytes[0]));
  ckpt_fixture_fill(&fixture, STEP);
  CHECK_OK(trm_ckpt_store_open(base, 1, &store));
  CHECK_OK(trm_ckpt_save(store, &fixture.info, fixture.regions, FIXTURE_REGIONS, false));
  CHECK_OK(trm_ckpt_store_close(&store));
  snprintf(path, sizeof path, "%s/step_00000003.h5", base);
  CHECK_OK(trm_file_read_all(path, 1 << 24, &seeds[1], &seed_bytes[1]));
  seed_bytes[1] -= SEAL_BYTES; /* with its seal nothing would get past the first look */
}

/* Draw i of file number n. */
static int64_t draw(uint64_t n, uint64_t i, int64_t below) {
  return (int64_t)trm_random_below(key, n, i, (uint64_t)below);
}

/* Changes 1 to 8 bytes, half of them among the first 4 KiB where most structures are. */
static bool make_victim(uint64_t n) {
  static char bytes[1 << 20];
  const int which = (int)(n % N_SEEDS);
  const int64_t total = seed_bytes[which];
  memcpy(bytes, seeds[which], (size_t)total);
  const int64_t changes = 1 + draw(n, 0, 8);
  for (uint64_t i = 1; i <= (uint64_t)changes; ++i) {
    const int64_t room = draw(n, 4 * i, 2) && total > 4096 ? 4096 : total;
    const int64_t at = draw(n, 4 * i + 1, room);
    static const unsigned char liked[] = {0, 1, 0x7f, 0x80, 0xff};
    const int64_t value = draw(n, 4 * i + 2, 256 + 5);
    bytes[at] = (char)(value < 256 ? value : liked[value - 256]);
  }
  FILE *file = fopen(victim, "wb");
  if (!file) return false;
  const bool good = fwrite(bytes, 1, (size_t)total, file) == (size_t)total;
  return fclose(file) == 0 && good;
}

static trm_status read_array(void *context, const char *name, const trm_array_info *info) {
  void *data = NULL;
  char *text = NULL;
  int64_t v;
  double x;
  TRM_TRY(trm_alloc_bytes(&data, info->n_elements, 8, "an array"));
  trm_status status = trm_array_read(context, name, TRM_DTYPE_F64, data, info->n_elements);
  if (status == TRM_OK)
    status = trm_array_read(context, name, TRM_DTYPE_I32, data, info->n_elements);
  if (trm_attr_read_text(context, name, "xxh3", &text) == TRM_OK) TRM_FREE(text);
  if (trm_attr_read_int(context, "/run", "step", &v) != TRM_OK) v = 0;
  if (trm_attr_read_real(context, "/group", "x", &x) != TRM_OK) x = 0;
  TRM_FREE(data);
  return status == TRM_ERR_MEMORY ? status : TRM_OK;
}

/* True unless a checkpoint was read with success and is not what was saved. */
static bool read_victim(void) {
  trm_container *c = NULL;
  trm_ckpt_info info = {0};
  char *text = NULL;
  if (trm_container_open(victim, &c) == TRM_OK) {
    if (trm_attr_read_text(c, "/", "kind", &text) == TRM_OK) TRM_FREE(text);
    if (trm_container_visit(c, read_array, c) != TRM_OK) text = NULL;
    if (trm_container_close(&c) != TRM_OK) text = NULL;
  }
  bool right = true;
  if (trm_ckpt_read_info(victim, &info) == TRM_OK) right = ckpt_fixture_has_facts(&info, STEP);
  trm_ckpt_info_free(&info);
  ckpt_fixture_clear(&fixture);
  if (trm_ckpt_read_regions(victim, fixture.regions, FIXTURE_REGIONS) == TRM_OK) {
    right = right && ckpt_fixture_has_weights(&fixture, STEP);
  }
  if (trm_ckpt_verify(victim) != TRM_OK) return right;
  return right && trm_alloc_counts_get().live_blocks <= N_SEEDS;
}

static _Noreturn void child(uint64_t from, uint64_t to, progress *shared) {
  const struct rlimit no_core = {0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) < 0 || !freopen(log_path, "w", stderr)) _exit(1);
  for (uint64_t n = from; n < to; ++n) {
    shared->at = n;
    alarm(HANG_S);
    if (!make_victim(n)) _exit(1);
    if (!read_victim()) _exit(WRONG_CODE);
  }
  shared->at = to;
  _exit(0);
}

/* Whether the dead child's words tell of trouble in our own code. */
static bool log_accuses_us(void) {
  char *text = NULL, *line, *rest;
  int64_t bytes = 0;
  bool ours = false;
  if (trm_file_read_all(log_path, 1 << 24, &text, &bytes) != TRM_OK) return false;
  for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    const bool verdict =
        strstr(line, "does not hold") || strstr(line, "SUMMARY:") || strstr(line, "runtime error:");
    if (verdict && (strstr(line, "src/io/") || strstr(line, "src/ckpt/"))) ours = true;
  }
  TRM_FREE(text);
  return ours;
}

static void accuse(uint64_t n, const char *what) {
  char kept[PATH_MAX + 64];
  snprintf(kept, sizeof kept, "%s/bad_%llu.h5", base, (unsigned long long)n);
  if (rename(victim, kept) != 0) perror(kept);
  fprintf(stderr, "file %llu: %s; kept as %s (log: %s)\n", (unsigned long long)n, what, kept,
          log_path);
  CHECK(false && "no damaged file brings our code to a fall");
}

int main(int argc, char **argv) {
  const double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
  const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  progress *shared =
      mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!CHECK(shared != MAP_FAILED)) return 1;
  snprintf(base, sizeof base, "%s", check_temp_folder());
  snprintf(victim, sizeof victim, "%s/victim.h5", base);
  snprintf(log_path, sizeof log_path, "%s/log", base);
  key = trm_random_key_make(seed, TRM_RANDOM_TEST, 0, 0);
  make_seeds();
  const double end_s = trm_clock_s() + seconds;
  uint64_t n = 0, n_crashes = 0;
  while (trm_clock_s() < end_s && check_verdict() == 0) {
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) child(n, n + FILES_A_CHILD, shared);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    const uint64_t at = shared->at;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      n = at;
      continue;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == WRONG_CODE) {
      accuse(at, "read with success, but the contents are others, or memory was lost");
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
      accuse(at, "the reading does not end");
    } else if (log_accuses_us()) {
      accuse(at, "an assertion or sanitizer points at src/io or src/ckpt");
    }
    ++n_crashes;
    n = at + 1;
  }
  CHECK(n > 100);
  if (argc > 1)
    printf("%llu files, HDF5 crashed on %llu\n", (unsigned long long)n,
           (unsigned long long)n_crashes);
  for (int i = 0; i < N_SEEDS; ++i) TRM_FREE(seeds[i]);
  return check_verdict();
}
