/** Synthetic tokens: an order-1 Markov chain of known entropy. */
#include <math.h>

#include "charset.h"
#include "token_output.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/permute.h"

/* Probability that a token is followed by its successor for sure; the rest is uniform. */
#define FOLLOW 0.75

double trm_synthetic_entropy(int64_t vocab) {
  const double other = (1 - FOLLOW) / (double)vocab, successor = FOLLOW + other;
  return -successor * log(successor) - (double)(vocab - 1) * other * log(other);
}

/* Printable ASCII first, then on through Unicode past the surrogates. */
static trm_status synthetic_vocab(int64_t n, trm_vocab *vocab) {
  uint32_t *characters = NULL;
  TRM_TRY(TRM_ALLOC(&characters, n, "characters"));
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t cp = (uint32_t)(0x20 + i);
    characters[i] = cp < 0xD800 ? cp : cp + 0x800;
  }
  const trm_status status = trm_vocab_make_characters(characters, n, vocab);
  TRM_FREE(characters);
  return status;
}

static trm_status write_chain(trm_token_output *output, int64_t n_tokens, int64_t vocab,
                              uint64_t seed) {
  const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_TEST, 0, 0);
  enum { PIECE = 4096 };
  int32_t tokens[PIECE];
  int64_t last = 0;
  for (int64_t first = 0; first < n_tokens; first += PIECE) {
    const int64_t n = n_tokens - first < PIECE ? n_tokens - first : PIECE;
    for (int64_t i = 0; i < n; ++i) {
      const uint64_t at = (uint64_t)(first + i);
      last = trm_random_uniform(key, at, 0) < FOLLOW
                 ? trm_permute(seed, vocab, last)
                 : (int64_t)trm_random_below(key, at, 1, (uint64_t)vocab);
      tokens[i] = (int32_t)last;
    }
    TRM_TRY(trm_token_output_put(output, tokens, n));
  }
  return TRM_OK;
}

trm_status trm_prepare_synthetic(int64_t n_tokens, int64_t vocab, uint64_t seed,
                                 const char *output) {
  if (vocab < 2 || vocab > TRM_MAX_CHARS) {
    return trm_fail(TRM_ERR_USAGE, "synthetic vocabulary of %lld, expected 2 to %d",
                    (long long)vocab, TRM_MAX_CHARS);
  }
  const trm_prepare_options options = {.output = output, .valid_share = 0.1};
  TRM_TRY(trm_token_output_check(&options, NULL, 0));
  int64_t n_train;
  TRM_TRY(trm_token_output_split(n_tokens, options.valid_share, "synthetic tokens", &n_train));
  trm_token_output to = {0};
  trm_vocab characters = {0};
  trm_status status = TRM_OK;
  TRM_TRY_OUT(synthetic_vocab(vocab, &characters));
  TRM_TRY_OUT(trm_token_output_begin(&to, output, &characters, n_tokens, "synthetic Markov chain"));
  TRM_TRY_OUT(write_chain(&to, n_tokens, vocab, seed));
  TRM_TRY_OUT(trm_token_output_finish(&to, n_train));
  TRM_TRY_OUT(trm_token_output_publish(&to));
out:
  trm_token_output_abandon(&to);
  trm_vocab_free(&characters);
  return status;
}
