/*
 * Graph attention. What is kept is by target and by row fetched, nothing by edge: the log-sum-exp of
 * the scores, the two sums that give the gradient of the target's score (math/graph_attention.h), and,
 * with a halo, the rows of the sources.
 */
#include "trireme/math/graph_attention.h"
#include "hop_rows.h"
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { H_ROWS, SOURCE, TARGET };
enum { LSE, FETCHED }; /* LSE: log-sum-exp [targets, H], then what the backward pass needs */

typedef struct attention {
  trm_gat gat;
  bool keep; /* a backward pass may follow */
} attention;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *h = node->in[H_ROWS], *source = node->in[SOURCE], *target = node->in[TARGET];
  const trm_gat *gat = &TRM_ATTR(node, attention)->gat;
  const trm_hop *hop = gat->hop;
  if (h->n_dims != 2 || source->n_dims != 2 || target->n_dims != 2 || gat->H < 1 || gat->C < 1 ||
      target->dims[1] != gat->H || h->dims[1] % gat->H != 0 || h->dims[0] != hop->out.n_rows ||
      source->dims[0] != hop->out.n_rows || target->dims[0] != hop->in.n_rows) {
    return trm_op_fail(node,
                       "h [%lld, %lld], source [%lld, %lld] and target [%lld, %lld] for %lld "
                       "sources and %lld targets",
                       (long long)h->dims[0], (long long)h->dims[1], (long long)source->dims[0],
                       (long long)source->dims[1], (long long)target->dims[0],
                       (long long)target->dims[1], (long long)hop->out.n_rows,
                       (long long)hop->in.n_rows);
  }
  if (!(gat->slope >= 0) || !(gat->dropout >= 0 && gat->dropout < 1)) {
    return trm_op_fail(node, "slope %g, dropout %g", (double)gat->slope, gat->dropout);
  }
  const int64_t width = gat->H * gat->C;
  shape->n_dims = 2;
  shape->dims[0] = hop->in.n_rows;
  shape->dims[1] = width;
  shape->blocks = hop->blocks;
  shape->saved[LSE] = hop->in.n_rows * (gat->H + width + gat->H);
  trm_exchange_expect(hop->in_exchange, width + gat->H);
  trm_exchange_expect(hop->out_exchange, width + 3 * gat->H);
  if (hop->in_exchange) shape->saved[FETCHED] = hop->in.n_columns * (width + gat->H);
  shape->scratch_backward =
      hop->out_exchange ? hop->out.n_columns * (width + 3 * gat->H) : hop->in.n_rows * gat->H;
  return TRM_OK;
}

/* Rows of h and of source, own and fetched. */
typedef struct sources {
  const trm_real *h, *source;
  int64_t h_stride, source_stride;
} sources;

static sources sources_of(const trm_node *node) {
  const trm_gat *gat = &TRM_ATTR(node, attention)->gat;
  const int64_t width = gat->H * gat->C, packed = width + gat->H;
  if (!gat->hop->in_exchange) {
    return (sources){node->in[H_ROWS]->data, node->in[SOURCE]->data, width, gat->H};
  }
  return (sources){node->saved[FETCHED], node->saved[FETCHED] + width, packed, packed};
}

/* [h | source] of own sources, then those of others. */
static void fetch_sources(trm_node *node) {
  const trm_gat *gat = &TRM_ATTR(node, attention)->gat;
  const trm_hop *hop = gat->hop;
  const int64_t width = gat->H * gat->C, packed = width + gat->H, own = hop->out.n_rows;
  trm_real *rows = node->saved[FETCHED];
  trm_copy_columns(rows, packed, node->in[H_ROWS]->data, width, own, width, false);
  trm_copy_columns(rows + width, packed, node->in[SOURCE]->data, gat->H, own, gat->H, false);
  hop->in_exchange->fill(hop->in_exchange->context, rows, packed);
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const attention *a = TRM_ATTR(node, attention);
  trm_real *lse = node->saved[LSE];
  trm_real *kept = a->keep ? lse + a->gat.hop->in.n_rows * a->gat.H : NULL;
  if (a->gat.hop->in_exchange) fetch_sources(node);
  const sources s = sources_of(node);
  trm_gat_forward(node->out->data, lse, kept, s.h, s.h_stride, s.source, s.source_stride,
                  node->in[TARGET]->data, &a->gat);
}

