/* Partitions: shares of the cost, METIS on all sorts of graphs, measures against plain loops. */
#include <math.h>

#include "random_graph.h"
#include "trireme/core/memory.h"
#include "trireme/input/partition.h"

/* Each node once, parts contiguous in the order, nodes rising inside a part. */
static void check_form(const trm_partition *p, int64_t n, int V) {
  CHECK_EQ(p->n_nodes, n);
  CHECK_EQ(p->n_parts, V);
  CHECK_EQ(p->offsets[0], 0);
  CHECK_EQ(p->offsets[V], n);
  for (int k = 0; k < V; ++k) {
    CHECK(p->offsets[k] <= p->offsets[k + 1]);
    for (int64_t at = p->offsets[k]; at < p->offsets[k + 1]; ++at) {
      CHECK_EQ(p->part_of[p->order[at]], k);
      if (at > p->offsets[k]) CHECK(p->order[at - 1] < p->order[at]);
    }
  }
}

/* By definition, from a matrix of all pairs. */
static void check_measure(const trm_graph *g, const trm_partition *p, trm_ids balance) {
  const int64_t n = g->n_nodes;
  const int V = p->n_parts;
  bool *needs = graph_calloc(V * n, sizeof(bool));
  double *sizes = graph_calloc(3 * V, sizeof(double)), most[3] = {0}, all[3] = {0}, cut = 0;
  for (int64_t i = 0; i < n; ++i) {
    sizes[p->part_of[i]] += 1;
    needs[p->part_of[i] * n + i] = true;
    for (int64_t e = g->in.offsets[i]; e < g->in.offsets[i + 1]; ++e) {
      sizes[V + p->part_of[i]] += 1;
      needs[p->part_of[i] * n + g->in.columns[e]] = true;
      cut += p->part_of[g->in.columns[e]] != p->part_of[i];
    }
  }
  for (int64_t i = 0; i < balance.n; ++i) sizes[2 * V + p->part_of[balance.ids[i]]] += 1;
  int64_t n_needs = 0;
  for (int64_t i = 0; i < V * n; ++i) n_needs += needs[i];
  for (int k = 0; k < 3 * V; ++k) {
    most[k / V] = fmax(most[k / V], sizes[k]);
    all[k / V] += sizes[k];
  }
  trm_partition_quality q;
  CHECK_OK(trm_partition_measure(g, p, balance, &q));
  CHECK_NEAR(q.cut_share, all[1] > 0 ? cut / all[1] : 0, 1e-12);
  CHECK_NEAR(q.halo_factor, n > 0 ? (double)n_needs / (double)n : 1, 1e-12);
  CHECK_NEAR(q.node_imbalance, all[0] > 0 ? most[0] * V / all[0] : 1, 1e-12);
  CHECK_NEAR(q.edge_imbalance, all[1] > 0 ? most[1] * V / all[1] : 1, 1e-12);
  CHECK_NEAR(q.balance_imbalance, all[2] > 0 ? most[2] * V / all[2] : 1, 1e-12);
  free(needs);
  free(sizes);
}

static void check_same(const trm_partition *a, const trm_partition *b) {
  CHECK_EQ(memcmp(a->order, b->order, (size_t)a->n_nodes * sizeof *a->order), 0);
  CHECK_EQ(memcmp(a->part_of, b->part_of, (size_t)a->n_nodes * sizeof *a->part_of), 0);
}

static int64_t cost(const trm_graph *g, int64_t i) {
  return 2 + g->in.offsets[i + 1] - g->in.offsets[i] + g->out.offsets[i + 1] - g->out.offsets[i];
}

