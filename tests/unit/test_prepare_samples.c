/* Labelled texts and pairs: what becomes of them, and each kind of bad input with its line. */
#include "input_fixture.h"
#include "trireme/input/samples.h"
#include "trireme/input/tokenizer.h"
#include "trireme/prepare/samples.h"

static const char *folder, *out;

static const char *file(const char *name, const char *text) {
  const char *path = fixture_path(folder, name);
  fixture_file(path, text, strlen(text));
  return path;
}

static trm_prepare_samples_options words(void) {
  return (trm_prepare_samples_options){.output = out,
                                       .valid_share = 0,
                                       .test_share = -1,
                                       .seed = 1,
                                       .vocab = {.unit = "word"},
                                       .target_vocab = {.unit = "word"}};
}

/* ---- labelled --------------------------------------------------------------------------------- */

/* A call for tables: one to train on, and perhaps one to test. */
typedef struct call {
  const char *train, *test, *text, *label, *fold;
  bool real;
  trm_prepare_samples_options options;
  trm_prepare_samples_counts counts;
} call;

static trm_status labelled(call *c) {
  const trm_labelled_files files = {.tables = &c->train,
                                    .n_tables = 1,
                                    .test = &c->test,
                                    .n_test = c->test != NULL,
                                    .text = c->text,
                                    .label = c->label,
                                    .fold = c->fold,
                                    .real = c->real};
  (void)unlink(out);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  const trm_status status = trm_prepare_labelled(&files, &c->options, &c->counts);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  CHECK_EQ(access(out, F_OK) == 0, status == TRM_OK);
  return status;
}

static call table(const char *train) {
  return (call){.train = file("train.tsv", train), .text = "2", .label = "1", .options = words()};
}

static trm_samples *open_out(void) {
  trm_samples *s = NULL;
  if (!CHECK_OK(trm_samples_open(out, &s))) exit(1);
  return s;
}

static const char *class_name(const trm_samples *s, int c) {
  static char name[64];
  const int64_t begin = s->classes.names.offsets[c];
  snprintf(name, sizeof name, "%.*s", (int)(s->classes.names.offsets[c + 1] - begin),
           s->classes.names.bytes + begin);
  return name;
}

static const char *input_text(const trm_samples *s, int64_t i) {
  static char text[256];
  trm_tokenizer *t = NULL;
  char *decoded = NULL;
  int64_t bytes;
  CHECK_OK(trm_tokenizer_create(&s->input_vocab, &t));
  CHECK_OK(trm_tokenizer_decode(t, s->inputs.values + s->inputs.offsets[i],
                                s->inputs.offsets[i + 1] - s->inputs.offsets[i], &decoded, &bytes));
  snprintf(text, sizeof text, "%.*s", (int)bytes, decoded);
  TRM_FREE(decoded);
  trm_tokenizer_destroy(&t);
  return text;
}

static const char *const plain = "10\tgood film\n9\tbad film\n10\tgood good film\n9\tno film\n";

