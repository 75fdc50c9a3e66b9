/* Files and folders: publication, links, whole reads, listings, seals. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"
#include "trireme/io/seal.h"

static char folder[PATH_MAX];

static const char *in_folder(const char *name) {
  static char path[4][PATH_MAX + 64];
  static int turn;
  turn = (turn + 1) % 4;
  snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
  return path[turn];
}

static void expect_contents(const char *path, const char *want) {
  char *data = NULL;
  int64_t bytes = 0;
  if (!CHECK_OK(trm_file_read_all(path, 1 << 20, &data, &bytes))) return;
  CHECK_EQ(bytes, strlen(want));
  CHECK_STR(data, want);
  TRM_FREE(data);
}

static void put(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  if (!CHECK(file != NULL)) exit(1);
  CHECK_EQ(fwrite(text, 1, strlen(text), file), strlen(text));
  CHECK_EQ(fclose(file), 0);
}

static int n_files(void) {
  char **names = NULL;
  int n = -1;
  CHECK_OK(trm_folder_list(folder, "", "", &names, &n));
  TRM_FREE(names);
  return n;
}

static void test_publish(void) {
  put(in_folder("t"), "new");
  put(in_folder("f"), "old");
  CHECK_OK(trm_file_publish(in_folder("t"), in_folder("f")));
  expect_contents(in_folder("f"), "new");
  CHECK(!trm_path_exists(in_folder("t")));
  /* A folder cannot be replaced: the temporary file goes, the folder stays. */
  put(in_folder("t"), "new");
  CHECK_OK(trm_folder_make(in_folder("d")));
  CHECK_EQ(trm_file_publish(in_folder("t"), in_folder("d")), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "/d: is a folder, which is not written over");
  CHECK(!trm_path_exists(in_folder("t")));
  CHECK_EQ(trm_file_publish(in_folder("t"), in_folder("f")), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "/f: cannot be brought to disk (fsync): no such file");
  expect_contents(in_folder("f"), "new");
}

static void test_write_atomic(void) {
  const int before = n_files();
  CHECK_OK(trm_file_write_atomic(in_folder("atomic"), "a\0b", 3));
  CHECK_OK(trm_file_write_atomic(in_folder("atomic"), "", 0));
  CHECK_OK(trm_file_write_atomic(in_folder("atomic"), "text", 4));
  expect_contents(in_folder("atomic"), "text");
  CHECK_EQ(trm_file_write_atomic(in_folder("none/atomic"), "x", 1), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "none/atomic: cannot be created: no such file or directory");
  CHECK_EQ(n_files(), before + 1);
}

static void test_link(void) {
  struct stat a, b;
  const int before = n_files();
  put(in_folder("one"), "1");
  put(in_folder("two"), "2");
  CHECK_OK(trm_file_link(in_folder("one"), in_folder("best")));
  expect_contents(in_folder("best"), "1");
  CHECK_OK(trm_file_link(in_folder("one"), in_folder("best"))); /* onto itself */
  CHECK_EQ(n_files(), before + 3);
  CHECK_OK(trm_file_link(in_folder("two"), in_folder("best")));
  expect_contents(in_folder("best"), "2");
  CHECK_EQ(stat(in_folder("two"), &a) | stat(in_folder("best"), &b), 0);
  CHECK_EQ(a.st_ino, b.st_ino);
  CHECK_OK(trm_file_remove(in_folder("two")));
  expect_contents(in_folder("best"), "2");
  CHECK_OK(trm_file_remove(in_folder("two")));
  CHECK_EQ(trm_file_link(in_folder("two"), in_folder("best")), TRM_ERR_MISSING);
  expect_contents(in_folder("best"), "2");
  CHECK_EQ(n_files(), before + 2);
}

static void test_read_all(void) {
  char *data = NULL;
  int64_t bytes = 0;
  put(in_folder("empty"), "");
  expect_contents(in_folder("empty"), "");
  CHECK_EQ(trm_file_read_all(in_folder("one"), 0, &data, &bytes), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "one: has 1 bytes, at most 0 are allowed");
  CHECK_EQ(trm_file_read_all(in_folder("none"), 9, &data, &bytes), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "none: no such file");
  CHECK_EQ(trm_file_read_all(folder, 9, &data, &bytes), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "is a folder");
  CHECK_EQ(mkfifo(in_folder("pipe"), 0666), 0);
  CHECK_EQ(trm_file_read_all(in_folder("pipe"), 9, &data, &bytes), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "pipe: is not a regular file");
  CHECK(data == NULL);
}

