/*
 * Linear over sparse features: y = X w^T + b, dw = dy^T X, db = sum of dy over rows. A feature picks a
 * row of w^T, so that is made, once a step; dw^T comes out row by row, and is turned as it is given
 * away. Values after dropout are kept for the way back, which finds them through the transpose's map.
 */
#include "hop_rows.h"
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/kernels.h"
#include "trireme/math/transpose.h"
#include "trireme/nn/ops.h"

enum { W, B };
enum { DROPPED };
typedef struct sparse_linear {
  const trm_features *x; /* borrowed for the pass */
  double p;
  trm_random_key key;
  int64_t n_dropped; /* reals that hold the values of one block after dropout, 0: none */
} sparse_linear;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *w = node->in[W], *b = node->in[B];
  const sparse_linear *s = TRM_ATTR(node, sparse_linear);
  if (w->n_dims != 2 || w->dims[1] != s->x->n_features || (b && b->n != w->dims[0])) {
    return trm_op_fail(node, "%lld features, w is [%lld, %lld], b has %lld elements",
                       (long long)s->x->n_features, (long long)w->dims[0], (long long)w->dims[1],
                       (long long)(b ? b->n : 0));
  }
  if (!(s->p >= 0 && s->p < 1)) return trm_op_fail(node, "p = %g is not in [0, 1)", s->p);
  shape->n_dims = 2;
  shape->dims[0] = s->x->n_rows;
  shape->dims[1] = w->dims[0];
  shape->blocks = s->x->blocks;
  shape->saved[DROPPED] = s->n_dropped;
  shape->saved_by_block = true;
  shape->scratch_forward = w->param < 0 ? w->n : 0;
  shape->scratch_backward = w->n;
  return TRM_OK;
}

/* X or its transpose, of the block that is being run, with the values that the forward pass has kept.
 * Both name values by their place in X, whose edges may be part of a longer array: what is kept begins
 * with the first of them. */
static trm_csr dropped(const trm_tape *tape, trm_node *node, const trm_csr *blocks) {
  const trm_csr *x = &TRM_ATTR(node, sparse_linear)->x->sparse[trm_tape_block(tape)];
  trm_csr a = blocks[trm_tape_block(tape)];
  if (!node->saved[DROPPED] || x->n_rows == 0) return a;
  const uintptr_t first = (uintptr_t)x->offsets[0] * sizeof(float);
  a.values = (const float *)((uintptr_t)node->saved[DROPPED] - first);
  return a;
}

/* w^T [n_features, outputs]. */
static const trm_real *turned(trm_tape *tape, const trm_node *node) {
  const trm_var *w = node->in[W];
  if (w->param >= 0) return trm_tape_transposed(tape, w);
  trm_transpose_matrix(node->scratch, w->data, w->dims[0], w->dims[1], false);
  return node->scratch;
}

static void forward(trm_tape *tape, trm_node *node) {
  const trm_var *b = node->in[B], *out = node->out;
  const sparse_linear *s = TRM_ATTR(node, sparse_linear);
  const trm_csr *x = &s->x->sparse[trm_tape_block(tape)];
  TRM_ASSERT(x->n_rows == out->dims[0]);
  if (node->saved[DROPPED]) {
    TRM_ASSERT(!x->map);
    trm_sparse_dropout((float *)(void *)node->saved[DROPPED], x, s->x->ids + trm_tape_row(tape),
                       s->p, s->key);
  }
  const trm_csr a = dropped(tape, node, s->x->sparse);
  trm_spmm(out->data, turned(tape, node), &a, NULL, NULL, NULL, 0, out->dims[1], false);
  if (b) trm_bias_forward(out->data, out->data, b->data, out->dims[0], out->dims[1]);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_var *w = node->in[W], *out = node->out;
  bool add;
  trm_real *dw = trm_node_grad(tape, node, W, &add);
  if (dw) {
    const trm_csr t = dropped(tape, node, TRM_ATTR(node, sparse_linear)->x->transposed);
    trm_spmm(node->scratch, out->grad, &t, NULL, NULL, NULL, 0, out->dims[1], false);
    trm_transpose_matrix(dw, node->scratch, w->dims[1], w->dims[0], add);
  }
  trm_real *db = trm_node_grad(tape, node, B, &add);
  if (db) trm_bias_backward(db, out->grad, out->dims[0], out->dims[1], add);
}

/* ---- sample ---------------------------------------------------------------------------------- */

