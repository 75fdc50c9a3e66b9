/*
 * Data sets from strangers: of every kind, each array and each attribute is replaced by what a file may hold
 * in its place. It is refused in one line that names the file, without a crash, a hang, or memory that the
 * file has no bytes for; what the format allows is read.
 */
#include <hdf5.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "small_sets.h"
#include "trireme/core/memory.h"
#include "trireme/input/kind.h"
#include "trireme/io/container.h"
#include "trireme/io/files.h"

/* Address space cannot be limited under sanitizers, whose shadow takes terabytes of it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
static const bool limits_memory = false;
#else
static const bool limits_memory = true;
#endif

enum { MOST_ITEMS = 96, MOST_ELEMENTS = 512, NAME_BYTES = 96, LONG_TEXT = 1 << 20, HANG_S = 30 };
static const rlim_t most_memory = (rlim_t)3 << 30;

/* What is to be replaced: an array, or an attribute of one or of a group. */
typedef struct item {
  char object[NAME_BYTES], attribute[NAME_BYTES];
  trm_array_info info;
  double values[MOST_ELEMENTS];
} item;

typedef struct data_set {
  trm_container *c; /* while it is read */
  item items[MOST_ITEMS];
  int n, n_arrays;
  char *bytes; /* of the file */
  int64_t n_bytes;
} data_set;

static char folder[PATH_MAX], path[PATH_MAX + 32], other[PATH_MAX + 32], doing[256];
static FILE *nowhere;
static data_set set;

static hid_t good(hid_t id) {
  if (CHECK(id >= 0)) return id;
  (void)fprintf(stderr, "at %s\n", doing);
  exit(1);
}
#define GOOD(call) good((hid_t)(call))

/* ---- arrays ------------------------------------------------------------------------------------ */

static void put(hid_t file, const item *it, hid_t type, hid_t space, hid_t properties) {
  GOOD(H5Dclose(
      GOOD(H5Dcreate2(file, it->object, type, space, H5P_DEFAULT, properties, H5P_DEFAULT))));
  GOOD(H5Sclose(space));
}

static hid_t shape_of(const item *it) {
  hsize_t dims[TRM_MAX_DIMS];
  for (int i = 0; i < it->info.n_dims; ++i) dims[i] = (hsize_t)it->info.dims[i];
  return GOOD(H5Screate_simple(it->info.n_dims, dims, NULL));
}

static hid_t simple(hsize_t n) {
  return GOOD(H5Screate_simple(1, &n, NULL));
}

static bool is_real(const item *it) {
  return it->info.dtype == TRM_DTYPE_F32 || it->info.dtype == TRM_DTYPE_F64;
}

