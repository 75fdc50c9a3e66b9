/**
 * The program's own matrix product, the kernels beneath the `native` back end (math/gemm.h).
 *
 * Each element is one sum over k = 0, 1, ... K-1, a fused multiply-add each, from 0: its bits depend
 * on K and on the row of A and column of B that it is made of; not on M, on its place, on the threads,
 * or on the width of the processor's vectors.
 *
 * In bfloat16 the operands are rounded to it (to nearest even), and a sum takes two elements at a time:
 * sum + a[k+1] b[k+1], then + a[k] b[k], a fused multiply-add each, subnormal numbers taken as zero. That
 * is what VDPBF16PS does (AVX512_BF16), and what plain arithmetic does in its place.
 */
#ifndef TRIREME_MATH_PRODUCT_H
#define TRIREME_MATH_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/math/real.h"

enum {
  TRM_PANEL = 48,           /* columns of B that are packed side by side */
  TRM_PRODUCT_DEPTH = 2048, /* rows of B that are packed at once */
};

/** What is multiplied. */
typedef struct trm_factors {
  int64_t M, N, K;
  const trm_real *a; /* element (i, k) is a[i a_row + k a_k] */
  int64_t a_row, a_k;
  const trm_real *b; /* [K, N], transpose_b: [N, K], rows ldb apart; may be NULL with `packed` */
  const trm_bf16 *a_bf16, *b_bf16; /* read in place of a and b where not NULL; with bf16 alone */
  int64_t ldb;
  bool transpose_b;
  /* What trm_product_pack has made of it (bfloat16: for K <= 32768); of a matrix of packed_depth rows
   * it may be rows packed_first .. packed_first + K - 1 (packed_depth 0: K). */
  const trm_real *packed;
  int64_t packed_first, packed_depth; /* the first one even in bfloat16 */
  bool bf16;                          /* operands are rounded to bfloat16; `packed` holds such */
  bool instruction;                   /* by the processor's dot product, which is there */
} trm_factors;

/**
 * What becomes of the product P, element by element, in this order:
 *
 *     p = alpha P[i, j] + bias[j];  p = beta c[i, j] + p;
 *     p = (c - merge_step)[i, j] + p, and so on for n_merges arrays below c; the last one is written
 *
 * The merges are those of block gradients (trm_block_sink in nn/tape.h).
 */
typedef struct trm_after {
  trm_real *c; /* [M, N] rows ldc apart */
  int64_t ldc;
  trm_real alpha, beta; /* beta = 0: c is not read */
  const trm_real *bias; /* [N], NULL: none */
  int n_merges;
  int64_t merge_step; /* elements from one array to the one below */
} trm_after;

/** Elements of B[K, N] when packed, as numbers or in bfloat16. */
int64_t trm_packed_elements(int64_t N, int64_t K, bool bf16);
/** Packs B [K, N] (transpose_b: [N, K]), rows ldb apart, into packed[trm_packed_elements(N, K)]. */
void trm_product_pack(trm_real *packed, const trm_real *b, int64_t ldb, bool transpose_b, int64_t N,
                      int64_t K, bool bf16);

/** Rounds x[n] to bfloat16 where it lies: it is trm_bf16[n] from then on, in the first half. */
void trm_bf16_round(trm_real *x, int64_t n);

/** Elements of `scratch` that trm_product needs on so many threads, whatever the shapes. */
int64_t trm_product_scratch(int n_threads);

/** The product. @param scratch  overwritten */
void trm_product(const trm_factors *f, const trm_after *after, trm_real *scratch);

#endif
