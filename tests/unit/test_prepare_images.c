/* Images of every source, pixel by pixel, and what is wrong with their files. */
#include "image_fixture.h"
#include "trireme/input/samples.h"
#include "trireme/prepare/images.h"

static const char *folder, *out;
static trm_prepare_images_counts counts;

static trm_prepare_images_options usual(void) {
  return (trm_prepare_images_options){
      .output = out, .valid_share = 0, .test_share = -1, .seed = 1, .most_pixels = 1000000};
}

/* Prepared and opened. */
static trm_samples *good(const trm_image_files *files, const trm_prepare_images_options *o) {
  const int64_t live = trm_alloc_counts_get().live_blocks;
  trm_samples *s = NULL;
  if (!CHECK_OK(trm_prepare_images(files, o, &counts))) exit(1);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  if (!CHECK_OK(trm_samples_open(out, &s))) exit(1);
  return s;
}

static void bad(const trm_image_files *files, const trm_prepare_images_options *o,
                trm_status status, const char *part) {
  const int64_t live = trm_alloc_counts_get().live_blocks;
  (void)remove(out);
  CHECK_EQ(trm_prepare_images(files, o, &counts), status);
  CHECK_HAS(trm_message(), part);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  CHECK(access(out, F_OK) != 0);
}

static void bad_folder(const char *path, const char *part) {
  const trm_image_files files = {.folder = path};
  const trm_prepare_images_options o = usual();
  bad(&files, &o, TRM_ERR_DATA, part);
}

static void check_pixels(const trm_samples *s, int64_t i, const uint8_t *want, int64_t n) {
  CHECK_EQ(s->images.channels * s->images.height * s->images.width, n);
  for (int64_t k = 0; k < n; ++k) CHECK_EQ(s->images.pixels[i * n + k], want[k]);
}

static void check_class(const trm_samples *s, int64_t i, const char *want) {
  const trm_texts *names = &s->classes.names;
  const int32_t label = s->classes.labels[i];
  char name[64] = "";
  memcpy(name, names->bytes + names->offsets[label],
         (size_t)(names->offsets[label + 1] - names->offsets[label]));
  CHECK_STR(name, want);
}

static void check_parts(const trm_samples *s, int64_t n_train, int64_t n_valid, int64_t n_test) {
  CHECK_EQ(s->splits[TRM_SUBSET_TRAIN].n, n_train);
  CHECK_EQ(s->splits[TRM_SUBSET_VALID].n, n_valid);
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, n_test);
}

/* ---- IDX -------------------------------------------------------------------------------------- */

static const int idx_axes[3] = {4, 2, 3};
static const uint8_t idx_values[24] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                       12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 255};
static const uint8_t idx_labels[4] = {7, 10, 7, 10};

static const char *make_idx(const char *name, const char *images, const char *labels,
                            const char *test_images, const char *test_labels) {
  const char *path = image_folder(folder, name);
  image_idx(image_path(path, images), 3, idx_axes, idx_values, 24);
  image_idx(image_path(path, labels), 1, idx_axes, idx_labels, 4);
  if (!test_images) return path;
  const int axes[3] = {2, 2, 3};
  image_idx(image_path(path, test_images), 3, axes, idx_values + 12, 12);
  image_idx(image_path(path, test_labels), 1, axes, idx_labels, 2);
  return path;
}

static void check_idx_data(const char *path) {
  const trm_image_files files = {.folder = path};
  const trm_prepare_images_options o = usual();
  trm_samples *s = good(&files, &o);
  CHECK_EQ(s->n, 6);
  CHECK_EQ(s->images.height, 2);
  CHECK_EQ(s->images.width, 3);
  check_parts(s, 4, 0, 2);
  for (int64_t i = 0; i < 4; ++i) check_pixels(s, i, idx_values + 6 * i, 6);
  check_pixels(s, 5, idx_values + 18, 6);
  check_class(s, 0, "7");
  check_class(s, 5, "10");
  CHECK_EQ(s->classes.labels[1], 1); /* 10 is behind 7 */
  trm_samples_close(&s);
}

