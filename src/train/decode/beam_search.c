/*
 * The search. All live hypotheses of a batch have the same number of tokens; each is a row of every
 * step. A hypothesis has a list of the rows that keep its past, so going on from another one copies
 * numbers, not keys and values.
 *
 *   search_run -> encode            keys and values of the inputs
 *              -> step              logits of all live hypotheses
 *              -> choose            for each input: continuations, finished ones, new live ones
 */
#include "beam_search.h"

#include <math.h>
#include <string.h>

#include "beam.h"
#include "kept_rows.h"
#include "token_sampler.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

/* Hypotheses side by side; two of these take turns. */
typedef struct field {
  int64_t n;
  int64_t *input;   /* [most] which input each is of; they rise */
  double *log_prob; /* [most] */
  int32_t *tokens;  /* [most, longest + 1] <s> and what was written */
  int32_t *rows;    /* [most, longest + 1] that keep them */
} field;

/* What became of one input. */
typedef struct outcome {
  int64_t n_results, n_finished; /* kept, at most n_best; ever finished */
  int64_t longest;               /* tokens that a result may have, </s> counted */
  bool done;
} outcome;

struct trm_beam_search {
  trm_learner *learner; /* borrowed */
  trm_beam_options options;
  int64_t V, most_inputs, most, longest; /* outputs; inputs, hypotheses, tokens at most */
  trm_kept_rows self, cross;
  trm_token_sampler sampler;

  field fields[2];
  field *live, *next;
  trm_sequences self_keys, cross_keys, readers;
  int64_t *cross_offsets, *readers_offsets; /* [most_inputs + 1] */
  int32_t *append, *places, *tokens;        /* [most] */
  int32_t *self_rows;                       /* [most * (longest + 1)] */
  int32_t *cross_rows;                      /* [most rows of inputs] */
  trm_continuation *continuations;          /* [beam * n_top] */
  outcome *outcomes;                        /* [most_inputs] */
  trm_written *results;                     /* [most_inputs, n_best] */
  int32_t *result_tokens;                   /* [most_inputs, n_best, longest] */
};

