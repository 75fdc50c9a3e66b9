/* Calls into the user's own optimizer. */
#include "plugged.h"

#include <string.h>

#include "trireme/math/stripes.h"
#include "trireme/math/threads.h"
#include "trireme/optim/plugins.h"

_Static_assert(sizeof(trm_plugin_real) == sizeof(trm_real), "weights are the same on both sides");

trm_status trm_plugged_optimizer(const trm_config *config, const trm_plugged **out) {
  *out = trm_config_carried(config, "optimizer.plugin");
  if (*out) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG,
      "optimizer.plugin is %s, which is not loaded: a library is never loaded from a path "
      "in a checkpoint; name it to the command that trains",
      trm_config_string(config, "optimizer.plugin"));
}

static trm_plugin_parameter parameter_of(const trm_param *row) {
  trm_plugin_parameter parameter = {.name = row->name, .n_dims = row->n_dims, .n = row->n};
  memcpy(parameter.dims, row->dims, sizeof parameter.dims);
  return parameter;
}

static trm_plugin_slice slice_of(const trm_plugged *plugged, const trm_plugged_span *span,
                                 const trm_plugin_parameter *parameter) {
  return (trm_plugin_slice){.bytes = sizeof(trm_plugin_slice),
                            .parameter = parameter,
                            .settings = plugged->settings,
                            .lr = span->lr,
                            .decay = span->decay,
                            .step = span->step};
}

void trm_plugged_init(const trm_plugged *plugged, const trm_plugged_span *span) {
  if (!plugged->optimizer->init) return;
  const trm_plugin_parameter parameter = parameter_of(span->row);
  trm_plugin_slice slice = slice_of(plugged, span, &parameter);
  slice.first = span->first;
  slice.n = span->n;
  slice.states = span->states;
  plugged->optimizer->init(&slice);
}

typedef struct work {
  const trm_plugged *plugged;
  const trm_plugged_span *span;
  trm_plugin_parameter parameter;
} work;

/* The gradient of a chunk is scaled into a copy, so that the library sees the mean. */
static void step_chunk(void *context, int64_t begin, int64_t end) {
  const work *k = context;
  const trm_plugged_span *span = k->span;
  trm_real g[TRM_CHUNK], *states[TRM_PLUGIN_MAX_STATES] = {NULL};
  const trm_real scale = (trm_real)span->scale;
  TRM_ASSERT(end - begin <= TRM_CHUNK);
  for (int64_t i = begin; i < end; ++i) g[i - begin] = span->g[i] * scale;
  for (int s = 0; s < k->plugged->optimizer->n_states; ++s) states[s] = span->states[s] + begin;
  trm_plugin_slice slice = slice_of(k->plugged, span, &k->parameter);
  slice.first = span->first + begin;
  slice.n = end - begin;
  slice.w = span->w + begin;
  slice.g = g;
  slice.states = states;
  slice.u = span->u ? span->u + begin : NULL;
  k->plugged->optimizer->step(&slice);
}

void trm_plugged_step(const trm_plugged *plugged, const trm_plugged_span *span) {
  work k = {.plugged = plugged, .span = span, .parameter = parameter_of(span->row)};
  trm_for_chunks(span->n, step_chunk, &k);
}

bool trm_plugged_wants(const trm_plugged *plugged, const trm_param *row) {
  const trm_plugin_optimizer *optimizer = plugged->optimizer;
  const trm_plugin_parameter parameter = parameter_of(row);
  return optimizer->move && (!optimizer->wants || optimizer->wants(&parameter) != 0);
}

int64_t trm_plugged_n_scratch(const trm_plugged *plugged, const trm_param *row) {
  const trm_plugin_parameter parameter = parameter_of(row);
  const int64_t n = plugged->optimizer->n_scratch ? plugged->optimizer->n_scratch(&parameter) : 0;
  return n > 0 ? n : 0;
}

void trm_plugged_move(const trm_plugged *plugged, const trm_plugged_span *span, trm_real *scratch) {
  const trm_plugin_parameter parameter = parameter_of(span->row);
  const trm_plugin_move move = {.bytes = sizeof move,
                                .parameter = &parameter,
                                .w = span->w,
                                .u = span->u,
                                .scratch = scratch,
                                .settings = plugged->settings,
                                .lr = span->lr,
                                .decay = span->decay,
                                .step = span->step};
  plugged->optimizer->move(&move);
}
