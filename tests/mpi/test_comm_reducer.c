/* The all-reduce: engine x transport x ranks x blocks x elements x buckets.
 *
 * Each element of each block is a hash of (block, element, round). With small integers the exact
 * sum is known; with random floats "canonical" must give the bits of a plain recursive sum along
 * the tree, whatever the rank count, and "ring" the same bits on every rank. */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "check.h"
#include "trireme/comm/reducer.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

/* How many hosts the ranks are said to be on, neighbours together; 1: as they are. */
static int n_hosts = 1;

static const char *expected_transport(trm_comm *comm, const char *engine, bool window) {
  const int size = trm_comm_size(comm);
  if (size == 1) return "one rank";
  if (!window) return "point to point";
  if (trm_comm_one_host(comm)) return "shared window";
  const bool two_levels = strcmp(engine, "canonical") == 0 && n_hosts > 1 && n_hosts < size;
  return two_levels ? "window and messages" : "point to point";
}

typedef enum values { EXACT, RANDOM } values;

typedef struct setting {
  const char *engine;
  bool window;
  int64_t n, V, bucket;
  values values;
} setting;

static float value_of(values kind, int64_t block, int64_t i, int64_t round) {
  const uint64_t bits = trm_mix64((uint64_t)(block * 1000003 + i * 7919 + round * 104729));
  if (kind == EXACT) return (float)(bits % 2048) - 1024.0F;
  /* Magnitudes over twelve binades, both signs: the order of the sum shows in the last bits. */
  return ldexpf((float)(bits >> 40) / 16777216.0F - 0.5F, (int)(bits % 12));
}

/* Sum of blocks [first, first + n) along the tree: split at the largest power of two below n. */
static float tree_sum(values kind, int64_t first, int64_t n, int64_t i, int64_t round) {
  if (n == 1) return value_of(kind, first, i, round);
  int64_t left = 1;
  while (left * 2 < n) left *= 2;
  const float a = tree_sum(kind, first, left, i, round);
  const float b = tree_sum(kind, first + left, n - left, i, round);
  return a + b;
}

/* Elements past the array in its last cache line belong to nobody and are left alone. */
static void fill(trm_reducer *reducer, const setting *s, int rank, int size, int64_t round) {
  int64_t first = 0, n_local = 0;
  trm_block_range(s->V, rank, size, &first, &n_local);
  for (int64_t b = 0; b < n_local; ++b) {
    int n_merges = 0;
    int slot = trm_block_slot(first, b, &n_merges);
    if (!trm_reducer_wants_subtrees(reducer)) {
      float *sum = trm_reducer_slot(reducer, 0);
      for (int64_t i = 0; i < s->n; ++i) {
        const float value = value_of(s->values, first + b, i, round);
        sum[i] = b == 0 ? value : sum[i] + value;
      }
      continue;
    }
    CHECK(slot < trm_reducer_n_slots(reducer));
    float *top = trm_reducer_slot(reducer, slot);
    for (int64_t i = 0; i < s->n; ++i) top[i] = value_of(s->values, first + b, i, round);
    for (; n_merges > 0; --n_merges, --slot) {
      const float *upper = trm_reducer_slot(reducer, slot);
      float *lower = trm_reducer_slot(reducer, slot - 1);
      for (int64_t i = 0; i < s->n; ++i) lower[i] += upper[i];
    }
  }
}

static void check_sum(trm_comm *comm, trm_reducer *reducer, const setting *s, int64_t round) {
  const float *sum = trm_reducer_slot(reducer, 0);
  int64_t n_wrong = 0, first_wrong = -1;
  for (int64_t i = 0; i < s->n; ++i) {
    const float want = tree_sum(s->values, 0, s->V, i, round);
    const bool exact = s->values == EXACT || trm_reducer_wants_subtrees(reducer);
    const float bound = exact ? 0.0F : 4096.0F * (float)s->V * 1e-6F;
    if (fabsf(sum[i] - want) <= bound) continue;
    if (n_wrong++ == 0) first_wrong = i;
  }
  if (!CHECK_EQ(n_wrong, 0)) {
    CHECK_NEAR_AT(sum[first_wrong], tree_sum(s->values, 0, s->V, first_wrong, round), 0,
                  first_wrong);
    fprintf(stderr, "rank %d of %d: %s, %s, n %lld, V %lld, buckets of %lld, round %lld\n",
            trm_comm_rank(comm), trm_comm_size(comm), s->engine, trm_reducer_transport(reducer),
            (long long)s->n, (long long)s->V, (long long)s->bucket, (long long)round);
  }
  const uint64_t hash = trm_hash64(sum, (size_t)s->n * sizeof *sum, 0);
  CHECK_OK(trm_comm_check_equal(comm, hash, "the sum"));
}

