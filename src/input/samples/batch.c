#include <string.h>

#include "batch_internal.h"
#include "buffer_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

static const char what[] = "batch of samples";

int64_t trm_sample_input_rows(const trm_sample_view *view, int32_t sample) {
  if (view->data->input != TRM_INPUT_TOKENS) return 1;
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
  TRM_FREE(store->values);
  TRM_FREE(store->channels);
  TRM_FREE(store->scratch);
  TRM_FREE(store->levels);
  TRM_FREE(store->class_shares);
  TRM_FREE(store->mix);
  TRM_FREE(store->mixed_targets);
  *store = (trm_batch_store){0};
}

/* Sequences of these offsets. */
static trm_sequences sequences_of(const int64_t *offsets, int64_t n) {
  trm_sequences s = {.n = n, .n_rows = offsets[n], .offsets = offsets};
  for (int64_t i = 0; i < n; ++i) {
    s.longest = trm_max_i64(s.longest, offsets[i + 1] - offsets[i]);
  }
  return s;
}

/* Offsets of rows(sample) for each sample. */
static trm_sequences lay_out(const trm_sample_view *view, trm_batch_samples samples,
                             int64_t (*rows)(const trm_sample_view *, int32_t), int64_t *offsets) {
  offsets[0] = 0;
  for (int64_t i = 0; i < samples.n; ++i) offsets[i + 1] = offsets[i] + rows(view, samples.ids[i]);
  return sequences_of(offsets, samples.n);
}

static int32_t *copy(int32_t *to, const trm_ragged *from, int32_t sample) {
  const int64_t begin = from->offsets[sample], n = from->offsets[sample + 1] - begin;
  memcpy(to, from->values + begin, (size_t)n * sizeof *to);
  return to + n;
}

/* Tokens of inputs and, since augmentation may take some away, their offsets. */
static void fill_inputs(const trm_batch_store *s, const trm_sample_view *view,
                        trm_batch_samples samples) {
  const trm_samples *data = view->data;
  const bool augmented = trm_batch_augmented(view, samples);
  int32_t *to = s->input_tokens;
  for (int64_t i = 0; i < samples.n; ++i) {
    if (view->frame.input_begin) *to++ = data->input_vocab.bos;
    int32_t *first = to;
    to = copy(to, &data->inputs, samples.ids[i]);
    if (augmented) {
      int64_t n = to - first;
      trm_augment_tokens(view->augment, trm_batch_draws_of(samples, i), first, &n,
                         data->input_vocab.unk);
      to = first + n;
    }
    if (view->frame.input_end) *to++ = data->input_vocab.eos;
    s->input_offsets[i + 1] = to - s->input_tokens;
  }
}

static void fill_outputs(const trm_sample_view *view, trm_batch_samples samples, int32_t *given,
                         int32_t *wanted) {
  const trm_samples *data = view->data;
  const trm_vocab *vocab = &data->target_vocab;
  for (int64_t i = 0; i < samples.n; ++i) {
    *given++ = vocab->bos;
    given = copy(given, &data->targets, samples.ids[i]);
    wanted = copy(wanted, &data->targets, samples.ids[i]);
    *wanted++ = vocab->eos;
  }
}

/* 1 where a sample has a class. */
static void fill_shares(const trm_samples *data, trm_batch_samples samples, float *shares) {
  const int64_t n_classes = data->classes.n;
  memset(shares, 0, (size_t)(samples.n * n_classes) * sizeof *shares);
  for (int64_t i = 0; i < samples.n; ++i) {
    const int64_t *at = data->class_sets.offsets + samples.ids[i];
    for (int64_t k = at[0]; k < at[1]; ++k) shares[i * n_classes + data->class_sets.values[k]] = 1;
  }
}

static trm_status reserve(trm_batch_store *s, int64_t n, int64_t n_inputs, int64_t n_outputs) {
  TRM_TRY(TRM_BUFFER_GROW(&s->input_tokens, &s->input_tokens_room, n_inputs, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&s->output_tokens, &s->output_tokens_room, n_outputs, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&s->targets, &s->targets_room, n_outputs > n ? n_outputs : n, 0, what));
  return TRM_BUFFER_GROW(&s->numbers, &s->numbers_room, n, 0, what);
}

/* What is to come out of the samples; nothing where that is not known. */
static trm_status fill_targets(trm_batch_store *s, const trm_sample_view *view,
                               trm_batch_samples samples, trm_sample_batch *batch) {
  const trm_samples *data = view->data;
  const int64_t n = samples.n;
  if (view->frame.outputs) {
    fill_outputs(view, samples, s->output_tokens, s->targets);
    batch->targets = s->targets;
  } else if (!data->numbers && !data->class_sets.offsets && !data->classes.labels) {
    return TRM_OK;
  } else if (data->target == TRM_TARGET_NUMBER) {
    for (int64_t i = 0; i < n; ++i) {
      const double number = (double)data->numbers[samples.ids[i]];
      s->numbers[i] = (float)((number - view->mean) / view->deviation);
    }
    batch->numbers = s->numbers;
  } else if (data->target == TRM_TARGET_CLASSES) {
    TRM_TRY(TRM_BUFFER_GROW(&s->class_shares, &s->class_shares_room, n * data->classes.n, 0, what));
    fill_shares(data, samples, s->class_shares);
    batch->class_shares = s->class_shares;
  } else {
    for (int64_t i = 0; i < n; ++i) s->targets[i] = data->classes.labels[samples.ids[i]];
    batch->targets = s->targets;
  }
  return TRM_OK;
}

trm_status trm_batch_fill(trm_batch_store *store, const trm_sample_view *view,
                          trm_batch_samples samples, trm_sample_batch *batch) {
  trm_batch_store *s = store;
  const int64_t n = samples.n;
  const bool tokens = view->data->input == TRM_INPUT_TOKENS;
  *batch = (trm_sample_batch){.n = n, .class_weights = view->class_weights};
  TRM_TRY(TRM_BUFFER_GROW(&s->input_offsets, &s->input_offsets_room, n + 1, 0, what));
  TRM_TRY(TRM_BUFFER_GROW(&s->output_offsets, &s->output_offsets_room, n + 1, 0, what));
  batch->inputs = tokens ? lay_out(view, samples, trm_sample_input_rows, s->input_offsets)
                         : trm_sequences_equal(n, 1);
  if (view->frame.outputs) {
    batch->outputs = lay_out(view, samples, trm_sample_output_rows, s->output_offsets);
  }
  TRM_TRY(reserve(s, n, tokens ? batch->inputs.n_rows : 0, batch->outputs.n_rows));
  if (tokens) {
    fill_inputs(s, view, samples);
    batch->inputs = sequences_of(s->input_offsets, n);
    batch->input_tokens = s->input_tokens;
  } else {
    TRM_TRY(trm_batch_fill_values(s, view, samples, batch));
  }
  batch->output_tokens = s->output_tokens;
  TRM_TRY(fill_targets(s, view, samples, batch));
  const bool mixes = !tokens && !view->frame.outputs && n > 0 &&
                     trm_batch_augmented(view, samples) && trm_augment_mixes(view->augment);
  return mixes ? trm_batch_mix(s, view, samples, batch) : TRM_OK;
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
