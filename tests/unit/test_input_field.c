/*
 * Fields of 1 to 5 processes, all in this one: passes over them, forward and transposed, have the bits
 * of plain loops over the whole graph, and rows, halo and blocks are what the header says.
 */
#include "random_graph.h"
#include "trireme/core/memory.h"
#include "trireme/core/random.h"
#include "trireme/input/field.h"

enum { MAX_P = 5, V = 6, HOPS = 3 };

/* A case: `drops` (may be NULL) tells edges left out, [to * n + from]. */
typedef struct pass {
  const trm_graph *graph;
  const trm_partition *partition;
  const trm_ids *seeds;
  const bool *drops;
  int size;
  trm_field *fields[MAX_P];
} pass;

static float start_value(int64_t node) {
  return (float)((node * 7919 + 13) % 1009) / 97 - 4;
}

static float edge_value(const trm_csr *a, int64_t e) {
  return a->values ? a->values[a->map ? a->map[e] : e] : 1;
}

/* y[i] = sum over row i, divided by `counts` of the row (mean) unless NULL. */
static void whole_sum(const trm_csr *a, bool by_target, const bool *drops, const float *counts,
                      const float *x, float *y) {
  for (int64_t i = 0; i < a->n_rows; ++i) {
    float sum = 0;
    for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; ++e) {
      const int64_t j = a->columns[e];
      if (drops && drops[by_target ? i * a->n_rows + j : j * a->n_rows + i]) continue;
      sum += edge_value(a, e) * x[j] / (counts && !by_target ? counts[j] : 1);
    }
    y[i] = counts && by_target && counts[i] > 0 ? sum / counts[i] : sum;
  }
}

/* The same over a field's rows; rows[] has the own columns and then the halo's. */
static void field_sum(const trm_csr *a, bool by_target, const float *counts, const float *x,
                      float *y) {
  for (int64_t i = 0; i < a->n_rows; ++i) {
    float sum = 0;
    for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; ++e) {
      const int64_t j = a->columns[e];
      sum += edge_value(a, e) * x[j] / (counts && !by_target ? counts[j] : 1);
    }
    y[i] = counts && by_target && counts[i] > 0 ? sum / counts[i] : sum;
  }
}

/* Stand-in for the exchange: every process has put its rows on `board` by node id. A row that its
 * owner does not have stays NaN there. */
static void fill_halo(const pass *c, int r, const trm_halo_plan *h, const float *board,
                      float *rows) {
  CHECK_EQ(h->from[0], 0);
  CHECK_EQ(h->from[c->size], h->n_halo);
  CHECK_EQ(h->from[r], h->from[r + 1]);
  for (int p = 0; p < c->size; ++p) {
    const trm_field *owner = c->fields[p];
    for (int64_t i = h->from[p]; i < h->from[p + 1]; ++i) {
      const int64_t part = c->partition->part_of[h->halo[i]];
      CHECK(part >= owner->first_block && part < owner->first_block + owner->n_local);
      rows[h->n_own + i] = board[h->halo[i]];
    }
  }
}

static void clear_board(float *board, int64_t n) {
  memset(board, 0xFF, (size_t)n * sizeof *board); /* NaN */
}

static const float *counts_of(const pass *c, const trm_hop *hop, bool mean) {
  if (!mean) return NULL;
  return c->drops ? hop->target_counts : hop->target_degrees;
}

static void compare(const int32_t *ids, int64_t n, const float *got, const float *want) {
  for (int64_t i = 0; i < n; ++i) {
    if (memcmp(&got[i], &want[ids[i]], sizeof *got) == 0) continue;
    CHECK_NEAR_AT(got[i], want[ids[i]], 0, i);
    CHECK(false);
    return;
  }
}