static void check_classes(void) {
  call c = table(plain);
  c.test = file("test.tsv", "9\ta new film\n");
  if (!CHECK_OK(labelled(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->n, 5);
  CHECK_EQ(s->target, TRM_TARGET_CLASS);
  CHECK_EQ(s->classes.n, 2);
  CHECK_STR(class_name(s, 0), "9"); /* as numbers, not as texts */
  CHECK_EQ(s->classes.labels[0], 1);
  CHECK_EQ(s->n_splits, 1);
  CHECK_EQ(s->splits[TRM_SUBSET_TRAIN].n, 4);
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 1);
  CHECK_STR(input_text(s, 2), "good good film");
  CHECK_STR(input_text(s, 4), "film"); /* of the part to train on are the words */
  CHECK_EQ(s->inputs.values[s->inputs.offsets[4]], s->input_vocab.unk);
  trm_samples_close(&s);
  /* The same again gives the same bytes. */
  char command[9000];
  snprintf(command, sizeof command, "cp '%s' '%s.before'", out, out);
  CHECK_EQ(system(command), 0);
  CHECK_OK(labelled(&c));
  snprintf(command, sizeof command, "cmp '%s' '%s.before'", out, out);
  CHECK_EQ(system(command), 0);
}

static void check_csv(void) {
  call c =
      table("\xEF\xBB\xBFid;text;mood\r\n1;\"two;\r\nlines\";up\r\n2;\"a \"\"b\"\"\";down\r\n");
  c.text = "text", c.label = "mood";
  if (!CHECK_OK(labelled(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->n, 2);
  CHECK_STR(input_text(s, 0), "two; lines");
  CHECK_STR(input_text(s, 1), "a \"b\"");
  CHECK_STR(class_name(s, 0), "down");
  trm_samples_close(&s);
}

static void check_real(void) {
  call c = table("1.5\tone\n-2e1\ttwo\n");
  c.real = true;
  if (!CHECK_OK(labelled(&c))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->target, TRM_TARGET_NUMBER);
  CHECK_NEAR((double)s->numbers[1], -20, 0);
  trm_samples_close(&s);
}

static trm_status by_files(const char *const *given, int n, trm_prepare_samples_options *o) {
  trm_prepare_samples_counts counts;
  const trm_labelled_files files = {.classes = given, .n_classes = n};
  return trm_prepare_labelled(&files, o, &counts);
}

static void check_class_files(void) {
  char pos[4300], neg[4300];
  const char *given[] = {pos, neg};
  trm_prepare_samples_options o = words();
  snprintf(pos, sizeof pos, "pos=%s", file("pos.txt", "fine\r\nvery \"fine\n"));
  snprintf(neg, sizeof neg, "neg=%s", file("neg.txt", "bad"));
  if (!CHECK_OK(by_files(given, 2, &o))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->n, 3);
  CHECK_STR(class_name(s, 0), "pos"); /* in the order that they are given */
  CHECK_STR(input_text(s, 1), "very \"fine");
  CHECK_EQ(s->classes.labels[2], 1);
  trm_samples_close(&s);
  snprintf(neg, sizeof neg, "neg");
  CHECK_EQ(by_files(given, 2, &o), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "--class is 'neg', expected NAME=FILE");
}

/* ---- parts ------------------------------------------------------------------------------------ */

enum { N = 100 };

/* N lines, three of four of class a; folds 1 to 3 by fours. */
static const char *many(void) {
  static char text[N * 32];
  int n = 0;
  for (int i = 0; i < N; ++i) {
    n += snprintf(text + n, sizeof text - (size_t)n, "%s\tword%d\t%d\n", i % 4 ? "a" : "b", i,
                  i / 4 % 3 + 1);
  }
  return text;
}

static int64_t count_class(const trm_samples *s, const trm_ids *ids, int class) {
  int64_t n = 0;
  for (int64_t i = 0; i < ids->n; ++i) n += s->classes.labels[ids->ids[i]] == class;
  return n;
}

static void check_shares(void) {
  uint64_t digests[3];
  for (int k = 0; k < 3; ++k) {
    call c = table(many());
    c.options.valid_share = 0.12;
    c.options.test_share = 0.2;
    c.options.seed = k == 2 ? 2 : 1;
    if (!CHECK_OK(labelled(&c))) return;
    trm_samples *s = open_out();
    CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 20);
    CHECK_EQ(s->splits[TRM_SUBSET_VALID].n, 12);
    CHECK_EQ(s->splits[TRM_SUBSET_TRAIN].n, 68);
    CHECK_EQ(count_class(s, &s->splits[TRM_SUBSET_TEST], 1), 5);
    CHECK_EQ(count_class(s, &s->splits[TRM_SUBSET_VALID], 1), 3);
    digests[k] = s->digest;
    trm_samples_close(&s);
  }
  CHECK(digests[0] == digests[1] && digests[0] != digests[2]);
  call c = table(many());
  c.options.valid_share = -1; /* a tenth unless told otherwise */
  CHECK_OK(labelled(&c));
  trm_samples *s = open_out();
  CHECK_EQ(s->splits[TRM_SUBSET_VALID].n, 11); /* 7.5 and 2.5, to the nearest */
  trm_samples_close(&s);
}

/* Every sample is tested once, classes alike in all folds. */
static void check_folds(void) {
  for (int own = 0; own < 2; ++own) {
    int tested[N] = {0};
    call c = table(many());
    c.options.valid_share = 0.1;
    if (own) {
      c.fold = "3";
    } else {
      c.options.n_folds = 4;
    }
    if (!CHECK_OK(labelled(&c))) return;
    CHECK(c.counts.vocab_of_all);
    trm_samples *s = open_out();
    CHECK_EQ(s->n_splits, own ? 3 : 4);
    for (int k = 0; k < s->n_splits; ++k) {
      const trm_ids *parts = &s->splits[k * TRM_N_SUBSETS];
      for (int64_t i = 0; i < parts[TRM_SUBSET_TEST].n; ++i)
        ++tested[parts[TRM_SUBSET_TEST].ids[i]];
      CHECK_EQ(parts[0].n + parts[1].n + parts[2].n, N);
      CHECK(parts[TRM_SUBSET_VALID].n > 0);
      if (own) continue;
      CHECK_EQ(parts[TRM_SUBSET_TEST].n, 25);
      CHECK(llabs((long long)count_class(s, &parts[TRM_SUBSET_TEST], 1) - 6) <= 1);
    }
    for (int i = 0; i < N; ++i) CHECK_EQ(tested[i], 1);
    trm_samples_close(&s);
  }
}

/* ---- lengths ---------------------------------------------------------------------------------- */

static void check_over_long(void) {
  call c = table(plain);
  c.options.longest = 2;
  CHECK_EQ(labelled(&c), TRM_ERR_DATA);
  CHECK_HAS(trm_message(),
            "train.tsv:3: the text has 3 tokens, --longest is 2; give --over cut, drop");
  c.options.over = TRM_OVER_CUT;
  CHECK_OK(labelled(&c));
  CHECK_EQ(c.counts.over_long, 1);
  trm_samples *s = open_out();
  CHECK_EQ(s->longest_input, 2);
  CHECK_STR(input_text(s, 2), "good good");
  trm_samples_close(&s);
  c.options.over = TRM_OVER_KEEP;
  CHECK_OK(labelled(&c));
  CHECK_EQ(c.counts.over_long, 1);
  s = open_out();
  CHECK_EQ(s->longest_input, 3);
  trm_samples_close(&s);
  c.options.over = TRM_OVER_DROP;
  CHECK_OK(labelled(&c));
  s = open_out();
  CHECK_EQ(s->n, 3);
  CHECK_EQ(s->splits[0].n, 3);
  CHECK_STR(input_text(s, 2), "no film");
  trm_samples_close(&s);
  /* What is left must still be enough. */
  c = table("a\tone\nb\ttwo words here\na\tx\nb\tmany more words\n");
  c.test = file("test.tsv", "b\tok\n");
  c.options.longest = 2;
  c.options.over = TRM_OVER_DROP;
  CHECK_EQ(labelled(&c), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "test.tsv:1: class 'b' is in the test part, but no sample to train on");
}

/* ---- bad tables ------------------------------------------------------------------------------- */

static void expect(call c, trm_status want, const char *part) {
  CHECK_EQ(labelled(&c), want);
  CHECK_HAS(trm_message(), part);
  CHECK(strchr(trm_message(), '\n') == NULL);
}

static void check_bad_tables(void) {
  expect(table("a\tone\nb\ttwo\tthree\n"), TRM_ERR_DATA,
         "train.tsv:2: 3 fields, the first line has 2 (parted by tabs)");
  expect(table("a\tone\nb\tt\xFFwo\n"), TRM_ERR_DATA, "train.tsv:2: invalid UTF-8 at byte 3");
  expect(table("a\tone\nb\t \n"), TRM_ERR_DATA,
         "train.tsv:2: the text is empty; correct the line, or leave such samples out by --empty "
         "drop");
  expect(table("a\tone\n\ttwo\n"), TRM_ERR_DATA, "train.tsv:2: the label is empty");
  expect(table("label\ttext\na\tone\nb\ttwo\na\tthree\nb\tfour\n"), TRM_ERR_DATA,
         "train.tsv:1: no other line has the label 'label'; if the line names the columns give "
         "--header "
         "yes, else --header no");
  expect(table(""), TRM_ERR_DATA, "train.tsv: is empty");
  call c = table("a\tone\nb\t \n");
  c.options.drop_empty = true;
  CHECK_OK(labelled(&c));
  CHECK_EQ(c.counts.empty, 1);
  c = table("label\ttext\n");
  c.options.header = "yes";
  expect(c, TRM_ERR_DATA, "train.tsv: there are no samples");
  c = table(plain);
  c.test = file("test.tsv", "9\tok\n8\todd\n");
  expect(c, TRM_ERR_DATA,
         "test.tsv:2: class '8' is in the test part, but no sample to train on has it; correct the "
         "label");
  c = table("one\t1\nx1\t2\n");
  c.text = "1", c.label = "2", c.real = true;
  CHECK_OK(labelled(&c));
  c.train = file("train.tsv", "text\tscore\none\t1\n");
  expect(c, TRM_ERR_DATA,
         "train.tsv:1: label 'score' is no finite number that a float holds; correct it, or give "
         "--header "
         "yes if the line names columns");
  c.train = file("train.tsv", "one\t1\ntwo\t1e99\n");
  expect(c, TRM_ERR_DATA, "train.tsv:2: label '1e99' is no finite number that a float holds");
  c.train = file("train.tsv", "one\t1\ntwo\tnan\n");
  expect(c, TRM_ERR_DATA, "train.tsv:2: label 'nan' is no finite number");
}

static void check_bad_options(void) {
  call c = table("label\ttext\na\tone\nb\ttwo\n");
  c.label = "mood", c.text = "text";
  expect(c, TRM_ERR_USAGE,
         "has no column 'mood' (--label); the 2 of its first line, parted by tabs: "
         "'label', 'text'");
  c = table(plain);
  c.text = "1";
  expect(c, TRM_ERR_USAGE, "--text and --label are the same column");
  c = table(plain);
  c.label = NULL;
  expect(c, TRM_ERR_USAGE, "give the columns by --text COLUMN and --label COLUMN");
  c = table(plain);
  c.options.header = "perhaps";
  expect(c, TRM_ERR_USAGE, "--header is 'perhaps', expected yes or no");
  c = table(plain);
  c.options.separator = "dots";
  expect(c, TRM_ERR_USAGE, "--separator is 'dots', expected tab, comma, semicolon, pipe");
  c = table(plain);
  c.test = file("test.tsv", "9\tok\n");
  c.options.test_share = 0.5;
  expect(c, TRM_ERR_USAGE, "samples to test come from a file or are a share, not both");
  c.options.test_share = -1;
  c.options.n_folds = 2;
  expect(c, TRM_ERR_USAGE, "with folds the parts are made of them");
  c = table(plain);
  c.options.n_folds = 5;
  expect(c, TRM_ERR_USAGE, "5 folds of 4 samples");
  c = table(plain);
  c.fold = "2", c.options.n_folds = 2;
  expect(c, TRM_ERR_USAGE, "folds are in a column (--fold) or dealt (--folds), not both");
  c = table("a\tone\t1\nb\ttwo\t1\n");
  c.fold = "3";
  expect(c, TRM_ERR_DATA, "the column of folds has one value; two at least are needed");
  c = table("a\tone\t1\nb\ttwo\t2\n");
  c.fold = "3";
  expect(c, TRM_ERR_DATA,
         "train.tsv:1: class 'a' is in the test part of split 0, but no sample to train on has it");
  c = table(plain);
  c.options.valid_share = 0.9;
  c.options.test_share = 0.1;
  expect(c, TRM_ERR_DATA, "train.tsv: no samples are left to train on");
  c = table(plain);
  c.options.vocab.unit = "sentence";
  expect(c, TRM_ERR_USAGE, "sentence");
  c = table(plain);
  c.train = fixture_path(folder, "none.tsv");
  expect(c, TRM_ERR_MISSING, "none.tsv: No such file or directory");
}

/* ---- pairs ------------------------------------------------------------------------------------ */

static trm_status parallel(const char *source, const char *target, bool shared,
                           trm_prepare_samples_options *o, trm_prepare_samples_counts *counts) {
  const trm_pair_files files = {.source = {file("a.en", source)}, .target = {file("a.de", target)}};
  (void)unlink(out);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  const trm_status status = trm_prepare_pairs(&files, shared, o, counts);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  CHECK_EQ(access(out, F_OK) == 0, status == TRM_OK);
  return status;
}

static void check_parallel(void) {
  trm_prepare_samples_options o = words();
  trm_prepare_samples_counts counts;
  for (int shared = 0; shared < 2; ++shared) {
    if (!CHECK_OK(parallel("a dog\nthe cat\r\na dog", "ein  Hund\ndie Katze\nder Hund\n", shared,
                           &o, &counts))) {
      return;
    }
    trm_samples *s = open_out();
    CHECK_EQ(s->n, 3);
    CHECK_EQ(s->shared_vocab, shared);
    CHECK_EQ(s->input_vocab.n, shared ? 12 : 7); /* with <unk>, <s>, </s> */
    CHECK_EQ(s->groups[0], 0);
    CHECK_EQ(s->groups[1], 1);
    CHECK_EQ(s->groups[2], 0);
    CHECK_EQ(s->references.n, 3); /* texts as they were, with both blanks */
    CHECK_EQ(s->references.offsets[1], 9);
    CHECK(memcmp(s->references.bytes, "ein  Hund", 9) == 0);
    CHECK_EQ(s->targets.offsets[1], 2);
    trm_samples_close(&s);
  }
  /* Characters say all, as long as all are known and nothing is cut. */
  o.vocab.unit = "char";
  CHECK_OK(parallel("ab\nc\n", "x y\nz\n", true, &o, &counts));
  trm_samples *s = open_out();
  CHECK(s->references.n == 0 && s->groups == NULL);
  trm_samples_close(&s);
  o.longest = 2, o.over = TRM_OVER_CUT;
  CHECK_OK(parallel("ab\nc\n", "x y\nz\n", true, &o, &counts));
  s = open_out();
  CHECK_EQ(s->references.n, 2);
  CHECK_EQ(s->longest_target, 2);
  trm_samples_close(&s);
}

/* All targets of a source stay in one part, whatever share is asked for. */
static void check_groups(void) {
  static char text[N * 32];
  int n = 0;
  for (int i = 0; i < N; ++i) {
    n += snprintf(text + n, sizeof text - (size_t)n, "source%d\ttarget%d\n", i / 2 % 40, i);
  }
  const char *table_path = file("pairs.tsv", text);
  const trm_pair_files files = {
      .tables = {&table_path}, .n_tables = {1}, .source_column = "1", .target_column = "2"};
  trm_prepare_samples_options o = words();
  trm_prepare_samples_counts counts;
  o.valid_share = 0.1, o.test_share = 0.25;
  if (!CHECK_OK(trm_prepare_pairs(&files, false, &o, &counts))) return;
  trm_samples *s = open_out(); /* which checks that groups are whole */
  int64_t tested = -1;
  int n_groups = 0;
  for (int64_t i = 0; i < s->splits[TRM_SUBSET_TEST].n; ++i) {
    const int32_t group = s->groups[s->splits[TRM_SUBSET_TEST].ids[i]];
    n_groups += group > tested;
    tested = group > tested ? group : tested;
  }
  CHECK_EQ(n_groups, 10); /* a quarter of 40 sources */
  CHECK_EQ(s->splits[0].n + s->splits[1].n + s->splits[2].n, N);
  trm_samples_close(&s);
}

static void check_leaks(void) {
  const trm_pair_files files = {
      .source = {file("t.en", "a\nb\nc\n"), NULL, file("x.en", "d\nb\nb\n")},
      .target = {file("t.de", "1\n2\n3\n"), NULL, file("x.de", "4\n5\n6\n")}};
  trm_prepare_samples_options o = words();
  trm_prepare_samples_counts counts;
  if (!CHECK_OK(trm_prepare_pairs(&files, true, &o, &counts))) return;
  CHECK_EQ(counts.leaked, 2);
  trm_samples *s = open_out();
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 3);
  CHECK(s->groups[1] != s->groups[4]); /* a group is in one part */
  CHECK_EQ(s->groups[4], s->groups[5]);
  trm_samples_close(&s);
}

static void expect_pairs(const char *source, const char *target, const char *part) {
  trm_prepare_samples_options o = words();
  trm_prepare_samples_counts counts;
  o.longest = 3;
  CHECK_EQ(parallel(source, target, true, &o, &counts), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), part);
  CHECK(strchr(trm_message(), '\n') == NULL);
}

