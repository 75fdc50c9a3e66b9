#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "trireme/comm/reducer.h"
#include "trireme/core/clock.h"
#include "trireme/core/json.h"
#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"
#include "trireme/train/layout.h"

/* Billions of multiply-adds times two a second of a square product, the best of a few. */
static trm_status gemm_rate(double *gflop_per_s) {
  enum { N = 768, TRIES = 5 };
  trm_real *a = NULL, *b = NULL, *c = NULL;
  trm_status status = TRM_OK;
  double best_s = INFINITY;
  TRM_TRY_OUT(TRM_ALLOC(&a, (int64_t)N * N, "matrix"));
  TRM_TRY_OUT(TRM_ALLOC(&b, (int64_t)N * N, "matrix"));
  TRM_TRY_OUT(TRM_ALLOC(&c, (int64_t)N * N, "matrix"));
  for (int i = 0; i < N * N; ++i) {
    a[i] = (trm_real)(i % 7) - 3;
    b[i] = (trm_real)(i % 5) - 2;
  }
  for (int t = 0; t < TRIES; ++t) {
    const double start_s = trm_clock_s();
    trm_gemm(false, false, N, N, N, 1, a, N, b, N, 0, c, N);
    best_s = fmin(best_s, trm_clock_s() - start_s);
  }
  *gflop_per_s = 2e-9 * N * N * N / best_s;
out:
  TRM_FREE(a);
  TRM_FREE(b);
  TRM_FREE(c);
  return status;
}

/* Bus bandwidth, n / t * 2 (P - 1) / P, of an all-reduce of 16 MiB; 0 with one rank. Collective. */
static trm_status allreduce_rate(trm_comm *comm, bool shared_window, double *gb_per_s,
                                 const char **transport) {
  enum { N = 4 << 20, TRIES = 5 };
  const int P = trm_comm_size(comm);
  *gb_per_s = 0;
  const trm_reducer_options options = {
      .engine = "ring", .n_elements = N, .n_blocks = P, .shared_window = shared_window};
  trm_reducer *reducer = NULL;
  TRM_TRY(trm_reducer_create(comm, &options, &reducer));
  *transport = trm_reducer_transport(reducer);
  double best_s = INFINITY;
  trm_status status = TRM_OK;
  for (int t = 0; t < TRIES && status == TRM_OK; ++t) {
    status = trm_comm_barrier(comm);
    const double start_s = trm_clock_s();
    if (status == TRM_OK) status = trm_reducer_run(reducer);
    best_s = fmin(best_s, trm_clock_s() - start_s);
  }
  trm_reducer_destroy(&reducer);
  if (P > 1) *gb_per_s = 4e-9 * N / best_s * 2 * (P - 1) / P;
  return status;
}

/* Bandwidths of an all-reduce, GB/s. */
typedef struct comm_rates {
  double window, messages;
  const char *transport;
} comm_rates;

static const char *level_name(trm_thread_level level) {
  static const char *const names[] = {"single", "funneled", "serialized", "multiple"};
  return names[level];
}

static void say(void *context, const char *sentence) {
  ++*(int *)context;
  printf("  ! %s\n", sentence);
}

static void print_ranks(trm_comm *comm, const trm_layout *layout, const double *rates) {
  printf("  rank  host                 threads  may run on            matrix product\n");
  for (int r = 0; r < layout->n_ranks; ++r) {
    const trm_rank_place *p = &layout->places[r];
    printf("  %4d  %-20s %7d  %-20s  %6.0f GFLOP/s\n", r, trm_comm_host(comm, r), p->n_threads,
           p->allowed, rates[r]);
  }
}

/* OpenBLAS takes an older kernel than the processor has when OPENBLAS_CORETYPE says so. */
static void warn_coretype(void (*tell)(void *context, const char *sentence), int *n_warnings) {
  const char *core = getenv("OPENBLAS_CORETYPE");
  if (!core || !*core) return;
  if (trm_gemm_selected()->product) return; /* the library is not used */
  char text[256];
  (void)snprintf(text, sizeof text,
                 "OPENBLAS_CORETYPE=%s chooses the matrix kernel; without it "
                 "OpenBLAS takes the one made for this processor, which may be faster",
                 core);
  tell(n_warnings, text);
}

/* ---- as JSON ---------------------------------------------------------------------------------- */

/* A sentence of a list. */
static void put_sentence(void *context, const char *sentence) {
  if ((*(int *)context)++ > 0) printf(", ");
  trm_json_text(stdout, sentence);
}

static void put_field(const char *name, const char *text) {
  printf(", \"%s\": ", name);
  trm_json_text(stdout, text);
}