static trm_reducer *create(trm_comm *comm, const setting *s) {
  trm_reducer *reducer = NULL;
  const trm_reducer_options options = {.engine = s->engine,
                                       .n_elements = s->n,
                                       .n_blocks = s->V,
                                       .shared_window = s->window,
                                       .segment_bytes =
                                           4096 /* many pieces also of small arrays */};
  CHECK_OK(trm_reducer_create(comm, &options, &reducer));
  return reducer;
}

/* From the end of the array to its begin, as a backward pass gives them; polls now and then. */
static void start_buckets(trm_reducer *reducer, const setting *s, bool poll) {
  for (int64_t end = s->n; end > 0; end -= s->bucket) {
    const int64_t begin = end > s->bucket ? end - s->bucket : 0;
    bool idle = false;
    CHECK_OK(trm_reducer_start(reducer, begin, end - begin));
    if (poll && end % 3 == 0) CHECK_OK(trm_reducer_poll(reducer, &idle));
  }
}

static void run_setting(trm_comm *comm, const setting *s) {
  trm_reducer *reducer = create(comm, s);
  if (!reducer) return;
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  CHECK_STR(trm_reducer_transport(reducer), expected_transport(comm, s->engine, s->window));
  for (int slot = 0; slot < trm_reducer_n_slots(reducer); ++slot) {
    CHECK_EQ((uintptr_t)trm_reducer_slot(reducer, slot) % TRM_ALIGN_BYTES, 0);
    for (int64_t i = 0; i < s->n; ++i) CHECK(trm_reducer_slot(reducer, slot)[i] == 0.0F);
  }
  const int64_t allocated = trm_alloc_counts_get().total_blocks;
  for (int64_t round = 0; round < 3; ++round) {
    fill(reducer, s, rank, size, round);
    start_buckets(reducer, s, round > 0);
    CHECK_OK(trm_reducer_wait(reducer));
    check_sum(comm, reducer, s, round);
  }
  bool idle = false;
  CHECK_OK(trm_reducer_poll(reducer, &idle));
  CHECK(idle);
  CHECK(trm_reducer_exposed_s(reducer) >= 0);
  CHECK(trm_reducer_exposed_s(reducer) == 0);
  CHECK_EQ(trm_alloc_counts_get().total_blocks, allocated);
  trm_reducer_destroy(&reducer);
}

static void check_grid(trm_comm *comm, const char *engine, bool window) {
  const int size = trm_comm_size(comm);
  const int64_t counts[] = {0, 1, size - 1, size + 1, 1000, 30011};
  const int64_t blocks[] = {size, 2 * size + 1, 12, 13, 16};
  const int64_t buckets[] = {777, 4096, INT64_C(1) << 40};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; ++c) {
    for (size_t v = 0; v < sizeof blocks / sizeof *blocks; ++v) {
      /* All pairs of blocks and buckets for one count, one of them for each of the others. */
      for (size_t b = 0; b < sizeof buckets / sizeof *buckets; ++b) {
        if (counts[c] != 1000 && b != (c + v) % 3) continue;
        const setting s = {engine,    window,     counts[c],
                           blocks[v], buckets[b], (c + v) % 2 ? EXACT : RANDOM};
        run_setting(comm, &s);
      }
    }
  }
}

/* Past every threshold and every buffer: 3 million elements in one bucket and in many. */
static void check_large(trm_comm *comm, const char *engine, bool window) {
  const setting s = {engine, window, 3000017, trm_comm_size(comm), 0, EXACT};
  trm_reducer *reducer = NULL;
  const trm_reducer_options options = {
      .engine = engine, .n_elements = s.n, .n_blocks = s.V, .shared_window = window};
  if (!CHECK_OK(trm_reducer_create(comm, &options, &reducer))) return;
  fill(reducer, &s, trm_comm_rank(comm), trm_comm_size(comm), 0);
  CHECK_OK(trm_reducer_run(reducer));
  check_sum(comm, reducer, &s, 0);
  fill(reducer, &s, trm_comm_rank(comm), trm_comm_size(comm), 1);
  const setting cut = {engine, window, s.n, s.V, 100001, EXACT};
  start_buckets(reducer, &cut, false);
  CHECK_OK(trm_reducer_wait(reducer));
  check_sum(comm, reducer, &cut, 1);
  trm_reducer_destroy(&reducer);
}

