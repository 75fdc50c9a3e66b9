/*
 * Attention over sequences of different lengths: against the naive form in double (to itself and to
 * others, causal and not, aligned at the end, with dropout by the documented use of the generator, keys
 * by a table), queries without keys, and bits: a sequence alone is the sequence among others, a last
 * query alone is the last row of the whole.
 */
#include "kernel_check.h"
#include "trireme/math/attention.h"

enum { MAX_SEQUENCES = 8 };

typedef struct ragged {
  trm_attention a;
  trm_sequences queries, keys;
  int64_t query_offsets[MAX_SEQUENCES + 1], key_offsets[MAX_SEQUENCES + 1];
  trm_real *q, *kv, *dout, *out, *lse;
  double *q2, *kv2, *dout2; /* the same in double */
  int32_t *table;
  bool add;
} ragged;

static int64_t width_of(const ragged *r) {
  return r->a.H * r->a.d;
}

static trm_sequences sequences_of(int64_t *offsets, int n, const int64_t *lengths) {
  trm_sequences s = {.n = n, .offsets = offsets};
  offsets[0] = 0;
  for (int i = 0; i < n; ++i) {
    offsets[i + 1] = offsets[i] + lengths[i];
    s.longest = lengths[i] > s.longest ? lengths[i] : s.longest;
  }
  s.n_rows = offsets[n];
  return s;
}

/* Rows of q are [Rq, C], of keys and values [Rk, 2C]. */
static void ragged_make(ragged *r, int n, const int64_t *queries, const int64_t *keys, int64_t H,
                        int64_t d, bool causal, double dropout) {
  uint64_t state = (uint64_t)(n + 31 * d + 7 * H + queries[0]);
  const int64_t C = H * d;
  *r = (ragged){0};
  r->queries = sequences_of(r->query_offsets, n, queries);
  r->keys = sequences_of(r->key_offsets, n, keys);
  r->q = test_random(r->queries.n_rows * C, 2, &state, &r->q2);
  r->kv = test_random(r->keys.n_rows * 2 * C, 2, &state, &r->kv2);
  r->dout = test_random(r->queries.n_rows * C, 1, &state, &r->dout2);
  r->a = (trm_attention){.queries = &r->queries,
                         .keys = &r->keys,
                         .H = H,
                         .d = d,
                         .causal = causal,
                         .q = r->q,
                         .k = r->kv,
                         .v = r->kv + C,
                         .q_step = C,
                         .kv_step = 2 * C,
                         .dropout = dropout,
                         .key = trm_random_key_make(5, TRM_RANDOM_DROPOUT, 3, 1),
                         .sample0 = INT64_C(5000000000)};
}

static void ragged_drop(ragged *r) {
  void *const all[] = {r->q, r->kv, r->dout, r->out, r->lse, r->q2, r->kv2, r->dout2, r->table};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i) free(all[i]);
}

static void run_forward(void *p, trm_real **out) {
  const ragged *r = p;
  const int64_t n = trm_attention_forward_scratch(&r->a);
  trm_real *scratch = guarded_new(n, NULL);
  trm_attention_forward(out[0], out[1], &r->a, scratch);
  CHECK(guarded_intact(scratch, n));
  free(scratch - GUARD);
}

static void run_backward(void *p, trm_real **out) {
  const ragged *r = p;
  const int64_t n = trm_attention_backward_scratch(&r->a);
  trm_real *scratch = guarded_new(n, NULL);
  trm_attention_backward(out[0], out[1], out[1] + width_of(r), r->dout, r->out, r->lse, &r->a,
                         r->add, r->add, scratch);
  CHECK(guarded_intact(scratch, n));
  free(scratch - GUARD);
}

/* ---- the naive form --------------------------------------------------------------------------- */

static double mask_of(const ragged *r, int64_t sequence, int64_t h, int64_t query, int64_t key) {
  if (r->a.dropout == 0) return 1;
  const double threshold = floor(r->a.dropout * 65536 + 0.5);
  uint32_t words[4];
  const uint64_t position = ((uint64_t)query << 32) + ((uint64_t)h << 22) + (uint64_t)key / 8;
  trm_random_words(r->a.key, (uint64_t)(r->a.sample0 + sequence), position, words);
  const uint32_t word = words[key % 8 / 2];
  const uint32_t draw = key % 2 == 0 ? word & 0xffffu : word >> 16;
  return draw < threshold ? 0 : 65536 / (65536 - threshold);
}

typedef struct reference {
  double *out, *lse, *dq, *dkv;
} reference;

