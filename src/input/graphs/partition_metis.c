/**
 * Partitions by METIS: few edges between parts, parts balanced on nodes, edges and chosen nodes.
 * Source: Karypis, Kumar 1998, "A fast and high quality multilevel scheme for partitioning irregular
 * graphs", SIAM J. Sci. Comput. 20(1); several balance constraints: the same 1998, SC'98.
 *
 * METIS wants a symmetric graph without self-loops. One that has edges in one direction only gets
 * the others, and an edge weighs 1 for each direction that the graph has, so that what is cut is
 * counted as it will be paid for.
 */
#include <inttypes.h>
#include <limits.h>
#include <metis.h>
#include <string.h>

#include "partition_internal.h"
#include "trireme/core/memory.h"

#if IDXTYPEWIDTH != 32 && IDXTYPEWIDTH != 64
#error "METIS counts in 32 or 64 bits"
#endif
_Static_assert(sizeof(idx_t) * CHAR_BIT == IDXTYPEWIDTH, "metis.h and its idx_t agree");

static bool fits(int64_t n) {
  return n == (int64_t)(idx_t)n;
}

typedef struct job {
  idx_t *offsets, *columns, *weights; /* the symmetric graph; weights NULL: all 1 */
  idx_t *sizes;                       /* [n, n_constraints] */
  idx_t n_constraints;
  idx_t *parts; /* [n] */
} job;

static void job_free(job *j) {
  TRM_FREE(j->offsets);
  TRM_FREE(j->columns);
  TRM_FREE(j->weights);
  TRM_FREE(j->sizes);
  TRM_FREE(j->parts);
}

static trm_status too_large(int64_t n_edges) {
  return trm_fail(TRM_ERR_DATA,
                  "partition: %" PRId64
                  " edges are more than METIS as built here can count (%d bits); "
                  "use a contiguous partition (data.partition: contiguous, --method contiguous), "
                  "or a METIS of IDXTYPEWIDTH 64",
                  n_edges, IDXTYPEWIDTH);
}

/* The neighbours of node i in either direction, each once, rising; counts them, and writes them when
 * `columns` is not NULL. Rows rise, so this is a merge. */
static int64_t merge_neighbors(const trm_csr *in, const trm_csr *out, int64_t i, idx_t *columns,
                               idx_t *weights) {
  int64_t a = in->offsets[i], b = out->offsets[i], n = 0;
  const int64_t a_end = in->offsets[i + 1], b_end = out->offsets[i + 1];
  while (a < a_end || b < b_end) {
    const int64_t from = a < a_end ? in->columns[a] : INT64_MAX;
    const int64_t to = b < b_end ? out->columns[b] : INT64_MAX;
    const int64_t neighbor = from < to ? from : to;
    int64_t weight = 0;
    for (; a < a_end && in->columns[a] == neighbor; ++a) ++weight;
    for (; b < b_end && out->columns[b] == neighbor; ++b) ++weight;
    if (neighbor == i) continue;
    if (columns) columns[n] = (idx_t)neighbor;
    if (weights) weights[n] = (idx_t)weight;
    ++n;
  }
  return n;
}

static trm_status make_symmetric(const trm_graph *graph, job *j) {
  const trm_csr *in = &graph->in, *out = trm_graph_out(graph);
  const int64_t n = graph->n_nodes;
  int64_t n_edges = 0;
  TRM_TRY(TRM_ALLOC(&j->offsets, n + 1, "graph for METIS"));
  for (int64_t i = 0; i < n; ++i) {
    n_edges += merge_neighbors(in, out, i, NULL, NULL);
    if (!fits(n_edges)) return too_large(in->n_edges);
    j->offsets[i + 1] = (idx_t)n_edges;
  }
  TRM_TRY(TRM_ALLOC(&j->columns, n_edges, "graph for METIS"));
  if (!graph->symmetric) TRM_TRY(TRM_ALLOC(&j->weights, n_edges, "graph for METIS"));
  for (int64_t i = 0; i < n; ++i) {
    (void)merge_neighbors(in, out, i, j->columns + j->offsets[i],
                          j->weights ? j->weights + j->offsets[i] : NULL);
  }
  return TRM_OK;
}

