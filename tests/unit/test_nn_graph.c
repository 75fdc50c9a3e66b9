/* Operators on a hop: a graph in three parts, whose rows of others come by exchanges, has the bits of
 * the whole graph, there and back; norms; rows and blocks of the results; features dense, sparse and in
 * blocks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../src/nn/tape_internal.h"
#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/threads.h"
#include "trireme/nn/ops.h"

enum { N = 41, EDGES = 170, PARTS = 3, C = 19 };

static trm_params *params;
static trm_tape *tape;
static trm_real no_grads[1];
static const trm_random_key key = {{5, 6}};

static double draw(uint64_t stream, int64_t i) {
  return trm_random_uniform(key, stream, (uint64_t)i);
}

/* ---- a graph and its parts ------------------------------------------------------------------- */

typedef struct graph {
  int64_t in_offsets[N + 1], out_offsets[N + 1], map[EDGES];
  int32_t in_columns[EDGES], out_columns[EDGES], ids[N];
  float values[EDGES], degrees[N], counts[N];
  trm_hop hop;
} graph;

static void graph_create(graph *g) {
  int64_t n = 0;
  for (int64_t i = 0; i < N; ++i) {
    g->ids[i] = (int32_t)i;
    g->in_offsets[i] = n;
    for (int64_t e = 0; e < EDGES; ++e) {
      if ((int64_t)(draw(0, e) * (N - 2)) != i) continue; /* the last two have no edges */
      g->in_columns[n] = (int32_t)(draw(1, e) * N);
      if (n > g->in_offsets[i] && e % 4 == 0) g->in_columns[n] = g->in_columns[n - 1];
      g->values[n] = (float)draw(2, e);
      g->counts[i] += g->values[n++];
    }
    g->degrees[i] = g->counts[i] * 2;
  }
  g->in_offsets[N] = n;
  const trm_csr in = {.n_rows = N,
                      .n_columns = N,
                      .n_edges = n,
                      .offsets = g->in_offsets,
                      .columns = g->in_columns,
                      .values = g->values};
  trm_csr_transpose(&in, g->out_offsets, g->out_columns, g->map);
  g->hop.in = in;
  g->hop.out = (trm_csr){.n_rows = N,
                         .n_columns = N,
                         .n_edges = n,
                         .offsets = g->out_offsets,
                         .columns = g->out_columns,
                         .values = g->values,
                         .map = g->map};
  g->hop.source_ids = g->hop.target_ids = g->ids;
  g->hop.source_degrees = g->hop.target_degrees = g->degrees;
  g->hop.target_counts = g->counts;
}

/* Rows of others are taken from arrays of the whole graph, one for each call of fill. */
typedef struct fetcher {
  const trm_real *whole[2];
  const int32_t *ids; /* of own rows, then of the halo */
  int64_t n_own, n;
  int calls;
} fetcher;

static void fill(void *context, trm_real *rows, int64_t width) {
  fetcher *f = context;
  const trm_real *whole = f->whole[f->calls++];
  const size_t bytes = (size_t)width * sizeof *rows;
  for (int64_t r = 0; r < f->n; ++r) {
    const trm_real *from = whole + f->ids[r] * width;
    if (r < f->n_own) {
      CHECK(memcmp(rows + r * width, from, bytes) == 0);
    } else {
      memcpy(rows + r * width, from, bytes);
    }
  }
}

/* One side of a part's hop: rows of own nodes with columns numbered anew. */
typedef struct side {
  int64_t offsets[N + 1];
  int32_t columns[EDGES], ids[N];
  float values[EDGES], degrees[N], counts[N];
  fetcher fetch;
  trm_row_exchange exchange;
  trm_csr csr;
} side;

static void side_create(side *s, const graph *g, const trm_csr *whole, int part) {
  int32_t place[N];
  int64_t n_own = 0, n = 0, n_edges = 0;
  for (int v = 0; v < N; ++v) place[v] = -1;
  for (int v = part; v < N; v += PARTS) {
    place[v] = (int32_t)n_own;
    s->ids[n_own++] = v;
  }
  n = n_own;
  for (int64_t r = 0; r < n_own; ++r) {
    s->offsets[r] = n_edges;
    for (int64_t e = whole->offsets[s->ids[r]]; e < whole->offsets[s->ids[r] + 1]; ++e) {
      const int32_t v = whole->columns[e];
      if (place[v] < 0) {
        place[v] = (int32_t)n;
        s->ids[n++] = v;
      }
      s->columns[n_edges] = place[v];
      s->values[n_edges++] = whole->values[whole->map ? whole->map[e] : e];
    }
  }
  s->offsets[n_own] = n_edges;
  for (int64_t r = 0; r < n; ++r) {
    s->degrees[r] = g->degrees[s->ids[r]];
    s->counts[r] = g->counts[s->ids[r]];
  }
  s->csr = (trm_csr){.n_rows = n_own,
                     .n_columns = n,
                     .n_edges = n_edges,
                     .offsets = s->offsets,
                     .columns = s->columns,
                     .values = s->values};
  s->fetch = (fetcher){.ids = s->ids, .n_own = n_own, .n = n};
  s->exchange = (trm_row_exchange){.context = &s->fetch, .fill = fill};
}

