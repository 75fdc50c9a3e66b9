#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "images_internal.h"
#include "trireme/core/clock.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/input/data_file.h"
#include "trireme/io/files.h"

/* ---- size and colour -------------------------------------------------------------------------- */

static const char *colour_name(int64_t channels) {
  return channels == 1 ? "grey" : "coloured (RGB)";
}

/* Of the first image of all, once it is as it shall be. */
static void take_shape(trm_image_set *s, const char *path, const trm_image *image) {
  (void)snprintf(s->first, sizeof s->first, "%s", path);
  s->first_height = s->image.height;
  s->first_width = s->image.width;
  s->first_channels = s->image.channels;
  s->channels = image->channels;
  s->height = image->height;
  s->width = image->width;
}

/* Both files are named: either may be the odd one. */
static trm_status check_shape(const trm_image_set *s, const char *path, const trm_image *image) {
  if (image->channels != s->channels) {
    return trm_fail(TRM_ERR_DATA, "%s is %s, but %s is %s; make them alike by --colour grey or rgb",
                    path, colour_name(s->image.channels), s->first, colour_name(s->first_channels));
  }
  if (image->height == s->height && image->width == s->width) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s has %" PRId64 " x %" PRId64 " pixels, but %s has %" PRId64 " x %" PRId64
                  " (height x width); make them alike by --resize HxW",
                  path, s->image.height, s->image.width, s->first, s->first_height, s->first_width);
}

/* The image as the options ask for it; it is one of the set's. */
static trm_status make_alike(trm_image_set *s, const trm_image **out) {
  const trm_prepare_images_options *o = s->options;
  const trm_image *image = &s->image;
  if (o->colour > 0 && image->channels != o->colour) {
    TRM_TRY(trm_image_recolour(image, o->colour, &s->coloured));
    image = &s->coloured;
    ++s->counts->recoloured;
  }
  if (o->resize_height > 0 &&
      (image->height != o->resize_height || image->width != o->resize_width)) {
    TRM_TRY(trm_image_resize(image, o->resize_height, o->resize_width, &s->resized));
    image = &s->resized;
    ++s->counts->resized;
  }
  *out = image;
  return TRM_OK;
}

/* ---- adding ----------------------------------------------------------------------------------- */

static trm_status make_room(trm_image_set *s, int64_t bytes) {
  const int64_t n = s->corpus.n;
  int64_t wanted = n + 1, all;
  if (n == 0 && s->reserve) wanted = trm_max_i64(s->n_expected, 1);
  if (!trm_size_mul(wanted, bytes, &all)) {
    return trm_fail(TRM_ERR_MEMORY, "%" PRId64 " images of %" PRId64 " bytes do not fit", wanted,
                    bytes);
  }
  return TRM_GROW(&s->pixels, all - 1, &s->capacity, "pixels of all images");
}

/* From the channels of a pixel side by side to one channel after another. */
static void part_channels(const trm_image *image, uint8_t *out) {
  const int64_t n = image->height * image->width, channels = image->channels;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < n; ++i) out[c * n + i] = image->pixels[i * channels + c];
  }
}

static void show_progress(const trm_image_set *s) {
  const trm_prepare_images_options *o = s->options;
  const double passed_s = trm_clock_s() - s->began_s;
  char what[64];
  if (!o->progress || s->n_expected <= 0) return;
  const double per_s = passed_s > 0 ? (double)s->corpus.n / passed_s : 0;
  (void)snprintf(what, sizeof what, "%" PRId64 " images, %.0f/s", s->corpus.n, per_s);
  o->progress(o->context, (double)s->corpus.n / (double)s->n_expected, what);
}

trm_status trm_image_set_add(trm_image_set *set, const char *path, const trm_corpus_row *row,
                             const trm_origin *origin) {
  const trm_image *image;
  set->counts->alpha += set->image.lost_alpha;
  TRM_TRY(make_alike(set, &image));
  if (set->corpus.n == 0) take_shape(set, path, image);
  TRM_TRY(check_shape(set, path, image));
  const int64_t bytes = image->channels * image->height * image->width;
  TRM_TRY(make_room(set, bytes));
  part_channels(image, set->pixels + set->corpus.n * bytes);
  TRM_TRY(trm_corpus_add_facts(&set->corpus, row, origin));
  show_progress(set);
  return TRM_OK;
}

