#include "trireme/comm/comm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "comm_internal.h"
#include "trireme/comm/watch.h"
#include "trireme/core/float_mode.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

/* MPI counts are ints, and libraries have been seen to trip over byte counts near 2^31. */
static const int64_t DEFAULT_MAX_MESSAGE_BYTES = INT64_C(1) << 30;

void trm_mpi_failed(const trm_comm *comm, const char *call, int code) {
  char text[MPI_MAX_ERROR_STRING] = "unknown error";
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) {
    snprintf(text, sizeof text, "error %d", code);
  }
  const int name_length = (int)strcspn(call, "(");
  fprintf(stderr, "error: rank %d (%s): %.*s failed: %s\n", comm ? comm->job->rank : -1,
          comm && comm->places ? comm->places->hosts[comm->rank] : "host unknown", name_length,
          call, text);
  trm_comm_abort(NULL, TRM_EXIT_RANK_LOST);
}

/* The hook of `core`: a bug on one rank ends all of them, also before and after MPI's lifetime. */
static void abort_all(int exit_code) {
  int started = 0, ended = 0;
  fflush(NULL);
  if (MPI_Initialized(&started) == MPI_SUCCESS && started && MPI_Finalized(&ended) == MPI_SUCCESS &&
      !ended) {
    (void)MPI_Abort(MPI_COMM_WORLD, exit_code); /* does not return when it succeeds */
  }
  _exit(exit_code);
}

_Noreturn void trm_comm_abort(trm_comm *comm, int exit_code) {
  (void)comm; /* all ranks of the world end, whichever communicator noticed */
  abort_all(exit_code);
  _exit(exit_code);
}

static trm_thread_level thread_level_of(int mpi_level) {
  switch (mpi_level) {
  case MPI_THREAD_MULTIPLE:
    return TRM_THREAD_MULTIPLE;
  case MPI_THREAD_SERIALIZED:
    return TRM_THREAD_SERIALIZED;
  case MPI_THREAD_FUNNELED:
    return TRM_THREAD_FUNNELED;
  default:
    return TRM_THREAD_SINGLE;
  }
}

/* Host names of all ranks, by rank. */
static void gather_hosts(trm_comm *comm) {
  char name[MPI_MAX_PROCESSOR_NAME + 1] = "";
  char mine[TRM_HOST_BYTES] = "";
  int length = 0;
  TRM_MPI(comm, MPI_Get_processor_name(name, &length));
  if (name[0] == '\0' && gethostname(name, sizeof name - 1) != 0) {
    snprintf(name, sizeof name, "unknown");
  }
  snprintf(mine, sizeof mine, "%.*s", TRM_HOST_BYTES - 1, name);
  TRM_MPI(comm, MPI_Allgather(mine, TRM_HOST_BYTES, MPI_CHAR, comm->places->hosts, TRM_HOST_BYTES,
                              MPI_CHAR, comm->mpi));
}

/* Ranks that share memory, as MPI sees it. A library that cannot tell (some simulators) is no
 * reason to fail: equal host names then have to do. */
static void find_node(trm_comm *comm) {
  trm_places *places = comm->places;
  MPI_Comm node = MPI_COMM_NULL;
  places->node_first = comm->rank;
  const int code =
      MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node);
  if (code == MPI_SUCCESS && node != MPI_COMM_NULL) {
    TRM_MPI(comm, MPI_Comm_rank(node, &places->node_rank));
    TRM_MPI(comm, MPI_Comm_size(node, &places->node_size));
    TRM_MPI(comm, MPI_Bcast(&places->node_first, 1, MPI_INT, 0, node));
    TRM_MPI(comm, MPI_Comm_free(&node));
    return;
  }
  places->node_rank = places->node_size = 0;
  for (int r = 0; r < comm->size; ++r) {
    if (strcmp(places->hosts[r], places->hosts[comm->rank]) != 0) continue;
    if (places->node_size == 0) places->node_first = r;
    if (r < comm->rank) ++places->node_rank;
    ++places->node_size;
  }
}

