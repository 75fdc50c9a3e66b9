/** Features of nodes, read from text: sparse as triples, dense as rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "graph_text_internal.h"
#include "trireme/core/memory.h"

/* ---- sparse ----------------------------------------------------------------------------------- */

static const trm_column_role triple_roles[] = {
    {"row", "row node nodeid id i", false},
    {"feature", "column col feature featureid word j", false},
    {"value", "value v count x", false},
};

static trm_status check_order(const trm_scan *scan, const trm_triples *t, int64_t row,
                              int64_t column) {
  const int64_t last = t->rows[t->n - 1], last_column = t->columns[t->n - 1];
  if (row == last && column == last_column) {
    return trm_scan_fail(scan, "row %lld has feature %lld twice; leave one out", (long long)row,
                         (long long)column);
  }
  if (row > last || (row == last && column > last_column)) return TRM_OK;
  return trm_scan_fail(scan,
                       "row %lld, feature %lld comes after %lld, %lld; sort the lines by "
                       "row, then feature (sort -n -k1,1 -k2,2)",
                       (long long)row, (long long)column, (long long)last, (long long)last_column);
}

/* Names come in any order, and so do the entries of Matrix Market: those are sorted afterwards. */
static bool is_sorted_later(const trm_scan *scan, const trm_id_limit *limit) {
  return scan->head.preamble == TRM_PREAMBLE_MATRIX_MARKET || (limit->map && limit->map->on);
}

/* Features count from 0 or 1 as ids do, unless it is said. */
static trm_status read_feature(trm_scan *scan, const trm_reading *reading, int64_t *column) {
  const int64_t base = scan->base;
  if (reading && reading->feature_base) scan->base = reading->feature_base[0] - '0';
  const trm_status status =
      trm_scan_id(scan, "feature", INT32_MAX, "ids of features have 31 bits", column);
  scan->base = base;
  return status;
}

/* Feature 0 in no line, and feature 1 in one: most likely all of them count from 1. It costs a feature
 * that is always 0, and in another table of them may be what is meant. */
static void tell_base(const char *path, const trm_reading *reading, const trm_triples *t) {
  int32_t lowest = INT32_MAX;
  if (!reading || reading->feature_base || reading->base) return;
  for (int64_t i = 0; i < t->n; ++i) lowest = t->columns[i] < lowest ? t->columns[i] : lowest;
  if (lowest != 1) return;
  trm_note(reading->notes,
           "%s: note: features seem to count from 1: no line has feature 0, which stays empty; "
           "--feature-base 1 takes them so, --feature-base 0 says that they count from 0",
           path);
}

static trm_status read_triple(trm_scan *scan, const trm_reading *reading, const trm_id_limit *limit,
                              trm_triples *t) {
  int64_t row, column;
  float value = 1;
  TRM_TRY(trm_scan_node(scan, "row", limit, &row));
  TRM_TRY(read_feature(scan, reading, &column));
  if (scan->head.preamble != TRM_PREAMBLE_MATRIX_MARKET || scan->head.weighted) {
    TRM_TRY(trm_scan_real(scan, "value", &value));
  }
  TRM_TRY(trm_scan_end(scan));
  if (t->n > 0 && !is_sorted_later(scan, limit)) TRM_TRY(check_order(scan, t, row, column));
  TRM_TRY(TRM_GROW(&t->rows, t->n, &t->capacity[0], "sparse features"));
  TRM_TRY(TRM_GROW(&t->columns, t->n, &t->capacity[1], "sparse features"));
  TRM_TRY(TRM_GROW(&t->values, t->n, &t->capacity[2], "sparse features"));
  t->rows[t->n] = (int32_t)row;
  t->columns[t->n] = (int32_t)column;
  t->values[t->n++] = value;
  if (column >= t->n_columns) t->n_columns = column + 1;
  return TRM_OK;
}

typedef struct triple {
  int32_t row, column;
  float value;
} triple;

static int by_place(const void *left, const void *right) {
  const triple *a = left, *b = right;
  if (a->row != b->row) return a->row < b->row ? -1 : 1;
  return (a->column > b->column) - (a->column < b->column);
}

