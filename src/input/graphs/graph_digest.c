/** The content hash of a data set of graphs. */
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

/* The digest chains over pieces of TRM_PIECE_TOKENS elements, as that of a text does. An array that
 * stayed in the file passes through a buffer, and is checked on the way. */
static trm_status digest_array(const trm_graph_file *f, int slot, uint64_t *h) {
  const trm_graph_slot *s = &f->slots[slot];
  *h = trm_hash64(&s->n, sizeof s->n, *h);
  if (s->n <= 0) return TRM_OK;
  const size_t bytes = trm_dtype_bytes(s->dtype);
  const unsigned char *data = trm_graph_data(f, slot);
  const int64_t most = s->n < TRM_PIECE_TOKENS ? s->n : TRM_PIECE_TOKENS;
  float *buffer = NULL;
  trm_status status = TRM_OK;
  if (!data) TRM_TRY(TRM_ALLOC(&buffer, most, "piece of an array"));
  for (int64_t first = 0; first < s->n; first += most) {
    const int64_t n = s->n - first < most ? s->n - first : most;
    if (!data) {
      TRM_TRY_OUT(trm_array_read_range(f->file, s->name, s->dtype, first, n, buffer));
      const int64_t bad = trm_first_not_finite(buffer, n);
      if (bad >= 0) TRM_TRY_OUT(trm_graph_bad_dense(f, first + bad, buffer[bad]));
    }
    *h = trm_hash64(data ? data + (size_t)first * bytes : (const unsigned char *)buffer,
                    (size_t)n * bytes, *h);
  }
out:
  TRM_FREE(buffer);
  return status;
}

trm_status trm_graph_digest(const trm_graph_file *f, trm_graph_facts *facts) {
  const trm_graph *g = f->graph;
  const char *kind = f->kind->data_kind->name;
  const int64_t scalars[] = {g->symmetric, g->n_features, facts->n_classes, facts->n_items};
  uint64_t h = trm_hash64(kind, strlen(kind), 0);
  h = trm_hash64(scalars, sizeof scalars, h);
  for (int i = 0; i < f->n_slots; ++i) TRM_TRY(digest_array(f, i, &h));
  facts->digest = h;
  return TRM_OK;
}
