/**
 * Reading the arrays of a graph file and checking every element of them. One process does this for
 * all that share the memory; what it finds is what they are told.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "graph_internal.h"
#include "trireme/core/memory.h"

void *trm_graph_data(const trm_graph_file *f, int slot) {
  return f->slots[slot].at < 0 ? NULL : f->block + f->slots[slot].at;
}

int64_t trm_graph_elements(const trm_graph_file *f, int slot) {
  return f->slots[slot].n < 0 ? 0 : f->slots[slot].n;
}

trm_status trm_graph_slot_read(const trm_graph_file *f, int slot) {
  const trm_graph_slot *s = &f->slots[slot];
  if (s->at < 0) return TRM_OK;
  return trm_array_read(f->file, s->name, s->dtype, trm_graph_data(f, slot), s->n);
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* Offsets that start at 0, never fall, and end where the array of `values` ends. */
trm_status trm_graph_check_offsets(const trm_graph_file *f, int slot, int values) {
  const trm_graph_slot *s = &f->slots[slot];
  const int64_t *offsets = trm_graph_data(f, slot), end = f->slots[values].n;
  for (int64_t i = 0; i < s->n; ++i) {
    const int64_t last = i > 0 ? offsets[i - 1] : 0;
    if (offsets[i] >= last && offsets[i] <= end && (i > 0 || offsets[i] == 0)) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '%s' is %" PRId64 " at index %" PRId64 "; offsets start at 0, never fall "
                    "(%" PRId64 " before) and end at %" PRId64 ", the length of '%s'",
                    f->path, s->name, offsets[i], i, last, end, f->slots[values].name);
  }
  if (offsets[s->n - 1] == end) return TRM_OK;
  return trm_fail(TRM_ERR_DATA, "%s: '%s' ends at %" PRId64 ", but '%s' has %" PRId64 " elements",
                  f->path, s->name, offsets[s->n - 1], f->slots[values].name, end);
}

/* Ids in [low, high); the extremes first, which the compiler vectorises. */
trm_status trm_graph_check_ids(const trm_graph_file *f, int slot, int64_t low, int64_t high) {
  const trm_graph_slot *s = &f->slots[slot];
  const int32_t *ids = trm_graph_data(f, slot);
  int32_t least = INT32_MAX, most = INT32_MIN;
  for (int64_t i = 0; i < s->n; ++i) {
    least = ids[i] < least ? ids[i] : least;
    most = ids[i] > most ? ids[i] : most;
  }
  if (s->n == 0 || (least >= low && most < high)) return TRM_OK;
  int64_t bad = 0;
  while (ids[bad] >= low && ids[bad] < high) ++bad;
  return trm_fail(TRM_ERR_DATA,
                  "%s: '%s' is %d at index %" PRId64 ", out of [%" PRId64 ", %" PRId64 ")", f->path,
                  s->name, (int)ids[bad], bad, low, high);
}

/* Columns of compressed rows: in range, rising in a row, so each once. */
trm_status trm_graph_check_rows(const trm_graph_file *f, int offsets_slot, int columns_slot,
                                int64_t n_columns, const char *row_of) {
  TRM_TRY(trm_graph_check_offsets(f, offsets_slot, columns_slot));
  TRM_TRY(trm_graph_check_ids(f, columns_slot, 0, n_columns));
  const int64_t *offsets = trm_graph_data(f, offsets_slot);
  const int32_t *columns = trm_graph_data(f, columns_slot);
  for (int64_t r = 0; r + 1 < f->slots[offsets_slot].n; ++r) {
    for (int64_t e = offsets[r] + 1; e < offsets[r + 1]; ++e) {
      if (columns[e] > columns[e - 1]) continue;
      return trm_fail(TRM_ERR_DATA,
                      "%s: '%s' is %d at index %" PRId64 " after %d; the row of %s %" PRId64
                      " must be rising, each id once",
                      f->path, f->slots[columns_slot].name, (int)columns[e], e, (int)columns[e - 1],
                      row_of, r);
    }
  }
  return TRM_OK;
}

/* ---- numbers ---------------------------------------------------------------------------------- */

int64_t trm_first_not_finite(const float *x, int64_t n) {
  enum { PIECE = 4096 };
  for (int64_t first = 0; first < n; first += PIECE) {
    const int64_t end = n - first < PIECE ? n : first + PIECE;
    int bad = 0;
    for (int64_t i = first; i < end; ++i) bad |= !(fabsf(x[i]) <= 3.40282347e38f);
    for (int64_t i = first; bad && i < end; ++i) {
      if (!isfinite(x[i])) return i;
    }
  }
  return -1;
}

trm_status trm_graph_bad_dense(const trm_graph_file *f, int64_t index, float value) {
  const int64_t n = f->graph->n_features;
  return trm_fail(TRM_ERR_DATA,
                  "%s: '/nodes/features' is %f at node %" PRId64 ", feature %" PRId64
                  "; features must be finite numbers",
                  f->path, (double)value, index / n, index % n);
}

