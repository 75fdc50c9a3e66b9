/*
 * Writing against plain enumeration: greedy is the likeliest token each time, with the bits of passes over
 * whole sequences; a beam that holds everything finds the best of all sequences; n results are the n
 * best; none of it depends on what else is in the batch.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "beam_search.h"
#include "check.h"
#include "kernel_check.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/kernels.h"
#include "trireme/math/threads.h"
#include "trireme/train/keys.h"

enum {
  V = 5, /* tokens: <unk>, <s>, </s>, and two more */
  BOS = 1,
  EOS = 2,
  LONGEST = 4, /* tokens of a result, </s> counted */
  N_INPUTS = 3,
  MOST_ROWS = 16,
  N_ALL = 1 + 4 + 16 + 64 /* sequences that end within LONGEST */
};

typedef struct fixture {
  trm_config *config;
  trm_learner learner;
} fixture;

static const int64_t input_offsets[N_INPUTS + 1] = {0, 2, 6, 7};
static const int32_t input_tokens[7] = {3, EOS, 6, 4, 3, EOS, EOS};

static fixture make(const char *const *sets) {
  fixture f = {NULL, {0}};
  const trm_model_dims dims = {.n_inputs = 7, .n_outputs = V};
  CHECK_OK(trm_program_config(&f.config));
  for (int i = 0; sets[i]; ++i) CHECK_OK(trm_config_set(f.config, sets[i]));
  trm_config_tell(f.config, "data", "samples");
  CHECK_OK(trm_learner_create(f.config, &dims, false, 0, 1, &f.learner));
  const trm_random_key key = trm_random_key_make(4, TRM_RANDOM_TEST, 0, 0);
  trm_params *p = f.learner.params;
  for (int r = 0; r < p->n_rows; ++r) { /* far from even, so that sequences differ */
    const bool norm = strstr(p->rows[r].name, "ln") != NULL;
    for (int64_t i = 0; !norm && i < p->rows[r].n; ++i) {
      p->weights[p->rows[r].offset + i] =
          (trm_real)(2 * trm_random_uniform(key, (uint64_t)r, (uint64_t)i) - 1);
    }
  }
  return f;
}

static void release(fixture *f) {
  trm_learner_destroy(&f->learner);
  trm_config_destroy(&f->config);
}

/* ---- by whole passes -------------------------------------------------------------------------- */

/* A sequence, and what it has. */
typedef struct sequence {
  int32_t tokens[LONGEST];
  int64_t n;
  double log_prob; /* of its tokens and, where it ends, </s> */
} sequence;

/* log p(next) after each of the first n + 1 places of <s> tokens[n], for one input. */
static void distributions(fixture *f, int64_t input, const int32_t *tokens, int64_t n,
                          double log_p[LONGEST + 1][V]) {
  const int64_t rows = input_offsets[input + 1] - input_offsets[input];
  const int64_t in[2] = {0, rows}, out[2] = {0, n + 1};
  int32_t given[LONGEST + 1] = {BOS};
  const int32_t none[LONGEST + 1] = {-1, -1, -1, -1, -1};
  const trm_xent plain = {0};
  trm_real lse[LONGEST + 1];
  double loss;
  memcpy(given + 1, tokens, (size_t)n * sizeof *given);
  const trm_sample_batch batch = {.n = 1,
                                  .inputs = {1, rows, rows, in},
                                  .input_tokens = input_tokens + input_offsets[input],
                                  .outputs = {1, n + 1, n + 1, out},
                                  .output_tokens = given};
  trm_tape_begin(f->learner.tape, &(trm_pass){.training = false});
  const trm_var *y =
      trm_model_outputs(f->learner.model, f->learner.tape, &(trm_batch){.samples = &batch});
  CHECK_OK(trm_tape_status(f->learner.tape));
  (void)trm_softmax_xent_forward(&loss, lse, NULL, y->data, none, &plain, n + 1, V);
  for (int64_t t = 0; t <= n; ++t) {
    for (int v = 0; v < V; ++v) log_p[t][v] = (double)y->data[t * V + v] - (double)lse[t];
  }
}

