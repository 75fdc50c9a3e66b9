/**
 * DropEdge on a field: both directions leave out the same edges, on every process.
 * Source: Rong et al. 2020, arXiv:1907.10903, section 3.1.
 */
#include <string.h>

#include "edge_drop_internal.h"
#include "field_internal.h"
#include "trireme/core/memory.h"

/* Where the edges of one direction go. */
typedef struct room {
  int64_t *offsets;
  int32_t *columns;
  float *values; /* as large as the columns, used if the graph has weights */
} room;

enum { ROOM_BLOCKS = 3, BLOCKS_A_HOP = 2 * ROOM_BLOCKS + 1 };

static int n_hops_stored(const trm_field *field) {
  return field->same_hops && field->n_hops > 0 ? 1 : field->n_hops;
}

static trm_status take_room(trm_field *thinned, const trm_csr *csr) {
  room r;
  TRM_TRY(TRM_FIELD_TAKE(thinned, &r.offsets, csr->n_rows + 1, "edges of a thinned field"));
  TRM_TRY(TRM_FIELD_TAKE(thinned, &r.columns, csr->n_edges, "edges of a thinned field"));
  return TRM_FIELD_TAKE(thinned, &r.values, csr->values ? csr->n_edges : 0,
                        "edges of a thinned field");
}

static trm_status create(const trm_field *field, trm_field **out) {
  float *counts;
  trm_status status = TRM_OK;
  TRM_TRY(trm_field_new(((const trm_field_owned *)field->owned)->graph, out));
  ((trm_field_owned *)(*out)->owned)->whole = field;
  for (int h = 0; h < n_hops_stored(field); ++h) {
    const trm_hop *hop = &field->hops[h];
    TRM_TRY_OUT(take_room(*out, &hop->in));
    TRM_TRY_OUT(take_room(*out, &hop->out));
    TRM_TRY_OUT(TRM_FIELD_TAKE(*out, &counts, hop->out.n_columns, "edges of a thinned field"));
  }
  return TRM_OK;
out:
  trm_field_destroy(out);
  return status;
}

static room room_at(void **blocks) {
  return (room){.offsets = blocks[0], .columns = blocks[1], .values = blocks[2]};
}

/* Rows by target when by_target, else by source. */
static void thin(const trm_csr *from, const int32_t *row_ids, const int32_t *column_ids,
                 bool by_target, const trm_edge_drop *drop, room to, trm_csr *out) {
  int64_t n = 0;
  for (int64_t i = 0; i < from->n_rows; ++i) {
    to.offsets[i] = n;
    for (int64_t e = from->offsets[i]; e < from->offsets[i + 1]; ++e) {
      const int32_t row = row_ids[i], column = column_ids[from->columns[e]];
      if (trm_edge_dropped(drop, by_target ? row : column, by_target ? column : row)) continue;
      to.columns[n] = from->columns[e];
      if (from->values) to.values[n] = from->values[from->map ? from->map[e] : e];
      ++n;
    }
  }
  to.offsets[from->n_rows] = n;
  *out = (trm_csr){.n_rows = from->n_rows,
                   .n_columns = from->n_columns,
                   .n_edges = n,
                   .offsets = to.offsets,
                   .columns = to.columns,
                   .values = from->values ? to.values : NULL};
}

void trm_edge_drop_counts(const trm_edge_drop *drop, const trm_csr *in, const int32_t *ids,
                          int64_t n, float *counts) {
  for (int64_t t = 0; t < n; ++t) {
    double sum = 0;
    for (int64_t e = in->offsets[ids[t]]; e < in->offsets[ids[t] + 1]; ++e) {
      if (trm_edge_dropped(drop, ids[t], in->columns[e])) continue;
      sum += in->values ? (double)in->values[in->map ? in->map[e] : e] : 1;
    }
    counts[t] = (float)sum;
  }
}

trm_status trm_field_drop_edges(const trm_field *field, double p, uint64_t seed, int64_t step,
                                trm_field **thinned) {
  if (!*thinned) TRM_TRY(create(field, thinned));
  trm_field *to = *thinned;
  trm_field_owned *owned = to->owned;
  TRM_ASSERT(owned->whole == field);
  const trm_edge_drop drop = trm_edge_drop_at(seed, step, p);
  *to = *field;
  to->owned = owned;
  for (int h = 0; h < field->n_hops; ++h) {
    trm_hop *hop = &to->hops[h];
    if (h > 0 && field->same_hops) {
      hop->in = to->hops[0].in;
      hop->out = to->hops[0].out;
      hop->target_counts = to->hops[0].target_counts;
      continue;
    }
    void **blocks = owned->blocks + h * BLOCKS_A_HOP;
    const trm_hop *whole = &field->hops[h];
    /* Rows of `in` are the first of the columns of `out`, and the other way round. */
    thin(&whole->in, whole->target_ids, whole->source_ids, true, &drop, room_at(blocks), &hop->in);
    thin(&whole->out, whole->source_ids, whole->target_ids, false, &drop,
         room_at(blocks + ROOM_BLOCKS), &hop->out);
    float *counts = blocks[(size_t)2 * ROOM_BLOCKS];
    /* Of targets of other processes too, from the whole graph. */
    trm_edge_drop_counts(&drop, &owned->graph->in, whole->target_ids, whole->out.n_columns, counts);
    hop->target_counts = counts;
  }
  return TRM_OK;
}
