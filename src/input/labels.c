#include "labels_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "trireme/core/integers.h"

enum { PIECE = 2048 };

static trm_status no_label(const trm_container *file, const char *name, const char *text,
                           int64_t index) {
  return trm_fail(TRM_ERR_DATA,
                  "%s: '%s' has %s at index %" PRId64
                  ", which is no whole number that fits i32; labels are numbers of classes, -1 or "
                  "NaN for none",
                  trm_container_path(file), name, text, index);
}

/* ---- floats ----------------------------------------------------------------------------------- */

static trm_status read_floats(trm_container *file, const char *name, int32_t *labels, int64_t n) {
  double piece[PIECE];
  for (int64_t first = 0; first < n; first += PIECE) {
    const int64_t here = trm_min_i64(PIECE, n - first);
    TRM_TRY(trm_array_read_range(file, name, TRM_DTYPE_F64, first, here, piece));
    for (int64_t i = 0; i < here; ++i) {
      const double x = piece[i];
      if (isnan(x) || (x == floor(x) && x >= INT32_MIN && x <= INT32_MAX)) {
        labels[first + i] = isnan(x) ? -1 : (int32_t)x;
        continue;
      }
      char text[32];
      (void)snprintf(text, sizeof text, "%.9g", x);
      return no_label(file, name, text, first + i);
    }
  }
  return TRM_OK;
}

/* ---- unsigned types --------------------------------------------------------------------------- */

/* What is known of labels besides the largest value. */
typedef struct others {
  int64_t lowest, highest; /* of the others; lowest > highest: there are none */
  int64_t n_largest, first_largest;
} others;

static trm_status read_unsigned(trm_container *file, const char *name, uint64_t largest,
                                int32_t *labels, int64_t n, others *o) {
  uint64_t piece[PIECE];
  *o = (others){.lowest = INT64_MAX, .highest = -1};
  for (int64_t first = 0; first < n; first += PIECE) {
    const int64_t here = trm_min_i64(PIECE, n - first);
    TRM_TRY(trm_array_read_range(file, name, TRM_DTYPE_U64, first, here, piece));
    for (int64_t i = 0; i < here; ++i) {
      if (piece[i] == largest) {
        labels[first + i] = -1;
        if (o->n_largest++ == 0) o->first_largest = first + i;
      } else if (piece[i] <= INT32_MAX) {
        labels[first + i] = (int32_t)piece[i];
        o->lowest = trm_min_i64(o->lowest, labels[first + i]);
        o->highest = trm_max_i64(o->highest, labels[first + i]);
      } else {
        char text[32];
        (void)snprintf(text, sizeof text, "%" PRIu64, piece[i]);
        return no_label(file, name, text, first + i);
      }
    }
  }
  return TRM_OK;
}

/* Of 1 and 2 bytes, whose largest value may be a class; others have no room for so many. */
static trm_status judge_largest(const trm_container *file, const char *name, int64_t largest,
                                int64_t told, const others *o, int32_t *labels, int64_t n) {
  if (o->n_largest == 0) return TRM_OK;
  if (told > largest || (told < 0 && o->highest == largest - 1)) {
    for (int64_t i = 0; i < n; ++i) labels[i] = labels[i] < 0 ? (int32_t)largest : labels[i];
    return TRM_OK;
  }
  if (told >= 0 || o->lowest < o->highest) return TRM_OK;
  return trm_fail(
      TRM_ERR_DATA,
      "%s: '%s' is %" PRId64 " at index %" PRId64
      ", the largest value of its type, which may be a class or say that there is none; "
      "write -1 for none, number classes from 0, or write how many there are as its "
      "attribute n_classes",
      trm_container_path(file), name, largest, o->first_largest);
}

/* ---- public ----------------------------------------------------------------------------------- */

trm_status trm_labels_read(trm_container *file, const char *name, int64_t told, int32_t *labels,
                           int64_t n) {
  static const uint64_t largest[] = {[TRM_DTYPE_U8] = UINT8_MAX,
                                     [TRM_DTYPE_U16] = UINT16_MAX,
                                     [TRM_DTYPE_U32] = UINT32_MAX,
                                     [TRM_DTYPE_U64] = UINT64_MAX};
  trm_array_info info;
  others o;
  TRM_TRY(trm_array_info_get(file, name, &info));
  switch (info.dtype) {
  case TRM_DTYPE_F32:
  case TRM_DTYPE_F64:
    return read_floats(file, name, labels, n);
  case TRM_DTYPE_U8:
  case TRM_DTYPE_U16:
    TRM_TRY(read_unsigned(file, name, largest[info.dtype], labels, n, &o));
    return judge_largest(file, name, (int64_t)largest[info.dtype], told, &o, labels, n);
  case TRM_DTYPE_U32:
  case TRM_DTYPE_U64:
    return read_unsigned(file, name, largest[info.dtype], labels, n, &o);
  default:
    return trm_array_read(file, name, TRM_DTYPE_I32, labels, n);
  }
}