/* Continuations looked at: </s> may take as many places as there are hypotheses. */
static int64_t n_top(const trm_beam_search *s) {
  return trm_min_i64(2 * s->options.beam, s->V);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static const char what[] = "writing";

static trm_status make_field(const trm_beam_search *s, field *f) {
  const int64_t width = s->longest + 1;
  TRM_TRY(TRM_ALLOC(&f->input, s->most, what));
  TRM_TRY(TRM_ALLOC(&f->log_prob, s->most, what));
  TRM_TRY(TRM_ALLOC(&f->tokens, s->most * width, what));
  return TRM_ALLOC(&f->rows, s->most * width, what);
}

static void free_field(field *f) {
  TRM_FREE(f->input);
  TRM_FREE(f->log_prob);
  TRM_FREE(f->tokens);
  TRM_FREE(f->rows);
}

static trm_status allocate(trm_beam_search *s, const trm_sample_batch *bounds, int64_t n_kept) {
  const trm_kept_sizes sizes = trm_model_kept(s->learner->model);
  const int64_t beam = s->options.beam, n_best = s->options.n_best;
  TRM_TRY(trm_kept_rows_create(&sizes, n_kept, &s->self));
  TRM_TRY(trm_kept_rows_create(&sizes, bounds->inputs.n_rows, &s->cross));
  for (int k = 0; k < 2; ++k) TRM_TRY(make_field(s, &s->fields[k]));
  TRM_TRY(TRM_ALLOC(&s->cross_offsets, s->most_inputs + 1, what));
  TRM_TRY(TRM_ALLOC(&s->readers_offsets, s->most_inputs + 1, what));
  TRM_TRY(TRM_ALLOC(&s->append, s->most, what));
  TRM_TRY(TRM_ALLOC(&s->places, s->most, what));
  TRM_TRY(TRM_ALLOC(&s->tokens, s->most, what));
  TRM_TRY(TRM_ALLOC(&s->self_rows, s->most * (s->longest + 1), what));
  TRM_TRY(TRM_ALLOC(&s->cross_rows, bounds->inputs.n_rows, what));
  TRM_TRY(TRM_ALLOC(&s->continuations, beam * n_top(s), what));
  TRM_TRY(TRM_ALLOC(&s->outcomes, s->most_inputs, what));
  TRM_TRY(TRM_ALLOC(&s->results, s->most_inputs * n_best, what));
  TRM_TRY(TRM_ALLOC(&s->result_tokens, s->most_inputs * n_best * s->longest, what));
  return trm_token_sampler_create(s->V, s->options.temperature, s->options.top_k, s->options.top_p,
                                  s->options.seed, &s->sampler);
}

int64_t trm_beam_search_longest(const trm_beam_options *options, int64_t context, int64_t n_rows) {
  const double wanted = options->longest_ratio * (double)n_rows + (double)options->longest_extra;
  if (wanted >= (double)context) return context;
  return trm_max_i64(1, (int64_t)wanted);
}

static int64_t longest_of(const trm_beam_search *s, int64_t n_rows) {
  return trm_beam_search_longest(&s->options, trm_model_kept(s->learner->model).context, n_rows);
}

/* Of each hypothesis what is needed to choose: the likeliest continuations, or, to draw, all logits. */
static trm_var *run_step(const trm_beam_search *s, const trm_step_batch *step) {
  trm_tape *tape = s->learner->tape;
  trm_var *x = trm_model_step(s->learner->model, tape, step);
  trm_var *head = trm_model_head(s->learner->model, tape);
  return s->options.temperature > 0 ? trm_op_linear(tape, x, head, NULL)
                                    : trm_op_linear_top_k(tape, x, head, n_top(s));
}

/* The largest batch, and a step of the most hypotheses at their longest. */
static trm_status plan(trm_beam_search *s, const trm_sample_batch *bounds) {
  trm_tape *tape = s->learner->tape;
  trm_pass pass = {.dry = true, .bounds = true, .weights_use = TRM_WEIGHTS_FIRST};
  trm_tape_begin(tape, &pass);
  trm_model_encode(s->learner->model, tape, bounds, s->cross.rows);
  TRM_TRY(trm_tape_status(tape));
  s->self_keys = (trm_sequences){s->most, s->most * s->longest, s->longest, NULL};
  s->cross_keys = bounds->inputs;
  s->readers = (trm_sequences){s->most_inputs, s->most, s->options.beam, NULL};
  trm_kept_rows_point(&s->self, s->append, &s->self_keys, s->self_rows);
  trm_kept_rows_point(&s->cross, NULL, &s->cross_keys, s->cross_rows);
  const trm_step_batch step = {.fresh = {s->most, s->most, 1, NULL},
                               .tokens = s->tokens,
                               .places = s->places,
                               .self = s->self.kept,
                               .cross = s->cross.kept,
                               .readers = s->readers};
  trm_tape_begin(tape, &pass);
  (void)run_step(s, &step);
  return trm_tape_status(tape);
}

trm_status trm_beam_search_create(trm_learner *learner, const trm_beam_options *options,
                                  const trm_sample_batch *bounds, int64_t n_kept, int64_t n_outputs,
                                  trm_beam_search **out) {
  trm_beam_search *s = NULL;
  trm_status status = TRM_OK;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&s, 1, what));
  s->learner = learner;
  s->options = *options;
  s->V = n_outputs;
  s->most_inputs = bounds->n;
  s->most = bounds->n * options->beam;
  s->longest = longest_of(s, bounds->inputs.longest);
  TRM_TRY_OUT(allocate(s, bounds, n_kept));
  TRM_TRY_OUT(plan(s, bounds));
  *out = s;
  return TRM_OK;
out:
  trm_beam_search_destroy(&s);
  return status;
}

