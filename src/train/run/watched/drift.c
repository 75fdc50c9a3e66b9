#include "drift.h"

#include <inttypes.h>
#include <stdio.h>

static int count_equal(const uint64_t *hashes, int n, uint64_t hash) {
  int count = 0;
  for (int r = 0; r < n; ++r) count += hashes[r] == hash;
  return count;
}

/* The hash most ranks have; of equally many, rank 0's or the first. */
static uint64_t most_common(const uint64_t *hashes, int n) {
  uint64_t best = hashes[0];
  for (int r = 1; r < n; ++r) {
    if (count_equal(hashes, n, hashes[r]) > count_equal(hashes, n, best)) best = hashes[r];
  }
  return best;
}

static trm_status report(trm_comm *comm, const uint64_t *hashes, int64_t step) {
  const int n = trm_comm_size(comm);
  const uint64_t good = most_common(hashes, n);
  const int n_bad = n - count_equal(hashes, n, good);
  int bad = 0;
  while (hashes[bad] == good) ++bad;
  char others[48] = "";
  if (n_bad > 1) (void)snprintf(others, sizeof others, " and %d more", n_bad - 1);
  return trm_fail(TRM_ERR_RANK_LOST,
                  "step %" PRId64 ": the weights of rank %d (%s)%s differ from the other ranks' "
                  "(%016" PRIx64 ", not %016" PRIx64 "): a bit may have flipped in its memory%s; "
                  "the last checkpoint is good: resume, and have that host's memory tested",
                  step, bad, trm_comm_host(comm, bad), others, hashes[bad], good,
                  2 * n_bad == n ? ", or in as many others'" : "");
}

trm_status trm_drift_check(trm_comm *comm, uint64_t weights_hash, int64_t step, uint64_t *hashes) {
  const int n = trm_comm_size(comm);
  if (n == 1) return TRM_OK;
  TRM_TRY(trm_comm_allgather(comm, &weights_hash, hashes, sizeof weights_hash));
  return count_equal(hashes, n, hashes[0]) == n ? TRM_OK : report(comm, hashes, step);
}
