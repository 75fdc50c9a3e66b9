/**
 * Matrix products of the shapes and forms that models take them in, by every back end: GFLOP/s, and the
 * share of the processor's best rate (peak.h), on one thread and on several.
 *
 * Forms of a linear layer y = x w^T: NT makes y, NN the gradient of x, TN that of w. Operands are as
 * warm as their size lets them be.
 *
 * Usage: bench_gemm [--csv] [--threads N] [--rounds N] [--ways WAY,...] [--groups GROUP,...]
 * All ways and the loops of the peak take turns round by round; a share and a ratio are taken within a
 * round. The table has the median of the rounds, --csv least, median and greatest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peak.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

enum { MAX_ROUNDS = 101, MAX_LAYERS = 8, MAX_ROWS = 5, MAX_LIST = 64 };
static const double round_s = 0.003;

/* ---- what is multiplied ----------------------------------------------------------------------- */

typedef enum product_form { NT, NN, TN, N_FORMS } product_form;
static const char *const form_names[] = {"NT", "NN", "TN"};

typedef struct layer {
  const char *name;
  int64_t out, in;
  bool first; /* its input is data, of which there is no gradient */
} layer;

/* A model's layers, and the rows that they are applied to at once. */
typedef struct group {
  const char *name;
  bool forward_only;
  int64_t rows[MAX_ROWS];
  layer layers[MAX_LAYERS];
} group;

#define DECODER(C)                                                                                 \
  {"qkv", 3 * (C), C, false}, {"proj", C, C, false}, {"fc", 4 * (C), C, false}, {                  \
    "fc_proj", C, 4 * (C), false                                                                   \
  }
#define DECODING                                                                                   \
  { 1, 2, 4, 8, 16 }

static const group groups[] = {
    {"small", false, {192}, {DECODER(128), {"head", 65, 128, false}}},
    {"medium", false, {256}, {DECODER(384), {"head", 65, 384, false}}},
    {"gpt2", false, {256}, {DECODER(768), {"head tile", 1008, 768, false}}},
    {"graphs",
     false,
     {1024, 10000},
     {{"features", 128, 602, true},
      {"features", 256, 602, true},
      {"features", 64, 1433, true},
      {"hidden", 64, 64, false},
      {"hidden", 128, 128, false},
      {"hidden", 256, 256, false},
      {"classes", 41, 256, false},
      {"classes", 7, 64, false}}},
    {"decode-small", true, DECODING, {DECODER(128), {"head", 65, 128, false}}},
    {"decode-medium", true, DECODING, {DECODER(384), {"head", 65, 384, false}}},
    {"decode-gpt2", true, DECODING, {DECODER(768), {"head tile", 1008, 768, false}}},
};
enum { N_GROUPS = sizeof groups / sizeof groups[0] };

/* ---- ways to multiply ------------------------------------------------------------------------- */

typedef struct way {
  const char *name, *backend;
  peak_precision precision;
  bool packed; /* the weights are packed beforehand, as in a step that uses them several times */
  bool on_request; /* only if --ways names it, as is bfloat16 where no instruction takes it */
} way;

static const way ways[] = {
    {"native", "native", PEAK_FLOAT32, false, false},
    {"packed", "native", PEAK_FLOAT32, true, false},
    {"bf16", "native", PEAK_BF16, false, false},
    {"bf16-packed", "native", PEAK_BF16, true, false},
    {"openblas", "openblas", PEAK_FLOAT32, false, false},
    {"reference", "reference", PEAK_FLOAT32, false, true},
};
enum { N_WAYS = sizeof ways / sizeof ways[0], FIRST_WAY = 0 };

static bool by_default(const way *w) {
  return !w->on_request && (w->precision != PEAK_BF16 || trm_bf16_instruction());
}

/* One and several threads. */
enum { N_TEAMS = 2 };

typedef struct settings {
  bool csv;
  int threads[N_TEAMS], n_rounds;
  bool wanted_ways[N_WAYS], wanted_groups[N_GROUPS];
} settings;

/* ---- one product ------------------------------------------------------------------------------ */

