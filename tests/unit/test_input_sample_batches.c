/* Batches of samples: every sample once an epoch, the same from any step on, within the bounds. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernel_check.h"
#include "trireme/core/memory.h"
#include "trireme/input/sample_batches.h"

enum { N = 1003, MOST_TOKENS = 40 };

/* Lengths from 1 to MOST_TOKENS, short ones more often; token i of sample s is (31 s + i) % 50 + 3. */
typedef struct fixture {
  trm_samples data;
  int64_t *offsets, *target_offsets;
  int32_t *values, *target_values, *labels, *train;
  int64_t n_train;
} fixture;

static int64_t length_of(int64_t s) {
  const int64_t x = s * 7919 % 97;
  return 1 + x * x % MOST_TOKENS;
}

static int32_t token_of(int64_t s, int64_t i) {
  return (int32_t)((31 * s + i) % 50 + 3);
}

static fixture make(trm_sample_target target) {
  fixture f = {.n_train = 0};
  f.offsets = test_calloc(N + 1, sizeof *f.offsets);
  f.target_offsets = test_calloc(N + 1, sizeof *f.target_offsets);
  f.values = test_calloc(N * MOST_TOKENS, sizeof *f.values);
  f.target_values = test_calloc(N * MOST_TOKENS, sizeof *f.target_values);
  f.labels = test_calloc(N, sizeof *f.labels);
  f.train = test_calloc(N, sizeof *f.train);
  for (int32_t s = 0; s < N; ++s) {
    f.offsets[s + 1] = f.offsets[s] + length_of(s);
    f.target_offsets[s + 1] = f.target_offsets[s] + length_of(s + 1) - 1; /* some are empty */
    for (int64_t i = 0; i < length_of(s); ++i) f.values[f.offsets[s] + i] = token_of(s, i);
    for (int64_t i = 0; i + 1 < length_of(s + 1); ++i) {
      f.target_values[f.target_offsets[s] + i] = token_of(s + 1, i);
    }
    f.labels[s] = s % 3;
    if (s % 10 != 4) f.train[f.n_train++] = s;
  }
  f.data = (trm_samples){.n = N, .target = target};
  f.data.inputs = (trm_ragged){f.offsets, f.values};
  f.data.targets = (trm_ragged){f.target_offsets, f.target_values};
  f.data.classes = (trm_classes){.n = 3, .labels = f.labels};
  f.data.input_vocab = (trm_vocab){.n = 53, .unk = 0, .bos = 1, .eos = 2};
  f.data.target_vocab = f.data.input_vocab;
  return f;
}

static void release(fixture *f) {
  free(f->offsets);
  free(f->target_offsets);
  free(f->values);
  free(f->target_values);
  free(f->labels);
  free(f->train);
}

static trm_sample_order_options options_of(const fixture *f, int64_t batch, int64_t tokens,
                                           int64_t blocks, int64_t pool) {
  const bool outputs = f->data.target == TRM_TARGET_TOKENS;
  return (trm_sample_order_options){
      .view = {.data = &f->data,
               .frame = {.input_begin = !outputs, .input_end = outputs, .outputs = outputs},
               .deviation = 1},
      .train = {f->train, f->n_train},
      .seed = 5,
      .batch = batch,
      .batch_tokens = tokens,
      .n_blocks = blocks,
      .pool = pool};
}

static int64_t cost_of(const trm_sample_order_options *o, int32_t sample) {
  return trm_sample_input_rows(&o->view, sample) + trm_sample_output_rows(&o->view, sample);
}

/* ---- order ----------------------------------------------------------------------------------- */

/* Rows and costs of one block against the bounds. */
static void check_block(const trm_sample_order_options *o, const int64_t *ids, int64_t n,
                        const trm_sample_batch *bounds) {
  int64_t in = 0, out = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t sample = o->train.ids[ids[i] % o->train.n];
    in += trm_sample_input_rows(&o->view, sample);
    out += trm_sample_output_rows(&o->view, sample);
    CHECK(trm_sample_input_rows(&o->view, sample) <= bounds->inputs.longest);
    CHECK(trm_sample_output_rows(&o->view, sample) <= bounds->outputs.longest);
  }
  CHECK(n <= bounds->n && in <= bounds->inputs.n_rows && out <= bounds->outputs.n_rows);
}

