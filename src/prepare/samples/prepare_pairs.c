/** `trireme prepare pairs`: texts to be made of other texts. */
#include <string.h>

#include "corpus_internal.h"
#include "trireme/core/memory.h"

static trm_status check_files(const trm_pair_files *f) {
  bool tables = false, parallel = false;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    tables = tables || f->n_tables[p] > 0;
    parallel = parallel || f->source[p] || f->target[p];
    if (!f->source[p] == !f->target[p]) continue;
    return trm_fail(
        TRM_ERR_USAGE,
        "'%s' has no file beside it; sources and targets are two files, --source and --target "
        "(--valid-source and --valid-target, --test-source and --test-target)",
        f->source[p] ? f->source[p] : f->target[p]);
  }
  if (tables && parallel) {
    return trm_fail(TRM_ERR_USAGE,
                    "pairs come from parallel files (--source, --target) or from tables, not both");
  }
  if (f->split_column &&
      (parallel || f->n_tables[TRM_SUBSET_VALID] > 0 || f->n_tables[TRM_SUBSET_TEST] > 0)) {
    return trm_fail(
        TRM_ERR_USAGE,
        "--split is a column of tables that tells all parts; leave it, or the files of parts, out");
  }
  if (parallel && f->id_column) {
    return trm_fail(TRM_ERR_USAGE,
                    "--id is a column of tables; parallel files (--source, --target) have none");
  }
  if (f->n_tables[TRM_SUBSET_TRAIN] > 0 || f->source[TRM_SUBSET_TRAIN]) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "give what to train on: a table, or two parallel files by --source and --target");
}

/* ---- parallel files --------------------------------------------------------------------------- */

/* What is left of one file when the other has ended. */
static trm_status count_rest(trm_records *r, bool more, int64_t *lines) {
  while (more) {
    TRM_TRY(trm_records_next(r, &more));
    *lines += more;
  }
  return TRM_OK;
}

static trm_status uneven(trm_records *source, trm_records *target, bool more_source,
                         bool more_target, int64_t n) {
  int64_t n_source = n + more_source, n_target = n + more_target;
  TRM_TRY(count_rest(source, more_source, &n_source));
  TRM_TRY(count_rest(target, more_target, &n_target));
  return trm_fail(
      TRM_ERR_DATA,
      "%s has %lld lines, %s has %lld; line i of one must be the target of line i of the other",
      source->path, (long long)n_source, target->path, (long long)n_target);
}

static trm_status read_lines(trm_corpus *corpus, trm_records *source, trm_records *target,
                             trm_subset part) {
  for (int64_t n = 0;; ++n) {
    bool more_source, more_target;
    TRM_TRY(trm_records_next(source, &more_source));
    TRM_TRY(trm_records_next(target, &more_target));
    if (more_source != more_target) return uneven(source, target, more_source, more_target, n);
    if (!more_source) return TRM_OK;
    trm_corpus_row row = {0};
    row.text = trm_records_field(source, 0, &row.n_text);
    row.target = trm_records_field(target, 0, &row.n_target);
    /* A target is told by its own file. */
    const bool source_blank = trm_is_blank(row.text, row.n_text);
    const bool target_blank = trm_is_blank(row.target, row.n_target);
    const trm_origin origin = {.line = source->line,
                               .path = target_blank && !source_blank ? target->path : source->path,
                               .part = part};
    TRM_TRY(trm_corpus_add(corpus, &row, &origin));
  }
}

static trm_status read_parallel(trm_corpus *corpus, const trm_pair_files *f, trm_subset part) {
  const trm_records_form form = {.lines = true, .any_bytes = trm_corpus_takes_any_bytes(corpus)};
  trm_records source, target;
  if (!f->source[part]) return TRM_OK;
  corpus->has_part[part] = true;
  trm_status status = trm_records_open(&source, f->source[part], &form, &corpus->progress);
  if (status != TRM_OK) return trm_records_close(&source, status);
  status = trm_records_open(&target, f->target[part], &form, &corpus->progress);
  if (status == TRM_OK) status = read_lines(corpus, &source, &target, part);
  status = trm_records_close(&target, status);
  return trm_records_close(&source, status);
}

/* ---- tables ----------------------------------------------------------------------------------- */

typedef struct columns {
  int source, target, split, id;
} columns;