typedef struct operands {
  trm_real *a, *b, *c, *packed;
} operands;

typedef struct problem {
  product_form form;
  int64_t M, N, K;
} problem;

static problem problem_of(const layer *l, product_form form, int64_t T) {
  if (form == NT) return (problem){form, T, l->out, l->in};
  if (form == NN) return (problem){form, T, l->in, l->out};
  return (problem){form, l->out, l->in, T};
}

static bool applies(const way *w, product_form form) {
  return !w->packed || form != TN; /* of two activations nothing can be packed beforehand */
}

static trm_factors factors_of(const way *w, const problem *p, const operands *o) {
  const bool transpose_a = p->form == TN, transpose_b = p->form == NT;
  return (trm_factors){.M = p->M,
                       .N = p->N,
                       .K = p->K,
                       .a = o->a,
                       .a_row = transpose_a ? 1 : p->K,
                       .a_k = transpose_a ? p->M : 1,
                       .b = o->b,
                       .ldb = transpose_b ? p->K : p->N,
                       .transpose_b = transpose_b,
                       .packed = w->packed ? o->packed : NULL,
                       .bf16 = w->precision == PEAK_BF16};
}

static double time_s(const way *w, const problem *p, const operands *o, int repeats) {
  const trm_factors f = factors_of(w, p, o);
  const trm_after after = {.c = o->c, .ldc = p->N, .alpha = 1};
  const double start_s = trm_clock_s();
  for (int i = 0; i < repeats; ++i) trm_gemm_then(&f, &after);
  return (trm_clock_s() - start_s) / repeats;
}

static trm_status prepare(const way *w, const problem *p, const operands *o, int n_threads) {
  TRM_TRY(trm_gemm_select(w->backend));
  trm_threads_set(n_threads);
  if (w->packed) {
    const trm_factors f = factors_of(w, p, o);
    trm_product_pack(o->packed, f.b, f.ldb, f.transpose_b, f.N, f.K, f.bf16);
  }
  return TRM_OK;
}

/* ---- a row of the table ----------------------------------------------------------------------- */

typedef struct cell {
  bool there;
  int repeats;
  double rate[MAX_ROUNDS], share[MAX_ROUNDS]; /* FLOP/s, and of the peak in the same round */
} cell;

typedef struct row {
  cell cells[N_WAYS][N_TEAMS];
} row;

static const peak_loop *peaks[N_PEAK_PRECISIONS];

static trm_status calibrate(const settings *s, const problem *p, const operands *o, row *r) {
  for (int w = 0; w < N_WAYS; ++w) {
    for (int t = 0; t < N_TEAMS; ++t) {
      cell *c = &r->cells[w][t];
      c->there = s->wanted_ways[w] && applies(&ways[w], p->form);
      if (!c->there) continue;
      TRM_TRY(prepare(&ways[w], p, o, s->threads[t]));
      (void)time_s(&ways[w], p, o, 1); /* buffers and threads are made */
      c->repeats = 1 + (int)(round_s / time_s(&ways[w], p, o, 1));
    }
  }
  return TRM_OK;
}

static trm_status measure_round(const settings *s, const problem *p, const operands *o, row *r,
                                int round) {
  const double flop = 2.0 * (double)p->M * (double)p->N * (double)p->K;
  for (int t = 0; t < N_TEAMS; ++t) {
    double peak[N_PEAK_PRECISIONS] = {0};
    for (int i = 0; i < N_PEAK_PRECISIONS; ++i) {
      if (peaks[i]) peak[i] = peak_rate(peaks[i], s->threads[t], round_s);
    }
    for (int w = 0; w < N_WAYS; ++w) {
      cell *c = &r->cells[w][t];
      if (!c->there) continue;
      TRM_TRY(prepare(&ways[w], p, o, s->threads[t]));
      c->rate[round] = flop / time_s(&ways[w], p, o, c->repeats);
      const double of = peak[ways[w].precision];
      c->share[round] = of > 0 ? c->rate[round] / of : 0;
    }
  }
  return TRM_OK;
}

