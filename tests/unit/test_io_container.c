/* Containers: what is written is read back, ranges and conversions, messages of bad files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/io/container.h"

static char folder[PATH_MAX];

static const char *in_folder(const char *name) {
  static char path[2][PATH_MAX + 64];
  static int turn;
  turn = !turn;
  snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
  return path[turn];
}

enum { MAX_ELEMENTS = 3 * 4 * 5 * 2 };

/* Element i of the test pattern of a type: its extremes, then something that differs everywhere. */
static void fill(trm_dtype dtype, int64_t n, void *data) {
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t v = i == 0   ? UINT64_MAX
                       : i == 1 ? UINT64_C(1) << 63
                                : (uint64_t)i * 0x9e3779b97f4a7c15;
    switch (dtype) {
    case TRM_DTYPE_F32:
      ((float *)data)[i] = i == 0 ? INFINITY : i == 1 ? -0.0f : (float)i / 3;
      break;
    case TRM_DTYPE_F64:
      ((double *)data)[i] = i == 0 ? -INFINITY : (double)i / 3;
      break;
    case TRM_DTYPE_U8:
      ((uint8_t *)data)[i] = (uint8_t)v;
      break;
    case TRM_DTYPE_U16:
      ((uint16_t *)data)[i] = (uint16_t)v;
      break;
    case TRM_DTYPE_I32:
      ((int32_t *)data)[i] = (int32_t)(v >> 32);
      break;
    case TRM_DTYPE_U32:
      ((uint32_t *)data)[i] = (uint32_t)(v >> 32);
      break;
    case TRM_DTYPE_I64:
      ((int64_t *)data)[i] = (int64_t)v;
      break;
    case TRM_DTYPE_U64:
      ((uint64_t *)data)[i] = v;
      break;
    }
  }
}

static const int64_t shapes[][TRM_MAX_DIMS] = {{0},          {7}, {3, 4},   {3, 4, 5},
                                               {3, 4, 5, 2}, {0}, {3, 0, 2}};
static const int shape_dims[] = {0, 1, 2, 3, 4, 1, 3};
enum { N_SHAPES = 7, N_DTYPES = TRM_DTYPE_U64 + 1 };

static int64_t elements(int shape) {
  int64_t n = 1;
  for (int i = 0; i < shape_dims[shape]; ++i) n *= shapes[shape][i];
  return n;
}

static void test_round_trips(void) {
  double wrote[MAX_ELEMENTS], got[MAX_ELEMENTS];
  char name[64];
  trm_container *c = NULL;
  CHECK_OK(trm_container_create(in_folder("all.h5"), &c));
  for (int d = 0; d < N_DTYPES; ++d) {
    for (int s = 0; s < N_SHAPES; ++s) {
      snprintf(name, sizeof name, "/deep/er/%s/%d", trm_dtype_name((trm_dtype)d), s);
      fill((trm_dtype)d, elements(s), wrote);
      CHECK_OK(trm_array_write(c, name, (trm_dtype)d, shape_dims[s], shapes[s], wrote));
    }
  }
  CHECK_OK(trm_container_close(&c));
  CHECK_OK(trm_container_open(in_folder("all.h5"), &c));
  CHECK_STR(trm_container_path(c), in_folder("all.h5"));
  for (int d = 0; d < N_DTYPES; ++d) {
    for (int s = 0; s < N_SHAPES; ++s) {
      trm_array_info info;
      const int64_t n = elements(s);
      const size_t bytes = (size_t)n * trm_dtype_bytes((trm_dtype)d);
      snprintf(name, sizeof name, "/deep/er/%s/%d", trm_dtype_name((trm_dtype)d), s);
      CHECK(trm_container_has(c, name));
      CHECK_OK(trm_array_info_get(c, name, &info));
      CHECK_EQ(info.dtype, d);
      CHECK_EQ(info.n_dims, shape_dims[s]);
      CHECK_EQ(info.n_elements, n);
      for (int i = 0; i < info.n_dims; ++i) CHECK_EQ(info.dims[i], shapes[s][i]);
      fill((trm_dtype)d, n, wrote);
      memset(got, 0xa5, sizeof got);
      CHECK_OK(trm_array_read(c, name, (trm_dtype)d, got, n));
      CHECK_EQ(memcmp(wrote, got, bytes), 0);
    }
  }
  CHECK(!trm_container_has(c, "/deep/missing"));
  CHECK(!trm_container_has(c, "/deep/er/f32/1/below"));
  CHECK(!trm_container_has(c, "relative"));
  CHECK_EQ(trm_array_read(c, "/deep/er/u8/1", TRM_DTYPE_U8, got, 8), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "has 7 elements, 8 were expected");
  CHECK_EQ(trm_array_read(c, "/deep", TRM_DTYPE_U8, got, 1), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "'/deep' is not an array");
  CHECK_EQ(trm_array_read(c, "/nothing", TRM_DTYPE_U8, got, 1), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "all.h5: there is no '/nothing' in it");
  CHECK_OK(trm_container_close(&c));
  CHECK(c == NULL);
  CHECK_OK(trm_container_close(&c));
  CHECK_OK(trm_container_probe(in_folder("all.h5")));
}

