/* A disk that fills up while saving: one line that says so, the checkpoint before is whole, the
 * space is given back, the process lives on and ends with its own exit code.
 *
 * Uses a small tmpfs in a mount namespace of its own; skipped where that is not allowed. */
#include <dirent.h>
#include <fcntl.h>
#include <hdf5.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/io/io_internal.h"
#include "check.h"
#include "ckpt_fixture.h"
#include "trireme/core/memory.h"
#include "trireme/io/container.h"
#include "trireme/io/events.h"
#include "trireme/io/files.h"

enum { KIB = 1024, OWN_CODE = 7 };

/* HDF5 1.10.8 loses a kilobyte of its own when it cannot create a file for lack of room. Asked by the
 * leak sanitizer, where there is one. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libhdf5";
}

static char disk[PATH_MAX];
static ckpt_fixture wrote, got;

static const char *on_disk(const char *name) {
  static char path[PATH_MAX + 64];
  snprintf(path, sizeof path, "%s/%s", disk, name);
  return path;
}

static int64_t free_bytes(void) {
  struct statvfs facts;
  CHECK_EQ(statvfs(disk, &facts), 0);
  return (int64_t)facts.f_bfree * (int64_t)facts.f_bsize;
}

static int n_open_files(void) {
  int n = 0;
  DIR *open_files = opendir("/proc/self/fd");
  if (!open_files) return 0;
  while (readdir(open_files)) ++n;
  closedir(open_files);
  return n;
}

/* Fills the disk up to `left` bytes. */
static void put_ballast(int64_t left) {
  const int fd = open(on_disk("ballast"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK(fd >= 0);
  CHECK_EQ(posix_fallocate(fd, 0, (off_t)(free_bytes() - left)), 0);
  CHECK_EQ(close(fd), 0);
}

static trm_status save(trm_ckpt_store *store, int64_t step) {
  ckpt_fixture_fill(&wrote, step);
  TRM_TRY(trm_ckpt_save(store, &wrote.info, wrote.regions, FIXTURE_REGIONS, true));
  return trm_ckpt_wait(store);
}

static void expect_newest(int64_t step) {
  char path[PATH_MAX];
  CHECK_OK(trm_ckpt_find_newest(disk, path, sizeof path, NULL, NULL));
  ckpt_fixture_clear(&got);
  CHECK_OK(trm_ckpt_read_regions(path, got.regions, FIXTURE_REGIONS));
  CHECK(ckpt_fixture_has_weights(&got, step));
}

/* With `left` bytes of room; false when that is enough. */
static bool save_with_room(trm_ckpt_store *store, int64_t left) {
  put_ballast(left);
  const int64_t before = free_bytes();
  const trm_status status = save(store, 2);
  if (status != TRM_OK) {
    CHECK_EQ(status, TRM_ERR_IO);
    CHECK_HAS(trm_message(), on_disk("step_00000002.h5: no space left on device"));
    CHECK_EQ(free_bytes(), before);
    expect_newest(1);
    CHECK(!trm_path_exists(on_disk("step_00000002.h5")));
  }
  CHECK_OK(trm_file_remove(on_disk("ballast")));
  return status != TRM_OK;
}

static void test_checkpoints(void) {
  trm_ckpt_store *store = NULL;
  CHECK_OK(trm_file_remove(on_disk("step_00000003.h5"))); /* of an earlier round */
  CHECK_OK(trm_ckpt_store_open(disk, 1, &store));
  CHECK_OK(save(store, 1));
  const int open_before = n_open_files();
  int64_t left = 0;
  while (left < 512 * KIB && save_with_room(store, left)) left += 4 * KIB;
  CHECK(left > 12 * KIB && left < 512 * KIB);
  CHECK_EQ(n_open_files(), open_before);
  expect_newest(2);
  CHECK_OK(save(store, 3));
  expect_newest(3);
  CHECK_OK(trm_ckpt_store_close(&store));
}

/* A large array, so that the disk fills within one write; and an event file. */
static void test_others(void) {
  enum { N = 1 << 20 };
  const int64_t dims[] = {N};
  float *data = calloc(N, sizeof *data);
  trm_container *c = NULL;
  trm_events *events = NULL;
  if (!CHECK(data != NULL)) exit(1);
  CHECK_OK(trm_container_create(on_disk("big.h5"), &c));
  const trm_status status = trm_array_write(c, "/x", TRM_DTYPE_F32, 1, dims, data);
  const trm_status closed = trm_container_close(&c);
  CHECK(status == TRM_ERR_IO || status == TRM_OK); /* small writes may wait in a buffer */
  CHECK_EQ(closed, TRM_ERR_IO);
  CHECK_HAS(trm_message(), on_disk("big.h5: no space left on device"));
  CHECK_OK(trm_file_remove(on_disk("big.h5")));
  free(data);

  CHECK_OK(trm_events_open(disk, 0, &events));
  put_ballast(0);
  trm_status written = TRM_OK;
  for (int i = 0; i < 10000 && written == TRM_OK; ++i) {
    written = trm_events_scalar(events, i, "loss", 1);
  }
  CHECK_EQ(written, TRM_ERR_IO);
  CHECK_HAS(trm_message(), "no space left on device");
  CHECK_OK(trm_file_remove(on_disk("ballast")));
  CHECK_OK(trm_events_scalar(events, 1, "loss", 1));
  CHECK_OK(trm_events_close(&events));
  CHECK_EQ(trm_file_write_atomic(on_disk("small"), "x", 1), TRM_OK);
}

/* A file system that cannot reserve room: HDF5 itself runs into the end of the disk. In a process of
 * its own, for HDF5 does not come out of that unharmed. */
static void test_without_reserving(void) {
  int status = 0;
  const pid_t pid = fork();
  if (pid == 0) {
    trm_io_reserve_switch(false);
    test_checkpoints();
    test_others();
    _exit(check_verdict());
  }
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 0);
}

/* Leaves a container on a full disk unclosed: the end of the process must not notice. */
static void leave_open(void) {
  static trm_container *c;
  const int64_t dims[] = {1000};
  static float data[1000];
  CHECK_OK(trm_container_create(on_disk("open.h5"), &c));
  CHECK_OK(trm_array_create(c, "/x", TRM_DTYPE_F32, 1, dims));
  put_ballast(0);
  CHECK(trm_array_write_range(c, "/x", TRM_DTYPE_F32, 0, 1000, data) <= TRM_OK);
}

int main(void) {
  snprintf(disk, sizeof disk, "%s", check_temp_folder());
  const pid_t pid = fork();
  if (pid == 0) {
    /* The mount goes with the child's namespace, whatever happens to it. */
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", disk, "tmpfs", 0, "size=1m") < 0) {
      _exit(77);
    }
    test_checkpoints();
    test_others();
    /* HDF5 was never made to fail: it has no file left that it could not close. */
    CHECK_EQ(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE), 0);
    test_without_reserving();
    CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
    leave_open();
    exit(check_verdict() == 0 ? OWN_CODE : 1);
  }
  int status = 0;
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    return check_skip("a tmpfs cannot be mounted here (needs root and mount namespaces)");
  }
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), OWN_CODE);
  return check_verdict();
}