static trm_status measure(const settings *s, const problem *p, row *r) {
  trm_status status = TRM_OK;
  operands o = {NULL, NULL, NULL, NULL};
  TRM_TRY_OUT(TRM_ALLOC(&o.a, p->M * p->K, "A"));
  TRM_TRY_OUT(TRM_ALLOC(&o.b, p->N * p->K, "B"));
  TRM_TRY_OUT(TRM_ALLOC(&o.c, p->M * p->N, "C"));
  TRM_TRY_OUT(TRM_ALLOC(&o.packed, trm_packed_elements(p->N, p->K, false), "packed B"));
  for (int64_t i = 0; i < p->M * p->K; ++i) o.a[i] = (trm_real)(i % 13 - 6);
  for (int64_t i = 0; i < p->N * p->K; ++i) o.b[i] = (trm_real)(i % 11 - 5);
  TRM_TRY_OUT(calibrate(s, p, &o, r));
  for (int round = 0; round < s->n_rounds; ++round) {
    TRM_TRY_OUT(measure_round(s, p, &o, r, round));
  }
out:
  TRM_FREE(o.packed);
  TRM_FREE(o.c);
  TRM_FREE(o.b);
  TRM_FREE(o.a);
  return status;
}

/* ---- least, median, greatest ------------------------------------------------------------------- */

typedef struct spread {
  double least, median, greatest;
} spread;

static int compare(const void *x, const void *y) {
  const double a = *(const double *)x, b = *(const double *)y;
  return (a > b) - (a < b);
}

static spread spread_of(double *values, int n) { /* sorts them */
  if (n == 0) return (spread){0, 0, 0};
  qsort(values, (size_t)n, sizeof *values, compare);
  return (spread){values[0], (values[(n - 1) / 2] + values[n / 2]) / 2, values[n - 1]};
}

/* x / y round by round. */
static double median_ratio(const double *x, const double *y, int n) {
  double ratios[MAX_ROUNDS];
  for (int i = 0; i < n; ++i) ratios[i] = x[i] / y[i];
  return spread_of(ratios, n).median;
}

/* What a group's rows have to say of a way, a median each. */
enum { MAX_VALUES = 128 };
typedef enum figure { SHARE_1, SHARE_N, N_TO_1, TO_FIRST_1, TO_FIRST_N, N_FIGURES } figure;
typedef struct summary {
  double values[N_FIGURES][MAX_VALUES];
  int n[N_FIGURES];
} summary;

static void note(summary *s, figure f, double value) {
  if (s->n[f] < MAX_VALUES) s->values[f][s->n[f]++] = value;
}

/* Before the row's rounds are sorted. */
static void summarise(const settings *s, const row *r, summary all[N_WAYS]) {
  const cell *first = r->cells[FIRST_WAY];
  for (int w = 0; w < N_WAYS; ++w) {
    const cell *c = r->cells[w];
    if (!c[0].there) continue;
    for (int t = 0; t < N_TEAMS; ++t) {
      double shares[MAX_ROUNDS];
      memcpy(shares, c[t].share, sizeof shares);
      note(&all[w], t == 0 ? SHARE_1 : SHARE_N, spread_of(shares, s->n_rounds).median);
      if (w == FIRST_WAY || !first[t].there) continue;
      note(&all[w], t == 0 ? TO_FIRST_1 : TO_FIRST_N,
           median_ratio(c[t].rate, first[t].rate, s->n_rounds));
    }
    note(&all[w], N_TO_1, median_ratio(c[1].rate, c[0].rate, s->n_rounds));
  }
}

/* ---- output ----------------------------------------------------------------------------------- */

