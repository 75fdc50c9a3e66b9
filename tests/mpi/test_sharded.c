/*
 * Optimizer state shared out among the ranks: the reducer's two halves of an all-reduce, and the
 * update, against all of everything on every rank, to the last bit.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "learner_fixture.h"
#include "trireme/comm/reducer.h"
#include "trireme/core/hash.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/math/threads.h"
#include "trireme/parallel/gradsync.h"
#include "trireme/parallel/sharded.h"
#include "trireme/train/keys.h"
#include "trireme/train/learner.h"

static trm_comm *comm;

/* ---- the table ------------------------------------------------------------------------------- */

static void test_stripes(void) {
  const int64_t lengths[] = {0, 1, TRM_CHUNK, TRM_CHUNK + 1, 100000, 10 * TRM_STRIPE_MOST + 17};
  for (int i = 0; i < 6; ++i) {
    for (int size = 1; size <= 7; ++size) {
      const trm_stripes s = trm_stripes_make(lengths[i], size);
      int64_t total = 0;
      CHECK_EQ(s.length % TRM_CHUNK, 0);
      for (int r = 0; r < size; ++r) {
        int64_t kept = 0;
        TRM_FOR_STRIPES(&s, r, begin, end) {
          CHECK_EQ(trm_stripes_owner(&s, begin), r);
          CHECK_EQ(trm_stripes_owner(&s, end - 1), r);
          CHECK_EQ(trm_stripes_before(&s, r, begin), kept);
          kept += end - begin;
        }
        CHECK_EQ(trm_stripes_before(&s, r, s.n), kept);
        CHECK(kept <= s.n / size + s.length);
        total += kept;
      }
      CHECK_EQ(total, s.n);
    }
  }
}

/* ---- the reducer ----------------------------------------------------------------------------- */

/* Values whose sum shows its order in the last bits. */
static float value(int rank, int slot, int64_t i) {
  const uint64_t bits = trm_mix64((uint64_t)(rank * 1000003 + slot * 7919 + i));
  return ldexpf((float)(bits >> 40) / 16777216.0F - 0.5F, (int)(bits % 12));
}

static void fill(trm_reducer *reducer, int64_t n) {
  for (int s = 0; s < trm_reducer_n_slots(reducer); ++s) {
    float *slot = trm_reducer_slot(reducer, s);
    for (int64_t i = 0; i < n; ++i) slot[i] = value(trm_comm_rank(comm), s, i);
  }
}

static void start_all(trm_reducer *reducer, int64_t n, int64_t bucket, bool gather) {
  for (int64_t at = 0; at < n; at += bucket) {
    const int64_t count = at + bucket < n ? bucket : n - at;
    bool idle;
    CHECK_OK(gather ? trm_reducer_start_gather(reducer, at, count)
                    : trm_reducer_start(reducer, at, count));
    if (at / bucket % 2 == 1) CHECK_OK(trm_reducer_poll(reducer, &idle));
  }
}

static int64_t count_unequal(const float *a, const float *b, int64_t begin, int64_t end) {
  int64_t n = 0;
  for (int64_t i = begin; i < end; ++i) n += memcmp(&a[i], &b[i], sizeof a[i]) != 0;
  return n;
}

/* n_striped of n elements are shared out; the rest is everybody's. */
static void test_reducer(const char *engine, bool window, int64_t n_striped, int64_t n,
                         int64_t bucket) {
  const int rank = trm_comm_rank(comm);
  trm_reducer_options options = {.engine = engine,
                                 .n_elements = n,
                                 .n_blocks = 13,
                                 .shared_window = window,
                                 .segment_bytes = 8192 /* shorter than a stripe */};
  trm_reducer *whole = NULL, *shared = NULL;
  if (!CHECK_OK(trm_reducer_create(comm, &options, &whole))) return;
  options.n_striped = n_striped;
  if (!CHECK_OK(trm_reducer_create(comm, &options, &shared))) return;
  const trm_stripes stripes = trm_reducer_stripes(shared);
  const int64_t allocated = trm_alloc_counts_get().total_blocks;
  for (int round = 0; round < 3; ++round) {
    fill(whole, n);
    fill(shared, n);
    start_all(whole, n, bucket, false);
    start_all(shared, n, bucket, false);
    CHECK_OK(trm_reducer_wait(whole));
    CHECK_OK(trm_reducer_wait(shared));
    const float *want = trm_reducer_slot(whole, 0);
    float *got = trm_reducer_slot(shared, 0);
    TRM_FOR_STRIPES(&stripes, rank, begin, end) {
      CHECK_EQ(count_unequal(got, want, begin, end), 0);
    }
    CHECK_EQ(count_unequal(got, want, n_striped, n), 0);
    /* What a rank does not own must come from its owner, and only from there. */
    for (int64_t i = 0; i < n_striped; ++i) {
      if (trm_stripes_owner(&stripes, i) != rank) got[i] = NAN;
    }
    start_all(shared, n_striped, bucket, true);
    CHECK_OK(trm_reducer_wait(shared));
    if (!CHECK_EQ(count_unequal(got, want, 0, n), 0)) {
      fprintf(stderr, "rank %d: %s, %s, %lld of %lld shared out, buckets of %lld\n", rank, engine,
              trm_reducer_transport(shared), (long long)n_striped, (long long)n, (long long)bucket);
    }
  }
  CHECK_EQ(trm_alloc_counts_get().total_blocks, allocated);
  trm_reducer_destroy(&whole);
  trm_reducer_destroy(&shared);
}