static trm_status check_finite(const trm_graph_file *f, int slot) {
  const float *x = trm_graph_data(f, slot);
  if (!x) return TRM_OK;
  const int64_t bad = trm_first_not_finite(x, f->slots[slot].n);
  if (bad < 0) return TRM_OK;
  if (slot == TRM_GA_DENSE) return trm_graph_bad_dense(f, bad, x[bad]);
  return trm_fail(TRM_ERR_DATA, "%s: '%s' is %f at index %" PRId64 "; it must be a finite number",
                  f->path, f->slots[slot].name, (double)x[bad], bad);
}

static trm_status check_weights(const trm_graph_file *f) {
  const float *weights = trm_graph_data(f, TRM_GA_EDGE_WEIGHTS);
  if (!weights) return TRM_OK;
  TRM_TRY(check_finite(f, TRM_GA_EDGE_WEIGHTS));
  for (int64_t e = 0; e < f->slots[TRM_GA_EDGE_WEIGHTS].n; ++e) {
    if (weights[e] >= 0) continue;
    return trm_fail(TRM_ERR_DATA,
                    "%s: '/edges/weights' is %g at index %" PRId64 "; weights must not be negative",
                    f->path, (double)weights[e], e);
  }
  return TRM_OK;
}

/* ---- edges ------------------------------------------------------------------------------------ */

static trm_status no_reverse(const trm_graph_file *f, int64_t source, int64_t target,
                             const char *what) {
  return trm_fail(TRM_ERR_DATA,
                  "%s: attribute 'symmetric' of '/edges' is 1, but the edge from node %" PRId64
                  " to %" PRId64 " has no reverse%s; set it to 0, or add the edge",
                  f->path, source, target, what);
}

trm_status trm_graph_check_symmetric(const trm_graph_file *f) {
  const int64_t *offsets = trm_graph_data(f, TRM_GA_EDGE_OFFSETS), n = f->graph->n_nodes;
  const int32_t *sources = trm_graph_data(f, TRM_GA_EDGE_SOURCES);
  const float *weights = trm_graph_data(f, TRM_GA_EDGE_WEIGHTS);
  int64_t *next = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&next, n, "check of a graph"));
  memcpy(next, offsets, (size_t)n * sizeof *next);
  for (int64_t r = 0; r < n && status == TRM_OK; ++r) {
    for (int64_t e = offsets[r]; e < offsets[r + 1]; ++e) {
      const int64_t c = sources[e], at = next[c]++;
      if (at >= offsets[c + 1] || sources[at] > r) {
        status = no_reverse(f, c, r, "");
      } else if (sources[at] < r) { /* asked for by nobody */
        status = no_reverse(f, sources[at], c, "");
      } else if (weights && weights[at] != weights[e]) {
        status = no_reverse(f, c, r, " of the same weight");
      }
      if (status != TRM_OK) break;
    }
  }
  TRM_FREE(next);
  return status;
}

trm_status trm_graph_check_edges(const trm_graph_file *f) {
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_EDGE_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_EDGE_SOURCES));
  TRM_TRY(
      trm_graph_check_rows(f, TRM_GA_EDGE_OFFSETS, TRM_GA_EDGE_SOURCES, f->graph->n_nodes, "node"));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_EDGE_WEIGHTS));
  TRM_TRY(check_weights(f));
  return f->graph->symmetric ? trm_graph_check_symmetric(f) : TRM_OK;
}

trm_status trm_graph_check_features(const trm_graph_file *f) {
  if (!f->graph->sparse) {
    TRM_TRY(trm_graph_slot_read(f, TRM_GA_DENSE));
    return check_finite(f, TRM_GA_DENSE);
  }
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_FEATURE_OFFSETS));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_FEATURE_COLUMNS));
  TRM_TRY(trm_graph_check_rows(f, TRM_GA_FEATURE_OFFSETS, TRM_GA_FEATURE_COLUMNS,
                               f->graph->n_features, "node"));
  TRM_TRY(trm_graph_slot_read(f, TRM_GA_FEATURE_VALUES));
  return check_finite(f, TRM_GA_FEATURE_VALUES);
}

/* ---- texts ------------------------------------------------------------------------------------- */

trm_status trm_graph_check_texts(const trm_graph_file *f, int slot) {
  if (f->slots[slot].n < 0) return TRM_OK;
  TRM_TRY(trm_graph_slot_read(f, slot));
  TRM_TRY(trm_graph_slot_read(f, slot + 1));
  if (f->slots[slot].n == 0) {
    return trm_fail(TRM_ERR_DATA, "%s: array '%s' is empty, expected one more than the texts",
                    f->path, f->slots[slot].name);
  }
  return trm_graph_check_offsets(f, slot, slot + 1);
}
