/* prepare text and synthetic: contents, both units, pieces, messages, nothing left on failure. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../src/prepare/text/charset.h"
#include "../../src/prepare/text/token_output.h"
#include "input_fixture.h"
#include "trireme/input/permute.h"
#include "trireme/input/tokenizer.h"
#include "trireme/prepare/text.h"

static const char *folder;

/* Entries of the folder whose name has `part`. */
static int count_entries(const char *part) {
  int n = 0;
  DIR *dir = opendir(folder);
  if (!dir) exit(1);
  for (struct dirent *entry; (entry = readdir(dir));) n += strstr(entry->d_name, part) != NULL;
  closedir(dir);
  return n;
}

typedef struct watch {
  double last;
  int calls;
} watch;

static void progress(void *context, double share, const char *what) {
  watch *w = context;
  CHECK(share >= w->last && share <= 1);
  CHECK(what && what[0]);
  w->last = share;
  ++w->calls;
}

static trm_status prepare(const char *const *files, int n, const char *unit, double share,
                          const char *output, trm_prepare_summary *summary) {
  watch w = {0};
  const trm_prepare_options o = {.output = output,
                                 .vocab.unit = unit,
                                 .valid_share = share,
                                 .progress = progress,
                                 .context = &w};
  const trm_status status = trm_prepare_text(files, n, &o, summary);
  if (status == TRM_OK) {
    CHECK(w.calls > 0);
    CHECK_NEAR(w.last, 1, 0);
  }
  return status;
}

/* Opens, reads all of a split as text, compares. */
static void check_text(const char *path, trm_subset subset, const char *want, int64_t n_want) {
  trm_dataset *d = NULL;
  if (!CHECK_OK(trm_dataset_open(path, &d))) return;
  const int64_t n = trm_dataset_tokens(d, subset);
  int32_t *in = malloc((size_t)n * sizeof *in), *target = malloc((size_t)n * sizeof *target);
  char *text = malloc((size_t)n * 4 + 1);
  if (!in || !target || !text) exit(1);
  CHECK_OK(trm_dataset_eval_read(d, subset, n, 0, 1, in, target));
  in[n - 1] = n > 1 ? target[n - 2] : in[0];
  int64_t used = 0;
  for (int64_t i = 0; i < n; ++i) {
    int bytes;
    const char *token = trm_dataset_token_text(d, in[i], &bytes);
    memcpy(text + used, token, (size_t)bytes);
    used += bytes;
  }
  CHECK_EQ(used, n_want);
  if (used == n_want) CHECK_EQ(memcmp(text, want, (size_t)used), 0);
  free(in);
  free(target);
  free(text);
  trm_dataset_close(&d);
}

static void check_small(void) {
  const char *a = fixture_path(folder, "a.txt"), *b = fixture_path(folder, "b.txt");
  const char *out = fixture_path(folder, "out.h5");
  fixture_file(a, "h\xC3\xA9llo w", 8);
  fixture_file(b, "orld\n\xE2\x82\xAC!", 9);
  const char *files[] = {a, b};
  trm_prepare_summary s;
  /* 14 characters, int(0.7 * 14) = 9 of them to train on. */
  CHECK_OK(prepare(files, 2, "char", 0.3, out, &s));
  CHECK_EQ(s.n_files, 2);
  CHECK_EQ(s.n_bytes, 17);
  CHECK_EQ(s.n_tokens, 14);
  CHECK_EQ(s.n_train, 9);
  CHECK_EQ(s.n_valid, 5);
  CHECK_EQ(s.vocab, 11); /* \n space ! d h l o r w e' euro */
  check_text(out, TRM_SUBSET_TRAIN, "h\xC3\xA9llo wor", 10);
  check_text(out, TRM_SUBSET_VALID, "ld\n\xE2\x82\xAC!", 7);
  CHECK_OK(prepare(files, 2, "byte", 0.3, out, &s));
  CHECK_EQ(s.n_tokens, 17);
  CHECK_EQ(s.n_train, 11);
  CHECK_EQ(s.vocab, 256);
  check_text(out, TRM_SUBSET_TRAIN, "h\xC3\xA9llo worl", 11);
  /* Unit byte takes what is no UTF-8. */
  fixture_file(a, "\xFF\x00\x80zz", 5);
  CHECK_OK(prepare(files, 1, "byte", 0.5, out, &s));
  check_text(out, TRM_SUBSET_VALID, "\x80zz", 3);
  /* The order of the files is the order given; a file may be empty if not all are. */
  fixture_file(a, "", 0);
  CHECK_OK(prepare((const char *[]){b, a, b}, 3, "char", 0.5, out, &s));
  check_text(out, TRM_SUBSET_VALID, "orld\n\xE2\x82\xAC!", 9);
  CHECK_EQ(count_entries(".tmp"), 0);
}

