/* Files from strangers, built with the HDF5 library itself: what may be read, and what is refused. */
#include <hdf5.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/io/container.h"

static char folder[PATH_MAX], path[PATH_MAX + 64], secret[PATH_MAX + 64];

/* Handles of HDF5 that are made here must be good; the library prints its own errors until the first
 * container is opened. */
static hid_t good(hid_t id) {
  if (!CHECK(id >= 0)) {
    exit(1);
  }
  return id;
}
#define GOOD(call) good((hid_t)(call))

static hid_t simple(hsize_t n) {
  return GOOD(H5Screate_simple(1, &n, NULL));
}

/* A data set of n int32 counting from 1, by a given type in the file and creation properties. */
static void put_ints(hid_t file, const char *name, hid_t type, hsize_t n, hid_t properties) {
  int32_t values[64];
  for (int i = 0; i < 64; ++i) values[i] = i + 1;
  const hid_t space = simple(n);
  const hid_t set = GOOD(H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT));
  GOOD(H5Dwrite(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  GOOD(H5Dclose(set));
  GOOD(H5Sclose(space));
}

static void put_empty(hid_t file, const char *name, hid_t type, hid_t space, hid_t properties) {
  GOOD(H5Dclose(GOOD(H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT))));
  GOOD(H5Sclose(space));
}

static hid_t chunked(hsize_t n) {
  const hid_t properties = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  GOOD(H5Pset_chunk(properties, 1, &n));
  return properties;
}

/* A filter that this process has only while it writes. */
static size_t pass_through(unsigned flags, size_t n_values, const unsigned *values, size_t bytes,
                           size_t *buffer_bytes, void **buffer) {
  (void)flags, (void)n_values, (void)values, (void)buffer_bytes, (void)buffer;
  return bytes;
}
static const H5Z_class2_t odd_filter = {.version = H5Z_CLASS_T_VERS,
                                        .id = 300,
                                        .encoder_present = 1,
                                        .decoder_present = 1,
                                        .name = "odd",
                                        .filter = pass_through};

