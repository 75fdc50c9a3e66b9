#include "show.h"

#include <stdio.h>

#include "trireme/core/config.h"
#include "trireme/core/integers.h"
#include "trireme/core/utf8.h"
#include "trireme/io/output.h"
#include "trireme/prepare/png.h"
#include "trireme/train/keys.h"

enum { USUAL_EPOCHS = 4, USUAL_SEED = 1 };

int64_t app_showing_sample(const app_showing *s, int64_t k) {
  return trm_share_begin(s->data->n, k, s->n);
}

enum { NAME_BYTES = APP_TARGET_BYTES / 2 - 4 };

static const char *text_of(const trm_texts *texts, int64_t i, char text[NAME_BYTES]) {
  const int64_t begin = texts->offsets[i];
  trm_text_escape_cut(texts->bytes + begin, texts->offsets[i + 1] - begin, false, text, NAME_BYTES);
  return text;
}

const char *app_showing_target(const app_showing *s, int64_t sample, char text[APP_TARGET_BYTES]) {
  const trm_classes *classes = &s->data->classes;
  char name[NAME_BYTES];
  int n = 0;
  text[0] = 0;
  if (s->data->names.n > 0) {
    n = snprintf(text, APP_TARGET_BYTES, " %s", text_of(&s->data->names, sample, name));
  }
  if (s->data->target != TRM_TARGET_CLASS) return text;
  const int32_t label = classes->labels[sample];
  const size_t room = APP_TARGET_BYTES - (size_t)n;
  if (classes->names.n == 0) {
    (void)snprintf(text + n, room, " (%d)", label);
  } else {
    (void)snprintf(text + n, room, " (%s)", text_of(&classes->names, label, name));
  }
  return text;
}

bool app_show_asked(const app_show *show) {
  return show->n || show->output || show->augment || show->config || show->epochs ||
         show->seed >= 0;
}

static trm_status check_options(const app_show *show) {
  const bool augmented = show->augment || show->config;
  if (show->n == 0) {
    return trm_fail(TRM_ERR_USAGE, "inspect: --output, --augment, --config, --epochs and --seed go "
                                   "with --samples N");
  }
  if (show->augment && show->config) {
    return trm_fail(TRM_ERR_USAGE, "inspect: give --augment LIST or --config FILE, not both");
  }
  if (!augmented && (show->epochs || show->seed >= 0)) {
    return trm_fail(TRM_ERR_USAGE,
                    "inspect: --epochs and --seed go with --augment LIST or --config FILE");
  }
  return TRM_OK;
}

static trm_status show_open(app_showing *s) {
  switch (s->data->input) {
  case TRM_INPUT_IMAGE:
    return app_show_images(s);
  case TRM_INPUT_TOKENS:
    return app_show_texts(s);
  default:
    return trm_fail(TRM_ERR_USAGE,
                    "inspect: %s has rows of a table; --samples shows images and texts",
                    s->data->path);
  }
}

/* What a list of operations is to be read from. */
typedef struct source {
  const char *list; /* NULL: there is none; borrowed from the options or the configuration */
  int64_t seed;
  trm_config *config; /* owned; NULL: none was given */
} source;

static trm_status read_source(const app_show *show, source *from) {
  *from = (source){.list = show->augment, .seed = USUAL_SEED};
  if (show->config) {
    TRM_TRY(trm_program_config(&from->config));
    TRM_TRY(trm_config_read_file(from->config, show->config));
    from->list = trm_config_string(from->config, "data.augment");
    from->seed = trm_config_int(from->config, "run.seed");
  }
  if (show->seed >= 0) from->seed = show->seed;
  return TRM_OK;
}

static trm_status read_augment(const app_show *show, const source *from, app_showing *s,
                               trm_augment **augment) {
  static const trm_augment_input inputs[TRM_N_SAMPLE_INPUTS] = {
      [TRM_INPUT_TOKENS] = TRM_AUGMENT_TOKENS,
      [TRM_INPUT_IMAGE] = TRM_AUGMENT_IMAGES,
      [TRM_INPUT_ROW] = TRM_AUGMENT_ROWS,
  };
  if (!from->list) return TRM_OK;
  TRM_TRY(trm_augment_create("data.augment", from->list, inputs[s->data->input],
                             (uint64_t)from->seed, augment));
  if (!*augment) return TRM_OK; /* an empty list */
  s->augment = *augment;
  s->list = from->list;
  s->epochs = show->epochs ? show->epochs : USUAL_EPOCHS;
  return TRM_OK;
}

static trm_status check_sheet(const app_show *show) {
  const char *const inputs[] = {show->data, show->config};
  const trm_output_rule rule = {.command = "inspect",
                                .made = trm_png_is_ours,
                                .force = show->force,
                                .inputs = inputs,
                                .n_inputs = show->config ? 2 : 1};
  return show->output ? trm_output_check(&rule, show->output) : TRM_OK;
}

trm_status app_show_samples(const app_show *show) {
  trm_status status = TRM_OK;
  trm_samples *data = NULL;
  trm_augment *augment = NULL;
  source from = {0};
  TRM_TRY(check_options(show));
  TRM_TRY(check_sheet(show));
  TRM_TRY_OUT(read_source(show, &from));
  TRM_TRY_OUT(trm_samples_open(show->data, &data));
  app_showing s = {.data = data, .n = trm_min_i64(show->n, data->n), .output = show->output};
  TRM_TRY_OUT(read_augment(show, &from, &s, &augment));
  status = show_open(&s);
out:
  trm_augment_destroy(&augment);
  trm_samples_close(&data);
  trm_config_destroy(&from.config);
  return status;
}