static void check_epoch(const trm_sample_order_options *o, trm_sample_order *order, int64_t epoch,
                        const trm_sample_batch *bounds) {
  const int64_t S = trm_sample_order_epoch_steps(order), V = o->n_blocks;
  int *seen = test_calloc(o->train.n, sizeof *seen);
  for (int64_t k = 0; k < S; ++k) {
    const trm_sample_step s = trm_sample_order_step(order, epoch * S + k);
    const int64_t n = s.offsets[V];
    CHECK(s.offsets[0] == 0 && n >= 1 && n <= trm_sample_order_most(order));
    if (o->batch > 0) CHECK(n == o->batch || n == o->train.n / S || n == o->train.n / S + 1);
    for (int64_t i = 0; i < n; ++i) {
      CHECK(s.ids[i] / o->train.n == epoch);
      ++seen[s.ids[i] % o->train.n];
    }
    for (int64_t b = 0; b < V; ++b) {
      check_block(o, s.ids + s.offsets[b], s.offsets[b + 1] - s.offsets[b], bounds);
    }
  }
  for (int64_t i = 0; i < o->train.n; ++i) CHECK(seen[i] == 1);
  free(seen);
}

/* Any step, asked for at first or after others, is the same. */
static void check_seek(const trm_sample_order_options *o, int64_t step) {
  trm_sample_order *a = NULL, *b = NULL;
  CHECK_OK(trm_sample_order_create(o, &a));
  CHECK_OK(trm_sample_order_create(o, &b));
  for (int64_t k = 0; k < step; ++k) (void)trm_sample_order_step(a, k);
  const trm_sample_step x = trm_sample_order_step(a, step), y = trm_sample_order_step(b, step);
  const int64_t n = x.offsets[o->n_blocks];
  CHECK(memcmp(x.offsets, y.offsets, (size_t)(o->n_blocks + 1) * sizeof *x.offsets) == 0);
  CHECK(memcmp(x.ids, y.ids, (size_t)n * sizeof *x.ids) == 0);
  trm_sample_order_destroy(&a);
  trm_sample_order_destroy(&b);
}

static void check_order(const fixture *f, int64_t batch, int64_t tokens, int64_t blocks,
                        int64_t pool) {
  const trm_sample_order_options o = options_of(f, batch, tokens, blocks, pool);
  trm_sample_order *order = NULL;
  trm_sample_batch bounds;
  CHECK_OK(trm_sample_order_bounds(&o, &bounds));
  CHECK_OK(trm_sample_order_create(&o, &order));
  for (int64_t epoch = 0; epoch < 3; ++epoch) check_epoch(&o, order, epoch, &bounds);
  check_seek(&o, trm_sample_order_epoch_steps(order) + 3);
  trm_sample_order_destroy(&order);
}

/* Batches by tokens have about as many; batches of a pool have samples of about one length. */
static void check_even(const fixture *f) {
  const trm_sample_order_options o = options_of(f, 0, 600, 4, 8);
  trm_sample_order *order = NULL;
  int64_t most = 0, spread = 0, total = 0;
  CHECK_OK(trm_sample_order_create(&o, &order));
  const int64_t S = trm_sample_order_epoch_steps(order);
  for (int64_t k = 0; k < S; ++k) {
    const trm_sample_step s = trm_sample_order_step(order, k);
    int64_t cost = 0, least = INT64_MAX, longest = 0;
    for (int64_t i = 0; i < s.offsets[4]; ++i) {
      const int64_t c = cost_of(&o, o.train.ids[s.ids[i] % o.train.n]);
      cost += c;
      if (c < least) least = c;
      if (c > longest) longest = c;
    }
    total += cost;
    spread += longest - least;
    if (cost > most) most = cost;
  }
  CHECK(total / S <= 600 && total / S > 560);
  CHECK(most < 760);
  CHECK(spread / S < 14); /* of lengths from 2 to 80, in eighths */
  trm_sample_order_destroy(&order);
}

/* ---- loader ---------------------------------------------------------------------------------- */

