#include "output_tile.h"

void trm_output_tile(trm_tape *tape, const trm_var *x, const trm_var *w, trm_real *logits,
                     int64_t first, int64_t n) {
  const int64_t C = x->dims[1];
  const trm_real *packed = trm_tape_packed(tape, w, true);
  const trm_factors factors = {
      .M = x->dims[0],
      .N = n,
      .K = C,
      .a = x->data,
      .a_bf16 = x->bf16,
      .a_row = C,
      .a_k = 1,
      .b = w->data + first * C,
      .ldb = C,
      .transpose_b = true,
      .packed = packed ? packed + trm_packed_elements(first, C, trm_gemm_bf16()) : NULL,
      .bf16 = trm_gemm_bf16()};
  trm_gemm_then(&factors, &(trm_after){.c = logits, .ldc = n, .alpha = 1});
}