/* One query of one head. `p` and `dp` are room for a number a key. */
static void reference_query(const ragged *r, reference *to, int64_t s, int64_t h, int64_t i,
                            double *p, double *dp) {
  const int64_t d = r->a.d, C = width_of(r), row = r->query_offsets[s] + i;
  const int64_t n_queries = trm_sequence_rows(&r->queries, s);
  const int64_t all = trm_sequence_rows(&r->keys, s);
  const int64_t n = r->a.causal ? i + 1 + all - n_queries : all;
  const double *q = r->q2 + row * C + h * d, *dout = r->dout2 + row * C + h * d;
  double max = -INFINITY, sum = 0, mean = 0;
  if (n <= 0) return;
#define KEY_ROW(j) (r->table ? r->table[r->key_offsets[s] + (j)] : r->key_offsets[s] + (j))
#define K(j) (r->kv2 + KEY_ROW(j) * 2 * C + h * d)
  for (int64_t j = 0; j < n; ++j) {
    p[j] = 0;
    for (int64_t c = 0; c < d; ++c) p[j] += q[c] * K(j)[c] / sqrt((double)d);
    max = fmax(max, p[j]);
  }
  for (int64_t j = 0; j < n; ++j) sum += exp(p[j] - max);
  to->lse[h * r->queries.n_rows + row] = max + log(sum);
  for (int64_t j = 0; j < n; ++j) {
    const double mask = mask_of(r, s, h, i, j);
    p[j] = exp(p[j] - max) / sum;
    dp[j] = 0;
    for (int64_t c = 0; c < d; ++c) {
      to->out[row * C + h * d + c] += p[j] * mask * K(j)[C + c];
      dp[j] += mask * dout[c] * K(j)[C + c];
    }
    mean += p[j] * dp[j];
  }
  for (int64_t j = 0; j < n; ++j) {
    const double ds = p[j] * (dp[j] - mean) / sqrt((double)d);
    double *dk = to->dkv + KEY_ROW(j) * 2 * C + h * d;
    for (int64_t c = 0; c < d; ++c) {
      to->dq[row * C + h * d + c] += ds * K(j)[c];
      dk[c] += ds * q[c];
      dk[C + c] += p[j] * mask_of(r, s, h, i, j) * dout[c];
    }
  }
#undef K
#undef KEY_ROW
}

static reference reference_make(const ragged *r) {
  const int64_t C = width_of(r), n_q = r->queries.n_rows, n_k = r->keys.n_rows;
  reference to = {NEW_DOUBLES(n_q * C), NEW_DOUBLES(n_q * r->a.H), NEW_DOUBLES(n_q * C),
                  NEW_DOUBLES(n_k * 2 * C)};
  double *p = NEW_DOUBLES(r->keys.longest), *dp = NEW_DOUBLES(r->keys.longest);
  for (int64_t s = 0; s < r->queries.n; ++s) {
    for (int64_t u = 0; u < r->a.H * trm_sequence_rows(&r->queries, s); ++u) {
      reference_query(r, &to, s, u % r->a.H, u / r->a.H, p, dp);
    }
  }
  free(p);
  free(dp);
  return to;
}

static void reference_drop(reference *to) {
  free(to->out), free(to->lse), free(to->dq), free(to->dkv);
}

static trm_real *reals_of(const double *x, int64_t n) {
  trm_real *y = NEW_REALS(n);
  for (int64_t i = 0; i < n; ++i) y[i] = (trm_real)x[i];
  return y;
}

static void check_backward(ragged *r, const reference *want, const char *name) {
  const int64_t C = width_of(r), n_q = r->queries.n_rows * C, n_k = r->keys.n_rows * 2 * C;
  uint64_t state = 9;
  trm_real *start_q = test_random(n_q, 1, &state, NULL),
           *start_k = test_random(n_k, 1, &state, NULL);
  r->out = reals_of(want->out, n_q);
  r->lse = reals_of(want->lse, r->queries.n_rows * r->a.H);
  kernel_case k = {.name = name,
                   .run = run_backward,
                   .context = r,
                   .n = {n_q, n_k},
                   .want = {want->dq, want->dkv},
                   .tolerance = {128, 256}};
  check_kernel(k);
  r->add = true;
  k.start[0] = start_q;
  k.start[1] = start_k;
  check_kernel(k);
  free(start_q);
  free(start_k);
}