/* No other place of a cut would be nearer to its share of the cost. */
static void check_contiguous(const trm_graph *g, int V) {
  trm_partition *p = NULL;
  CHECK_OK(trm_partition_contiguous(g, V, &p));
  check_form(p, g->n_nodes, V);
  int64_t total = 0, before = 0;
  for (int64_t i = 0; i < g->n_nodes; ++i) {
    CHECK_EQ(p->order[i], i);
    total += cost(g, i);
  }
  for (int k = 0; k + 1 < V && g->n_nodes > 0; ++k) {
    const int64_t cut = p->offsets[k + 1];
    for (int64_t i = p->offsets[k]; i < cut; ++i) before += cost(g, i);
    const double want = (double)total / V * (k + 1), off = fabs((double)before - want) - 1;
    if (cut < g->n_nodes) CHECK(fabs((double)(before + cost(g, cut)) - want) >= off);
    if (cut > p->offsets[k]) CHECK(fabs((double)(before - cost(g, cut - 1)) - want) >= off);
  }
  check_measure(g, p, (trm_ids){0});
  trm_partition_destroy(&p);
  CHECK(p == NULL);
}

static void check_metis(const trm_graph *g, int V, trm_ids balance) {
  trm_partition *p = NULL, *again = NULL;
  if (!CHECK_OK(trm_partition_metis(g, V, balance, 7, &p))) return;
  CHECK_OK(trm_partition_metis(g, V, balance, 7, &again));
  check_form(p, g->n_nodes, V);
  check_same(p, again);
  check_measure(g, p, balance);
  trm_partition_destroy(&again);
  CHECK_OK(trm_partition_from_parts(g->n_nodes, V, p->part_of, &again));
  check_form(again, g->n_nodes, V);
  check_same(p, again);
  trm_partition_destroy(&p);
  trm_partition_destroy(&again);
}

static void check_random(void) {
  static const int64_t sizes[] = {1, 2, 5, 33, 200};
  static const int parts[] = {1, 2, 3, 8, 40};
  for (int s = 0; s < 5; ++s) {
    for (int kind = 0; kind < 4; ++kind) {
      test_graph g;
      graph_random(&g, sizes[s], 6, kind & 1, kind & 2, (uint64_t)(s * 4 + kind));
      int32_t *ids = graph_calloc(sizes[s], sizeof(int32_t));
      int64_t n = 0;
      for (int64_t i = 0; i < sizes[s]; i += 3) ids[n++] = (int32_t)i;
      for (int v = 0; v < 5; ++v) {
        check_contiguous(&g.graph, parts[v]);
        check_metis(&g.graph, parts[v], (trm_ids){0});
        check_metis(&g.graph, parts[v], (trm_ids){ids, n});
      }
      free(ids);
      graph_free(&g);
    }
  }
}

/* Eight communities whose members are scattered over the ids: METIS finds them, ids do not. In the
 * directed graph an edge has one direction only, in which a node cannot see its neighbours. */
static void check_communities(bool directed) {
  enum { N = 800, K = 8 };
  float *has = graph_calloc(N * N, sizeof(float));
  uint64_t state = 5;
  for (int k = 0; k < N * 8; ++k) {
    const int64_t i = graph_below(&state, N), far = graph_below(&state, N);
    const int64_t j = k % 20 == 0 ? far : far / K * K + i % K;
    if (i == j) continue;
    has[i * N + j] = 1;
    if (!directed) has[j * N + i] = 1;
  }
  test_graph g;
  graph_from_matrix(&g, N, has, false);
  CHECK_EQ(g.graph.symmetric, !directed);
  int32_t training[N / 4];
  for (int i = 0; i < N / 4; ++i) training[i] = i; /* all in the first quarter of the ids */
  const trm_ids balance = {training, N / 4};
  trm_partition *metis = NULL, *contiguous = NULL;
  trm_partition_quality m, c;
  CHECK_OK(trm_partition_metis(&g.graph, K, balance, 1, &metis));
  CHECK_OK(trm_partition_contiguous(&g.graph, K, &contiguous));
  CHECK_OK(trm_partition_measure(&g.graph, metis, balance, &m));
  CHECK_OK(trm_partition_measure(&g.graph, contiguous, balance, &c));
  CHECK_NEAR(m.cut_share, 0.05, 0.03);
  CHECK(c.cut_share > 0.8);
  CHECK(m.halo_factor < c.halo_factor);
  CHECK(m.node_imbalance < 1.1 && m.edge_imbalance < 1.1 && m.balance_imbalance < 1.15);
  CHECK(c.balance_imbalance > 3);
  trm_partition_destroy(&metis);
  trm_partition_destroy(&contiguous);
  graph_free(&g);
  free(has);
}

