#include "small_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/prepare/graphs.h"
#include "trireme/prepare/images.h"
#include "trireme/prepare/samples.h"
#include "trireme/prepare/shop.h"
#include "trireme/prepare/table.h"
#include "trireme/prepare/text.h"

static const char *place;

static void must(trm_status status) {
  if (status == TRM_OK) return;
  (void)fprintf(stderr, "a small data set cannot be made: %s\n", trm_message());
  abort();
}

/* Writes a source; the path is good for seven more. */
static const char *source(const char *name, const char *text) {
  static char paths[8][4096];
  static int next;
  char *path = paths[next++ % 8];
  (void)snprintf(path, sizeof paths[0], "%s/%s", place, name);
  FILE *file = fopen(path, "wb");
  if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
    perror(path);
    abort();
  }
  return path;
}

static void make_text(const char *out) {
  const char *const files[] = {
      source("a.txt", "to be or\nnot to be\nthat is\nthe question\nto be or\nnot to be\n")};
  const trm_prepare_options o = {.output = out, .vocab = {.unit = "word"}, .valid_share = 0.4};
  trm_prepare_summary summary;
  must(trm_prepare_text(files, 1, &o, &summary));
}

static void make_labelled(const char *out) {
  const char *const files[] = {
      source("a.txt", "good one,a\nbad one,b\ngood two,a\nbad two,b\nmore,a\nless,b\n")};
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
  const trm_pair_files f = {.source = {source("a.txt", "a b\nb c\nc a\nb\n")},
                            .target = {source("b.txt", "x\ny z\nz\ny\n")}};
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
      source("a.txt", "y,x,c\n1,2.5,red\n0,,blue\n1,3,red\n0,4,red\n1,9,blue\n0,1,blue\n")};
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
  const trm_prepare_graph_options o = {.output = out,
                                       .edges = source("a", "0\t1\n1\t2\n2\t3\n3\t4\n"),
                                       .features = source("b", "0\t0\t1\n1\t2\t2\n4\t1\t1\n"),
                                       .labels = source("c", "0\t0\n1\t1\n2\t0\n3\t1\n4\t0\n"),
                                       .train = source("d", "0\n1\n"),
                                       .valid = source("e", "2\n"),
                                       .test = source("f", "3\n4\n")};
  trm_graph_counts counts;
  must(trm_prepare_graph(&o, &counts));
}

static void make_graphs(const char *out) {
  const trm_prepare_graph_options o = {
      .output = out,
      .edges = source("a", "0\t1\n2\t3\n4\t5\n6\t7\n"),
      .nodes = source("b", "0\t0\t0\n1\t0\t1\n2\t1\t0\n3\t1\t1\n4\t2\t0\n5\t2\t0\n6\t3\t1\n"
                           "7\t3\t1\n"),
      .labels = source("c", "0\t0\n1\t1\n2\t0\n3\t1\n"),
      .folds = source("d", "0\t0\n1\t1\n2\t1\n3\t0\n")};
  trm_graph_counts counts;
  must(trm_prepare_graph_set(&o, &counts));
}

static void make_interactions(const char *out) {
  trm_graph_counts counts;
  const trm_prepare_interactions_options o = {.output = out,
                                              .train = source("a", "0 1 2\n1 0 2\n2 1\n"),
                                              .test = source("b", "0 0\n1 1\n")};
  must(trm_prepare_interactions(&o, &counts));
}

static void make_images(const char *out) {
  const char *const files[] = {source("a.csv", "a,0,9\na,1,8\nb,2,7\nb,3,6\n")};
  const trm_image_files f = {.pixels = {files}, .n_pixels = {1}};
  const trm_prepare_images_options o = {.output = out,
                                        .height = 1,
                                        .width = 2,
                                        .channels = 1,
                                        .most_pixels = 9,
                                        .valid_share = 0.5,
                                        .test_share = -1};
  trm_prepare_images_counts counts;
  must(trm_prepare_images(&f, &o, &counts));
}

static void make_shop(const char *out) {
  const trm_prepare_shop_options o = {
      .output = out,
      .purchases = source("a", "customer\tproduct\ttime\nx\tp\t0\ny\tq\t1\nx\tq\t2\n"
                               "y\tp\t3\nz\tp\t4\n"),
      .products = source("b", "product\tdescription\tprice\np\tred cup\t2\nq\tred hat\t3\n"),
      .customer = "customer",
      .product = "product",
      .time = "time",
      .text = "description",
      .product_fields = "price",
      .time_unit = "day",
      .valid_days = 1,
      .test_days = 1,
      .min_count = 1};
  trm_shop_counts counts;
  must(trm_prepare_shop(&o, &counts));
}

static const struct {
  const char *name;
  void (*make)(const char *out);
} sets[N_SMALL_SETS] = {
    [SMALL_TEXT] = {"text", make_text},
    [SMALL_LABELLED] = {"labelled", make_labelled},
    [SMALL_PAIRS] = {"pairs", make_pairs},
    [SMALL_TABLE] = {"table", make_table},
    [SMALL_GRAPH] = {"graph", make_graph},
    [SMALL_GRAPHS] = {"graphs", make_graphs},
    [SMALL_INTERACTIONS] = {"interactions", make_interactions},
    [SMALL_IMAGES] = {"images", make_images},
    [SMALL_SHOP] = {"shop", make_shop},
};

const char *small_set_name(small_set which) {
  return sets[which].name;
}

void small_set_make(small_set which, const char *folder, const char *path) {
  place = folder;
  sets[which].make(path);
}
