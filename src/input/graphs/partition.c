/** Partitions: contiguous ones, what every partition holds, and how good it is. */
#include <string.h>

#include "partition_internal.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"

trm_status trm_partition_new(int64_t n_nodes, int n_parts, trm_partition **out) {
  *out = NULL;
  if (n_parts < 1) {
    return trm_fail(TRM_ERR_ARG, "partition into %d parts, expected 1 or more", n_parts);
  }
  trm_partition *p = NULL;
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&p, 1, "partition"));
  p->n_nodes = n_nodes;
  p->n_parts = n_parts;
  TRM_TRY_OUT(TRM_ALLOC(&p->order, n_nodes, "order of nodes"));
  TRM_TRY_OUT(TRM_ALLOC(&p->part_of, n_nodes, "parts of nodes"));
  TRM_TRY_OUT(TRM_ALLOC(&p->offsets, (int64_t)n_parts + 1, "parts"));
  *out = p;
  return TRM_OK;
out:
  trm_partition_destroy(&p);
  return status;
}

void trm_partition_join(trm_partition *partition, int n) {
  TRM_ASSERT(n > 0 && partition->n_parts % n == 0);
  partition->n_parts /= n;
  for (int k = 0; k <= partition->n_parts; ++k) {
    partition->offsets[k] = partition->offsets[(int64_t)k * n];
  }
  for (int64_t i = 0; i < partition->n_nodes; ++i) partition->part_of[i] /= n;
}

void trm_partition_destroy(trm_partition **partition) {
  trm_partition *p = *partition;
  *partition = NULL;
  if (!p) return;
  TRM_FREE(p->order);
  TRM_FREE(p->part_of);
  TRM_FREE(p->offsets);
  TRM_FREE(p);
}

void trm_partition_arrange(trm_partition *p) {
  const int V = p->n_parts;
  memset(p->offsets, 0, ((size_t)V + 1) * sizeof *p->offsets);
  for (int64_t i = 0; i < p->n_nodes; ++i) ++p->offsets[p->part_of[i] + 1];
  for (int k = 0; k < V; ++k) p->offsets[k + 1] += p->offsets[k];
  /* offsets[k] walks through part k and ends where part k + 1 begins. */
  for (int64_t i = 0; i < p->n_nodes; ++i) p->order[p->offsets[p->part_of[i]]++] = (int32_t)i;
  memmove(p->offsets + 1, p->offsets, (size_t)V * sizeof *p->offsets);
  p->offsets[0] = 0;
}

trm_status trm_partition_from_parts(int64_t n_nodes, int n_parts, const int32_t *part_of,
                                    trm_partition **out) {
  TRM_TRY(trm_partition_new(n_nodes, n_parts, out));
  for (int64_t i = 0; i < n_nodes; ++i) {
    if (part_of[i] < 0 || part_of[i] >= n_parts) {
      trm_partition_destroy(out);
      return trm_fail(TRM_ERR_ARG, "partition: node %lld is in part %d of %d", (long long)i,
                      (int)part_of[i], n_parts);
    }
    (*out)->part_of[i] = part_of[i];
  }
  trm_partition_arrange(*out);
  return TRM_OK;
}

trm_status trm_partition_lead(trm_partition *partition, trm_ids ids, int64_t *n) {
  trm_partition *p = partition;
  int32_t *numbers = NULL, next = 0;
  TRM_TRY(TRM_ALLOC(&numbers, p->n_parts, "parts"));
  *n = 0;
  for (int64_t i = 0; i < ids.n; ++i) numbers[p->part_of[ids.ids[i]]] = 1;
  for (int k = 0; k < p->n_parts; ++k) *n += numbers[k];
  for (int leads = 1; leads >= 0; --leads) {
    for (int k = 0; k < p->n_parts; ++k) {
      if (numbers[k] == leads) numbers[k] = -1 - next++; /* negative: has its number */
    }
  }
  for (int64_t i = 0; i < p->n_nodes; ++i) p->part_of[i] = -1 - numbers[p->part_of[i]];
  TRM_FREE(numbers);
  trm_partition_arrange(p);
  return TRM_OK;
}

/* Cost of the first `n` nodes, doubled: a pass forward goes over the edges by target, one backward
 * over the same by source. */
static int64_t cost_of_first(const trm_graph *graph, int64_t n) {
  const int64_t *in = graph->in.offsets, *out = trm_graph_out(graph)->offsets;
  return 2 * n + (in[n] - in[0]) + (out[n] - out[0]);
}

