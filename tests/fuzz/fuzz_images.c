/* Files of images: IDX with its labels, CIFAR's, PNG and JPEG in a folder, each also in gzip where that is
 * read. Three bytes choose the way and give the length of the first file, of two. */
#include <stdio.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "trireme/prepare/images.h"

static trm_prepare_images_options options(uint32_t flags) {
  return (trm_prepare_images_options){
      .output = fuzz_path("out.h5"),
      .resize_height = flags >> 1 & 1 ? 3 : 0,
      .resize_width = flags >> 1 & 1 ? 2 : 0,
      .colour = flags >> 2 & 1   ? 1
                : flags >> 3 & 1 ? 3
                                 : 0,
      .most_pixels = 4096,
      .drop_alpha = flags >> 4 & 1,
      .skip_other = flags >> 5 & 1,
      .unlabelled = flags >> 6 & 1,
      .valid_share = flags >> 7 & 1 ? 0.5 : 0,
      .test_share = -1,
      .seed = 1,
  };
}

static void idx(uint32_t flags, fuzz_input a, fuzz_input b) {
  trm_prepare_images_counts counts;
  const trm_prepare_images_options o = options(flags);
  trm_image_files f = {0};
  f.images[0] = fuzz_file(flags & 1 ? "images.gz" : "images", a);
  f.labels[0] = o.unlabelled ? NULL : fuzz_file(flags & 1 ? "labels.gz" : "labels", b);
  (void)trm_prepare_images(&f, &o, &counts);
}

static void cifar(uint32_t flags, fuzz_input a, fuzz_input b) {
  trm_prepare_images_counts counts;
  const trm_prepare_images_options o = options(flags);
  const bool fine = flags & 1;
  const char *folder = fuzz_path(fine ? "cifar100" : "cifar10");
  (void)mkdir(folder, 0777);
  static const char *const batches[] = {"data_batch_1", "data_batch_2", "data_batch_3",
                                        "data_batch_4", "data_batch_5", "test_batch"};
  for (int i = 0; i < 6; ++i) {
    char path[64];
    (void)snprintf(path, sizeof path, "cifar10/%s.bin", batches[i]);
    if (!fine) (void)fuzz_file(path, a);
  }
  if (fine) (void)fuzz_file("cifar100/train.bin", a);
  if (fine) (void)fuzz_file("cifar100/test.bin", a);
  (void)fuzz_file(fine ? "cifar100/fine_label_names.txt" : "cifar10/batches.meta.txt", b);
  (void)trm_prepare_images(&(trm_image_files){.folder = folder}, &o, &counts);
}

static void folder(uint32_t flags, fuzz_input a, fuzz_input b) {
  trm_prepare_images_counts counts;
  const trm_prepare_images_options o = options(flags);
  (void)mkdir(fuzz_path("classes"), 0777);
  (void)mkdir(fuzz_path("classes/x"), 0777);
  (void)mkdir(fuzz_path("classes/y"), 0777);
  (void)fuzz_file("classes/x/1", a);
  (void)fuzz_file("classes/y/2", b);
  (void)trm_prepare_images(&(trm_image_files){.folder = fuzz_path("classes")}, &o, &counts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const ways[])(uint32_t, fuzz_input, fuzz_input) = {idx, cifar, folder};
  fuzz_input in = {data, size};
  const uint32_t way = fuzz_take(&in, 1), flags = fuzz_take(&in, 1);
  const fuzz_input first = fuzz_take_bytes(&in, fuzz_take(&in, 2));
  const int64_t blocks = fuzz_blocks();
  ways[way % 3](flags, first, in);
  fuzz_expect_blocks(blocks);
  return 0;
}
