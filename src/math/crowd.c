/*
 * How many threads a kernel takes while other work is on the processors.
 *
 * Threads wait for each other at the end of every kernel, so one that has lost its processor for a while
 * holds all of them up: two threads on two processors that are each shared with another process can be
 * slower than one. Whether they are depends on the machine, so it is tried. While threads have to wait
 * for a processor, other sizes of the team are tried for a moment each, and the fastest is kept; on an
 * idle machine nothing is ever tried.
 *
 * Phases of steps alternate: some with the size that is best so far, then one with another (a trial).
 * After a trial that was in vain the next one comes later, up to most_rest_s.
 */
#include <fcntl.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "team.h"
#include "trireme/core/clock.h"
#include "trireme/math/threads.h"

enum { MOST_SIZES = 4, STEPS_BETWEEN_TRIALS = 8 };

static const double phase_s = 0.05;     /* least length of a phase */
static const double first_rest_s = 0.2; /* between two trials */
static const double most_rest_s = 3.2;
static const double crowded_share = 0.05; /* of the time that threads wait for a processor */
static const double better = 0.97; /* a size must need less than this of the time to be taken */

typedef struct crowd {
  int n;                     /* threads that were set, 0: none yet */
  int sizes[MOST_SIZES];     /* to choose from, sizes[0] = n */
  double cost_s[MOST_SIZES]; /* of a step, NaN: not known */
  int n_sizes, best, now, last_tried;
  double rest_s, next_trial_s;
  /* of this phase */
  int64_t n_steps;
  double busy_s, start_s;
  int64_t waited_ns; /* at its start */
} crowd;

static _Thread_local crowd state;

static void add_size(crowd *c, int size) {
  for (int i = 0; i < c->n_sizes; ++i) {
    if (c->sizes[i] == size) return;
  }
  c->sizes[c->n_sizes] = size;
  c->cost_s[c->n_sizes++] = NAN;
}

void trm_crowd_set(int n) {
  state = (crowd){.n = n, .rest_s = first_rest_s};
  add_size(&state, n);
  add_size(&state, 1);
  if (n > 2) add_size(&state, n - 1);
  if (n > 3) add_size(&state, n / 2);
}

int trm_crowd_size(int n) {
  return state.n == n && state.n_sizes > 0 ? state.sizes[state.now] : n;
}

/* Time that the calling thread has waited for a processor since it began, in ns; 0 where it is not told. */
static int64_t waited_ns(void) {
  char text[96];
  const int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t n = read(fd, text, sizeof text - 1);
  (void)close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  char *second = NULL;
  (void)strtoll(text, &second, 10); /* time on a processor */
  return strtoll(second, NULL, 10);
}

static int64_t team_waited_ns(int size) {
  int64_t total = 0;
#pragma omp parallel num_threads(size)
  {
    const int64_t mine = waited_ns();
#pragma omp atomic
    total += mine; /* whole numbers: the order does not matter */
  }
  return total;
}

static void begin_phase(crowd *c) {
  c->n_steps = 0;
  c->busy_s = 0;
  c->waited_ns = team_waited_ns(c->sizes[c->now]);
  c->start_s = trm_clock_s();
}

static bool is_crowded(const crowd *c, double now_s) {
  const int size = c->sizes[c->now];
  const double waited_s = 1e-9 * (double)(team_waited_ns(size) - c->waited_ns);
  return waited_s > crowded_share * size * (now_s - c->start_s);
}

/* The next size to try: all threads if they are not the best, else each other size in turn. */
static int choose_trial(crowd *c) {
  if (c->best != 0 && c->last_tried != 0) return c->last_tried = 0;
  do {
    c->last_tried = (c->last_tried + 1) % c->n_sizes;
  } while (c->last_tried == c->best);
  return c->last_tried;
}

static void end_trial(crowd *c, double now_s) {
  if (c->cost_s[c->now] < better * c->cost_s[c->best]) {
    c->best = c->now;
    c->rest_s = first_rest_s;
  } else {
    c->now = c->best;
    c->rest_s = fmin(2 * c->rest_s, most_rest_s);
  }
  c->next_trial_s = now_s + fmax(c->rest_s, STEPS_BETWEEN_TRIALS * c->cost_s[c->best]);
}

void trm_threads_step(double busy_s) {
  crowd *c = &state;
  if (c->n <= 1 || c->n_sizes < 2) return;
  if (c->start_s == 0) { /* the first step is like no other */
    begin_phase(c);
    return;
  }
  c->busy_s += busy_s;
  ++c->n_steps;
  const double now_s = trm_clock_s();
  if (now_s - c->start_s < phase_s) return;
  const double mean_s = c->busy_s / (double)c->n_steps;
  const bool trial = c->now != c->best, known = !isnan(c->cost_s[c->now]);
  c->cost_s[c->now] = trial || !known ? mean_s : 0.5 * (c->cost_s[c->now] + mean_s);
  if (trial) {
    end_trial(c, now_s);
  } else if (c->best == 0 && !is_crowded(c, now_s)) {
    c->rest_s = first_rest_s;
  } else if (now_s >= c->next_trial_s) {
    c->now = choose_trial(c);
  }
  begin_phase(c);
}
