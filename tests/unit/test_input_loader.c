/*
 * The loader: shares of any number of ranks, simulated in this process, make up the stream of
 * samples; seeking, ends, failures, prompt destruction, no allocation a step.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/input/text/text_internal.h"
#include "input_fixture.h"
#include "trireme/core/clock.h"
#include "trireme/input/loader.h"

enum { N = 1003, N_TRAIN = 903, T = 16, SAMPLES = (N_TRAIN - T) / T, SEED = 12 };

static trm_dataset *open_plain(const char *path, int64_t n, int64_t n_train) {
  trm_dataset *d = NULL;
  fixture_plain(path, n, n_train);
  if (!CHECK_OK(trm_dataset_open(path, &d))) exit(1);
  return d;
}

static trm_loader_options options_of(int64_t batch, int64_t first, int64_t n, int64_t first_step,
                                     int64_t end_step) {
  return (trm_loader_options){.seed = SEED,
                              .context = T,
                              .batch = batch,
                              .first = first,
                              .n = n,
                              .first_step = first_step,
                              .end_step = end_step,
                              .depth = 2};
}

/* Contents and sample number of row j, which is sample `index` of the stream. */
static void check_row(const trm_dataset *d, const trm_text_batch *b, int64_t j, int64_t index) {
  int64_t epoch, window, token;
  trm_dataset_locate(d, SEED, T, index, &epoch, &window, &token);
  CHECK_EQ(b->samples[j], epoch * SAMPLES + window);
  CHECK_EQ(epoch, index / SAMPLES);
  for (int64_t t = 0; t < T; ++t) {
    CHECK_EQ(b->tokens.inputs[j * T + t], fixture_token(token + t));
    CHECK_EQ(b->tokens.targets[j * T + t], fixture_token(token + t + 1));
  }
}

/* P ranks with contiguous uneven shares, far enough for three epochs: each sample of each epoch
 * comes once, wherever batches straddle the seam. */
static void check_ranks(trm_dataset *d, int P, int64_t batch) {
  const int64_t steps = (3 * SAMPLES + batch - 1) / batch + 1;
  unsigned char *seen = calloc((size_t)(steps * batch + SAMPLES), 1);
  if (!seen) exit(1);
  for (int p = 0; p < P; ++p) {
    const int64_t first = batch * p / P, n = batch * (p + 1) / P - first;
    const trm_loader_options o = options_of(batch, first, n, 0, steps);
    trm_loader *loader = NULL;
    if (!CHECK_OK(trm_loader_create(d, &o, &loader))) break;
    for (int64_t step = 0; step < steps; ++step) {
      trm_text_batch b;
      if (!CHECK_OK(trm_loader_next(loader, &b))) break;
      CHECK_EQ(b.step, step);
      CHECK_EQ(b.tokens.N, n);
      for (int64_t j = 0; j < n; ++j) {
        check_row(d, &b, j, step * batch + first + j);
        if (CHECK(b.samples[j] < steps * batch + SAMPLES)) CHECK_EQ(seen[b.samples[j]]++, 0);
      }
    }
    trm_loader_destroy(&loader);
  }
  for (int64_t i = 0; i < 3 * SAMPLES; ++i) CHECK_EQ(seen[i], 1);
  int64_t total = 0;
  for (int64_t i = 0; i < steps * batch + SAMPLES; ++i) total += seen[i];
  CHECK_EQ(total, steps * batch);
  free(seen);
}