/* n elements of doubles as a type of the file. */
static void put_values(hid_t file, const item *it, hid_t type, hid_t space, hid_t properties,
                       const double *values) {
  const hid_t array =
      GOOD(H5Dcreate2(file, it->object, type, space, H5P_DEFAULT, properties, H5P_DEFAULT));
  GOOD(H5Dwrite(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  GOOD(H5Dclose(array));
  GOOD(H5Sclose(space));
}

static void put_all(hid_t file, const item *it, hid_t type, double value) {
  double values[MOST_ELEMENTS];
  for (int i = 0; i < MOST_ELEMENTS; ++i) values[i] = value;
  put_values(file, it, type, shape_of(it), H5P_DEFAULT, values);
}

static hid_t chunked(const item *it) {
  const hid_t properties = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  hsize_t chunk[TRM_MAX_DIMS];
  for (int i = 0; i < it->info.n_dims; ++i) {
    chunk[i] = it->info.dims[i] > 0 ? (hsize_t)it->info.dims[i] : 1;
  }
  GOOD(H5Pset_chunk(properties, it->info.n_dims, chunk));
  return properties;
}

static void put_properties(hid_t file, const item *it, hid_t properties) {
  put_values(file, it, is_real(it) ? H5T_IEEE_F64LE : H5T_STD_I64LE, shape_of(it), properties,
             it->values);
  GOOD(H5Pclose(properties));
}

static void nothing(hid_t file, const item *it) {
  (void)file, (void)it;
}
static void link_nowhere(hid_t file, const item *it) {
  GOOD(H5Lcreate_soft("/nowhere", file, it->object, H5P_DEFAULT, H5P_DEFAULT));
}
static void link_to_itself(hid_t file, const item *it) {
  GOOD(H5Lcreate_soft(it->object, file, it->object, H5P_DEFAULT, H5P_DEFAULT));
}
/* The right array, by another name. */
static void link_inside(hid_t file, const item *it) {
  item there = *it;
  (void)snprintf(there.object, sizeof there.object, "/moved");
  put_values(file, &there, is_real(it) ? H5T_IEEE_F64LE : H5T_STD_I64LE, shape_of(it), H5P_DEFAULT,
             it->values);
  GOOD(H5Lcreate_soft("/moved", file, it->object, H5P_DEFAULT, H5P_DEFAULT));
}
/* The right array, of the file that was good. */
static void link_outside(hid_t file, const item *it) {
  GOOD(H5Lcreate_external(other, it->object, file, it->object, H5P_DEFAULT, H5P_DEFAULT));
}
static void group(hid_t file, const item *it) {
  GOOD(H5Gclose(GOOD(H5Gcreate2(file, it->object, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT))));
}
static void cycle(hid_t file, const item *it) {
  GOOD(H5Lcreate_hard(file, "/", file, it->object, H5P_DEFAULT, H5P_DEFAULT));
}
static void long_texts(hid_t file, const item *it) {
  const hid_t type = GOOD(H5Tcopy(H5T_C_S1)), space = simple(2);
  const char *const texts[] = {"a", "b"};
  GOOD(H5Tset_size(type, H5T_VARIABLE));
  const hid_t array =
      GOOD(H5Dcreate2(file, it->object, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  GOOD(H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts));
  GOOD(H5Dclose(array));
  GOOD(H5Sclose(space));
  GOOD(H5Tclose(type));
}
static void short_texts(hid_t file, const item *it) {
  put(file, it, H5T_C_S1, shape_of(it), H5P_DEFAULT);
}
static void records(hid_t file, const item *it) {
  const hid_t type = GOOD(H5Tcreate(H5T_COMPOUND, 16));
  GOOD(H5Tinsert(type, "r", 0, H5T_IEEE_F64LE));
  GOOD(H5Tinsert(type, "i", 8, H5T_IEEE_F64LE));
  put(file, it, type, shape_of(it), H5P_DEFAULT);
  GOOD(H5Tclose(type));
}
static void lists(hid_t file, const item *it) {
  const hid_t type = GOOD(H5Tvlen_create(H5T_STD_I32LE));
  put(file, it, type, shape_of(it), H5P_DEFAULT);
  GOOD(H5Tclose(type));
}
static void small_arrays(hid_t file, const item *it) {
  const hsize_t n = 3;
  const hid_t type = GOOD(H5Tarray_create2(H5T_STD_I32LE, 1, &n));
  put(file, it, type, shape_of(it), H5P_DEFAULT);
  GOOD(H5Tclose(type));
}
static void references(hid_t file, const item *it) {
  put(file, it, H5T_STD_REF_OBJ, shape_of(it), H5P_DEFAULT);
}
static void odd_bits(hid_t file, const item *it) {
  const hid_t type = GOOD(H5Tcopy(H5T_STD_I32LE));
  GOOD(H5Tset_precision(type, 12));
  put(file, it, type, shape_of(it), H5P_DEFAULT);
  GOOD(H5Tclose(type));
}
static void five_axes(hid_t file, const item *it) {
  const hsize_t dims[5] = {(hsize_t)it->info.n_elements, 1, 1, 1, 1};
  put(file, it, H5T_STD_I32LE, GOOD(H5Screate_simple(5, dims, NULL)), H5P_DEFAULT);
}
static void no_shape(hid_t file, const item *it) {
  put(file, it, H5T_STD_I32LE, GOOD(H5Screate(H5S_NULL)), H5P_DEFAULT);
}
static void scalar(hid_t file, const item *it) {
  put_values(file, it, H5T_STD_I32LE, GOOD(H5Screate(H5S_SCALAR)), H5P_DEFAULT, it->values);
}
static void unwritten(hid_t file, const item *it) {
  put(file, it, H5T_STD_I64LE, simple((hsize_t)1 << 40), H5P_DEFAULT);
}
/* So many bytes that their number passes 64 bits, in chunks of which there are none. */
static void impossible(hid_t file, const item *it) {
  const hid_t properties = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  const hsize_t dims[2] = {(hsize_t)1 << 40, (hsize_t)1 << 30}, chunk[2] = {1 << 10, 1 << 10};
  GOOD(H5Pset_chunk(properties, 2, chunk));
  put(file, it, H5T_STD_I64LE, GOOD(H5Screate_simple(2, dims, NULL)), properties);
  GOOD(H5Pclose(properties));
}
static void large_chunks(hid_t file, const item *it) {
  const hid_t properties = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  const hsize_t chunk = (hsize_t)1 << 29;
  GOOD(H5Pset_chunk(properties, 1, &chunk));
  put(file, it, H5T_STD_U8LE, simple(chunk), properties);
  GOOD(H5Pclose(properties));
}
/* One of many chunks is there. */
static void holes(hid_t file, const item *it) {
  const hid_t properties = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  const hsize_t chunk = 1, start = 0, n = (hsize_t)1 << 33;
  GOOD(H5Pset_chunk(properties, 1, &chunk));
  const hid_t space = simple(n), memory = simple(1);
  const hid_t array =
      GOOD(H5Dcreate2(file, it->object, H5T_STD_U8LE, space, H5P_DEFAULT, properties, H5P_DEFAULT));
  GOOD(H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &chunk, NULL));
  GOOD(H5Dwrite(array, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, it->values));
  GOOD(H5Dclose(array));
  GOOD(H5Sclose(space));
  GOOD(H5Sclose(memory));
  GOOD(H5Pclose(properties));
}
static void elsewhere(hid_t file, const item *it) {
  const hid_t properties = GOOD(H5Pcreate(H5P_DATASET_CREATE));
  GOOD(H5Pset_external(properties, other, 0, H5F_UNLIMITED));
  put(file, it, H5T_STD_U8LE, simple(64), properties);
  GOOD(H5Pclose(properties));
}
static void pieced_together(hid_t file, const item *it) {
  const hid_t properties = GOOD(H5Pcreate(H5P_DATASET_CREATE)), from = shape_of(it),
              to = shape_of(it);
  GOOD(H5Pset_virtual(properties, to, other, it->object, from));
  GOOD(H5Sclose(from));
  put(file, it, H5T_STD_I64LE, to, properties);
  GOOD(H5Pclose(properties));
}
static void unknown_filter(hid_t file, const item *it) {
  const hid_t properties = chunked(it);
  GOOD(H5Pset_filter(properties, 32015, H5Z_FLAG_OPTIONAL, 0, NULL));
  put_properties(file, it, properties);
}
static void negative(hid_t file, const item *it) {
  put_all(file, it, H5T_STD_I64LE, -1);
}
static void far_too_high(hid_t file, const item *it) {
  put_all(file, it, H5T_STD_I64LE, 0x1p62);
}
static void too_high(hid_t file, const item *it) {
  put_all(file, it, H5T_STD_I64LE, 0x1p31);
}
static void broken(hid_t file, const item *it) {
  put_all(file, it, H5T_IEEE_F64LE, 0.5);
}
static void no_number(hid_t file, const item *it) {
  put_all(file, it, H5T_IEEE_F64LE, (double)NAN);
}
static void infinite(hid_t file, const item *it) {
  put_all(file, it, H5T_IEEE_F64LE, (double)INFINITY);
}
static void zeros(hid_t file, const item *it) {
  put_all(file, it, H5T_STD_I32LE, 0);
}
static void falling(hid_t file, const item *it) {
  double values[MOST_ELEMENTS];
  for (int64_t i = 0; i < it->info.n_elements; ++i) {
    values[i] = it->values[it->info.n_elements - 1 - i];
  }
  put_values(file, it, H5T_STD_I32LE, shape_of(it), H5P_DEFAULT, values);
}
static void one_less(hid_t file, const item *it) {
  const int64_t n = it->info.n_elements;
  put_values(file, it, H5T_STD_I32LE, simple(n > 0 ? (hsize_t)n - 1 : 0), H5P_DEFAULT, it->values);
}
static void one_more(hid_t file, const item *it) {
  put_values(file, it, H5T_STD_I32LE, simple((hsize_t)it->info.n_elements + 1), H5P_DEFAULT,
             it->values);
}
static void empty(hid_t file, const item *it) {
  put(file, it, H5T_STD_I32LE, simple(0), H5P_DEFAULT);
}
static void big_endian(hid_t file, const item *it) {
  put_values(file, it, is_real(it) ? H5T_IEEE_F64BE : H5T_STD_I64BE, shape_of(it), H5P_DEFAULT,
             it->values);
}
static void packed(hid_t file, const item *it) {
  const hid_t properties = chunked(it);
  GOOD(H5Pset_shuffle(properties));
  if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) GOOD(H5Pset_deflate(properties, 6));
  put_properties(file, it, properties);
}

/* ---- attributes -------------------------------------------------------------------------------- */

static void attach(hid_t file, const item *it, hid_t type, hid_t space, hid_t memory_type,
                   const void *value) {
  const hid_t object = GOOD(H5Oopen(file, it->object, H5P_DEFAULT));
  const hid_t attr = GOOD(H5Acreate2(object, it->attribute, type, space, H5P_DEFAULT, H5P_DEFAULT));
  if (value) GOOD(H5Awrite(attr, memory_type, value));
  GOOD(H5Aclose(attr));
  GOOD(H5Oclose(object));
  GOOD(H5Sclose(space));
}
static void attach_whole(hid_t file, const item *it, int64_t value) {
  attach(file, it, H5T_STD_I64LE, GOOD(H5Screate(H5S_SCALAR)), H5T_NATIVE_INT64, &value);
}
static void attach_real(hid_t file, const item *it, double value) {
  attach(file, it, H5T_IEEE_F64LE, GOOD(H5Screate(H5S_SCALAR)), H5T_NATIVE_DOUBLE, &value);
}
static void attach_text(hid_t file, const item *it, const char *text) {
  const hid_t type = GOOD(H5Tcopy(H5T_C_S1));
  GOOD(H5Tset_size(type, H5T_VARIABLE));
  attach(file, it, type, GOOD(H5Screate(H5S_SCALAR)), type, &text);
  GOOD(H5Tclose(type));
}
static void minus_one(hid_t file, const item *it) {
  attach_whole(file, it, -1);
}
static void highest(hid_t file, const item *it) {
  attach_whole(file, it, INT64_MAX);
}
static void a_million(hid_t file, const item *it) {
  attach_whole(file, it, 1 << 20);
}
static void attr_broken(hid_t file, const item *it) {
  attach_real(file, it, 0.5);
}
static void attr_no_number(hid_t file, const item *it) {
  attach_real(file, it, (double)NAN);
}
static void no_text(hid_t file, const item *it) {
  attach_text(file, it, "");
}
static void controls(hid_t file, const item *it) {
  attach_text(file, it, "te\nxt\033[31m\t\xff\xfe");
}
static void long_text(hid_t file, const item *it) {
  static char text[LONG_TEXT + 1];
  memset(text, 'x', LONG_TEXT);
  attach_text(file, it, text);
}
static void null_text(hid_t file, const item *it) {
  const hid_t type = GOOD(H5Tcopy(H5T_C_S1));
  GOOD(H5Tset_size(type, H5T_VARIABLE));
  attach(file, it, type, GOOD(H5Screate(H5S_SCALAR)), type, NULL);
  GOOD(H5Tclose(type));
}
static void two_values(hid_t file, const item *it) {
  const int64_t values[2] = {1, 1};
  attach(file, it, H5T_STD_I64LE, simple(2), H5T_NATIVE_INT64, values);
}
static void attr_no_shape(hid_t file, const item *it) {
  attach(file, it, H5T_STD_I64LE, GOOD(H5Screate(H5S_NULL)), H5T_NATIVE_INT64, NULL);
}
static void attr_list(hid_t file, const item *it) {
  const hid_t type = GOOD(H5Tvlen_create(H5T_STD_I32LE));
  attach(file, it, type, GOOD(H5Screate(H5S_SCALAR)), type, NULL);
  GOOD(H5Tclose(type));
}

/* ---- replacing --------------------------------------------------------------------------------- */

/* What must come of it. */
typedef enum fate { REFUSED, READ, EITHER } fate;

typedef struct attack {
  const char *name;
  void (*make)(hid_t file, const item *it);
  fate fate;
  const char *says; /* of what is refused; NULL: anything */
} attack;

static const attack on_arrays[] = {
    {"missing", nothing, EITHER, NULL},
    {"link nowhere", link_nowhere, REFUSED, "is a soft or external link"},
    {"link to itself", link_to_itself, REFUSED, "is a soft or external link"},
    {"link inside", link_inside, REFUSED, "is a soft or external link"},
    {"link outside", link_outside, REFUSED, "is a soft or external link"},
    {"group", group, REFUSED, NULL},
    {"cycle", cycle, REFUSED, NULL},
    {"long texts", long_texts, REFUSED, "holds texts"},
    {"short texts", short_texts, REFUSED, "holds texts"},
    {"records", records, REFUSED, "holds records or complex numbers"},
    {"lists", lists, REFUSED, "holds neither whole numbers nor"},
    {"small arrays", small_arrays, REFUSED, "holds neither whole numbers nor"},
    {"references", references, REFUSED, "holds neither whole numbers nor"},
    {"odd bits", odd_bits, REFUSED, "holds neither whole numbers nor"},
    {"five axes", five_axes, REFUSED, "has more than 4 dimensions"},
    {"no shape", no_shape, REFUSED, "has no shape"},
    {"scalar", scalar, REFUSED, NULL},
    {"unwritten", unwritten, REFUSED, "should have 8796093022208 bytes, but 0 are stored"},
    {"impossible", impossible, REFUSED, "has an impossible shape"},
    {"large chunks", large_chunks, REFUSED, "has chunks of more than 256 MiB"},
    {"holes", holes, REFUSED, "1 of its 8589934592 chunks are stored"},
    {"elsewhere", elsewhere, REFUSED, "is stored in another file"},
    {"pieced together", pieced_together, REFUSED, "is a virtual data set"},
    {"unknown filter", unknown_filter, REFUSED, "filter 32015, which is not built in"},
    {"negative", negative, EITHER, NULL},
    {"far too high", far_too_high, EITHER, NULL},
    {"too high", too_high, EITHER, NULL},
    {"broken", broken, EITHER, NULL},
    {"no number", no_number, EITHER, NULL},
    {"infinite", infinite, EITHER, NULL},
    {"zeros", zeros, EITHER, NULL},
    {"falling", falling, EITHER, NULL},
    {"one less", one_less, EITHER, NULL},
    {"one more", one_more, EITHER, NULL},
    {"empty", empty, EITHER, NULL},
    {"big-endian", big_endian, READ, NULL},
    {"packed", packed, READ, NULL},
};

static const attack on_attributes[] = {
    {"missing", nothing, EITHER, NULL},       {"-1", minus_one, EITHER, NULL},
    {"highest", highest, EITHER, NULL},       {"a million", a_million, EITHER, NULL},
    {"broken", attr_broken, EITHER, NULL},    {"no number", attr_no_number, EITHER, NULL},
    {"no text", no_text, EITHER, NULL},       {"controls", controls, EITHER, NULL},
    {"long text", long_text, EITHER, NULL},   {"null text", null_text, EITHER, NULL},
    {"two values", two_values, EITHER, NULL}, {"no shape", attr_no_shape, EITHER, NULL},
    {"list", attr_list, EITHER, NULL},
};

static void write_good(const char *to) {
  FILE *file = fopen(to, "wb");
  const bool whole = file && fwrite(set.bytes, 1, (size_t)set.n_bytes, file) == (size_t)set.n_bytes;
  if (!CHECK(whole) || fclose(file) != 0) exit(1);
}

static void make(const attack *a, const item *it) {
  write_good(path);
  const hid_t file = GOOD(H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT));
  if (it->attribute[0]) {
    const hid_t object = GOOD(H5Oopen(file, it->object, H5P_DEFAULT));
    GOOD(H5Adelete(object, it->attribute));
    GOOD(H5Oclose(object));
  } else {
    GOOD(H5Ldelete(file, it->object, H5P_DEFAULT));
  }
  a->make(file, it);
  GOOD(H5Fclose(file));
}