/* Nodes in `balance` that lie in one of two communities are shared out, at the price of a cut. */
static void check_balance(void) {
  enum { N = 200 };
  float *has = graph_calloc(N * N, sizeof(float));
  uint64_t state = 9;
  for (int k = 0; k < N * 6; ++k) {
    const int64_t i = graph_below(&state, N), j = graph_below(&state, N) / 2 * 2 + i % 2;
    if (i != j) has[i * N + j] = has[j * N + i] = 1;
  }
  test_graph g;
  graph_from_matrix(&g, N, has, false);
  int32_t odd[N / 2];
  for (int i = 0; i < N / 2; ++i) odd[i] = 2 * i + 1;
  for (int with = 0; with < 2; ++with) {
    trm_partition *p = NULL;
    trm_partition_quality q;
    CHECK_OK(trm_partition_metis(&g.graph, 2, (trm_ids){odd, with ? N / 2 : 0}, 1, &p));
    CHECK_OK(trm_partition_measure(&g.graph, p, (trm_ids){odd, N / 2}, &q));
    CHECK_NEAR(q.balance_imbalance, with ? 1 : 2, 0.1);
    CHECK(q.node_imbalance < 1.1 && q.edge_imbalance < 1.1);
    trm_partition_destroy(&p);
  }
  graph_free(&g);
  /* Self-loops make no difference. */
  trm_partition *without = NULL, *loops = NULL;
  graph_from_matrix(&g, N, has, false);
  CHECK_OK(trm_partition_metis(&g.graph, 5, (trm_ids){0}, 1, &without));
  graph_free(&g);
  for (int i = 0; i < N; i += 2) has[i * N + i] = 1;
  graph_from_matrix(&g, N, has, false);
  CHECK_OK(trm_partition_metis(&g.graph, 5, (trm_ids){0}, 1, &loops));
  check_same(without, loops);
  trm_partition_destroy(&without);
  trm_partition_destroy(&loops);
  graph_free(&g);
  free(has);
}

static void check_odd_graphs(void) {
  static const int64_t none[51] = {0};
  trm_graph empty = {.symmetric = true, .in = {.offsets = none}, .out = {.offsets = none}};
  for (int64_t n = 0; n <= 50; n += 50) { /* no nodes; isolated ones alone */
    empty.n_nodes = empty.in.n_rows = empty.in.n_columns = n;
    for (int V = 1; V <= 4; ++V) {
      check_metis(&empty, V, (trm_ids){0});
      check_contiguous(&empty, V);
    }
  }
  float loops[100] = {0};
  for (int i = 0; i < 10; ++i) loops[i * 11] = 1;
  test_graph g;
  graph_from_matrix(&g, 10, loops, false);
  check_metis(&g.graph, 3, (trm_ids){0});
  loops[1] = loops[10] = 1; /* and one edge */
  graph_free(&g);
  graph_from_matrix(&g, 10, loops, false);
  check_metis(&g.graph, 3, (trm_ids){0});
  graph_free(&g);
  for (int64_t i = 0; i < 10; ++i) loops[i] = loops[10 * i] = 1; /* a star */
  graph_from_matrix(&g, 10, loops, false);
  check_metis(&g.graph, 3, (trm_ids){0});
  check_contiguous(&g.graph, 3);
  graph_free(&g);
}

