#include "vocab_facts.h"

#include <stdio.h>
#include <string.h>

static const char fact_unit[] = "vocab_unit", fact_offsets[] = "vocab/offsets",
                  fact_bytes[] = "vocab/bytes";

trm_status trm_vocab_facts_put(trm_facts *facts, const trm_vocab *vocab) {
  TRM_TRY(trm_facts_put_text(facts, fact_unit, vocab->unit));
  TRM_TRY(trm_facts_put_array(facts, fact_offsets, TRM_DTYPE_I64, vocab->n + 1, vocab->offsets));
  return trm_facts_put_array(facts, fact_bytes, TRM_DTYPE_U8, vocab->offsets[vocab->n],
                             vocab->bytes);
}

trm_status trm_vocab_facts_get(const trm_facts *facts, const char *path, trm_vocab *vocab) {
  int64_t n_offsets, n_bytes;
  const char *unit = trm_facts_text(facts, fact_unit);
  *vocab = (trm_vocab){.offsets = trm_facts_array(facts, fact_offsets, TRM_DTYPE_I64, &n_offsets),
                       .bytes = trm_facts_array(facts, fact_bytes, TRM_DTYPE_U8, &n_bytes)};
  if (!unit || strlen(unit) >= sizeof vocab->unit || !vocab->offsets || !vocab->bytes) {
    return trm_fail(TRM_ERR_DATA, "%s: has no vocabulary; it is no checkpoint of a text", path);
  }
  (void)snprintf(vocab->unit, sizeof vocab->unit, "%s", unit);
  vocab->n = n_offsets - 1;
  return trm_vocab_check(vocab, n_bytes, path);
}
