/* Rows by node id from their owners: creation and the end. How a fetch runs is in fetch_run.c. */
#include "fetch_internal.h"

#include "trireme/core/clock.h"
#include "trireme/core/hash.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

/* Staging of one peer and direction: all together about 64 MiB each way. */
static const int64_t STAGING_BYTES = INT64_C(64) << 20;
static const int64_t MAX_GROUP_BYTES = INT64_C(8) << 20, MIN_GROUP_BYTES = INT64_C(256) << 10;

static trm_status check_options(const trm_comm *comm, const trm_fetch_options *o) {
  if (o->row_bytes < 1 || o->n_nodes < 0 || o->n_nodes > INT32_MAX || o->max_rows < 0 ||
      o->max_rows > INT32_MAX || o->cache_bytes < 0) {
    return trm_fail(TRM_ERR_ARG, "fetching %lld rows of %lld bytes at most, of %lld nodes",
                    (long long)o->max_rows, (long long)o->row_bytes, (long long)o->n_nodes);
  }
  for (int64_t i = 0; i < o->n_nodes; ++i) {
    if (o->owner[i] < comm->size && (o->owner[i] < 0 || o->place[i] >= 0)) continue;
    return trm_fail(TRM_ERR_ARG, "node %lld is row %lld of rank %d of %d", (long long)i,
                    (long long)o->place[i], (int)o->owner[i], comm->size);
  }
  return TRM_OK;
}

/* What ranks must see alike. */
static uint64_t digest_of(const trm_fetch_options *o) {
  uint64_t digest = trm_hash_chain((uint64_t)o->row_bytes, (uint64_t)o->n_nodes);
  if (o->n_nodes == 0) return digest;
  digest = trm_hash64(o->owner, (size_t)o->n_nodes * sizeof *o->owner, digest);
  return trm_hash64(o->place, (size_t)o->n_nodes * sizeof *o->place, digest);
}

static int64_t group_rows(int size, int64_t row_bytes) {
  int64_t bytes = STAGING_BYTES / (size > 1 ? size - 1 : 1);
  if (bytes > MAX_GROUP_BYTES) bytes = MAX_GROUP_BYTES;
  if (bytes < MIN_GROUP_BYTES) bytes = MIN_GROUP_BYTES;
  return bytes > row_bytes ? bytes / row_bytes : 1;
}

static trm_status allocate_stream(const trm_comm *comm, trm_fetch_stream *s, int64_t bytes) {
  return TRM_ALLOC(&s->requests, trm_message_count(comm, bytes), "messages of a fetch");
}

static trm_status allocate_peer(const trm_fetch *f, trm_fetch_peer *p) {
  static const char what[] = "messages of a fetch";
  const int64_t width = f->o.row_bytes, id_bytes = (int64_t)sizeof(int32_t);
  const int64_t in = trm_min_i64(p->most_asked, f->group),
                out = trm_min_i64(p->most_given, f->group);
  /* Ids, or the message of a failure. */
  int64_t sent = p->most_asked * id_bytes, received = p->most_given * id_bytes;
  if (sent < TRM_MESSAGE_BYTES) sent = TRM_MESSAGE_BYTES;
  if (received < TRM_MESSAGE_BYTES) received = TRM_MESSAGE_BYTES;
  TRM_TRY(allocate_stream(f->comm, &p->ids_out, sent));
  TRM_TRY(allocate_stream(f->comm, &p->ids_in, received));
  TRM_TRY(allocate_stream(f->comm, &p->rows_in, in * width));
  TRM_TRY(allocate_stream(f->comm, &p->rows_out, out * width));
  TRM_TRY(trm_alloc_bytes((void **)&p->ids, received, 1, what));
  TRM_TRY(trm_alloc_bytes((void **)&p->staging_in, in, (size_t)width, what));
  return trm_alloc_bytes((void **)&p->staging_out, out, (size_t)width, what);
}

