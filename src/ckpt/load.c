/* Loading on all ranks: rank 0 reads, the others receive. */
#include <string.h>

#include "ckpt_internal.h"
#include "trireme/core/memory.h"

/* What of the facts has a fixed length, and the lengths of the rest. -1: the pointer is NULL. */
typedef struct fixed_facts {
  int64_t step, best_step, eval_step, vocab;
  uint64_t seed, data_digest, weights_hash, samples_hash;
  double best_loss;
  int64_t config_bytes, version_bytes, fingerprint_bytes, offsets_bytes, vocab_bytes;
  char vocab_unit[16];
} fixed_facts;

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

static fixed_facts describe(const trm_ckpt_info *info) {
  fixed_facts f = {.step = info->step,
                   .best_step = info->best_step,
                   .eval_step = info->eval_step,
                   .vocab = info->vocab,
                   .seed = info->seed,
                   .data_digest = info->data_digest,
                   .weights_hash = info->weights_hash,
                   .samples_hash = info->samples_hash,
                   .best_loss = info->best_loss,
                   .config_bytes = text_bytes(info->config_text),
                   .version_bytes = text_bytes(info->program_version),
                   .fingerprint_bytes = text_bytes(info->fingerprint),
                   .offsets_bytes = -1,
                   .vocab_bytes = -1};
  if (info->vocab_offsets) {
    f.offsets_bytes = (info->vocab + 1) * (int64_t)sizeof *info->vocab_offsets;
    f.vocab_bytes = info->vocab_offsets[info->vocab];
  }
  memcpy(f.vocab_unit, info->vocab_unit, sizeof f.vocab_unit);
  return f;
}

static trm_status allocate(void *pointer, int64_t bytes) {
  if (bytes < 0) return TRM_OK;
  return trm_alloc_bytes(pointer, bytes + 1, 1, "the facts of a checkpoint");
}

static trm_status prepare(const fixed_facts *f, trm_ckpt_info *info) {
  *info = (trm_ckpt_info){.step = f->step,
                          .seed = f->seed,
                          .data_digest = f->data_digest,
                          .weights_hash = f->weights_hash,
                          .samples_hash = f->samples_hash,
                          .best_loss = f->best_loss,
                          .best_step = f->best_step,
                          .eval_step = f->eval_step,
                          .vocab = f->vocab};
  memcpy(info->vocab_unit, f->vocab_unit, sizeof info->vocab_unit);
  TRM_TRY(allocate(&info->config_text, f->config_bytes));
  TRM_TRY(allocate(&info->program_version, f->version_bytes));
  TRM_TRY(allocate(&info->fingerprint, f->fingerprint_bytes));
  TRM_TRY(allocate(&info->vocab_offsets, f->offsets_bytes));
  return allocate(&info->vocab_bytes, f->vocab_bytes);
}

/* Collective. */
static trm_status broadcast_block(trm_comm *comm, void *data, int64_t bytes) {
  return bytes > 0 ? trm_comm_broadcast(comm, data, bytes, 0) : TRM_OK;
}

static trm_status broadcast_facts(trm_comm *comm, trm_ckpt_info *info) {
  fixed_facts f = {0};
  trm_status status = TRM_OK;
  if (trm_comm_rank(comm) == 0) f = describe(info);
  TRM_TRY(trm_comm_broadcast(comm, &f, (int64_t)sizeof f, 0));
  if (trm_comm_rank(comm) != 0) status = prepare(&f, info);
  TRM_TRY(trm_comm_agree(comm, status));
  TRM_TRY(broadcast_block(comm, info->config_text, f.config_bytes));
  TRM_TRY(broadcast_block(comm, info->program_version, f.version_bytes));
  TRM_TRY(broadcast_block(comm, info->fingerprint, f.fingerprint_bytes));
  TRM_TRY(broadcast_block(comm, info->vocab_offsets, f.offsets_bytes));
  return broadcast_block(comm, info->vocab_bytes, f.vocab_bytes);
}

static trm_status broadcast_all(trm_comm *comm, trm_ckpt_info *info, const trm_region *regions,
                                int n_regions) {
  TRM_TRY(broadcast_facts(comm, info));
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