static void check_bad_pairs(void) {
  expect_pairs("a\nb\nc\n", "1\n2\n",
               "a.de has 2; line i of one must be the target of line i of the other");
  expect_pairs("a\nb\n", "1\n2\n3\n4\n", "a.en has 2 lines");
  expect_pairs("a\nb\n", "1\n2\n3\n4\n", "a.de has 4;");
  expect_pairs("a\n\nc\n", "1\n2\n3\n", "a.en:2: the source is empty; correct the line");
  expect_pairs("a\nb\nc\n", "1\n2\n \n", "a.de:3: the target is empty");
  expect_pairs("a\nb\xC3\n", "1\n2\n", "a.en:2: invalid UTF-8 at byte 2 of the fields (0xC3)");
  expect_pairs("a\nb\n", "1\n\xC3(\n", "a.de:2: invalid UTF-8 at byte 1");
  expect_pairs("a\nb\n", "1\n2 3 4 5\n", "a.en:2: the target has 4 tokens, --longest is 3");
  trm_prepare_samples_options o = words();
  trm_prepare_samples_counts counts;
  trm_pair_files files = {.source = {file("a.en", "a\n")}};
  CHECK_EQ(trm_prepare_pairs(&files, true, &o, &counts), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "a.en' has no file beside it; sources and targets are two files");
  files = (trm_pair_files){0};
  CHECK_EQ(trm_prepare_pairs(&files, true, &o, &counts), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), "give what to train on");
  o.drop_empty = true;
  CHECK_OK(parallel("a\n\nc\n", "1\n2\n\n", true, &o, &counts));
  CHECK_EQ(counts.empty, 2);
}

