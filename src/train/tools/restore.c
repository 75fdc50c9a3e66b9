#include "restore.h"

#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/train/keys.h"

/* Rank 0's configuration text and vocabulary size, on every rank. */
static trm_status share_info(trm_comm *comm, const char *path, char **text, int64_t *vocab) {
  struct {
    int64_t vocab, bytes;
  } sizes = {0, 0};
  trm_ckpt_info info = {0};
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) {
    status = trm_ckpt_read_info(path, &info);
    if (status == TRM_OK) {
      sizes.vocab = info.vocab;
      sizes.bytes = (int64_t)strlen(info.config_text) + 1;
    }
  }
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) status = trm_comm_broadcast(comm, &sizes, sizeof sizes, 0);
  if (status == TRM_OK) {
    status = trm_comm_agree(comm, trm_alloc_bytes((void **)text, sizes.bytes, 1, "configuration"));
  }
  if (status == TRM_OK) {
    if (info.config_text) memcpy(*text, info.config_text, (size_t)sizes.bytes);
    status = trm_comm_broadcast(comm, *text, sizes.bytes, 0);
  }
  *vocab = sizes.vocab;
  trm_ckpt_info_free(&info);
  return status;
}

static trm_status read_config(const char *path, const char *text, trm_config **config) {
  TRM_TRY(trm_program_config(config));
  return trm_config_read_text(*config, text, path);
}

trm_status trm_restore_config(trm_comm *comm, const char *path, trm_config **config) {
  char *text = NULL;
  int64_t vocab;
  trm_status status = share_info(comm, path, &text, &vocab);
  if (status == TRM_OK) status = trm_comm_agree(comm, read_config(path, text, config));
  TRM_FREE(text);
  if (status != TRM_OK) trm_config_destroy(config);
  return status;
}

trm_status trm_restore_begin(trm_comm *comm, const char *path, trm_restored *restored,
                             int64_t *vocab) {
  char *text = NULL;
  *restored = (trm_restored){0};
  trm_status status = share_info(comm, path, &text, vocab);
  if (status == TRM_OK) {
    status = read_config(path, text, &restored->config);
    if (status == TRM_OK) {
      status = trm_gemm_select(trm_config_string(restored->config, "math.gemm"));
    }
    status = trm_comm_agree(comm, status);
  }
  TRM_FREE(text);
  if (status != TRM_OK) trm_restored_free(restored);
  return status;
}

trm_status trm_restore_weights(trm_comm *comm, const char *path, const trm_model_dims *dims,
                               trm_restored *restored) {
  trm_regions regions = {0};
  trm_status status = trm_learner_create(restored->config, dims, false, 0, 1, &restored->learner);
  if (status == TRM_OK) status = trm_learner_regions(&restored->learner, &regions);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_ckpt_load_all(comm, path, &restored->info, regions.rows, regions.n));
out:
  trm_regions_free(&regions);
  return status;
}

void trm_restored_free(trm_restored *restored) {
  trm_learner_destroy(&restored->learner);
  trm_ckpt_info_free(&restored->info);
  trm_config_destroy(&restored->config);
}
