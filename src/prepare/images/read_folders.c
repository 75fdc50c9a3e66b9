/** PNG and JPEG files in a folder for each class, with or without folders for the parts around them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "images_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/data_file.h"
#include "trireme/io/files.h"

#define MOST_FILE_BYTES (INT64_C(1) << 31)
/* What a file begins with: says whether it is an image, and is shown where it is none. */
enum { START_BYTES = 32 };

/* A folder of one class in one part. */
typedef struct class_folder {
  const char *path; /* owned by the set */
  int64_t root;     /* bytes of the path that names of images go without */
  trm_subset part;
  int32_t label;
  char **names; /* owned: one block */
  int n;
} class_folder;

typedef struct folder_list {
  class_folder *items;
  int64_t n, capacity;
} folder_list;

/* ---- listing ---------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b) {
  return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* Files that systems leave in folders of pictures, and folders that their archives bring along. */
static bool is_left_by_system(const char *name) {
  static const char *const names[] = {"Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    if (strcasecmp(name, names[i]) == 0) return true;
  }
  return name[0] == '.';
}

/* Names that do not begin with a dot and are not of the system, 2 before 10; TRM_FREE. */
static trm_status list_names(const char *path, char ***names, int *n) {
  int n_all = 0;
  *n = 0;
  TRM_TRY(trm_folder_list(path, "", "", names, &n_all));
  for (int i = 0; i < n_all; ++i) {
    if (!is_left_by_system((*names)[i])) (*names)[(*n)++] = (*names)[i];
  }
  if (*n > 0) qsort(*names, (size_t)*n, sizeof **names, by_number);
  return TRM_OK;
}

static bool is_folder(const char *path) {
  struct stat of;
  return stat(path, &of) == 0 && S_ISDIR(of.st_mode);
}

static trm_status check_folder(const char *path) {
  struct stat of;
  if (stat(path, &of) != 0) {
    return trm_fail(trm_status_of_errno(errno), "%s: %s", path, strerror(errno));
  }
  if (S_ISDIR(of.st_mode)) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: is no folder; give a folder of images by --valid and --test, "
                  "tables by --pixels",
                  path);
}

/* Whether any of n names in a folder is one. */
static bool has_folder(const char *folder, char *const *names, int n) {
  char path[TRM_PATH_BYTES];
  for (int i = 0; i < n; ++i) {
    if (trm_path_join(path, sizeof path, folder, names[i]) == TRM_OK && is_folder(path))
      return true;
  }
  return false;
}

/* Beside folders of classes, where there are any: an image has no class there, anything else is passed over. */
static trm_status pass_over(const trm_image_set *set, const char *path, bool beside) {
  uint8_t start[START_BYTES];
  int64_t bytes;
  struct stat of;
  if (set->options->skip_other || stat(path, &of) != 0 || !S_ISREG(of.st_mode)) return TRM_OK;
  TRM_TRY(trm_file_read_start(path, start, sizeof start, &bytes));
  if (trm_image_sort_of(start, bytes) == TRM_IMAGE_NONE) return TRM_OK;
  if (!beside) {
    return trm_fail(
        TRM_ERR_DATA,
        "%s: is an image, and no folder is beside it; put images into a folder for each "
        "class, or take them without classes, to predict, by --unlabelled",
        path);
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: is an image outside the folders of the classes; move it into one, or leave "
                  "it out by --skip-other",
                  path);
}

/* A folder of folders of classes. */
typedef struct part_folder {
  const char *path;
  trm_subset part;
  int64_t root; /* as a class_folder has it */
} part_folder;

static trm_status add_class(trm_image_set *set, folder_list *list, const char *name,
                            const char *path, const part_folder *in) {
  class_folder f = {.path = path, .root = in->root, .part = in->part};
  bool added;
  TRM_TRY(TRM_GROW(&list->items, list->n, &list->capacity, "folders of classes"));
  TRM_TRY(trm_names_add(&set->corpus.classes, name, (int64_t)strlen(name), &f.label, &added));
  TRM_TRY(list_names(path, &f.names, &f.n));
  list->items[list->n++] = f;
  set->n_expected += f.n;
  if (f.n > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: is empty; a folder of a class needs an image, or has to go",
                  path);
}

/* All folders in one are classes. */
static trm_status add_part(trm_image_set *set, folder_list *list, const part_folder *in) {
  const char *folder = in->path;
  char **names = NULL;
  int n = 0;
  const int64_t before = list->n;
  trm_status status = TRM_OK;
  TRM_TRY(check_folder(folder));
  TRM_TRY_OUT(list_names(folder, &names, &n));
  const bool beside = has_folder(folder, names, n);
  for (int i = 0; i < n; ++i) {
    const char *path;
    TRM_TRY_OUT(trm_image_set_path(set, folder, names[i], &path));
    TRM_TRY_OUT(is_folder(path) ? add_class(set, list, names[i], path, in)
                                : pass_over(set, path, beside));
  }
  if (list->n == before) {
    status = trm_fail(TRM_ERR_DATA,
                      "%s: has no folders of classes, nor files of MNIST (train-images-idx3-ubyte) "
                      "or CIFAR (data_batch_1.bin, train.bin)",
                      folder);
  }
  set->corpus.has_part[in->part] = true;
out:
  TRM_FREE(names);
  return status;
}

