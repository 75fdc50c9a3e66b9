/* A writer killed at random moments: the newest checkpoint is found and right, and no older than the
 * last one that was reported as published. */
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ckpt_fixture.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/io/files.h"

enum { N_KILLS = 80, KEEP = 2 };

static char folder[PATH_MAX];
static ckpt_fixture fixture;

/* Saves step after step until it is killed; tells when one is published. */
static _Noreturn void write_for_ever(int64_t step, _Atomic int64_t *published) {
  trm_ckpt_store *store = NULL;
  if (trm_ckpt_store_open(folder, KEEP, &store) != TRM_OK) _exit(1);
  for (;; ++step) {
    ckpt_fixture_fill(&fixture, step);
    if (trm_ckpt_save(store, &fixture.info, fixture.regions, FIXTURE_REGIONS, step % 3 == 0)) break;
    if (trm_ckpt_wait(store) != TRM_OK) break;
    atomic_store(published, step);
  }
  fprintf(stderr, "writer: %s\n", trm_message());
  _exit(1);
}

static bool holds(const char *path, int64_t *step) {
  trm_ckpt_info info = {0};
  ckpt_fixture_clear(&fixture);
  bool good = CHECK_OK(trm_ckpt_read_info(path, &info)) &&
              CHECK_OK(trm_ckpt_read_regions(path, fixture.regions, FIXTURE_REGIONS));
  *step = good ? info.step : -1;
  good = good && ckpt_fixture_has_facts(&info, *step) && ckpt_fixture_has_weights(&fixture, *step);
  trm_ckpt_info_free(&info);
  return good;
}

static void report(void *context, const char *message) {
  (void)context;
  CHECK(false && "no published checkpoint is damaged by a kill");
  fprintf(stderr, "%s\n", message);
}

int main(void) {
  _Atomic int64_t *published =
      mmap(NULL, sizeof *published, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!CHECK(published != MAP_FAILED)) return 1;
  snprintf(folder, sizeof folder, "%s", check_temp_folder());
  const trm_random_key key = trm_random_key_make(5, TRM_RANDOM_TEST, 0, 0);
  int64_t newest = 0;
  int n_leftovers = 0;
  double longest_life_s = 0.05; /* doubled while a writer's life is too short for one checkpoint */
  atomic_store(published, 0);
  for (int i = 0; i < N_KILLS; ++i) {
    char path[PATH_MAX], **names = NULL;
    int status = 0, n = 0;
    const pid_t pid = fork();
    if (pid == 0) write_for_ever(newest + 1, published);
    trm_sleep_s(longest_life_s * trm_random_uniform(key, (uint64_t)i, 0));
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_OK(trm_folder_list(folder, ".", "", &names, &n));
    for (int k = 0; k < n; ++k) n_leftovers += strstr(names[k], ".tmp-") != NULL;
    TRM_FREE(names);
    CHECK_OK(trm_ckpt_find_newest(folder, path, sizeof path, report, NULL));
    if (path[0] == 0) {
      longest_life_s *= 2;
      CHECK_EQ(atomic_load(published), 0);
      continue;
    }
    CHECK(holds(path, &newest));
    CHECK(newest >= atomic_load(published));
    CHECK_OK(trm_path_join(path, sizeof path, folder, "best.h5"));
    int64_t best = 0;
    if (trm_path_exists(path)) CHECK(holds(path, &best) && best % 3 == 0);
  }
  CHECK(newest > 0);
  CHECK(n_leftovers > 0); /* some kills struck in the middle of a file */
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