/* Several megabytes, so that pieces of reading and of writing end inside characters. */
static void check_pieces(void) {
  const char *path = fixture_path(folder, "long.txt"), *out = fixture_path(folder, "long.h5");
  const int64_t repeats = 700001;
  static const char unit[] = "a\xE2\x82\xAC\xF0\x9F\x98\x80\xC3\xA9"; /* 10 bytes, 4 characters */
  char *text = malloc((size_t)repeats * 10 + 1);
  if (!text) exit(1);
  text[0] = 'z'; /* shifts every boundary by one */
  for (int64_t i = 0; i < repeats; ++i) memcpy(text + 1 + 10 * i, unit, 10);
  const int64_t n = 10 * repeats + 1;
  fixture_file(path, text, (size_t)n);
  const char *files[] = {path};
  trm_prepare_summary s;
  CHECK_OK(prepare(files, 1, "char", 0.5, out, &s));
  CHECK_EQ(s.n_tokens, 4 * repeats + 1);
  CHECK_EQ(s.vocab, 5);
  /* Train has half of the characters: z and 4-character groups; byte length of the first half. */
  const int64_t half = (4 * repeats + 1) / 2; /* z + 2 (repeats) - ... */
  const int64_t groups = (half - 1) / 4, rest = (half - 1) % 4;
  const int64_t bytes = 1 + groups * 10 + (const int64_t[]){0, 1, 4, 8}[rest];
  check_text(out, TRM_SUBSET_TRAIN, text, bytes);
  check_text(out, TRM_SUBSET_VALID, text + bytes, n - bytes);
  /* A bad byte far inside is named at its offset. */
  text[5000001] = '\xFF';
  fixture_file(path, text, (size_t)n);
  CHECK_EQ(prepare(files, 1, "char", 0.5, out, &s), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "long.txt: invalid UTF-8 at byte 5000001 (0xFF)");
  CHECK_HAS(trm_message(), "unit byte");
  check_text(out, TRM_SUBSET_TRAIN, text, bytes); /* the output from before is untouched */
  free(text);
  CHECK_EQ(count_entries(".tmp"), 0);
}

static void expect(const char *const *files, int n, const char *unit, double share,
                   const char *output, trm_status want, const char *part) {
  trm_prepare_summary s;
  CHECK_EQ(prepare(files, n, unit, share, output, &s), want);
  CHECK_HAS(trm_message(), part);
}

