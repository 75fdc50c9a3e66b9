/* Data sets of every kind whose arrays and attributes a stranger has changed: what the readers believe.
 * (Bytes of the containers themselves are changed by fuzz_container.)
 *
 * The first byte chooses a good data set; what follows are edits of it: an element, a shape, a type, an
 * attribute, an array that is missing or another's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "small_sets.h"
#include "trireme/core/memory.h"
#include "trireme/input/kind.h"
#include "trireme/io/container.h"

enum { MOST_ITEMS = 64, MOST_ELEMENTS = 4096, NAME_BYTES = 96 };

/* An array, or an attribute of `object`. */
typedef struct item {
  char name[NAME_BYTES], object[NAME_BYTES];
  bool attribute, left_out;
  trm_attr_type type; /* of an attribute */
  trm_array_info info;
  double *values; /* of an array: its elements */
  int64_t number;
  double real;
  char text[256];
} item;

typedef struct data_set {
  item items[MOST_ITEMS];
  int n;
} data_set;

static data_set sets[N_SMALL_SETS];

/* ---- good ones -------------------------------------------------------------------------------- */

typedef struct reading {
  trm_container *c;
  data_set *set;
  const char *object; /* whose attributes are read */
} reading;

static trm_status read_array(void *context, const char *name, const trm_array_info *info) {
  reading *r = context;
  item *it = &r->set->items[r->set->n++];
  if (r->set->n > MOST_ITEMS || info->n_elements > MOST_ELEMENTS) abort();
  (void)snprintf(it->name, sizeof it->name, "%s", name);
  it->info = *info;
  it->values = calloc((size_t)info->n_elements + 1, sizeof(double));
  if (!it->values) abort();
  return trm_array_read(r->c, name, TRM_DTYPE_F64, it->values, info->n_elements);
}

static trm_status read_attribute(void *context, const char *name, trm_attr_type type) {
  reading *r = context;
  item *it = &r->set->items[r->set->n++];
  char *text = NULL;
  if (r->set->n > MOST_ITEMS) abort();
  (void)snprintf(it->name, sizeof it->name, "%s", name);
  (void)snprintf(it->object, sizeof it->object, "%s", r->object);
  it->attribute = true;
  it->type = type;
  if (type == TRM_ATTR_INT) return trm_attr_read_int(r->c, r->object, name, &it->number);
  if (type == TRM_ATTR_REAL) return trm_attr_read_real(r->c, r->object, name, &it->real);
  TRM_TRY(trm_attr_read_text(r->c, r->object, name, &text));
  (void)snprintf(it->text, sizeof it->text, "%s", text);
  TRM_FREE(text);
  return TRM_OK;
}

static void must(trm_status status) {
  if (status == TRM_OK) return;
  (void)fprintf(stderr, "a good data set cannot be made: %s\n", trm_message());
  abort();
}

/* Whether an array before this one lies below the same group. */
static bool is_known(const data_set *set, int before, const char *object) {
  const size_t n = strlen(object);
  for (int i = 0; i < before; ++i) {
    if (strncmp(set->items[i].name, object, n) == 0 && set->items[i].name[n] == '/') return true;
  }
  return false;
}

/* Those of every group and array. */
static void read_attributes(reading *r) {
  const int n_arrays = r->set->n;
  char object[NAME_BYTES];
  r->object = "/";
  must(trm_attr_visit(r->c, r->object, read_attribute, r));
  for (int i = 0; i < n_arrays; ++i) {
    const char *name = r->set->items[i].name;
    for (size_t at = 1; at <= strlen(name); ++at) {
      if (name[at] != '/' && name[at] != 0) continue;
      (void)snprintf(object, sizeof object, "%.*s", (int)at, name);
      if (is_known(r->set, i, object)) continue;
      r->object = object;
      must(trm_attr_visit(r->c, object, read_attribute, r));
    }
  }
}

static void read_set(data_set *set) {
  reading r = {.set = set};
  must(trm_container_open(fuzz_path("good.h5"), &r.c));
  must(trm_container_visit(r.c, read_array, &r));
  read_attributes(&r);
  must(trm_container_close(&r.c));
}

static void make_sets(void) {
  for (int i = 0; i < N_SMALL_SETS; ++i) {
    small_set_make((small_set)i, fuzz_folder(), fuzz_path("good.h5"));
    read_set(&sets[i]);
  }
}

/* ---- edits ------------------------------------------------------------------------------------- */

static double draw_value(fuzz_input *in) {
  static const double liked[] = {0,     -1,         1,          2,     255,  256,        65535,
                                 65536, 2147483647, 4294967295, 1e300, 1e-9, (double)NAN};
  const uint32_t way = fuzz_take(in, 1);
  if (way < sizeof liked / sizeof liked[0]) return liked[way];
  return way < 128 ? (double)fuzz_take(in, 1) : (double)(int32_t)fuzz_take(in, 4);
}

