#include <stdio.h>

#include "evaluate.h"
#include "restore.h"
#include "rundir.h"
#include "trireme/comm/watch.h"
#include "trireme/train/train.h"

enum { GROUP = 8 }; /* windows a pass */

static trm_status check_data(const trm_restored *restored, const trm_dataset *dataset,
                             const char *path) {
  const trm_ckpt_info *info = &restored->info;
  trm_vocab vocab = {.n = info->vocab, .offsets = info->vocab_offsets, .bytes = info->vocab_bytes};
  (void)snprintf(vocab.unit, sizeof vocab.unit, "%s", info->vocab_unit);
  if (trm_vocab_equal(&vocab, trm_dataset_vocabulary(dataset))) return TRM_OK;
  return trm_fail(
      TRM_ERR_DATA,
      "%s has another vocabulary (%lld %ss) than %s was trained on (%lld %ss); its tokens "
      "would mean other characters",
      trm_dataset_path(dataset), (long long)trm_dataset_vocab(dataset),
      trm_dataset_vocabulary(dataset)->unit, path, (long long)info->vocab, info->vocab_unit);
}

/* The data set of the run lies where it lay when it was trained, or --data tells. */
static trm_status open_data(const trm_evaluate_options *options, const trm_restored *restored,
                            trm_log *log, trm_dataset **dataset) {
  if (options->data) return trm_dataset_open(options->data, dataset);
  const trm_status status =
      trm_dataset_open(trm_config_string(restored->config, "data.path"), dataset);
  if (status == TRM_ERR_IO) {
    char why[TRM_MESSAGE_BYTES];
    (void)snprintf(why, sizeof why, "%s", trm_message());
    return trm_fail(status, "%s (data.path of the run, from this folder); give --data", why);
  }
  if (status == TRM_OK && trm_dataset_digest(*dataset) != restored->info.data_digest) {
    trm_log_warn(log, "%s has changed since the run was trained on it", trm_dataset_path(*dataset));
  }
  return status;
}

trm_status trm_evaluate_run(trm_comm *comm, const trm_evaluate_options *options,
                            trm_evaluation *result) {
  char path[TRM_PATH_BYTES] = "";
  trm_restored restored = {0};
  trm_dataset *dataset = NULL;
  trm_evaluator *evaluator = NULL;
  trm_status status = TRM_OK;
  trm_log log;
  trm_log_init(&log, trm_comm_rank(comm) == 0 ? stderr : NULL);
  if (trm_comm_rank(comm) == 0) {
    status = trm_checkpoint_resolve(options->run, options->best, path, sizeof path, &log);
  }
  TRM_TRY(trm_comm_agree(comm, status));
  TRM_TRY(trm_comm_broadcast(comm, path, sizeof path, 0));
  TRM_TRY(trm_restore(comm, path, GROUP, &restored));
  status = open_data(options, &restored, &log, &dataset);
  if (status == TRM_OK) status = check_data(&restored, dataset, path);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_check_equal(comm, trm_dataset_digest(dataset), "the data set"));
  TRM_TRY_OUT(trm_comm_agree(
      comm, trm_watch_start(comm, trm_config_real(restored.config, "comm.deadline_s"))));
  TRM_TRY_OUT(trm_evaluator_create(comm, dataset, &restored.learner,
                                   trm_config_int(restored.config, "model.context"), GROUP,
                                   &evaluator));
  bool stopped;
  TRM_TRY_OUT(trm_evaluator_run(evaluator, TRM_SPLIT_VALID, NULL, NULL, &result->loss,
                                &result->tokens, &stopped));
  result->step = restored.info.step;
out:
  trm_watch_stop(comm);
  trm_evaluator_destroy(&evaluator);
  trm_dataset_close(&dataset);
  trm_restored_free(&restored);
  return status;
}
