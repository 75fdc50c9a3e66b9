/*
 * Gradient synchronisation on 1 to 4 ranks: every engine, way of progress and bucket size against
 * gradients that each rank computes for all blocks by itself; failures and stop requests arrive.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "learner_fixture.h"
#include "trireme/comm/reducer.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/parallel/gradsync.h"
#include "trireme/train/keys.h"
#include "trireme/train/learner.h"

enum { V = 7, SAMPLES = 12, T = 6, VOCAB = 11 };

static trm_comm *comm;
static trm_learner learner;
static int32_t inputs[SAMPLES * T], targets[SAMPLES * T];
static const uint64_t seed = 4;

static void make_batch(int step) {
  const trm_random_key key = trm_random_key_make(3, TRM_RANDOM_TEST, (uint64_t)step, 0);
  for (int i = 0; i < SAMPLES * T; ++i) {
    inputs[i] = (int32_t)trm_random_below(key, 0, (uint64_t)i, VOCAB);
    targets[i] = (int32_t)trm_random_below(key, 1, (uint64_t)i, VOCAB);
    if (i % 9 == 4) targets[i] = -1;
  }
}

/* Forward of block v; the loss variable. */
static trm_var *block_loss(int64_t v, int step, trm_pass *pass) {
  int64_t first, n;
  trm_share(SAMPLES, V, v, &first, &n);
  pass->training = true;
  pass->seed = seed;
  pass->step = step;
  pass->sample0 = first;
  trm_tape_begin(learner.tape, pass);
  const trm_tokens tokens = {
      .N = n, .T = T, .inputs = inputs + first * T, .targets = targets + first * T};
  return trm_model_loss(learner.model, learner.tape, &(trm_batch){.tokens = &tokens});
}

/* Gradients of all blocks, [V][n], and the loss; added in block order. */
static float *all_blocks;
static double want_loss, want_count;

static void compute_all(int step) {
  const int64_t n = learner.params->n_elements;
  want_loss = want_count = 0;
  for (int64_t v = 0; v < V; ++v) {
    trm_pass pass = {.grads = all_blocks + v * n};
    trm_var *loss = block_loss(v, step, &pass);
    trm_tape_backward(learner.tape, loss, NULL, NULL, NULL);
    want_loss += trm_tape_loss_sum(learner.tape);
    want_count += (double)trm_tape_loss_count(learner.tape);
  }
}

/* The canonical tree over blocks [first, first + n): split at the largest power of two below n. */
static float tree(int64_t element, int64_t first, int64_t n) {
  if (n == 1) return all_blocks[first * learner.params->n_elements + element];
  int64_t left = 1;
  while (2 * left < n) left *= 2;
  return tree(element, first, left) + tree(element, first + left, n - left);
}

/* One step through the synchronisation; `fail_rank` reports a failure, `stop_rank` asks to stop. */
static trm_status run_step(trm_gradsync *sync, int step, int fail_rank, int stop_rank,
                           trm_gradsync_result *result) {
  const int rank = trm_comm_rank(comm);
  int64_t first, n_local;
  trm_gradsync_blocks(sync, &first, &n_local);
  trm_status status = TRM_OK;
  for (int64_t i = 0; i < n_local; ++i) {
    if (rank == fail_rank && i == n_local / 2) {
      status = trm_fail(TRM_ERR_DATA, "broken on purpose");
      break;
    }
    trm_pass pass = {0};
    trm_gradsync_block_begin(sync, i, &pass);
    trm_var *loss = block_loss(first + i, step, &pass);
    trm_gradsync_block_backward(sync, i, learner.tape, loss, 1000 + (uint64_t)(first + i));
  }
  return trm_gradsync_finish(sync, status, rank == stop_rank, result);
}

static void compare(const trm_gradsync_result *result, bool canonical) {
  CHECK_EQ(result->n_failed, 0);
  CHECK_NEAR(result->loss_sum, want_loss, 0); /* to the last bit, whatever the engine */
  CHECK_NEAR(result->count, want_count, 0);
  for (int r = 0; r < learner.params->n_rows; ++r) {
    const trm_param *row = &learner.params->rows[r];
    for (int64_t k = row->offset; k < row->offset + row->n; ++k) {
      const float want = tree(k, 0, V);
      CHECK_NEAR_AT(result->grads[k], want, canonical ? 0 : 1e-5 * (1 + fabs((double)want)), k);
    }
  }
}

static void test_engine(const char *engine, const char *progress, int64_t bucket_bytes,
                        bool shared_window) {
  const trm_gradsync_options options = {.engine = engine,
                                        .progress = progress,
                                        .n_blocks = V,
                                        .bucket_bytes = bucket_bytes,
                                        .shared_window = shared_window};
  const bool canonical = strcmp(engine, "canonical") == 0;
  trm_gradsync *sync = NULL;
  if (!CHECK_OK(trm_gradsync_create(comm, learner.params, &options, &sync))) return;
  trm_gradsync_result result;
  int64_t n_allocated = 0;
  for (int step = 0; step < 3; ++step) {
    make_batch(step);
    compute_all(step);
    CHECK_OK(run_step(sync, step, -1, -1, &result));
    compare(&result, canonical);
    CHECK(!result.stop);
    /* Steps after the first do not allocate: blocks, tape, buckets, reduction. */
    const int64_t n_blocks = trm_alloc_counts_get().total_blocks;
    if (step > 0) CHECK_EQ(n_blocks, n_allocated);
    n_allocated = n_blocks;
  }
  /* A rank that failed in the middle gives zeros; the others learn of it, and the next step works. */
  const int last = trm_comm_size(comm) - 1;
  CHECK_OK(run_step(sync, 2, last, -1, &result));
  CHECK_EQ(result.n_failed, 1);
  CHECK_OK(run_step(sync, 2, -1, last, &result));
  compare(&result, canonical);
  CHECK(result.stop);
  trm_gradsync_destroy(&sync);
}

static void test_too_many_ranks(void) {
  const trm_gradsync_options options = {.engine = "ring", .progress = "poll", .n_blocks = 1};
  trm_gradsync *sync = NULL;
  if (trm_comm_size(comm) == 1) return;
  CHECK_EQ(trm_gradsync_create(comm, learner.params, &options, &sync), TRM_ERR_CONFIG);
  CHECK_HAS(trm_message(), "more than the 1 blocks");
}

static void make_learner(void) {
  static trm_config *config;
  CHECK_OK(trm_program_config(&config));
  CHECK_OK(trm_config_read_text(config,
                                "{model: {layers: 2, heads: 2, width: 8, context: 6, dropout: 0.2},"
                                " batch: {size: 12, blocks: 7}, data: {path: none}}",
                                "test"));
  CHECK_OK(fixture_decoder(config, VOCAB, 0, 1, &learner));
}

int main(int argc, char **argv) {
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return 1;
  trm_math_init();
  trm_threads_set(1);
  make_learner();
  CHECK_OK(TRM_ALLOC(&all_blocks, V * learner.params->n_elements, "blocks"));
  for (const char *const *engine = trm_reducer_engines(); *engine; ++engine) {
    const char *ways[] = {"poll", "thread", "none"};
    for (int w = 0; w < 3; ++w) {
      test_engine(*engine, ways[w], 0, w != 1);
      test_engine(*engine, ways[w], 1000, w == 1);
    }
    test_engine(*engine, "poll", 300, true);
    test_engine(*engine, "poll", 300, false);
  }
  test_too_many_ranks();
  TRM_FREE(all_blocks);
  trm_learner_destroy(&learner);
  const int verdict = check_verdict();
  trm_comm_finalize(&comm);
  return verdict;
}