/* Every range of an array of three dimensions, written in pieces of every length. */
static void test_ranges(void) {
  enum { N = 3 * 4 * 5 };
  const int64_t dims[] = {3, 4, 5};
  int32_t wrote[N], got[N];
  trm_container *c = NULL;
  char name[32];
  for (int i = 0; i < N; ++i) wrote[i] = 1000 + i;
  CHECK_OK(trm_container_create(in_folder("ranges.h5"), &c));
  for (int piece = 1; piece <= N; ++piece) {
    snprintf(name, sizeof name, "/piece%d", piece);
    CHECK_OK(trm_array_create(c, name, TRM_DTYPE_I32, 3, dims));
    for (int at = 0; at < N; at += piece) {
      const int n = N - at < piece ? N - at : piece;
      CHECK_OK(trm_array_write_range(c, name, TRM_DTYPE_I32, at, n, wrote + at));
    }
  }
  CHECK_OK(trm_container_close(&c));
  CHECK_OK(trm_container_open(in_folder("ranges.h5"), &c));
  for (int piece = 1; piece <= N; ++piece) {
    snprintf(name, sizeof name, "/piece%d", piece);
    CHECK_OK(trm_array_read(c, name, TRM_DTYPE_I32, got, N));
    CHECK_EQ(memcmp(wrote, got, sizeof got), 0);
  }
  for (int first = 0; first <= N; ++first) {
    for (int n = 0; first + n <= N; ++n) {
      memset(got, 0, sizeof got);
      CHECK_OK(trm_array_read_range(c, "/piece1", TRM_DTYPE_I32, first, n, got));
      CHECK_EQ(memcmp(wrote + first, got, (size_t)n * sizeof got[0]), 0);
      if (n < N) CHECK_EQ(got[n], 0);
    }
  }
  CHECK_EQ(trm_array_read_range(c, "/piece1", TRM_DTYPE_I32, 1, N, got), TRM_ERR_ARG);
  CHECK_EQ(trm_array_read_range(c, "/piece1", TRM_DTYPE_I32, -1, 1, got), TRM_ERR_ARG);
  CHECK_EQ(trm_array_read_range(c, "/piece1", TRM_DTYPE_I32, INT64_MAX, 1, got), TRM_ERR_ARG);
  CHECK_OK(trm_container_close(&c));
}

/* Conversion of one value. `good`: it must arrive as `want`; otherwise it must be refused. */
typedef struct conversion {
  trm_dtype from, to;
  double value; /* exact in double */
  bool good;
} conversion;

