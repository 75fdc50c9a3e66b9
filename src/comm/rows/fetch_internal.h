/** What the files of the fetch share: fetch.c (creation), fetch_run.c (messages), fetch_cache.c. */
#ifndef TRIREME_COMM_FETCH_INTERNAL_H
#define TRIREME_COMM_FETCH_INTERNAL_H

#include "comm_internal.h"
#include "trireme/comm/fetch.h"

/* ---- the cache (fetch_cache.c) --------------------------------------------------------------- */

/** Fetches whose questions decide what is kept. */
enum { TRM_FETCH_LEARN = 32 };

typedef struct trm_fetch_cache {
  int64_t row_bytes, n_nodes;
  int64_t n_slots;     /* 0: no cache */
  unsigned char *rows; /* [n_slots, row_bytes] owned */
  bool *filled;        /* [n_slots] owned */
  /* While it learns, how often each node was asked for, TRM_FETCH_LEARN at most; then its slot, -1
   * for none. [n_nodes] owned */
  int32_t *marks;
  int64_t n_learned; /* fetches seen */
} trm_fetch_cache;

/** For rows of others, of which there are `n_others`, within options->cache_bytes. Local. */
trm_status trm_fetch_cache_create(trm_fetch_cache *cache, const trm_fetch_options *options,
                                  int64_t n_others);
void trm_fetch_cache_release(trm_fetch_cache *cache);
/** The row of a node of another rank; NULL when it is not kept (yet). */
const unsigned char *trm_fetch_cache_row(const trm_fetch_cache *cache, int32_t node);
/** A row has come. */
void trm_fetch_cache_put(trm_fetch_cache *cache, int32_t node, const unsigned char *row);
/** A node of another rank is asked for. */
void trm_fetch_cache_asked(trm_fetch_cache *cache, int32_t node);
/** All nodes of a fetch have been. */
void trm_fetch_cache_next(trm_fetch_cache *cache);

/* ---- messages -------------------------------------------------------------------------------- */

/** Messages of one kind to or from one peer. */
typedef struct trm_fetch_stream {
  MPI_Request *requests; /* owned */
  int64_t n;             /* under way */
} trm_fetch_stream;

typedef struct trm_fetch_peer {
  int64_t most_asked; /* rows it may be asked for */
  int64_t most_given; /* rows it may ask for */
  /* What it is asked. */
  int64_t first, n_asked; /* in fetch->ids */
  int64_t n_arrived, n_coming;
  trm_fetch_stream ids_out, rows_in;
  unsigned char *staging_in; /* [min(most_asked, group), row_bytes] owned */
  /* What it asks. */
  bool answering; /* its ids are here */
  int64_t n_wanted, n_given, n_going;
  trm_fetch_stream ids_in, rows_out;
  unsigned char *ids;         /* int32_t [most_given], or a message; owned */
  unsigned char *staging_out; /* [min(most_given, group), row_bytes] owned */
} trm_fetch_peer;

struct trm_fetch {
  trm_comm *comm;   /* own duplicate */
  trm_comm *parent; /* kept */
  bool created;     /* on all ranks */
  trm_fetch_options o;
  int64_t group; /* rows that travel together */
  trm_fetch_cache cache;
  trm_fetch_peer *peers; /* [size] the own one is not used */
  int32_t *ids;          /* [max_rows] asked of others, by owner */
  int32_t *where;        /* [max_rows] their rows of out */
  int64_t n_started;
  bool yield_at_once;
  trm_fetch_counts counts;
  /* The fetch under way. */
  bool under_way, counts_known;
  unsigned char *out;
  int64_t *n_ask, *n_give; /* [size] rows, or a status */
  MPI_Request counts_request;
  /* Failures of this fetch: the lowest rank's. */
  int speaker, n_failed;
  trm_status status;
  char message[TRM_MESSAGE_BYTES], own_message[TRM_MESSAGE_BYTES];
};

/** Ends the fetch under way, if any, without a word about failures (fetch_run.c). */
void trm_fetch_wait(trm_fetch *fetch);

#endif