/* What the parts shall have equal shares of: nodes, edges, and the nodes in `balance`; those that
 * nobody has are left out. */
static trm_status weigh_nodes(const trm_graph *graph, trm_ids balance, job *j) {
  const int64_t n = graph->n_nodes;
  const int C = balance.n > 0 ? 3 : 2;
  j->n_constraints = (idx_t)C;
  TRM_TRY(TRM_ALLOC(&j->sizes, n * C, "weights of nodes for METIS"));
  for (int64_t i = 0; i < n; ++i) {
    j->sizes[i * C] = 1;
    j->sizes[i * C + 1] = j->offsets[i + 1] - j->offsets[i];
  }
  for (int64_t b = 0; b < balance.n; ++b) j->sizes[balance.ids[b] * C + 2] = 1;
  return TRM_OK;
}

/* What METIS made of the nodes; a library of another idx_t than metis.h would show here. */
static trm_status take_parts(const job *j, trm_partition *p) {
  for (int64_t i = 0; i < p->n_nodes; ++i) {
    if (j->parts[i] < 0 || j->parts[i] >= p->n_parts) {
      return trm_fail(TRM_ERR_INTERNAL,
                      "METIS: node %" PRId64 " is in part %" PRId64
                      " of %d; is libmetis the one that metis.h belongs to?",
                      i, (int64_t)j->parts[i], p->n_parts);
    }
    p->part_of[i] = (int32_t)j->parts[i];
  }
  trm_partition_arrange(p);
  return TRM_OK;
}

static trm_status call_metis(int64_t n_nodes, int n_parts, uint64_t seed, job *j) {
  idx_t options[METIS_NOPTIONS], n = (idx_t)n_nodes, V = n_parts, cut = 0;
  METIS_SetDefaultOptions(options);
  options[METIS_OPTION_SEED] = (idx_t)(seed % INT32_MAX);
  options[METIS_OPTION_NUMBERING] = 0;
  const int result = METIS_PartGraphKway(&n, &j->n_constraints, j->offsets, j->columns, j->sizes,
                                         NULL, j->weights, &V, NULL, NULL, options, &cut, j->parts);
  if (result == METIS_OK) return TRM_OK;
  if (result == METIS_ERROR_MEMORY) {
    return trm_fail(TRM_ERR_MEMORY,
                    "METIS: no memory for %" PRId64 " nodes and %" PRId64
                    " edges; use a contiguous partition",
                    n_nodes, (int64_t)j->offsets[n_nodes]);
  }
  return trm_fail(TRM_ERR_INTERNAL,
                  "METIS: gave up with code %d on %" PRId64
                  " nodes in %d parts, by an error of its "
                  "own or by SIGTERM; a contiguous partition needs no METIS",
                  result, n_nodes, n_parts);
}

trm_status trm_partition_metis(const trm_graph *graph, int n_parts, trm_ids balance, uint64_t seed,
                               trm_partition **out) {
  const int64_t n = graph->n_nodes;
  *out = NULL;
  if (graph->symmetric && !fits(graph->in.n_edges)) return too_large(graph->in.n_edges);
  if (n_parts == 1 || n <= n_parts) return trm_partition_contiguous(graph, n_parts, out);
  job j = {0};
  trm_status status = TRM_OK;
  TRM_TRY(trm_partition_new(n, n_parts, out));
  TRM_TRY_OUT(make_symmetric(graph, &j));
  if (j.offsets[n] == 0) { /* no edges, or self-loops alone */
    trm_partition_destroy(out);
    status = trm_partition_contiguous(graph, n_parts, out);
    goto out;
  }
  TRM_TRY_OUT(weigh_nodes(graph, balance, &j));
  TRM_TRY_OUT(TRM_ALLOC(&j.parts, n, "parts of nodes"));
  TRM_TRY_OUT(call_metis(n, n_parts, seed, &j));
  status = take_parts(&j, *out);
out:
  job_free(&j);
  if (status != TRM_OK) trm_partition_destroy(out);
  return status;
}
