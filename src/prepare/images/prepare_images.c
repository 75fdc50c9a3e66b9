/** `trireme prepare images`: which of the ways of reading it is. */
#include <string.h>
#include <sys/stat.h>

#include "images_internal.h"
#include "trireme/core/clock.h"

/* ---- options ---------------------------------------------------------------------------------- */

static bool has_idx(const trm_image_files *f) {
  bool any = false;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) any = any || f->images[p] || f->labels[p];
  return any;
}

static bool has_part_folder(const trm_image_files *f) {
  return f->part_folders[TRM_SUBSET_VALID] || f->part_folders[TRM_SUBSET_TEST];
}

/* Whether options tell of classes or parts. */
static bool has_labels(const trm_image_files *f, const trm_prepare_images_options *o) {
  bool any = o->label || o->no_label || o->n_folds > 0;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) any = any || f->labels[p];
  for (int p = TRM_SUBSET_VALID; p < TRM_N_SUBSETS; ++p) {
    any = any || f->images[p] || f->part_folders[p] || f->n_pixels[p] > 0;
  }
  return any;
}

static trm_status check_table_options(const trm_image_files *f,
                                      const trm_prepare_images_options *o) {
  const bool given = o->label || o->no_label || o->id || o->separator || o->header ||
                     o->height > 0 || o->scale > 0;
  const bool tables = f->n_pixels[TRM_SUBSET_TRAIN] > 0;
  if (tables && o->height == 0) {
    return trm_fail(TRM_ERR_USAGE, "tables of pixels (--pixels) need --size HxW or HxWxC");
  }
  if (tables || !given) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "--size, --label, --no-label, --id, --scale, --separator and --header are of "
                  "tables of pixels "
                  "(--pixels)%s",
                  o->id && f->folder ? "; images of a folder have their paths as names" : "");
}

static trm_status check_files(const trm_image_files *f, const trm_prepare_images_options *o) {
  const int n_ways = (f->folder != NULL) + has_idx(f) + (f->n_pixels[TRM_SUBSET_TRAIN] > 0);
  if (n_ways == 0) {
    return trm_fail(TRM_ERR_USAGE,
                    "give a folder of images, IDX files (--images, --labels), or a table of pixels "
                    "(--pixels)");
  }
  if (n_ways > 1) {
    return trm_fail(TRM_ERR_USAGE,
                    "images come from a folder, from IDX files (--images) or from tables "
                    "(--pixels), not from several of them");
  }
  if (has_idx(f) && !f->images[TRM_SUBSET_TRAIN]) {
    return trm_fail(TRM_ERR_USAGE, "give images to train on by --images FILE");
  }
  if (o->unlabelled && has_labels(f, o)) {
    return trm_fail(
        TRM_ERR_USAGE,
        "--unlabelled images have no labels, parts or folds; leave --labels, --label, --no-label, "
        "--folds and files of validation and test out");
  }
  return check_table_options(f, o);
}

/* ---- ways ------------------------------------------------------------------------------------- */

static trm_status check_folder(const char *path) {
  struct stat of;
  if (stat(path, &of) == 0 && S_ISDIR(of.st_mode)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "'%s' is no folder; give a folder of images, IDX files by --images and --labels, "
                  "or a table of pixels by --pixels",
                  path);
}

static trm_status read_folder(trm_image_set *set, trm_image_files *files) {
  bool found;
  TRM_TRY(check_folder(files->folder));
  if (set->options->unlabelled) return trm_images_read_folders(set);
  TRM_TRY(trm_images_find_idx(set, files, &found));
  if (found) {
    TRM_TRY(trm_images_read_idx(set));
  } else {
    TRM_TRY(trm_images_read_cifar(set, &found));
  }
  if (!found) return trm_images_read_folders(set);
  if (!has_part_folder(files)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: has files of MNIST or CIFAR; folders of classes for validation or test do "
                  "not go with them",
                  files->folder);
}

static trm_status read_all(trm_image_set *set, trm_image_files *files) {
  TRM_TRY(check_files(files, set->options));
  if (files->folder) return read_folder(set, files);
  if (has_idx(files)) return trm_images_read_idx(set);
  return trm_images_read_tables(set);
}

trm_status trm_prepare_images(const trm_image_files *files,
                              const trm_prepare_images_options *options,
                              trm_prepare_images_counts *counts) {
  trm_image_files all = *files;
  trm_image_set set = {.files = &all,
                       .options = options,
                       .counts = counts,
                       .dealing = {.output = options->output,
                                   .separator = options->separator,
                                   .header = options->header,
                                   .valid_share = options->valid_share,
                                   .test_share = options->test_share,
                                   .n_folds = options->n_folds,
                                   .seed = options->seed,
                                   .notes = options->notes},
                       .began_s = trm_clock_s()};
  set.corpus = (trm_corpus){.options = &set.dealing,
                            .counts = &set.dealt,
                            .target = options->unlabelled ? TRM_TARGET_NONE : TRM_TARGET_CLASS,
                            .has_names = options->id != NULL};
  *counts = (trm_prepare_images_counts){0};
  trm_status status = read_all(&set, &all);
  if (status == TRM_OK) status = trm_image_set_write(&set);
  trm_image_set_free(&set);
  return status;
}
