/* Vocabularies in a data set: writing, reading, and made of a SentencePiece model. */
#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/data_file.h"
#include "trireme/input/subword.h"
#include "trireme/input/vocab.h"

enum { NAME_BYTES = 96 };

static const char *const special_names[] = {"unk", "bos", "eos"};

/* Of a data set of kind text the unit stands at the root. */
static const char *unit_place(const char *group) {
  return strcmp(group, "/vocab") == 0 ? "/" : group;
}

trm_status trm_vocab_write(trm_container *file, const char *group, const trm_vocab *vocab) {
  const int32_t specials[] = {vocab->unk, vocab->bos, vocab->eos};
  char name[NAME_BYTES];
  TRM_TRY(trm_attr_write_text(file, unit_place(group), "unit", vocab->unit));
  TRM_TRY(trm_output_names(file, group, vocab->n, vocab->offsets, vocab->bytes));
  for (int i = 0; i < 3; ++i) {
    if (specials[i] < 0) continue;
    TRM_TRY(trm_attr_write_int(file, group, special_names[i], specials[i]));
  }
  if (!vocab->model) return TRM_OK;
  (void)snprintf(name, sizeof name, "%s/model", group);
  return trm_array_write(file, name, TRM_DTYPE_U8, 1, &vocab->n_model, vocab->model);
}

static trm_status read_unit(trm_container *file, const char *path, const char *group,
                            trm_vocab *vocab) {
  const char *place = unit_place(group);
  char *unit = NULL, shown[64];
  if (!trm_attr_has(file, place, "unit")) {
    return trm_fail(TRM_ERR_DATA, "%s: no attribute 'unit' of %s (%s)", path, place,
                    trm_vocab_units);
  }
  TRM_TRY(trm_attr_read_text(file, place, "unit", &unit));
  trm_status status = TRM_OK;
  if (trm_vocab_unit_known(unit)) {
    (void)snprintf(vocab->unit, sizeof vocab->unit, "%s", unit);
  } else {
    trm_text_escape(unit, (int64_t)strlen(unit), shown, sizeof shown);
    status = trm_fail(TRM_ERR_DATA, "%s: unit is '%s', expected %s", path, shown, trm_vocab_units);
  }
  TRM_FREE(unit);
  return status;
}

static trm_status read_specials(trm_container *file, const char *path, const char *group,
                                trm_vocab *vocab) {
  int32_t *const to[] = {&vocab->unk, &vocab->bos, &vocab->eos};
  for (int i = 0; i < 3; ++i) {
    int64_t id;
    if (!trm_attr_has(file, group, special_names[i])) continue;
    TRM_TRY(trm_attr_read_int(file, group, special_names[i], &id));
    if (id < -1 || id >= vocab->n) {
      return trm_fail(TRM_ERR_DATA, "%s: special token %s of %s is %lld, out of vocabulary (%lld)",
                      path, special_names[i], group, (long long)id, (long long)vocab->n);
    }
    *to[i] = (int32_t)id;
  }
  return TRM_OK;
}

/* Elements of group/name, a one-dimensional integer array. */
static trm_status array_length(trm_container *file, const char *path, const char *name,
                               int64_t *n) {
  trm_array_info info;
  if (!trm_container_has(file, name)) {
    return trm_fail(TRM_ERR_DATA, "%s: no array '%s', which its vocabulary must have", path, name);
  }
  TRM_TRY(trm_array_info_get(file, name, &info));
  if (info.n_dims != 1 || info.dtype == TRM_DTYPE_F32 || info.dtype == TRM_DTYPE_F64) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: array '%s' is %s with %d dimensions, expected integers with one", path,
                    name, trm_dtype_name(info.dtype), info.n_dims);
  }
  *n = info.n_elements;
  return TRM_OK;
}

/* Most tokens that a unit can have besides the special ones, and bytes of one; 0: any. */
static void unit_limits(const char *unit, int64_t *tokens, int64_t *bytes) {
  const bool by_byte = strcmp(unit, "byte") == 0, by_char = strcmp(unit, "char") == 0;
  *tokens = by_byte ? 256 : by_char ? TRM_N_CODE_POINTS : INT32_MAX - 4;
  *bytes = by_byte || by_char ? TRM_UTF8_MAX_BYTES : 0;
}

