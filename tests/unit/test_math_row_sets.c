/* Gathering and scattering rows, sorting by id, pools of segments, against plain loops. */
#include "csr_check.h"
#include "trireme/math/graph_kernels.h"

/* ---- gather and scatter ----------------------------------------------------------------------- */

typedef struct rows_case {
  trm_real *x;
  int32_t *ids;
  int64_t *offsets;
  int32_t *order;
  int64_t n, n_rows, C;
  bool add;
} rows_case;

static void run_gather(void *p, trm_real **out) {
  const rows_case *k = p;
  trm_gather_rows(out[0], k->x, k->ids, k->n, k->C, k->add);
}
static void run_scatter(void *p, trm_real **out) {
  const rows_case *k = p;
  trm_sort_rows(k->offsets, k->order, k->ids, k->n, k->n_rows);
  const trm_csr a = {.n_rows = k->n_rows,
                     .n_columns = k->n,
                     .n_edges = k->n,
                     .offsets = k->offsets,
                     .columns = k->order};
  trm_spmm(out[0], k->x, &a, NULL, NULL, NULL, 0, k->C, k->add);
}

static void check_rows(int64_t n, int64_t n_rows, int64_t C, int mode) {
  uint64_t state = (uint64_t)(n + 31 * C + 977 * n_rows);
  rows_case k = {.n = n, .n_rows = n_rows, .C = C};
  const int64_t most = n > n_rows ? n : n_rows;
  double *x;
  k.x = test_random(most * C, 1, &state, &x);
  k.ids = test_calloc(n, sizeof *k.ids);
  k.offsets = test_calloc(n_rows + 1, sizeof *k.offsets);
  k.order = test_calloc(n, sizeof *k.order);
  trm_real *start = test_random(most * C, 1, &state, NULL);
  double *gathered = NEW_DOUBLES(n * C), *scattered = NEW_DOUBLES(n_rows * C);
  for (int64_t i = 0; i < n; ++i) {
    k.ids[i] = (int32_t)test_below(&state, n_rows);
    for (int64_t c = 0; c < C; ++c) scattered[k.ids[i] * C + c] += x[i * C + c];
  }
  kernel_case c = {.name = "scatter",
                   .run = run_scatter,
                   .context = &k,
                   .n = {n_rows * C},
                   .want = {scattered},
                   .tolerance = {4 + 2 * sqrt((double)n)}};
  check_kernel(c);
  k.add = true;
  c.start[0] = start;
  check_kernel(c);

  for (int64_t i = 0; i < n; ++i) {
    if (mode == 1 && i % 3 == 0) k.ids[i] = -1;
    if (mode == 2) k.ids[i] = (int32_t)i;
    for (int64_t f = 0; f < C; ++f) gathered[i * C + f] = k.ids[i] < 0 ? 0 : x[k.ids[i] * C + f];
  }
  int32_t *ids = k.ids;
  if (mode == 2) k.ids = NULL;
  c = (kernel_case){.name = "gather",
                    .run = run_gather,
                    .context = &k,
                    .n = {n * C},
                    .want = {gathered},
                    .start = {start},
                    .tolerance = {1}};
  check_kernel(c);
  k.add = false;
  c.start[0] = NULL;
  check_kernel(c);
  free(k.x);
  free(ids);
  free(k.offsets);
  free(k.order);
  free(x);
  free(start);
  free(gathered);
  free(scattered);
}

/* ---- segments -------------------------------------------------------------------------------- */

typedef struct pool_case {
  trm_real *x, *dy;
  trm_winner *winners;
  int64_t *offsets;
  int64_t n, n_rows, C;
  bool mean, add;
} pool_case;

static void run_sum(void *p, trm_real **out) {
  const pool_case *k = p;
  trm_segment_sum(out[0], k->x, k->offsets, k->n, k->C, k->mean);
}
static void run_sum_backward(void *p, trm_real **out) {
  const pool_case *k = p;
  trm_segment_sum_backward(out[0], k->dy, k->offsets, k->n, k->n_rows, k->C, k->mean, k->add);
}
static void run_max(void *p, trm_real **out) {
  const pool_case *k = p;
  trm_segment_max(out[0], k->winners, k->x, k->offsets, k->n, k->C);
  for (int64_t i = 0; i < k->n * k->C; ++i) out[1][i] = (trm_real)k->winners[i];
}
static void run_max_backward(void *p, trm_real **out) {
  const pool_case *k = p;
  trm_segment_max_backward(out[0], k->dy, k->winners, k->offsets, k->n, k->n_rows, k->C, k->add);
}

typedef struct pool_want {
  double *y, *winners, *dx;
} pool_want;

