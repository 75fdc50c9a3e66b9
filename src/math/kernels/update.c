/**
 * Optimizer updates. No multiply-add here is fused: weights are what a run keeps, and given the same
 * gradients every instruction set must make the same bits, the one without fused ones too.
 */
#include "isa.h"

#include "chunks.h"
#include "real_math.h"

void trm_adamw_update(trm_real *w, trm_real *m, trm_real *v, const trm_real *g, trm_real decay,
                      trm_adamw_scalars s, int64_t n) {
  const trm_real beta1 = (trm_real)s.beta1, beta2 = (trm_real)s.beta2;
  /* In double: 1 - 0.999f has lost four of float's seven digits. */
  const trm_real rest1 = (trm_real)(1 - s.beta1), rest2 = (trm_real)(1 - s.beta2);
  const trm_real shrink = s.lr * decay;
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) {
      const trm_real gi = g[i] * s.scale;
      const trm_real mi = beta1 * m[i] + rest1 * gi;
      const trm_real vi = beta2 * v[i] + rest2 * (gi * gi);
      const trm_real denominator = trm_sqrt(vi / s.correction2) + s.eps;
      const trm_real wi = w[i] - shrink * w[i];
      m[i] = mi;
      v[i] = vi;
      w[i] = wi - s.lr * (mi / s.correction1) / denominator;
    }
  });
}

void trm_adam_update(trm_real *w, trm_real *m, trm_real *v, const trm_real *g, trm_real decay,
                     trm_adamw_scalars s, int64_t n) {
  const trm_real beta1 = (trm_real)s.beta1, beta2 = (trm_real)s.beta2;
  const trm_real rest1 = (trm_real)(1 - s.beta1), rest2 = (trm_real)(1 - s.beta2);
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) {
      const trm_real gi = g[i] * s.scale + decay * w[i];
      const trm_real mi = beta1 * m[i] + rest1 * gi;
      const trm_real vi = beta2 * v[i] + rest2 * (gi * gi);
      const trm_real denominator = trm_sqrt(vi / s.correction2) + s.eps;
      m[i] = mi;
      v[i] = vi;
      w[i] -= s.lr * (mi / s.correction1) / denominator;
    }
  });
}

void trm_average_update(trm_real *w, const trm_real *g, trm_real scale, trm_real rate, int64_t n) {
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) w[i] += rate * (g[i] * scale - w[i]);
  });
}

void trm_sgd_update(trm_real *w, trm_real *u, const trm_real *g, trm_real decay, trm_real scale,
                    trm_real lr, trm_real momentum, trm_real rest, bool nesterov, int64_t n) {
  if (!u) {
    TRM_FOR_CHUNKS(n, begin, end, {
      for (int64_t i = begin; i < end; ++i) w[i] -= lr * (g[i] * scale + decay * w[i]);
    });
    return;
  }
  const trm_real ahead = nesterov ? momentum : 0;
  TRM_FOR_CHUNKS(n, begin, end, {
    for (int64_t i = begin; i < end; ++i) {
      const trm_real gi = g[i] * scale + decay * w[i];
      const trm_real ui = momentum * u[i] + rest * gi;
      u[i] = ui;
      w[i] -= lr * (nesterov ? gi + ahead * ui : ui);
    }
  });
}