static trm_status read_texts(trm_container *file, const char *path, const char *group,
                             trm_vocab *vocab, int64_t *n_bytes) {
  char offsets[NAME_BYTES], bytes[NAME_BYTES];
  int64_t n_offsets, most, longest;
  enum { SPECIALS = 3, SPECIAL_BYTES = 64 };
  (void)snprintf(offsets, sizeof offsets, "%s/offsets", group);
  (void)snprintf(bytes, sizeof bytes, "%s/bytes", group);
  TRM_TRY(array_length(file, path, offsets, &n_offsets));
  TRM_TRY(array_length(file, path, bytes, n_bytes));
  unit_limits(vocab->unit, &most, &longest);
  const int64_t n = n_offsets - 1;
  if (n < 1 || n > most + SPECIALS ||
      (longest > 0 && *n_bytes > n * longest + SPECIALS * SPECIAL_BYTES)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: vocabulary of %lld tokens and %lld bytes, unit %s has 1 to %lld tokens%s",
                    path, (long long)n, (long long)*n_bytes, vocab->unit, (long long)most,
                    longest > 0 ? " of at most 4 bytes" : "");
  }
  TRM_TRY(TRM_ALLOC(&vocab->offsets, n + 1, "vocabulary"));
  TRM_TRY(TRM_ALLOC(&vocab->bytes, *n_bytes, "vocabulary"));
  vocab->n = n;
  TRM_TRY(trm_array_read(file, offsets, TRM_DTYPE_I64, vocab->offsets, n + 1));
  return trm_array_read(file, bytes, TRM_DTYPE_U8, vocab->bytes, *n_bytes);
}

static trm_status read_model(trm_container *file, const char *path, const char *group,
                             trm_vocab *vocab) {
  char name[NAME_BYTES];
  if (strcmp(vocab->unit, "subword") != 0) return TRM_OK;
  (void)snprintf(name, sizeof name, "%s/model", group);
  TRM_TRY(array_length(file, path, name, &vocab->n_model));
  TRM_TRY(TRM_ALLOC(&vocab->model, vocab->n_model, "subword model"));
  return trm_array_read(file, name, TRM_DTYPE_U8, vocab->model, vocab->n_model);
}

trm_status trm_vocab_read(trm_container *file, const char *path, const char *group,
                          trm_vocab *vocab) {
  trm_vocab v = TRM_VOCAB_NONE;
  int64_t n_bytes;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(read_unit(file, path, group, &v));
  TRM_TRY_OUT(read_texts(file, path, group, &v, &n_bytes));
  TRM_TRY_OUT(read_specials(file, path, group, &v));
  TRM_TRY_OUT(read_model(file, path, group, &v));
  TRM_TRY_OUT(trm_vocab_check(&v, n_bytes, path));
  *vocab = v;
out:
  if (status != TRM_OK) trm_vocab_free(&v);
  return status;
}

static trm_status fill_of_model(const trm_subword *model, trm_vocab *vocab) {
  const int64_t n = trm_subword_pieces(model);
  int64_t n_bytes = 0, bytes;
  for (int64_t i = 0; i < n; ++i) {
    (void)trm_subword_text(model, (int32_t)i, &bytes);
    n_bytes += bytes;
  }
  TRM_TRY(TRM_ALLOC(&vocab->offsets, n + 1, "vocabulary"));
  TRM_TRY(TRM_ALLOC(&vocab->bytes, n_bytes, "vocabulary"));
  vocab->n = n;
  for (int64_t i = 0; i < n; ++i) {
    const char *text = trm_subword_text(model, (int32_t)i, &bytes);
    memcpy(vocab->bytes + vocab->offsets[i], text, (size_t)bytes);
    vocab->offsets[i + 1] = vocab->offsets[i] + bytes;
  }
  trm_subword_specials(model, &vocab->unk, &vocab->bos, &vocab->eos);
  return TRM_OK;
}

trm_status trm_vocab_of_model(const char *model, int64_t n_model, const char *label,
                              trm_vocab *vocab) {
  trm_subword *subword;
  trm_vocab v = TRM_VOCAB_NONE;
  trm_status status = TRM_OK;
  TRM_TRY(trm_subword_open(model, n_model, label, &subword));
  (void)snprintf(v.unit, sizeof v.unit, "subword");
  TRM_TRY_OUT(fill_of_model(subword, &v));
  TRM_TRY_OUT(TRM_ALLOC(&v.model, n_model, "subword model"));
  memcpy(v.model, model, (size_t)n_model);
  v.n_model = n_model;
  TRM_TRY_OUT(trm_vocab_check(&v, v.offsets[v.n], label));
  *vocab = v;
out:
  trm_subword_close(&subword);
  if (status != TRM_OK) trm_vocab_free(&v);
  return status;
}
