/* Checkpoints: what is saved is loaded, what is kept and swept, who is refused. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "ckpt_fixture.h"
#include "trireme/core/memory.h"
#include "trireme/io/container.h"
#include "trireme/io/files.h"
#include "trireme/io/seal.h"

static char base[PATH_MAX];
static ckpt_fixture wrote, got;

static const char *in_base(const char *name) {
  static char path[4][PATH_MAX + 64];
  static int turn;
  turn = (turn + 1) % 4;
  snprintf(path[turn], sizeof path[turn], "%s/%s", base, name);
  return path[turn];
}

/* All names in a folder, with a space behind each. */
static const char *listing(const char *folder) {
  static char text[4096];
  char **names = NULL;
  int n = 0;
  text[0] = 0;
  if (!CHECK_OK(trm_folder_list(in_base(folder), "", "", &names, &n))) return text;
  for (int i = 0; i < n; ++i) {
    if (strcmp(names[i], ".") == 0 || strcmp(names[i], "..") == 0) continue;
    const size_t at = strlen(text);
    snprintf(text + at, sizeof text - at, "%s ", names[i]);
  }
  TRM_FREE(names);
  return text;
}

static void save(trm_ckpt_store *store, int64_t step, bool best) {
  ckpt_fixture_fill(&wrote, step);
  CHECK_OK(trm_ckpt_save(store, &wrote.info, wrote.regions, FIXTURE_REGIONS, best));
}

static void expect_step(const char *path, int64_t step) {
  trm_ckpt_info info = {0};
  ckpt_fixture_clear(&got);
  if (CHECK_OK(trm_ckpt_read_info(path, &info))) CHECK(ckpt_fixture_has_facts(&info, step));
  trm_ckpt_info_free(&info);
  CHECK_OK(trm_ckpt_read_regions(path, got.regions, FIXTURE_REGIONS));
  CHECK(ckpt_fixture_has_weights(&got, step));
  CHECK_OK(trm_ckpt_verify(path));
}

static void touch(const char *name) {
  CHECK_OK(trm_file_write_atomic(in_base(name), "x", 1));
}

static void test_keeping(void) {
  trm_ckpt_store *store = NULL;
  CHECK_OK(trm_ckpt_store_open(in_base("deep/keep"), 2, &store));
  CHECK_EQ(trm_ckpt_newest_step(store), -1);
  CHECK_OK(trm_ckpt_wait(store));
  save(store, 0, false);
  CHECK_OK(trm_ckpt_wait(store));
  CHECK_EQ(trm_ckpt_newest_step(store), 0);
  CHECK(trm_ckpt_write_s(store) > 0);
  CHECK_STR(listing("deep/keep"), "step_00000000.h5 ");
  save(store, 100, true);
  save(store, 200, false); /* at once: waits for the one before */
  save(store, 300, false);
  CHECK_OK(trm_ckpt_wait(store));
  CHECK_STR(listing("deep/keep"), "best.h5 step_00000200.h5 step_00000300.h5 ");
  expect_step(in_base("deep/keep/best.h5"), 100);
  expect_step(in_base("deep/keep/step_00000200.h5"), 200);
  save(store, 300, true); /* the same step again */
  CHECK_OK(trm_ckpt_wait(store));
  CHECK_STR(listing("deep/keep"), "best.h5 step_00000200.h5 step_00000300.h5 ");
  expect_step(in_base("deep/keep/best.h5"), 300);
  save(store, 12345678901, false);
  CHECK_OK(trm_ckpt_store_close(&store));
  CHECK(store == NULL);
  CHECK_OK(trm_ckpt_store_close(&store));
  CHECK_STR(listing("deep/keep"), "best.h5 step_00000300.h5 step_12345678901.h5 ");
  /* 99999999 sorts before 12345678901 as a number, not as text. */
  CHECK_OK(trm_ckpt_store_open(in_base("deep/keep"), 3, &store));
  CHECK_EQ(trm_ckpt_newest_step(store), 12345678901);
  save(store, 99999999, false);
  CHECK_OK(trm_ckpt_store_close(&store));
  char path[PATH_MAX];
  CHECK_OK(trm_ckpt_find_newest(in_base("deep/keep"), path, sizeof path, NULL, NULL));
  CHECK_STR(path, in_base("deep/keep/step_12345678901.h5"));
  expect_step(path, 12345678901);
  CHECK_EQ(trm_ckpt_find_newest(in_base("deep/keep"), path, 8, NULL, NULL), TRM_ERR_IO);
  CHECK_EQ(trm_ckpt_store_open(in_base("deep/keep"), 0, &store), TRM_ERR_ARG);
  CHECK(store == NULL);
}

