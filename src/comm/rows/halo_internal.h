/** What the files of the halo share: halo.c (pattern, messages), halo_window.c (shared memory). */
#ifndef TRIREME_COMM_HALO_INTERNAL_H
#define TRIREME_COMM_HALO_INTERNAL_H

#include "comm_internal.h"
#include "shm.h"
#include "trireme/comm/halo.h"

typedef struct trm_halo_window trm_halo_window;

struct trm_halo {
  trm_comm *comm; /* kept */
  int64_t n_own;
  int64_t *from;      /* [size + 1] rows past the own ones that each rank gives */
  int64_t *give_from; /* [size + 1] of `give` */
  int32_t *give;      /* [give_from[size]] own rows that each rank takes, in its order */
  int64_t *place;     /* [size] where in what that rank gives mine begin, in rows */
  int64_t most_bytes; /* widest row there is room for */
  int64_t sent_bytes;
  /* One of the two ways, once there is a width. */
  trm_halo_window *window;
  unsigned char *packed; /* [give_from[size], most_bytes] owned */
  MPI_Request *requests; /* owned */
};

static inline int64_t trm_halo_takes(const trm_halo *halo, int from) {
  return halo->from[from + 1] - halo->from[from];
}
static inline int64_t trm_halo_gives(const trm_halo *halo, int to) {
  return halo->give_from[to + 1] - halo->give_from[to];
}
/** Own rows for rank `to`, one after another. */
void trm_halo_pack(const trm_halo *halo, const unsigned char *rows, int64_t row_bytes, int to,
                   unsigned char *packed);

/** Room for rows of `row_bytes`. Sets halo->window on all ranks or on none. Collective. */
trm_status trm_halo_window_create(trm_halo *halo, int64_t row_bytes);
void trm_halo_window_destroy(trm_halo_window **window);
void trm_halo_window_exchange(trm_halo *halo, unsigned char *rows, int64_t row_bytes);

#endif
