/* AdamW, Adam, SGD and the moving average against the formulas in double, and the same bits on every instruction set. */
#include "kernel_check.h"

enum { STEPS = 3 };

typedef struct update_case {
  int64_t n;
  trm_real *w, *g;
  bool nesterov, plain;
  trm_real *first; /* [10 n] of the first instruction set */
} update_case;

static const double lr = 0.01, beta1 = 0.9, beta2 = 0.999, decay = 0.1, scale = 0.5, momentum = 0.9,
                    rest = 0.75;

static trm_adamw_scalars scalars(int step) {
  return (trm_adamw_scalars){.scale = (trm_real)scale,
                             .lr = (trm_real)lr,
                             .beta1 = beta1,
                             .beta2 = beta2,
                             .eps = (trm_real)1e-8,
                             .correction1 = (trm_real)(1 - pow(beta1, step)),
                             .correction2 = (trm_real)(1 - pow(beta2, step))};
}

static void run_adamw(void *p, trm_real **out) {
  const update_case *k = p;
  memcpy(out[0], k->w, (size_t)k->n * sizeof **out);
  memset(out[1], 0, (size_t)k->n * sizeof **out);
  memset(out[2], 0, (size_t)k->n * sizeof **out);
  for (int step = 1; step <= STEPS; ++step) {
    trm_adamw_update(out[0], out[1], out[2], k->g + (step - 1) * k->n, (trm_real)decay,
                     scalars(step), k->n);
  }
}

static void run_adam(void *p, trm_real **out) {
  const update_case *k = p;
  memcpy(out[0], k->w, (size_t)k->n * sizeof **out);
  memset(out[1], 0, (size_t)k->n * sizeof **out);
  memset(out[2], 0, (size_t)k->n * sizeof **out);
  for (int step = 1; step <= STEPS; ++step) {
    trm_adam_update(out[0], out[1], out[2], k->g + (step - 1) * k->n, (trm_real)decay,
                    scalars(step), k->n);
  }
}

static void run_average(void *p, trm_real **out) {
  const update_case *k = p;
  memcpy(out[0], k->w, (size_t)k->n * sizeof **out);
  trm_average_update(out[0], k->g, (trm_real)scale, (trm_real)0.1, k->n);
}

static void run_sgd(void *p, trm_real **out) {
  const update_case *k = p;
  memcpy(out[0], k->w, (size_t)k->n * sizeof **out);
  memset(out[1], 0, (size_t)k->n * sizeof **out);
  for (int step = 1; step <= STEPS; ++step) {
    trm_sgd_update(out[0], k->plain ? NULL : out[1], k->g + (step - 1) * k->n, (trm_real)decay,
                   (trm_real)scale, (trm_real)lr, k->plain ? 0 : (trm_real)momentum, (trm_real)rest,
                   k->nesterov, k->n);
  }
}

static void check_same_bits(void *p, const char *isa) {
  update_case *k = p;
  trm_real *out = NEW_REALS(10 * k->n);
  trm_real *adamw[] = {out, out + k->n, out + 2 * k->n};
  trm_real *sgd[] = {out + 3 * k->n, out + 4 * k->n};
  trm_real *adam[] = {out + 6 * k->n, out + 7 * k->n, out + 8 * k->n};
  trm_real *average[] = {out + 9 * k->n};
  run_adamw(k, adamw);
  run_sgd(k, sgd);
  run_adam(k, adam);
  run_average(k, average);
  if (!k->first) {
    k->first = out;
    return;
  }
  if (!CHECK(memcmp(k->first, out, (size_t)(10 * k->n) * sizeof *out) == 0)) {
    fprintf(stderr, "  bits of the update differ on %s\n", isa);
  }
  free(out);
}

