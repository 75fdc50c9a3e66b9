/**
 * Kernels on sparse matrices and sets of rows. The rules are those of trireme/math/kernels.h; a row
 * of a result is always made by one thread, its terms added in index order.
 */
#ifndef TRIREME_MATH_GRAPH_KERNELS_H
#define TRIREME_MATH_GRAPH_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/batch.h"
#include "trireme/core/csr.h"
#include "trireme/core/random.h"
#include "trireme/math/choice.h"
#include "trireme/math/real.h"

/* ---- sums and maxima over edges -------------------------------------------------------------- */

/**
 * y_i (+)= r_i (c_s x_s + sum over the edges e of row i of v_e c_j x_j), j = a->columns[e]; the term
 * of s, first, is there where row i has a self.
 *
 * The transposed product, with r and c exchanged and self_of for self, is the backward pass; being
 * a pull too, it needs no atomic additions.
 *
 * @param[out] y             [a->n_rows, C]
 * @param[in]  x             [a->n_columns, C]
 * @param[in]  row_scale     [a->n_rows] r, NULL: 1
 * @param[in]  column_scale  [a->n_columns] c, NULL: 1
 * @param[in]  self          [n_self] the row of x that is row i's self, -1: none; NULL: i
 * @param[in]  n_self        rows that have a self: the first n_self; 0: none
 *
 * Cost: for each edge a row of x, a column and what weights it has; one write of y.
 */
void trm_spmm(trm_real *y, const trm_real *x, const trm_csr *a, const trm_real *row_scale,
              const trm_real *column_scale, const int32_t *self, int64_t n_self, int64_t C,
              bool add);

/** A winner fills the place of a trm_real, so that rows of them travel as rows of numbers do. */
#if TRM_REAL_IS_DOUBLE
typedef int64_t trm_winner;
#else
typedef int32_t trm_winner;
#endif

/**
 * y_i = element-wise maximum of x_j over self (first) and edges of row i; 0 without any.
 *
 * @param[out] y        [a->n_rows, C]
 * @param[out] winners  [a->n_rows, C] of trm_winner: id of the column that gave the element, the first
 *                      of equals; -1 without any. NULL: not wanted
 * @param[in]  x        [a->n_columns, C]
 * @param[in]  self, n_self  as for trm_spmm
 * @param[in]  ids      [a->n_columns] each once; NULL: the column's number
 * A NaN wins and is passed on.
 */
void trm_neighbor_max(trm_real *y, trm_winner *winners, const trm_real *x, const trm_csr *a,
                      const int32_t *self, int64_t n_self, const int32_t *ids, int64_t C);
/**
 * dx_j (+)= sum of dy_i over self_of (first) and edges of row j of the transpose `t`, where winners
 * say that j won; repeated edges, which stand side by side, count once.
 * @param[out] dx          [t->n_rows, C]
 * @param[in] winners, dy  [t->n_columns, C]
 * @param[in] self_of      [n_self] the column that is row j's self, -1: none; NULL: j
 * @param[in] ids          [t->n_rows], or NULL, as above
 */
void trm_neighbor_max_backward(trm_real *dx, const trm_real *dy, const trm_winner *winners,
                               const trm_csr *t, const int32_t *self_of, int64_t n_self,
                               const int32_t *ids, int64_t C, bool add);

/** y[n] = sqrt(over + s) / (under + s), or 1 / (under + s) when over is NULL; s is 1 when `self`, else
 *  0; 0 where under + s is 0. */
void trm_target_scales(trm_real *y, const float *over, const float *under, bool self, int64_t n);
/** y[n] = 1 / sqrt(degrees[n] + s), 0 where degrees + s is 0. */
void trm_source_scales(trm_real *y, const float *degrees, bool self, int64_t n);

/* ---- sets of rows ----------------------------------------------------------------------------- */

/** y[n, C] (+)= rows ids[n] of x; 0 for an id of -1. ids NULL: i. */
void trm_gather_rows(trm_real *y, const trm_real *x, const int32_t *ids, int64_t n, int64_t C,
                     bool add);
/**
 * The places of each id, by counting: ids[order[e]] = r for e in [offsets[r], offsets[r + 1]), places
 * rising. With x[n, C], trm_spmm over {offsets, order} adds the rows of each id in order: a scatter.
 * One thread, O(n + n_rows).
 * @param[out] offsets  [n_rows + 1]
 * @param[out] order    [n]
 * @param[in]  ids      [n] in [0, n_rows)
 */
void trm_sort_rows(int64_t *offsets, int32_t *order, const int32_t *ids, int64_t n, int64_t n_rows);

