/* Transport of several hosts with several ranks on some: a host adds up its ranks' parts in memory that they
 * share, its first rank exchanges the host's parts with those of other hosts by messages, and every rank copies
 * what has come.
 *
 *     V = 8, 2 hosts of 2 ranks     rank 0   rank 1  |  rank 2   rank 3
 *     parts of ranks                [0 1]    [2 3]   |  [4 5]    [6 7]
 *     within: parts of hosts        [0 .. 3]         |  [4 .. 7]            window.c, by whoever polls
 *     between: the sum              [0 .. 7]        <->  [0 .. 7]           lanes.c, ranks 0 and 2
 *     back                          sum      sum     |  sum      sum        each rank for itself
 *
 * Only one stream of messages leaves a host, however many ranks it has. The additions are those of the one tree
 * over the blocks: a host's range of blocks falls into aligned subtrees as a rank's does, so not a bit changes.
 *
 * `within` and `between` are reducers of their own, over the ranks of a host and over the first ranks. A bucket
 * passes through both, in order; the number of those that have come back stands in the window's memory.
 *
 * Invariants
 * 1. A span of the host's parts is written only when every rank of the host has started a bucket of it, and so
 *    has copied what it held before.
 * 2. The number of buckets that have come is raised with release by the first rank and read with acquire.
 */
#include <string.h>

#include "reducer_internal.h"
#include "trireme/comm/split.h"
#include "trireme/core/memory.h"

typedef struct hosts {
  trm_reducer *within;
  trm_reducer *between; /* of the first rank of a host; else NULL */
  uint64_t n_passed;    /* buckets that `within` has finished and `between` was given */
  int n_hosts, node_first, node_size;
} hosts;

/* ---- a bucket's way -------------------------------------------------------------------------- */

/* Every reducer here has as long a queue, so that what one took the next one can take. */
static void give(trm_reducer *to, const trm_bucket *bucket) {
  const trm_status status = bucket->gather
                                ? trm_reducer_start_gather(to, bucket->offset, bucket->count)
                                : trm_reducer_start(to, bucket->offset, bucket->count);
  TRM_ASSERT(status == TRM_OK);
}

static void hosts_submitted(trm_reducer *reducer, uint64_t index) {
  hosts *h = reducer->transport_state;
  give(h->within, &reducer->queue[index % TRM_MAX_BUCKETS]);
}

/* The first rank's share: what the host has added up goes out, and what is complete is told. */
static void exchange(hosts *h) {
  const uint64_t n = atomic_load_explicit(&h->within->n_done, memory_order_acquire);
  for (; h->n_passed < n; ++h->n_passed) {
    give(h->between, &h->within->queue[h->n_passed % TRM_MAX_BUCKETS]);
  }
  (void)h->between->transport->poll(h->between);
  atomic_store_explicit(trm_window_number(h->within),
                        atomic_load_explicit(&h->between->n_done, memory_order_relaxed),
                        memory_order_release);
}

/* Of sums that are shared out only this rank's stripes have come to be right. */
static void copy_back(trm_reducer *reducer, const float *parts, const trm_bucket *bucket) {
  const int64_t end = bucket->offset + bucket->count;
  float *target = trm_slot(reducer, 0);
  for (int64_t i = bucket->offset; i < end;) {
    const bool owned = !bucket->gather && i < reducer->stripes.n;
    const int64_t stripe_end = owned ? trm_stripes_end(&reducer->stripes, i) : end;
    const int64_t n = (stripe_end < end ? stripe_end : end) - i;
    if (!owned || trm_stripes_owner(&reducer->stripes, i) == reducer->comm->rank) {
      memcpy(target + i, parts + i, (size_t)n * sizeof *target);
    }
    i += n;
  }
}

static bool hosts_poll(trm_reducer *reducer) {
  hosts *h = reducer->transport_state;
  const uint64_t n_started = atomic_load_explicit(&reducer->n_started, memory_order_acquire);
  uint64_t n_done = atomic_load_explicit(&reducer->n_done, memory_order_relaxed);
  (void)h->within->transport->poll(h->within);
  if (h->between) exchange(h);
  const uint64_t n_come = atomic_load_explicit(trm_window_number(h->within), memory_order_acquire);
  /* What has come may be further than what `within` has seen here, whose queue must not run over. */
  const uint64_t n_seen = atomic_load_explicit(&h->within->n_done, memory_order_relaxed);
  for (; n_done < n_come && n_done < n_seen && n_done < n_started; ++n_done) {
    copy_back(reducer, h->within->parts, &reducer->queue[n_done % TRM_MAX_BUCKETS]);
    atomic_store_explicit(&reducer->n_done, n_done + 1, memory_order_release);
  }
  return n_done == n_started;
}

