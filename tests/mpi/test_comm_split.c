/* Groups of ranks: who is in them, their collectives, agreements and messages, while other groups do
 * something else; what the whole hears of them afterwards. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/comm/halo.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/split.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"

/* Ranks of `comm` with a color, before rank r. */
static int n_before(const int *colors, int r, int color) {
  int n = 0;
  for (int q = 0; q < r; ++q) n += colors[q] == color;
  return n;
}

static void check_identity(trm_comm *comm, trm_comm *group, const int *colors) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  const int n = n_before(colors, size, colors[rank]);
  CHECK_EQ(trm_comm_size(group), n);
  CHECK_EQ(trm_comm_rank(group), n_before(colors, rank, colors[rank]));
  CHECK_EQ(trm_comm_node_size(group), n);
  CHECK_EQ(trm_comm_node_rank(group), trm_comm_rank(group));
  CHECK(trm_comm_one_host(group));
  CHECK_EQ(trm_comm_thread_level(group), trm_comm_thread_level(comm));
  for (int r = 0; r < n; ++r) CHECK_STR(trm_comm_host(group, r), trm_comm_host(comm, rank));
}

/* Groups do different numbers of everything. */
static void check_work(trm_comm *group, int color) {
  const int rank = trm_comm_rank(group), size = trm_comm_size(group);
  for (int i = 0; i < 3 + 5 * color; ++i) {
    double sum = rank + 100 * color + i;
    CHECK_OK(trm_comm_sum_f64(group, &sum, 1));
    CHECK_NEAR(sum, size * (size - 1) / 2 + size * (100 * color + i), 0);
    int told = rank == size - 1 ? color * 7 + i : -1;
    CHECK_OK(trm_comm_broadcast(group, &told, sizeof told, size - 1));
    CHECK_EQ(told, color * 7 + i);
    CHECK_OK(trm_comm_check_equal(group, (uint64_t)color, "the color"));
    trm_watch_phase(group, "a phase", i);
  }
}

static void check_sum(trm_comm *group, int color, bool window) {
  const trm_reducer_options o = {
      .engine = "ring", .n_blocks = 8, .n_elements = 1000 + 100 * color, .shared_window = window};
  trm_reducer *reducer = NULL;
  if (!CHECK_OK(trm_reducer_create(group, &o, &reducer))) return;
  float *sum = trm_reducer_slot(reducer, 0);
  for (int64_t i = 0; i < o.n_elements; ++i) sum[i] = (float)(i + color);
  CHECK_OK(trm_reducer_run(reducer));
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < o.n_elements; ++i) {
    n_wrong += sum[i] != (float)((i + color) * trm_comm_size(group));
  }
  CHECK_EQ(n_wrong, 0);
  trm_reducer_destroy(&reducer);
}

/* Each rank has a row and needs those of the others of its group. */
static void check_halo(trm_comm *group, int color) {
  const int rank = trm_comm_rank(group), size = trm_comm_size(group);
  int32_t own[1] = {rank}, others[8];
  int64_t from[9] = {0}, rows[9][3] = {{0}};
  trm_halo *halo = NULL;
  for (int r = 0; r < size; ++r) {
    from[r + 1] = from[r];
    if (r != rank) others[from[r + 1]++] = r;
  }
  CHECK_OK(trm_halo_create(group, own, 1, others, from, &halo));
  for (int round = 0; halo && round < 10 + color; ++round) {
    for (int j = 0; j < 3; ++j) rows[0][j] = color * 1000 + rank * 10 + j + round;
    CHECK_OK(trm_halo_exchange(halo, rows, sizeof rows[0]));
    for (int64_t i = 0; i < from[size]; ++i) {
      CHECK_EQ(rows[1 + i][2], color * 1000 + others[i] * 10 + 2 + round);
    }
  }
  trm_halo_destroy(&halo);
}

