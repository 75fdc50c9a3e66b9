#include "class_scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ensemble.h"
#include "findings.h"
#include "prediction_columns.h"
#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/train/scores.h"

void trm_class_scores_declare(trm_task *task, int64_t n_classes, unsigned scored) {
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!(scored >> p & 1)) continue;
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "accuracy");
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "macro_f1");
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "mcc");
    if (n_classes == 2) trm_task_add_score(task, trm_subset_name((trm_subset)p), "auc");
  }
}

static bool in_subset(const trm_class_rows *rows, int64_t i, int subset) {
  const int32_t id = rows->ids[i];
  return (rows->subsets[id] >> subset & 1) && rows->labels[id] >= 0;
}

/* counts[subsets, TRM_N_CLASS_COUNTS, classes] over own rows. */
static void count(const trm_class_rows *rows, const int32_t *predicted, double *counts) {
  const int64_t C = rows->n_classes, stride = TRM_N_CLASS_COUNTS * C;
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    for (int64_t i = 0; i < rows->n; ++i) {
      if (!in_subset(rows, i, p)) continue;
      trm_class_counts_add(counts + p * stride, C, &rows->labels[rows->ids[i]], &predicted[i], 1);
    }
  }
}

/* How much class 1 is preferred, of all samples on every rank: others give 0, so sums are exact. */
static trm_status gather_margins(trm_comm *comm, const trm_class_rows *rows, double *margins) {
  for (int64_t i = 0; i < rows->n; ++i) {
    margins[rows->ids[i]] = (double)rows->logits[2 * i + 1] - (double)rows->logits[2 * i];
  }
  return trm_comm_sum_f64(comm, margins, rows->n_samples);
}

static double auc_of_subset(const trm_class_rows *rows, const double *margins, int subset,
                            trm_scored *samples) {
  int64_t n = 0;
  for (int64_t s = 0; s < rows->n_samples; ++s) {
    if (!(rows->subsets[s] >> subset & 1) || rows->labels[s] < 0) continue;
    samples[n++] = (trm_scored){margins[s], rows->labels[s]};
  }
  return trm_roc_auc(samples, n);
}

/* Scratch of one evaluation. */
typedef struct scratch {
  int32_t *predicted;
  double *counts, *margins;
  trm_scored *samples; /* of a subset, to be sorted */
} scratch;

static void release(scratch *s) {
  TRM_FREE(s->predicted);
  TRM_FREE(s->counts);
  TRM_FREE(s->margins);
  TRM_FREE(s->samples);
}

static trm_status take(const trm_class_rows *rows, scratch *s) {
  const int64_t C = rows->n_classes;
  TRM_TRY(TRM_ALLOC(&s->predicted, rows->n, "predictions"));
  TRM_TRY(TRM_ALLOC(&s->counts, TRM_N_SUBSETS * TRM_N_CLASS_COUNTS * C, "counts of predictions"));
  if (C != 2) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&s->margins, rows->n_samples, "scores of predictions"));
  return TRM_ALLOC(&s->samples, rows->n_samples, "scores of predictions");
}

static trm_status add_scores(trm_task *task, const trm_class_rows *rows, unsigned scored,
                             trm_evaluation *result) {
  scratch s = {0};
  const int64_t C = rows->n_classes, stride = TRM_N_CLASS_COUNTS * C;
  trm_status status = trm_comm_agree(task->comm, take(rows, &s));
  if (status != TRM_OK) goto out;
  trm_predict_classes(rows->logits, rows->n, C, s.predicted);
  count(rows, s.predicted, s.counts);
  TRM_TRY_OUT(trm_comm_sum_f64(task->comm, s.counts, TRM_N_SUBSETS * stride));
  if (C == 2) TRM_TRY_OUT(gather_margins(task->comm, rows, s.margins));
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!(scored >> p & 1)) continue;
    trm_task_put_score(task, trm_class_counts_accuracy(s.counts + p * stride, C), result);
    trm_task_put_score(task, trm_class_counts_macro_f1(s.counts + p * stride, C), result);
    trm_task_put_score(task, trm_class_counts_mcc(s.counts + p * stride, C), result);
    if (C == 2) trm_task_put_score(task, auc_of_subset(rows, s.margins, p, s.samples), result);
  }
out:
  release(&s);
  return status;
}

