/** A graph on its way from tables to a data set: what has been read of it. */
#ifndef TRIREME_PREPARE_GRAPH_JOB_INTERNAL_H
#define TRIREME_PREPARE_GRAPH_JOB_INTERNAL_H

#include "graph_text_internal.h"
#include "prepare_internal.h"
#include "trireme/prepare/graphs.h"

typedef struct trm_graph_job {
  const trm_prepare_graph_options *options;
  trm_scan_progress progress;
  trm_id_limit nodes;
  trm_id_map map;
  trm_edge_facts facts; /* of the edges */
  int32_t *dense_ids;   /* [rows of dense] their nodes, where ids are names */
  int64_t n_dense;
  int64_t n_nodes; /* in the tables; before some are kept */
  trm_edge_list edges;
  trm_triples triples;
  float *dense;
  int64_t n_columns; /* of dense */
  trm_text_labels labels;
  int n_splits;
  uint8_t **subsets; /* [n_splits][n_nodes]: 0, or subset + 1 */
  int32_t *new_ids;
  int64_t n_kept;
  /* what is written */
  int64_t *offsets, *feature_offsets;
  int32_t *sources, **ids;             /* [n_splits][n_kept] */
  trm_buffer name_offsets, name_bytes; /* of nodes whose ids are others than in the tables */
  float *weights;
  trm_ids *splits;
} trm_graph_job;

/** The table that notes about ids begin with. */
const char *trm_graph_job_label(const trm_graph_job *job);

/* ---- graph_read.c ----------------------------------------------------------------------------- */

/** Edges and features, and what ids are: how many nodes there are is known then. */
trm_status trm_graph_read_structure(trm_graph_job *job);
/** Labels, and the splits of files; what is said of both. */
trm_status trm_graph_read_labels(trm_graph_job *job);
trm_status trm_graph_read_splits(trm_graph_job *job);
/** That ids which seem to count from 1 are known to. */
trm_status trm_graph_check_base(const trm_graph_job *job);

#endif
