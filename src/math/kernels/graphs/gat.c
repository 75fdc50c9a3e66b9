/**
 * Graph attention, fused: scores, softmax, dropout and the weighted sum of a row are made in tiles of
 * its neighbours and never stored; the backward pass makes the weights again from the log-sum-exp.
 *
 * A row is worked on in slices of whole heads (or, for very wide heads, of columns of one head) whose
 * sums fit on the stack. The largest score is found first: LeakyReLU rises, so it is that of the
 * neighbour with the largest `source`. In the backward pass a second sum, with each weight times the
 * slope of LeakyReLU, takes the place of a dot product for each edge and head:
 *
 *     sum over i of p g (m dout_i . h_j - D_i)  =  h_j . (sum of p g m dout_i)  -  sum of p g D_i
 */
#include "isa.h"

#include <string.h>

#include "csr_rows.h"
#include "draws.h"
#include "eight.h"
#include "real_math.h"
#include "row_dot.h"
#include "simd.h"
#include "trireme/math/graph_attention.h"

enum {
  SLICE_COLUMNS = 512,
  TILE_EDGES = 64,
  TILE_PAIRS = 1024, /* (edge, head), or the 8 heads of one call of the generator */
  TILE_CALLS = TILE_PAIRS / PER_CALL + 2 * TILE_EDGES,
  FETCH_LINES = 4, /* of 64 bytes of a neighbour's row, asked for while its score is made */
};

/** Heads [h0, h0 + nh), of each c columns; of the row's columns it has [k0, k0 + nh c). */
typedef struct slice {
  int64_t h0, nh, k0, c;
  bool first; /* of the slices of its heads */
  trm_drop drop;
} slice;

static int64_t heads_per_slice(const trm_gat *gat) {
  const int64_t n = trm_min_i64(gat->H, trm_max_i64(1, SLICE_COLUMNS / gat->C));
  return n > PER_CALL ? n / PER_CALL * PER_CALL : n;
}

static int64_t n_slices(const trm_gat *gat) {
  const int64_t pieces = trm_ceil_div(gat->C, SLICE_COLUMNS);
  return pieces > 1 ? gat->H * pieces : trm_ceil_div(gat->H, heads_per_slice(gat));
}

/* Of an edge, in elements: what chunks of rows are cut by. */
static int64_t edge_work(const trm_gat *gat) {
  const int64_t calls = gat->dropout > 0 ? trm_ceil_div(gat->H, PER_CALL) : 0;
  return gat->H * gat->C + 16 * gat->H + 32 * calls;
}

static slice slice_of(const trm_gat *gat, int64_t number) {
  const trm_drop drop = trm_drop_make(gat->dropout);
  const int64_t pieces = trm_ceil_div(gat->C, SLICE_COLUMNS);
  if (pieces > 1) {
    const int64_t h = number / pieces, piece = number % pieces;
    const int64_t c = trm_min_i64(SLICE_COLUMNS, gat->C - piece * SLICE_COLUMNS);
    return (slice){h, 1, h * gat->C + piece * SLICE_COLUMNS, c, piece == 0, drop};
  }
  const int64_t per = heads_per_slice(gat), h0 = number * per;
  return (slice){h0, trm_min_i64(per, gat->H - h0), h0 * gat->C, gat->C, true, drop};
}

/** The neighbours of a row: itself first when self >= 0. */
typedef struct neighbors {
  int64_t n;
  int32_t self;
  const int32_t *columns;
} neighbors;

static neighbors neighbors_of(const trm_csr *a, int64_t row, int32_t self) {
  const int64_t begin = a->offsets[row];
  return (neighbors){a->offsets[row + 1] - begin + (self >= 0), self, a->columns + begin};
}

/** Some neighbours of a row in the backward or forward pass. */
typedef struct tile {
  int64_t n;
  int32_t index[TILE_EDGES];
  trm_real p[TILE_PAIRS]; /* [n, nh] sums of both scores, then weights */
  trm_real g[TILE_PAIRS]; /* [n, nh] what is taken off them, then slopes of LeakyReLU */
} tile;

static int64_t tile_edges(const slice *s) {
  return trm_max_i64(1, trm_min_i64(TILE_EDGES, TILE_PAIRS / s->nh));
}