static void check_bad(void) {
  const char *in = fixture_path(folder, "in.txt"), *out = fixture_path(folder, "new.h5");
  const char *files[] = {in, fixture_path(folder, "none.txt")};
  fixture_file(in, "some words here\n", 16);
  expect(NULL, 0, "char", 0.1, out, TRM_ERR_USAGE, "no text files were given");
  expect(files, 2, "char", 0.1, out, TRM_ERR_MISSING, "none.txt: No such file");
  expect(&folder, 1, "char", 0.1, out, TRM_ERR_IO, "is a folder");
  expect((const char *[]){"/dev/null"}, 1, "char", 0.1, out, TRM_ERR_IO, "not a regular file");
  expect(files, 1, "line", 0.1, out, TRM_ERR_USAGE, "unit 'line', expected byte, char");
  expect(files, 1, "char", 0, out, TRM_ERR_USAGE, "validation share 0,");
  expect(files, 1, "char", 1, out, TRM_ERR_USAGE, "validation share 1,");
  expect(files, 1, "char", (double)NAN, out, TRM_ERR_USAGE, "validation share");
  expect(files, 1, "char", 0.1, "", TRM_ERR_USAGE, "no output");
  expect(files, 1, "char", 0.1, in, TRM_ERR_USAGE, "is both input and output");
  expect(files, 1, "char", 0.1, folder, TRM_ERR_USAGE, "is a folder, the output must be a file");
  expect(files, 1, "char", 0.1, fixture_path(folder, "no/such.h5"), TRM_ERR_MISSING,
         "make the folder first");
  expect(files, 1, "char", 0.1, fixture_path(folder, "in.txt/x.h5"), TRM_ERR_IO, "cannot be");
  if (geteuid() != 0) {
    CHECK_EQ(chmod(in, 0), 0);
    expect(files, 1, "char", 0.1, out, TRM_ERR_IO, "cannot be read");
    CHECK_EQ(chmod(in, 0600), 0);
  }
  fixture_file(in, "", 0);
  expect(files, 1, "char", 0.1, out, TRM_ERR_DATA, "the text is empty");
  expect((const char *[]){in, in}, 2, "byte", 0.1, out, TRM_ERR_DATA, "the text is empty (2 files");
  fixture_file(in, "ab", 2);
  expect(files, 1, "char", 0.1, out, TRM_ERR_DATA, "2 tokens cannot be split");
  fixture_file(in, "abcd\xE2\x82", 6);
  expect(files, 1, "char", 0.5, out, TRM_ERR_DATA,
         "invalid UTF-8 at byte 4 (0xE2, the file ends inside a character)");
  fixture_file(in, "abcd\xED\xA0\x80", 7);
  expect(files, 1, "char", 0.5, out, TRM_ERR_DATA, "invalid UTF-8 at byte 4 (0xED)");
  CHECK_EQ(count_entries("new.h5"), 0);
}

/* Every allocation fails once: the right code, nothing leaked, nothing left in the folder. */
static void check_allocations(void) {
  const char *in = fixture_path(folder, "in.txt"), *out = fixture_path(folder, "alloc.h5");
  fixture_file(in, "some words here\n", 16);
  const trm_prepare_options o = {.output = out, .vocab.unit = "char", .valid_share = 0.25};
  trm_prepare_summary s;
  const int64_t live = trm_alloc_counts_get().live_blocks;
  int64_t n = 0;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = trm_prepare_text(&in, 1, &o, &s);
    trm_alloc_fail_after(-1);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK || n > 100) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK_EQ(count_entries("alloc.h5"), 0);
  }
  CHECK(n > 5 && n <= 100);
}

/* An output given up half-way leaves nothing; more or fewer tokens than announced are refused. */
static void check_output(void) {
  const char *out = fixture_path(folder, "half.h5");
  static const int32_t tokens[10] = {0};
  trm_vocab vocab;
  CHECK_OK(trm_vocab_make(NULL, &vocab));
  for (int tried = 0; tried < 3; ++tried) {
    trm_token_output output = {0};
    CHECK_OK(trm_token_output_begin(&output, out, &vocab, 10, "test"));
    CHECK_EQ(count_entries("half.h5."), 1);
    CHECK_OK(trm_token_output_put(&output, tokens, 7));
    if (tried == 1) CHECK_EQ(trm_token_output_put(&output, tokens, 4), TRM_ERR_DATA);
    if (tried == 2) CHECK_EQ(trm_token_output_finish(&output, 5), TRM_ERR_DATA);
    if (tried > 0) CHECK_HAS(trm_message(), "half.h5: the input changed while it was read");
    trm_token_output_abandon(&output);
    CHECK_EQ(count_entries("half.h5"), 0);
    if (tried > 0) CHECK_HAS(trm_message(), "half.h5: the input changed while it was read");
  }
  trm_vocab_free(&vocab);
}

static trm_status prepare_units(const char *file, const trm_vocab_options *vocab, const char *valid,
                                const char *output, trm_prepare_summary *summary) {
  const trm_prepare_options o = {.output = output,
                                 .vocab = *vocab,
                                 .valid_share = 0.3,
                                 .valid_files = &valid,
                                 .n_valid_files = valid != NULL};
  return trm_prepare_text(&file, 1, &o, summary);
}