static void put_all(trm_comm *comm, const trm_layout *layout, const double *rates,
                    const comm_rates *speed) {
  char fingerprint[128];
  int n = 0;
  trm_fingerprint(fingerprint, sizeof fingerprint);
  printf("{\"version\": \"" TRM_VERSION "\"");
  put_field("mpi", trm_comm_library());
  put_field("thread_level", level_name(trm_comm_thread_level(comm)));
  put_field("bits_depend_on", fingerprint);
  printf(", \"bf16_instruction\": %s, \"ranks\": [", trm_bf16_instruction() ? "true" : "false");
  for (int r = 0; r < layout->n_ranks; ++r) {
    const trm_rank_place *p = &layout->places[r];
    printf("%s{\"rank\": %d, \"threads\": %d", r ? ", " : "", r, p->n_threads);
    put_field("host", trm_comm_host(comm, r));
    put_field("processors", p->allowed);
    printf(", \"gflop_per_s\": %.1f}", rates[r]);
  }
  printf("]");
  if (layout->n_ranks > 1) {
    put_field("transport", speed->transport);
    printf(", \"allreduce_gb_per_s\": %.3f, \"allreduce_by_messages_gb_per_s\": %.3f",
           speed->window, speed->messages);
  }
  printf(", \"complaints\": [");
  trm_layout_warnings(comm, layout, put_sentence, &n);
  trm_layout_load(comm, layout, put_sentence, &n);
  warn_coretype(put_sentence, &n);
  printf("]}\n");
}

/* ---- in words --------------------------------------------------------------------------------- */

static void print_all(trm_comm *comm, const trm_layout *layout, const double *rates,
                      const comm_rates *speed) {
  char summary[256], fingerprint[128];
  int n_warnings = 0;
  trm_layout_summary(comm, layout, summary, sizeof summary);
  trm_fingerprint(fingerprint, sizeof fingerprint);
  printf("trireme " TRM_VERSION "\n  %s\n  MPI          %s; threads: %s\n", summary,
         trm_comm_library(), level_name(trm_comm_thread_level(comm)));
  printf("  bits depend on  %s\n", fingerprint);
  printf("  bfloat16     %s\n\n",
         trm_bf16_instruction() ? "by AVX512_BF16" : "by plain arithmetic, slow");
  print_ranks(comm, layout, rates);
  if (layout->n_ranks > 1) {
    printf("\n  all-reduce   %.1f GB/s by %s, %.1f GB/s by messages (bus bandwidth, 16 MiB)\n",
           speed->window, speed->transport, speed->messages);
  }
  printf("\n");
  trm_layout_warnings(comm, layout, say, &n_warnings);
  trm_layout_load(comm, layout, say, &n_warnings);
  warn_coretype(say, &n_warnings);
  if (n_warnings == 0) printf("  nothing to complain about\n");
}

/* ---- the command ------------------------------------------------------------------------------ */

static trm_status examine(trm_comm *comm, bool json) {
  trm_layout layout = {0};
  comm_rates speed = {.transport = ""};
  double rate = 0, *rates = NULL;
  const char *unused;
  trm_status status = TRM_OK;
  TRM_TRY(trm_layout_gather(comm, &layout));
  status = gemm_rate(&rate);
  if (status == TRM_OK) status = TRM_ALLOC(&rates, layout.n_ranks, "rates");
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(trm_comm_allgather(comm, &rate, rates, sizeof rate));
  TRM_TRY_OUT(allreduce_rate(comm, true, &speed.window, &speed.transport));
  TRM_TRY_OUT(allreduce_rate(comm, false, &speed.messages, &unused));
  if (trm_comm_rank(comm) == 0) {
    (json ? put_all : print_all)(comm, &layout, rates, &speed);
  }
out:
  TRM_FREE(rates);
  trm_layout_free(&layout);
  return status;
}

int app_doctor(int argc, char **argv) {
  app_list words;
  bool helped;
  int64_t threads = 0;
  bool json = false;
  const app_option options[] = {APP_JSON(&json), APP_THREADS(&threads)};
  trm_comm *comm = NULL;
  trm_status status = app_parse("doctor", argc, argv, APP_OPTIONS(options), &words, &helped);
  if (helped) return app_end(NULL, status);
  if (status == TRM_OK) status = app_expect("doctor", &words, 0, NULL);
  status = app_start(&argc, &argv, threads, status, &comm);
  if (!comm) return app_end(NULL, status);
  if (status == TRM_ERR_CONFIG) status = TRM_OK; /* N singletons: examine says it */
  if (status == TRM_OK) status = examine(comm, json);
  return app_end(&comm, status);
}
