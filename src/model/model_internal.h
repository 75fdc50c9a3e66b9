/** The list of model families. */
#ifndef TRIREME_MODEL_MODEL_INTERNAL_H
#define TRIREME_MODEL_MODEL_INTERNAL_H

#include "trireme/model/model.h"

#define TRM_MODEL(name) extern const trm_model_kind trm_model_##name;
#include "model_list.h"
#undef TRM_MODEL

/** Rows of the parameter table; -1: there is none. */
typedef struct trm_affine {
  int weight, bias;
} trm_affine;

/** First lines of a trm_model_kind: the part of the family called `family`; rows follow. */
#define TRM_MODEL_PART(family, ...)                                                                \
  .part = {.selector = "model.kind", .name = family, .rows = {__VA_ARGS__}}

#endif
