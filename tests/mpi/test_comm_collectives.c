/* Communicator, small collectives, whole and cut into pieces. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/comm/comm.h"
#include "trireme/core/memory.h"

static void check_identity(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  CHECK(size >= 1 && rank >= 0 && rank < size);
  /* These tests run on one host. */
  CHECK(trm_comm_one_host(comm));
  CHECK_EQ(trm_comm_node_size(comm), size);
  CHECK_EQ(trm_comm_node_rank(comm), rank);
  for (int r = 0; r < size; ++r) CHECK_STR(trm_comm_host(comm, r), trm_comm_host(comm, 0));
  CHECK(trm_comm_host(comm, 0)[0] != '\0');
  CHECK(trm_comm_library()[0] != '\0' && !strchr(trm_comm_library(), '\n'));
  CHECK(trm_comm_thread_level(comm) >= TRM_THREAD_SINGLE);
}

/* The sum is exact in double: integers below 2^53. */
static void check_sums(trm_comm *comm, int64_t n) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  double *sums = NULL, *most = NULL;
  uint64_t *bits = NULL;
  CHECK_OK(TRM_ALLOC(&sums, n, "test"));
  CHECK_OK(TRM_ALLOC(&most, n, "test"));
  CHECK_OK(TRM_ALLOC(&bits, n, "test"));
  for (int64_t i = 0; i < n; ++i) {
    sums[i] = (double)(i + 1000 * rank);
    most[i] = i % size == rank ? (double)i : -1e300;
    bits[i] = UINT64_C(1) << ((i + rank) % 64);
  }
  CHECK_OK(trm_comm_sum_f64(comm, sums, n));
  CHECK_OK(trm_comm_max_f64(comm, most, n));
  CHECK_OK(trm_comm_or_u64(comm, bits, n));
  for (int64_t i = 0; i < n; ++i) {
    uint64_t want = 0;
    for (int r = 0; r < size; ++r) want |= UINT64_C(1) << ((i + r) % 64);
    CHECK_NEAR_AT(sums[i], (double)(i * size + 1000 * size * (size - 1) / 2), 0, i);
    CHECK_NEAR_AT(most[i], (double)i, 0, i);
    CHECK_EQ(bits[i], want);
  }
  TRM_FREE(sums);
  TRM_FREE(most);
  TRM_FREE(bits);
}

static unsigned char byte_of(int rank, int64_t i) {
  return (unsigned char)(i * 7 + rank * 31 + 3);
}

static void check_bytes(trm_comm *comm, int64_t n) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  unsigned char *mine = NULL, *all = NULL;
  CHECK_OK(TRM_ALLOC(&mine, n, "test"));
  CHECK_OK(TRM_ALLOC(&all, n * size, "test"));
  for (int64_t i = 0; i < n; ++i) mine[i] = byte_of(rank, i);
  CHECK_OK(trm_comm_allgather(comm, mine, all, n));
  for (int r = 0; r < size; ++r) {
    for (int64_t i = 0; i < n; ++i) CHECK_EQ(all[r * n + i], byte_of(r, i));
  }
  const int root = size - 1;
  CHECK_OK(trm_comm_broadcast(comm, mine, n, root));
  for (int64_t i = 0; i < n; ++i) CHECK_EQ(mine[i], byte_of(root, i));
  TRM_FREE(mine);
  TRM_FREE(all);
}

static void check_all_counts(trm_comm *comm) {
  const int size = trm_comm_size(comm);
  const int64_t counts[] = {0, 1, size - 1, size + 1, 1000, 100003};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; ++c) {
    check_sums(comm, counts[c]);
    check_bytes(comm, counts[c]);
  }
}

static void check_bad_arguments(trm_comm *comm) {
  double value = 0;
  CHECK_EQ(trm_comm_broadcast(comm, &value, -1, 0), TRM_ERR_ARG);
  CHECK_EQ(trm_comm_broadcast(comm, &value, 8, trm_comm_size(comm)), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "rank");
  CHECK_EQ(trm_comm_sum_f64(comm, &value, -1), TRM_ERR_ARG);
  CHECK_EQ(trm_comm_allgather(comm, &value, &value, -8), TRM_ERR_ARG);
}

static void unset_launchers(void) {
  static const char *const names[] = {
      "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "PMI_SIZE",
      "SLURM_STEP_NUM_TASKS", "SLURM_PROCID",        "SLURM_NTASKS"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) CHECK_EQ(unsetenv(names[i]), 0);
}

static void set(const char *name, const char *value) {
  CHECK_EQ(setenv(name, value, 1), 0);
}

static void check_suspected(const trm_comm *comm) {
  const bool alone = trm_comm_size(comm) == 1;
  unset_launchers();
  CHECK_EQ(trm_comm_suspected_tasks(comm), 1);
  set("SLURM_NTASKS", "4"); /* a batch script of a job of four tasks */
  set("SLURM_PROCID", "0");
  CHECK_EQ(trm_comm_suspected_tasks(comm), 1);
  set("SLURM_STEP_NUM_TASKS", "4"); /* srun of an MPI that does not speak its language */
  CHECK_EQ(trm_comm_suspected_tasks(comm), alone ? 4 : 1);
  set("OMPI_COMM_WORLD_SIZE", "1"); /* mpirun -n 1, its daemons started by srun */
  CHECK_EQ(trm_comm_suspected_tasks(comm), 1);
  set("OMPI_COMM_WORLD_SIZE", "3"); /* mpirun of another MPI than the program's */
  CHECK_EQ(trm_comm_suspected_tasks(comm), alone ? 3 : 1);
  set("OMPI_COMM_WORLD_SIZE", "junk");
  set("PMI_SIZE", "2");
  CHECK_EQ(trm_comm_suspected_tasks(comm), alone ? 2 : 1);
  unset_launchers();
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL, *copy = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return check_verdict();
  const int64_t live = trm_alloc_counts_get().live_blocks;
  check_identity(comm);
  check_all_counts(comm);
  check_bad_arguments(comm);
  check_suspected(comm);
  CHECK_OK(trm_comm_barrier(comm));

  CHECK_OK(trm_comm_dup(comm, &copy));
  check_identity(copy);
  trm_comm_limit_message(copy, 8); /* every message cut to its smallest unit */
  check_sums(copy, 33);
  check_bytes(copy, 101);
  trm_comm_limit_message(copy, 800);
  check_all_counts(copy);
  trm_comm_free(&copy);
  CHECK(!copy);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  check_identity(comm);
  trm_comm_finalize(&comm);
  CHECK(!comm);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