/* Neighbours from number `first` on; their rows are on their way when it returns. */
static void load_tile(tile *t, const neighbors *all, int64_t first, const slice *s,
                      const trm_real *rows, int64_t stride) {
  const int64_t has_self = all->self >= 0;
  t->n = trm_min_i64(tile_edges(s), all->n - first);
  for (int64_t e = 0; e < t->n; ++e) {
    const int64_t k = first + e;
    t->index[e] = k < has_self ? all->self : all->columns[k - has_self];
    const trm_real *row = rows + t->index[e] * stride + s->k0;
    for (int i = 0; i < FETCH_LINES; ++i) {
      __builtin_prefetch(row + i * (64 / (int)sizeof(trm_real)), 0, 2);
    }
  }
}

/* From x and shift to e^(LeakyReLU(x) - shift) and the slope. */
static void weigh(tile *t, int64_t nh, trm_real slope) {
  const int64_t n = t->n * nh;
  for (int64_t i = 0; i < n; ++i) {
    const trm_real x = t->p[i], slope_here = x > 0 ? 1 : slope;
    t->p[i] = trm_exp(trm_fma(-t->g[i], x, slope_here));
    t->g[i] = slope_here;
  }
}

/* ---- dropout --------------------------------------------------------------------------------- */

/** One end of the edges of a row is the row's node, the other its neighbour. */
typedef struct edge_ends {
  int64_t row_id;
  const int32_t *ids; /* of neighbours */
  bool row_is_target;
} edge_ends;

TRM_INLINE void draw(uint16_t *draws, const tile *t, const trm_gat *gat, const edge_ends *ends,
                     int64_t first, int64_t calls) {
  const int64_t calls_all = trm_ceil_div(gat->H, PER_CALL);
  uint32_t c0[TILE_CALLS], c1[TILE_CALLS], c2[TILE_CALLS], c3[TILE_CALLS];
  uint32_t words[4 * TILE_CALLS];
  int at = 0;
  for (int64_t e = 0; e < t->n; ++e) {
    const int64_t other = ends->ids[t->index[e]];
    const int64_t source = ends->row_is_target ? other : ends->row_id;
    const int64_t target = ends->row_is_target ? ends->row_id : other;
    for (int64_t i = 0; i < calls; ++i, ++at) {
      const uint64_t position = (uint64_t)(source * calls_all + first + i);
      c0[at] = (uint32_t)position;
      c1[at] = (uint32_t)(position >> 32);
      c2[at] = (uint32_t)target;
      c3[at] = 0;
    }
  }
  trm_philox_batch(words, gat->key, c0, c1, c2, c3, at);
  memcpy(draws, words, (size_t)(4 * at) * sizeof *words);
}

/* p *= mask. */
static void drop_weights(tile *t, const trm_gat *gat, const edge_ends *ends, const slice *s) {
  if (!(gat->dropout > 0)) return;
  const int64_t first = s->h0 / PER_CALL, nh = s->nh;
  const int64_t calls = (s->h0 + nh - 1) / PER_CALL - first + 1;
  const uint32_t threshold = s->drop.threshold;
  const trm_real factors[2] = {s->drop.scale, 0};
  uint16_t draws[TILE_CALLS * PER_CALL];
  if (calls == 1) {
    draw(draws, t, gat, ends, first, 1);
  } else {
    draw(draws, t, gat, ends, first, calls);
  }
  if (nh == calls * PER_CALL) {
    for (int64_t i = 0; i < t->n * nh; ++i) t->p[i] *= draws[i] < threshold ? 0 : factors[0];
    return;
  }
  const uint16_t *from = draws + (s->h0 - first * PER_CALL);
  for (int64_t e = 0; e < t->n; ++e, from += calls * PER_CALL) {
    for (int64_t h = 0; h < nh; ++h) t->p[e * nh + h] *= factors[from[h] < threshold];
  }
}

/* ---- weighted sums --------------------------------------------------------------------------- */

/* Up to four parts of a row, of eight columns each: where they begin, and their heads. */
typedef struct parts {
  int64_t at[4], head[4];
} parts;

/* sum += p x, and sum_g += p g x when there is one, over the tile's rows of x; `tail` of the only part
 * when it has fewer than eight columns. */
