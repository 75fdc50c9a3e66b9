/** `trireme prepare images`: data sets of kind samples (data/FORMAT.md), an image and its class each. */
#ifndef TRIREME_PREPARE_IMAGES_H
#define TRIREME_PREPARE_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/input/subset.h"
#include "trireme/prepare/reading.h"

/** Where images are: one of a folder, IDX files, tables of pixels. */
typedef struct trm_image_files {
  /**
   * A folder, NULL: none. What it holds is found by names:
   *  - IDX files of MNIST: train-images-idx3-ubyte, train-labels-idx1-ubyte, and the same with t10k; also
   *    with a dot before idx, also with .gz behind;
   *  - CIFAR's binary files: data_batch_1.bin to _5 and test_batch.bin with batches.meta.txt, or train.bin
   *    and test.bin with fine_label_names.txt (the fine labels of CIFAR-100);
   *  - folders train, valid (or val), test with a folder for each class in it, or the classes' folders
   *    alone: PNG and JPEG, known by their content, in the order of their names, 2 before 10. Names that
   *    begin with a dot, and what systems leave (Thumbs.db, __MACOSX), are passed over.
   */
  const char *folder;
  const char
      *part_folders[TRM_N_SUBSETS]; /* of classes' folders, for validation and test; NULL: none */
  const char *images[TRM_N_SUBSETS], *labels[TRM_N_SUBSETS]; /* IDX, plain or gzip; NULL: none */
  const char *const *pixels[TRM_N_SUBSETS];                  /* tables, an image a line */
  int n_pixels[TRM_N_SUBSETS];
} trm_image_files;

typedef struct trm_prepare_images_options {
  const char *output;
  /* Of tables. A line has a column for the class and height * width * channels of values: by rows from the
   * top, the channels of a pixel side by side. */
  const char *label;     /* column, by name or number from 1; NULL: the first but that of names */
  const char *id;        /* column whose texts are the images' names; NULL: they have none */
  const char *no_label;  /* images whose label is this or empty are left out; NULL: none is */
  const char *separator; /* "tab", "comma", "semicolon"; NULL: the one of the first line */
  const char *header;    /* "yes", "no"; NULL: yes when the label is given by its name */
  int64_t height, width, channels;
  double scale; /* the value that becomes 255, 0 stays 0; 0: values are whole numbers to 255 */
  /* Of all. */
  int64_t resize_height, resize_width; /* 0: images are of one size, and keep it */
  int64_t colour;      /* channels: 1 grey, 3 RGB; 0: all have the same, and keep them */
  int64_t most_pixels; /* of an image; more are refused before memory is taken */
  bool drop_alpha;     /* take the colours beneath transparent pixels; else refused */
  bool skip_other;     /* leave out files that are no images; else refused */
  bool unlabelled; /* images to predict, without splits: a folder of images alone, IDX files without
                          labels, tables of pixels alone */
  /* As trm_prepare_samples_options. */
  double valid_share, test_share;
  int64_t n_folds;
  uint64_t seed;
  trm_notes *notes;                                                /* what is odd; NULL: nowhere */
  void (*progress)(void *context, double share, const char *what); /* may be NULL */
  void *context;
} trm_prepare_images_options;

/** What was left out or changed on the way. */
typedef struct trm_prepare_images_counts {
  int64_t other;               /* files that are no images, left out */
  int64_t no_label;            /* images without a label, left out */
  int64_t alpha;               /* images with transparent pixels, made opaque */
  int64_t resized, recoloured; /* images */
} trm_prepare_images_counts;

/**
 * Images with a class each. Classes are named by their folders, by the files of names beside CIFAR's, else
 * by the labels, and numbered in the order of their names (as numbers where all are). Shares and folds are
 * dealt class by class. Images of folders have their paths below the folder as names, those of other folders
 * (`part_folders`) that of the folder before it: "cat/1.png", "more/cat/1.png".
 *
 * Not collective; the same files and options give the same file. All pixels are in memory at once, a byte
 * each.
 *
 * @return TRM_ERR_DATA naming the file: damaged, cut short or longer than its head tells, no image, of
 *         another size or colour than the first (both are named), too large; a class without images, or
 *         that no image to train on has; TRM_ERR_USAGE for options that do not go together; TRM_ERR_IO,
 *         TRM_ERR_MEMORY. The output appears complete or not at all
 */
trm_status trm_prepare_images(const trm_image_files *files,
                              const trm_prepare_images_options *options,
                              trm_prepare_images_counts *counts);

#endif
