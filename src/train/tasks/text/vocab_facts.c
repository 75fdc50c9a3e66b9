#include "vocab_facts.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 48 };

/* "input/" and "vocab_unit" into name[NAME_BYTES]. */
static const char *join(char *name, const char *prefix, const char *fact) {
  (void)snprintf(name, NAME_BYTES, "%s%s", prefix, fact);
  return name;
}

static const char fact_unit[] = "vocab_unit", fact_offsets[] = "vocab/offsets",
                  fact_bytes[] = "vocab/bytes", fact_model[] = "vocab/model";
static const char *const fact_specials[] = {"vocab_unk", "vocab_bos", "vocab_eos"};

trm_status trm_vocab_facts_put(trm_facts *facts, const char *prefix, const trm_vocab *vocab) {
  char name[NAME_BYTES];
  const int32_t specials[] = {vocab->unk, vocab->bos, vocab->eos};
  TRM_TRY(trm_facts_put_text(facts, join(name, prefix, fact_unit), vocab->unit));
  for (int i = 0; i < 3; ++i) {
    if (specials[i] >= 0)
      TRM_TRY(trm_facts_put_int(facts, join(name, prefix, fact_specials[i]), specials[i]));
  }
  TRM_TRY(trm_facts_put_array(facts, join(name, prefix, fact_offsets), TRM_DTYPE_I64, vocab->n + 1,
                              vocab->offsets));
  TRM_TRY(trm_facts_put_array(facts, join(name, prefix, fact_bytes), TRM_DTYPE_U8,
                              vocab->offsets[vocab->n], vocab->bytes));
  if (!vocab->model) return TRM_OK;
  return trm_facts_put_array(facts, join(name, prefix, fact_model), TRM_DTYPE_U8, vocab->n_model,
                             vocab->model);
}

static trm_status get_specials(const trm_facts *facts, const char *path, const char *prefix,
                               trm_vocab *vocab) {
  char name[NAME_BYTES];
  int32_t *const to[] = {&vocab->unk, &vocab->bos, &vocab->eos};
  for (int i = 0; i < 3; ++i) {
    const int64_t id = trm_facts_int(facts, join(name, prefix, fact_specials[i]), -1);
    if (id < -1 || id >= vocab->n) {
      return trm_fail(TRM_ERR_DATA, "%s: %s is %lld, out of vocabulary (%lld)", path, name,
                      (long long)id, (long long)vocab->n);
    }
    *to[i] = (int32_t)id;
  }
  return TRM_OK;
}

trm_status trm_vocab_facts_get(const trm_facts *facts, const char *path, const char *prefix,
                               trm_vocab *vocab) {
  char name[NAME_BYTES];
  int64_t n_offsets, n_bytes, n_model = 0;
  const char *unit = trm_facts_text(facts, join(name, prefix, fact_unit));
  *vocab = TRM_VOCAB_NONE;
  vocab->offsets =
      trm_facts_array(facts, join(name, prefix, fact_offsets), TRM_DTYPE_I64, &n_offsets);
  vocab->bytes = trm_facts_array(facts, join(name, prefix, fact_bytes), TRM_DTYPE_U8, &n_bytes);
  vocab->model = trm_facts_array(facts, join(name, prefix, fact_model), TRM_DTYPE_U8, &n_model);
  if (!unit || strlen(unit) >= sizeof vocab->unit || !vocab->offsets || !vocab->bytes) {
    return trm_fail(TRM_ERR_DATA, "%s: has no vocabulary; it is no checkpoint of a text", path);
  }
  (void)snprintf(vocab->unit, sizeof vocab->unit, "%s", unit);
  vocab->n = n_offsets - 1;
  vocab->n_model = vocab->model ? n_model : 0;
  TRM_TRY(get_specials(facts, path, prefix, vocab));
  return trm_vocab_check(vocab, n_bytes, path);
}

/* ---- comparing ------------------------------------------------------------------------------- */

bool trm_fact_arrays_same(const trm_facts *a, const char *name_a, const trm_facts *b,
                          const char *name_b, trm_dtype dtype) {
  int64_t n_a = 0, n_b = 0;
  const void *x = trm_facts_array(a, name_a, dtype, &n_a);
  const void *y = trm_facts_array(b, name_b, dtype, &n_b);
  if (!x || !y) return !x && !y;
  return n_a == n_b && memcmp(x, y, (size_t)n_a * trm_dtype_bytes(dtype)) == 0;
}

static bool same_part(const trm_facts *a, const char *prefix_a, const trm_facts *b,
                      const char *prefix_b, const char *fact, trm_dtype dtype) {
  char name_a[NAME_BYTES], name_b[NAME_BYTES];
  return trm_fact_arrays_same(a, join(name_a, prefix_a, fact), b, join(name_b, prefix_b, fact),
                              dtype);
}

/* Prefixes of the vocabularies that facts may have: of a text, of inputs, of outputs. */
static const char *const prefixes[] = {"", "input/", "output/"};
enum { N_PREFIXES = sizeof prefixes / sizeof prefixes[0] };

static int list_vocabularies(const trm_facts *facts, const char *found[N_PREFIXES]) {
  char name[NAME_BYTES];
  int n = 0;
  for (int i = 0; i < N_PREFIXES; ++i) {
    if (trm_facts_text(facts, join(name, prefixes[i], fact_unit))) found[n++] = prefixes[i];
  }
  return n;
}

bool trm_vocab_facts_same(const trm_facts *ours, const trm_facts *theirs) {
  const char *here[N_PREFIXES], *there[N_PREFIXES];
  const int n_here = list_vocabularies(ours, here), n_there = list_vocabularies(theirs, there);
  if (n_here > 0 && n_there == 0) return false;
  for (int i = 0; i < n_here; ++i) {
    const char *a = here[i], *b = there[i < n_there ? i : n_there - 1];
    if (!same_part(ours, a, theirs, b, fact_offsets, TRM_DTYPE_I64)) return false;
    if (!same_part(ours, a, theirs, b, fact_bytes, TRM_DTYPE_U8)) return false;
    if (!same_part(ours, a, theirs, b, fact_model, TRM_DTYPE_U8)) return false;
  }
  return true;
}