TRM_INLINE void add_parts(trm_real *sum, trm_real *sum_g, const tile *t, const trm_real *x,
                          int64_t stride, int64_t nh, const parts *q, int n, bool both,
                          int64_t tail) {
  trm_eight s[4], sg[4];
  const trm_eight_part part = trm_eight_part_of(tail);
#pragma GCC unroll 4
  for (int k = 0; k < n; ++k) {
    s[k] = tail ? trm_eight_part_load(sum + q->at[k], part) : trm_eight_load(sum + q->at[k]);
    if (!both) continue;
    sg[k] = tail ? trm_eight_part_load(sum_g + q->at[k], part) : trm_eight_load(sum_g + q->at[k]);
  }
  for (int64_t e = 0; e < t->n; ++e) {
    const trm_real *row = x + t->index[e] * stride;
#pragma GCC unroll 4
    for (int k = 0; k < n; ++k) {
      const trm_real *from = row + q->at[k];
      const trm_eight v = tail ? trm_eight_part_load(from, part) : trm_eight_load(from);
      s[k] = trm_eight_fma(s[k], t->p[e * nh + q->head[k]], v);
      if (both) sg[k] = trm_eight_fma(sg[k], t->g[e * nh + q->head[k]], v);
    }
  }
#pragma GCC unroll 4
  for (int k = 0; k < n; ++k) {
    if (tail) {
      trm_eight_part_store(sum + q->at[k], part, s[k]);
      if (both) trm_eight_part_store(sum_g + q->at[k], part, sg[k]);
    } else {
      trm_eight_store(sum + q->at[k], s[k]);
      if (both) trm_eight_store(sum_g + q->at[k], sg[k]);
    }
  }
}

#define ADD_PARTS(n, tail)                                                                         \
  do {                                                                                             \
    if (sum_g) {                                                                                   \
      add_parts(sum, sum_g, t, x, stride, s->nh, &q, n, true, tail);                               \
    } else {                                                                                       \
      add_parts(sum, NULL, t, x, stride, s->nh, &q, n, false, tail);                               \
    }                                                                                              \
  } while (0)

/* Full parts of all heads, four at a time, then what is left of each head. */
static void add_rows(trm_real *sum, trm_real *sum_g, tile *t, const trm_real *x, int64_t stride,
                     const slice *s) {
  const int64_t full = s->c / TRM_EIGHT, rest = s->c % TRM_EIGHT;
  parts q = {{0}, {0}};
  int n = 0;
  x += s->k0;
  for (int64_t i = 0; sum_g && i < t->n * s->nh; ++i) t->g[i] *= t->p[i];
  for (int64_t h = 0; h < s->nh; ++h) {
    for (int64_t i = 0; i < full; ++i) {
      q.at[n] = h * s->c + i * TRM_EIGHT;
      q.head[n] = h;
      if (++n < 4) continue;
      ADD_PARTS(4, 0);
      n = 0;
    }
  }
  if (n == 3) ADD_PARTS(3, 0);
  if (n == 2) ADD_PARTS(2, 0);
  if (n == 1) ADD_PARTS(1, 0);
  for (int64_t h = 0; rest > 0 && h < s->nh; ++h) {
    q.at[0] = h * s->c + full * TRM_EIGHT;
    q.head[0] = h;
    ADD_PARTS(1, rest);
  }
}

/* ---- forward --------------------------------------------------------------------------------- */

typedef struct forward {
  trm_real *out, *lse, *kept;
  const trm_real *h, *source, *target;
  int64_t h_stride, source_stride;
  const trm_gat *gat;
} forward;

/* The largest source of each head. A NaN may be passed over: its own score shows it. */
static void largest_sources(trm_real *largest, const forward *f, const neighbors *all,
                            const slice *s) {
  const int64_t stride = f->source_stride, n_columns = all->n - (all->self >= 0);
  const int64_t first = all->self >= 0 ? all->self : all->columns[0];
  int64_t h = 0;
  for (; h + TRM_EIGHT <= s->nh; h += TRM_EIGHT) {
    const trm_real *source = f->source + s->h0 + h;
    trm_eight max = trm_eight_load(source + first * stride);
    for (int64_t k = 0; k < n_columns; ++k) {
      max = trm_eight_larger(max, trm_eight_load(source + all->columns[k] * stride));
    }
    trm_eight_store(largest + h, max);
  }
  for (; h < s->nh; ++h) {
    const trm_real *source = f->source + s->h0 + h;
    trm_real max = source[first * stride];
    for (int64_t k = 0; k < n_columns; ++k) {
      const trm_real x = source[all->columns[k] * stride];
      max = max > x ? max : x;
    }
    largest[h] = max;
  }
}