static bool is_line(const char *text) {
  for (const unsigned char *at = (const unsigned char *)text; *at; ++at) {
    if (*at < ' ' || *at == 0x7f) return false;
  }
  return text[0] != 0;
}

static trm_status read_all(void) {
  const trm_data_kind *kind = NULL;
  int n;
  TRM_TRY(trm_data_kind_of(path, &kind));
  TRM_TRY(kind->describe(path, nowhere));
  return kind->count_splits ? kind->count_splits(path, &n) : TRM_OK;
}

static void judge(const attack *a, trm_status status, int64_t blocks) {
  const char *message = status == TRM_OK ? "is read" : trm_message();
  bool right = status == TRM_OK ? a->fate != REFUSED : a->fate != READ && status == TRM_ERR_DATA;
  if (status != TRM_OK) {
    right = right && is_line(message) && strstr(message, path) == message;
    right = right && (!a->says || strstr(message, a->says));
  }
  right = right && trm_alloc_counts_get().live_blocks == blocks;
  if (!CHECK(right)) (void)fprintf(stderr, "  %s: status %d, %s\n", doing, (int)status, message);
}

static void attack_item(const char *kind, const attack *a, const item *it) {
  const int64_t blocks = trm_alloc_counts_get().live_blocks;
  (void)snprintf(doing, sizeof doing, "%s, %s%s%s: %s", kind, it->object,
                 it->attribute[0] ? " @" : "", it->attribute, a->name);
  make(a, it);
  (void)alarm(HANG_S);
  judge(a, read_all(), blocks);
  (void)alarm(0);
}