/* The vocabulary of a data set before, of each side its own; one that cannot begin a target is refused. */
static void check_taken(void) {
  trm_prepare_samples_options o = words();
  trm_prepare_samples_counts counts;
  static char before[4300];
  snprintf(before, sizeof before, "%s/before.h5", folder);
  o.output = before;
  const trm_pair_files files = {.source = {file("t.en", "a b\n")},
                                .target = {file("t.de", "c d\n")}};
  if (!CHECK_OK(trm_prepare_pairs(&files, false, &o, &counts))) return;
  o = words();
  o.vocab = o.target_vocab = (trm_vocab_options){.vocabulary = before};
  if (!CHECK_OK(parallel("b x\n", "c\n", false, &o, &counts))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->input_vocab.n, 5);
  CHECK_EQ(s->inputs.values[0], 4); /* <unk>, <s>, </s>, a, b */
  CHECK_EQ(s->inputs.values[1], s->input_vocab.unk);
  CHECK_EQ(s->targets.values[0], 3);
  CHECK(!trm_vocab_equal(&s->input_vocab, &s->target_vocab));
  trm_samples_close(&s);
  const char *text = fixture_path(folder, "text.h5");
  fixture_plain(text, 40, 30);
  o.vocab = o.target_vocab = (trm_vocab_options){.vocabulary = text};
  CHECK_EQ(parallel("ab\n", "cd\n", true, &o, &counts), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "text.h5: its vocabulary has no tokens for the begin and the end of a");
  o.target_vocab = (trm_vocab_options){.unit = "word"};
  CHECK_EQ(parallel("ab\n", "cd\n", false, &o, &counts), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "text.h5: its vocabulary has no token for the end of a sequence, which");
}

