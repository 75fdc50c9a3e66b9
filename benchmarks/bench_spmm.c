/**
 * Sparse times dense (trm_spmm) on a uniform and a power-law graph: bytes moved per second, and as a
 * share of what the memory gives in the same run.
 *
 * Bytes are those the product has to touch: for each edge a row of x and a column (and two weights
 * where there are any), for each row an offset and a row of y.
 * The bounds, on one thread: a gather, which only touches every cache line of the same rows in the
 * same order, asking for them as far ahead as the product does; and a triad over arrays of the size
 * of x, which no cache helps when they are large. The plain loop is what one writes first.
 *
 * Usage: bench_spmm [threads [nodes [degree]]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"

enum { ROUNDS = 5, WIDEST = 128 };

typedef struct bench {
  int64_t nodes, edges;
  int64_t *offsets;
  int32_t *columns;
  float *values;
  trm_real *x, *y, *row_scale, *column_scale;
  trm_csr a;
  int64_t C;
} bench;

/* ---- graphs -------------------------------------------------------------------------------- */

/* Rank k of n is drawn in proportion to k^(-2/3): degrees fall off with exponent 2.5. Ranks are
 * spread over the node ids. */
static int64_t power_law_node(double u, int64_t n) {
  const int64_t rank = (int64_t)(u * u * u * (double)n);
  return (int64_t)(trm_mix64((uint64_t)rank) % (uint64_t)n);
}

static void make_graph(bench *b, bool power_law) {
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_TEST, 0, power_law);
  const int64_t n = b->nodes, m = b->edges;
  memset(b->offsets, 0, (size_t)(n + 1) * sizeof *b->offsets);
  for (int pass = 0; pass < 2; ++pass) { /* count, then put; offsets[r] ends at row r + 1 */
    for (int64_t e = 0; e < m; ++e) {
      const double u = trm_random_uniform(key, 0, (uint64_t)e);
      const int64_t row = power_law ? power_law_node(u, n) : (int64_t)(u * (double)n);
      if (pass == 0) {
        ++b->offsets[row + 1];
        continue;
      }
      const double v = trm_random_uniform(key, 1, (uint64_t)e);
      const int64_t column = power_law ? power_law_node(v, n) : (int64_t)(v * (double)n);
      b->columns[b->offsets[row]++] = (int32_t)column;
    }
    if (pass == 0) {
      for (int64_t r = 0; r < n; ++r) b->offsets[r + 1] += b->offsets[r];
    }
  }
  memmove(b->offsets + 1, b->offsets, (size_t)n * sizeof *b->offsets);
  b->offsets[0] = 0;
  b->a = (trm_csr){.n_rows = n, .n_columns = n, .n_edges = m, .offsets = b->offsets};
  b->a.columns = b->columns;
}

/* ---- what is timed --------------------------------------------------------------------------- */

static double sink; /* keeps results alive */

static void do_plain(bench *b) {
  for (int64_t i = 0; i < b->nodes; ++i) {
    trm_real *y = b->y + i * b->C;
    for (int64_t c = 0; c < b->C; ++c) y[c] = 0;
    for (int64_t e = b->offsets[i]; e < b->offsets[i + 1]; ++e) {
      const trm_real *x = b->x + b->columns[e] * b->C;
      for (int64_t c = 0; c < b->C; ++c) y[c] += x[c];
    }
  }
}
static void do_spmm(bench *b) {
  trm_spmm(b->y, b->x, &b->a, NULL, NULL, NULL, 0, b->C, false);
}
static void do_weighted(bench *b) {
  trm_csr a = b->a;
  a.values = b->values;
  trm_spmm(b->y, b->x, &a, b->row_scale, b->column_scale, NULL, b->nodes, b->C, false);
}
static void do_max(bench *b) {
  trm_neighbor_max(b->y, NULL, b->x, &b->a, NULL, 0, NULL, b->C);
}
static void do_gather(bench *b) {
  enum { LINE = 64 / sizeof(trm_real), AHEAD = 64 };
  trm_real sum = 0;
  for (int64_t e = 0; e < b->edges; ++e) {
    const int64_t later = e + AHEAD < b->edges ? e + AHEAD : e;
    const trm_real *next = b->x + b->columns[later] * b->C, *x = b->x + b->columns[e] * b->C;
    for (int64_t c = 0; c < b->C; c += LINE) __builtin_prefetch(next + c, 0, 2);
    for (int64_t c = 0; c < b->C; c += LINE) sum += x[c];
  }
  sink += (double)sum;
}
static void do_triad(bench *b) {
  const int64_t half = b->nodes * b->C / 2;
  trm_scale(b->y, b->x, (trm_real)0.5, half, false);
  trm_add(b->y, b->x, b->x + half, half);
}

