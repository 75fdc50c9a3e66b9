/**
 * IDX files, plain or gzip: a magic number that tells type and axes, the lengths of the axes (32 bits, the
 * most significant byte first), then the values. Images and labels are read side by side, so that memory
 * grows with what is there, not with what a head tells.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "images_internal.h"
#include "trireme/io/files.h"

enum { HEAD_BYTES = 4, AXIS_BYTES = 4, UNSIGNED_BYTES = 0x08, BUFFER_BYTES = 1 << 17 };

typedef struct idx_file {
  const char *path;
  gzFile stream; /* reads plain files too */
  int n_axes;
  int64_t axes[3];
} idx_file;

/* ---- one file --------------------------------------------------------------------------------- */

/* What reading failed with; `what` was to be read. */
static trm_status fail_reading(const idx_file *f, const char *what) {
  int code;
  const char *message = gzerror(f->stream, &code);
  if (code == Z_ERRNO) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be read: %s", f->path, strerror(errno));
  }
  if (code == Z_MEM_ERROR) return trm_fail(TRM_ERR_MEMORY, "%s: no memory to unpack it", f->path);
  if (code == Z_DATA_ERROR) {
    return trm_fail(TRM_ERR_DATA, "%s: is damaged (%s); fetch it again", f->path, message);
  }
  return trm_fail(TRM_ERR_DATA, "%s: is cut short: it ends in %s; fetch it again", f->path, what);
}

static trm_status read_bytes(idx_file *f, void *out, int64_t bytes, const char *what) {
  for (int64_t done = 0; done < bytes;) {
    const int64_t piece = bytes - done < BUFFER_BYTES ? bytes - done : BUFFER_BYTES;
    const int got = gzread(f->stream, (char *)out + done, (unsigned)piece);
    if (got <= 0) return fail_reading(f, what);
    done += got;
  }
  return TRM_OK;
}

static trm_status check_magic(const idx_file *f, const uint8_t *magic) {
  if (magic[0] != 0 || magic[1] != 0 || magic[3] == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: is no IDX file: it begins with %02X %02X %02X %02X", f->path,
                    magic[0], magic[1], magic[2], magic[3]);
  }
  if (magic[2] != UNSIGNED_BYTES) {
    return trm_fail(TRM_ERR_DATA, "%s: has values of type 0x%02X, expected bytes (0x08)", f->path,
                    magic[2]);
  }
  if (magic[3] == f->n_axes) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: has %d ax%s, expected %s; are images and labels mixed up?",
                  f->path, magic[3], magic[3] == 1 ? "is" : "es",
                  f->n_axes == 1 ? "1 (labels)" : "3 (images, rows, columns)");
}

/* n_axes: 3 of images, 1 of labels. */
static trm_status open_file(idx_file *f, const char *path, int n_axes) {
  uint8_t head[HEAD_BYTES], axis[AXIS_BYTES];
  *f = (idx_file){.path = path, .n_axes = n_axes, .stream = gzopen(path, "rb")};
  if (!f->stream) {
    return trm_fail(TRM_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
  }
  (void)gzbuffer(f->stream, BUFFER_BYTES);
  TRM_TRY(read_bytes(f, head, HEAD_BYTES, "its head"));
  TRM_TRY(check_magic(f, head));
  for (int i = 0; i < n_axes; ++i) {
    TRM_TRY(read_bytes(f, axis, AXIS_BYTES, "its head"));
    f->axes[i] = (int64_t)axis[0] << 24 | axis[1] << 16 | axis[2] << 8 | axis[3];
  }
  return TRM_OK;
}

/* Nothing may follow; by looking for it the checksum of a gzip file is compared too. */
static trm_status check_end(idx_file *f) {
  char more;
  const int got = gzread(f->stream, &more, 1);
  if (got < 0) return fail_reading(f, "its checksum");
  if (got == 0) {
    int code;
    (void)gzerror(f->stream, &code);
    return code == Z_BUF_ERROR ? fail_reading(f, "its checksum") : TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA, "%s: goes on behind the %" PRId64 " %s that its head tells of",
                  f->path, f->axes[0], f->n_axes == 1 ? "labels" : "images");
}

static void close_file(idx_file *f) {
  if (f->stream) (void)gzclose(f->stream); /* it was only read */
  f->stream = NULL;
}

/* ---- a part ----------------------------------------------------------------------------------- */

static trm_status open_pair(trm_image_set *set, trm_subset part, idx_file *images,
                            idx_file *labels) {
  TRM_TRY(open_file(images, set->files->images[part], 3));
  if (set->options->unlabelled) return TRM_OK;
  TRM_TRY(open_file(labels, set->files->labels[part], 1));
  if (images->axes[0] == labels->axes[0]) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s has %" PRId64 " images, %s has %" PRId64 " labels; which of "
                  "them belongs to another set?",
                  images->path, images->axes[0], labels->path, labels->axes[0]);
}

