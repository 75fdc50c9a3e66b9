#include "names_facts.h"

#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "vocab_facts.h"

/* ---- facts ----------------------------------------------------------------------------------- */

trm_status trm_names_fact_put(trm_facts *facts, trm_names_fact fact, const trm_texts *names) {
  if (names->n == 0) return TRM_OK;
  TRM_TRY(trm_facts_put_array(facts, fact.offsets, TRM_DTYPE_I64, names->n + 1, names->offsets));
  return trm_facts_put_array(facts, fact.bytes, TRM_DTYPE_U8, names->offsets[names->n],
                             names->bytes);
}

bool trm_names_fact_get(const trm_facts *facts, trm_names_fact fact, trm_texts *names) {
  int64_t n_offsets = 0, n_bytes = 0;
  const int64_t *offsets = trm_facts_array(facts, fact.offsets, TRM_DTYPE_I64, &n_offsets);
  const int64_t n = n_offsets - 1;
  *names = (trm_texts){0};
  if (!offsets) return true;
  const char *bytes = trm_facts_array(facts, fact.bytes, TRM_DTYPE_U8, &n_bytes);
  bool rising = bytes && n > 0 && offsets[0] == 0;
  for (int64_t i = 0; rising && i < n; ++i) rising = offsets[i] <= offsets[i + 1];
  if (!rising || offsets[n] != n_bytes) return false;
  *names = (trm_texts){.n = n, .offsets = offsets, .bytes = bytes};
  return true;
}

bool trm_names_fact_same(const trm_facts *a, const trm_facts *b, trm_names_fact fact) {
  return trm_fact_arrays_same(a, fact.offsets, b, fact.offsets, TRM_DTYPE_I64) &&
         trm_fact_arrays_same(a, fact.bytes, b, fact.bytes, TRM_DTYPE_U8);
}

/* ---- names ----------------------------------------------------------------------------------- */

typedef struct name {
  const char *bytes;
  int64_t n;
  int32_t place;
} name;

static name name_of(const trm_texts *names, int64_t i) {
  const int64_t begin = names->offsets[i];
  return (name){.bytes = names->bytes + begin, .n = names->offsets[i + 1] - begin};
}

/* By bytes; a name before those that go on after it. */
static int compare_names(const name *a, const name *b) {
  const int64_t n = a->n < b->n ? a->n : b->n;
  const int order = n > 0 ? memcmp(a->bytes, b->bytes, (size_t)n) : 0;
  return order != 0 ? order : (a->n > b->n) - (a->n < b->n);
}

/* Equal names by their places, so that the first of them is the first. */
static int compare_places(const void *a, const void *b) {
  const name *x = a, *y = b;
  const int order = compare_names(x, y);
  return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

bool trm_name_same(const trm_texts *a, int64_t i, const trm_texts *b, int64_t k) {
  const name x = name_of(a, i), y = name_of(b, k);
  return compare_names(&x, &y) == 0;
}

bool trm_names_same(const trm_texts *a, const trm_texts *b) {
  bool same = a->n == b->n;
  for (int64_t i = 0; same && i < a->n; ++i) same = trm_name_same(a, i, b, i);
  return same;
}

/* Place of the first of sorted[n] that is `sought`, -1: none is. */
static int32_t find_sorted(const name *sorted, int64_t n, const name *sought) {
  int64_t begin = 0, end = n;
  while (begin < end) {
    const int64_t middle = begin + (end - begin) / 2;
    if (compare_names(&sorted[middle], sought) < 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin < n && compare_names(&sorted[begin], sought) == 0 ? sorted[begin].place : -1;
}

trm_status trm_names_places(trm_names_part known, trm_names_part sought, int32_t *places) {
  name *sorted = NULL;
  TRM_TRY(TRM_ALLOC(&sorted, known.n, "names that are looked for"));
  for (int64_t i = 0; i < known.n; ++i) {
    sorted[i] = name_of(known.names, known.first + i);
    sorted[i].place = (int32_t)i;
  }
  if (known.n > 0) qsort(sorted, (size_t)known.n, sizeof *sorted, compare_places);
  for (int64_t i = 0; i < sought.n; ++i) {
    const name one = name_of(sought.names, sought.first + i);
    places[i] = find_sorted(sorted, known.n, &one);
  }
  TRM_FREE(sorted);
  return TRM_OK;
}