typedef struct part {
  side in, out;
  trm_hop hop;
} part;

static void part_create(part *p, const graph *g, int number) {
  side_create(&p->in, g, &g->hop.in, number);
  side_create(&p->out, g, &g->hop.out, number);
  p->hop = (trm_hop){.in = p->in.csr, .out = p->out.csr};
  p->hop.source_ids = p->in.ids;
  p->hop.source_degrees = p->in.degrees;
  p->hop.target_ids = p->out.ids;
  p->hop.target_degrees = p->out.degrees;
  p->hop.target_counts = p->out.counts;
  p->hop.in_exchange = &p->in.exchange;
  p->hop.out_exchange = &p->out.exchange;
}

/* ---- operators on hops -------------------------------------------------------------------------- */

enum { SPMM_SUM, SPMM_MEAN, SPMM_SYMMETRIC, MAX, OWN, N_KINDS };

static trm_var *apply(int kind, trm_var *x, const trm_hop *hop, bool self) {
  if (kind == MAX) return trm_op_neighbor_max(tape, x, hop, self);
  if (kind == OWN) return trm_op_own_rows(tape, x, hop);
  static const trm_edge_norm norms[] = {TRM_EDGE_NORM_SUM, TRM_EDGE_NORM_MEAN,
                                        TRM_EDGE_NORM_SYMMETRIC};
  return trm_op_spmm(tape, x, hop, norms[kind], self);
}

/* y and dx, after a dry pass. */
static void run(int kind, bool self, const trm_hop *hop, trm_real *x, const trm_real *dy,
                trm_real *y, trm_real *dx) {
  const int64_t dims[] = {hop->out.n_rows, C};
  for (int dry = 1; dry >= 0; --dry) {
    const trm_pass pass = {.training = true, .dry = dry, .grads = no_grads};
    trm_tape_begin(tape, &pass);
    trm_var *in = trm_tape_input(tape, dry ? NULL : x, 2, dims, true);
    trm_var *out = apply(kind, in, hop, self);
    CHECK_OK(trm_tape_status(tape));
    CHECK_EQ(out->dims[0], hop->in.n_rows);
    CHECK(out->blocks == hop->blocks);
    trm_tape_backward_from(tape, out, dy, NULL, NULL, NULL);
    if (dry) {
      CHECK_OK(trm_tape_reserve(tape));
      continue;
    }
    memcpy(y, out->data, (size_t)out->n * sizeof *y);
    memcpy(dx, in->grad, (size_t)in->n * sizeof *dx);
  }
}

static void check_parts(const graph *g, int kind, bool self) {
  trm_real x[N * C], dy[N * C], y[N * C], dx[N * C];
  trm_winner winners[N * C];
  for (int i = 0; i < N * C; ++i) {
    x[i] = (trm_real)(kind == MAX ? (int)(draw(3, i) * 9) - 4 : draw(3, i) - 0.5);
    dy[i] = (trm_real)(draw(4, i) - 0.5);
  }
  run(kind, self, &g->hop, x, dy, y, dx);
  trm_real max[N * C];
  trm_neighbor_max(max, winners, x, &g->hop.in, NULL, self ? N : 0, NULL, C);
  for (int number = 0; number < PARTS; ++number) {
    static part p;
    memset(&p, 0, sizeof p);
    part_create(&p, g, number);
    const int64_t n = p.in.fetch.n_own;
    trm_real own_x[N * C], own_dy[N * C], own_y[N * C], own_dx[N * C];
    const size_t bytes = C * sizeof *x;
    for (int64_t r = 0; r < n; ++r) {
      memcpy(own_x + r * C, x + p.in.ids[r] * C, bytes);
      memcpy(own_dy + r * C, dy + p.in.ids[r] * C, bytes);
    }
    p.in.fetch.whole[0] = x;
    p.out.fetch.whole[0] = dy;
    p.out.fetch.whole[1] = (const trm_real *)(const void *)winners;
    run(kind, self, &p.hop, own_x, own_dy, own_y, own_dx);
    CHECK_EQ(p.in.fetch.calls, kind == OWN ? 0 : 1);
    CHECK_EQ(p.out.fetch.calls, kind == OWN ? 0 : kind == MAX ? 2 : 1);
    for (int64_t r = 0; r < n; ++r) {
      if (!CHECK(memcmp(own_y + r * C, y + p.in.ids[r] * C, bytes) == 0) ||
          !CHECK(memcmp(own_dx + r * C, dx + p.in.ids[r] * C, bytes) == 0)) {
        fprintf(stderr, "  kind %d, self %d, part %d, node %d\n", kind, self, number, p.in.ids[r]);
      }
    }
  }
}

