/*
 * A sample does not depend on its neighbours: with the native products, the decoder's logits of a
 * sequence have the same bits alone and as any member of a batch, whatever the batch's size, the
 * threads, and whether weights are kept from pass to pass.
 */
#include <math.h>

#include "model_graph_fixture.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

enum { MOST = 41 /* sequences in a batch */, MAX_T = 64, MAX_THREADS = 3 };

/* ids of sequence s; each place of a batch holds another one at each batch size. */
static int sequence_at(int place, int N) {
  return (place * 5 + N * 7) % MOST;
}

typedef struct sequences {
  int64_t T, vocab;
  int32_t ids[MOST * MAX_T];   /* [MOST, T] */
  int32_t batch[MOST * MAX_T]; /* [N, T] of them */
  trm_real *alone;             /* [MOST, T, vocab] their logits, each in a pass of its own */
} sequences;

static void sequences_make(sequences *s, int64_t T, int64_t vocab) {
  const trm_random_key key = trm_random_key_make(2, TRM_RANDOM_TEST, 0, 0);
  TRM_ASSERT(T <= MAX_T);
  s->T = T;
  s->vocab = vocab;
  for (int64_t i = 0; i < MOST * T; ++i) {
    s->ids[i] = (int32_t)(trm_random_uniform(key, 0, (uint64_t)i) * (double)vocab);
  }
  CHECK_OK(TRM_ALLOC(&s->alone, MOST * T * vocab, "logits"));
}

/* Logits of the first N sequences of s->batch, valid until the next pass. */
static const trm_real *logits_of(test_model *m, const sequences *s, int N, trm_weights_use use,
                                 bool dry) {
  const trm_tokens tokens = {.N = N, .T = s->T, .inputs = s->batch};
  const trm_pass pass = {.dry = dry, .weights_use = use};
  trm_tape_begin(m->tape, &pass);
  const trm_var *y = trm_model_outputs(m->model, m->tape, &(trm_batch){.tokens = &tokens});
  CHECK_OK(trm_tape_status(m->tape));
  CHECK_EQ(y->n, N * s->T * s->vocab);
  return y->data;
}

static void take_sequence(sequences *s, int place, int sequence) {
  memcpy(s->batch + place * s->T, s->ids + sequence * s->T, (size_t)s->T * sizeof *s->ids);
}

static void run_alone(test_model *m, sequences *s) {
  const int64_t n = s->T * s->vocab;
  for (int i = 0; i < MOST; ++i) {
    take_sequence(s, 0, i);
    const trm_real *y = logits_of(m, s, 1, TRM_WEIGHTS_ONCE, false);
    memcpy(s->alone + i * n, y, (size_t)n * sizeof *y);
  }
}

/* Numbers, which are not all the same: else equal bits would say little. */
static bool says_something(const sequences *s) {
  const int64_t n = s->T * s->vocab;
  int n_other = 0;
  for (int64_t i = 0; i < MOST * n; ++i) {
    if (!isfinite(s->alone[i])) return false;
  }
  for (int i = 1; i < MOST; ++i) {
    n_other += memcmp(s->alone, s->alone + i * n, (size_t)n * sizeof *s->alone) != 0;
  }
  return n_other > MOST / 2;
}

/* Sequences of the batch whose logits are not those that they have alone. */
static int count_different(test_model *m, sequences *s, int N, trm_weights_use use) {
  const int64_t n = s->T * s->vocab;
  int n_different = 0;
  for (int i = 0; i < N; ++i) take_sequence(s, i, sequence_at(i, N));
  const trm_real *y = logits_of(m, s, N, use, false);
  for (int i = 0; i < N; ++i) {
    n_different += memcmp(y + i * n, s->alone + sequence_at(i, N) * n, (size_t)n * sizeof *y) != 0;
  }
  return n_different;
}

static void check_model(const char *words, int64_t T, int64_t vocab) {
  test_model m;
  sequences s;
  const trm_model_dims dims = {.n_outputs = vocab};
  sequences_make(&s, T, vocab);
  if (CHECK_OK(model_make_status(&m, words, &dims))) {
    model_shake(&m);
    trm_threads_set(MAX_THREADS); /* scratch of attention is for each thread */
    (void)logits_of(&m, &s, MOST, TRM_WEIGHTS_FIRST, true);
    CHECK_OK(trm_tape_reserve(m.tape));
    trm_threads_set(1);
    run_alone(&m, &s);
    CHECK(says_something(&s));
    for (int keep = 0; keep < 2; ++keep) {
      const trm_weights_use first = keep ? TRM_WEIGHTS_FIRST : TRM_WEIGHTS_ONCE;
      const trm_weights_use later = keep ? TRM_WEIGHTS_SAME : TRM_WEIGHTS_ONCE;
      for (int N = 1; N <= MOST; ++N) {
        trm_threads_set(1 + (N + keep) % MAX_THREADS);
        if (!CHECK_EQ(count_different(&m, &s, N, N == 1 ? first : later), 0)) {
          fprintf(stderr, "  %s, T %lld: %d sequences, weights %s\n", words, (long long)T, N,
                  keep ? "kept" : "not kept");
        }
      }
      trm_threads_set(1);
    }
  }
  TRM_FREE(s.alone);
  model_free(&m);
}

int main(void) {
  trm_math_init();
  CHECK_OK(trm_gemm_select("native"));
  check_model("model.kind=decoder model.context=1 model.width=6 model.heads=2", 1, 7);
  check_model("model.kind=decoder model.context=9 model.width=37 model.heads=1 model.bias=false", 7,
              65);
  check_model("model.kind=decoder model.context=33 model.width=45 model.heads=3 model.tied=true "
              "model.activation=relu",
              33, 97);
  check_model("model.kind=decoder model.context=16 model.width=96 model.heads=4 model.ff_width=101 "
              "model.positions=sinusoidal",
              16, 1009);
  check_model("model.kind=decoder model.context=64 model.width=64 model.heads=2", 64, 65);
  return check_verdict();
}
