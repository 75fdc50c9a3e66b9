/**
 * A field as it was on a day: edges that are older, and the degrees that nodes had. Rows of a field
 * without seeds have the edges of the whole graph's rows in their order, so an edge's day is found by
 * its place in the row.
 */
#include <string.h>

#include "edge_drop_internal.h"
#include "field_internal.h"
#include "trireme/core/memory.h"

enum { OFFSETS_IN, COLUMNS_IN, OFFSETS_OUT, COLUMNS_OUT, DEGREES_IN, DEGREES_OUT, COUNTS };

static trm_status create(const trm_field *field, trm_field **out) {
  const trm_hop *hop = &field->hops[0];
  const char *what = "edges of a day";
  int64_t *offsets;
  int32_t *columns;
  float *degrees;
  trm_status status = TRM_OK;
  TRM_TRY(trm_field_new(((const trm_field_owned *)field->owned)->graph, out));
  ((trm_field_owned *)(*out)->owned)->whole = field;
  TRM_TRY_OUT(TRM_FIELD_TAKE(*out, &offsets, hop->in.n_rows + 1, what));
  TRM_TRY_OUT(TRM_FIELD_TAKE(*out, &columns, hop->in.n_edges, what));
  TRM_TRY_OUT(TRM_FIELD_TAKE(*out, &offsets, hop->out.n_rows + 1, what));
  TRM_TRY_OUT(TRM_FIELD_TAKE(*out, &columns, hop->out.n_edges, what));
  TRM_TRY_OUT(TRM_FIELD_TAKE(*out, &degrees, hop->in.n_columns, what));
  TRM_TRY_OUT(TRM_FIELD_TAKE(*out, &degrees, hop->out.n_columns, what));
  TRM_TRY_OUT(TRM_FIELD_TAKE(*out, &degrees, hop->out.n_columns, what));
  return TRM_OK;
out:
  trm_field_destroy(out);
  return status;
}

/* What is asked of an edge. */
typedef struct choice {
  const trm_graph *graph;
  const int32_t *days; /* [edges of the graph] */
  int64_t day;
  trm_edge_drop drop;
} choice;

/* Rows by target when by_target, else by source. */
static void take(const choice *c, const trm_csr *from, const int32_t *row_ids,
                 const int32_t *column_ids, bool by_target, int64_t *offsets, int32_t *columns,
                 trm_csr *out) {
  int64_t n = 0;
  for (int64_t i = 0; i < from->n_rows; ++i) {
    const int32_t row = row_ids[i];
    const int32_t *days = c->days + c->graph->in.offsets[row];
    offsets[i] = n;
    for (int64_t e = from->offsets[i]; e < from->offsets[i + 1]; ++e) {
      const int32_t column = column_ids[from->columns[e]];
      if (days[e - from->offsets[i]] >= c->day) continue;
      if (trm_edge_dropped(&c->drop, by_target ? row : column, by_target ? column : row)) continue;
      columns[n++] = from->columns[e];
    }
  }
  offsets[from->n_rows] = n;
  *out = (trm_csr){.n_rows = from->n_rows,
                   .n_columns = from->n_columns,
                   .n_edges = n,
                   .offsets = offsets,
                   .columns = columns};
}

/* Degrees of nodes ids[n] on that day, of what is left out besides (dropped) or not. */
static void count(const choice *c, const int32_t *ids, int64_t n, bool dropped, float *counts) {
  const trm_csr *in = &c->graph->in;
  for (int64_t t = 0; t < n; ++t) {
    int64_t sum = 0;
    for (int64_t e = in->offsets[ids[t]]; e < in->offsets[ids[t] + 1]; ++e) {
      if (c->days[e] >= c->day) continue;
      sum += !dropped || !trm_edge_dropped(&c->drop, ids[t], in->columns[e]);
    }
    counts[t] = (float)sum;
  }
}

trm_status trm_field_before(const trm_field *field, const int32_t *days, int64_t day, double p,
                            uint64_t seed, int64_t step, trm_field **past) {
  TRM_ASSERT(field->same_hops && field->n_hops > 0);
  if (!*past) TRM_TRY(create(field, past));
  trm_field *to = *past;
  trm_field_owned *owned = to->owned;
  const trm_hop *whole = &field->hops[0];
  const choice c = {owned->graph, days, day, trm_edge_drop_at(seed, step, p)};
  void **blocks = owned->blocks;
  TRM_ASSERT(owned->whole == field && !whole->in.values && owned->graph->symmetric);
  *to = *field;
  to->owned = owned;
  trm_hop *hop = &to->hops[0];
  /* Rows of `in` are the first of the columns of `out`, and the other way round. */
  take(&c, &whole->in, whole->target_ids, whole->source_ids, true, blocks[OFFSETS_IN],
       blocks[COLUMNS_IN], &hop->in);
  take(&c, &whole->out, whole->source_ids, whole->target_ids, false, blocks[OFFSETS_OUT],
       blocks[COLUMNS_OUT], &hop->out);
  count(&c, whole->source_ids, whole->in.n_columns, false, blocks[DEGREES_IN]);
  count(&c, whole->target_ids, whole->out.n_columns, false, blocks[DEGREES_OUT]);
  hop->source_degrees = blocks[DEGREES_IN];
  hop->target_degrees = blocks[DEGREES_OUT];
  if (p > 0) {
    count(&c, whole->target_ids, whole->out.n_columns, true, blocks[COUNTS]);
    hop->target_counts = blocks[COUNTS];
  }
  for (int h = 1; h < field->n_hops; ++h) to->hops[h] = to->hops[0];
  return TRM_OK;
}
