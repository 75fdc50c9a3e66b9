/* Each I/O call of saving and of loading fails once: one message, nothing half-done stays, the
 * checkpoint before is whole. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io_internal.h"
#include "check.h"
#include "ckpt_fixture.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

static char base[PATH_MAX], folder[PATH_MAX + 32];
static ckpt_fixture wrote, got;
/* The steps of publication that have been seen to fail, so that none is left out (invariant 1). */
static bool fsync_failed, rename_failed, folder_fsync_failed, rows_failed;

static trm_status save(trm_ckpt_store *store, int64_t step) {
  ckpt_fixture_fill(&wrote, step);
  TRM_TRY(trm_ckpt_save(store, &wrote.info, wrote.regions, FIXTURE_REGIONS, true));
  return trm_ckpt_wait(store);
}

static bool holds(const char *path, int64_t step) {
  trm_ckpt_info info = {0};
  ckpt_fixture_clear(&got);
  bool good = CHECK_OK(trm_ckpt_verify(path)) && CHECK_OK(trm_ckpt_read_info(path, &info)) &&
              CHECK_OK(trm_ckpt_read_regions(path, got.regions, FIXTURE_REGIONS));
  good = good && info.step == step && ckpt_fixture_has_weights(&got, step);
  trm_ckpt_info_free(&info);
  return good;
}

/* No temporary file is in the folder. */
static void expect_clean(void) {
  char **names = NULL;
  int n = 0;
  CHECK_OK(trm_folder_list(folder, ".", "", &names, &n));
  for (int i = 0; i < n; ++i) {
    if (!CHECK(!strstr(names[i], ".tmp-"))) fprintf(stderr, "left behind: %s\n", names[i]);
  }
  TRM_FREE(names);
}

/* The n-th call of saving step 2 (with best) over step 1 fails; false when there is no n-th. */
static bool fail_save(int64_t n, int error) {
  trm_ckpt_store *store = NULL;
  char path[PATH_MAX], best[PATH_MAX];
  snprintf(folder, sizeof folder, "%s/%d-%d", base, error, (int)n);
  CHECK_OK(trm_ckpt_store_open(folder, 1, &store));
  CHECK_OK(trm_path_join(path, sizeof path, folder, "rows.csv"));
  CHECK_OK(trm_ckpt_accompany(store, folder, "rows.csv"));
  CHECK_OK(save(store, 1)); /* a companion that is not there harms nothing */
  CHECK_OK(trm_file_write_atomic(path, "rows", 4));
  trm_io_fault_set(n, error);
  trm_message_set("");
  const trm_status status = save(store, 2);
  const bool struck = trm_io_fault_struck();
  trm_io_fault_set(-1, 0);
  CHECK_EQ(status, struck ? TRM_ERR_IO : TRM_OK);
  if (struck) {
    char text[TRM_IO_ERROR_BYTES];
    CHECK_HAS(trm_message(), trm_io_error_text(error, text));
    CHECK_HAS(trm_message(), folder);
    CHECK(!strchr(trm_message(), '\n'));
    if (strstr(trm_message(), "step_00000002.h5: cannot be brought to disk")) fsync_failed = true;
    if (strstr(trm_message(), "step_00000002.h5: cannot be put in place")) rename_failed = true;
    if (strstr(trm_message(), "step_00000002.h5: its folder")) folder_fsync_failed = true;
    if (strstr(trm_message(), "rows.csv: cannot be brought to disk")) rows_failed = true;
    CHECK(!strstr(trm_message(), ".tmp-"));
  }
  expect_clean();
  CHECK_OK(trm_ckpt_find_newest(folder, path, sizeof path, NULL, NULL));
  const bool published = strstr(path, "step_00000002.h5") != NULL;
  CHECK(holds(path, published ? 2 : 1));
  CHECK(struck || published);
  CHECK(trm_ckpt_newest_step(store) == 2 ? published : true);
  CHECK_OK(trm_path_join(best, sizeof best, folder, "best.h5"));
  trm_ckpt_info info = {0};
  CHECK_OK(trm_ckpt_read_info(best, &info));
  CHECK(info.step == 1 || published);
  CHECK(holds(best, info.step));
  trm_ckpt_info_free(&info);
  /* And the store goes on. */
  CHECK_OK(save(store, 3));
  CHECK_OK(trm_path_join(path, sizeof path, folder, "step_00000003.h5"));
  CHECK(holds(path, 3) && holds(best, 3));
  CHECK_OK(trm_ckpt_store_close(&store));
  return struck;
}

static trm_status load(const char *path) {
  trm_ckpt_info info = {0};
  ckpt_fixture_clear(&got);
  TRM_TRY(trm_ckpt_verify(path));
  TRM_TRY(trm_ckpt_read_info(path, &info));
  trm_ckpt_info_free(&info);
  return trm_ckpt_read_regions(path, got.regions, FIXTURE_REGIONS);
}

static bool fail_load(int64_t n, const char *path) {
  trm_io_fault_set(n, EIO);
  const trm_status status = load(path);
  const bool struck = trm_io_fault_struck();
  trm_io_fault_set(-1, 0);
  CHECK_EQ(status, struck ? TRM_ERR_IO : TRM_OK);
  if (struck) CHECK_HAS(trm_message(), path);
  return struck;
}

int main(void) {
  static const int errors[] = {ENOSPC, EIO}, strides[] = {1, 4};
  snprintf(base, sizeof base, "%s", check_temp_folder());
  int64_t n = 0;
  for (int i = 0; i < 2; ++i) {
    for (n = 0; n < 1000 && fail_save(n, errors[i]); n += strides[i]) {
    }
    CHECK(n > 40 && n < 1000);
    CHECK(i > 0 || (fsync_failed && rename_failed && folder_fsync_failed && rows_failed));
  }
  char path[PATH_MAX];
  CHECK_OK(trm_path_join(path, sizeof path, folder, "best.h5"));
  for (n = 0; n < 1000 && fail_load(n, path); ++n) {
  }
  CHECK(n > 5 && n < 1000);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