void trm_beam_search_destroy(trm_beam_search **search) {
  trm_beam_search *s = *search;
  if (!s) return;
  trm_kept_rows_free(&s->self);
  trm_kept_rows_free(&s->cross);
  trm_token_sampler_free(&s->sampler);
  for (int k = 0; k < 2; ++k) free_field(&s->fields[k]);
  TRM_FREE(s->cross_offsets);
  TRM_FREE(s->readers_offsets);
  TRM_FREE(s->append);
  TRM_FREE(s->places);
  TRM_FREE(s->tokens);
  TRM_FREE(s->self_rows);
  TRM_FREE(s->cross_rows);
  TRM_FREE(s->continuations);
  TRM_FREE(s->outcomes);
  TRM_FREE(s->results);
  TRM_FREE(s->result_tokens);
  TRM_FREE(*search);
}

/* ---- hypotheses ------------------------------------------------------------------------------ */

static int32_t *tokens_of(const trm_beam_search *s, const field *f, int64_t h) {
  return f->tokens + h * (s->longest + 1);
}

static int32_t *rows_of(const trm_beam_search *s, const field *f, int64_t h) {
  return f->rows + h * (s->longest + 1);
}

static void begin(trm_beam_search *s, const trm_sample_batch *batch) {
  const int64_t *offsets = batch->inputs.offsets;
  s->live = &s->fields[0];
  s->next = &s->fields[1];
  s->live->n = batch->n;
  for (int64_t i = 0; i < batch->n; ++i) {
    s->outcomes[i] = (outcome){.longest = longest_of(s, offsets[i + 1] - offsets[i])};
    s->live->input[i] = i;
    s->live->log_prob[i] = 0;
    tokens_of(s, s->live, i)[0] = s->options.bos;
  }
}

/* Hypothesis `parent` with one token more, of t + 1 tokens now (<s> counted). */
static void go_on(trm_beam_search *s, const trm_continuation *c, int64_t input, int64_t t) {
  field *f = s->next;
  const int64_t h = f->n++;
  const size_t n = (size_t)(t + 1) * sizeof(int32_t);
  f->input[h] = input;
  f->log_prob[h] = c->log_prob;
  memcpy(tokens_of(s, f, h), tokens_of(s, s->live, c->parent), n);
  memcpy(rows_of(s, f, h), rows_of(s, s->live, c->parent), n);
  tokens_of(s, f, h)[t + 1] = c->token;
}

/* Keeps a result of n tokens without </s> where it is among the n_best; of equals the earlier. */
static void finish(trm_beam_search *s, int64_t input, const int32_t *tokens, int64_t n,
                   double log_prob, bool ended) {
  outcome *o = &s->outcomes[input];
  const int64_t n_best = s->options.n_best;
  trm_written *list = s->results + input * n_best;
  const double score = log_prob / trm_length_reward(n + (ended ? 1 : 0), s->options.length_reward);
  int64_t at = o->n_results;
  while (at > 0 && list[at - 1].score < score) --at;
  ++o->n_finished;
  if (at == n_best) return;
  const int64_t last = trm_min_i64(o->n_results, n_best - 1);
  int32_t *room = o->n_results < n_best
                      ? s->result_tokens + (input * n_best + o->n_results) * s->longest
                      : (int32_t *)(uintptr_t)list[last].tokens; /* of the one that falls out */
  memmove(list + at + 1, list + at, (size_t)(last - at) * sizeof *list);
  memcpy(room, tokens, (size_t)n * sizeof *room);
  list[at] =
      (trm_written){.tokens = room, .n = n, .log_prob = log_prob, .score = score, .ended = ended};
  o->n_results = trm_min_i64(o->n_results + 1, n_best);
}

/* ---- a step ---------------------------------------------------------------------------------- */