/* The largest score of each head: LeakyReLU rises. */
static void largest_scores(trm_real *shift, const forward *f, const neighbors *all,
                           const trm_real *target, const slice *s) {
  largest_sources(shift, f, all, s);
  for (int64_t h = 0; h < s->nh; ++h) {
    const trm_real x = target[h] + shift[h];
    shift[h] = x > 0 ? x : x * f->gat->slope;
  }
}

static void score_sources(tile *t, const forward *f, const trm_real *restrict target,
                          const trm_real *restrict shift, const slice *s) {
  trm_real *restrict p = t->p, *restrict g = t->g;
  for (int64_t e = 0; e < t->n; ++e) {
    const trm_real *restrict source = f->source + t->index[e] * f->source_stride + s->h0;
    int64_t h = 0;
    for (; h + TRM_EIGHT <= s->nh; h += TRM_EIGHT, p += TRM_EIGHT, g += TRM_EIGHT) {
      trm_eight_store(p, trm_eight_add(trm_eight_load(target + h), trm_eight_load(source + h)));
      trm_eight_store(g, trm_eight_load(shift + h));
    }
    for (; h < s->nh; ++h) {
      *p++ = target[h] + source[h];
      *g++ = shift[h];
    }
  }
}

static void sum_weights(trm_real *sum, trm_real *sum_g, const tile *t, int64_t nh) {
  int64_t h = 0;
  for (; h + TRM_EIGHT <= nh; h += TRM_EIGHT) {
    trm_eight s = trm_eight_load(sum + h), sg = trm_eight_load(sum_g + h);
    for (int64_t at = h; at < t->n * nh; at += nh) {
      const trm_eight p = trm_eight_load(t->p + at);
      s = trm_eight_add(s, p);
      sg = trm_eight_add(sg, trm_eight_mul(p, trm_eight_load(t->g + at)));
    }
    trm_eight_store(sum + h, s);
    trm_eight_store(sum_g + h, sg);
  }
  for (; h < nh; ++h) {
    for (int64_t at = h; at < t->n * nh; at += nh) {
      sum[h] += t->p[at];
      sum_g[h] += t->p[at] * t->g[at];
    }
  }
}

static void write_target(const forward *f, int64_t i, const slice *s, const trm_real *shift,
                         const trm_real *sum, const trm_real *sum_g, const trm_real *x,
                         const trm_real *x_g, bool any) {
  const int64_t H = f->gat->H, width = H * f->gat->C;
  trm_real *out = f->out + i * width + s->k0;
  trm_real *kept = f->kept ? f->kept + i * (width + H) : NULL;
  for (int64_t h = 0; h < s->nh; ++h) {
    const trm_real scale = any ? 1 / sum[h] : 0;
    f->lse[i * H + s->h0 + h] = any ? shift[h] + trm_log(sum[h]) : 0;
    for (int64_t k = h * s->c; k < (h + 1) * s->c; ++k) out[k] = x[k] * scale;
    if (!kept) continue;
    for (int64_t k = h * s->c; k < (h + 1) * s->c; ++k) kept[s->k0 + k] = x_g[k] * scale;
    kept[width + s->h0 + h] = sum_g[h] * scale;
  }
}

