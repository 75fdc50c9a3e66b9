#include "reference.h"

#include <math.h>

void ref_gemm(bool transpose_a, bool transpose_b, int64_t M, int64_t N, int64_t K, double alpha,
              const double *a, int64_t lda, const double *b, int64_t ldb, double beta,
              const double *c0, double *c, int64_t ldc) {
  for (int64_t i = 0; i < M; ++i) {
    for (int64_t j = 0; j < N; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) {
        sum += (transpose_a ? a[k * lda + i] : a[i * lda + k]) *
               (transpose_b ? b[j * ldb + k] : b[k * ldb + j]);
      }
      c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c0[i * ldc + j]);
    }
  }
}

double ref_gelu(double x) {
  return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

double ref_gelu_slope(double x) {
  const double k = sqrt(2 / acos(-1.0));
  const double t = tanh(k * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 3 * 0.044715 * x * x);
}

void ref_layernorm_forward(double *y, double *mean, double *rstd, const double *x, const double *w,
                           const double *b, int64_t N, int64_t C, double eps) {
  for (int64_t r = 0; r < N; ++r) {
    double sum = 0, square = 0;
    for (int64_t c = 0; c < C; ++c) sum += x[r * C + c];
    mean[r] = sum / (double)C;
    for (int64_t c = 0; c < C; ++c) square += pow(x[r * C + c] - mean[r], 2);
    rstd[r] = 1 / sqrt(square / (double)C + eps);
    for (int64_t c = 0; c < C; ++c) {
      y[r * C + c] = (x[r * C + c] - mean[r]) * rstd[r] * w[c] + (b ? b[c] : 0);
    }
  }
}

void ref_layernorm_backward(double *dx, double *dw, double *db, const double *dy, const double *x,
                            const double *mean, const double *rstd, const double *w, int64_t N,
                            int64_t C) {
  for (int64_t c = 0; c < C; ++c) dw[c] = db[c] = 0;
  for (int64_t r = 0; r < N; ++r) {
    double g = 0, gx = 0;
    for (int64_t c = 0; c < C; ++c) {
      const double xhat = (x[r * C + c] - mean[r]) * rstd[r];
      g += dy[r * C + c] * w[c];
      gx += dy[r * C + c] * w[c] * xhat;
      dw[c] += dy[r * C + c] * xhat;
      db[c] += dy[r * C + c];
    }
    for (int64_t c = 0; c < C; ++c) {
      const double xhat = (x[r * C + c] - mean[r]) * rstd[r];
      dx[r * C + c] = rstd[r] * (dy[r * C + c] * w[c] - g / (double)C - xhat * gx / (double)C);
    }
  }
}

double ref_log_sum_exp(const double *x, int64_t n) {
  double max = x[0], sum = 0;
  for (int64_t i = 1; i < n; ++i) max = fmax(max, x[i]);
  for (int64_t i = 0; i < n; ++i) sum += exp(x[i] - max);
  return max + log(sum);
}

/* Softmax matrix of one head, zero above the diagonal; fills its rows' log-sum-exp if asked. */
static void softmax_matrix(double *p, double *lse, const double *qkv, int64_t T, int64_t C,
                           int64_t d) {
  for (int64_t i = 0; i < T; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int64_t c = 0; c < d; ++c) sum += qkv[i * 3 * C + c] * qkv[j * 3 * C + C + c];
      p[i * T + j] = sum / sqrt((double)d);
    }
    const double l = ref_log_sum_exp(p + i * T, i + 1);
    for (int64_t j = 0; j < T; ++j) p[i * T + j] = j <= i ? exp(p[i * T + j] - l) : 0;
    if (lse) lse[i] = l;
  }
}

void ref_attention_forward(double *out, double *lse, const double *qkv, int64_t N, int64_t T,
                           int64_t C, int64_t H, double *p) {
  const int64_t d = C / H;
  for (int64_t u = 0; u < N * H; ++u) {
    const double *x = qkv + (u / H) * T * 3 * C + (u % H) * d;
    double *y = out + (u / H) * T * C + (u % H) * d;
    softmax_matrix(p, lse + u * T, x, T, C, d);
    for (int64_t i = 0; i < T; ++i) {
      for (int64_t c = 0; c < d; ++c) {
        double sum = 0;
        for (int64_t j = 0; j <= i; ++j) sum += p[i * T + j] * x[j * 3 * C + 2 * C + c];
        y[i * C + c] = sum;
      }
    }
  }
}

void ref_attention_backward(double *dqkv, const double *dout, const double *qkv, int64_t N,
                            int64_t T, int64_t C, int64_t H, double *p) {
  const int64_t d = C / H;
  double *ds = p + T * T;
  for (int64_t u = 0; u < N * H; ++u) {
    const double *x = qkv + (u / H) * T * 3 * C + (u % H) * d;
    const double *dy = dout + (u / H) * T * C + (u % H) * d;
    double *dx = dqkv + (u / H) * T * 3 * C + (u % H) * d;
    softmax_matrix(p, 0, x, T, C, d);
    for (int64_t i = 0; i < T; ++i) {
      double mean = 0;
      for (int64_t j = 0; j <= i; ++j) {
        double dp = 0;
        for (int64_t c = 0; c < d; ++c) dp += dy[i * C + c] * x[j * 3 * C + 2 * C + c];
        ds[i * T + j] = dp;
        mean += p[i * T + j] * dp;
      }
      for (int64_t j = 0; j <= i; ++j) {
        ds[i * T + j] = p[i * T + j] * (ds[i * T + j] - mean) / sqrt((double)d);
      }
    }
    for (int64_t i = 0; i < T; ++i) {
      for (int64_t c = 0; c < d; ++c) {
        double dq = 0, dk = 0, dv = 0;
        for (int64_t j = 0; j <= i; ++j) dq += ds[i * T + j] * x[j * 3 * C + C + c];
        for (int64_t j = i; j < T; ++j) dk += ds[j * T + i] * x[j * 3 * C + c];
        for (int64_t j = i; j < T; ++j) dv += p[j * T + i] * dy[j * C + c];
        dx[i * 3 * C + c] = dq;
        dx[i * 3 * C + C + c] = dk;
        dx[i * 3 * C + 2 * C + c] = dv;
      }
    }
  }
}
