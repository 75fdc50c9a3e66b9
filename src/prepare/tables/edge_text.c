/** Edges of a graph, read from text. */
#include <math.h>
#include <string.h>

#include "graph_text_internal.h"
#include "trireme/core/memory.h"
#include "trireme/core/plural.h"

enum { MOST_OF_EDGE = 3 }; /* fields */

/* Seconds since 1970 from 1973 on, as weights never are. */
static const float EARLIEST_TIME = 1e8f;

typedef struct edge_capacity {
  int64_t sources, targets, weights;
} edge_capacity;

typedef struct edge_reading {
  const trm_edge_table *table;
  trm_scan scan;
  const trm_id_limit *limit;
  const int32_t *graph_of;
  trm_edge_list *edges;
  trm_edge_facts *facts;
  edge_capacity capacity;
  int64_t highest_after_first; /* of the other lines than the first */
  int64_t first_line;
  int64_t n_unknown;
  int64_t graph; /* of the line, where nodes are counted in it */
  bool times;    /* all weights look like times */
} edge_reading;

static const trm_column_role roles[] = {
    {"source",
     "source src from fromnode fromnodeid fromid u node1 nodeid1 id1 n1 sourceid citing start "
     "user1 author1",
     false},
    {"target",
     "target tgt dst dest destination to tonode tonodeid toid v node2 nodeid2 id2 n2 targetid "
     "cited end user2 author2",
     false},
    {"weight", "weight weights w value strength", true},
};

static trm_status open_edges(const trm_edge_table *t, trm_scan *scan, bool told,
                             trm_scan_progress *progress) {
  trm_reading reading = t->reading ? *t->reading : (trm_reading){0};
  if (!told) reading.notes = NULL;
  const trm_table_plan plan = {.form = "u<TAB>v[<TAB>weight]",
                               .roles = roles,
                               .n_roles = 3,
                               .n_ids = 2,
                               .asks_header = true,
                               .columns_option = "--columns",
                               .columns = reading.columns,
                               .reading = &reading};
  return trm_scan_open_table(scan, t->path, &plan, progress);
}

static void take_head(const trm_scan *scan, trm_edge_facts *facts) {
  *facts = (trm_edge_facts){.highest = {.id = -1},
                            .lowest = INT64_MAX,
                            .head = scan->head,
                            .base = scan->base,
                            .base_given = scan->base_given,
                            .words = scan->words};
  memcpy(facts->size, scan->size, sizeof facts->size);
}

trm_status trm_text_edges_look(const trm_edge_table *table, trm_edge_facts *facts) {
  trm_scan scan;
  trm_status status = open_edges(table, &scan, false, NULL);
  take_head(&scan, facts);
  return trm_scan_close(&scan, status);
}

/* Lines of unlike lengths, longer than edges are, list the neighbours of a node. */
static trm_status check_lists(const trm_scan *s) {
  if (s->n_pick > 0 || s->head.preamble != TRM_PREAMBLE_NONE || s->most <= MOST_OF_EDGE ||
      s->fewest >= s->most) {
    return TRM_OK;
  }
  return trm_fail(
      TRM_ERR_DATA,
      "%s: lines of %lld to %lld fields: lists of neighbours? Write an edge a line: awk "
      "'{for (i = 2; i <= NF; ++i) print $1, $i}' x > y; of METIS: awk 'NR > 1{for (i = "
      "1; i <= NF; ++i) print NR - 1, $i}' x > y, and --base 1",
      s->path, (long long)s->fewest, (long long)s->most);
}

static void tell_zeros(const edge_reading *r) {
  const bool names = r->limit->map && r->limit->map->on;
  if (!r->scan.zeros || names || !r->table->reading || r->table->reading->ids) return;
  trm_note(r->table->reading->notes,
           "%s: note: ids begin with zeros, which numbers lose; --ids names keeps them",
           r->scan.path);
}

/* ---- lines ------------------------------------------------------------------------------------ */