static void check_failures(void) {
  /* Refused by its counts alone, before anything is read. */
  trm_graph large = {.n_nodes = 100, .symmetric = true, .in = {.n_edges = INT64_C(1) << 40}};
  trm_partition *p = NULL;
  CHECK_EQ(trm_partition_metis(&large, 2, (trm_ids){0}, 1, &p), TRM_ERR_DATA);
  CHECK_HAS(trm_message(), "1099511627776 edges");
  CHECK_HAS(trm_message(), "data.partition: contiguous");
  CHECK(p == NULL);
  test_graph g;
  graph_random(&g, 60, 5, true, false, 3);
  CHECK_EQ(trm_partition_contiguous(&g.graph, 0, &p), TRM_ERR_ARG);
  CHECK_EQ(trm_partition_metis(&g.graph, 0, (trm_ids){0}, 1, &p), TRM_ERR_ARG);
  for (int32_t part = -1; part < 3; part += 3) {
    CHECK_EQ(trm_partition_from_parts(2, 2, (int32_t[]){1, part}, &p), TRM_ERR_ARG);
    CHECK_HAS(trm_message(), part < 0 ? "node 1 is in part -1 of 2" : "node 1 is in part 2 of 2");
    CHECK(p == NULL);
  }
  const int64_t live = trm_alloc_counts_get().live_blocks;
  int n = 0;
  for (;; ++n) {
    trm_alloc_fail_after(n);
    const trm_status status = trm_partition_metis(&g.graph, 3, (trm_ids){0}, 1, &p);
    trm_alloc_fail_after(-1);
    if (status == TRM_OK || n > 50) break;
    CHECK_EQ(status, TRM_ERR_MEMORY);
    CHECK(p == NULL);
    CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  }
  CHECK(n > 5 && n <= 50);
  trm_partition_destroy(&p);
  trm_partition_destroy(&p);
  CHECK_EQ(trm_alloc_counts_get().live_blocks, live);
  graph_free(&g);
}

/* Joined parts keep the order of nodes; parts that lead keep theirs among each other. */
static void check_join_and_lead(void) {
  static const int32_t part_of[] = {5, 0, 3, 2, 0, 5, 1, 4}, joined[] = {2, 0, 1, 1, 0, 2, 0, 2};
  static const int32_t order[] = {1, 4, 6, 3, 2, 7, 0, 5}, ids[] = {2, 7};
  trm_partition *p = NULL;
  if (!CHECK_OK(trm_partition_from_parts(8, 6, part_of, &p))) return;
  trm_partition_join(p, 2);
  CHECK_EQ(p->n_parts, 3);
  for (int i = 0; i < 8; ++i) {
    CHECK_EQ(p->order[i], order[i]);
    CHECK_EQ(p->part_of[i], joined[i]);
  }
  const int64_t ends[] = {0, 3, 5, 8};
  for (int k = 0; k <= 3; ++k) CHECK_EQ(p->offsets[k], ends[k]);
  trm_partition_destroy(&p);
  if (!CHECK_OK(trm_partition_from_parts(8, 6, part_of, &p))) return;
  int64_t n = -1;
  CHECK_OK(trm_partition_lead(p, (trm_ids){ids, 2}, &n)); /* parts 3 and 4 have them */
  CHECK_EQ(n, 2);
  static const int32_t numbers[] = {2, 3, 4, 0, 1, 5};
  for (int i = 0; i < 8; ++i) CHECK_EQ(p->part_of[i], numbers[part_of[i]]);
  check_form(p, 8, 6);
  CHECK_OK(trm_partition_lead(p, (trm_ids){0}, &n));
  CHECK_EQ(n, 0);
  for (int i = 0; i < 8; ++i) CHECK_EQ(p->part_of[i], numbers[part_of[i]]);
  trm_alloc_fail_after(0);
  CHECK_EQ(trm_partition_lead(p, (trm_ids){ids, 2}, &n), TRM_ERR_MEMORY);
  trm_alloc_fail_after(-1);
  trm_partition_destroy(&p);
}

int main(void) {
  check_join_and_lead();
  check_random();
  check_communities(false);
  check_communities(true);
  check_balance();
  check_odd_graphs();
  check_failures();
  return check_verdict();
}