static void check_idx(void) {
  check_idx_data(make_idx("plain", "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                          "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"));
  const char *path = make_idx("zipped", "train-images-idx3-ubyte.gz", "train-labels.idx1-ubyte.gz",
                              "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz");
  check_idx_data(path);
  const trm_image_files files = {
      .images = {[TRM_SUBSET_TRAIN] = image_path(path, "train-images-idx3-ubyte.gz"),
                 [TRM_SUBSET_VALID] = image_path(path, "t10k-images-idx3-ubyte")},
      .labels = {[TRM_SUBSET_TRAIN] = image_path(path, "train-labels.idx1-ubyte.gz"),
                 [TRM_SUBSET_VALID] = image_path(path, "t10k-labels-idx1-ubyte.gz")}};
  trm_prepare_images_options o = usual();
  trm_samples *s = good(&files, &o);
  check_parts(s, 4, 2, 0);
  trm_samples_close(&s);
  o.valid_share = 0.1;
  bad(&files, &o, TRM_ERR_USAGE, "come from a file or are a share, not both");
}

static void check_idx_damage(void) {
  const char *path =
      make_idx("idx-bad", "train-images-idx3-ubyte", "train-labels-idx1-ubyte", NULL, NULL);
  const char *images = image_path(path, "train-images-idx3-ubyte"),
             *labels = image_path(path, "train-labels-idx1-ubyte"),
             *zipped = image_path(path, "i.gz");
  const trm_image_files files = {.images = {zipped}, .labels = {labels}};
  const trm_prepare_images_options o = usual();
  image_cut(images, 7);
  bad_folder(path, "train-images-idx3-ubyte: is cut short: it ends in number 3 of 4");
  image_cut(images, 20);
  bad_folder(path, "is cut short: it ends in its head");
  image_idx(images, 3, idx_axes, idx_values, 25 - 1);
  image_idx(labels, 1, idx_axes, idx_labels, 3);
  bad_folder(path, "train-labels-idx1-ubyte: is cut short: it ends in number 4 of 4");
  const int three = 3;
  image_idx(labels, 1, &three, idx_labels, 3);
  bad_folder(path, "train-images-idx3-ubyte has 4 images, ");
  image_idx(labels, 1, idx_axes, idx_labels, 4);
  const int fewer[3] = {3, 2, 3};
  image_idx(images, 3, fewer, idx_values, 24);
  image_idx(labels, 1, fewer, idx_labels, 3);
  bad_folder(path, "train-images-idx3-ubyte: goes on behind the 3 images that its head tells of");
  image_idx(zipped, 3, fewer, idx_values, 24);
  bad(&files, &o, TRM_ERR_DATA, "i.gz: goes on behind the 3 images that its head tells of");
  image_idx(images, 3, fewer, idx_values, 18);
  image_idx(labels, 1, fewer, idx_labels, 4);
  bad_folder(path, "goes on behind the 3 labels");
  image_idx(labels, 1, idx_axes, idx_labels, 4);
  image_idx(images, 1, idx_axes, idx_values, 24);
  bad_folder(path,
             "has 1 axis, expected 3 (images, rows, columns); are images and labels mixed up?");
  image_bytes(images, "P5 28 28 255", 12);
  bad_folder(path, "is no IDX file: it begins with 50 35 20 32");
  image_idx(images, 3, idx_axes, idx_values, 24);
  image_patch(images, 2, "\x0D", 1);
  bad_folder(path, "has values of type 0x0D, expected bytes (0x08)");
  const int large[3] = {4, 65536, 65536}, none[3] = {4, 0, 3};
  image_idx(images, 3, large, idx_values, 24);
  bad_folder(path, "of 65536 x 65536 pixels, more than --most-pixels 1000000");
  image_idx(images, 3, none, idx_values, 0);
  bad_folder(path, "is an image of 0 x 3 pixels");
  (void)remove(labels);
  bad_folder(path, "idx-bad: has images (train), but no train-labels-idx1-ubyte");
}

static void check_gzip_damage(void) {
  const char *path = image_folder(folder, "gzip-bad");
  const char *images = image_path(path, "i.gz"), *labels = image_path(path, "l");
  const trm_image_files files = {.images = {images}, .labels = {labels}};
  const trm_prepare_images_options o = usual();
  image_idx(labels, 1, idx_axes, idx_labels, 4);
  image_idx(images, 3, idx_axes, idx_values, 24);
  image_patch(images, -8, "\1\2\3\4", 4);
  bad(&files, &o, TRM_ERR_DATA, "i.gz: is damaged (");
  image_idx(images, 3, idx_axes, idx_values, 24);
  image_cut(images, 3);
  bad(&files, &o, TRM_ERR_DATA, "i.gz: is cut short: it ends in its checksum");
  image_cut(images, 16);
  bad(&files, &o, TRM_ERR_DATA, "i.gz: is cut short: it ends in number ");
  image_idx(images, 3, idx_axes, idx_values, 24);
  image_patch(images, 12, "\xFF\xFF\xFF\xFF\xFF", 5);
  bad(&files, &o, TRM_ERR_DATA, "i.gz: is damaged (");
}

/* ---- folders ---------------------------------------------------------------------------------- */

static const uint8_t grey_4[4] = {10, 20, 30, 40};
static const uint8_t rgb_4[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7};

/* Two classes, in parts, with names that count. */
static void check_folders(void) {
  const char *path = image_folder(folder, "parts");
  const char *parts[] = {image_folder(path, "train"), image_folder(path, "val"),
                         image_folder(path, "test")};
  for (int p = 0; p < 3; ++p) {
    const char *cat = image_folder(parts[p], "cat"), *ant = image_folder(parts[p], "ant");
    const uint8_t tens[4] = {1, 1, 1, 10}, twos[4] = {1, 1, 1, 2};
    image_png_plain(image_path(cat, "10.png"), 2, 2, 1, tens);
    image_png_plain(image_path(cat, "2.jpeg"), 2, 2, 1, twos);
    image_png_plain(image_path(ant, "a"), 2, 2, 1, grey_4);
    image_bytes(image_path(ant, ".hidden"), "x", 1);
  }
  image_bytes(image_path(path, "README"), "about", 5);
  image_bytes(image_path(parts[0], "archive"), "about", 5);
  CHECK_EQ(truncate(image_path(parts[0], "archive"), INT64_C(3) << 30), 0);
  const trm_image_files files = {.folder = path};
  const trm_prepare_images_options o = usual();
  trm_samples *s = good(&files, &o);
  check_parts(s, 3, 3, 3);
  check_pixels(s, 0, grey_4, 4);
  check_class(s, 0, "ant");
  check_class(s, 1, "cat");
  CHECK_EQ(s->images.pixels[7], 2);
  CHECK_EQ(s->images.pixels[11], 10);
  trm_samples_close(&s);
  image_png_plain(image_path(parts[0], "stray"), 2, 2, 1, grey_4);
  bad_folder(path, "train/stray: is an image outside the folders of the classes");
  (void)remove(image_path(parts[0], "stray"));
  (void)image_folder(path, "other");
  bad_folder(path, "parts: has a folder 'other' beside train");
  (void)remove(image_path(path, "other"));
  const char *dog = image_folder(parts[2], "dog");
  bad_folder(path, "test/dog: is empty");
  image_png_plain(image_path(dog, "1.png"), 2, 2, 1, grey_4);
  bad_folder(path, "test/dog: class 'dog' is in the test part, but no sample to train on has it");
}

/* A folder of one class, whose files are made by the checks. */
static const char *one_class(const char *name) {
  return image_folder(image_folder(folder, name), "c");
}

static void check_part_options(void) {
  const char *path = image_folder(folder, "alone"), *valid = image_folder(folder, "alone-valid");
  const char *a = image_folder(path, "a"), *b = image_folder(path, "b");
  for (int i = 0; i < 10; ++i) {
    char name[16];
    (void)snprintf(name, sizeof name, "%d", i);
    image_png_plain(image_path(a, name), 2, 2, 1, grey_4);
    image_png_plain(image_path(b, name), 2, 2, 1, grey_4);
  }
  image_png_plain(image_path(image_folder(valid, "b"), "x"), 2, 2, 1, grey_4);
  trm_image_files files = {.folder = path};
  trm_prepare_images_options o = usual();
  o.valid_share = -1, o.test_share = 0.2;
  trm_samples *s = good(&files, &o);
  check_parts(s, 14, 2, 4);
  trm_samples_close(&s);
  o.n_folds = 5, o.test_share = -1;
  s = good(&files, &o);
  CHECK_EQ(s->n_splits, 5);
  check_parts(s, 14, 2, 4);
  trm_samples_close(&s);
  o.n_folds = 0;
  files.part_folders[TRM_SUBSET_VALID] = valid;
  s = good(&files, &o);
  check_parts(s, 20, 1, 0);
  check_class(s, 20, "b");
  trm_samples_close(&s);
  files.part_folders[TRM_SUBSET_VALID] = image_path(folder, "nowhere");
  bad(&files, &o, TRM_ERR_MISSING, "nowhere: No such file");
}

/* Every sort of PNG becomes 8 bits of grey or of red, green and blue. */
static void check_png_sorts(void) {
  const char *c = one_class("sorts"), *parent = image_path(folder, "sorts");
  const trm_image_files files = {.folder = parent};
  trm_prepare_images_options o = usual();
  const uint8_t bits[2] = {0x40, 0x80}, twos[2] = {0x10, 0xB0};
  const uint8_t deep[8] = {0, 0, 0x80, 0x80, 0xFF, 0xFF, 0x01, 0x40};
  image_png p = {2, 2, 1, PNG_COLOR_TYPE_GRAY, .rows = bits, .row_bytes = 1};
  image_png_write(image_path(c, "1"), &p);
  p.depth = 2, p.rows = twos;
  image_png_write(image_path(c, "2"), &p);
  p.depth = 16, p.rows = deep, p.row_bytes = 4;
  image_png_write(image_path(c, "3"), &p);
  const uint8_t opaque[8] = {10, 255, 20, 255, 30, 255, 40, 255};
  p.depth = 8, p.rows = opaque, p.colour = PNG_COLOR_TYPE_GRAY_ALPHA;
  image_png_write(image_path(c, "4"), &p);
  trm_samples *s = good(&files, &o);
  check_pixels(s, 0, (const uint8_t[]){0, 255, 255, 0}, 4);
  check_pixels(s, 1, (const uint8_t[]){0, 85, 170, 255}, 4);
  check_pixels(s, 2, (const uint8_t[]){0, 128, 255, 1}, 4);
  check_pixels(s, 3, grey_4, 4);
  CHECK_EQ(counts.alpha, 0);
  trm_samples_close(&s);
  /* Palettes are coloured. */
  const png_color palette[3] = {{255, 0, 0}, {0, 255, 0}, {1, 2, 3}};
  const uint8_t places[4] = {0, 1, 2, 1}, alphas[2] = {255, 128};
  image_png q = {2, 2, 8, PNG_COLOR_TYPE_PALETTE, true, places, 2, palette, 3, NULL, 0};
  image_png_write(image_path(c, "5"), &q);
  bad_folder(parent, "sorts/c/5 is coloured (RGB), but ");
  o.colour = 3;
  s = good(&files, &o);
  CHECK_EQ(counts.recoloured, 4);
  check_pixels(s, 3, (const uint8_t[]){10, 20, 30, 40, 10, 20, 30, 40, 10, 20, 30, 40}, 12);
  check_pixels(s, 4, (const uint8_t[]){255, 0, 1, 0, 0, 255, 2, 255, 0, 0, 3, 0}, 12);
  trm_samples_close(&s);
  q.alphas = alphas, q.n_alphas = 2;
  image_png_write(image_path(c, "5"), &q);
  bad(&files, &o, TRM_ERR_DATA, "c/5: has transparent pixels; put it on a background, or take");
  o.drop_alpha = true;
  s = good(&files, &o);
  CHECK_EQ(counts.alpha, 1);
  check_pixels(s, 4, (const uint8_t[]){255, 0, 1, 0, 0, 255, 2, 255, 0, 0, 3, 0}, 12);
  trm_samples_close(&s);
  o.colour = 1; /* 0.299, 0.587 and 0.114 of 255 */
  image_png_plain(image_path(c, "5"), 2, 2, 3, rgb_4);
  s = good(&files, &o);
  check_pixels(s, 4, (const uint8_t[]){76, 150, 29, 8}, 4);
  trm_samples_close(&s);
}

static void check_interlaced(void) {
  const char *c = one_class("interlaced");
  uint8_t pixels[9 * 11 * 3], planes[9 * 11 * 3];
  for (int i = 0; i < 99; ++i) {
    for (int k = 0; k < 3; ++k) {
      planes[99 * k + i] = pixels[3 * i + k] = (uint8_t)(7 * i + 50 * k);
    }
  }
  const image_png p = {9, 11, 8, PNG_COLOR_TYPE_RGB, true, pixels, 33, NULL, 0, NULL, 0};
  image_png_write(image_path(c, "a"), &p);
  const trm_image_files files = {.folder = image_path(folder, "interlaced")};
  const trm_prepare_images_options o = usual();
  trm_samples *s = good(&files, &o);
  CHECK_EQ(s->images.height, 9);
  check_pixels(s, 0, planes, 297);
  trm_samples_close(&s);
}

/* Flat blocks come back as they were; a ramp nearly so. Content decides, not the name. */
static void check_jpeg(void) {
  const char *c = one_class("jpeg"), *parent = image_path(folder, "jpeg");
  const trm_image_files files = {.folder = parent};
  const trm_prepare_images_options o = usual();
  uint8_t flat[64], ramp[64];
  for (int i = 0; i < 64; ++i) flat[i] = 77, ramp[i] = (uint8_t)(3 * (i / 8) + 20 * (i % 8));
  image_jpeg(image_path(c, "1.png"), 8, 8, 1, flat);
  image_jpeg(image_path(c, "2"), 8, 8, 1, ramp);
  trm_samples *s = good(&files, &o);
  check_pixels(s, 0, flat, 64);
  for (int i = 0; i < 64; ++i) CHECK_NEAR_AT(s->images.pixels[64 + i], ramp[i], 1, i);
  trm_samples_close(&s);
  uint8_t red[8 * 8 * 3], ink[8 * 8 * 4] = {0};
  for (int i = 0; i < 64; ++i) memcpy(red + 3 * i, (const uint8_t[]){200, 30, 10}, 3);
  image_jpeg(image_path(c, "1.png"), 8, 8, 3, red);
  (void)remove(image_path(c, "2"));
  s = good(&files, &o);
  CHECK_NEAR(s->images.pixels[0], 200, 2);
  CHECK_NEAR(s->images.pixels[64], 30, 2);
  CHECK_NEAR(s->images.pixels[191], 10, 2);
  trm_samples_close(&s);
  image_jpeg(image_path(c, "1.png"), 8, 8, 4, ink);
  bad_folder(parent, "1.png: has 4 colour channels (for printing, CMYK)");
}

static void check_sizes(void) {
  const char *c = one_class("sizes"), *parent = image_path(folder, "sizes");
  const trm_image_files files = {.folder = parent};
  trm_prepare_images_options o = usual();
  const uint8_t wide[8] = {0, 100, 200, 50, 10, 20, 30, 41};
  image_png_plain(image_path(c, "1"), 2, 4, 1, wide);
  image_png_plain(image_path(c, "2"), 1, 1, 1, wide + 3);
  image_png_plain(image_path(c, "3"), 2, 2, 1, grey_4);
  bad_folder(parent, "c/2 has 1 x 1 pixels, but ");
  bad_folder(parent, "c/1 has 2 x 4 (height x width); make them alike by --resize HxW");
  o.resize_height = 1, o.resize_width = 3; /* down, but the 1 x 1 and 2 x 2 go up along x */
  trm_samples *s = good(&files, &o);
  CHECK_EQ(counts.resized, 3);
  /* 4 to 3: (3 a + b) / 4, (2 b + 2 c) / 4, (c + 3 d) / 4 of the means of both rows */
  check_pixels(s, 0, (const uint8_t[]){19, 88, 63}, 3);
  check_pixels(s, 1, (const uint8_t[]){50, 50, 50}, 3);
  check_pixels(s, 2, (const uint8_t[]){20, 25, 30}, 3); /* 20, 30: centres at -1/6, 1/2, 7/6 */
  trm_samples_close(&s);
  o.resize_height = 2, o.resize_width = 4;
  s = good(&files, &o);
  CHECK_EQ(counts.resized, 2);
  check_pixels(s, 0, wide, 8);
  check_pixels(s, 2, (const uint8_t[]){10, 13, 18, 20, 30, 33, 38, 40}, 8);
  trm_samples_close(&s);
}

static void check_other_files(void) {
  const char *c = one_class("others"), *parent = image_path(folder, "others");
  const trm_image_files files = {.folder = parent};
  trm_prepare_images_options o = usual();
  image_bytes(image_path(c, "notes.txt"), "hello\nyou", 9);
  bad_folder(parent, "notes.txt: is neither PNG nor JPEG: it begins with 'hello\\nyou'; remove it");
  o.skip_other = true;
  bad(&files, &o, TRM_ERR_DATA, "others/c: has no image");
  image_bytes(image_path(c, "empty"), "", 0);
  image_png_plain(image_path(c, "z"), 2, 2, 1, grey_4);
  trm_samples *s = good(&files, &o);
  CHECK_EQ(s->n, 1);
  CHECK_EQ(counts.other, 2);
  trm_samples_close(&s);
  /* Nothing but its beginning is read of a file that is none: this one is larger than images may be. */
  CHECK_EQ(truncate(image_path(c, "empty"), INT64_C(3) << 30), 0);
  s = good(&files, &o);
  CHECK_EQ(counts.other, 2);
  trm_samples_close(&s);
  CHECK_EQ(truncate(image_path(c, "empty"), 0), 0);
  bad_folder(parent, "empty: is neither PNG nor JPEG: it is empty");
  (void)remove(image_path(c, "empty"));
  (void)remove(image_path(c, "notes.txt"));
  (void)image_folder(c, "inner");
  bad_folder(parent, "inner: is a folder among images");
  bad_folder(image_path(folder, "others/c/inner"), "has no folders of classes, nor files of MNIST");
}

static void check_png_damage(void) {
  const char *c = one_class("png-bad"), *parent = image_path(folder, "png-bad"),
             *path = image_path(c, "x.png");
  uint8_t data[4096];
  image_png_plain(path, 2, 2, 3, rgb_4);
  const size_t n = image_read(path, data, sizeof data);
  for (size_t bytes = 8; bytes < n; ++bytes) { /* cut at every byte behind the signature */
    image_bytes(path, data, bytes);
    bad_folder(parent, "x.png: is damaged: ");
  }
  image_bytes(path, data, n);
  image_patch(path, -20, "\x55", 1); /* in the pixels' checksum or data */
  bad_folder(parent, "x.png: is damaged: ");
  image_bytes(path, data, n);
  image_patch(path, 16, "\x00\x01\x00\x00\x00\x01\x00\x00", 8);
  bad_folder(parent, "x.png: tells of an image of 65536 x 65536 pixels, more than --most-pixels");
  image_patch(path, 16, "\0\0\0\0\0\0\0\0", 8);
  bad_folder(parent, "x.png: is an image of 0 x 0 pixels");
}

/* Where the frame's head has height and width. */
static long frame_size_at(const uint8_t *data, size_t n) {
  for (size_t i = 0; i + 9 < n; ++i) {
    if (data[i] == 0xFF && data[i + 1] == 0xC0) return (long)i + 5;
  }
  return CHECK(false), 0;
}

static void check_jpeg_damage(void) {
  const char *c = one_class("jpeg-bad"), *parent = image_path(folder, "jpeg-bad"),
             *path = image_path(c, "x.jpg");
  uint8_t data[4096], pixels[16 * 16];
  for (int i = 0; i < 256; ++i) pixels[i] = (uint8_t)(i * i);
  image_jpeg(path, 16, 16, 1, pixels);
  const size_t n = image_read(path, data, sizeof data);
  for (size_t bytes = 3; bytes < n; ++bytes) {
    image_bytes(path, data, bytes);
    bad_folder(parent, "x.jpg: is damaged: ");
  }
  image_bytes(path, data, n);
  const long at = frame_size_at(data, n);
  image_patch(path, at, "\xEA\x60\xEA\x60", 4);
  bad_folder(parent, "x.jpg: tells of an image of 60000 x 60000 pixels, more than --most-pixels");
  image_patch(path, at, "\0\0\0\0", 4);
  bad_folder(parent, "x.jpg: is damaged: Empty JPEG image");
}

/* Any allocation may fail: an error, nothing left behind. */
static void check_memory(void) {
  const char *c = one_class("memory");
  image_png_plain(image_path(c, "a"), 2, 2, 3, rgb_4);
  image_jpeg(image_path(c, "b"), 2, 2, 1, grey_4);
  const trm_image_files files = {.folder = image_path(folder, "memory")};
  trm_prepare_images_options o = usual();
  o.colour = 1, o.resize_height = o.resize_width = 3;
  const int64_t live = trm_alloc_counts_get().live_blocks;
  trm_status status = TRM_ERR_MEMORY;
  for (int n = 0; status != TRM_OK && n < 400; ++n) {
    trm_alloc_fail_after(n);
    status = trm_prepare_images(&files, &o, &counts);
    trm_alloc_fail_after(-1);
    if (status != TRM_OK) CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  }
  CHECK_OK(status);
}

/* ---- CIFAR ------------------------------------------------------------------------------------ */

static void make_batch(const char *path, int n_labels, const uint8_t *labels, int n, size_t more) {
  static uint8_t data[4 * 3074];
  const int record = n_labels + 3072;
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < 3072; ++k) data[i * record + n_labels + k] = (uint8_t)(k / 12 + i);
    for (int k = 0; k < n_labels; ++k) data[i * record + k] = labels[i * n_labels + k];
  }
  image_bytes(path, data, (size_t)(n * record) + more);
}

