#include "sample_writing.h"

#include <string.h>

#include "beam_search.h"
#include "findings.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/utf8.h"
#include "trireme/input/tokenizer.h"
#include "trireme/train/text_scores.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("eval.beam", "1", 0, 1000, "", TRM_NO_EFFECT,
                "Hypotheses of the search by which evaluations write what is scored; 1: greedy; 0: "
                "nothing is written."),
    TRM_KEY_REAL("eval.length_reward", "1.0", 0, 10, "", TRM_NO_EFFECT,
                 "Log-probabilities of finished hypotheses are divided by ((5 + tokens) / 6) to "
                 "this power."),
};
const trm_config_rows trm_sample_writing_keys = TRM_CONFIG_ROWS(keys);

/* Results have at most twice the tokens of their input and 20 more. */
static const double longest_ratio = 2;
enum { LONGEST_EXTRA = 20 };

/* Counts of a subset, one after another. */
enum {
  EDITS,
  BLEU = EDITS + TRM_N_EDIT_COUNTS,
  CHRF = BLEU + TRM_N_BLEU_COUNTS,
  STOPS = CHRF + TRM_N_CHRF_COUNTS,
  N_COUNTS
};

/* Samples of one input: members[offsets[i]] .. members[offsets[i + 1]]. */
typedef struct inputs {
  int32_t *first;   /* [n] the sample that stands for all */
  int64_t *offsets; /* [n + 1] */
  int32_t *members;
  int64_t *input_of; /* [samples of the data set] of samples that stand for others */
  int64_t n;
} inputs;

struct trm_sample_writing {
  const trm_task *task;
  trm_sample_view view;
  trm_learner *learner;
  inputs inputs;
  trm_sample_passes *passes;
  int64_t first_group, n_local;
  trm_beam_search *search;
  trm_tokenizer *tokenizer;
  bool texts; /* scored as texts, else as lists of symbols */
  double *
      noted; /* [TRM_FINDINGS_TEXTS, TRM_FINDINGS_TEXT_BYTES] while it runs; NULL: no texts are noted */
  bool warned;
};

static bool writes_texts(const trm_samples *data) {
  return strcmp(data->target_vocab.unit, "symbol") != 0;
}

const char *const *trm_sample_writing_scores(const trm_task *task, const trm_samples *data) {
  static const char *const none[] = {NULL}, *const texts[] = {"exact", "bleu", "chrf", NULL},
                           *const symbols[] = {"exact", "per", "wer", NULL};
  if (data->target != TRM_TARGET_TOKENS || trm_config_int(task->config, "eval.beam") == 0) {
    return none;
  }
  return writes_texts(data) ? texts : symbols;
}

void trm_sample_writing_introduce(const trm_task *task, const trm_samples *data) {
  char signature[96];
  if (!trm_sample_writing_scores(task, data)[0] || !writes_texts(data)) return;
  trm_bleu_signature(1, signature, sizeof signature);
  trm_log_line(task->log, "BLEU %s, chrF nc:6|nw:0|space:no, of texts written by %s", signature,
               trm_config_int(task->config, "eval.beam") == 1 ? "greedy search" : "beam search");
}

/* ---- life ------------------------------------------------------------------------------------ */

static void free_inputs(inputs *in) {
  TRM_FREE(in->first);
  TRM_FREE(in->offsets);
  TRM_FREE(in->members);
  TRM_FREE(in->input_of);
}

/* Inputs in the order of their first samples, each with all of its samples. Of texts each sample is an
 * input: scores of texts are those of all lines, also of equal ones. */
static trm_status join_inputs(const trm_samples *data, bool texts, trm_ids ids, inputs *in) {
  static const char what[] = "inputs of samples";
  int64_t *of_group = NULL, *heads = NULL; /* input of each group, counted from 1 */
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&in->first, ids.n, what));
  TRM_TRY_OUT(TRM_ALLOC(&in->offsets, ids.n + 1, what));
  TRM_TRY_OUT(TRM_ALLOC(&in->members, ids.n, what));
  TRM_TRY_OUT(TRM_ALLOC(&in->input_of, data->n, what));
  TRM_TRY_OUT(TRM_ALLOC(&of_group, data->n, what));
  TRM_TRY_OUT(TRM_ALLOC(&heads, ids.n + 1, what));
  for (int64_t i = 0; i < ids.n; ++i) {
    const int32_t id = ids.ids[i], group = data->groups && !texts ? data->groups[id] : id;
    if (of_group[group] == 0) {
      in->first[in->n] = id;
      in->input_of[id] = in->n;
      of_group[group] = ++in->n;
    }
    ++in->offsets[of_group[group]];
  }
  for (int64_t i = 0; i < in->n; ++i) in->offsets[i + 1] += in->offsets[i];
  memcpy(heads, in->offsets, (size_t)(in->n + 1) * sizeof *heads);
  for (int64_t i = 0; i < ids.n; ++i) {
    const int32_t id = ids.ids[i], group = data->groups && !texts ? data->groups[id] : id;
    in->members[heads[of_group[group] - 1]++] = id;
  }