static trm_status read_weight(edge_reading *r, int64_t u, int64_t v) {
  trm_scan *s = &r->scan;
  trm_edge_list *e = r->edges;
  const bool weighted = trm_scan_more(s);
  float w = 1;
  if (e->n > 0 && weighted != (e->weights != NULL)) {
    return trm_scan_fail(s,
                         "the edge %lld %lld has %s weight, the lines before have %s; give "
                         "all edges one, or none",
                         (long long)u, (long long)v, weighted ? "a" : "no",
                         weighted ? "none" : "one");
  }
  if (!weighted) return TRM_OK;
  TRM_TRY(trm_scan_real(s, "weight", &w));
  if (w < 0) {
    return trm_scan_fail(s, "weight %g is negative; --columns 1,2 leaves weights out", (double)w);
  }
  r->times = r->times && w >= EARLIEST_TIME && w == floorf(w);
  TRM_TRY(TRM_GROW(&e->weights, e->n, &r->capacity.weights, "weights of edges"));
  e->weights[e->n] = w;
  return TRM_OK;
}

static void note_ids(edge_reading *r, int64_t u, int64_t v) {
  trm_edge_facts *f = r->facts;
  const int64_t high = u > v ? u : v, low = u < v ? u : v;
  if (r->edges->n == 1) r->first_line = r->scan.line_number;
  if (r->edges->n > 1 && high > r->highest_after_first) r->highest_after_first = high;
  if (high > f->highest.id) f->highest = (trm_highest){r->scan.path, high, r->scan.line_number};
  if (low < f->lowest) f->lowest = low;
}

/* Whether both names of a line are. */
static bool is_known(edge_reading *r) {
  bool known = true;
  for (int i = 0; i < 2; ++i) {
    known = trm_scan_take(&r->scan) && known &&
            trm_names_find(&r->limit->map->names, r->scan.field, r->scan.n_field) >= 0;
  }
  trm_scan_again(&r->scan);
  return known;
}

/* From places in a graph to places among all nodes. */
static trm_status add_start(edge_reading *r, int64_t *u, int64_t *v) {
  const trm_edge_table *t = r->table;
  if (!t->nodes) return TRM_OK;
  while (r->graph < t->n_graphs && t->edges[r->graph + 1] <= r->edges->n) ++r->graph;
  if (r->graph == t->n_graphs) {
    return trm_scan_fail(&r->scan, "more edges than the graphs have together (%lld)",
                         (long long)t->edges[t->n_graphs]);
  }
  const int64_t n = t->nodes[r->graph + 1] - t->nodes[r->graph];
  if (*u >= n || *v >= n) {
    return trm_scan_fail(&r->scan, "the edge %lld %lld is of graph %lld, which has %lld nodes",
                         (long long)*u, (long long)*v, (long long)r->graph, (long long)n);
  }
  *u += t->nodes[r->graph];
  *v += t->nodes[r->graph];
  return TRM_OK;
}

static trm_status read_edge(edge_reading *r) {
  trm_scan *s = &r->scan;
  trm_edge_list *e = r->edges;
  int64_t u, v;
  if (r->table->pass_unknown && !is_known(r)) {
    ++r->n_unknown;
    return TRM_OK;
  }
  TRM_TRY(trm_scan_node(s, "source node", r->limit, &u));
  TRM_TRY(trm_scan_node(s, "target node", r->limit, &v));
  TRM_TRY(add_start(r, &u, &v));
  TRM_TRY(read_weight(r, u, v));
  TRM_TRY(trm_scan_end(s));
  TRM_TRY(TRM_GROW(&e->sources, e->n, &r->capacity.sources, "edges"));
  TRM_TRY(TRM_GROW(&e->targets, e->n, &r->capacity.targets, "edges"));
  e->sources[e->n] = (int32_t)u;
  e->targets[e->n++] = (int32_t)v;
  note_ids(r, u, v);
  if (!r->graph_of || r->graph_of[u] == r->graph_of[v]) return TRM_OK;
  return trm_scan_fail(s, "the edge %lld %lld joins the graphs %d and %d; edges stay in one",
                       (long long)u, (long long)v, (int)r->graph_of[u], (int)r->graph_of[v]);
}