/* Less traffic is the point: who owns nothing of a bucket must not get its sums. */
static void test_owners_only(const char *engine, bool window) {
  const trm_reducer_options options = {.engine = engine,
                                       .n_elements = 20 * TRM_CHUNK,
                                       .n_blocks = 13,
                                       .shared_window = window,
                                       .n_striped = 20 * TRM_CHUNK};
  trm_reducer *reducer = NULL;
  const int rank = trm_comm_rank(comm), size = trm_comm_size(comm);
  if (!CHECK_OK(trm_reducer_create(comm, &options, &reducer))) return;
  fill(reducer, options.n_elements);
  CHECK_OK(trm_reducer_run(reducer));
  const trm_stripes stripes = trm_reducer_stripes(reducer);
  const float *got = trm_reducer_slot(reducer, 0);
  for (int64_t i = 0; size > 1 && i < options.n_elements; ++i) {
    if (trm_stripes_owner(&stripes, i) != rank && got[i] != value(rank, 0, i)) {
      CHECK_NEAR_AT(got[i], value(rank, 0, i), 0, i);
      break;
    }
  }
  trm_reducer_destroy(&reducer);
}

static void test_reducers(void) {
  for (const char *const *engine = trm_reducer_engines(); *engine; ++engine) {
    for (int window = 0; window < 2; ++window) {
      test_reducer(*engine, window, 100000, 100070, 1 << 30);
      test_reducer(*engine, window, 100000, 100070, 5000);
      test_reducer(*engine, window, 9000, 9000, 777);
      test_reducer(*engine, window, 100, 5000, 4096);
      test_reducer(*engine, window, 0, 300, 300);
    }
    /* By messages, engine "ring" brings all sums to all. */
    if (trm_comm_one_host(comm) || strcmp(*engine, "canonical") == 0)
      test_owners_only(*engine, true);
  }
  test_owners_only("canonical", false);
}

/* ---- whole steps ----------------------------------------------------------------------------- */

enum { V = 8, SAMPLES = 12, T = 6, VOCAB = 11, STEPS = 4 };

/* One way of doing the same thing. */
typedef struct way {
  trm_learner learner;
  trm_gradsync *sync;
  trm_sharded *sharded; /* NULL: all on every rank */
} way;

static int32_t inputs[SAMPLES * T], targets[SAMPLES * T];

static void make_batch(int step) {
  const trm_random_key key = trm_random_key_make(3, TRM_RANDOM_TEST, (uint64_t)step, 0);
  for (int i = 0; i < SAMPLES * T; ++i) {
    inputs[i] = (int32_t)trm_random_below(key, 0, (uint64_t)i, VOCAB);
    targets[i] = (int32_t)trm_random_below(key, 1, (uint64_t)i, VOCAB);
  }
}

static bool create_way(const trm_config *config, const char *engine, bool window,
                       int64_t bucket_bytes, bool sharded, way *w) {
  *w = (way){0};
  trm_status status = fixture_decoder(config, VOCAB, sharded ? trm_comm_rank(comm) : 0,
                                      sharded ? trm_comm_size(comm) : 1, &w->learner);
  if (!CHECK_OK(status)) return false;
  const trm_gradsync_options options = {.engine = engine,
                                        .progress = "poll",
                                        .n_blocks = V,
                                        .bucket_bytes = bucket_bytes,
                                        .shared_window = window,
                                        .sharded = sharded};
  if (!CHECK_OK(trm_gradsync_create(comm, w->learner.params, &options, &w->sync))) return false;
  if (!sharded) return true;
  return CHECK_OK(trm_sharded_create(comm, w->sync, w->learner.optimizer, &w->sharded));
}