/* All tokens of a split by trm_tokenizer_decode, and how many. */
static void expect_decoded(const char *path, trm_subset subset, int64_t want_n, const char *want) {
  trm_dataset *d = NULL;
  trm_tokenizer *t = NULL;
  int32_t in[512], target[512];
  int64_t bytes = 0;
  char *text = NULL;
  if (!CHECK_OK(trm_dataset_open(path, &d))) return;
  const int64_t n = trm_dataset_tokens(d, subset);
  CHECK(n > 1 && n < 512);
  if (want_n > 0) CHECK_EQ(n, want_n);
  CHECK_OK(trm_dataset_eval_read(d, subset, n, 0, 1, in, target));
  in[n - 1] = target[n - 2];
  CHECK_OK(trm_tokenizer_create(trm_dataset_vocabulary(d), &t));
  CHECK_OK(trm_tokenizer_decode(t, in, n, &text, &bytes));
  if (text) CHECK_STR(text, want);
  TRM_FREE(text);
  trm_tokenizer_destroy(&t);
  trm_dataset_close(&d);
}

/* Words are learned from what is trained on; a share of lines, or a file, is for validation. */
static void check_words(void) {
  const char *in = fixture_path(folder, "in.txt"), *valid = fixture_path(folder, "valid.txt");
  const char *out = fixture_path(folder, "words.h5");
  const trm_vocab_options words = {.unit = "word"}, often = {.unit = "word", .min_count = 2};
  trm_prepare_summary s;
  trm_dataset *d = NULL;
  fixture_file(in, "a b  c\n\nb d\na b\nc z\n", 20); /* 70 % of 20 bytes end in "a b\n" */
  CHECK_OK(prepare_units(in, &words, NULL, out, &s));
  CHECK_EQ(s.n_train, 7);
  CHECK_EQ(s.n_valid, 2);
  CHECK_EQ(s.vocab, 7);
  CHECK_EQ(s.unknown[0], 0);
  CHECK_EQ(s.unknown[1], 1); /* z */
  expect_decoded(out, TRM_SUBSET_TRAIN, 7, "a b c b d a b");
  expect_decoded(out, TRM_SUBSET_VALID, 2, "c");
  if (CHECK_OK(trm_dataset_open(out, &d))) {
    CHECK_EQ(trm_dataset_characters(d, TRM_SUBSET_TRAIN), 16);
    CHECK_EQ(trm_dataset_characters(d, TRM_SUBSET_VALID), 4);
    trm_dataset_close(&d);
  }
  fixture_file(valid, "d d\xC3\xA9 e", 7);
  CHECK_OK(prepare_units(in, &words, valid, out, &s));
  CHECK_EQ(s.n_train, 9);
  CHECK_EQ(s.n_valid, 3);
  CHECK_EQ(s.unknown[1], 2);
  CHECK_EQ(s.n_files, 2);
  expect_decoded(out, TRM_SUBSET_VALID, 3, "d");
  CHECK_OK(prepare_units(in, &often, valid, out, &s));
  CHECK_EQ(s.vocab, 6); /* a b c */
  CHECK_EQ(s.unknown[0], 2);
  CHECK_EQ(prepare_units(fixture_path(folder, "valid.txt"), &words, NULL, out, &s), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "3 tokens for training and 0 for validation: each must have 2");
  CHECK_HAS(trm_message(), "(--valid)");
  CHECK_EQ(prepare_units(in, &words, in, in, &s), TRM_ERR_USAGE);
}

/* Characters of a validation file are in the vocabulary too; those of another data set are not. */
static void check_taken(void) {
  const char *in = fixture_path(folder, "in.txt"), *valid = fixture_path(folder, "valid.txt");
  const char *out = fixture_path(folder, "chars.h5"), *more = fixture_path(folder, "more.h5");
  trm_prepare_summary s;
  fixture_file(in, "abcab", 5);
  fixture_file(valid, "abd", 3);
  CHECK_OK(prepare_units(in, &(trm_vocab_options){.unit = "char"}, valid, out, &s));
  CHECK_EQ(s.vocab, 4);
  expect_decoded(out, TRM_SUBSET_TRAIN, 5, "abcab");
  expect_decoded(out, TRM_SUBSET_VALID, 3, "abd");
  fixture_file(in, "ddcc", 4);
  CHECK_OK(prepare_units(in, &(trm_vocab_options){.vocabulary = out}, NULL, more, &s));
  CHECK_EQ(s.vocab, 4);
  expect_decoded(more, TRM_SUBSET_TRAIN, 2, "dd");
  fixture_file(in, "abxd", 4);
  CHECK_EQ(prepare_units(in, &(trm_vocab_options){.vocabulary = out}, NULL, more, &s),
           TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "in.txt, from byte 2 on: 1 character ('x' (U+0078)) is not among the 4");
  CHECK_OK(
      prepare_units(in, &(trm_vocab_options){.unit = "char", .min_count = 2}, valid, more, &s));
  CHECK_EQ(s.vocab, 6); /* a, b and d come twice in both */
  expect_decoded(more, TRM_SUBSET_TRAIN, 4, "abd");
}

