/** Planetoid's text form: a line a node with its name, the values of its features and its class. */
#include "graph_text_internal.h"
#include "trireme/core/memory.h"

typedef struct content {
  trm_scan scan;
  trm_id_limit limit;
  trm_triples *triples;
  trm_names *classes;
  int32_t **of;
  int64_t n, of_capacity;
} content;

static trm_status take_value(content *c, int64_t row, int64_t column) {
  trm_triples *t = c->triples;
  float value;
  TRM_TRY(trm_scan_real(&c->scan, "value", &value));
  if (column >= t->n_columns) t->n_columns = column + 1;
  if (value == 0) return TRM_OK;
  TRM_TRY(TRM_GROW(&t->rows, t->n, &t->capacity[0], "sparse features"));
  TRM_TRY(TRM_GROW(&t->columns, t->n, &t->capacity[1], "sparse features"));
  TRM_TRY(TRM_GROW(&t->values, t->n, &t->capacity[2], "sparse features"));
  t->rows[t->n] = (int32_t)row;
  t->columns[t->n] = (int32_t)column;
  t->values[t->n++] = value;
  return TRM_OK;
}

static trm_status read_line(content *c) {
  trm_scan *s = &c->scan;
  char text[TRM_SHOWN_BYTES];
  int64_t node, column = 0;
  bool added;
  TRM_TRY(trm_scan_node(s, "node", &c->limit, &node));
  if (node != c->n) {
    return trm_scan_fail(s, "node %s has a line already", trm_node_shown(&c->limit, node, text));
  }
  /* The last field is the class: a value is one that is not. */
  for (;; ++column) {
    const trm_scan_place before = {s->at, s->column};
    (void)trm_scan_take(s);
    if (!trm_scan_more(s)) break;
    s->at = before.begin;
    s->column = (int)before.line_number;
    s->line_done = false;
    TRM_TRY(take_value(c, node, column));
  }
  if (s->n_field == 0 || column == 0) {
    return trm_scan_fail(s, "the class is missing; a line is %s", s->form);
  }
  if (c->n > 0 && column != c->triples->n_columns) {
    return trm_scan_fail(s, "%lld values, the lines before have %lld", (long long)column,
                         (long long)c->triples->n_columns);
  }
  TRM_TRY(TRM_GROW(c->of, c->n, &c->of_capacity, "labels"));
  TRM_TRY(trm_names_add(c->classes, s->field, s->n_field, *c->of + c->n, &added));
  ++c->n;
  return TRM_OK;
}

trm_status trm_text_content(const char *path, const trm_reading *reading, trm_id_map *map,
                            trm_scan_progress *progress, trm_triples *triples, trm_names *classes,
                            int32_t **of) {
  const trm_table_plan plan = {.form = "node value ... class", .reading = reading};
  content c = {
      .limit = {.n = INT32_MAX, .map = map}, .triples = triples, .classes = classes, .of = of};
  bool more = false;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(trm_scan_open_table(&c.scan, path, &plan, progress));
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&c.scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_line(&c));
  }
  if (c.n == 0) status = trm_fail(TRM_ERR_DATA, "%s: has no nodes", path);
out:
  return trm_scan_close(&c.scan, status);
}
