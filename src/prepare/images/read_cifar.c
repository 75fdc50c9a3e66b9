/**
 * CIFAR's binary files: records of one label, or a coarse and a fine one, and 3 x 32 x 32 bytes, one channel
 * after another. Names of the classes stand a line each in a file beside them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "images_internal.h"
#include "records_internal.h"
#include "trireme/core/memory.h"
#include "trireme/io/files.h"

enum { SIDE = 32, CHANNELS = 3, N_PIXELS = SIDE * SIDE, IMAGE_BYTES = CHANNELS * N_PIXELS };
#define MOST_BYTES (INT64_C(1) << 32)

/* The published sets. */
typedef struct cifar_layout {
  const char *train[8], *test, *names;
  int n_labels; /* bytes before the image; the last one is taken */
  int n_classes;
} cifar_layout;

static const cifar_layout layouts[] = {
    {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
      "data_batch_5.bin"},
     "test_batch.bin",
     "batches.meta.txt",
     1,
     10},
    {{"train.bin"}, "test.bin", "fine_label_names.txt", 2, 100},
};

/* ---- classes ---------------------------------------------------------------------------------- */

static trm_status read_names(trm_image_set *set, const char *path) {
  const trm_records_form form = {.lines = true};
  trm_records r;
  bool more = true, added;
  int32_t id;
  trm_status status = trm_records_open(&r, path, &form, NULL);
  while (status == TRM_OK) {
    status = trm_records_next(&r, &more);
    if (status != TRM_OK || !more) break;
    int64_t bytes;
    const char *name = trm_records_field(&r, 0, &bytes);
    if (!trm_is_blank(name, bytes)) {
      status = trm_names_add(&set->corpus.classes, name, bytes, &id, &added);
    }
  }
  return trm_records_close(&r, status);
}

/* By the file beside the images; without it classes are numbers. */
static trm_status find_classes(trm_image_set *set, const cifar_layout *l) {
  const char *path;
  TRM_TRY(trm_image_set_path(set, set->files->folder, l->names, &path));
  if (trm_path_exists(path)) TRM_TRY(read_names(set, path));
  const int64_t n = set->corpus.classes.n;
  if (n > 0 && n != l->n_classes) {
    return trm_fail(TRM_ERR_DATA, "%s: has %" PRId64 " names, expected %d", path, n, l->n_classes);
  }
  set->corpus.classes_given = true;
  for (int i = 0; n == 0 && i < l->n_classes; ++i) {
    int32_t id;
    TRM_TRY(trm_image_set_number(set, i, &id));
  }
  return TRM_OK;
}

/* ---- images ----------------------------------------------------------------------------------- */

static void take_pixels(trm_image *image, const uint8_t *record) {
  for (int i = 0; i < N_PIXELS; ++i) {
    for (int c = 0; c < CHANNELS; ++c) image->pixels[i * CHANNELS + c] = record[c * N_PIXELS + i];
  }
}

static trm_status add_records(trm_image_set *set, const cifar_layout *l, const char *path,
                              trm_subset part, const uint8_t *data, int64_t n) {
  const trm_origin origin = {.path = path, .part = part};
  for (int64_t i = 0; i < n; ++i) {
    const uint8_t *record = data + i * (l->n_labels + IMAGE_BYTES);
    const int32_t label = record[l->n_labels - 1];
    if (label >= l->n_classes) {
      return trm_fail(TRM_ERR_DATA,
                      "%s: label %d of image %" PRId64 " (from 0) is out of [0, %d); the file is "
                      "damaged, or no CIFAR-%d",
                      path, (int)label, i, l->n_classes, l->n_classes);
    }
    TRM_TRY(trm_image_reserve(&set->image, path, SIDE, SIDE, CHANNELS, N_PIXELS));
    take_pixels(&set->image, record + l->n_labels);
    TRM_TRY(trm_image_set_add(set, path, &(trm_corpus_row){.label = label}, &origin));
  }
  return TRM_OK;
}

static trm_status read_file(trm_image_set *set, const cifar_layout *l, const char *path,
                            trm_subset part) {
  const int64_t record = l->n_labels + IMAGE_BYTES;
  char *data = NULL;
  int64_t bytes;
  TRM_TRY(trm_file_read_all(path, MOST_BYTES, &data, &bytes));
  const trm_status status =
      bytes % record == 0
          ? add_records(set, l, path, part, (const uint8_t *)data, bytes / record)
          : trm_fail(TRM_ERR_DATA,
                     "%s: has %" PRId64 " bytes, which is no multiple of the %" PRId64
                     " of an image and its label; fetch it again",
                     path, bytes, record);
  TRM_FREE(data);
  return status;
}

/* ---- the folder ------------------------------------------------------------------------------- */

/* Those of a layout that are there: paths[TRM_N_SUBSETS * 8], NULL where none is. */
static trm_status find_files(trm_image_set *set, const cifar_layout *l, const char **paths,
                             bool *found) {
  const char *folder = set->files->folder;
  *found = false;
  for (int i = 0; i < 8 && l->train[i]; ++i) {
    TRM_TRY(trm_image_set_path(set, folder, l->train[i], &paths[i]));
    if (!trm_path_exists(paths[i])) paths[i] = NULL;
    *found = *found || paths[i];
  }
  TRM_TRY(trm_image_set_path(set, folder, l->test, &paths[8]));
  if (!trm_path_exists(paths[8])) paths[8] = NULL;
  return TRM_OK;
}

static trm_status read_layout(trm_image_set *set, const cifar_layout *l, const char **paths) {
  for (int i = 0; i <= 8; ++i) {
    if (paths[i]) TRM_TRY(trm_image_set_inputs(set, &paths[i], 1));
    if (i < 8 && l->train[i] && !paths[i]) {
      return trm_fail(TRM_ERR_DATA, "%s: has no %s; fetch it too", set->files->folder, l->train[i]);
    }
  }
  set->n_expected = set->corpus.progress.total / (l->n_labels + IMAGE_BYTES);
  set->reserve = true;
  TRM_TRY(find_classes(set, l));
  for (int i = 0; i <= 8; ++i) {
    const trm_subset part = i < 8 ? TRM_SUBSET_TRAIN : TRM_SUBSET_TEST;
    if (paths[i]) TRM_TRY(read_file(set, l, paths[i], part));
  }
  set->corpus.has_part[TRM_SUBSET_TEST] = paths[8] != NULL;
  return TRM_OK;
}

trm_status trm_images_read_cifar(trm_image_set *set, bool *found) {
  for (int i = 0; i < 2; ++i) {
    const char *paths[9] = {NULL};
    TRM_TRY(find_files(set, &layouts[i], paths, found));
    if (*found) return read_layout(set, &layouts[i], paths);
  }
  return TRM_OK;
}