/* The three norms by their definition (nn/graph.h). */
static void check_norms(const graph *g, trm_edge_norm norm, bool self, bool sampled) {
  static trm_real x[N * C], y[N * C], dx[N * C];
  trm_hop hop = g->hop;
  if (!sampled) hop.target_counts = NULL;
  for (int i = 0; i < N * C; ++i) x[i] = (trm_real)(draw(3, i) - 0.5);
  run((int)norm, self, &hop, x, x, y, dx);
  const double s = self ? 1 : 0;
  for (int64_t i = 0; i < N; ++i) {
    const double D = (double)g->degrees[i] + s, S = sampled ? (double)g->counts[i] + s : D;
    for (int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (int64_t e = g->in_offsets[i] - (self ? 1 : 0); e < g->in_offsets[i + 1]; ++e) {
        const bool edge = e >= g->in_offsets[i];
        const int64_t j = edge ? g->in_columns[e] : i;
        double w = edge ? (double)g->values[e] : 1;
        const double Dj = (double)g->degrees[j] + s;
        if (norm == TRM_EDGE_NORM_MEAN) w /= S;
        if (norm == TRM_EDGE_NORM_SYMMETRIC) w *= Dj == 0 ? 0 : sqrt(D) / S / sqrt(Dj);
        sum += w * (double)x[j * C + c];
      }
      CHECK_NEAR_AT(y[i * C + c], sum, 1e-5, i * C + c);
    }
  }
}

/* In a pass over blocks the rows of a whole graph are its own targets, and results are in blocks. */
static void check_blocks_of_hops(const graph *g) {
  static const int64_t blocks[] = {0, 10, N};
  const double weights[] = {1, 1};
  trm_hop hop = g->hop;
  hop.blocks = blocks;
  const trm_pass pass = {.dry = true, .n_blocks = 2, .weights = weights};
  trm_tape_begin(tape, &pass);
  trm_var *x = trm_tape_input(tape, NULL, 2, (int64_t[]){N, C}, false);
  for (int kind = 0; kind < N_KINDS; ++kind) CHECK(apply(kind, x, &hop, false)->blocks == blocks);
  x->blocks = blocks;
  CHECK(trm_op_own_rows(tape, x, &hop) == x);
  CHECK_OK(trm_tape_status(tape));
  x = trm_tape_input(tape, NULL, 2, (int64_t[]){N - 1, C}, false);
  (void)trm_op_spmm(tape, x, &hop, TRM_EDGE_NORM_SUM, false);
  CHECK_EQ(trm_tape_status(tape), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "operator spmm: x has 2 axes and 40 rows for 41 sources");
}

/* ---- features ---------------------------------------------------------------------------------- */

enum { ROWS = 11, FEATURES = 37, OUT = 6, BLOCKS = 3 };
static const int64_t row_blocks[BLOCKS + 1] = {0, 4, 4, ROWS};

typedef struct feature_set {
  float dense[ROWS * FEATURES];
  int32_t ids[ROWS];
  int64_t offsets[ROWS + 1], out_offsets[BLOCKS + 1][FEATURES + 1];
  int32_t columns[ROWS * FEATURES], out_columns[BLOCKS + 1][ROWS * FEATURES];
  int64_t maps[BLOCKS + 1][ROWS * FEATURES];
  float values[ROWS * FEATURES];
  trm_csr sparse[BLOCKS + 1], transposed[BLOCKS + 1]; /* of each block, and of all rows */
} feature_set;