static void destroy_way(way *w) {
  trm_sharded_destroy(&w->sharded);
  trm_gradsync_destroy(&w->sync);
  trm_learner_destroy(&w->learner);
}

static void run_step(way *w, int step, trm_step_info *info) {
  int64_t first_block, n_local;
  trm_gradsync_blocks(w->sync, &first_block, &n_local);
  for (int64_t i = 0; i < n_local; ++i) {
    int64_t first, n;
    trm_share(SAMPLES, V, first_block + i, &first, &n);
    trm_pass pass = {.training = true, .seed = 4, .step = step, .sample0 = first};
    trm_gradsync_block_begin(w->sync, i, &pass);
    trm_tape_begin(w->learner.tape, &pass);
    const trm_tokens tokens = {
        .N = n, .T = T, .inputs = inputs + first * T, .targets = targets + first * T};
    trm_var *loss =
        trm_model_loss(w->learner.model, w->learner.tape, &(trm_batch){.tokens = &tokens});
    trm_gradsync_block_backward(w->sync, i, w->learner.tape, loss, 0);
  }
  trm_gradsync_result sums;
  CHECK_OK(trm_gradsync_finish(w->sync, TRM_OK, false, &sums));
  CHECK_EQ(sums.n_failed, 0);
  CHECK_NEAR(sums.count, SAMPLES * T, 0);
  if (w->sharded) {
    CHECK_OK(trm_sharded_step(w->sharded, &sums, step, info));
  } else {
    trm_optimizer_step(w->learner.optimizer, sums.grads, sums.count, step, info);
  }
}

/* The states, put together on rank 0; and taken apart again into another optimizer's. */
static void compare_states(way *sharded, way *whole) {
  trm_optimizer *o = sharded->learner.optimizer;
  const int64_t n = sharded->learner.params->n_elements;
  const bool root = trm_comm_rank(comm) == 0;
  trm_real *full = NULL;
  if (root) CHECK_OK(TRM_ALLOC(&full, n, "states"));
  for (int s = 0; s < trm_optimizer_n_states(o); ++s) {
    CHECK_OK(trm_sharded_collect(comm, o, s, full));
    if (root) {
      CHECK_EQ(count_unequal(full, trm_optimizer_state(whole->learner.optimizer, s), 0, n), 0);
    }
    const trm_stripes stripes = trm_optimizer_stripes(o);
    const int64_t n_own = trm_stripes_before(&stripes, trm_comm_rank(comm), n);
    const uint64_t was = trm_hash64(trm_optimizer_state(o, s), (size_t)n_own * sizeof *full, 0);
    memset(trm_optimizer_state(o, s), 0, (size_t)n_own * sizeof *full);
    CHECK_OK(trm_sharded_distribute(comm, o, s, full));
    CHECK(trm_hash64(trm_optimizer_state(o, s), (size_t)n_own * sizeof *full, 0) == was);
  }
  TRM_FREE(full);
}

static void test_steps(const trm_config *config, const char *engine, bool window,
                       int64_t bucket_bytes) {
  way whole, sharded;
  if (!create_way(config, engine, window, bucket_bytes, false, &whole)) return;
  if (!create_way(config, engine, window, bucket_bytes, true, &sharded)) return;
  const trm_params *params = whole.learner.params;
  CHECK(params->n_elements > 12 * TRM_CHUNK);
  for (int step = 0; step < STEPS; ++step) {
    trm_step_info want, got;
    make_batch(step);
    run_step(&whole, step, &want);
    const int64_t allocated = trm_alloc_counts_get().total_blocks;
    run_step(&sharded, step, &got);
    CHECK_EQ(trm_alloc_counts_get().total_blocks, allocated);
    CHECK_NEAR(got.grad_norm, want.grad_norm, 0);
    CHECK_NEAR(got.lr, want.lr, 0);
    CHECK(got.finite && want.finite);
    CHECK_EQ(count_unequal(sharded.learner.params->weights, params->weights, 0, params->n_elements),
             0);
  }
  compare_states(&sharded, &whole);
  destroy_way(&whole);
  destroy_way(&sharded);
}

/* ---- what the ranks decide ------------------------------------------------------------------- */

