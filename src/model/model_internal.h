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

/** Stochastic depth, for models that are stacks of residual layers. */
#define TRM_KEY_DROP_PATH                                                                          \
  TRM_KEY_REAL("model.drop_path", "0.0", 0, 0.99, "", TRM_ON_RESULT,                               \
               "Probability that a sample skips the last residual layer while training; it grows " \
               "from layer to layer, linearly from 0 in front of the first.")
/** That of layer `i` of `n`, from 0, when the last has `last`: Huang et al. 2016, arXiv:1603.09382,
 *  equation 4. */
static inline double trm_drop_path_of(double last, int64_t i, int64_t n) {
  return last * (double)(i + 1) / (double)n;
}

/** First lines of a trm_model_kind: the part of the family called `family`; rows follow. */
#define TRM_MODEL_PART(family, ...)                                                                \
  .part = {.selector = "model.kind", .name = family, .rows = {__VA_ARGS__}}

#endif
