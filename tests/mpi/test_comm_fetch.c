/* Fetches against what every rank can work out for itself: the row of a node holds bytes that follow
 * from its id. With and without a cache, whose content a plain selection predicts; ranks late by
 * chance; groups of rows and messages cut small; one rank's mistake heard of by all. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/comm/fetch.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"

enum { LEARN = 32 }; /* fetches whose questions decide what the cache keeps */
/* Of 4 KiB: more rows than travel together between any two of four ranks. */
enum { N_MANY = 9001 };

static uint64_t draw(uint64_t seed, uint64_t a, uint64_t b) {
  return trm_mix64(trm_mix64(seed * 7919 + a) + b);
}

static unsigned char byte_of(int32_t id, int64_t j) {
  return (unsigned char)(id * 131 + j * 7 + id / 256 + j / 256);
}

/* A world of nodes, the same on all ranks, and this rank's rows. */
typedef struct world {
  int32_t n;
  int64_t width;
  int32_t *owner;
  int64_t *place;
  unsigned char *own;
} world;

static void world_make(world *w, int rank, int size, int32_t n, int64_t width, bool lopsided) {
  int64_t n_of[16] = {0};
  *w = (world){.n = n, .width = width};
  CHECK_OK(TRM_ALLOC(&w->owner, n, "test"));
  CHECK_OK(TRM_ALLOC(&w->place, n, "test"));
  for (int32_t i = 0; i < n; ++i) {
    w->owner[i] = (int)(draw(1, 2, (uint64_t)i) % (uint64_t)size);
    if (lopsided && w->owner[i] > 0) w->owner[i] = size - 1; /* ranks between have none */
    w->place[i] = n_of[w->owner[i]]++;
  }
  CHECK_OK(trm_alloc_bytes((void **)&w->own, n_of[rank], (size_t)width, "test"));
  for (int32_t i = 0; i < n; ++i) {
    if (w->owner[i] != rank) continue;
    for (int64_t j = 0; j < width; ++j) w->own[w->place[i] * width + j] = byte_of(i, j);
  }
}

static void world_free(world *w) {
  TRM_FREE(w->owner);
  TRM_FREE(w->place);
  TRM_FREE(w->own);
}

static trm_fetch_options options_of(const world *w, int64_t cache_bytes) {
  return (trm_fetch_options){.row_bytes = w->width,
                             .owner = w->owner,
                             .place = w->place,
                             .n_nodes = w->n,
                             .own_rows = w->own,
                             .cache_bytes = cache_bytes,
                             .max_rows = w->n};
}

/* Nodes of fetch k of a rank: some nodes are asked for more often; every seventh fetch is empty. */
static int64_t nodes_of(const world *w, int rank, int64_t k, int32_t *nodes) {
  int64_t n = 0;
  const uint64_t seed = (uint64_t)k * 16 + (uint64_t)rank;
  for (int32_t i = 0; w->n == N_MANY && i < w->n; ++i) nodes[n++] = i;
  if (n > 0 || draw(seed, 9, 0) % 7 == 0) return n;
  for (int32_t i = 0; i < w->n; ++i) {
    if (draw(seed, 10, (uint64_t)i) % (uint64_t)(2 + i % 9) == 0) nodes[n++] = i;
  }
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = (int64_t)(draw(seed, 11, (uint64_t)i) % (uint64_t)(i + 1));
    const int32_t t = nodes[i];
    nodes[i] = nodes[j];
    nodes[j] = t;
  }
  return n;
}

/* What the cache should do. */
typedef struct model {
  int64_t *asked;
  bool *chosen, *kept;
  int64_t room;
} model;

static void model_choose(model *m, const world *w) {
  for (int64_t s = 0; s < m->room; ++s) {
    int32_t best = -1;
    for (int32_t i = 0; i < w->n; ++i) {
      if (m->chosen[i] || m->asked[i] == 0) continue;
      if (best < 0 || m->asked[i] > m->asked[best]) best = i;
    }
    if (best >= 0) m->chosen[best] = true;
  }
}

static void model_count(model *m, const world *w, int rank, int64_t k, const int32_t *nodes,
                        int64_t n, trm_fetch_counts *want) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t id = nodes[i];
    ++want->asked;
    if (w->owner[id] == rank) {
      ++want->own;
    } else if (m->kept[id]) {
      ++want->cached;
    } else {
      ++want->fetched;
    }
    if (w->owner[id] != rank && k < LEARN) ++m->asked[id];
  }
  if (k == LEARN - 1) model_choose(m, w);
  for (int64_t i = 0; i < n; ++i) m->kept[nodes[i]] = m->chosen[nodes[i]];
}

