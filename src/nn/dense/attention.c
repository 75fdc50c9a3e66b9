/* Multi-head attention, within sequences or to others'; the scores are computed again in the backward
 * pass. */
#include "trireme/math/attention.h"

#include "tape_internal.h"
#include "trireme/nn/ops.h"

enum { LSE };
enum { Q, KV }; /* inputs; of self-attention only one, [R, 3C] */

typedef struct attention {
  trm_sequences queries, keys;
  int64_t H;
  bool causal;
  double dropout; /* 0 when not training */
  trm_random_key key;
  int64_t sample0;
} attention;

static attention make(trm_tape *tape, const trm_sequences *queries, const trm_sequences *keys,
                      int64_t H, bool causal, double dropout) {
  const trm_pass *pass = trm_tape_pass(tape);
  attention a = {.queries = *queries, .keys = *keys, .H = H, .causal = causal};
  if (!pass->training || dropout == 0) return a;
  TRM_ASSERT(pass->n_blocks == 0); /* where sequences have no numbers in the global batch */
  a.dropout = dropout;
  a.sample0 = pass->sample0;
  a.key = trm_random_key_make(pass->seed, TRM_RANDOM_DROPOUT, (uint64_t)pass->step,
                              trm_tape_next_dropout(tape));
  return a;
}

static bool is_self(const trm_node *node) {
  return node->n_in == 1;
}

/* Without arrays in a dry pass. */
static trm_attention kernel_of(const trm_node *node) {
  const attention *a = TRM_ATTR(node, attention);
  const trm_var *q = node->in[Q], *kv = is_self(node) ? q : node->in[KV];
  const int64_t C = is_self(node) ? q->dims[1] / 3 : q->dims[1];
  trm_attention k = {.queries = &a->queries,
                     .keys = &a->keys,
                     .H = a->H,
                     .d = C / a->H,
                     .causal = a->causal,
                     .q_step = q->dims[1],
                     .kv_step = kv->dims[1],
                     .dropout = a->dropout,
                     .key = a->key,
                     .sample0 = a->sample0};
  if (!q->data || !kv->data) return k;
  k.q = q->data;
  k.k = is_self(node) ? q->data + C : kv->data;
  k.v = k.k + C;
  return k;
}

/* Outputs of R rows of C. */
static trm_status shape_of(const trm_node *node, trm_shape *shape, int64_t R, int64_t C) {
  const attention *a = TRM_ATTR(node, attention);
  if (!(a->dropout >= 0 && a->dropout < 1)) return trm_op_fail(node, "dropout of %g", a->dropout);
  if (a->dropout > 0 &&
      (a->H > TRM_ATTENTION_MAX_HEADS || a->keys.longest > TRM_ATTENTION_MAX_KEYS)) {
    return trm_op_fail(node, "with dropout, %lld heads and %lld keys are more than %d and %d",
                       (long long)a->H, (long long)a->keys.longest, TRM_ATTENTION_MAX_HEADS,
                       TRM_ATTENTION_MAX_KEYS);
  }
  const trm_attention k = kernel_of(node);
  shape->n_dims = 2;
  shape->dims[0] = R;
  shape->dims[1] = C;
  shape->blocks = node->in[Q]->blocks;
  shape->saved[LSE] = R * a->H;
  shape->scratch_forward = trm_attention_forward_scratch(&k);
  shape->scratch_backward = trm_attention_backward_scratch(&k);
  return TRM_OK;
}

static trm_status shape_self(const trm_node *node, trm_shape *shape) {
  const trm_var *qkv = node->in[0];
  const attention *a = TRM_ATTR(node, attention);
  if (qkv->n_dims != 2 || a->H < 1 || qkv->dims[1] < 1 || qkv->dims[1] % (3 * a->H) != 0) {
    return trm_op_fail(node, "rows of %lld do not hold q, k, v of %lld heads",
                       (long long)trm_var_width(qkv), (long long)a->H);
  }
  TRM_TRY(trm_op_check_sequences(node, &a->queries, qkv->dims[0]));
  return shape_of(node, shape, qkv->dims[0], qkv->dims[1] / 3);
}

