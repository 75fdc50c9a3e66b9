/* Truncated and bit-flipped checkpoints: each is refused or gives the saved data, never other data.
 *
 * With its seal, damage is seen before HDF5 sees the file, so nothing may crash. Without the seal
 * (as a file that another tool wrote), damage of HDF5's own structures may crash the library: the
 * readings run in child processes, a crash counts as a refusal. */
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
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/io/files.h"

/* A child's own failure; 1 is what a sanitizer ends it with when HDF5 goes astray. */
enum { CHILD_FAILED = 99 };
enum { STEP = 7, SEAL_BYTES = 32, N_SEALED_FLIPS = 1000, N_BARE_FLIPS = 1500 };

typedef enum outcome { NOT_TRIED, SAME, REFUSED, WRONG, CRASHED } outcome;

static char base[PATH_MAX], victim[PATH_MAX + 32];
static char *good_bytes;
static int64_t n_good_bytes;
static ckpt_fixture fixture;

/* A changed copy of the good file: its first `bytes` bytes, with bit `flip` changed (< 0: none). */
typedef struct damage {
  int64_t bytes, flip;
} damage;

static bool make_victim(const damage *d) {
  FILE *file = fopen(victim, "wb");
  if (!file) return false;
  if (d->flip >= 0) good_bytes[d->flip / 8] = (char)(good_bytes[d->flip / 8] ^ (1 << d->flip % 8));
  const bool good = fwrite(good_bytes, 1, (size_t)d->bytes, file) == (size_t)d->bytes;
  if (d->flip >= 0) good_bytes[d->flip / 8] = (char)(good_bytes[d->flip / 8] ^ (1 << d->flip % 8));
  return fclose(file) == 0 && good;
}

static outcome read_victim(void) {
  trm_ckpt_info info = {0};
  ckpt_fixture_clear(&fixture);
  const trm_status verified = trm_ckpt_verify(victim);
  const trm_status info_read = trm_ckpt_read_info(victim, &info);
  const trm_status read = trm_ckpt_read_regions(victim, fixture.regions, FIXTURE_REGIONS);
  const bool same_facts = info_read != TRM_OK || ckpt_fixture_has_facts(&info, STEP);
  const bool same_weights = read != TRM_OK || ckpt_fixture_has_weights(&fixture, STEP);
  trm_ckpt_info_free(&info);
  if (!same_facts || !same_weights) return WRONG;
  if (verified == TRM_OK && (info_read != TRM_OK || read != TRM_OK)) return WRONG;
  return read == TRM_OK && info_read == TRM_OK ? SAME : REFUSED;
}

/* Tries all damages in children, each going on where the last one crashed. */
static void try_all(const damage *damages, int n, outcome *outcomes) {
  const size_t bytes = (size_t)n * sizeof *outcomes;
  outcome *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!CHECK(shared != MAP_FAILED)) exit(1);
  for (int at = 0; at < n;) {
    const pid_t pid = fork();
    if (pid == 0) {
      const struct rlimit no_core = {0, 0};
      if (setrlimit(RLIMIT_CORE, &no_core) < 0 || !freopen("/dev/null", "w", stderr))
        _exit(CHILD_FAILED);
      for (; at < n; ++at) {
        alarm(30);
        if (!make_victim(&damages[at])) _exit(CHILD_FAILED);
        shared[at] = CRASHED;
        shared[at] = read_victim();
      }
      _exit(0);
    }
    int status = 0;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (!CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_FAILED))) break;
    while (at < n && shared[at] != NOT_TRIED) ++at;
  }
  memcpy(outcomes, shared, bytes);
  CHECK_EQ(munmap(shared, bytes), 0);
}

/* Counts, after checking that none is wrong; a damage that is wrong is printed. */
static void count(const damage *damages, int n, int counts[CRASHED + 1]) {
  outcome *outcomes = calloc((size_t)n, sizeof *outcomes);
  if (!CHECK(outcomes != NULL)) exit(1);
  memset(counts, 0, (CRASHED + 1) * sizeof *counts);
  try_all(damages, n, outcomes);
  for (int i = 0; i < n; ++i) {
    ++counts[outcomes[i]];
    if (outcomes[i] == WRONG || outcomes[i] == NOT_TRIED) {
      fprintf(stderr, "outcome %d with %lld bytes, bit %lld changed\n", (int)outcomes[i],
              (long long)damages[i].bytes, (long long)damages[i].flip);
    }
  }
  CHECK_EQ(counts[WRONG], 0);
  CHECK_EQ(counts[NOT_TRIED], 0);
  free(outcomes);
}

static void test_truncation(void) {
  static damage damages[4096];
  int n = 0, counts[CRASHED + 1];
  for (int64_t bytes = 0; bytes < n_good_bytes; bytes += 4096) damages[n++] = (damage){bytes, -1};
  for (int64_t cut = 0; cut < 100; ++cut) damages[n++] = (damage){n_good_bytes - cut, -1};
  count(damages, n, counts);
  CHECK_EQ(counts[SAME], SEAL_BYTES + 1); /* whole, or only (a part of) the seal is lost */
  CHECK_EQ(counts[REFUSED], n - SEAL_BYTES - 1);
}

static int64_t random_below(uint64_t i, int64_t n) {
  const trm_random_key key = trm_random_key_make(11, TRM_RANDOM_TEST, 0, 0);
  return (int64_t)trm_random_below(key, i, 0, (uint64_t)n);
}

static void test_flips(void) {
  static damage damages[N_SEALED_FLIPS > N_BARE_FLIPS ? N_SEALED_FLIPS : N_BARE_FLIPS];
  int counts[CRASHED + 1];
  for (int i = 0; i < N_SEALED_FLIPS; ++i) {
    damages[i] = (damage){n_good_bytes, random_below((uint64_t)i, 8 * (n_good_bytes - SEAL_BYTES))};
  }
  count(damages, N_SEALED_FLIPS, counts);
  CHECK_EQ(counts[REFUSED], N_SEALED_FLIPS);

  /* Without a seal; flips of structures, of which there are few, are sought out. */
  const int64_t bare = n_good_bytes - SEAL_BYTES;
  for (int i = 0; i < N_BARE_FLIPS; ++i) {
    damages[i] = (damage){bare, random_below((uint64_t)i, 8 * (i % 2 ? bare : 4096))};
  }
  count(damages, N_BARE_FLIPS, counts);
  CHECK(counts[REFUSED] + counts[CRASHED] > N_BARE_FLIPS / 3);
}

int main(void) {
  trm_ckpt_store *store = NULL;
  char path[PATH_MAX];
  snprintf(base, sizeof base, "%s", check_temp_folder());
  snprintf(victim, sizeof victim, "%s/victim.h5", base);
  ckpt_fixture_fill(&fixture, STEP);
  CHECK_OK(trm_ckpt_store_open(base, 1, &store));
  CHECK_OK(trm_ckpt_save(store, &fixture.info, fixture.regions, FIXTURE_REGIONS, false));
  CHECK_OK(trm_ckpt_store_close(&store));
  CHECK_OK(trm_path_join(path, sizeof path, base, "step_00000007.h5"));
  if (!CHECK_OK(trm_file_read_all(path, 1 << 24, &good_bytes, &n_good_bytes))) return 1;
  test_truncation();
  test_flips();
  TRM_FREE(good_bytes);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
