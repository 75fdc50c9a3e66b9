/* Who is to blame, and in which words; who is slow. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "trireme/comm/reducer.h"
#include "watch_internal.h"

static const double NOW_S = 1000, LIMIT_S = 60;
enum { SIZE = 4 };

/* Four ranks, two a host, that have all just spoken and work. Rank 0 judges. */
static void reset(trm_patient rows[SIZE]) {
  for (int r = 0; r < SIZE; ++r) {
    rows[r] = (trm_patient){.tells = r != 0,
                            .heard = true,
                            .heard_s = NOW_S - 0.5,
                            .number = r,
                            .mate = r ^ 1,
                            .vital = {.doing = TRM_WORKS,
                                      .step = 57,
                                      .still_s = 0.1,
                                      .mate = 'S',
                                      .phase = "forward and backward"}};
    (void)snprintf(rows[r].host, sizeof rows[r].host, "h%d", 1 + r / 2);
  }
}

static void waits(trm_patient *row, double still_s) {
  row->vital.doing = TRM_WAITS;
  row->vital.still_s = still_s;
  (void)snprintf(row->vital.phase, sizeof row->vital.phase, "gradient all-reduce");
}

static trm_diagnosis judge(const trm_patient *rows, double alive_s, int *scratch) {
  trm_diagnosis d = {.ranks = scratch};
  trm_judge(rows, SIZE, NOW_S, alive_s, LIMIT_S, &d);
  return d;
}

static void check_line(const trm_patient *rows, trm_diagnosis *d, const char *want) {
  char line[768];
  trm_judge_words(rows, SIZE, 0, d, NOW_S, LIMIT_S, line, sizeof line);
  CHECK(strncmp(line, want, strlen(want)) == 0);
  if (strncmp(line, want, strlen(want)) != 0) fprintf(stderr, "  %s  %s\n", line, want);
  CHECK_EQ(line[strlen(line) - 1], '\n');
}

static void test_well(void) {
  trm_patient rows[SIZE];
  int scratch[SIZE];
  reset(rows);
  CHECK_EQ(judge(rows, 0, scratch).finding, TRM_WELL);
  /* A slow rank that moves, and one that rests, are waited for. */
  for (int r = 0; r < 3; ++r) waits(&rows[r], 500);
  CHECK_EQ(judge(rows, 0, scratch).finding, TRM_WELL);
  rows[3].vital = (trm_vital){.doing = TRM_RESTS, .still_s = 500};
  CHECK_EQ(judge(rows, 0, scratch).finding, TRM_WELL);
  /* One that does not move harms nobody while nobody waits for it. */
  reset(rows);
  rows[3].vital.still_s = 500;
  CHECK_EQ(judge(rows, 0, scratch).finding, TRM_WELL);
  /* Its datagrams are lost, but it was there when the last sum was made. */
  reset(rows);
  rows[3].heard_s = NOW_S - 500;
  CHECK_EQ(judge(rows, NOW_S - 3, scratch).finding, TRM_WELL);
  /* It has taken its leave. */
  rows[3].tells = rows[3].heard = false;
  CHECK_EQ(judge(rows, 0, scratch).finding, TRM_WELL);
}

static void test_silent(void) {
  trm_patient rows[SIZE];
  int scratch[SIZE];
  reset(rows);
  rows[1].heard_s = NOW_S - 61;
  rows[0].vital.mate = 'T';
  trm_diagnosis d = judge(rows, 0, scratch);
  CHECK_EQ(d.finding, TRM_SILENT);
  CHECK_EQ(d.n, 1);
  check_line(rows, &d,
             "error: rank 1 (h1) is stopped by a signal (SIGSTOP); last heard at step 57 in "
             "'forward and backward' (no sign of life for 60 s, comm.deadline_s); the other ranks "
             "wait; ");
  rows[0].vital.mate = 'X';
  check_line(rows, &d, "error: rank 1 (h1) is dead; last heard");
  rows[0].vital.mate = '?';
  check_line(rows, &d, "error: rank 1 (h1) is silent; last heard");
  /* A whole host, and a rank beside it. */
  rows[2].heard_s = rows[3].heard_s = NOW_S - 100;
  d = judge(rows, 0, scratch);
  CHECK_EQ(d.n, 3);
  check_line(rows, &d,
             "error: rank 1 (h1) is silent; last heard at step 57 in 'forward and "
             "backward'; host h2 (ranks 2, 3) does not answer: it is frozen, cut off");
  /* Nobody elsewhere is heard: it may be us. */
  rows[1].heard_s = NOW_S;
  (void)snprintf(rows[3].host, sizeof rows[3].host, "h3");
  d = judge(rows, 0, scratch);
  check_line(
      rows, &d,
      "error: host h2 (rank 2) does not answer: it is frozen, cut off or without power, or "
      "its ranks are stopped; last heard at step 57 in 'forward and backward'; host h3 (rank "
      "3) does not answer: it is frozen, cut off or without power, or its ranks are stopped; "
      "last heard at step 57 in 'forward and backward'; or it is host h1 that is cut off (");
  /* One of two of another host: the other one looks at it. */
  reset(rows);
  rows[2].heard_s = NOW_S - 61;
  rows[3].vital.mate = 'D';
  d = judge(rows, 0, scratch);
  check_line(rows, &d, "error: rank 2 (h2) is stuck in the kernel");
}

