/* Graph attention against plain loops over a list of edges: forward, what is kept, and the gradients
 * by the chain rule edge by edge; rows of any degree, heads and widths, strides, dropout, adding. */
#include "kernel_check.h"
#include "trireme/math/graph_attention.h"

/* A hop and the same as a list of edges, self ones first in each row. */
typedef struct graph {
  trm_hop hop;
  int64_t *in_offsets, *out_offsets, n_pairs, *pairs; /* [n_pairs][2]: target, source */
  int32_t *in_columns, *out_columns, *self, *self_of, *source_ids, *target_ids;
} graph;

typedef struct sizes {
  int64_t n_targets, n_sources, degree, H, C;
  bool self, hub;
  double dropout;
} sizes;

static graph make_graph(const sizes *z, uint64_t *state) {
  graph g = {0};
  const int64_t T = z->n_targets, S = z->n_sources;
  g.in_offsets = test_calloc(T + 1, sizeof(int64_t));
  g.out_offsets = test_calloc(S + 1, sizeof(int64_t));
  g.self = test_calloc(T, sizeof(int32_t));
  g.self_of = test_calloc(S, sizeof(int32_t));
  g.source_ids = test_calloc(S, sizeof(int32_t));
  g.target_ids = test_calloc(T, sizeof(int32_t));
  for (int64_t i = 0; i < T; ++i) {
    const int64_t n = z->hub && i == 1 ? 333 : test_below(state, 2 * z->degree + 1);
    g.in_offsets[i + 1] = g.in_offsets[i] + n;
    g.target_ids[i] = (int32_t)test_below(state, 1 << 30);
  }
  const int64_t E = g.in_offsets[T];
  g.in_columns = test_calloc(E, sizeof(int32_t));
  g.out_columns = test_calloc(E, sizeof(int32_t));
  for (int64_t e = 0; e < E; ++e) g.in_columns[e] = (int32_t)test_below(state, S);
  for (int64_t j = 0; j < S; ++j) {
    g.self_of[j] = -1;
    g.source_ids[j] = (int32_t)test_below(state, 1 << 30);
  }
  for (int64_t i = 0; i < T; ++i) { /* targets are the last sources, backwards */
    g.self[i] = (int32_t)(S - 1 - i);
    g.self_of[g.self[i]] = (int32_t)i;
  }
  g.hop.in = (trm_csr){T, S, E, g.in_offsets, g.in_columns, NULL, NULL};
  trm_csr_transpose(&g.hop.in, g.out_offsets, g.out_columns, NULL);
  g.hop.out = (trm_csr){S, T, E, g.out_offsets, g.out_columns, NULL, NULL};
  g.hop.self = g.self;
  g.hop.self_of = g.self_of;
  g.hop.source_ids = g.source_ids;
  g.hop.target_ids = g.target_ids;
  g.pairs = test_calloc(2 * (E + T), sizeof(int64_t));
  for (int64_t i = 0; i < T; ++i) {
    if (z->self) {
      g.pairs[2 * g.n_pairs] = i;
      g.pairs[2 * g.n_pairs++ + 1] = g.self[i];
    }
    for (int64_t e = g.in_offsets[i]; e < g.in_offsets[i + 1]; ++e) {
      g.pairs[2 * g.n_pairs] = i;
      g.pairs[2 * g.n_pairs++ + 1] = g.in_columns[e];
    }
  }
  return g;
}

static void free_graph(graph *g) {
  free(g->in_offsets), free(g->out_offsets), free(g->in_columns), free(g->out_columns);
  free(g->self), free(g->self_of), free(g->source_ids), free(g->target_ids), free(g->pairs);
}

typedef struct gat_case {
  trm_gat gat;
  trm_real *h, *source, *target, *dout; /* rows of h and source stand PAD further apart */
  trm_real *out, *lse, *kept, *D;
  int64_t h_stride, source_stride;
  bool add;
} gat_case;

