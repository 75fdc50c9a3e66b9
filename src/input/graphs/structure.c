#include "trireme/input/structure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/core/memory.h"
#include "trireme/core/random.h"

/* The graph without directions, repeated edges and loops: each pair stands in both rows, rising. */
typedef struct simple {
  int64_t n;
  int64_t *offsets; /* [n + 1] */
  int32_t *columns;
} simple;

static void free_simple(simple *g) {
  TRM_FREE(g->offsets);
  TRM_FREE(g->columns);
}

/* ---- the simple graph ------------------------------------------------------------------------- */

static int rising(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static bool is_rising(const int32_t *row, int64_t n) {
  for (int64_t i = 1; i < n; ++i) {
    if (row[i - 1] > row[i]) return false;
  }
  return true;
}

/* Each edge from both of its ends, where it does not stand there already; rows one after another, then sorted and without repetitions. */
static void fill(const trm_csr *a, bool both_ways, simple *g, int64_t *next) {
  for (int64_t i = 0; i < a->n_rows; ++i) {
    for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; ++e) {
      const int32_t j = a->columns[e];
      if (j == i) continue;
      g->columns[next[i]++] = j;
      if (!both_ways) g->columns[next[j]++] = (int32_t)i;
    }
  }
}

static void tidy(simple *g) {
  int64_t to = 0, begin = 0;
  for (int64_t i = 0; i < g->n; ++i) {
    const int64_t end = g->offsets[i + 1], first = to;
    int32_t *row = g->columns + begin;
    if (!is_rising(row, end - begin)) qsort(row, (size_t)(end - begin), sizeof *row, rising);
    for (int64_t e = begin; e < end; ++e) {
      if (to > first && g->columns[to - 1] == g->columns[e]) continue;
      g->columns[to++] = g->columns[e];
    }
    begin = end;
    g->offsets[i + 1] = to;
  }
}

static trm_status make_simple(const trm_csr *a, bool both_ways, simple *g, int64_t *n_loops) {
  int64_t *next = NULL;
  trm_status status = TRM_OK;
  *g = (simple){.n = a->n_rows};
  *n_loops = 0;
  TRM_TRY_OUT(TRM_ALLOC(&g->offsets, g->n + 1, "structure of a graph"));
  TRM_TRY_OUT(TRM_ALLOC(&next, g->n, "structure of a graph"));
  for (int64_t i = 0; i < g->n; ++i) {
    for (int64_t e = a->offsets[i]; e < a->offsets[i + 1]; ++e) {
      const int32_t j = a->columns[e];
      if (j == i) {
        ++*n_loops;
      } else {
        ++g->offsets[i + 1];
        if (!both_ways) ++g->offsets[j + 1];
      }
    }
  }
  for (int64_t i = 0; i < g->n; ++i) g->offsets[i + 1] += g->offsets[i];
  TRM_TRY_OUT(TRM_ALLOC(&g->columns, g->offsets[g->n], "structure of a graph"));
  if (g->n > 0) memcpy(next, g->offsets, (size_t)g->n * sizeof *next);
  fill(a, both_ways, g, next);
  tidy(g);
out:
  TRM_FREE(next);
  if (status != TRM_OK) free_simple(g);
  return status;
}

static int64_t degree(const simple *g, int64_t i) {
  return g->offsets[i + 1] - g->offsets[i];
}

/* ---- degrees --------------------------------------------------------------------------------- */

static int bin_of(int64_t d) {
  int bin = 0;
  while (d > 0) {
    d >>= 1;
    ++bin;
  }
  return bin < TRM_DEGREE_BINS ? bin : TRM_DEGREE_BINS - 1;
}

static trm_status find_degrees(const simple *g, trm_structure *s) {
  int64_t *counts = NULL; /* of nodes by degree */
  for (int64_t i = 0; i < g->n; ++i) {
    const int64_t d = degree(g, i);
    const int bin = bin_of(d);
    ++s->bins[bin];
    s->n_bins = bin + 1 > s->n_bins ? bin + 1 : s->n_bins;
    s->most_degree = d > s->most_degree ? d : s->most_degree;
    s->n_isolated += d == 0;
  }
  s->mean_degree = g->n > 0 ? (double)g->offsets[g->n] / (double)g->n : (double)NAN;
  TRM_TRY(TRM_ALLOC(&counts, s->most_degree + 1, "degrees"));
  for (int64_t i = 0; i < g->n; ++i) ++counts[degree(g, i)];
  int64_t below = 0;
  while (s->median_degree < s->most_degree && 2 * (below + counts[s->median_degree]) < g->n) {
    below += counts[s->median_degree++];
  }
  TRM_FREE(counts);
  return TRM_OK;
}

/* ---- components ------------------------------------------------------------------------------- */