trm_status trm_triples_sort(trm_triples *triples, const char *path) {
  trm_triples *t = triples;
  triple *all = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&all, t->n, "sparse features"));
  for (int64_t i = 0; i < t->n; ++i) all[i] = (triple){t->rows[i], t->columns[i], t->values[i]};
  if (t->n > 0) qsort(all, (size_t)t->n, sizeof *all, by_place);
  for (int64_t i = 0; i < t->n; ++i) {
    t->rows[i] = all[i].row, t->columns[i] = all[i].column, t->values[i] = all[i].value;
    if (i == 0 || by_place(&all[i - 1], &all[i]) != 0) continue;
    status = trm_fail(TRM_ERR_DATA, "%s: a row has feature %d twice; leave one out", path,
                      (int)all[i].column);
    break;
  }
  TRM_FREE(all);
  return status;
}

trm_status trm_text_triples(const char *path, const trm_reading *reading, const trm_id_limit *limit,
                            trm_scan_progress *progress, trm_triples *triples,
                            trm_highest *highest) {
  const trm_table_plan plan = {.form = "row<TAB>feature<TAB>value",
                               .roles = triple_roles,
                               .n_roles = 3,
                               .n_ids = 1,
                               .reading = reading,
                               .quiet = true};
  trm_scan scan;
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open_table(&scan, path, &plan, progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_triple(&scan, reading, limit, triples));
    const int64_t row = triples->rows[triples->n - 1];
    if (row > highest->id) *highest = (trm_highest){path, row, scan.line_number};
  }
  if (triples->n == 0) TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: has no features", path));
  if (scan.size[1] > triples->n_columns) triples->n_columns = scan.size[1];
  if (scan.size[0] - 1 > highest->id) *highest = (trm_highest){path, scan.size[0] - 1, 1};
  if (scan.head.preamble == TRM_PREAMBLE_MATRIX_MARKET) {
    status = trm_triples_sort(triples, path);
  } else {
    tell_base(path, reading, triples);
  }
out:
  return trm_scan_close(&scan, status);
}

void trm_triples_free(trm_triples *triples) {
  TRM_FREE(triples->rows);
  TRM_FREE(triples->columns);
  TRM_FREE(triples->values);
  triples->n = 0;
}

/* ---- dense: the first line -------------------------------------------------------------------- */

/* What the first line looks like as a header. */
typedef struct first_row {
  int64_t n;
  bool words;  /* no field is a number, or what a slip makes of one */
  bool counts; /* 0, 1, 2, ... as pandas numbers columns, behind an empty field or none */
  bool index;  /* the first field is empty, or a usual name for what counts rows */
} first_row;

