/* Transport of one host: the slots of all ranks lie in memory that all of them see, so a bucket is
 * summed by reading every rank's parts where they are and writing the sum into every rank's slot 0.
 *
 *     bucket     | chunk 0 | chunk 1 | chunk 2 | chunk 3 | ...     chunks of all buckets are
 *     taken by     rank 1    rank 0    rank 1    rank 1            numbered through: 0, 1, 2, ...
 *
 * Any rank that polls takes the next chunk and finishes it for all; nobody waits for a rank that
 * is busy computing or has lost its processor. Who adds a chunk cannot change a bit, because the
 * order is the plan's. Per chunk and slot each byte is read once and written once, 2 n (parts + 1)
 * bytes of traffic for the host against 4 n (size - 1) and more of a ring through messages.
 *
 * Invariants
 * 1. Parts are read only after their rank has counted the bucket in its `started` (release), which
 *    the taker reads (acquire).
 * 2. A chunk belongs to who raised `taken` past it. Only chunks of buckets started by all ranks
 *    are taken, in order.
 * 3. `finished[d]` counts the finished chunks of the buckets b = d mod N_COUNTERS, from the
 *    beginning of time, so nothing is ever reset. A chunk of bucket b is taken only when bucket
 *    b - N_COUNTERS is finished; so `finished` has reached bucket b's total only if all of b's
 *    chunks are finished. It is raised with release and read with acquire: the sums are visible.
 * 4. A rank owns a span of its slots before it starts its bucket and after it saw it finished.
 */
#include <stdalign.h>
#include <string.h>

#include "reducer_internal.h"
#include "shm.h"
#include "trireme/core/memory.h"

/* Atomics between processes must be lock-free: a lock would lie in one process's own memory. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(_Atomic uint64_t) == 8,
               "needs lock-free 64-bit atomics");

enum { N_COUNTERS = 32, COUNTER_BYTES = 128 /* two lines: neighbours are prefetched in pairs */ };
/* Large enough that taking costs nothing, small enough to share out a bucket and to stay in the
 * second cache; measured with benchmarks/bench_allreduce. */
enum { CHUNK_FLOATS = 16 * 1024 };

typedef struct counter {
  alignas(COUNTER_BYTES) _Atomic uint64_t value;
} counter;

/* First bytes of every rank's segment; of all but `started` only rank 0's copy is used. Behind it lie,
 * in rank 0's, the parts of the host if there are any, and then the rank's slots. */
typedef struct control {
  counter started;
  counter taken;
  counter finished[N_COUNTERS];
  counter number; /* trm_window_number */
} control;

/* What this rank knows of bucket b, at b mod TRM_MAX_BUCKETS; the same numbers on every rank. */
typedef struct span {
  uint64_t end_chunk;       /* of the chunks numbered through */
  uint64_t finished_before; /* finished[d] when the buckets before it in d are finished */
  uint64_t finished_after;
} span;

typedef struct window {
  trm_shm shm;
  control **controls; /* [size] */
  span *spans;
  const float **leaves; /* [plan.n_leaves] */
  float **targets;      /* [size], or [n_parts] */
  float *scratch;
  /* Of the starting thread. */
  uint64_t n_chunks;
  uint64_t totals[N_COUNTERS];
  /* Of the polling thread. */
  uint64_t current; /* bucket of the chunk to take next */
  int n_seen;       /* ranks 0 .. n_seen-1 are known to have started it */
} window;

static uint64_t read_counter(counter *c) {
  return atomic_load_explicit(&c->value, memory_order_acquire);
}

static int64_t chunks_of(int64_t count) {
  return (count + CHUNK_FLOATS - 1) / CHUNK_FLOATS;
}

static void window_submitted(trm_reducer *reducer, uint64_t index) {
  window *w = reducer->transport_state;
  const trm_bucket *bucket = &reducer->queue[index % TRM_MAX_BUCKETS];
  const uint64_t n = (uint64_t)chunks_of(bucket->count);
  uint64_t *total = &w->totals[index % N_COUNTERS];
  w->n_chunks += n;
  w->spans[index % TRM_MAX_BUCKETS] =
      (span){.end_chunk = w->n_chunks, .finished_before = *total, .finished_after = *total + n};
  *total += n;
  atomic_store_explicit(&w->controls[reducer->comm->rank]->started.value, index + 1,
                        memory_order_release);
}

/* Whether all ranks have started bucket `index`; remembers how far it looked. */
static bool all_started(trm_reducer *reducer, window *w, uint64_t index) {
  for (; w->n_seen < reducer->comm->size; ++w->n_seen) {
    if (read_counter(&w->controls[w->n_seen]->started) <= index) return false;
  }
  return true;
}

