/** `trireme prepare debian`: the package index as text. */
#include "trireme/prepare/text.h"
#include "ways.h"

static trm_status run(app_prepare_call *call) {
  const char *index = NULL;
  trm_prepare_options o = {.vocab.unit = "char",
                           .valid_share = 0.1,
                           .progress = app_prepare_progress,
                           .context = call->log};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--index", 0, &index, "FILE", "a package index instead of apt-cache dumpavail"),
      APP_TEXT("--unit", 0, &o.vocab.unit, "char|byte", "tokens are characters (default) or bytes"),
      APP_REAL("--valid-share", &o.valid_share, 0.0001, 0.9999, "SHARE",
               "of the text, from its end, for validation (default 0.1)"),
  };
  app_list words;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &words));
  if (call->done) return TRM_OK;
  TRM_TRY(app_prepare_words(call, &words, 0, "no files"));
  trm_prepare_summary summary = {0};
  o.output = call->output;
  TRM_TRY(trm_prepare_debian(index, &o, &summary));
  app_tell_tokens(call, &summary);
  return TRM_OK;
}

const app_prepare_way app_prepare_way_debian = {
    .name = "debian",
    .words = "",
    .summary = "this machine's package index as text",
    .run = run,
};