/* All hops, all processes in step. */
static void check_forward(const pass *c, const float *degrees, bool mean) {
  const int64_t n = c->graph->n_nodes;
  float *want = graph_calloc(n, sizeof *want), *next = graph_calloc(n, sizeof *next);
  float *board = graph_calloc(n, sizeof *board), *x[MAX_P];
  for (int64_t i = 0; i < n; ++i) want[i] = start_value(i);
  for (int r = 0; r < c->size; ++r) {
    x[r] = graph_calloc(n, sizeof(float));
    for (int64_t i = 0; i < c->fields[r]->n_inputs; ++i) {
      x[r][i] = start_value(c->fields[r]->inputs[i]);
    }
  }
  for (int h = 0; h < HOPS; ++h) {
    whole_sum(&c->graph->in, true, c->drops, mean ? degrees : NULL, want, next);
    memcpy(want, next, (size_t)n * sizeof *want);
    clear_board(board, n);
    for (int r = 0; r < c->size; ++r) {
      const trm_halo_plan *plan = &c->fields[r]->in_halo[h];
      for (int64_t i = 0; i < plan->n_own; ++i) board[plan->own[i]] = x[r][i];
    }
    for (int r = 0; r < c->size; ++r) {
      const trm_hop *hop = &c->fields[r]->hops[h];
      fill_halo(c, r, &c->fields[r]->in_halo[h], board, x[r]);
      field_sum(&hop->in, true, counts_of(c, hop, mean), x[r], next);
      memcpy(x[r], next, (size_t)hop->in.n_rows * sizeof(float));
      compare(hop->target_ids, hop->in.n_rows, x[r], want);
    }
  }
  for (int r = 0; r < c->size; ++r) {
    compare(c->fields[r]->targets, c->fields[r]->n_targets, x[r], want);
    free(x[r]);
  }
  free(want);
  free(next);
  free(board);
}

/* Gradients come in at the seeds (all nodes without) and are wanted at the inputs. */
static void check_backward(const pass *c, const float *degrees, bool mean) {
  const int64_t n = c->graph->n_nodes;
  float *want = graph_calloc(n, sizeof *want), *next = graph_calloc(n, sizeof *next);
  float *board = graph_calloc(n, sizeof *board), *dy[MAX_P];
  const trm_csr *out = c->graph->symmetric ? &c->graph->in : &c->graph->out;
  for (int64_t i = 0; i < (c->seeds ? c->seeds->n : n); ++i) {
    const int64_t node = c->seeds ? c->seeds->ids[i] : i;
    want[node] = start_value(node);
  }
  for (int r = 0; r < c->size; ++r) {
    dy[r] = graph_calloc(n, sizeof(float));
    for (int64_t i = 0; i < c->fields[r]->n_targets; ++i) {
      dy[r][i] = start_value(c->fields[r]->targets[i]);
    }
  }
  for (int h = HOPS - 1; h >= 0; --h) {
    whole_sum(out, false, c->drops, mean ? degrees : NULL, want, next);
    memcpy(want, next, (size_t)n * sizeof *want);
    clear_board(board, n);
    for (int r = 0; r < c->size; ++r) {
      const trm_halo_plan *plan = &c->fields[r]->out_halo[h];
      for (int64_t i = 0; i < plan->n_own; ++i) board[plan->own[i]] = dy[r][i];
    }
    for (int r = 0; r < c->size; ++r) {
      const trm_hop *hop = &c->fields[r]->hops[h];
      fill_halo(c, r, &c->fields[r]->out_halo[h], board, dy[r]);
      field_sum(&hop->out, false, counts_of(c, hop, mean), dy[r], next);
      memcpy(dy[r], next, (size_t)hop->out.n_rows * sizeof(float));
      compare(hop->source_ids, hop->out.n_rows, dy[r], want);
    }
  }
  for (int r = 0; r < c->size; ++r) free(dy[r]);
  free(want);
  free(next);
  free(board);
}

