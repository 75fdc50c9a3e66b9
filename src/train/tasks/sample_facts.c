#include "sample_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trireme/core/utf8.h"
#include "vocab_facts.h"

/* Of a list of classes in a message. */
enum { NAMES_BYTES = 80 };

static const char fact_target[] = "target", fact_input[] = "input", fact_shared[] = "shared_vocab",
                  fact_scale[] = "target/scale", fact_class_offsets[] = "classes/offsets",
                  fact_class_bytes[] = "classes/bytes";
static const char *const target_names[TRM_N_SAMPLE_TARGETS] = {
    [TRM_TARGET_CLASS] = "class",   [TRM_TARGET_NUMBER] = "number",
    [TRM_TARGET_TOKENS] = "tokens", [TRM_TARGET_CLASSES] = "classes",
    [TRM_TARGET_NONE] = "none",
};
static const char *const input_names[TRM_N_SAMPLE_INPUTS] = {"tokens", "image", "row"};

trm_status trm_sample_facts_put(trm_facts *facts, const trm_sample_view *view) {
  const trm_samples *data = view->data;
  const double scale[2] = {view->mean, view->deviation};
  const trm_texts *names = &data->classes.names;
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
    if (names->n == 0) return TRM_OK;
    TRM_TRY(trm_facts_put_array(facts, fact_class_offsets, TRM_DTYPE_I64, names->n + 1,
                                names->offsets));
    return trm_facts_put_array(facts, fact_class_bytes, TRM_DTYPE_U8, names->offsets[names->n],
                               names->bytes);
  }
}

bool trm_sample_facts_same_classes(const trm_facts *a, const trm_facts *b) {
  return trm_fact_arrays_same(a, fact_class_offsets, b, fact_class_offsets, TRM_DTYPE_I64) &&
         trm_fact_arrays_same(a, fact_class_bytes, b, fact_class_bytes, TRM_DTYPE_U8);
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

/* Names that lie one behind the other in n bytes. */
static bool are_names(const trm_texts *names, int64_t n) {
  if (!names->bytes || names->n < 1 || names->offsets[0] != 0) return false;
  for (int64_t i = 0; i < names->n; ++i) {
    if (names->offsets[i + 1] < names->offsets[i]) return false;
  }
  return names->offsets[names->n] == n;
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
  out->classes.offsets = trm_facts_array(facts, fact_class_offsets, TRM_DTYPE_I64, &n);
  if (!out->classes.offsets) return TRM_OK;
  out->classes.n = n - 1;
  out->classes.bytes = trm_facts_array(facts, fact_class_bytes, TRM_DTYPE_U8, &n);
  if (are_names(&out->classes, n)) return TRM_OK;
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

static bool same_texts(const trm_texts *a, const trm_texts *b) {
  return a->n == b->n &&
         memcmp(a->offsets, b->offsets, (size_t)(a->n + 1) * sizeof *a->offsets) == 0 &&
         memcmp(a->bytes, b->bytes, (size_t)a->offsets[a->n]) == 0;
}

/* To train or to score, a class must have the same number there and here. */
static trm_status check_classes(const char *path, trm_task_use use, const trm_samples *data,
                                const trm_texts *known) {
  char here[NAMES_BYTES], there[NAMES_BYTES];
  const trm_texts *names = &data->classes.names;
  if (use == TRM_USE_PREDICT || names->n == 0 || known->n == 0 || same_texts(names, known)) {
    return TRM_OK;
  }
  return trm_fail(use == TRM_USE_TRAIN ? TRM_ERR_CONFIG : TRM_ERR_DATA,
                  "%s has other classes (%" PRId64 ": %s) than %s was trained on (%" PRId64
                  ": %s); prepare it with samples of the same classes",
                  data->path, names->n, list_names(names, here), path, known->n,
                  list_names(known, there));
}

/* Place of a text among others, -1 where it is none of them. */
static int32_t find_text(const trm_texts *texts, const char *bytes, int64_t n) {
  for (int64_t i = 0; i < texts->n; ++i) {
    const int64_t begin = texts->offsets[i];
    if (texts->offsets[i + 1] - begin == n && memcmp(texts->bytes + begin, bytes, (size_t)n) == 0) {
      return (int32_t)i;
    }
  }
  return -1;
}

void trm_sample_classes_find(const trm_classes *classes, const trm_texts *known, int64_t n_known,
                             int32_t *places) {
  const trm_texts *names = &classes->names;
  for (int32_t c = 0; c < classes->n; ++c) {
    places[c] = c < n_known ? c : -1;
    if (names->n == 0 || known->n == 0) continue;
    const int64_t begin = names->offsets[c];
    places[c] = find_text(known, names->bytes + begin, names->offsets[c + 1] - begin);
  }
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