/* ---- good ones ---------------------------------------------------------------------------------- */

static item *add(void) {
  if (!CHECK(set.n < MOST_ITEMS)) exit(1);
  item *it = &set.items[set.n++];
  memset(it, 0, sizeof *it);
  return it;
}

static trm_status add_array(void *context, const char *name, const trm_array_info *info) {
  item *it = add();
  (void)context;
  if (!CHECK(info->n_elements <= MOST_ELEMENTS)) exit(1);
  (void)snprintf(it->object, sizeof it->object, "%s", name);
  it->info = *info;
  return trm_array_read(set.c, name, TRM_DTYPE_F64, it->values, info->n_elements);
}

static trm_status add_attribute(void *context, const char *name, trm_attr_type type) {
  item *it = add();
  (void)type;
  (void)snprintf(it->object, sizeof it->object, "%s", (const char *)context);
  (void)snprintf(it->attribute, sizeof it->attribute, "%s", name);
  return TRM_OK;
}

/* Those of the root, of each array, and of the groups that it is the first array of. */
static void add_attributes(void) {
  char object[NAME_BYTES], before[NAME_BYTES] = "/";
  CHECK_OK(trm_attr_visit(set.c, "/", add_attribute, before));
  for (int i = 0; i < set.n_arrays; ++i) {
    const char *name = set.items[i].object;
    for (size_t at = 1; at <= strlen(name); ++at) {
      const bool ends = name[at] == '/' || name[at] == 0;
      if (!ends || strncmp(before, name, at + 1) == 0) continue;
      (void)snprintf(object, sizeof object, "%.*s", (int)at, name);
      CHECK_OK(trm_attr_visit(set.c, object, add_attribute, object));
    }
    memcpy(before, set.items[i].object, sizeof before);
  }
}

