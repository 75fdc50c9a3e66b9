/** Libraries that are loaded, as the optimizer and the schedules call them. */
#ifndef TRIREME_OPTIM_PLUGGED_H
#define TRIREME_OPTIM_PLUGGED_H

#include "trireme/core/config.h"
#include "trireme/math/real.h"
#include "trireme/nn/params.h"
#include "trireme/optim/plugin.h"

/** One library, for one key; owned by the configuration. */
typedef struct trm_plugged {
  void *handle; /* of dlopen */
  uint64_t digest;
  const trm_plugin_optimizer *optimizer; /* one of the two */
  const trm_plugin_schedule *schedule;
  double settings[TRM_PLUGIN_MAX_SETTINGS];
} trm_plugged;

/** What optimizer.plugin names, loaded. @return TRM_ERR_CONFIG: it was not */
trm_status trm_plugged_optimizer(const trm_config *config, const trm_plugged **out);

/** Elements [first, first + n) of a parameter, in one update; `g` is multiplied by `scale`. */
typedef struct trm_plugged_span {
  const trm_param *row;
  int64_t first, n;
  trm_real *w, *u;
  const trm_real *g;
  trm_real *states[TRM_PLUGIN_MAX_STATES];
  double scale, lr, decay;
  int64_t step;
} trm_plugged_span;

/** First values of the states of a span. */
void trm_plugged_init(const trm_plugged *plugged, const trm_plugged_span *span);
/** An update, or, with `u`, the direction of one. Thread-parallel over chunks. */
void trm_plugged_step(const trm_plugged *plugged, const trm_plugged_span *span);

/** Whether parameters are moved whole, this one among them; elements of scratch for it. */
bool trm_plugged_wants(const trm_plugged *plugged, const trm_param *row);
int64_t trm_plugged_n_scratch(const trm_plugged *plugged, const trm_param *row);
/** Moves a whole parameter along span->u. */
void trm_plugged_move(const trm_plugged *plugged, const trm_plugged_span *span, trm_real *scratch);

#endif