/* ---- what only all lines tell ----------------------------------------------------------------- */

/* "34 78" before 78 lines of nodes up to 33 or 34 is no edge. */
static trm_status check_size_line(const edge_reading *r) {
  const trm_edge_list *e = r->edges;
  const trm_reading *asked = r->table->reading;
  const bool names = r->limit->map && r->limit->map->on;
  if (e->n < 4 || names || e->weights || r->scan.header || (asked && asked->header)) return TRM_OK;
  const int64_t nodes = e->sources[0] + r->scan.base, lines = e->targets[0] + r->scan.base;
  const int64_t highest = r->highest_after_first + r->scan.base;
  if (lines != e->n - 1 || (nodes != highest && nodes != highest + 1)) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s:%lld: %lld %lld, and %lld lines follow with nodes up to %lld: a size line? "
                  "--header yes passes over it, --header no takes it as an edge",
                  r->scan.path, (long long)r->first_line, (long long)nodes, (long long)lines,
                  (long long)lines, (long long)highest);
}

static trm_status check_all(const edge_reading *r) {
  const trm_edge_list *e = r->edges;
  const int64_t entries = r->scan.size[2];
  if (e->n == 0) return trm_fail(TRM_ERR_DATA, "%s: has no edges", r->scan.path);
  if (entries >= 0 && entries != e->n) {
    return trm_fail(TRM_ERR_DATA,
                    "%s: has %lld entries, its size line says %lld; copy or download it again",
                    r->scan.path, (long long)e->n, (long long)entries);
  }
  if (r->table->nodes && r->table->edges[r->table->n_graphs] != e->n) {
    return trm_fail(TRM_ERR_DATA, "%s: has %lld edges, the graphs have %lld together", r->scan.path,
                    (long long)e->n, (long long)r->table->edges[r->table->n_graphs]);
  }
  if (!r->table->nodes) TRM_TRY(check_size_line(r));
  const bool asked = r->scan.n_pick > 0 || r->scan.header || !r->table->reading;
  if (!e->weights || !r->times || asked || e->n < 2) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: the third column (%g) looks like times; --columns 1,2 leaves it out, "
                  "--columns 1,2,3 takes it as weights",
                  r->scan.path, (double)e->weights[0]);
}

trm_status trm_text_edges(const trm_edge_table *table, const trm_id_limit *limit,
                          const int32_t *graph_of, trm_scan_progress *progress,
                          trm_edge_list *edges, trm_edge_facts *facts) {
  edge_reading r = {.table = table,
                    .limit = limit,
                    .graph_of = graph_of,
                    .edges = edges,
                    .facts = facts,
                    .highest_after_first = -1,
                    .times = true};
  bool more = false;
  trm_status status = TRM_OK;
  *facts = (trm_edge_facts){.highest = {.id = -1}, .lowest = INT64_MAX};
  TRM_TRY_OUT(open_edges(table, &r.scan, true, progress));
  TRM_TRY_OUT(check_lists(&r.scan));
  tell_zeros(&r);
  take_head(&r.scan, facts);
  for (;;) {
    TRM_TRY_OUT(trm_scan_line(&r.scan, false, &more));
    if (!more) break;
    TRM_TRY_OUT(read_edge(&r));
  }
  edges->capacity = r.capacity.sources;
  if (r.n_unknown > 0) {
    trm_note(table->reading ? table->reading->notes : NULL,
             "%s: passed over: %lld edge%s with a node that has no line of features", table->path,
             (long long)r.n_unknown, trm_plural(r.n_unknown));
  }
  TRM_TRY_OUT(check_all(&r));
out:
  return trm_scan_close(&r.scan, status);
}

void trm_edge_list_free(trm_edge_list *edges) {
  TRM_FREE(edges->sources);
  TRM_FREE(edges->targets);
  TRM_FREE(edges->weights);
  edges->n = edges->capacity = 0;
}