/* From any first_step: the same batches as walking there. */
static void check_seek(trm_dataset *d) {
  enum { BATCH = 10, STEPS = 20 };
  static int32_t inputs[STEPS][BATCH * T];
  trm_loader *loader = NULL;
  trm_text_batch b;
  trm_loader_options o = options_of(BATCH, 0, BATCH, 0, STEPS);
  CHECK_OK(trm_loader_create(d, &o, &loader));
  for (int64_t s = 0; s < STEPS && CHECK_OK(trm_loader_next(loader, &b)); ++s) {
    memcpy(inputs[s], b.tokens.inputs, sizeof inputs[s]);
  }
  trm_loader_destroy(&loader);
  for (int64_t start = 0; start < STEPS; ++start) {
    o.first_step = start;
    o.depth = 1 + (int)start % 5;
    CHECK_OK(trm_loader_create(d, &o, &loader));
    for (int64_t s = start; s < STEPS && CHECK_OK(trm_loader_next(loader, &b)); ++s) {
      CHECK_EQ(b.step, s);
      CHECK_EQ(memcmp(inputs[s], b.tokens.inputs, sizeof inputs[s]), 0);
    }
    trm_loader_destroy(&loader);
  }
  /* Seeking is O(1): a step that no walk would reach. */
  o = options_of(BATCH, 3, 2, INT64_C(1) << 50, (INT64_C(1) << 50) + 1);
  CHECK_OK(trm_loader_create(d, &o, &loader));
  if (CHECK_OK(trm_loader_next(loader, &b))) check_row(d, &b, 1, (INT64_C(1) << 50) * BATCH + 4);
  CHECK_EQ(trm_loader_next(loader, &b), TRM_ERR_ARG);
  CHECK_HAS(trm_message(), "the last one is 1125899906842624");
  trm_loader_destroy(&loader);
}

/* A batch stays as it is until the next call, however far the thread reads ahead meanwhile. */
static void check_validity(trm_dataset *d) {
  static int32_t kept[5 * T];
  const trm_loader_options o = options_of(5, 0, 5, 0, 200);
  trm_loader *loader = NULL;
  trm_text_batch b;
  CHECK_OK(trm_loader_create(d, &o, &loader));
  for (int64_t s = 0; s < 200 && CHECK_OK(trm_loader_next(loader, &b)); ++s) {
    memcpy(kept, b.tokens.inputs, sizeof kept);
    if (s % 50 == 0) trm_sleep_s(0.02);
    CHECK_EQ(memcmp(kept, b.tokens.inputs, sizeof kept), 0);
  }
  trm_loader_destroy(&loader);
}

/* At any moment, and at once: before the first batch, ahead to the limit, at the end. */
static void check_destroy(trm_dataset *d) {
  const double start = trm_clock_s();
  for (int i = 0; i < 300; ++i) {
    const trm_loader_options o = options_of(64, 0, 64, 0, i % 3 ? INT64_C(1) << 40 : 1);
    trm_loader *loader = NULL;
    trm_text_batch b;
    CHECK_OK(trm_loader_create(d, &o, &loader));
    for (int s = 0; s < i % 4 && (i % 3 || s < 1); ++s) CHECK_OK(trm_loader_next(loader, &b));
    if (i % 50 == 0) trm_sleep_s(0.01);
    trm_loader_destroy(&loader);
    CHECK(loader == NULL);
  }
  trm_loader *none = NULL;
  trm_loader_destroy(&none);
  CHECK(trm_clock_s() - start < 20);
}

static void check_allocations(trm_dataset *d) {
  const trm_loader_options o = options_of(12, 0, 12, 0, 500);
  trm_loader *loader = NULL;
  trm_text_batch b;
  CHECK_OK(trm_loader_create(d, &o, &loader));
  CHECK_OK(trm_loader_next(loader, &b));
  const int64_t before = trm_alloc_counts_get().total_blocks;
  for (int s = 1; s < 500; ++s) CHECK_OK(trm_loader_next(loader, &b));
  CHECK_EQ(trm_alloc_counts_get().total_blocks, before);
  trm_loader_destroy(&loader);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  int64_t n = 0;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = trm_loader_create(d, &o, &loader);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK || n > 100) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK(loader == NULL);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  }
  CHECK(n > 5 && n <= 100);
  trm_loader_destroy(&loader);
}

static void expect_refused(trm_dataset *d, trm_loader_options o, trm_status want,
                           const char *part) {
  trm_loader *loader = NULL;
  CHECK_EQ(trm_loader_create(d, &o, &loader), want);
  CHECK(loader == NULL);
  CHECK_HAS(trm_message(), part);
}

