/* Rows by node id from their owners, other ones every time, while one computes.
 *
 *     rank 0                 rank 1                 rank 2            fetch k, each when it is polled
 *     counts  <------------- counts --------------> counts            one all-to-all of 8 bytes
 *     ids --------------->   packs                                    to each rank asked
 *             <------------  rows                                     from each rank asked
 *     scatters into `out`
 *
 * Invariants
 * 1. Fetch k of a rank meets fetch k of all others: the all-to-all and the order of messages between
 *    two ranks see to that, so ranks may start it at different times.
 * 2. A rank's fetch ends when its rows are here and it has answered all questions of this fetch: it
 *    may stop polling then.
 * 3. Rows travel in groups that fit a staging buffer of each peer and direction, one at a time. All
 *    memory is taken at creation: a fetch cannot run out. Most answers are one group, one message.
 * 4. A rank that cannot ask (a node that does not exist, say) sends its status in place of counts and
 *    then its message: all ranks end that fetch with the failure of the lowest such rank.
 * 5. What the cache holds depends on the questions of the first fetches, never on time; rows are the
 *    same with and without it.
 */
#include <stdio.h>
#include <string.h>

#include "fetch_internal.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"

enum { TAG_IDS = 1, TAG_ROWS = 2 };

/* ---- asking ---------------------------------------------------------------------------------- */

static trm_status check_nodes(const trm_fetch *f, const int32_t *nodes, int64_t n) {
  if (n < 0 || n > f->o.max_rows) {
    return trm_fail(TRM_ERR_ARG, "fetch of %lld rows, where %lld at most were announced",
                    (long long)n, (long long)f->o.max_rows);
  }
  for (int64_t i = 0; i < n; ++i) {
    if (nodes[i] >= 0 && nodes[i] < f->o.n_nodes && f->o.owner[nodes[i]] >= 0) continue;
    return trm_fail(TRM_ERR_ARG, "fetch of node %d, which no rank has; there are %lld nodes",
                    (int)nodes[i], (long long)f->o.n_nodes);
  }
  return TRM_OK;
}

/* A row that is on this rank; NULL when it has to be asked for. */
static const unsigned char *near_row(const trm_fetch *f, int32_t node) {
  if (f->o.owner[node] != f->comm->rank) return trm_fetch_cache_row(&f->cache, node);
  return (const unsigned char *)f->o.own_rows + f->o.place[node] * f->o.row_bytes;
}

/* How many rows to ask of each rank, and where in the lists they go. */
static trm_status count_far(trm_fetch *f, const int32_t *nodes, int64_t n) {
  int64_t first = 0;
  TRM_TRY(check_nodes(f, nodes, n));
  for (int64_t i = 0; i < n; ++i) {
    if (!near_row(f, nodes[i])) ++f->n_ask[f->o.owner[nodes[i]]];
  }
  for (int r = 0; r < f->comm->size; ++r) {
    trm_fetch_peer *p = &f->peers[r];
    if (f->n_ask[r] > p->most_asked) {
      return trm_fail(
          TRM_ERR_ARG, "fetch of %lld rows of the %lld of rank %d: some are asked twice",
          (long long)f->n_ask[r], (long long)p->most_asked, f->comm->places->job_ranks[r]);
    }
    p->first = first;
    first += f->n_ask[r];
  }
  f->counts.fetched += first;
  return TRM_OK;
}

/* Copies the rows that are here, lists the others by owner. */
static void take_near(trm_fetch *f, const int32_t *nodes, int64_t n) {
  const int64_t width = f->o.row_bytes;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t node = nodes[i], owner = f->o.owner[node];
    const unsigned char *row = near_row(f, node);
    if (owner != f->comm->rank) trm_fetch_cache_asked(&f->cache, node);
    if (row) {
      memcpy(f->out + i * width, row, (size_t)width);
      ++*(owner == f->comm->rank ? &f->counts.own : &f->counts.cached);
      continue;
    }
    trm_fetch_peer *p = &f->peers[owner];
    f->ids[p->first + p->n_asked] = node;
    f->where[p->first + p->n_asked++] = (int32_t)i;
  }
  f->counts.asked += n;
  trm_fetch_cache_next(&f->cache);
}

