/* Scores of numbers have the same bits whichever rank has which samples, and in whatever order. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "number_scores.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/io/files.h"
#include "trireme/train/scores.h"

enum { N = 101 };

typedef struct samples {
  double predicted[N];
  float targets[N];
  int8_t subsets[N];
} samples;

/* Sample 5 has no target, 7 no prediction (and no row anywhere); 9 is in two subsets. */
static void make_samples(samples *s) {
  const trm_random_key key = trm_random_key_make(3, TRM_RANDOM_TEST, 0, 0);
  for (uint64_t i = 0; i < N; ++i) {
    s->targets[i] = (float)((double)trm_random_below(key, 0, i, 1000003) / 7);
    s->predicted[i] = (double)s->targets[i] + (double)trm_random_below(key, 1, i, 1009) / 11 - 45;
    s->subsets[i] = (int8_t)(1 << trm_random_below(key, 2, i, 2)); /* none is for test */
  }
  s->targets[5] = NAN;
  s->subsets[9] = 3;
}

/* Own rows, from the last to the first. */
static trm_number_rows own_rows(const trm_comm *comm, const samples *s, double *values,
                                int32_t *ids) {
  trm_number_rows rows = {
      .values = values, .ids = ids, .targets = s->targets, .subsets = s->subsets, .n_samples = N};
  for (int32_t i = N - 1; i >= 0; --i) {
    if (i == 7 || (i * 5 + i / 3) % trm_comm_size(comm) != trm_comm_rank(comm)) continue;
    values[rows.n] = s->predicted[i];
    ids[rows.n++] = i;
  }
  return rows;
}

static trm_fit plain_fit(const samples *s, int subset) {
  trm_estimate estimates[N];
  int64_t n = 0;
  for (int i = 0; i < N; ++i) {
    if (i == 7 || !(s->subsets[i] >> subset & 1)) continue;
    estimates[n++] = (trm_estimate){s->predicted[i], (double)s->targets[i]};
  }
  return trm_score_numbers(estimates, n);
}

static void check_scores(trm_comm *comm, const samples *s, const trm_number_rows *rows) {
  trm_task task = {.comm = comm};
  trm_evaluation result = {0};
  trm_number_scores_declare(&task, TRM_ALL_SUBSETS);
  CHECK_OK(trm_number_scores_add(&task, rows, TRM_ALL_SUBSETS, &result));
  CHECK_EQ(result.n_scores, 9);
  CHECK_STR(result.scores[3].name, "valid_rmse");
  CHECK_STR(result.scores[4].name, "valid_mae");
  CHECK_STR(result.scores[5].name, "valid_r2");
  for (int p = 0; p < 2; ++p) {
    const trm_fit want = plain_fit(s, p);
    CHECK(want.rmse > want.mae && want.r2 > 0.9);
    CHECK_NEAR_AT(result.scores[3 * p].value, want.rmse, 0, p);
    CHECK_NEAR_AT(result.scores[3 * p + 1].value, want.mae, 0, p);
    CHECK_NEAR_AT(result.scores[3 * p + 2].value, want.r2, 0, p);
  }
  for (int i = 6; i < 9; ++i) CHECK(isnan(result.scores[i].value));
}

/* A rank that has no memory takes the others with it. */
static void check_memory(trm_comm *comm, const trm_number_rows *rows) {
  trm_task task = {.comm = comm};
  trm_evaluation result = {0};
  const int64_t before = trm_alloc_counts_get().live_blocks;
  trm_number_scores_declare(&task, TRM_ALL_SUBSETS);
  for (int n = 0; n < 2; ++n) {
    if (trm_comm_rank(comm) == trm_comm_size(comm) - 1) trm_alloc_fail_after(n);
    CHECK_EQ(trm_number_scores_add(&task, rows, TRM_ALL_SUBSETS, &result), TRM_ERR_MEMORY);
    trm_alloc_fail_after(-1);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, before);
  }
}

/* One that is not finite has no line, and no score is a number then. */
static void check_file(trm_comm *comm, const trm_number_rows *rows) {
  trm_task task = {.comm = comm};
  trm_evaluation result = {0};
  char path[4096] = "", line[128], *text = NULL;
  int64_t n_rows = -1, bytes = 0;
  if (trm_comm_rank(comm) == 0) {
    CHECK_OK(trm_path_join(path, sizeof path, check_temp_folder(), "numbers.tsv"));
  }
  CHECK_OK(trm_number_predictions_write(comm, "sample", rows, path, &n_rows));
  trm_number_scores_declare(&task, TRM_ALL_SUBSETS);
  CHECK_OK(trm_number_scores_add(&task, rows, TRM_ALL_SUBSETS, &result));
  CHECK(isnan(result.scores[0].value) || isnan(result.scores[3].value));
  if (trm_comm_rank(comm) > 0) return;
  CHECK_EQ(n_rows, N - 2);
  if (!CHECK_OK(trm_file_read_all(path, 1 << 20, &text, &bytes))) return;
  CHECK(strncmp(text, "sample\tprediction\ttarget\n0\t", 27) == 0);
  (void)snprintf(line, sizeof line, "\n4\t%.9g\t%.9g\n5\t", 1.5, (double)rows->targets[4]);
  CHECK_HAS(text, line);
  CHECK_HAS(text, "\t\n6\t");
  CHECK(!strstr(text, "\n7\t") && !strstr(text, "\n8\t"));
  TRM_FREE(text);
}

int main(int argc, char **argv) {
  static samples s;
  static double values[N];
  static int32_t ids[N];
  trm_comm *comm = NULL;
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return check_verdict();
  make_samples(&s);
  const trm_number_rows rows = own_rows(comm, &s, values, ids);
  check_scores(comm, &s, &rows);
  check_memory(comm, &rows);
  for (int64_t i = 0; i < rows.n; ++i) {
    if (ids[i] == 4) values[i] = 1.5;
    if (ids[i] == 8) values[i] = (double)NAN;
  }
  check_file(comm, &rows);
  trm_comm_finalize(&comm);
  return check_verdict();
}
