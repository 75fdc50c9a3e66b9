#include "random_splits_internal.h"

#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

/* Source: Durstenfeld 1964, "Algorithm 235: random permutation", CACM 7(7). */
static void shuffle(int32_t *ids, int64_t n, uint64_t seed, int split) {
  const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_SPLIT, (uint64_t)split, 0);
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = (int64_t)trm_random_below(key, (uint64_t)i, 0, (uint64_t)i + 1);
    const int32_t id = ids[i];
    ids[i] = ids[j];
    ids[j] = id;
  }
}

/* Subsets are runs of the permutation; lists rise because they are collected by node. */
static void deal(const int32_t *permuted, int64_t n, const trm_split_shares *shares,
                 uint8_t *subset_of, int64_t n_nodes, int32_t *memory, trm_ids *subsets) {
  int64_t done = 0;
  int percent = 0;
  for (int64_t i = 0; i < n_nodes; ++i) subset_of[i] = TRM_N_SUBSETS;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    percent += shares->percent[p];
    const int64_t end = trm_share_begin(n, percent, 100);
    subsets[p] = (trm_ids){.ids = memory + done, .n = end - done};
    for (; done < end; ++done) subset_of[permuted[done]] = (uint8_t)p;
  }
  int64_t next[TRM_N_SUBSETS];
  for (int p = 0; p < TRM_N_SUBSETS; ++p) next[p] = subsets[p].ids - memory;
  for (int64_t i = 0; i < n_nodes; ++i) {
    if (subset_of[i] != TRM_N_SUBSETS) memory[next[subset_of[i]]++] = (int32_t)i;
  }
}

trm_status trm_random_splits_make(const int32_t *labels, int64_t n_nodes, int n,
                                  const trm_split_shares *shares, int n_shares, uint64_t seed,
                                  trm_random_splits *out) {
  int32_t *permuted = NULL;
  uint8_t *subset_of = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&permuted, n_nodes, "splits"));
  TRM_TRY_OUT(TRM_ALLOC(&subset_of, n_nodes, "splits"));
  TRM_TRY_OUT(TRM_ALLOC(&out->splits, (int64_t)n * TRM_N_SUBSETS, "splits"));
  TRM_TRY_OUT(TRM_ALLOC(&out->memory, n, "splits"));
  out->n = n;
  for (int s = 0; s < n; ++s) {
    int64_t n_labelled = 0;
    for (int64_t i = 0; i < n_nodes; ++i) {
      if (labels[i] >= 0) permuted[n_labelled++] = (int32_t)i;
    }
    TRM_TRY_OUT(TRM_ALLOC(&out->memory[s], n_labelled, "splits"));
    shuffle(permuted, n_labelled, seed, s);
    deal(permuted, n_labelled, &shares[s < n_shares ? s : n_shares - 1], subset_of, n_nodes,
         out->memory[s], &out->splits[s * TRM_N_SUBSETS]);
  }
out:
  TRM_FREE(permuted);
  TRM_FREE(subset_of);
  if (status != TRM_OK) trm_random_splits_free(out);
  return status;
}

void trm_random_splits_free(trm_random_splits *splits) {
  for (int s = 0; s < splits->n; ++s) TRM_FREE(splits->memory[s]);
  TRM_FREE(splits->memory);
  TRM_FREE(splits->splits);
  splits->n = 0;
}