/* ---- parts ------------------------------------------------------------------------------------ */

/* The part that a folder's name means, -1: none. */
static int part_of(const char *name) {
  static const struct {
    const char *name;
    trm_subset part;
  } rows[] = {{"train", TRM_SUBSET_TRAIN},
              {"valid", TRM_SUBSET_VALID},
              {"val", TRM_SUBSET_VALID},
              {"test", TRM_SUBSET_TEST}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    if (strcmp(name, rows[i].name) == 0) return (int)rows[i].part;
  }
  return -1;
}

/* Which folders inside are parts: all or none. */
static trm_status find_parts(trm_image_set *set, char *const *names, int n,
                             const char *paths[TRM_N_SUBSETS]) {
  const char *folder = set->files->folder, *other = NULL;
  bool any = false;
  for (int i = 0; i < n; ++i) {
    const char *path;
    TRM_TRY(trm_image_set_path(set, folder, names[i], &path));
    if (!is_folder(path)) continue;
    const int part = part_of(names[i]);
    if (part < 0) {
      other = names[i];
    } else if (paths[part]) {
      return trm_fail(TRM_ERR_DATA, "%s and %s are both for validation; leave one out", paths[part],
                      path);
    } else {
      paths[part] = path;
      any = true;
    }
  }
  if (!any) return TRM_OK;
  if (!paths[TRM_SUBSET_TRAIN]) {
    return trm_fail(TRM_ERR_DATA, "%s: has a folder for validation or test, but none called train",
                    folder);
  }
  if (!other) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: has a folder '%s' beside train; a folder of parts has train, valid (or val) "
                  "and test only",
                  folder, other);
}

/* Where the last name of a path begins. */
static int64_t last_name(const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') --n;
  while (n > 0 && path[n - 1] != '/') --n;
  return (int64_t)n;
}

static trm_status list_all(trm_image_set *set, folder_list *list) {
  const trm_image_files *f = set->files;
  const char *paths[TRM_N_SUBSETS] = {NULL};
  char **names = NULL;
  int n = 0;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(list_names(f->folder, &names, &n));
  TRM_TRY_OUT(find_parts(set, names, n, paths));
  if (!paths[TRM_SUBSET_TRAIN]) paths[TRM_SUBSET_TRAIN] = f->folder;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (paths[p] && f->part_folders[p]) {
      status = trm_fail(TRM_ERR_USAGE, "%s and %s are both for %s; leave one out", paths[p],
                        f->part_folders[p], trm_subset_name((trm_subset)p));
      goto out;
    }
    part_folder in = {paths[p], (trm_subset)p, (int64_t)strlen(f->folder)};
    if (!in.path && f->part_folders[p]) {
      in.path = f->part_folders[p];
      in.root = last_name(in.path);
    }
    if (in.path) TRM_TRY_OUT(add_part(set, list, &in));
  }
out:
  TRM_FREE(names);
  return status;
}

/* The folder's own images, without classes. */
static trm_status list_alone(trm_image_set *set, folder_list *list) {
  class_folder f = {.path = set->files->folder,
                    .root = (int64_t)strlen(set->files->folder),
                    .part = TRM_SUBSET_TRAIN};
  TRM_TRY(TRM_GROW(&list->items, list->n, &list->capacity, "folders of images"));
  TRM_TRY(list_names(f.path, &f.names, &f.n));
  list->items[list->n++] = f;
  set->n_expected = f.n;
  set->corpus.has_part[TRM_SUBSET_TRAIN] = true;
  return TRM_OK;
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* What an image of another kind is called; NULL: it is none that is known. */
static const char *other_image(const char *data, int64_t bytes) {
  static const struct {
    int64_t at;
    const char *begins, *name;
  } rows[] = {{0, "GIF8", "a GIF"},       {0, "BM", "a bitmap (BMP)"}, {8, "WEBP", "a WebP"},
              {0, "II*\0", "a TIFF"},     {0, "MM\0*", "a TIFF"},      {4, "ftypavif", "an AVIF"},
              {4, "ftypheic", "a HEIC"},  {4, "ftypmif1", "a HEIC"},   {4, "ftypheix", "a HEIC"},
              {0, "P5", "a PGM"},         {0, "P6", "a PPM"},          {0, "<svg", "an SVG"},
              {0, "\0\0\1\0", "an icon"}, {0, "DDS ", "a DDS"},        {128, "DICM", "a DICOM"},
              {4, "jP  ", "a JPEG 2000"}, {0, "8BPS", "a PSD"}};
  static const int64_t lengths[] = {4, 2, 4, 4, 4, 8, 8, 8, 8, 2, 2, 4, 4, 4, 4, 4, 4};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    const int64_t end = rows[i].at + lengths[i];
    if (end <= bytes && memcmp(data + rows[i].at, rows[i].begins, (size_t)lengths[i]) == 0) {
      return rows[i].name;
    }
  }
  return NULL;
}