static void test_stuck(void) {
  trm_patient rows[SIZE];
  int scratch[SIZE];
  reset(rows);
  for (int r = 0; r < 3; ++r) waits(&rows[r], 70);
  rows[3].vital.still_s = 70;
  trm_diagnosis d = judge(rows, 0, scratch);
  CHECK_EQ(d.finding, TRM_STUCK);
  CHECK_EQ(d.n, 1);
  check_line(rows, &d,
             "error: rank 3 (h2) answers, but has not moved at step 57 in 'forward and "
             "backward' (no sign of life for 60 s, comm.deadline_s); the other ranks "
             "wait; ");
  /* The same, and then it was stopped: it is silent, when that has lasted. */
  rows[3].heard_s = NOW_S - 40;
  CHECK_EQ(judge(rows, 0, scratch).finding, TRM_WELL);
  rows[3].heard_s = NOW_S - 60;
  CHECK_EQ(judge(rows, 0, scratch).finding, TRM_SILENT);
  rows[3].heard_s = NOW_S;
  /* All hang. */
  for (int r = 0; r < SIZE; ++r) rows[r].vital = rows[3].vital;
  d = judge(rows, 0, scratch);
  CHECK_EQ(d.finding, TRM_STUCK);
  CHECK_EQ(d.n, SIZE);
  /* All wait, some not for long: it goes on. */
  for (int r = 0; r < SIZE; ++r) waits(&rows[r], r == 2 ? 5 : 70);
  CHECK_EQ(judge(rows, 0, scratch).finding, TRM_WELL);
  waits(&rows[2], 70);
  d = judge(rows, 0, scratch);
  CHECK_EQ(d.finding, TRM_ENTANGLED);
  check_line(rows, &d, "error: all ranks answer, and wait for each other at step 57 in 'gradient");
  /* ... unless one has never been heard: it is the one. */
  rows[2].heard = false;
  d = judge(rows, 0, scratch);
  CHECK_EQ(d.finding, TRM_SILENT);
  CHECK_EQ(d.ranks[0], 2);
}

/* Whatever is to be said ends within the line. */
static void test_long(void) {
  trm_patient rows[SIZE];
  int scratch[SIZE];
  char line[64];
  reset(rows);
  for (int r = 1; r < SIZE; ++r) rows[r].heard_s = 0;
  trm_diagnosis d = judge(rows, 0, scratch);
  trm_judge_words(rows, SIZE, 0, &d, NOW_S, LIMIT_S, line, sizeof line);
  CHECK(strlen(line) < sizeof line);
  CHECK_EQ(line[strlen(line) - 1], '\n');
}

/* All ranks have told of `seconds` more, of which rank r worked a share. */
static void go_on(trm_patient rows[SIZE], double seconds, int64_t steps,
                  const double shares[SIZE]) {
  for (int r = 0; r < SIZE; ++r) {
    rows[r].vital.clock_s += seconds;
    rows[r].vital.busy_s += seconds * shares[r];
    rows[r].vital.step += steps;
  }
}

static void test_pace(void) {
  const double slow[SIZE] = {0.5, 0.5, 1.0, 0.5}, even[SIZE] = {0.9, 0.9, 0.9, 0.9};
  trm_patient rows[SIZE];
  trm_pace *pace = NULL;
  reset(rows);
  CHECK_OK(trm_pace_create(SIZE, 30, &pace));
  CHECK_EQ(trm_pace_found(pace)->rank, -1);
  CHECK(!trm_pace_look(pace, rows, 8, 100));
  go_on(rows, 29, 100, slow);
  CHECK(!trm_pace_look(pace, rows, 8, 129));
  go_on(rows, 2, 1, slow);
  CHECK(trm_pace_look(pace, rows, 8, 131));
  CHECK_EQ(trm_pace_found(pace)->rank, 2);
  CHECK_NEAR(trm_pace_found(pace)->works, 1.0, 1e-9);
  CHECK_NEAR(trm_pace_found(pace)->share, 0.5, 1e-9);
  CHECK_NEAR(trm_pace_found(pace)->step_s, 31.0 / 101, 1e-9);
  CHECK_EQ(trm_pace_found(pace)->n_windows, 1);
  /* Five blocks: one rank has two of them, and need not be as fast with them as others with one. */
  double twice[SIZE];
  for (int r = 0; r < SIZE; ++r) {
    int64_t first, n;
    trm_block_range(5, r, SIZE, &first, &n);
    twice[r] = 0.5 * (double)n;
  }
  go_on(rows, 30, 100, twice);
  CHECK(trm_pace_look(pace, rows, 5, 161));
  CHECK_NEAR(trm_pace_found(pace)->share, 0, 1e-9);
  /* Ranks that are even: nobody is waited for. */
  go_on(rows, 30, 100, even);
  CHECK(trm_pace_look(pace, rows, 8, 191));
  CHECK_NEAR(trm_pace_found(pace)->share, 0, 1e-9);
  /* Too few steps, or a rank that has not told: the window goes on. */
  go_on(rows, 30, 2, slow);
  CHECK(!trm_pace_look(pace, rows, 8, 221));
  go_on(rows, 30, 2, slow);
  rows[3].heard = false;
  CHECK(!trm_pace_look(pace, rows, 8, 251));
  rows[3].heard = true;
  CHECK(trm_pace_look(pace, rows, 8, 252));
  CHECK_EQ(trm_pace_found(pace)->rank, 2);
  /* No blocks: ranks are not compared. */
  go_on(rows, 40, 100, slow);
  CHECK(!trm_pace_look(pace, rows, 0, 300));
  trm_pace_destroy(&pace);
}

int main(void) {
  test_well();
  test_silent();
  test_stuck();
  test_long();
  test_pace();
  return check_verdict();
}
