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

/** Who runs where: the same for a communicator and its duplicates, which count their references. */
typedef struct trm_places {
  int n_references;
  int node_rank, node_size;
  trm_thread_level thread_level;
  char (*hosts)[TRM_HOST_BYTES]; /* [size] */
} trm_places;

struct trm_comm {
  MPI_Comm mpi;
  int rank, size;
  trm_places *places;
  trm_watch *watch;               /* NULL: no deadline */
  int64_t max_message_bytes;      /* longer messages are cut */
  char agreed[TRM_MESSAGE_BYTES]; /* message of the last failure the ranks agreed on */
};

/** Reports a failed MPI call in one line and ends all ranks. `call` is the text of the call. */
_Noreturn void trm_mpi_failed(const trm_comm *comm, const char *call, int code);

/** Every MPI call goes through this: an MPI error is fatal. */
#define TRM_MPI(comm, call)                                                                        \
  do {                                                                                             \
    const int trm_mpi_code_ = (call);                                                              \
    if (trm_mpi_code_ != MPI_SUCCESS) trm_mpi_failed((comm), #call, trm_mpi_code_);                \
  } while (0)

#endif
