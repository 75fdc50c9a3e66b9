/* Memory of a host: one rank of each fills it, all see it; several hosts, as ranks pretend; hosts that
 * cannot share; sizes that differ. */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "trireme/comm/shared.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/math/threads.h"

enum { N_TAKES = 6 };
static const int64_t sizes[N_TAKES] = {1, 0, 7, 4096, 100003, 5 << 20};

static unsigned char byte_of(int host, int take, int64_t i) {
  return (unsigned char)(i * 13 + i / 256 + take * 29 + host * 101 + 1);
}

/* Not all zero: first byte that is not, or -1. */
static int64_t first_other_than(const unsigned char *bytes, int64_t n, unsigned char value) {
  for (int64_t i = 0; i < n; ++i) {
    if (bytes[i] != value) return i;
  }
  return -1;
}

static void check_content(const unsigned char *memory, int host, int take) {
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < sizes[take]; ++i) n_wrong += memory[i] != byte_of(host, take, i);
  CHECK_EQ(n_wrong, 0);
}

/**
 * @param n_hosts  ranks count as being on so many hosts, rank r on r mod n_hosts
 * @param alone    hosts whose bit is set cannot share
 */
static void check_hosts(trm_comm *comm, int n_hosts, unsigned alone) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  const int host = rank % n_hosts;
  trm_shared *shared = NULL;
  unsigned char *all[N_TAKES] = {NULL};
  int64_t total = 0;
  CHECK_OK(trm_shared_create(comm, &shared));
  if (!shared) return;
  struct rlimit old = {0, 0};
  CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  /* One rank of the host cannot make a file of that size, even in memory: the one that would. */
  const struct rlimit tight = {.rlim_cur = 0, .rlim_max = old.rlim_max};
  const bool limited = (alone >> host & 1U) && rank < n_hosts;
  if (limited) CHECK_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const int n_here = (size - host + n_hosts - 1) / n_hosts;
  const bool is_alone = (alone >> host & 1U) != 0;
  for (int t = 0; t < N_TAKES; ++t) {
    void *memory = NULL;
    bool fill = false;
    CHECK_OK(trm_shared_take(shared, sizes[t], "a test's array", &memory, &fill));
    CHECK(memory && (uintptr_t)memory % 64 == 0);
    CHECK_EQ(fill, is_alone || rank < n_hosts);
    all[t] = memory;
    if (fill && memory) {
      CHECK_EQ(first_other_than(memory, sizes[t], 0), -1);
      for (int64_t i = 0; i < sizes[t]; ++i) all[t][i] = byte_of(host, t, i);
    }
    if (t % 2 == 1) CHECK_OK(trm_shared_settle(shared, TRM_OK)); /* of two at once */
    if (t % 2 == 1 && memory) check_content(all[t], host, t);
    total += is_alone ? sizes[t] * n_here : sizes[t];
  }
  if (limited) CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  for (int t = 0; t < N_TAKES; ++t) check_content(all[t], host, t);
  CHECK_EQ(trm_shared_bytes(shared), total);
  /* One memory or several: a byte that one rank changes, another sees. */
  CHECK_OK(trm_comm_barrier(comm));
  if (rank < n_hosts) all[4][11] = 77;
  CHECK_OK(trm_shared_settle(shared, TRM_OK));
  if (rank >= n_hosts) CHECK_EQ(all[4][11], is_alone ? byte_of(host, 4, 11) : 77);
  trm_shared_destroy(&shared);
  CHECK(!shared);
}

/* A large one is filled by several threads: every page is there before anybody touches it. */
static void check_filled(trm_comm *comm) {
  enum { PAGES_MOST = 1 << 15 };
  const int64_t bytes = (INT64_C(65) << 20) + 5, page = sysconf(_SC_PAGESIZE);
  const int64_t n_pages = trm_ceil_div(bytes, page);
  static unsigned char there[PAGES_MOST];
  trm_shared *shared = NULL;
  void *memory = NULL;
  bool fill = false;
  trm_threads_set(3);
  CHECK_OK(trm_shared_create(comm, &shared));
  CHECK_OK(trm_shared_take(shared, bytes, "a large array", &memory, &fill));
  trm_threads_set(1);
  if (trm_comm_size(comm) > 1 && CHECK(n_pages <= PAGES_MOST) && CHECK(memory)) {
    int64_t n_there = 0;
    CHECK_EQ(mincore(memory, (size_t)bytes, there), 0);
    for (int64_t i = 0; i < n_pages; ++i) n_there += there[i] & 1;
    CHECK_EQ(n_there, n_pages);
    CHECK_EQ(first_other_than(memory, bytes, 0), -1);
  }
  trm_shared_destroy(&shared);
}

/* The failure of one rank is everybody's, and what is taken afterwards is good. */
static void check_failures(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  trm_shared *shared = NULL;
  void *memory = NULL;
  bool fill = true;
  CHECK_OK(trm_shared_create(comm, &shared));
  const trm_status mine = rank == size - 1 ? trm_fail(TRM_ERR_DATA, "a bad file") : TRM_OK;
  CHECK_EQ(trm_shared_settle(shared, mine), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "a bad file");
  const int64_t bytes = rank == size - 1 ? 100 : 101;
  const trm_status want = size > 1 ? TRM_ERR_CONFIG : TRM_OK;
  CHECK_EQ(trm_shared_take(shared, bytes, "an array", &memory, &fill), want);
  if (size > 1) CHECK(!memory && !fill);
  if (size > 1) CHECK_HAS(trm_message(), "an array");
  CHECK_EQ(trm_shared_take(shared, -1, "an array", &memory, &fill), TRM_ERR_ARG);
  /* No memory for one rank's books. */
  for (int n = 0; n < 3; ++n) {
    if (rank == size - 1) trm_alloc_fail_after(n);
    const trm_status status = trm_shared_take(shared, 64, "an array", &memory, &fill);
    trm_alloc_fail_after(-1);
    double codes[2] = {status, -(double)status};
    CHECK_OK(trm_comm_max_f64(comm, codes, 2));
    CHECK_NEAR(codes[0], -codes[1], 0); /* the same on all ranks */
    if (n == 0) CHECK_EQ(status, TRM_ERR_MEMORY);
  }
  trm_alloc_fail_after(-1);
  CHECK_OK(trm_shared_take(shared, 64, "an array", &memory, &fill));
  if (fill) memset(memory, 5, 64);
  CHECK_OK(trm_shared_settle(shared, TRM_OK));
  CHECK_EQ(first_other_than(memory, 64, 5), -1);
  trm_shared_destroy(&shared);
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return check_verdict();
  const int size = trm_comm_size(comm);
  CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR); /* the call fails instead */
  const int64_t live = trm_alloc_counts_get().live_blocks;
  check_hosts(comm, 1, 0);
  check_hosts(comm, 1, 1);
  check_failures(comm);
  check_filled(comm);
  for (int n_hosts = 2; n_hosts <= size; ++n_hosts) {
    trm_comm_pretend_hosts(comm, n_hosts);
    check_hosts(comm, n_hosts, 0);
    check_hosts(comm, n_hosts, 2); /* the second host */
    check_failures(comm);
  }
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  trm_comm_finalize(&comm);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