/* Rows of each block are that part's nodes in its order. */
static void check_blocks(const pass *c, const trm_field *f, const int32_t *ids, int64_t n,
                         const int64_t *blocks) {
  CHECK_EQ(blocks[0], 0);
  CHECK_EQ(blocks[f->n_local], n);
  for (int64_t k = 0; k < f->n_local; ++k) {
    for (int64_t i = blocks[k]; i < blocks[k + 1]; ++i) {
      CHECK_EQ(c->partition->part_of[ids[i]], f->first_block + k);
      if (i > blocks[k]) CHECK(ids[i - 1] < ids[i]);
    }
  }
}

static void check_hop(const pass *c, const trm_field *f, int h) {
  const trm_hop *hop = &f->hops[h];
  const trm_halo_plan *in = &f->in_halo[h], *out = &f->out_halo[h];
  CHECK_EQ(hop->in.n_columns, in->n_own + in->n_halo);
  CHECK_EQ(hop->out.n_columns, out->n_own + out->n_halo);
  CHECK_EQ(hop->in.n_rows, out->n_own);
  CHECK_EQ(hop->out.n_rows, in->n_own);
  check_blocks(c, f, hop->target_ids, hop->in.n_rows, hop->blocks);
  for (int64_t i = 0; i < hop->in.n_columns; ++i) {
    CHECK_EQ(hop->source_ids[i], i < in->n_own ? in->own[i] : in->halo[i - in->n_own]);
    CHECK(hop->source_degrees[i] == c->graph->degrees[hop->source_ids[i]]);
  }
  for (int64_t i = 0; i < hop->out.n_columns; ++i) {
    CHECK_EQ(hop->target_ids[i], i < out->n_own ? out->own[i] : out->halo[i - out->n_own]);
    CHECK(hop->target_degrees[i] == c->graph->degrees[hop->target_ids[i]]);
  }
  CHECK_EQ(hop->self == NULL, c->seeds == NULL);
  CHECK_EQ(hop->self_of == NULL, c->seeds == NULL);
  int64_t n_matched = 0;
  for (int64_t i = 0; i < hop->in.n_rows; ++i) {
    const int64_t self = hop->self ? hop->self[i] : i;
    CHECK(self >= 0 && self < hop->out.n_rows);
    CHECK_EQ(hop->source_ids[self], hop->target_ids[i]);
    CHECK_EQ(hop->self_of ? hop->self_of[self] : self, i);
  }
  for (int64_t i = 0; hop->self_of && i < hop->out.n_rows; ++i) n_matched += hop->self_of[i] >= 0;
  if (hop->self_of) CHECK_EQ(n_matched, hop->in.n_rows);
}

/* What a hop needs and nothing else: its sources are its targets and theirs. */
static void check_compact(const pass *c, int h) {
  const int64_t n = c->graph->n_nodes;
  bool *wanted = graph_calloc(n, sizeof *wanted);
  int64_t n_wanted = 0, n_had = 0;
  for (int r = 0; r < c->size; ++r) {
    const trm_hop *hop = &c->fields[r]->hops[h];
    n_had += hop->out.n_rows;
    for (int64_t i = 0; i < hop->in.n_rows; ++i) {
      const int32_t target = hop->target_ids[i];
      wanted[target] = true;
      for (int64_t e = c->graph->in.offsets[target]; e < c->graph->in.offsets[target + 1]; ++e) {
        wanted[c->graph->in.columns[e]] = true;
      }
    }
  }
  for (int64_t i = 0; i < n; ++i) n_wanted += wanted[i];
  CHECK_EQ(n_had, n_wanted);
  free(wanted);
}

