/** What a graph looks like: degrees, components, clustering, and whether neighbours are alike. */
#ifndef TRIREME_INPUT_STRUCTURE_H
#define TRIREME_INPUT_STRUCTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/csr.h"
#include "trireme/core/status.h"
#include "trireme/input/lists.h"

enum { TRM_DEGREE_BINS = 40 };

/** Directions, repeated edges and edges from a node to itself do not count but where it is said. */
typedef struct trm_structure {
  int64_t n_nodes;
  int64_t n_edges; /* pairs of nodes with an edge */
  int64_t n_loops; /* edges from a node to itself */
  int64_t n_isolated;
  double mean_degree;
  int64_t median_degree, most_degree;
  int64_t bins[TRM_DEGREE_BINS]; /* nodes of degree 0; 1; 2 to 3; 4 to 7; ... */
  int n_bins;                    /* past the last one that is not 0 */
  int64_t n_components, largest_component;
  double
      clustering; /* mean over nodes of the share of pairs of neighbours that are neighbours; a node
                          with fewer than two has 0. NaN without nodes */
  double transitivity; /* the same share of all pairs together; NaN without any */
  double n_triangles;  /* NaN where they are estimated */
  bool
      estimated; /* clustering and transitivity, from random pairs of neighbours; their standard error
                          is below 0.002 */
  double homophily; /* share of edges between nodes of one class, where both have one; NaN: none */
  double adjusted_homophily; /* 0 where classes of neighbours are as by chance, at most 1; NaN */
} trm_structure;

/**
 * Finds it.
 *
 * Not collective, one thread; the result depends on the graph alone.
 * @param[in] edges   square; columns rising in a row
 * @param[in] both_ways  each edge stands in the rows of both its ends
 * @param[in] labels  [rows] classes of the nodes in [0, n_classes), -1: missing; NULL: none
 * @return TRM_ERR_MEMORY
 *
 * Cost: O(edges log edges) for edges that are not both ways, else O(edges), and for triangles at most
 * 2e9 steps; with more to do, 65,536 random pairs. Memory: 8 to 16 bytes an edge, 16 a node.
 * Source: adjusted homophily: Platonov et al. 2023, arXiv:2209.06177. Triangles: Latapy 2008, "Main-memory
 * triangle computations for very large (sparse (power-law)) graphs". Random pairs: Seshadhri, Pinar, Kolda
 * 2013, arXiv:1202.5230.
 */
trm_status trm_structure_of(const trm_csr *edges, bool both_ways, const int32_t *labels,
                            int n_classes, trm_structure *structure);

#endif
