/* Published sets of sentences, pairs and words, when the data are there: their published sizes. */
#include "input_fixture.h"
#include "trireme/input/samples.h"
#include "trireme/prepare/samples.h"

static const char *folder, *out;

static const char *data_file(const char *name) {
  static char paths[16][4200];
  static int next;
  char *path = paths[next++ % 16];
  const char *data = getenv("TRIREME_DATA");
  if (data && data[0]) {
    snprintf(path, sizeof paths[0], "%s/%s", data, name);
  } else {
    snprintf(path, sizeof paths[0], "%s/../shared/data/%s", TRM_SOURCE_DIR, name);
  }
  return path;
}

static trm_prepare_samples_options options(const char *unit, const char *target_unit) {
  return (trm_prepare_samples_options){.output = out,
                                       .valid_share = -1,
                                       .test_share = -1,
                                       .seed = 1,
                                       .vocab = {.unit = unit},
                                       .target_vocab = {.unit = target_unit}};
}

static trm_samples *open_out(void) {
  trm_samples *s = NULL;
  if (!CHECK_OK(trm_samples_open(out, &s))) exit(1);
  return s;
}

static void check_sst2(void) {
  const char *train = data_file("sst2/train.tsv"), *dev = data_file("sst2/dev.tsv");
  const trm_labelled_files files = {
      .tables = &train, .n_tables = 1, .valid = &dev, .n_valid = 1, .text = "2", .label = "1"};
  trm_prepare_samples_options o = options("word", NULL);
  trm_prepare_samples_counts counts;
  CHECK_EQ(trm_prepare_labelled(&files, &o, &counts), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "sst2/train.tsv:1: no other line has the label 'label'");
  o.header = "yes";
  if (!CHECK_OK(trm_prepare_labelled(&files, &o, &counts))) return;
  trm_samples *s = open_out();
  CHECK_EQ(s->splits[TRM_SUBSET_TRAIN].n, 67349);
  CHECK_EQ(s->splits[TRM_SUBSET_VALID].n, 872);
  CHECK_EQ(s->classes.n, 2);
  trm_samples_close(&s);
}

static void check_mr(void) {
  const char *table = data_file("mr-polarity/folds.tsv");
  const trm_labelled_files files = {
      .tables = &table, .n_tables = 1, .text = "3", .label = "2", .fold = "1"};
  trm_prepare_samples_options o = options("word", NULL);
  trm_prepare_samples_counts counts;
  if (!CHECK_OK(trm_prepare_labelled(&files, &o, &counts))) return;
  trm_samples *s = open_out();
  int64_t tested = 0;
  CHECK_EQ(s->n, 10662);
  CHECK_EQ(s->n_splits, 10);
  for (int k = 0; k < s->n_splits; ++k) tested += s->splits[k * TRM_N_SUBSETS + TRM_SUBSET_TEST].n;
  CHECK_EQ(tested, 10662);
  trm_samples_close(&s);
}

static void check_multi30k(void) {
  trm_pair_files files = {0};
  static const char *const names[] = {"train", "val", "test_2016_flickr"};
  static const int64_t sizes[] = {29000, 1014, 1000};
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    char name[80];
    snprintf(name, sizeof name, "multi30k-en-de/%s.en", names[p]);
    files.source[p] = data_file(name);
    snprintf(name, sizeof name, "multi30k-en-de/%s.de", names[p]);
    files.target[p] = data_file(name);
  }
  trm_prepare_samples_options o = options("word", NULL);
  trm_prepare_samples_counts counts;
  if (!CHECK_OK(trm_prepare_pairs(&files, true, &o, &counts))) return;
  CHECK_EQ(counts.leaked, 1);
  trm_samples *s = open_out();
  for (int p = 0; p < TRM_N_SUBSETS; ++p) CHECK_EQ(s->splits[p].n, sizes[p]);
  CHECK_EQ(s->references.n, 31014);
  trm_samples_close(&s);
}

static void check_cmudict(void) {
  const char *train = data_file("cmudict/train.tsv"), *val = data_file("cmudict/val.tsv"),
             *test = data_file("cmudict/test.tsv");
  const trm_pair_files files = {.tables = {&train, &val, &test},
                                .n_tables = {1, 1, 1},
                                .source_column = "1",
                                .target_column = "2"};
  trm_prepare_samples_options o = options("char", "symbol");
  trm_prepare_samples_counts counts;
  if (!CHECK_OK(trm_prepare_pairs(&files, false, &o, &counts))) return;
  CHECK_EQ(counts.leaked, 0);
  trm_samples *s = open_out();
  CHECK_EQ(s->splits[TRM_SUBSET_TRAIN].n, 109699);
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 12644);
  CHECK_EQ(s->groups[s->n - 1], 117493 - 1); /* words */
  CHECK_EQ(s->input_vocab.n, 26 + 3);
  CHECK_EQ(s->target_vocab.n, 39 + 3);
  CHECK_EQ(s->references.n, 0);
  trm_samples_close(&s);
}

int main(void) {
  static const char *const needed[] = {"sst2/train.tsv", "mr-polarity/folds.tsv",
                                       "multi30k-en-de/train.en", "cmudict/train.tsv"};
  for (int i = 0; i < 4; ++i) {
    static char reason[160];
    if (access(data_file(needed[i]), R_OK) == 0) continue;
    snprintf(reason, sizeof reason, "no %s in the folder TRIREME_DATA", needed[i]);
    return check_skip(reason);
  }
  folder = check_temp_folder();
  out = fixture_path(folder, "data.h5");
  check_sst2();
  check_mr();
  check_multi30k();
  check_cmudict();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