static const conversion conversions[] = {
    {TRM_DTYPE_I64, TRM_DTYPE_I32, 2147483647.0, true},
    {TRM_DTYPE_I64, TRM_DTYPE_I32, 2147483648.0, false},
    {TRM_DTYPE_I64, TRM_DTYPE_I32, -2147483648.0, true},
    {TRM_DTYPE_I64, TRM_DTYPE_I32, -2147483649.0, false},
    {TRM_DTYPE_I64, TRM_DTYPE_U64, -1, false},
    {TRM_DTYPE_I64, TRM_DTYPE_U8, 256, false},
    {TRM_DTYPE_I64, TRM_DTYPE_U8, 255, true},
    {TRM_DTYPE_I32, TRM_DTYPE_U32, -1, false},
    {TRM_DTYPE_I32, TRM_DTYPE_U16, 65535, true},
    {TRM_DTYPE_I32, TRM_DTYPE_U16, 65536, false},
    {TRM_DTYPE_I32, TRM_DTYPE_I64, -5, true},
    {TRM_DTYPE_U16, TRM_DTYPE_I32, 65535, true},
    {TRM_DTYPE_U8, TRM_DTYPE_I64, 200, true},
    {TRM_DTYPE_U32, TRM_DTYPE_I32, 4294967295.0, false},
    {TRM_DTYPE_U32, TRM_DTYPE_I64, 4294967295.0, true},
    {TRM_DTYPE_U64, TRM_DTYPE_I64, 9223372036854775808.0, false},
    {TRM_DTYPE_U64, TRM_DTYPE_F64, 9223372036854775808.0, true},
    {TRM_DTYPE_I32, TRM_DTYPE_F32, 16777216, true},
    {TRM_DTYPE_I32, TRM_DTYPE_F32, 16777217, false},
    {TRM_DTYPE_I64, TRM_DTYPE_F32, -16777217, false},
    {TRM_DTYPE_F32, TRM_DTYPE_F64, 0.5, true},
    {TRM_DTYPE_F64, TRM_DTYPE_F32, 0.5, true},
    {TRM_DTYPE_F64, TRM_DTYPE_F32, 0x1.fffffep127, true},
    {TRM_DTYPE_F64, TRM_DTYPE_F32, 0x1p128, false},
    {TRM_DTYPE_F64, TRM_DTYPE_F32, -1e300, false},
    {TRM_DTYPE_F64, TRM_DTYPE_F32, INFINITY, true},
    {TRM_DTYPE_F64, TRM_DTYPE_F32, NAN, true},
    {TRM_DTYPE_F32, TRM_DTYPE_I32, -7, true},
    {TRM_DTYPE_F32, TRM_DTYPE_I32, 0.5, false},
    {TRM_DTYPE_F64, TRM_DTYPE_I32, 2147483647, true},
    {TRM_DTYPE_F64, TRM_DTYPE_I32, 2147483648, false},
    {TRM_DTYPE_F64, TRM_DTYPE_U8, -1, false},
    {TRM_DTYPE_F64, TRM_DTYPE_I64, 1e300, false},
};
enum { N_CONVERSIONS = (int)(sizeof conversions / sizeof conversions[0]) };

static void store(trm_dtype dtype, double v, int64_t i, void *data) {
  switch (dtype) {
  case TRM_DTYPE_F32:
    ((float *)data)[i] = (float)v;
    break;
  case TRM_DTYPE_F64:
    ((double *)data)[i] = v;
    break;
  case TRM_DTYPE_U8:
    ((uint8_t *)data)[i] = (uint8_t)v;
    break;
  case TRM_DTYPE_U16:
    ((uint16_t *)data)[i] = (uint16_t)v;
    break;
  case TRM_DTYPE_I32:
    ((int32_t *)data)[i] = (int32_t)v;
    break;
  case TRM_DTYPE_U32:
    ((uint32_t *)data)[i] = (uint32_t)v;
    break;
  case TRM_DTYPE_I64:
    ((int64_t *)data)[i] = (int64_t)v;
    break;
  case TRM_DTYPE_U64:
    ((uint64_t *)data)[i] = (uint64_t)v;
    break;
  }
}

static double load(trm_dtype dtype, int64_t i, const void *data) {
  switch (dtype) {
  case TRM_DTYPE_F32:
    return (double)((const float *)data)[i];
  case TRM_DTYPE_F64:
    return ((const double *)data)[i];
  case TRM_DTYPE_U8:
    return ((const uint8_t *)data)[i];
  case TRM_DTYPE_U16:
    return ((const uint16_t *)data)[i];
  case TRM_DTYPE_I32:
    return ((const int32_t *)data)[i];
  case TRM_DTYPE_U32:
    return ((const uint32_t *)data)[i];
  case TRM_DTYPE_I64:
    return (double)((const int64_t *)data)[i];
  case TRM_DTYPE_U64:
    return (double)((const uint64_t *)data)[i];
  }
  return NAN;
}