static void run_forward(void *p, trm_real **out) {
  const gat_case *k = p;
  trm_gat_forward(out[0], out[1], out[2], k->h, k->h_stride, k->source, k->source_stride, k->target,
                  &k->gat);
}

static void run_without_kept(void *p, trm_real **out) {
  const gat_case *k = p;
  trm_gat_forward(out[0], out[1], NULL, k->h, k->h_stride, k->source, k->source_stride, k->target,
                  &k->gat);
}

static void run_backward(void *p, trm_real **out) {
  const gat_case *k = p;
  const int64_t H = k->gat.H;
  trm_gat_forward(k->out, k->lse, k->kept, k->h, k->h_stride, k->source, k->source_stride,
                  k->target, &k->gat);
  trm_gat_backward_targets(out[0], k->D, H, k->dout, k->out, k->kept, &k->gat, k->add);
  const trm_gat_targets targets = {k->dout, k->target, k->lse, k->D, H * k->gat.C, H};
  trm_gat_backward_sources(out[1], out[2], k->h, k->h_stride, k->source, k->source_stride, &targets,
                           &k->gat, k->add, k->add);
}

/* The factor dropout gives to a weight. */
static double mask(const trm_gat *gat, int64_t i, int64_t j, int64_t h) {
  if (!(gat->dropout > 0)) return 1;
  const double threshold = floor(gat->dropout * 65536 + 0.5);
  const uint64_t calls = (uint64_t)(gat->H + 7) / 8;
  uint32_t words[4];
  trm_random_words(gat->key, (uint64_t)gat->hop->target_ids[i],
                   (uint64_t)gat->hop->source_ids[j] * calls + (uint64_t)h / 8, words);
  const uint32_t word = words[h % 8 / 2];
  const uint32_t draw = h % 2 == 0 ? word & 0xffffu : word >> 16;
  return draw < threshold ? 0 : 65536 / (65536 - threshold);
}

typedef struct result {
  double *out, *lse, *kept, *dh, *dsource, *dtarget;
} result;

/* One head, edge by edge. */
static void reference_head(result *r, const graph *g, const trm_gat *gat, int64_t h,
                           const double *rows, const double *source, const double *target,
                           const double *dout) {
  const int64_t H = gat->H, C = gat->C, T = g->hop.in.n_rows, n = g->n_pairs;
  double *x = NEW_DOUBLES(n), *p = NEW_DOUBLES(n), *dp = NEW_DOUBLES(n), *sum = NEW_DOUBLES(T);
  double *D = NEW_DOUBLES(T);
  const double slope = (double)gat->slope;
  for (int64_t e = 0; e < n; ++e) {
    x[e] = target[g->pairs[2 * e] * H + h] + source[g->pairs[2 * e + 1] * H + h];
    sum[g->pairs[2 * e]] += exp(x[e] > 0 ? x[e] : slope * x[e]);
  }
  for (int64_t i = 0; i < T; ++i) r->lse[i * H + h] = sum[i] > 0 ? log(sum[i]) : 0;
  for (int64_t e = 0; e < n; ++e) {
    const int64_t i = g->pairs[2 * e], j = g->pairs[2 * e + 1];
    const double m = mask(gat, i, j, h), slope_here = x[e] > 0 ? 1 : slope;
    p[e] = exp(x[e] * slope_here) / sum[i];
    r->kept[i * (H * C + H) + H * C + h] += p[e] * slope_here;
    for (int64_t c = h * C; c < (h + 1) * C; ++c) {
      r->out[i * H * C + c] += p[e] * m * rows[j * H * C + c];
      r->kept[i * (H * C + H) + c] += p[e] * m * slope_here * rows[j * H * C + c];
      r->dh[j * H * C + c] += p[e] * m * dout[i * H * C + c];
      dp[e] += m * dout[i * H * C + c] * rows[j * H * C + c];
    }
    D[i] += p[e] * dp[e];
  }
  for (int64_t e = 0; e < n; ++e) {
    const int64_t i = g->pairs[2 * e], j = g->pairs[2 * e + 1];
    const double dx = p[e] * (dp[e] - D[i]) * (x[e] > 0 ? 1 : slope);
    r->dtarget[i * H + h] += dx;
    r->dsource[j * H + h] += dx;
  }
  free(x), free(p), free(dp), free(sum), free(D);
}

