/* What a checkpoint generates: its task knows how. */
#include "restore.h"
#include "rundir.h"
#include "task.h"
#include "trireme/train/train.h"

static trm_status generate(trm_restored *restored, const char *path,
                           const trm_generate_options *options, FILE *out) {
  const trm_task_kind *kind;
  TRM_TRY(trm_task_of_checkpoint(restored, path, &kind));
  if (kind->generate) return kind->generate(restored, path, options, out);
  return trm_fail(
      TRM_ERR_CONFIG,
      "%s: was trained on data of kind '%s', which gives no text to go on with; trireme %s says "
      "what it has learned",
      path, kind->brings.name,
      trm_config_is(restored->config, "model.kind", "seq2seq") ? "translate" : "predict");
}

trm_status trm_generate_run(trm_comm *comm, const trm_generate_options *options, FILE *out) {
  char path[TRM_PATH_BYTES];
  trm_restored restored;
  trm_log log; /* damaged checkpoints that are passed over are named */
  trm_log_init(&log, stderr);
  TRM_TRY(trm_checkpoint_resolve(options->run, options->best, path, sizeof path, &log));
  TRM_TRY(trm_restore_begin(comm, path, options->raw, &restored));
  const trm_status status = generate(&restored, path, options, out);
  trm_restored_free(&restored);
  return status;
}