/**
 * top[n, K]: the columns of the K greatest of each row of x[n, C], the greatest first, of equals the
 * lower column; -1 past the last one. Columns in the row of `exclude` (rising; NULL: none) do not
 * count.
 */
void trm_top_k(int32_t *top, const trm_real *x, const trm_csr *exclude, int64_t n, int64_t C,
               int64_t K);
/**
 * The same of rows whose columns come tile by tile: x[N, n] has columns first .. first + n - 1, the tile
 * with first = 0 begins. columns[N, K] and values[N, K]: the greatest so far, in order. All tiles
 * together have at least K columns. What is compared with NaN stays where it is.
 */
void trm_top_k_tile(int32_t *columns, trm_real *values, const trm_real *x, int64_t N, int64_t first,
                    int64_t n, int64_t K);

/** y[n, C]: sum or (mean) mean of the rows [offsets[s], offsets[s + 1]) of x; 0 for an empty one. */
void trm_segment_sum(trm_real *y, const trm_real *x, const int64_t *offsets, int64_t n, int64_t C,
                     bool mean);
/** dx[n_rows, C] (+)= dy, or dy / rows, of the row's segment; rows of no segment get 0. */
void trm_segment_sum_backward(trm_real *dx, const trm_real *dy, const int64_t *offsets, int64_t n,
                              int64_t n_rows, int64_t C, bool mean, bool add);
/** y[n, C]: maximum of the rows [offsets[s], offsets[s + 1]) of x, 0 without any. The first of equals
 *  wins: winners[n, C] are rows counted from the segment's first, -1 without any. A NaN wins. */
void trm_segment_max(trm_real *y, trm_winner *winners, const trm_real *x, const int64_t *offsets,
                     int64_t n, int64_t C);
/** dx[n_rows, C] (+)= dy[n, C] where winners[n, C] say so, 0 elsewhere. */
void trm_segment_max_backward(trm_real *dx, const trm_real *dy, const trm_winner *winners,
                              const int64_t *offsets, int64_t n, int64_t n_rows, int64_t C,
                              bool add);
/** y[n, C]: the first row of each segment; 0 for an empty one. */
void trm_segment_first(trm_real *y, const trm_real *x, const int64_t *offsets, int64_t n,
                       int64_t C);
/** dx[n_rows, C] (+)= dy on first rows; all others get 0. */
void trm_segment_first_backward(trm_real *dx, const trm_real *dy, const int64_t *offsets, int64_t n,
                                int64_t n_rows, int64_t C, bool add);

/* ---- choices -------------------------------------------------------------------------------- */

/** Scores of choices besides the products of vectors. */
typedef struct trm_choice_scores {
  const trm_real *bias; /* [J] of products */
  const trm_real
      *customers; /* [n, 1 + n_habits] of each customer: a bias, and the weights of habits */
  int64_t step;   /* from one of its rows to the next */
} trm_choice_scores;

/** Scores s[n, J], products of vectors, plus biases and habits of what is known. */
void trm_choice_complete(trm_real *s, const trm_choices *choices, const trm_choice_scores *scores);
/**
 * Losses of choices (math/choice.h) and their slopes.
 *
 * Thread-parallel over customers; sums run over products in order.
 * @param[in,out] s       [n, J] in: complete scores; out: their slopes
 * @param[out]    losses  [n]
 * @param[out]    dh      [n, 1 + n_habits] slopes of a customer's bias and weights of habits
 * @param         scratch [edges of choices->bought]
 * @param[in]     weights [n] of what each customer buys
 */
void trm_choice(trm_real *s, trm_real *losses, trm_real *dh, trm_real *scratch,
                const trm_choices *choices, const trm_real *weights, trm_choice_loss kind);

/* ---- features ------------------------------------------------------------------------------- */

/**
 * y[n, F] = rows of dense features with dropout: element f of row i is x[rows[i], f] mask / (1 - p),
 * drawn as trm_dropout does by the counter (sample = ids[i], position = f).
 * @param[in] rows  [n], NULL: i
 * @param[in] ids   [n], not read when p is 0
 */
void trm_feature_rows(trm_real *y, const float *x, const int32_t *rows, int64_t n, int64_t F,
                      double p, trm_random_key key, const int32_t *ids);
/**
 * The stored values of sparse features after dropout, in order of a's edges from a->offsets[0]: value
 * k of row i has the counter (sample = ids[i], position = k), whatever its column.
 * @param[out] values  [edges of a]
 */
void trm_sparse_dropout(float *values, const trm_csr *a, const int32_t *ids, double p,
                        trm_random_key key);

#endif