static void receive_group(trm_fetch *f, int r) {
  trm_fetch_peer *p = &f->peers[r];
  const int64_t left = p->n_asked - p->n_arrived;
  p->n_coming = left < f->group ? left : f->group;
  p->rows_in.n = trm_receive_begin(f->comm, p->staging_in, p->n_coming * f->o.row_bytes, r,
                                   TAG_ROWS, p->rows_in.requests);
}

static void ask(trm_fetch *f, int r) {
  trm_fetch_peer *p = &f->peers[r];
  const int64_t bytes = p->n_asked * (int64_t)sizeof *f->ids;
  if (bytes == 0) return;
  receive_group(f, r);
  p->ids_out.n = trm_send_begin(f->comm, f->ids + p->first, bytes, r, TAG_IDS, p->ids_out.requests);
  f->counts.bytes += bytes;
}

static void note_failure(trm_fetch *f, int rank, trm_status status, const char *message) {
  if (f->n_failed++ > 0 && f->speaker < rank) return;
  f->speaker = rank;
  f->status = status;
  memcpy(f->message, message, sizeof f->message);
  f->message[sizeof f->message - 1] = '\0';
}

/* Invariant 4: in place of questions. */
static void tell_failure(trm_fetch *f, trm_status status) {
  snprintf(f->own_message, sizeof f->own_message, "%s", trm_message());
  note_failure(f, f->comm->rank, status, f->own_message);
  for (int r = 0; r < f->comm->size; ++r) {
    trm_fetch_peer *p = &f->peers[r];
    f->n_ask[r] = status;
    if (r == f->comm->rank) continue;
    p->ids_out.n = trm_send_begin(f->comm, f->own_message, sizeof f->own_message, r, TAG_IDS,
                                  p->ids_out.requests);
  }
}

static void clear(trm_fetch *f) {
  f->n_failed = 0;
  f->status = TRM_OK;
  for (int r = 0; r < f->comm->size; ++r) {
    trm_fetch_peer *p = &f->peers[r];
    p->first = p->n_asked = p->n_arrived = p->n_coming = 0;
    p->n_wanted = p->n_given = p->n_going = 0;
    p->answering = false;
    f->n_ask[r] = 0;
  }
}

trm_status trm_fetch_start(trm_fetch *f, const int32_t *nodes, int64_t n, void *out) {
  TRM_ASSERT(!f->under_way);
  f->under_way = true;
  f->out = out;
  ++f->n_started;
  clear(f);
  const trm_status status = count_far(f, nodes, n);
  if (status == TRM_OK) {
    take_near(f, nodes, n);
  } else {
    tell_failure(f, status);
  }
  f->counts_known = f->comm->size == 1;
  if (f->counts_known) return TRM_OK;
  TRM_MPI(f->comm, MPI_Ialltoall(f->n_ask, 1, MPI_INT64_T, f->n_give, 1, MPI_INT64_T, f->comm->mpi,
                                 &f->counts_request));
  for (int i = 1; i < f->comm->size; ++i) ask(f, (f->comm->rank + i) % f->comm->size);
  return TRM_OK;
}

/* ---- answering and receiving ----------------------------------------------------------------- */

static bool complete(trm_fetch *f, trm_fetch_stream *s) {
  int done = 1;
  if (s->n == 0) return true;
  TRM_MPI(f->comm, MPI_Testall((int)s->n, s->requests, &done, MPI_STATUSES_IGNORE));
  if (done) s->n = 0;
  return done != 0;
}

/* Once it is known what each rank wants. */
static void receive_ids(trm_fetch *f) {
  for (int r = 0; r < f->comm->size; ++r) {
    trm_fetch_peer *p = &f->peers[r];
    if (r == f->comm->rank) continue;
    TRM_ASSERT(f->n_give[r] <= p->most_given);
    const bool failed = f->n_give[r] < 0;
    p->n_wanted = failed ? 0 : f->n_give[r];
    const int64_t bytes =
        failed ? (int64_t)sizeof f->message : p->n_wanted * (int64_t)sizeof(int32_t);
    p->ids_in.n = trm_receive_begin(f->comm, p->ids, bytes, r, TAG_IDS, p->ids_in.requests);
  }
}