/* Breadth first, from every node that no walk has reached. */
static trm_status find_components(const simple *g, trm_structure *s) {
  bool *seen = NULL;
  int32_t *queue = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&seen, g->n, "components"));
  TRM_TRY_OUT(TRM_ALLOC(&queue, g->n, "components"));
  for (int64_t start = 0; start < g->n; ++start) {
    int64_t n = 0;
    if (seen[start]) continue;
    queue[n++] = (int32_t)start;
    seen[start] = true;
    for (int64_t at = 0; at < n; ++at) {
      for (int64_t e = g->offsets[queue[at]]; e < g->offsets[queue[at] + 1]; ++e) {
        const int32_t j = g->columns[e];
        if (seen[j]) continue;
        seen[j] = true;
        queue[n++] = j;
      }
    }
    ++s->n_components;
    s->largest_component = n > s->largest_component ? n : s->largest_component;
  }
out:
  TRM_FREE(seen);
  TRM_FREE(queue);
  return status;
}

/* ---- triangles -------------------------------------------------------------------------------- */

/* Whether edges lead from i to j when each leads to the end with more neighbours. */
static bool leads(const simple *g, int64_t i, int64_t j) {
  const int64_t a = degree(g, i), b = degree(g, j);
  return a < b || (a == b && i < j);
}

/* Edges of a row that lead away from it. */
static int64_t count_leading(const simple *g, int64_t i) {
  int64_t n = 0;
  for (int64_t e = g->offsets[i]; e < g->offsets[i + 1]; ++e) n += leads(g, i, g->columns[e]);
  return n;
}

/* Steps that counting takes. */
static double work_of(const simple *g, const int64_t *leading) {
  double sum = 0;
  for (int64_t i = 0; i < g->n; ++i) {
    for (int64_t e = g->offsets[i]; e < g->offsets[i + 1]; ++e) {
      if (leads(g, i, g->columns[e])) sum += (double)leading[g->columns[e]];
    }
  }
  return sum;
}

/* The leading edges alone, rows one after another. */
static void make_leading(const simple *g, const int64_t *leading, simple *to) {
  int64_t n = 0;
  for (int64_t i = 0; i < g->n; ++i) {
    to->offsets[i] = n;
    for (int64_t e = g->offsets[i]; e < g->offsets[i + 1]; ++e) {
      if (leads(g, i, g->columns[e])) to->columns[n++] = g->columns[e];
    }
    TRM_ASSERT(n - to->offsets[i] == leading[i]);
  }
  to->offsets[g->n] = n;
}

/* Triangles of each node: each triangle is found once, at its end with the fewest neighbours. */
static void count_triangles(const simple *g, int32_t *marks, int64_t *triangles) {
  for (int64_t i = 0; i < g->n; ++i) {
    for (int64_t e = g->offsets[i]; e < g->offsets[i + 1]; ++e) {
      marks[g->columns[e]] = (int32_t)i + 1;
    }
    for (int64_t e = g->offsets[i]; e < g->offsets[i + 1]; ++e) {
      const int32_t j = g->columns[e];
      for (int64_t f = g->offsets[j]; f < g->offsets[j + 1]; ++f) {
        const int32_t k = g->columns[f];
        if (marks[k] != (int32_t)i + 1) continue;
        ++triangles[i];
        ++triangles[j];
        ++triangles[k];
      }
    }
  }
}

static double pairs_of(int64_t d) {
  return 0.5 * (double)d * (double)(d - 1);
}

static void join_triangles(const simple *g, const int64_t *triangles, trm_structure *s) {
  double local = 0, closed = 0, all = 0;
  for (int64_t i = 0; i < g->n; ++i) {
    const double pairs = pairs_of(degree(g, i));
    closed += (double)triangles[i];
    all += pairs;
    if (pairs > 0) local += (double)triangles[i] / pairs;
  }
  s->n_triangles = closed / 3;
  s->clustering = g->n > 0 ? local / (double)g->n : (double)NAN;
  s->transitivity = all > 0 ? closed / all : (double)NAN;
}

static trm_status count_all(const simple *g, const int64_t *leading, trm_structure *s) {
  simple to = {.n = g->n};
  int32_t *marks = NULL;
  int64_t *triangles = NULL;
  trm_status status = TRM_OK;
  TRM_TRY_OUT(TRM_ALLOC(&to.offsets, g->n + 1, "triangles"));
  TRM_TRY_OUT(TRM_ALLOC(&to.columns, g->offsets[g->n] / 2, "triangles"));
  TRM_TRY_OUT(TRM_ALLOC(&marks, g->n, "triangles"));
  TRM_TRY_OUT(TRM_ALLOC(&triangles, g->n, "triangles"));
  make_leading(g, leading, &to);
  count_triangles(&to, marks, triangles);
  join_triangles(g, triangles, s);
out:
  free_simple(&to);
  TRM_FREE(marks);
  TRM_FREE(triangles);
  return status;
}

