/* The norm of a gradient, in the order of chunks. */
#include <math.h>
#include <string.h>

#include "optimizer.h"
#include "trireme/math/kernels.h"

/* Whether a row is not in the norm: buffers, and what is frozen. */
static bool left_out(const trm_optimizer *optimizer, int row) {
  return optimizer->params->rows[row].buffer || optimizer->how[row].frozen;
}

/* Sum of squares of a chunk, elements that are left out of the norm apart. One of them that is not
 * finite stays in, so that the step is not taken and the element is found and named. */
static double sum_squares_of_rest(const trm_optimizer *optimizer, const trm_real *grads,
                                  int64_t begin, int64_t end) {
  trm_real chunk[TRM_CHUNK];
  double sum;
  memcpy(chunk, grads + begin, (size_t)(end - begin) * sizeof *chunk);
  for (int r = 0; r < optimizer->params->n_rows; ++r) {
    const trm_param *row = &optimizer->params->rows[r];
    if (!left_out(optimizer, r)) continue;
    const int64_t from = row->offset > begin ? row->offset : begin;
    const int64_t to = row->offset + row->n < end ? row->offset + row->n : end;
    for (int64_t i = from; i < to; ++i) {
      if (isfinite(chunk[i - begin])) chunk[i - begin] = 0;
    }
  }
  trm_sum_squares_chunks(&sum, chunk, end - begin);
  return sum;
}

static bool leaves_out(const trm_optimizer *optimizer, int64_t begin, int64_t end) {
  for (int r = 0; r < optimizer->params->n_rows; ++r) {
    const trm_param *row = &optimizer->params->rows[r];
    if (left_out(optimizer, r) && row->offset < end && row->offset + row->n > begin) return true;
  }
  return false;
}

void trm_optimizer_sum_squares_chunks(const trm_optimizer *optimizer, double *sums,
                                      const trm_real *grads, int64_t begin, int64_t end) {
  TRM_ASSERT(begin % TRM_CHUNK == 0);
  trm_sum_squares_chunks(sums, grads + begin, end - begin);
  if (!leaves_out(optimizer, begin, end)) return;
  for (int64_t from = begin; from < end; from += TRM_CHUNK) {
    const int64_t to = from + TRM_CHUNK < end ? from + TRM_CHUNK : end;
    if (!leaves_out(optimizer, from, to)) continue;
    sums[(from - begin) / TRM_CHUNK] = sum_squares_of_rest(optimizer, grads, from, to);
  }
}

/* Chunk by chunk, in order: the same bits as from chunks that ranks have summed (sharded.c). */
double trm_optimizer_sum_squares(const trm_optimizer *optimizer, const trm_real *grads) {
  enum { GROUP = 512 };
  const int64_t n = optimizer->params->n_elements, group = GROUP * (int64_t)TRM_CHUNK;
  double sum = 0, sums[GROUP];
  for (int64_t begin = 0; begin < n; begin += group) {
    const int64_t end = begin + group < n ? begin + group : n;
    trm_optimizer_sum_squares_chunks(optimizer, sums, grads, begin, end);
    for (int64_t k = 0; begin + k * TRM_CHUNK < end; ++k) sum += sums[k];
  }
  return sum;
}