static double best_s(void (*run)(bench *), bench *b, int rounds) {
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const double start = trm_clock_s();
    run(b);
    const double s = trm_clock_s() - start;
    if (s < best) best = s;
  }
  return best;
}

static void print_width(bench *b, int threads) {
  const double real = sizeof(trm_real), n = (double)b->nodes, m = (double)b->edges;
  const double C = (double)b->C, bytes = m * (C * real + 4) + n * (C * real + 8);
  trm_threads_set(1);
  const double one = best_s(do_spmm, b, ROUNDS), plain = best_s(do_plain, b, 2);
  const double gather = m * (C * real + 4) / best_s(do_gather, b, ROUNDS);
  const double triad = 2.5 * n * C * real / best_s(do_triad, b, ROUNDS);
  const double weighted = best_s(do_weighted, b, ROUNDS), max = best_s(do_max, b, 2);
  trm_threads_set(threads);
  const double all = best_s(do_spmm, b, ROUNDS);
  printf("%5lld %9.1f %9.2f %9.2f %9.2f %9.1f %9.1f %9.1f %9.2f\n", (long long)b->C,
         bytes / one * 1e-9, bytes / one / gather, bytes / one / triad, plain / one,
         (bytes + 8 * m) / weighted * 1e-9, bytes / max * 1e-9, bytes / all * 1e-9, one / all);
}

static trm_status run(bench *b, int threads) {
  TRM_TRY(TRM_ALLOC(&b->offsets, b->nodes + 1, "offsets"));
  TRM_TRY(TRM_ALLOC(&b->columns, b->edges, "columns"));
  TRM_TRY(TRM_ALLOC(&b->values, b->edges, "values"));
  TRM_TRY(TRM_ALLOC(&b->row_scale, b->nodes, "scales"));
  TRM_TRY(TRM_ALLOC(&b->column_scale, b->nodes, "scales"));
  TRM_TRY(TRM_ALLOC(&b->x, b->nodes * WIDEST, "x"));
  TRM_TRY(TRM_ALLOC(&b->y, b->nodes * WIDEST, "y"));
  for (int64_t e = 0; e < b->edges; ++e) b->values[e] = 1;
  trm_fill(b->row_scale, 1, b->nodes);
  trm_fill(b->column_scale, 1, b->nodes);
  trm_fill(b->x, (trm_real)0.25, b->nodes * WIDEST);
  trm_fill(b->y, 0, b->nodes * WIDEST);
  for (int power_law = 0; power_law < 2; ++power_law) {
    make_graph(b, power_law);
    printf("%s graph, %lld nodes, %lld edges, %d threads\n", power_law ? "power-law" : "uniform",
           (long long)b->nodes, (long long)b->edges, threads);
    printf("            1 thread: of      of   x plain  weighted   maximum       all     x one\n");
    printf(
        "    C      GB/s    gather     triad     loop      GB/s      GB/s  GB/s        thread\n");
    for (b->C = 16; b->C <= WIDEST; b->C = b->C == 16 ? 64 : 2 * b->C) print_width(b, threads);
  }
  return TRM_OK;
}

static void release(bench *b) {
  TRM_FREE(b->offsets);
  TRM_FREE(b->columns);
  TRM_FREE(b->values);
  TRM_FREE(b->row_scale);
  TRM_FREE(b->column_scale);
  TRM_FREE(b->x);
  TRM_FREE(b->y);
}

static int64_t argument(int argc, char **argv, int i, int64_t otherwise) {
  const long long n = argc > i ? strtoll(argv[i], NULL, 10) : 0;
  return n > 0 ? n : otherwise;
}

int main(int argc, char **argv) {
  trm_math_init();
  const int threads = (int)argument(argc, argv, 1, 1);
  bench b = {.nodes = argument(argc, argv, 2, 1 << 20)};
  b.edges = b.nodes * argument(argc, argv, 3, 16);
  trm_threads_set(threads);
  printf("kernels for %s\n", trm_math_isa());
  const trm_status status = run(&b, threads);
  release(&b);
  if (status != TRM_OK) {
    fprintf(stderr, "error: %s\n", trm_message());
    return trm_status_exit_code(status);
  }
  return sink == -1 ? 1 : 0;
}
