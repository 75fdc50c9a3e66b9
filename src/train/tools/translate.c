/*
 * Lines in, what a model writes of each out. Rank 0 reads and writes; lines are shared out among the
 * ranks, and cut into groups that fit the memory that was planned. What is written of a line depends on
 * that line alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beam_search.h"
#include "line_reader.h"
#include "restore.h"
#include "rundir.h"
#include "sample_facts.h"
#include "task.h"
#include "text_file.h"
#include "trireme/core/clock.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"
#include "trireme/input/tokenizer.h"
#include "trireme/io/output.h"
#include "trireme/train/train.h"

enum {
  KEPT_TOKENS =
      65536,         /* of hypotheses at once; results of one line may need more. Of the memory only
                          what is written to is taken */
  SHARE_BATCHES = 16 /* a rank has so many batches of lines at once, to sort them by length */
};

/* A line of this rank. */
typedef struct line {
  int32_t *tokens; /* without frame; owned */
  int64_t n;
  int64_t number;  /* in the input, from 0 */
  long begin, end; /* of its results in the texts of the share */
} line;

typedef struct translator {
  trm_comm *comm; /* borrowed */
  const trm_translate_options *options;
  const char *path; /* of the output; NULL: standard output */
  trm_restored restored;
  trm_sample_facts facts;
  trm_tokenizer *input, *output;
  trm_beam_options search_options;
  trm_beam_search *search;
  int64_t context, batch;
  int64_t most_lines, most_rows, n_kept; /* of a group: what was planned for */
  trm_unknown unknown;    /* what this rank's lines had that the vocabulary has not */
  int64_t n_lines, n_cut; /* of this rank, but n_lines */
  double start_s;
  trm_log log;

  line *lines;      /* [batch * SHARE_BATCHES] of this rank */
  line **by_length; /* the same, the shortest first */
  /* Inputs of a group. */
  int64_t *offsets, *numbers; /* [most_lines + 1], [most_lines] */
  int32_t *tokens;            /* [most_rows] */
} translator;

/* ---- start ----------------------------------------------------------------------------------- */

static trm_status check_model(const translator *t, const char *path) {
  if (t->facts.target == TRM_TARGET_TOKENS) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%s: says a class or a number, and writes nothing; trireme predict says what it "
                  "has learned",
                  path);
}

static trm_status read_facts(translator *t, const char *path) {
  TRM_TRY(trm_sample_facts_get(&t->restored.info.facts, path, &t->facts));
  TRM_TRY(check_model(t, path));
  TRM_TRY(trm_tokenizer_create(&t->facts.input_vocab, &t->input));
  return trm_tokenizer_create(&t->facts.target_vocab, &t->output);
}

/* What a group may have: one line of any length, or several whose results are kept together. */
static void limit_groups(translator *t) {
  const trm_beam_options *o = &t->search_options;
  const int64_t longest = o->beam * trm_beam_search_longest(o, t->context, t->context);
  const int64_t shortest =
      o->beam * trm_beam_search_longest(o, t->context, 2); /* a token and </s> */
  t->n_kept = trm_max_i64(KEPT_TOKENS, longest);
  t->most_lines = trm_min_i64(t->batch, t->n_kept / shortest);
  t->most_rows = trm_max_i64(trm_min_i64(KEPT_TOKENS, t->most_lines * t->context), t->context);
}

