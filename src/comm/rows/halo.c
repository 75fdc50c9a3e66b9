/* Rows that ranks need of each other, the same ones every time.
 *
 *     rows of rank 1, size 3    | own rows ........ | of rank 0 | of rank 2 |
 *                                  |   |   |            ^           ^
 *                                  |   +---|--> rank 2  |           |
 *                                  +-------+--> rank 0  one message (or window span) a peer
 *
 * Who needs which rows is exchanged once: counts by an all-to-all, ids between pairs of ranks, and
 * each owner translates ids to its row numbers. An exchange then packs and moves rows, no ids. */
#include "halo_internal.h"

#include <stdlib.h>
#include <string.h>

#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"

enum { TAG_IDS = 1, TAG_ROWS = 2 };

/* ---- the pattern ----------------------------------------------------------------------------- */

/* An own id with its row: rising by id. */
typedef struct entry {
  int32_t id, row;
} entry;

static int by_id(const void *a, const void *b) {
  const entry *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

static trm_status check_arguments(const trm_comm *comm, int64_t n_own, const int64_t *from) {
  bool good = n_own >= 0 && n_own <= INT32_MAX && from[0] == 0;
  for (int r = 0; r < comm->size; ++r) good = good && from[r] <= from[r + 1];
  if (good) return TRM_OK;
  return trm_fail(TRM_ERR_ARG,
                  "halo of %lld own and %lld other rows: the ranges of owners must follow each "
                  "other from 0",
                  (long long)n_own, (long long)from[comm->size]);
}

static trm_status sort_own(const int32_t *own, int64_t n_own, entry **out) {
  entry *sorted = NULL;
  TRM_TRY(TRM_ALLOC(&sorted, n_own, "rows of a halo"));
  *out = sorted;
  for (int64_t i = 0; i < n_own; ++i) sorted[i] = (entry){own[i], (int32_t)i};
  qsort(sorted, (size_t)n_own, sizeof *sorted, by_id);
  for (int64_t i = 1; i < n_own; ++i) {
    if (sorted[i].id != sorted[i - 1].id) continue;
    return trm_fail(TRM_ERR_ARG, "row %d is twice among the own rows of a halo", (int)sorted[i].id);
  }
  return TRM_OK;
}

/* The part that may fail on one rank before anything has been exchanged. */
static trm_status begin(trm_halo *halo, const int32_t *own, const int64_t *from, entry **sorted) {
  const int size = halo->comm->size;
  TRM_TRY(check_arguments(halo->comm, halo->n_own, from));
  TRM_TRY(TRM_ALLOC(&halo->from, size + 1, "halo"));
  TRM_TRY(TRM_ALLOC(&halo->give_from, size + 1, "halo"));
  TRM_TRY(TRM_ALLOC(&halo->place, size, "halo"));
  memcpy(halo->from, from, (size_t)(size + 1) * sizeof *from);
  return sort_own(own, halo->n_own, sorted);
}

/* Each rank learns how many rows it gives to whom, and where its own are in what others give. */
static void exchange_counts(trm_halo *halo) {
  trm_comm *comm = halo->comm;
  int64_t *give = halo->give_from;
  for (int r = 0; r < comm->size; ++r) halo->place[r] = trm_halo_takes(halo, r);
  TRM_MPI(comm, MPI_Alltoall(halo->place, 1, MPI_INT64_T, give + 1, 1, MPI_INT64_T, comm->mpi));
  give[0] = 0;
  for (int r = 0; r < comm->size; ++r) give[r + 1] += give[r];
  TRM_MPI(comm, MPI_Alltoall(give, 1, MPI_INT64_T, halo->place, 1, MPI_INT64_T, comm->mpi));
}

/* Ids that others ask for, into halo->give. */
static void exchange_ids(trm_halo *halo, const int32_t *ids) {
  trm_comm *comm = halo->comm;
  const int64_t width = (int64_t)sizeof *ids;
  for (int step = 0; step < comm->size; ++step) {
    const int owner = (comm->rank + step) % comm->size;
    const int asker = (comm->rank + comm->size - step) % comm->size;
    const int64_t n = trm_halo_takes(halo, owner), n_asked = trm_halo_gives(halo, asker);
    const int32_t *asked = n > 0 ? ids + halo->from[owner] : ids; /* of none: may be NULL */
    int32_t *in = halo->give + halo->give_from[asker];
    if (step == 0 && n > 0) memcpy(in, asked, (size_t)(n * width));
    if (step == 0) continue;
    trm_send_and_receive(comm, asked, n * width, owner, in, n_asked * width, asker, TAG_IDS);
  }
}

/* Row numbers in place of ids. */
static trm_status translate(trm_halo *halo, const entry *sorted) {
  const trm_comm *comm = halo->comm;
  for (int r = 0; r < comm->size; ++r) {
    for (int64_t i = halo->give_from[r]; i < halo->give_from[r + 1]; ++i) {
      const entry wanted = {.id = halo->give[i]};
      const entry *found = bsearch(&wanted, sorted, (size_t)halo->n_own, sizeof *sorted, by_id);
      if (!found) {
        return trm_fail(TRM_ERR_ARG, "rank %d asks for row %d, which is not among the %lld here",
                        comm->places->job_ranks[r], (int)wanted.id, (long long)halo->n_own);
      }
      halo->give[i] = found->row;
    }
  }
  return TRM_OK;
}

trm_status trm_halo_create(trm_comm *comm, const int32_t *own, int64_t n_own, const int32_t *halo,
                           int64_t const *from, trm_halo **out) {
  trm_halo *h = NULL;
  entry *sorted = NULL;
  *out = NULL;
  trm_status status = TRM_ALLOC(&h, 1, "halo");
  if (status == TRM_OK) {
    h->comm = comm;
    h->n_own = n_own;
    status = begin(h, own, from, &sorted);
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  exchange_counts(h);
  TRM_TRY_OUT(trm_comm_agree(comm, TRM_ALLOC(&h->give, h->give_from[comm->size], "halo")));
  exchange_ids(h, halo);
  TRM_TRY_OUT(trm_comm_agree(comm, translate(h, sorted)));
  *out = h;
  h = NULL;
out:
  TRM_FREE(sorted);
  trm_halo_destroy(&h);
  return status;
}

static void forget_width(trm_halo *halo) {
  trm_halo_window_destroy(&halo->window);
  TRM_FREE(halo->packed);
  TRM_FREE(halo->requests);
  halo->most_bytes = 0;
}

void trm_halo_destroy(trm_halo **halo) {
  trm_halo *h = halo ? *halo : NULL;
  if (!h) return;
  forget_width(h);
  TRM_FREE(h->from);
  TRM_FREE(h->give_from);
  TRM_FREE(h->give);
  TRM_FREE(h->place);
  TRM_FREE(*halo);
}

int64_t trm_halo_bytes(const trm_halo *halo) {
  return halo->sent_bytes;
}

/* ---- an exchange ----------------------------------------------------------------------------- */

void trm_halo_pack(const trm_halo *halo, const unsigned char *rows, int64_t row_bytes, int to,
                   unsigned char *packed) {
  const int32_t *give = halo->give + halo->give_from[to];
  const int64_t n = trm_halo_gives(halo, to);
  for (int64_t i = 0; i < n; ++i) {
    memcpy(packed + i * row_bytes, rows + give[i] * row_bytes, (size_t)row_bytes);
  }
}

static trm_status allocate_messages(trm_halo *halo, int64_t row_bytes) {
  const trm_comm *comm = halo->comm;
  int64_t n_requests = 0;
  for (int r = 0; r < comm->size; ++r) {
    n_requests += trm_message_count(comm, trm_halo_takes(halo, r) * row_bytes) +
                  trm_message_count(comm, trm_halo_gives(halo, r) * row_bytes);
  }
  TRM_TRY(trm_alloc_bytes((void **)&halo->packed, halo->give_from[comm->size], (size_t)row_bytes,
                          "rows for other ranks"));
  return TRM_ALLOC(&halo->requests, n_requests, "rows for other ranks");
}

/* Room for a width. Collective: all ranks see the same widths. */
static trm_status widen(trm_halo *halo, int64_t row_bytes) {
  forget_width(halo);
  if (trm_comm_one_host(halo->comm)) TRM_TRY(trm_halo_window_create(halo, row_bytes));
  if (!halo->window) {
    const trm_status status = trm_comm_agree(halo->comm, allocate_messages(halo, row_bytes));
    if (status != TRM_OK) {
      forget_width(halo);
      return status;
    }
  }
  halo->most_bytes = row_bytes;
  return TRM_OK;
}

trm_status trm_halo_reserve(trm_halo *halo, int64_t row_bytes) {
  if (halo->comm->size == 1 || row_bytes <= halo->most_bytes) return TRM_OK;
  return widen(halo, row_bytes);
}

/* Rank r + i sends to r while r sends to r - i: every pair once. */
static void exchange_messages(trm_halo *halo, unsigned char *rows, int64_t row_bytes) {
  trm_comm *comm = halo->comm;
  const int size = comm->size;
  int64_t n = 0;
  for (int i = 1; i < size; ++i) {
    const int r = (comm->rank + i) % size;
    n += trm_receive_begin(comm, rows + (halo->n_own + halo->from[r]) * row_bytes,
                           trm_halo_takes(halo, r) * row_bytes, r, TAG_ROWS, halo->requests + n);
  }
  for (int i = 1; i < size; ++i) {
    const int r = (comm->rank + size - i) % size;
    unsigned char *packed = halo->packed + halo->give_from[r] * row_bytes;
    trm_halo_pack(halo, rows, row_bytes, r, packed);
    n += trm_send_begin(comm, packed, trm_halo_gives(halo, r) * row_bytes, r, TAG_ROWS,
                        halo->requests + n);
  }
  TRM_MPI(comm, MPI_Waitall((int)n, halo->requests, MPI_STATUSES_IGNORE));
}

trm_status trm_halo_exchange(trm_halo *halo, void *rows, int64_t row_bytes) {
  trm_comm *comm = halo->comm;
  unsigned char none[1] = {0}, *bytes = rows ? rows : none; /* of no rows at all */
  if (row_bytes < 0) {
    return trm_fail(TRM_ERR_ARG, "exchange of rows of %lld bytes", (long long)row_bytes);
  }
  if (row_bytes == 0) return TRM_OK;
  trm_halo_pack(halo, bytes, row_bytes, comm->rank,
                bytes + (halo->n_own + halo->from[comm->rank]) * row_bytes);
  if (comm->size == 1) return TRM_OK;
  TRM_TRY(trm_halo_reserve(halo, row_bytes));
  trm_watch_wait_begin(comm);
  if (halo->window) {
    trm_halo_window_exchange(halo, bytes, row_bytes);
  } else {
    exchange_messages(halo, bytes, row_bytes);
  }
  trm_watch_wait_end(comm, false);
  const int64_t n_sent = halo->give_from[comm->size] - trm_halo_gives(halo, comm->rank);
  halo->sent_bytes += n_sent * row_bytes;
  return TRM_OK;
}