static void attend(const forward *f, int64_t i, const slice *s) {
  const trm_gat *gat = f->gat;
  const trm_hop *hop = gat->hop;
  const int32_t self = !gat->self ? -1 : hop->self ? hop->self[i] : (int32_t)i;
  const neighbors all = neighbors_of(&hop->in, i, self);
  const trm_real *target = f->target + i * gat->H + s->h0;
  trm_real shift[SLICE_COLUMNS], sum[SLICE_COLUMNS], sum_g[SLICE_COLUMNS];
  trm_real x[SLICE_COLUMNS], x_g[SLICE_COLUMNS];
  memset(shift, 0, (size_t)s->nh * sizeof *shift);
  memset(sum, 0, (size_t)s->nh * sizeof *sum);
  memset(sum_g, 0, (size_t)s->nh * sizeof *sum_g);
  memset(x, 0, (size_t)(s->nh * s->c) * sizeof *x);
  memset(x_g, 0, (size_t)(s->nh * s->c) * sizeof *x_g);
  const edge_ends ends = {hop->target_ids ? hop->target_ids[i] : i, hop->source_ids, true};
  if (all.n > 0) largest_scores(shift, f, &all, target, s);
  for (int64_t first = 0; first < all.n;) {
    tile t;
    load_tile(&t, &all, first, s, f->h, f->h_stride);
    score_sources(&t, f, target, shift, s);
    weigh(&t, s->nh, gat->slope);
    sum_weights(sum, sum_g, &t, s->nh);
    drop_weights(&t, gat, &ends, s);
    add_rows(x, f->kept ? x_g : NULL, &t, f->h, f->h_stride, s);
    first += t.n;
  }
  write_target(f, i, s, shift, sum, sum_g, x, x_g, all.n > 0);
}

void trm_gat_forward(trm_real *out, trm_real *lse, trm_real *kept, const trm_real *h,
                     int64_t h_stride, const trm_real *source, int64_t source_stride,
                     const trm_real *target, const trm_gat *gat) {
  const forward f = {out, lse, kept, h, source, target, h_stride, source_stride, gat};
  const trm_csr *in = &gat->hop->in;
  const int64_t n = n_slices(gat);
  TRM_ASSERT(!(gat->dropout > 0) || (gat->hop->source_ids && gat->hop->target_ids));
  TRM_FOR_CSR_CHUNKS(in->offsets, in->n_rows, edge_work(gat), begin, end, {
    for (int64_t k = 0; k < n; ++k) {
      const slice s = slice_of(gat, k);
      for (int64_t i = begin; i < end; ++i) attend(&f, i, &s);
    }
  });
}

/* ---- backward -------------------------------------------------------------------------------- */

void trm_gat_backward_targets(trm_real *dtarget, trm_real *D, int64_t D_stride,
                              const trm_real *dout, const trm_real *out, const trm_real *kept,
                              const trm_gat *gat, bool add) {
  const int64_t N = gat->hop->in.n_rows, H = gat->H, C = gat->C;
#pragma omp parallel for schedule(static) num_threads(trm_team(N, N *H *C))
  for (int64_t i = 0; i < N; ++i) {
    const trm_real *a = kept + i * (H * C + H), *b = a + H * C;
    for (int64_t h = 0; h < H; ++h) {
      const trm_real *dy = dout + (i * H + h) * C;
      const trm_real d = trm_dot_row(dy, out + (i * H + h) * C, C);
      D[i * D_stride + h] = d;
      if (!dtarget) continue;
      const trm_real g = trm_fma(trm_dot_row(dy, a + h * C, C), -d, b[h]);
      dtarget[i * H + h] = add ? dtarget[i * H + h] + g : g;
    }
  }
}

typedef struct backward {
  trm_real *dh, *dsource;
  const trm_real *h, *source;
  int64_t h_stride, source_stride;
  const trm_gat_targets *targets;
  const trm_gat *gat;
  bool add_dh, add_dsource;
} backward;

static void score_targets(tile *t, const backward *b, const trm_real *restrict source,
                          const slice *s) {
  trm_real *restrict p = t->p, *restrict g = t->g;
  for (int64_t e = 0; e < t->n; ++e) {
    const int64_t at = t->index[e] * b->targets->stride + s->h0;
    const trm_real *restrict target = b->targets->target + at, *lse = b->targets->lse + at;
    int64_t h = 0;
    for (; h + TRM_EIGHT <= s->nh; h += TRM_EIGHT, p += TRM_EIGHT, g += TRM_EIGHT) {
      trm_eight_store(p, trm_eight_add(trm_eight_load(target + h), trm_eight_load(source + h)));
      trm_eight_store(g, trm_eight_load(lse + h));
    }
    for (; h < s->nh; ++h) {
      *p++ = target[h] + source[h];
      *g++ = lse[h];
    }
  }
}