/* What the hypotheses look at of their inputs: those of one input are queries over the same keys. */
static void lay_out_inputs(trm_beam_search *s, const trm_sample_batch *batch) {
  const field *f = s->live;
  const int64_t *offsets = batch->inputs.offsets;
  int64_t n = 0;
  s->cross_keys.longest = s->readers.longest = 0;
  s->cross_offsets[0] = s->readers_offsets[0] = 0;
  for (int64_t h = 0; h < f->n; ++n) {
    const int64_t input = f->input[h], first = h, length = offsets[input + 1] - offsets[input];
    int32_t *rows = s->cross_rows + s->cross_offsets[n];
    for (int64_t j = 0; j < length; ++j) rows[j] = (int32_t)(offsets[input] + j);
    while (h < f->n && f->input[h] == input) ++h;
    s->cross_offsets[n + 1] = s->cross_offsets[n] + length;
    s->readers_offsets[n + 1] = h;
    s->cross_keys.longest = trm_max_i64(s->cross_keys.longest, length);
    s->readers.longest = trm_max_i64(s->readers.longest, h - first);
  }
  s->cross_keys.n = s->readers.n = n;
  s->cross_keys.n_rows = s->cross_offsets[n];
  s->cross_keys.offsets = s->cross_offsets;
  s->readers.n_rows = f->n;
  s->readers.offsets = s->readers_offsets;
}

/* What the live hypotheses, of t + 1 tokens, look at. */
static trm_step_batch lay_out(trm_beam_search *s, const trm_sample_batch *batch, int64_t t,
                              int64_t *n_rows) {
  field *f = s->live;
  int32_t *self = s->self_rows;
  for (int64_t h = 0; h < f->n; ++h) {
    s->tokens[h] = tokens_of(s, f, h)[t];
    s->places[h] = (int32_t)t;
    s->append[h] = rows_of(s, f, h)[t] = (int32_t)(*n_rows)++;
    memcpy(self, rows_of(s, f, h), (size_t)(t + 1) * sizeof *self);
    self += t + 1;
  }
  lay_out_inputs(s, batch);
  s->self_keys = (trm_sequences){f->n, f->n * (t + 1), t + 1, NULL};
  return (trm_step_batch){.fresh = {f->n, f->n, 1, NULL},
                          .tokens = s->tokens,
                          .places = s->places,
                          .self = s->self.kept,
                          .cross = s->cross.kept,
                          .readers = s->readers};
}

/* Likeliest continuations of hypotheses [first, end), all of one input; `seen` as
 * trm_op_linear_top_k. */
static int64_t list_continuations(trm_beam_search *s, const trm_real *seen, int64_t first,
                                  int64_t end) {
  const int64_t K = n_top(s);
  int64_t n = 0;
  for (int64_t h = first; h < end; ++h) {
    const trm_real *row = seen + h * (1 + 2 * K);
    if (!isfinite(row[0])) continue;
    for (int64_t k = 0; k < K; ++k) {
      s->continuations[n++] = (trm_continuation){.log_prob = s->live->log_prob[h] +
                                                             ((double)row[1 + k] - (double)row[0]),
                                                 .parent = h,
                                                 .token = (int32_t)row[1 + K + k]};
    }
  }
  trm_continuations_sort(s->continuations, n);
  return n;
}

static int64_t draw_continuation(trm_beam_search *s, const trm_real *logits, int64_t h,
                                 int64_t number, int64_t t) {
  const uint64_t position = (uint64_t)number << 24 | (uint64_t)t;
  const trm_xent plain = {0};
  const int32_t none = -1;
  const trm_real *row = logits + h * s->V;
  trm_real lse;
  double loss;
  (void)trm_softmax_xent_forward(&loss, &lse, NULL, row, &none, &plain, 1, s->V);
  if (!isfinite(lse)) return 0;
  const int32_t token = trm_token_sampler_draw(&s->sampler, row, position);
  s->continuations[0] =
      (trm_continuation){.log_prob = s->live->log_prob[h] + ((double)row[token] - (double)lse),
                         .parent = h,
                         .token = token};
  return 1;
}

/* Of an input's new live hypotheses, from `first` on, those that can no longer win leave: the last
 * ones, since the likeliest come first. What would have followed from one, and what now takes the place
 * of that, is less likely than it and cannot win either: results are those of a search that keeps all. */
