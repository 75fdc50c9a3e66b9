/** `trireme prepare text`: files of text, one after another. */
#include <string.h>

#include "trireme/core/plural.h"
#include "trireme/prepare/text.h"
#include "ways.h"

static void tell_vocab(const app_prepare_call *call, const trm_prepare_options *o,
                       const trm_prepare_summary *s) {
  static const char *const parts[2] = {"training", "validation"};
  const int64_t n[2] = {s->n_train, s->n_valid};
  char count[32];
  if (o->vocab.size > s->vocab) {
    trm_log_line(call->log, "%s: note: the text gives no more than %lld token%s, of %lld asked for",
                 call->output, (long long)s->vocab, trm_plural(s->vocab), (long long)o->vocab.size);
  }
  for (int part = 0; part < 2; ++part) {
    if (s->unknown[part] == 0) continue;
    trm_format_count(s->unknown[part], count);
    trm_log_line(call->log, "%s: %s token%s for %s %s unknown, %.2f %%", call->output, count,
                 trm_plural(s->unknown[part]), parts[part], s->unknown[part] == 1 ? "is" : "are",
                 100.0 * (double)s->unknown[part] / (double)n[part]);
  }
}

static trm_status run(app_prepare_call *call) {
  const char *valid[APP_MAX_VALID_FILES];
  app_list valid_files = {.items = valid, .capacity = APP_MAX_VALID_FILES};
  trm_prepare_options o = {
      .valid_share = 0.1, .progress = app_prepare_progress, .context = call->log};
  const app_option options[] = {
      APP_PREPARE_OUTPUT(call),
      APP_PREPARE_VOCAB(&o.vocab, "char"),
      APP_LIST("--valid", 0, &valid_files, "FILE",
               "validation text; may be given again (default: a share of the text)"),
      APP_REAL("--valid-share", &o.valid_share, 0.0001, 0.9999, "SHARE",
               "of the text, from its end, for validation (default 0.1)"),
  };
  app_list files;
  TRM_TRY(app_prepare_parse(call, APP_OPTIONS(options), &files));
  if (call->done) return TRM_OK;
  if (files.n == 0) return trm_fail(TRM_ERR_USAGE, "%s: give the text files", call->name);
  trm_prepare_summary summary = {0};
  o.output = call->output;
  o.valid_files = valid_files.items;
  o.n_valid_files = valid_files.n;
  if (!o.vocab.unit && !o.vocab.tokenizer && !o.vocab.vocabulary) o.vocab.unit = "char";
  trm_notes notes = {0};
  o.notes = &notes;
  const trm_status status = trm_prepare_text(files.items, files.n, &o, &summary);
  if (status == TRM_OK) app_tell_notes(call->log, &notes);
  trm_notes_free(&notes);
  TRM_TRY(status);
  app_tell_tokens(call, &summary);
  tell_vocab(call, &o, &summary);
  return TRM_OK;
}

const app_prepare_way app_prepare_way_text = {
    .name = "text",
    .words = "FILES...",
    .summary = "text files as tokens, one after another",
    .run = run,
};
