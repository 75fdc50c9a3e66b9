/** A graph data set as the ranks of a run hold it (data.storage). */
#ifndef TRIREME_TRAIN_GRAPH_STORE_H
#define TRIREME_TRAIN_GRAPH_STORE_H

#include "trireme/comm/comm.h"
#include "trireme/comm/fetch.h"
#include "trireme/comm/shared.h"
#include "trireme/core/config.h"
#include "trireme/input/graph.h"
#include "trireme/input/partition.h"
#include "trireme/model/model.h"

/** Keys of a graph's memory, of its order, and of batches whose features other ranks have. */
extern const trm_config_rows trm_graph_store_keys, trm_graph_partition_keys, trm_graph_halo_keys;

typedef struct trm_graph_store {
  const trm_graph *graph;  /* of the data set that the task has opened */
  trm_shared *shared;      /* NULL: every rank has a copy */
  trm_graph_memory memory; /* where `shared` is */
  bool partitioned;        /* features stay in the file until each rank reads its own */
} trm_graph_store;

/** Opens a data set of the task's kind: keeps it in `self` and gives its graph. Called once on each rank,
 *  as collective as `memory` (trm_graph_open). */
typedef trm_status (*trm_graph_opener)(void *self, const char *path, const trm_graph_memory *memory,
                                       bool features, const trm_graph **graph);

/** Opens data.path. Collective; the status is the same on all ranks. After a failure too, the task closes
 *  its data set and then the store. */
trm_status trm_graph_store_open(trm_comm *comm, const trm_config *config, trm_graph_opener open,
                                void *self, trm_graph_store *store);
/** The data set must be closed before. */
void trm_graph_store_close(trm_graph_store *store); /* collective */
/** Layers of message passing of a model, which hops have room for. @return TRM_ERR_CONFIG */
trm_status trm_graph_hops(const trm_model *model, int *n_hops);
/**
 * A partition of the graph, the same on all ranks: contiguous, which each rank works out, or of METIS
 * (data.partition), which takes much memory and time: rank 0 calls it and tells the others.
 * Collective, and so is what went wrong on any rank; pauses the watch for METIS.
 * @param before what this rank did before, agreed on first: with an error none partitions
 */
trm_status trm_graph_store_partition(trm_comm *comm, const trm_graph_store *store, bool metis,
                                     int64_t n_parts, trm_ids balance, trm_status before,
                                     trm_partition **out);
/** Whether data.partition is `metis`. */
bool trm_graph_store_metis(const trm_config *config);
/** Bytes that the ranks of this host share. */
int64_t trm_graph_store_host_bytes(const trm_graph_store *store);

#endif
