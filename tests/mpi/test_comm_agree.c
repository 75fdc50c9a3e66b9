/* Agreement on a status: none, one, several ranks fail; comparing values between ranks. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/comm/comm.h"
#include "trireme/core/float_mode.h"

/* The ranks of the bit set `failing` fail, each with a status and a message of its own. */
static void check_failing(trm_comm *comm, unsigned failing) {
  static const trm_status statuses[] = {TRM_ERR_IO, TRM_ERR_DATA, TRM_ERR_MEMORY, TRM_ERR_CONFIG};
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  trm_message_set("stale");
  trm_status mine = TRM_OK;
  if (failing >> rank & 1U) mine = trm_fail(statuses[rank % 4], "file %d.h5: not there", rank);
  const trm_status got = trm_comm_agree(comm, mine);
  if (failing == 0) {
    CHECK_EQ(got, TRM_OK);
    CHECK_STR(trm_message(), "stale");
    return;
  }
  int lowest = 0, n_failed = 0;
  while (!(failing >> lowest & 1U)) ++lowest;
  for (int r = 0; r < size; ++r) n_failed += (int)(failing >> r & 1U);
  char want[TRM_MESSAGE_BYTES], suffix[64] = "";
  if (n_failed > 1) snprintf(suffix, sizeof suffix, " (%d ranks failed)", n_failed);
  if (size == 1) {
    snprintf(want, sizeof want, "file 0.h5: not there");
  } else {
    snprintf(want, sizeof want, "rank %d (%s): file %d.h5: not there%s", lowest,
             trm_comm_host(comm, lowest), lowest, suffix);
  }
  CHECK_EQ(got, statuses[lowest % 4]);
  CHECK_STR(trm_message(), want);
  /* Handed on and agreed on once more, the message stays as it is. */
  CHECK_EQ(trm_comm_agree(comm, got), statuses[lowest % 4]);
  CHECK_STR(trm_message(), want);
}

/* The longest message loses its end, but neither the rank nor the count. */
static void check_long_message(trm_comm *comm) {
  char text[TRM_MESSAGE_BYTES];
  memset(text, 'x', sizeof text - 2);
  text[sizeof text - 2] = '\0';
  CHECK_EQ(trm_comm_agree(comm, trm_fail(TRM_ERR_IO, "%s", text)), TRM_ERR_IO);
  if (trm_comm_size(comm) > 1) {
    char count[64];
    snprintf(count, sizeof count, "xxx (%d ranks failed)", trm_comm_size(comm));
    CHECK_HAS(trm_message(), "rank 0 (");
    CHECK_HAS(trm_message(), count);
  }
}

static void check_equality(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  CHECK_OK(trm_comm_check_equal(comm, 0, "the seed"));
  CHECK_OK(trm_comm_check_equal(comm, UINT64_MAX, "the seed"));
  for (int odd = 0; odd < size; ++odd) {
    const uint64_t value = rank == odd ? UINT64_MAX : 17;
    const trm_status status = trm_comm_check_equal(comm, value, "the configuration");
    if (size == 1) {
      CHECK_EQ(status, TRM_OK);
      continue;
    }
    /* The reference is rank 0: if that is the odd one, rank 1 is the first to differ from it. */
    char want[64];
    snprintf(want, sizeof want, "the configuration of rank %d (", odd == 0 ? 1 : odd);
    CHECK_EQ(status, TRM_ERR_CONFIG);
    CHECK_HAS(trm_message(), want);
    CHECK_HAS(trm_message(), "ffffffffffffffff");
    CHECK_HAS(trm_message(), "0000000000000011");
  }
}

/* The first fact that differs is named, with both values. */
static void check_facts(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  const char same[] = "the program\t1.0\nmodel.width\t32\n";
  CHECK_OK(trm_comm_check_same(comm, "", "nothing to do"));
  CHECK_OK(trm_comm_check_same(comm, same, "nothing to do"));
  for (int odd = 0; odd < size && size > 1; ++odd) {
    char want[512], host_a[128], host_b[128];
    const int other = odd == 0 ? 1 : odd; /* the reference is rank 0 */
    (void)snprintf(host_a, sizeof host_a, "rank 0 (%s) has ", trm_comm_host(comm, 0));
    (void)snprintf(host_b, sizeof host_b, "rank %d (%s) has ", other, trm_comm_host(comm, other));
    const bool mine = rank == odd;
    CHECK_EQ(
        trm_comm_check_same(comm, mine ? "the program\t1.0\nmodel.width\t64\n" : same, "do it"),
        TRM_ERR_CONFIG);
    (void)snprintf(want, sizeof want, "model.width: %s%s, %s%s; do it", host_a,
                   odd == 0 ? "64" : "32", host_b, odd == 0 ? "32" : "64");
    CHECK_STR(trm_message(), want);
    /* One more, one less, and several. */
    CHECK_EQ(trm_comm_check_same(comm, mine ? "the program\t1.0\n" : same, "do it"),
             TRM_ERR_CONFIG);
    CHECK_HAS(trm_message(), "not there");
    CHECK_HAS(trm_message(), "model.width: ");
    CHECK_EQ(
        trm_comm_check_same(comm, mine ? "the program\t\nmodel.width\t1\nx\ty\n" : same, "do it"),
        TRM_ERR_CONFIG);
    CHECK_HAS(trm_message(), "the program: ");
    CHECK_HAS(trm_message(), "''");
    CHECK_HAS(trm_message(), "(and 2 more differ)");
  }
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return check_verdict();
  CHECK(trm_float_mode_is_standard()); /* whatever MPI has loaded */
  for (unsigned failing = 0; failing < 1U << trm_comm_size(comm); ++failing) {
    check_failing(comm, failing);
  }
  check_long_message(comm);
  check_equality(comm);
  check_facts(comm);
  check_failing(comm, 0);
  trm_comm_finalize(&comm);
  return check_verdict();
}