/* ---- progress by a second thread -------------------------------------------------------------- */

typedef struct poller {
  trm_reducer *reducer;
  _Atomic bool stop;
  _Atomic int64_t n_idle; /* idle answers so far */
} poller;

static void *poll_main(void *argument) {
  poller *p = argument;
  while (!atomic_load(&p->stop)) {
    bool idle = false;
    if (trm_reducer_poll(p->reducer, &idle) != TRM_OK) return "poll failed";
    if (idle) atomic_fetch_add(&p->n_idle, 1);
    (void)sched_yield();
  }
  return NULL;
}

/* The main thread starts buckets, the other alone makes the progress. */
static void check_thread(trm_comm *comm, const char *engine, bool window) {
  if (trm_comm_thread_level(comm) < TRM_THREAD_MULTIPLE) return;
  const setting s = {engine, window, 20000, 13, 500, RANDOM};
  poller p = {.reducer = create(comm, &s)};
  pthread_t thread;
  void *trouble = NULL;
  if (!p.reducer || !CHECK_EQ(pthread_create(&thread, NULL, poll_main, &p), 0)) return;
  for (int64_t round = 0; round < 5; ++round) {
    fill(p.reducer, &s, trm_comm_rank(comm), trm_comm_size(comm), round);
    start_buckets(p.reducer, &s, false);
    /* The second idle answer from now was asked for after all was started. */
    const int64_t until = atomic_load(&p.n_idle) + 2;
    while (atomic_load(&p.n_idle) < until) (void)sched_yield();
    check_sum(comm, p.reducer, &s, round);
  }
  atomic_store(&p.stop, true);
  CHECK_EQ(pthread_join(thread, &trouble), 0);
  CHECK(!trouble);
  trm_reducer_destroy(&p.reducer);
}

/* ---- what can go wrong ------------------------------------------------------------------------ */

static void check_bad_options(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  const trm_reducer_options good = {.engine = "ring", .n_elements = 10, .n_blocks = size};
  trm_reducer *reducer = NULL;
  trm_reducer_options o = good;
  o.engine = "rign";
  CHECK_EQ(trm_reducer_create(comm, &o, &reducer), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "rign");
  CHECK_HAS(trm_message(), "canonical");
  o = good;
  o.n_blocks = size - 1;
  CHECK_EQ(trm_reducer_create(comm, &o, &reducer), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "blocks");
  o = good;
  o.n_elements = -1;
  CHECK_EQ(trm_reducer_create(comm, &o, &reducer), TRM_ERR_ARG);
  if (size > 1) {
    o = good;
    o.n_elements += rank == size - 1;
    CHECK_EQ(trm_reducer_create(comm, &o, &reducer), TRM_ERR_CONFIG);
    CHECK_HAS(trm_message(), "options");
  }
  CHECK(!reducer);
  if (!CHECK_OK(trm_reducer_create(comm, &good, &reducer))) return;
  CHECK_EQ(trm_reducer_start(reducer, -1, 2), TRM_ERR_ARG);
  CHECK_EQ(trm_reducer_start(reducer, 0, -1), TRM_ERR_ARG);
  CHECK_EQ(trm_reducer_start(reducer, 5, 6), TRM_ERR_ARG);
  CHECK_EQ(trm_reducer_start(reducer, 11, 0), TRM_ERR_ARG);
  CHECK_OK(trm_reducer_start(reducer, 10, 0));
  trm_reducer_destroy(&reducer);
  trm_reducer_destroy(&reducer);
  trm_reducer_destroy(NULL);
}

/* A queue that is full refuses, and works again once it was emptied. */
static void check_full_queue(trm_comm *comm, bool window) {
  const setting s = {"ring", window, TRM_MAX_BUCKETS, trm_comm_size(comm), 1, EXACT};
  trm_reducer *reducer = create(comm, &s);
  if (!reducer) return;
  fill(reducer, &s, trm_comm_rank(comm), trm_comm_size(comm), 0);
  start_buckets(reducer, &s, false);
  CHECK_EQ(trm_reducer_start(reducer, 0, 1), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "buckets");
  CHECK_OK(trm_reducer_wait(reducer));
  check_sum(comm, reducer, &s, 0);
  fill(reducer, &s, trm_comm_rank(comm), trm_comm_size(comm), 1);
  CHECK_OK(trm_reducer_run(reducer));
  check_sum(comm, reducer, &s, 1);
  trm_reducer_destroy(&reducer);
}