/* Every allocation that fails is told, and nothing is lost. */
static void check_memory(void) {
  trm_prepare_samples_options o = words();
  trm_prepare_samples_counts counts;
  o.valid_share = 0.4;
  for (int n = 0;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = parallel("a b\nc\na b\nd\n", "1\n2\n3\n4\n", true, &o, &counts);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK) {
      CHECK(n > 30);
      return;
    }
    CHECK_EQ(status, TRM_ERR_MEMORY);
  }
}

/* Unit byte takes any bytes. */
static void check_bytes(void) {
  trm_prepare_samples_options o = words();
  trm_prepare_samples_counts counts;
  o.vocab.unit = "byte";
  if (!CHECK_OK(parallel("\xFF\xFE\n", "\x80\n", true, &o, &counts))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->longest_input, 2);
  CHECK_EQ(s->references.n, 0);
  trm_samples_close(&s);
}

int main(void) {
  folder = check_temp_folder();
  static char path[4300];
  snprintf(path, sizeof path, "%s/out.h5", folder);
  out = path;
  check_classes();
  check_csv();
  check_real();
  check_class_files();
  check_shares();
  check_folds();
  check_over_long();
  check_bad_tables();
  check_bad_options();
  check_parallel();
  check_groups();
  check_leaks();
  check_bad_pairs();
  check_bytes();
  check_taken();
  check_memory();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