static void check_cifar(void) {
  static const char names[] =
      "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
  const char *path = image_folder(folder, "cifar");
  const uint8_t labels[2] = {3, 9};
  char name[32];
  for (int b = 1; b <= 5; ++b) {
    (void)snprintf(name, sizeof name, "data_batch_%d.bin", b);
    make_batch(image_path(path, name), 1, labels, 2, 0);
  }
  make_batch(image_path(path, "test_batch.bin"), 1, labels, 1, 0);
  image_bytes(image_path(path, "batches.meta.txt"), names, sizeof names - 1);
  const trm_image_files files = {.folder = path};
  const trm_prepare_images_options o = usual();
  trm_samples *s = good(&files, &o);
  check_parts(s, 10, 0, 1);
  CHECK_EQ(s->classes.n, 10);
  check_class(s, 0, "cat");
  check_class(s, 9, "truck");
  uint8_t want[3072];
  for (int k = 0; k < 3072; ++k) want[k] = (uint8_t)(k / 12 + 1);
  check_pixels(s, 9, want, 3072);
  trm_samples_close(&s);
  make_batch(image_path(path, "data_batch_2.bin"), 1, labels, 2, 5);
  bad_folder(path, "data_batch_2.bin: has 6151 bytes, which is no multiple of the 3073");
  const uint8_t wrong[2] = {3, 10};
  make_batch(image_path(path, "data_batch_2.bin"), 1, wrong, 2, 0);
  bad_folder(path, "data_batch_2.bin: label 10 of image 1 (from 0) is out of [0, 10)");
  (void)remove(image_path(path, "data_batch_2.bin"));
  bad_folder(path, "cifar: has no data_batch_2.bin");
  image_bytes(image_path(path, "batches.meta.txt"), names, 20);
  make_batch(image_path(path, "data_batch_2.bin"), 1, labels, 2, 0);
  bad_folder(path, "batches.meta.txt: has 2 names, expected 10");
}

