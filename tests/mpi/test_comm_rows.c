/* Halos and shared rows against what every rank can work out for itself: row `id` holds bytes that
 * follow from (id, round). Patterns are random, lopsided, empty; by window and by messages, whole and
 * cut. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/comm/halo.h"
#include "trireme/comm/rows_share.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

enum { MAX_RANKS = 8 };

/* The nodes of a pattern and who has them; the same on every rank. */
typedef struct nodes {
  int32_t n;
  int *owner; /* [n]; -1: nobody */
  uint64_t seed;
  int mode;
} nodes;

enum { EVEN, LOPSIDED, OWN_TOO, N_MODES };

static uint64_t draw(uint64_t seed, uint64_t a, uint64_t b) {
  return trm_mix64(trm_mix64(seed * 7919 + a) + b);
}

static int owner_of(const nodes *g, int32_t id, int size) {
  const uint64_t bits = draw(g->seed, 1, (uint64_t)id);
  if (g->mode == LOPSIDED) return bits % 8 == 0 ? 0 : size - 1; /* ranks between have none */
  return (int)(bits % (uint64_t)size);
}

static void nodes_make(nodes *g, int32_t n, uint64_t seed, int mode, int size) {
  *g = (nodes){.n = n, .seed = seed, .mode = mode};
  CHECK_OK(TRM_ALLOC(&g->owner, n, "test"));
  for (int32_t i = 0; i < n; ++i) g->owner[i] = owner_of(g, i, size);
}

/* Whether `rank` needs row `id` of another. Lopsided: rank 0 takes all, the last takes none. */
static bool needs(const nodes *g, int rank, int32_t id, int size) {
  if (g->mode == LOPSIDED && rank == 0) return true;
  if (g->mode == LOPSIDED && rank == size - 1) return false;
  return draw(g->seed, 100 + (uint64_t)rank, (uint64_t)id) % 3 == 0;
}

static unsigned char byte_of(int32_t id, int64_t j, int64_t round) {
  return (unsigned char)draw((uint64_t)round, (uint64_t)id, (uint64_t)j);
}

typedef struct pattern {
  int32_t *own, *halo;
  int64_t n_own, n_halo, from[MAX_RANKS + 1];
} pattern;

static void swap_ids(int32_t *ids, int64_t n, uint64_t seed) {
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = (int64_t)(draw(seed, 3, (uint64_t)i) % (uint64_t)(i + 1));
    const int32_t t = ids[i];
    ids[i] = ids[j];
    ids[j] = t;
  }
}

static void pattern_make(const nodes *g, int rank, int size, pattern *p) {
  *p = (pattern){0};
  CHECK_OK(TRM_ALLOC(&p->own, g->n, "test"));
  CHECK_OK(TRM_ALLOC(&p->halo, g->n, "test"));
  for (int32_t i = 0; i < g->n; ++i) {
    if (g->owner[i] == rank) p->own[p->n_own++] = i;
  }
  for (int r = 0; r < size; ++r) {
    for (int32_t i = 0; i < g->n; ++i) {
      if (r == rank && g->mode != OWN_TOO) continue;
      if (g->owner[i] == r && needs(g, rank, i, size)) p->halo[p->n_halo++] = i;
    }
    p->from[r + 1] = p->n_halo;
    swap_ids(p->halo + p->from[r], p->n_halo - p->from[r], g->seed + 5);
  }
  swap_ids(p->own, p->n_own, g->seed + (uint64_t)rank);
}

static void pattern_free(pattern *p) {
  TRM_FREE(p->own);
  TRM_FREE(p->halo);
}

static int32_t id_of(const pattern *p, int64_t row) {
  return row < p->n_own ? p->own[row] : p->halo[row - p->n_own];
}

static void check_exchange(trm_halo *halo, const pattern *p, int64_t width, int64_t round) {
  unsigned char *rows = NULL;
  const int64_t n = p->n_own + p->n_halo;
  CHECK_OK(trm_alloc_bytes((void **)&rows, n * width + 1, 1, "test"));
  memset(rows, 0xA5, (size_t)(n * width + 1));
  for (int64_t i = 0; i < p->n_own; ++i) {
    for (int64_t j = 0; j < width; ++j) rows[i * width + j] = byte_of(p->own[i], j, round);
  }
  CHECK_OK(trm_halo_exchange(halo, rows, width));
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      n_wrong += rows[i * width + j] != byte_of(id_of(p, i), j, round);
    }
  }
  CHECK_EQ(n_wrong, 0);
  CHECK_EQ(rows[n * width], 0xA5);
  TRM_FREE(rows);
}

/* Rows this rank gives away. */
static int64_t n_given(const nodes *g, int rank, int size) {
  int64_t n = 0;
  for (int r = 0; r < size; ++r) {
    for (int32_t i = 0; i < g->n; ++i)
      n += r != rank && g->owner[i] == rank && needs(g, r, i, size);
  }
  return n;
}

static void check_pattern(trm_comm *comm, int32_t n, uint64_t seed, int mode) {
  static const int64_t widths[] = {1, 4, 0, 7, 256, 4096, 4, 12};
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  nodes g;
  pattern p;
  trm_halo *halo = NULL;
  nodes_make(&g, n, seed, mode, size);
  pattern_make(&g, rank, size, &p);
  CHECK_OK(trm_halo_create(comm, p.own, p.n_own, p.halo, p.from, &halo));
  if (!halo) return;
  int64_t bytes = 0;
  for (size_t w = 0; w < sizeof widths / sizeof *widths; ++w) {
    for (int64_t round = 0; round < 4; ++round) {
      check_exchange(halo, &p, widths[w], round + 10 * (int64_t)w);
      bytes += widths[w];
    }
  }
  CHECK_EQ(trm_halo_bytes(halo), bytes * n_given(&g, rank, size));
  const int64_t total = trm_alloc_counts_get().total_blocks;
  CHECK_OK(trm_halo_exchange(halo, p.n_own + p.n_halo > 0 ? p.own : NULL, 0));
  CHECK_EQ(trm_alloc_counts_get().total_blocks, total);
  CHECK_EQ(trm_halo_exchange(halo, NULL, -1), TRM_ERR_ARG);
  trm_halo_destroy(&halo);
  CHECK(!halo);
  pattern_free(&p);
  TRM_FREE(g.owner);
}