/* The text comes back as it was; long lines are cut at white space, and never inside a character. */
static void check_subwords(void) {
  const char *in = fixture_path(folder, "in.txt"), *out = fixture_path(folder, "pieces.h5");
  const trm_vocab_options bpe = {.unit = "subword", .size = 290};
  trm_prepare_summary s;
  static const char text[] = "\tone  line\nand another one\n\none more \xC3\xA9\n";
  fixture_file(in, text, sizeof text - 1);
  CHECK_OK(prepare_units(in, &bpe, in, out, &s));
  expect_decoded(out, TRM_SUBSET_TRAIN, 0, text);
  expect_decoded(out, TRM_SUBSET_VALID, 0, text);
  CHECK_EQ(s.unknown[0] + s.unknown[1], 0);

  enum { N = 3000000 };
  char *line = malloc(N);
  if (!line) exit(1);
  for (int i = 0; i < N; ++i) line[i] = i % 50 < 40 || i > 200000 ? "\xC3\xA9"[i % 2] : ' ';
  fixture_file(in, line, N);
  CHECK_OK(prepare_units(in, &(trm_vocab_options){.unit = "word"}, in, out, &s));
  CHECK_EQ(s.n_train, s.n_valid);
  CHECK(s.n_train >= 4000 + 2800000 / 65536 && s.n_train < 4000 + 2 * 2800000 / 65536);
  CHECK_EQ(s.unknown[0], 0);
  free(line);
}

static void check_synthetic(void) {
  const char *out = fixture_path(folder, "synthetic.h5"), *again = fixture_path(folder, "two.h5");
  enum { N = 50000 };
  static const int64_t vocabs[] = {2, 65, 1000, 65535};
  for (int v = 0; v < 4; ++v) {
    const int64_t V = vocabs[v];
    trm_dataset *d = NULL, *e = NULL;
    CHECK_OK(trm_prepare_synthetic(N, V, 5, out));
    CHECK_OK(trm_prepare_synthetic(N, V, 5, again));
    if (!CHECK_OK(trm_dataset_open(out, &d)) || !CHECK_OK(trm_dataset_open(again, &e))) return;
    CHECK(trm_dataset_digest(d) == trm_dataset_digest(e));
    CHECK_EQ(trm_dataset_vocab(d), V);
    CHECK_EQ(trm_dataset_tokens(d, TRM_SUBSET_TRAIN), N - N / 10);
    /* Three quarters and the chance hits follow their successor. */
    static int32_t in[N], target[N], next[65535];
    CHECK_OK(trm_dataset_eval_read(d, TRM_SUBSET_TRAIN, 1, 0, 40000, in, target));
    int64_t followed = 0;
    for (int64_t i = 0; i < V; ++i) next[i] = (int32_t)trm_permute(5, V, i);
    for (int64_t i = 0; i < 40000; ++i) followed += target[i] == next[in[i]];
    CHECK_NEAR((double)followed / 40000, 0.75 + 0.25 / (double)V, 0.02);
    trm_dataset_close(&d);
    trm_dataset_close(&e);
  }
  CHECK_NEAR(trm_synthetic_entropy(2), -0.875 * log(0.875) - 0.125 * log(0.125), 1e-12);
  CHECK_EQ(trm_prepare_synthetic(N, 1, 5, out), TRM_ERR_USAGE);
  CHECK_EQ(trm_prepare_synthetic(N, 65536, 5, out), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "synthetic vocabulary of 65536, expected 2 to 65535");
  CHECK_EQ(trm_prepare_synthetic(3, 5, 5, out), TRM_ERR_DATA);
}

int main(void) {
  folder = check_temp_folder();
  check_small();
  check_pieces();
  check_bad();
  check_allocations();
  check_output();
  check_words();
  check_taken();
  check_subwords();
  check_synthetic();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
