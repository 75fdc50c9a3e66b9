/* What a run or a search makes is brought to disk with the folder that names it: a power cut would take a
 * file whose folder was not synced, however well it was synced itself. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "journal.h"
#include "table.h"
#include "trireme/io/events.h"
#include "trireme/io/files.h"

static char folder[PATH_MAX];
static char synced[16][PATH_MAX]; /* since the last look */
static int n_synced;

/* In the place of libc's: notes what is brought to disk. */
int fsync(int fd) {
  char link[64];
  (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (n_synced < 16) {
    const ssize_t n = readlink(link, synced[n_synced], PATH_MAX - 1);
    if (n > 0) synced[n_synced++][n] = 0;
  }
  return 0;
}

/* Whether folder/name was, since the last look. */
static bool was_synced(const char *name) {
  char path[PATH_MAX + 64];
  bool found = false;
  (void)snprintf(path, sizeof path, "%s%s", folder, name);
  for (int i = 0; i < n_synced; ++i) found = found || strcmp(synced[i], path) == 0;
  return found;
}

static void test_folders(void) {
  char path[PATH_MAX + 64];
  (void)snprintf(path, sizeof path, "%s/runs/lm/checkpoints", folder);
  n_synced = 0;
  CHECK_OK(trm_folder_make(path));
  CHECK(was_synced(""));
  CHECK(was_synced("/runs"));
  CHECK(was_synced("/runs/lm"));
  n_synced = 0;
  CHECK_OK(trm_folder_make(path));
  CHECK_EQ(n_synced, 0); /* they are there */
}

static void test_files(void) {
  trm_step_table table;
  trm_events *events = NULL;
  n_synced = 0;
  CHECK_OK(trm_step_table_open(&table, folder, "metrics.csv", "step,loss", 0, true));
  CHECK_OK(trm_step_table_close(&table));
  CHECK(was_synced(""));
  n_synced = 0;
  CHECK_OK(trm_events_open(folder, 0, &events));
  CHECK_OK(trm_events_close(&events));
  CHECK(was_synced(""));
}

static void test_journal(void) {
  const trm_space space = {0};
  const trm_tuning search = {.space = &space};
  trm_journal journal;
  n_synced = 0;
  if (!CHECK_OK(trm_journal_open(folder, &search, 7, false, &journal))) return;
  trm_journal_close(&journal);
  CHECK(was_synced(""));
  CHECK_OK(trm_journal_open(folder, &search, 7, true, &journal)); /* with a head of its own */
  trm_journal_close(&journal);
}

int main(void) {
  if (!CHECK(realpath(check_temp_folder(), folder) != NULL)) return check_verdict();
  test_folders();
  test_files();
  test_journal();
  return check_verdict();
}