static void hosts_destroy(trm_reducer *reducer) {
  hosts *h = reducer->transport_state;
  if (!h) return;
  trm_reducer_destroy(&h->between); /* its slots lie in the memory of the other */
  trm_reducer_destroy(&h->within);
  TRM_FREE(reducer->transport_state);
  reducer->slots = NULL;
}

static const trm_transport transport = {.name = "window and messages",
                                        .submitted = hosts_submitted,
                                        .poll = hosts_poll,
                                        .destroy = hosts_destroy};

/* ---- creation -------------------------------------------------------------------------------- */

/* Whether every host's ranks are neighbours, some host has several, and stripes of a host's ranks lie side by
 * side in rows of equal length. The same answer on every rank. */
static trm_status look_at_layout(trm_reducer *reducer, hosts *h, bool *fits) {
  const trm_places *places = reducer->comm->places;
  const int size = reducer->comm->size;
  enum { SCATTERED = 1, SEVERAL = 2, UNEVEN = 4 };
  h->node_first = places->node_first;
  h->node_size = places->node_size;
  double n_first = places->node_rank == 0;
  uint64_t found = 0;
  TRM_TRY(trm_comm_sum_f64(reducer->comm, &n_first, 1));
  h->n_hosts = (int)n_first;
  if (places->node_first + places->node_rank != reducer->comm->rank) found |= SCATTERED;
  if (places->node_size > 1) found |= SEVERAL;
  if (h->n_hosts * places->node_size != size) found |= UNEVEN;
  TRM_TRY(trm_comm_or_u64(reducer->comm, &found, 1));
  *fits = reducer->engine->subtrees && (found & SEVERAL) && !(found & SCATTERED) &&
          !(reducer->stripes.n > 0 && (found & UNEVEN));
  return TRM_OK;
}

static int64_t first_block(const trm_reducer *reducer, int rank) {
  int64_t first = 0, n = 0;
  if (rank == reducer->comm->size) return reducer->n_blocks;
  trm_block_range(reducer->n_blocks, rank, reducer->comm->size, &first, &n);
  return first;
}

/* A reducer over some ranks, without its slots and its transport; `group` becomes its own. `bounds`
 * [group's size + 1] of its ranks' blocks. Local. */
static trm_status make_inner(const trm_reducer *whole, trm_comm **group, const int64_t *bounds,
                             trm_reducer **out) {
  trm_reducer *inner = NULL;
  TRM_TRY(TRM_ALLOC(&inner, 1, "reducer"));
  *out = inner;
  inner->comm = *group;
  *group = NULL;
  inner->engine = whole->engine;
  inner->n_elements = whole->n_elements;
  inner->n_blocks = whole->n_blocks;
  inner->slot_stride = whole->slot_stride;
  inner->yield_at_once = whole->yield_at_once;
  inner->stripes = whole->stripes;
  TRM_TRY(TRM_ALLOC(&inner->queue, TRM_MAX_BUCKETS, "queue of gradient buckets"));
  return trm_sum_plan_create(&inner->plan, true, inner->n_blocks, bounds, inner->comm->size);
}

/* The ranks of this host. */
static trm_status make_within(trm_reducer *reducer, hosts *h, trm_comm **group, int64_t *bounds) {
  for (int i = 0; i <= h->node_size; ++i) bounds[i] = first_block(reducer, h->node_first + i);
  TRM_TRY(make_inner(reducer, group, bounds, &h->within));
  h->within->n_slots = reducer->n_slots;
  h->within->first_rank = h->node_first;
  h->within->n_parts = h->within->plan.n_sums;
  return TRM_OK;
}