static void check_fields(const pass *c) {
  int64_t next_block = 0, n_targets = 0;
  for (int r = 0; r < c->size; ++r) {
    const trm_field *f = c->fields[r];
    CHECK_EQ(f->n_hops, HOPS);
    CHECK_EQ(f->same_hops, c->seeds == NULL);
    CHECK_EQ(f->first_block, next_block);
    CHECK_EQ(f->first_block, r * V / c->size);
    next_block += f->n_local;
    n_targets += f->n_targets;
    check_blocks(c, f, f->inputs, f->n_inputs, f->input_blocks);
    check_blocks(c, f, f->targets, f->n_targets, f->target_blocks);
    CHECK_EQ(f->n_inputs, f->hops[0].out.n_rows);
    for (int h = 0; h < HOPS; ++h) {
      check_hop(c, f, h);
      if (h > 0) CHECK_EQ(f->hops[h].out.n_rows, f->hops[h - 1].in.n_rows);
      if (f->same_hops) CHECK(f->hops[h].in.columns == f->hops[0].in.columns);
    }
  }
  CHECK_EQ(next_block, V);
  CHECK_EQ(n_targets, c->seeds ? c->seeds->n : c->graph->n_nodes);
  for (int h = 0; c->seeds && h < HOPS; ++h) check_compact(c, h);
}

/* Sums of what is left of each row; the keys are spelt out here again. */
static void draw_drops(const trm_graph *g, double p, uint64_t seed, int64_t step, bool *drops,
                       float *degrees) {
  const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_EDGE, (uint64_t)step, 0);
  for (int64_t i = 0; i < g->n_nodes; ++i) {
    double sum = 0;
    for (int64_t e = g->in.offsets[i]; e < g->in.offsets[i + 1]; ++e) {
      const int64_t j = g->in.columns[e];
      drops[i * g->n_nodes + j] = trm_random_uniform(key, (uint64_t)i, (uint64_t)j) < p;
      if (!drops[i * g->n_nodes + j]) sum += (double)edge_value(&g->in, e);
    }
    degrees[i] = (float)sum;
  }
}

static void check_drops(const pass *c) {
  const int64_t n = c->graph->n_nodes;
  static const double shares[] = {0.4, 0, 0.9, 1};
  bool *drops = graph_calloc(n * n, sizeof *drops);
  float *degrees = graph_calloc(n, sizeof *degrees);
  pass thinned = *c;
  thinned.drops = drops;
  memset(thinned.fields, 0, sizeof thinned.fields);
  int64_t blocks = 0;
  for (int s = 0; s < 4; ++s) { /* the memory of the first round serves for the others */
    draw_drops(c->graph, shares[s], 11, s, drops, degrees);
    for (int r = 0; r < c->size; ++r) {
      CHECK_OK(trm_field_drop_edges(c->fields[r], shares[s], 11, s, &thinned.fields[r]));
      const trm_hop *last = &thinned.fields[r]->hops[HOPS - 1];
      for (int64_t t = 0; t < last->out.n_columns; ++t) {
        CHECK_NEAR_AT(last->target_counts[t], degrees[last->target_ids[t]], 0, t);
      }
    }
    if (s == 0) blocks = trm_alloc_counts_get().total_blocks;
    check_fields(&thinned);
    for (int mean = 0; mean < 2; ++mean) {
      check_forward(&thinned, degrees, mean);
      if (shares[s] < 0.5 || !mean) check_backward(&thinned, degrees, mean);
    }
  }
  CHECK_EQ(trm_alloc_counts_get().total_blocks, blocks);
  for (int r = 0; r < c->size; ++r) trm_field_destroy(&thinned.fields[r]);
  free(drops);
  free(degrees);
}

static void check_case(const trm_graph *graph, const trm_partition *partition,
                       const trm_ids *seeds) {
  for (int size = 1; size <= MAX_P; ++size) {
    pass c = {.graph = graph, .partition = partition, .seeds = seeds, .size = size};
    for (int r = 0; r < size; ++r) {
      CHECK_OK(trm_field_create(graph, partition, r, size, HOPS, seeds, &c.fields[r]));
    }
    check_fields(&c);
    for (int mean = 0; mean < 2; ++mean) {
      check_forward(&c, graph->degrees, mean);
      check_backward(&c, graph->degrees, mean);
    }
    check_drops(&c);
    for (int r = 0; r < size; ++r) trm_field_destroy(&c.fields[r]);
  }
}