static void take_set(small_set which) {
  set.n = 0;
  (void)snprintf(doing, sizeof doing, "%s", small_set_name(which));
  small_set_make(which, folder, other);
  CHECK_OK(trm_file_read_all(other, 1 << 24, &set.bytes, &set.n_bytes));
  CHECK_OK(trm_container_open(other, &set.c));
  CHECK_OK(trm_container_visit(set.c, add_array, NULL));
  set.n_arrays = set.n;
  add_attributes();
  CHECK_OK(trm_container_close(&set.c));
  write_good(path);
  CHECK_OK(read_all());
}

static void attack_set(small_set which) {
  take_set(which);
  for (int i = 0; i < set.n; ++i) {
    const bool array = i < set.n_arrays;
    const attack *attacks = array ? on_arrays : on_attributes;
    const size_t n =
        array ? sizeof on_arrays / sizeof *on_arrays : sizeof on_attributes / sizeof *on_attributes;
    for (size_t k = 0; k < n; ++k) {
      /* What the container refuses whichever array it is: of every fourth. */
      if (array && attacks[k].make != link_inside && attacks[k].says && (k + (size_t)i) % 4 != 0)
        continue;
      attack_item(small_set_name(which), &attacks[k], &set.items[i]);
    }
  }
  TRM_FREE(set.bytes);
}

static void too_long(int signal_number) {
  (void)signal_number;
  static const char what[] = "takes too long: ";
  if (write(STDERR_FILENO, what, sizeof what - 1) < 0) _exit(1);
  if (write(STDERR_FILENO, doing, strlen(doing)) < 0) _exit(1);
  _exit(1);
}

int main(void) {
  const struct rlimit memory = {most_memory, most_memory};
  if (limits_memory) CHECK(setrlimit(RLIMIT_AS, &memory) == 0);
  (void)signal(SIGALRM, too_long);
  (void)snprintf(folder, sizeof folder, "%s", check_temp_folder());
  (void)snprintf(path, sizeof path, "%s/data.h5", folder);
  (void)snprintf(other, sizeof other, "%s/other.h5", folder);
  nowhere = fopen("/dev/null", "w");
  if (!CHECK(nowhere != NULL)) return 1;
  for (int i = 0; i < N_SMALL_SETS; ++i) attack_set((small_set)i);
  (void)fclose(nowhere);
  return check_verdict();
}
