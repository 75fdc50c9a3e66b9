#include "sample_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "class_match.h"
#include "names_facts.h"
#include "vocab_facts.h"

static const char fact_target[] = "target", fact_input[] = "input", fact_shared[] = "shared_vocab",
                  fact_scale[] = "target/scale";
static const trm_names_fact class_names = {"classes/offsets", "classes/bytes"};
static const char *const target_names[TRM_N_SAMPLE_TARGETS] = {
    [TRM_TARGET_CLASS] = "class",   [TRM_TARGET_NUMBER] = "number",
    [TRM_TARGET_TOKENS] = "tokens", [TRM_TARGET_CLASSES] = "classes",
    [TRM_TARGET_NONE] = "none",
};
static const char *const input_names[TRM_N_SAMPLE_INPUTS] = {"tokens", "image", "row"};

trm_status trm_sample_facts_put(trm_facts *facts, const trm_sample_view *view) {
  const trm_samples *data = view->data;
  const double scale[2] = {view->mean, view->deviation};
  TRM_TRY(trm_facts_put_text(facts, fact_target, target_names[data->target]));
  TRM_TRY(trm_facts_put_text(facts, fact_input, input_names[data->input]));
  if (data->input == TRM_INPUT_TOKENS) {
    TRM_TRY(trm_vocab_facts_put(facts, "input/", &data->input_vocab));
  }
  switch (data->target) {
  case TRM_TARGET_NUMBER:
    return trm_facts_put_array(facts, fact_scale, TRM_DTYPE_F64, 2, scale);
  case TRM_TARGET_TOKENS:
    TRM_TRY(trm_facts_put_int(facts, fact_shared, data->shared_vocab));
    return data->shared_vocab ? TRM_OK : trm_vocab_facts_put(facts, "output/", &data->target_vocab);
  default:
    return trm_class_names_put(facts, &data->classes.names);
  }
}

bool trm_sample_facts_same_classes(const trm_facts *a, const trm_facts *b) {
  return trm_names_fact_same(a, b, class_names);
}

/* Which of n names a text is; false: none. */
static bool find_name(const char *text, const char *const *names, int n, int *which) {
  for (*which = 0; text && *which < n; ++*which) {
    if (strcmp(text, names[*which]) == 0) return true;
  }
  return false;
}

/* Checkpoints from before there were other inputs name none. */
static trm_status find_kinds(const trm_facts *facts, const char *path, trm_sample_facts *out) {
  const char *input = trm_facts_text(facts, fact_input);
  int i = 0, t = 0;
  const bool known = !input || find_name(input, input_names, TRM_N_SAMPLE_INPUTS, &i);
  if (known &&
      find_name(trm_facts_text(facts, fact_target), target_names, TRM_N_SAMPLE_TARGETS, &t)) {
    out->input = (trm_sample_input)i;
    out->target = (trm_sample_target)t;
    return TRM_OK;
  }
  return trm_fail(
      TRM_ERR_DATA,
      "%s: is no checkpoint of a model of samples; give one that was trained on data of "
      "kind samples (trireme inspect says which kind data are)",
      path);
}

trm_status trm_sample_facts_get(const trm_facts *facts, const char *path, trm_sample_facts *out) {
  int64_t n;
  *out = (trm_sample_facts){.deviation = 1};
  TRM_TRY(find_kinds(facts, path, out));
  if (out->input == TRM_INPUT_TOKENS) {
    TRM_TRY(trm_vocab_facts_get(facts, path, "input/", &out->input_vocab));
  }
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
  return trm_class_names_get(facts, path, &out->classes);
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
  const bool unknown = use == TRM_USE_PREDICT && data->target == TRM_TARGET_NONE;
  if (known.target != data->target && !unknown) {
    return trm_fail(TRM_ERR_DATA, "%s has targets of kind %s, but %s was trained on kind %s",
                    data->path, target_names[data->target], path, target_names[known.target]);
  }
  if (known.input != data->input) {
    return trm_fail(TRM_ERR_DATA, "%s has inputs of kind %s, but %s was trained on kind %s",
                    data->path, input_names[data->input], path, input_names[known.input]);
  }
  if (data->input == TRM_INPUT_TOKENS && !trm_vocab_equal(&known.input_vocab, &data->input_vocab)) {
    return other_vocab(use, path, data->path, "input", &data->input_vocab, &known.input_vocab);
  }
  if (data->target == TRM_TARGET_TOKENS &&
      !trm_vocab_equal(&known.target_vocab, &data->target_vocab)) {
    return other_vocab(use, path, data->path, "target", &data->target_vocab, &known.target_vocab);
  }
  const trm_class_match match = {
      .path = path, .data = data->path, .classes = &data->classes, .known = known.classes};
  if (use == TRM_USE_TRAIN) TRM_TRY(trm_class_match_same(&match));
  if (use != TRM_USE_TRAIN) {
    view->mean = known.mean;
    view->deviation = known.deviation;
  }
  return TRM_OK;
}