static void test_conversions(void) {
  /* Long enough that the value at its end lies in another piece than the start. */
  enum { N = 40000, AT = 39999 };
  double *from = calloc(N, sizeof *from), *to = calloc(N, sizeof *to);
  trm_container *c = NULL;
  char name[32], want[64];
  const int64_t dims[] = {N};
  if (!CHECK(from && to)) exit(1);
  CHECK_OK(trm_container_create(in_folder("convert.h5"), &c));
  for (int i = 0; i < N_CONVERSIONS; ++i) {
    memset(from, 0, N * sizeof *from);
    store(conversions[i].from, conversions[i].value, AT, from);
    store(conversions[i].from, 3, 0, from);
    snprintf(name, sizeof name, "/%d", i);
    CHECK_OK(trm_array_write(c, name, conversions[i].from, 1, dims, from));
  }
  CHECK_OK(trm_container_close(&c));
  CHECK_OK(trm_container_open(in_folder("convert.h5"), &c));
  for (int i = 0; i < N_CONVERSIONS; ++i) {
    const conversion *v = &conversions[i];
    snprintf(name, sizeof name, "/%d", i);
    const trm_status status = trm_array_read(c, name, v->to, to, N);
    if (!CHECK_EQ(status, v->good ? TRM_OK : TRM_ERR_DATA)) {
      fprintf(stderr, "in conversion %d: %s\n", i, trm_message());
    }
    if (v->good) {
      CHECK_NEAR_AT(load(v->to, AT, to), v->value, 0, i);
      CHECK_NEAR_AT(load(v->to, 0, to), 3, 0, i);
    } else {
      const bool floats = v->from == TRM_DTYPE_F32 || v->from == TRM_DTYPE_F64;
      const bool whole = floats && v->to != TRM_DTYPE_F32;
      snprintf(want, sizeof want, "at index %d, which %s %s", AT,
               whole ? "is no whole number that fits" : "does not fit", trm_dtype_name(v->to));
      CHECK_HAS(trm_message(), want);
    }
  }
  CHECK_OK(trm_container_close(&c));
  free(from);
  free(to);
}

static void test_attributes(void) {
  trm_container *c = NULL;
  int64_t v = 0;
  double x = 0;
  char *text = NULL, *long_text = calloc(70000, 1);
  const int64_t dims[] = {2};
  const float data[] = {1, 2};
  if (!CHECK(long_text != NULL)) exit(1);
  memset(long_text, 'x', 69999);
  CHECK_OK(trm_container_create(in_folder("attr.h5"), &c));
  CHECK_OK(trm_attr_write_int(c, "/", "n", INT64_MIN));
  CHECK_OK(trm_attr_write_real(c, "/a/group", "x", -0.1));
  CHECK_OK(trm_attr_write_real(c, "/a/group", "nan", NAN));
  CHECK_OK(trm_array_write(c, "/a/array", TRM_DTYPE_F32, 1, dims, data));
  CHECK_OK(trm_attr_write_text(c, "/a/array", "text", "na\xc3\xafve\n: text"));
  CHECK_OK(trm_attr_write_text(c, "/", "empty", ""));
  CHECK_EQ(trm_attr_write_text(c, "/", "long", long_text), TRM_ERR_ARG);
  long_text[60000] = 0;
  CHECK_OK(trm_attr_write_text(c, "/", "long", long_text));
  CHECK_OK(trm_container_close(&c));

  CHECK_OK(trm_container_open(in_folder("attr.h5"), &c));
  CHECK_OK(trm_attr_read_int(c, "/", "n", &v));
  CHECK_EQ(v, INT64_MIN);
  CHECK_OK(trm_attr_read_real(c, "/a/group", "x", &x));
  CHECK_NEAR(x, -0.1, 0);
  CHECK_OK(trm_attr_read_real(c, "/a/group", "nan", &x));
  CHECK(isnan(x));
  CHECK_OK(trm_attr_read_real(c, "/", "n", &x));
  CHECK_NEAR(x, (double)INT64_MIN, 0);
  CHECK_OK(trm_attr_read_text(c, "/a/array", "text", &text));
  CHECK_STR(text, "na\xc3\xafve\n: text");
  TRM_FREE(text);
  CHECK_OK(trm_attr_read_text(c, "/", "empty", &text));
  CHECK_STR(text, "");
  TRM_FREE(text);
  CHECK_OK(trm_attr_read_text(c, "/", "long", &text));
  CHECK_STR(text, long_text);
  TRM_FREE(text);
  CHECK(trm_attr_has(c, "/", "n"));
  CHECK(!trm_attr_has(c, "/", "m"));
  CHECK(!trm_attr_has(c, "/b", "n"));
  CHECK_EQ(trm_attr_read_int(c, "/", "m", &v), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "attr.h5: attribute 'm' of '/' is missing");
  CHECK_EQ(trm_attr_read_int(c, "/a/group", "x", &v), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "should be a whole number");
  CHECK_EQ(trm_attr_read_text(c, "/", "n", &text), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "should be a text");
  CHECK_EQ(trm_attr_read_real(c, "/", "empty", &x), TRM_ERR_DATA);
  CHECK_OK(trm_container_close(&c));
  free(long_text);
}