static void check_reference(int n, const int64_t *queries, const int64_t *keys, int64_t H,
                            int64_t d, bool causal, double dropout, bool table) {
  char name[128];
  ragged r;
  snprintf(name, sizeof name, "%d sequences from %lld and %lld, H %lld, d %lld%s%s, dropout %g", n,
           (long long)queries[0], (long long)keys[0], (long long)H, (long long)d,
           causal ? ", causal" : "", table ? ", table" : "", dropout);
  ragged_make(&r, n, queries, keys, H, d, causal, dropout);
  if (table) {
    uint64_t state = 77;
    r.table = test_calloc(r.keys.n_rows, sizeof *r.table);
    for (int64_t i = 0; i < r.keys.n_rows; ++i) {
      r.table[i] = (int32_t)test_below(&state, r.keys.n_rows);
    }
    r.a.key_rows = r.table;
  }
  reference want = reference_make(&r);
  check_kernel((kernel_case){.name = name,
                             .run = run_forward,
                             .context = &r,
                             .n = {r.queries.n_rows * H * d, r.queries.n_rows * H},
                             .want = {want.out, want.lse},
                             .tolerance = {48, 16}});
  if (!table) check_backward(&r, &want, name);
  reference_drop(&want);
  ragged_drop(&r);
}

static void check_references(void) {
  static const int64_t a[] = {5, 0, 1, 64, 70, 17}, b[] = {9, 3, 0, 65, 130, 1};
  static const int64_t none[] = {0, 0}, long_queries[] = {300, 40}, long_keys[] = {330, 270};
  static const int64_t heads[][2] = {{1, 16}, {2, 5}, {2, 20}, {1, 64}};
  for (int i = 0; i < 4; ++i) {
    const int64_t H = heads[i][0], d = heads[i][1];
    for (int causal = 0; causal < 2; ++causal) {
      for (int drops = 0; drops < 2; ++drops) {
        check_reference(6, a, a, H, d, causal, drops * 0.3, false);
        check_reference(6, a, b, H, d, causal, drops * 0.3, false);
        check_reference(6, b, a, H, d, causal, drops * 0.3, false);
      }
      check_reference(6, a, b, H, d, causal, 0, true);
      check_reference(2, none, a, H, d, causal, 0, false);
      check_reference(2, a, none, H, d, causal, 0.5, false);
      check_reference(2, none, none, H, d, causal, 0, false);
    }
  }
  check_reference(2, long_queries, long_keys, 1, 8, true, 0.1, false);
  check_reference(2, long_keys, long_queries, 1, 8, false, 0, false);
}

/* ---- the same bits ---------------------------------------------------------------------------- */

/* Forward and backward of the whole, into fresh arrays. */
typedef struct results {
  trm_real *out, *lse, *dq, *dkv;
} results;

static results results_of(ragged *r) {
  const int64_t C = width_of(r), n_q = r->queries.n_rows, n_k = r->keys.n_rows;
  results y = {NEW_REALS(n_q * C), NEW_REALS(n_q * r->a.H), NEW_REALS(n_q * C),
               NEW_REALS(n_k * 2 * C)};
  run_forward(r, (trm_real *[]){y.out, y.lse});
  r->out = y.out;
  r->lse = y.lse;
  run_backward(r, (trm_real *[]){y.dq, y.dkv});
  r->out = r->lse = NULL;
  return y;
}

static void results_drop(results *y) {
  free(y->out), free(y->lse), free(y->dq), free(y->dkv);
}