static void feature_set_create(feature_set *f) {
  int64_t n = 0;
  for (int64_t i = 0; i < ROWS; ++i) {
    f->ids[i] = (int32_t)(1000 - 31 * i);
    f->offsets[i] = n;
    for (int64_t c = 0; c < FEATURES; ++c) {
      if (draw(10, i * FEATURES + c) > 0.3) continue;
      f->dense[i * FEATURES + c] = f->values[n] = (float)draw(11, n);
      f->columns[n++] = (int32_t)c;
    }
  }
  f->offsets[ROWS] = n;
  for (int k = 0; k <= BLOCKS; ++k) {
    const int64_t first = k < BLOCKS ? row_blocks[k] : 0,
                  end = k < BLOCKS ? row_blocks[k + 1] : ROWS;
    f->sparse[k] = (trm_csr){.n_rows = end - first,
                             .n_columns = FEATURES,
                             .n_edges = f->offsets[end] - f->offsets[first],
                             .offsets = f->offsets + first,
                             .columns = f->columns,
                             .values = f->values};
    trm_csr_transpose(&f->sparse[k], f->out_offsets[k], f->out_columns[k], f->maps[k]);
    f->transposed[k] = (trm_csr){.n_rows = FEATURES,
                                 .n_columns = end - first,
                                 .n_edges = f->sparse[k].n_edges,
                                 .offsets = f->out_offsets[k],
                                 .columns = f->out_columns[k],
                                 .values = f->values,
                                 .map = f->maps[k]};
  }
}

static trm_real *block_target(void *context, int block, bool *add) {
  *add = false;
  return (trm_real *)context + block * params->n_elements;
}
static void no_merge(void *context, int block, int64_t offset, int64_t n) {
  (void)context, (void)block, (void)offset, (void)n;
}
static void no_whole(void *context, int64_t offset, int64_t n) {
  (void)context, (void)offset, (void)n;
}

/* y and the gradients of w and b, flat. */
static void run_linear(const trm_pass *with, const trm_features *x, double dropout,
                       const trm_real *dy, trm_real *y) {
  for (int dry = 1; dry >= 0; --dry) {
    trm_pass pass = *with;
    pass.dry = dry;
    trm_tape_begin(tape, &pass);
    trm_var *w = trm_tape_param(tape, 0), *b = trm_tape_param(tape, 1), *out;
    if (x->sparse) {
      out = trm_op_sparse_linear(tape, x, w, b, dropout);
    } else {
      out = trm_op_linear(tape, trm_op_features(tape, x, dropout), w, b);
    }
    CHECK_OK(trm_tape_status(tape));
    if (pass.n_blocks > 0) CHECK(out->blocks == x->blocks);
    trm_tape_backward_from(tape, out, dy, NULL, NULL, NULL);
    if (dry) {
      CHECK_OK(trm_tape_reserve(tape));
    } else {
      memcpy(y, out->data, (size_t)out->n * sizeof *y);
    }
  }
}

/* Sparse features in blocks: each block's rows and gradients are those of a pass of its own, and rows
 * are those of the whole; without dropout dense features give the same. */
static void check_features(double dropout) {
  static feature_set f;
  static trm_real all[BLOCKS * 4096], one[4096];
  memset(&f, 0, sizeof f);
  feature_set_create(&f);
  CHECK(params->n_elements <= 4096);
  trm_real dy[ROWS * OUT], y[ROWS * OUT], own[ROWS * OUT], dense_y[ROWS * OUT];
  for (int i = 0; i < ROWS * OUT; ++i) dy[i] = (trm_real)(draw(12, i) - 0.5);
  trm_features x = {.n_rows = ROWS,
                    .n_features = FEATURES,
                    .sparse = f.sparse,
                    .transposed = f.transposed,
                    .ids = f.ids,
                    .blocks = row_blocks};
  const double weights[BLOCKS] = {1, 1, 1};
  const trm_block_sink sink = {all, block_target, no_merge, no_whole};
  trm_pass pass = {.training = true, .seed = 2, .step = 3, .n_blocks = BLOCKS};
  pass.sink = &sink;
  pass.weights = weights;
  run_linear(&pass, &x, dropout, dy, y);

  pass = (trm_pass){.training = true, .seed = 2, .step = 3, .grads = one};
  for (int k = 0; k < BLOCKS; ++k) {
    const int64_t first = row_blocks[k], rows = row_blocks[k + 1] - first;
    const trm_features block = {.n_rows = rows,
                                .n_features = FEATURES,
                                .sparse = &f.sparse[k],
                                .transposed = &f.transposed[k],
                                .ids = f.ids + first};
    run_linear(&pass, &block, dropout, dy + first * OUT, own);
    CHECK(memcmp(own, y + first * OUT, (size_t)(rows * OUT) * sizeof *y) == 0);
    for (int p = 0; p < 2; ++p) {
      const trm_param *row = &params->rows[p];
      CHECK(memcmp(one + row->offset, all + k * params->n_elements + row->offset,
                   (size_t)row->n * sizeof *one) == 0);
    }
  }
  if (dropout > 0) return;
  x = (trm_features){.n_rows = ROWS, .n_features = FEATURES, .dense = f.dense, .ids = f.ids};
  run_linear(&pass, &x, dropout, dy, dense_y);
  const trm_param *w = &params->rows[0];
  for (int i = 0; i < ROWS * OUT; ++i) CHECK_NEAR_AT(y[i], dense_y[i], 1e-5, i);
  for (int64_t i = w->offset; i < w->offset + w->n; ++i) {
    double sum = 0;
    for (int k = 0; k < BLOCKS; ++k) sum += (double)all[k * params->n_elements + i];
    CHECK_NEAR_AT(sum, one[i], 1e-5, i);
  }
}

