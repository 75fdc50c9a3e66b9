/* Synthetic pairs: what the tasks are, unseen sequences, and what is refused. */
#include "input_fixture.h"
#include "trireme/input/samples.h"
#include "trireme/prepare/samples.h"

static const char *folder, *out;

static trm_samples *make(const trm_synthetic_pairs_options *o) {
  trm_samples *s = NULL;
  if (!CHECK_OK(trm_prepare_synthetic_pairs(o)) || !CHECK_OK(trm_samples_open(out, &s))) exit(1);
  return s;
}

static trm_synthetic_pairs_options options(const char *task) {
  return (trm_synthetic_pairs_options){.output = out,
                                       .task = task,
                                       .n_symbols = 5,
                                       .n = {300, 40, 50},
                                       .shortest = 1,
                                       .longest = 4,
                                       .seed = 3};
}

static bool same(const trm_samples *s, int64_t a, int64_t b) {
  const int64_t *o = s->inputs.offsets, n = o[a + 1] - o[a];
  return n == o[b + 1] - o[b] &&
         memcmp(s->inputs.values + o[a], s->inputs.values + o[b], (size_t)n * sizeof(int32_t)) == 0;
}

static int32_t target_of(const char *task, const int32_t *input, int64_t n, int64_t i) {
  if (strcmp(task, "copy") == 0) return input[i];
  if (strcmp(task, "reverse") == 0) return input[n - 1 - i];
  for (int32_t id = 0;; ++id) { /* the id that stands at place i when they are in order */
    int64_t below = 0, equal = 0;
    for (int64_t k = 0; k < n; ++k) {
      below += input[k] < id;
      equal += input[k] == id;
    }
    if (i >= below && i < below + equal) return id;
  }
}

static void check_task(const char *task) {
  const trm_synthetic_pairs_options o = options(task);
  trm_samples *s = make(&o);
  CHECK_EQ(s->n, 390);
  CHECK_EQ(s->input_vocab.n, 8);
  CHECK_STR(s->input_vocab.unit, "symbol");
  CHECK(s->shared_vocab && s->input_vocab.eos == 2);
  CHECK_EQ(s->longest_input, 4);
  for (int64_t i = 0; i < s->n; ++i) {
    const int64_t begin = s->inputs.offsets[i], n = s->inputs.offsets[i + 1] - begin;
    CHECK_EQ(s->targets.offsets[i], begin);
    for (int64_t k = 0; k < n; ++k) {
      CHECK(s->inputs.values[begin + k] >= 3);
      CHECK_EQ(s->targets.values[begin + k], target_of(task, s->inputs.values + begin, n, k));
    }
    for (int64_t j = 0; i >= 300 && j < i; ++j) CHECK(!same(s, i, j));
  }
  CHECK_EQ(s->splits[TRM_SUBSET_VALID].ids[0], 300);
  CHECK_EQ(s->splits[TRM_SUBSET_TEST].n, 50);
  trm_samples_close(&s);
}

static void check_lengths(void) {
  trm_synthetic_pairs_options o = options("reverse");
  o.test_shortest = 6, o.test_longest = 9;
  trm_samples *s = make(&o);
  trm_row_lengths l;
  CHECK_EQ(s->longest_input, 9);
  CHECK_OK(trm_row_lengths_of(s->inputs.offsets, s->splits[TRM_SUBSET_TEST].ids, 50, &l));
  CHECK(l.median >= 6 && l.median <= 9);
  for (int64_t i = 340; i < 390; ++i) CHECK(s->inputs.offsets[i + 1] - s->inputs.offsets[i] >= 6);
  const uint64_t digest = s->digest;
  trm_samples_close(&s);
  s = make(&o);
  CHECK_EQ(s->digest, digest);
  trm_samples_close(&s);
  o.seed = 4;
  s = make(&o);
  CHECK(s->digest != digest);
  trm_samples_close(&s);
}

static void expect(const trm_synthetic_pairs_options *o, const char *part) {
  CHECK_EQ(trm_prepare_synthetic_pairs(o), TRM_ERR_USAGE);
  CHECK_HAS(trm_message(), part);
}

static void check_bad(void) {
  trm_synthetic_pairs_options o = options("turn");
  expect(&o, "no task 'turn'; there are reverse, copy and sort");
  o = options("sort");
  o.n_symbols = 1;
  expect(&o, "symbols is 1, allowed from 2 to 1000000");
  o = options("sort");
  o.longest = 0;
  expect(&o, "longest length is 0");
  o = options("copy");
  o.longest = 1;
  expect(&o, "no sequences of 1 to 1 of 5 symbols are left for the valid part; take longer ones");
  o = options("copy");
  o.test_shortest = 5, o.test_longest = 4;
  expect(&o, "longest length to test is 4, allowed from 5 to 1048576");
}

int main(void) {
  folder = check_temp_folder();
  out = fixture_path(folder, "pairs.h5");
  check_task("copy");
  check_task("reverse");
  check_task("sort");
  check_lengths();
  check_bad();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return fixture_end(folder);
}