static trm_status read_pair(trm_image_set *set, trm_subset part, idx_file *images,
                            idx_file *labels) {
  const bool unlabelled = set->options->unlabelled;
  const trm_origin origin = {.path = unlabelled ? images->path : labels->path, .part = part};
  const int64_t n = images->axes[0], height = images->axes[1], width = images->axes[2];
  TRM_TRY(
      trm_image_reserve(&set->image, images->path, height, width, 1, set->options->most_pixels));
  for (int64_t i = 0; i < n; ++i) {
    char what[64];
    uint8_t number;
    trm_corpus_row row = {0};
    (void)snprintf(what, sizeof what, "number %" PRId64 " of %" PRId64, i + 1, n);
    TRM_TRY(read_bytes(images, set->image.pixels, height * width, what));
    if (!unlabelled) {
      TRM_TRY(read_bytes(labels, &number, 1, what));
      TRM_TRY(trm_image_set_number(set, number, &row.label));
    }
    TRM_TRY(trm_image_set_add(set, images->path, &row, &origin));
  }
  TRM_TRY(check_end(images));
  return unlabelled ? TRM_OK : check_end(labels);
}

static trm_status read_part(trm_image_set *set, trm_subset part) {
  idx_file images = {0}, labels = {0};
  if (!set->files->images[part]) return TRM_OK;
  trm_status status = open_pair(set, part, &images, &labels);
  if (status == TRM_OK) status = read_pair(set, part, &images, &labels);
  close_file(&images);
  close_file(&labels);
  set->corpus.has_part[part] = true;
  return status;
}

/* The progress goes by what the heads tell. */
static trm_status count_part(trm_image_set *set, trm_subset part) {
  idx_file images = {0};
  if (!set->files->images[part]) return TRM_OK;
  const trm_status status = open_file(&images, set->files->images[part], 3);
  if (status == TRM_OK) set->n_expected += images.axes[0];
  close_file(&images);
  return status;
}

trm_status trm_images_read_idx(trm_image_set *set) {
  const trm_image_files *f = set->files;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    const char *pair[] = {f->images[p], f->labels[p]};
    if (!pair[0] != !pair[1] && !set->options->unlabelled) {
      return trm_fail(TRM_ERR_USAGE, "%s: has no file of %s beside it; give both",
                      pair[0] ? pair[0] : pair[1], pair[0] ? "labels" : "images");
    }
    if (pair[0]) TRM_TRY(trm_image_set_inputs(set, pair, pair[1] ? 2 : 1));
  }
  for (int p = 0; p < TRM_N_SUBSETS; ++p) TRM_TRY(count_part(set, (trm_subset)p));
  for (int p = 0; p < TRM_N_SUBSETS; ++p) TRM_TRY(read_part(set, (trm_subset)p));
  return TRM_OK;
}

/* ---- usual names ------------------------------------------------------------------------------ */

/* NULL when there is none. */
static trm_status find_file(trm_image_set *set, const char *part, const char *kind,
                            const char **path) {
  static const char *const forms[] = {"%s-%s-ubyte", "%s-%s-ubyte.gz", "%s.%s-ubyte",
                                      "%s.%s-ubyte.gz"};
  static const char *const axes[] = {"idx1", "idx3"};
  char stem[32], name[64];
  (void)snprintf(stem, sizeof stem, "%s-%s", part, kind);
  for (int i = 0; i < 4; ++i) {
    (void)snprintf(name, sizeof name, forms[i], stem, axes[strcmp(kind, "images") == 0]);
    TRM_TRY(trm_image_set_path(set, set->files->folder, name, path));
    if (trm_path_exists(*path)) return TRM_OK;
  }
  *path = NULL;
  return TRM_OK;
}

trm_status trm_images_find_idx(trm_image_set *set, trm_image_files *files, bool *found) {
  static const char *const parts[TRM_N_SUBSETS] = {
      [TRM_SUBSET_TRAIN] = "train", [TRM_SUBSET_TEST] = "t10k"};
  *found = false;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!parts[p]) continue;
    TRM_TRY(find_file(set, parts[p], "images", &files->images[p]));
    TRM_TRY(find_file(set, parts[p], "labels", &files->labels[p]));
    if (files->images[p] && !files->labels[p]) {
      return trm_fail(TRM_ERR_DATA, "%s: has images (%s), but no %s-labels-idx1-ubyte",
                      files->folder, parts[p], parts[p]);
    }
    *found = *found || files->images[p];
  }
  if (!*found || files->images[TRM_SUBSET_TRAIN]) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: has images to test, but no train-images-idx3-ubyte",
                  files->folder);
}
