#include "trireme/model/model.h"

#include <string.h>

#include "model_internal.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_model_kind *const kinds[] = {&trm_model_decoder};

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

trm_status trm_model_create(const trm_config *config, int64_t vocab, trm_params *params,
                            trm_model **out) {
  const char *name = trm_config_string(config, "model.kind");
  const trm_model_kind *kind = find(name);
  if (!kind) return trm_fail(TRM_ERR_CONFIG, "model.kind is '%s': no such model family", name);
  trm_model *model = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&model, 1, "model"));
  model->kind = kind;
  TRM_TRY_OUT(kind->create(config, vocab, params, &model->self));
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

trm_var *trm_model_logits(trm_model *model, trm_tape *tape, const trm_tokens *tokens) {
  return model->kind->logits(model->self, tape, tokens);
}

trm_var *trm_model_loss(trm_model *model, trm_tape *tape, const trm_tokens *tokens) {
  return trm_op_softmax_xent(tape, trm_model_logits(model, tape, tokens), tokens->targets);
}
