/* Tokenizers: units with special tokens, unknown text, decoding at once and token by token; subwords
 * by SentencePiece; vocabularies in files, good and bad. */
#include <stdlib.h>

#include "input_fixture.h"
#include "trireme/input/subword.h"
#include "trireme/input/tokenizer.h"
#include "trireme/prepare/vocab_builder.h"

static const char *folder;

/* The vocabulary of some texts, NULL after the last. */
static trm_vocab make(const trm_vocab_options *options, const char *const *texts) {
  trm_vocab vocab = TRM_VOCAB_NONE;
  trm_vocab_builder *builder = NULL;
  if (!CHECK_OK(trm_vocab_builder_create(options, &builder))) exit(1);
  for (; *texts; ++texts) {
    CHECK_OK(trm_vocab_builder_add(builder, *texts, (int64_t)strlen(*texts)));
  }
  if (!CHECK_OK(trm_vocab_builder_finish(builder, &vocab))) exit(1);
  trm_vocab_builder_destroy(&builder);
  CHECK_OK(trm_vocab_check(&vocab, vocab.offsets[vocab.n], "made"));
  return vocab;
}

/* Encodes, expects so many tokens and unknown ones, and decodes: at once and piece by piece. */
static void expect(const trm_vocab *vocab, const char *text, int64_t want_n, int64_t want_unknown,
                   const char *want) {
  trm_tokenizer *t = NULL;
  int32_t *tokens = NULL;
  trm_unknown unknown = {0};
  int64_t n = 0, bytes = 0, used = 0;
  char *back = NULL, written[512];
  if (!CHECK_OK(trm_tokenizer_create(vocab, &t))) return;
  CHECK_OK(trm_tokenizer_encode(t, text, (int64_t)strlen(text), &tokens, &n, &unknown));
  if (want_n >= 0) CHECK_EQ(n, want_n);
  CHECK_EQ(unknown.n, want_unknown);
  CHECK_OK(trm_tokenizer_decode(t, tokens, n, &back, &bytes));
  if (back) CHECK_STR(back, want);
  CHECK_EQ(bytes, strlen(want));
  for (int64_t i = 0; i < n; ++i) {
    const char *piece = trm_tokenizer_piece(t, tokens[i], used == 0, &bytes);
    memcpy(written + used, piece, (size_t)bytes);
    used += bytes;
  }
  written[used] = 0;
  CHECK_STR(written, want);
  TRM_FREE(tokens);
  TRM_FREE(back);
  trm_tokenizer_destroy(&t);
}

static void check_words(void) {
  const char *const texts[] = {"the cat  sat\non the mat", "the <s> dog", NULL};
  const trm_vocab_options with = {.unit = "word", .specials = true};
  trm_vocab v = make(&with, texts);
  CHECK_EQ(v.n, 9);
  CHECK_EQ(v.unk, 0);
  CHECK_EQ(v.bos, 1);
  CHECK_EQ(v.eos, 2);
  expect(&v, " the dog\t\nsat ", 3, 0, "the dog sat");
  expect(&v, "the bird <s> sat", 4, 2, "the sat"); /* "<s>" in a text is not the token */
  expect(&v, "", 0, 0, "");
  trm_vocab_free(&v);

  const trm_vocab_options without = {.unit = "symbol"};
  v = make(&without, (const char *const[]){"AH0 B K", NULL});
  CHECK_EQ(v.n, 3);
  int32_t *tokens;
  int64_t n;
  CHECK_EQ(trm_vocab_encode(&v, "B ZH", 4, &tokens, &n), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "symbol 'ZH' at byte 2 of the text is not among the 3");
  CHECK_EQ(trm_vocab_encode(&v, "B \xFF", 3, &tokens, &n), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "invalid UTF-8 at byte 2");
  trm_vocab_free(&v);
}