/* The first ranks of all hosts; `firsts` are their numbers. The slots are the host's parts. */
static trm_status make_between(trm_reducer *reducer, hosts *h, trm_comm **group,
                               const int64_t *firsts, int64_t *bounds) {
  for (int i = 0; i < h->n_hosts; ++i) bounds[i] = first_block(reducer, (int)firsts[i]);
  bounds[h->n_hosts] = reducer->n_blocks;
  TRM_TRY(make_inner(reducer, group, bounds, &h->between));
  trm_reducer *between = h->between;
  between->n_slots = h->within->n_parts;
  between->slots = h->within->parts;
  between->stripes.length *= h->node_size; /* a host's ranks' stripes lie side by side */
  between->stripes.size = h->n_hosts;
  return TRM_OK;
}

/* Windows on all hosts or on none. */
static trm_status open_windows(trm_reducer *reducer, hosts *h, int64_t *bounds, bool *made) {
  trm_comm *group = NULL;
  TRM_TRY(trm_comm_split(reducer->comm, h->node_first, &group));
  trm_status status = trm_comm_agree(reducer->comm, make_within(reducer, h, &group, bounds));
  trm_comm_free(&group);
  TRM_TRY(status);
  status = trm_window_create(h->within, made);
  TRM_TRY(trm_comm_agree(reducer->comm, status));
  uint64_t missing = !*made;
  TRM_TRY(trm_comm_or_u64(reducer->comm, &missing, 1));
  *made = missing == 0;
  return TRM_OK;
}

/* Messages between the first ranks; the others wait for the agreement. */
static trm_status open_lanes(trm_reducer *reducer, hosts *h, int64_t segment_bytes,
                             const int64_t *firsts, int64_t *bounds) {
  const bool first = reducer->comm->rank == h->node_first;
  trm_comm *group = NULL;
  TRM_TRY(trm_comm_split(reducer->comm, first ? 0 : 1, &group));
  trm_status status = TRM_OK;
  if (first) status = make_between(reducer, h, &group, firsts, bounds);
  status = trm_comm_agree(reducer->comm, status);
  trm_comm_free(&group);
  TRM_TRY(status);
  if (first) status = trm_lanes_create(h->between, segment_bytes);
  return trm_comm_agree(reducer->comm, status);
}

/* Numbers of the first ranks of all hosts, firsts[h->n_hosts]. */
static trm_status find_firsts(trm_reducer *reducer, hosts *h, int64_t *all, int64_t *firsts) {
  const int64_t mine = h->node_first;
  int n = 0;
  TRM_TRY(trm_comm_allgather(reducer->comm, &mine, all, sizeof mine));
  for (int r = 0; r < reducer->comm->size; ++r) {
    if (all[r] == r) firsts[n++] = r;
  }
  TRM_ASSERT(n == h->n_hosts);
  return TRM_OK;
}

/* As far as `*made` says, with numbers[3 * (size + 1)]. */
static trm_status build(trm_reducer *reducer, hosts *h, int64_t segment_bytes, int64_t *numbers,
                        bool *made) {
  const int64_t n = reducer->comm->size + 1;
  int64_t *firsts = numbers + n, *bounds = numbers + 2 * n;
  TRM_TRY(find_firsts(reducer, h, numbers, firsts));
  TRM_TRY(open_windows(reducer, h, bounds, made));
  return *made ? open_lanes(reducer, h, segment_bytes, firsts, bounds) : TRM_OK;
}

trm_status trm_hosts_create(trm_reducer *reducer, int64_t segment_bytes, bool *made) {
  hosts *h = NULL;
  int64_t *numbers = NULL;
  bool fits = false;
  *made = false;
  trm_status status = TRM_ALLOC(&h, 1, "hosts of the all-reduce");
  reducer->transport_state = h;
  if (status == TRM_OK) {
    status = TRM_ALLOC(&numbers, 3 * ((int64_t)reducer->comm->size + 1), "hosts of the all-reduce");
  }
  status = trm_comm_agree(reducer->comm, status);
  if (status == TRM_OK) status = look_at_layout(reducer, h, &fits);
  if (status == TRM_OK && fits) status = build(reducer, h, segment_bytes, numbers, made);
  TRM_FREE(numbers);
  if (status != TRM_OK || !*made) {
    *made = false;
    hosts_destroy(reducer);
    return status;
  }
  reducer->slots = h->within->slots;
  reducer->transport = &transport;
  return TRM_OK;
}