static trm_status not_an_image(const char *path, const char *data, int64_t bytes) {
  char shown[24];
  const char *other = other_image(data, bytes);
  if (is_folder(path)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: is a folder among images; move its images up, or leave it "
                    "out by --skip-other",
                    path);
  }
  if (other) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: is %s; convert such files to PNG (mogrify -format png, then remove them), "
                    "or leave them out by --skip-other",
                    path, other);
  }
  trm_text_escape_cut(data, bytes, false, shown, sizeof shown);
  return trm_fail(TRM_ERR_DATA,
                  "%s: is neither PNG nor JPEG: it %s%s%s; remove it, or leave such files out by "
                  "--skip-other",
                  path, bytes > 0 ? "begins with '" : "is empty", shown, bytes > 0 ? "'" : "");
}

static trm_status decode(trm_image_set *set, const trm_image_file *file, trm_image_sort sort) {
  if (sort == TRM_IMAGE_PNG) return trm_png_decode(file, &set->image);
  return trm_jpeg_decode(file, &set->image);
}

static trm_status add_image(trm_image_set *set, const class_folder *f, const char *path,
                            trm_image_sort sort) {
  const trm_prepare_images_options *o = set->options;
  const trm_origin origin = {.path = f->path, .part = f->part};
  const char *name = path + f->root;
  while (*name == '/') ++name;
  const trm_corpus_row row = {.label = f->label, .name = name, .n_name = (int64_t)strlen(name)};
  trm_image_file file = {.path = path, .most_pixels = o->most_pixels, .drop_alpha = o->drop_alpha};
  char *data = NULL;
  TRM_TRY(trm_file_read_all(path, MOST_FILE_BYTES, &data, &file.bytes));
  file.data = (const uint8_t *)data;
  trm_status status = decode(set, &file, sort);
  if (status == TRM_OK) status = trm_image_set_add(set, path, &row, &origin);
  TRM_FREE(data);
  return status;
}

/* *taken: it is an image, and in the set. Others are not read, however large. */
static trm_status read_image(trm_image_set *set, const class_folder *f, const char *name,
                             bool *taken) {
  char path[TRM_PATH_BYTES];
  uint8_t start[START_BYTES] = {0};
  int64_t bytes = 0;
  TRM_TRY(trm_path_join(path, sizeof path, f->path, name));
  if (!is_folder(path)) TRM_TRY(trm_file_read_start(path, start, sizeof start, &bytes));
  const trm_image_sort sort = trm_image_sort_of(start, bytes);
  *taken = sort != TRM_IMAGE_NONE;
  if (*taken) return add_image(set, f, path, sort);
  if (!set->options->skip_other) return not_an_image(path, (const char *)start, bytes);
  ++set->counts->other;
  return TRM_OK;
}

static trm_status read_class(trm_image_set *set, const class_folder *f) {
  bool any = false;
  for (int i = 0; i < f->n; ++i) {
    bool taken;
    TRM_TRY(read_image(set, f, f->names[i], &taken));
    any = any || taken;
  }
  if (any) return TRM_OK;
  if (set->options->unlabelled) return trm_fail(TRM_ERR_DATA, "%s: has no image", f->path);
  return trm_fail(TRM_ERR_DATA, "%s: has no image; a folder of a class needs one, or has to go",
                  f->path);
}

trm_status trm_images_read_folders(trm_image_set *set) {
  trm_inputs *inputs = &set->corpus.inputs;
  folder_list list = {0};
  trm_status status = TRM_OK;
  TRM_TRY(trm_output_check_place(set->options->output, NULL, 0));
  (void)snprintf(inputs->source, sizeof inputs->source, "%s", set->files->folder);
  TRM_TRY_OUT(set->options->unlabelled ? list_alone(set, &list) : list_all(set, &list));
  set->reserve = true;
  set->corpus.has_names = true;
  for (int64_t i = 0; i < list.n; ++i) TRM_TRY_OUT(read_class(set, &list.items[i]));
out:
  for (int64_t i = 0; i < list.n; ++i) TRM_FREE(list.items[i].names);
  TRM_FREE(list.items);
  return status;
}
