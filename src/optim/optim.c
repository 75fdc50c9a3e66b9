#include "trireme/optim/optim.h"

#include <math.h>
#include <string.h>

#include "optim_internal.h"
#include "trireme/core/memory.h"
#include "trireme/math/kernels.h"

struct trm_optimizer {
  const trm_optimizer_kind *kind;
  const trm_config *config; /* kept: the schedule reads it */
  trm_params *params;       /* kept */
  double settings[8];
  double weight_decay, clip_norm;
  trm_real *states[TRM_OPTIMIZER_MAX_STATES]; /* [params->n_elements] each, owned */
};

static const trm_optimizer_kind *const kinds[] = {&trm_optimizer_adamw, &trm_optimizer_sgd};

static const trm_optimizer_kind *find(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
  }
  return NULL;
}

trm_status trm_optimizer_create(const trm_config *config, trm_params *params, trm_optimizer **out) {
  TRM_ASSERT(params->sealed);
  const char *name = trm_config_string(config, "optimizer.name");
  const trm_optimizer_kind *kind = find(name);
  if (!kind) return trm_fail(TRM_ERR_CONFIG, "optimizer.name is '%s': no such optimizer", name);
  trm_status status = TRM_OK;
  trm_optimizer *optimizer = NULL;
  TRM_TRY(TRM_ALLOC(&optimizer, 1, "optimizer"));
  optimizer->kind = kind;
  optimizer->config = config;
  optimizer->params = params;
  optimizer->weight_decay = trm_config_real(config, "optimizer.weight_decay");
  optimizer->clip_norm = trm_config_real(config, "optimizer.clip_norm");
  kind->plan(config, optimizer->settings);
  for (int i = 0; i < kind->n_states; ++i) {
    TRM_TRY_OUT(TRM_ALLOC(&optimizer->states[i], params->n_elements, "optimizer state"));
  }
  *out = optimizer;
  return TRM_OK;
out:
  trm_optimizer_destroy(&optimizer);
  return status;
}

void trm_optimizer_destroy(trm_optimizer **optimizer) {
  if (!*optimizer) return;
  for (int i = 0; i < TRM_OPTIMIZER_MAX_STATES; ++i) TRM_FREE((*optimizer)->states[i]);
  TRM_FREE(*optimizer);
}

int trm_optimizer_n_states(const trm_optimizer *optimizer) {
  return optimizer->kind->n_states;
}

const char *trm_optimizer_state_name(const trm_optimizer *optimizer, int state) {
  return optimizer->kind->state_names[state];
}

trm_real *trm_optimizer_state(trm_optimizer *optimizer, int state) {
  return optimizer->states[state];
}

/* Rows that lie side by side with the same decay are updated in one call: `end` is one past the
 * last row (in flat order) of the run that begins at `row`, counting down. */
static int run_end(const trm_params *params, int row) {
  int i = row;
  while (i > 0 && params->rows[i - 1].decay == params->rows[row].decay) --i;
  return i;
}

void trm_optimizer_step(trm_optimizer *optimizer, const trm_real *grads, double count, int64_t step,
                        trm_step_info *info) {
  const trm_params *params = optimizer->params;
  TRM_ASSERT(count > 0);
  const double norm = sqrt(trm_sum_squares(grads, params->n_elements)) / count;
  info->lr = trm_schedule_lr(optimizer->config, step);
  info->grad_norm = norm;
  info->finite = isfinite(norm);
  info->bad_element = -1;
  if (!info->finite) {
    info->bad_element = trm_find_not_finite(grads, params->n_elements);
    return;
  }
  double scale = 1 / count;
  if (optimizer->clip_norm > 0 && norm > optimizer->clip_norm) scale *= optimizer->clip_norm / norm;

  /* The flat order is the reverse of the rows' order, and padding is 0 and stays 0. */
  for (int row = params->n_rows - 1; row >= 0;) {
    const int last = run_end(params, row);
    const int64_t begin = params->rows[row].offset;
    const int64_t end = last > 0 ? params->rows[last - 1].offset : params->n_elements;
    trm_real *states[TRM_OPTIMIZER_MAX_STATES] = {NULL};
    for (int i = 0; i < optimizer->kind->n_states; ++i) states[i] = optimizer->states[i] + begin;
    const double decay = params->rows[row].decay ? optimizer->weight_decay : 0;
    optimizer->kind->step(optimizer->settings, params->weights + begin, states, grads + begin,
                          decay, scale, info->lr, step, end - begin);
    row = last - 1;
  }
}