/* The last rank of groups of even color fails: the others never hear of it in theirs. */
static void check_agreement(trm_comm *comm, trm_comm *group, const int *colors) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  const int color = colors[rank];
  int last = 0, lowest = -1;
  for (int r = 0; r < size; ++r) {
    if (colors[r] == color) last = r;
    if (lowest < 0 && colors[r] % 2 == 0) lowest = r;
  }
  trm_message_set("nothing");
  trm_status status = TRM_OK;
  if (color % 2 == 0 && rank == last) status = trm_fail(TRM_ERR_IO, "group %d broke", color);
  status = trm_comm_agree(group, status);
  CHECK_EQ(status, color % 2 == 0 ? TRM_ERR_IO : TRM_OK);
  char want[TRM_MESSAGE_BYTES];
  (void)snprintf(want, sizeof want, "nothing");
  if (color % 2 == 0) {
    (void)snprintf(want, sizeof want, "group %d broke", color);
    if (trm_comm_size(group) > 1) {
      (void)snprintf(want, sizeof want, "rank %d (%s): group %d broke", last,
                     trm_comm_host(comm, last), color);
    }
  }
  CHECK_STR(trm_message(), want);
  /* The whole hears it as the group put it: its rank is named already. */
  const trm_status told = trm_comm_agree(comm, status);
  CHECK_EQ(told, lowest < 0 ? TRM_OK : TRM_ERR_IO);
  if (lowest < 0) return;
  CHECK_HAS(trm_message(), "broke");
  int n_prefixes = 0;
  for (const char *at = trm_message(); (at = strstr(at, "): ")) != NULL; ++at) ++n_prefixes;
  CHECK(n_prefixes <= 1);
}

static void check_colors(trm_comm *comm, const int *colors) {
  const int color = colors[trm_comm_rank(comm)];
  trm_comm *group = NULL;
  CHECK_OK(trm_comm_split(comm, color, &group));
  if (!group) return;
  check_identity(comm, group, colors);
  check_work(group, color);
  check_halo(group, color);
  check_sum(group, color, true);
  check_sum(group, color, false);
  check_agreement(comm, group, colors);
  CHECK_OK(trm_comm_barrier(comm));
  trm_comm_free(&group);
  CHECK(!group);
}

static void check_nested(trm_comm *comm) {
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  trm_comm *half = NULL, *alone = NULL;
  CHECK_OK(trm_comm_split(comm, rank < (size + 1) / 2 ? 0 : 1, &half));
  CHECK_OK(trm_comm_split(half, trm_comm_rank(half), &alone));
  CHECK_EQ(trm_comm_size(alone), 1);
  CHECK_OK(trm_comm_barrier(alone));
  /* A group of groups still knows its ranks as the job does. */
  trm_status status = trm_comm_rank(half) == 0 ? trm_fail(TRM_ERR_DATA, "bad") : TRM_OK;
  CHECK_EQ(trm_comm_agree(half, status), TRM_ERR_DATA);
  char want[64];
  (void)snprintf(want, sizeof want, "rank %d (", rank < (size + 1) / 2 ? 0 : (size + 1) / 2);
  if (trm_comm_size(half) > 1) CHECK_HAS(trm_message(), want);
  trm_comm_free(&half); /* in any order */
  CHECK_OK(trm_comm_barrier(alone));
  trm_comm_free(&alone);
  CHECK_EQ(trm_comm_split(comm, rank == size - 1 ? -1 : 0, &alone), TRM_ERR_ARG);
  CHECK(!alone);
  CHECK_HAS(trm_message(), "group number -1");
}

/* One thread a process: groups name phases, and stop what they started only. */
static void check_watch(trm_comm *comm) {
  const int rank = trm_comm_rank(comm);
  trm_comm *group = NULL;
  CHECK_OK(trm_watch_start(comm, 60));
  CHECK_OK(trm_comm_split(comm, rank % 2, &group));
  trm_watch_stop(group);                  /* has started none */
  CHECK_OK(trm_watch_start(group, 0.01)); /* keeps the first one's deadline */
  trm_watch_phase(group, "phase of a group", rank);
  CHECK_OK(trm_comm_barrier(group));
  trm_watch_stop(group);
  trm_watch_stop(group);
  trm_watch_phase(comm, "phase of all", 1);
  CHECK_OK(trm_watch_start(group, 0));
  trm_comm_free(&group);
  trm_watch_pause(comm);
  trm_watch_stop(comm);
}

int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return check_verdict();
  const int64_t live = trm_alloc_counts_get().live_blocks;
  static const int colorings[][8] = {{0, 0, 0, 0, 0, 0, 0, 0},
                                     {0, 1, 0, 1, 0, 1, 0, 1},
                                     {3, 3, 2, 2, 1, 1, 0, 0},
                                     {5, 0, 5, 5, 1, 1, 1, 1},
                                     {0, 1, 2, 3, 4, 5, 6, 7}};
  for (size_t c = 0; c < sizeof colorings / sizeof *colorings; ++c) {
    check_colors(comm, colorings[c]);
  }
  check_nested(comm);
  check_watch(comm);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  trm_comm_finalize(&comm);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
