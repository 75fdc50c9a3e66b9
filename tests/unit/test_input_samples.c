/* Data sets of samples: what is written is what is read; files that are wrong have each their one line. */
#include <math.h>
#include <sys/stat.h>

#include "input_fixture.h"
#include "trireme/input/kind.h"
#include "trireme/input/samples.h"

static const char *folder;

/* An array of a file; n < 0 leaves it out. */
typedef struct item {
  const char *name;
  trm_dtype dtype;
  int64_t n;
  const void *data;
} item;

enum { MOST = 24 };
typedef struct sheet {
  const char *input, *target; /* attributes, NULL: none */
  int64_t n_classes;          /* attribute, -1: none */
  item items[MOST];
  int n;
} sheet;

static void put(sheet *s, const char *name, trm_dtype dtype, int64_t n, const void *data) {
  for (int i = 0; i < s->n; ++i) {
    if (strcmp(s->items[i].name, name) != 0) continue;
    s->items[i] = (item){name, dtype, n, data};
    return;
  }
  s->items[s->n++] = (item){name, dtype, n, data};
}

#define I64(...)                                                                                   \
  TRM_DTYPE_I64, sizeof((int64_t[]){__VA_ARGS__}) / 8, (int64_t[]) {                               \
    __VA_ARGS__                                                                                    \
  }
#define I32(...)                                                                                   \
  TRM_DTYPE_I32, sizeof((int32_t[]){__VA_ARGS__}) / 4, (int32_t[]) {                               \
    __VA_ARGS__                                                                                    \
  }
#define F32(...)                                                                                   \
  TRM_DTYPE_F32, sizeof((float[]){__VA_ARGS__}) / 4, (float[]) {                                   \
    __VA_ARGS__                                                                                    \
  }
#define U8(text) TRM_DTYPE_U8, sizeof(text) - 1, text
#define GONE TRM_DTYPE_I32, -1, NULL

/* Four samples "ab", "c", "ab", "cba"; the last is in no subset. */
static const int64_t input_offsets[] = {0, 2, 3, 5, 8}, vocab_offsets[] = {0, 1, 2, 3};
static const int32_t input_values[] = {0, 1, 2, 0, 1, 2, 1, 0}, train[] = {0, 2}, valid[] = {1};
static const int32_t labels[] = {0, 1, 0, 2};
static const int64_t class_offsets[] = {0, 1, 3, 6};
static const float numbers[] = {1, -2.5F, 0, 1e6F};
static const int64_t target_offsets[] = {0, 1, 1, 3, 4}, text_offsets[] = {0, 1, 1, 4, 6};
static const int32_t target_values[] = {2, 1, 0, 2}, groups[] = {1, 0, 1, 3};

static sheet base(const char *target) {
  sheet s = {.input = "tokens", .target = target, .n_classes = -1};
  put(&s, "/input/offsets", TRM_DTYPE_I64, 5, input_offsets);
  put(&s, "/input/values", TRM_DTYPE_I32, 8, input_values);
  put(&s, "/input/vocab/offsets", TRM_DTYPE_I64, 4, vocab_offsets);
  put(&s, "/input/vocab/bytes", TRM_DTYPE_U8, 3, "abc");
  put(&s, "/splits/0/train", TRM_DTYPE_I32, 2, train);
  put(&s, "/splits/0/valid", TRM_DTYPE_I32, 1, valid);
  return s;
}

static sheet classes(void) {
  sheet s = base("class");
  s.n_classes = 3;
  put(&s, "/target/labels", TRM_DTYPE_I32, 4, labels);
  put(&s, "/classes/offsets", TRM_DTYPE_I64, 4, class_offsets);
  put(&s, "/classes/bytes", TRM_DTYPE_U8, 6, "abbccc");
  return s;
}

static sheet reals(void) {
  sheet s = base("number");
  put(&s, "/target/numbers", TRM_DTYPE_F32, 4, numbers);
  return s;
}

static sheet pairs(void) {
  sheet s = base("tokens");
  put(&s, "/target/offsets", TRM_DTYPE_I64, 5, target_offsets);
  put(&s, "/target/values", TRM_DTYPE_I32, 4, target_values);
  put(&s, "/target/texts/offsets", TRM_DTYPE_I64, 5, text_offsets);
  put(&s, "/target/texts/bytes", TRM_DTYPE_U8, 6, "cba.cc");
  put(&s, "/groups", TRM_DTYPE_I32, 4, groups);
  return s;
}