/* Rows `pad` further apart than they are wide, NaN between them. */
static trm_real *spread(const double *x, int64_t n, int64_t width, int64_t pad) {
  trm_real *y = NEW_REALS(n * (width + pad));
  for (int64_t i = 0; i < n * (width + pad); ++i) {
    const int64_t r = i / (width + pad), c = i % (width + pad);
    y[i] = c < width ? (trm_real)x[r * width + c] : (trm_real)NAN;
  }
  return y;
}

static void check_one(sizes z, int64_t pad, bool add) {
  uint64_t state = (uint64_t)(z.n_targets * 131 + z.H * 17 + z.C + pad);
  graph g = make_graph(&z, &state);
  const int64_t T = z.n_targets, S = z.n_sources, H = z.H, C = z.C, width = H * C;
  gat_case k = {.add = add, .h_stride = width + pad, .source_stride = H + pad};
  k.gat = (trm_gat){.hop = &g.hop, .H = H, .C = C, .self = z.self, .slope = (trm_real)0.2};
  k.gat.dropout = z.dropout;
  k.gat.key = trm_random_key_make(1, TRM_RANDOM_DROPOUT, 2, 3);
  double *h, *source, *target, *dout;
  free(test_random(S * width, 1, &state, &h));
  free(test_random(S * H, 2, &state, &source));
  k.target = test_random(T * H, 2, &state, &target);
  k.dout = test_random(T * width, 1, &state, &dout);
  k.h = spread(h, S, width, pad);
  k.source = spread(source, S, H, pad);
  result r = {NEW_DOUBLES(T * width), NEW_DOUBLES(T * H), NEW_DOUBLES(T * (width + H)),
              NEW_DOUBLES(S * width), NEW_DOUBLES(S * H), NEW_DOUBLES(T * H)};
  for (int64_t head = 0; head < H; ++head) {
    reference_head(&r, &g, &k.gat, head, h, source, target, dout);
  }
  kernel_case c = {.name = "gat",
                   .run = run_forward,
                   .context = &k,
                   .n = {T * width, T * H, T * (width + H)},
                   .want = {r.out, r.lse, r.kept},
                   .tolerance = {64, 64, 64}};
  check_kernel(c);
  c.n[2] = 0;
  c.run = run_without_kept;
  check_kernel(c);

  k.out = NEW_REALS(T * width);
  k.lse = NEW_REALS(T * H);
  k.kept = NEW_REALS(T * (width + H));
  k.D = NEW_REALS(T * H);
  trm_real *start[] = {test_random(T * H, 1, &state, NULL), test_random(S * width, 1, &state, NULL),
                       test_random(S * H, 1, &state, NULL)};
  const double wide = 64 + 16 * sqrt((double)C);
  check_kernel(
      (kernel_case){.name = "gat backward",
                    .run = run_backward,
                    .context = &k,
                    .n = {T * H, S * width, S * H},
                    .want = {r.dtarget, r.dh, r.dsource},
                    .start = {add ? start[0] : NULL, add ? start[1] : NULL, add ? start[2] : NULL},
                    .tolerance = {wide, 64, wide}});
  for (int i = 0; i < 3; ++i) free(start[i]);
  free(r.out), free(r.lse), free(r.kept), free(r.dh), free(r.dsource), free(r.dtarget);
  free(h), free(source), free(target), free(dout), free(k.h), free(k.source), free(k.target);
  free(k.dout), free(k.out), free(k.lse), free(k.kept), free(k.D);
  free_graph(&g);
}