static int64_t wrong_bytes(const world *w, const int32_t *nodes, int64_t n,
                           const unsigned char *out) {
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < w->width; ++j) {
      n_wrong += out[i * w->width + j] != byte_of(nodes[i], j);
    }
  }
  return n_wrong;
}

/* Polls and naps by chance between start and finish. */
static void run_one(trm_fetch *fetch, int rank, int64_t k, bool naps, const int32_t *nodes,
                    int64_t n, unsigned char *out) {
  const uint64_t chance = draw((uint64_t)k, 20, (uint64_t)rank);
  if (naps && chance % 5 == 0) trm_sleep_s(0.002);
  CHECK_OK(trm_fetch_start(fetch, nodes, n, out));
  for (uint64_t i = 0; i < chance % 4; ++i) {
    CHECK_OK(trm_fetch_poll(fetch));
    if (naps && chance % 3 == 0) trm_sleep_s(0.001);
  }
  CHECK_OK(trm_fetch_finish(fetch));
  CHECK_OK(trm_fetch_poll(fetch)); /* of nothing */
}

static void check_fetches(trm_comm *comm, int32_t n, int64_t width, int64_t cache_rows,
                          int64_t n_fetches) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  world w;
  model m = {.room = cache_rows};
  trm_fetch *fetch = NULL;
  trm_fetch_counts want = {0};
  int32_t *nodes = NULL;
  unsigned char *out = NULL;
  world_make(&w, rank, size, n, width, n % 2 == 0);
  CHECK_OK(TRM_ALLOC(&m.asked, n, "test"));
  CHECK_OK(TRM_ALLOC(&m.chosen, n, "test"));
  CHECK_OK(TRM_ALLOC(&m.kept, n, "test"));
  CHECK_OK(TRM_ALLOC(&nodes, n, "test"));
  CHECK_OK(trm_alloc_bytes((void **)&out, n, (size_t)width, "test"));
  /* Rows that do not fit in whole are not kept. */
  const trm_fetch_options o = options_of(&w, cache_rows * width + width / 2);
  CHECK_OK(trm_fetch_create(comm, &o, &fetch));
  const int64_t blocks = trm_alloc_counts_get().total_blocks;
  for (int64_t k = 0; fetch && k < n_fetches; ++k) {
    const int64_t n_asked = nodes_of(&w, rank, k, nodes);
    memset(out, 0xEE, (size_t)(n * width));
    run_one(fetch, rank, k, n_fetches > 1 && width < 100, nodes, n_asked, out);
    CHECK_EQ(wrong_bytes(&w, nodes, n_asked, out), 0);
    model_count(&m, &w, rank, k, nodes, n_asked, &want);
  }
  CHECK_EQ(trm_alloc_counts_get().total_blocks, blocks);
  const trm_fetch_counts got = trm_fetch_count(fetch);
  CHECK_EQ(got.asked, want.asked);
  CHECK_EQ(got.own, want.own);
  CHECK_EQ(got.cached, want.cached);
  CHECK_EQ(got.fetched, want.fetched);
  /* What all send is what all fetched, and the ids. */
  double sums[2] = {(double)got.bytes, (double)(got.fetched * (width + 4))};
  CHECK_OK(trm_comm_sum_f64(comm, sums, 2));
  CHECK_NEAR(sums[0], sums[1], 0);
  if (size > 1 && cache_rows > 10 && n > 100 && n_fetches > 2 * LEARN) CHECK(got.cached > 0);
  trm_fetch_destroy(&fetch);
  CHECK(!fetch);
  TRM_FREE(m.asked);
  TRM_FREE(m.chosen);
  TRM_FREE(m.kept);
  TRM_FREE(nodes);
  TRM_FREE(out);
  world_free(&w);
}