/* A run taken back to an earlier step: later files stay until saving passes them. */
static void test_going_back(void) {
  trm_ckpt_store *store = NULL;
  CHECK_OK(trm_ckpt_store_open(in_base("back"), 2, &store));
  for (int64_t step = 100; step <= 400; step += 100) save(store, step, false);
  CHECK_OK(trm_ckpt_wait(store));
  CHECK_STR(listing("back"), "step_00000300.h5 step_00000400.h5 ");
  save(store, 150, false);
  save(store, 250, false);
  CHECK_OK(trm_ckpt_wait(store));
  CHECK_STR(listing("back"),
            "step_00000150.h5 step_00000250.h5 step_00000300.h5 step_00000400.h5 ");
  save(store, 350, false);
  CHECK_OK(trm_ckpt_store_close(&store));
  CHECK_STR(listing("back"), "step_00000300.h5 step_00000350.h5 step_00000400.h5 ");
}

static void test_sweeping(void) {
  static const char *const kept[] = {"sweep/step_1.h5",
                                     "sweep/step_000000001.h5",
                                     "sweep/step_0000001x.h5",
                                     "sweep/notes.tmp-12",
                                     "sweep/.step_00000001.h5",
                                     "sweep/.step_00000001.h5.tmp-",
                                     "sweep/.step_00000001.h5.tmp-1a",
                                     "sweep/.other.h5.tmp-3",
                                     "sweep/xstep_00000001.h5.tmp-3"};
  trm_ckpt_store *store = NULL;
  char before[4096];
  CHECK_OK(trm_folder_make(in_base("sweep")));
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; ++i) touch(kept[i]);
  snprintf(before, sizeof before, "%s", listing("sweep"));
  touch("sweep/.step_00000001.h5.tmp-123");
  touch("sweep/.step_123456789012.h5.tmp-9");
  touch("sweep/.best.h5.tmp-77");
  CHECK_OK(trm_ckpt_store_open(in_base("sweep"), 1, &store));
  CHECK_STR(listing("sweep"), before);
  CHECK_EQ(trm_ckpt_newest_step(store), -1);
  save(store, 5, false);
  save(store, 6, false);
  CHECK_OK(trm_ckpt_store_close(&store));
  CHECK_HAS(listing("sweep"), "step_00000006.h5");
  CHECK(!trm_path_exists(in_base("sweep/step_00000005.h5")));
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; ++i)
    CHECK(trm_path_exists(in_base(kept[i])));
}

/* The snapshot is a copy: what training does afterwards is not in the file (invariant 5). */
static void test_snapshot(void) {
  trm_ckpt_store *store = NULL;
  int64_t blocks = 0;
  CHECK_OK(trm_ckpt_store_open(in_base("copy"), 50, &store));
  for (int64_t step = 1; step <= 30; ++step) {
    char config[] = "a: 1\n";
    ckpt_fixture_fill(&wrote, step);
    wrote.info.config_text = config;
    CHECK_OK(trm_ckpt_save(store, &wrote.info, wrote.regions, FIXTURE_REGIONS, false));
    for (int i = 0; i < FIXTURE_FLOATS; ++i) wrote.data[i] = -1;
    memset(config, 'x', sizeof config - 1);
    if (step == 2) blocks = trm_alloc_counts_get().live_blocks;
  }
  CHECK_OK(trm_ckpt_wait(store));
  CHECK(trm_alloc_counts_get().live_blocks <= blocks);
  CHECK_OK(trm_ckpt_store_close(&store));
  for (int64_t step = 1; step <= 30; ++step) {
    char name[64];
    trm_ckpt_info info = {0};
    snprintf(name, sizeof name, "copy/step_%08d.h5", (int)step);
    ckpt_fixture_clear(&got);
    CHECK_OK(trm_ckpt_read_regions(in_base(name), got.regions, FIXTURE_REGIONS));
    CHECK(ckpt_fixture_has_weights(&got, step));
    CHECK_OK(trm_ckpt_read_info(in_base(name), &info));
    CHECK_STR(info.config_text, "a: 1\n");
    trm_ckpt_info_free(&info);
  }
}

