/** `trireme prepare images`: images with a class each. */
#include "trireme/prepare/images.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples.h"

enum { MOST_FILES = 1024, MOST_SIDE = 16384 };

/* ---- values of options ------------------------------------------------------------------------ */

/* "HxW", or "HxWxC" where most_numbers is 3, which makes C 1 when it is left out. */
static trm_status cut_size(const app_prepare_call *call, const char *option, const char *text,
                           int most_numbers, int64_t *numbers[]) {
  const char *at = text;
  int n = 0;
  bool good = true;
  if (!text) return TRM_OK;
  while (good && n < most_numbers) {
    char *end;
    good = *at >= '0' && *at <= '9';
    const long long number = good ? strtoll(at, &end, 10) : 0;
    good = good && number >= 1 && number <= MOST_SIDE;
    if (!good) break;
    *numbers[n++] = number;
    at = end;
    if (*at != 'x') break;
    ++at;
  }
  good = good && n >= 2 && *at == 0 && at[-1] != 'x';
  if (good && n == 2 && most_numbers == 3) *numbers[2] = 1;
  if (good && (most_numbers < 3 || *numbers[2] == 1 || *numbers[2] == 3)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: %s is '%s', expected %s, sides from 1 to %d%s", call->name,
                  option, text, most_numbers == 3 ? "HxW or HxWxC" : "HxW", MOST_SIDE,
                  most_numbers == 3 ? " and 1 or 3 channels" : "");
}

/* One of two words; 0 when it is not given, else 1 or 2. */
static trm_status choose(const app_prepare_call *call, const char *option, const char *text,
                         const char *first, const char *second, int *choice) {
  *choice = !text ? 0 : strcmp(text, first) == 0 ? 1 : strcmp(text, second) == 0 ? 2 : -1;
  if (*choice >= 0) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE, "%s: %s is '%s', expected %s or %s", call->name, option, text,
                  first, second);
}

/* What --valid or --test names: tables with --pixels, else one folder. */
static trm_status take_part(const app_prepare_call *call, const char *option, const app_list *given,
                            trm_subset part, trm_image_files *files) {
  if (given->n == 0) return TRM_OK;
  if (files->n_pixels[TRM_SUBSET_TRAIN] > 0) {
    files->pixels[part] = given->items;
    files->n_pixels[part] = given->n;
    return TRM_OK;
  }
  if (files->folder && given->n == 1) {
    files->part_folders[part] = given->items[0];
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_USAGE,
                  "%s: %s is of tables of pixels, or one folder beside a folder of classes",
                  call->name, option);
}

/* ---- summary ---------------------------------------------------------------------------------- */

static void tell_count(const app_prepare_call *call, int64_t n, const char *what) {
  char count[32];
  if (n == 0) return;
  trm_format_count(n, count);
  trm_log_line(call->log, "%s: %s: %s", call->output, what, count);
}

static trm_status tell(const app_prepare_call *call, const trm_prepare_images_counts *counts) {
  const trm_prepare_samples_options none = {0};
  const trm_prepare_samples_counts no_counts = {0};
  TRM_TRY(app_tell_samples(call, &none, &no_counts));
  tell_count(call, counts->other, "left out: files that are no images");
  tell_count(call, counts->no_label, "left out: images without a label");
  tell_count(call, counts->alpha, "note: images whose transparent pixels became opaque");
  tell_count(call, counts->recoloured, "images made grey or coloured");
  tell_count(call, counts->resized, "images made larger or smaller");
  return TRM_OK;
}

/* ---- the way ---------------------------------------------------------------------------------- */

/* Options as they are given. */
typedef struct given {
  const char *size, *resize, *colour, *alpha;
  app_list pixels, valid, test;
  int64_t seed;
} given;

static trm_status complete(const app_prepare_call *call, const given *g, const app_list *words,
                           trm_image_files *files, trm_prepare_images_options *o) {
  int64_t *size[] = {&o->height, &o->width, &o->channels};
  int64_t *resize[] = {&o->resize_height, &o->resize_width};
  int alpha, colour;
  TRM_TRY(app_prepare_words(call, words, 1, "one folder"));
  TRM_TRY(cut_size(call, "--size", g->size, 3, size));
  TRM_TRY(cut_size(call, "--resize", g->resize, 2, resize));
  TRM_TRY(choose(call, "--colour", g->colour, "grey", "rgb", &colour));
  TRM_TRY(choose(call, "--alpha", g->alpha, "refuse", "drop", &alpha));
  o->output = call->output;
  o->colour = colour == 2 ? 3 : colour;
  o->drop_alpha = alpha == 2;
  o->seed = (uint64_t)g->seed;
  files->folder = words->n > 0 ? words->items[0] : NULL;
  files->pixels[TRM_SUBSET_TRAIN] = g->pixels.items;
  files->n_pixels[TRM_SUBSET_TRAIN] = g->pixels.n;
  TRM_TRY(take_part(call, "--valid", &g->valid, TRM_SUBSET_VALID, files));
  return take_part(call, "--test", &g->test, TRM_SUBSET_TEST, files);
}

