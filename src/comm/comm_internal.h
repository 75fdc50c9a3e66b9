/** What the files of `comm` share about the communicator. */
#ifndef TRIREME_COMM_COMM_INTERNAL_H
#define TRIREME_COMM_COMM_INTERNAL_H

#include <mpi.h>

#include "trireme/comm/comm.h"

enum {
  TRM_HOST_BYTES = 64,
  /* Exit code of everything that means "a rank is lost": an MPI error mostly is just that. */
  TRM_EXIT_RANK_LOST = 71,
};

typedef struct trm_watch trm_watch;

/** What is one for a process, whatever communicators it has: they count their references. */
typedef struct trm_comm_job {
  int n_references;
  int rank;      /* in the job, as the launcher numbers it: what messages name */
  int node_size; /* ranks of the job on this host */
  trm_thread_level thread_level;
  trm_watch *watch;               /* NULL: no deadline */
  int n_watching;                 /* communicators that asked for it */
  char agreed[TRM_MESSAGE_BYTES]; /* message of the last failure that ranks agreed on */
} trm_comm_job;

/** Who runs where: the same for a communicator and its duplicates, which count their references. */
typedef struct trm_places {
  int n_references;
  int node_rank, node_size;
  int node_first;                /* lowest rank on this host */
  char (*hosts)[TRM_HOST_BYTES]; /* [size] */
  int *job_ranks;                /* [size] */
} trm_places;

struct trm_comm {
  MPI_Comm mpi;
  int rank, size;
  trm_comm_job *job;
  trm_places *places;
  bool watching;             /* has started the deadline thread and not stopped it */
  int64_t max_message_bytes; /* longer messages are cut */
};

/** Reports a failed MPI call in one line and ends all ranks. `call` is the text of the call. */
_Noreturn void trm_mpi_failed(const trm_comm *comm, const char *call, int code);

/** Every MPI call goes through this: an MPI error is fatal. */
#define TRM_MPI(comm, call)                                                                        \
  do {                                                                                             \
    const int trm_mpi_code_ = (call);                                                              \
    if (trm_mpi_code_ != MPI_SUCCESS) trm_mpi_failed((comm), #call, trm_mpi_code_);                \
  } while (0)

/* ---- communicators (comm.c, split.c) --------------------------------------------------------- */

/** A communicator without MPI's, for up to `size` ranks. Local. `job` NULL: the first one. */
trm_status trm_comm_allocate(trm_comm_job *job, int size, trm_comm **out);
/** Gives back what trm_comm_allocate made; NULL is accepted. */
void trm_comm_release(trm_comm **comm);
/** Fills in rank, size and places once comm->mpi is there. Collective. */
void trm_comm_settle_in(trm_comm *comm);

/** What ranks agree to be the failure of `speaker`: sets the message of this process. `message` is
 *  the speaker's own, or one that has been agreed on before and stays as it is. */
void trm_comm_adopt(trm_comm *comm, int speaker, int n_failed, const char *message, bool agreed);
/** The message of this process has been agreed on: it stays as it is in all communicators. */
void trm_comm_remember(trm_comm *comm);
/** The lowest rank for which `flag` is false; comm->size if there is none. Collective. */
int trm_comm_lowest_without(trm_comm *comm, bool flag);
/** Whether this thread's message came out of an agreement: it names its rank already. */
bool trm_comm_has_agreed(const trm_comm *comm);

/* ---- long messages (collectives.c) ----------------------------------------------------------- */

/** Number of messages for `bytes` bytes. */
int64_t trm_message_count(const trm_comm *comm, int64_t bytes);
/** Begin to send or receive `bytes` bytes: trm_message_count requests. Returns their number. */
int64_t trm_send_begin(trm_comm *comm, const void *data, int64_t bytes, int to, int tag,
                       MPI_Request *requests);
int64_t trm_receive_begin(trm_comm *comm, void *data, int64_t bytes, int from, int tag,
                          MPI_Request *requests);
/** Sends to one rank while receiving from another. */
void trm_send_and_receive(trm_comm *comm, const void *data, int64_t bytes, int to, void *in,
                          int64_t in_bytes, int from, int tag);

/* ---- waiting (pause.c) ----------------------------------------------------------------------- */

/** Whether the job's ranks of this host outnumber its processors. */
bool trm_oversubscribed(const trm_comm *comm);
/** Between two looks at what is waited for, after `waited_s` seconds of it. */
void trm_idle_pause(bool yield_at_once, double waited_s);

#endif
