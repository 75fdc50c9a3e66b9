/**
 * The token array: checked and hashed in one pass when a data set is opened, then read by ranges.
 *
 * In memory tokens have the narrowest type that holds the vocabulary; files may store any integer
 * type. A file stored in that type is scanned as it is; any other goes through int64, which all
 * of them fit, so that out of range values are seen before they are narrowed.
 */
#include "text_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

trm_dtype trm_token_dtype(int64_t vocab) {
  return vocab <= 256 ? TRM_DTYPE_U8 : vocab <= 65536 ? TRM_DTYPE_U16 : TRM_DTYPE_I32;
}

static trm_status bad_token(const trm_dataset *dataset, int64_t token, int64_t index) {
  return trm_fail(TRM_ERR_DATA, "%s: token %lld at index %lld is out of vocabulary (%lld)",
                  dataset->path, (long long)token, (long long)index, (long long)dataset->vocab.n);
}

/* The maximum of a piece first, which the compiler vectorises; the search only when it is bad. */
#define DEFINE_FIRST_BAD(name, type)                                                               \
  static int64_t name(const type *tokens, int64_t n, int64_t vocab) {                              \
    type largest = 0;                                                                              \
    for (int64_t i = 0; i < n; ++i) largest = tokens[i] > largest ? tokens[i] : largest;           \
    if ((int64_t)largest < vocab) return -1;                                                       \
    for (int64_t i = 0; i < n; ++i) {                                                              \
      if ((int64_t)tokens[i] >= vocab) return i;                                                   \
    }                                                                                              \
    return -1;                                                                                     \
  }
DEFINE_FIRST_BAD(first_bad_u8, uint8_t)
DEFINE_FIRST_BAD(first_bad_u16, uint16_t)

static trm_status check_narrow(const trm_dataset *dataset, const void *tokens, int64_t first,
                               int64_t n) {
  const int64_t vocab = dataset->vocab.n;
  int64_t bad, token;
  if (dataset->narrow == TRM_DTYPE_U8) {
    bad = first_bad_u8(tokens, n, vocab);
    token = bad < 0 ? 0 : ((const uint8_t *)tokens)[bad];
  } else {
    bad = first_bad_u16(tokens, n, vocab);
    token = bad < 0 ? 0 : ((const uint16_t *)tokens)[bad];
  }
  return bad < 0 ? TRM_OK : bad_token(dataset, token, first + bad);
}

static trm_status check_and_narrow(const trm_dataset *dataset, const int64_t *wide, int64_t first,
                                   int64_t n, void *out) {
  for (int64_t i = 0; i < n; ++i) {
    if (wide[i] < 0 || wide[i] >= dataset->vocab.n) return bad_token(dataset, wide[i], first + i);
  }
  switch (dataset->narrow) {
  case TRM_DTYPE_U8:
    for (int64_t i = 0; i < n; ++i) ((uint8_t *)out)[i] = (uint8_t)wide[i];
    break;
  case TRM_DTYPE_U16:
    for (int64_t i = 0; i < n; ++i) ((uint16_t *)out)[i] = (uint16_t)wide[i];
    break;
  default:
    for (int64_t i = 0; i < n; ++i) ((int32_t *)out)[i] = (int32_t)wide[i];
  }
  return TRM_OK;
}

/* Reads a checked piece in the narrow type into `out`; `wide` is [TRM_PIECE_TOKENS] or NULL. */
static trm_status read_piece(trm_dataset *dataset, int64_t first, int64_t n, int64_t *wide,
                             void *out) {
  if (wide) {
    TRM_TRY(trm_array_read_range(dataset->file, "/tokens", TRM_DTYPE_I64, first, n, wide));
    return check_and_narrow(dataset, wide, first, n, out);
  }
  TRM_TRY(trm_array_read_range(dataset->file, "/tokens", dataset->narrow, first, n, out));
  return check_narrow(dataset, out, first, n);
}

trm_status trm_dataset_tokens_scan(trm_dataset *dataset) {
  const int64_t size = (int64_t)trm_dtype_bytes(dataset->narrow), n = dataset->n_tokens;
  const bool direct = dataset->stored == dataset->narrow && dataset->narrow != TRM_DTYPE_I32;
  const bool keep = n <= TRM_CACHE_BYTES / size;
  const int64_t piece = n < TRM_PIECE_TOKENS ? n : TRM_PIECE_TOKENS;
  unsigned char *block = NULL;
  int64_t *wide = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&block, (keep ? n : piece) * size, "tokens of a data set"));
  if (!direct) TRM_TRY_OUT(TRM_ALLOC(&wide, piece, "piece of a token array"));
  uint64_t digest = 0;
  for (int64_t first = 0; first < n; first += TRM_PIECE_TOKENS) {
    const int64_t here = n - first < piece ? n - first : piece;
    unsigned char *out = keep ? block + first * size : block;
    TRM_TRY_OUT(read_piece(dataset, first, here, wide, out));
    digest = trm_hash64(out, (size_t)(here * size), digest);
  }
  dataset->digest = digest;
  if (keep) {
    dataset->cache = block;
    block = NULL;
  }
out:
  TRM_FREE(wide);
  TRM_FREE(block);
  return status;
}

trm_status trm_dataset_tokens_read(trm_dataset *dataset, int64_t first, int64_t n, int32_t *out) {
  TRM_ASSERT(first >= 0 && n >= 0 && first + n <= dataset->n_tokens);
  if (!dataset->cache) {
    return trm_array_read_range(dataset->file, "/tokens", TRM_DTYPE_I32, first, n, out);
  }
  if (dataset->narrow == TRM_DTYPE_U8) {
    const uint8_t *tokens = (const uint8_t *)dataset->cache + first;
    for (int64_t i = 0; i < n; ++i) out[i] = tokens[i];
  } else if (dataset->narrow == TRM_DTYPE_U16) {
    const uint16_t *tokens = (const uint16_t *)dataset->cache + first;
    for (int64_t i = 0; i < n; ++i) out[i] = tokens[i];
  } else {
    const int32_t *tokens = (const int32_t *)dataset->cache + first;
    for (int64_t i = 0; i < n; ++i) out[i] = tokens[i];
  }
  return TRM_OK;
}