void trm_comm_settle_in(trm_comm *comm) {
  TRM_MPI(comm, MPI_Comm_set_errhandler(comm->mpi, MPI_ERRORS_RETURN));
  TRM_MPI(comm, MPI_Comm_rank(comm->mpi, &comm->rank));
  TRM_MPI(comm, MPI_Comm_size(comm->mpi, &comm->size));
  gather_hosts(comm);
  find_node(comm);
  TRM_MPI(comm, MPI_Allgather(&comm->job->rank, 1, MPI_INT, comm->places->job_ranks, 1, MPI_INT,
                              comm->mpi));
}

static void places_release(trm_places **places) {
  if (*places && --(*places)->n_references == 0) {
    TRM_FREE((*places)->hosts);
    TRM_FREE((*places)->job_ranks);
    trm_free_bytes(*places);
  }
  *places = NULL;
}

static void job_release(trm_comm_job **job) {
  if (*job && --(*job)->n_references == 0) trm_free_bytes(*job);
  *job = NULL;
}

/* The local part of a start, which may fail on one rank alone. */
static trm_status allocate(trm_comm *comm, trm_comm_job *job, int size) {
  comm->job = job;
  if (!job) TRM_TRY(TRM_ALLOC(&comm->job, 1, "communicator"));
  ++comm->job->n_references;
  TRM_TRY(TRM_ALLOC(&comm->places, 1, "communicator"));
  comm->places->n_references = 1;
  TRM_TRY(TRM_ALLOC(&comm->places->hosts, size, "host names"));
  return TRM_ALLOC(&comm->places->job_ranks, size, "numbers of ranks");
}

trm_status trm_comm_allocate(trm_comm_job *job, int size, trm_comm **out) {
  trm_comm *comm = NULL;
  TRM_TRY(TRM_ALLOC(&comm, 1, "communicator"));
  comm->max_message_bytes = DEFAULT_MAX_MESSAGE_BYTES;
  comm->mpi = MPI_COMM_NULL;
  *out = comm;
  const trm_status status = allocate(comm, job, size);
  if (status != TRM_OK) trm_comm_release(out);
  return status;
}

void trm_comm_release(trm_comm **comm) {
  if (!*comm) return;
  places_release(&(*comm)->places);
  job_release(&(*comm)->job);
  TRM_FREE(*comm);
}

