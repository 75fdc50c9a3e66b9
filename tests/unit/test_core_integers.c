/* Shares of counts: against the plain formula, and where that would overflow. */
#include "check.h"
#include "trireme/core/batch.h"
#include "trireme/core/integers.h"

static void check_small(void) {
  for (int64_t n = 0; n <= 40; ++n) {
    for (int64_t n_parts = 1; n_parts <= 45; ++n_parts) {
      int64_t next = 0;
      for (int64_t part = 0; part < n_parts; ++part) {
        int64_t first, count;
        trm_share(n, n_parts, part, &first, &count);
        CHECK_EQ(first, part * n / n_parts);
        CHECK_EQ(first + count, (part + 1) * n / n_parts);
        CHECK_EQ(first, next);
        CHECK(count <= trm_ceil_div(n, n_parts));
        next = first + count;
      }
      CHECK_EQ(next, n);
    }
  }
}

static void check_large(void) {
  const int64_t n = INT64_MAX, n_parts = 1000003;
  int64_t first, count, next = 0;
  for (int64_t part = 0; part < n_parts; ++part) {
    trm_share(n, n_parts, part, &first, &count);
    CHECK_EQ(first, next);
    CHECK(count == n / n_parts || count == n / n_parts + 1);
    next = first + count;
  }
  CHECK_EQ(next, n);
}

static void check_slices(void) {
  static const int32_t inputs[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  static const int32_t targets[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const trm_tokens all = {.N = 4, .T = 3, .inputs = inputs, .targets = targets};
  const trm_tokens some = trm_tokens_slice(&all, 1, 2);
  CHECK_EQ(some.N, 2);
  CHECK_EQ(some.T, 3);
  CHECK(some.inputs == inputs + 3 && some.targets == targets + 3);
  const trm_tokens bare = {.N = 4, .T = 3, .inputs = inputs};
  CHECK(trm_tokens_slice(&bare, 3, 1).targets == NULL);
}

int main(void) {
  check_small();
  check_large();
  check_slices();
  return check_verdict();
}
