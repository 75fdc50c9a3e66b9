#include "set_scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prediction_columns.h"
#include "text_file.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/train/scores.h"

void trm_set_scores_declare(trm_task *task, unsigned scored) {
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!(scored >> p & 1)) continue;
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "micro_f1");
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "macro_f1");
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "exact");
  }
}

static bool is_finite(const float *logits, int64_t C) {
  for (int64_t c = 0; c < C; ++c) {
    if (!isfinite(logits[c])) return false;
  }
  return true;
}

/* ---- counts ---------------------------------------------------------------------------------- */

/* Of one subset: counts[TRM_N_CLASS_COUNTS, classes], then samples that are right, then samples. */
static int64_t counts_of(int64_t C) {
  return TRM_N_CLASS_COUNTS * C + 2;
}

static void count_row(const trm_set_rows *rows, int64_t i, double *counts) {
  const int64_t C = rows->n_classes, *at = rows->sets->offsets + rows->ids[i];
  const int32_t *set = rows->sets->values + at[0], *end = rows->sets->values + at[1];
  const float *logits = rows->logits + i * C;
  bool right = is_finite(logits, C);
  const bool silent = !right;
  for (int64_t c = 0; c < C; ++c) {
    const bool labelled = set < end && *set == c, predicted = !silent && logits[c] > 0;
    set += labelled;
    counts[TRM_COUNT_LABELLED * C + c] += labelled;
    counts[TRM_COUNT_PREDICTED * C + c] += predicted;
    counts[TRM_COUNT_RIGHT * C + c] += labelled && predicted;
    right = right && labelled == predicted;
  }
  counts[TRM_N_CLASS_COUNTS * C] += right;
  counts[TRM_N_CLASS_COUNTS * C + 1] += 1;
}

/* counts[subsets, ...] over own rows. */
static void count(const trm_set_rows *rows, double *counts) {
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    for (int64_t i = 0; i < rows->n; ++i) {
      if (!(rows->subsets[rows->ids[i]] >> p & 1)) continue;
      count_row(rows, i, counts + p * counts_of(rows->n_classes));
    }
  }
}

trm_status trm_set_scores_add(trm_task *task, const trm_set_rows *rows, unsigned scored,
                              trm_evaluation *result) {
  const int64_t C = rows->n_classes, stride = counts_of(C);
  double *counts = NULL;
  trm_status status = TRM_ALLOC(&counts, TRM_N_SUBSETS * stride, "counts of predictions");
  TRM_TRY_OUT(trm_comm_agree(task->comm, status));
  count(rows, counts);
  TRM_TRY_OUT(trm_comm_sum_f64(task->comm, counts, TRM_N_SUBSETS * stride));
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    const double *here = counts + p * stride, *all = here + TRM_N_CLASS_COUNTS * C;
    if (!(scored >> p & 1)) continue;
    trm_task_put_score(task, trm_class_counts_micro_f1(here, C), result);
    trm_task_put_score(task, trm_class_counts_macro_f1(here, C), result);
    trm_task_put_score(task, all[1] > 0 ? all[0] / all[1] : (double)NAN, result);
  }
out:
  TRM_FREE(counts);
  return status;
}

/* ---- predictions ----------------------------------------------------------------------------- */

/* Probabilities that are gathered and written at once. */
enum { PIECE = 1 << 20 };

static const trm_ragged no_sets = {0};

/* Samples [first, first + n): of each whether it has outputs, then probabilities: piece[n, 1 + classes].
 * Other ranks' are 0, so sums are exact. */
static trm_status gather(trm_comm *comm, const trm_set_rows *rows, int64_t first, int64_t n,
                         double *piece) {
  const int64_t C = rows->n_classes;
  memset(piece, 0, (size_t)(n * (1 + C)) * sizeof *piece);
  for (int64_t i = 0; i < rows->n; ++i) {
    const float *logits = rows->logits + i * C;
    double *to = piece + (rows->ids[i] - first) * (1 + C);
    if (rows->ids[i] < first || rows->ids[i] >= first + n || !is_finite(logits, C)) continue;
    *to++ = 1;
    for (int64_t c = 0; c < C; ++c) to[c] = 1 / (1 + exp(-(double)logits[c]));
  }
  return trm_comm_sum_f64(comm, piece, n * (1 + C));
}

