/* The vocabulary builder: order, least counts, sizes, what is taken from elsewhere, bad options. */
#include <math.h>
#include <stdlib.h>

#include "input_fixture.h"
#include "trireme/prepare/text.h"
#include "trireme/prepare/vocab_builder.h"

static const char *folder;

static trm_status make(const trm_vocab_options *options, const char *const *texts,
                       trm_vocab *vocab) {
  trm_vocab_builder *builder = NULL;
  *vocab = TRM_VOCAB_NONE;
  TRM_TRY(trm_vocab_builder_create(options, &builder));
  trm_status status = TRM_OK;
  for (; *texts && status == TRM_OK; ++texts) {
    status = trm_vocab_builder_add(builder, *texts, (int64_t)strlen(*texts));
  }
  if (status == TRM_OK) status = trm_vocab_builder_finish(builder, vocab);
  trm_vocab_builder_destroy(&builder);
  return status;
}

/* The tokens of the vocabulary with a blank between. */
static void expect(const trm_vocab_options *options, const char *const *texts, const char *want) {
  trm_vocab v;
  char got[512] = "";
  if (!CHECK_OK(make(options, texts, &v))) return;
  CHECK_OK(trm_vocab_check(&v, v.offsets[v.n], "made"));
  for (int64_t i = 0; i < v.n; ++i) {
    snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", i ? " " : "",
             (int)(v.offsets[i + 1] - v.offsets[i]), v.bytes + v.offsets[i]);
  }
  CHECK_STR(got, want);
  trm_vocab_free(&v);
}

static void check_order(void) {
  const char *const texts[] = {"b a\tb", " c b a z\n", "\xC3\xA9 <s>", NULL};
  const char *const turned[] = {"<s> z\n", "b \xC3\xA9 a b", "a b c", NULL};
  const trm_vocab_options word = {.unit = "word"}, symbol = {.unit = "symbol"};
  expect(&word, texts, "b a <s> c z \xC3\xA9");
  expect(&word, turned, "b a <s> c z \xC3\xA9");
  expect(&symbol, turned, "<s> a b c z \xC3\xA9");
  const trm_vocab_options twice = {.unit = "word", .min_count = 2, .specials = true};
  expect(&twice, texts, "<unk> <s> </s> b a");
  const trm_vocab_options five = {.unit = "word", .size = 5, .specials = true};
  expect(&five, texts, "<unk> <s> </s> b a");
  const trm_vocab_options five_plain = {.unit = "word", .size = 5};
  expect(&five_plain, texts, "b a <s> c z");
  const trm_vocab_options chars = {.unit = "char", .min_count = 2};
  expect(&chars,
         (const char *const[]){"abc\xC3\xA9",
                               "\xC3\xA9"
                               "ba",
                               NULL},
         "a b \xC3\xA9");
}

static void expect_bad(const trm_vocab_options *options, const char *const *texts, trm_status want,
                       const char *part) {
  trm_vocab v;
  CHECK_EQ(make(options, texts, &v), want);
  CHECK_HAS(trm_message(), part);
  trm_vocab_free(&v);
}

