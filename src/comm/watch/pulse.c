/* The channel on which ranks tell that they live.
 *
 * Invariants
 * 1. UDP, without waiting: a rank, a host or a cable that is gone cannot hold up who tells or listens.
 * 2. What counts is a datagram of the right length, kind and token, from another rank of the job, and
 *    newer than the last one of that rank; everything else is dropped, and a flood of it is read in
 *    bounded portions. The token is 16 random bytes that the ranks share by MPI at start: it keeps
 *    strangers and other jobs out, not somebody who reads the job's traffic.
 * 3. On one host the socket is bound to the loopback, else to the one address that MPI may use, or to
 *    all when there are several.
 * 4. Only the watch's thread uses it between open and close.
 *
 * Three ranks are judges: rank 0, and the lowest ones of two other hosts where there are such. Every
 * rank tells the judges, and a judge tells everybody. So a rank sends three datagrams of 96 bytes a
 * beat, a judge one to each rank. A beat is a second, and longer from 256 ranks on, so that a judge
 * sends and takes in 256 a second (invariant 2 of watch.c).
 *
 *      rank 0 (h1)  rank 1 (h1)  rank 2 (h2)  rank 3 (h3)  rank 4 (h3)
 *       judge 0                   judge 1      judge 2
 *          <------------+------------>-----------> each of these three hears all
 *
 * Where a rank can be reached is found out by telling it: at first at all addresses of its host, then
 * at the one from which it answered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trireme/core/memory.h"
#include "watch_internal.h"

enum { N_JUDGES = 3, TOKEN_BYTES = 16, PORTION = 32 };

/* An address from which nothing has come for so long is not relied on any more. */
static const double STALE_S = 5.0;

typedef enum kind { TELLS = 1, LEAVES, ENDS } kind;

typedef struct datagram {
  unsigned char magic[4];
  uint8_t kind, doing;
  char mate;
  uint8_t unused;
  unsigned char token[TOKEN_BYTES];
  uint32_t rank, beat;
  int64_t step;
  uint64_t still_ms, busy_us, clock_us;
  char phase[TRM_PHASE_BYTES];
} datagram;
_Static_assert(sizeof(datagram) == 96, "without padding");

static const unsigned char MAGIC[4] = {'T', 'R', 'M', 1};

/* What ranks tell each other by MPI at start. */
typedef struct card {
  trm_process process;
  uint16_t port; /* network byte order */
  uint16_t n;    /* 0: cannot be reached */
  uint32_t addresses[TRM_MAX_ADDRESSES];
} card;

typedef struct peer {
  card card;
  bool listens;  /* it is told */
  bool found;    /* `address` is where it is */
  uint32_t beat; /* of its last datagram */
  struct sockaddr_in address;
} peer;

struct trm_pulse {
  int socket;
  int rank, size;
  int judges[N_JUDGES], n_judges;
  unsigned char token[TOKEN_BYTES];
  uint32_t beat;
  trm_process mate; /* the next rank of this host */
  bool sees_mate;
  peer *peers;       /* [size] owned */
  trm_patient *rows; /* [size] owned */
  int *scratch;      /* [size] owned */
};

/* ---- who tells whom --------------------------------------------------------------------------- */

static bool is_judge(const trm_pulse *pulse, int rank) {
  for (int i = 0; i < pulse->n_judges; ++i) {
    if (pulse->judges[i] == rank) return true;
  }
  return false;
}

static bool has_judge(const trm_pulse *pulse, const char *host) {
  for (int i = 0; i < pulse->n_judges; ++i) {
    if (strcmp(pulse->rows[pulse->judges[i]].host, host) == 0) return true;
  }
  return false;
}

/* The lowest rank of each of the first hosts, then the lowest of the others. */
static void choose_judges(trm_pulse *pulse) {
  for (int pass = 0; pass < 2; ++pass) {
    for (int r = 0; r < pulse->size && pulse->n_judges < N_JUDGES; ++r) {
      const bool wanted = pass == 0 ? !has_judge(pulse, pulse->rows[r].host) : !is_judge(pulse, r);
      if (wanted) pulse->judges[pulse->n_judges++] = r;
    }
  }
}

