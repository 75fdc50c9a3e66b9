/** Images on their way into a data set: what the ways of reading them share. */
#ifndef TRIREME_PREPARE_IMAGES_INTERNAL_H
#define TRIREME_PREPARE_IMAGES_INTERNAL_H

#include "corpus_internal.h"
#include "image_internal.h"
#include "trireme/prepare/images.h"

enum { TRM_PATH_BYTES = 4096 };

/** Images of one size and colour, and what is known of each. Zero it first. */
typedef struct trm_image_set {
  const trm_image_files *files;
  const trm_prepare_images_options *options;
  trm_prepare_images_counts *counts;
  trm_prepare_samples_options dealing; /* the options of `corpus` */
  trm_prepare_samples_counts dealt;
  trm_corpus corpus; /* [n] labels, origins; without texts */

  int64_t channels, height, width; /* 0: no image yet */
  uint8_t *pixels;                 /* [n, channels, height, width] */
  int64_t capacity;                /* bytes */
  char first[TRM_PATH_BYTES];      /* where the first image is from, for messages */
  int64_t first_height, first_width, first_channels; /* of its file */
  trm_image image;                                   /* the one being read, as its file has it */
  trm_image coloured, resized;                       /* and as it shall be */

  int64_t n_expected; /* images in all, as far as is known; 0: not */
  bool reserve;       /* the number is sure: room is made for all at once */
  double began_s;
  char **paths; /* owned; origins borrow them */
  int64_t n_paths, paths_capacity;
} trm_image_set;

/**
 * Adds set->image: its size and colour are made those that are asked for, or must be those of the first.
 * @param path    for messages
 * @param row     its label, and its name where images have one
 * @param origin  kept; its path is borrowed for the life of the set
 */
trm_status trm_image_set_add(trm_image_set *set, const char *path, const trm_corpus_row *row,
                             const trm_origin *origin);
/** "FOLDER/NAME", owned by the set. */
trm_status trm_image_set_path(trm_image_set *set, const char *folder, const char *name,
                              const char **path);
/** The class of a number: its name is the number. */
trm_status trm_image_set_number(trm_image_set *set, int64_t number, int32_t *label);
/** Names to be read; the progress counts images, not bytes. */
trm_status trm_image_set_inputs(trm_image_set *set, const char *const *paths, int64_t n);
/** Parts, splits, the data set. */
trm_status trm_image_set_write(trm_image_set *set);
void trm_image_set_free(trm_image_set *set);

/* ---- ways of reading -------------------------------------------------------------------------- */

/** IDX files of options or, taken by their usual names, of a folder. */
trm_status trm_images_read_idx(trm_image_set *set);
/** The usual names in a folder; *found: whether the images to train on are there. */
trm_status trm_images_find_idx(trm_image_set *set, trm_image_files *files, bool *found);
/** CIFAR's binary files; *found: whether there are any, and all are read. */
trm_status trm_images_read_cifar(trm_image_set *set, bool *found);
/** Folders of classes. */
trm_status trm_images_read_folders(trm_image_set *set);
/** Tables of pixels. */
trm_status trm_images_read_tables(trm_image_set *set);

#endif
