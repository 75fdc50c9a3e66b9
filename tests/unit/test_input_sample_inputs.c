/* Images, rows of tables and sets of classes in files: what is written is what is read; files that are
 * wrong have each their one line. */
#include <math.h>

#include "input_fixture.h"
#include "trireme/input/kind.h"
#include "trireme/input/samples.h"

static const char *folder;

/* An array of a file; n_dims < 0 leaves it out. */
typedef struct item {
  const char *name;
  trm_dtype dtype;
  int n_dims;
  int64_t dims[4];
  const void *data;
} item;

enum { MOST = 24 };
typedef struct sheet {
  const char *input, *target;
  int64_t n_classes; /* attribute, -1: none */
  item items[MOST];
  int n;
} sheet;

static void put(sheet *s, item a) {
  for (int i = 0; i < s->n; ++i) {
    if (strcmp(s->items[i].name, a.name) != 0) continue;
    s->items[i] = a;
    return;
  }
  s->items[s->n++] = a;
}

/* Arrays in one dimension, of a shape, and none. */
#define FLAT(name, type, c_type, ...)                                                              \
  (item) {                                                                                         \
    name, TRM_DTYPE_##type, 1, {sizeof((c_type[]){__VA_ARGS__}) / sizeof(c_type)}, (c_type[]) {    \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }
#define I64(name, ...) FLAT(name, I64, int64_t, __VA_ARGS__)
#define I32(name, ...) FLAT(name, I32, int32_t, __VA_ARGS__)
#define TEXT(name, text)                                                                           \
  (item) {                                                                                         \
    name, TRM_DTYPE_U8, 1, {sizeof(text) - 1}, text                                                \
  }
#define TABLE(name, type, c_type, rows, columns, ...)                                              \
  (item) {                                                                                         \
    name, TRM_DTYPE_##type, 2, {rows, columns}, (c_type[]) {                                       \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }
#define GONE(name)                                                                                 \
  (item) {                                                                                         \
    name, TRM_DTYPE_I32, -1, {0}, NULL                                                             \
  }

/* Three images of 2 channels, 2 high and 3 wide. */
static const uint8_t pixels[36] = {0, 51, 102, 153, 204, 255, 7, 7, 7, 7, 7, 7, 255, 0, 0, 0, 0, 0,
                                   7, 7,  7,   7,   7,   8,   1, 2, 3, 4, 5, 6, 7,   7, 7, 7, 7, 6};
static const float numbers[] = {1, NAN, 2, 5, 3, 7.5F};
static const int32_t categories[] = {0, -1, 1, 0, 1, 0}, labels[] = {1, 0, 1};
static const int32_t set_values[] = {0, 2, 1};
static const int64_t set_offsets[] = {0, 2, 2, 3}, levels[] = {0, 2, 5};
static const int64_t number_names[] = {0, 3, 9}, category_names[] = {0, 3, 7};
static const int64_t level_names[] = {0, 1, 2, 6, 9, 13};
static const int32_t train[] = {0, 2}, valid[] = {1};

static void split(sheet *s) {
  put(s, (item){"/splits/0/train", TRM_DTYPE_I32, 1, {2}, train});
  put(s, (item){"/splits/0/valid", TRM_DTYPE_I32, 1, {1}, valid});
}

static sheet images(void) {
  sheet s = {.input = "image", .target = "class", .n_classes = 2};
  put(&s, (item){"/input/pixels", TRM_DTYPE_U8, 4, {3, 2, 2, 3}, pixels});
  put(&s, (item){"/target/labels", TRM_DTYPE_I32, 1, {3}, labels});
  split(&s);
  return s;
}

static sheet table(void) {
  sheet s = {.input = "row", .target = "classes", .n_classes = 4};
  put(&s, (item){"/input/numbers", TRM_DTYPE_F32, 2, {3, 2}, numbers});
  put(&s, (item){"/input/number_names/offsets", TRM_DTYPE_I64, 1, {3}, number_names});
  put(&s, TEXT("/input/number_names/bytes", "ageheight"));
  put(&s, (item){"/input/categories", TRM_DTYPE_I32, 2, {3, 2}, categories});
  put(&s, (item){"/input/category_names/offsets", TRM_DTYPE_I64, 1, {3}, category_names});
  put(&s, TEXT("/input/category_names/bytes", "sexhome"));
  put(&s, (item){"/input/levels", TRM_DTYPE_I64, 1, {3}, levels});
  put(&s, (item){"/input/level_names/offsets", TRM_DTYPE_I64, 1, {6}, level_names});
  put(&s, TEXT("/input/level_names/bytes", "fmrentownfree"));
  put(&s, (item){"/target/offsets", TRM_DTYPE_I64, 1, {4}, set_offsets});
  put(&s, (item){"/target/values", TRM_DTYPE_I32, 1, {3}, set_values});
  split(&s);
  return s;
}

static sheet numbers_alone(void) {
  sheet s = {.input = "row", .target = "class", .n_classes = -1};
  put(&s, (item){"/input/numbers", TRM_DTYPE_F32, 2, {3, 2}, numbers});
  put(&s, (item){"/target/labels", TRM_DTYPE_I32, 1, {3}, labels});
  return s;
}

static sheet categories_alone(void) {
  sheet s = {.input = "row", .target = "class", .n_classes = -1};
  put(&s, (item){"/input/categories", TRM_DTYPE_I32, 2, {3, 2}, categories});
  put(&s, (item){"/input/levels", TRM_DTYPE_I64, 1, {3}, levels});
  put(&s, (item){"/target/labels", TRM_DTYPE_I32, 1, {3}, labels});
  return s;
}

static const char *write_sheet(const sheet *s) {
  const char *path = fixture_path(folder, "sheet.h5");
  trm_container *c = NULL;
  if (!CHECK_OK(trm_container_create(path, &c))) exit(1);
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", "samples"));
  CHECK_OK(trm_attr_write_text(c, "/", "input", s->input));
  CHECK_OK(trm_attr_write_text(c, "/", "target", s->target));
  for (int i = 0; i < s->n; ++i) {
    const item *a = &s->items[i];
    if (a->n_dims < 0) continue;
    CHECK_OK(trm_array_write(c, a->name, a->dtype, a->n_dims, a->dims, a->data));
    const bool classes =
        strcmp(a->name, "/target/labels") == 0 || strcmp(a->name, "/target/values") == 0;
    if (!classes || s->n_classes < 0) continue;
    CHECK_OK(trm_attr_write_int(c, a->name, "n_classes", s->n_classes));
  }
  CHECK_OK(trm_container_close(&c));
  return path;
}

static trm_samples *open_sheet(const sheet *s) {
  trm_samples *samples = NULL;
  if (!CHECK_OK(trm_samples_open(write_sheet(s), &samples))) exit(1);
  return samples;
}

/* ---- what is good ----------------------------------------------------------------------------- */

static void check_images(void) {
  const sheet good = images();
  trm_samples *s = open_sheet(&good);
  CHECK_EQ(s->n, 3);
  CHECK_EQ(s->input, TRM_INPUT_IMAGE);
  CHECK_EQ(s->images.channels, 2);
  CHECK_EQ(s->images.height, 2);
  CHECK_EQ(s->images.width, 3);
  CHECK(memcmp(s->images.pixels, pixels, sizeof pixels) == 0);
  CHECK_EQ(s->classes.labels[2], 1);
  CHECK(!s->inputs.offsets && !s->table.numbers);
  CHECK_EQ(s->longest_input, 0);
  trm_samples_close(&s);
}

static void check_table(void) {
  sheet good = table();
  trm_samples *s = open_sheet(&good);
  CHECK_EQ(s->table.n_numbers, 2);
  CHECK(isnan(s->table.numbers[1]) && s->table.numbers[5] == 7.5F);
  CHECK_EQ(s->table.n_categories, 2);
  CHECK_EQ(s->table.categories[1], -1);
  CHECK_EQ(s->table.levels[2], 5);
  CHECK_EQ(s->table.number_names.n, 2);
  CHECK_EQ(s->table.category_names.n, 2);
  CHECK_EQ(s->table.level_names.n, 5);
  CHECK_EQ(s->classes.n, 4);
  CHECK(s->classes.labels == NULL);
  CHECK_EQ(s->class_sets.values[s->class_sets.offsets[2]], 1);
  trm_samples_close(&s);
  /* Rows of a group need not be equal; without the attribute, one class more than the highest. */
  put(&good, I32("/groups", 0, 1, 0));
  good.n_classes = -1;
  s = open_sheet(&good);
  CHECK_EQ(s->classes.n, 3);
  trm_samples_close(&s);
  good = categories_alone();
  s = open_sheet(&good);
  CHECK_EQ(s->table.n_numbers, 0);
  CHECK_EQ(s->table.level_names.n, 0);
  trm_samples_close(&s);
}

static void check_same(const trm_samples *a, const trm_samples *b) {
  const trm_table *t = &a->table, *u = &b->table;
  CHECK_EQ(a->n, b->n);
  CHECK_EQ(a->digest, b->digest);
  CHECK_EQ(a->images.width, b->images.width);
  CHECK_EQ(a->classes.n, b->classes.n);
  CHECK_EQ(t->n_numbers, u->n_numbers);
  CHECK_EQ(t->n_categories, u->n_categories);
  CHECK_EQ(t->level_names.n, u->level_names.n);
  if (a->images.pixels) CHECK(memcmp(a->images.pixels, b->images.pixels, sizeof pixels) == 0);
  if (t->numbers) CHECK(memcmp(t->numbers, u->numbers, sizeof numbers) == 0);
  if (t->categories) CHECK(memcmp(t->categories, u->categories, sizeof categories) == 0);
}

static void check_round_trips(void) {
  const sheet sheets[] = {images(), table(), numbers_alone(), categories_alone()};
  for (int i = 0; i < 4; ++i) {
    const char *path = fixture_path(folder, "again.h5");
    trm_samples *a = open_sheet(&sheets[i]), *b = NULL;
    CHECK_OK(trm_samples_write(path, a));
    if (CHECK_OK(trm_samples_open(path, &b))) check_same(a, b);
    trm_samples_close(&a);
    trm_samples_close(&b);
  }
}

static uint64_t digest_with(sheet s, item changed) {
  put(&s, changed);
  trm_samples *samples = open_sheet(&s);
  const uint64_t digest = samples->digest;
  trm_samples_close(&samples);
  return digest;
}

/* The digest notices each array and the shape of images, and not the type that integers are stored in. */
static void check_digest(void) {
  const uint64_t image = digest_with(images(), GONE("/groups"));
  const uint64_t row = digest_with(table(), GONE("/groups"));
  const item wide = {"/input/pixels", TRM_DTYPE_U8, 4, {3, 2, 3, 2}, pixels};
  uint8_t other[36];
  memcpy(other, pixels, sizeof other);
  other[35] = 5;
  CHECK(digest_with(images(), wide) != image);
  CHECK(digest_with(images(), (item){"/input/pixels", TRM_DTYPE_U8, 4, {3, 2, 2, 3}, other}) !=
        image);
  CHECK(digest_with(table(), TABLE("/input/categories", I64, int64_t, 3, 2, 0, -1, 1, 0, 1, 0)) ==
        row);
  const item changes[] = {TABLE("/input/categories", I32, int32_t, 3, 2, 0, -1, 1, 0, 1, 1),
                          TABLE("/input/numbers", F32, float, 3, 2, 1, NAN, 2, 5, 3, 8),
                          TEXT("/input/number_names/bytes", "agerheigh"),
                          TEXT("/input/category_names/bytes", "sexhomy"),
                          TEXT("/input/level_names/bytes", "fmrentownfrei"),
                          I64("/input/levels", 0, 3, 5),
                          I64("/target/offsets", 0, 2, 3, 3),
                          I32("/target/values", 0, 3, 1)};
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; ++i) {
    CHECK(digest_with(table(), changes[i]) != row);
  }
}

static void describe(const sheet *s, char *text, size_t bytes) {
  const trm_data_kind *kind = NULL;
  const char *path = write_sheet(s);
  CHECK_OK(trm_data_kind_of(path, &kind));
  FILE *file = fmemopen(text, bytes, "w");
  CHECK_OK(kind->describe(path, file));
  fclose(file);
}

static void check_description(void) {
  char text[4096] = "";
  const sheet i = images(), t = table();
  describe(&i, text, sizeof text);
  CHECK_HAS(text, "3  from image to class\n");
  CHECK_HAS(text, "2  pixels high, 3 wide, 2 channels\n");
  CHECK_HAS(text,
            "  1                  0.0275  in the mean of pixels from 0 to 1; deviation 0.0013");
  CHECK_HAS(text, "examples     | :-=\n             |   -> 1\n");
  describe(&t, text, sizeof text);
  CHECK_HAS(text, "4  columns: 2 of numbers, 2 of categories\n");
  CHECK_HAS(text, "6.25  in the mean of height; deviation 1.25, 1 missing\n");
  CHECK_HAS(text, "2  levels of sex; most often m, 66.7 %, 0 missing\n");
  CHECK_HAS(text, "classes                   4  1.00 of a sample in the mean\n");
  CHECK_HAS(text, "| 1, ?, f, ?\n             |   -> 0, 2\n");
  CHECK_HAS(text, "| 2, 5, m, rent\n             |   -> none\n");
}

/* ---- what is wrong ---------------------------------------------------------------------------- */

static void expect(sheet s, item changed, const char *part) {
  const int64_t live = trm_alloc_counts_get().live_blocks;
  trm_samples *samples = NULL;
  put(&s, changed);
  const char *path = write_sheet(&s);
  CHECK_EQ(trm_samples_open(path, &samples), TRM_ERR_DATA);
  CHECK(samples == NULL);
  CHECK_HAS(trm_message(), path);
  CHECK_HAS(trm_message(), part);
  CHECK(strchr(trm_message(), '\n') == NULL);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
}

static void check_bad_images(void) {
  expect(images(), GONE("/input/pixels"),
         "no array '/input/pixels', which samples with input image");
  expect(images(), (item){"/input/pixels", TRM_DTYPE_U8, 3, {3, 4, 3}, pixels},
         "'/input/pixels' is u8 with 3 dimensions, expected integers with 4");
  expect(images(), TABLE("/input/pixels", F32, float, 1, 2, 0.5F, 1),
         "'/input/pixels' is f32 with 2 dimensions, expected integers with 4");
  expect(images(), (item){"/input/pixels", TRM_DTYPE_U8, 4, {3, 0, 2, 3}, pixels},
         "'/input/pixels' has 0 elements along dimension 2, expected the channels, of which there "
         "are from 1");
  const int32_t high[12] = {0, 300};
  expect(images(), (item){"/input/pixels", TRM_DTYPE_I32, 4, {3, 1, 2, 2}, high},
         "'/input/pixels' has");
  expect(images(), I32("/target/labels", 0, 1),
         "'/target/labels' has 2 elements, expected 3 for 3 samples");
  expect(images(), I32("/groups", 0, 0, 1), "'/splits/0' parts them");
}

static void check_bad_numbers(void) {
  expect(
      numbers_alone(), GONE("/input/numbers"),
      "neither '/input/numbers' nor '/input/categories' is there; a row has one column at least");
  expect(table(), TABLE("/input/numbers", F32, float, 3, 2, 1, NAN, 2, 5, INFINITY, 0),
         "'/input/numbers' is infinite in row 2, column 0");
  expect(table(), I64("/input/numbers", 1, 2, 3),
         "is i64 with 1 dimension, expected numbers with 2");
  expect(table(), (item){"/input/numbers", TRM_DTYPE_F32, 2, {3, 0}, numbers},
         "'/input/numbers' has 0 elements along dimension 2, expected the columns of numbers");
  expect(table(), I64("/input/number_names/offsets", 0, 9),
         "'/input/number_names/offsets' has 2 elements, expected 3 for 2 columns of numbers");
  expect(table(), TEXT("/input/number_names/bytes", "age"),
         "'/input/number_names/offsets' is 9 at index 2");
  expect(table(), GONE("/input/number_names/bytes"), "no array '/input/number_names/bytes'");
  expect(table(), GONE("/input/numbers"),
         "there is '/input/number_names/offsets', but no '/input/numbers'");
}

static void check_bad_categories(void) {
  expect(table(), TABLE("/input/categories", I32, int32_t, 3, 2, 0, -1, 1, 3, 1, 0),
         "'/input/categories' is 3 in row 1, column 1, out of [-1, 3), the levels of the column");
  expect(table(), TABLE("/input/categories", I32, int32_t, 3, 2, 0, -2, 1, 0, 1, 0),
         "'/input/categories' is -2 in row 0, column 1");
  expect(table(), TABLE("/input/categories", I32, int32_t, 2, 2, 0, -1, 1, 0),
         "'/input/categories' has 2 elements along dimension 1, expected 3 for 3 samples");
  expect(table(), GONE("/input/levels"), "there is '/input/categories', but no '/input/levels'");
  expect(numbers_alone(), I64("/input/levels", 0, 2), "but no '/input/categories'");
  expect(table(), GONE("/input/categories"),
         "there is '/input/category_names/offsets', but no '/input/categories'");
  expect(table(), I64("/input/levels", 0, 5),
         "'/input/levels' has 2 elements, expected 3 for 2 col");
  expect(table(), I64("/input/levels", 1, 2, 5), "'/input/levels' is 1 at index 0; it starts at 0");
  expect(table(), I64("/input/levels", 0, 6, 5), "is 5 at index 2; it starts at 0, never falls (6");
  expect(categories_alone(), I64("/input/levels", 0, 2, 2000000), "and is at most 1048576");
  expect(table(), I64("/input/levels", 0, 2, 6),
         "'/input/levels' ends at 6, but there are 5 names");
}

static void check_bad_sets(void) {
  expect(table(), I32("/target/values", 0, 4, 1),
         "'/target/values' is 4 at index 1, out of [0, 4)");
  expect(table(), I32("/target/values", 2, 2, 1),
         "'/target/values' is 2 at index 1 after 2; the classes of a sample (0) must rise");
  expect(table(), I64("/target/offsets", 0, 2, 3), "'/target/offsets' has 3 elements, expected 4");
  expect(table(), I64("/target/offsets", 0, 2, 2, 2), "'/target/offsets' ends at 2, but '/target/");
  expect(table(), GONE("/target/values"), "no array '/target/values'");
  sheet s = table();
  s.n_classes = -1;
  put(&s, I64("/target/offsets", 0, 0, 0, 0));
  expect(s, (item){"/target/values", TRM_DTYPE_I32, 1, {0}, set_values},
         "'/target/values' has 0 classes, expected 1 to");
  s = table();
  put(&s, I64("/classes/offsets", 0, 1, 2));
  expect(s, TEXT("/classes/bytes", "ab"), "is 4, '/classes' has 2 names");
}

/* Every allocation that fails is told, and nothing is lost. */
static void check_memory(void) {
  const sheet good = table();
  const char *path = write_sheet(&good);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  for (int n = 0;; ++n) {
    trm_samples *s = NULL;
    trm_alloc_fail_after(n);
    const trm_status status = trm_samples_open(path, &s);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK) {
      CHECK(n > 10);
      trm_samples_close(&s);
      break;
    }
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  }
}

int main(void) {
  folder = check_temp_folder();
  check_images();
  check_table();
  check_round_trips();
  check_digest();
  check_description();
  check_bad_images();
  check_bad_numbers();
  check_bad_categories();
  check_bad_sets();
  check_memory();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
