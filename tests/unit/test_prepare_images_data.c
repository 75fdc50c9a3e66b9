/* Published sets of images, when the data are there: their sizes and their pixels. Sums of MNIST are those of
 * the unpacked bytes, sums of photographs those of Pillow 13.0 (libjpeg-turbo 3.2). */
#include "image_fixture.h"
#include "trireme/input/samples.h"
#include "trireme/prepare/images.h"

#include <math.h>

static const char *folder, *out;

static const char *data_file(const char *name) {
  static char paths[4][4200];
  static int next;
  char *path = paths[next++ % 4];
  const char *data = getenv("TRIREME_DATA");
  if (data && data[0]) {
    snprintf(path, sizeof paths[0], "%s/%s", data, name);
  } else {
    snprintf(path, sizeof paths[0], "%s/../shared/data/%s", TRM_SOURCE_DIR, name);
  }
  return path;
}

static trm_prepare_images_options options(void) {
  return (trm_prepare_images_options){
      .output = out, .valid_share = -1, .test_share = -1, .seed = 1, .most_pixels = 64000000};
}

static trm_samples *prepare(const trm_image_files *files, const trm_prepare_images_options *o) {
  trm_prepare_images_counts counts;
  trm_samples *s = NULL;
  if (!CHECK_OK(trm_prepare_images(files, o, &counts))) exit(1);
  if (!CHECK_OK(trm_samples_open(out, &s))) exit(1);
  return s;
}

/* Sum of one channel of the images [first, end). */
static int64_t sum_of(const trm_samples *s, int64_t first, int64_t end, int64_t channel) {
  const int64_t n = s->images.height * s->images.width;
  int64_t sum = 0;
  for (int64_t i = first; i < end; ++i) {
    const uint8_t *pixels = s->images.pixels + (i * s->images.channels + channel) * n;
    for (int64_t k = 0; k < n; ++k) sum += pixels[k];
  }
  return sum;
}

static void check_mnist(void) {
  const trm_image_files files = {.folder = data_file("mnist")};
  const trm_prepare_images_options o = options();
  static const int32_t first[] = {5, 0, 4, 1, 9}, first_test[] = {7, 2, 1, 0, 4};
  trm_samples *s = prepare(&files, &o);
  CHECK_EQ(s->n, 70000);
  CHECK_EQ(s->splits[TRM_SUBSET_TRAIN].n + s->splits[TRM_SUBSET_VALID].n, 60000);
  CHECK_NEAR(s->splits[TRM_SUBSET_VALID].n, 6000, 5);
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 10000);
  CHECK_EQ(s->classes.n, 10);
  for (int i = 0; i < 5; ++i) {
    CHECK_EQ(s->classes.labels[i], first[i]);
    CHECK_EQ(s->classes.labels[60000 + i], first_test[i]);
  }
  CHECK_EQ(sum_of(s, 0, 60000, 0), INT64_C(1567298545));
  CHECK_EQ(sum_of(s, 60000, 70000, 0), INT64_C(264923200));
  const double n = 60000 * 784, mean = (double)sum_of(s, 0, 60000, 0) / n / 255;
  double squares = 0;
  for (int64_t i = 0; i < 60000 * 784; ++i) squares += s->images.pixels[i] * s->images.pixels[i];
  CHECK_NEAR(mean, 0.1307, 5e-5);
  CHECK_NEAR(sqrt(squares / n / 65025 - mean * mean), 0.3081, 5e-5);
  trm_samples_close(&s);
}

static void check_optdigits(void) {
  const char *train = data_file("optdigits/optdigits.tra"),
             *test = data_file("optdigits/optdigits.tes");
  const trm_image_files files = {.pixels = {[TRM_SUBSET_TRAIN] = &train, [TRM_SUBSET_TEST] = &test},
                                 .n_pixels = {[TRM_SUBSET_TRAIN] = 1, [TRM_SUBSET_TEST] = 1}};
  trm_prepare_images_options o = options();
  o.height = o.width = 8, o.channels = 1, o.scale = 16, o.label = "65";
  trm_samples *s = prepare(&files, &o);
  CHECK_EQ(s->n, 3823 + 1797);
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 1797);
  CHECK_NEAR((double)sum_of(s, 0, 3823, 0), 1204758 * 255.0 / 16, 3823 * 64 * 0.5);
  trm_samples_close(&s);
}

/* The part to test of the archive of JPEG files, as a folder of classes. */
static void check_cifar10(void) {
  char command[18000];
  (void)snprintf(command, sizeof command, "tar xJf '%s' -C '%s' test && mv '%s/test' '%s/classes'",
                 data_file("cifar10/cifar10-jpeg.tar.xz"), folder, folder, folder);
  if (!CHECK_EQ(system(command), 0)) return;
  const trm_image_files files = {.folder = image_path(folder, "classes")};
  const trm_prepare_images_options o = options();
  trm_samples *s = prepare(&files, &o);
  static const uint8_t first[] = {141, 159, 179}, last[] = {113, 94, 90};
  static const int64_t sums[] = {1290104439, 1266598065, 1176037503};
  CHECK_EQ(s->n, 10000);
  CHECK_EQ(s->classes.n, 10);
  CHECK_EQ(s->splits[TRM_SUBSET_VALID].n, 1000);
  for (int c = 0; c < 3; ++c) {
    CHECK_EQ(s->images.pixels[1024 * c], first[c]);
    CHECK_EQ(s->images.pixels[9999 * 3072 + 1024 * c + 1023], last[c]);
    CHECK_NEAR(sum_of(s, 0, 10000, c), sums[c],
               1e5); /* another transform may differ in a last bit */
  }
  trm_samples_close(&s);
}

int main(void) {
  static const char *const needed[] = {"mnist/train-images-idx3-ubyte.gz",
                                       "optdigits/optdigits.tra", "cifar10/cifar10-jpeg.tar.xz"};
  for (int i = 0; i < 3; ++i) {
    static char reason[160];
    if (access(data_file(needed[i]), R_OK) == 0) continue;
    snprintf(reason, sizeof reason, "no %s in the folder TRIREME_DATA", needed[i]);
    return check_skip(reason);
  }
  folder = check_temp_folder();
  out = fixture_path(folder, "data.h5");
  check_mnist();
  check_optdigits();
  check_cifar10();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