/* Gradients that are not finite in places of different owners: all ranks name the first. */
static void test_not_finite(const trm_config *config) {
  way w;
  if (!create_way(config, "canonical", true, 0, true, &w)) return;
  const int64_t n = w.learner.params->n_elements;
  const int rank = trm_comm_rank(comm);
  const trm_stripes stripes = trm_optimizer_stripes(w.learner.optimizer);
  const uint64_t was = trm_params_hash(w.learner.params);
  trm_real *grads = NULL;
  CHECK_OK(TRM_ALLOC(&grads, n, "gradients"));
  const int64_t places[] = {0, 3 * TRM_CHUNK + 5, n / 2, n - 1, -1};
  for (int p = 0; p < 5; ++p) {
    const int64_t bad = places[p];
    for (int64_t i = 0; i < n; ++i) {
      grads[i] = i == bad || (bad >= 0 && i == n - 1) ? (trm_real)INFINITY : 1;
      if (trm_stripes_owner(&stripes, i) != rank)
        grads[i] = (trm_real)NAN; /* not to be looked at */
    }
    trm_gradsync_result sums = {.grads = grads, .count = 2};
    trm_step_info info;
    CHECK_OK(trm_sharded_step(w.sharded, &sums, 0, &info));
    CHECK(info.finite == (bad < 0));
    CHECK_EQ(info.bad_element, bad);
    CHECK((trm_params_hash(w.learner.params) == was) == (bad >= 0));
  }
  TRM_FREE(grads);
  destroy_way(&w);
}

/* A rank's share of the state is its share of the memory. */
static void test_memory(const trm_config *config) {
  const int size = trm_comm_size(comm);
  int64_t bytes[2];
  way w;
  for (int sharded = 0; sharded < 2; ++sharded) {
    if (!create_way(config, "canonical", true, 0, false, &w)) return;
    const int64_t before = trm_alloc_counts_get().live_bytes;
    trm_optimizer *o = NULL;
    CHECK_OK(sharded ? trm_optimizer_create_share(config, w.learner.params, trm_comm_rank(comm),
                                                  size, &o)
                     : trm_optimizer_create(config, w.learner.params, &o));
    bytes[sharded] = trm_alloc_counts_get().live_bytes - before;
    trm_optimizer_destroy(&o);
    destroy_way(&w);
  }
  const int64_t stripe = 2 * TRM_CHUNK * (int64_t)sizeof(trm_real);
  CHECK(bytes[0] > 2 * 12 * TRM_CHUNK * (int64_t)sizeof(trm_real));
  if (bytes[1] > bytes[0] / size + stripe + 1024) CHECK_EQ(bytes[1], bytes[0] / size);
}

int main(int argc, char **argv) {
  if (!CHECK_OK(trm_comm_init(&argc, &argv, &comm))) return 1;
  trm_math_init();
  trm_threads_set(1);
  test_stripes();
  test_reducers();
  trm_config *config = NULL;
  CHECK_OK(trm_program_config(&config));
  CHECK_OK(trm_config_read_text(
      config,
      "{model: {layers: 2, heads: 2, width: 48, context: 6, dropout: 0.2},"
      " batch: {size: 12, blocks: 8}, schedule: {warmup_steps: 0, decay_steps: 2000},"
      " optimizer: {clip_norm: 0.5}, data: {path: none}}",
      "test"));
  for (const char *const *engine = trm_reducer_engines(); *engine; ++engine) {
    for (int window = 0; window < 2; ++window) {
      test_steps(config, *engine, window, 0);
      test_steps(config, *engine, window, 50000);
    }
  }
  test_not_finite(config);
  test_memory(config);
  static const char *const others[] = {"sgd", "adagrad", "lion", "lamb", "muon"};
  for (int i = 0; i < 5; ++i) {
    char text[64];
    (void)snprintf(text, sizeof text, "optimizer.name=%s", others[i]);
    CHECK_OK(trm_config_set(config, text));
    test_steps(config, "canonical", true, 50000);
    test_steps(config, "ring", false, 50000);
  }
  /* As on two hosts of neighbours: "window and messages" where stripes fall on hosts, else messages. */
  if (trm_comm_size(comm) > 2) {
    trm_comm_pretend_neighbours(comm, 2);
    test_reducers();
    test_steps(config, "canonical", true, 50000);
  }
  trm_config_destroy(&config);
  const int verdict = check_verdict();
  trm_comm_finalize(&comm);
  return verdict;
}
