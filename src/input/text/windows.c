/**
 * Which window is which sample: pure arithmetic on (seed, context, index).
 *
 * Training, epoch e of a split of n tokens, context T: the text is cut at stride T from a phase in
 * [0, T) that is drawn anew each epoch, so that in time every token is seen at every place of a
 * context. Window w reads tokens [phase + w T, phase + w T + T] (the last one as a target only).
 * There are S = floor((n - T) / T) windows whatever the phase, since with phase <= T - 1
 * the last token read is at most T - 1 + S T <= n - 1; what is left over at the ends of the text,
 * fewer than 2 T tokens, changes with the phase. Having the same S in every epoch is what makes
 * epoch and place of a sample a division, and seeking O(1).
 */
#include <string.h>

#include "text_internal.h"
#include "trireme/core/random.h"
#include "trireme/input/permute.h"

/* Users of one purpose are told apart by the salt; the input is the only one of these two. */
enum { SALT = 0 };

static int64_t epoch_samples(int64_t n, int64_t T) {
  return n < T ? 0 : (n - T) / T;
}

trm_status trm_dataset_check_context(const trm_dataset *dataset, int64_t T) {
  if (T < 1) {
    return trm_fail(TRM_ERR_DATA, "context %lld: at least 1 token is needed", (long long)T);
  }
  const int64_t n = dataset->subset[TRM_SUBSET_TRAIN].n;
  if (epoch_samples(n, T) >= 1) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: context %lld longer than the data: the training split has %lld tokens and "
                  "must have two contexts; take a context of at most %lld, or more text",
                  dataset->path, (long long)T, (long long)n, (long long)(n / 2));
}

int64_t trm_dataset_epoch_samples(const trm_dataset *dataset, int64_t T) {
  TRM_ASSERT(T >= 1);
  return epoch_samples(dataset->subset[TRM_SUBSET_TRAIN].n, T);
}

void trm_windows_locate(int64_t n, uint64_t seed, int64_t T, int64_t index, int64_t *epoch,
                        int64_t *window, int64_t *token) {
  const int64_t samples = epoch_samples(n, T);
  TRM_ASSERT(samples >= 1 && index >= 0);
  *epoch = index / samples;
  const uint64_t e = (uint64_t)*epoch;
  uint32_t words[4];
  trm_random_words(trm_random_key_make(seed, TRM_RANDOM_SHUFFLE, e, SALT), 0, 0, words);
  const uint64_t order = (uint64_t)words[1] << 32 | words[0];
  *window = trm_permute(order, samples, index % samples);
  const trm_random_key phase_key = trm_random_key_make(seed, TRM_RANDOM_PHASE, e, SALT);
  const int64_t phase = (int64_t)trm_random_below(phase_key, 0, 0, (uint64_t)T);
  *token = phase + *window * T;
}

void trm_dataset_locate(const trm_dataset *dataset, uint64_t seed, int64_t T, int64_t index,
                        int64_t *epoch, int64_t *window, int64_t *token) {
  trm_windows_locate(dataset->subset[TRM_SUBSET_TRAIN].n, seed, T, index, epoch, window, token);
}

int64_t trm_dataset_eval_samples(const trm_dataset *dataset, trm_subset subset, int64_t T) {
  TRM_ASSERT(T >= 1);
  const int64_t n = dataset->subset[subset].n;
  /* n - 1 tokens have one before them; ceil without overflow for any T. */
  return n < 2 ? 0 : (n - 2) / T + 1;
}

/*
 * At stride T the windows lie one after another, so n of them are one run of the text: inputs are
 * tokens [s, s + n T) and targets [s + 1, s + 1 + n T).
 */
trm_status trm_dataset_eval_read(trm_dataset *dataset, trm_subset subset, int64_t T, int64_t first,
                                 int64_t n, int32_t *inputs, int32_t *targets) {
  TRM_ASSERT(first >= 0 && n >= 0 && first + n <= trm_dataset_eval_samples(dataset, subset, T));
  if (n == 0) return TRM_OK;
  const int64_t start = first * T, wanted = n * T;
  const int64_t left = dataset->subset[subset].n - 1 - start;
  const int64_t there = wanted < left ? wanted : left; /* >= 1 */
  const int64_t begin = dataset->subset[subset].begin + start;
  TRM_TRY(trm_dataset_tokens_read(dataset, begin, 1, inputs));
  TRM_TRY(trm_dataset_tokens_read(dataset, begin + 1, there, targets));
  memcpy(inputs + 1, targets, (size_t)(there - 1) * sizeof *inputs);
  for (int64_t i = there; i < wanted; ++i) {
    inputs[i] = 0;
    targets[i] = -1;
  }
  return TRM_OK;
}
