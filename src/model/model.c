#include "trireme/model/model.h"

#include <string.h>

#include "model_internal.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

static const trm_model_kind *const kinds[] = {
#define TRM_MODEL(name) &trm_model_##name,
#include "model_list.h"
#undef TRM_MODEL
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static const trm_config_key keys[] = {
    TRM_KEY_SELECTOR(
        "model.kind", "decoder", TRM_ON_MODEL,
        "Family: decoder (GPT) goes on with texts; encoder and seq2seq read them; cnn and "
        "resnet images, mlp those, tables, graphs; the others graphs."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);
static const trm_config_part part = {.rows = {&rows}};

void trm_model_parts(trm_config_parts *parts) {
  trm_config_parts_add(parts, &part);
  for (int i = 0; i < N_KINDS; ++i) trm_config_parts_add(parts, &kinds[i]->part);
  for (int i = 0; i < N_KINDS; ++i) {
    for (int p = 0; p < TRM_MODEL_MAX_PARTS && kinds[i]->more[p]; ++p) {
      trm_config_parts_add(parts, kinds[i]->more[p]);
    }
  }
}

struct trm_model {
  const trm_model_kind *kind;
  void *self;
};

/* The choices of the key are the names of the list. */
static const trm_model_kind *find_kind(const trm_config *config) {
  const char *name = trm_config_string(config, "model.kind");
  int i = 0;
  while (strcmp(kinds[i]->part.name, name) != 0) {
    ++i;
    TRM_ASSERT(i < N_KINDS);
  }
  return kinds[i];
}

const char *const *trm_model_data(const trm_config *config) {
  return find_kind(config)->data;
}

trm_status trm_model_create(const trm_config *config, const trm_model_dims *dims,
                            trm_params *params, trm_model **out) {
  const trm_model_kind *kind = find_kind(config);
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
  return trm_model_loss_of(model, tape, trm_model_outputs(model, tape, batch), batch);
}

trm_var *trm_model_loss_of(trm_model *model, trm_tape *tape, trm_var *y, const trm_batch *batch) {
  if (model->kind->loss_of) return model->kind->loss_of(model->self, tape, y, batch);
  const int32_t *targets = batch->tokens ? batch->tokens->targets : batch->graph->targets;
  return trm_op_softmax_xent(tape, y, targets, NULL);
}

bool trm_model_splits(const trm_model *model) {
  return !model->kind->loss;
}

int trm_model_n_hops(const trm_model *model) {
  return model->kind->n_hops ? model->kind->n_hops(model->self) : 0;
}

trm_frame trm_model_frame(const trm_config *config) {
  const trm_model_kind *kind = find_kind(config);
  return kind->frame ? kind->frame(config) : (trm_frame){0};
}

trm_kept_sizes trm_model_kept(const trm_model *model) {
  return model->kind->kept ? model->kind->kept(model->self) : (trm_kept_sizes){0};
}

void trm_model_encode(trm_model *model, trm_tape *tape, const trm_sample_batch *batch,
                      trm_real *const *kept_rows) {
  model->kind->encode(model->self, tape, batch, kept_rows);
}

trm_var *trm_model_step(trm_model *model, trm_tape *tape, const trm_step_batch *batch) {
  return model->kind->step(model->self, tape, batch);
}

trm_var *trm_model_head(trm_model *model, trm_tape *tape) {
  return model->kind->head(model->self, tape);
}