static trm_status shape_cross(const trm_node *node, trm_shape *shape) {
  const trm_var *q = node->in[Q], *kv = node->in[KV];
  const attention *a = TRM_ATTR(node, attention);
  if (q->n_dims != 2 || kv->n_dims != 2 || a->H < 1 || q->dims[1] < 1 || q->dims[1] % a->H != 0 ||
      kv->dims[1] != 2 * q->dims[1] || a->queries.n != a->keys.n) {
    return trm_op_fail(node,
                       "rows of %lld and %lld do not hold q and k, v of %lld heads, or %lld "
                       "sequences of queries and %lld of keys",
                       (long long)trm_var_width(q), (long long)trm_var_width(kv), (long long)a->H,
                       (long long)a->queries.n, (long long)a->keys.n);
  }
  TRM_TRY(trm_op_check_sequences(node, &a->queries, q->dims[0]));
  TRM_TRY(trm_op_check_sequences(node, &a->keys, kv->dims[0]));
  return shape_of(node, shape, q->dims[0], q->dims[1]);
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const trm_attention k = kernel_of(node);
  trm_attention_forward(node->out->data, node->saved[LSE], &k, node->scratch);
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_attention k = kernel_of(node);
  const trm_var *out = node->out;
  const int64_t C = out->dims[1];
  bool add_q, add_kv;
  trm_real *dq = trm_node_grad(tape, node, Q, &add_q), *dkv;
  if (is_self(node)) {
    dkv = dq ? dq + C : NULL;
    add_kv = add_q;
  } else {
    dkv = trm_node_grad(tape, node, KV, &add_kv);
  }
  if (!dq && !dkv) return;
  trm_attention_backward(dq, dkv, dkv ? dkv + C : NULL, out->grad, out->data, node->saved[LSE], &k,
                         add_q, add_kv, node->scratch);
}

/* ---- self-attention --------------------------------------------------------------------------- */

static trm_var *sample_self(trm_op_case *c, int variant) {
  static const int64_t ragged[] = {0, 2, 2, 7, 8};
  static const struct {
    trm_sequences s;
    int64_t H, head;
    bool causal;
    double dropout;
  } cases[] = {{{1, 1, 1, NULL}, 1, 1, true, 0},
               {{2, 6, 3, NULL}, 2, 5, true, 0},
               {{1, 7, 7, NULL}, 3, 4, true, 0},
               {{1, 65, 65, NULL}, 1, 3, true, 0},
               {{4, 8, 5, ragged}, 2, 3, true, 0},
               {{4, 8, 5, ragged}, 2, 3, false, 0},
               {{4, 8, 5, ragged}, 2, 3, true, .4},
               {{1, 66, 66, NULL}, 1, 2, false, .5},
               {{0}, 2, 3, true, .5}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  const trm_sequences *s = &cases[variant].s;
  const int64_t H = cases[variant].H, dims[2] = {s->n_rows, 3 * H * cases[variant].head};
  return trm_op_attention(c->tape, trm_case_real(c, 0, 2, dims), s, H, cases[variant].causal,
                          cases[variant].dropout);
}

const trm_op trm_op_table_attention = {.name = "attention",
                                       .shape = shape_self,
                                       .forward = forward,
                                       .backward = backward,
                                       .sample = sample_self,
                                       .reads_output = true};

trm_var *trm_op_attention(trm_tape *tape, trm_var *qkv, const trm_sequences *s, int64_t H,
                          bool causal, double dropout) {
  const attention a = make(tape, s, s, H, causal, dropout);
  return trm_tape_apply(tape, &trm_op_table_attention, (trm_var *[]){qkv}, 1, &a, sizeof a);
}

/* ---- attention to others ---------------------------------------------------------------------- */

static trm_var *sample_cross(trm_op_case *c, int variant) {
  static const int64_t few[] = {0, 2, 3, 3, 5}, many[] = {0, 3, 3, 5, 9};
  static const struct {
    trm_sequences queries, keys;
    int64_t H, head;
    double dropout;
  } cases[] = {{{1, 1, 1, NULL}, {1, 3, 3, NULL}, 1, 1, 0},
               {{2, 4, 2, NULL}, {2, 6, 3, NULL}, 2, 5, 0},
               {{4, 5, 2, few}, {4, 9, 4, many}, 2, 3, 0},
               {{4, 5, 2, few}, {4, 9, 4, many}, 2, 3, 0.4},
               {{4, 9, 4, many}, {4, 5, 2, few}, 1, 2, 0},
               {{1, 2, 2, NULL}, {1, 70, 70, NULL}, 1, 2, 0.3},
               {{2, 2, 1, NULL}, {0}, 1, 2, 0},
               {{0}, {0}, 2, 3, 0.5}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  trm_sequences queries = cases[variant].queries, keys = cases[variant].keys;
  keys.n = queries.n; /* the last but one: sequences without keys */
  const int64_t H = cases[variant].H, C = H * cases[variant].head;
  trm_var *q = trm_case_real(c, 0, 2, (int64_t[]){queries.n_rows, C});
  trm_var *kv = trm_case_real(c, 0, 2, (int64_t[]){keys.n_rows, 2 * C});
  return trm_op_cross_attention(c->tape, q, kv, &queries, &keys, H, cases[variant].dropout);
}

const trm_op trm_op_table_cross_attention = {.name = "cross_attention",
                                             .shape = shape_cross,
                                             .forward = forward,
                                             .backward = backward,
                                             .sample = sample_cross,
                                             .reads_output = true};

trm_var *trm_op_cross_attention(trm_tape *tape, trm_var *q, trm_var *kv,
                                const trm_sequences *queries, const trm_sequences *keys, int64_t H,
                                double dropout) {
  const attention a = make(tape, queries, keys, H, false, dropout);
  return trm_tape_apply(tape, &trm_op_table_cross_attention, (trm_var *[]){q, kv}, 2, &a, sizeof a);
}