static trm_status run(app_prepare_call *call) {
  const char *given_pixels[MOST_FILES], *given_valid[MOST_FILES], *given_test[MOST_FILES];
  given g = {.pixels = {given_pixels, 0, MOST_FILES},
             .valid = {given_valid, 0, MOST_FILES},
             .test = {given_test, 0, MOST_FILES},
             .seed = 1};
  trm_image_files files = {0};
  trm_prepare_images_options o = {.most_pixels = 64000000,
                                  .valid_share = -1,
                                  .test_share = -1,
                                  .progress = app_prepare_progress,
                                  .context = call->log};
  const char **images = files.images, **labels = files.labels;
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--images", 0, &images[TRM_SUBSET_TRAIN], "FILE", "IDX, plain or gzip"),
      APP_TEXT("--labels", 0, &labels[TRM_SUBSET_TRAIN], "FILE", "their classes, IDX"),
      APP_TEXT("--valid-images", 0, &images[TRM_SUBSET_VALID], "FILE", "the same for validation"),
      APP_TEXT("--valid-labels", 0, &labels[TRM_SUBSET_VALID], "FILE", "the same for validation"),
      APP_TEXT("--test-images", 0, &images[TRM_SUBSET_TEST], "FILE", "the same to test"),
      APP_TEXT("--test-labels", 0, &labels[TRM_SUBSET_TEST], "FILE", "the same to test"),
      APP_LIST("--pixels", 0, &g.pixels, "FILE", "a table, an image a line; also several times"),
      APP_TEXT("--size", 0, &g.size, "HxW[xC]",
               "of the images of tables: rows from the top, channels of a pixel side by side"),
      APP_TEXT("--label", 0, &o.label, "COLUMN",
               "of the classes of tables, by name or number from 1 (default the first)"),
      APP_TEXT("--no-label", 0, &o.no_label, "VALUE",
               "leave images of tables out whose label is this, or empty (images without any: "
               "--unlabelled)"),
      APP_TEXT("--id", 0, &o.id, "COLUMN",
               "of the names of images of tables; those of folders have their paths"),
      APP_REAL("--scale", &o.scale, 1e-30, 1e30, "MAX",
               "value of tables that is white (default: whole numbers to 255)"),
      APP_TEXT("--separator", 0, &o.separator, "tab|comma|semicolon|pipe|colons|blanks",
               "between the fields of tables (default: what parts the first lines alike)"),
      APP_TEXT("--header", 0, &o.header, "yes|no",
               "the first line names the columns (default: when the label is given by name)"),
      APP_LIST("--valid", 0, &g.valid, "FOLDER",
               "folders of classes for validation; with --pixels a table"),
      APP_LIST("--test", 0, &g.test, "FOLDER", "the same to test"),
      APP_REAL("--valid-share", &o.valid_share, 0, 0.99, "SHARE",
               "of the images to train on, at random, for validation (default 0.1, 0 with a part)"),
      APP_REAL("--test-share", &o.test_share, 0, 0.99, "SHARE",
               "of the images to train on, at random, to test (default 0)"),
      APP_INT("--folds", 0, &o.n_folds, 2, 1e6, "N", "deal N folds at random"),
      APP_INT("--seed", 0, &g.seed, 0, 9e15, "N", "of shares and folds (default 1)"),
      APP_TEXT("--resize", 0, &g.resize, "HxW",
               "make all images of this size (default: they have one, and keep it)"),
      APP_TEXT("--colour", 0, &g.colour, "grey|rgb",
               "make all images grey or coloured (default: they are alike, and stay so)"),
      APP_TEXT("--alpha", 0, &g.alpha, "refuse|drop",
               "what becomes of transparent pixels (default refuse); drop takes their colours"),
      APP_FLAG("--unlabelled", &o.unlabelled,
               "images without classes, to predict: a folder of them, or files without labels"),
      APP_FLAG("--skip-other", &o.skip_other, "leave out files that are no PNG or JPEG"),
      APP_INT("--most-pixels", 0, &o.most_pixels, 1, 2147483647, "N",
              "of an image; larger ones are refused (default 64000000)"),
  };
  trm_prepare_images_counts counts;
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  TRM_TRY(complete(call, &g, &words, &files, &o));
  trm_notes notes = {0};
  o.notes = &notes;
  const trm_status status = trm_prepare_images(&files, &o, &counts);
  if (status == TRM_OK) app_tell_notes(call->log, &notes);
  trm_notes_free(&notes);
  TRM_TRY(status);
  return tell(call, &counts);
}

const app_prepare_way app_prepare_way_images = {
    .name = "images",
    .words = "[FOLDER]",
    .summary = "images with a class each: folders of PNG and JPEG, MNIST, CIFAR, tables of pixels",
    .run = run,
};
