#include "sample_views.h"

#include <inttypes.h>

static const trm_config_key keys[] = {
    TRM_KEY_TEXT(
        "eval.augment", "", TRM_NO_EFFECT,
        "What evaluations and predictions do to samples, as data.augment; empty: nothing."),
    TRM_KEY_INT("eval.views", "1", 1, 1024, "", TRM_NO_EFFECT,
                "Draws of eval.augment whose outputs are averaged; of 2, flip_alternate shows each "
                "image and its mirror image."),
};
const trm_config_rows trm_sample_views_keys = TRM_CONFIG_ROWS(keys);

trm_augment_input trm_sample_augments(const trm_samples *data) {
  if (data->input == TRM_INPUT_TOKENS) return TRM_AUGMENT_TOKENS;
  return data->input == TRM_INPUT_IMAGE ? TRM_AUGMENT_IMAGES : TRM_AUGMENT_ROWS;
}

trm_status trm_sample_augment_check(const char *key, const char *list, const trm_augment *augment,
                                    const trm_samples *data) {
  if (!augment || !trm_augment_needs_unk(augment) || data->input_vocab.unk >= 0) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%s is '%s', which hides tokens, but the vocabulary of %s has none for what is "
                  "unknown; leave mask out, or prepare the data with words or subwords",
                  key, list, data->path);
}

static trm_status check(const char *list, const trm_samples *data, const trm_sample_views *v) {
  if (!v->augment && v->n > 1) {
    return trm_fail(TRM_ERR_CONFIG,
                    "eval.views is %" PRId64
                    ", but without eval.augment all are the same; set eval.augment, or eval.views "
                    "to 1",
                    v->n);
  }
  if (!v->augment) return TRM_OK;
  if (data->target == TRM_TARGET_TOKENS) {
    return trm_fail(TRM_ERR_CONFIG,
                    "eval.augment is '%s', but the targets of %s are sequences of tokens, over "
                    "which no mean is taken; leave it out",
                    list, data->path);
  }
  if (trm_augment_mixes(v->augment)) {
    return trm_fail(TRM_ERR_CONFIG,
                    "eval.augment is '%s', but mixed samples have no target of their own; leave "
                    "mixup out",
                    list);
  }
  return trm_sample_augment_check("eval.augment", list, v->augment, data);
}

trm_status trm_sample_views_open(const trm_config *config, const trm_samples *data,
                                 trm_sample_views *views) {
  const char *list = trm_config_string(config, "eval.augment");
  const uint64_t seed = (uint64_t)trm_config_int(config, "run.seed");
  *views = (trm_sample_views){.n = trm_config_int(config, "eval.views")};
  TRM_TRY(
      trm_augment_create("eval.augment", list, trm_sample_augments(data), seed, &views->augment));
  return check(list, data, views);
}

void trm_sample_views_free(trm_sample_views *views) {
  trm_augment_destroy(&views->augment);
}
