/* Windows of training and evaluation: places, counts, coverage, the context check. */
#include <stdlib.h>
#include <string.h>

#include "../../src/input/text/text_internal.h"
#include "input_fixture.h"

/* One epoch: all windows once, all at one phase, every token they read inside the split. */
static int64_t check_epoch(int64_t n, int64_t T, uint64_t seed, int64_t epoch, int64_t *order) {
  const int64_t samples = (n - T) / T;
  int64_t phase = -1;
  unsigned char *seen = calloc((size_t)samples, 1);
  if (!seen) exit(1);
  for (int64_t i = 0; i < samples; ++i) {
    int64_t e, window, token;
    trm_windows_locate(n, seed, T, epoch * samples + i, &e, &window, &token);
    CHECK_EQ(e, epoch);
    if (!CHECK(window >= 0 && window < samples)) break;
    CHECK_EQ(seen[window], 0);
    seen[window] = 1;
    if (phase < 0) phase = token - window * T;
    CHECK_EQ(token - window * T, phase);
    CHECK(token >= 0 && token + T <= n - 1);
    order[i] = window;
  }
  CHECK(phase >= 0 && phase < T);
  free(seen);
  return phase;
}

static void check_train(void) {
  static const int64_t sizes[][2] = {{2, 1},   {3, 1},    {40, 20},   {41, 20},  {59, 20},
                                     {60, 20}, {100, 17}, {1000, 64}, {4097, 64}};
  static int64_t order[5000], other[5000];
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
    const int64_t n = sizes[s][0], T = sizes[s][1];
    for (int64_t epoch = 0; epoch < 4; ++epoch) check_epoch(n, T, 7 + s, epoch, order);
  }
  /* Epochs and seeds differ in order and in phase; every phase comes. */
  enum { N = 4097, T = 16, SAMPLES = (N - T) / T };
  bool phase_seen[T] = {false};
  check_epoch(N, T, 1, 0, order);
  for (int64_t epoch = 1; epoch < 200; ++epoch) {
    phase_seen[check_epoch(N, T, 1, epoch, other)] = true;
    int64_t equal = 0;
    for (int64_t i = 0; i < SAMPLES; ++i) equal += order[i] == other[i];
    CHECK(equal < 10);
  }
  for (int64_t p = 0; p < T; ++p) CHECK(phase_seen[p]);
  check_epoch(N, T, 2, 0, other);
  int64_t equal = 0;
  for (int64_t i = 0; i < SAMPLES; ++i) equal += order[i] == other[i];
  CHECK(equal < 10);
  /* Far away is as near as the start: no walking. */
  int64_t epoch, window, token;
  trm_windows_locate(N, 1, T, INT64_C(1) << 60, &epoch, &window, &token);
  CHECK_EQ(epoch, (INT64_C(1) << 60) / SAMPLES);
  CHECK(token >= 0 && token + T <= N - 1);
}

/* Evaluation at context T: each token but the first is a target once, in order, after its input. */
static void check_eval(trm_dataset *d, trm_subset subset, int64_t begin, int64_t T, int64_t chunk) {
  const int64_t n = trm_dataset_tokens(d, subset);
  const int64_t samples = trm_dataset_eval_samples(d, subset, T);
  CHECK_EQ(samples, n < 2 ? 0 : (n - 1 + T - 1) / T);
  int32_t *inputs = malloc((size_t)(chunk * T) * sizeof *inputs);
  int32_t *targets = malloc((size_t)(chunk * T) * sizeof *targets);
  if (!inputs || !targets) exit(1);
  int64_t next = 1; /* the token that is to be predicted next */
  for (int64_t first = 0; first < samples; first += chunk) {
    const int64_t here = samples - first < chunk ? samples - first : chunk;
    memset(inputs, 0x55, (size_t)(chunk * T) * sizeof *inputs);
    memset(targets, 0x55, (size_t)(chunk * T) * sizeof *targets);
    CHECK_OK(trm_dataset_eval_read(d, subset, T, first, here, inputs, targets));
    for (int64_t i = 0; i < here * T; ++i) {
      if (next < n) {
        CHECK_EQ(inputs[i], fixture_token(begin + next - 1));
        CHECK_EQ(targets[i], fixture_token(begin + next));
        ++next;
      } else {
        CHECK_EQ(inputs[i], 0);
        CHECK_EQ(targets[i], -1);
        CHECK(first + here == samples && i / T == here - 1); /* only the last window is short */
      }
    }
    for (int64_t i = here * T; i < chunk * T; ++i) CHECK_EQ(inputs[i], 0x55555555);
  }
  CHECK_EQ(next, n < 2 ? 1 : n);
  free(inputs);
  free(targets);
}

int main(void) {
  check_train();
  const char *folder = check_temp_folder();
  const char *path = fixture_path(folder, "plain.h5");
  trm_dataset *d = NULL;
  fixture_plain(path, 1000, 900);
  if (!CHECK_OK(trm_dataset_open(path, &d))) return 1;
  static const int64_t contexts[] = {1, 2, 3, 7, 64, 98, 99, 100, 101, 500};
  for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; ++i) {
    for (int64_t chunk = 1; chunk <= 4; chunk += 3) {
      check_eval(d, TRM_SUBSET_TRAIN, 0, contexts[i], chunk);
      check_eval(d, TRM_SUBSET_VALID, 900, contexts[i], chunk);
    }
  }
  CHECK_EQ(trm_dataset_epoch_samples(d, 64), (900 - 64) / 64);
  CHECK_OK(trm_dataset_check_context(d, 1));
  CHECK_OK(trm_dataset_check_context(d, 450));
  CHECK_EQ(trm_dataset_check_context(d, 451), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "context 451 longer than the data: the training split has 900 tokens");
  CHECK_HAS(trm_message(), "at most 450");
  CHECK_EQ(trm_dataset_check_context(d, 0), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "context 0");
  CHECK_EQ(trm_dataset_check_context(d, INT64_MAX), TRM_ERR_DATA);
  CHECK_EQ(trm_dataset_eval_samples(d, TRM_SUBSET_VALID, INT64_MAX), 1);
  trm_dataset_close(&d);
  /* A validation split of one token and of none: nothing to predict. */
  for (int64_t n_valid = 0; n_valid < 2; ++n_valid) {
    fixture_plain(path, 50 + n_valid, 50);
    if (!CHECK_OK(trm_dataset_open(path, &d))) return 1;
    check_eval(d, TRM_SUBSET_VALID, 50, 8, 1);
    trm_dataset_close(&d);
  }
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
