/** The list of model families. */
#ifndef TRIREME_MODEL_MODEL_INTERNAL_H
#define TRIREME_MODEL_MODEL_INTERNAL_H

#include <stdio.h>

#include "trireme/model/model.h"

extern const trm_model_kind trm_model_decoder;

#endif