/* What a vocabulary lacks is left out, or becomes its token for that; and is told once, with examples. */
static void check_lacking(void) {
  const char *const texts[] = {"abc", NULL};
  const char text[] = "a#b\xC3\xA9#c~";
  char said[TRM_UNKNOWN_TEXT_BYTES];
  for (int with = 0; with < 2; ++with) {
    const trm_vocab_options options = {.unit = "char", .specials = with == 1};
    trm_vocab v = make(&options, texts);
    for (int skip = 0; skip < 2; ++skip) {
      trm_unknown unknown = {.skip = skip == 1};
      trm_tokenizer *t = NULL;
      int32_t *tokens = NULL;
      int64_t n;
      if (!CHECK_OK(trm_tokenizer_create(&v, &t))) return;
      CHECK_OK(trm_tokenizer_encode(t, text, (int64_t)strlen(text), &tokens, &n, &unknown));
      CHECK_EQ(n, with && !skip ? 7 : 3);
      CHECK_EQ(unknown.n, 4);
      trm_unknown_say(&unknown, &v, said);
      CHECK_STR(said, "4 characters ('#' (U+0023), '\xC3\xA9' (U+00E9), '~' (U+007E))");
      const trm_unknown_rule usual = skip ? TRM_UNKNOWN_SKIP : TRM_UNKNOWN_USUAL;
      CHECK_EQ(trm_unknown_judge(&unknown, usual, &v, "f"), skip || with ? TRM_OK : TRM_ERR_DATA);
      CHECK_EQ(trm_unknown_judge(&unknown, TRM_UNKNOWN_REFUSE, &v, "f"), TRM_ERR_DATA);
      CHECK_HAS(trm_message(), "f: 4 characters (");
      CHECK_HAS(trm_message(), "--unknown skip");
      TRM_FREE(tokens);
      trm_tokenizer_destroy(&t);
    }
    trm_vocab_free(&v);
  }
  /* No more examples than there is room for; of bytes their numbers. */
  trm_unknown many = {0};
  const trm_vocab bytes = {.unit = "byte", .unk = -1};
  for (int i = 0; i < 256; ++i) trm_unknown_add(&many, &bytes, (const char[]){(char)i}, 1);
  trm_unknown_say(&many, &bytes, said);
  CHECK_HAS(said, "256 bytes (0x00, 0x01, ");
  CHECK_HAS(said, " and others)");
  trm_unknown_rule rule;
  CHECK_EQ(trm_unknown_rule_of("drop", &rule), TRM_ERR_USAGE);
}

static void check_specials(void) {
  const trm_vocab_options chars = {.unit = "char", .specials = true};
  const trm_vocab_options bytes = {.unit = "byte", .specials = true};
  trm_vocab v = make(&chars, (const char *const[]){"b\xC3\xA9"
                                                   "a",
                                                   NULL});
  CHECK_EQ(v.n, 6);
  expect(&v, "ab\xC3\xA9", 3, 0, "ab\xC3\xA9");
  expect(&v,
         "a?\xE2\x82\xAC"
         "b",
         4, 2, "ab");
  trm_vocab_free(&v);
  v = make(&bytes, (const char *const[]){NULL});
  CHECK_EQ(v.n, 259);
  expect(&v, "<s>a", 4, 0, "<s>a");
  /* Of two tokens for the same thing, and of one out of range, the file is told. */
  v.bos = v.unk;
  CHECK_EQ(trm_vocab_check(&v, v.offsets[v.n], "f.h5"), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "f.h5: special tokens unk and bos are both token 0");
  v.bos = 259;
  CHECK_EQ(trm_vocab_check(&v, v.offsets[v.n], "f.h5"), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "f.h5: special token bos is 259, out of vocabulary (259)");
  trm_vocab_free(&v);
}

static const char *const lines[] = {"The quick brown fox jumps over the lazy dog.\n",
                                    "The dog sleeps; the fox does not.\n",
                                    "\n",
                                    "    four blanks, then the quick dog\n",
                                    "A fox is quicker than a dog, they say.\n",
                                    NULL};

static void check_subwords(const char *algorithm) {
  const trm_vocab_options text = {.unit = "subword", .subword = algorithm, .size = 300};
  const trm_vocab_options sentences = {
      .unit = "subword", .subword = algorithm, .size = 300, .specials = true};
  trm_vocab v = make(&text, lines), again = make(&text, lines);
  CHECK_EQ(v.unk, 0);
  CHECK_EQ(v.bos, 1);
  CHECK_EQ(v.eos, 2);
  CHECK(v.n <= 300 && v.n > 259);
  CHECK(trm_vocab_equal(&v, &again)); /* the model's bytes too */
  trm_vocab_free(&again);
  for (int i = 0; lines[i]; ++i) expect(&v, lines[i], -1, 0, lines[i]);
  expect(&v, "  two  blanks \n\n", -1, 0, "  two  blanks \n\n");
  expect(&v, "\xE2\x82\xAC \xC3\xA9\t", 7, 0, "\xE2\x82\xAC \xC3\xA9\t"); /* bytes, and a blank */
  expect(&v, "<unk><s>", -1, 0, "<unk><s>");
  trm_vocab_free(&v);
  v = make(&sentences, lines);
  expect(&v, "The  dog sleeps ", -1, 0, "The dog sleeps");
  trm_vocab_free(&v);
}