trm_status trm_image_set_path(trm_image_set *set, const char *folder, const char *name,
                              const char **path) {
  char *joined = NULL;
  TRM_TRY(TRM_GROW(&set->paths, set->n_paths, &set->paths_capacity, "names of files"));
  TRM_TRY(TRM_ALLOC(&joined, (int64_t)(strlen(folder) + strlen(name) + 2), "name of a file"));
  set->paths[set->n_paths++] = joined;
  *path = joined;
  return trm_path_join(joined, strlen(folder) + strlen(name) + 2, folder, name);
}

trm_status trm_image_set_number(trm_image_set *set, int64_t number, int32_t *label) {
  char name[24];
  bool added;
  const int n = snprintf(name, sizeof name, "%" PRId64, number);
  return trm_names_add(&set->corpus.classes, name, n, label, &added);
}

trm_status trm_image_set_inputs(trm_image_set *set, const char *const *paths, int64_t n) {
  trm_corpus *c = &set->corpus;
  for (int64_t i = 0; i < n; ++i) TRM_TRY(trm_inputs_add(&c->inputs, paths[i]));
  return trm_inputs_check(&c->inputs, set->options->output, &c->progress);
}

/* ---- writing ---------------------------------------------------------------------------------- */

static trm_status write(const trm_image_set *s, const trm_parts *parts, const trm_ids *splits,
                        const trm_text_list *names) {
  const trm_corpus *c = &s->corpus;
  const bool classes = c->target == TRM_TARGET_CLASS;
  trm_samples samples = {.source = c->inputs.source,
                         .n = c->n,
                         .input = TRM_INPUT_IMAGE,
                         .images = {s->channels, s->height, s->width, s->pixels},
                         .target = c->target,
                         .names = trm_text_list_texts(names),
                         .n_splits = classes ? parts->n_splits : 0,
                         .splits = splits};
  if (classes) {
    samples.classes = (trm_classes){.n = (int)c->classes.n,
                                    .labels = c->labels,
                                    .names = {.n = c->classes.n,
                                              .offsets = trm_names_offsets(&c->classes),
                                              .bytes = c->classes.bytes.data}};
  }
  return trm_samples_write(c->options->output, &samples);
}

trm_status trm_image_set_write(trm_image_set *set) {
  trm_corpus *c = &set->corpus;
  trm_parts parts = {0};
  trm_ids *splits = NULL;
  int32_t *ids = NULL;
  trm_text_list names = {0};
  trm_status status = TRM_OK;
  if (c->n == 0) return trm_fail(TRM_ERR_DATA, "%s: there are no images", c->inputs.source);
  if (!c->classes_given) TRM_TRY(trm_corpus_sort_names(c, &c->classes, c->labels));
  TRM_TRY_OUT(trm_corpus_tell_alike(c));
  TRM_TRY_OUT(trm_parts_make(c, &parts));
  TRM_TRY_OUT(trm_parts_check(c, &parts, NULL));
  TRM_TRY_OUT(trm_parts_lists(&parts, c->n, NULL, &splits, &ids));
  TRM_TRY_OUT(trm_corpus_keep_names(c, NULL, &names));
  TRM_TRY_OUT(write(set, &parts, splits, &names));
out:
  trm_text_list_free(&names);
  TRM_FREE(ids);
  TRM_FREE(splits);
  trm_parts_free(&parts);
  return status;
}

void trm_image_set_free(trm_image_set *set) {
  for (int64_t i = 0; i < set->n_paths; ++i) TRM_FREE(set->paths[i]);
  TRM_FREE(set->paths);
  TRM_FREE(set->pixels);
  trm_image_free(&set->image);
  trm_image_free(&set->coloured);
  trm_image_free(&set->resized);
  trm_corpus_free(&set->corpus);
}
