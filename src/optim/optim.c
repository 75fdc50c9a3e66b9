/* An optimizer: what it owns, from its making to its end, and what is asked of it. */
#include "trireme/optim/optim.h"

#include <math.h>

#include "optimizer.h"
#include "trireme/core/memory.h"

/* ---- life ------------------------------------------------------------------------------------ */

trm_status trm_optimizer_create(const trm_config *config, trm_params *params, trm_optimizer **out) {
  return trm_optimizer_create_share(config, params, 0, 1, out);
}

trm_status trm_optimizer_take(trm_optimizer *o, trm_real **array, int64_t n, const char *what) {
  o->bytes += n * (int64_t)sizeof **array;
  return TRM_ALLOC(array, n, what);
}

/* Rate of weights that are updated element by element, by the schedule's. */
double trm_optimizer_rate(const trm_optimizer *o, double lr) {
  return o->kind->rate ? o->kind->rate(o->settings, lr) : lr;
}

/* What the keys say of each parameter, before anything is dealt out. */
static trm_status read_rules(trm_optimizer *o) {
  trm_status status = TRM_OK;
  const double lr = trm_config_real(o->config, "optimizer.lr");
  const trm_params *params = o->params;
  double *rates = NULL;
  bool adds = o->noise > 0;
  TRM_TRY(TRM_ALLOC(&o->how, params->n_rows, "rules"));
  TRM_TRY(TRM_ALLOC(&rates, params->n_rows, "rules"));
  for (int i = 0; i < params->n_rows; ++i) {
    rates[i] = trm_optimizer_wants_whole(o, &params->rows[i]) ? lr : trm_optimizer_rate(o, lr);
  }
  TRM_TRY_OUT(trm_rules_read(o->config, params, rates, o->how, &o->rules));
  for (int i = 0; i < params->n_rows; ++i) adds = adds || o->how[i].l2 > 0;
  if (adds)
    TRM_TRY_OUT(trm_optimizer_take(o, &o->gradient, TRM_GRADIENT_PIECE, "a piece of the gradient"));
out:
  TRM_FREE(rates);
  return status;
}

/* The part of a plug-in's parameter from element `from` on, whose states are kept from `kept` on. */
trm_plugged_span trm_optimizer_plugged_span(const trm_optimizer *o, int row, int64_t from,
                                            int64_t n, int64_t kept) {
  const trm_param *p = &o->params->rows[row];
  trm_plugged_span span = {.row = p, .first = from - p->offset, .n = n};
  for (int i = 0; i < o->n_states; ++i) span.states[i] = o->states[i] + kept;
  return span;
}

/* Padding has state 0, whatever the library begins with: it belongs to no parameter. */
static void init_states(trm_optimizer *o) {
  TRM_FOR_STRIPES(&o->stripes, o->rank, begin, end) {
    const int64_t kept = trm_stripes_before(&o->stripes, o->rank, begin);
    for (int r = 0; r < o->params->n_rows; ++r) {
      const trm_param *row = &o->params->rows[r];
      const int64_t from = row->offset > begin ? row->offset : begin;
      const int64_t to = row->offset + row->n < end ? row->offset + row->n : end;
      if (from >= to || row->buffer) continue;
      const trm_plugged_span span =
          trm_optimizer_plugged_span(o, r, from, to - from, kept + (from - begin));
      trm_plugged_init(o->plugged, &span);
    }
  }
}

/* Settings, and how many states there are. */
static trm_status plan(trm_optimizer *o) {
  const trm_optimizer_kind *kind = o->kind;
  if (kind == &trm_optimizer_plugin) {
    TRM_TRY(trm_plugged_optimizer(o->config, &o->plugged));
    o->n_states = o->plugged->optimizer->n_states;
    return TRM_OK;
  }
  kind->plan(o->config, o->settings);
  o->n_states = kind->count_states ? kind->count_states(o->settings) : kind->n_states;
  return TRM_OK;
}

