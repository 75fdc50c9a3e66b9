#include <string.h>

#include "batch_internal.h"
#include "buffer_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

static const char what[] = "batch of samples";

int64_t trm_sample_input_rows(const trm_sample_view *view, int32_t sample) {
  const int64_t *at = view->data->inputs.offsets + sample;
  return at[1] - at[0] + view->frame.input_begin + view->frame.input_end;
}

int64_t trm_sample_output_rows(const trm_sample_view *view, int32_t sample) {
  if (!view->frame.outputs) return 0;
  const int64_t *at = view->data->targets.offsets + sample;
  return at[1] - at[0] + 1;
}

void trm_batch_store_release(trm_batch_store *store) {
  TRM_FREE(store->samples);
  TRM_FREE(store->input_offsets);
  TRM_FREE(store->output_offsets);
  TRM_FREE(store->input_tokens);
  TRM_FREE(store->output_tokens);
  TRM_FREE(store->targets);
  TRM_FREE(store->numbers);
  *store = (trm_batch_store){0};
}

/* Offsets of rows(sample) for each of samples[n]. */
static trm_sequences lay_out(const trm_sample_view *view, const int32_t *samples, int64_t n,
                             int64_t (*rows)(const trm_sample_view *, int32_t), int64_t *offsets) {
  trm_sequences s = {.n = n, .offsets = offsets};
  offsets[0] = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t length = rows(view, samples[i]);
    offsets[i + 1] = offsets[i] + length;
    s.longest = trm_max_i64(s.longest, length);
  }
  s.n_rows = offsets[n];
  return s;
}

static int32_t *copy(int32_t *to, const trm_ragged *from, int32_t sample) {
  const int64_t begin = from->offsets[sample], n = from->offsets[sample + 1] - begin;
  memcpy(to, from->values + begin, (size_t)n * sizeof *to);
  return to + n;
}

static void fill_inputs(const trm_sample_view *view, const int32_t *samples, int64_t n,
                        int32_t *to) {
  const trm_samples *data = view->data;
  for (int64_t i = 0; i < n; ++i) {
    if (view->frame.input_begin) *to++ = data->input_vocab.bos;
    to = copy(to, &data->inputs, samples[i]);
    if (view->frame.input_end) *to++ = data->input_vocab.eos;
  }
}

static void fill_outputs(const trm_sample_view *view, const int32_t *samples, int64_t n,
                         int32_t *given, int32_t *wanted) {
  const trm_samples *data = view->data;
  const trm_vocab *vocab = &data->target_vocab;
  for (int64_t i = 0; i < n; ++i) {
    *given++ = vocab->bos;
    given = copy(given, &data->targets, samples[i]);
    wanted = copy(wanted, &data->targets, samples[i]);
    *wanted++ = vocab->eos;
  }
}

static trm_status reserve(trm_batch_store *s, int64_t n, int64_t n_inputs, int64_t n_outputs) {
  TRM_TRY(TRM_BUFFER_GROW(&s->input_tokens, &s->input_tokens_room, n_inputs, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&s->output_tokens, &s->output_tokens_room, n_outputs, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&s->targets, &s->targets_room, n_outputs > n ? n_outputs : n, 0, what));
  return TRM_BUFFER_GROW(&s->numbers, &s->numbers_room, n, 0, what);
}

/* What is to come out of samples[n]. */
static void fill_targets(const trm_batch_store *s, const trm_sample_view *view,
                         const int32_t *samples, int64_t n, trm_sample_batch *batch) {
  const trm_samples *data = view->data;
  if (view->frame.outputs) {
    fill_outputs(view, samples, n, s->output_tokens, s->targets);
    batch->targets = s->targets;
  } else if (data->target == TRM_TARGET_NUMBER) {
    for (int64_t i = 0; i < n; ++i) {
      s->numbers[i] = (float)(((double)data->numbers[samples[i]] - view->mean) / view->deviation);
    }
    batch->numbers = s->numbers;
  } else {
    for (int64_t i = 0; i < n; ++i) s->targets[i] = data->classes.labels[samples[i]];
    batch->targets = s->targets;
  }
}

trm_status trm_batch_fill(trm_batch_store *store, const trm_sample_view *view,
                          const int32_t *samples, int64_t n, trm_sample_batch *batch) {
  trm_batch_store *s = store;
  *batch = (trm_sample_batch){.n = n, .class_weights = view->class_weights};
  TRM_TRY(TRM_BUFFER_GROW(&s->input_offsets, &s->input_offsets_room, n + 1, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&s->output_offsets, &s->output_offsets_room, n + 1, 0, what));
  batch->inputs = lay_out(view, samples, n, trm_sample_input_rows, s->input_offsets);
  if (view->frame.outputs) {
    batch->outputs = lay_out(view, samples, n, trm_sample_output_rows, s->output_offsets);
  }
  TRM_TRY(reserve(s, n, batch->inputs.n_rows, batch->outputs.n_rows));
  fill_inputs(view, samples, n, s->input_tokens);
  batch->input_tokens = s->input_tokens;
  batch->output_tokens = s->output_tokens;
  fill_targets(s, view, samples, n, batch);
  return TRM_OK;
}

static void grow(trm_sequences *most, const trm_sequences *s) {
  most->n = trm_max_i64(most->n, s->n);
  most->n_rows = trm_max_i64(most->n_rows, s->n_rows);
  most->longest = trm_max_i64(most->longest, s->longest);
}

void trm_batch_grow_bounds(trm_sample_batch *most, const trm_sample_batch *batch) {
  most->n = trm_max_i64(most->n, batch->n);
  grow(&most->inputs, &batch->inputs);
  grow(&most->outputs, &batch->outputs);
}