static void put_links(hid_t file) {
  GOOD(H5Lcreate_soft("/plain", file, "/soft", H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Lcreate_external(secret, "/plain", file, "/external", H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Gclose(GOOD(H5Gcreate2(file, "/group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT))));
  put_ints(file, "/group/inner", H5T_STD_I32LE, 5, H5P_DEFAULT);
  GOOD(H5Lcreate_soft("/group", file, "/softgroup", H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Lcreate_hard(file, "/plain", file, "/hard", H5P_DEFAULT, H5P_DEFAULT));
}

static void put_storage(hid_t file) {
  hid_t p = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  GOOD(H5Pset_external(p, secret, 0, 64));
  put_empty(file, "/elsewhere", H5T_STD_I32LE, simple(5), p);
  GOOD(H5Pclose(p));

  p = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  const hid_t from = simple(5), to = simple(5);
  GOOD(H5Pset_virtual(p, to, secret, "/plain", from));
  GOOD(H5Sclose(from));
  put_empty(file, "/virtual", H5T_STD_I32LE, to, p);
  GOOD(H5Pclose(p));

  put_empty(file, "/unwritten", H5T_STD_I32LE, simple(5), H5P_DEFAULT);
  p = chunked(1 << 20);
  put_empty(file, "/tebibyte", H5T_STD_I32LE, simple((hsize_t)1 << 38), p);
  GOOD(H5Pclose(p));

  p = chunked(4);
  put_ints(file, "/chunked", H5T_STD_I32LE, 10, p);
  const hid_t holes = simple(10), memory = simple(3);
  const hsize_t start = 0, count = 3;
  const int32_t values[] = {1, 2, 3};
  const hid_t set =
      GOOD(H5Dcreate2(file, "/holes", H5T_STD_I32LE, holes, H5P_DEFAULT, p, H5P_DEFAULT));
  GOOD(H5Sselect_hyperslab(holes, H5S_SELECT_SET, &start, NULL, &count, NULL));
  GOOD(H5Dwrite(set, H5T_NATIVE_INT32, memory, holes, H5P_DEFAULT, values));
  GOOD(H5Dclose(set));
  GOOD(H5Sclose(holes));
  GOOD(H5Sclose(memory));
  GOOD(H5Zregister(&odd_filter));
  GOOD(H5Pset_filter(p, 300, 0, 0, NULL));
  put_ints(file, "/odd", H5T_STD_I32LE, 10, p);
  GOOD(H5Pclose(p));

  if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) {
    const hsize_t dims[2] = {2, (hsize_t)10 << 26}, chunk[2] = {1, (hsize_t)1 << 26};
    p = GOOD(H5Pcreate(H5P_DATASET_CREATE));
    GOOD(H5Pset_chunk(p, 2, chunk));
    GOOD(H5Pset_deflate(p, 6));
    put_empty(file, "/sidebyside", H5T_STD_U8LE, GOOD(H5Screate_simple(2, dims, NULL)), p);
    GOOD(H5Pclose(p));
    p = chunked(10);
    GOOD(H5Pset_shuffle(p));
    GOOD(H5Pset_deflate(p, 6));
    GOOD(H5Pset_fletcher32(p));
    put_ints(file, "/packed", H5T_STD_I32LE, 50, p);
    GOOD(H5Pclose(p));
  }
  p = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  GOOD(H5Pset_layout(p, H5D_COMPACT));
  put_ints(file, "/compact", H5T_STD_I32LE, 10, p);
  GOOD(H5Pclose(p));
  p = chunked((hsize_t)1 << 27);
  put_empty(file, "/bigchunk", H5T_STD_I32LE, simple((hsize_t)1 << 27), p);
  GOOD(H5Pclose(p));
}

static void put_attr(hid_t file, const char *name, hid_t type, const void *value) {
  const hid_t space = GOOD(H5Screate(H5S_SCALAR));
  const hid_t attr = GOOD(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Awrite(attr, type, value));
  GOOD(H5Aclose(attr));
  GOOD(H5Sclose(space));
}

/* True and false as h5py has them, and as bits, which PyTables writes. */
static void put_booleans(hid_t file) {
  const int8_t no = 0, yes = 1;
  const unsigned char values[] = {1, 0, 1};
  const hid_t boolean = GOOD(H5Tenum_create(H5T_STD_I8LE));
  GOOD(H5Tenum_insert(boolean, "FALSE", &no));
  GOOD(H5Tenum_insert(boolean, "TRUE", &yes));
  const hid_t types[] = {boolean, H5T_STD_B8LE};
  static const char *const names[] = {"/boolean", "/bits"};
  for (int i = 0; i < 2; ++i) {
    const hid_t space = simple(3);
    const hid_t set =
        GOOD(H5Dcreate2(file, names[i], types[i], space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    GOOD(H5Dwrite(set, i == 0 ? boolean : H5T_NATIVE_B8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    GOOD(H5Dclose(set));
    GOOD(H5Sclose(space));
  }
  put_attr(file, "boolean", boolean, &yes);
  GOOD(H5Tclose(boolean));
}

/* Three numbers of which two have names, as h5py has classes by dtype and names. */
static void put_named(hid_t file, const char *name, hid_t stored, hid_t native, void *values) {
  static const char *const names[] = {"cat", "dog"};
  const hid_t type = GOOD(H5Tenum_create(stored)), in_memory = GOOD(H5Tenum_create(native));
  const hid_t space = simple(3);
  const size_t bytes = H5Tget_size(native);
  for (int i = 0; i < 2; ++i) {
    unsigned char value[2];
    memcpy(value, (unsigned char *)values + (size_t)i * bytes, bytes);
    GOOD(H5Tenum_insert(in_memory, names[i], value));
    GOOD(H5Tconvert(native, stored, 1, value, NULL, H5P_DEFAULT));
    GOOD(H5Tenum_insert(type, names[i], value));
  }
  const hid_t set =
      GOOD(H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Dwrite(set, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  GOOD(H5Dclose(set));
  GOOD(H5Sclose(space));
  GOOD(H5Tclose(type));
  GOOD(H5Tclose(in_memory));
}

static void put_types(hid_t file) {
  put_ints(file, "/plain", H5T_STD_I32LE, 10, H5P_DEFAULT);
  put_ints(file, "/i8", H5T_STD_I8LE, 10, H5P_DEFAULT);
  put_ints(file, "/i16", H5T_STD_I16BE, 10, H5P_DEFAULT);
  put_ints(file, "/bigendian", H5T_STD_U64BE, 10, H5P_DEFAULT);
  put_ints(file, "/f64be", H5T_IEEE_F64BE, 10, H5P_DEFAULT);
  const hid_t half = GOOD(H5Tcopy(H5T_IEEE_F32LE));
  GOOD(H5Tset_fields(half, 15, 10, 5, 0, 10));
  GOOD(H5Tset_precision(half, 16));
  GOOD(H5Tset_ebias(half, 15));
  GOOD(H5Tset_size(half, 2));
  put_ints(file, "/half", half, 10, H5P_DEFAULT);
  GOOD(H5Tclose(half));
  const hid_t narrow = GOOD(H5Tcopy(H5T_STD_I32LE));
  GOOD(H5Tset_precision(narrow, 20));
  put_ints(file, "/narrow", narrow, 10, H5P_DEFAULT);
  GOOD(H5Tclose(narrow));
  const hid_t text = GOOD(H5Tcopy(H5T_C_S1));
  GOOD(H5Tset_size(text, 8));
  put_empty(file, "/text", text, simple(3), H5P_DEFAULT);
  GOOD(H5Tclose(text));
  const hid_t pair = GOOD(H5Tcreate(H5T_COMPOUND, 8));
  GOOD(H5Tinsert(pair, "re", 0, H5T_NATIVE_FLOAT));
  GOOD(H5Tinsert(pair, "im", 4, H5T_NATIVE_FLOAT));
  put_empty(file, "/compound", pair, simple(3), H5P_DEFAULT);
  GOOD(H5Tcommit2(file, "/named", pair, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Tclose(pair));
  put_named(file, "/enum", H5T_STD_I16BE, H5T_NATIVE_INT16, (int16_t[]){300, -1, 300});
  put_named(file, "/enum8", H5T_STD_U8LE, H5T_NATIVE_UINT8, (uint8_t[]){0, 255, 7});
  put_booleans(file);
  put_empty(file, "/null", H5T_STD_I32LE, GOOD(H5Screate(H5S_NULL)), H5P_DEFAULT);
  const hsize_t five[] = {1, 1, 1, 1, 1};
  put_empty(file, "/rank5", H5T_STD_I32LE, GOOD(H5Screate_simple(5, five, NULL)), H5P_DEFAULT);
}

static void put_attributes(hid_t file) {
  const char *words = "variable length", *none = NULL;
  const uint64_t huge = UINT64_MAX;
  const int16_t small = -7;
  hid_t type = GOOD(H5Tcopy(H5T_C_S1));
  GOOD(H5Tset_size(type, H5T_VARIABLE));
  put_attr(file, "vlen", type, &words);
  put_attr(file, "vlen_null", type, &none);
  GOOD(H5Tset_cset(type, H5T_CSET_UTF8));
  put_attr(file, "vlen_utf8", type, &words);
  GOOD(H5Tclose(type));
  type = GOOD(H5Tcopy(H5T_FORTRAN_S1));
  GOOD(H5Tset_size(type, 8));
  put_attr(file, "fortran", type, "text    ");
  GOOD(H5Tclose(type));
  put_attr(file, "huge", H5T_NATIVE_UINT64, &huge);
  put_attr(file, "small", H5T_NATIVE_INT16, &small);
  const double whole = 42, fraction = 1.5;
  put_attr(file, "whole", H5T_NATIVE_DOUBLE, &whole);
  put_attr(file, "fraction", H5T_NATIVE_DOUBLE, &fraction);
  const hid_t three = simple(3);
  GOOD(H5Aclose(GOOD(H5Acreate2(file, "three", H5T_NATIVE_INT, three, H5P_DEFAULT, H5P_DEFAULT))));
  GOOD(H5Sclose(three));
}

static void build(void) {
  hid_t file = GOOD(H5Fcreate(secret, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  put_ints(file, "/plain", H5T_STD_I32LE, 5, H5P_DEFAULT);
  GOOD(H5Fclose(file));
  file = GOOD(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  put_types(file);
  put_links(file);
  put_storage(file);
  put_attributes(file);
  GOOD(H5Fclose(file));
  GOOD(H5Zunregister(300));
}

static void expect_array(trm_container *c, const char *name, trm_dtype dtype, int64_t n) {
  trm_array_info info = {0};
  int64_t values[64] = {0};
  double reals[64] = {0};
  if (!CHECK_OK(trm_array_info_get(c, name, &info))) return;
  if (!CHECK_EQ(info.dtype, dtype) || !CHECK_EQ(info.n_elements, n)) {
    fprintf(stderr, "at %s\n", name);
    return;
  }
  CHECK_OK(trm_array_read(c, name, TRM_DTYPE_F64, reals, n));
  for (int64_t i = 0; i < n; ++i) CHECK_NEAR_AT(reals[i], (double)(i + 1), 0, i);
  if (dtype == TRM_DTYPE_F32 || dtype == TRM_DTYPE_F64) return;
  CHECK_OK(trm_array_read(c, name, TRM_DTYPE_I64, values, n));
  for (int64_t i = 0; i < n; ++i) CHECK_EQ(values[i], i + 1);
}

static void refuse(trm_container *c, const char *name, const char *part) {
  trm_array_info info;
  int32_t values[64];
  CHECK_EQ(trm_array_info_get(c, name, &info), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), part);
  CHECK_HAS(trm_message(), name);
  CHECK_EQ(trm_array_read_range(c, name, TRM_DTYPE_I32, 0, 1, values), TRM_ERR_DATA);
}

static void expect_booleans(trm_container *c, const char *name) {
  trm_array_info info = {0};
  int32_t values[3] = {0};
  CHECK_OK(trm_array_info_get(c, name, &info));
  CHECK_EQ(info.dtype, TRM_DTYPE_U8);
  CHECK_OK(trm_array_read(c, name, TRM_DTYPE_I32, values, 3));
  CHECK(values[0] == 1 && values[1] == 0 && values[2] == 1);
}

static void expect_named(trm_container *c, const char *name, trm_dtype dtype, const int *want) {
  trm_array_info info = {0};
  int32_t values[3] = {0};
  CHECK_OK(trm_array_info_get(c, name, &info));
  CHECK_EQ(info.dtype, dtype);
  CHECK_OK(trm_array_read(c, name, TRM_DTYPE_I32, values, 3));
  for (int i = 0; i < 3; ++i) CHECK_EQ(values[i], want[i]);
}

static trm_status note_member(void *context, const char *name) {
  (void)snprintf((char *)context + strlen(context), 16, "%s ", name);
  return TRM_OK;
}

static void test_members(trm_container *c) {
  char names[64] = "";
  CHECK_OK(trm_container_members(c, "/group", note_member, names));
  CHECK_STR(names, "inner ");
  CHECK_EQ(trm_container_members(c, "/plain", note_member, names), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "'/plain' is not a group");
}

static void test_arrays(trm_container *c) {
  test_members(c);
  expect_named(c, "/enum", TRM_DTYPE_I32, (int[]){300, -1, 300});
  expect_named(c, "/enum8", TRM_DTYPE_U8, (int[]){0, 255, 7});
  expect_booleans(c, "/boolean");
  expect_booleans(c, "/bits");
  expect_array(c, "/plain", TRM_DTYPE_I32, 10);
  expect_array(c, "/hard", TRM_DTYPE_I32, 10);
  expect_array(c, "/group/inner", TRM_DTYPE_I32, 5);
  expect_array(c, "/i8", TRM_DTYPE_I32, 10);
  expect_array(c, "/i16", TRM_DTYPE_I32, 10);
  expect_array(c, "/bigendian", TRM_DTYPE_U64, 10);
  expect_array(c, "/f64be", TRM_DTYPE_F64, 10);
  expect_array(c, "/half", TRM_DTYPE_F32, 10);
  expect_array(c, "/chunked", TRM_DTYPE_I32, 10);
  expect_array(c, "/compact", TRM_DTYPE_I32, 10);
  if (trm_container_has(c, "/packed")) expect_array(c, "/packed", TRM_DTYPE_I32, 50);

  /* Something is there, so that no optional array is passed over for one that is not. */
  CHECK(trm_container_has(c, "/soft"));
  CHECK(trm_container_has(c, "/external"));
  CHECK(trm_container_has(c, "/softgroup/inner"));
  int64_t n = 0;
  CHECK(trm_container_count(c, "/softgroup", &n) == TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "is a soft or external link");
  refuse(c, "/soft", "is a soft or external link");
  refuse(c, "/external", "is a soft or external link");
  refuse(c, "/softgroup/inner", "is a soft or external link");
  refuse(c, "/elsewhere", "is stored in another file");
  refuse(c, "/virtual", "is a virtual data set");
  refuse(c, "/unwritten", "should have 20 bytes, but 0 are stored");
  refuse(c, "/tebibyte", "is incomplete: 0 of its 262144 chunks are stored");
  refuse(c, "/holes", "is incomplete: 1 of its 3 chunks are stored");
  refuse(c, "/odd", "filter 300, which is not built in");
  if (trm_container_has(c, "/sidebyside")) {
    refuse(c, "/sidebyside", "side by side have more than 512 MiB");
  }
  refuse(c, "/bigchunk", "chunks of more than 256 MiB");
  refuse(c, "/narrow", "holds neither whole numbers nor");
  refuse(c, "/text", "holds texts");
  refuse(c, "/compound", "holds records or complex numbers");
  refuse(c, "/named", "is not an array");
  refuse(c, "/null", "has no shape");
  refuse(c, "/rank5", "has more than 4 dimensions");
}

static void expect_text(trm_container *c, const char *name, const char *want) {
  char *text = NULL;
  if (CHECK_OK(trm_attr_read_text(c, "/", name, &text))) CHECK_STR(text, want);
  TRM_FREE(text);
}

static void test_attributes(trm_container *c) {
  int64_t v = 0;
  double x = 0;
  char *text = NULL;
  expect_text(c, "vlen", "variable length");
  expect_text(c, "vlen_utf8", "variable length");
  expect_text(c, "vlen_null", "");
  expect_text(c, "fortran", "text");
  CHECK_OK(trm_attr_read_int(c, "/", "small", &v));
  CHECK_EQ(v, -7);
  CHECK_OK(trm_attr_read_real(c, "/", "small", &x));
  CHECK_NEAR(x, -7, 0);
  CHECK_OK(trm_attr_read_int(c, "/", "boolean", &v));
  CHECK_EQ(v, 1);
  CHECK_OK(trm_attr_read_int(c, "/", "whole", &v));
  CHECK_EQ(v, 42);
  CHECK_EQ(trm_attr_read_int(c, "/", "fraction", &v), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "should be a whole number");
  CHECK_EQ(trm_attr_read_int(c, "/", "huge", &v), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "too large");
  CHECK_EQ(trm_attr_read_int(c, "/", "three", &v), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "exactly one value");
  CHECK_EQ(trm_attr_read_text(c, "/soft", "x", &text), TRM_ERR_DATA);
}

static trm_status ignore(void *context, const char *name, const trm_array_info *info) {
  (void)context, (void)name, (void)info;
  return TRM_OK;
}

/* A group that contains itself, and a file of the newest format behind a user block. */
static void test_other_files(void) {
  trm_container *c = NULL;
  hid_t file = GOOD(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Lcreate_hard(file, "/", file, "/again", H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Lcreate_hard(file, "/", file, "/andagain", H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Fclose(file));
  CHECK_OK(trm_container_open(path, &c));
  CHECK_EQ(trm_container_visit(c, ignore, NULL), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "a group that contains itself");
  CHECK_OK(trm_container_close(&c));

  const hid_t access = GOOD(H5Pcreate(H5P_FILE_ACCESS)),
              creation = GOOD(H5Pcreate(H5P_FILE_CREATE));
  GOOD(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST));
  GOOD(H5Pset_userblock(creation, 1024));
  file = GOOD(H5Fcreate(path, H5F_ACC_TRUNC, creation, access));
  put_ints(file, "/x", H5T_STD_I32LE, 10, H5P_DEFAULT);
  hid_t p = chunked(3);
  put_ints(file, "/chunked", H5T_STD_U16LE, 10, p);
  GOOD(H5Pclose(p));
  GOOD(H5Fclose(file));
  GOOD(H5Pclose(access));
  GOOD(H5Pclose(creation));
  CHECK_OK(trm_container_open(path, &c));
  expect_array(c, "/x", TRM_DTYPE_I32, 10);
  expect_array(c, "/chunked", TRM_DTYPE_U16, 10);
  CHECK_OK(trm_container_visit(c, ignore, NULL));
  CHECK_OK(trm_container_close(&c));
  CHECK_OK(trm_container_probe(path));
}

static void copy_file(const char *from, const char *to) {
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  if (!CHECK(in && out)) exit(1);
  for (int c = fgetc(in); c != EOF; c = fgetc(in)) fputc(c, out);
  fclose(in);
  fclose(out);
}

/* What the head of a file of the newer formats says of who has it, and of itself. */
static void test_heads(void) {
  trm_container *c = NULL;
  const hid_t access = GOOD(H5Pcreate(H5P_FILE_ACCESS));
  GOOD(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST));
  const hid_t file = GOOD(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access));
  put_ints(file, "/x", H5T_STD_I32LE, 10, H5P_DEFAULT);
  GOOD(H5Fstart_swmr_write(file)); /* which gives up the lock, but not the mark */
  copy_file(path, secret);         /* a file that this process has open would be shared */
  CHECK_EQ(trm_container_open(secret, &c), TRM_ERR_IO);
  CHECK_HAS(trm_message(), "is marked as open for writing");
  GOOD(H5Fclose(file));
  GOOD(H5Pclose(access));
  CHECK_OK(trm_container_open(path, &c));
  expect_array(c, "/x", TRM_DTYPE_I32, 10);
  CHECK_OK(trm_container_close(&c));
  FILE *head = fopen(path, "r+b");
  if (!CHECK(head && fseek(head, 8, SEEK_SET) == 0 && fputc(9, head) == 9)) exit(1);
  fclose(head);
  CHECK_EQ(trm_container_open(path, &c), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "is of a newer HDF5");
}

/* Processor seconds of reading the first n elements of a file that is opened for it. */
static double read_start_s(int64_t n) {
  trm_container *c = NULL;
  int32_t *values = calloc((size_t)n, sizeof *values);
  const clock_t start = clock();
  CHECK_OK(trm_container_open(path, &c));
  CHECK_OK(trm_array_read_range(c, "/large", TRM_DTYPE_I32, 0, n, values));
  CHECK_OK(trm_container_close(&c));
  free(values);
  return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* A chunk that is larger than the usual cache is unpacked once, not for each of the pieces it is read in. */
static void test_large_chunk(void) {
  enum { N = 24 << 20, N_READ = 2 << 20 };
  if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) <= 0) return;
  unsigned char *bytes = calloc(N, 1);
  const hid_t file = GOOD(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const hid_t p = chunked(N), space = simple(N);
  GOOD(H5Pset_deflate(p, 1));
  const hid_t set =
      GOOD(H5Dcreate2(file, "/large", H5T_STD_U8LE, space, H5P_DEFAULT, p, H5P_DEFAULT));
  GOOD(H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes));
  GOOD(H5Dclose(set));
  GOOD(H5Sclose(space));
  GOOD(H5Pclose(p));
  GOOD(H5Fclose(file));
  free(bytes);
  const double one_s = read_start_s(1), many_s = read_start_s(N_READ);
  if (!CHECK(many_s < 10 * one_s + 0.05)) {
    (void)fprintf(stderr, "  one element: %g s, %d: %g s\n", one_s, (int)N_READ, many_s);
  }
}

int main(void) {
  trm_container *c = NULL;
  snprintf(folder, sizeof folder, "%s", check_temp_folder());
  snprintf(path, sizeof path, "%s/foreign.h5", folder);
  snprintf(secret, sizeof secret, "%s/secret.h5", folder);
  build();
  CHECK_OK(trm_container_open(path, &c));
  test_arrays(c);
  test_attributes(c);
  CHECK_OK(trm_container_close(&c));
  CHECK_EQ(trm_container_probe(path), TRM_ERR_DATA);
  test_other_files();
  test_heads();
  test_large_chunk();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