/* NaN in a row of h or in a score reaches every target that has it, and no other. */
static void check_nan(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const int64_t in_offsets[] = {0, 2, 4}, out_offsets[] = {0, 1, 3, 4};
  const int32_t in_columns[] = {0, 1, 1, 2}, out_columns[] = {0, 0, 1, 1};
  const trm_hop hop = {.in = {2, 3, 4, in_offsets, in_columns, NULL, NULL},
                       .out = {3, 2, 4, out_offsets, out_columns, NULL, NULL}};
  const trm_gat gat = {.hop = &hop, .H = 1, .C = 1, .slope = (trm_real)0.2};
  for (int where = 0; where < 2; ++where) {
    trm_real h[] = {1, 2, 3}, source[] = {1, 5, 2}, target[] = {0, 0}, out[2], lse[2];
    if (where == 0) h[2] = (trm_real)NAN;
    if (where == 1) source[2] = (trm_real)NAN;
    trm_gat_forward(out, lse, NULL, h, 1, source, 1, target, &gat);
    CHECK(isfinite(out[0]) && isnan(out[1]));
  }
}

/* Scores whose exponentials overflow or vanish: what counts are their differences. */
static void check_extremes(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const int64_t offsets[] = {0, 2};
  const int32_t columns[] = {0, 1};
  const trm_hop hop = {.in = {1, 2, 2, offsets, columns, NULL, NULL}};
  const trm_gat gat = {.hop = &hop, .H = 1, .C = 1, .slope = (trm_real)0.25};
  const trm_real h[] = {1, 3}, source[] = {0, 0}, low[] = {-1000, 0}, target[] = {2000, -2000};
  for (int k = 0; k < 2; ++k) {
    trm_real out, lse;
    trm_gat_forward(&out, &lse, NULL, h, 1, source, 1, &target[k], &gat);
    CHECK_NEAR(out, 2, 1e-6);
    CHECK_NEAR(lse, (k == 0 ? 2000 : -500) + log(2), 1e-3);
    trm_gat_forward(&out, &lse, NULL, h, 1, low, 1, &target[k], &gat);
    CHECK_NEAR(out, 3, 0);
  }
}

int main(void) {
  for (int pad = 0; pad < 4; pad += 3) {
    const bool add = pad > 0;
    check_one((sizes){0, 3, 2, 2, 3, true, false, 0}, pad, add);
    check_one((sizes){1, 1, 0, 1, 1, false, false, 0}, pad, add); /* nobody to look at */
    check_one((sizes){1, 1, 0, 1, 1, true, false, 0.5}, pad, add);
    check_one((sizes){13, 17, 3, 8, 8, true, true, 0.6}, pad, add);
    check_one((sizes){13, 17, 3, 8, 8, false, true, 0}, pad, add);
    check_one((sizes){13, 17, 3, 1, 7, true, true, 0.3}, pad, add);
    check_one((sizes){6, 9, 4, 3, 8, true, false, 0.3}, pad, add);
    check_one((sizes){6, 9, 4, 1, 8, true, false, 0.3}, pad, add);
    check_one((sizes){9, 9, 4, 9, 16, true, false, 0.3}, pad, add);
    check_one((sizes){7, 11, 3, 20, 40, true, true, 0.25}, pad, add); /* slices of 8 heads */
    check_one((sizes){5, 6, 2, 11, 100, true, false, 0.3}, pad, add); /* of 5 heads */
    check_one((sizes){4, 4, 2, 2, 1100, true, false, 0.3}, pad, add); /* of part of a head */
    check_one((sizes){3, 5, 2, 700, 1, true, true, 0.3}, pad, add);
    check_one((sizes){400, 500, 9, 8, 8, true, true, 0.6}, pad, add); /* several threads */
    check_one((sizes){400, 400, 9, 1, 64, false, true, 0}, pad, add);
  }
  for_each_isa(check_nan, NULL);
  for_each_isa(check_extremes, NULL);
  return check_verdict();
}
