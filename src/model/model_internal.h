/** The list of model families. */
#ifndef TRIREME_MODEL_MODEL_INTERNAL_H
#define TRIREME_MODEL_MODEL_INTERNAL_H

#include <stdio.h>

#include "trireme/model/model.h"

extern const trm_model_kind trm_model_decoder;
extern const trm_model_kind trm_model_gcn, trm_model_sage, trm_model_gat, trm_model_gin,
    trm_model_mlp, trm_model_lightgcn;

#endif
