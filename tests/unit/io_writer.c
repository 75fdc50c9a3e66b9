/* Writes (and reads) files for the Python scripts beside it, which know the formats by themselves.
 *   io_writer events FOLDER     an event file, and one of a resumed run
 *   io_writer container FILE    a container of every type
 *   io_writer read FILE         checks the container that the script wrote
 *   io_writer checkpoint FOLDER a checkpoint */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/ckpt/ckpt.h"
#include "trireme/core/memory.h"
#include "trireme/io/container.h"
#include "trireme/io/events.h"

static void write_events(const char *folder) {
  trm_events *events = NULL;
  CHECK_OK(trm_events_open(folder, 0, &events));
  for (int step = 1; step <= 2000; ++step) {
    CHECK_OK(trm_events_scalar(events, step, "loss/train", 4.0 / step));
    if (step % 100 == 0) CHECK_OK(trm_events_scalar(events, step, "loss/valid", 0));
  }
  CHECK_OK(trm_events_flush(events));
  CHECK_OK(trm_events_close(&events));
  CHECK_OK(trm_events_open(folder, 1500, &events));
  CHECK_OK(trm_events_scalar(events, 1501, "loss/train", NAN));
  CHECK_OK(trm_events_scalar(events, (int64_t)1 << 40, "loss/train", -1e30));
  CHECK_OK(trm_events_close(&events));
  CHECK_OK(trm_events_close(&events));
}

static void write_container(const char *path) {
  trm_container *c = NULL;
  const int64_t dims[] = {2, 3};
  const float f32[] = {0, 1, 2, 3, 4, 5};
  const double f64[] = {0, 1, 2, 3, 4, 5};
  const uint8_t u8[] = {0, 1, 2, 3, 4, 5};
  const uint16_t u16[] = {0, 1, 2, 3, 4, 5};
  const int32_t i32[] = {0, 1, 2, 3, 4, 5};
  const uint32_t u32[] = {0, 1, 2, 3, 4, 5};
  const int64_t i64[] = {0, 1, 2, 3, 4, 5};
  const uint64_t u64[] = {0, 1, 2, 3, 4, 5};
  const void *data[] = {f32, f64, u8, u16, i32, u32, i64, u64};
  char name[32];
  CHECK_OK(trm_container_create(path, &c));
  for (int i = 0; i <= TRM_DTYPE_U64; ++i) {
    snprintf(name, sizeof name, "/arrays/%s", trm_dtype_name((trm_dtype)i));
    CHECK_OK(trm_array_write(c, name, (trm_dtype)i, 2, dims, data[i]));
  }
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", "te\xc3\xafxt"));
  CHECK_OK(trm_attr_write_real(c, "/arrays", "loss", 1.5));
  CHECK_OK(trm_container_close(&c));
}

static void read_container(const char *path) {
  trm_container *c = NULL;
  int64_t v = 0;
  int32_t tokens[1000], some[10];
  char *text = NULL;
  CHECK_OK(trm_container_open(path, &c));
  CHECK_OK(trm_attr_read_int(c, "/", "trireme_format", &v));
  CHECK_EQ(v, 1);
  CHECK_OK(trm_attr_read_text(c, "/", "kind", &text));
  CHECK_STR(text, "te\xc3\xafxt");
  TRM_FREE(text);
  static const char *const names[] = {"/plain", "/gzip", "/i64", "/be"};
  for (int k = 0; k < 4; ++k) {
    CHECK_OK(trm_array_read(c, names[k], TRM_DTYPE_I32, tokens, 1000));
    for (int i = 0; i < 1000; ++i) CHECK_EQ(tokens[i], i);
    CHECK_OK(trm_array_read_range(c, names[k], TRM_DTYPE_I32, 577, 10, some));
    CHECK_EQ(some[9], 586);
  }
  CHECK_EQ(trm_array_read(c, "/lzf", TRM_DTYPE_I32, tokens, 1000), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "filter 32000, which is not built in");
  CHECK_OK(trm_container_close(&c));
}

static void write_checkpoint(const char *folder) {
  trm_ckpt_store *store = NULL;
  float w[] = {1, 2, 3, 4, 5, 6};
  int64_t offsets[] = {0, 1, 3};
  char bytes[] = "abb", config[] = "model:\n  layers: 2\n", version[] = "0.1.0", print[] = "x";
  const trm_region regions[] = {
      {.name = "model/wte/weight", .n_dims = 2, .dims = {2, 3}, .data = w},
      {.name = "optimizer/m/wte/weight", .n_dims = 1, .dims = {6}, .data = w}};
  trm_ckpt_info info = {.step = 200,
                        .seed = UINT64_MAX,
                        .data_digest = 0xabc,
                        .best_value = 1.5,
                        .best_step = 100,
                        .config_text = config,
                        .program_version = version,
                        .fingerprint = print};
  CHECK_OK(trm_facts_put_int(&info.facts, "outputs", 2));
  CHECK_OK(trm_facts_put_text(&info.facts, "vocab_unit", "char"));
  CHECK_OK(trm_facts_put_array(&info.facts, "vocab/offsets", TRM_DTYPE_I64, 3, offsets));
  CHECK_OK(trm_facts_put_array(&info.facts, "vocab/bytes", TRM_DTYPE_U8, 3, bytes));
  CHECK_OK(trm_ckpt_store_open(folder, 2, &store));
  CHECK_OK(trm_ckpt_save(store, &info, regions, 2, true));
  CHECK_OK(trm_ckpt_store_close(&store));
  trm_facts_free(&info.facts);
}

int main(int argc, char **argv) {
  if (!CHECK_EQ(argc, 3)) return check_verdict();
  if (strcmp(argv[1], "events") == 0) write_events(argv[2]);
  if (strcmp(argv[1], "container") == 0) write_container(argv[2]);
  if (strcmp(argv[1], "read") == 0) read_container(argv[2]);
  if (strcmp(argv[1], "checkpoint") == 0) write_checkpoint(argv[2]);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
