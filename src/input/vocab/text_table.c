#include "text_table.h"

#include <string.h>

#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

/* The place of a text, or of the hole where it belongs. */
static int64_t find_place(const trm_text_table *table, const char *text, int64_t bytes) {
  const trm_vocab *v = table->vocab;
  const int64_t mask = table->size - 1;
  int64_t at = (int64_t)(trm_hash64(text, (size_t)bytes, 0) & (uint64_t)mask);
  for (; table->places[at] != 0; at = (at + 1) & mask) {
    const int64_t begin = v->offsets[table->places[at] - 1];
    if (v->offsets[table->places[at]] - begin == bytes &&
        memcmp(v->bytes + begin, text, (size_t)bytes) == 0) {
      break;
    }
  }
  return at;
}

trm_status trm_text_table_create(const trm_vocab *vocab, trm_text_table *table, int64_t *first,
                                 int64_t *again) {
  *table = (trm_text_table){.vocab = vocab, .size = 16};
  *first = *again = -1;
  while (table->size < 2 * vocab->n) table->size *= 2;
  TRM_TRY(TRM_ALLOC(&table->places, table->size, "table of a vocabulary"));
  for (int64_t i = 0; i < vocab->n; ++i) {
    if (trm_vocab_is_special(vocab, i)) continue;
    const int64_t at = find_place(table, vocab->bytes + vocab->offsets[i],
                                  vocab->offsets[i + 1] - vocab->offsets[i]);
    if (table->places[at] == 0) {
      table->places[at] = (int32_t)(i + 1);
    } else if (*again < 0) {
      *first = table->places[at] - 1;
      *again = i;
    }
  }
  return TRM_OK;
}

void trm_text_table_free(trm_text_table *table) {
  TRM_FREE(table->places);
}

int32_t trm_text_table_find(const trm_text_table *table, const char *text, int64_t bytes) {
  return table->places[find_place(table, text, bytes)] - 1;
}