static bool has_header(const trm_pair_files *f, trm_header header) {
  if (header != TRM_HEADER_AS_NAMED) return header == TRM_HEADER_YES;
  return !trm_column_is_number(f->source_column) || !trm_column_is_number(f->target_column) ||
         (f->id_column && !trm_column_is_number(f->id_column)) ||
         (f->split_column && !trm_column_is_number(f->split_column));
}

static trm_status find_columns(const trm_pair_files *f, const trm_records *r, bool named,
                               columns *c) {
  TRM_TRY(trm_records_column(r, named, f->source_column, "--columns", &c->source));
  TRM_TRY(trm_records_column(r, named, f->target_column, "--columns", &c->target));
  c->id = -1;
  if (f->split_column) {
    TRM_TRY(trm_records_column(r, named, f->split_column, "--split", &c->split));
  }
  if (!f->id_column) return TRM_OK;
  TRM_TRY(trm_records_column(r, named, f->id_column, "--id", &c->id));
  if (c->id != c->source && c->id != c->target) return TRM_OK;
  return trm_fail(TRM_ERR_USAGE,
                  "%s: --id is the column of the %ss too; give sources and targets by --columns "
                  "SOURCE,TARGET",
                  r->path, c->id == c->source ? "source" : "target");
}

static trm_status read_records(trm_corpus *corpus, const trm_pair_files *f, trm_records *r,
                               trm_header header, trm_subset part) {
  const bool named = has_header(f, header);
  columns c = {0};
  bool more, first = true;
  for (;; first = false) {
    trm_corpus_row row = {0};
    TRM_TRY(trm_records_next(r, &more));
    if (!more) return TRM_OK;
    if (first) TRM_TRY(find_columns(f, r, named, &c));
    if (first) trm_records_tell(r, corpus->options->notes, named);
    if (first && named) continue;
    trm_origin origin = {.line = r->line, .path = r->path, .part = part};
    if (f->split_column) TRM_TRY(trm_corpus_take_part(corpus, r, c.split, &origin.part));
    row.text = trm_records_field(r, c.source, &row.n_text);
    row.target = trm_records_field(r, c.target, &row.n_target);
    if (c.id >= 0) trm_corpus_take_name(r, c.id, &row);
    TRM_TRY(trm_corpus_add(corpus, &row, &origin));
  }
}

static trm_status read_tables(trm_corpus *corpus, const trm_pair_files *f, trm_subset part) {
  trm_records_form form;
  trm_header header;
  TRM_TRY(trm_corpus_table_form(corpus, &form, &header));
  for (int i = 0; i < f->n_tables[part]; ++i) {
    trm_records records;
    corpus->has_part[part] = true;
    trm_status status = trm_records_open(&records, f->tables[part][i], &form, &corpus->progress);
    if (status == TRM_OK) status = read_records(corpus, f, &records, header, part);
    TRM_TRY(trm_records_close(&records, status));
  }
  return TRM_OK;
}

/* ---- all -------------------------------------------------------------------------------------- */

static trm_status read_all(trm_corpus *corpus, const trm_pair_files *f) {
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    TRM_TRY(trm_inputs_add(&corpus->inputs, f->source[p]));
    TRM_TRY(trm_inputs_add(&corpus->inputs, f->target[p]));
    for (int i = 0; i < f->n_tables[p]; ++i) {
      TRM_TRY(trm_inputs_add(&corpus->inputs, f->tables[p][i]));
    }
  }
  TRM_TRY(trm_inputs_check(&corpus->inputs, corpus->options->output, &corpus->progress));
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    TRM_TRY(read_parallel(corpus, f, (trm_subset)p));
    TRM_TRY(read_tables(corpus, f, (trm_subset)p));
  }
  return TRM_OK;
}

trm_status trm_prepare_pairs(const trm_pair_files *files, bool shared,
                             const trm_prepare_samples_options *options,
                             trm_prepare_samples_counts *counts) {
  trm_corpus corpus = {.options = options,
                       .counts = counts,
                       .progress = {.show = options->progress, .context = options->context},
                       .target = TRM_TARGET_TOKENS,
                       .shared_vocab = shared,
                       .has_names = files->id_column != NULL};
  *counts = (trm_prepare_samples_counts){0};
  trm_status status = check_files(files);
  if (status == TRM_OK) status = read_all(&corpus, files);
  if (status == TRM_OK) status = trm_corpus_write(&corpus);
  trm_corpus_free(&corpus);
  return status;
}
