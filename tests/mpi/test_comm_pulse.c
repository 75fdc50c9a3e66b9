/* The channel on which ranks tell that they live: who hears whom, and what strangers achieve. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "trireme/core/clock.h"
#include "watch_internal.h"

enum { DATAGRAM = 96, TOKEN_AT = 8, RANK_AT = 24, BEAT_AT = 28, PHASE_AT = 64 };

static double now_s;

static trm_vital vital(int64_t step) {
  trm_vital v = {.doing = TRM_WORKS, .step = step, .still_s = 0.25, .busy_s = 2};
  (void)snprintf(v.phase, sizeof v.phase, "forward and backward");
  return v;
}

/* The newest datagram socket that this process has. */
static int find_socket(struct sockaddr_in *at) {
  int found = -1;
  for (int file = 3; file < 1024; ++file) {
    int type = 0;
    socklen_t length = sizeof type;
    struct sockaddr_in address;
    socklen_t address_length = sizeof address;
    if (getsockopt(file, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_DGRAM) continue;
    if (getsockname(file, (struct sockaddr *)&address, &address_length) != 0) continue;
    if (address.sin_family != AF_INET || address.sin_port == 0) continue;
    found = file;
    *at = address;
  }
  return found;
}

static void throw_at(const struct sockaddr_in *at, const void *data, size_t n) {
  const int file = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK(file >= 0);
  CHECK_EQ(sendto(file, data, n, 0, (const struct sockaddr *)at, sizeof *at), (ssize_t)n);
  (void)close(file);
}

/* Everybody tells, then everybody has heard. */
static void check_heard(trm_comm *comm, trm_pulse *pulse, int64_t step) {
  const int size = trm_comm_size(comm), rank = trm_comm_rank(comm);
  const trm_vital mine = vital(step + rank);
  for (int times = 0; times < 3; ++times) { /* one may be lost */
    trm_pulse_tell(pulse, &mine, ++now_s);
    CHECK_OK(trm_comm_barrier(comm));
    trm_sleep_s(0.02);
    CHECK(!trm_pulse_listen(pulse, now_s));
  }
  for (int r = 0; r < size; ++r) {
    const trm_patient *row = &trm_pulse_rows(pulse)[r];
    const bool told = r == rank || r < 3 || rank < 3; /* three ranks judge */
    CHECK_EQ(row->heard, told);
    if (!told) continue;
    CHECK_EQ(row->vital.step, step + r);
    CHECK(strcmp(row->vital.phase, "forward and backward") == 0);
    if (r != rank) CHECK(row->tells);
    if (size > 1) CHECK(strchr("RSD", row->vital.mate) != NULL);
  }
  CHECK_OK(trm_comm_barrier(comm));
}

/* What a stranger, or a broken peer, sends to rank 0: nothing of it is taken in. */
static void check_strangers(trm_comm *comm, trm_pulse *pulse) {
  unsigned char real[DATAGRAM], bad[2 * DATAGRAM] = {0};
  struct sockaddr_in at;
  if (trm_comm_size(comm) == 1) return;
  const trm_vital mine = vital(1000);
  trm_pulse_tell(pulse, &mine, ++now_s);
  CHECK_OK(trm_comm_barrier(comm));
  trm_sleep_s(0.05);
  if (trm_comm_rank(comm) == 0) {
    const int file = find_socket(&at);
    CHECK(file >= 0);
    CHECK_EQ(at.sin_addr.s_addr, htonl(INADDR_LOOPBACK)); /* one host: nobody else can send */
    CHECK_EQ(recv(file, real, sizeof real, 0), DATAGRAM); /* taken away from the channel */
    CHECK(!trm_pulse_listen(pulse, now_s));
    uint32_t sender = 0;
    memcpy(&sender, real + RANK_AT, sizeof sender);
    const trm_vital before = trm_pulse_rows(pulse)[sender].vital;
#define THROW(length, change)                                                                      \
  do {                                                                                             \
    memcpy(bad, real, sizeof real);                                                                \
    change;                                                                                        \
    throw_at(&at, bad, length);                                                                    \
  } while (0)
    THROW(0, (void)0);
    THROW(DATAGRAM - 1, (void)0);
    THROW(2 * DATAGRAM, (void)0);
    THROW(DATAGRAM, bad[0] ^= 1);
    for (int i = 0; i < 16; ++i) THROW(DATAGRAM, bad[TOKEN_AT + i] ^= 0x80);
    THROW(DATAGRAM, bad[4] = 0);                      /* kind */
    THROW(DATAGRAM, bad[4] = 9);                      /* kind */
    THROW(DATAGRAM, bad[5] = 77);                     /* doing */
    THROW(DATAGRAM, memset(bad + RANK_AT, 0, 4));     /* itself */
    THROW(DATAGRAM, memset(bad + RANK_AT, 0xff, 4));  /* no rank */
    THROW(DATAGRAM, memset(bad + BEAT_AT, 0, 4));     /* an old one */
    THROW(DATAGRAM, memset(bad + PHASE_AT, 'x', 32)); /* no end */
    trm_sleep_s(0.05);
    CHECK(!trm_pulse_listen(pulse, now_s));
    const trm_patient *row = &trm_pulse_rows(pulse)[sender];
    CHECK_EQ(row->vital.step, before.step);
    /* The same as it came is good, once, and what would upset a terminal is replaced. */
    THROW(DATAGRAM, bad[PHASE_AT] = 27);
    THROW(DATAGRAM, bad[PHASE_AT] = 'f');
    trm_sleep_s(0.05);
    CHECK(!trm_pulse_listen(pulse, now_s));
    CHECK_EQ(row->vital.step, 1000);
    CHECK_EQ(row->vital.phase[0], '?');
    /* The end of a job cannot be forged without the token. */
    THROW(DATAGRAM, (bad[4] = 3, bad[TOKEN_AT] ^= 1, memset(bad + BEAT_AT, 0x7f, 4)));
    trm_sleep_s(0.05);
    CHECK(!trm_pulse_listen(pulse, now_s));
  }
  CHECK_OK(trm_comm_barrier(comm));
}

/* Who leaves is not missed; who ends the job is heard by all. */
static void check_ends(trm_comm *comm, trm_pulse **pulse) {
  const int size = trm_comm_size(comm), rank = trm_comm_rank(comm);
  CHECK_OK(trm_comm_barrier(comm));
  if (rank == size - 1) trm_pulse_end(*pulse);
  CHECK_OK(trm_comm_barrier(comm));
  trm_sleep_s(0.05);
  CHECK_EQ(trm_pulse_listen(*pulse, now_s), rank != size - 1);
  CHECK_OK(trm_comm_barrier(comm));
  if (rank == size - 1) trm_pulse_close(pulse);
  CHECK_OK(trm_comm_barrier(comm));
  trm_sleep_s(0.05);
  if (rank == size - 1) return;
  (void)trm_pulse_listen(*pulse, now_s);
  CHECK(!trm_pulse_rows(*pulse)[size - 1].tells);
  CHECK(!trm_pulse_rows(*pulse)[size - 1].heard);
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  trm_pulse *pulse = NULL;
  trm_launch launch = {0};
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return 1;
  CHECK_OK(trm_launch_find(&launch));
  CHECK(trm_comm_size(comm) == 1 || launch.has_launcher);
  CHECK_OK(trm_pulse_open(comm, &launch, &pulse));
  if (CHECK(pulse)) {
    check_heard(comm, pulse, 100);
    check_strangers(comm, pulse);
    check_heard(comm, pulse, 2000);
    CHECK_EQ(trm_pulse_turn(pulse), trm_comm_rank(comm));
    CHECK_EQ(trm_pulse_is_forestalled(pulse, now_s - 1), trm_comm_rank(comm) > 0);
    CHECK(!trm_pulse_is_forestalled(pulse, now_s + 1));
    if (trm_comm_size(comm) > 1) check_ends(comm, &pulse);
  }
  trm_pulse_close(&pulse);
  trm_launch_release(&launch);
  trm_comm_finalize(&comm);
  return check_verdict();
}