static trm_status make_search(translator *t) {
  const trm_translate_options *o = t->options;
  t->batch = o->batch;
  t->context = trm_model_kept(t->restored.learner.model).context;
  t->search_options = (trm_beam_options){.beam = o->beam,
                                         .n_best = o->n_best,
                                         .length_reward = o->length_reward,
                                         .longest_ratio = o->longest_ratio,
                                         .longest_extra = o->longest_extra,
                                         .temperature = o->temperature,
                                         .top_k = o->top_k,
                                         .top_p = o->top_p,
                                         .seed = o->seed,
                                         .bos = t->facts.target_vocab.bos,
                                         .eos = t->facts.target_vocab.eos};
  limit_groups(t);
  const trm_sample_batch bounds = {.n = t->most_lines,
                                   .inputs = {t->most_lines, t->most_rows, t->context, NULL}};
  TRM_TRY(trm_beam_search_create(&t->restored.learner, &t->search_options, &bounds, t->n_kept,
                                 t->facts.target_vocab.n, &t->search));
  TRM_TRY(trm_tape_reserve(t->restored.learner.tape));
  TRM_TRY(TRM_ALLOC(&t->lines, t->batch * SHARE_BATCHES, "lines"));
  TRM_TRY(TRM_ALLOC(&t->by_length, t->batch * SHARE_BATCHES, "lines"));
  TRM_TRY(TRM_ALLOC(&t->offsets, t->most_lines + 1, "lines"));
  TRM_TRY(TRM_ALLOC(&t->numbers, t->most_lines, "lines"));
  return TRM_ALLOC(&t->tokens, t->most_rows, "lines");
}

/* Collective; the status is the same on all ranks. */
static trm_status open_translator(translator *t) {
  char path[TRM_PATH_BYTES] = "";
  trm_status status = TRM_OK;
  if (trm_comm_rank(t->comm) == 0) {
    status = trm_checkpoint_resolve(t->options->run, t->options->best, path, sizeof path, &t->log);
  }
  TRM_TRY(trm_comm_agree(t->comm, status));
  TRM_TRY(trm_comm_broadcast(t->comm, path, sizeof path, 0));
  TRM_TRY(trm_restore_begin(t->comm, path, t->options->raw, &t->restored));
  TRM_TRY(trm_comm_agree(t->comm, read_facts(t, path)));
  const trm_model_dims dims = {.n_inputs = t->facts.input_vocab.n,
                               .n_outputs = t->facts.target_vocab.n,
                               .shared = t->facts.shared_vocab};
  TRM_TRY(trm_restore_weights(path, &dims, &t->restored));
  return trm_comm_agree(t->comm, make_search(t));
}

static void close_translator(translator *t) {
  trm_beam_search_destroy(&t->search);
  trm_tokenizer_destroy(&t->input);
  trm_tokenizer_destroy(&t->output);
  trm_restored_free(&t->restored);
  for (int64_t i = 0; t->lines && i < t->batch * SHARE_BATCHES; ++i) TRM_FREE(t->lines[i].tokens);
  TRM_FREE(t->lines);
  TRM_FREE(t->by_length);
  TRM_FREE(t->offsets);
  TRM_FREE(t->numbers);
  TRM_FREE(t->tokens);
}

/* ---- one group ------------------------------------------------------------------------------- */

static int64_t rows_of(const line *l) {
  return l->n + 1; /* </s> */
}

static trm_sample_batch lay_out(translator *t, int64_t first, int64_t end) {
  trm_sample_batch b = {.n = end - first, .input_tokens = t->tokens};
  int32_t *to = t->tokens;
  b.inputs = (trm_sequences){.n = b.n, .offsets = t->offsets};
  t->offsets[0] = 0;
  for (int64_t i = first; i < end; ++i) {
    const line *l = t->by_length[i];
    memcpy(to, l->tokens, (size_t)l->n * sizeof *to);
    to += l->n;
    *to++ = t->facts.input_vocab.eos;
    t->offsets[i - first + 1] = t->offsets[i - first] + rows_of(l);
    t->numbers[i - first] = l->number;
    b.inputs.longest = trm_max_i64(b.inputs.longest, rows_of(l));
  }
  b.inputs.n_rows = t->offsets[b.n];
  return b;
}

/* End of the group that begins with line `first`: what was planned for holds it. An empty line is a
 * group of its own. */
static int64_t group_end(const translator *t, int64_t first, int64_t n) {
  int64_t end = first, longest = 0, rows = 0;
  for (; end < n && end - first < t->most_lines; ++end) {
    const int64_t r = rows_of(t->by_length[end]);
    longest = trm_max_i64(longest, r);
    rows += r;
    const int64_t kept = (end + 1 - first) * t->options->beam *
                         trm_beam_search_longest(&t->search_options, t->context, longest);
    if (end > first && (kept > t->n_kept || rows > t->most_rows || r == 1)) break;
    if (r == 1) return end + 1;
  }
  return end;
}

