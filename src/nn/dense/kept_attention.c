/* Attention to keys and values that stay from pass to pass: decoding token by token. */
#include <string.h>

#include "tape_internal.h"
#include "trireme/math/attention.h"
#include "trireme/nn/ops.h"

typedef struct kept_attention {
  trm_sequences queries, keys;
  trm_real *rows;
  const int32_t *append, *key_rows;
  int64_t H;
  bool causal;
} kept_attention;

static int64_t width_of(const trm_node *node) {
  const int64_t columns = node->in[0]->dims[1];
  return TRM_ATTR(node, kept_attention)->append ? columns / 3 : columns;
}

static trm_attention kernel_of(const trm_node *node) {
  const kept_attention *a = TRM_ATTR(node, kept_attention);
  const trm_var *x = node->in[0];
  const int64_t C = width_of(node);
  return (trm_attention){.queries = &a->queries,
                         .keys = &a->keys,
                         .H = a->H,
                         .d = C / a->H,
                         .causal = a->causal,
                         .q = x->data,
                         .k = a->rows,
                         .v = a->rows ? a->rows + C : NULL,
                         .q_step = x->dims[1],
                         .kv_step = 2 * C,
                         .key_rows = a->key_rows};
}

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *x = node->in[0];
  const kept_attention *a = TRM_ATTR(node, kept_attention);
  const int64_t parts = a->append ? 3 : 1;
  if (x->n_dims != 2 || a->H < 1 || x->dims[1] < 1 || x->dims[1] % (parts * a->H) != 0 ||
      a->queries.n != a->keys.n) {
    return trm_op_fail(node,
                       "rows of %lld do not hold %s of %lld heads, or there are %lld sequences of "
                       "queries and %lld of keys",
                       (long long)trm_var_width(x), a->append ? "q, k, v" : "q", (long long)a->H,
                       (long long)a->queries.n, (long long)a->keys.n);
  }
  TRM_TRY(trm_op_check_sequences(node, &a->queries, x->dims[0]));
  const trm_attention k = kernel_of(node);
  shape->n_dims = 2;
  shape->dims[0] = x->dims[0];
  shape->dims[1] = width_of(node);
  shape->scratch_forward = trm_attention_forward_scratch(&k);
  return TRM_OK;
}

static void append(const trm_node *node) {
  const kept_attention *a = TRM_ATTR(node, kept_attention);
  const trm_var *x = node->in[0];
  const int64_t C = width_of(node);
  for (int64_t r = 0; r < x->dims[0]; ++r) {
    memcpy(a->rows + a->append[r] * 2 * C, x->data + r * 3 * C + C,
           (size_t)(2 * C) * sizeof *a->rows);
  }
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_attention k = kernel_of(node);
  if (TRM_ATTR(node, kept_attention)->append) append(node);
  trm_attention_forward(node->out->data, NULL, &k, node->scratch);
}

/* Never for an x that needs a gradient: the tape would see that it got none. */
static void backward(trm_tape *tape, trm_node *node) {
  (void)tape;
  (void)node;
}

/* Added to an input, since a case must have a gradient. The queries are the last of their sequences. */
static trm_var *sample(trm_op_case *c, int variant) {
  static const int64_t few[] = {0, 1, 1, 3}, many[] = {0, 3, 4, 8};
  static const int32_t append[] = {4, 0, 7}, table[] = {2, 6, 4, 3, 1, 5, 0, 7};
  static trm_real x[3 * 12], rows[8 * 8];
  const trm_sequences queries = {3, 3, 2, few}, keys = {3, 8, 5, many};
  const trm_kept kept = {.rows = rows,
                         .append = variant > 0 ? append : NULL,
                         .keys = &keys,
                         .key_rows = variant > 0 ? table : NULL};
  if (variant > 2) return NULL;
  for (int i = 0; i < 3 * 12; ++i) x[i] = (trm_real)(i % 7 - 3) / 3;
  for (int i = 0; i < 8 * 8; ++i) rows[i] = (trm_real)(i % 5 - 2) / 2;
  const int64_t dims[2] = {3, variant > 0 ? 12 : 4};
  trm_var *q = trm_tape_input(c->tape, x, 2, dims, false);
  trm_var *more = trm_case_real(c, 0, 2, (int64_t[]){3, 4});
  return trm_op_add(c->tape, trm_op_kept_attention(c->tape, q, &queries, &kept, 2, variant == 2),
                    more);
}

const trm_op trm_op_table_kept_attention = {.name = "kept_attention",
                                            .shape = shape,
                                            .forward = forward,
                                            .backward = backward,
                                            .sample = sample};

trm_var *trm_op_kept_attention(trm_tape *tape, trm_var *x, const trm_sequences *queries,
                               const trm_kept *kept, int64_t H, bool causal) {
  const kept_attention a = {.queries = *queries,
                            .keys = *kept->keys,
                            .rows = kept->rows,
                            .append = kept->append,
                            .key_rows = kept->key_rows,
                            .H = H,
                            .causal = causal};
  return trm_tape_apply(tape, &trm_op_table_kept_attention, (trm_var *[]){x}, 1, &a, sizeof a);
}
