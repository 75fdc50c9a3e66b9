/**
 * All-reduce of one flat float array: ours (engine x transport) against MPI_Allreduce and memcpy.
 *
 *     mpirun -n 2 build/benchmarks/bench_allreduce [--csv] [--segment-bytes N] [--blocks V]
 *                                                  [--min-bytes N] [--max-bytes N] [--quick]
 *                                                  [--engine ring|canonical]
 *
 * For every size all candidates take turns (A B C A B C ...), so that a noisy machine disturbs
 * them alike; medians of the times of the slowest rank. Each candidate works in place in its own
 * array, which is set to ordinary numbers again before each run, outside of the time. Bus
 * bandwidth is n / t * 2 (P-1) / P: what a ring would have to carry, whatever the algorithm does.
 * The column memcpy is one copy of n bytes on all ranks at once. With --engine the other engine is left
 * out, which halves the time that slow networks take.
 */
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/comm/reducer.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"

enum { MAX_REPEATS = 201, N_CANDIDATES = 6 };

typedef struct options {
  bool csv, quick;
  int64_t segment_bytes, n_blocks, min_bytes, max_bytes;
  const char *engine; /* of ours, NULL: all */
} options;

typedef struct candidate {
  const char *name;
  const char *engine; /* NULL: MPI_Allreduce or memcpy */
  bool window;
  trm_reducer *reducer;
  float *data, *source; /* source: of the copy */
  double times_s[MAX_REPEATS];
  double median_s;
} candidate;

static void stop(trm_comm *comm, const char *what) {
  fprintf(stderr, "error: rank %d: %s: %s\n", trm_comm_rank(comm), what, trm_message());
  trm_comm_abort(comm, 70);
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, by_size);
  return values[n / 2];
}

static void refill(float *data, int64_t n, int rank) {
  for (int64_t i = 0; i < n; ++i) data[i] = (float)(i % 1021 + rank) * 0.001F + 0.5F;
}

static void run(candidate *c, int64_t n, trm_comm *comm) {
  if (c->reducer) {
    if (trm_reducer_start(c->reducer, 0, n) != TRM_OK || trm_reducer_wait(c->reducer) != TRM_OK) {
      stop(comm, c->name);
    }
  } else if (c->source) {
    memcpy(c->data, c->source, (size_t)n * sizeof *c->data);
  } else if (MPI_Allreduce(MPI_IN_PLACE, c->data, (int)n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD) !=
             MPI_SUCCESS) {
    stop(comm, c->name);
  }
}

/* Time of the slowest rank for `inner` runs one after another, per run. Repeated sums grow by the
 * rank count each time: `inner` is small enough to stay far from overflow. */
static double timed(candidate *c, int64_t n, int inner, trm_comm *comm) {
  if (!c->data) return 0; /* left out */
  refill(c->data, n, trm_comm_rank(comm));
  if (trm_comm_barrier(comm) != TRM_OK) stop(comm, "barrier");
  const double start_s = trm_clock_s();
  for (int i = 0; i < inner; ++i) run(c, n, comm);
  double elapsed_s = (trm_clock_s() - start_s) / inner;
  if (trm_comm_max_f64(comm, &elapsed_s, 1) != TRM_OK) stop(comm, "maximum");
  return elapsed_s;
}

static void measure(candidate *all, int64_t bytes, const options *o, trm_comm *comm) {
  const int64_t n = bytes / (int64_t)sizeof(float);
  const int inner = bytes <= 65536 ? 40 : bytes <= 1 << 20 ? 10 : 1;
  int repeats = bytes <= 1 << 20 ? 101 : bytes <= 16 << 20 ? 41 : 21;
  if (o->quick) repeats = repeats / 5 + 1;
  for (int k = 0; k < 2; ++k) { /* caches, pages, connections */
    for (int c = 0; c < N_CANDIDATES; ++c) (void)timed(&all[c], n, inner, comm);
  }
  for (int k = 0; k < repeats; ++k) {
    for (int c = 0; c < N_CANDIDATES; ++c) all[c].times_s[k] = timed(&all[c], n, inner, comm);
  }
  for (int c = 0; c < N_CANDIDATES; ++c) all[c].median_s = median(all[c].times_s, repeats);
}

static void print_size(const candidate *all, int64_t bytes, const options *o, int size) {
  const double mpi_s = all[N_CANDIDATES - 2].median_s;
  const double bus = (double)bytes * 2.0 * (size - 1) / size / 1e9;
  for (int c = 0; c < N_CANDIDATES; ++c) {
    if (!all[c].data) continue;
    const bool copy = all[c].source != NULL;
    const double t = all[c].median_s;
    const double rate = (copy ? (double)bytes / 1e9 : bus) / t;
    if (o->csv) {
      printf("%d,%lld,%s,%s,%.3f,%.3f,%.3f\n", size, (long long)bytes, all[c].name,
             all[c].reducer ? trm_reducer_transport(all[c].reducer) : "", t * 1e6, rate, mpi_s / t);
    } else {
      printf("%10lld  %-18s %10.1f us %9.1f MB/s %8.2f\n", (long long)bytes, all[c].name, t * 1e6,
             1e3 * rate, mpi_s / t);
    }
  }
  if (!o->csv) putchar('\n');
  fflush(stdout);
}