static void print_head(const settings *s) {
  if (s->csv) {
    printf("group,layer,form,M,N,K,way,precision,threads,gflop_per_s_least,gflop_per_s_median,"
           "gflop_per_s_greatest,peak_share_least,peak_share_median,peak_share_greatest\n");
    return;
  }
  for (int i = 0; i < N_PEAK_PRECISIONS; ++i) {
    if (!peaks[i]) continue;
    printf("%s: %s, %.0f GFLOP/s on 1 thread, %.0f on %d\n", peak_precision_name((peak_precision)i),
           peaks[i]->name, peak_rate(peaks[i], 1, 10 * round_s) * 1e-9,
           peak_rate(peaks[i], s->threads[1], 10 * round_s) * 1e-9, s->threads[1]);
  }
  printf("GFLOP/s and %% of the peak, 1 and %d threads, median of %d rounds\n", s->threads[1],
         s->n_rounds);
  printf("%-13s %-9s    %5s %4s %5s", "", "", "M", "N", "K");
  for (int w = 0; w < N_WAYS; ++w) {
    if (s->wanted_ways[w]) printf(" | %-23s", ways[w].name);
  }
  printf("\n");
}

static void print_csv(const settings *s, const char *start, const row *r) {
  for (int w = 0; w < N_WAYS; ++w) {
    for (int t = 0; t < N_TEAMS; ++t) {
      cell c = r->cells[w][t];
      if (!c.there) continue;
      const spread rate = spread_of(c.rate, s->n_rounds), share = spread_of(c.share, s->n_rounds);
      printf("%s,%s,%s,%d,%.3f,%.3f,%.3f,%.4f,%.4f,%.4f\n", start, ways[w].name,
             peak_precision_name(ways[w].precision), s->threads[t], rate.least * 1e-9,
             rate.median * 1e-9, rate.greatest * 1e-9, share.least, share.median, share.greatest);
    }
  }
}

static void print_row(const settings *s, const group *g, const layer *l, const problem *p,
                      const row *r) {
  if (s->csv) {
    char start[128];
    (void)snprintf(start, sizeof start, "%s,%s,%s,%lld,%lld,%lld", g->name, l->name,
                   form_names[p->form], (long long)p->M, (long long)p->N, (long long)p->K);
    print_csv(s, start, r);
    return;
  }
  printf("%-13s %-9s %s %5lld %4lld %5lld", g->name, l->name, form_names[p->form], (long long)p->M,
         (long long)p->N, (long long)p->K);
  for (int w = 0; w < N_WAYS; ++w) {
    if (!s->wanted_ways[w]) continue;
    printf(" |");
    for (int t = 0; t < N_TEAMS; ++t) {
      cell c = r->cells[w][t];
      if (c.there) {
        printf(" %6.1f %3.0f%%", spread_of(c.rate, s->n_rounds).median * 1e-9,
               100 * spread_of(c.share, s->n_rounds).median);
      } else {
        printf(" %6s %4s", "-", "");
      }
    }
    printf(" ");
  }
  printf("\n");
  (void)fflush(stdout);
}

static void print_summary(const settings *s, const group *g, summary all[N_WAYS]) {
  if (s->csv) return;
  printf("%-13s least / median / greatest of the rows above: share of the peak on 1 and on %d "
         "threads;\n"
         "%-13s ratio of %d threads to 1; ratio to %s on 1 and on %d threads\n",
         g->name, s->threads[1], "", s->threads[1], ways[FIRST_WAY].name, s->threads[1]);
  for (int w = 0; w < N_WAYS; ++w) {
    if (all[w].n[SHARE_1] == 0) continue;
    printf("%-13s %-11s", "", ways[w].name);
    for (int f = 0; f < N_FIGURES; ++f) {
      const spread x = spread_of(all[w].values[f], all[w].n[f]);
      if (all[w].n[f] > 0)
        printf("  %.2f / %.2f / %.2f%s", x.least, x.median, x.greatest,
               f == SHARE_N || f == N_TO_1 ? " ;" : "");
    }
    printf("\n");
  }
  printf("\n");
}

/* ---- all of it -------------------------------------------------------------------------------- */