/* The next rank on each rank's host, in a ring. */
static void choose_mates(trm_pulse *pulse) {
  for (int r = 0; r < pulse->size; ++r) {
    int next = r;
    do {
      next = (next + 1) % pulse->size;
    } while (strcmp(pulse->rows[next].host, pulse->rows[r].host) != 0);
    pulse->rows[r].mate = next;
  }
}

/* An address that several hosts have (a bridge of containers on each) leads nowhere. */
static bool is_shared(const trm_comm *comm, const card *cards, int rank, uint32_t address) {
  for (int r = 0; r < comm->size; ++r) {
    for (int i = 0; i < cards[r].n; ++i) {
      if (cards[r].addresses[i] != address) continue;
      if (strcmp(comm->places->hosts[r], comm->places->hosts[rank]) != 0) return true;
    }
  }
  return false;
}

static card without_shared(const trm_comm *comm, const card *cards, int rank) {
  card kept = cards[rank];
  kept.n = 0;
  for (int i = 0; i < cards[rank].n; ++i) {
    const uint32_t address = cards[rank].addresses[i];
    const bool leads_there = trm_comm_one_host(comm) || !is_shared(comm, cards, rank, address);
    if (leads_there) kept.addresses[kept.n++] = address;
  }
  return kept;
}

static void meet(trm_pulse *pulse, const trm_comm *comm, const card *cards) {
  for (int r = 0; r < pulse->size; ++r) {
    pulse->peers[r].card = without_shared(comm, cards, r);
    pulse->rows[r].number = comm->places->job_ranks[r];
    memcpy(pulse->rows[r].host, comm->places->hosts[r], TRM_HOST_BYTES);
  }
  choose_judges(pulse);
  choose_mates(pulse);
  const bool judges = is_judge(pulse, pulse->rank);
  for (int r = 0; r < pulse->size; ++r) {
    const bool pair = r != pulse->rank && (judges || is_judge(pulse, r));
    pulse->peers[r].listens = pulse->rows[r].tells = pair;
  }
}

/* Whether /proc shows the next rank of this host, which it does not in another container. */
static void look_at_mate(trm_pulse *pulse) {
  const int mate = pulse->rows[pulse->rank].mate;
  pulse->mate = pulse->peers[mate].card.process;
  pulse->sees_mate = mate != pulse->rank && trm_process_lives(&pulse->mate);
}

static char state_of_mate(const trm_pulse *pulse) {
  if (!pulse->sees_mate) return '?';
  const trm_process now = trm_process_look(pulse->mate.pid);
  return now.started == pulse->mate.started ? now.state : 'X';
}

static trm_status know_this_host(trm_pulse *pulse, trm_launch *launch) {
  for (int r = 0; r < pulse->size; ++r) {
    const trm_process *process = &pulse->peers[r].card.process;
    if (r == pulse->rank || strcmp(pulse->rows[r].host, pulse->rows[pulse->rank].host) != 0) {
      continue;
    }
    if (trm_process_lives(process)) TRM_TRY(trm_launch_add(launch, process));
  }
  return TRM_OK;
}

/* ---- open and close --------------------------------------------------------------------------- */

/* Bound, non-blocking; -1 if there can be none. Puts the port and the addresses in the card. */
static int open_socket(bool one_host, card *c) {
  const int file = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) return -1;
  c->n = 1;
  c->addresses[0] = htonl(INADDR_LOOPBACK);
  if (!one_host) c->n = (uint16_t)trm_addresses_list(c->addresses);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  if (c->n == 1) address.sin_addr.s_addr = c->addresses[0];
  socklen_t length = sizeof address;
  const int room = 1 << 20; /* of what comes between two looks; the system may give less */
  (void)setsockopt(file, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (c->n == 0 || bind(file, (struct sockaddr *)&address, sizeof address) != 0 ||
      getsockname(file, (struct sockaddr *)&address, &length) != 0) {
    (void)close(file);
    c->n = 0;
    return -1;
  }
  c->port = address.sin_port;
  return file;
}

static bool draw_token(unsigned char token[TOKEN_BYTES]) {
  return getrandom(token, TOKEN_BYTES, 0) == TOKEN_BYTES;
}

static trm_status allocate(trm_pulse **out, int size) {
  TRM_TRY(TRM_ALLOC(out, 1, "heartbeats"));
  (*out)->socket = -1;
  (*out)->size = size;
  TRM_TRY(TRM_ALLOC(&(*out)->peers, size, "heartbeats"));
  TRM_TRY(TRM_ALLOC(&(*out)->rows, size, "heartbeats"));
  return TRM_ALLOC(&(*out)->scratch, size, "heartbeats");
}