static void check_cifar_100(void) {
  const char *path = image_folder(folder, "cifar100");
  const uint8_t labels[4] = {1, 99, 0, 40};
  make_batch(image_path(path, "train.bin"), 2, labels, 2, 0);
  make_batch(image_path(path, "test.bin"), 2, labels, 1, 0);
  const trm_image_files files = {.folder = path};
  const trm_prepare_images_options o = usual();
  trm_samples *s = good(&files, &o);
  check_parts(s, 2, 0, 1);
  CHECK_EQ(s->classes.n, 100);
  check_class(s, 0, "99");
  check_class(s, 1, "40");
  trm_samples_close(&s);
}

/* ---- tables ----------------------------------------------------------------------------------- */

static const char *table(const char *name, const char *text) {
  const char *path = image_path(folder, name);
  fixture_file(path, text, strlen(text));
  return path;
}

static void bad_table(const char *text, const trm_prepare_images_options *o, const char *part) {
  const char *path = table("bad.csv", text);
  const trm_image_files files = {.pixels = {&path}, .n_pixels = {1}};
  bad(&files, o, TRM_ERR_DATA, part);
}

static void check_tables(void) {
  const char *train = table("t.csv", "7,0,1,2\n9,3,4,255\n"), *test = table("e.csv", "9,5,6,7\n");
  trm_image_files files = {.pixels = {[TRM_SUBSET_TRAIN] = &train, [TRM_SUBSET_TEST] = &test},
                           .n_pixels = {[TRM_SUBSET_TRAIN] = 1, [TRM_SUBSET_TEST] = 1}};
  trm_prepare_images_options o = usual();
  bad(&files, &o, TRM_ERR_USAGE, "need --size HxW");
  o.height = 1, o.width = 3, o.channels = 1;
  trm_samples *s = good(&files, &o);
  check_parts(s, 2, 0, 1);
  check_pixels(s, 1, (const uint8_t[]){3, 4, 255}, 3);
  check_class(s, 2, "9");
  trm_samples_close(&s);
  o.width = 1, o.channels = 3;
  s = good(&files, &o);
  CHECK_EQ(s->images.channels, 3);
  check_pixels(s, 1, (const uint8_t[]){3, 4, 255}, 3);
  trm_samples_close(&s);
  /* Another range, the label behind, a line of names. */
  const char *scaled = table("s.csv", "p1;p2;p3;what\n0;8;16;b\n4;1.5;1e1;a\n");
  files = (trm_image_files){.pixels = {&scaled}, .n_pixels = {1}};
  o.label = "what", o.scale = 16;
  s = good(&files, &o);
  check_pixels(s, 0, (const uint8_t[]){0, 128, 255}, 3);
  check_pixels(s, 1, (const uint8_t[]){64, 24, 159}, 3);
  check_class(s, 0, "b");
  CHECK_EQ(s->classes.labels[0], 1);
  trm_samples_close(&s);
  bad_table("what,a,b,c\nx,0,16,17\n", &o, "bad.csv:2: value 17 in column 4 is out of [0, 16]");
  o = usual();
  o.height = 1, o.width = 3, o.channels = 1;
  bad_table("x,0,1,256\n", &o, "bad.csv:1: value 256 in column 4 is no whole number from 0 to 255");
  bad_table("x,0,1,0.5\n", &o, "bad.csv:1: value 0.5 in column 4 is no whole number");
  bad_table("x,0,1,-1\n", &o, "bad.csv:1: value -1 in column 4 is no whole number");
  bad_table("x,0,1\n", &o, "bad.csv:1: 3 columns, but --size 1x3x1 needs 4, one of them the label");
  bad_table("x,0,1,2\ny,0,1\n", &o, "bad.csv:2: 3 fields, the first line has 4");
  bad_table("l,p,q,r\ny,0,1,2\n", &o, "or give --header yes if the line names columns");
  bad_table("x,0,1,2\n ,0,1,2\n", &o, "bad.csv:2: the label is empty");
}