trm_status trm_optimizer_create_share(const trm_config *config, trm_params *params, int rank,
                                      int size, trm_optimizer **out) {
  TRM_ASSERT(params->sealed);
  trm_status status = TRM_OK;
  trm_optimizer *optimizer = NULL;
  TRM_TRY(TRM_ALLOC(&optimizer, 1, "optimizer"));
  optimizer->kind = trm_optimizer_kind_of(config);
  optimizer->config = config;
  optimizer->params = params;
  optimizer->stripes = trm_stripes_make(params->n_elements, size);
  optimizer->rank = rank;
  optimizer->fixed_rate = (double)NAN;
  optimizer->clip_norm = trm_config_real(config, "optimizer.clip_norm");
  optimizer->noise = trm_config_real(config, "optimizer.gradient_noise");
  if (optimizer->noise > 0) optimizer->seed = (uint64_t)trm_config_int(config, "run.seed");
  TRM_TRY_OUT(plan(optimizer));
  const int64_t n = trm_stripes_before(&optimizer->stripes, rank, params->n_elements);
  for (int i = 0; i < optimizer->n_states; ++i) {
    TRM_TRY_OUT(trm_optimizer_take(optimizer, &optimizer->states[i], n, "optimizer state"));
  }
  TRM_TRY_OUT(read_rules(optimizer));
  TRM_TRY_OUT(trm_optimizer_prepare_moves(optimizer));
  if (optimizer->plugged) init_states(optimizer);
  *out = optimizer;
  return TRM_OK;
out:
  trm_optimizer_destroy(&optimizer);
  return status;
}

void trm_optimizer_destroy(trm_optimizer **optimizer) {
  if (!*optimizer) return;
  for (int i = 0; i < TRM_OPTIMIZER_MAX_STATES; ++i) TRM_FREE((*optimizer)->states[i]);
  TRM_FREE((*optimizer)->how);
  trm_rules_free(&(*optimizer)->rules);
  TRM_FREE((*optimizer)->gradient);
  TRM_FREE((*optimizer)->movers);
  TRM_FREE((*optimizer)->directions);
  TRM_FREE((*optimizer)->scratch);
  TRM_FREE(*optimizer);
}

int trm_optimizer_n_states(const trm_optimizer *optimizer) {
  return optimizer->n_states;
}

const trm_params *trm_optimizer_params(const trm_optimizer *optimizer) {
  return optimizer->params;
}

trm_schedule_state *trm_optimizer_schedule(trm_optimizer *optimizer) {
  return &optimizer->schedule;
}

int64_t trm_optimizer_bytes(const trm_optimizer *optimizer) {
  return optimizer->bytes;
}

const char *trm_optimizer_state_name(const trm_optimizer *optimizer, int state) {
  return optimizer->plugged ? optimizer->plugged->optimizer->state_names[state]
                            : optimizer->kind->state_names[state];
}

trm_real *trm_optimizer_state(trm_optimizer *optimizer, int state) {
  return optimizer->states[state];
}

trm_stripes trm_optimizer_stripes(const trm_optimizer *optimizer) {
  return optimizer->stripes;
}

bool trm_optimizer_is_plugged(const trm_optimizer *optimizer) {
  return optimizer->plugged != NULL;
}

bool trm_optimizer_is_frozen(const trm_optimizer *optimizer, int row) {
  return optimizer->how[row].frozen;
}

void trm_optimizer_fix_rate(trm_optimizer *optimizer, double rate) {
  optimizer->fixed_rate = rate;
}

/* ---- rules ----------------------------------------------------------------------------------- */

int trm_optimizer_n_rules(const trm_optimizer *optimizer) {
  return optimizer->rules.n;
}

trm_rule_match trm_optimizer_rule(const trm_optimizer *optimizer, int i) {
  return optimizer->rules.matches[i];
}

static bool shrinks(const trm_optimizer *optimizer, int row) {
  return optimizer->how[row].l1 > 0 && !optimizer->how[row].frozen;
}

bool trm_optimizer_makes_zeros(const trm_optimizer *optimizer) {
  for (int r = 0; r < optimizer->params->n_rows; ++r) {
    if (shrinks(optimizer, r)) return true;
  }
  return false;
}

double trm_optimizer_zero_share(const trm_optimizer *optimizer) {
  const trm_params *params = optimizer->params;
  int64_t n = 0, n_zeros = 0;
  for (int r = 0; r < params->n_rows; ++r) {
    const trm_param *row = &params->rows[r];
    if (!shrinks(optimizer, r)) continue;
    n += row->n;
    for (int64_t i = 0; i < row->n; ++i) n_zeros += params->weights[row->offset + i] == 0;
  }
  return n > 0 ? (double)n_zeros / (double)n : 0;
}

void trm_optimizer_limit_norms(trm_optimizer *optimizer) {
  const trm_params *params = optimizer->params;
  for (int r = params->n_rows - 1; r >= 0; --r) {
    const trm_treatment *how = &optimizer->how[r];
    const trm_param *row = &params->rows[r];
    if (how->max_norm == 0 || how->frozen) continue;
    trm_limit_norms(row, params->weights + row->offset, how->max_norm);
  }
}