/* Seeds: none at all, one, some of all ids, and some in one end of the ids, so that with the
 * contiguous order other processes have none. */
static void check_seeds(const trm_graph *graph, const trm_partition *partition) {
  const int64_t n = graph->n_nodes;
  int32_t *ids = graph_calloc(n, sizeof *ids);
  check_case(graph, partition, NULL);
  for (int kind = 0; kind < 4; ++kind) {
    trm_ids seeds = {ids, 0};
    for (int64_t i = 0; i < n; ++i) {
      const bool take = kind == 1 ? i == n / 2 : kind == 2 ? i % 5 == 2 : kind == 3 && i < n / 8;
      if (take) ids[seeds.n++] = (int32_t)i;
    }
    check_case(graph, partition, &seeds);
  }
  free(ids);
}

static void check_graphs(void) {
  static const int64_t sizes[] = {0, 1, 3, 40, 150};
  for (int s = 0; s < 5; ++s) {
    for (int kind = 0; kind < 4; ++kind) {
      test_graph g;
      graph_random(&g, sizes[s], 5, kind & 1, kind & 2, (uint64_t)(s * 4 + kind));
      trm_partition *contiguous = NULL, *metis = NULL;
      CHECK_OK(trm_partition_contiguous(&g.graph, V, &contiguous));
      CHECK_OK(trm_partition_metis(&g.graph, V, (trm_ids){0}, 1, &metis));
      check_seeds(&g.graph, contiguous);
      check_seeds(&g.graph, metis);
      trm_partition_destroy(&contiguous);
      trm_partition_destroy(&metis);
      graph_free(&g);
    }
  }
}

/* One process and the graph's own order: nothing is copied. No hops: rows alone. */
static void check_small(void) {
  test_graph g;
  trm_partition *p = NULL;
  trm_field *f = NULL;
  graph_random(&g, 50, 5, true, true, 1);
  CHECK_OK(trm_partition_contiguous(&g.graph, 4, &p));
  CHECK_OK(trm_field_create(&g.graph, p, 0, 1, 2, NULL, &f));
  CHECK(f->hops[1].in.columns == g.graph.in.columns && f->hops[1].out.map == g.graph.out.map);
  trm_field_destroy(&f);
  const int32_t seed = 3;
  const trm_ids seeds = {&seed, 1};
  for (int with = 0; with < 2; ++with) {
    CHECK_OK(trm_field_create(&g.graph, p, 0, 2, 0, with ? &seeds : NULL, &f));
    CHECK_EQ(f->n_targets, with ? 1 : p->offsets[2]);
    CHECK_EQ(f->n_inputs, f->n_targets);
    CHECK_EQ(f->inputs[0], with ? 3 : 0);
    CHECK_EQ(f->input_blocks[1], with ? 1 : p->offsets[1]);
    trm_field_destroy(&f);
  }
  CHECK_EQ(trm_field_create(&g.graph, p, 0, 2, TRM_MAX_HOPS + 1, NULL, &f), TRM_ERR_ARG);
  CHECK_EQ(trm_field_create(&g.graph, p, 2, 2, 1, NULL, &f), TRM_ERR_ARG);
  CHECK(f == NULL);
  const int64_t live = trm_alloc_counts_get().live_blocks;
  int n = 0;
  for (;; ++n) {
    trm_field *thinned = NULL;
    trm_alloc_fail_after(n);
    trm_status status = trm_field_create(&g.graph, p, 1, 2, TRM_MAX_HOPS, &seeds, &f);
    if (status == TRM_OK) status = trm_field_drop_edges(f, 0.5, 1, 1, &thinned);
    trm_alloc_fail_after(-1);
    trm_field_destroy(&f);
    trm_field_destroy(&thinned);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
    if (status == TRM_OK || n > 1000) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
  }
  CHECK(n > 100 && n <= 1000);
  trm_partition_destroy(&p);
  graph_free(&g);
}

int main(void) {
  check_graphs();
  check_small();
  return check_verdict();
}
