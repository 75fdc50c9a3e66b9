/**
 * Plain loops in double that the fast kernels are compared with; names and meanings are those of
 * trireme/math/kernels.h. Outputs are written, never added to.
 */
#ifndef TRIREME_TESTS_REFERENCE_H
#define TRIREME_TESTS_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

/** C = alpha op(A) op(B) + beta C0; C0 is not read when beta is 0. */
void ref_gemm(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K, double alpha,
              const double *a, int64_t lda, const double *b, int64_t ldb, double beta,
              const double *c0, double *c, int64_t ldc);

double ref_gelu(double x);
double ref_gelu_slope(double x);

void ref_layernorm_forward(double *y, double *mean, double *rstd, const double *x, const double *w,
                           const double *b, int64_t N, int64_t C, double eps);
void ref_layernorm_backward(double *dx, double *dw, double *db, const double *dy, const double *x,
                            const double *mean, const double *rstd, const double *w, int64_t N,
                            int64_t C);

/** By the whole T x T matrix; `p` is room for T * T. */
void ref_attention_forward(double *out, double *lse, const double *qkv, int64_t N, int64_t T,
                           int64_t C, int64_t H, double *p);
/** By the chain rule through the softmax matrix; `p` is room for 2 T * T. */
void ref_attention_backward(double *dqkv, const double *dout, const double *qkv, int64_t N,
                            int64_t T, int64_t C, int64_t H, double *p);

double ref_log_sum_exp(const double *x, int64_t n);

#endif