typedef struct seen {
  trm_container *c;
  char text[256];
  int stop_after;
} seen;

static trm_status note(void *context, const char *name, const trm_array_info *info) {
  seen *s = context;
  int32_t v[4] = {0};
  const size_t at = strlen(s->text);
  if (s->stop_after-- == 0) return trm_fail(TRM_ERR_DATA, "stopped by the visitor");
  CHECK_OK(trm_array_read(s->c, name, TRM_DTYPE_I32, v, info->n_elements));
  snprintf(s->text + at, sizeof s->text - at, "%s=%d ", name, v[0]);
  return TRM_OK;
}

static void test_visit(void) {
  static const char *const names[] = {"/b", "/c/y", "/a/z", "/a/b/c", "/c/x", "/10", "/9"};
  const int64_t dims[] = {1};
  trm_container *c = NULL;
  CHECK_OK(trm_container_create(in_folder("visit.h5"), &c));
  for (int32_t i = 0; i < 7; ++i) {
    CHECK_OK(trm_array_write(c, names[i], TRM_DTYPE_I32, 1, dims, &i));
  }
  CHECK_OK(trm_container_close(&c));
  CHECK_OK(trm_container_open(in_folder("visit.h5"), &c));
  seen s = {.c = c, .stop_after = -1};
  CHECK_OK(trm_container_visit(c, note, &s));
  CHECK_STR(s.text, "/10=5 /9=6 /a/b/c=3 /a/z=2 /b=0 /c/x=4 /c/y=1 ");
  s = (seen){.c = c, .stop_after = 2};
  CHECK_EQ(trm_container_visit(c, note, &s), TRM_ERR_DATA);
  CHECK_STR(s.text, "/10=5 /9=6 ");
  CHECK_STR(trm_message(), "stopped by the visitor");
  CHECK_OK(trm_container_close(&c));
}

static void write_bytes(const char *path, const void *data, size_t bytes) {
  FILE *file = fopen(path, "wb");
  if (!CHECK(file != NULL)) exit(1);
  CHECK_EQ(fwrite(data, 1, bytes, file), bytes);
  CHECK_EQ(fclose(file), 0);
}

static void expect_open(const char *name, trm_status status, const char *part) {
  trm_container *c = NULL;
  const char *path = in_folder(name);
  CHECK_EQ(trm_container_open(path, &c), status);
  CHECK_HAS(trm_message(), part);
  CHECK_HAS(trm_message(), path);
  CHECK(c == NULL);
}

