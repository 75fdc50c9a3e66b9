/* Loading on all ranks: rank 0 reads, the others receive. */
#include <string.h>

#include "ckpt_internal.h"
#include "trireme/core/memory.h"

/* What has a fixed length, and the lengths of the rest. -1: the pointer is NULL. */
typedef struct fixed {
  int64_t step, best_step, eval_step;
  uint64_t seed, data_digest, weights_hash, samples_hash;
  double best_value;
  int64_t config_bytes, version_bytes, fingerprint_bytes, facts_bytes;
} fixed;

/* Rank 0's part, with no collective in it. */
static trm_status read_here(const char *path, trm_ckpt_info *info, const trm_region *regions,
                            int n_regions) {
  trm_container *file = NULL;
  TRM_TRY(trm_ckpt_open(path, &file));
  trm_status status = trm_ckpt_info_read(file, info);
  if (status == TRM_OK) status = trm_ckpt_regions_read(file, regions, n_regions);
  const trm_status closed = trm_container_close(&file);
  if (status == TRM_OK) status = closed;
  if (status != TRM_OK) trm_ckpt_info_free(info);
  return status;
}

static int64_t text_bytes(const char *text) {
  return text ? (int64_t)strlen(text) + 1 : -1;
}

static fixed describe(const trm_ckpt_info *info) {
  fixed f = {.step = info->step,
             .best_step = info->best_step,
             .eval_step = info->eval_step,
             .seed = info->seed,
             .data_digest = info->data_digest,
             .weights_hash = info->weights_hash,
             .samples_hash = info->samples_hash,
             .best_value = info->best_value,
             .config_bytes = text_bytes(info->config_text),
             .version_bytes = text_bytes(info->program_version),
             .fingerprint_bytes = text_bytes(info->fingerprint),
             .facts_bytes = info->facts.used_bytes};
  return f;
}

static trm_status allocate(void *pointer, int64_t bytes) {
  if (bytes < 0) return TRM_OK;
  return trm_alloc_bytes(pointer, bytes + 1, 1, "the facts of a checkpoint");
}

static trm_status make_room(const fixed *f, trm_ckpt_info *info) {
  *info = (trm_ckpt_info){.step = f->step,
                          .seed = f->seed,
                          .data_digest = f->data_digest,
                          .weights_hash = f->weights_hash,
                          .samples_hash = f->samples_hash,
                          .best_value = f->best_value,
                          .best_step = f->best_step,
                          .eval_step = f->eval_step};
  TRM_TRY(allocate(&info->config_text, f->config_bytes));
  TRM_TRY(allocate(&info->program_version, f->version_bytes));
  TRM_TRY(allocate(&info->fingerprint, f->fingerprint_bytes));
  TRM_TRY(allocate(&info->facts.block, f->facts_bytes));
  info->facts.used_bytes = info->facts.capacity_bytes = f->facts_bytes;
  return TRM_OK;
}

/* Collective. */
static trm_status broadcast_block(trm_comm *comm, void *data, int64_t bytes) {
  return bytes > 0 ? trm_comm_broadcast(comm, data, bytes, 0) : TRM_OK;
}

static trm_status broadcast_info(trm_comm *comm, trm_ckpt_info *info) {
  fixed f = {0};
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) f = describe(info);
  TRM_TRY(trm_comm_broadcast(comm, &f, (int64_t)sizeof f, 0));
  if (trm_comm_rank(comm) != 0) status = make_room(&f, info);
  TRM_TRY(trm_comm_agree(comm, status));
  TRM_TRY(broadcast_block(comm, info->config_text, f.config_bytes));
  TRM_TRY(broadcast_block(comm, info->program_version, f.version_bytes));
  TRM_TRY(broadcast_block(comm, info->fingerprint, f.fingerprint_bytes));
  return broadcast_block(comm, info->facts.block, f.facts_bytes);
}

static trm_status broadcast_all(trm_comm *comm, trm_ckpt_info *info, const trm_region *regions,
                                int n_regions) {
  TRM_TRY(broadcast_info(comm, info));
  for (int i = 0; i < n_regions; ++i) {
    const int64_t bytes = trm_region_elements(&regions[i]) * (int64_t)sizeof(float);
    TRM_TRY(broadcast_block(comm, regions[i].data, bytes));
  }
  return TRM_OK;
}

trm_status trm_ckpt_load_all(trm_comm *comm, const char *path, trm_ckpt_info *info,
                             const trm_region *regions, int n_regions) {
  trm_ckpt_info found = {0};
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) status = read_here(path, &found, regions, n_regions);
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) status = broadcast_all(comm, &found, regions, n_regions);
  if (status != TRM_OK) {
    trm_ckpt_info_free(&found);
    return status;
  }
  *info = found;
  return TRM_OK;
}