/* What a report wants to know besides. */
static trm_status note_findings(trm_task *task, const trm_class_rows *rows) {
  int32_t *predicted = NULL;
  trm_status status = trm_comm_agree(task->comm, TRM_ALLOC(&predicted, rows->n, "predictions"));
  if (status == TRM_OK) {
    trm_predict_classes(rows->logits, rows->n, rows->n_classes, predicted);
    const trm_findings_rows own = {.predicted = predicted,
                                   .logits = rows->logits,
                                   .ids = rows->ids,
                                   .labels = rows->labels,
                                   .subsets = rows->subsets,
                                   .n = rows->n,
                                   .n_classes = rows->n_classes};
    status = trm_findings_add_classes(task->findings, task->comm, &own);
    task->findings->class_names = rows->class_names;
    task->findings->names = rows->names;
  }
  TRM_FREE(predicted);
  return status;
}

trm_status trm_class_scores_add(trm_task *task, const trm_class_rows *rows, unsigned scored,
                                trm_evaluation *result) {
  trm_class_rows whole;
  TRM_TRY(add_scores(task, rows, scored, result));
  if (task->findings) TRM_TRY(note_findings(task, rows));
  if (!task->ensemble) return TRM_OK;
  TRM_TRY(trm_ensemble_add_classes(task, NULL, rows, &whole));
  if (!trm_ensemble_full(task->ensemble)) return TRM_OK;
  return add_scores(task, &whole, scored, &task->ensemble->whole);
}

/* ---- predictions ----------------------------------------------------------------------------- */

/* What lines say besides numbers. */
typedef struct words {
  const char *unit;
  const trm_texts *names, *classes; /* NULL: none */
} words;

static void write_rows(const words *w, const double *classes, const double *sure,
                       const trm_class_rows *rows, FILE *file, int64_t *n_rows) {
  (void)fprintf(file, "%s" TRM_CLASS_COLUMNS "%s%s\n", w->unit, w->classes ? "\tclass_name" : "",
                w->names ? "\tname" : "");
  for (int64_t i = 0; i < rows->n_samples; ++i) {
    const int64_t c = (int64_t)classes[i] - 1;
    if (c < 0) continue;
    ++*n_rows;
    (void)fprintf(file, "%lld\t%lld\t%.6f\t", (long long)i, (long long)c, sure[i]);
    if (rows->labels && rows->labels[i] >= 0) (void)fprintf(file, "%d", rows->labels[i]);
    if (w->classes) trm_put_text_field(file, w->classes, c);
    if (w->names) trm_put_text_field(file, w->names, i);
    (void)fputc('\n', file);
  }
}

static trm_status write_predictions(const trm_task *task, const trm_classes *known,
                                    const trm_class_rows *rows, const char *path, int64_t *n_rows) {
  trm_comm *comm = task->comm;
  const words w = {.unit = task->unit,
                   .names = rows->names && rows->names->n > 0 ? rows->names : NULL,
                   /* A model of other data has other classes. */
                   .classes = known->names.n == rows->n_classes ? &known->names : NULL};
  int32_t *predicted = NULL;
  double *classes = NULL; /* 1 + class, then probability, of all samples */
  *n_rows = 0;
  trm_status status = TRM_ALLOC(&predicted, rows->n, "predictions");
  if (status == TRM_OK) status = TRM_ALLOC(&classes, 2 * rows->n_samples, "predictions");
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  trm_predict_classes(rows->logits, rows->n, rows->n_classes, predicted);
  for (int64_t i = 0; i < rows->n; ++i) {
    if (predicted[i] < 0) continue;
    classes[rows->ids[i]] = predicted[i] + 1;
    classes[rows->n_samples + rows->ids[i]] =
        trm_class_confidence(rows->logits + i * rows->n_classes, rows->n_classes, predicted[i]);
  }
  TRM_TRY_OUT(trm_comm_sum_f64(comm, classes, 2 * rows->n_samples));
  if (trm_comm_rank(comm) == 0) {
    trm_text_file file;
    status = trm_text_file_begin(&file);
    if (status == TRM_OK) {
      write_rows(&w, classes, classes + rows->n_samples, rows, file.stream, n_rows);
      status = trm_text_file_publish(&file, path);
    }
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
out:
  TRM_FREE(predicted);
  TRM_FREE(classes);
  return status;
}

trm_status trm_class_predictions_write(const trm_task *task, const trm_classes *known,
                                       const trm_class_rows *rows, const char *path,
                                       int64_t *n_rows) {
  trm_class_rows whole = *rows;
  *n_rows = 0;
  if (task->ensemble) {
    TRM_TRY(trm_ensemble_add_classes(task, known, rows, &whole));
    if (!trm_ensemble_full(task->ensemble)) return TRM_OK;
  }
  return write_predictions(task, known, &whole, path, n_rows);
}