/* Regions of another model, files of another kind. */
static void test_mismatches(void) {
  trm_ckpt_store *store = NULL;
  trm_container *c = NULL;
  trm_ckpt_info info = {0};
  char path[PATH_MAX + 64];
  snprintf(path, sizeof path, "%s", in_base("other/step_00000009.h5"));
  float value = 0;
  CHECK_OK(trm_ckpt_store_open(in_base("other"), 2, &store));
  save(store, 9, false);
  CHECK_OK(trm_ckpt_store_close(&store));
  ckpt_fixture_clear(&got);
  got.regions[1].dims[0] = 131;
  CHECK_EQ(trm_ckpt_read_regions(path, got.regions, FIXTURE_REGIONS), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "step_00000009.h5: 'model/blocks/0/b' is 130 there and 131 here");
  got.regions[1] = (trm_region){.name = "model/new", .n_dims = 2, .dims = {2, 3}, .data = &value};
  CHECK_EQ(trm_ckpt_read_regions(path, got.regions, FIXTURE_REGIONS), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "has no 'model/new': it is a checkpoint of another model");
  ckpt_fixture_clear(&got);
  got.regions[0].n_dims = 1;
  CHECK_EQ(trm_ckpt_read_regions(path, got.regions, 1), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "'model/blocks/0/w' is 64 x 32 there and 64 here");
  ckpt_fixture_clear(&got);
  CHECK_OK(trm_ckpt_read_regions(path, got.regions + 3, 1)); /* some of them are fine */
  CHECK_EQ(trm_ckpt_verify(in_base("other")), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "other: is a folder, a file is needed");
  CHECK_EQ(trm_ckpt_verify(in_base("none.h5")), TRM_ERR_MISSING);
  CHECK_HAS(trm_message(), "none.h5: cannot be opened: no such file");

  CHECK_OK(trm_container_create(in_base("text.h5"), &c));
  CHECK_OK(trm_container_close(&c));
  CHECK_EQ(trm_ckpt_read_info(in_base("text.h5"), &info), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "text.h5: is not a checkpoint of Trireme");
  CHECK_OK(trm_container_create(in_base("text.h5"), &c));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", "text"));
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_container_close(&c));
  CHECK_EQ(trm_ckpt_read_info(in_base("text.h5"), &info), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "text.h5: is not a checkpoint, its kind is 'text'");
  touch("plain.h5");
  CHECK_EQ(trm_ckpt_read_info(in_base("plain.h5"), &info), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "plain.h5: is not an HDF5 file");
}

static char reports[4096];
static void note_report(void *context, const char *message) {
  CHECK(context == reports);
  const size_t at = strlen(reports);
  snprintf(reports + at, sizeof reports - at, "%s\n", message);
}

static void flip(const char *path, long at) {
  FILE *file = fopen(path, "r+b");
  if (!CHECK(file != NULL)) exit(1);
  CHECK_EQ(fseek(file, at, SEEK_SET), 0);
  const int byte = fgetc(file);
  CHECK_EQ(fseek(file, at, SEEK_SET), 0);
  CHECK_EQ(fputc(byte ^ 1, file), byte ^ 1);
  CHECK_EQ(fclose(file), 0);
}