/* ---- random pairs of neighbours, where triangles are too many ------------------------------------ */

enum { N_PAIRS = 1 << 16 };

static bool are_neighbours(const simple *g, int32_t i, int32_t j) {
  int64_t low = g->offsets[i], high = g->offsets[i + 1];
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (g->columns[middle] == j) return true;
    if (g->columns[middle] < j) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return false;
}

/* A number in [0, n), the same in every run. */
static int64_t draw(int64_t n, uint64_t which, int64_t number) {
  const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_NEIGHBOR, 0, which);
  return (int64_t)trm_random_below(key, (uint64_t)number, 0, (uint64_t)n);
}

/* Whether two different neighbours of node i, drawn at random, are neighbours. */
static bool is_closed(const simple *g, int64_t i, int64_t number) {
  const int64_t d = degree(g, i), a = draw(d, 2, number);
  int64_t b = draw(d - 1, 3, number);
  b += b >= a;
  return are_neighbours(g, g->columns[g->offsets[i] + a], g->columns[g->offsets[i] + b]);
}

/* The node in whose stretch of the running sums a number falls. */
static int64_t find_stretch(const double *sums, int64_t n, double at) {
  int64_t low = 0, high = n - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (sums[middle] > at) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/* Of nodes alike for the mean of the shares, of pairs alike for the share of all pairs. */
static trm_status estimate(const simple *g, trm_structure *s) {
  double *sums = NULL, all = 0;
  int64_t local = 0, total = 0;
  TRM_TRY(TRM_ALLOC(&sums, g->n, "clustering"));
  for (int64_t i = 0; i < g->n; ++i) sums[i] = all += pairs_of(degree(g, i));
  for (int64_t k = 0; k < N_PAIRS; ++k) {
    const int64_t node = draw(g->n, 4, k);
    if (degree(g, node) > 1) local += is_closed(g, node, k);
    const trm_random_key key = trm_random_key_make(1, TRM_RANDOM_NEIGHBOR, 0, 5);
    const double at = all * trm_random_uniform(key, (uint64_t)k, 0);
    total += is_closed(g, find_stretch(sums, g->n, at), k + N_PAIRS);
  }
  TRM_FREE(sums);
  s->estimated = true;
  s->n_triangles = (double)NAN;
  s->clustering = (double)local / N_PAIRS;
  s->transitivity = (double)total / N_PAIRS;
  return TRM_OK;
}

static trm_status find_clustering(const simple *g, trm_structure *s) {
  static const double most_work = 2e9;
  int64_t *leading = NULL;
  TRM_TRY(TRM_ALLOC(&leading, g->n, "triangles"));
  for (int64_t i = 0; i < g->n; ++i) leading[i] = count_leading(g, i);
  const trm_status status =
      work_of(g, leading) <= most_work ? count_all(g, leading, s) : estimate(g, s);
  TRM_FREE(leading);
  return status;
}

/* ---- classes ---------------------------------------------------------------------------------- */

static trm_status find_homophily(const simple *g, const int32_t *labels, int n_classes,
                                 trm_structure *s) {
  double *ends = NULL, same = 0, all = 0, chance = 0;
  s->homophily = s->adjusted_homophily = (double)NAN;
  if (!labels || n_classes < 1) return TRM_OK;
  TRM_TRY(TRM_ALLOC(&ends, n_classes, "homophily"));
  for (int64_t i = 0; i < g->n; ++i) {
    for (int64_t e = g->offsets[i]; labels[i] >= 0 && e < g->offsets[i + 1]; ++e) {
      const int32_t other = labels[g->columns[e]];
      if (other < 0) continue;
      ++all;
      ++ends[labels[i]];
      same += other == labels[i];
    }
  }
  for (int c = 0; c < n_classes && all > 0; ++c) chance += ends[c] / all * (ends[c] / all);
  if (all > 0) s->homophily = same / all;
  if (chance < 1) s->adjusted_homophily = (s->homophily - chance) / (1 - chance);
  TRM_FREE(ends);
  return TRM_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

trm_status trm_structure_of(const trm_csr *edges, bool both_ways, const int32_t *labels,
                            int n_classes, trm_structure *structure) {
  simple g;
  trm_status status = TRM_OK;
  TRM_ASSERT(edges->n_rows == edges->n_columns);
  *structure = (trm_structure){.n_nodes = edges->n_rows};
  TRM_TRY(make_simple(edges, both_ways, &g, &structure->n_loops));
  structure->n_edges = g.offsets[g.n] / 2;
  TRM_TRY_OUT(find_degrees(&g, structure));
  TRM_TRY_OUT(find_components(&g, structure));
  TRM_TRY_OUT(find_clustering(&g, structure));
  TRM_TRY_OUT(find_homophily(&g, labels, n_classes, structure));
out:
  free_simple(&g);
  return status;
}
