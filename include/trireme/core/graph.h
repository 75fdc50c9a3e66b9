/**
 * Graphs as plain arrays: compressed sparse rows, and what one layer of a model sees of a graph.
 * All arrays are borrowed. Node ids are 32 bits, edges are counted in 64.
 */
#ifndef TRIREME_CORE_GRAPH_H
#define TRIREME_CORE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

/** Compressed sparse rows. In a dry pass (sizes only) the arrays are NULL and the counts are upper
 *  bounds. offsets[0] need not be 0: a range of rows of a larger matrix is a valid one. */
typedef struct trm_csr {
  int64_t n_rows, n_columns, n_edges;
  const int64_t
      *offsets; /* [n_rows + 1], not decreasing: row i has edges [offsets[i], offsets[i+1]) */
  const int32_t *columns; /* of edge e, in [0, n_columns) */
  const float *values;    /* of edge e: values[map ? map[e] : e]; NULL: all 1 */
  const int64_t *map;     /* NULL: identity */
} trm_csr;

/**
 * Transpose by counting: rows of the result list the rows of `a` in rising order, repeated edges in
 * their order. Not collective, one thread, O(rows + columns + edges).
 * @param[out] offsets  [a->n_columns + 1], from 0
 * @param[out] columns  [edges of a]
 * @param[out] map      [edges of a] where the edge has its value in `a`: a->map, or its place; may be NULL
 */
void trm_csr_transpose(const trm_csr *a, int64_t *offsets, int32_t *columns, int64_t *map);

/** Rows of other processes for a layer, fetched while a pass runs: trireme/nn/graph.h. */
struct trm_row_exchange;

/**
 * One hop of message passing: each row of `in` (a target) takes from its columns (sources).
 *
 * The variable that enters a hop has a row for each source of this process (out.n_rows); the one
 * that leaves has a row for each target of this process (in.n_rows). Where a graph is shared out
 * among processes, columns past the own ones are rows of others (a halo): sources in.n_columns -
 * out.n_rows of them, targets out.n_columns - in.n_rows. Without an exchange there are none.
 */
typedef struct trm_hop {
  trm_csr in;          /* rows: own targets; columns: own sources, then the halo's */
  trm_csr out;         /* its transpose: rows: own sources; columns: own targets, then halo */
  const int32_t *self; /* [in.n_rows] own source that is the target's node; NULL: the row number */
  const int32_t
      *self_of; /* [out.n_rows] own target of a source's node, -1 none; NULL: the row number
                               where that is below in.n_rows */
  const int32_t *source_ids;   /* [in.n_columns] node ids in the whole graph: key random numbers */
  const int32_t *target_ids;   /* [out.n_columns] */
  const float *source_degrees; /* [in.n_columns] in-degree (sum of weights) in the whole graph */
  const float *target_degrees; /* [out.n_columns] */
  const float
      *target_counts;    /* [out.n_columns] of it, what `in` holds (less when sampled); NULL: all */
  const int64_t *blocks; /* [blocks of the pass + 1] first target of each; NULL: one block */
  const struct trm_row_exchange *in_exchange, *out_exchange; /* NULL: no halo */
} trm_hop;

/** Node features of one pass. */
typedef struct trm_features {
  int64_t n_rows, n_features;
  const float *dense;        /* [.., n_features]; NULL: sparse */
  const int32_t *rows;       /* [n_rows] rows of `dense` to take; NULL: the first n_rows */
  const trm_csr *sparse;     /* [blocks] rows of each block of the pass, columns are features; no
                                map */
  const trm_csr *transposed; /* [blocks] the transpose of each (its map points into `sparse`) */
  const int32_t *ids;        /* [n_rows] node ids in the whole graph: key random numbers */
  const int64_t *blocks;     /* [blocks of the pass + 1] first row of each; NULL: one block */
} trm_features;

/** Rows of some nodes brought together on every process. */
typedef struct trm_collection {
  int64_t n;            /* nodes, each once */
  int64_t first, n_own; /* of them, those of this process: [first, first + n_own) */
  const int32_t *rows;  /* [n_own] their rows in the variable they are taken from */
  const struct trm_row_exchange *exchange; /* NULL: all are own */
} trm_collection;

/** Users, each with an item it chose and one it did not, as places in a collection. */
typedef struct trm_triplets {
  int64_t n;                                    /* of the global batch */
  const int32_t *users, *positives, *negatives; /* [n] */
  int64_t first;         /* the loss of [first, first + blocks[last]) is this process's */
  const int64_t *blocks; /* [blocks of the pass + 1] first triplet of each, from 0 */
  const trm_csr *uses;   /* rows: nodes of the collection; columns: 3 t + (0 user, 1 positive, 2
                                negative), rising: who needs a node's gradient */
} trm_triplets;

#endif