/* The number of nodes whose cost is nearest to `wanted`, `first` or more. */
static int64_t nearest_cut(const trm_graph *graph, int64_t first, int64_t wanted) {
  int64_t low = first, high = graph->n_nodes; /* the cost of `high` is enough, or all there is */
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (cost_of_first(graph, middle) >= wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (low == first) return low;
  const int64_t over = cost_of_first(graph, low) - wanted;
  const int64_t under = wanted - cost_of_first(graph, low - 1);
  return under < over ? low - 1 : low;
}

trm_status trm_partition_contiguous(const trm_graph *graph, int n_parts, trm_partition **out) {
  TRM_TRY(trm_partition_new(graph->n_nodes, n_parts, out));
  trm_partition *p = *out;
  const int64_t total = graph->n_nodes > 0 ? cost_of_first(graph, graph->n_nodes) : 0;
  for (int k = 1; k < n_parts && total > 0; ++k) {
    p->offsets[k] = nearest_cut(graph, p->offsets[k - 1], trm_share_begin(total, k, n_parts));
  }
  p->offsets[n_parts] = graph->n_nodes;
  for (int k = 0; k < n_parts; ++k) {
    for (int64_t i = p->offsets[k]; i < p->offsets[k + 1]; ++i) {
      p->order[i] = (int32_t)i;
      p->part_of[i] = k;
    }
  }
  return TRM_OK;
}

/* Greatest over mean; 1 when there is nothing to share out. */
static double imbalance(const int64_t *counts, int n) {
  int64_t total = 0, greatest = 0;
  for (int k = 0; k < n; ++k) {
    total += counts[k];
    if (counts[k] > greatest) greatest = counts[k];
  }
  return total > 0 ? (double)greatest * n / (double)total : 1;
}

/* Edges into part k, those from other parts, and the nodes these come from (each once: seen[] is the
 * part that met a node last). */
static void measure_part(const trm_graph *graph, const trm_partition *p, int k, int32_t *seen,
                         int64_t *n_edges, int64_t *n_cut, int64_t *n_halo) {
  *n_edges = 0;
  for (int64_t at = p->offsets[k]; at < p->offsets[k + 1]; ++at) {
    const int32_t i = p->order[at];
    *n_edges += graph->in.offsets[i + 1] - graph->in.offsets[i];
    for (int64_t e = graph->in.offsets[i]; e < graph->in.offsets[i + 1]; ++e) {
      const int32_t j = graph->in.columns[e];
      if (p->part_of[j] == k) continue;
      ++*n_cut;
      if (seen[j] == k + 1) continue;
      seen[j] = k + 1;
      ++*n_halo;
    }
  }
}

trm_status trm_partition_measure(const trm_graph *graph, const trm_partition *partition,
                                 trm_ids balance, trm_partition_quality *quality) {
  const int V = partition->n_parts;
  const int64_t n = graph->n_nodes;
  int32_t *seen = NULL;
  int64_t *counts = NULL; /* [3][V] nodes, edges, nodes of `balance` */
  trm_status status = TRM_OK;
  int64_t n_edges = 0, n_cut = 0, n_halo = 0;
  TRM_TRY_OUT(TRM_ALLOC(&seen, n, "marks of nodes"));
  TRM_TRY_OUT(TRM_ALLOC(&counts, 3 * (int64_t)V, "sizes of parts"));
  for (int k = 0; k < V; ++k) {
    counts[k] = partition->offsets[k + 1] - partition->offsets[k];
    measure_part(graph, partition, k, seen, &counts[V + k], &n_cut, &n_halo);
    n_edges += counts[V + k];
  }
  for (int64_t i = 0; i < balance.n; ++i) ++counts[2 * V + partition->part_of[balance.ids[i]]];
  *quality = (trm_partition_quality){
      .cut_share = n_edges > 0 ? (double)n_cut / (double)n_edges : 0,
      .halo_factor = n > 0 ? (double)(n + n_halo) / (double)n : 1,
      .node_imbalance = imbalance(counts, V),
      .edge_imbalance = imbalance(counts + V, V),
      .balance_imbalance = imbalance(counts + 2 * (int64_t)V, V),
  };
out:
  TRM_FREE(seen);
  TRM_FREE(counts);
  return status;
}
