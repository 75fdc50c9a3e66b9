/* Element types and checked conversion. */
#include "convert_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/status.h"

typedef struct dtype_facts {
  const char *name;
  size_t bytes;
  bool is_float;
  int64_t min;
  uint64_t max;
} dtype_facts;

static const dtype_facts facts[] = {
    [TRM_DTYPE_F32] = {"f32", 4, true, 0, 0},
    [TRM_DTYPE_F64] = {"f64", 8, true, 0, 0},
    [TRM_DTYPE_U8] = {"u8", 1, false, 0, UINT8_MAX},
    [TRM_DTYPE_U16] = {"u16", 2, false, 0, UINT16_MAX},
    [TRM_DTYPE_I32] = {"i32", 4, false, INT32_MIN, INT32_MAX},
    [TRM_DTYPE_U32] = {"u32", 4, false, 0, UINT32_MAX},
    [TRM_DTYPE_I64] = {"i64", 8, false, INT64_MIN, INT64_MAX},
    [TRM_DTYPE_U64] = {"u64", 8, false, 0, UINT64_MAX},
};

static const dtype_facts *facts_of(trm_dtype dtype) {
  TRM_ASSERT((size_t)dtype < sizeof facts / sizeof facts[0]);
  return &facts[dtype];
}

size_t trm_dtype_bytes(trm_dtype dtype) {
  return facts_of(dtype)->bytes;
}

const char *trm_dtype_name(trm_dtype dtype) {
  return facts_of(dtype)->name;
}

bool trm_dtype_is_float(trm_dtype dtype) {
  return facts_of(dtype)->is_float;
}

/* An integer of any of our types: negative values in `low`, all others in `high`. */
typedef struct wide {
  int64_t low; /* < 0, or 0 when high counts */
  uint64_t high;
} wide;

static wide wide_signed(int64_t v) {
  return v < 0 ? (wide){v, 0} : (wide){0, (uint64_t)v};
}

/* Element i of `data`; memcpy because a caller's bytes need not be aligned for the type. */
#define LOAD(type, data, i)                                                                        \
  __extension__({                                                                                  \
    type loaded_;                                                                                  \
    memcpy(&loaded_, (const unsigned char *)(data) + (size_t)(i) * sizeof(type), sizeof(type));    \
    loaded_;                                                                                       \
  })
#define STORE(type, data, i, value)                                                                \
  do {                                                                                             \
    const type stored_ = (type)(value);                                                            \
    memcpy((unsigned char *)(data) + (size_t)(i) * sizeof(type), &stored_, sizeof(type));          \
  } while (0)

static wide load_integer(const void *data, trm_dtype dtype, int64_t i) {
  switch (dtype) {
  case TRM_DTYPE_U8:
    return (wide){0, LOAD(uint8_t, data, i)};
  case TRM_DTYPE_U16:
    return (wide){0, LOAD(uint16_t, data, i)};
  case TRM_DTYPE_U32:
    return (wide){0, LOAD(uint32_t, data, i)};
  case TRM_DTYPE_U64:
    return (wide){0, LOAD(uint64_t, data, i)};
  case TRM_DTYPE_I32:
    return wide_signed(LOAD(int32_t, data, i));
  case TRM_DTYPE_I64:
    return wide_signed(LOAD(int64_t, data, i));
  case TRM_DTYPE_F32:
  case TRM_DTYPE_F64:
    break;
  }
  TRM_ASSERT(!trm_dtype_is_float(dtype));
  return (wide){0, 0};
}

/* Stores v as an integer or float; false when it does not fit. */
static bool store_wide(wide v, void *data, trm_dtype dtype, int64_t i) {
  const dtype_facts *to = facts_of(dtype);
  if (to->is_float) {
    const long double exact = v.low < 0 ? (long double)v.low : (long double)v.high;
    if (dtype == TRM_DTYPE_F32) {
      STORE(float, data, i, exact);
      return (long double)(float)exact == exact;
    }
    STORE(double, data, i, exact);
    return (long double)(double)exact == exact;
  }
  if (v.low < 0 ? v.low < to->min : v.high > to->max) return false;
  const uint64_t bits = v.low < 0 ? (uint64_t)v.low : v.high; /* two's complement */
  switch (to->bytes) {
  case 1:
    STORE(uint8_t, data, i, bits);
    break;
  case 2:
    STORE(uint16_t, data, i, bits);
    break;
  case 4:
    STORE(uint32_t, data, i, bits);
    break;
  default:
    STORE(uint64_t, data, i, bits);
    break;
  }
  return true;
}

static int64_t convert_floats(const void *from, trm_dtype from_type, int64_t n, void *to,
                              trm_dtype to_type) {
  for (int64_t i = 0; i < n; ++i) {
    const double v =
        from_type == TRM_DTYPE_F32 ? (double)LOAD(float, from, i) : LOAD(double, from, i);
    if (to_type == TRM_DTYPE_F64) {
      STORE(double, to, i, v);
      continue;
    }
    /* Past this, rounding to float gives infinity: half a unit above the largest float. */
    if (isfinite(v) && fabs(v) >= 0x1.ffffffp127) return i;
    STORE(float, to, i, v);
  }
  return n;
}

/* Whole numbers that are stored as floats, as MATLAB and others do. */
static int64_t convert_whole(const void *from, trm_dtype from_type, int64_t n, void *to,
                             trm_dtype to_type) {
  for (int64_t i = 0; i < n; ++i) {
    const double v =
        from_type == TRM_DTYPE_F32 ? (double)LOAD(float, from, i) : LOAD(double, from, i);
    if (!(v >= -0x1p53 && v <= 0x1p53) || v != floor(v)) return i;
    const int64_t whole = (int64_t)v;
    if (!store_wide(wide_signed(whole), to, to_type, i)) return i;
  }
  return n;
}

int64_t trm_convert(const void *from, trm_dtype from_type, int64_t n, void *to, trm_dtype to_type) {
  if (from_type == to_type) {
    if (n > 0) memcpy(to, from, (size_t)n * trm_dtype_bytes(to_type));
    return n;
  }
  if (trm_dtype_is_float(from_type) && !trm_dtype_is_float(to_type)) {
    return convert_whole(from, from_type, n, to, to_type);
  }
  if (trm_dtype_is_float(from_type)) return convert_floats(from, from_type, n, to, to_type);
  if (from_type == TRM_DTYPE_U16 && to_type == TRM_DTYPE_I32) { /* tokens: worth a plain loop */
    for (int64_t i = 0; i < n; ++i) STORE(int32_t, to, i, LOAD(uint16_t, from, i));
    return n;
  }
  for (int64_t i = 0; i < n; ++i) {
    if (!store_wide(load_integer(from, from_type, i), to, to_type, i)) return i;
  }
  return n;
}

const char *trm_element_text(const void *data, trm_dtype dtype, int64_t index, char text[32]) {
  if (dtype == TRM_DTYPE_F32) {
    snprintf(text, 32, "%.9g", (double)LOAD(float, data, index));
  } else if (dtype == TRM_DTYPE_F64) {
    snprintf(text, 32, "%.17g", LOAD(double, data, index));
  } else {
    const wide v = load_integer(data, dtype, index);
    if (v.low < 0) {
      snprintf(text, 32, "%lld", (long long)v.low);
    } else {
      snprintf(text, 32, "%llu", (unsigned long long)v.high);
    }
  }
  return text;
}