/* Where sources find what they need of their targets; D is filled in by the first half. */
static trm_gat_targets targets_of(const trm_node *node, trm_real **D) {
  const trm_gat *gat = &TRM_ATTR(node, attention)->gat;
  const int64_t H = gat->H, width = H * gat->C, packed = width + 3 * H, own = gat->hop->in.n_rows;
  const trm_real *dout = node->out->grad, *target = node->in[TARGET]->data;
  if (!gat->hop->out_exchange) {
    *D = node->scratch;
    return (trm_gat_targets){dout, target, node->saved[LSE], *D, width, H};
  }
  trm_real *rows = node->scratch;
  trm_copy_columns(rows, packed, dout, width, own, width, false);
  trm_copy_columns(rows + width, packed, target, H, own, H, false);
  trm_copy_columns(rows + width + H, packed, node->saved[LSE], H, own, H, false);
  *D = rows + width + 2 * H;
  return (trm_gat_targets){rows, rows + width, rows + width + H, *D, packed, packed};
}

static void backward(trm_tape *tape, trm_node *node) {
  const trm_gat *gat = &TRM_ATTR(node, attention)->gat;
  const trm_hop *hop = gat->hop;
  const int64_t width = gat->H * gat->C;
  trm_real *D;
  const trm_gat_targets targets = targets_of(node, &D);
  bool add, add_dh, add_dsource;
  trm_real *dtarget = trm_node_grad(tape, node, TARGET, &add);
  trm_gat_backward_targets(dtarget, D, targets.stride, node->out->grad, node->out->data,
                           node->saved[LSE] + hop->in.n_rows * gat->H, gat, add);
  if (hop->out_exchange) {
    hop->out_exchange->fill(hop->out_exchange->context, node->scratch, width + 3 * gat->H);
  }
  trm_real *dh = trm_node_grad(tape, node, H_ROWS, &add_dh);
  trm_real *dsource = trm_node_grad(tape, node, SOURCE, &add_dsource);
  if (!dh && !dsource) return;
  const sources s = sources_of(node);
  trm_gat_backward_sources(dh, dsource, s.h, s.h_stride, s.source, s.source_stride, &targets, gat,
                           add_dh, add_dsource);
}

/* ---- cases ----------------------------------------------------------------------------------- */

enum { CASE_NODES = 8, CASE_EDGES = 16 };

/* The halo of the case below: every own row once more, as if it were another process's. */
static void mirror(void *context, trm_real *rows, int64_t C) {
  const int64_t own = *(const int64_t *)context;
  for (int64_t i = 0; i < own * C; ++i) rows[own * C + i] = rows[i];
}

typedef struct hop_case {
  int64_t n_targets, n_sources, n_edges;
  const int32_t (*edges)[2]; /* target, source; by target */
  const int32_t *self, *self_of;
  bool halo; /* odd edges take the mirrored row */
} hop_case;

typedef struct hop_arrays {
  trm_hop hop;
  int64_t in_offsets[CASE_NODES + 1], out_offsets[CASE_NODES + 1];
  int32_t in_columns[CASE_EDGES], out_columns[CASE_EDGES], ids[2 * CASE_NODES];
  int64_t n_sources, n_targets;
  trm_row_exchange in_exchange, out_exchange;
} hop_arrays;

