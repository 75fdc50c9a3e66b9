#include "trireme/train/learner.h"

#include <stdio.h>
#include <string.h>

#include "average.h"
#include "trireme/core/log.h"
#include "trireme/core/memory.h"

trm_status trm_learner_plan(trm_learner *learner, trm_plan_depth depth, trm_pass pass,
                            const trm_batch *batch) {
  pass.dry = true;
  pass.training = depth == TRM_PLAN_BACKWARD;
  trm_tape_begin(learner->tape, &pass);
  trm_var *last = depth == TRM_PLAN_OUTPUTS
                      ? trm_model_outputs(learner->model, learner->tape, batch)
                      : trm_model_loss(learner->model, learner->tape, batch);
  if (pass.training) trm_tape_backward(learner->tape, last, NULL, NULL, NULL);
  return trm_tape_status(learner->tape);
}

trm_status trm_learner_create(const trm_config *config, const trm_model_dims *dims, bool training,
                              int rank, int size, trm_learner *learner) {
  trm_status status = TRM_OK;
  *learner = (trm_learner){0};
  TRM_TRY_OUT(trm_params_create(&learner->params));
  TRM_TRY_OUT(trm_model_create(config, dims, learner->params, &learner->model));
  trm_params_init(learner->params, (uint64_t)trm_config_int(config, "run.seed"));
  TRM_TRY_OUT(trm_tape_create(learner->params, &learner->tape));
  if (training) {
    TRM_TRY_OUT(
        trm_optimizer_create_share(config, learner->params, rank, size, &learner->optimizer));
    TRM_TRY_OUT(trm_average_create(config, learner->params, &learner->average));
  }
  return TRM_OK;
out:
  trm_learner_destroy(learner);
  return status;
}

void trm_learner_destroy(trm_learner *learner) {
  trm_average_destroy(&learner->average);
  trm_optimizer_destroy(&learner->optimizer);
  trm_tape_destroy(&learner->tape);
  trm_model_destroy(&learner->model);
  trm_params_destroy(&learner->params);
}

void trm_learner_rule_text(const trm_learner *learner, int i, char text[TRM_RULE_TEXT_BYTES]) {
  const trm_rule_match rule = trm_optimizer_rule(learner->optimizer, i);
  char n_weights[32];
  trm_format_count(rule.n_weights, n_weights);
  (void)snprintf(text, TRM_RULE_TEXT_BYTES, "rule %.400s: %d %s, %s weights", rule.text,
                 rule.n_params, rule.n_params == 1 ? "parameter" : "parameters", n_weights);
}

/* ---- regions -------------------------------------------------------------------------------- */

enum { REGION_NAME_BYTES = TRM_PARAM_NAME_BYTES + 32 };

/* Tables of vectors have none. Maps of sparse features were [inputs, outputs] before files said it, a
 * shop's words among them, which are a map and a table. */
static void say_axes(trm_region *region, const trm_param *row) {
  if (row->n_dims != 2 || (row->role == TRM_ROLE_EMBEDDING && !row->drawn_by_inputs)) return;
  region->axes = row->by_inputs ? TRM_AXES_INPUTS_OUTPUTS : TRM_AXES_OUTPUTS_INPUTS;
  if (row->drawn_by_inputs) region->axes_old = TRM_AXES_INPUTS_OUTPUTS;
}

static void add_region(trm_regions *regions, const char *group, const trm_param *row,
                       trm_real *base /* NULL: bound later */) {
  char *name = regions->names + (size_t)regions->n * REGION_NAME_BYTES;
  (void)snprintf(name, REGION_NAME_BYTES, "%s/%s", group, row->name);
  trm_region *region = &regions->rows[regions->n++];
  region->name = name;
  region->n_dims = row->n_dims;
  memcpy(region->dims, row->dims, sizeof region->dims);
  say_axes(region, row);
  region->data = base ? base + row->offset : NULL;
}

static trm_status take_room(trm_regions *regions, int64_t n) {
  *regions = (trm_regions){0};
  TRM_TRY(TRM_ALLOC(&regions->rows, n, "checkpoint regions"));
  const trm_status status = TRM_ALLOC(&regions->names, n * REGION_NAME_BYTES, "checkpoint regions");
  if (status != TRM_OK) trm_regions_free(regions);
  return status;
}

/* A region for each parameter, of the flat array `base`. */
static void add_regions(trm_regions *regions, const char *group, const trm_params *params,
                        trm_real *base) {
  for (int i = 0; i < params->n_rows; ++i) add_region(regions, group, &params->rows[i], base);
}

trm_status trm_learner_regions(trm_learner *learner, trm_regions *regions) {
  const trm_params *params = learner->params;
  const int n_states = learner->optimizer ? trm_optimizer_n_states(learner->optimizer) : 0;
  TRM_TRY(take_room(regions, (int64_t)params->n_rows * (2 + n_states)));
  add_regions(regions, "model", params, params->weights);
  regions->n_model = regions->n;
  for (int s = 0; s < n_states; ++s) {
    char group[32];
    const bool whole = trm_optimizer_stripes(learner->optimizer).size == 1;
    (void)snprintf(group, sizeof group, "optimizer/%s",
                   trm_optimizer_state_name(learner->optimizer, s));
    add_regions(regions, group, params, whole ? trm_optimizer_state(learner->optimizer, s) : NULL);
  }
  regions->n_training = regions->n;
  if (learner->average) add_regions(regions, "average", params, learner->average->weights);
  return TRM_OK;
}

trm_status trm_learner_weights_regions(trm_learner *learner, bool average, trm_regions *regions) {
  TRM_TRY(take_room(regions, learner->params->n_rows));
  add_regions(regions, average ? "average" : "model", learner->params, learner->params->weights);
  regions->n_model = regions->n_training = regions->n;
  return TRM_OK;
}

void trm_learner_bind_states(const trm_learner *learner, trm_regions *regions, trm_real *states) {
  const trm_params *params = learner->params;
  for (int i = regions->n_model; i < regions->n_training; ++i) {
    const int state = (i - regions->n_model) / params->n_rows;
    const trm_param *row = &params->rows[(i - regions->n_model) % params->n_rows];
    regions->rows[i].data = states ? states + state * params->n_elements + row->offset : NULL;
  }
}

void trm_regions_free(trm_regions *regions) {
  TRM_FREE(regions->rows);
  TRM_FREE(regions->names);
  regions->n = 0;
}
