#include <stdio.h>

#include "evaluate.h"
#include "restore.h"
#include "rundir.h"
#include "trireme/train/train.h"

enum { GROUP = 8 }; /* windows a pass */

static trm_status check_data(const trm_restored *restored, const trm_dataset *dataset,
                             const char *path) {
  const int64_t vocab = trm_dataset_vocab(dataset);
  if (vocab == restored->info.vocab) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s has a vocabulary of %lld, %s was trained on %lld; prepare the "
                  "text with the vocabulary of the training data",
                  trm_dataset_path(dataset), (long long)vocab, path,
                  (long long)restored->info.vocab);
}

trm_status trm_evaluate_run(trm_comm *comm, const trm_evaluate_options *options,
                            trm_evaluation *result) {
  char path[TRM_PATH_BYTES] = "";
  trm_restored restored = {0};
  trm_dataset *dataset = NULL;
  trm_evaluator *evaluator = NULL;
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) {
    status = trm_checkpoint_resolve(options->run, options->best, path, sizeof path, NULL);
  }
  TRM_TRY(trm_comm_agree(comm, status));
  TRM_TRY(trm_comm_broadcast(comm, path, sizeof path, 0));
  TRM_TRY(trm_restore(comm, path, GROUP, &restored));
  const char *data =
      options->data ? options->data : trm_config_string(restored.config, "data.path");
  status = trm_dataset_open(data, &dataset);
  if (status == TRM_OK) status = check_data(&restored, dataset, path);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_check_equal(comm, trm_dataset_digest(dataset), "the data set"));
  TRM_TRY_OUT(trm_evaluator_create(comm, dataset, &restored.learner,
                                   trm_config_int(restored.config, "model.context"), GROUP,
                                   &evaluator));
  bool stopped;
  TRM_TRY_OUT(trm_evaluator_run(evaluator, TRM_SPLIT_VALID, NULL, NULL, &result->loss,
                                &result->tokens, &stopped));
  result->step = restored.info.step;
out:
  trm_evaluator_destroy(&evaluator);
  trm_dataset_close(&dataset);
  trm_restored_free(&restored);
  return status;
}