static int64_t number(const char *text) {
  char *end = NULL;
  const long long value = text ? strtoll(text, &end, 10) : -1;
  return text && *text && *end == '\0' ? value : -1;
}

static bool parse(int argc, char **argv, options *o) {
  for (int i = 1; i < argc; ++i) {
    int64_t *target = NULL;
    if (strcmp(argv[i], "--csv") == 0) {
      o->csv = true;
    } else if (strcmp(argv[i], "--quick") == 0) {
      o->quick = true;
    } else if (strcmp(argv[i], "--segment-bytes") == 0) {
      target = &o->segment_bytes;
    } else if (strcmp(argv[i], "--blocks") == 0) {
      target = &o->n_blocks;
    } else if (strcmp(argv[i], "--min-bytes") == 0) {
      target = &o->min_bytes;
    } else if (strcmp(argv[i], "--max-bytes") == 0) {
      target = &o->max_bytes;
    } else if (strcmp(argv[i], "--engine") == 0 && i + 1 < argc) {
      o->engine = argv[++i];
    } else {
      return false;
    }
    if (target && (*target = number(i + 1 < argc ? argv[++i] : NULL)) < 0) return false;
  }
  return true;
}

static void create(candidate *c, int64_t n, const options *o, trm_comm *comm) {
  if (c->engine && o->engine && strcmp(c->engine, o->engine) != 0) return;
  if (!c->engine) {
    if (TRM_ALLOC(&c->data, n, "data") != TRM_OK) stop(comm, c->name);
    if (strcmp(c->name, "memcpy") != 0) return;
    if (TRM_ALLOC(&c->source, n, "data") != TRM_OK) stop(comm, c->name);
    refill(c->source, n, 0);
    return;
  }
  const trm_reducer_options r = {.engine = c->engine,
                                 .n_elements = n,
                                 .n_blocks = o->n_blocks > 0 ? o->n_blocks : trm_comm_size(comm),
                                 .segment_bytes = o->segment_bytes,
                                 .shared_window = c->window};
  if (trm_reducer_create(comm, &r, &c->reducer) != TRM_OK) stop(comm, c->name);
  c->data = trm_reducer_slot(c->reducer, 0);
}

int main(int argc, char **argv) {
  static candidate all[N_CANDIDATES] = {
      {.name = "ring-messages", .engine = "ring"},
      {.name = "ring-window", .engine = "ring", .window = true},
      {.name = "canonical-messages", .engine = "canonical"},
      {.name = "canonical-window", .engine = "canonical", .window = true},
      {.name = "MPI_Allreduce"},
      {.name = "memcpy"},
  };
  static const int64_t sizes[] = {4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20,
                                  4 << 20, 16 << 20, 40 << 20, 64 << 20};
  options o = {.max_bytes = 64 << 20};
  trm_comm *comm = NULL;
  if (trm_comm_init(&argc, &argv, &comm) != TRM_OK) {
    fprintf(stderr, "error: %s\n", trm_message());
    return 70;
  }
  if (!parse(argc, argv, &o)) {
    if (trm_comm_rank(comm) == 0) {
      fprintf(stderr, "usage: bench_allreduce [--csv] [--quick] [--segment-bytes N] [--blocks V] "
                      "[--min-bytes N] [--max-bytes N] [--engine ring|canonical]\n");
    }
    trm_comm_finalize(&comm);
    return 64;
  }
  for (int c = 0; c < N_CANDIDATES; ++c) {
    create(&all[c], o.max_bytes / (int64_t)sizeof(float), &o, comm);
  }
  if (trm_comm_rank(comm) == 0) {
    if (o.csv) {
      printf("ranks,bytes,algorithm,transport,microseconds,busbw_GB_per_s,ratio_to_mpi\n");
    } else {
      printf("%d ranks, %s\n     bytes  algorithm               median  bus bandwidth  "
             "MPI_Allreduce = 1\n\n",
             trm_comm_size(comm), trm_comm_library());
    }
  }
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes && sizes[s] <= o.max_bytes; ++s) {
    if (sizes[s] < o.min_bytes) continue;
    measure(all, sizes[s], &o, comm);
    if (trm_comm_rank(comm) == 0) print_size(all, sizes[s], &o, trm_comm_size(comm));
  }
  for (int c = 0; c < N_CANDIDATES; ++c) {
    if (!all[c].reducer) TRM_FREE(all[c].data);
    TRM_FREE(all[c].source);
    trm_reducer_destroy(&all[c].reducer);
  }
  trm_comm_finalize(&comm);
  return 0;
}
