#include "trireme/model/model.h"

#include <string.h>

#include "model_internal.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_model_kind *const kinds[] = {&trm_model_decoder, &trm_model_gcn, &trm_model_sage,
                                              &trm_model_gat,     &trm_model_gin, &trm_model_mlp,
                                              &trm_model_lightgcn};

struct trm_model {
  const trm_model_kind *kind;
  void *self;
};

/* The names in the configuration table and the kinds here are compared by a test. */
static const trm_model_kind *find(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
  }
  return NULL;
}

static trm_status find_kind(const trm_config *config, const trm_model_kind **kind) {
  const char *name = trm_config_string(config, "model.kind");
  *kind = find(name);
  if (*kind) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG, "model.kind is '%s': no such model family", name);
}

trm_status trm_model_data_kind(const trm_config *config, const char **data_kind) {
  const trm_model_kind *kind;
  TRM_TRY(find_kind(config, &kind));
  *data_kind = kind->data;
  return TRM_OK;
}

trm_status trm_model_create(const trm_config *config, const trm_model_dims *dims,
                            trm_params *params, trm_model **out) {
  const trm_model_kind *kind;
  TRM_TRY(find_kind(config, &kind));
  trm_model *model = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&model, 1, "model"));
  model->kind = kind;
  TRM_TRY_OUT(kind->create(config, dims, params, &model->self));
  TRM_TRY_OUT(trm_params_seal(params));
  *out = model;
  return TRM_OK;
out:
  trm_model_destroy(&model);
  return status;
}

void trm_model_destroy(trm_model **model) {
  if (!*model) return;
  (*model)->kind->destroy((*model)->self);
  TRM_FREE(*model);
}

trm_var *trm_model_outputs(trm_model *model, trm_tape *tape, const trm_batch *batch) {
  return model->kind->outputs(model->self, tape, batch);
}

trm_var *trm_model_loss(trm_model *model, trm_tape *tape, const trm_batch *batch) {
  if (model->kind->loss) return model->kind->loss(model->self, tape, batch);
  const int32_t *targets = batch->tokens ? batch->tokens->targets : batch->graph->targets;
  return trm_op_softmax_xent(tape, trm_model_outputs(model, tape, batch), targets);
}

int trm_model_n_hops(const trm_model *model) {
  return model->kind->n_hops ? model->kind->n_hops(model->self) : 0;
}