out:
  TRM_FREE(of_group);
  TRM_FREE(heads);
  return status;
}

static trm_beam_options search_options(const trm_sample_writing *w) {
  return (trm_beam_options){.beam = trm_config_int(w->task->config, "eval.beam"),
                            .n_best = 1,
                            .length_reward = trm_config_real(w->task->config, "eval.length_reward"),
                            .longest_ratio = longest_ratio,
                            .longest_extra = LONGEST_EXTRA,
                            .top_p = 1,
                            .bos = w->view.data->target_vocab.bos,
                            .eos = w->view.data->target_vocab.eos};
}

/* Tokens of all hypotheses of a group at most. */
static trm_status most_kept(trm_sample_writing *w, const trm_beam_options *o, int64_t *n_kept) {
  const int64_t context = trm_model_kept(w->learner->model).context;
  *n_kept = 0;
  for (int64_t g = 0; g < trm_sample_passes_n(w->passes); ++g) {
    trm_sample_batch batch;
    const int32_t *ids;
    TRM_TRY(trm_sample_passes_make(w->passes, g, &batch, &ids));
    const int64_t longest = trm_beam_search_longest(o, context, batch.inputs.longest);
    *n_kept = trm_max_i64(*n_kept, batch.n * o->beam * longest);
  }
  return TRM_OK;
}

static trm_status prepare(trm_sample_writing *w, trm_ids ids) {
  const trm_comm *comm = w->task->comm;
  const trm_beam_options options = search_options(w);
  trm_sample_batch bounds;
  int64_t n_kept;
  TRM_TRY(join_inputs(w->view.data, w->texts, ids, &w->inputs));
  TRM_TRY(trm_sample_passes_create(&w->view, w->inputs.first, w->inputs.n, &w->passes));
  trm_block_range(trm_sample_passes_n(w->passes), trm_comm_rank(comm), trm_comm_size(comm),
                  &w->first_group, &w->n_local);
  TRM_TRY(most_kept(w, &options, &n_kept));
  trm_sample_passes_bounds(w->passes, &bounds);
  TRM_TRY(trm_tokenizer_create(&w->view.data->target_vocab, &w->tokenizer));
  return trm_beam_search_create(w->learner, &options, &bounds, n_kept, w->task->dims.n_outputs,
                                &w->search);
}

trm_status trm_sample_writing_create(const trm_task *task, const trm_sample_view *view,
                                     trm_learner *learner, trm_ids samples,
                                     trm_sample_writing **out) {
  trm_sample_writing *w = NULL;
  *out = NULL;
  TRM_TRY(TRM_ALLOC(&w, 1, "evaluation"));
  w->task = task;
  w->view = *view;
  w->learner = learner;
  w->texts = writes_texts(view->data);
  const trm_status status = prepare(w, samples);
  if (status == TRM_OK) {
    *out = w;
  } else {
    trm_sample_writing_destroy(&w);
  }
  return status;
}

void trm_sample_writing_destroy(trm_sample_writing **writing) {
  trm_sample_writing *w = *writing;
  if (!w) return;
  trm_beam_search_destroy(&w->search);
  trm_sample_passes_destroy(&w->passes);
  trm_tokenizer_destroy(&w->tokenizer);
  free_inputs(&w->inputs);
  TRM_FREE(*writing);
}

/* ---- scoring one result ---------------------------------------------------------------------- */

static trm_status count_edits(const trm_sample_writing *w, const trm_written *written,
                              int64_t input, double *counts) {
  const trm_ragged *targets = &w->view.data->targets;
  const int64_t begin = w->inputs.offsets[input], end = w->inputs.offsets[input + 1];
  int64_t *offsets = NULL, n_tokens = 0;
  int32_t *tokens = NULL;
  trm_status status = TRM_OK;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t *at = targets->offsets + w->inputs.members[i];
    n_tokens += at[1] - at[0];
  }
  TRM_TRY_OUT(TRM_ALLOC(&offsets, end - begin + 1, "references"));
  TRM_TRY_OUT(TRM_ALLOC(&tokens, n_tokens, "references"));
  for (int64_t i = begin; i < end; ++i) {
    const int64_t *at = targets->offsets + w->inputs.members[i], n = at[1] - at[0];
    memcpy(tokens + offsets[i - begin], targets->values + at[0], (size_t)n * sizeof *tokens);
    offsets[i - begin + 1] = offsets[i - begin] + n;
  }
  const trm_token_lists lists = {tokens, offsets, end - begin};
  status = trm_edits_add(counts + EDITS, written->tokens, written->n, &lists);
