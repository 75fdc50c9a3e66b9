/* A halo through memory that all ranks of one host see.
 *
 *     segment of rank r    | taken | packed for 0 | packed for 1 | ... | rows for 0 | rows for 1 |
 *                            r raises              r raises                r packs, others copy
 *
 * Two copies of each row, where messages make three. Exchanges are numbered from 1.
 *
 * Invariants
 * 1. `packed for p` = e (release) says that the rows of exchange e for p lie in the segment; p reads
 *    them after it has seen e or more (acquire). It cannot be more: see 2.
 * 2. `taken` = e (release) of rank p says that p has copied all it needs of exchange e. Rank r packs
 *    rows for p of exchange e only when p has taken e - 1 (acquire), so nothing is overwritten
 *    before it was read. Rows for p have a place of their own for any width (most_bytes apart), so
 *    that this holds when an exchange of one width follows one of another.
 * 3. Nobody waits for a rank with which it shares no row.
 */
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#include "halo_internal.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(_Atomic uint64_t) == 8,
               "atomics between processes must be lock-free");

enum { COUNTER_BYTES = 128 /* two lines: neighbours are prefetched in pairs */ };

typedef struct counter {
  alignas(COUNTER_BYTES) _Atomic uint64_t value;
} counter;

struct trm_halo_window {
  trm_shm shm;
  uint64_t number; /* of the last exchange */
  bool yield_at_once;
};

static counter *taken_of(const trm_halo_window *w, int rank) {
  return (counter *)w->shm.segments[rank];
}
static counter *packed_for(const trm_halo_window *w, int rank, int to) {
  return (counter *)w->shm.segments[rank] + 1 + to;
}

static void wait_for(const trm_halo_window *w, counter *c, uint64_t number) {
  if (atomic_load_explicit(&c->value, memory_order_acquire) >= number) return;
  const double start_s = trm_clock_s();
  while (atomic_load_explicit(&c->value, memory_order_acquire) < number) {
    trm_idle_pause(w->yield_at_once, trm_clock_s() - start_s);
  }
}

trm_status trm_halo_window_create(trm_halo *halo, int64_t row_bytes) {
  trm_comm *comm = halo->comm;
  trm_halo_window *w = NULL;
  int64_t bytes = 0;
  bool made = false;
  trm_status status = TRM_ALLOC(&w, 1, "rows for other ranks");
  if (status == TRM_OK && !trm_size_mul(halo->give_from[comm->size], row_bytes, &bytes)) {
    status =
        trm_fail(TRM_ERR_MEMORY, "%lld rows of %lld bytes for other ranks do not fit in memory",
                 (long long)halo->give_from[comm->size], (long long)row_bytes);
  }
  bytes += (comm->size + 1) * (int64_t)sizeof(counter);
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) status = trm_shm_create(comm, bytes, &w->shm, &made);
  if (status != TRM_OK || !made) {
    TRM_FREE(w);
    return status;
  }
  w->yield_at_once = trm_oversubscribed(comm);
  halo->window = w;
  /* Nobody exchanges before every rank has cleared the number in its segment. */
  return trm_comm_barrier(comm);
}

/* Needs no meeting: a rank that is still copying has a mapping of its own. */
void trm_halo_window_destroy(trm_halo_window **window) {
  if (!*window) return;
  trm_shm_release(&(*window)->shm);
  TRM_FREE(*window);
}

void trm_halo_window_exchange(trm_halo *halo, unsigned char *rows, int64_t row_bytes) {
  trm_halo_window *w = halo->window;
  const int rank = halo->comm->rank, size = halo->comm->size;
  const uint64_t number = ++w->number;
  unsigned char *packed = (unsigned char *)packed_for(w, rank, size);
  for (int i = 1; i < size; ++i) {
    const int r = (rank + size - i) % size;
    if (trm_halo_gives(halo, r) == 0) continue;
    wait_for(w, taken_of(w, r), number - 1);
    trm_halo_pack(halo, rows, row_bytes, r, packed + halo->give_from[r] * halo->most_bytes);
    atomic_store_explicit(&packed_for(w, rank, r)->value, number, memory_order_release);
  }
  for (int i = 1; i < size; ++i) {
    const int r = (rank + i) % size;
    const int64_t n = trm_halo_takes(halo, r);
    if (n == 0) continue;
    wait_for(w, packed_for(w, r, rank), number);
    const unsigned char *from = (unsigned char *)packed_for(w, r, size);
    memcpy(rows + (halo->n_own + halo->from[r]) * row_bytes,
           from + halo->place[r] * halo->most_bytes, (size_t)(n * row_bytes));
  }
  atomic_store_explicit(&taken_of(w, rank)->value, number, memory_order_release);
}