/* A name is part of a field of one line, whatever is in it. */
static void put_name(FILE *file, const trm_texts *names, int64_t c) {
  for (int64_t k = names->offsets[c]; k < names->offsets[c + 1]; ++k) {
    const unsigned char byte = (unsigned char)names->bytes[k];
    (void)fputc(byte < 0x20 || byte == 0x7f ? ' ' : byte, file);
  }
}

/* What a list of predicted classes shows of each. */
typedef enum shown { NUMBERS, PROBABILITIES, NAMES } shown;

static void put_predicted(FILE *file, shown what, const double *probabilities, int64_t C,
                          const trm_texts *names) {
  const char *between = "";
  (void)fputc('\t', file);
  for (int64_t c = 0; c < C; ++c) {
    if (!(probabilities[c] > 0.5)) continue;
    (void)fputs(between, file);
    if (what == NUMBERS) (void)fprintf(file, "%lld", (long long)c);
    if (what == PROBABILITIES) (void)fprintf(file, "%.6f", probabilities[c]);
    if (what == NAMES) put_name(file, names, c);
    between = ",";
  }
}

static void put_labels(FILE *file, const trm_ragged *sets, int64_t sample) {
  (void)fputc('\t', file);
  if (!sets->offsets) return;
  for (int64_t k = sets->offsets[sample]; k < sets->offsets[sample + 1]; ++k) {
    (void)fprintf(file, "%s%d", k > sets->offsets[sample] ? "," : "", (int)sets->values[k]);
  }
}

static bool has_names(const trm_set_rows *rows) {
  return rows->names && rows->names->n > 0;
}

static void write_piece(const trm_set_rows *rows, const trm_texts *names, int64_t first, int64_t n,
                        const double *piece, FILE *file, int64_t *n_rows) {
  const int64_t C = rows->n_classes;
  for (int64_t i = 0; i < n; ++i) {
    const double *probabilities = piece + i * (1 + C) + 1;
    if (probabilities[-1] == 0) continue;
    ++*n_rows;
    (void)fprintf(file, "%lld", (long long)(first + i));
    put_predicted(file, NUMBERS, probabilities, C, names);
    put_predicted(file, PROBABILITIES, probabilities, C, names);
    put_labels(file, rows->sets ? rows->sets : &no_sets, first + i);
    if (names) put_predicted(file, NAMES, probabilities, C, names);
    if (has_names(rows)) trm_put_text_field(file, rows->names, first + i);
    (void)fputc('\n', file);
  }
}

/* Piece by piece; only rank 0 has a file. Collective. */
static trm_status write_pieces(trm_comm *comm, const trm_set_rows *rows, const trm_texts *names,
                               double *piece, FILE *file, int64_t *n_rows) {
  const int64_t most = trm_max_i64(1, PIECE / (1 + rows->n_classes));
  for (int64_t first = 0; first < rows->n_samples; first += most) {
    const int64_t n = trm_min_i64(most, rows->n_samples - first);
    TRM_TRY(gather(comm, rows, first, n, piece));
    if (file) write_piece(rows, names, first, n, piece, file, n_rows);
  }
  return TRM_OK;
}

trm_status trm_set_predictions_write(trm_comm *comm, const char *unit, const trm_classes *known,
                                     const trm_set_rows *rows, const char *path, int64_t *n_rows) {
  const bool writes = trm_comm_rank(comm) == 0;
  const trm_texts *names = known->names.n == rows->n_classes ? &known->names : NULL;
  trm_text_file file = {0};
  double *piece = NULL;
  *n_rows = 0;
  trm_status status = TRM_ALLOC(&piece, trm_max_i64(PIECE, 1 + rows->n_classes), "predictions");
  if (status == TRM_OK && writes) status = trm_text_file_begin(&file);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  if (writes) {
    (void)fprintf(file.stream, "%s" TRM_CLASS_SET_COLUMNS "%s%s\n", unit,
                  names ? "\tclass_names" : "", has_names(rows) ? "\tname" : "");
  }
  TRM_TRY_OUT(write_pieces(comm, rows, names, piece, file.stream, n_rows));
  if (writes) status = trm_text_file_publish(&file, path);
  status = trm_comm_agree(comm, status);
out:
  trm_text_file_discard(&file);
  TRM_FREE(piece);
  return status;
}