static trm_status run_group(const settings *s, const group *g) {
  trm_status status = TRM_OK;
  summary *all = NULL;
  row *r = NULL;
  TRM_TRY_OUT(TRM_ALLOC(&all, N_WAYS, "summary"));
  TRM_TRY_OUT(TRM_ALLOC(&r, 1, "row"));
  for (int i = 0; i < MAX_ROWS && g->rows[i] > 0; ++i) {
    for (int k = 0; k < MAX_LAYERS && g->layers[k].name; ++k) {
      const layer *l = &g->layers[k];
      for (product_form form = NT; form < N_FORMS; ++form) {
        if ((g->forward_only && form != NT) || (l->first && form == NN)) continue;
        const problem p = problem_of(l, form, g->rows[i]);
        TRM_TRY_OUT(measure(s, &p, r));
        summarise(s, r, all);
        print_row(s, g, l, &p, r);
      }
    }
  }
  print_summary(s, g, all);
out:
  TRM_FREE(r);
  TRM_FREE(all);
  return status;
}

static trm_status run_all(const settings *s) {
  for (int i = 0; i < N_PEAK_PRECISIONS; ++i) peaks[i] = peak_best((peak_precision)i);
  for (int w = 0; w < N_WAYS && !s->csv; ++w) {
    if (!s->wanted_ways[w]) continue;
    TRM_TRY(trm_gemm_select(ways[w].backend));
    printf("%s: %s, %s\n", ways[w].name, trm_gemm_selected()->part.name,
           trm_gemm_selected()->kernel());
  }
  print_head(s);
  for (int g = 0; g < N_GROUPS; ++g) {
    if (s->wanted_groups[g]) TRM_TRY(run_group(s, &groups[g]));
  }
  return TRM_OK;
}

/* Whether a list "a,b" has the name. */
static bool lists(const char *list, const char *name) {
  const size_t length = strlen(name);
  for (const char *at = list; at; at = strchr(at, ',')) {
    if (*at == ',') ++at;
    if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == 0)) return true;
  }
  return false;
}

static int count_items(const char *list) {
  int n = 1;
  for (; *list; ++list) n += *list == ',';
  return n;
}

static bool parse(int argc, char **argv, settings *s) {
  const char *way_list = NULL, *group_list = NULL;
  int n_ways = 0, n_groups = 0;
  *s = (settings){.threads = {1, 2}, .n_rounds = 9};
  for (int i = 1; i < argc; ++i) {
    const char *option = argv[i];
    if (strcmp(option, "--csv") == 0) {
      s->csv = true;
      continue;
    }
    const char *value = i + 1 < argc ? argv[++i] : "";
    if (strcmp(option, "--threads") == 0) {
      s->threads[1] = atoi(value);
    } else if (strcmp(option, "--rounds") == 0) {
      s->n_rounds = atoi(value);
    } else if (strcmp(option, "--ways") == 0) {
      way_list = value;
    } else if (strcmp(option, "--groups") == 0) {
      group_list = value;
    } else {
      return false;
    }
  }
  for (int w = 0; w < N_WAYS; ++w) {
    s->wanted_ways[w] = way_list ? lists(way_list, ways[w].name) : by_default(&ways[w]);
    n_ways += s->wanted_ways[w];
  }
  for (int g = 0; g < N_GROUPS; ++g) {
    s->wanted_groups[g] = !group_list || lists(group_list, groups[g].name);
    n_groups += s->wanted_groups[g];
  }
  return s->threads[1] >= 1 && s->n_rounds >= 1 && s->n_rounds <= MAX_ROUNDS &&
         (!way_list || n_ways == count_items(way_list)) &&
         (!group_list || n_groups == count_items(group_list));
}

static void print_usage(void) {
  fprintf(stderr, "usage: bench_gemm [--csv] [--threads N] [--rounds N] [--ways WAY,...] "
                  "[--groups GROUP,...]\nways:");
  for (int w = 0; w < N_WAYS; ++w) fprintf(stderr, " %s", ways[w].name);
  fprintf(stderr, "\ngroups:");
  for (int g = 0; g < N_GROUPS; ++g) fprintf(stderr, " %s", groups[g].name);
  fprintf(stderr, "\n");
}

int main(int argc, char **argv) {
  trm_math_init();
  settings s;
  if (!parse(argc, argv, &s)) {
    print_usage();
    return trm_status_exit_code(TRM_ERR_USAGE);
  }
  const trm_status status = run_all(&s);
  if (status != TRM_OK) fprintf(stderr, "error: %s\n", trm_message());
  return trm_status_exit_code(status);
}