/* Lines one by one give the tokens of the text as a whole, which another program may encode. */
static void check_lines(void) {
  const trm_vocab_options options = {.unit = "subword", .size = 320};
  trm_vocab v = make(&options, lines);
  char all[512] = "";
  int32_t one_by_one[512], *tokens = NULL;
  int64_t n_one = 0, n;
  for (int i = 0; lines[i]; ++i) {
    CHECK_OK(trm_vocab_encode(&v, lines[i], (int64_t)strlen(lines[i]), &tokens, &n));
    memcpy(one_by_one + n_one, tokens, (size_t)n * sizeof *tokens);
    n_one += n;
    TRM_FREE(tokens);
    strcat(all, lines[i]);
  }
  CHECK_OK(trm_vocab_encode(&v, all, (int64_t)strlen(all), &tokens, &n));
  CHECK_EQ(n, n_one);
  if (n == n_one) CHECK_EQ(memcmp(tokens, one_by_one, (size_t)n * sizeof *tokens), 0);
  TRM_FREE(tokens);
  trm_vocab_free(&v);
}

static const char *write_vocab(const trm_vocab *v, const char *group) {
  const char *path = fixture_path(folder, "vocab.h5");
  trm_container *c = NULL;
  if (!CHECK_OK(trm_container_create(path, &c))) exit(1);
  CHECK_OK(trm_vocab_write(c, group, v));
  CHECK_OK(trm_container_close(&c));
  return path;
}

static trm_status read_vocab(const char *path, const char *group, trm_vocab *v) {
  trm_container *c = NULL;
  *v = TRM_VOCAB_NONE;
  if (!CHECK_OK(trm_container_open(path, &c))) exit(1);
  const trm_status status = trm_vocab_read(c, "v.h5", group, v);
  CHECK_OK(trm_container_close(&c));
  return status;
}

static void check_files(void) {
  static const char *const units[] = {"byte", "char", "word", "symbol", "subword"};
  static const char *const groups[] = {"/vocab", "/source/vocab"};
  for (int i = 0; i < 20; ++i) {
    const trm_vocab_options options = {
        .unit = units[i % 5], .size = i % 5 == 4 ? 300 : 0, .specials = i < 10};
    const char *group = groups[i / 5 % 2];
    trm_vocab v = make(&options, lines), back, copy;
    if (CHECK_OK(read_vocab(write_vocab(&v, group), group, &back))) {
      CHECK(trm_vocab_equal(&v, &back));
      CHECK_OK(trm_vocab_copy(&back, &copy));
      CHECK(trm_vocab_equal(&v, &copy));
      copy.unk = copy.unk == 5 ? 6 : 5;
      CHECK(!trm_vocab_equal(&v, &copy));
      trm_vocab_free(&copy);
    }
    CHECK_EQ(read_vocab(fixture_path(folder, "vocab.h5"), "/no", &copy), TRM_ERR_DATA);
    trm_vocab_free(&v);
    trm_vocab_free(&back);
  }
}

static void expect_bad(const trm_vocab *v, const char *part) {
  trm_vocab back;
  CHECK_EQ(read_vocab(write_vocab(v, "/vocab"), "/vocab", &back), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "v.h5: ");
  CHECK_HAS(trm_message(), part);
  CHECK(!back.offsets && !back.model);
}

static void check_bad_models(void) {
  const trm_vocab_options options = {.unit = "subword", .size = 300};
  trm_vocab v = make(&options, lines), bad = v;
  bad.eos = -1;
  expect_bad(&bad, "special tokens unk 0, bos 1, eos -1, in its subword model 0, 1, 2");
  bad = v;
  bad.n = 290;
  expect_bad(&bad, "the vocabulary has 290 tokens, its subword model ");
  bad = v;
  bad.model = NULL;
  bad.n_model = 0;
  expect_bad(&bad, "no array '/vocab/model'");
  bad = v;
  v.bytes[v.offsets[v.n] - 1] ^= 1;
  expect_bad(&bad, "is not that of its subword model");
  v.bytes[v.offsets[v.n] - 1] ^= 1;
  /* Cut short, and bytes of something else. */
  for (int64_t n = 0; n < v.n_model; n += 97) {
    bad.n_model = n;
    expect_bad(&bad, "v.h5");
  }
  bad.n_model = v.n_model;
  bad.unk = 300;
  expect_bad(&bad, "special token unk of /vocab is 300, out of vocabulary (");
  trm_vocab none;
  CHECK_EQ(trm_vocab_of_model("not a model", 11, "x.model", &none), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "x.model: no SentencePiece model can be made of its 11 bytes");
  trm_vocab_free(&v);
}

int main(void) {
  folder = check_temp_folder();
  check_words();
  check_specials();
  check_lacking();
  check_subwords("bpe");
  check_subwords("unigram");
  check_lines();
  check_files();
  check_bad_models();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