trm_status trm_comm_init(int *argc, char ***argv, trm_comm **out) {
  int mpi_level = MPI_THREAD_SINGLE, rank = 0, size = 1;
  TRM_MPI(NULL, MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &mpi_level));
  trm_float_mode_standard(); /* what it loaded may have changed it */
  TRM_MPI(NULL, MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  TRM_MPI(NULL, MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  TRM_MPI(NULL, MPI_Comm_size(MPI_COMM_WORLD, &size));
  trm_abort_hook_set(abort_all, rank);

  trm_comm *comm = NULL;
  trm_status status = trm_comm_allocate(NULL, size, &comm);
  int failed = status != TRM_OK, any_failed = 0;
  TRM_MPI(NULL, MPI_Allreduce(&failed, &any_failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD));
  if (any_failed) {
    trm_comm_release(&comm);
    return failed ? status : trm_fail(TRM_ERR_MEMORY, "another rank ran out of memory at start");
  }
  comm->rank = comm->job->rank = rank;
  comm->size = size;
  comm->job->thread_level = thread_level_of(mpi_level);
  TRM_MPI(comm, MPI_Comm_dup(MPI_COMM_WORLD, &comm->mpi));
  trm_comm_settle_in(comm);
  comm->job->node_size = comm->places->node_size;
  *out = comm;
  return TRM_OK;
}

void trm_comm_finalize(trm_comm **comm) {
  if (!comm || !*comm) return;
  trm_comm_free(comm);
  TRM_MPI(NULL, MPI_Finalize());
}

trm_status trm_comm_dup(trm_comm *comm, trm_comm **out) {
  trm_comm *copy = NULL;
  trm_status status = TRM_ALLOC(&copy, 1, "communicator");
  status = trm_comm_agree(comm, status);
  if (status != TRM_OK) {
    TRM_FREE(copy);
    return status;
  }
  copy->rank = comm->rank;
  copy->size = comm->size;
  copy->job = comm->job;
  ++copy->job->n_references;
  copy->places = comm->places;
  ++copy->places->n_references;
  copy->max_message_bytes = comm->max_message_bytes;
  TRM_MPI(comm, MPI_Comm_dup(comm->mpi, &copy->mpi));
  TRM_MPI(comm, MPI_Comm_set_errhandler(copy->mpi, MPI_ERRORS_RETURN));
  *out = copy;
  return TRM_OK;
}

void trm_comm_free(trm_comm **comm) {
  if (!comm || !*comm) return;
  trm_watch_stop(*comm);
  TRM_MPI(*comm, MPI_Comm_free(&(*comm)->mpi));
  trm_comm_release(comm);
}

int trm_comm_rank(const trm_comm *comm) {
  return comm->rank;
}
int trm_comm_size(const trm_comm *comm) {
  return comm->size;
}
int trm_comm_node_rank(const trm_comm *comm) {
  return comm->places->node_rank;
}
int trm_comm_node_size(const trm_comm *comm) {
  return comm->places->node_size;
}
bool trm_comm_one_host(const trm_comm *comm) {
  return comm->places->node_size == comm->size;
}
trm_thread_level trm_comm_thread_level(const trm_comm *comm) {
  return comm->job->thread_level;
}

const char *trm_comm_host(const trm_comm *comm, int rank) {
  TRM_ASSERT(rank >= 0 && rank < comm->size);
  return comm->places->hosts[rank];
}

void trm_comm_pretend_hosts(trm_comm *comm, int n) {
  trm_places *places = comm->places;
  TRM_ASSERT(n > 0);
  places->node_first = comm->rank % n;
  places->node_rank = comm->rank / n;
  places->node_size = (comm->size - places->node_first + n - 1) / n;
}

void trm_comm_pretend_neighbours(trm_comm *comm, int n) {
  trm_places *places = comm->places;
  TRM_ASSERT(n > 0 && n <= comm->size);
  for (int host = 0; host < n; ++host) {
    int64_t first = 0, count = 0;
    trm_share(comm->size, n, host, &first, &count);
    if (comm->rank < first || comm->rank >= first + count) continue;
    places->node_first = (int)first;
    places->node_rank = comm->rank - (int)first;
    places->node_size = (int)count;
  }
}

void trm_comm_limit_message(trm_comm *comm, int64_t bytes) {
  TRM_ASSERT(bytes >= (int64_t)sizeof(double) && bytes <= DEFAULT_MAX_MESSAGE_BYTES);
  comm->max_message_bytes = bytes;
}

const char *trm_comm_library(void) {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "unknown MPI library";
  text[strcspn(text, "\n")] = '\0'; /* MPICH's text has many lines, its first names it */
  return text;
}

/* A count in the environment; 0 when unset or not a number. */
static int environment_count(const char *name) {
  const char *text = getenv(name);
  if (!text || !*text) return 0;
  char *end = NULL;
  const long value = strtol(text, &end, 10);
  return *end == '\0' && value > 0 && value < 1 << 30 ? (int)value : 0;
}

int trm_comm_suspected_tasks(const trm_comm *comm) {
  static const char *const launchers[] = {"OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE",
                                          "PMI_SIZE"};
  if (comm->size > 1) return 1;
  for (size_t i = 0; i < sizeof launchers / sizeof *launchers; ++i) {
    const int n = environment_count(launchers[i]);
    if (n > 0) return n;
  }
  const int n = environment_count("SLURM_STEP_NUM_TASKS");
  return n > 1 && getenv("SLURM_PROCID") ? n : 1;
}