out:
  TRM_FREE(offsets);
  TRM_FREE(tokens);
  return status;
}

/* Text of a target: as it was, or what its tokens say, in *owned. */
static trm_status reference(const trm_sample_writing *w, int32_t sample, char **owned,
                            trm_line *line) {
  const trm_samples *data = w->view.data;
  const trm_texts *texts = &data->references;
  *owned = NULL;
  if (texts->n > 0) {
    const int64_t at = texts->offsets[sample];
    *line = (trm_line){texts->bytes + at, texts->offsets[sample + 1] - at};
    return TRM_OK;
  }
  const int64_t at = data->targets.offsets[sample], n = data->targets.offsets[sample + 1] - at;
  TRM_TRY(trm_tokenizer_decode(w->tokenizer, data->targets.values + at, n, owned, &line->bytes));
  line->text = *owned;
  return TRM_OK;
}

static trm_status count_text(const trm_sample_writing *w, const trm_written *written, int64_t input,
                             double *counts) {
  const int64_t begin = w->inputs.offsets[input], n = w->inputs.offsets[input + 1] - begin;
  char *text = NULL, **owned = NULL;
  trm_line *lines = NULL, hypothesis;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&owned, n, "references"));
  TRM_TRY_OUT(TRM_ALLOC(&lines, n, "references"));
  for (int64_t i = 0; i < n; ++i) {
    TRM_TRY_OUT(reference(w, w->inputs.members[begin + i], &owned[i], &lines[i]));
  }
  TRM_TRY_OUT(
      trm_tokenizer_decode(w->tokenizer, written->tokens, written->n, &text, &hypothesis.bytes));
  hypothesis.text = text;
  TRM_TRY_OUT(trm_bleu_add(counts + BLEU, hypothesis, lines, n));
  status = trm_chrf_add(counts + CHRF, hypothesis, lines, n);
out:
  for (int64_t i = 0; owned && i < n; ++i) TRM_FREE(owned[i]);
  TRM_FREE(owned);
  TRM_FREE(lines);
  TRM_FREE(text);
  return status;
}

/* ---- some of what is written, for reports ------------------------------------------------------- */

/* Texts that are kept, of inputs evenly spread: so the choice is the same on any ranks. */
static int64_t n_noted(const trm_sample_writing *w) {
  return trm_min_i64(w->inputs.n, TRM_FINDINGS_TEXTS);
}

/* Place of an input among them, -1: it is not. */
static int64_t place_of(const trm_sample_writing *w, int64_t input) {
  const int64_t n = n_noted(w);
  for (int64_t i = 0; i < n; ++i) {
    if (trm_share_at(i, w->inputs.n, n) == input) return i;
  }
  return -1;
}

static trm_status decode(trm_tokenizer *tokenizer, const int32_t *tokens, int64_t n,
                         char text[TRM_FINDINGS_TEXT_BYTES]) {
  char *whole = NULL;
  int64_t bytes;
  TRM_TRY(trm_tokenizer_decode(tokenizer, tokens, n, &whole, &bytes));
  trm_text_escape_cut(whole, bytes, false, text, TRM_FINDINGS_TEXT_BYTES);
  TRM_FREE(whole);
  return TRM_OK;
}

/* What is written goes from the rank that wrote it to all: a byte is a number, and others give 0. */
static void take_texts(const trm_sample_writing *w) {
  trm_findings *o = w->task->findings;
  o->n_texts = (int)n_noted(w);
  for (int i = 0; i < o->n_texts; ++i) {
    for (int k = 0; k < TRM_FINDINGS_TEXT_BYTES; ++k) {
      o->texts[i].written[k] = (char)(unsigned char)w->noted[i * TRM_FINDINGS_TEXT_BYTES + k];
    }
  }
}

