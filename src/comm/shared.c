/* Memory that the ranks of a host share: one copy a host, written by its first rank.
 *
 *     host A            rank 0   rank 1        host B   rank 2   rank 3
 *     trm_shared_take   segment <- mapped               segment <- mapped
 *                       fills    waits                  fills    waits
 *     trm_shared_settle -------- all ranks agree: who may read, reads --------
 *
 * Where a host cannot share memory (its ranks are in separate containers, descriptors or memory ran
 * out) each of its ranks has a copy of its own and fills it; other hosts do not notice. */
#include <stdatomic.h>
#include <string.h>

#include "shm.h"
#include "trireme/comm/shared.h"
#include "trireme/comm/split.h"
#include "trireme/core/memory.h"

typedef struct piece {
  struct piece *next;
  trm_shm shm;   /* without segments: private */
  void *private; /* owned; NULL: shared */
} piece;

struct trm_shared {
  trm_comm *comm; /* kept */
  trm_comm *node; /* ranks of this host */
  piece *pieces;
  int64_t bytes; /* on this host */
};

trm_status trm_shared_create(trm_comm *comm, trm_shared **out) {
  trm_shared *shared = NULL;
  *out = NULL;
  trm_status status = trm_comm_agree(comm, TRM_ALLOC(&shared, 1, "shared memory"));
  if (status == TRM_OK) status = trm_comm_split(comm, comm->places->node_first, &shared->node);
  if (status != TRM_OK) {
    TRM_FREE(shared);
    return status;
  }
  shared->comm = comm;
  *out = shared;
  return TRM_OK;
}

static void piece_destroy(piece **p) {
  if (!*p) return;
  trm_shm_release(&(*p)->shm);
  TRM_FREE((*p)->private);
  TRM_FREE(*p);
}

void trm_shared_destroy(trm_shared **shared) {
  trm_shared *s = shared ? *shared : NULL;
  if (!s) return;
  while (s->pieces) {
    piece *p = s->pieces;
    s->pieces = p->next;
    piece_destroy(&p);
  }
  trm_comm_free(&s->node);
  TRM_FREE(*shared);
}

/* One segment of the host's first rank, which the others map. Collective on the host. */
static trm_status take_shared(trm_comm *node, int64_t bytes, piece *p, bool *made) {
  const int64_t least = (int64_t)sizeof(uint64_t);
  const int64_t segment = bytes < least ? least : bytes;
  *made = false;
  if (node->size == 1) return TRM_OK;
  return trm_shm_create(node, node->rank == 0 ? segment : 0, &p->shm, made);
}

/* Collective on the host; the status is this rank's. */
static trm_status take(trm_shared *shared, int64_t bytes, const char *what, piece **out,
                       bool *made) {
  piece *p = NULL;
  *made = false;
  trm_status status = trm_comm_agree(shared->node, TRM_ALLOC(&p, 1, what));
  if (status == TRM_OK) status = take_shared(shared->node, bytes, p, made);
  if (status == TRM_OK && !*made) status = trm_alloc_bytes(&p->private, bytes, 1, what);
  *out = p;
  return status;
}

trm_status trm_shared_take(trm_shared *shared, int64_t bytes, const char *what, void **memory,
                           bool *fill) {
  piece *p = NULL;
  bool made = false;
  *memory = NULL;
  *fill = false;
  TRM_TRY(trm_comm_check_equal(shared->comm, (uint64_t)bytes, what));
  if (bytes < 0) return trm_fail(TRM_ERR_ARG, "%s: %lld bytes", what, (long long)bytes);
  trm_status status = take(shared, bytes, what, &p, &made);
  status = trm_comm_agree(shared->comm, status);
  if (status != TRM_OK) {
    piece_destroy(&p);
    return status;
  }
  p->next = shared->pieces;
  shared->pieces = p;
  shared->bytes += made ? bytes : bytes * shared->node->size;
  *memory = made ? p->shm.segments[0] : p->private;
  *fill = !made || shared->node->rank == 0;
  return TRM_OK;
}

trm_status trm_shared_settle(trm_shared *shared, trm_status status) {
  /* MPI orders messages; that what was written before is seen after them is said here. */
  atomic_thread_fence(memory_order_seq_cst);
  status = trm_comm_agree(shared->comm, status);
  atomic_thread_fence(memory_order_seq_cst);
  return status;
}

int64_t trm_shared_bytes(const trm_shared *shared) {
  return shared->bytes;
}
