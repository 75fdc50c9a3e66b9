#include "number_scores.h"

#include <math.h>
#include <stdio.h>

#include "ensemble.h"
#include "prediction_columns.h"
#include "text_file.h"
#include "trireme/core/memory.h"
#include "trireme/train/scores.h"

void trm_number_scores_declare(trm_task *task, unsigned scored) {
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!(scored >> p & 1)) continue;
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "rmse");
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "mae");
    trm_task_add_score(task, trm_subset_name((trm_subset)p), "r2");
  }
}

/* Predictions of all samples, and whether there is one: all[2, n_samples]. Other ranks' are 0, so sums
 * are exact. */
static trm_status gather(trm_comm *comm, const trm_number_rows *rows, double *all) {
  for (int64_t i = 0; i < rows->n; ++i) {
    all[rows->ids[i]] = rows->values[i];
    all[rows->n_samples + rows->ids[i]] = 1;
  }
  return trm_comm_sum_f64(comm, all, 2 * rows->n_samples);
}

static double target_of(const trm_number_rows *rows, int64_t sample) {
  return rows->targets ? (double)rows->targets[sample] : (double)NAN;
}

static trm_fit fit_of_subset(const trm_number_rows *rows, const double *all, int subset,
                             trm_estimate *estimates) {
  int64_t n = 0;
  for (int64_t s = 0; s < rows->n_samples; ++s) {
    if (!(rows->subsets[s] >> subset & 1) || all[rows->n_samples + s] == 0) continue;
    estimates[n++] = (trm_estimate){all[s], target_of(rows, s)};
  }
  return trm_score_numbers(estimates, n);
}

static trm_status add_scores(trm_task *task, const trm_number_rows *rows, unsigned scored,
                             trm_evaluation *result) {
  double *all = NULL;
  trm_estimate *estimates = NULL; /* of a subset */
  trm_status status = TRM_ALLOC(&all, 2 * rows->n_samples, "predictions");
  if (status == TRM_OK) status = TRM_ALLOC(&estimates, rows->n_samples, "predictions");
  TRM_TRY_OUT(trm_comm_agree(task->comm, status));
  TRM_TRY_OUT(gather(task->comm, rows, all));
  for (int p = 0; p < TRM_N_SUBSETS; ++p) {
    if (!(scored >> p & 1)) continue;
    const trm_fit fit = fit_of_subset(rows, all, p, estimates);
    trm_task_put_score(task, fit.rmse, result);
    trm_task_put_score(task, fit.mae, result);
    trm_task_put_score(task, fit.r2, result);
  }
out:
  TRM_FREE(all);
  TRM_FREE(estimates);
  return status;
}

trm_status trm_number_scores_add(trm_task *task, const trm_number_rows *rows, unsigned scored,
                                 trm_evaluation *result) {
  trm_number_rows whole;
  TRM_TRY(add_scores(task, rows, scored, result));
  if (!task->ensemble) return TRM_OK;
  TRM_TRY(trm_ensemble_add_numbers(task, rows, &whole));
  if (!trm_ensemble_full(task->ensemble)) return TRM_OK;
  return add_scores(task, &whole, scored, &task->ensemble->whole);
}

/* ---- predictions ----------------------------------------------------------------------------- */

static void write_rows(const char *unit, const trm_number_rows *rows, const double *all, FILE *file,
                       int64_t *n_rows) {
  const bool names = rows->names && rows->names->n > 0;
  (void)fprintf(file, "%s" TRM_NUMBER_COLUMNS "%s\n", unit, names ? "\tname" : "");
  for (int64_t i = 0; i < rows->n_samples; ++i) {
    const double target = target_of(rows, i);
    if (all[rows->n_samples + i] == 0 || !isfinite(all[i])) continue;
    ++*n_rows;
    (void)fprintf(file, "%lld\t%.9g\t", (long long)i, all[i]);
    if (!isnan(target)) (void)fprintf(file, "%.9g", target);
    if (names) trm_put_text_field(file, rows->names, i);
    (void)fputc('\n', file);
  }
}

static trm_status write_file(const char *unit, const trm_number_rows *rows, const double *all,
                             const char *path, int64_t *n_rows) {
  trm_text_file file;
  TRM_TRY(trm_text_file_begin(&file));
  write_rows(unit, rows, all, file.stream, n_rows);
  return trm_text_file_publish(&file, path);
}

trm_status trm_number_predictions_write(trm_comm *comm, const char *unit,
                                        const trm_number_rows *rows, const char *path,
                                        int64_t *n_rows) {
  double *all = NULL;
  *n_rows = 0;
  trm_status status = trm_comm_agree(comm, TRM_ALLOC(&all, 2 * rows->n_samples, "predictions"));
  if (status != TRM_OK) goto out;
  TRM_TRY_OUT(gather(comm, rows, all));
  if (trm_comm_rank(comm) == 0) status = write_file(unit, rows, all, path, n_rows);
  status = trm_comm_agree(comm, status);
out:
  TRM_FREE(all);
  return status;
}