/* One rank asks for what is not there: that fetch fails alike on all ranks, the next is good. */
static void check_mistakes(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  world w;
  trm_fetch *fetch = NULL;
  unsigned char out[40 * 3];
  int32_t nodes[41];
  char want[64];
  world_make(&w, rank, size, 40, 3, false);
  w.owner[7] = -1; /* nobody has it */
  for (int32_t i = 0; i < 40; ++i) nodes[i] = i < 7 ? i : i + 1;
  const trm_fetch_options o = options_of(&w, 30);
  CHECK_OK(trm_fetch_create(comm, &o, &fetch));
  const int32_t bad[] = {-1, 40, 7};
  for (int b = 0; fetch && b < 3; ++b) {
    for (int who = 0; who < size; ++who) {
      const int32_t good = nodes[11];
      if (rank >= who) nodes[11] = bad[b]; /* several ranks: the lowest one speaks */
      CHECK_OK(trm_fetch_start(fetch, nodes, 39, out));
      CHECK_EQ(trm_fetch_finish(fetch), TRM_ERR_ARG);
      (void)snprintf(want, sizeof want, "fetch of node %d", (int)bad[b]);
      CHECK_HAS(trm_message(), want);
      (void)snprintf(want, sizeof want, "rank %d (", who);
      if (size > 1) CHECK_HAS(trm_message(), want);
      nodes[11] = good;
      CHECK_OK(trm_fetch_start(fetch, nodes, 39, out));
      CHECK_OK(trm_fetch_finish(fetch));
      CHECK_EQ(wrong_bytes(&w, nodes, 39, out), 0);
    }
  }
  CHECK_OK(trm_fetch_start(fetch, nodes, rank == size - 1 ? 41 : 5, out));
  CHECK_EQ(trm_fetch_finish(fetch), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "fetch of 41 rows");
  /* One node again and again: more rows than its owner has. */
  for (int32_t i = 0; i < 39; ++i) nodes[i] = 9;
  const bool asks = rank != w.owner[9];
  CHECK_OK(trm_fetch_start(fetch, nodes, asks ? 39 : 0, out));
  CHECK_EQ(trm_fetch_finish(fetch), size > 1 ? TRM_ERR_ARG : TRM_OK);
  if (size > 1) CHECK_HAS(trm_message(), "asked twice");
  trm_fetch_destroy(&fetch);
  world_free(&w);
}

static void check_bad_options(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  world w;
  trm_fetch *fetch = NULL;
  world_make(&w, rank, size, 10, 4, false);
  trm_fetch_options o = options_of(&w, 0);
  o.row_bytes = rank == size - 1 ? 0 : 4;
  CHECK_EQ(trm_fetch_create(comm, &o, &fetch), TRM_ERR_ARG);
  o = options_of(&w, 0);
  const int owner = w.owner[3];
  w.owner[3] = rank == 0 ? size : owner;
  CHECK_EQ(trm_fetch_create(comm, &o, &fetch), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "node 3");
  w.owner[3] = owner;
  w.place[2] += rank == size - 1 ? 1 : 0;
  CHECK_EQ(trm_fetch_create(comm, &o, &fetch), size > 1 ? TRM_ERR_CONFIG : TRM_OK);
  CHECK_EQ(!fetch, size > 1);
  trm_fetch_destroy(&fetch);
  world_free(&w);
}

/* Ranks that leave while some of them are one fetch ahead. */
static void check_leaving(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  world w;
  unsigned char out[20 * 5];
  int32_t nodes[20];
  world_make(&w, rank, size, 20, 5, false);
  for (int32_t i = 0; i < 20; ++i) nodes[i] = i;
  const trm_fetch_options o = options_of(&w, 0);
  for (int ahead = 0; ahead <= size; ++ahead) {
    trm_fetch *fetch = NULL;
    CHECK_OK(trm_fetch_create(comm, &o, &fetch));
    CHECK_OK(trm_fetch_start(fetch, nodes, 20, out));
    if (rank < ahead) {
      CHECK_OK(trm_fetch_finish(fetch));
      CHECK_OK(trm_fetch_start(fetch, nodes, 20, out));
    }
    trm_fetch_destroy(&fetch);
  }
  world_free(&w);
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL, *cut = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return check_verdict();
  const int64_t live = trm_alloc_counts_get().live_blocks;
  static const int32_t sizes[] = {0, 1, 2, 5, 301};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s) {
    check_fetches(comm, sizes[s], 1, 0, 8);
    check_fetches(comm, sizes[s], 13, 3, 80);
    check_fetches(comm, sizes[s], 4, 50, 80);
    check_fetches(comm, sizes[s], 4096, 1000, 40);
  }
  check_fetches(comm, 300, 7, 20, 80);
  check_fetches(comm, N_MANY, 4096, 0, 1);
  check_mistakes(comm);
  check_bad_options(comm);
  check_leaving(comm);
  CHECK_OK(trm_comm_dup(comm, &cut));
  trm_comm_limit_message(cut, 1000);
  check_fetches(cut, 301, 517, 7, 40);
  trm_comm_limit_message(cut, 8);
  check_fetches(cut, 33, 37, 4, 40);
  check_mistakes(cut);
  trm_comm_free(&cut);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  trm_comm_finalize(&comm);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