/* ---- options ---------------------------------------------------------------------------------- */

static void check_options(void) {
  const char *some = image_path(folder, "t.csv");
  trm_prepare_images_options o = usual();
  trm_image_files files = {0};
  bad(&files, &o, TRM_ERR_USAGE, "give a folder of images, IDX files");
  files.folder = some;
  bad(&files, &o, TRM_ERR_USAGE, "t.csv' is no folder");
  files.images[TRM_SUBSET_TRAIN] = some;
  bad(&files, &o, TRM_ERR_USAGE, "not from several of them");
  files.folder = NULL;
  bad(&files, &o, TRM_ERR_USAGE, "has no file of labels beside it; give both");
  o.scale = 3;
  bad(&files, &o, TRM_ERR_USAGE, "are of tables of pixels");
}

int main(void) {
  folder = check_temp_folder();
  static char name[4200];
  (void)snprintf(name, sizeof name, "%s/out.h5", folder);
  out = name;
  check_idx();
  check_idx_damage();
  check_gzip_damage();
  check_folders();
  check_part_options();
  check_png_sorts();
  check_interlaced();
  check_jpeg();
  check_sizes();
  check_other_files();
  check_png_damage();
  check_jpeg_damage();
  check_memory();
  check_cifar();
  check_cifar_100();
  check_tables();
  check_options();
  return fixture_end(folder);
}
