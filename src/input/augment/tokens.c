/** Tokens left out, hidden and exchanged; numbers of rows left out. */
#include "augment_internal.h"

static bool happens(trm_random_key key, const trm_augment_draw *draw, int64_t i, double p) {
  return trm_random_uniform(key, (uint64_t)draw->of.sample, (uint64_t)i) < p;
}

static void drop_tokens(trm_augment_given given, const trm_augment_draw *draw, int32_t *tokens,
                        int64_t *n, int32_t unk) {
  const trm_random_key key = trm_augment_key(draw);
  const int32_t survivor = tokens[trm_augment_below(draw, (uint64_t)*n, *n)];
  int64_t kept = 0;
  (void)unk;
  for (int64_t i = 0; i < *n; ++i) {
    if (!happens(key, draw, i, given.number)) tokens[kept++] = tokens[i];
  }
  if (kept == 0) tokens[kept++] = survivor;
  *n = kept;
}

static void drop_numbers(trm_augment_given given, const trm_augment_draw *draw, float *numbers,
                         int64_t n) {
  const trm_random_key key = trm_augment_key(draw);
  for (int64_t i = 0; i < n; ++i) {
    if (happens(key, draw, i, given.number)) numbers[i] = 0;
  }
}

/**
 * Each token goes with probability P; when all would, one of them at random stays. A number of a row
 * becomes 0, which is its column's mean.
 * Sources: Iyyer, Manjunatha, Boyd-Graber, Daume 2015, "Deep unordered composition rivals syntactic
 * methods for text classification", ACL; Wei, Zou 2019, arXiv:1901.11196 (random deletion); Vincent,
 * Larochelle, Bengio, Manzagol 2008, "Extracting and composing robust features with denoising
 * autoencoders", ICML.
 */
const trm_augment_op trm_augment_op_drop = {
    .name = "drop",
    .number = "P",
    .min = 0,
    .max = 1,
    .help = "each token left out, or each number set to its mean, with probability P",
    .row = drop_numbers,
    .tokens = drop_tokens,
};

static void mask_tokens(trm_augment_given given, const trm_augment_draw *draw, int32_t *tokens,
                        int64_t *n, int32_t unk) {
  const trm_random_key key = trm_augment_key(draw);
  for (int64_t i = 0; i < *n; ++i) {
    if (happens(key, draw, i, given.number)) tokens[i] = unk;
  }
}

/** Source: Bowman, Vilnis, Vinyals, Dai, Jozefowicz, Bengio 2015, "Generating sentences from a
 *  continuous space", arXiv:1511.06349, section 3.1 (word dropout). */
const trm_augment_op trm_augment_op_mask = {
    .name = "mask",
    .number = "P",
    .min = 0,
    .max = 1,
    .help = "each token hidden behind the one for unknown with probability P",
    .tokens = mask_tokens,
    .needs_unk = true,
};

static void swap_tokens(trm_augment_given given, const trm_augment_draw *draw, int32_t *tokens,
                        int64_t *n, int32_t unk) {
  const trm_random_key key = trm_augment_key(draw);
  (void)unk;
  for (int64_t i = 0; i + 1 < *n; ++i) {
    if (!happens(key, draw, i, given.number)) continue;
    const int32_t kept = tokens[i];
    tokens[i] = tokens[i + 1];
    tokens[++i] = kept; /* has moved: not again */
  }
}

/** Each token is exchanged with the next with probability P, unless it was with the one before.
 *  Source: Lample, Conneau, Denoyer, Ranzato 2017, arXiv:1711.00043, section 2.3, for moves by one. */
const trm_augment_op trm_augment_op_swap = {
    .name = "swap",
    .number = "P",
    .min = 0,
    .max = 1,
    .help = "neighbours exchanged with probability P",
    .tokens = swap_tokens,
};
