/* The snapshot: a copy of facts and regions (invariant 5), in blocks kept from save to save. */
#include <string.h>

#include "ckpt_internal.h"
#include "trireme/core/memory.h"

enum { SMALL_ALIGN_BYTES = 8 };

int64_t trm_region_elements(const trm_region *region) {
  int64_t n = 1;
  if (region->n_dims < 0 || region->n_dims > TRM_MAX_DIMS) return -1;
  for (int i = 0; i < region->n_dims; ++i) {
    if (!trm_size_mul(n, region->dims[i], &n)) return -1;
  }
  return n;
}

static int64_t round_up(int64_t bytes, int64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

/* Makes *block at least `bytes` long; what it held is lost. */
static trm_status grow(unsigned char **block, int64_t *capacity, int64_t bytes, const char *what) {
  if (*block && *capacity >= bytes) return TRM_OK;
  TRM_FREE(*block);
  *capacity = 0;
  TRM_TRY(TRM_ALLOC(block, bytes, what));
  *capacity = bytes;
  return TRM_OK;
}

/* Copies bytes to *at and moves it on; with *at NULL nothing is copied and only *used grows. */
static void *pack(unsigned char *base, int64_t *used, const void *from, int64_t bytes) {
  unsigned char *at = base ? base + *used : NULL;
  if (at && bytes > 0) memcpy(at, from, (size_t)bytes);
  *used += round_up(bytes, SMALL_ALIGN_BYTES);
  return at;
}

static char *pack_text(unsigned char *base, int64_t *used, const char *text) {
  return pack(base, used, text ? text : "", text ? (int64_t)strlen(text) + 1 : 1);
}

/* Lays out texts and names behind `base`, or measures them when it is NULL. */
static int64_t pack_small(trm_ckpt_snapshot *s, unsigned char *base, const trm_ckpt_info *info,
                          const trm_region *regions, int n_regions) {
  int64_t used = 0;
  trm_ckpt_info copy = *info;
  copy.facts = s->info.facts; /* its own block: trm_ckpt_snapshot_take */
  copy.config_text = pack_text(base, &used, info->config_text);
  copy.program_version = pack_text(base, &used, info->program_version);
  copy.fingerprint = pack_text(base, &used, info->fingerprint);
  for (int i = 0; i < n_regions; ++i) {
    char *name = pack_text(base, &used, regions[i].name);
    if (base) s->regions[i].name = name;
  }
  if (base) s->info = copy;
  return used;
}

/* Bytes of all regions, each from an aligned place; -1 when a shape is impossible. */
static int64_t large_bytes(const trm_region *regions, int n_regions) {
  int64_t total = 0;
  for (int i = 0; i < n_regions; ++i) {
    int64_t bytes = 0;
    const int64_t n = trm_region_elements(&regions[i]);
    if (n < 0 || !trm_size_mul(n, (int64_t)sizeof(float), &bytes)) return -1;
    if (__builtin_add_overflow(total, round_up(bytes, TRM_ALIGN_BYTES), &total)) return -1;
  }
  return total;
}

trm_status trm_ckpt_snapshot_take(trm_ckpt_snapshot *s, const trm_ckpt_info *info,
                                  const trm_region *regions, int n_regions) {
  const int64_t small = pack_small(s, NULL, info, regions, n_regions);
  const int64_t large = large_bytes(regions, n_regions);
  if (large < 0) return trm_fail(TRM_ERR_ARG, "a region to be saved has an impossible shape");
  TRM_TRY(grow(&s->small, &s->small_capacity, small, "the texts of a checkpoint"));
  TRM_TRY(grow(&s->large, &s->large_capacity, large, "the copy of the weights for a checkpoint"));
  TRM_TRY(trm_facts_copy(&s->info.facts, &info->facts));
  if (n_regions > s->regions_capacity) {
    TRM_FREE(s->regions);
    s->regions_capacity = 0;
    TRM_TRY(TRM_ALLOC(&s->regions, n_regions, "the table of a checkpoint"));
    s->regions_capacity = n_regions;
  }
  int64_t used = 0;
  for (int i = 0; i < n_regions; ++i) {
    const int64_t bytes = trm_region_elements(&regions[i]) * (int64_t)sizeof(float);
    s->regions[i] = regions[i];
    s->regions[i].data = (float *)(s->large + used);
    if (bytes > 0) memcpy(s->regions[i].data, regions[i].data, (size_t)bytes);
    used += round_up(bytes, TRM_ALIGN_BYTES);
  }
  s->n_regions = n_regions;
  const int64_t packed = pack_small(s, s->small, info, regions, n_regions);
  TRM_ASSERT(packed == small && used == large);
  return TRM_OK;
}

void trm_ckpt_snapshot_release(trm_ckpt_snapshot *s) {
  trm_facts_free(&s->info.facts);
  TRM_FREE(s->regions);
  TRM_FREE(s->small);
  TRM_FREE(s->large);
}