static void check_bad(void) {
  const char *const none[] = {NULL}, *const some[] = {"a b\n", NULL};
  expect_bad(&(trm_vocab_options){.unit = "line"}, none, TRM_ERR_USAGE,
             "unit 'line', expected byte");
  expect_bad(&(trm_vocab_options){0}, none, TRM_ERR_USAGE, "no unit was given");
  expect_bad(&(trm_vocab_options){.unit = "subword", .subword = "wordpiece"}, none, TRM_ERR_USAGE,
             "subwords by 'wordpiece', expected 'bpe' or 'unigram'");
  expect_bad(&(trm_vocab_options){.unit = "subword", .size = 100}, none, TRM_ERR_USAGE,
             "a vocabulary of 100 subwords: expected 260 at least");
  expect_bad(&(trm_vocab_options){.unit = "subword", .size = 260}, some, TRM_ERR_DATA,
             "a vocabulary of 260 is too small for the characters of the texts, all bytes and the "
             "special tokens; 263 is the least");
  expect_bad(&(trm_vocab_options){.unit = "subword"}, none, TRM_ERR_DATA, "the texts are empty");
  expect_bad(&(trm_vocab_options){.unit = "word"}, none, TRM_ERR_DATA, "the vocabulary is empty");
  expect_bad(&(trm_vocab_options){.unit = "word", .min_count = 2}, some, TRM_ERR_DATA,
             "of 2 words in the texts none comes 2 times");
  expect_bad(&(trm_vocab_options){.unit = "word", .min_count = -1}, some, TRM_ERR_USAGE,
             "least count -1");
  expect_bad(&(trm_vocab_options){.unit = "word"}, (const char *const[]){"ab\xC3(", NULL},
             TRM_ERR_DATA, "invalid UTF-8 at byte 2");
  expect_bad(&(trm_vocab_options){.unit = "word", .tokenizer = "x"}, none, TRM_ERR_USAGE,
             "unit 'word' needs none");
  expect_bad(&(trm_vocab_options){.tokenizer = "x", .vocabulary = "y"}, none, TRM_ERR_USAGE,
             "give one of them");
  expect_bad(&(trm_vocab_options){.tokenizer = "/no/such.model"}, none, TRM_ERR_MISSING,
             "/no/such.model: cannot be opened");
  const char *junk = fixture_path(folder, "junk.model");
  fixture_file(junk, "this is no model at all", 23);
  expect_bad(&(trm_vocab_options){.tokenizer = junk}, none, TRM_ERR_DATA, "junk.model: ");
  expect_bad(&(trm_vocab_options){.vocabulary = junk}, none, TRM_ERR_DATA, "junk.model");
}

/* A model's file and a data set give the vocabulary they hold; the texts do not matter then. */
static void check_taken(void) {
  const char *const texts[] = {"some text to learn from, some more text\n", NULL};
  const char *const other[] = {"other", NULL};
  const char *file = fixture_path(folder, "made.model"), *data = fixture_path(folder, "data.h5");
  trm_vocab learned, taken;
  if (!CHECK_OK(make(&(trm_vocab_options){.unit = "subword", .size = 290}, texts, &learned)))
    return;
  fixture_file(file, learned.model, (size_t)learned.n_model);
  if (CHECK_OK(make(&(trm_vocab_options){.tokenizer = file}, other, &taken))) {
    CHECK(trm_vocab_equal(&learned, &taken));
    trm_vocab_free(&taken);
  }
  trm_vocab_free(&learned);

  fixture_plain(data, 40, 30);
  if (CHECK_OK(make(&(trm_vocab_options){.vocabulary = data, .specials = true}, other, &taken))) {
    CHECK_EQ(taken.n, 4);
    CHECK_STR(taken.unit, "char");
    CHECK_EQ(taken.unk, -1);
    trm_vocab_free(&taken);
  }
  expect_bad(&(trm_vocab_options){.vocabulary = data, .unit = "word"}, other, TRM_ERR_USAGE,
             "its vocabulary has unit char, unit word is asked for");
  expect_bad(&(trm_vocab_options){.vocabulary = data, .group = "/target/vocab"}, other,
             TRM_ERR_DATA, "no attribute 'unit' of /target/vocab");
}

/* Every allocation of ours fails once. */
static void check_allocations(void) {
  const char *const texts[] = {"some text to learn from, some more text\n", NULL};
  static const char *const units[] = {"byte", "char", "word", "subword"};
  for (int u = 0; u < 4; ++u) {
    const trm_vocab_options options = {.unit = units[u], .specials = true};
    int64_t n = 0;
    for (;; ++n) {
      trm_vocab v;
      trm_alloc_fail_after(n);
      const trm_status status = make(&options, texts, &v);
      trm_alloc_fail_after(-1);
      trm_vocab_free(&v);
      CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
      if (status == TRM_OK || n > 100) break;
      CHECK_EQ(status, TRM_ERR_MEMORY);
    }
    CHECK(n > 2 && n <= 100);
  }
}

int main(void) {
  folder = check_temp_folder();
  check_order();
  check_bad();
  check_taken();
  check_allocations();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