static void release(trm_pulse **pulse) {
  trm_pulse *p = *pulse;
  if (!p) return;
  if (p->socket >= 0) (void)close(p->socket);
  TRM_FREE(p->peers);
  TRM_FREE(p->rows);
  TRM_FREE(p->scratch);
  TRM_FREE(*pulse);
}

trm_status trm_pulse_open(trm_comm *comm, trm_launch *launch, trm_pulse **out) {
  trm_pulse *pulse = NULL;
  card mine = {.process = trm_process_look((int32_t)getpid())}, *cards = NULL;
  trm_status status = allocate(&pulse, comm->size);
  if (status == TRM_OK) status = TRM_ALLOC(&cards, comm->size, "heartbeats");
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  pulse->rank = comm->rank;
  pulse->socket = open_socket(trm_comm_one_host(comm), &mine);
  if (pulse->socket >= 0 && !draw_token(pulse->token)) mine.n = 0;
  TRM_TRY_OUT(trm_comm_allgather(comm, &mine, cards, sizeof mine));
  TRM_TRY_OUT(trm_comm_broadcast(comm, pulse->token, TOKEN_BYTES, 0));
  meet(pulse, comm, cards);
  look_at_mate(pulse);
  TRM_TRY_OUT(trm_comm_agree(comm, know_this_host(pulse, launch)));
  for (int r = 0; r < comm->size; ++r) {
    if (cards[r].n == 0) goto out; /* TRM_OK, and no channel */
  }
  *out = pulse;
  pulse = NULL;
out:
  TRM_FREE(cards);
  release(&pulse);
  return status;
}

/* ---- telling ---------------------------------------------------------------------------------- */

static void send_at(const trm_pulse *pulse, const datagram *d, uint32_t address, uint16_t port) {
  const struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_addr.s_addr = address, .sin_port = port};
  /* What cannot be sent is lost: the next one may get through (invariant 1). */
  (void)sendto(pulse->socket, d, sizeof *d, MSG_DONTWAIT | MSG_NOSIGNAL,
               (const struct sockaddr *)&to, sizeof to);
}

static void send_to(const trm_pulse *pulse, const datagram *d, int rank) {
  const peer *to = &pulse->peers[rank];
  if (to->found) {
    send_at(pulse, d, to->address.sin_addr.s_addr, to->address.sin_port);
    return;
  }
  for (int i = 0; i < to->card.n; ++i) {
    send_at(pulse, d, to->card.addresses[i], to->card.port);
  }
}

static datagram compose(trm_pulse *pulse, kind what) {
  datagram d = {.kind = (uint8_t)what, .rank = (uint32_t)pulse->rank, .beat = ++pulse->beat};
  memcpy(d.magic, MAGIC, sizeof d.magic);
  memcpy(d.token, pulse->token, sizeof d.token);
  return d;
}

void trm_pulse_tell(trm_pulse *pulse, const trm_vital *vital, double now_s) {
  trm_patient *row = &pulse->rows[pulse->rank];
  row->vital = *vital;
  row->vital.mate = state_of_mate(pulse);
  row->heard = true;
  row->heard_s = now_s;
  datagram d = compose(pulse, TELLS);
  d.doing = (uint8_t)vital->doing;
  d.mate = row->vital.mate;
  d.step = vital->step;
  d.still_ms = (uint64_t)(vital->still_s * 1e3);
  d.busy_us = (uint64_t)(vital->busy_s * 1e6);
  d.clock_us = (uint64_t)(vital->clock_s * 1e6);
  memcpy(d.phase, vital->phase, sizeof d.phase);
  for (int r = 0; r < pulse->size; ++r) {
    peer *to = &pulse->peers[r];
    if (pulse->rows[r].heard && now_s - pulse->rows[r].heard_s > STALE_S) to->found = false;
    if (to->listens) send_to(pulse, &d, r);
  }
}

void trm_pulse_end(trm_pulse *pulse) {
  const datagram d = compose(pulse, ENDS);
  for (int r = 0; r < pulse->size; ++r) {
    if (r != pulse->rank) send_to(pulse, &d, r);
  }
}