static void check_adamw(int64_t n, const update_case *k, const double *w0, const double *g) {
  double *w = NEW_DOUBLES(n), *m = NEW_DOUBLES(n), *v = NEW_DOUBLES(n);
  memcpy(w, w0, (size_t)n * sizeof *w);
  for (int step = 1; step <= STEPS; ++step) {
    for (int64_t i = 0; i < n; ++i) {
      const double gi = g[(step - 1) * n + i] * scale;
      w[i] -= lr * decay * w[i];
      m[i] = beta1 * m[i] + (1 - beta1) * gi;
      v[i] = beta2 * v[i] + (1 - beta2) * gi * gi;
      w[i] -= lr * (m[i] / (1 - pow(beta1, step))) / (sqrt(v[i] / (1 - pow(beta2, step))) + 1e-8);
    }
  }
  check_kernel((kernel_case){.name = "adamw",
                             .run = run_adamw,
                             .context = (void *)k,
                             .n = {n, n, n},
                             .want = {w, m, v},
                             .tolerance = {8, 4, 0.01}});
  free(w);
  free(m);
  free(v);
}

static void check_adam(int64_t n, const update_case *k, const double *w0, const double *g) {
  double *w = NEW_DOUBLES(n), *m = NEW_DOUBLES(n), *v = NEW_DOUBLES(n), *average = NEW_DOUBLES(n);
  memcpy(w, w0, (size_t)n * sizeof *w);
  for (int step = 1; step <= STEPS; ++step) {
    for (int64_t i = 0; i < n; ++i) {
      const double gi = g[(step - 1) * n + i] * scale + decay * w[i];
      m[i] = beta1 * m[i] + (1 - beta1) * gi;
      v[i] = beta2 * v[i] + (1 - beta2) * gi * gi;
      w[i] -= lr * (m[i] / (1 - pow(beta1, step))) / (sqrt(v[i] / (1 - pow(beta2, step))) + 1e-8);
    }
  }
  for (int64_t i = 0; i < n; ++i) average[i] = 0.9 * w0[i] + 0.1 * scale * g[i];
  check_kernel((kernel_case){.name = "adam",
                             .run = run_adam,
                             .context = (void *)k,
                             .n = {n, n, n},
                             .want = {w, m, v},
                             .tolerance = {64, 4, 0.01}});
  check_kernel((kernel_case){.name = "average",
                             .run = run_average,
                             .context = (void *)k,
                             .n = {n},
                             .want = {average},
                             .tolerance = {4}});
  free(w), free(m), free(v), free(average);
}

static void check_sgd(int64_t n, update_case *k, const double *w0, const double *g) {
  for (int form = 0; form < 3; ++form) {
    k->plain = form == 0;
    k->nesterov = form == 2;
    double *w = NEW_DOUBLES(n), *u = NEW_DOUBLES(n);
    memcpy(w, w0, (size_t)n * sizeof *w);
    for (int step = 0; step < STEPS; ++step) {
      for (int64_t i = 0; i < n; ++i) {
        const double gi = g[step * n + i] * scale + decay * w[i];
        if (form > 0) u[i] = momentum * u[i] + rest * gi;
        w[i] -= lr * (form == 0 ? gi : form == 1 ? u[i] : gi + momentum * u[i]);
      }
    }
    check_kernel((kernel_case){.name = "sgd",
                               .run = run_sgd,
                               .context = k,
                               .n = {n, n},
                               .want = {w, u},
                               .tolerance = {8, 8}});
    free(w);
    free(u);
  }
}

int main(void) {
  static const int64_t counts[] = {0, 1, 19, 4099, 50001};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
    const int64_t n = counts[i];
    uint64_t state = (uint64_t)n + 5;
    double *w, *g;
    update_case k = {.n = n};
    k.w = test_random(n, 1, &state, &w);
    k.g = test_random(STEPS * n, 1, &state, &g);
    check_adamw(n, &k, w, g);
    check_adam(n, &k, w, g);
    check_sgd(n, &k, w, g);
    for_each_isa(check_same_bits, &k);
    free(k.first);
    free(k.w);
    free(k.g);
    free(w);
    free(g);
  }
  return check_verdict();
}
