#include "words_internal.h"

#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"

enum { MAX_WORD_BYTES = 64 }; /* longer ones are no words but addresses and hashes */

static int64_t *as_i64(const trm_buffer *buffer) {
  return (int64_t *)(void *)buffer->data;
}

trm_status trm_words_add(trm_words *words, const char *word, int64_t bytes) {
  static const int64_t none = 0;
  int32_t id;
  bool added;
  TRM_TRY(trm_names_add(&words->names, word, bytes, &id, &added));
  if (added) {
    TRM_TRY(trm_buffer_append(&words->seen, &none, (int64_t)sizeof none));
    TRM_TRY(trm_buffer_append(&words->documents, &none, (int64_t)sizeof none));
  }
  if (as_i64(&words->seen)[id] == words->n_documents + 1) return TRM_OK;
  as_i64(&words->seen)[id] = words->n_documents + 1;
  ++as_i64(&words->documents)[id];
  return trm_buffer_append(&words->ids, &id, (int64_t)sizeof id);
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

trm_status trm_words_add_text(trm_words *words, const char *text, int64_t bytes) {
  char word[MAX_WORD_BYTES];
  for (int64_t at = 0; at < bytes;) {
    int64_t n = 0;
    bool letters = false;
    for (; at < bytes; ++at, ++n) {
      const char c = text[at];
      const bool inside = is_letter(c) || is_digit(c) || (n > 0 && (c == '+' || c == '#'));
      if (!inside) break;
      letters = letters || is_letter(c);
      if (n < MAX_WORD_BYTES) word[n] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    if (letters && n <= MAX_WORD_BYTES) TRM_TRY(trm_words_add(words, word, n));
    if (n == 0) ++at;
  }
  return TRM_OK;
}

trm_status trm_words_end_document(trm_words *words) {
  const int64_t end = words->ids.n / (int64_t)sizeof(int32_t);
  TRM_TRY(trm_buffer_append(&words->ends, &end, (int64_t)sizeof end));
  ++words->n_documents;
  return TRM_OK;
}

void trm_words_free(trm_words *words) {
  trm_names_free(&words->names);
  trm_buffer_free(&words->seen);
  trm_buffer_free(&words->documents);
  trm_buffer_free(&words->ids);
  trm_buffer_free(&words->ends);
  words->n_documents = 0;
}

const int32_t *trm_words_of(const trm_words *words, int64_t d, int64_t *n) {
  const int64_t first = d > 0 ? as_i64(&words->ends)[d - 1] : 0;
  *n = as_i64(&words->ends)[d] - first;
  return *n > 0 ? (const int32_t *)(const void *)words->ids.data + first : NULL;
}

int64_t trm_words_documents(const trm_words *words, int32_t word) {
  return as_i64(&words->documents)[word];
}

typedef struct candidate {
  int64_t n_documents;
  const char *text;
  int64_t bytes;
  int32_t id;
} candidate;

/* Most frequent first, then by bytes; no two are equal, so that the order is one. */
static int compare(const void *left, const void *right) {
  const candidate *a = left, *b = right;
  if (a->n_documents != b->n_documents) return a->n_documents > b->n_documents ? -1 : 1;
  const int64_t n = a->bytes < b->bytes ? a->bytes : b->bytes;
  const int order = memcmp(a->text, b->text, (size_t)n);
  if (order != 0) return order;
  return a->bytes < b->bytes ? -1 : a->bytes > b->bytes;
}

trm_status trm_words_choose(const trm_words *words, int64_t least, double most_share, int64_t max,
                            int32_t *rank, int32_t *chosen, int64_t *n) {
  const int64_t *offsets = trm_names_offsets(&words->names);
  const double most = most_share * (double)words->n_documents;
  candidate *candidates = NULL;
  int64_t n_candidates = 0;
  TRM_TRY(TRM_ALLOC(&candidates, words->names.n, "words"));
  for (int64_t id = 0; id < words->names.n; ++id) {
    const int64_t documents = trm_words_documents(words, (int32_t)id);
    rank[id] = -1;
    if (documents < least || (double)documents > most) continue;
    candidates[n_candidates++] = (candidate){documents, words->names.bytes.data + offsets[id],
                                             offsets[id + 1] - offsets[id], (int32_t)id};
  }
  if (n_candidates > 0) qsort(candidates, (size_t)n_candidates, sizeof *candidates, compare);
  *n = n_candidates < max ? n_candidates : max;
  for (int64_t i = 0; i < *n; ++i) {
    chosen[i] = candidates[i].id;
    rank[candidates[i].id] = (int32_t)i;
  }
  TRM_FREE(candidates);
  return TRM_OK;
}
