/* The registry of operators, and what their cases share. */
#include "trireme/nn/ops.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "tape_internal.h"

#define TRM_OP(name) extern const trm_op trm_op_table_##name;
#include "op_list.h"
#undef TRM_OP

static const trm_op *const all_ops[] = {
#define TRM_OP(name) &trm_op_table_##name,
#include "op_list.h"
#undef TRM_OP
};

const trm_op *const *trm_ops(int *n_ops) {
  *n_ops = (int)(sizeof all_ops / sizeof all_ops[0]);
  return all_ops;
}

trm_status trm_op_fail(const trm_node *node, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return trm_fail(TRM_ERR_ARG, "operator %s: %s", node->op->name, text);
}

trm_status trm_op_check_sequences(const trm_node *node, const trm_sequences *s, int64_t n) {
  const bool covered = s->offsets ? s->offsets[0] == 0 && s->offsets[s->n] == n : true;
  if (s->n_rows == n && s->n >= 0 && s->longest >= 0 && covered) return TRM_OK;
  return trm_op_fail(node, "%lld sequences of %lld rows together, x has %lld", (long long)s->n,
                     (long long)s->n_rows, (long long)n);
}

trm_xent trm_xent_of_pass(const trm_tape *tape, const trm_xent *how) {
  const bool plain = !how || !trm_tape_pass(tape)->training;
  return plain ? (trm_xent){0} : *how;
}

trm_var *trm_case_real(trm_op_case *c, double gap, int n_dims, const int64_t *dims) {
  const int i = c->n_reals++;
  TRM_ASSERT(i < TRM_CASE_MAX);
  int64_t n = 1;
  for (int d = 0; d < n_dims; ++d) n *= dims[d];
  if (i == c->n_made) {
    const trm_status status = TRM_ALLOC(&c->reals[i], n, "case");
    TRM_ASSERT(status == TRM_OK);
    for (int64_t k = 0; k < n; ++k) {
      double x = trm_random_normal(c->key, (uint64_t)i, (uint64_t)k);
      if (fabs(x) < gap) x = x < 0 ? x - gap : x + gap;
      c->reals[i][k] = (trm_real)x;
    }
    c->n_elements[i] = n;
    ++c->n_made;
  }
  TRM_ASSERT(c->n_elements[i] == n);
  return c->vars[i] = trm_tape_input(c->tape, c->reals[i], n_dims, dims, true);
}

const int32_t *trm_case_ids(trm_op_case *c, int64_t n, int32_t low, int32_t high) {
  const int i = c->n_ids++;
  TRM_ASSERT(i < TRM_CASE_MAX);
  if (i == c->n_ids_made) {
    const trm_status status = TRM_ALLOC(&c->ids[i], n, "case");
    TRM_ASSERT(status == TRM_OK);
    for (int64_t k = 0; k < n; ++k) {
      const uint64_t range = (uint64_t)(high - low);
      c->ids[i][k] =
          low + (int32_t)trm_random_below(c->key, 1000 + (uint64_t)i, (uint64_t)k, range);
    }
    ++c->n_ids_made;
  }
  return c->ids[i];
}
