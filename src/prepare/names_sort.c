/** Names in order. */
#include <stdlib.h>
#include <string.h>

#include "names_internal.h"
#include "scan_internal.h"
#include "trireme/core/memory.h"

typedef struct ranked_name {
  const char *text;
  int64_t bytes, whole; /* whole: its value, when all names are whole numbers */
  double value;         /* when all are numbers */
  int32_t id;
} ranked_name;

static bool is_whole_number(const char *text, int64_t bytes) {
  const int64_t sign = bytes > 1 && text[0] == '-';
  for (int64_t i = sign; i < bytes; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  return bytes > sign && bytes < 18;
}

/* A whole number that is not followed by a 0. */
static int64_t whole_number(const char *name, int64_t bytes) {
  char text[20] = "";
  memcpy(text, name, (size_t)bytes);
  return strtoll(text, NULL, 10);
}

/* Values that are not set are equal. */
static int by_name(const void *left, const void *right) {
  const ranked_name *a = left, *b = right;
  if (a->whole != b->whole) return a->whole < b->whole ? -1 : 1;
  if (a->value < b->value || a->value > b->value) return a->value < b->value ? -1 : 1;
  const int64_t common = a->bytes < b->bytes ? a->bytes : b->bytes;
  const int order = memcmp(a->text, b->text, (size_t)common);
  return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static void collect(const trm_names *names, ranked_name *ranked) {
  const int64_t *offsets = trm_names_offsets(names);
  trm_scan scan = {0};
  bool whole = true, numbers = true;
  for (int64_t i = 0; i < names->n; ++i) {
    ranked_name *r = &ranked[i];
    r->text = names->bytes.data + offsets[i];
    r->bytes = offsets[i + 1] - offsets[i];
    r->id = (int32_t)i;
    whole = whole && is_whole_number(r->text, r->bytes);
    if (whole) r->whole = whole_number(r->text, r->bytes);
    numbers = numbers && trm_scan_number(&scan, r->text, r->bytes, &r->value);
  }
  for (int64_t i = 0; i < names->n; ++i) {
    if (!whole) ranked[i].whole = 0;
    if (!numbers) ranked[i].value = 0;
  }
  (void)trm_scan_close(&scan, TRM_OK);
}

trm_status trm_names_sort(trm_names *names, int32_t **place) {
  ranked_name *ranked = NULL;
  int32_t *new_id = NULL, id;
  trm_names sorted = {0};
  trm_status status = TRM_OK;
  bool added;
  TRM_TRY_OUT(TRM_ALLOC(&ranked, names->n, "names"));
  TRM_TRY_OUT(TRM_ALLOC(&new_id, names->n, "names"));
  collect(names, ranked);
  if (names->n > 0) qsort(ranked, (size_t)names->n, sizeof *ranked, by_name);
  for (int64_t i = 0; i < names->n; ++i) {
    TRM_TRY_OUT(trm_names_add(&sorted, ranked[i].text, ranked[i].bytes, &id, &added));
    new_id[ranked[i].id] = id;
  }
  trm_names_free(names);
  *names = sorted;
  sorted = (trm_names){0};
  *place = new_id;
  new_id = NULL;
out:
  trm_names_free(&sorted);
  TRM_FREE(ranked);
  TRM_FREE(new_id);
  return status;
}