static const char *write_sheet(const sheet *s) {
  const char *path = fixture_path(folder, "sheet.h5");
  trm_container *c = NULL;
  bool vocab = false, has_labels = false;
  if (!CHECK_OK(trm_container_create(path, &c))) exit(1);
  CHECK_OK(trm_attr_write_int(c, "/", "trireme_format", 1));
  CHECK_OK(trm_attr_write_text(c, "/", "kind", "samples"));
  if (s->input) CHECK_OK(trm_attr_write_text(c, "/", "input", s->input));
  if (s->target) CHECK_OK(trm_attr_write_text(c, "/", "target", s->target));
  for (int i = 0; i < s->n; ++i) {
    const item *a = &s->items[i];
    if (a->n < 0) continue;
    CHECK_OK(trm_array_write(c, a->name, a->dtype, 1, &a->n, a->data));
    vocab |= strcmp(a->name, "/target/vocab/offsets") == 0;
    has_labels |= strcmp(a->name, "/target/labels") == 0;
  }
  CHECK_OK(trm_attr_write_text(c, "/input/vocab", "unit", "char"));
  if (vocab) CHECK_OK(trm_attr_write_text(c, "/target/vocab", "unit", "char"));
  if (has_labels && s->n_classes >= 0) {
    CHECK_OK(trm_attr_write_int(c, "/target/labels", "n_classes", s->n_classes));
  }
  CHECK_OK(trm_container_close(&c));
  return path;
}

static void expect_open(const char *path, trm_status want, const char *part) {
  const int64_t live = trm_alloc_counts_get().live_blocks;
  trm_samples *s = NULL;
  CHECK_EQ(trm_samples_open(path, &s), want);
  CHECK(s == NULL);
  CHECK_HAS(trm_message(), path);
  CHECK_HAS(trm_message(), part);
  CHECK(strchr(trm_message(), '\n') == NULL);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
}

static void expect(const sheet *s, const char *part) {
  expect_open(write_sheet(s), TRM_ERR_DATA, part);
}

/* One array changed, and the message. */
#define BAD(make, name, array, part)                                                               \
  do {                                                                                             \
    sheet s_ = make();                                                                             \
    put(&s_, name, array);                                                                         \
    expect(&s_, part);                                                                             \
  } while (0)

/* ---- what is good ----------------------------------------------------------------------------- */

static trm_samples *open_sheet(const sheet *s) {
  trm_samples *samples = NULL;
  if (!CHECK_OK(trm_samples_open(write_sheet(s), &samples))) exit(1);
  return samples;
}

static void check_good(void) {
  sheet good = classes();
  trm_samples *s = open_sheet(&good);
  trm_ids ids;
  CHECK_EQ(s->n, 4);
  CHECK_EQ(s->classes.n, 3);
  CHECK_EQ(s->longest_input, 3);
  CHECK_EQ(s->inputs.values[s->inputs.offsets[3]], 2);
  CHECK(s->groups == NULL && s->targets.offsets == NULL);
  CHECK_OK(trm_samples_split(s, 0, TRM_SUBSET_TRAIN, &ids));
  CHECK_EQ(ids.n, 2);
  CHECK_EQ(ids.ids[1], 2);
  CHECK_OK(trm_samples_split(s, 0, TRM_SUBSET_TEST, &ids));
  CHECK_EQ(ids.n, 0);
  CHECK_EQ(trm_samples_split(s, 1, TRM_SUBSET_TEST, &ids), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "has no split 1; there are 1, from 0 to 0");
  trm_samples_close(&s);
  CHECK(s == NULL);
  put(&good, "/splits/0/train", GONE);
  put(&good, "/splits/0/valid", GONE);
  s = open_sheet(&good);
  CHECK_EQ(trm_samples_split(s, 0, TRM_SUBSET_TRAIN, &ids), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "has no splits");
  trm_samples_close(&s);
  /* Without names and number of classes, one more than the highest label. */
  put(&good, "/classes/offsets", GONE);
  put(&good, "/classes/bytes", GONE);
  good.n_classes = -1;
  s = open_sheet(&good);
  CHECK_EQ(s->classes.n, 3);
  trm_samples_close(&s);
}

