/**
 * The group /debian of a data set: checked in pieces of fixed size, so that nothing is sized by the
 * file.
 */
#include <stdio.h>

#include "text_internal.h"
#include "trireme/core/memory.h"

const char *const trm_relation_names[TRM_N_RELATIONS] = {"pre-depends", "depends", "recommends",
                                                         "suggests"};

enum { PIECE = 1 << 16, NAME_BYTES = 64 };

typedef struct checker {
  trm_dataset *dataset;
  int64_t *piece; /* [PIECE] */
} checker;

static trm_status vector_length(const checker *c, const char *name, int64_t *n) {
  trm_array_info info;
  TRM_TRY(trm_array_info_get(c->dataset->file, name, &info));
  if (info.n_dims != 1 || info.dtype == TRM_DTYPE_F32 || info.dtype == TRM_DTYPE_F64) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: array '%s' is %s with %d dimensions, expected integers with one",
                    c->dataset->path, name, trm_dtype_name(info.dtype), info.n_dims);
  }
  *n = info.n_elements;
  return TRM_OK;
}

static trm_status expect_length(const checker *c, const char *name, int64_t expected) {
  int64_t n = 0;
  TRM_TRY(vector_length(c, name, &n));
  if (n == expected) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: array '%s' has %lld elements, expected %lld", c->dataset->path,
                  name, (long long)n, (long long)expected);
}

/* Offsets [n + 1] that start at 0, never fall, and end at `end`. */
static trm_status check_offsets(const checker *c, const char *name, int64_t n, int64_t end) {
  TRM_TRY(expect_length(c, name, n + 1));
  int64_t last = 0;
  for (int64_t first = 0; first <= n; first += PIECE) {
    const int64_t here = n + 1 - first < PIECE ? n + 1 - first : PIECE;
    TRM_TRY(trm_array_read_range(c->dataset->file, name, TRM_DTYPE_I64, first, here, c->piece));
    for (int64_t i = 0; i < here; ++i) {
      if (c->piece[i] < last || c->piece[i] > end || (first + i == 0 && c->piece[i] != 0)) {
        return trm_fail(TRM_ERR_DATA,
                        "%s: '%s' is %lld at index %lld; offsets start at 0, never fall (%lld "
                        "before) and end at %lld",
                        c->dataset->path, name, (long long)c->piece[i], (long long)(first + i),
                        (long long)last, (long long)end);
      }
      last = c->piece[i];
    }
  }
  if (last == end) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: '%s' ends at %lld, expected %lld", c->dataset->path, name,
                  (long long)last, (long long)end);
}

/* Ids [n] in [low, high). */
static trm_status check_ids(const checker *c, const char *name, int64_t n, int64_t low,
                            int64_t high) {
  TRM_TRY(expect_length(c, name, n));
  for (int64_t first = 0; first < n; first += PIECE) {
    const int64_t here = n - first < PIECE ? n - first : PIECE;
    TRM_TRY(trm_array_read_range(c->dataset->file, name, TRM_DTYPE_I64, first, here, c->piece));
    for (int64_t i = 0; i < here; ++i) {
      if (c->piece[i] < low || c->piece[i] >= high) {
        return trm_fail(TRM_ERR_DATA, "%s: '%s' is %lld at index %lld, out of [%lld, %lld)",
                        c->dataset->path, name, (long long)c->piece[i], (long long)(first + i),
                        (long long)low, (long long)high);
      }
    }
  }
  return TRM_OK;
}

/* A ragged list of names: group/offsets, group/bytes. */
static trm_status check_names(const checker *c, const char *group, int64_t *n) {
  char offsets[NAME_BYTES], bytes[NAME_BYTES];
  snprintf(offsets, sizeof offsets, "%s/offsets", group);
  snprintf(bytes, sizeof bytes, "%s/bytes", group);
  int64_t n_offsets = 0, n_bytes = 0;
  TRM_TRY(vector_length(c, offsets, &n_offsets));
  TRM_TRY(vector_length(c, bytes, &n_bytes));
  *n = n_offsets - 1;
  if (*n < 0 || *n > INT32_MAX) {
    return trm_fail(TRM_ERR_DATA, "%s: array '%s' has %lld elements, expected 1 to 2^31",
                    c->dataset->path, offsets, (long long)n_offsets);
  }
  return check_offsets(c, offsets, *n, n_bytes);
}

static trm_status check_relation(const checker *c, int kind, trm_debian_counts *counts) {
  char group[NAME_BYTES], name[NAME_BYTES + 16];
  trm_container *file = c->dataset->file;
  snprintf(group, sizeof group, "/debian/%s", trm_relation_names[kind]);
  snprintf(name, sizeof name, "%s/sources", group);
  TRM_TRY(vector_length(c, name, &counts->n_edges[kind]));
  TRM_TRY(check_ids(c, name, counts->n_edges[kind], 0, counts->n_packages));
  snprintf(name, sizeof name, "%s/offsets", group);
  TRM_TRY(check_offsets(c, name, counts->n_packages, counts->n_edges[kind]));
  snprintf(name, sizeof name, "%s/alternative", group);
  TRM_TRY(check_ids(c, name, counts->n_edges[kind], 0, 2));
  TRM_TRY(trm_attr_read_int(file, group, "virtual", &counts->n_virtual[kind]));
  return trm_attr_read_int(file, group, "unresolved", &counts->n_unresolved[kind]);
}

trm_status trm_debian_check(trm_dataset *dataset) {
  trm_debian_counts counts = {0};
  if (!trm_container_has(dataset->file, "/debian")) return TRM_OK;
  checker c = {.dataset = dataset};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&c.piece, PIECE, "piece of an array"));
  TRM_TRY_OUT(check_names(&c, "/debian/packages", &counts.n_packages));
  TRM_TRY_OUT(check_names(&c, "/debian/sections", &counts.n_sections));
  TRM_TRY_OUT(check_ids(&c, "/debian/section", counts.n_packages, -1, counts.n_sections));
  TRM_TRY_OUT(check_offsets(&c, "/debian/text", counts.n_packages, dataset->n_tokens));
  for (int kind = 0; kind < TRM_N_RELATIONS; ++kind) {
    TRM_TRY_OUT(check_relation(&c, kind, &counts));
  }
  counts.present = true;
  dataset->debian = counts;
out:
  TRM_FREE(c.piece);
  return status;
}
