/* Names of classes and levels: in a checkpoint's facts, and found among each other. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "names_facts.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"

static const trm_names_fact fact = {"names/offsets", "names/bytes"};
/* "b", "", "ab", "a", "B", "ab" once more */
static const int64_t offsets[] = {0, 1, 1, 3, 4, 5, 7};
static const trm_texts known = {.n = 6, .offsets = offsets, .bytes = "babaBab"};

static void check_places(void) {
  static const int64_t at[] = {0, 1, 3, 3, 4, 6};
  static const trm_texts sought = {.n = 5, .offsets = at, .bytes = "aababa"};
  /* "a", "ab", "", "a", "ba" */
  int32_t places[5];
  CHECK_OK(
      trm_names_places((trm_names_part){&known, 0, 6}, (trm_names_part){&sought, 0, 5}, places));
  const int32_t want[] = {3, 2, 1, 3, -1};
  for (int i = 0; i < 5; ++i) CHECK_EQ(places[i], want[i]);
  /* Parts: numbers are those of the part. */
  CHECK_OK(
      trm_names_places((trm_names_part){&known, 2, 2}, (trm_names_part){&sought, 1, 3}, places));
  CHECK_EQ(places[0], 0);
  CHECK_EQ(places[1], -1);
  CHECK_EQ(places[2], 1);
  CHECK_OK(
      trm_names_places((trm_names_part){&known, 2, 0}, (trm_names_part){&sought, 0, 1}, places));
  CHECK_EQ(places[0], -1);
}

/* Equal ones: the first. Many: not each with each. */
static void check_many(void) {
  enum { N = 200000, BYTES = 7 };
  trm_texts all = {.n = N};
  int64_t *begins = NULL;
  char *bytes = NULL;
  int32_t *places = NULL;
  CHECK_OK(TRM_ALLOC(&begins, N + 1, "names"));
  CHECK_OK(TRM_ALLOC(&bytes, N * BYTES + 1, "names"));
  CHECK_OK(TRM_ALLOC(&places, N, "names"));
  for (int i = 0; i < N; ++i) {
    (void)snprintf(bytes + (size_t)i * BYTES, BYTES + 1, "%07d", i * 7919 % N / 2);
    begins[i + 1] = (int64_t)(i + 1) * BYTES;
  }
  all.offsets = begins;
  all.bytes = bytes;
  const double start_s = trm_clock_s();
  CHECK_OK(trm_names_places((trm_names_part){&all, 0, N}, (trm_names_part){&all, 0, N}, places));
  CHECK(trm_clock_s() - start_s < 20); /* a fraction of a second; each with each: minutes */
  for (int i = 0; i < N; ++i) {
    if (!CHECK(places[i] <= i && trm_name_same(&all, i, &all, places[i]))) break;
    if (!CHECK_EQ(places[places[i]], places[i])) break;
  }
  TRM_FREE(begins);
  TRM_FREE(bytes);
  TRM_FREE(places);
}

static void check_facts(void) {
  trm_facts facts = {0}, none = {0};
  trm_texts got;
  CHECK_OK(trm_names_fact_put(&facts, fact, &(trm_texts){0}));
  CHECK(trm_names_fact_get(&facts, fact, &got));
  CHECK_EQ(got.n, 0);
  CHECK(trm_names_fact_same(&facts, &none, fact));
  CHECK_OK(trm_names_fact_put(&facts, fact, &known));
  CHECK(trm_names_fact_get(&facts, fact, &got));
  CHECK(trm_names_same(&got, &known));
  CHECK(!trm_names_same(&got, &(trm_texts){.n = 5, .offsets = offsets, .bytes = known.bytes}));
  CHECK(!trm_names_fact_same(&facts, &none, fact));
  int64_t n;
  int64_t *stored = trm_facts_array(&facts, fact.offsets, TRM_DTYPE_I64, &n);
  stored[2] = 5; /* and then back to 3 */
  CHECK(!trm_names_fact_get(&facts, fact, &got));
  stored[2] = 1, stored[6] = 8; /* beyond the bytes */
  CHECK(!trm_names_fact_get(&facts, fact, &got));
  trm_facts_free(&facts);
}

int main(void) {
  check_places();
  check_many();
  check_facts();
  return check_verdict();
}
