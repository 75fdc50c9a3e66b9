#include "robustness.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "trireme/core/memory.h"

trm_status trm_attack_read(const trm_attack_options *o, trm_attack *attack) {
  const bool fgsm = strcmp(o->name, "fgsm") == 0;
  if (!fgsm && strcmp(o->name, "pgd") != 0) {
    return trm_fail(TRM_ERR_USAGE, "--attack is '%s', expected fgsm or pgd", o->name);
  }
  if (strcmp(o->norm, "sup") != 0 && strcmp(o->norm, "2") != 0) {
    return trm_fail(TRM_ERR_USAGE, "--attack-norm is '%s', expected sup or 2", o->norm);
  }
  if (o->eps < 0) return trm_fail(TRM_ERR_USAGE, "--attack %s needs --eps, the radius", o->name);
  if (fgsm && o->steps > 1) {
    return trm_fail(TRM_ERR_USAGE,
                    "--attack-steps is %" PRId64 ", but fgsm has one; choose --attack pgd",
                    o->steps);
  }
  *attack = (trm_attack){.norm = strcmp(o->norm, "2") == 0 ? TRM_ATTACK_TWO : TRM_ATTACK_SUP,
                         .eps = o->eps,
                         .step_size = o->step_size,
                         .steps = o->steps > 0 ? o->steps
                                  : fgsm       ? 1
                                               : 40,
                         .start = fgsm && o->restarts == 1 ? TRM_ATTACK_CLEAN : TRM_ATTACK_RANDOM};
  if (attack->step_size == 0) {
    attack->step_size = trm_attack_step_size(attack->eps, attack->steps);
  }
  return TRM_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------- */

/* What a row came to. */
typedef struct fate {
  bool counts, right;
  double loss;
} fate;

struct trm_worst {
  fate *clean, *worst; /* [n], owned */
};

trm_status trm_worst_create(int64_t n, trm_worst **out) {
  trm_worst *w = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&w, 1, "rows under attack"));
  TRM_TRY_OUT(TRM_ALLOC(&w->clean, n, "rows under attack"));
  TRM_TRY_OUT(TRM_ALLOC(&w->worst, n, "rows under attack"));
  *out = w;
  return TRM_OK;
out:
  trm_worst_destroy(&w);
  return status;
}

void trm_worst_destroy(trm_worst **worst) {
  if (!*worst) return;
  TRM_FREE((*worst)->clean);
  TRM_FREE((*worst)->worst);
  TRM_FREE(*worst);
}

/* The first of equals is what is predicted; a number that is not finite is never right. */
static fate fate_of_class(const trm_real *logits, int64_t n, int32_t target) {
  if (target < 0) return (fate){0};
  int64_t best = 0;
  double sum = 0;
  for (int64_t c = 1; c < n; ++c) {
    if (logits[c] > logits[best]) best = c;
  }
  for (int64_t c = 0; c < n; ++c) sum += exp((double)logits[c] - (double)logits[best]);
  const double loss = log(sum) + (double)logits[best] - (double)logits[target];
  return (fate){.counts = true, .right = best == target && isfinite(loss), .loss = loss};
}

static fate fate_of_row(const trm_judged *j, int64_t row) {
  if (j->classes) return fate_of_class(j->outputs + row * j->width, j->width, j->classes[row]);
  if (isnan(j->numbers[row])) return (fate){0};
  const double error = (double)j->outputs[row] - (double)j->numbers[row];
  return (fate){.counts = true, .loss = error * error};
}

void trm_worst_begin(trm_worst *w, const trm_judged *clean) {
  for (int64_t i = 0; i < clean->n; ++i) w->clean[i] = w->worst[i] = fate_of_row(clean, i);
}

void trm_worst_see(trm_worst *w, const trm_judged *attacked) {
  for (int64_t i = 0; i < attacked->n; ++i) {
    const fate f = fate_of_row(attacked, i);
    w->worst[i].right = w->worst[i].right && f.right;
    if (!isnan(w->worst[i].loss) && !(f.loss <= w->worst[i].loss)) w->worst[i].loss = f.loss;
  }
}

void trm_worst_sum(const trm_worst *w, int64_t first, int64_t end, double *sums) {
  for (int64_t i = first; i < end; ++i) {
    if (!w->clean[i].counts) continue;
    sums[TRM_ROBUST_COUNT] += 1;
    sums[TRM_ROBUST_RIGHT] += w->clean[i].right;
    sums[TRM_ROBUST_HELD] += w->worst[i].right;
    sums[TRM_ROBUST_LOSS] += w->clean[i].loss;
    sums[TRM_ROBUST_WORST_LOSS] += w->worst[i].loss;
  }
}

void trm_robustness_join(const double *sums, int64_t n, double unit, trm_robustness *result) {
  double all[TRM_N_ROBUST_SUMS] = {0};
  for (int64_t i = 0; i < n * TRM_N_ROBUST_SUMS; ++i) all[i % TRM_N_ROBUST_SUMS] += sums[i];
  const double count = all[TRM_ROBUST_COUNT];
  result->count = (int64_t)count;
  result->classes = unit == 0;
  result->clean_loss = all[TRM_ROBUST_LOSS] / count; /* an empty subset has none: NaN */
  result->attacked_loss = all[TRM_ROBUST_WORST_LOSS] / count;
  if (unit == 0) {
    result->clean = all[TRM_ROBUST_RIGHT] / count;
    result->attacked = all[TRM_ROBUST_HELD] / count;
  } else {
    result->clean = unit * sqrt(result->clean_loss);
    result->attacked = unit * sqrt(result->attacked_loss);
  }
}
