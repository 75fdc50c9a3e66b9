/* Rows of other ranks that are asked for again and again.
 *
 *     fetches 0 .. 31    count the questions for each node of others
 *     then, once         the nodes asked most often get a slot each, of equals the lower ids
 *     from there on      a row with a slot is kept when it comes, and not asked for again
 *
 * Counts are small, so a histogram of them finds where to cut: two passes over the nodes, no sort. */
#include "fetch_internal.h"

#include <string.h>

#include "trireme/core/memory.h"

trm_status trm_fetch_cache_create(trm_fetch_cache *cache, const trm_fetch_options *options,
                                  int64_t n_others) {
  const int64_t room = options->cache_bytes / options->row_bytes;
  *cache = (trm_fetch_cache){.row_bytes = options->row_bytes,
                             .n_nodes = options->n_nodes,
                             .n_slots = room < n_others ? room : n_others};
  if (cache->n_slots == 0) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&cache->marks, cache->n_nodes, "cache of rows"));
  TRM_TRY(TRM_ALLOC(&cache->filled, cache->n_slots, "cache of rows"));
  return trm_alloc_bytes((void **)&cache->rows, cache->n_slots, (size_t)cache->row_bytes,
                         "cache of rows");
}

void trm_fetch_cache_release(trm_fetch_cache *cache) {
  TRM_FREE(cache->marks);
  TRM_FREE(cache->filled);
  TRM_FREE(cache->rows);
}

static bool learning(const trm_fetch_cache *cache) {
  return cache->n_learned < TRM_FETCH_LEARN;
}

/* Slot of a node, -1 for none. */
static int64_t slot_of(const trm_fetch_cache *cache, int32_t node) {
  return cache->n_slots == 0 || learning(cache) ? -1 : cache->marks[node];
}

const unsigned char *trm_fetch_cache_row(const trm_fetch_cache *cache, int32_t node) {
  const int64_t slot = slot_of(cache, node);
  return slot >= 0 && cache->filled[slot] ? cache->rows + slot * cache->row_bytes : NULL;
}

void trm_fetch_cache_put(trm_fetch_cache *cache, int32_t node, const unsigned char *row) {
  const int64_t slot = slot_of(cache, node);
  if (slot < 0 || cache->filled[slot]) return;
  memcpy(cache->rows + slot * cache->row_bytes, row, (size_t)cache->row_bytes);
  cache->filled[slot] = true;
}

void trm_fetch_cache_asked(trm_fetch_cache *cache, int32_t node) {
  if (cache->n_slots == 0 || !learning(cache)) return;
  if (cache->marks[node] < TRM_FETCH_LEARN) ++cache->marks[node];
}

/* Counts become slots. */
static void choose(trm_fetch_cache *cache) {
  int64_t n_with[TRM_FETCH_LEARN + 1] = {0}, left = cache->n_slots;
  int32_t cut = TRM_FETCH_LEARN, slot = 0;
  for (int64_t i = 0; i < cache->n_nodes; ++i) ++n_with[cache->marks[i]];
  for (; cut > 0 && n_with[cut] <= left; --cut) left -= n_with[cut];
  for (int64_t i = 0; i < cache->n_nodes; ++i) {
    const int32_t count = cache->marks[i];
    const bool last = cut > 0 && count == cut && left > 0;
    cache->marks[i] = count > cut || last ? slot++ : -1;
    if (last) --left;
  }
}

void trm_fetch_cache_next(trm_fetch_cache *cache) {
  if (cache->n_slots == 0 || !learning(cache)) return;
  if (++cache->n_learned == TRM_FETCH_LEARN) choose(cache);
}
