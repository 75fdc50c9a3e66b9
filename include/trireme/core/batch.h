/**
 * The data of one pass, as `input` cuts it out, `train` hands it on and models read it: tokens, or
 * what the layers of a model see of a graph (hops, features, triplets). All arrays are borrowed.
 */
#ifndef TRIREME_CORE_BATCH_H
#define TRIREME_CORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/core/csr.h"

/** Sequences one behind the other: those of an array of rows. */
typedef struct trm_sequences {
  int64_t n;              /* sequences */
  int64_t n_rows;         /* of all */
  int64_t longest;        /* rows of the longest */
  const int64_t *offsets; /* [n + 1] first row of each, from 0 to n_rows; NULL: all have `longest`
                             rows, or, in a dry pass, the sizes are all there is */
} trm_sequences;

/** n sequences of T rows each. */
static inline trm_sequences trm_sequences_equal(int64_t n, int64_t T) {
  return (trm_sequences){.n = n, .n_rows = n * T, .longest = T};
}

/** First row of sequence i, or, for i = n, the row after the last. */
static inline int64_t trm_sequence_first(const trm_sequences *s, int64_t i) {
  return s->offsets ? s->offsets[i] : i * s->longest;
}

/** Rows of sequence i. */
static inline int64_t trm_sequence_rows(const trm_sequences *s, int64_t i) {
  return s->offsets ? s->offsets[i + 1] - s->offsets[i] : s->longest;
}

/** The sequence that row r < n_rows lies in. */
static inline int64_t trm_sequence_of_row(const trm_sequences *s, int64_t r) {
  if (!s->offsets) return r / s->longest;
  int64_t low = 0, high = s->n; /* offsets[low] <= r < offsets[high] */
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (s->offsets[middle] <= r) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/** One block of sequences. */
typedef struct trm_tokens {
  int64_t N, T;           /* sequences, positions */
  const int32_t *inputs;  /* [N*T] */
  const int32_t *targets; /* [N*T], -1: does not count; NULL when no loss is asked */
} trm_tokens;

/** Sequences [first, first + n) of them. */
static inline trm_tokens trm_tokens_slice(const trm_tokens *all, int64_t first, int64_t n) {
  const int64_t at = first * all->T;
  return (trm_tokens){.N = n,
                      .T = all->T,
                      .inputs = all->inputs + at,
                      .targets = all->targets ? all->targets + at : NULL};
}

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

/**
 * Customers of a shop, and the products among which each chooses, as places in a collection in which
 * every node is one of the two. Lists name products by their numbers here, rising.
 */
typedef struct trm_choices {
  int64_t n_customers, n_products;
  const int32_t *customers; /* [n_customers] places in the collection */
  const int32_t *products;  /* [n_products] likewise */
  const float
      *log_shares; /* [n_products] log of how probable it was that a product came in here; 0:
                                    certain */
  trm_csr bought;  /* [n_customers, n_products] what each then buys */
  trm_csr known;   /* [n_customers, n_products] what each had bought before */
  int64_t n_habits;
  const float *habits; /* [known.n_edges, n_habits] numbers of those pairs */
  const int32_t
      *rivals;   /* [bought.n_edges] a product that the customer does not buy, -1: there is none;
                            for losses of pairs */
  int64_t first; /* the loss of customers [first, first + blocks[last]) is this process's */
  const int64_t *blocks; /* [blocks of the pass + 1] first customer of each, from 0 */
} trm_choices;

/** What a pass sees of a graph: the field of its seeds, a whole graph, or a set of graphs. */
typedef struct trm_graph_batch {
  trm_features features;
  const trm_hop *hops; /* [n_hops] the first layer's first; one for all layers when n_hops is 1 */
  int n_hops;
  const int32_t
      *targets;     /* [rows of the last hop], or [n_graphs]; -1: does not count; NULL: no loss */
  int64_t n_graphs; /* of a set of graphs; 0: classes belong to nodes */
  const int64_t *graphs; /* [n_graphs + 1] first row of each */
  /* recommendation */
  const int32_t *own_nodes; /* [n_own] nodes of this process */
  int64_t n_own;
  const trm_collection *collection; /* nodes of the batch; NULL when no loss is asked */
  const trm_hop *last;              /* the last hop, to those nodes alone */
  const trm_triplets *triplets;
  /* a shop */
  trm_features facts;         /* dense numbers of this process's nodes on the day of the pass */
  int64_t n_ids;              /* of its products that have a vector of their own in this pass, */
  const int32_t *id_rows;     /* [n_ids] the row of it, each once, */
  const int32_t *id_places;   /* [n_ids] and the row among own nodes */
  const trm_choices *choices; /* NULL when no loss is asked */
  trm_sequences texts;        /* of this process's nodes, words in their order; n = 0: not wanted */
  const int32_t *words;       /* [texts.n_rows] columns of features */
} trm_graph_batch;

/** How a model wants its samples. */
typedef struct trm_frame {
  bool input_begin, input_end; /* <s> before an input, </s> behind it */
  bool outputs;                /* targets are predicted token by token: <s> y -> y </s> */
  bool tokens;                 /* inputs are tokens; else images or rows of numbers */
  bool levels;                 /* categories of a table as levels; else among the values, one-hot */
} trm_frame;

/** Inputs that are numbers: images, pixel by pixel, or rows of a table. */
typedef struct trm_values {
  int n_dims;          /* 3: images; 1: rows; 0: there are none */
  int64_t dims[3];     /* height, width, channels; or the length of a row */
  const float *values; /* [n, dims]; images in [0, 1]; NULL in a dry pass */
  const float *scale,
      *shift;            /* [channels] what models see of images is value * scale + shift; rows:
                                 NULL, they are scaled */
  int64_t n_levels;      /* columns of categories that are not among the values */
  const int32_t *levels; /* [n_levels, n] a level each, from 0; 0: missing or unknown */
} trm_values;

/** Samples of one block: what goes in, and what is to come out. */
typedef struct trm_sample_batch {
  int64_t n;
  trm_sequences inputs;         /* tokens */
  const int32_t *input_tokens;  /* [inputs.n_rows] */
  trm_values values;            /* or numbers */
  trm_sequences outputs;        /* what a decoder is given; n = 0: there is none */
  const int32_t *output_tokens; /* [outputs.n_rows] */
  const int32_t *targets; /* [n] classes, or [outputs.n_rows] tokens; -1: does not count; NULL:
                                   no loss is asked, or targets are numbers */
  const float *numbers;   /* [n], NaN: does not count; NULL: targets are no numbers */
  const float
      *class_shares; /* [n, classes] of samples with several classes: 1 or 0, or between where
                                 samples were mixed; NULL: targets are others */
  /* Where samples were mixed, sample i is mix[i] of itself, and 1 - mix[i] of one with the target: */
  const int32_t *mixed_targets; /* [n]; NULL: none was */
  const float *mix;             /* [n] */
  const float *class_weights;   /* [classes] of the loss; NULL: all 1 */
} trm_sample_batch;

/** The data of a pass: one of them. */
typedef struct trm_batch {
  const trm_tokens *tokens;
  const trm_sample_batch *samples;
  const trm_graph_batch *graph;
} trm_batch;

#endif
