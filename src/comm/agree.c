/* Agreement: one rank's failure becomes one orderly stop on all. */
#include <stdio.h>
#include <string.h>

#include "comm_internal.h"
#include "trireme/comm/watch.h"

/* MINLOC keeps the lowest rank among equals. */
int trm_comm_lowest_without(trm_comm *comm, bool flag) {
  struct {
    int flag, rank;
  } mine = {flag ? 1 : 0, comm->rank}, lowest = {1, 0};
  trm_watch_wait_begin(comm);
  TRM_MPI(comm, MPI_Allreduce(&mine, &lowest, 1, MPI_2INT, MPI_MINLOC, comm->mpi));
  trm_watch_wait_end(comm, true);
  return lowest.flag ? comm->size : lowest.rank;
}

bool trm_comm_has_agreed(const trm_comm *comm) {
  const char *message = trm_message();
  return message[0] != '\0' && strcmp(message, comm->job->agreed) == 0;
}

void trm_comm_remember(trm_comm *comm) {
  snprintf(comm->job->agreed, sizeof comm->job->agreed, "%s", trm_message());
}

void trm_comm_adopt(trm_comm *comm, int speaker, int n_failed, const char *message, bool agreed) {
  char suffix[48] = "", text[TRM_MESSAGE_BYTES];
  if (comm->size == 1 || agreed) {
    snprintf(text, sizeof text, "%s", message);
  } else {
    if (n_failed > 1) snprintf(suffix, sizeof suffix, " (%d ranks failed)", n_failed);
    const int prefix =
        snprintf(text, sizeof text, "rank %d (%s): ", comm->places->job_ranks[speaker],
                 comm->places->hosts[speaker]);
    /* A message too long loses its end, not the count. */
    const int room = TRM_MESSAGE_BYTES - 2 - prefix - (int)strlen(suffix);
    snprintf(text + prefix, sizeof text - (size_t)prefix, "%.*s%s", room, message, suffix);
  }
  trm_message_set(text);
  trm_comm_remember(comm);
}

/* What the lowest failing rank tells the others. */
typedef struct verdict {
  int status;
  int agreed; /* the message came out of an earlier agreement: it names its rank already */
  char message[TRM_MESSAGE_BYTES];
} verdict;

trm_status trm_comm_agree(trm_comm *comm, trm_status status) {
  const int speaker = trm_comm_lowest_without(comm, status == TRM_OK);
  if (speaker == comm->size) return TRM_OK;

  verdict v = {0};
  if (comm->rank == speaker) {
    v.status = status;
    snprintf(v.message, sizeof v.message, "%s", trm_message());
    v.agreed = trm_comm_has_agreed(comm);
  }
  int n_failed = status != TRM_OK;
  TRM_MPI(comm, MPI_Bcast(&v, (int)sizeof v, MPI_BYTE, speaker, comm->mpi));
  TRM_MPI(comm, MPI_Allreduce(MPI_IN_PLACE, &n_failed, 1, MPI_INT, MPI_SUM, comm->mpi));
  trm_comm_adopt(comm, speaker, n_failed, v.message, v.agreed != 0);
  return (trm_status)v.status;
}

trm_status trm_comm_check_equal(trm_comm *comm, uint64_t value, const char *what) {
  uint64_t first = value;
  TRM_MPI(comm, MPI_Bcast(&first, 1, MPI_UINT64_T, 0, comm->mpi));
  const int differing = trm_comm_lowest_without(comm, value == first);
  if (differing == comm->size) return TRM_OK;
  uint64_t other = value;
  TRM_MPI(comm, MPI_Bcast(&other, 1, MPI_UINT64_T, differing, comm->mpi));
  const trm_status status =
      trm_fail(TRM_ERR_CONFIG,
               "%s of rank %d (%s) is not that of rank %d (%s): %016llx, %016llx; start all ranks "
               "with the same program, configuration and files",
               what, comm->places->job_ranks[differing], comm->places->hosts[differing],
               comm->places->job_ranks[0], comm->places->hosts[0], (unsigned long long)other,
               (unsigned long long)first);
  trm_comm_remember(comm);
  return status;
}
