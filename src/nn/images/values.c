/* The numbers of a batch, as they are. They are data: nothing flows back. */
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/nn/ops.h"

typedef struct values {
  const float *from; /* [n, dims], borrowed for the pass */
  int64_t n;
  int n_dims;
  int64_t dims[3];
} values;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const values *v = TRM_ATTR(node, values);
  if (v->n_dims < 1 || v->n_dims > 3) {
    return trm_op_fail(node, "a sample has %d axes, not 1 to 3", v->n_dims);
  }
  shape->n_dims = 1 + v->n_dims;
  shape->dims[0] = v->n;
  for (int d = 0; d < v->n_dims; ++d) shape->dims[1 + d] = v->dims[d];
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const values *v = TRM_ATTR(node, values);
  const int64_t width = trm_var_width(node->out);
  trm_feature_rows(node->out->data, v->from, NULL, trm_var_rows(node->out), width, 0,
                   (trm_random_key){0}, NULL);
}

static void backward(trm_tape *tape, trm_node *node) {
  (void)tape;
  (void)node;
}

/* Added to an input, since a case must have a gradient. */
static trm_var *sample(trm_op_case *c, int variant) {
  static const struct {
    int64_t n;
    int n_dims;
    int64_t dims[3];
  } cases[] = {{1, 1, {1}}, {2, 3, {3, 2, 3}}, {3, 1, {7}}, {0, 3, {2, 2, 1}}};
  static float numbers[2 * 3 * 2 * 3];
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  for (int i = 0; i < 2 * 3 * 2 * 3; ++i) numbers[i] = (float)(i % 7) - 3;
  trm_values v = {.n_dims = cases[variant].n_dims, .values = numbers};
  int64_t dims[4] = {cases[variant].n};
  for (int d = 0; d < v.n_dims; ++d) dims[1 + d] = v.dims[d] = cases[variant].dims[d];
  trm_var *more = trm_case_real(c, 0, 1 + v.n_dims, dims);
  return trm_op_add(c->tape, trm_op_values(c->tape, &v, dims[0]), more);
}

const trm_op trm_op_table_values = {
    .name = "values", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_values(trm_tape *tape, const trm_values *from, int64_t n) {
  values v = {.from = from->values, .n = n, .n_dims = from->n_dims};
  for (int d = 0; d < 3; ++d) v.dims[d] = from->dims[d];
  return trm_tape_apply(tape, &trm_op_table_values, NULL, 0, &v, sizeof v);
}
