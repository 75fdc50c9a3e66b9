/* XXH3-64: known answers, chaining, sensitivity. */
#include "trireme/core/hash.h"

#include <string.h>

#include "check.h"

int main(void) {
  unsigned char data[300];
  for (size_t i = 0; i < sizeof data; ++i) data[i] = (unsigned char)(i * 37 + 11);
  /* xxHash's own sanity value of empty input, seed 0. */
  CHECK_EQ(trm_hash64(NULL, 0, 0), 0x2D06800538D394C2);
  CHECK_EQ(trm_hash64(data, 0, 0), 0x2D06800538D394C2);

  const size_t sizes[] = {1, 3, 8, 16, 17, 128, 129, 240, 241, 299};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    const size_t n = sizes[i];
    unsigned char copy[sizeof data + 1];
    const uint64_t hash = trm_hash64(data, n, 5);
    memcpy(copy + 1, data, n);
    CHECK_EQ(trm_hash64(copy + 1, n, 5), hash); /* alignment does not matter */
    CHECK(trm_hash64(data, n, 6) != hash);
    CHECK(trm_hash64(data, n + 1, 5) != hash);
    for (size_t bit = 0; bit < 8 * n; ++bit) {
      copy[1 + bit / 8] ^= (unsigned char)(1U << bit % 8);
      if (!CHECK(trm_hash64(copy + 1, n, 5) != hash)) return check_verdict();
      copy[1 + bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
  }
  /* Chained, the order of the pieces counts. */
  const uint64_t ab = trm_hash64("b", 1, trm_hash64("a", 1, 0));
  const uint64_t ba = trm_hash64("a", 1, trm_hash64("b", 1, 0));
  CHECK(ab != ba);
  return check_verdict();
}