static int64_t parts_floats(const trm_reducer *reducer) {
  return reducer->n_parts * reducer->slot_stride;
}

static float *slots_of(const trm_reducer *reducer, window *w, int rank) {
  return (float *)(w->controls[rank] + 1) + (rank == 0 ? parts_floats(reducer) : 0);
}

static void find_leaves(trm_reducer *reducer, window *w, int64_t at) {
  for (int64_t l = 0; l < reducer->plan.n_leaves; ++l) {
    const trm_sum_leaf *leaf = &reducer->plan.leaves[l];
    w->leaves[l] = slots_of(reducer, w, leaf->rank) + leaf->slot * reducer->slot_stride + at;
  }
}

/* Sums of elements [at, at + n) for their owner, or for all ranks when that is -1. */
static void sum_span(trm_reducer *reducer, window *w, int64_t at, int64_t n, int owner) {
  const trm_sum_plan *plan = &reducer->plan;
  find_leaves(reducer, w, at);
  const int first = owner < 0 ? 0 : owner;
  const int n_targets = owner < 0 ? reducer->comm->size : 1;
  for (int t = 0; t < n_targets; ++t) w->targets[t] = slots_of(reducer, w, first + t) + at;
  trm_sum_run(plan, w->targets, n_targets, w->leaves, n, w->scratch);
}

/* Elements [at, at + n) from their owner to all other ranks. */
static void copy_span(trm_reducer *reducer, window *w, int64_t at, int64_t n, int owner) {
  const float *from = slots_of(reducer, w, owner) + at;
  for (int r = 0; r < reducer->comm->size; ++r) {
    if (r != owner) memcpy(slots_of(reducer, w, r) + at, from, (size_t)n * sizeof *from);
  }
}

/* Sums of elements [at, at + n) as parts of the host. */
static void sum_parts(trm_reducer *reducer, window *w, int64_t at, int64_t n) {
  find_leaves(reducer, w, at);
  for (int p = 0; p < reducer->n_parts; ++p) {
    w->targets[p] = reducer->parts + p * reducer->slot_stride + at;
  }
  trm_sum_run_parts(&reducer->plan, w->targets, w->leaves, n, w->scratch);
}

/* Elements [at, at + n) from their owner, if that is a rank of this host, to part 0. */
static void copy_to_part(trm_reducer *reducer, window *w, int64_t at, int64_t n, int owner) {
  const int rank = owner - reducer->first_rank;
  if (rank < 0 || rank >= reducer->comm->size) return;
  memcpy(reducer->parts + at, slots_of(reducer, w, rank) + at, (size_t)n * sizeof *reducer->parts);
}

static void do_chunk(trm_reducer *reducer, window *w, const trm_bucket *bucket, int64_t chunk) {
  const int64_t at = chunk * CHUNK_FLOATS;
  const int64_t left = bucket->count - at;
  const int64_t end = bucket->offset + at + (left < CHUNK_FLOATS ? left : CHUNK_FLOATS);
  if (reducer->n_parts > 0 && !bucket->gather) {
    sum_parts(reducer, w, bucket->offset + at, end - bucket->offset - at);
    return;
  }
  for (int64_t i = bucket->offset + at; i < end;) {
    const bool owned = i < reducer->stripes.n;
    const int64_t stripe_end = owned ? trm_stripes_end(&reducer->stripes, i) : end;
    const int64_t n = (stripe_end < end ? stripe_end : end) - i;
    const int owner = owned ? trm_stripes_owner(&reducer->stripes, i) : -1;
    if (reducer->n_parts > 0) {
      copy_to_part(reducer, w, i, n, owner);
    } else if (bucket->gather) {
      copy_span(reducer, w, i, n, owner);
    } else {
      sum_span(reducer, w, i, n, owner);
    }
    i += n;
  }
}