static void test_newest(void) {
  trm_ckpt_store *store = NULL;
  char path[PATH_MAX] = "x";
  CHECK_OK(trm_ckpt_find_newest(in_base("nowhere"), path, sizeof path, note_report, reports));
  CHECK_STR(path, "");
  CHECK_OK(trm_ckpt_store_open(in_base("newest"), 5, &store));
  CHECK_OK(trm_ckpt_find_newest(in_base("newest"), path, sizeof path, note_report, reports));
  CHECK_STR(path, "");
  for (int64_t step = 1; step <= 4; ++step) save(store, step, false);
  CHECK_OK(trm_ckpt_store_close(&store));
  flip(in_base("newest/step_00000004.h5"), 5000);
  CHECK_EQ(truncate(in_base("newest/step_00000003.h5"), 10000), 0);
  CHECK_OK(trm_ckpt_find_newest(in_base("newest"), path, sizeof path, note_report, reports));
  CHECK_STR(path, in_base("newest/step_00000002.h5"));
  CHECK_HAS(reports, "step_00000004.h5: is damaged: its ");
  CHECK_HAS(reports, "step_00000003.h5: is truncated: it is 10000 bytes, its header says ");
  CHECK(!strstr(reports, "step_00000002.h5"));
  flip(in_base("newest/step_00000002.h5"), 6000);
  flip(in_base("newest/step_00000001.h5"), 7000);
  CHECK_EQ(trm_ckpt_find_newest(in_base("newest"), path, sizeof path, NULL, NULL), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "none of its 4 checkpoints can be used; the newest: ");
  CHECK_STR(path, "");
}

/* A file whose seal another tool has dropped stands on the digests inside. */
static void test_without_seal(void) {
  trm_ckpt_store *store = NULL;
  char *data = NULL;
  int64_t bytes = 0;
  char path[PATH_MAX + 64];
  snprintf(path, sizeof path, "%s", in_base("bare/step_00000007.h5"));
  CHECK_OK(trm_ckpt_store_open(in_base("bare"), 5, &store));
  save(store, 7, false);
  CHECK_OK(trm_ckpt_store_close(&store));
  CHECK_OK(trm_file_read_all(path, 1 << 24, &data, &bytes));
  CHECK_EQ(truncate(path, (off_t)(bytes - 32)), 0);
  expect_step(path, 7);
  const float mark = wrote.data[100];
  long at = 0;
  while (at + 4 <= bytes && memcmp(data + at, &mark, sizeof mark) != 0) ++at;
  flip(path, at);
  ckpt_fixture_clear(&got);
  CHECK_EQ(trm_ckpt_read_regions(path, got.regions, FIXTURE_REGIONS), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "'/model/blocks/0/w' is damaged: it does not give its stored digest");
  CHECK_EQ(trm_ckpt_verify(path), TRM_ERR_DATA);
  flip(path, at);
  static const char text[] = "layers: 2";
  for (at = 0; memcmp(data + at, text, sizeof text - 1) != 0; ++at) {
  }
  flip(path, at);
  trm_ckpt_info info = {0};
  CHECK_EQ(trm_ckpt_read_info(path, &info), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "'/run' is damaged: it does not give its stored digest");
  CHECK(info.config_text == NULL);
  TRM_FREE(data);
}

/* No memory at any of the allocations of a save and a load: an orderly failure, nothing left. */
static void test_no_memory(void) {
  char path[PATH_MAX + 64];
  snprintf(path, sizeof path, "%s", in_base("memory/step_00000001.h5"));
  for (int64_t n = 0; n < 300; ++n) {
    trm_ckpt_store *store = NULL;
    trm_ckpt_info info = {0};
    ckpt_fixture_fill(&wrote, 1);
    trm_alloc_fail_after(n);
    trm_status status = trm_ckpt_store_open(in_base("memory"), 2, &store);
    if (status == TRM_OK) {
      status = trm_ckpt_save(store, &wrote.info, wrote.regions, FIXTURE_REGIONS, true);
    }
    const trm_status closed = trm_ckpt_store_close(&store);
    if (status == TRM_OK) status = closed;
    if (status == TRM_OK) status = trm_ckpt_verify(path);
    if (status == TRM_OK) status = trm_ckpt_read_info(path, &info);
    trm_ckpt_info_free(&info);
    trm_alloc_fail_after(-1);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
    if (status == TRM_OK) {
      CHECK(n > 10);
      return;
    }
    if (!CHECK_EQ(status, TRM_ERR_MEMORY)) fprintf(stderr, "at %d: %s\n", (int)n, trm_message());
  }
  CHECK(false && "300 failed allocations are enough");
}

