/** Features of nodes, read from text: sparse as triples, dense as rows. */
#include "graph_text_internal.h"
#include "trireme/core/memory.h"

static trm_status read_triple(trm_scan *scan, const trm_id_limit *limit, trm_triples *t) {
  int64_t row, column;
  float value;
  TRM_TRY(trm_scan_id(scan, "row", limit->n, limit->why, &row));
  TRM_TRY(trm_scan_id(scan, "feature", INT32_MAX, "ids of features have 31 bits", &column));
  TRM_TRY(trm_scan_real(scan, "value", &value));
  TRM_TRY(trm_scan_end(scan));
  if (t->n > 0) {
    const int64_t last = t->rows[t->n - 1], last_column = t->columns[t->n - 1];
    if (row == last && column == last_column) {
      return trm_scan_fail(scan, "row %lld has feature %lld twice; leave one out", (long long)row,
                           (long long)column);
    }
    if (row < last || (row == last && column < last_column)) {
      return trm_scan_fail(scan,
                           "row %lld, feature %lld comes after %lld, %lld; sort the lines by "
                           "row, then feature (sort -n -k1,1 -k2,2)",
                           (long long)row, (long long)column, (long long)last,
                           (long long)last_column);
    }
  }
  TRM_TRY(TRM_GROW(&t->rows, t->n, &t->capacity[0], "sparse features"));
  TRM_TRY(TRM_GROW(&t->columns, t->n, &t->capacity[1], "sparse features"));
  TRM_TRY(TRM_GROW(&t->values, t->n, &t->capacity[2], "sparse features"));
  t->rows[t->n] = (int32_t)row;
  t->columns[t->n] = (int32_t)column;
  t->values[t->n++] = value;
  if (column >= t->n_columns) t->n_columns = column + 1;
  return TRM_OK;
}

trm_status trm_text_triples(const char *path, const trm_id_limit *limit,
                            trm_scan_progress *progress, trm_triples *triples,
                            trm_highest *highest) {
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "row<TAB>feature<TAB>value", progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_triple(&scan, limit, triples));
    const int64_t row = triples->rows[triples->n - 1];
    if (row > highest->id) *highest = (trm_highest){path, row, scan.line_number};
  }
  if (triples->n == 0) status = trm_fail(TRM_ERR_DATA, "%s: has no features", path);
out:
  return trm_scan_close(&scan, status);
}

void trm_triples_free(trm_triples *triples) {
  TRM_FREE(triples->rows);
  TRM_FREE(triples->columns);
  TRM_FREE(triples->values);
  triples->n = 0;
}

static trm_status read_row(trm_scan *scan, float **values, int64_t *n, int64_t *capacity,
                           int64_t n_columns) {
  int64_t here = 0;
  for (; trm_scan_more(scan); ++here, ++*n) {
    if (n_columns > 0 && here == n_columns) {
      return trm_scan_fail(scan,
                           "more than the %lld values that the first row has; all rows must "
                           "have as many",
                           (long long)n_columns);
    }
    TRM_TRY(TRM_GROW(values, *n, capacity, "dense features"));
    TRM_TRY(trm_scan_real(scan, "value", *values + *n));
  }
  if (here > 0 && (n_columns == 0 || here == n_columns)) return TRM_OK;
  if (n_columns == 0) return trm_scan_fail(scan, "a row without values");
  return trm_scan_fail(scan,
                       "a row of %lld values, the first row has %lld; all rows must have as "
                       "many",
                       (long long)here, (long long)n_columns);
}

trm_status trm_text_rows(const char *path, trm_scan_progress *progress, float **values,
                         int64_t *n_rows, int64_t *n_columns) {
  trm_scan scan;
  int64_t n = 0, capacity = 0;
  bool more = false;
  trm_status status = TRM_OK;
  *n_rows = *n_columns = 0;
  TRM_TRY_OUT(trm_scan_open(&scan, path, "as many values as the first", progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, true, &more));
    if (!more) break;
    TRM_TRY_OUT(read_row(&scan, values, &n, &capacity, *n_columns));
    if (++*n_rows == 1) *n_columns = n;
  }
  if (*n_rows == 0) status = trm_fail(TRM_ERR_DATA, "%s: has no rows", path);
out:
  return trm_scan_close(&scan, status);
}