void trm_pulse_close(trm_pulse **pulse) {
  trm_pulse *p = *pulse;
  for (int times = 0; p && times < 3; ++times) { /* one may be lost */
    const datagram d = compose(p, LEAVES);
    for (int r = 0; r < p->size; ++r) {
      if (p->peers[r].listens) send_to(p, &d, r);
    }
  }
  release(pulse);
}

/* ---- listening -------------------------------------------------------------------------------- */

/* Every byte is looked at, so that the time says nothing about the token. */
static bool same_token(const unsigned char *a, const unsigned char *b) {
  unsigned char difference = 0;
  for (int i = 0; i < TOKEN_BYTES; ++i) difference = (unsigned char)(difference | (a[i] ^ b[i]));
  return difference == 0;
}

static bool is_ours(const trm_pulse *pulse, const datagram *d, ssize_t length) {
  return length == (ssize_t)sizeof *d && memcmp(d->magic, MAGIC, sizeof MAGIC) == 0 &&
         same_token(d->token, pulse->token) && d->rank < (uint32_t)pulse->size &&
         (int)d->rank != pulse->rank && d->kind >= TELLS && d->kind <= ENDS &&
         d->doing <= TRM_WAITS && memchr(d->phase, '\0', sizeof d->phase) &&
         d->beat > pulse->peers[d->rank].beat;
}

/* Written to a terminal later. */
static void copy_phase(char to[TRM_PHASE_BYTES], const char *from) {
  for (int i = 0; i < TRM_PHASE_BYTES; ++i) {
    to[i] = from[i] == '\0' || (from[i] >= ' ' && from[i] <= '~') ? from[i] : '?';
  }
}

static void take_in(trm_pulse *pulse, const datagram *d, const struct sockaddr_in *from,
                    double now_s) {
  peer *p = &pulse->peers[d->rank];
  trm_patient *row = &pulse->rows[d->rank];
  p->beat = d->beat;
  p->address = *from;
  p->found = true;
  row->heard = true;
  row->heard_s = now_s;
  if (d->kind == LEAVES) row->tells = row->heard = p->listens = false;
  if (d->kind != TELLS) return;
  row->vital = (trm_vital){.doing = (trm_doing)d->doing,
                           .step = d->step,
                           .still_s = (double)d->still_ms * 1e-3,
                           .busy_s = (double)d->busy_us * 1e-6,
                           .clock_s = (double)d->clock_us * 1e-6,
                           .mate = d->mate};
  copy_phase(row->vital.phase, d->phase);
}

bool trm_pulse_listen(trm_pulse *pulse, double now_s) {
  bool over = false;
  for (int left = PORTION + 4 * pulse->size; left > 0; --left) { /* invariant 2 */
    datagram d;
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    const ssize_t n = recvfrom(pulse->socket, &d, sizeof d, MSG_TRUNC | MSG_DONTWAIT,
                               (struct sockaddr *)&from, &length);
    if (n < 0 && errno != EINTR) break;
    if (n < 0 || length != sizeof from || !is_ours(pulse, &d, n)) continue;
    take_in(pulse, &d, &from, now_s);
    over = over || d.kind == ENDS;
  }
  return over;
}

/* ---- what is known ---------------------------------------------------------------------------- */

const trm_patient *trm_pulse_rows(const trm_pulse *pulse) {
  return pulse->rows;
}

int *trm_pulse_scratch(trm_pulse *pulse) {
  return pulse->scratch;
}

/* The judges in their order, then the others by rank. */
static int turn_of(const trm_pulse *pulse, int rank) {
  int turn = pulse->n_judges + rank;
  for (int i = 0; i < pulse->n_judges; ++i) {
    if (pulse->judges[i] == rank) return i;
    turn -= pulse->judges[i] < rank;
  }
  return turn;
}

int trm_pulse_turn(const trm_pulse *pulse) {
  return turn_of(pulse, pulse->rank);
}

bool trm_pulse_is_forestalled(const trm_pulse *pulse, double since_s) {
  const int turn = turn_of(pulse, pulse->rank);
  for (int i = 0; i < pulse->n_judges && i < turn; ++i) {
    const trm_patient *row = &pulse->rows[pulse->judges[i]];
    if (row->tells && row->heard && row->heard_s >= since_s) return true;
  }
  return false;
}
