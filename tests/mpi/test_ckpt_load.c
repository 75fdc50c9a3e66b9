/* Loading on all ranks: all get what rank 0 reads, and all get its failure. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "ckpt_fixture.h"
#include "trireme/core/memory.h"

enum { STEP = 41 };

static ckpt_fixture fixture;

/* Rank 0 saves; all learn the folder. */
static void save(trm_comm *comm, char folder[PATH_MAX]) {
  if (trm_comm_rank(comm) == 0) {
    trm_ckpt_store *store = NULL;
    snprintf(folder, PATH_MAX, "%s", check_temp_folder());
    ckpt_fixture_fill(&fixture, STEP);
    CHECK_OK(trm_ckpt_store_open(folder, 1, &store));
    CHECK_OK(trm_ckpt_save(store, &fixture.info, fixture.regions, FIXTURE_REGIONS, false));
    CHECK_OK(trm_ckpt_store_close(&store));
  }
  CHECK_OK(trm_comm_broadcast(comm, folder, PATH_MAX, 0));
}

static void test_load(trm_comm *comm, const char *path) {
  trm_ckpt_info info = {0};
  ckpt_fixture_clear(&fixture);
  CHECK_OK(trm_ckpt_load_all(comm, path, &info, fixture.regions, FIXTURE_REGIONS));
  CHECK(ckpt_fixture_has_facts(&info, STEP));
  CHECK(ckpt_fixture_has_weights(&fixture, STEP));
  trm_ckpt_info_free(&info);
}

static void test_failure(trm_comm *comm, const char *path) {
  trm_ckpt_info info = {.step = -3};
  ckpt_fixture_clear(&fixture);
  CHECK_EQ(trm_ckpt_load_all(comm, "/nowhere/x.h5", &info, fixture.regions, FIXTURE_REGIONS),
           TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "/nowhere/x.h5: cannot be opened: no such file");
  if (trm_comm_size(comm) > 1) CHECK_HAS(trm_message(), "rank 0 (");
  fixture.regions[0].dims[0] = 65;
  fixture.regions[0].dims[1] = 31; /* fits in the memory it has */
  CHECK_EQ(trm_ckpt_load_all(comm, path, &info, fixture.regions, FIXTURE_REGIONS), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "'model/blocks/0/w' is 64 x 32 there and 65 x 31 here");
  CHECK_EQ(info.step, -3);
  CHECK(info.config_text == NULL);
}

/* One rank has no memory: all fail, none hangs, nothing is lost. */
static void test_no_memory(trm_comm *comm, const char *path) {
  const int victim = trm_comm_size(comm) - 1;
  for (int64_t n = 0; n < 100; ++n) {
    trm_ckpt_info info = {0};
    const int64_t before = trm_alloc_counts_get().live_blocks;
    ckpt_fixture_clear(&fixture);
    if (trm_comm_rank(comm) == victim) trm_alloc_fail_after(n);
    const trm_status status =
        trm_ckpt_load_all(comm, path, &info, fixture.regions, FIXTURE_REGIONS);
    trm_alloc_fail_after(-1);
    trm_ckpt_info_free(&info);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, before);
    if (status == TRM_OK) {
      CHECK(n > 3);
      return;
    }
    CHECK_EQ(status, TRM_ERR_MEMORY);
  }
  CHECK(false && "100 failed allocations are enough");
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  char folder[PATH_MAX] = "", path[PATH_MAX + 32];
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return 1;
  save(comm, folder);
  snprintf(path, sizeof path, "%s/step_%08d.h5", folder, STEP);
  test_load(comm, path);
  test_failure(comm, path);
  test_no_memory(comm, path);
  CHECK_OK(trm_comm_agree(comm, check_verdict() == 0 ? TRM_OK : TRM_ERR_INTERNAL));
  trm_comm_finalize(&comm);
  return check_verdict();
}