static void check_same(const trm_samples *a, const trm_samples *b) {
  CHECK_EQ(a->n, b->n);
  CHECK_EQ(a->digest, b->digest);
  CHECK_EQ(a->target, b->target);
  CHECK_EQ(a->shared_vocab, b->shared_vocab);
  CHECK_EQ(a->longest_input, b->longest_input);
  CHECK_EQ(a->longest_target, b->longest_target);
  CHECK_EQ(a->references.n, b->references.n);
  CHECK_EQ(a->n_splits, b->n_splits);
  CHECK(memcmp(a->inputs.values, b->inputs.values, 8 * sizeof(int32_t)) == 0);
  CHECK(trm_vocab_equal(&a->input_vocab, &b->input_vocab));
}

/* Written and read again, nothing has changed, whatever the target. */
static void check_round_trips(void) {
  sheet sheets[] = {classes(), reals(), pairs(), pairs()};
  /* As they were before there were images and rows. */
  const uint64_t digests[4] = {UINT64_C(0xaca6dbb083f43533), UINT64_C(0x488f3db2eb8b41ef),
                               UINT64_C(0x290b3a166d6fa4cc), UINT64_C(0x867831b9e930a51f)};
  put(&sheets[3], "/target/vocab/offsets", I64(0, 1, 2, 3));
  put(&sheets[3], "/target/vocab/bytes", U8("xyz"));
  for (int i = 0; i < 4; ++i) {
    const char *path = fixture_path(folder, "again.h5");
    trm_samples *a = open_sheet(&sheets[i]), *b = NULL;
    CHECK_EQ(a->shared_vocab, i == 2);
    CHECK_OK(trm_samples_write(path, a));
    if (CHECK_OK(trm_samples_open(path, &b))) check_same(a, b);
    CHECK(a->digest == digests[i]);
    trm_samples_close(&a);
    trm_samples_close(&b);
  }
}

/* The digest notices each array, and not the type it is stored in. */
static void check_digest(void) {
  sheet good = pairs();
  trm_samples *s = open_sheet(&good);
  const uint64_t digest = s->digest;
  trm_samples_close(&s);
  const struct {
    const char *name;
    item with;
    bool same;
  } rows[] = {{"/input/values", {"", I64(0, 1, 2, 0, 1, 2, 1, 0)}, true},
              {"/input/values", {"", I32(0, 1, 1, 0, 1, 2, 1, 0)}, false},
              {"/target/values", {"", I32(2, 1, 0, 1)}, false},
              {"/target/texts/bytes", {"", U8("cbx.cc")}, false},
              {"/input/vocab/bytes", {"", U8("abd")}, false},
              {"/groups", {"", I32(1, 0, 1, 2)}, false},
              {"/splits/0/valid", {"", I32(3)}, false}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    sheet changed = pairs();
    put(&changed, rows[i].name, rows[i].with.dtype, rows[i].with.n, rows[i].with.data);
    s = open_sheet(&changed);
    CHECK_EQ(s->digest == digest, rows[i].same);
    trm_samples_close(&s);
  }
}

static void check_lengths(void) {
  trm_row_lengths l;
  int64_t offsets[101] = {0};
  for (int i = 0; i < 100; ++i) offsets[i + 1] = offsets[i] + i + 1;
  CHECK_OK(trm_row_lengths_of(offsets, NULL, 100, &l));
  CHECK_EQ(l.median, 50);
  CHECK_EQ(l.most_95, 95);
  CHECK_EQ(l.longest, 100);
  CHECK_EQ(l.total, 5050);
  const int32_t ids[] = {4, 9};
  CHECK_OK(trm_row_lengths_of(offsets, ids, 2, &l));
  CHECK_EQ(l.median, 5);
  CHECK_EQ(l.longest, 10);
  CHECK_OK(trm_row_lengths_of(offsets, NULL, 0, &l));
  CHECK_EQ(l.longest, 0);
}

static void check_description(void) {
  char text[4096] = "";
  sheet s = pairs();
  const trm_data_kind *kind = NULL;
  const char *path = write_sheet(&s);
  int n = 0;
  CHECK_OK(trm_data_kind_of(path, &kind));
  CHECK_OK(kind->count_splits(path, &n));
  CHECK_EQ(n, 1);
  FILE *file = fmemopen(text, sizeof text, "w");
  CHECK_OK(kind->describe(path, file));
  fclose(file);
  CHECK_HAS(text, "samples                   4  from tokens to tokens\n");
  CHECK_HAS(text, "  inputs                  3  different ones");
  CHECK_HAS(text, "2.00  tokens in the mean; median 2, 95 % up to 3, longest 3\n");
  CHECK_HAS(text, "2  train, 1 valid, 0 test, 1 in none\n");
  CHECK_HAS(text, "| ab\n             |   -> c\n");
  CHECK_HAS(text, "|   -> ba.\n");
}

