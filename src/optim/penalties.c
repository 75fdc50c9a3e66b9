/* What rules do to weights after an update: shrinking and limits. */
#include <math.h>

#include "rules.h"
#include "trireme/math/threads.h"

/* ---- l1 -------------------------------------------------------------------------------------- */

typedef struct shrinking {
  trm_real *w, by;
} shrinking;

static void shrink_chunk(void *context, int64_t begin, int64_t end) {
  const shrinking s = *(const shrinking *)context;
  for (int64_t i = begin; i < end; ++i) {
    const trm_real w = s.w[i];
    s.w[i] = w > s.by ? w - s.by : w < -s.by ? w + s.by : 0;
  }
}

void trm_shrink(trm_real *w, double by, int64_t n) {
  shrinking s = {.w = w, .by = (trm_real)by};
  trm_for_chunks(n, shrink_chunk, &s);
}

/* ---- norms ----------------------------------------------------------------------------------- */

/* Weight i of output u is w[u * output_step + i * input_step]. */
typedef struct limiting {
  trm_real *w;
  int64_t n_inputs, output_step, input_step;
  double most;
} limiting;

static void limit_outputs(void *context, int64_t begin, int64_t end) {
  const limiting s = *(const limiting *)context;
  for (int64_t u = begin; u < end; ++u) {
    trm_real *w = s.w + u * s.output_step;
    double sum = 0;
    for (int64_t i = 0; i < s.n_inputs; ++i) {
      const double wi = (double)w[i * s.input_step];
      sum += wi * wi;
    }
    const double norm = sqrt(sum);
    if (!(norm > s.most)) continue;
    const trm_real by = (trm_real)(s.most / norm);
    for (int64_t i = 0; i < s.n_inputs; ++i) w[i * s.input_step] *= by;
  }
}

/* A vector is taken as the weights into one output. */
void trm_limit_norms(const trm_param *row, trm_real *w, double most) {
  const int64_t n_outputs = row->n_dims == 1 ? 1
                            : row->by_inputs ? row->dims[row->n_dims - 1]
                                             : row->dims[0];
  limiting s = {.w = w,
                .n_inputs = row->n / n_outputs,
                .output_step = row->by_inputs ? 1 : row->n / n_outputs,
                .input_step = row->by_inputs ? n_outputs : 1,
                .most = most};
  trm_for_chunks(n_outputs, limit_outputs, &s);
}
