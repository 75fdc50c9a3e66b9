/*
 * Gradient check: every operator of op_list.h, in double precision, on all its sample cases.
 *
 * Central differences of f(x) = sum(out * r) with fixed random r against the backward pass, for
 * every element of every input; and that a second backward pass into the same gradients adds instead of
 * overwriting: twice the gradient is there afterwards.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../src/nn/tape_internal.h"
#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/math/threads.h"

static const double step = 1e-5;
static const double tolerance = 2e-7; /* absolute plus relative; double rounding over 2 step */
static const double rounding = 1e-13; /* of sums that begin with what is there */

static trm_real *weights_of_output(trm_op_case *c, int64_t n) {
  trm_real *r = NULL;
  CHECK_OK(TRM_ALLOC(&r, n, "output weights"));
  for (int64_t k = 0; k < n; ++k) r[k] = (trm_real)trm_random_normal(c->key, 77, (uint64_t)k);
  return r;
}

/* Builds the case; a dry pass comes first, so that the arena fits. */
static trm_var *build(const trm_op *op, trm_op_case *c, int variant, bool dry, double weight) {
  static trm_real no_grads[1];
  const trm_pass pass = {.training = true,
                         .dry = dry,
                         .seed = 3,
                         .step = 5,
                         .sample0 = 2,
                         .grads = no_grads,
                         .weight = weight};
  trm_tape_begin(c->tape, &pass);
  c->n_reals = c->n_ids = 0;
  return op->sample(c, variant);
}

static double value(const trm_var *out, const trm_real *r) {
  double sum = 0;
  for (int64_t k = 0; k < out->n; ++k) sum += (double)out->data[k] * (double)r[k];
  return sum;
}

static void compare(const trm_op *op, trm_op_case *c, int variant, const trm_real *r,
                    trm_real *const *analytic) {
  for (int i = 0; i < c->n_made; ++i) {
    for (int64_t k = 0; k < c->n_elements[i]; ++k) {
      trm_real *x = &c->reals[i][k];
      const trm_real old = *x;
      *x = old + (trm_real)step;
      const double up = value(build(op, c, variant, false, 0), r);
      *x = old - (trm_real)step;
      const double down = value(build(op, c, variant, false, 0), r);
      *x = old;
      const double numeric = (up - down) / (2 * step);
      const double bound = tolerance * (1 + fabs(numeric));
      if (!CHECK_NEAR_AT(analytic[i][k], numeric, bound, k)) {
        fprintf(stderr, "  operator %s, case %d, input %d\n", op->name, variant, i);
      }
    }
  }
}

/* The gradients of a pass, copied; the caller frees them. */
static void copy_grads(const trm_op_case *c, trm_real **to) {
  for (int i = 0; i < c->n_made; ++i) {
    CHECK_OK(TRM_ALLOC(&to[i], c->n_elements[i], "gradient"));
    CHECK(c->vars[i]->has_grad);
    if (c->n_elements[i] > 0) {
      memcpy(to[i], c->vars[i]->grad, (size_t)c->n_elements[i] * sizeof **to);
    }
  }
}

static void free_grads(trm_real **grads) {
  for (int i = 0; i < TRM_CASE_MAX; ++i) TRM_FREE(grads[i]);
}

/* With statistics that have a weight, which are no gradients but are added like them. */
static void check_adds(const trm_op *op, trm_op_case *c, int variant, const trm_real *r) {
  trm_real *once[TRM_CASE_MAX] = {NULL};
  trm_var *out = build(op, c, variant, false, 0.5);
  trm_tape_backward_from(c->tape, out, r, NULL, NULL, NULL);
  copy_grads(c, once);
  trm_tape_backward_from(c->tape, out, r, NULL, NULL, NULL);
  for (int i = 0; i < c->n_made; ++i) {
    for (int64_t k = 0; k < c->n_elements[i]; ++k) {
      const double want = 2 * (double)once[i][k];
      if (!CHECK_NEAR_AT(c->vars[i]->grad[k], want, rounding * (1 + fabs(want)), k)) {
        fprintf(stderr, "  operator %s, case %d, input %d: overwritten\n", op->name, variant, i);
      }
    }
  }
  free_grads(once);
}

/* False when the operator has no such case. */
static bool check_case(const trm_op *op, trm_tape *tape, int variant) {
  trm_op_case c = {.tape = tape};
  c.key = trm_random_key_make(11, TRM_RANDOM_TEST, (uint64_t)variant, 0);
  trm_var *out = build(op, &c, variant, true, 0);
  if (!out) return false;
  trm_real *r = weights_of_output(&c, out->n);
  for (int i = 0; i < 2; ++i) trm_tape_backward_from(tape, out, r, NULL, NULL, NULL);
  CHECK_OK(trm_tape_status(tape));
  CHECK_OK(trm_tape_reserve(tape));

  out = build(op, &c, variant, false, 0);
  CHECK_OK(trm_tape_status(tape));
  trm_tape_backward_from(tape, out, r, NULL, NULL, NULL);
  trm_real *analytic[TRM_CASE_MAX] = {NULL};
  copy_grads(&c, analytic);
  compare(op, &c, variant, r, analytic);
  check_adds(op, &c, variant, r);
  free_grads(analytic);
  for (int i = 0; i < TRM_CASE_MAX; ++i) {
    TRM_FREE(c.reals[i]);
    TRM_FREE(c.ids[i]);
  }
  TRM_FREE(r);
  return true;
}

int main(void) {
  trm_math_init();
  int n_ops;
  const trm_op *const *ops = trm_ops(&n_ops);
  trm_params *params = NULL;
  trm_tape *tape = NULL;
  CHECK_OK(trm_params_create(&params));
  CHECK_OK(trm_params_seal(params));
  CHECK_OK(trm_tape_create(params, &tape));
  for (int o = 0; o < n_ops; ++o) {
    int variant = 0;
    while (check_case(ops[o], tape, variant)) ++variant;
    if (!CHECK(variant >= 3))
      fprintf(stderr, "  operator %s has only %d cases\n", ops[o]->name, variant);
  }
  trm_tape_destroy(&tape);
  trm_params_destroy(&params);
  return check_verdict();
}