/* sum += p g D. */
static void sum_shares(trm_real *sum, const tile *t, const backward *b, const slice *s) {
  const trm_real *D = b->targets->D + s->h0;
  const int64_t stride = b->targets->stride, nh = s->nh;
  int64_t h = 0;
  for (; h + TRM_EIGHT <= nh; h += TRM_EIGHT) {
    trm_eight sum_h = trm_eight_load(sum + h);
    for (int64_t e = 0; e < t->n; ++e) {
      const trm_eight p = trm_eight_load(t->p + e * nh + h), g = trm_eight_load(t->g + e * nh + h);
      const trm_eight d = trm_eight_load(D + t->index[e] * stride + h);
      sum_h = trm_eight_add(sum_h, trm_eight_mul(trm_eight_mul(p, g), d));
    }
    trm_eight_store(sum + h, sum_h);
  }
  for (; h < nh; ++h) {
    for (int64_t e = 0; e < t->n; ++e) {
      sum[h] += t->p[e * nh + h] * t->g[e * nh + h] * D[t->index[e] * stride + h];
    }
  }
}

static void write_source(const backward *b, int64_t j, const slice *s, const trm_real *shares,
                         const trm_real *x, const trm_real *x_g) {
  const int64_t H = b->gat->H, width = H * b->gat->C;
  if (b->dh) {
    trm_real *dh = b->dh + j * width + s->k0;
    for (int64_t k = 0; k < s->nh * s->c; ++k) dh[k] = b->add_dh ? dh[k] + x[k] : x[k];
  }
  if (!b->dsource) return;
  const trm_real *row = b->h + j * b->h_stride + s->k0;
  trm_real *dsource = b->dsource + j * H + s->h0;
  for (int64_t h = 0; h < s->nh; ++h) {
    trm_real g = trm_dot_row(row + h * s->c, x_g + h * s->c, s->c);
    if (s->first) g -= shares[h];
    dsource[h] = b->add_dsource || !s->first ? dsource[h] + g : g;
  }
}

static void pull(const backward *b, int64_t j, const slice *s) {
  const trm_gat *gat = b->gat;
  const trm_hop *hop = gat->hop;
  int32_t self = -1;
  if (gat->self) self = hop->self_of ? hop->self_of[j] : j < hop->in.n_rows ? (int32_t)j : -1;
  const neighbors all = neighbors_of(&hop->out, j, self);
  const trm_real *source = b->source + j * b->source_stride + s->h0;
  trm_real shares[SLICE_COLUMNS], x[SLICE_COLUMNS], x_g[SLICE_COLUMNS];
  memset(shares, 0, (size_t)s->nh * sizeof *shares);
  memset(x, 0, (size_t)(s->nh * s->c) * sizeof *x);
  memset(x_g, 0, (size_t)(s->nh * s->c) * sizeof *x_g);
  const edge_ends ends = {hop->source_ids ? hop->source_ids[j] : j, hop->target_ids, false};
  for (int64_t first = 0; first < all.n;) {
    tile t;
    load_tile(&t, &all, first, s, b->targets->dout, b->targets->dout_stride);
    score_targets(&t, b, source, s);
    weigh(&t, s->nh, gat->slope);
    sum_shares(shares, &t, b, s);
    drop_weights(&t, gat, &ends, s);
    add_rows(x, x_g, &t, b->targets->dout, b->targets->dout_stride, s);
    first += t.n;
  }
  write_source(b, j, s, shares, x, x_g);
}

void trm_gat_backward_sources(trm_real *dh, trm_real *dsource, const trm_real *h, int64_t h_stride,
                              const trm_real *source, int64_t source_stride,
                              const trm_gat_targets *targets, const trm_gat *gat, bool add_dh,
                              bool add_dsource) {
  const backward b = {dh,      dsource, h,      source,     h_stride, source_stride,
                      targets, gat,     add_dh, add_dsource};
  const trm_csr *out = &gat->hop->out;
  const int64_t n = n_slices(gat);
  TRM_FOR_CSR_CHUNKS(out->offsets, out->n_rows, edge_work(gat), begin, end, {
    for (int64_t k = 0; k < n; ++k) {
      const slice s = slice_of(gat, k);
      for (int64_t j = begin; j < end; ++j) pull(&b, j, &s);
    }
  });
}