static bool same(const trm_real *a, const trm_real *b, int64_t n) {
  return n == 0 || memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

static void check_alone(const ragged *all, const results *want, int64_t s) {
  const int64_t C = width_of(all), q0 = all->query_offsets[s], k0 = all->key_offsets[s];
  const int64_t n_q = trm_sequence_rows(&all->queries, s), n_k = trm_sequence_rows(&all->keys, s);
  ragged one = *all;
  one.queries = trm_sequences_equal(1, n_q);
  one.keys = trm_sequences_equal(1, n_k);
  one.a.queries = &one.queries;
  one.a.keys = &one.keys;
  one.a.q += q0 * C;
  one.a.k += k0 * 2 * C;
  one.a.v += k0 * 2 * C;
  one.a.sample0 += s;
  one.dout += q0 * C;
  results got = results_of(&one);
  bool good = same(got.out, want->out + q0 * C, n_q * C);
  for (int64_t h = 0; h < one.a.H; ++h) {
    good = good && same(got.lse + h * n_q, want->lse + h * all->queries.n_rows + q0, n_q);
  }
  good = good && same(got.dq, want->dq + q0 * C, n_q * C);
  good = good && same(got.dkv, want->dkv + k0 * 2 * C, n_k * 2 * C);
  if (!CHECK(good)) fprintf(stderr, "  sequence %lld, d %lld\n", (long long)s, (long long)one.a.d);
  results_drop(&got);
}

static void check_batches(void *context, const char *isa) {
  static const int64_t a[] = {5, 0, 1, 64, 70, 17, 2}, b[] = {9, 3, 0, 65, 130, 1, 2};
  static const int64_t sizes[] = {5, 16, 24};
  (void)context;
  (void)isa;
  for (int i = 0; i < 3 * 4; ++i) {
    ragged all;
    ragged_make(&all, 7, a, i % 4 == 0 ? a : b, 3, sizes[i / 4], i % 4 < 2, i % 4 == 1 ? 0 : 0.2);
    trm_threads_set(3);
    results want = results_of(&all);
    for (int threads = 1; threads <= 3; ++threads) {
      trm_threads_set(threads);
      for (int64_t s = 0; s < all.queries.n; ++s) check_alone(&all, &want, s);
    }
    trm_threads_set(1);
    results_drop(&want);
    ragged_drop(&all);
  }
}

/* The last few queries of a causal sequence, whose keys lie in the order of a table. */
static void check_last(const ragged *all, const trm_real *want, int64_t n_keys, int64_t n_last) {
  const int64_t C = width_of(all);
  const trm_sequences queries = trm_sequences_equal(1, n_last),
                      keys = trm_sequences_equal(1, n_keys);
  trm_real *kv = NEW_REALS(n_keys * 2 * C), *out = NEW_REALS(n_last * C);
  int32_t *table = test_calloc(n_keys, sizeof *table);
  for (int64_t i = 0; i < n_keys; ++i) { /* from the last to the first */
    table[i] = (int32_t)(n_keys - 1 - i);
    memcpy(kv + table[i] * 2 * C, all->kv + i * 2 * C, (size_t)(2 * C) * sizeof *kv);
  }
  for (int i = 0; i < 2; ++i) {
    ragged last = {.a = all->a};
    last.a.queries = &queries;
    last.a.keys = &keys;
    last.a.q += (n_keys - n_last) * C;
    if (i == 1) {
      last.a.k = kv;
      last.a.v = kv + C;
      last.a.key_rows = table;
    }
    run_forward(&last, (trm_real *[]){out, NULL});
    if (!CHECK(same(out, want + (n_keys - n_last) * C, n_last * C))) {
      fprintf(stderr, "  the last %lld of %lld, d %lld, %s table\n", (long long)n_last,
              (long long)n_keys, (long long)all->a.d, i == 1 ? "with" : "without");
    }
  }
  free(kv), free(out), free(table);
}

static void check_lasts(void *context, const char *isa) {
  static const int64_t n = 300, sizes[] = {5, 16, 64};
  (void)context;
  (void)isa;
  for (int i = 0; i < 3; ++i) {
    ragged all;
    ragged_make(&all, 1, &n, &n, 2, sizes[i], true, 0);
    results want = results_of(&all);
    for (int64_t keys = 1; keys <= n; keys += keys < 130 ? 1 : 17) {
      for (int64_t last = 1; last <= keys && last < 80; last += last < 4 ? 1 : 23) {
        check_last(&all, want.out, keys, last);
      }
    }
    results_drop(&want);
    ragged_drop(&all);
  }
}

/* Queries [first, first + n) of a sequence that all see all keys, as of a pass over all of them. */
static void check_some(const ragged *all, const trm_real *want, int64_t first, int64_t n) {
  const int64_t C = width_of(all);
  const trm_sequences queries = trm_sequences_equal(1, n);
  trm_real *out = NEW_REALS(n * C);
  ragged some = {.a = all->a};
  some.a.queries = &queries;
  some.a.q += first * all->a.q_step;
  run_forward(&some, (trm_real *[]){out, NULL});
  if (!CHECK(same(out, want + first * C, n * C))) {
    fprintf(stderr, "  %lld queries from the %lldth on, %lld keys, d %lld\n", (long long)n,
            (long long)first, (long long)all->keys.n_rows, (long long)all->a.d);
  }
  free(out);
}

/* Hypotheses of one sentence are few queries that see the same keys. */
static void check_few(void *context, const char *isa) {
  static const int64_t n_queries = 20, n_keys[] = {1, 5, 16, 63, 64, 65, 130};
  static const int64_t sizes[] = {5, 16, 48, 64};
  (void)context;
  (void)isa;
  for (int i = 0; i < 4; ++i) {
    for (int k = 0; k < 7; ++k) {
      ragged all;
      ragged_make(&all, 1, &n_queries, &n_keys[k], 2, sizes[i], false, 0);
      results want = results_of(&all);
      for (int64_t n = 1; n < 11; ++n) check_some(&all, want.out, k, n);
      results_drop(&want);
      ragged_drop(&all);
    }
  }
}

int main(void) {
  check_references();
  for_each_isa(check_few, NULL);
  for_each_isa(check_batches, NULL);
  for_each_isa(check_lasts, NULL);
  return check_verdict();
}
