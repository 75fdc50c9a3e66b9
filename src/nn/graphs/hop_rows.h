/** What operators on a hop share: rows of others beside the own ones, and small hops for samples. */
#ifndef TRIREME_NN_HOP_ROWS_H
#define TRIREME_NN_HOP_ROWS_H

#include "tape_internal.h"
#include "trireme/nn/graph.h"

/** Takes n elements of scratch, 64-byte aligned, and moves on. */
trm_real *trm_scratch_take(trm_real **scratch, int64_t n);
/** What that takes of the scratch. */
int64_t trm_scratch_cost(int64_t n);

/** Tells the exchange, if there is one, that rows of C will be fetched. */
void trm_exchange_expect(const trm_row_exchange *exchange, int64_t C);
/** Elements of scratch that trm_hop_sources and trm_hop_targets take for rows of C; tells the exchange. */
int64_t trm_hop_sources_cost(const trm_hop *hop, int64_t C);
int64_t trm_hop_targets_cost(const trm_hop *hop, int64_t C);
/**
 * Rows of all sources from the own ones x[out.n_rows, C]: x itself, or with an exchange a copy in the
 * scratch that is filled up. Collective then, over those who share the graph.
 */
const trm_real *trm_hop_sources(const trm_hop *hop, const trm_real *x, int64_t C,
                                trm_real **scratch);
/** Rows of all targets from the own ones dy[in.n_rows, C]; as above. */
const trm_real *trm_hop_targets(const trm_hop *hop, const trm_real *dy, int64_t C,
                                trm_real **scratch);
/** Rows of `out` that have a self: the first so many (trm_spmm's n_self). */
int64_t trm_hop_n_self_of(const trm_hop *hop);

/** The rule of all operators on a hop: x has a row for each source, the result for each target. */
trm_status trm_hop_shape(const trm_node *node, const trm_hop *hop, trm_shape *shape);

/** A hop for the gradient check, from random edges; valid until the next call. */
typedef struct trm_case_graph {
  int64_t n_sources, n_targets, n_edges; /* at most 16, 16, 48 */
  bool weighted;
  bool sampled; /* fewer edges in the hop than in the whole graph */
  bool shifted; /* target i is source n_sources - 1 - i, not source i */
} trm_case_graph;
const trm_hop *trm_case_hop(trm_op_case *c, const trm_case_graph *graph);

#endif
