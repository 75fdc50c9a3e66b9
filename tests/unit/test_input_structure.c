/* The structure of graphs against plain definitions, on random graphs of all densities. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "trireme/core/random.h"
#include "trireme/input/structure.h"

enum { MOST = 24 };

typedef struct matrix {
  int n;
  bool edge[MOST][MOST];
} matrix;

static matrix random_matrix(int n, double density, uint64_t seed) {
  matrix m = {.n = n};
  const trm_random_key key = trm_random_key_make(seed, TRM_RANDOM_TEST, 0, 0);
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < n; ++k) {
      m.edge[i][k] = trm_random_uniform(key, (uint64_t)i, (uint64_t)k) < density;
    }
  }
  return m;
}

static bool either(const matrix *m, int i, int k) {
  return i != k && (m->edge[i][k] || m->edge[k][i]);
}

/* Rows of the matrix; `both`: of each edge and its reverse. */
static trm_structure structure_of(const matrix *m, bool both, const int32_t *labels) {
  int64_t offsets[MOST + 1] = {0};
  int32_t columns[MOST * MOST];
  int64_t n = 0;
  for (int i = 0; i < m->n; ++i) {
    for (int k = 0; k < m->n; ++k) {
      if (both ? either(m, i, k) || (i == k && m->edge[i][i]) : m->edge[i][k]) {
        columns[n++] = k;
      }
    }
    offsets[i + 1] = n;
  }
  const trm_csr csr = {
      .n_rows = m->n, .n_columns = m->n, .n_edges = n, .offsets = offsets, .columns = columns};
  trm_structure s;
  CHECK_OK(trm_structure_of(&csr, both, labels, 3, &s));
  return s;
}

static void check_counts(const matrix *m, const trm_structure *s, const int32_t *labels) {
  double triangles = 0, pairs = 0, local = 0, same = 0, all = 0, ends[3] = {0};
  int64_t edges = 0, loops = 0, most = 0;
  for (int i = 0; i < m->n; ++i) {
    int64_t degree = 0, closed = 0;
    loops += m->edge[i][i];
    for (int k = 0; k < m->n; ++k) {
      if (!either(m, i, k)) continue;
      ++degree;
      edges += i < k;
      if (labels[i] >= 0 && labels[k] >= 0) {
        ++all;
        ++ends[labels[i]];
        same += labels[i] == labels[k];
      }
      for (int l = 0; l < k; ++l) closed += either(m, i, l) && either(m, k, l);
    }
    const double here = 0.5 * (double)degree * (double)(degree - 1);
    pairs += here;
    triangles += (double)closed;
    if (here > 0) local += (double)closed / here;
    most = degree > most ? degree : most;
  }
  CHECK_EQ(s->n_edges, edges);
  CHECK_EQ(s->n_loops, loops);
  CHECK_EQ(s->most_degree, most);
  CHECK_NEAR(s->n_triangles, triangles / 3, 0);
  CHECK_NEAR(s->clustering, local / m->n, 1e-12);
  CHECK(pairs > 0 ? fabs(s->transitivity - triangles / pairs) < 1e-12 : isnan(s->transitivity));
  if (all == 0) return;
  double chance = 0;
  for (int c = 0; c < 3; ++c) chance += ends[c] / all * (ends[c] / all);
  CHECK_NEAR(s->homophily, same / all, 1e-12);
  if (chance < 1) CHECK_NEAR(s->adjusted_homophily, (same / all - chance) / (1 - chance), 1e-12);
}

/* Nodes that walks along edges join, by joining until nothing changes. */
static void check_components(const matrix *m, const trm_structure *s) {
  int of[MOST], sizes[MOST] = {0}, n = 0, largest = 0;
  for (int i = 0; i < m->n; ++i) of[i] = i;
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0; i < m->n; ++i) {
      for (int k = 0; k < m->n; ++k) {
        if (!either(m, i, k) || of[i] <= of[k]) continue;
        of[i] = of[k];
        changed = true;
      }
    }
  }
  for (int i = 0; i < m->n; ++i) ++sizes[of[i]];
  for (int i = 0; i < m->n; ++i) {
    n += sizes[i] > 0;
    largest = sizes[i] > largest ? sizes[i] : largest;
  }
  CHECK_EQ(s->n_components, n);
  CHECK_EQ(s->largest_component, largest);
}

static void test_random_graphs(void) {
  static const double densities[] = {0, 0.03, 0.1, 0.3, 0.7, 1};
  static const int sizes[] = {1, 2, 3, 7, MOST};
  for (int d = 0; d < 6; ++d) {
    for (int k = 0; k < 5; ++k) {
      const matrix m = random_matrix(sizes[k], densities[d], (uint64_t)(10 * d + k));
      int32_t labels[MOST];
      for (int i = 0; i < MOST; ++i) labels[i] = i % 4 - 1;
      for (int both = 0; both < 2; ++both) {
        const trm_structure s = structure_of(&m, both, labels);
        check_counts(&m, &s, labels);
        check_components(&m, &s);
      }
    }
  }
}

/* A star: one node has all edges, and half of the nodes or more have one. */
static void test_degrees(void) {
  matrix m = {.n = 9};
  for (int i = 1; i < 8; ++i) m.edge[0][i] = true;
  const trm_structure s = structure_of(&m, false, NULL);
  CHECK_EQ(s.n_isolated, 1);
  CHECK_EQ(s.median_degree, 1);
  CHECK_EQ(s.most_degree, 7);
  CHECK_NEAR(s.mean_degree, 14.0 / 9, 1e-12);
  CHECK_EQ(s.n_bins, 4); /* 0; 1; 2 to 3; 4 to 7 */
  CHECK_EQ(s.bins[0], 1);
  CHECK_EQ(s.bins[1], 7);
  CHECK_EQ(s.bins[2], 0);
  CHECK_EQ(s.bins[3], 1);
  CHECK(isnan(s.homophily));
}

int main(void) {
  test_random_graphs();
  test_degrees();
  return check_verdict();
}
