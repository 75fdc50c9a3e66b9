#include "trireme/train/pair_auc.h"

#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"

/* Scores as whole numbers in the same order, whose upper halves number the pieces of a table. */
enum { PIECE_BITS = 16, N_PIECES = 1 << PIECE_BITS };

struct trm_pair_auc {
  int64_t n;
  uint32_t *keys;  /* [n] rising; owned */
  int64_t *begins; /* [N_PIECES + 1] first key of each piece; owned */
};

static uint32_t key_of(float score) {
  uint32_t bits;
  if (score != score) return 0;
  score += 0.0F; /* one zero */
  memcpy(&bits, &score, sizeof bits);
  return bits & UINT32_C(0x80000000) ? ~bits : bits | UINT32_C(0x80000000);
}

static int by_key(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static trm_status fill(trm_pair_auc *auc, const float *scores) {
  TRM_TRY(TRM_ALLOC(&auc->keys, auc->n, "scores of pairs"));
  TRM_TRY(TRM_ALLOC(&auc->begins, N_PIECES + 1, "scores of pairs"));
  for (int64_t i = 0; i < auc->n; ++i) {
    auc->keys[i] = key_of(scores[i]);
    ++auc->begins[(auc->keys[i] >> (32 - PIECE_BITS)) + 1];
  }
  if (auc->n > 1) qsort(auc->keys, (size_t)auc->n, sizeof *auc->keys, by_key);
  for (int64_t k = 0; k < N_PIECES; ++k) auc->begins[k + 1] += auc->begins[k];
  return TRM_OK;
}

trm_status trm_pair_auc_create(const float *scores, int64_t n, trm_pair_auc **out) {
  trm_pair_auc *auc = NULL;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&auc, 1, "scores of pairs"));
  auc->n = n;
  const trm_status status = fill(auc, scores);
  if (status == TRM_OK) {
    *out = auc;
  } else {
    trm_pair_auc_destroy(&auc);
  }
  return status;
}

void trm_pair_auc_destroy(trm_pair_auc **auc) {
  if (!*auc) return;
  TRM_FREE((*auc)->keys);
  TRM_FREE((*auc)->begins);
  TRM_FREE(*auc);
}

/* Keys below `key`, of [low, high). */
static int64_t below(const uint32_t *keys, int64_t low, int64_t high, uint64_t key) {
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (keys[middle] < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

int64_t trm_pair_auc_count(const trm_pair_auc *auc, const float *scores, int64_t n) {
  int64_t twice = 0;
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t key = key_of(scores[i]), piece = key >> (32 - PIECE_BITS);
    const int64_t low = auc->begins[piece], high = auc->begins[piece + 1];
    const int64_t less = below(auc->keys, low, high, key);
    const int64_t most = less < high ? below(auc->keys, less, high, (uint64_t)key + 1) : less;
    twice += 2 * (auc->n - most) + (most - less);
  }
  return twice;
}