static void pack(trm_fetch *f, const trm_fetch_peer *p) {
  const int64_t width = f->o.row_bytes;
  const unsigned char *rows = f->o.own_rows;
  for (int64_t i = 0; i < p->n_going; ++i) {
    int32_t node;
    memcpy(&node, p->ids + (p->n_given + i) * (int64_t)sizeof node, sizeof node);
    TRM_ASSERT(node >= 0 && node < f->o.n_nodes && f->o.owner[node] == f->comm->rank);
    memcpy(p->staging_out + i * width, rows + f->o.place[node] * width, (size_t)width);
  }
}

/* Sends what can be sent to one rank; true when it has all it asked for. */
static bool answer(trm_fetch *f, int r) {
  trm_fetch_peer *p = &f->peers[r];
  if (!p->answering) {
    if (!complete(f, &p->ids_in)) return false;
    p->answering = true;
    if (f->n_give[r] < 0) note_failure(f, r, (trm_status)f->n_give[r], (const char *)p->ids);
  }
  while (complete(f, &p->rows_out)) {
    p->n_given += p->n_going;
    const int64_t left = p->n_wanted - p->n_given;
    p->n_going = left < f->group ? left : f->group;
    if (left == 0) return true;
    pack(f, p);
    p->rows_out.n = trm_send_begin(f->comm, p->staging_out, p->n_going * f->o.row_bytes, r,
                                   TAG_ROWS, p->rows_out.requests);
    f->counts.bytes += p->n_going * f->o.row_bytes;
  }
  return false;
}

static void scatter(trm_fetch *f, trm_fetch_peer *p) {
  const int64_t width = f->o.row_bytes;
  for (int64_t i = 0; i < p->n_coming; ++i) {
    const int64_t at = p->first + p->n_arrived + i;
    const unsigned char *row = p->staging_in + i * width;
    memcpy(f->out + f->where[at] * width, row, (size_t)width);
    trm_fetch_cache_put(&f->cache, f->ids[at], row);
  }
  p->n_arrived += p->n_coming;
  p->n_coming = 0;
}

/* Takes what has come from one rank; true when nothing is missing and the questions are gone. */
static bool take(trm_fetch *f, int r) {
  trm_fetch_peer *p = &f->peers[r];
  while (complete(f, &p->rows_in)) {
    scatter(f, p);
    if (p->n_arrived == p->n_asked) return complete(f, &p->ids_out);
    receive_group(f, r);
  }
  return false;
}

static bool know_counts(trm_fetch *f) {
  int known = 0;
  if (f->counts_known) return true;
  TRM_MPI(f->comm, MPI_Test(&f->counts_request, &known, MPI_STATUS_IGNORE));
  if (!known) return false;
  f->counts_known = true;
  receive_ids(f);
  return true;
}

static bool advance(trm_fetch *f) {
  const bool known = know_counts(f);
  bool done = known;
  for (int i = 1; i < f->comm->size; ++i) {
    const int r = (f->comm->rank + i) % f->comm->size;
    if (known && !answer(f, r)) done = false;
    if (!take(f, r)) done = false;
  }
  return done;
}

trm_status trm_fetch_poll(trm_fetch *f) {
  if (f->under_way) (void)advance(f);
  return TRM_OK;
}

void trm_fetch_wait(trm_fetch *f) {
  bool done = !f->under_way || advance(f);
  const double start_s = done ? 0 : trm_clock_s();
  trm_watch_wait_begin(f->comm);
  while (!done) {
    trm_idle_pause(f->yield_at_once, trm_clock_s() - start_s);
    done = advance(f);
  }
  trm_watch_wait_end(f->comm, false);
  f->under_way = false;
}

trm_status trm_fetch_finish(trm_fetch *f) {
  TRM_ASSERT(f->under_way);
  trm_fetch_wait(f);
  if (f->n_failed == 0) return TRM_OK;
  trm_comm_adopt(f->comm, f->speaker, f->n_failed, f->message, false);
  return f->status;
}