static trm_status write_result(const translator *t, const trm_written *w, const line *l,
                               FILE *out) {
  char *text = NULL;
  int64_t n;
  TRM_TRY(trm_tokenizer_decode(t->output, w->tokens, w->n, &text, &n));
  if (t->options->n_best > 1) {
    (void)fprintf(out, "%" PRId64 "\t%.6f\t%.6f\t", l->number + 1, w->score, w->log_prob);
  }
  for (int64_t i = 0; i < n; ++i) (void)fputc(text[i] == '\n' ? ' ' : text[i], out);
  (void)fputc('\n', out);
  TRM_FREE(text);
  return TRM_OK;
}

/* Of an empty line, and where logits are no numbers. */
static void write_nothing(const translator *t, line *l, FILE *out) {
  l->begin = ftell(out);
  if (t->options->n_best > 1) (void)fprintf(out, "%" PRId64 "\t\t\t", l->number + 1);
  (void)fputc('\n', out);
  l->end = ftell(out);
}

static trm_status write_results(const translator *t, int64_t i, line *l, FILE *out) {
  const int64_t n = trm_beam_search_n(t->search, i);
  if (n == 0) {
    write_nothing(t, l, out);
    return TRM_OK;
  }
  l->begin = ftell(out);
  for (int64_t k = 0; k < n; ++k) {
    const trm_written w = trm_beam_search_result(t->search, i, k);
    TRM_TRY(write_result(t, &w, l, out));
  }
  l->end = ftell(out);
  return TRM_OK;
}