/* Rows that are wanted as they are stand where they were. */
static void check_borrowed(void) {
  static const float dense[] = {1, 2, 3, 4, 5, 6};
  static const int32_t rows[] = {1, 0}, ids[] = {3, 4};
  trm_features x = {.n_rows = 2, .n_features = 3, .dense = dense, .rows = rows, .ids = ids};
  const trm_pass pass = {.training = true, .dry = true};
  trm_tape_begin(tape, &pass);
  CHECK(trm_op_features(tape, &x, 0)->data == NULL);
  x.rows = NULL;
  CHECK((const float *)trm_op_features(tape, &x, 0)->data == dense);
  CHECK(trm_op_features(tape, &x, 0.5)->data == NULL);
  CHECK_OK(trm_tape_status(tape));
  (void)trm_op_features(tape, &x, 1);
  CHECK_HAS(trm_message(), "operator features: p = 1 is not in [0, 1)");
}

/* A map of sparse features begins with the numbers of a matrix that is [inputs, outputs]. */
static void check_first_values(void) {
  trm_params *by_inputs = NULL;
  int index;
  CHECK_OK(trm_params_create(&by_inputs));
  CHECK_OK(trm_params_add(by_inputs, &index, 2, (int64_t[]){FEATURES, OUT}, TRM_INIT_NORMAL, 0.3,
                          true, "w"));
  CHECK_OK(trm_params_seal(by_inputs));
  trm_params_init(by_inputs, 1);
  const trm_real *w = params->weights + params->rows[0].offset;
  const trm_real *v = by_inputs->weights + by_inputs->rows[0].offset;
  for (int64_t o = 0; o < OUT; ++o) {
    for (int64_t i = 0; i < FEATURES; ++i) CHECK(w[o * FEATURES + i] == v[i * OUT + o]);
  }
  trm_params_destroy(&by_inputs);
}

int main(void) {
  trm_math_init();
  int index;
  CHECK_OK(trm_params_create(&params));
  CHECK_OK(trm_params_add(params, &index, 2, (int64_t[]){OUT, FEATURES}, TRM_INIT_NORMAL, 0.3, true,
                          "w"));
  trm_params_mark_drawn_by_inputs(params, index);
  CHECK_OK(trm_params_add(params, &index, 1, (int64_t[]){OUT}, TRM_INIT_NORMAL, 0.3, false, "b"));
  CHECK_OK(trm_params_seal(params));
  trm_params_init(params, 1);
  CHECK_OK(trm_tape_create(params, &tape));
  check_first_values();
  check_features(0);
  check_features(0.4);
  check_borrowed();
  trm_tape_destroy(&tape);
  trm_params_destroy(&params);

  CHECK_OK(trm_params_create(&params));
  CHECK_OK(trm_params_seal(params));
  CHECK_OK(trm_tape_create(params, &tape));
  static graph g;
  graph_create(&g);
  for (int kind = 0; kind < N_KINDS; ++kind) {
    check_parts(&g, kind, false);
    check_parts(&g, kind, true);
  }
  for (int k = 0; k < 4; ++k) {
    check_norms(&g, TRM_EDGE_NORM_SUM, k % 2, k / 2);
    check_norms(&g, TRM_EDGE_NORM_MEAN, k % 2, k / 2);
    check_norms(&g, TRM_EDGE_NORM_SYMMETRIC, k % 2, k / 2);
  }
  check_blocks_of_hops(&g);
  trm_tape_destroy(&tape);
  trm_params_destroy(&params);
  return check_verdict();
}
