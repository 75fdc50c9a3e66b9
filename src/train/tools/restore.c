#include "restore.h"

#include <stdio.h>

#include "average.h"
#include "tasks_internal.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/train/keys.h"

/* Files from before there were facts name it as the unit of outputs, unless it is text. */
const char *trm_restored_data(const trm_restored *restored) {
  const trm_facts *facts = &restored->info.facts;
  const char *data = trm_facts_text(facts, "data"), *unit = trm_facts_text(facts, "vocab_unit");
  const trm_task_kind *old = !data && unit ? trm_task_find(unit) : NULL;
  return data ? data : old ? old->brings.name : trm_model_data(restored->config)[0];
}

static trm_status read_config(trm_restored *restored, const char *path) {
  TRM_TRY(trm_program_config(&restored->config));
  TRM_TRY(trm_config_read_text(restored->config, restored->info.config_text, path));
  trm_config_tell(restored->config, "data", trm_restored_data(restored));
  trm_config_drop_idle(restored->config); /* older files list every key */
  return trm_gemm_configure(restored->config);
}

/* Says so where the average was not looked at since it last changed. */
static void choose_weights(const trm_restored *restored, const char *path, bool *average) {
  bool stale;
  trm_log log;
  *average = *average && trm_average_in(&restored->info.facts, &stale);
  if (!*average || !stale) return;
  trm_log_init(&log, trm_comm_rank(restored->comm) == 0 ? stderr : NULL);
  trm_average_warn_stale(&log, path);
}

trm_status trm_restore_begin(trm_comm *comm, const char *path, bool raw, trm_restored *restored) {
  *restored = (trm_restored){.comm = comm, .average = !raw};
  TRM_TRY(trm_ckpt_load_all(comm, path, &restored->info, NULL, 0));
  const trm_status status = trm_comm_agree(comm, read_config(restored, path));
  if (status != TRM_OK) {
    trm_restored_free(restored);
    return status;
  }
  choose_weights(restored, path, &restored->average);
  return TRM_OK;
}

trm_status trm_restore_weights(const char *path, const trm_model_dims *dims,
                               trm_restored *restored) {
  trm_ckpt_info again = {0};
  trm_regions regions = {0};
  trm_status status = trm_learner_create(restored->config, dims, false, 0, 1, &restored->learner);
  if (status == TRM_OK) {
    status = trm_learner_weights_regions(&restored->learner, restored->average, &regions);
  }
  TRM_TRY_OUT(trm_comm_agree(restored->comm, status));
  TRM_TRY_OUT(trm_ckpt_load_all(restored->comm, path, &again, regions.rows, regions.n));
out:
  trm_ckpt_info_free(&again);
  trm_regions_free(&regions);
  return status;
}

void trm_restored_free(trm_restored *restored) {
  trm_learner_destroy(&restored->learner);
  trm_ckpt_info_free(&restored->info);
  trm_config_destroy(&restored->config);
}
