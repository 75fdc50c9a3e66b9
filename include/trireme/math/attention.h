/**
 * Multi-head attention over sequences of any lengths, one behind the other. The rules are those of
 * trireme/math/kernels.h, and:
 *
 * 1. A sequence's result depends on its own rows alone: same bits in any batch.
 * 2. A row of a causal sequence has the same bits whether all queries or the last few are computed.
 *
 * Both hold because a query meets its keys in tiles that begin at the sequence's first key, whoever
 * else is in the pass.
 */
#ifndef TRIREME_MATH_ATTENTION_H
#define TRIREME_MATH_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/batch.h"
#include "trireme/core/random.h"
#include "trireme/math/real.h"

/** Queries of each sequence against the keys of the sequence with the same number. */
typedef struct trm_attention {
  const trm_sequences *queries, *keys; /* of the same n; self-attention: the same */
  int64_t H, d;                        /* heads, and elements of each */
  bool causal; /* query i of n sees keys 0 .. i + (keys - n): the last one sees all; else all do */
  const trm_real *q;       /* [queries->n_rows] rows of H d, q_step elements apart */
  const trm_real *k, *v;   /* [keys->n_rows] rows of H d, kv_step elements apart */
  int64_t q_step, kv_step; /* elements */
  const int32_t *key_rows; /* [keys->n_rows] row of k and v that is key j; NULL: row j */
  double dropout;          /* of probabilities; in [0, 1), rounded to a multiple of 2^-16 */
  trm_random_key key;      /* by the counter (sample = sample0 + sequence, position = query 2^32 +
                               head 2^22 + key / 8), and there the 16 bits of number key % 8 */
  int64_t sample0;
} trm_attention;

/** With dropout. */
enum { TRM_ATTENTION_MAX_HEADS = 1024, TRM_ATTENTION_MAX_KEYS = 1 << 25 };

/**
 * out = dropout(softmax(q k^T / sqrt(d))) v per head, never storing the matrix of scores and skipping
 * what is masked. Queries that see no key: 0.
 *
 * @param[out] out  [queries->n_rows, H d]
 * @param[out] lse  [H, queries->n_rows] log-sum-exp of each row of scaled scores, kept for the backward
 *                  pass; 0 for queries that see no key; NULL: not wanted
 * @param      scratch  [trm_attention_forward_scratch(attention)] overwritten
 *
 * Threads share out (sequence, head) pairs and groups of queries.
 * Cost: 2 d multiply-adds a head, query and key it sees; 5/2 of it backward. Few queries (a step of
 * decoding) are computed in place, without packing keys, where d is a multiple of 16.
 * Source: Dao et al. 2022, arXiv:2205.14135, algorithms 1 and 4 (one pass, recomputed backward).
 */
void trm_attention_forward(trm_real *out, trm_real *lse, const trm_attention *attention,
                           trm_real *scratch);
/**
 * dq lies like q, dk and dv like k and v; written, or added to (add_q, add_kv). Either dq or both dk
 * and dv may be NULL: not wanted. Keys that no query sees get 0. dout[queries->n_rows, H d]; `out`,
 * `lse` come from the forward pass. Not with key_rows.
 * @param scratch  [trm_attention_backward_scratch(attention)] overwritten
 */
void trm_attention_backward(trm_real *dq, trm_real *dk, trm_real *dv, const trm_real *dout,
                            const trm_real *out, const trm_real *lse,
                            const trm_attention *attention, bool add_q, bool add_kv,
                            trm_real *scratch);
/** Elements of `scratch` for any thread count up to trm_threads_get(). Of the sequences it reads n and
 *  `longest` alone, and is no smaller for larger ones: bounds will do. */
int64_t trm_attention_forward_scratch(const trm_attention *attention);
int64_t trm_attention_backward_scratch(const trm_attention *attention);

#endif