static const trm_hop *build_hop(hop_arrays *to, const hop_case *c) {
  *to = (hop_arrays){.n_sources = c->n_sources, .n_targets = c->n_targets};
  for (int64_t e = 0; e < c->n_edges; ++e) {
    ++to->in_offsets[c->edges[e][0] + 1];
    to->in_columns[e] = c->edges[e][1];
  }
  for (int64_t i = 0; i < c->n_targets; ++i) to->in_offsets[i + 1] += to->in_offsets[i];
  trm_csr in = {c->n_targets, c->n_sources, c->n_edges, to->in_offsets, to->in_columns, NULL, NULL};
  trm_csr_transpose(&in, to->out_offsets, to->out_columns, NULL);
  trm_csr out = {c->n_sources,    c->n_targets, c->n_edges, to->out_offsets,
                 to->out_columns, NULL,         NULL};
  for (int i = 0; i < 2 * CASE_NODES; ++i) to->ids[i] = (int32_t)(100 + i % c->n_sources);
  to->hop = (trm_hop){.in = in, .out = out, .self = c->self, .self_of = c->self_of};
  to->hop.source_ids = to->hop.target_ids = to->ids;
  if (!c->halo) return &to->hop;
  for (int64_t e = 1; e < c->n_edges; e += 2) {
    to->in_columns[e] += (int32_t)c->n_sources;
    to->out_columns[e] += (int32_t)c->n_targets;
  }
  to->hop.in.n_columns *= 2;
  to->hop.out.n_columns *= 2;
  to->in_exchange = (trm_row_exchange){.context = &to->n_sources, .fill = mirror};
  to->out_exchange = (trm_row_exchange){.context = &to->n_targets, .fill = mirror};
  to->hop.in_exchange = &to->in_exchange;
  to->hop.out_exchange = &to->out_exchange;
  return &to->hop;
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const int32_t one[][2] = {{0, 0}};
  static const int32_t ring[][2] = {{0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 0}, {2, 1}, {2, 1}, {4, 3}};
  static const int32_t sampled[][2] = {{0, 0}, {0, 4}, {0, 1}, {1, 3}, {1, 1}};
  static const int32_t self[] = {3, 1}, self_of[] = {-1, 1, -1, 0, -1};
  static const struct {
    hop_case hop;
    int64_t H, C;
    bool with_self;
    double dropout;
  } cases[] = {{{1, 1, 1, one, NULL, NULL, false}, 1, 1, false, 0},
               {{5, 5, 8, ring, NULL, NULL, false}, 2, 3, true, 0.4},
               {{5, 5, 8, ring, NULL, NULL, false}, 3, 1, false, 0},
               {{2, 5, 5, sampled, self, self_of, false}, 9, 2, true, 0.3},
               {{5, 5, 8, ring, NULL, NULL, true}, 2, 2, true, 0.4},
               {{0, 3, 0, NULL, NULL, NULL, false}, 2, 2, true, 0}};
  static hop_arrays arrays;
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  const hop_case *k = &cases[variant].hop;
  const int64_t H = cases[variant].H, C = cases[variant].C;
  trm_var *h = trm_case_real(c, 0, 2, (int64_t[]){k->n_sources, H * C});
  trm_var *source = trm_case_real(c, 0, 2, (int64_t[]){k->n_sources, H});
  trm_var *target = trm_case_real(c, 0, 2, (int64_t[]){k->n_targets, H});
  const trm_hop *hop = build_hop(&arrays, k);
  return trm_op_graph_attention(c->tape, h, source, target, hop, cases[variant].with_self, 0.2,
                                cases[variant].dropout);
}

const trm_op trm_op_table_graph_attention = {.name = "graph_attention",
                                             .shape = shape,
                                             .forward = forward,
                                             .backward = backward,
                                             .sample = sample,
                                             .reads_output = true};

trm_var *trm_op_graph_attention(trm_tape *tape, trm_var *h, trm_var *source, trm_var *target,
                                const trm_hop *hop, bool self, double slope, double dropout) {
  const trm_pass *pass = trm_tape_pass(tape);
  const int64_t H = trm_var_width(source);
  attention a = {.keep = trm_tape_goes_back(tape)};
  a.gat = (trm_gat){.hop = hop,
                    .H = H,
                    .C = H > 0 ? trm_var_width(h) / H : 0,
                    .self = self,
                    .slope = (trm_real)slope,
                    .dropout = pass->training ? dropout : 0};
  if (a.gat.dropout > 0) {
    a.gat.key = trm_random_key_make(pass->seed, TRM_RANDOM_DROPOUT, (uint64_t)pass->step,
                                    trm_tape_next_dropout(tape));
  }
  return trm_tape_apply(tape, &trm_op_table_graph_attention, (trm_var *[]){h, source, target}, 3,
                        &a, sizeof a);
}
