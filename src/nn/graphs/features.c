/* Dense node features, rows as they are wanted, with dropout keyed by node id. They are data: nothing
 * flows back. */
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/nn/ops.h"

typedef struct features {
  const trm_features *x; /* borrowed for the pass */
  double p;
  trm_random_key key;
} features;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const features *f = TRM_ATTR(node, features);
  if (!(f->p >= 0 && f->p < 1)) return trm_op_fail(node, "p = %g is not in [0, 1)", f->p);
  shape->n_dims = 2;
  shape->dims[0] = f->x->n_rows;
  shape->dims[1] = f->x->n_features;
  shape->blocks = f->x->blocks;
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const features *f = TRM_ATTR(node, features);
  const trm_features *x = f->x;
  trm_feature_rows(node->out->data, x->dense, x->rows, x->n_rows, x->n_features, f->p, f->key,
                   x->ids);
}

static void backward(trm_tape *tape, trm_node *node) {
  (void)tape;
  (void)node;
}

/* Added to an input, since a case must have a gradient. */
static trm_var *sample(trm_op_case *c, int variant) {
  static const int32_t rows[] = {3, 0, 3, 2}, ids[] = {70, 3, 70, 1000};
  static float dense[4 * 11];
  static trm_features x;
  if (variant > 3) return NULL;
  for (int i = 0; i < 4 * 11; ++i) dense[i] = (float)(i % 7) - 3;
  x = (trm_features){.n_rows = variant == 3 ? 0 : 4,
                     .n_features = variant == 0 ? 1 : 11,
                     .dense = dense,
                     .rows = variant == 1 ? rows : NULL,
                     .ids = ids};
  trm_var *more = trm_case_real(c, 0, 2, (int64_t[]){x.n_rows, x.n_features});
  return trm_op_add(c->tape, trm_op_features(c->tape, &x, variant == 0 ? 0 : 0.4), more);
}

const trm_op trm_op_table_features = {
    .name = "features", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

#if !TRM_REAL_IS_DOUBLE
/* The caller's array itself. */
static trm_var *borrow(trm_tape *tape, const trm_features *x) {
  const int64_t dims[] = {x->n_rows, x->n_features};
  trm_var *v = trm_tape_input(tape, (trm_real *)(uintptr_t)x->dense, 2, dims, false);
  v->blocks = x->blocks;
  return v;
}
#endif

trm_var *trm_op_features(trm_tape *tape, const trm_features *x, double dropout) {
  const trm_pass *pass = trm_tape_pass(tape);
  features f = {.x = x, .p = pass->training ? dropout : 0};
  if (f.p > 0) {
    f.key = trm_random_key_make(pass->seed, TRM_RANDOM_DROPOUT, (uint64_t)pass->step,
                                trm_tape_next_dropout(tape));
  }
#if !TRM_REAL_IS_DOUBLE
  if (f.p == 0 && x->dense && !x->rows && trm_tape_status(tape) == TRM_OK) return borrow(tape, x);
#endif
  return trm_tape_apply(tape, &trm_op_table_features, NULL, 0, &f, sizeof f);
}