/* Local. `most` [size] is how many rows each rank asks for at most. */
static trm_status allocate(trm_fetch *f, const int64_t *most) {
  const int rank = f->comm->rank, size = f->comm->size;
  int64_t n_others = 0;
  TRM_TRY(TRM_ALLOC(&f->ids, f->o.max_rows, "nodes of a fetch"));
  TRM_TRY(TRM_ALLOC(&f->where, f->o.max_rows, "nodes of a fetch"));
  TRM_TRY(TRM_ALLOC(&f->n_ask, size, "nodes of a fetch"));
  TRM_TRY(TRM_ALLOC(&f->n_give, size, "nodes of a fetch"));
  TRM_TRY(TRM_ALLOC(&f->peers, size, "messages of a fetch"));
  for (int64_t i = 0; i < f->o.n_nodes; ++i) { /* nodes of each rank, for now */
    if (f->o.owner[i] >= 0) ++f->n_ask[f->o.owner[i]];
  }
  for (int r = 0; r < size; ++r) {
    trm_fetch_peer *p = &f->peers[r];
    if (r == rank) continue;
    n_others += f->n_ask[r];
    p->most_asked = trm_min_i64(f->o.max_rows, f->n_ask[r]);
    p->most_given = trm_min_i64(most[r], f->n_ask[rank]);
    TRM_TRY(allocate_peer(f, p));
  }
  return trm_fetch_cache_create(&f->cache, &f->o, n_others);
}

trm_status trm_fetch_create(trm_comm *comm, const trm_fetch_options *options, trm_fetch **out) {
  trm_fetch *f = NULL;
  int64_t *most = NULL;
  *out = NULL;
  TRM_TRY(trm_comm_agree(comm, check_options(comm, options)));
  TRM_TRY(trm_comm_check_equal(comm, digest_of(options), "the owners of rows to fetch"));
  trm_status status = TRM_ALLOC(&f, 1, "fetches of rows");
  if (status == TRM_OK) status = TRM_ALLOC(&most, comm->size, "fetches of rows");
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  f->o = *options;
  f->group = group_rows(comm->size, options->row_bytes);
  f->yield_at_once = trm_oversubscribed(comm);
  f->parent = comm;
  TRM_TRY_OUT(trm_comm_dup(comm, &f->comm));
  TRM_TRY_OUT(trm_comm_allgather(comm, &options->max_rows, most, (int64_t)sizeof *most));
  TRM_TRY_OUT(trm_comm_agree(comm, allocate(f, most)));
  f->created = true;
  *out = f;
  f = NULL;
out:
  TRM_FREE(most);
  trm_fetch_destroy(&f);
  return status;
}

/* Ranks may leave when one of them is a fetch ahead: the others start one of no nodes, and answer.
 * Until all are here they go on answering the fetch before. What fails interests nobody any more. */
static void end_together(trm_fetch *f) {
  int64_t most = 0;
  MPI_Request request = MPI_REQUEST_NULL;
  TRM_MPI(f->parent,
          MPI_Iallreduce(&f->n_started, &most, 1, MPI_INT64_T, MPI_MAX, f->parent->mpi, &request));
  const double start_s = trm_clock_s();
  for (int known = 0; !known;) {
    (void)trm_fetch_poll(f);
    trm_idle_pause(f->yield_at_once, trm_clock_s() - start_s);
    TRM_MPI(f->parent, MPI_Test(&request, &known, MPI_STATUS_IGNORE));
  }
  while (f->n_started < most) {
    trm_fetch_wait(f);
    (void)trm_fetch_start(f, NULL, 0, NULL); /* of no nodes: cannot fail */
  }
  trm_fetch_wait(f);
}

void trm_fetch_destroy(trm_fetch **fetch) {
  trm_fetch *f = fetch ? *fetch : NULL;
  if (!f) return;
  if (f->created) end_together(f);
  for (int r = 0; f->peers && r < f->comm->size; ++r) {
    trm_fetch_peer *p = &f->peers[r];
    TRM_FREE(p->ids_out.requests);
    TRM_FREE(p->ids_in.requests);
    TRM_FREE(p->rows_in.requests);
    TRM_FREE(p->rows_out.requests);
    TRM_FREE(p->ids);
    TRM_FREE(p->staging_in);
    TRM_FREE(p->staging_out);
  }
  trm_fetch_cache_release(&f->cache);
  TRM_FREE(f->peers);
  TRM_FREE(f->ids);
  TRM_FREE(f->where);
  TRM_FREE(f->n_ask);
  TRM_FREE(f->n_give);
  trm_comm_free(&f->comm);
  TRM_FREE(*fetch);
}

trm_fetch_counts trm_fetch_count(const trm_fetch *fetch) {
  return fetch->counts;
}