static void test_bad_files(void) {
  const char *path;
  char text[64];
  expect_open("none.h5", TRM_ERR_MISSING, "no such file");
  CHECK_EQ(mkdir(in_folder("dir.h5"), 0777), 0);
  expect_open("dir.h5", TRM_ERR_IO, "is a folder");
  expect_open("all.h5/below", TRM_ERR_IO, "not a directory");
  CHECK_EQ(mkfifo(in_folder("pipe.h5"), 0666), 0);
  expect_open("pipe.h5", TRM_ERR_IO, "not a regular file");
  write_bytes(in_folder("empty.h5"), "", 0);
  expect_open("empty.h5", TRM_ERR_DATA, "is empty");
  write_bytes(in_folder("text.h5"), "To be, or not to be\n", 20);
  expect_open("text.h5", TRM_ERR_DATA, "is not an HDF5 file");
  if (geteuid() != 0) { /* root may read everything */
    CHECK_EQ(chmod(in_folder("text.h5"), 0), 0);
    expect_open("text.h5", TRM_ERR_IO, "permission denied");
  }
  path = in_folder("attr.h5");
  struct stat facts;
  CHECK_EQ(stat(path, &facts), 0);
  CHECK_EQ(truncate(path, facts.st_size - 100), 0);
  snprintf(text, sizeof text, "it is %lld bytes, its header says %lld",
           (long long)facts.st_size - 100, (long long)facts.st_size);
  expect_open("attr.h5", TRM_ERR_DATA, text);
  CHECK_EQ(truncate(path, 20), 0);
  expect_open("attr.h5", TRM_ERR_DATA, "truncated or damaged HDF5 file of 20 bytes");
  trm_message_set("");
  CHECK_EQ(trm_container_probe(path), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "truncated or damaged");
  trm_container *c = NULL;
  CHECK_EQ(trm_container_create(in_folder("no/such/folder.h5"), &c), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "no such file or directory");
  CHECK_EQ(trm_container_create(in_folder("dir.h5"), &c), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "is a folder");
}

/* A file another process is writing. */
static void test_locked(void) {
  int up[2], down[2];
  char byte = 0;
  CHECK_EQ(pipe(up), 0);
  CHECK_EQ(pipe(down), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    trm_container *c = NULL;
    const bool good = trm_container_create(in_folder("locked.h5"), &c) == TRM_OK &&
                      trm_attr_write_int(c, "/", "n", 1) == TRM_OK && write(up[1], "x", 1) == 1 &&
                      read(down[0], &byte, 1) == 1 && trm_container_close(&c) == TRM_OK;
    _exit(good ? 0 : 1);
  }
  CHECK_EQ(read(up[0], &byte, 1), 1);
  const char *locking = getenv("HDF5_USE_FILE_LOCKING");
  const int fd = open(in_folder("locked.h5"), O_WRONLY | O_APPEND);
  /* The signature is in the writer's memory until it flushes; lend it so that the lock is seen. */
  if (lseek(fd, 0, SEEK_END) == 0) CHECK_EQ(write(fd, "\x89HDF\r\n\x1a\n", 8), 8);
  CHECK_EQ(close(fd), 0);
  if (!locking) expect_open("locked.h5", TRM_ERR_IO, "is locked");
  CHECK_EQ(write(down[1], "x", 1), 1);
  int status = 0;
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK_EQ(status, 0);
  for (int i = 0; i < 2; ++i) CHECK_EQ(close(up[i]) | close(down[i]), 0);
  CHECK_OK(trm_container_probe(in_folder("locked.h5")));
}

/* A write that failed is not forgotten: nothing is written after it, and closing tells it again. */
static void test_sticky_failure(void) {
  const int64_t dims[] = {1};
  const float one = 1;
  trm_container *c = NULL;
  char first[TRM_MESSAGE_BYTES];
  CHECK_OK(trm_container_create(in_folder("sticky.h5"), &c));
  CHECK_OK(trm_array_write(c, "/x", TRM_DTYPE_F32, 1, dims, &one));
  CHECK_EQ(trm_array_write(c, "/x", TRM_DTYPE_F32, 1, dims, &one), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "'/x'");
  snprintf(first, sizeof first, "%s", trm_message());
  CHECK_EQ(trm_array_write(c, "/y", TRM_DTYPE_F32, 1, dims, &one), TRM_ERR_IO);
  CHECK_EQ(trm_attr_write_int(c, "/", "n", 1), TRM_ERR_IO);
  trm_message_set("");
  CHECK_EQ(trm_container_close(&c), TRM_ERR_IO);
  CHECK_STR(trm_message(), first);
  CHECK(c == NULL);
  CHECK_OK(trm_container_open(in_folder("visit.h5"), &c)); /* for reading */
  CHECK_EQ(trm_attr_write_int(c, "/", "n", 1), TRM_ERR_ARG);
  CHECK_EQ(trm_array_write(c, "/z", TRM_DTYPE_F32, 1, dims, &one), TRM_ERR_ARG);
  CHECK_OK(trm_container_close(&c));
}