static trm_status translate_group(translator *t, int64_t first, int64_t end, FILE *out) {
  if (t->by_length[first]->n == 0) {
    write_nothing(t, t->by_length[first], out);
    return TRM_OK;
  }
  const trm_sample_batch batch = lay_out(t, first, end);
  TRM_TRY(trm_beam_search_run(t->search, &batch, t->numbers));
  for (int64_t i = 0; i < batch.n; ++i) {
    TRM_TRY(write_results(t, i, t->by_length[first + i], out));
  }
  return TRM_OK;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Lines of one reading: text[offsets[i]] .. text[offsets[i + 1]]. */
typedef struct reading {
  char *text; /* owned on other ranks than 0 */
  int64_t *offsets;
  int64_t n, first; /* lines, number of the first */
} reading;

/* A line that cannot be read as text: which one. */
static trm_status name_line(const translator *t, const line *l, trm_status status) {
  char why[TRM_MESSAGE_BYTES];
  if (status != TRM_ERR_DATA) return status;
  (void)snprintf(why, sizeof why, "%s", trm_message());
  return trm_fail(status, "%s:%" PRId64 ": %s",
                  t->options->input ? t->options->input : "standard input", l->number + 1, why);
}

static trm_status encode(translator *t, const reading *r, int64_t i, line *l) {
  int64_t begin = r->offsets[i], end = r->offsets[i + 1];
  while (end > begin && (r->text[end - 1] == '\n' || r->text[end - 1] == '\r')) --end;
  TRM_FREE(l->tokens);
  l->number = r->first + i;
  TRM_TRY(name_line(t, l,
                    trm_tokenizer_encode(t->input, r->text + begin, end - begin, &l->tokens, &l->n,
                                         &t->unknown)));
  if (l->n > t->context - 1) {
    l->n = t->context - 1;
    ++t->n_cut;
  }
  return TRM_OK;
}

static int by_length(const void *a, const void *b) {
  const line *x = *(line *const *)a, *y = *(line *const *)b;
  if (x->n != y->n) return x->n < y->n ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

/* n lines of this rank; their results stand in `out` in the order of their lengths. */
static trm_status translate_lines(translator *t, int64_t n, FILE *out) {
  for (int64_t i = 0; i < n; ++i) t->by_length[i] = &t->lines[i];
  qsort(t->by_length, (size_t)n, sizeof(line *), by_length);
  for (int64_t i = 0; i < n;) {
    const int64_t end = group_end(t, i, n);
    TRM_TRY(translate_group(t, i, end, out));
    i = end;
  }
  return TRM_OK;
}

static trm_status no_memory(void) {
  return trm_fail(TRM_ERR_MEMORY, "no memory for the lines that are written");
}

/* Of a stream in memory: what was written to it is all there. */
static trm_status close_stream(FILE *stream, trm_status status) {
  const bool whole = !ferror(stream);
  if (fclose(stream) == 0 && whole) return status;
  return status == TRM_OK ? no_memory() : status;
}

/* This rank's share, into `out` in the order of the lines. */
static trm_status translate_share(translator *t, const reading *r, FILE *out) {
  char *text = NULL;
  size_t bytes = 0;
  int64_t first, n;
  trm_share(r->n, trm_comm_size(t->comm), trm_comm_rank(t->comm), &first, &n);
  for (int64_t i = 0; i < n; ++i) TRM_TRY(encode(t, r, first + i, &t->lines[i]));
  FILE *sorted = open_memstream(&text, &bytes);
  if (!sorted) return no_memory();
  const trm_status status = close_stream(sorted, translate_lines(t, n, sorted));
  for (int64_t i = 0; i < n && status == TRM_OK; ++i) {
    const line *l = &t->lines[i];
    (void)fwrite(text + l->begin, 1, (size_t)(l->end - l->begin), out);
  }
  free(text);
  return status;
}

/* Rank 0's lines to all. Collective. */
static trm_status share_lines(translator *t, reading *r) {
  const bool root = trm_comm_rank(t->comm) == 0;
  int64_t sizes[3] = {r->n, r->first, root && r->n > 0 ? r->offsets[r->n] : 0};
  TRM_TRY(trm_comm_broadcast(t->comm, sizes, sizeof sizes, 0));
  r->n = sizes[0];
  r->first = sizes[1];
  if (r->n == 0) return TRM_OK;
  trm_status status = TRM_OK;
  if (!root) {
    TRM_FREE(r->text);
    status = TRM_ALLOC(&r->text, sizes[2], "lines");
  }
  TRM_TRY(trm_comm_agree(t->comm, status));
  TRM_TRY(trm_comm_broadcast(t->comm, r->offsets, (r->n + 1) * (int64_t)sizeof *r->offsets, 0));
  return trm_comm_broadcast(t->comm, r->text, sizes[2], 0);
}

static trm_status receive_texts(translator *t, const int64_t *bytes, char *room, FILE *out) {
  for (int r = 1; r < trm_comm_size(t->comm); ++r) {
    TRM_TRY(trm_comm_receive(t->comm, room, bytes[r], r));
    (void)fwrite(room, 1, (size_t)bytes[r], out);
  }
  if (fflush(out) == 0 && !ferror(out)) return TRM_OK;
  return trm_fail(TRM_ERR_IO, "writing the text failed: %s", strerror(errno));
}

/* The ranks' texts, in their order, to rank 0's output. Collective. */
static trm_status join_texts(translator *t, const char *text, int64_t bytes, FILE *out) {
  const bool root = trm_comm_rank(t->comm) == 0;
  int64_t *all = NULL, most = 0;
  char *room = NULL;
  trm_status status = TRM_ALLOC(&all, trm_comm_size(t->comm), "lines");
  TRM_TRY_OUT(trm_comm_agree(t->comm, status));
  TRM_TRY_OUT(trm_comm_allgather(t->comm, &bytes, all, sizeof bytes));
  for (int r = 0; r < trm_comm_size(t->comm); ++r) most = trm_max_i64(most, all[r]);
  if (root) status = TRM_ALLOC(&room, most, "lines");
  TRM_TRY_OUT(trm_comm_agree(t->comm, status));
  if (root) {
    (void)fwrite(text, 1, (size_t)bytes, out);
    status = receive_texts(t, all, room, out);
  } else {
    status = trm_comm_send(t->comm, text, bytes, 0);
  }
  status = trm_comm_agree(t->comm, status);
out:
  TRM_FREE(all);
  TRM_FREE(room);
  return status;
}

static trm_status translate_reading(translator *t, const reading *r, FILE *out) {
  char *text = NULL;
  size_t bytes = 0;
  FILE *mine = open_memstream(&text, &bytes);
  trm_status status = mine ? close_stream(mine, translate_share(t, r, mine)) : no_memory();
  status = trm_comm_agree(t->comm, status);
  if (status == TRM_OK) status = join_texts(t, text, (int64_t)bytes, out);
  free(text);
  t->n_lines += r->n;
  const double passed = trm_clock_s() - t->start_s;
  trm_log_progress(&t->log, false, "%" PRId64 " line%s, %.1f lines/s", t->n_lines,
                   trm_plural(t->n_lines), passed > 0 ? (double)t->n_lines / passed : 0);
  return status;
}

static trm_status translate_all(translator *t, trm_line_reader *reader, FILE *out) {
  const bool root = trm_comm_rank(t->comm) == 0;
  const int64_t most = t->batch * SHARE_BATCHES * trm_comm_size(t->comm);
  reading r = {0};
  trm_status status = trm_comm_agree(t->comm, TRM_ALLOC(&r.offsets, most + 1, "lines"));
  while (status == TRM_OK) {
    if (root) {
      const char *text;
      r.first += r.n;
      status = trm_line_reader_next(reader, most, &text, r.offsets, &r.n);
      r.text = (char *)(uintptr_t)text; /* which nobody changes */
    }
    status = trm_comm_agree(t->comm, status);
    if (status == TRM_OK) status = share_lines(t, &r);
    if (status != TRM_OK || r.n == 0) break;
    status = translate_reading(t, &r, out);
  }
  if (!root) TRM_FREE(r.text);
  TRM_FREE(r.offsets);
  return status;
}

/* What all ranks met, once. Collective. */
static trm_status say_counts(translator *t) {
  double counts[2] = {(double)t->unknown.n, (double)t->n_cut};
  TRM_TRY(trm_comm_sum_f64(t->comm, counts, 2));
  if (counts[0] > 0) {
    const trm_vocab *vocab = trm_tokenizer_vocab(t->input);
    trm_log_warn(&t->log, "%.0f %s of the input %s not in the vocabulary and %s", counts[0],
                 trm_unit_word(vocab->unit, counts[0] > 1), counts[0] > 1 ? "are" : "is",
                 vocab->unk < 0 ? "left out" : "read as the token for what is unknown");
  }
  if (counts[1] > 0) {
    trm_log_warn(&t->log, "%.0f %s longer than model.context (%" PRId64 ") and cut", counts[1],
                 counts[1] > 1 ? "lines were" : "line was", t->context);
  }
  return TRM_OK;
}

static trm_status run(translator *t) {
  const bool root = trm_comm_rank(t->comm) == 0;
  const char *output = t->path;
  trm_line_reader reader = {0};
  trm_text_file file = {0};
  trm_status status = root ? trm_line_reader_open(&reader, t->options->input) : TRM_OK;
  if (root && output && status == TRM_OK) status = trm_text_file_begin(&file);
  status = trm_comm_agree(t->comm, status);
  if (status == TRM_OK) status = translate_all(t, &reader, output ? file.stream : stdout);
  if (status == TRM_OK) status = say_counts(t);
  if (root && output) {
    if (status == TRM_OK) {
      status = trm_text_file_publish(&file, output);
    } else {
      trm_text_file_discard(&file);
    }
  }
  trm_line_reader_close(&reader);
  return trm_comm_agree(t->comm, status);
}

trm_status trm_translate_run(trm_comm *comm, const trm_translate_options *options) {
  translator t = {.comm = comm, .options = options, .start_s = trm_clock_s()};
  if (options->output && strcmp(options->output, TRM_TEXT_TO_TERMINAL) != 0) {
    t.path = options->output;
  }
  trm_log_init(&t.log, trm_comm_rank(comm) == 0 ? stderr : NULL);
  trm_status status = TRM_OK;
  if (t.path && trm_comm_rank(comm) == 0) {
    const char *const inputs[] = {options->run, options->input};
    const trm_output_rule rule = {.command = "translate",
                                  .force = options->force,
                                  .inputs = inputs,
                                  .n_inputs = options->input ? 2 : 1};
    status = trm_output_check(&rule, t.path);
  }
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) status = open_translator(&t);
  if (status == TRM_OK) status = run(&t);
  close_translator(&t);
  return status;
}
