/**
 * The best rate of arithmetic on this processor (peak.h), by kind of loop, on one thread and on
 * several at once: what every share of the peak is a share of.
 *
 * Usage: bench_peak [--threads N] [--csv]
 * The loops take turns; the greatest of several rounds counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peak.h"
#include "trireme/core/status.h"
#include "trireme/math/threads.h"

enum { ROUNDS = 7, MAX_LOOPS = 8 };
static const double round_s = 0.01;

static void print(const peak_loop *loop, int n_threads, double rate, bool csv) {
  if (csv) {
    printf("%s,\"%s\",%d,%.2f\n", peak_precision_name(loop->precision), loop->name, n_threads,
           rate * 1e-9);
  } else {
    printf("%-8s %-38s %2d %-8s %8.1f GFLOP/s\n", peak_precision_name(loop->precision), loop->name,
           n_threads, n_threads == 1 ? "thread" : "threads", rate * 1e-9);
  }
}

static void measure(int n_threads, bool csv) {
  int n;
  const peak_loop *loops = peak_loops(&n);
  double greatest[MAX_LOOPS] = {0};
  TRM_ASSERT(n <= MAX_LOOPS);
  for (int round = 0; round < ROUNDS; ++round) {
    for (int i = 0; i < n; ++i) {
      const double rate = loops[i].supported() ? peak_rate(&loops[i], n_threads, round_s) : 0;
      if (rate > greatest[i]) greatest[i] = rate;
    }
  }
  for (int i = 0; i < n; ++i) {
    if (greatest[i] > 0) print(&loops[i], n_threads, greatest[i], csv);
  }
}

int main(int argc, char **argv) {
  int n_threads = trm_threads_get();
  bool csv = false;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--csv") == 0) {
      csv = true;
    } else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0) {
      n_threads = atoi(argv[++i]);
    } else {
      fprintf(stderr, "usage: bench_peak [--threads N] [--csv]\n");
      return 64;
    }
  }
  if (csv) printf("precision,loop,threads,gflop_per_s\n");
  measure(1, csv);
  if (n_threads > 1) measure(n_threads, csv);
  return 0;
}