static bool is_index_name(const trm_scan *s) {
  static const char *const usual[] = {"", "Unnamed: 0", "index", "Index", "id", "node", "node_id"};
  for (size_t i = 0; i < sizeof usual / sizeof usual[0]; ++i) {
    if (s->n_field == (int64_t)strlen(usual[i]) &&
        memcmp(s->field, usual[i], (size_t)s->n_field) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_word(const trm_scan *s) {
  if (s->n_field == 0 || strchr("0123456789+-.,", s->field[0])) return false;
  return s->n_field != 3 ||
         (strncasecmp(s->field, "nan", 3) != 0 && strncasecmp(s->field, "inf", 3) != 0);
}

static first_row look_at_row(trm_scan *s) {
  first_row r = {.words = true, .counts = true};
  trm_scan numbers = {0};
  bool empty = false;
  for (bool more = trm_scan_more(s); more; more = trm_scan_more(s), ++r.n) {
    double x = -1;
    (void)trm_scan_take(s);
    if (r.n == 0) {
      r.index = is_index_name(s);
      empty = s->n_field == 0;
    }
    const bool number = trm_scan_number(&numbers, s->field, s->n_field, &x);
    r.words = r.words && ((r.n == 0 && empty) || (!number && is_word(s)));
    r.counts = r.counts && ((r.n == 0 && empty) || (number && x == (double)(r.n - empty)));
  }
  (void)trm_scan_close(&numbers, TRM_OK);
  trm_scan_again(s);
  return r;
}

static trm_status ask_header(const trm_scan *s, const first_row *r) {
  return trm_fail(TRM_ERR_DATA,
                  "%s:%lld: the first row is %s0, 1, 2 ... %lld, as pandas numbers columns; "
                  "--feature-header yes takes it for names, --feature-header no for values",
                  s->path, (long long)s->line_number, r->index ? "empty, " : "",
                  (long long)r->n - 1 - r->index);
}

/* Whether the first line names columns; it is the current one. */
static trm_status find_header(const trm_row_table *t, trm_scan *s, bool *header, bool *index) {
  const char *asked = t->header;
  const first_row r = look_at_row(s);
  const bool map = t->map != NULL;
  *header = asked ? asked[0] == 'y' : r.n > 0 && r.words && !map;
  *index = r.index && (*header || r.counts);
  if (!asked && !map && r.counts && r.n > 2) return ask_header(s, &r);
  return TRM_OK;
}

/* ---- dense: rows ------------------------------------------------------------------------------ */

typedef struct rows {
  const trm_row_table *table;
  trm_scan scan;
  float **values;
  int32_t **ids;
  int64_t n, n_rows, n_columns, capacity, ids_capacity;
  bool skip; /* the first field of a row is an index */
  int64_t *index,
      index_capacity; /* [n_rows] it, unless the user has said that it is to be passed over */
  bool counts;        /* the first column is 0, 1, 2, ..., or 1, 2, 3, ... */
  float first_value;
} rows;

static trm_status read_row_id(rows *r) {
  const trm_id_limit limit = {.n = INT32_MAX, .map = r->table->map};
  int64_t id = 0;
  if (!r->table->map) return TRM_OK;
  TRM_TRY(trm_scan_node(&r->scan, "node", &limit, &id));
  TRM_TRY(TRM_GROW(r->ids, r->n_rows, &r->ids_capacity, "dense features"));
  (*r->ids)[r->n_rows] = (int32_t)id;
  return TRM_OK;
}

/* The index of a row, which is a whole number; rows are put into its order. */
static trm_status read_index(rows *r) {
  trm_scan *s = &r->scan;
  trm_scan numbers = {0};
  char text[TRM_SHOWN_BYTES];
  double x = -1;
  (void)trm_scan_take(s);
  if (r->table->index) return TRM_OK;
  const bool number = trm_scan_number(&numbers, s->field, s->n_field, &x);
  (void)trm_scan_close(&numbers, TRM_OK);
  if (!number || x < 0 || x > INT32_MAX || x != floor(x)) {
    return trm_scan_fail(s,
                         "'%s' stands where other rows have their number; rows are the nodes 0, 1, "
                         "2 ... in order: --row-index yes passes over the column",
                         trm_scan_shown(s, text));
  }
  TRM_TRY(TRM_GROW(&r->index, r->n_rows, &r->index_capacity, "dense features"));
  r->index[r->n_rows] = (int64_t)x;
  return TRM_OK;
}

/* Puts the rows into the order of their index, which counts from 0 or 1 without gaps. */
static trm_status order_rows(rows *r) {
  const int64_t n = r->n_rows, columns = r->n_columns;
  float *ordered = NULL;
  uint8_t *there = NULL;
  bool moved = false;
  trm_status status = TRM_OK;
  if (!r->index || n == 0) return TRM_OK;
  int64_t base = r->index[0];
  for (int64_t i = 0; i < n; ++i) base = r->index[i] < base ? r->index[i] : base;
  TRM_TRY(TRM_ALLOC(&there, n, "dense features"));
  for (int64_t i = 0; i < n; ++i) {
    const int64_t place = r->index[i] - base;
    moved = moved || place != i;
    if (base <= 1 && place < n && !there[place]++) continue;
    status = trm_fail(TRM_ERR_DATA,
                      "%s: column 1 does not number the rows: %lld of row %lld is %s; rows are the "
                      "nodes 0, 1, 2 ... in order, and --row-index yes passes over the column",
                      r->table->path, (long long)r->index[i], (long long)i + 1,
                      base <= 1 && place < n ? "there twice" : "out of the count");
    goto out;
  }
  trm_note(r->table->reading ? r->table->reading->notes : NULL, "%s: %s", r->table->path,
           moved ? "rows are put into the order of column 1, which is passed over"
                 : "column 1 counts the lines and is passed over");
  if (!moved) goto out;
  TRM_TRY_OUT(TRM_ALLOC(&ordered, n * columns, "dense features"));
  for (int64_t i = 0; i < n; ++i) {
    memcpy(ordered + (r->index[i] - base) * columns, *r->values + i * columns,
           (size_t)columns * sizeof *ordered);
  }
  TRM_FREE(*r->values);
  *r->values = ordered;
out:
  TRM_FREE(there);
  return status;
}

static trm_status read_row(rows *r) {
  trm_scan *s = &r->scan;
  const int64_t wanted = r->n_columns;
  int64_t here = 0;
  TRM_TRY(read_row_id(r));
  if (r->skip) TRM_TRY(read_index(r));
  for (; trm_scan_more(s); ++here, ++r->n) {
    if (wanted > 0 && here == wanted) {
      return trm_scan_fail(s,
                           "more than the %lld values that the first row has; all rows must "
                           "have as many",
                           (long long)wanted);
    }
    TRM_TRY(TRM_GROW(r->values, r->n, &r->capacity, "dense features"));
    TRM_TRY(trm_scan_real(s, "value", *r->values + r->n));
  }
  if (here > 0) {
    const float first = (*r->values)[r->n - here];
    if (r->n_rows == 0) r->first_value = first;
    r->counts = r->counts && first == r->first_value + (float)r->n_rows;
  }
  if (here > 0 && (wanted == 0 || here == wanted)) return TRM_OK;
  if (wanted == 0) return trm_scan_fail(s, "a row without values");
  return trm_scan_fail(s,
                       "a row of %lld values, the first row has %lld; all rows must have as "
                       "many",
                       (long long)here, (long long)wanted);
}

/* A first column that counts the rows is an index far more often than a feature. */
static trm_status check_index(const rows *r) {
  if (r->table->index || r->table->map || r->n_rows < 4 || r->n_columns < 2 || !r->counts ||
      (r->first_value != 0 && r->first_value != 1)) {
    return TRM_OK;
  }
  return trm_fail(TRM_ERR_DATA,
                  "%s: the first column counts the rows from %g; --row-index yes passes over it, "
                  "--row-index no takes it as a feature",
                  r->table->path, (double)r->first_value);
}

static trm_status read_first(rows *r, bool *more) {
  const trm_row_table *t = r->table;
  const bool asked = t->index != NULL;
  bool header = false, index = false;
  TRM_TRY(trm_scan_line(&r->scan, true, more));
  if (!*more) return TRM_OK;
  TRM_TRY(find_header(t, &r->scan, &header, &index));
  r->skip = !t->map && (asked ? t->index[0] == 'y' : index);
  if (t->reading && (header || (r->skip && !asked))) {
    trm_note(t->reading->notes, "%s: read as: fields parted by %s, %s", t->path,
             trm_separator_name(r->scan.separator), header ? "header" : "no header");
  }
  return header ? trm_scan_line(&r->scan, true, more) : TRM_OK;
}

trm_status trm_text_rows(const trm_row_table *table, trm_scan_progress *progress, float **values,
                         int32_t **ids, int64_t *n_rows, int64_t *n_columns) {
  const trm_table_plan plan = {.form = "as many values as the first", .reading = table->reading};
  rows r = {.table = table, .values = values, .ids = ids, .counts = true};
  bool more = false;
  trm_status status = TRM_OK;
  *n_rows = *n_columns = 0;
  trm_table_head head;
  TRM_TRY_OUT(trm_scan_open_table(&r.scan, table->path, &plan, progress));
  TRM_TRY_OUT(trm_table_head_read(&r.scan.in, &head));
  if (head.preamble == TRM_PREAMBLE_MATRIX_MARKET) {
    TRM_TRY_OUT(trm_fail(
        TRM_ERR_DATA, "%s: is a Matrix Market file of entries; --features takes it", table->path));
  }
  TRM_TRY_OUT(read_first(&r, &more));
  while (more) {
    TRM_TRY_OUT(read_row(&r));
    if (++r.n_rows == 1) r.n_columns = r.n;
    TRM_TRY_OUT(trm_scan_line(&r.scan, true, &more));
  }
  if (r.n_rows == 0) TRM_TRY_OUT(trm_fail(TRM_ERR_DATA, "%s: has no rows", table->path));
  TRM_TRY_OUT(order_rows(&r));
  TRM_TRY_OUT(check_index(&r));
  *n_rows = r.n_rows;
  *n_columns = r.n_columns;
out:
  TRM_FREE(r.index);
  return trm_scan_close(&r.scan, status);
}