/* Takes and finishes one chunk; false when there is none to take now. */
static bool take_chunk(trm_reducer *reducer, window *w, uint64_t n_started) {
  control *shared = w->controls[0];
  uint64_t chunk = read_counter(&shared->taken);
  for (;;) {
    while (w->current < n_started && w->spans[w->current % TRM_MAX_BUCKETS].end_chunk <= chunk) {
      ++w->current;
      w->n_seen = 0;
    }
    if (w->current == n_started || !all_started(reducer, w, w->current)) return false;
    const span *s = &w->spans[w->current % TRM_MAX_BUCKETS];
    counter *finished = &shared->finished[w->current % N_COUNTERS];
    if (read_counter(finished) < s->finished_before) return false;
    if (!atomic_compare_exchange_weak_explicit(&shared->taken.value, &chunk, chunk + 1,
                                               memory_order_acq_rel, memory_order_acquire)) {
      continue;
    }
    const trm_bucket *bucket = &reducer->queue[w->current % TRM_MAX_BUCKETS];
    const int64_t n = chunks_of(bucket->count);
    do_chunk(reducer, w, bucket, (int64_t)(chunk - (s->end_chunk - (uint64_t)n)));
    atomic_fetch_add_explicit(&finished->value, 1, memory_order_release);
    return true;
  }
}

static bool window_poll(trm_reducer *reducer) {
  window *w = reducer->transport_state;
  const uint64_t n_started = atomic_load_explicit(&reducer->n_started, memory_order_acquire);
  uint64_t n_done = atomic_load_explicit(&reducer->n_done, memory_order_relaxed);
  while (take_chunk(reducer, w, n_started)) {
  }
  while (n_done < n_started && read_counter(&w->controls[0]->finished[n_done % N_COUNTERS]) >=
                                   w->spans[n_done % TRM_MAX_BUCKETS].finished_after) {
    ++n_done;
    atomic_store_explicit(&reducer->n_done, n_done, memory_order_release);
  }
  return n_done == n_started;
}

/* Needs no meeting of the ranks: what was started is finished (invariant 4), and a rank that is
 * still to notice it reads through mappings of its own, which keep the memory alive. */
static void window_destroy(trm_reducer *reducer) {
  window *w = reducer->transport_state;
  if (!w) return;
  trm_shm_release(&w->shm);
  TRM_FREE(w->controls);
  TRM_FREE(w->spans);
  TRM_FREE(w->leaves);
  TRM_FREE(w->targets);
  TRM_FREE(w->scratch);
  TRM_FREE(reducer->transport_state);
  reducer->slots = reducer->parts = NULL;
}

static const trm_transport transport = {.name = "shared window",
                                        .submitted = window_submitted,
                                        .poll = window_poll,
                                        .destroy = window_destroy};

static trm_status allocate(trm_reducer *reducer, window *w, int64_t *bytes) {
  const int size = reducer->comm->size;
  int64_t floats = 0;
  if (!trm_size_mul(reducer->n_slots, reducer->slot_stride, &floats) ||
      !trm_size_mul(floats, sizeof(float), bytes)) {
    return trm_fail(TRM_ERR_MEMORY, "%d gradient arrays of %lld elements do not fit in memory",
                    reducer->n_slots, (long long)reducer->n_elements);
  }
  *bytes += (int64_t)sizeof(control);
  if (reducer->comm->rank == 0) *bytes += parts_floats(reducer) * (int64_t)sizeof(float);
  const int n_targets = size > reducer->n_parts ? size : reducer->n_parts;
  TRM_TRY(TRM_ALLOC(&w->controls, size, "shared window"));
  TRM_TRY(TRM_ALLOC(&w->spans, TRM_MAX_BUCKETS, "shared window"));
  TRM_TRY(TRM_ALLOC(&w->leaves, reducer->plan.n_leaves, "shared window"));
  TRM_TRY(TRM_ALLOC(&w->targets, n_targets, "shared window"));
  return TRM_ALLOC(&w->scratch, trm_sum_scratch(&reducer->plan), "shared window");
}

trm_status trm_window_create(trm_reducer *reducer, bool *made) {
  window *w = NULL;
  int64_t bytes = 0;
  *made = false;
  trm_status status = TRM_ALLOC(&w, 1, "shared window");
  reducer->transport_state = w;
  if (w) status = allocate(reducer, w, &bytes);
  status = trm_comm_agree(reducer->comm, status);
  if (status == TRM_OK) status = trm_shm_create(reducer->comm, bytes, &w->shm, made);
  if (status != TRM_OK || !*made) {
    window_destroy(reducer);
    return status;
  }
  for (int r = 0; r < reducer->comm->size; ++r) w->controls[r] = (control *)w->shm.segments[r];
  reducer->slots = slots_of(reducer, w, reducer->comm->rank);
  if (reducer->n_parts > 0) reducer->parts = (float *)(w->controls[0] + 1);
  reducer->transport = &transport;
  /* Nobody starts a bucket before every rank has cleared the number in its control block. */
  return trm_comm_barrier(reducer->comm);
}

_Atomic uint64_t *trm_window_number(trm_reducer *reducer) {
  return &((window *)reducer->transport_state)->controls[0]->number.value;
}