static sequence greedy(fixture *f, int64_t input) {
  sequence s = {.n = 0};
  for (;;) {
    double log_p[LONGEST + 1][V];
    int best = 0;
    distributions(f, input, s.tokens, s.n, log_p);
    for (int v = 1; v < V; ++v) {
      if (log_p[s.n][v] > log_p[s.n][best]) best = v;
    }
    s.log_prob += log_p[s.n][best];
    if (best == EOS) return s;
    s.tokens[s.n++] = best;
    if (s.n == LONGEST) return s;
  }
}

static double alpha;
static double score_of(const sequence *s) {
  return s->log_prob / pow((5.0 + (double)s->n + 1) / 6.0, alpha);
}

static int by_score(const void *a, const void *b) {
  const double x = score_of(a), y = score_of(b);
  return (x < y) - (x > y);
}

/* All sequences that end within LONGEST, the best first. */
static void enumerate(fixture *f, int64_t input, sequence *all) {
  static const int32_t others[V - 1] = {0, 1, 3, 4};
  int64_t n_all = 0;
  for (int64_t n = 0; n < LONGEST; ++n) {
    int64_t n_here = 1;
    for (int64_t k = 0; k < n; ++k) n_here *= V - 1;
    for (int64_t code = 0; code < n_here; ++code) {
      sequence *s = &all[n_all++];
      double log_p[LONGEST + 1][V];
      int64_t rest = code;
      *s = (sequence){.n = n};
      for (int64_t k = 0; k < n; ++k, rest /= V - 1) s->tokens[k] = others[rest % (V - 1)];
      distributions(f, input, s->tokens, n, log_p);
      for (int64_t k = 0; k < n; ++k) s->log_prob += log_p[k][s->tokens[k]];
      s->log_prob += log_p[n][EOS];
    }
  }
  CHECK_EQ(n_all, N_ALL);
  qsort(all, N_ALL, sizeof *all, by_score);
}

/* ---- by search -------------------------------------------------------------------------------- */

static trm_beam_search *search_of(fixture *f, int64_t beam, int64_t n_best) {
  const trm_beam_options options = {.beam = beam,
                                    .n_best = n_best,
                                    .length_reward = alpha,
                                    .longest_extra = LONGEST,
                                    .top_p = 1,
                                    .bos = BOS,
                                    .eos = EOS};
  const trm_sample_batch bounds = {.n = N_INPUTS,
                                   .inputs = {N_INPUTS, MOST_ROWS, MOST_ROWS, NULL},
                                   .outputs = {N_INPUTS, MOST_ROWS, MOST_ROWS, NULL}};
  trm_beam_search *search = NULL;
  CHECK_OK(trm_beam_search_create(&f->learner, &options, &bounds, N_INPUTS * beam * LONGEST, V,
                                  &search));
  /* Passes over whole sequences come in between. */
  trm_tape_begin(f->learner.tape, &(trm_pass){.dry = true, .bounds = true});
  (void)trm_model_outputs(f->learner.model, f->learner.tape, &(trm_batch){.samples = &bounds});
  CHECK_OK(trm_tape_reserve(f->learner.tape));
  return search;
}

/* Inputs [first, first + n) as a batch. */
static void run(trm_beam_search *search, int64_t first, int64_t n) {
  int64_t offsets[N_INPUTS + 1], longest = 0;
  for (int64_t i = 0; i <= n; ++i) offsets[i] = input_offsets[first + i] - input_offsets[first];
  for (int64_t i = 0; i < n; ++i) {
    if (offsets[i + 1] - offsets[i] > longest) longest = offsets[i + 1] - offsets[i];
  }
  const trm_sample_batch batch = {.n = n,
                                  .inputs = {n, offsets[n], longest, offsets},
                                  .input_tokens = input_tokens + input_offsets[first]};
  CHECK_OK(trm_beam_search_run(search, &batch, NULL));
}

static bool same_tokens(const trm_written *w, const sequence *s) {
  return w->n == s->n && memcmp(w->tokens, s->tokens, (size_t)s->n * sizeof *s->tokens) == 0;
}