/* ---- what is wrong ---------------------------------------------------------------------------- */

static void check_heads(void) {
  sheet s = classes();
  s.input = NULL;
  expect(&s, "no attribute 'input', which samples must have");
  s.input = "smell";
  expect(&s, "attribute 'input' is 'smell', expected one of 'tokens', 'image', 'row'");
  s.input = "tokens";
  s.target = "klass";
  expect(&s,
         "attribute 'target' is 'klass', expected one of 'class', 'number', 'tokens', 'classes'");
  s.target = "number";
  expect(&s, "no array '/target/numbers', which samples with input tokens and target number must");
  const char *text = fixture_path(folder, "text.h5");
  fixture_plain(text, 40, 30);
  expect_open(text, TRM_ERR_DATA, "kind is 'text', expected 'samples'");
  expect_open(fixture_path(folder, "none.h5"), TRM_ERR_MISSING, "no such file");
}

static void check_inputs(void) {
  BAD(classes, "/input/offsets", GONE, "no array '/input/offsets'");
  BAD(classes, "/input/values", GONE, "no array '/input/values'");
  BAD(classes, "/input/offsets", I64(0), "expected one more than the samples");
  BAD(classes, "/input/offsets", F32(0, 0.5),
      "'/input/offsets' has 0.5 at index 1, which is no whole number");
  BAD(classes, "/input/offsets", I64(0, 2, 1, 5, 8),
      "'/input/offsets' is 1 at index 2; offsets start at 0, never fall (2 before) and end at 8");
  BAD(classes, "/input/offsets", I64(1, 2, 3, 5, 8), "'/input/offsets' is 1 at index 0");
  BAD(classes, "/input/offsets", I64(0, 2, 3, 5, INT64_C(1) << 60),
      "is 1152921504606846976 at index 4");
  BAD(classes, "/input/offsets", I64(0, 2, 3, 5, 7),
      "'/input/offsets' ends at 7, but '/input/values' has 8 elements");
  BAD(classes, "/input/offsets", I64(0, 2, 2, 5, 8), "the input of sample 1 is empty");
  BAD(classes, "/input/values", I32(0, 1, 2, 0, 1, 3, 1, 0),
      "'/input/values' is 3 at index 5, out of [0, 3), the tokens of its vocabulary");
  BAD(classes, "/input/values", I32(0, 1, 2, 0, -1, 2, 1, 0), "is -1 at index 4");
  BAD(classes, "/input/values", I64(0, 1, 2, 0, 1, INT64_C(1) << 40, 1, 0), "does not fit i32");
  BAD(classes, "/input/vocab/bytes", U8("acb"), "vocabulary must rise");
  BAD(classes, "/input/vocab/bytes", GONE, "/input/vocab");
}

static void check_targets(void) {
  BAD(classes, "/target/labels", GONE, "no array '/target/labels'");
  BAD(classes, "/target/labels", I32(0, 1, 0), "'/target/labels' has 3 elements, expected 4");
  BAD(classes, "/target/labels", I32(0, 1, 3, 2), "is 3 at index 2, out of [0, 3), the classes");
  BAD(classes, "/target/labels", I32(0, 1, -1, 2), "says of sample 2 that it has no label");
  BAD(classes, "/target/labels", F32(0, 1, NAN, 2), "says of sample 2 that it has no label");
  BAD(classes, "/target/labels", F32(0, 1, 0.5F, 2),
      "has 0.5 at index 2, which is no whole number");
  BAD(classes, "/target/labels", U8("\0\1\377\2"), "says of sample 2 that it has no label");
  BAD(classes, "/classes/offsets", I64(0, 1, 6), "is 3, '/classes' has 2 names");
  BAD(classes, "/classes/offsets", I64(0), "expected one more than the classes");
  BAD(classes, "/classes/bytes", U8("abbcc"), "'/classes/offsets' is 6 at index 3");
  sheet s = classes();
  put(&s, "/classes/offsets", GONE);
  put(&s, "/classes/bytes", GONE);
  s.n_classes = INT32_MAX;
  expect(&s, "2147483647 classes, expected 1 to 1048576");
  BAD(reals, "/target/numbers", F32(1, 2, NAN, 3), "'/target/numbers' is nan at index 2");
  BAD(reals, "/target/numbers", F32(1, 2, 3), "has 3 elements, expected 4");
  BAD(pairs, "/target/values", I32(2, 1, 0, 3), "'/target/values' is 3 at index 3, out of [0, 3)");
  BAD(pairs, "/target/offsets", I64(0, 4), "'/target/offsets' has 2 elements, expected 5");
  BAD(pairs, "/target/texts/offsets", I64(0, 1, 1, 4, 7),
      "'/target/texts/offsets' is 7 at index 4");
  BAD(pairs, "/target/texts/bytes", GONE, "no array '/target/texts/bytes'");
  s = pairs();
  put(&s, "/target/vocab/offsets", I64(0, 1, 2));
  put(&s, "/target/vocab/bytes", U8("xy"));
  expect(&s, "'/target/values' is 2 at index 0, out of [0, 2), the tokens of its vocabulary");
}

