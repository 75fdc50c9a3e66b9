/**
 * Fields: what one process holds of a whole graph that is shared out by parts, for passes over the
 * graph as a whole. Process r of P owns the contiguous parts (blocks) [r V / P, (r + 1) V / P) of a
 * partition into V. Rows of a layer are its own nodes in the partition's order, so that each block's
 * rows are contiguous; columns of others (the halo) follow, by owner, then in the partition's order.
 *
 * With `seeds`, rows are only those whose value the seeds depend on: the last layer has the seeds, the
 * one before their sources and themselves, and so on. Without, every layer has every own node.
 * Not collective; every process makes its own from the same graph and partition.
 */
#ifndef TRIREME_INPUT_FIELD_H
#define TRIREME_INPUT_FIELD_H

#include "trireme/input/neighbor_sampler.h"
#include "trireme/input/partition.h"

/** Halo of one direction of one hop. */
typedef struct trm_halo_plan {
  int64_t n_own, n_halo;
  const int32_t *halo; /* [n_halo] node ids, by owner */
  const int64_t *from; /* [P + 1] which of them each process owns */
  const int32_t *own;  /* [n_own] node ids of own rows, in order of rows */
} trm_halo_plan;

typedef struct trm_field {
  int n_hops;
  trm_hop hops[TRM_MAX_HOPS]; /* exchanges are NULL: `train` joins them to `comm` */
  trm_halo_plan in_halo[TRM_MAX_HOPS], out_halo[TRM_MAX_HOPS];
  bool same_hops;               /* all hops are one: no seeds */
  int64_t n_inputs;             /* own rows that enter the first hop */
  const int32_t *inputs;        /* [n_inputs] their node ids */
  const int64_t *input_blocks;  /* [n_local + 1] first row of each own block among the inputs */
  int64_t n_targets;            /* own rows that leave the last hop */
  const int32_t *targets;       /* [n_targets] node ids */
  const int64_t *target_blocks; /* [n_local + 1] */
  int64_t first_block, n_local;
  void *owned;
} trm_field;

/**
 * The field of process `rank` of `size`. Graph and partition are kept: they must outlive the field.
 *
 * @param n_hops  layers of the model; 0: rows alone
 * @param seeds   rising ids of nodes whose outputs are needed; may be empty; NULL: all nodes
 * @return TRM_ERR_ARG for more hops than TRM_MAX_HOPS or a rank outside [0, size)
 *
 * Cost: two passes over the process's own edges for each hop (one hop without seeds), and with seeds
 * one over the edges of all nodes within n_hops - 1 of a seed.
 */
trm_status trm_field_create(const trm_graph *graph, const trm_partition *partition, int rank,
                            int size, int n_hops, const trm_ids *seeds, trm_field **out);
/**
 * A field of the same rows with edges left out with probability p, keyed by (seed, step, target,
 * source): for DropEdge. Halo and numbers of rows stay as they are, so that the exchanges that were
 * joined to `field` serve here too: hops are copied with them at every call. Sets target_counts.
 *
 * @param p        in [0, 1]
 * @param thinned  NULL at the first call, which takes memory; later ones do not. `field` must
 *                 outlive it
 *
 * Cost: one random number for each edge of `in`, of `out`, and of the targets' rows.
 */
trm_status trm_field_drop_edges(const trm_field *field, double p, uint64_t seed, int64_t step,
                                trm_field **thinned);
/**
 * A field of the same rows as it was on `day`, of a symmetric graph without weights or seeds: edges with
 * days[edge] < day, of which some are left out as by trm_field_drop_edges. Degrees are those of that day.
 *
 * @param days  [edges of the graph, as rows of `in` have them]
 * @param past  as `thinned`
 *
 * Cost: three to four passes over the edges of own rows and of their columns.
 */
trm_status trm_field_before(const trm_field *field, const int32_t *days, int64_t day, double p,
                            uint64_t seed, int64_t step, trm_field **past);
/** NULL is accepted; sets NULL. */
void trm_field_destroy(trm_field **field);

#endif