/* Two handles of one file, closed in turn. */
static void test_two_readers(void) {
  trm_container *a = NULL, *b = NULL;
  int32_t v = -1;
  CHECK_OK(trm_container_open(in_folder("visit.h5"), &a));
  CHECK_OK(trm_container_open(in_folder("visit.h5"), &b));
  CHECK_OK(trm_array_read(a, "/b", TRM_DTYPE_I32, &v, 1));
  CHECK_OK(trm_array_read(b, "/c/x", TRM_DTYPE_I32, &v, 1));
  CHECK_OK(trm_container_close(&a));
  CHECK_OK(trm_array_read(b, "/c/y", TRM_DTYPE_I32, &v, 1));
  CHECK_EQ(v, 1);
  CHECK_OK(trm_container_close(&b));
}

static void *write_and_read(void *context) {
  const int id = *(const int *)context;
  char path[PATH_MAX + 64];
  snprintf(path, sizeof path, "%s/thread%d.h5", folder, id);
  for (int round = 0; round < 20; ++round) {
    const int64_t dims[] = {1000};
    int32_t wrote[1000], got[1000];
    trm_container *c = NULL;
    for (int i = 0; i < 1000; ++i) wrote[i] = id * 1000 + round + i;
    CHECK_OK(trm_container_create(path, &c));
    CHECK_OK(trm_array_write(c, "/x", TRM_DTYPE_I32, 1, dims, wrote));
    CHECK_OK(trm_container_close(&c));
    CHECK_OK(trm_container_open(path, &c));
    CHECK_OK(trm_array_read(c, "/x", TRM_DTYPE_I32, got, 1000));
    CHECK_EQ(memcmp(wrote, got, sizeof got), 0);
    trm_array_info info;
    CHECK_EQ(trm_array_info_get(c, "/y", &info), TRM_ERR_DATA);
    CHECK_HAS(trm_message(), path);
    CHECK_OK(trm_container_close(&c));
  }
  return NULL;
}

static void test_threads(void) {
  enum { N = 4 };
  pthread_t threads[N];
  int ids[N];
  for (int i = 0; i < N; ++i) {
    ids[i] = i;
    CHECK_EQ(pthread_create(&threads[i], NULL, write_and_read, &ids[i]), 0);
  }
  for (int i = 0; i < N; ++i) CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

/* The same data make the same bytes, a second later too. */
static void test_same_bytes(void) {
  static const char *const names[] = {"a.h5", "b.h5"};
  const int64_t n = 3;
  const float values[] = {1, 2, 3};
  for (int i = 0; i < 2; ++i) {
    trm_container *c = NULL;
    if (!CHECK_OK(trm_container_create(in_folder(names[i]), &c))) return;
    CHECK_OK(trm_array_write(c, "/some/values", TRM_DTYPE_F32, 1, &n, values));
    CHECK_OK(trm_attr_write_int(c, "/other", "n", n));
    CHECK_OK(trm_container_close(&c));
    if (i == 0) (void)usleep(1050000);
  }
  char command[3 * PATH_MAX];
  snprintf(command, sizeof command, "cmp '%s' '%s'", in_folder(names[0]), in_folder(names[1]));
  CHECK_EQ(system(command), 0);
}

int main(void) {
  snprintf(folder, sizeof folder, "%s", check_temp_folder());
  test_round_trips();
  test_ranges();
  test_conversions();
  test_attributes();
  test_visit();
  test_bad_files();
  test_locked();
  test_sticky_failure();
  test_two_readers();
  test_threads();
  test_same_bytes();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
