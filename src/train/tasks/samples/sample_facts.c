#include "sample_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "names_facts.h"
#include "trireme/core/utf8.h"
#include "vocab_facts.h"

/* Of a list of classes in a message. */
enum { NAMES_BYTES = 80 };

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
    return trm_names_fact_put(facts, class_names, &data->classes.names);
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
  if (trm_names_fact_get(facts, class_names, &out->classes)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: the names of its classes are damaged; use another checkpoint",
                  path);
}

static trm_status other_vocab(trm_task_use use, const char *path, const char *data,
                              const char *side, const trm_vocab *here, const trm_vocab *there) {
  return trm_fail(use == TRM_USE_TRAIN ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "%s has another %s vocabulary (%" PRId64 " tokens, unit %s) than %s was trained "
                  "on (%" PRId64 ", unit %s), in which its tokens would mean something else; "
                  "prepare it with --vocabulary of the data the model was trained on",
                  data, side, here->n, here->unit, path, there->n, there->unit);
}

/* "bad, good", as far as there is room. */
static const char *list_names(const trm_texts *names, char text[NAMES_BYTES]) {
  char name[NAMES_BYTES / 2];
  int used = 0;
  text[0] = 0;
  for (int64_t i = 0; i < names->n && used < NAMES_BYTES; ++i) {
    const int64_t begin = names->offsets[i], bytes = names->offsets[i + 1] - begin;
    trm_text_escape_cut(names->bytes + begin, bytes, false, name, sizeof name);
    used += snprintf(text + used, (size_t)(NAMES_BYTES - used), "%s%s", i > 0 ? ", " : "", name);
  }
  return text;
}

/* To train or to score, a class must have the same number there and here. */
static trm_status check_classes(const char *path, trm_task_use use, const trm_samples *data,
                                const trm_texts *known) {
  char here[NAMES_BYTES], there[NAMES_BYTES];
  const trm_texts *names = &data->classes.names;
  if (use == TRM_USE_PREDICT || names->n == 0 || known->n == 0 || trm_names_same(names, known)) {
    return TRM_OK;
  }
  return trm_fail(use == TRM_USE_TRAIN ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "%s has other classes (%" PRId64 ": %s) than %s was trained on (%" PRId64
                  ": %s); prepare it with samples of the same classes",
                  data->path, names->n, list_names(names, here), path, known->n,
                  list_names(known, there));
}

trm_status trm_sample_classes_find(const trm_classes *classes, const trm_texts *known,
                                   int64_t n_known, int32_t *places) {
  const trm_texts *names = &classes->names;
  if (names->n > 0 && known->n > 0) {
    return trm_names_places((trm_names_part){known, 0, known->n},
                            (trm_names_part){names, 0, classes->n}, places);
  }
  for (int32_t c = 0; c < classes->n; ++c) places[c] = c < n_known ? c : -1;
  return TRM_OK;
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
  if (data->target == TRM_TARGET_CLASS || data->target == TRM_TARGET_CLASSES) {
    TRM_TRY(check_classes(path, use, data, &known.classes));
  }
  if (use != TRM_USE_TRAIN) {
    view->mean = known.mean;
    view->deviation = known.deviation;
  }
  return TRM_OK;
}
