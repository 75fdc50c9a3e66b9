#include "average.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/math/kernels.h"

static const char updates_fact[] = "average_updates", statistics_fact[] = "average_statistics";
static const char from_fact[] = "average_from";

static const trm_config_key keys[] = {
    TRM_KEY_SELECTOR("average.kind", "none", TRM_ON_RESULT,
                     "Average of the weights that evaluations look at; training goes on with the "
                     "weights."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);
static const trm_config_key every_keys[] = {
    TRM_KEY_INT("average.every", "1", 1, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Weights are taken in every so many steps."),
};
static const trm_config_rows every_rows = TRM_CONFIG_ROWS(every_keys);
static const trm_config_key ema_keys[] = {
    TRM_KEY_REAL("average.decay", "0.999", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT,
                 "Share of the average that stays when weights are taken in."),
    TRM_KEY_BOOL(
        "average.warmup", "true", TRM_ON_RESULT,
        "The share is at most (1 + n) / (10 + n) after n weights: early ones are forgotten "
        "sooner."),
};
static const trm_config_rows ema_rows = TRM_CONFIG_ROWS(ema_keys);
static const trm_config_key swa_keys[] = {
    TRM_KEY_REAL("average.from", "0.75", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                 "Step after which weights are taken in; below 1: share of the steps that the run "
                 "begins with."),
    TRM_KEY_INT("average.batches", "0", 0, TRM_MAX_STEPS, "steps", TRM_ON_RESULT,
                "Running statistics are estimated over so many batches; 0: an epoch."),
};
static const trm_config_rows swa_rows = TRM_CONFIG_ROWS(swa_keys);

static const trm_config_part part = {.rows = {&rows}};
static const trm_config_part none = {.selector = "average.kind", .name = "none"};
static const trm_config_part ema = {
    .selector = "average.kind", .name = "ema", .rows = {&every_rows, &ema_rows}};
static const trm_config_part swa = {
    .selector = "average.kind", .name = "swa", .rows = {&every_rows, &swa_rows}};

void trm_average_parts(trm_config_parts *parts) {
  trm_config_parts_add(parts, &part);
  trm_config_parts_add(parts, &none);
  trm_config_parts_add(parts, &ema);
  trm_config_parts_add(parts, &swa);
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool has_buffers(const trm_params *params) {
  for (int i = 0; i < params->n_rows; ++i) {
    if (params->rows[i].buffer) return true;
  }
  return false;
}

static void configure(const trm_config *config, trm_average *a) {
  a->every = trm_config_int(config, "average.every");
  a->equal = trm_config_is(config, "average.kind", "swa");
  if (a->equal) {
    const double from = trm_config_real(config, "average.from");
    const double n_steps = (double)trm_config_int(config, "train.steps");
    a->shared = from < 1;
    a->from = (int64_t)(a->shared ? floor(from * n_steps) : from);
  } else {
    a->decay = trm_config_real(config, "average.decay");
    a->warmup = trm_config_bool(config, "average.warmup");
  }
}

trm_status trm_average_create(const trm_config *config, const trm_params *params,
                              trm_average **out) {
  trm_average *a = NULL;
  *out = NULL;
  if (trm_config_is(config, "average.kind", "none")) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&a, 1, "average of the weights"));
  a->n_statistics = -1;
  configure(config, a);
  a->estimates = a->equal && has_buffers(params);
  const trm_status status = TRM_ALLOC(&a->weights, params->n_elements, "average of the weights");
  if (status != TRM_OK) trm_average_destroy(&a);
  *out = a;
  return status;
}

void trm_average_destroy(trm_average **average) {
  if (!*average) return;
  TRM_ASSERT(!(*average)->kept);
  TRM_FREE((*average)->weights);
  TRM_FREE(*average);
}

/* ---- updates --------------------------------------------------------------------------------- */

static double rate_of(const trm_average *a) {
  const double n = (double)a->n_updates;
  if (a->equal) return 1 / (n + 1);
  const double early = (1 + n) / (10 + n);
  return 1 - (a->warmup && early < a->decay ? early : a->decay);
}

/* Running statistics of an average of equal weights are estimated, not averaged. */
static void take_in(trm_average *a, const trm_params *params) {
  const trm_real rate = (trm_real)rate_of(a);
  if (!a->equal) {
    trm_average_update(a->weights, params->weights, 1, rate, params->n_elements);
    return;
  }
  for (int i = 0; i < params->n_rows; ++i) {
    const trm_param *row = &params->rows[i];
    if (row->buffer) continue;
    trm_average_update(a->weights + row->offset, params->weights + row->offset, 1, rate, row->n);
  }
}

void trm_average_observe(trm_average *a, const trm_params *params, int64_t step) {
  TRM_ASSERT(!a->kept);
  if (step <= a->from || (step - a->from) % a->every != 0) return;
  if (a->n_updates == 0) {
    memcpy(a->weights, params->weights, (size_t)params->n_elements * sizeof *a->weights);
  } else {
    take_in(a, params);
  }
  ++a->n_updates;
}

/* ---- the view -------------------------------------------------------------------------------- */

bool trm_average_any(const trm_average *a) {
  return a && a->n_updates > 0;
}

bool trm_average_wants_statistics(const trm_average *a) {
  return trm_average_any(a) && a->estimates && a->n_statistics != a->n_updates;
}

void trm_average_show(trm_average *a, trm_params *params) {
  TRM_ASSERT(!a->kept);
  a->kept = params->weights;
  params->weights = a->weights;
}

void trm_average_hide(trm_average *a, trm_params *params) {
  TRM_ASSERT(a->kept && params->weights == a->weights);
  params->weights = a->kept;
  a->kept = NULL;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

uint64_t trm_average_hash(const trm_average *a, const trm_params *params) {
  return trm_hash_reals(a->weights, params->n_elements);
}

trm_status trm_average_keep(const trm_average *a, const trm_params *params, trm_facts *facts) {
  char hash[32];
  (void)snprintf(hash, sizeof hash, "%016" PRIx64, trm_average_hash(a, params));
  if (a->n_updates > 0) TRM_TRY(trm_facts_put_text(facts, "average_hash", hash));
  if (a->shared) TRM_TRY(trm_facts_put_int(facts, from_fact, a->from));
  TRM_TRY(trm_facts_put_int(facts, updates_fact, a->n_updates));
  return a->estimates ? trm_facts_put_int(facts, statistics_fact, a->n_statistics) : TRM_OK;
}

void trm_average_restore(const trm_facts *facts, trm_average *a) {
  if (a->shared) a->from = trm_facts_int(facts, from_fact, a->from);
  a->n_updates = trm_facts_int(facts, updates_fact, 0);
  a->n_statistics = trm_facts_int(facts, statistics_fact, -1);
}

bool trm_average_in(const trm_facts *facts, bool *stale) {
  const int64_t n = trm_facts_int(facts, updates_fact, 0);
  *stale = n != trm_facts_int(facts, statistics_fact, n);
  return n > 0;
}

void trm_average_warn_stale(trm_log *log, const char *path) {
  trm_log_warn(log,
               "%s: running statistics are older than the average of the weights, which no "
               "evaluation looked at since; give --raw, or a checkpoint that was evaluated",
               path);
}