static void pool_reference(const pool_case *k, int pool, pool_want w) {
  memset(w.dx, 0, (size_t)(k->n_rows * k->C) * sizeof *w.dx);
  for (int64_t s = 0; s < k->n; ++s) {
    const int64_t first = k->offsets[s], n = k->offsets[s + 1] - first;
    for (int64_t c = 0; c < k->C; ++c) {
      double sum = 0;
      int64_t best = -1;
      for (int64_t r = first; r < first + n; ++r) {
        sum += (double)k->x[r * k->C + c];
        if (best < 0 || k->x[r * k->C + c] > k->x[best * k->C + c]) best = r;
      }
      const double divisor = pool == 1 && n > 0 ? (double)n : 1, dy = (double)k->dy[s * k->C + c];
      for (int64_t r = first; r < first + n; ++r) {
        w.dx[r * k->C + c] = pool == 2 ? (r == best ? dy : 0) : dy / divisor;
      }
      const double max = best < 0 ? 0 : (double)k->x[best * k->C + c];
      w.y[s * k->C + c] = pool == 2 ? max : sum / divisor;
      w.winners[s * k->C + c] = best < 0 ? -1 : (double)(best - first);
    }
  }
}

static void check_pool(pool_case *k, int pool, pool_want w, const trm_real *start) {
  pool_reference(k, pool, w);
  k->mean = pool == 1;
  k->add = false;
  kernel_case c = {.name = "segment pool",
                   .run = pool == 2 ? run_max : run_sum,
                   .context = k,
                   .n = {k->n * k->C, pool == 2 ? k->n * k->C : 0},
                   .want = {w.y, w.winners},
                   .tolerance = {pool == 2 ? 0 : 4 + 2 * sqrt((double)k->n_rows)}};
  check_kernel(c);
  kernel_case back = {.name = "segment pool backward",
                      .run = pool == 2 ? run_max_backward : run_sum_backward,
                      .context = k,
                      .n = {k->n_rows * k->C},
                      .want = {w.dx},
                      .tolerance = {2}};
  check_kernel(back);
  k->add = true;
  back.start[0] = start;
  check_kernel(back);
}

static void check_segments(int64_t n, int64_t rows, int64_t C, int64_t first) {
  uint64_t state = (uint64_t)(n + 31 * C + 977 * rows);
  pool_case k = {.n = n, .C = C};
  k.offsets = test_calloc(n + 1, sizeof *k.offsets);
  k.offsets[0] = first;
  for (int64_t s = 0; s < n; ++s) {
    k.offsets[s + 1] = k.offsets[s] + (s % 5 == 2 ? 0 : test_below(&state, 2 * rows + 1));
  }
  k.n_rows = k.offsets[n] + first;
  k.x = NEW_REALS(k.n_rows * C);
  for (int64_t i = 0; i < k.n_rows * C; ++i) k.x[i] = (trm_real)(test_below(&state, 9) - 6);
  k.dy = test_random(n * C, 1, &state, NULL);
  k.winners = test_calloc(n * C, sizeof *k.winners);
  trm_real *start = test_random(k.n_rows * C, 1, &state, NULL);
  const pool_want w = {NEW_DOUBLES(n * C), NEW_DOUBLES(n * C), NEW_DOUBLES(k.n_rows * C)};
  for (int pool = 0; pool < 3; ++pool) check_pool(&k, pool, w, start);
  free(k.offsets);
  free(k.x);
  free(k.dy);
  free(k.winners);
  free(start);
  free(w.y);
  free(w.winners);
  free(w.dx);
}

/* First rows of segments, among them empty ones, and rows before and behind all of them. */
static void check_first(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const int64_t offsets[] = {1, 3, 3, 6};
  trm_real x[7 * 2], y[3 * 2], dx[7 * 2];
  for (int i = 0; i < 14; ++i) x[i] = (trm_real)(i + 1);
  trm_segment_first(y, x, offsets, 3, 2);
  const trm_real want[6] = {3, 4, 0, 0, 7, 8};
  for (int i = 0; i < 6; ++i) CHECK(y[i] == want[i]);
  for (int add = 0; add < 2; ++add) {
    for (int i = 0; i < 14; ++i) dx[i] = 1;
    trm_segment_first_backward(dx, y, offsets, 3, 7, 2, add == 1);
    for (int i = 0; i < 14; ++i) {
      const trm_real given = i == 2 ? 3 : i == 3 ? 4 : i == 6 ? 7 : i == 7 ? 8 : 0;
      CHECK(dx[i] == given + (trm_real)add);
    }
  }
}

static void check_nan(void *context, const char *isa) {
  (void)context;
  (void)isa;
  const int64_t offsets[2] = {0, 3};
  for (int at = 0; at < 3; ++at) {
    trm_real x[3 * 20], y[20];
    trm_winner winners[20];
    for (int i = 0; i < 60; ++i) x[i] = i / 20 == at ? (trm_real)NAN : (trm_real)i;
    trm_segment_max(y, winners, x, offsets, 1, 20);
    for (int c = 0; c < 20; ++c) CHECK(isnan(y[c]) && winners[c] == at);
  }
}

int main(void) {
  check_rows(0, 3, 2, 0);
  check_rows(1, 1, 1, 1);
  check_rows(7, 9, 3, 1);
  check_rows(50, 50, 17, 2);
  check_rows(3000, 500, 19, 1);
  check_rows(900, 2000, 64, 0);
  check_segments(0, 1, 3, 0);
  check_segments(0, 1, 3, 2);
  check_segments(1, 1, 1, 0);
  check_segments(7, 3, 5, 0);
  check_segments(12, 4, 33, 3);
  check_segments(400, 20, 21, 5);
  for_each_isa(check_first, NULL);
  for_each_isa(check_nan, NULL);
  return check_verdict();
}