static void test_read_start(void) {
  char start[4] = "----";
  int64_t bytes = -1;
  put(in_folder("long"), "begin and end");
  CHECK_OK(trm_file_read_start(in_folder("long"), start, 3, &bytes));
  CHECK_EQ(bytes, 3);
  CHECK_EQ(memcmp(start, "beg-", 4), 0);
  CHECK_OK(trm_file_read_start(in_folder("one"), start, 4, &bytes));
  CHECK_EQ(bytes, 1);
  CHECK_OK(trm_file_read_start(in_folder("empty"), start, 4, &bytes));
  CHECK_EQ(bytes, 0);
  CHECK_EQ(trm_file_read_start(in_folder("pipe"), start, 4, &bytes), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "pipe: is not a regular file");
}

static void test_folders(void) {
  char **names = NULL, path[16];
  int n = -1;
  CHECK_OK(trm_folder_make(in_folder("x/y//z/")));
  CHECK_OK(trm_folder_make(in_folder("x/y/z")));
  CHECK(trm_path_exists(in_folder("x/y/z")));
  CHECK_EQ(trm_folder_make(in_folder("one/below")), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "one is a file, not a folder");
  CHECK_EQ(trm_folder_make(""), TRM_ERR_IO);
  for (int i = 0; i < 100; ++i) {
    char name[64];
    snprintf(name, sizeof name, "x/y/z/s_%d.h5%s", i * 37 % 100, i % 10 == 0 ? "x" : "");
    put(in_folder(name), "");
  }
  CHECK_OK(trm_folder_list(in_folder("x/y/z"), "s_", ".h5", &names, &n));
  CHECK_EQ(n, 90);
  for (int i = 1; i < n; ++i) CHECK(strcmp(names[i - 1], names[i]) < 0);
  TRM_FREE(names);
  CHECK_OK(trm_folder_list(in_folder("x/y/z"), "s_1.h", "h5", &names, &n)); /* may not overlap */
  CHECK_EQ(n, 0);
  TRM_FREE(names);
  CHECK_EQ(trm_folder_list(in_folder("none"), "", "", &names, &n), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "none: the folder cannot be opened: no such file or directory");
  CHECK_OK(trm_path_join(path, sizeof path, "a", "b"));
  CHECK_STR(path, "a/b");
  CHECK_OK(trm_path_join(path, sizeof path, "/", "b"));
  CHECK_STR(path, "/b");
  CHECK_OK(trm_path_join(path, sizeof path, "", "b"));
  CHECK_STR(path, "b");
  CHECK_OK(trm_path_join(path, sizeof path, "0123456789", "abcd"));
  CHECK_STR(path, "0123456789/abcd");
  CHECK_EQ(trm_path_join(path, sizeof path, "0123456789", "abcde"), TRM_ERR_IO);
}

/* Every changed byte of a sealed file is noticed, or takes the seal away. */
static void test_seal(void) {
  enum { BYTES = 300 };
  char text[BYTES + 1] = "";
  bool sealed = true;
  const char *path = in_folder("sealed");
  for (int i = 0; i < BYTES; ++i) text[i] = (char)('a' + i % 26);
  put(path, text);
  CHECK_OK(trm_file_seal_check(path, &sealed));
  CHECK(!sealed);
  CHECK_OK(trm_file_seal(path));
  CHECK_OK(trm_file_seal_check(path, &sealed));
  CHECK(sealed);
  const int fd = open(path, O_RDWR);
  for (int at = 0; at < BYTES + 32; ++at) {
    unsigned char byte = 0;
    CHECK_EQ(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
    const trm_status status = trm_file_seal_check(path, &sealed);
    const bool in_magic = at >= BYTES && at < BYTES + 8;
    CHECK_EQ(status, in_magic ? TRM_OK : TRM_ERR_DATA);
    CHECK_EQ(sealed, !in_magic);
    if (!in_magic) CHECK_HAS(trm_message(), "sealed: is damaged: its 300 bytes");
    byte ^= 4;
    CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
  }
  CHECK_EQ(close(fd), 0);
  CHECK_OK(trm_file_seal_check(path, &sealed));
  CHECK(sealed);
  put(path, "short");
  CHECK_OK(trm_file_seal_check(path, &sealed));
  CHECK(!sealed);
  CHECK_EQ(trm_file_seal_check(in_folder("none"), &sealed), TRM_ERR_MISSING);
}

int main(void) {
  snprintf(folder, sizeof folder, "%s", check_temp_folder());
  test_publish();
  test_write_atomic();
  test_link();
  test_read_all();
  test_read_start();
  test_folders();
  test_seal();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