/* Source and reference are in the data set. */
static trm_status add_originals(const trm_sample_writing *w) {
  const trm_samples *data = w->view.data;
  trm_findings *o = w->task->findings;
  trm_tokenizer *reader = NULL;
  trm_status status = TRM_OK;
  o->names = &data->names;
  if (data->input == TRM_INPUT_TOKENS) {
    TRM_TRY(trm_tokenizer_create(&data->input_vocab, &reader));
  }
  for (int i = 0; i < o->n_texts; ++i) {
    const int32_t sample = w->inputs.first[trm_share_at(i, w->inputs.n, o->n_texts)];
    char *owned = NULL;
    trm_line line;
    o->texts[i].sample = sample;
    if (reader) {
      const int64_t *at = data->inputs.offsets + sample;
      TRM_TRY_OUT(decode(reader, data->inputs.values + at[0], at[1] - at[0], o->texts[i].source));
    }
    TRM_TRY_OUT(reference(w, sample, &owned, &line));
    trm_text_escape_cut(line.text, line.bytes, false, o->texts[i].reference,
                        TRM_FINDINGS_TEXT_BYTES);
    TRM_FREE(owned);
  }
out:
  trm_tokenizer_destroy(&reader);
  return status;
}

/* Of the first subset that is written for: that to validate, where there is one. Collective. */
static trm_status note_texts(trm_sample_writing *w) {
  trm_comm *comm = w->task->comm;
  TRM_TRY(trm_comm_sum_f64(comm, w->noted, TRM_FINDINGS_TEXTS * TRM_FINDINGS_TEXT_BYTES));
  take_texts(w);
  return trm_comm_agree(comm, add_originals(w));
}

static trm_status note(trm_sample_writing *w, int64_t input, const trm_written *written) {
  char text[TRM_FINDINGS_TEXT_BYTES] = "";
  const int64_t place = w->noted ? place_of(w, input) : -1;
  if (place < 0) return TRM_OK;
  TRM_TRY(decode(w->tokenizer, written->tokens, written->n, text));
  for (int k = 0; k < TRM_FINDINGS_TEXT_BYTES; ++k) {
    w->noted[place * TRM_FINDINGS_TEXT_BYTES + k] = (unsigned char)text[k];
  }
  return TRM_OK;
}

/* ---- running --------------------------------------------------------------------------------- */

static trm_status run_group(trm_sample_writing *w, int64_t group, double *counts) {
  trm_sample_batch batch;
  const int32_t *ids;
  TRM_TRY(trm_sample_passes_make(w->passes, group, &batch, &ids));
  trm_watch_phase(w->task->comm, "writing", group); /* each group is progress */
  TRM_TRY(trm_beam_search_run(w->search, &batch, NULL));
  for (int64_t i = 0; i < batch.n; ++i) {
    const int64_t input = w->inputs.input_of[ids[i]];
    trm_written written = {0}; /* nothing, where logits are no numbers */
    if (trm_beam_search_n(w->search, i) > 0) written = trm_beam_search_result(w->search, i, 0);
    TRM_TRY(count_edits(w, &written, input, counts));
    if (w->texts) TRM_TRY(count_text(w, &written, input, counts));
    TRM_TRY(note(w, input, &written));
  }
  return TRM_OK;
}

trm_status trm_sample_writing_run(trm_sample_writing *w, trm_task_stop stop, void *context,
                                  double *scores, bool *stopped) {
  double counts[N_COUNTS] = {0}; /* whole numbers: exact whatever the ranks */
  trm_status status = TRM_OK;
  const bool notes = w->task->findings && w->task->findings->n_texts == 0;
  if (notes) {
    status = TRM_ALLOC(&w->noted, TRM_FINDINGS_TEXTS * TRM_FINDINGS_TEXT_BYTES, "written texts");
  }
  for (int64_t i = 0; i < w->n_local && status == TRM_OK; ++i) {
    if (stop && stop(context)) {
      counts[STOPS] = 1;
      break;
    }
    status = run_group(w, w->first_group + i, counts);
  }
  TRM_TRY(trm_comm_agree(w->task->comm, status));
  TRM_TRY(trm_comm_sum_f64(w->task->comm, counts, N_COUNTS));
  *stopped = *stopped || counts[STOPS] > 0;
  if (notes && !*stopped) status = note_texts(w);
  TRM_FREE(w->noted);
  TRM_TRY(status);
  if (w->texts && !w->warned && trm_bleu_looks_tokenized(counts + BLEU)) {
    w->warned = true;
    trm_log_warn(w->task->log,
                 "%s: 100 lines or more end in ' .', as tokenized text does; BLEU of such lines is "
                 "not that of plain text: prepare the data from text as people write it",
                 w->view.data->path);
  }
  scores[0] = trm_exact_rate(counts + EDITS);
  scores[1] = w->texts ? trm_bleu_score(counts + BLEU) : trm_edit_rate(counts + EDITS);
  scores[2] = w->texts ? trm_chrf_score(counts + CHRF) : trm_wrong_rate(counts + EDITS);
  return TRM_OK;
}