/* After the first exchange of a width, or once it has been reserved, nothing is allocated. */
static void check_no_allocation(trm_comm *comm, bool reserved) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  const int32_t own[1] = {rank}, other[1] = {(rank + 1) % size};
  int64_t from[MAX_RANKS + 1] = {0};
  trm_halo *halo = NULL;
  for (int r = other[0]; r < size; ++r) from[r + 1] = 1;
  CHECK_OK(trm_halo_create(comm, own, 1, other, from, &halo)); /* one rank: its own row */
  if (!halo) return;
  int64_t rows[2][4];
  if (reserved) CHECK_OK(trm_halo_reserve(halo, sizeof rows[0]));
  int64_t before = trm_alloc_counts_get().total_blocks;
  for (int round = 0; round < 50; ++round) {
    for (int j = 0; j < 4; ++j) rows[0][j] = rank * 1000 + j + round;
    CHECK_OK(trm_halo_exchange(halo, rows, round % 2 ? 32 : sizeof rows[0]));
    for (int j = 0; j < 4; ++j) CHECK_EQ(rows[1][j], other[0] * 1000 + j + round);
    if (round == 0 && !reserved) before = trm_alloc_counts_get().total_blocks;
  }
  CHECK_EQ(trm_alloc_counts_get().total_blocks, before);
  trm_halo_destroy(&halo);
}

/* Every rank hears of one rank's mistake, and the communicator is as good as before. */
static void check_errors(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  const int32_t own[2] = {2 * rank, 2 * rank + 1}, twice[2] = {2 * rank, 2 * rank};
  int32_t other[1] = {rank == size - 1 ? 2 * size : 0}; /* nobody has 2 size; 0 is rank 0's */
  int64_t from[MAX_RANKS + 1] = {0};
  trm_halo *halo = NULL;
  for (int r = 0; r < size; ++r) from[r + 1] = 1; /* of rank 0 */
  CHECK_EQ(trm_halo_create(comm, own, 2, other, from, &halo), TRM_ERR_ARG);
  CHECK(!halo);
  char want[64];
  (void)snprintf(want, sizeof want, "rank %d asks for row %d", size - 1, 2 * size);
  CHECK_HAS(trm_message(), want);
  if (size > 1) CHECK_HAS(trm_message(), "rank 0 (");
  other[0] = 1;
  CHECK_EQ(trm_halo_create(comm, rank == 0 ? twice : own, 2, other, from, &halo), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "row 0 is twice");
  if (rank == size - 1) from[size] = -1;
  CHECK_EQ(trm_halo_create(comm, own, 2, other, from, &halo), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "must follow each other");
  CHECK_OK(trm_comm_barrier(comm));
}

static void check_share(trm_comm *comm, int64_t n, int64_t width, int mode) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  int64_t from[MAX_RANKS + 1] = {0};
  for (int r = 0; r < size; ++r) {
    from[r + 1] = mode == LOPSIDED ? (r == size - 1 ? n : n / 8) : n * (r + 1) / size;
  }
  unsigned char *rows = NULL;
  CHECK_OK(trm_alloc_bytes((void **)&rows, n * width + 1, 1, "test"));
  memset(rows, 0x5A, (size_t)(n * width + 1));
  for (int64_t i = from[rank]; i < from[rank + 1]; ++i) {
    for (int64_t j = 0; j < width; ++j) rows[i * width + j] = byte_of((int32_t)i, j, 9);
  }
  CHECK_OK(trm_rows_share(comm, rows, from, width));
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      n_wrong += rows[i * width + j] != byte_of((int32_t)i, j, 9);
    }
  }
  CHECK_EQ(n_wrong, 0);
  CHECK_EQ(rows[n * width], 0x5A);
  from[size / 2] = n + 5;
  from[size] = n;
  if (size > 1) CHECK_EQ(trm_rows_share(comm, rows, from, width), TRM_ERR_ARG);
  TRM_FREE(rows);
}

static void check_all(trm_comm *comm, int32_t most) {
  static const int32_t sizes[] = {0, 1, 2, 3, 17, 200};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s) {
    if (sizes[s] > most) continue;
    for (int mode = 0; mode < N_MODES; ++mode) check_pattern(comm, sizes[s], s * 10 + 3, mode);
    for (int mode = 0; mode < N_MODES; ++mode) {
      check_share(comm, sizes[s], 1, mode);
      check_share(comm, sizes[s], 37, mode);
      check_share(comm, sizes[s], 4096, mode);
    }
  }
  check_no_allocation(comm, false);
  check_no_allocation(comm, true);
  check_errors(comm);
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL, *apart = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return check_verdict();
  const int64_t live = trm_alloc_counts_get().live_blocks;
  check_all(comm, 200);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  /* From here on as if on two hosts: by messages. */
  trm_comm_pretend_hosts(comm, 2);
  check_all(comm, 200);
  CHECK_OK(trm_comm_dup(comm, &apart));
  trm_comm_limit_message(apart, 1000);
  check_all(apart, 17);
  trm_comm_limit_message(apart, 8);
  check_all(apart, 3);
  trm_comm_free(&apart);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  trm_comm_finalize(&comm);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
