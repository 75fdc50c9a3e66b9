#include "norms.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/math/kernels.h"

/* Where the chunk that `element` is in ends. */
static int64_t chunk_end(int64_t element) {
  return (element / TRM_CHUNK + 1) * TRM_CHUNK;
}

static int64_t count_pieces(const trm_params *params) {
  int64_t n = 0;
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    n += (row->offset + row->n - 1) / TRM_CHUNK - row->offset / TRM_CHUNK + 1;
  }
  return n;
}

trm_status trm_norms_create(const trm_params *params, int64_t every, trm_norms *norms) {
  *norms = (trm_norms){.every = every};
  if (every == 0) return TRM_OK;
  norms->n_pieces = count_pieces(params);
  TRM_TRY(TRM_ALLOC(&norms->pieces, norms->n_pieces, "norms of parameters"));
  TRM_TRY(TRM_ALLOC(&norms->gradient, params->n_rows, "norms of parameters"));
  return TRM_ALLOC(&norms->weights, params->n_rows, "norms of parameters");
}

trm_status trm_norms_destroy(trm_norms *norms) {
  TRM_FREE(norms->pieces);
  TRM_FREE(norms->gradient);
  TRM_FREE(norms->weights);
  return trm_step_table_close(&norms->table);
}

/* Sums of squares of each chunk's part of each parameter, 0 for parts of others' stripes. */
static void sum_pieces(const trm_params *params, const trm_stripes *stripes, int rank,
                       const trm_real *values, double *pieces) {
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    const int64_t end = row->offset + row->n;
    for (int64_t from = row->offset; from < end; from = chunk_end(from), ++pieces) {
      const int64_t to = chunk_end(from) < end ? chunk_end(from) : end;
      *pieces = 0;
      if (stripes && trm_stripes_owner(stripes, from) != rank) continue;
      trm_sum_squares_chunks(pieces, values + from, to - from);
    }
  }
}

static void add_pieces(const trm_params *params, const double *pieces, double *norms) {
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    double sum = 0;
    for (int64_t at = row->offset; at < row->offset + row->n; at = chunk_end(at)) sum += *pieces++;
    norms[i] = sqrt(sum);
  }
}

trm_status trm_norms_gradient(trm_norms *norms, trm_comm *comm, const trm_params *params,
                              const trm_stripes *stripes, const trm_real *grads, double count) {
  sum_pieces(params, stripes, trm_comm_rank(comm) % stripes->size, grads, norms->pieces);
  if (stripes->size > 1) TRM_TRY(trm_comm_sum_f64(comm, norms->pieces, norms->n_pieces));
  add_pieces(params, norms->pieces, norms->gradient);
  for (int i = 0; i < params->n_rows; ++i) norms->gradient[i] /= count;
  return TRM_OK;
}

static trm_status write_row(trm_norms *norms, const trm_param *row, int64_t step, double weight,
                            double gradient, trm_metrics *metrics) {
  char name[TRM_PARAM_NAME_BYTES + 32];
  TRM_TRY(trm_step_table_put(&norms->table, "%" PRId64 ",%s,%.9g,%.9g\n", step, row->name, weight,
                             gradient));
  (void)snprintf(name, sizeof name, "weight_norm/%s", row->name);
  TRM_TRY(trm_metrics_scalar(metrics, step, name, weight));
  (void)snprintf(name, sizeof name, "grad_norm/%s", row->name);
  return trm_metrics_scalar(metrics, step, name, gradient);
}

trm_status trm_norms_write(trm_norms *norms, const trm_params *params, int64_t step,
                           trm_metrics *metrics) {
  sum_pieces(params, NULL, 0, params->weights, norms->pieces);
  add_pieces(params, norms->pieces, norms->weights);
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    if (row->buffer) continue; /* running statistics, which have no gradient */
    TRM_TRY(write_row(norms, row, step, norms->weights[i], norms->gradient[i], metrics));
  }
  return trm_step_table_flush(&norms->table);
}
