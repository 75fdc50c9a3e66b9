#include "sample_facts.h"

#include <inttypes.h>
#include <string.h>

#include "vocab_facts.h"

static const char fact_target[] = "target", fact_shared[] = "shared_vocab",
                  fact_scale[] = "target/scale", fact_class_offsets[] = "classes/offsets",
                  fact_class_bytes[] = "classes/bytes";
static const char *const target_names[TRM_N_SAMPLE_TARGETS] = {"class", "number", "tokens"};

trm_status trm_sample_facts_put(trm_facts *facts, const trm_sample_view *view) {
  const trm_samples *data = view->data;
  const double scale[2] = {view->mean, view->deviation};
  const trm_texts *names = &data->classes.names;
  TRM_TRY(trm_facts_put_text(facts, fact_target, target_names[data->target]));
  TRM_TRY(trm_vocab_facts_put(facts, "input/", &data->input_vocab));
  switch (data->target) {
  case TRM_TARGET_NUMBER:
    return trm_facts_put_array(facts, fact_scale, TRM_DTYPE_F64, 2, scale);
  case TRM_TARGET_TOKENS:
    TRM_TRY(trm_facts_put_int(facts, fact_shared, data->shared_vocab));
    return data->shared_vocab ? TRM_OK : trm_vocab_facts_put(facts, "output/", &data->target_vocab);
  default:
    if (names->n == 0) return TRM_OK;
    TRM_TRY(trm_facts_put_array(facts, fact_class_offsets, TRM_DTYPE_I64, names->n + 1,
                                names->offsets));
    return trm_facts_put_array(facts, fact_class_bytes, TRM_DTYPE_U8, names->offsets[names->n],
                               names->bytes);
  }
}

static trm_status find_target(const trm_facts *facts, const char *path, trm_sample_target *target) {
  const char *name = trm_facts_text(facts, fact_target);
  for (int i = 0; name && i < TRM_N_SAMPLE_TARGETS; ++i) {
    *target = (trm_sample_target)i;
    if (strcmp(name, target_names[i]) == 0) return TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA, "%s: is no checkpoint of a model of samples", path);
}

trm_status trm_sample_facts_get(const trm_facts *facts, const char *path, trm_sample_facts *out) {
  int64_t n;
  *out = (trm_sample_facts){.deviation = 1};
  TRM_TRY(find_target(facts, path, &out->target));
  TRM_TRY(trm_vocab_facts_get(facts, path, "input/", &out->input_vocab));
  if (out->target == TRM_TARGET_TOKENS) {
    out->shared_vocab = trm_facts_int(facts, fact_shared, 0) != 0;
    out->target_vocab = out->input_vocab;
    if (!out->shared_vocab) {
      TRM_TRY(trm_vocab_facts_get(facts, path, "output/", &out->target_vocab));
    }
  }
  const double *scale = trm_facts_array(facts, fact_scale, TRM_DTYPE_F64, &n);
  if (scale && n == 2) {
    out->mean = scale[0];
    out->deviation = scale[1];
  }
  out->classes.offsets = trm_facts_array(facts, fact_class_offsets, TRM_DTYPE_I64, &n);
  if (!out->classes.offsets) return TRM_OK;
  out->classes.n = n - 1;
  out->classes.bytes = trm_facts_array(facts, fact_class_bytes, TRM_DTYPE_U8, &n);
  if (out->classes.bytes && out->classes.offsets[out->classes.n] == n) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: the names of its classes are damaged", path);
}

static trm_status other_vocab(trm_task_use use, const char *path, const char *data,
                              const char *side, const trm_vocab *here, const trm_vocab *there) {
  return trm_fail(use == TRM_USE_TRAIN ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "%s has another %s vocabulary (%" PRId64 " tokens, unit %s) than %s was trained "
                  "on (%" PRId64 ", unit %s), in which its tokens would mean something else; "
                  "prepare it with --vocabulary of the data the model was trained on",
                  data, side, here->n, here->unit, path, there->n, there->unit);
}

trm_status trm_sample_facts_check(const trm_facts *facts, const char *path, trm_task_use use,
                                  trm_sample_view *view) {
  const trm_samples *data = view->data;
  trm_sample_facts known;
  TRM_TRY(trm_sample_facts_get(facts, path, &known));
  if (known.target != data->target) {
    return trm_fail(TRM_ERR_DATA, "%s has targets of kind %s, but %s was trained on kind %s",
                    data->path, target_names[data->target], path, target_names[known.target]);
  }
  if (!trm_vocab_equal(&known.input_vocab, &data->input_vocab)) {
    return other_vocab(use, path, data->path, "input/", &data->input_vocab, &known.input_vocab);
  }
  if (data->target == TRM_TARGET_TOKENS &&
      !trm_vocab_equal(&known.target_vocab, &data->target_vocab)) {
    return other_vocab(use, path, data->path, "target", &data->target_vocab, &known.target_vocab);
  }
  if (use != TRM_USE_TRAIN) {
    view->mean = known.mean;
    view->deviation = known.deviation;
  }
  return TRM_OK;
}
