/* Tables and texts that samples are made of: labelled, pairs, tables with columns, pixels, plain text.
 *
 * The first four bytes choose way, options, share and form; files follow, cut by lines "%%". */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "trireme/prepare/images.h"
#include "trireme/prepare/samples.h"
#include "trireme/prepare/table.h"
#include "trireme/prepare/text.h"

enum { N_FILES = 3 };

static const char *const separators[] = {NULL, "tab", "comma", "semicolon"};
static const char *const headers[] = {NULL, "yes", "no"};
static const char *const units[] = {NULL, "byte", "char", "word", "symbol"};
static const char *const rules[] = {NULL, "token", "skip", "refuse", "nonsense"};
static const char *files[N_FILES];

typedef struct choice {
  uint32_t way, flags, share, form;
} choice;

static trm_prepare_samples_options sample_options(const choice *c) {
  return (trm_prepare_samples_options){
      .output = fuzz_path("out.h5"),
      .separator = separators[c->form % 4],
      .header = headers[c->form / 4 % 3],
      .valid_share = c->flags & 1 ? -1 : (double)(c->share % 16) / 16,
      .test_share = -1,
      .n_folds = c->flags & 2 ? c->share % 8 : 0,
      .seed = 1,
      .vocab = {.unit = units[c->form / 12 % 5],
                .min_count = c->share % 3,
                .unknown = rules[c->form / 60]},
      .target_vocab = {.unit = c->flags & 64 ? NULL : units[c->form / 12 % 5]},
      .longest = c->flags & 4 ? 1 + c->share % 20 : 0,
      .over = (trm_over_long)(c->share % TRM_N_OVER_LONG),
      .drop_empty = (c->flags & 8) != 0,
  };
}

static void labelled(const choice *c) {
  trm_prepare_samples_counts counts;
  const trm_prepare_samples_options o = sample_options(c);
  const bool unlabelled = c->way & 64;
  const trm_labelled_files f = {
      .tables = files,
      .n_tables = 1,
      .valid = files + 1,
      .n_valid = c->flags & 16 ? 1 : 0,
      .test = files + 2,
      .n_test = c->flags & 32 ? 1 : 0,
      .text = c->flags & 64 ? "text" : "1",
      .label = unlabelled      ? NULL
               : c->flags & 64 ? "label"
                               : "2",
      .fold = c->way & 16 ? "3" : NULL,
      .real = (c->flags & 128) != 0,
      .no_label = c->way & 32 ? "none" : NULL,
      .unlabelled = unlabelled,
  };
  (void)trm_prepare_labelled(&f, &o, &counts);
}

/* A file for each class. */
static void classes(const choice *c) {
  char names[2][300];
  const char *const given[] = {names[0], names[1]};
  trm_prepare_samples_counts counts;
  const trm_prepare_samples_options o = sample_options(c);
  for (int i = 0; i < 2; ++i) (void)snprintf(names[i], sizeof names[i], "%c=%s", 'x' + i, files[i]);
  const trm_labelled_files f = {.classes = given, .n_classes = 2};
  (void)trm_prepare_labelled(&f, &o, &counts);
}

static void pairs(const choice *c) {
  trm_prepare_samples_counts counts;
  const trm_prepare_samples_options o = sample_options(c);
  trm_pair_files f = {.source_column = "1", .target_column = "2"};
  if (c->flags & 16) {
    f.source[0] = files[0];
    f.target[0] = files[1];
  } else {
    for (int i = 0; i < N_FILES; ++i) {
      f.tables[i] = files + i;
      f.n_tables[i] = i == 0 || c->flags >> (5 + i) & 1 ? 1 : 0;
    }
  }
  (void)trm_prepare_pairs(&f, (c->flags & 32) != 0, &o, &counts);
}

static void table(const choice *c) {
  static const char *const kinds[] = {"1=category", "2=skip", "3=number"}, *const missing[] = {"-"};
  trm_table_report report = {0};
  const trm_prepare_table_options o = {
      .output = fuzz_path("out.h5"),
      .tables = {files, files + 1, files + 2},
      .n_tables = {1, c->flags & 1 ? 1 : 0, c->flags & 2 ? 1 : 0},
      .target = c->flags & 4 ? "1,2" : "1",
      .unlabelled = c->way >= 240,
      .target_kind = c->flags & 8 ? "number" : NULL,
      .labels_separator = c->flags & 16 ? ";" : NULL,
      .kinds = kinds,
      .n_kinds = (int)(c->share % 4),
      .missing = missing,
      .n_missing = 1,
      .group = c->flags & 32 ? "3" : NULL,
      .fold = c->flags & 64 ? "4" : NULL,
      .drop_missing_target = (c->flags & 128) != 0,
      .most_levels = 20,
      .separator = separators[c->form % 4],
      .header = headers[c->form / 4 % 3],
      .valid_share = -1,
      .test_share = (double)(c->share % 16) / 32,
      .seed = 1,
  };
  (void)trm_prepare_table(&o, &report);
  trm_table_report_free(&report);
}

static void pixels(const choice *c) {
  trm_prepare_images_counts counts;
  const trm_prepare_images_options o = {
      .output = fuzz_path("out.h5"),
      .separator = separators[c->form % 4],
      .header = headers[c->form / 4 % 3],
      .height = 2,
      .width = 1 + c->flags % 2,
      .channels = c->flags & 2 ? 3 : 1,
      .scale = c->flags & 4 ? 16 : 0,
      .valid_share = c->flags & 8 ? 0.25 : -1,
      .test_share = -1,
      .seed = 1,
      .most_pixels = 1000,
      .unlabelled = (c->flags & 16) != 0,
  };
  const trm_image_files f = {.pixels = {files, files + 1}, .n_pixels = {1, c->flags & 32 ? 1 : 0}};
  (void)trm_prepare_images(&f, &o, &counts);
}

static void text(const choice *c) {
  trm_prepare_summary summary;
  const trm_prepare_options o = {
      .output = fuzz_path("out.h5"),
      .vocab = {.unit = units[1 + c->form % 4], .min_count = c->share % 3},
      .valid_share = (1 + (double)(c->share % 16)) / 32,
      .valid_files = files + 2,
      .n_valid_files = c->flags & 1 ? 1 : 0,
  };
  (void)trm_prepare_text(files, 1 + (int)(c->flags >> 1 & 1), &o, &summary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const ways[])(const choice *) = {labelled, pairs, table, pixels, text};
  static const char *const names[N_FILES] = {"a.txt", "b.txt", "c.txt"};
  fuzz_input in = {data, size}, parts[N_FILES];
  const choice c = {fuzz_take(&in, 1), fuzz_take(&in, 1), fuzz_take(&in, 1), fuzz_take(&in, 1)};
  const int64_t blocks = fuzz_blocks();
  (void)fuzz_take_texts(&in, parts, N_FILES);
  for (int i = 0; i < N_FILES; ++i) files[i] = fuzz_file(names[i], parts[i]);
  (c.way == 255 ? classes : ways[c.way % 5])(&c);
  fuzz_expect_blocks(blocks);
  return 0;
}
