/** The last hop to the nodes of a batch of pairs alone: pair_hop.c. */
#ifndef TRIREME_INPUT_PAIR_HOP_INTERNAL_H
#define TRIREME_INPUT_PAIR_HOP_INTERNAL_H

#include "trireme/input/batching.h"

typedef struct trm_pair_hop {
  int64_t *in_offsets, *out_offsets;
  int32_t *in_columns, *out_columns;
  float *degrees, *counts; /* [nodes of the batch] */
  trm_hop hop;
} trm_pair_hop;

/** Numbers of nodes in the collection of a batch. */
typedef struct trm_pair_numbers {
  const int32_t *place;    /* [n_nodes] of a node in the partition's order */
  const int32_t *of_place; /* [n_nodes] number of a place, -1: not in the batch */
  int32_t *columns;        /* [columns of the whole hop's `out`] scratch */
} trm_pair_numbers;

/** Counts that no batch of B pairs exceeds, for collections within `most`. */
trm_status trm_pair_hop_bounds(const trm_pair_batching *way, int64_t B, const trm_collection *most,
                               trm_hop *hop);
/** Memory for hops within `most`; after a failure too for trm_pair_hop_release. */
trm_status trm_pair_hop_init(const trm_pair_batching *way, const trm_hop *most, trm_pair_hop *hop);
void trm_pair_hop_release(trm_pair_hop *hop);
/** For the collection of a batch, whose nodes are ids[collection->n] and have their numbers; ids are kept
 *  until the hop is made anew. */
void trm_pair_hop_make(const trm_pair_batching *way, uint64_t seed, int64_t step,
                       const trm_collection *collection, const int32_t *ids,
                       const trm_pair_numbers *numbers, trm_pair_hop *hop);

#endif
