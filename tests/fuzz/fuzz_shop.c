/* Tables of purchases, products and customers, and what is made of them, which is read again.
 *
 * Two bytes choose the options; the tables follow, cut by lines "%%". */
#include "fuzz.h"
#include "trireme/input/shop.h"
#include "trireme/prepare/shop.h"

enum { N_FILES = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const names[N_FILES] = {"a", "b", "c"};
  fuzz_input in = {data, size}, parts[N_FILES];
  const uint32_t flags = fuzz_take(&in, 2);
  const int64_t blocks = fuzz_blocks();
  const char *files[N_FILES];
  trm_shop_counts counts;
  trm_shop *shop = NULL;
  (void)fuzz_take_texts(&in, parts, N_FILES);
  for (int i = 0; i < N_FILES; ++i) files[i] = fuzz_file(names[i], parts[i]);
  const trm_prepare_shop_options o = {
      .output = fuzz_path("out.h5"),
      .purchases = files[0],
      .products = files[1],
      .customers = flags & 1 ? files[2] : NULL,
      .customer = flags & 2 ? "1" : "customer",
      .product = flags & 4 ? "2" : "product",
      .time = flags & 8 ? "3" : "time",
      .text = "description",
      .product_fields = flags & 16 ? "price,colour" : NULL,
      .customer_fields = flags & 1 && flags & 32 ? "age" : NULL,
      .time_unit = flags & 64 ? "second" : "day",
      .valid_from = flags & 128 ? "2011-12-09" : NULL,
      .test_from = flags & 256 ? "2011-12-10 10:15:30" : NULL,
      .valid_days = flags >> 9 & 3,
      .test_days = flags >> 11 & 3,
      .min_count = flags >> 13 & 1,
  };
  if (trm_prepare_shop(&o, &counts) == TRM_OK && trm_shop_open(o.output, NULL, &shop) == TRM_OK) {
    trm_shop_close(&shop);
  }
  fuzz_expect_blocks(blocks);
  return 0;
}