static void check_options(trm_dataset *d) {
  trm_loader_options o = options_of(8, 0, 9, 0, 1);
  expect_refused(d, o, TRM_ERR_ARG, "batch 8, share [0, 9)");
  o = options_of(8, 6, 3, 0, 1);
  expect_refused(d, o, TRM_ERR_ARG, "share [6, 9)");
  o = options_of(0, 0, 0, 0, 1);
  expect_refused(d, o, TRM_ERR_ARG, "batch 0");
  o = options_of(8, 0, 8, 0, INT64_MAX);
  expect_refused(d, o, TRM_ERR_ARG, "steps [0, ");
  o = options_of(8, 0, 8, 0, 1), o.context = N_TRAIN / 2 + 1;
  expect_refused(d, o, TRM_ERR_DATA, "context 452 longer than the data");
  /* A share of nothing is in order: fewer samples than ranks. */
  trm_loader *loader = NULL;
  trm_text_batch b;
  o = options_of(2, 2, 0, 0, 3);
  CHECK_OK(trm_loader_create(d, &o, &loader));
  CHECK_OK(trm_loader_next(loader, &b));
  CHECK_EQ(b.tokens.N, 0);
  trm_loader_destroy(&loader);
}

/* A read that fails in the thread (here: the data set is made to believe in three times the tokens
 * that the file has) is a failure of trm_loader_next at that step and ever after, with the thread's
 * message; the batches before it come, however late the caller looks. */
static void check_failure(const char *path) {
  trm_dataset *d = open_plain(path, N, N_TRAIN);
  TRM_FREE(d->cache);
  d->n_tokens = d->subset[TRM_SUBSET_TRAIN].n = 3 * N;
  int64_t good = 0, epoch, window, token;
  for (;; ++good) {
    trm_dataset_locate(d, SEED, T, good, &epoch, &window, &token);
    if (token + T >= N) break;
  }
  CHECK(good > 0);
  trm_loader_options o = options_of(1, 0, 1, 0, 1000);
  o.depth = (int)good + 10;
  trm_loader *loader = NULL;
  trm_text_batch b;
  CHECK_OK(trm_loader_create(d, &o, &loader));
  trm_sleep_s(0.05);
  for (int64_t s = 0; s < good; ++s) CHECK_OK(trm_loader_next(loader, &b));
  for (int i = 0; i < 2; ++i) {
    trm_message_set("something else");
    CHECK_EQ(trm_loader_next(loader, &b), TRM_ERR_ARG);
    CHECK_HAS(trm_message(), path);
  }
  trm_loader_destroy(&loader);
  trm_dataset_close(&d);
}

/* From the file instead of from memory: the same tokens, while the main thread evaluates. */
static void check_uncached(const char *path) {
  trm_dataset *d = open_plain(path, N, N_TRAIN);
  TRM_FREE(d->cache);
  const trm_loader_options o = options_of(12, 0, 12, 0, 30);
  trm_loader *loader = NULL;
  trm_text_batch b;
  CHECK_OK(trm_loader_create(d, &o, &loader));
  for (int64_t s = 0; s < 30 && CHECK_OK(trm_loader_next(loader, &b)); ++s) {
    int32_t inputs[T], targets[T];
    CHECK_OK(trm_dataset_eval_read(d, TRM_SUBSET_VALID, T, s % 6, 1, inputs, targets));
    CHECK_EQ(inputs[0], fixture_token(N_TRAIN + s % 6 * T));
    for (int64_t j = 0; j < 12; ++j) check_row(d, &b, j, s * 12 + j);
  }
  trm_loader_destroy(&loader);
  trm_dataset_close(&d);
}

int main(void) {
  const char *folder = check_temp_folder();
  const char *path = fixture_path(folder, "plain.h5");
  trm_dataset *d = open_plain(path, N, N_TRAIN);
  for (int P = 1; P <= 7; ++P) {
    check_ranks(d, P, 7);
    check_ranks(d, P, 13);
    check_ranks(d, P, SAMPLES + 3); /* more than an epoch a step */
  }
  check_seek(d);
  check_validity(d);
  check_destroy(d);
  check_allocations(d);
  check_options(d);
  trm_dataset_close(&d);
  check_uncached(path);
  check_failure(path);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