/* The n-th allocation fails on the last rank: all ranks fail alike and nothing is left behind. */
static void check_no_memory(trm_comm *comm, const char *engine, bool window) {
  const bool failing = trm_comm_rank(comm) == trm_comm_size(comm) - 1;
  const int64_t live = trm_alloc_counts_get().live_blocks;
  const trm_reducer_options options = {
      .engine = engine, .n_elements = 100, .n_blocks = 13, .shared_window = window};
  for (int64_t n = 0;; ++n) {
    trm_reducer *reducer = NULL;
    if (failing) trm_alloc_fail_after(n);
    const trm_status status = trm_reducer_create(comm, &options, &reducer);
    trm_alloc_fail_after(-1);
    double all_well = status == TRM_OK;
    CHECK_OK(trm_comm_sum_f64(comm, &all_well, 1));
    CHECK(all_well == 0 || all_well == trm_comm_size(comm));
    trm_reducer_destroy(&reducer);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    if (!CHECK(n < 100)) break;
  }
}

/* One rank may not make a file of that size: all of them use messages, silently. */
static void check_fallback(trm_comm *comm) {
  if (trm_comm_size(comm) == 1) return;
  const setting s = {"canonical", true, 30000, 13, 30000, RANDOM};
  struct rlimit old = {0, 0};
  CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const bool limited = trm_comm_rank(comm) == trm_comm_size(comm) - 1;
  CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
  const struct rlimit tight = {.rlim_cur = 4096, .rlim_max = old.rlim_max};
  if (limited) CHECK_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  trm_reducer *reducer = create(comm, &s);
  if (limited) CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  if (!reducer) return;
  CHECK_STR(trm_reducer_transport(reducer), "point to point");
  fill(reducer, &s, trm_comm_rank(comm), trm_comm_size(comm), 0);
  CHECK_OK(trm_reducer_run(reducer));
  check_sum(comm, reducer, &s, 0);
  trm_reducer_destroy(&reducer);
}

/* Two reducers at a time do not take each other's messages. */
static void check_two(trm_comm *comm, const char *engine, bool window) {
  const setting s = {engine, window, 5000, trm_comm_size(comm), 600, EXACT};
  trm_reducer *a = create(comm, &s), *b = create(comm, &s);
  if (!a || !b) return;
  fill(a, &s, trm_comm_rank(comm), trm_comm_size(comm), 1);
  fill(b, &s, trm_comm_rank(comm), trm_comm_size(comm), 2);
  start_buckets(a, &s, true);
  start_buckets(b, &s, true);
  CHECK_OK(trm_reducer_wait(b));
  CHECK_OK(trm_reducer_wait(a));
  check_sum(comm, a, &s, 1);
  check_sum(comm, b, &s, 2);
  trm_reducer_destroy(&b);
  trm_reducer_destroy(&a);
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return check_verdict();
  const int64_t live = trm_alloc_counts_get().live_blocks;
  check_bad_options(comm);
  for (const char *const *engine = trm_reducer_engines(); *engine; ++engine) {
    for (int window = 0; window < 2; ++window) {
      check_grid(comm, *engine, window);
      check_thread(comm, *engine, window);
      check_no_memory(comm, *engine, window);
      if (trm_comm_size(comm) <= 4) check_large(comm, *engine, window);
    }
  }
  check_fallback(comm);
  for (int window = 0; window < 2; ++window) {
    check_full_queue(comm, window);
    check_two(comm, "ring", window);
  }
  /* From here on as on several hosts: a window on each, messages between them. */
  for (n_hosts = 2; n_hosts < trm_comm_size(comm); ++n_hosts) {
    trm_comm_pretend_neighbours(comm, n_hosts);
    check_grid(comm, "canonical", true);
    check_thread(comm, "canonical", true);
    check_no_memory(comm, "canonical", true);
    check_fallback(comm);
    check_large(comm, "canonical", true);
    check_two(comm, "canonical", true);
  }
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  trm_comm_finalize(&comm);
  return check_verdict();
}