static void check_tokens(const trm_sample_batch *b, int64_t i, int32_t sample, bool outputs) {
  const int64_t at = b->inputs.offsets[i], n = b->inputs.offsets[i + 1] - at;
  CHECK(n == length_of(sample) + 1);
  const int64_t first = outputs ? 0 : 1;
  for (int64_t k = 0; k < length_of(sample); ++k) {
    CHECK(b->input_tokens[at + first + k] == token_of(sample, k));
  }
  CHECK(b->input_tokens[outputs ? at + n - 1 : at] == (outputs ? 2 : 1));
  if (!outputs) {
    CHECK(b->targets[i] == sample % 3);
    return;
  }
  const int64_t from = b->outputs.offsets[i], m = b->outputs.offsets[i + 1] - from;
  CHECK(m == length_of(sample + 1));
  CHECK(b->output_tokens[from] == 1 && b->targets[from + m - 1] == 2);
  for (int64_t k = 0; k + 1 < m; ++k) {
    CHECK(b->output_tokens[from + 1 + k] == token_of(sample + 1, k));
    CHECK(b->targets[from + k] == token_of(sample + 1, k));
  }
}

static void check_loader(const fixture *f) {
  const bool outputs = f->data.target == TRM_TARGET_TOKENS;
  trm_sample_loader_options o = {.order = options_of(f, 37, 0, 6, 4),
                                 .first_block = 2,
                                 .n_local = 3,
                                 .first_step = 25,
                                 .end_step = 60,
                                 .depth = 3};
  trm_sample_loader *loader = NULL;
  trm_sample_order *order = NULL;
  CHECK_OK(trm_sample_loader_create(&o, &loader));
  CHECK_OK(trm_sample_order_create(&o.order, &order));
  for (int64_t step = 25; step < 60; ++step) {
    const trm_sample_block *blocks;
    int64_t loaded;
    CHECK_OK(trm_sample_loader_next(loader, &loaded, &blocks));
    CHECK(loaded == step);
    const trm_sample_step s = trm_sample_order_step(order, step);
    for (int b = 0; b < 3; ++b) {
      const trm_sample_batch *batch = &blocks[b].batch;
      CHECK(blocks[b].sample0 == s.offsets[2 + b]);
      CHECK(batch->n == s.offsets[3 + b] - s.offsets[2 + b]);
      for (int64_t i = 0; i < batch->n; ++i) {
        CHECK(blocks[b].samples[i] == s.ids[s.offsets[2 + b] + i]);
        const int32_t sample = f->train[blocks[b].samples[i] % f->n_train];
        check_tokens(batch, i, sample, outputs);
      }
    }
  }
  trm_sample_loader_destroy(&loader);
  trm_sample_order_destroy(&order);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static void check_passes(const fixture *f) {
  const trm_sample_view view = options_of(f, 1, 0, 1, 1).view;
  trm_sample_passes *passes = NULL;
  trm_sample_batch bounds, batch;
  int *seen = test_calloc(N, sizeof *seen);
  CHECK_OK(trm_sample_passes_create(&view, f->train, f->n_train, &passes));
  trm_sample_passes_bounds(passes, &bounds);
  for (int64_t g = 0; g < trm_sample_passes_n(passes); ++g) {
    const int32_t *ids;
    CHECK_OK(trm_sample_passes_make(passes, g, &batch, &ids));
    CHECK(batch.n <= bounds.n && batch.inputs.n_rows <= bounds.inputs.n_rows);
    CHECK(batch.outputs.n_rows <= bounds.outputs.n_rows);
    for (int64_t i = 0; i < batch.n; ++i) {
      ++seen[ids[i]];
      check_tokens(&batch, i, ids[i], view.frame.outputs);
    }
  }
  for (int32_t s = 0; s < N; ++s) CHECK(seen[s] == (s % 10 != 4));
  trm_sample_passes_destroy(&passes);
  free(seen);
}

int main(void) {
  const trm_sample_target targets[] = {TRM_TARGET_CLASS, TRM_TARGET_TOKENS};
  for (int t = 0; t < 2; ++t) {
    fixture f = make(targets[t]);
    const int64_t pools[] = {1, 3, 16, 10000};
    for (int p = 0; p < 4; ++p) {
      check_order(&f, 32, 0, 4, pools[p]);
      check_order(&f, 7, 0, 9, pools[p]); /* more blocks than samples */
      check_order(&f, 902, 0, 3, pools[p]);
      check_order(&f, 0, 500, 5, pools[p]);
      check_order(&f, 0, 1, 2, pools[p]); /* a sample a step */
      check_order(&f, 0, 1000000, 2, pools[p]);
    }
    check_loader(&f);
    check_passes(&f);
    if (targets[t] == TRM_TARGET_TOKENS) check_even(&f);
    release(&f);
  }
  return check_verdict();
}