static void drop_hopeless(trm_beam_search *s, int64_t input, int64_t first, int64_t n_tokens) {
  const trm_beam_options *o = &s->options;
  field *f = s->next;
  const double worst = s->results[(input + 1) * o->n_best - 1].score;
  while (f->n > first && trm_beam_is_done(worst, f->log_prob[f->n - 1], n_tokens,
                                          s->outcomes[input].longest, o->length_reward)) {
    --f->n;
  }
}

/* New live hypotheses and results of one input from its n continuations. */
static void choose(trm_beam_search *s, int64_t input, int64_t n, int64_t t) {
  const trm_beam_options *o = &s->options;
  outcome *to = &s->outcomes[input];
  const int64_t first = s->next->n, n_tokens = t + 1; /* of a continuation, </s> counted */
  for (int64_t i = 0; i < n && s->next->n - first < o->beam; ++i) {
    const trm_continuation *c = &s->continuations[i];
    if (c->token != o->eos) {
      go_on(s, c, input, t);
    } else if (i < o->beam) {
      finish(s, input, tokens_of(s, s->live, c->parent) + 1, t, c->log_prob, true);
      if (o->beam == 1) break; /* greedy ends with </s> */
    }
  }
  const int64_t n_live = s->next->n - first;
  const double worst = to->n_results == o->n_best
                           ? s->results[input * o->n_best + o->n_best - 1].score
                           : -(double)INFINITY;
  to->done =
      n_live == 0 || (o->beam == 1 && to->n_finished > 0) ||
      trm_beam_is_done(worst, s->next->log_prob[first], n_tokens, to->longest, o->length_reward);
  if (!to->done &&
      n_tokens == to->longest) { /* cut; only where nothing has ended is that a result */
    for (int64_t h = first; h < s->next->n && to->n_results < o->n_best; ++h) {
      finish(s, input, tokens_of(s, s->next, h) + 1, n_tokens, s->next->log_prob[h], false);
    }
    to->done = true;
  }
  if (to->done) s->next->n = first;
  if (to->n_results == o->n_best) drop_hopeless(s, input, first, n_tokens);
}

static void choose_all(trm_beam_search *s, const trm_real *seen, const int64_t *numbers,
                       int64_t t) {
  const int64_t n = s->live->n;
  s->next->n = 0;
  for (int64_t h = 0; h < n;) {
    const int64_t first = h, input = s->live->input[h];
    while (h < n && s->live->input[h] == input) ++h;
    const int64_t found = s->options.temperature > 0
                              ? draw_continuation(s, seen, first, numbers[input], t)
                              : list_continuations(s, seen, first, h);
    choose(s, input, found, t);
  }
  field *taken = s->live;
  s->live = s->next;
  s->next = taken;
}

trm_status trm_beam_search_run(trm_beam_search *search, const trm_sample_batch *batch,
                               const int64_t *numbers) {
  trm_beam_search *s = search;
  trm_tape *tape = s->learner->tape;
  int64_t n_rows = 0;
  trm_pass pass = {.weights_use = TRM_WEIGHTS_FIRST};
  trm_tape_begin(tape, &pass);
  trm_model_encode(s->learner->model, tape, batch, s->cross.rows);
  TRM_TRY(trm_tape_status(tape));
  pass.weights_use = TRM_WEIGHTS_SAME;
  begin(s, batch);
  for (int64_t t = 0; s->live->n > 0; ++t) {
    const trm_step_batch step = lay_out(s, batch, t, &n_rows);
    trm_tape_begin(tape, &pass);
    const trm_var *seen = run_step(s, &step);
    TRM_TRY(trm_tape_status(tape));
    choose_all(s, seen->data, numbers, t);
  }
  return TRM_OK;
}

trm_written trm_beam_search_result(const trm_beam_search *search, int64_t i, int64_t k) {
  return search->results[i * search->options.n_best + k];
}

int64_t trm_beam_search_n(const trm_beam_search *search, int64_t i) {
  return search->outcomes[i].n_results;
}
