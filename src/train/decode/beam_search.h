/**
 * Writing what a model says of inputs, token by token: greedy, by beam search, or drawn at random. What
 * is written for an input depends on that input alone: the same bits in any batch, on any rank.
 * Not collective.
 */
#ifndef TRIREME_TRAIN_BEAM_SEARCH_H
#define TRIREME_TRAIN_BEAM_SEARCH_H

#include "trireme/core/batch.h"
#include "trireme/train/learner.h"

typedef struct trm_beam_options {
  int64_t beam;         /* hypotheses kept for an input; 1: greedy */
  int64_t n_best;       /* results of an input, at most `beam` */
  double length_reward; /* trm_length_reward */
  double
      longest_ratio; /* results have at most ratio * rows of the input + extra tokens, and what */
  int64_t longest_extra; /* the model's context allows */
  double temperature;    /* 0: the most likely; else drawn at that temperature, with a beam of 1, */
  int64_t top_k;         /* from the most likely top_k (0: all), */
  double top_p;          /* and from the fewest whose probabilities reach top_p (1: all) */
  uint64_t seed;
  int32_t bos, eos;
} trm_beam_options;

/** A result. */
typedef struct trm_written {
  const int32_t *tokens; /* [n] without <s> and </s> */
  int64_t n;
  double log_prob; /* of the tokens and </s> */
  double score;    /* with the length reward */
  bool ended;      /* by </s>; else it was cut */
} trm_written;

typedef struct trm_beam_search trm_beam_search;

/** Tokens, </s> counted, that a result of an input of n_rows may have. */
int64_t trm_beam_search_longest(const trm_beam_options *options, int64_t context, int64_t n_rows);
/**
 * Plans passes over batches of at most `bounds` (its inputs), whose results have at most `n_kept` tokens
 * together: inputs * beam * trm_beam_search_longest of the longest. Keeps the learner; the tape must be
 * reserved afterwards (trm_tape_reserve).
 */
trm_status trm_beam_search_create(trm_learner *learner, const trm_beam_options *options,
                                  const trm_sample_batch *bounds, int64_t n_kept, int64_t n_outputs,
                                  trm_beam_search **out);
/** NULL is accepted; sets NULL. */
void trm_beam_search_destroy(trm_beam_search **search);
/** Writes for each input of the batch. numbers[n]: keys of what is drawn for each; may be NULL where
 *  nothing is drawn. */
trm_status trm_beam_search_run(trm_beam_search *search, const trm_sample_batch *batch,
                               const int64_t *numbers);
/** Result `k` of input `i`, the best first, until the next run; k < trm_beam_search_n. */
trm_written trm_beam_search_result(const trm_beam_search *search, int64_t i, int64_t k);
int64_t trm_beam_search_n(const trm_beam_search *search, int64_t i);

#endif
