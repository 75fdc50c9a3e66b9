/**
 * Graph attention (trm_gat_*) on symmetric random graphs of the sizes of Cora, Amazon Photo and
 * Minesweeper: time of each half, nanoseconds for an edge (of both directions, and self), and for
 * comparison a plain product by the same edges (trm_spmm), which reads the same rows.
 *
 * Usage: bench_gat [threads]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/graph_attention.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/threads.h"

enum { ROUNDS = 9 };

typedef struct bench {
  int64_t nodes, edges, H, C;
  int64_t *offsets;
  int32_t *columns, *ids;
  trm_real *h, *source, *target, *out, *lse, *kept, *dout, *D, *dh, *dsource, *dtarget;
  trm_hop hop;
  trm_gat gat;
} bench;

static void *new_array(int64_t n, size_t size) {
  void *p = calloc((size_t)n + 1, size);
  if (!p) exit(1);
  return p;
}

/* Every edge with its reverse, so that the graph is its own transpose but for the order of rows. */
static void make_graph(bench *b) {
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, 0);
  const int64_t n = b->nodes, m = b->edges / 2;
  b->offsets = new_array(n + 1, sizeof *b->offsets);
  b->columns = new_array(2 * m, sizeof *b->columns);
  b->ids = new_array(n, sizeof *b->ids);
  for (int pass = 0; pass < 2; ++pass) { /* count, then put; offsets[r] ends at row r + 1 */
    for (int64_t e = 0; e < m; ++e) {
      const double u = trm_random_uniform(key, 0, (uint64_t)e);
      const int64_t i = (int64_t)(u * u * (double)n);
      const int64_t j = (int64_t)trm_random_below(key, 1, (uint64_t)e, (uint64_t)n);
      if (pass == 0) {
        ++b->offsets[i + 1], ++b->offsets[j + 1];
      } else {
        b->columns[b->offsets[i]++] = (int32_t)j;
        b->columns[b->offsets[j]++] = (int32_t)i;
      }
    }
    for (int64_t r = 0; pass == 0 && r < n; ++r) b->offsets[r + 1] += b->offsets[r];
  }
  memmove(b->offsets + 1, b->offsets, (size_t)n * sizeof *b->offsets);
  b->offsets[0] = 0;
  for (int64_t i = 0; i < n; ++i) b->ids[i] = (int32_t)i;
  const trm_csr a = {n, n, 2 * m, b->offsets, b->columns, NULL, NULL};
  b->hop = (trm_hop){.in = a, .out = a, .source_ids = b->ids, .target_ids = b->ids};
}

static trm_real *reals(int64_t n, double scale) {
  const trm_random_key key = trm_random_key_make(2, TRM_RANDOM_TEST, 0, 0);
  trm_real *x = new_array(n, sizeof *x);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = (trm_real)(scale * (trm_random_uniform(key, 0, (uint64_t)i) - 0.5));
  }
  return x;
}

static void do_forward(bench *b) {
  trm_gat_forward(b->out, b->lse, b->kept, b->h, b->H * b->C, b->source, b->H, b->target, &b->gat);
}
static void do_evaluate(bench *b) {
  trm_gat_forward(b->out, b->lse, NULL, b->h, b->H * b->C, b->source, b->H, b->target, &b->gat);
}
static void do_targets(bench *b) {
  trm_gat_backward_targets(b->dtarget, b->D, b->H, b->dout, b->out, b->kept, &b->gat, false);
}
static void do_sources(bench *b) {
  const trm_gat_targets t = {b->dout, b->target, b->lse, b->D, b->H * b->C, b->H};
  trm_gat_backward_sources(b->dh, b->dsource, b->h, b->H * b->C, b->source, b->H, &t, &b->gat,
                           false, false);
}
static void do_spmm(bench *b) {
  trm_spmm(b->dh, b->h, &b->hop.in, NULL, NULL, NULL, b->nodes, b->H * b->C, false);
}

static void report(bench *b, const char *what, void (*run)(bench *)) {
  double best = 1e9;
  for (int i = 0; i < ROUNDS; ++i) {
    const double start = trm_clock_s();
    run(b);
    const double s = trm_clock_s() - start;
    if (s < best) best = s;
  }
  printf("  %-10s %9.3f ms %8.1f ns/edge\n", what, best * 1e3,
         best * 1e9 / (double)(b->edges + b->nodes));
}

static void run(const char *name, int64_t nodes, int64_t edges, int64_t H, int64_t C,
                double dropout) {
  bench b = {.nodes = nodes, .edges = edges, .H = H, .C = C};
  make_graph(&b);
  b.h = reals(nodes * H * C, 1);
  b.dout = reals(nodes * H * C, 1);
  b.source = reals(nodes * H, 2);
  b.target = reals(nodes * H, 2);
  b.out = reals(nodes * H * C, 1);
  b.dh = reals(nodes * H * C, 1);
  b.kept = reals(nodes * (H * C + H), 1);
  b.lse = reals(nodes * H, 1);
  b.D = reals(nodes * H, 1);
  b.dsource = reals(nodes * H, 1);
  b.dtarget = reals(nodes * H, 1);
  b.gat = (trm_gat){&b.hop, H, C, true, (trm_real)0.2, dropout, {{1, 2}}};
  printf("%s: %lld nodes, %lld edges, %lld heads of %lld, dropout %g\n", name, (long long)nodes,
         (long long)edges, (long long)H, (long long)C, dropout);
  report(&b, "forward", do_forward);
  report(&b, "evaluate", do_evaluate);
  report(&b, "targets", do_targets);
  report(&b, "sources", do_sources);
  report(&b, "spmm", do_spmm);
  free(b.offsets), free(b.columns), free(b.ids), free(b.h), free(b.dout), free(b.source);
  free(b.target), free(b.out), free(b.dh), free(b.kept), free(b.lse), free(b.D), free(b.dsource);
  free(b.dtarget);
}

int main(int argc, char **argv) {
  trm_math_init();
  trm_threads_set(argc > 1 ? atoi(argv[1]) : 1);
  printf("%s, %d threads\n", trm_math_isa(), trm_threads_get());
  run("Cora", 2708, 10556, 8, 8, 0.6);
  run("Cora, last layer", 2708, 10556, 1, 7, 0.6);
  run("Photo", 7650, 238162, 8, 8, 0.6);
  run("Photo", 7650, 238162, 8, 8, 0);
  run("Photo, last layer", 7650, 238162, 1, 8, 0.6);
  run("Minesweeper", 10000, 78804, 8, 8, 0);
  run("Minesweeper", 10000, 78804, 8, 64, 0.2);
  return 0;
}