/* ---- axes of matrices ------------------------------------------------------------------------ */

enum { ROWS = 3, COLUMNS = 5 };

static void write_matrix(trm_axes axes, int64_t rows, int64_t columns, const float *data) {
  float copy[ROWS * COLUMNS];
  memcpy(copy, data, sizeof copy);
  const trm_region region = {.name = "model/layers/0/weight",
                             .n_dims = 2,
                             .dims = {rows, columns},
                             .axes = axes,
                             .data = copy};
  ckpt_fixture_fill(&wrote, 1);
  CHECK_OK(trm_ckpt_publish(in_base("axes.h5"), &wrote.info, &region, 1));
}

/* Reads it as [ROWS, COLUMNS], outputs first. */
static trm_status read_matrix(trm_axes old, float *data) {
  const trm_region region = {.name = "model/layers/0/weight",
                             .n_dims = 2,
                             .dims = {ROWS, COLUMNS},
                             .axes = TRM_AXES_OUTPUTS_INPUTS,
                             .axes_old = old,
                             .data = data};
  return trm_ckpt_read_regions(in_base("axes.h5"), &region, 1);
}

static void expect_axes(trm_axes axes) {
  trm_region *regions = NULL;
  char *names = NULL;
  int n = 0;
  CHECK_OK(trm_ckpt_list_regions(in_base("axes.h5"), "model", &regions, &names, &n));
  if (CHECK_EQ(n, 1)) CHECK_EQ(regions[0].axes, axes);
  TRM_FREE(regions);
  TRM_FREE(names);
}

/* A matrix is what it was, whichever way round a file has it, and if the file does not say, as files did
 * before they said it. */
static void test_axes(void) {
  float straight[ROWS * COLUMNS], turned[ROWS * COLUMNS], read[ROWS * COLUMNS];
  for (int i = 0; i < ROWS; ++i) {
    for (int j = 0; j < COLUMNS; ++j) {
      straight[i * COLUMNS + j] = turned[j * ROWS + i] = (float)(10 * i + j);
    }
  }
  const struct {
    trm_axes written, old;
    bool turned;
  } cases[] = {{TRM_AXES_OUTPUTS_INPUTS, TRM_AXES_INPUTS_OUTPUTS, false},
               {TRM_AXES_INPUTS_OUTPUTS, TRM_AXES_UNSAID, true},
               {TRM_AXES_UNSAID, TRM_AXES_INPUTS_OUTPUTS, true},
               {TRM_AXES_UNSAID, TRM_AXES_UNSAID, false}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; ++k) {
    const bool t = cases[k].turned;
    write_matrix(cases[k].written, t ? COLUMNS : ROWS, t ? ROWS : COLUMNS, t ? turned : straight);
    expect_axes(cases[k].written);
    CHECK_OK(read_matrix(cases[k].old, read));
    CHECK(memcmp(read, straight, sizeof read) == 0);
  }
  write_matrix(TRM_AXES_UNSAID, COLUMNS, ROWS, turned);
  CHECK_EQ(read_matrix(TRM_AXES_UNSAID, read), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "'model/layers/0/weight' is 5 x 3 there and 3 x 5 here");
}

int main(void) {
  snprintf(base, sizeof base, "%s", check_temp_folder());
  test_keeping();
  test_going_back();
  test_sweeping();
  test_snapshot();
  test_mismatches();
  test_newest();
  test_without_seal();
  test_axes();
  test_no_memory();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
