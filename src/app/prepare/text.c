/** `trireme prepare text`: files of text, one after another. */
#include "trireme/prepare/text.h"
#include "ways.h"

static trm_status run(app_prepare_call *call) {
  trm_prepare_options o = {
      .unit = "char", .valid_share = 0.1, .progress = app_prepare_progress, .context = call->log};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_TEXT("--unit", 0, &o.unit, "char|byte", "tokens are characters (default) or bytes"),
      APP_REAL("--valid-share", &o.valid_share, 0.0001, 0.9999, "SHARE",
               "of the text, from its end, for validation (default 0.1)"),
  };
  app_list files;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &files));
  if (call->done) return TRM_OK;
  if (files.n == 0) return trm_fail(TRM_ERR_USAGE, "%s: give the text files", call->name);
  trm_prepare_summary summary = {0};
  o.output = call->output;
  TRM_TRY(trm_prepare_text(files.items, files.n, &o, &summary));
  app_tell_tokens(call, &summary);
  return TRM_OK;
}

const app_prepare_way app_prepare_way_text = {
    .name = "text",
    .words = "FILES...",
    .summary = "text files as tokens, one after another",
    .run = run,
};
