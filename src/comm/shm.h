/** Memory shared by the ranks of one host. */
#ifndef TRIREME_COMM_SHM_H
#define TRIREME_COMM_SHM_H

#include "comm_internal.h"

typedef struct trm_shm {
  int n_segments;
  int64_t *bytes;           /* [n_segments] */
  unsigned char **segments; /* [n_segments] mapped here; page aligned; NULL: empty */
} trm_shm;

/**
 * Maps a segment of `bytes` zeroed bytes (may differ by rank) of every rank into every rank.
 * Collective. Sets *made on all ranks or on none: when memory cannot be shared between all ranks
 * *made is false and nothing is kept, which is no failure. The first 8 bytes of a segment are used
 * by its rank until this has returned there. 0 bytes: that rank has none.
 */
trm_status trm_shm_create(trm_comm *comm, int64_t bytes, trm_shm *shm, bool *made);
/** Not collective, but nobody may use this rank's mapping any more. */
void trm_shm_release(trm_shm *shm);

#endif