/* 0 where no whole number of 64 bits is meant. */
static int64_t whole_of(double value) {
  return value >= -9e18 && value <= 9e18 ? (int64_t)value : 0;
}

static void edit(data_set *set, fuzz_input *in) {
  item *it = &set->items[fuzz_take(in, 1) % (uint32_t)set->n];
  const uint32_t way = fuzz_take(in, 1);
  if (it->attribute) {
    const fuzz_input text = fuzz_take_bytes(in, way % 16);
    if (way >= 240) it->left_out = true;
    it->real = draw_value(&(fuzz_input){text.data, text.size});
    it->number = whole_of(it->real);
    if (it->type == TRM_ATTR_TEXT && way < 200) {
      memcpy(it->text, text.data ? (const char *)text.data : "", text.size);
      it->text[text.size] = 0;
    }
    if (way % 32 == 31) it->type = it->type == TRM_ATTR_TEXT ? TRM_ATTR_INT : TRM_ATTR_TEXT;
    return;
  }
  const int axis = (int)(way % 8) % (it->info.n_dims > 0 ? it->info.n_dims : 1);
  switch (way / 8 % 6) {
  case 0:
  case 1:
  case 2: {
    const uint32_t at = fuzz_take(in, 2);
    if (it->info.n_elements > 0) it->values[at % it->info.n_elements] = draw_value(in);
    return;
  }
  case 3:
    it->info.dims[axis] = fuzz_take(in, 1) % 20;
    return;
  case 4:
    it->info.dtype = (trm_dtype)(way % 8);
    return;
  default:
    it->left_out = way % 8 == 0;
    if (way % 8 == 1 && it->info.n_dims < 3) it->info.dims[it->info.n_dims++] = 1;
  }
}

/* A value as the array's type has it. */
static void put(trm_dtype dtype, void *data, int64_t i, double value) {
  const int64_t whole = whole_of(value);
  const size_t bytes = trm_dtype_bytes(dtype);
  if (dtype == TRM_DTYPE_F32) {
    ((float *)data)[i] = (float)fmax(-3e38, fmin(3e38, value));
  } else if (dtype == TRM_DTYPE_F64) {
    ((double *)data)[i] = value;
  } else {
    memcpy((char *)data + (size_t)i * bytes, &whole, bytes);
  }
}

static trm_status write_item(trm_container *c, const item *it) {
  if (it->left_out) return TRM_OK;
  if (it->attribute) {
    if (it->type == TRM_ATTR_INT) return trm_attr_write_int(c, it->object, it->name, it->number);
    if (it->type == TRM_ATTR_REAL) return trm_attr_write_real(c, it->object, it->name, it->real);
    return trm_attr_write_text(c, it->object, it->name, it->text);
  }
  int64_t n = 1;
  for (int i = 0; i < it->info.n_dims; ++i) n *= it->info.dims[i];
  if (n > MOST_ELEMENTS) return TRM_OK;
  double *data = calloc((size_t)n + 1, sizeof *data); /* no type is wider */
  if (!data) abort();
  for (int64_t i = 0; i < n; ++i) {
    put(it->info.dtype, data, i, it->info.n_elements > 0 ? it->values[i % it->info.n_elements] : 0);
  }
  const trm_status status =
      trm_array_write(c, it->name, it->info.dtype, it->info.n_dims, it->info.dims, data);
  free(data);
  return status;
}

static bool write_set(const data_set *set, const char *path) {
  trm_container *c = NULL;
  must(trm_container_create(path, &c));
  trm_status status = TRM_OK;
  for (int i = 0; status == TRM_OK && i < set->n; ++i) status = write_item(c, &set->items[i]);
  return trm_container_close(&c) == TRM_OK && status == TRM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FILE *nowhere;
  fuzz_input in = {data, size};
  if (!nowhere) {
    nowhere = fopen("/dev/null", "w");
    make_sets();
  }
  const int64_t blocks = fuzz_blocks();
  const uint32_t which = fuzz_take(&in, 1) % N_SMALL_SETS;
  static data_set set;
  set = sets[which];
  for (int i = 0; i < set.n; ++i) {
    const size_t bytes = ((size_t)set.items[i].info.n_elements + 1) * sizeof(double);
    set.items[i].values = malloc(bytes);
    if (!set.items[i].values) abort();
    if (sets[which].items[i].values)
      memcpy(set.items[i].values, sets[which].items[i].values, bytes);
  }
  while (in.size > 0) edit(&set, &in);
  const char *path = fuzz_path("data.h5");
  const trm_data_kind *kind = NULL;
  if (write_set(&set, path) && trm_data_kind_of(path, &kind) == TRM_OK) {
    int n_splits;
    (void)kind->describe(path, nowhere);
    if (kind->count_splits) (void)kind->count_splits(path, &n_splits);
  }
  for (int i = 0; i < set.n; ++i) free(set.items[i].values);
  fuzz_expect_blocks(blocks);
  return 0;
}