static void check_greedy(fixture *f) {
  trm_beam_search *search = search_of(f, 1, 1);
  sequence want[N_INPUTS];
  for (int64_t i = 0; i < N_INPUTS; ++i) want[i] = greedy(f, i);
  for (int threads = 1; threads <= 2; ++threads) {
    trm_threads_set(threads);
    run(search, 0, N_INPUTS);
    for (int64_t i = 0; i < N_INPUTS; ++i) {
      const trm_written w = trm_beam_search_result(search, i, 0);
      CHECK_EQ(trm_beam_search_n(search, i), 1);
      CHECK(same_tokens(&w, &want[i]));
      CHECK(w.log_prob == want[i].log_prob); /* every bit */
      CHECK(w.ended == (want[i].n < LONGEST));
    }
    for (int64_t i = 0; i < N_INPUTS; ++i) { /* alone */
      run(search, i, 1);
      const trm_written w = trm_beam_search_result(search, 0, 0);
      CHECK(same_tokens(&w, &want[i]) && w.log_prob == want[i].log_prob);
    }
  }
  trm_threads_set(1);
  trm_beam_search_destroy(&search);
}

/* A beam that nothing falls out of. */
static void check_all(fixture *f, double reward) {
  enum { N_BEST = 7, BEAM = 256 };
  sequence *all[N_INPUTS];
  alpha = reward;
  trm_beam_search *search = search_of(f, BEAM, N_BEST);
  for (int64_t i = 0; i < N_INPUTS; ++i) {
    all[i] = test_calloc(N_ALL, sizeof **all);
    enumerate(f, i, all[i]);
  }
  run(search, 0, N_INPUTS);
  for (int64_t i = 0; i < N_INPUTS; ++i) {
    CHECK_EQ(trm_beam_search_n(search, i), N_BEST);
    for (int64_t k = 0; k < N_BEST; ++k) {
      const trm_written w = trm_beam_search_result(search, i, k);
      CHECK(w.ended && same_tokens(&w, &all[i][k]));
      CHECK(w.log_prob == all[i][k].log_prob);
      CHECK_NEAR(w.score, score_of(&all[i][k]), 1e-12);
    }
    free(all[i]);
  }
  trm_beam_search_destroy(&search);
}

/* Small beams: no better than everything, no worse than greedy where nothing is rewarded, and alike in
 * any batch. */
static void check_small(fixture *f, int64_t beam) {
  sequence best[N_ALL];
  alpha = 0;
  trm_beam_search *search = search_of(f, beam, beam);
  for (int64_t i = 0; i < N_INPUTS; ++i) {
    enumerate(f, i, best);
    run(search, 0, N_INPUTS);
    const trm_written w = trm_beam_search_result(search, i, 0);
    const double log_prob = w.log_prob;
    if (w.ended) CHECK(log_prob <= best[0].log_prob);
    for (int64_t k = 1; k < trm_beam_search_n(search, i); ++k) {
      CHECK(trm_beam_search_result(search, i, k - 1).score >=
            trm_beam_search_result(search, i, k).score);
    }
    run(search, i, 1);
    CHECK(trm_beam_search_result(search, 0, 0).log_prob == log_prob);
  }
  trm_beam_search_destroy(&search);
}

static void check_model(const char *const *sets) {
  fixture f = make(sets);
  alpha = 0;
  check_greedy(&f);
  for (int64_t beam = 2; beam < 5; ++beam) check_small(&f, beam);
  check_all(&f, 0);
  check_all(&f, 1);
  check_all(&f, 3); /* longer ones win */
  release(&f);
}

int main(void) {
  trm_math_init();
  CHECK_OK(trm_gemm_select("native"));
  check_model((const char *[]){"model.kind=seq2seq", "model.layers=1", "model.width=8",
                               "model.heads=2", "model.context=16", NULL});
  check_model((const char *[]){
      "model.kind=seq2seq", "model.layers=2", "model.width=12", "model.heads=3", "model.context=16",
      "model.norm=post", "model.positions=learned", "model.tied=false", "model.init=normal", NULL});
  return check_verdict();
}