static void check_groups_and_splits(void) {
  BAD(pairs, "/groups", I32(1, 0, 1, 4), "'/groups' is 4 at index 3, out of [0, 4)");
  BAD(pairs, "/groups", I32(1, 1, 0, 2), "samples 0 and 1 are in group 1, but their inputs differ");
  BAD(pairs, "/splits/0/train", I32(0),
      "samples 0 and 2 are in group 1, but '/splits/0' parts them");
  BAD(classes, "/splits/0/train", I32(2, 0), "is 0 at index 1 after 2; ids must be rising");
  BAD(classes, "/splits/0/train", I32(0, 4), "is 4 at index 1, out of [0, 4), the samples");
  BAD(classes, "/splits/0/valid", I32(2),
      "sample 2 is in '/splits/0/train' and in '/splits/0/valid'; the parts of a split must not");
  BAD(classes, "/splits/0/train", I32(0, 0, 0, 0, 0), "has 5 elements, there are 4 samples");
  BAD(classes, "/splits/0/train", GONE, "no array '/splits/0/train'");
  BAD(classes, "/splits/2/train", I32(0), "has 2 members, but no '/splits/1'");
  BAD(classes, "/splits/0/val", I32(3),
      "'/splits/0/val' is no part of a split, which has train, valid and test; call it 'valid'");
  BAD(classes, "/splits/0/Test", I32(3), "call it 'test'");
  BAD(classes, "/splits/0/rest", I32(3), "rename or remove it");
  BAD(classes, "/splits/train", I32(3),
      "'/splits/train' is no split; splits are numbered from 0, so put it at '/splits/0/train'");
  sheet s = classes();
  put(&s, "/splits/0/train", TRM_DTYPE_I32, 0, train);
  expect(&s, "'/splits/0/train' is empty; a split needs samples to train on");
}

/* A file that was cut short, and one whose bytes have changed. */
static void check_damage(void) {
  sheet good = pairs();
  const char *path = write_sheet(&good), *sealed = fixture_path(folder, "sealed.h5");
  trm_samples *s = open_sheet(&good);
  CHECK_OK(trm_samples_write(sealed, s));
  trm_samples_close(&s);
  CHECK_EQ(truncate(path, 1500), 0);
  expect_open(path, TRM_ERR_DATA, "truncated");
  FILE *file = fopen(sealed, "r+b");
  CHECK(file && fseek(file, 2500, SEEK_SET) == 0 && fputc(0x5A, file) == 0x5A && fclose(file) == 0);
  expect_open(sealed, TRM_ERR_DATA, "");
}

/* Every allocation that fails is told, and nothing is lost. */
static void check_memory(void) {
  sheet good = pairs();
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

/* An array by a name that samples have not is passed over, and told. */
static void check_unread(void) {
  const trm_data_kind *kind;
  char *text = NULL;
  size_t bytes;
  sheet s = classes();
  put(&s, "/group", TRM_DTYPE_I32, 4, labels);
  put(&s, "/target/label", TRM_DTYPE_I32, 4, labels);
  const char *path = write_sheet(&s);
  FILE *file = open_memstream(&text, &bytes);
  CHECK_OK(trm_data_kind_of(path, &kind));
  CHECK_OK(kind->describe(path, file));
  CHECK_EQ(fclose(file), 0);
  CHECK_HAS(text, "not read     /group\n             /target/label\n");
  free(text);
}

int main(void) {
  folder = check_temp_folder();
  check_good();
  check_round_trips();
  check_digest();
  check_lengths();
  check_description();
  check_unread();
  check_heads();
  check_inputs();
  check_targets();
  check_groups_and_splits();
  check_damage();
  check_memory();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