enum { CASE_ROWS = 6, CASE_FEATURES = 9, CASE_EDGES = 20 };
typedef struct case_arrays {
  trm_features x;
  trm_csr sparse, transposed;
  int64_t offsets[CASE_ROWS + 1], out_offsets[CASE_FEATURES + 1], map[CASE_EDGES];
  int32_t columns[CASE_EDGES], out_columns[CASE_EDGES], ids[CASE_ROWS];
  float values[CASE_EDGES];
} case_arrays;

/* `first` edges that belong to no row stand before the others. */
static const trm_features *case_features(trm_op_case *c, int64_t n_rows, int64_t per_row,
                                         int64_t first, bool weighted) {
  static case_arrays arrays;
  case_arrays *a = &arrays;
  const int64_t n_edges = n_rows * per_row;
  const int32_t *columns = trm_case_ids(c, first + n_edges, 0, CASE_FEATURES);
  for (int64_t e = 0; e < first + n_edges; ++e) {
    a->columns[e] = columns[e];
    a->values[e] = 0.5f + (float)(e % 5);
  }
  for (int64_t i = 0; i <= n_rows; ++i) a->offsets[i] = first + i * per_row;
  for (int64_t i = 0; i < n_rows; ++i) a->ids[i] = (int32_t)(31 * i + 5);
  a->sparse = (trm_csr){.n_rows = n_rows,
                        .n_columns = CASE_FEATURES,
                        .n_edges = n_edges,
                        .offsets = a->offsets,
                        .columns = a->columns,
                        .values = weighted ? a->values : NULL};
  trm_csr_transpose(&a->sparse, a->out_offsets, a->out_columns, a->map);
  a->transposed = (trm_csr){.n_rows = CASE_FEATURES,
                            .n_columns = n_rows,
                            .n_edges = n_edges,
                            .offsets = a->out_offsets,
                            .columns = a->out_columns,
                            .values = a->sparse.values,
                            .map = a->map};
  a->x = (trm_features){.n_rows = n_rows,
                        .n_features = CASE_FEATURES,
                        .sparse = &a->sparse,
                        .transposed = &a->transposed,
                        .ids = a->ids};
  return &a->x;
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const struct {
    int64_t rows, per_row, first, out;
    bool weighted, bias;
    double dropout;
  } cases[] = {{1, 1, 0, 1, false, true, 0},   {5, 3, 0, 4, true, true, 0.5},
               {6, 2, 4, 17, true, false, 0},  {6, 3, 0, 3, true, true, 0.3},
               {4, 3, 0, 2, false, true, 0.5}, {0, 3, 0, 2, true, true, 0.5}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  const int64_t out = cases[variant].out;
  const trm_features *x = case_features(c, cases[variant].rows, cases[variant].per_row,
                                        cases[variant].first, cases[variant].weighted);
  trm_var *w = trm_case_real(c, 0, 2, (int64_t[]){out, CASE_FEATURES});
  trm_var *b = cases[variant].bias ? trm_case_real(c, 0, 1, &out) : NULL;
  return trm_op_sparse_linear(c->tape, x, w, b, cases[variant].dropout);
}

const trm_op trm_op_table_sparse_linear = {.name = "sparse_linear",
                                           .shape = shape,
                                           .forward = forward,
                                           .backward = backward,
                                           .sample = sample,
                                           .rowwise = true,
                                           .turns = true};

/* Values are float also where trm_real is double. */
static int64_t dropped_reals(const trm_tape *tape, const trm_features *x) {
  const int n_blocks = trm_tape_pass(tape)->n_blocks;
  int64_t most = 0;
  for (int k = 0; k < (n_blocks > 0 ? n_blocks : 1); ++k) {
    if (x->sparse[k].n_edges > most) most = x->sparse[k].n_edges;
  }
  return most + 1; /* never 0, which would say that there is no dropout */
}

trm_var *trm_op_sparse_linear(trm_tape *tape, const trm_features *x, trm_var *w, trm_var *b,
                              double dropout) {
  const trm_pass *pass = trm_tape_pass(tape);
  sparse_linear s = {.x = x, .p = pass->training ? dropout : 0};
  if (s.p > 0) {
    s.key = trm_random_key_make(pass->seed, TRM_RANDOM_DROPOUT, (uint64_t)pass->step,
                                trm_tape_next_dropout(tape));
    s.n_dropped = dropped_reals(tape, x);
  }
  return trm_tape_apply(tape, &trm_op_table_sparse_linear, (trm_var *[]){w, b}, 2, &s, sizeof s);
}
