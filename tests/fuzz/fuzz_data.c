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
#include "trireme/core/memory.h"
#include "trireme/input/kind.h"
#include "trireme/io/container.h"
#include "trireme/prepare/graphs.h"
#include "trireme/prepare/images.h"
#include "trireme/prepare/samples.h"
#include "trireme/prepare/table.h"
#include "trireme/prepare/text.h"

enum { N_SETS = 7, MOST_ITEMS = 64, MOST_ELEMENTS = 4096, NAME_BYTES = 96 };

/* An array, or an attribute of the root when `attribute`. */
typedef struct item {
  char name[NAME_BYTES];
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

static data_set sets[N_SETS];

/* ---- good ones -------------------------------------------------------------------------------- */

typedef struct reading {
  trm_container *c;
  data_set *set;
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
  it->attribute = true;
  it->type = type;
  if (type == TRM_ATTR_INT) return trm_attr_read_int(r->c, "/", name, &it->number);
  if (type == TRM_ATTR_REAL) return trm_attr_read_real(r->c, "/", name, &it->real);
  TRM_TRY(trm_attr_read_text(r->c, "/", name, &text));
  (void)snprintf(it->text, sizeof it->text, "%s", text);
  TRM_FREE(text);
  return TRM_OK;
}

static void must(trm_status status) {
  if (status == TRM_OK) return;
  (void)fprintf(stderr, "a good data set cannot be made: %s\n", trm_message());
  abort();
}

static void read_set(data_set *set) {
  reading r = {NULL, set};
  must(trm_container_open(fuzz_path("good.h5"), &r.c));
  must(trm_container_visit(r.c, read_array, &r));
  must(trm_attr_visit(r.c, "/", read_attribute, &r));
  must(trm_container_close(&r.c));
}

static void make_text(const char *out) {
  const char *const files[] = {
      fuzz_text_file("a.txt", "to be or\nnot to be\nthat is\nthe question\nto be or\nnot to be\n")};
  const trm_prepare_options o = {.output = out, .vocab = {.unit = "word"}, .valid_share = 0.4};
  trm_prepare_summary summary;
  must(trm_prepare_text(files, 1, &o, &summary));
}

static void make_labelled(const char *out) {
  const char *const files[] = {
      fuzz_text_file("a.txt", "good one,a\nbad one,b\ngood two,a\nbad two,b\nmore,a\nless,b\n")};
  const trm_labelled_files f = {.tables = files, .n_tables = 1, .text = "1", .label = "2"};
  const trm_prepare_samples_options o = {.output = out,
                                         .separator = "comma",
                                         .valid_share = 0.34,
                                         .test_share = -1,
                                         .vocab = {.unit = "char"}};
  trm_prepare_samples_counts counts;
  must(trm_prepare_labelled(&f, &o, &counts));
}

static void make_pairs(const char *out) {
  const trm_pair_files f = {.source = {fuzz_text_file("a.txt", "a b\nb c\nc a\nb\n")},
                            .target = {fuzz_text_file("b.txt", "x\ny z\nz\ny\n")}};
  const trm_prepare_samples_options o = {.output = out,
                                         .valid_share = 0.25,
                                         .test_share = -1,
                                         .vocab = {.unit = "word"},
                                         .target_vocab = {.unit = "word"}};
  trm_prepare_samples_counts counts;
  must(trm_prepare_pairs(&f, false, &o, &counts));
}

static void make_table(const char *out) {
  const char *const files[] = {
      fuzz_text_file("a.txt", "y,x,c\n1,2.5,red\n0,,blue\n1,3,red\n0,4,red\n1,9,blue\n0,1,blue\n")};
  const trm_prepare_table_options o = {.output = out,
                                       .tables = {files},
                                       .n_tables = {1},
                                       .target = "y",
                                       .target_kind = "class",
                                       .most_levels = 9,
                                       .separator = "comma",
                                       .valid_share = 0.34,
                                       .test_share = -1};
  trm_table_report report = {0};
  must(trm_prepare_table(&o, &report));
  trm_table_report_free(&report);
}

static void make_graph(const char *out) {
  const trm_prepare_graph_options o = {
      .output = out,
      .edges = fuzz_text_file("a", "0\t1\n1\t2\n2\t3\n3\t4\n"),
      .features = fuzz_text_file("b", "0\t0\t1\n1\t2\t2\n4\t1\t1\n"),
      .labels = fuzz_text_file("c", "0\t0\n1\t1\n2\t0\n3\t1\n4\t0\n"),
      .train = fuzz_text_file("d", "0\n1\n"),
      .valid = fuzz_text_file("e", "2\n"),
      .test = fuzz_text_file("f", "3\n4\n")};
  trm_graph_counts counts;
  must(trm_prepare_graph(&o, &counts));
}

static void make_graphs(const char *out) {
  const trm_prepare_graph_options o = {
      .output = out,
      .edges = fuzz_text_file("a", "0\t1\n2\t3\n4\t5\n6\t7\n"),
      .nodes = fuzz_text_file("b", "0\t0\t0\n1\t0\t1\n2\t1\t0\n3\t1\t1\n4\t2\t0\n5\t2\t0\n6\t3\t1\n"
                                   "7\t3\t1\n"),
      .labels = fuzz_text_file("c", "0\t0\n1\t1\n2\t0\n3\t1\n"),
      .folds = fuzz_text_file("d", "0\t0\n1\t1\n2\t1\n3\t0\n")};
  trm_graph_counts counts;
  must(trm_prepare_graph_set(&o, &counts));
}

static void make_interactions(const char *out) {
  trm_graph_counts counts;
  const trm_prepare_interactions_options o = {.output = out,
                                              .train = fuzz_text_file("a", "0 1 2\n1 0 2\n2 1\n"),
                                              .test = fuzz_text_file("b", "0 0\n1 1\n")};
  must(trm_prepare_interactions(&o, &counts));
}

static void make_sets(void) {
  static void (*const ways[N_SETS])(const char *) = {
      make_text, make_labelled, make_pairs, make_table, make_graph, make_graphs, make_interactions};
  for (int i = 0; i < N_SETS; ++i) {
    ways[i](fuzz_path("good.h5"));
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
    if (it->type == TRM_ATTR_INT) return trm_attr_write_int(c, "/", it->name, it->number);
    if (it->type == TRM_ATTR_REAL) return trm_attr_write_real(c, "/", it->name, it->real);
    return trm_attr_write_text(c, "/", it->name, it->text);
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
  const uint32_t which = fuzz_take(&in, 1) % N_SETS;
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
