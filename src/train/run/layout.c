#include "trireme/train/layout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trireme/core/memory.h"
#include "trireme/math/gemm.h"
#include "trireme/math/threads.h"

/* Sets the bits of a processor list "0-3,8"; processors past 1023 are left out. */
static void parse_mask(const char *list, unsigned long long mask[16]) {
  memset(mask, 0, 16 * sizeof mask[0]);
  while (*list) {
    int first = 0, last, used = 0;
    if (sscanf(list, "%d%n", &first, &used) != 1) return;
    list += used;
    last = first;
    if (*list == '-' && sscanf(list + 1, "%d%n", &last, &used) == 1) list += 1 + used;
    for (int c = first; c <= last && c < 1024; ++c) mask[c / 64] |= 1ULL << (c % 64);
    if (*list == ',') ++list;
  }
}

static bool in_mask(const unsigned long long mask[16], int cpu) {
  return cpu < 1024 && (mask[cpu / 64] >> (cpu % 64) & 1) != 0;
}

/* The mask as "0-3,8"; ends with "..." when the text is full. */
static void format_mask(const unsigned long long mask[16], char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (int first = 0; first < 1024; ++first) {
    if (!in_mask(mask, first)) continue;
    char range[32];
    int last = first;
    while (in_mask(mask, last + 1)) ++last;
    (void)snprintf(range, sizeof range, "%s%d", used > 0 ? "," : "", first);
    if (last > first)
      (void)snprintf(range + strlen(range), sizeof range - strlen(range), "-%d", last);
    const bool fits = used + strlen(range) + sizeof "..." <= size;
    used += (size_t)snprintf(text + used, size - used, "%s", fits ? range : "...");
    if (!fits) return;
    first = last;
  }
}

static trm_status my_place(trm_rank_place *place) {
  memset(place, 0, sizeof *place);
  const int n = trm_threads_get();
  trm_thread_place *threads = NULL;
  TRM_TRY(TRM_ALLOC(&threads, n, "thread places"));
  trm_threads_places(threads);
  place->n_threads = n;
  /* The rank may use what any of its threads may use. */
  for (int i = 0; i < n; ++i) {
    unsigned long long mask[16];
    parse_mask(threads[i].allowed, mask);
    for (int w = 0; w < 16; ++w) place->mask[w] |= mask[w];
  }
  for (int w = 0; w < 16; ++w) place->n_allowed += __builtin_popcountll(place->mask[w]);
  format_mask(place->mask, place->allowed, sizeof place->allowed);
  TRM_FREE(threads);
  const trm_gemm_backend *gemm = trm_gemm_selected();
  (void)snprintf(place->isa, sizeof place->isa, "%s", trm_math_isa());
  (void)snprintf(place->blas, sizeof place->blas, "%s (%s)", gemm->part.name, gemm->kernel());
  trm_fingerprint(place->bits, sizeof place->bits);
  place->n_host_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
  if (getloadavg(&place->load, 1) != 1) place->load = 0;
  return TRM_OK;
}

trm_status trm_layout_gather(trm_comm *comm, trm_layout *layout) {
  trm_rank_place mine;
  *layout = (trm_layout){.n_ranks = trm_comm_size(comm)};
  trm_status status = my_place(&mine);
  if (status == TRM_OK) status = TRM_ALLOC(&layout->places, layout->n_ranks, "rank places");
  status = trm_comm_agree(comm, status);
  if (status == TRM_OK) status = trm_comm_allgather(comm, &mine, layout->places, sizeof mine);
  if (status != TRM_OK) trm_layout_free(layout);
  return status;
}

void trm_layout_free(trm_layout *layout) {
  TRM_FREE(layout->places);
}

typedef struct speaker {
  void (*say)(void *context, const char *sentence);
  void *context;
} speaker;

static void say(const speaker *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const speaker *s, const char *format, ...) {
  char text[512];
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  __builtin_va_end(arguments);
  s->say(s->context, text);
}

static bool overlap(const trm_rank_place *a, const trm_rank_place *b) {
  for (int w = 0; w < 16; ++w) {
    if (a->mask[w] & b->mask[w]) return true;
  }
  return false;
}

/* Threads and processors of the host of `rank`, over the ranks on it. */
static void host_load(trm_comm *comm, const trm_layout *layout, int rank, int *threads,
                      int *n_cpus) {
  unsigned long long mask[16] = {0};
  *threads = *n_cpus = 0;
  for (int r = 0; r < layout->n_ranks; ++r) {
    if (strcmp(trm_comm_host(comm, r), trm_comm_host(comm, rank)) != 0) continue;
    *threads += layout->places[r].n_threads;
    for (int w = 0; w < 16; ++w) mask[w] |= layout->places[r].mask[w];
  }
  for (int w = 0; w < 16; ++w) *n_cpus += __builtin_popcountll(mask[w]);
}

static bool first_on_host(trm_comm *comm, int rank) {
  for (int r = 0; r < rank; ++r) {
    if (strcmp(trm_comm_host(comm, r), trm_comm_host(comm, rank)) == 0) return false;
  }
  return true;
}

void trm_layout_warnings(trm_comm *comm, const trm_layout *layout,
                         void (*say_it)(void *context, const char *sentence), void *context) {
  const speaker s = {say_it, context};
  const int tasks = trm_comm_suspected_tasks(comm);
  if (tasks > 1) {
    say(&s,
        "the launcher started %d tasks, but each sees itself alone: %d copies of the job would "
        "run. Start it with mpirun, or with srun --mpi=pmix",
        tasks, tasks);
  }
  for (int r = 0; r < layout->n_ranks; ++r) {
    const trm_rank_place *p = &layout->places[r];
    if (p->n_threads > p->n_allowed) {
      say(&s,
          "rank %d runs %d threads on %d processor%s (%s): they take turns. Give mpirun "
          "--map-by slot:PE=%d, or --bind-to none on one host",
          r, p->n_threads, p->n_allowed, p->n_allowed == 1 ? "" : "s", p->allowed, p->n_threads);
    }
    for (int q = 0; q < r; ++q) {
      const trm_rank_place *o = &layout->places[q];
      if (p->n_allowed == 1 && o->n_allowed == 1 && overlap(p, o) &&
          strcmp(trm_comm_host(comm, r), trm_comm_host(comm, q)) == 0) {
        say(&s, "ranks %d and %d are bound to the same processor (%s)", q, r, p->allowed);
      }
    }
    if (strcmp(p->bits, layout->places[0].bits) != 0) {
      say(&s,
          "rank %d (%s) computes with %s, %s, and rank 0 (%s) with %s, %s: bits will depend on "
          "which "
          "rank has which block. Set TRIREME_ISA and OPENBLAS_CORETYPE to what all have",
          r, trm_comm_host(comm, r), p->isa, p->blas, trm_comm_host(comm, 0), layout->places[0].isa,
          layout->places[0].blas);
    }
    int threads, n_cpus;
    host_load(comm, layout, r, &threads, &n_cpus);
    if (first_on_host(comm, r) && threads > n_cpus && p->n_threads <= p->n_allowed) {
      say(&s, "%s has %d processors for %d threads: they take turns. Use fewer ranks or threads",
          trm_comm_host(comm, r), n_cpus, threads);
    }
  }
}

void trm_layout_load(trm_comm *comm, const trm_layout *layout,
                     void (*say_it)(void *context, const char *sentence), void *context) {
  const speaker s = {say_it, context};
  for (int r = 0; r < layout->n_ranks; ++r) {
    const trm_rank_place *p = &layout->places[r];
    int threads, n_cpus;
    host_load(comm, layout, r, &threads, &n_cpus);
    if (!first_on_host(comm, r) || p->load < 0.5 || p->load + threads < p->n_host_cpus + 0.5) {
      continue;
    }
    say(&s,
        "%s has a load of %.1f on %d processors without these %d thread%s: others work there, and "
        "whatever shares a processor takes its time. Use fewer threads, or other hosts",
        trm_comm_host(comm, r), p->load, p->n_host_cpus, threads, threads == 1 ? "" : "s");
  }
}

void trm_layout_summary(trm_comm *comm, const trm_layout *layout, char *text, size_t size) {
  int n_hosts = 0, least = layout->places[0].n_threads, most = least;
  for (int r = 0; r < layout->n_ranks; ++r) {
    if (first_on_host(comm, r)) ++n_hosts;
    const int n = layout->places[r].n_threads;
    if (n < least) least = n;
    if (n > most) most = n;
  }
  char threads[32];
  if (least == most) {
    (void)snprintf(threads, sizeof threads, "%d thread%s", least, least == 1 ? "" : "s");
  } else {
    (void)snprintf(threads, sizeof threads, "%d to %d threads", least, most);
  }
  (void)snprintf(text, size, "%d rank%s x %s on %d host%s, %s, %s", layout->n_ranks,
                 layout->n_ranks == 1 ? "" : "s", threads, n_hosts, n_hosts == 1 ? "" : "s",
                 layout->places[0].isa, layout->places[0].blas);
}

void trm_fingerprint(char *text, size_t size) {
  const trm_gemm_backend *gemm = trm_gemm_selected();
  const char *precision = trm_gemm_bf16() ? "; bf16" : "";
  if (gemm->isa_free) {
    (void)snprintf(text, size, "%s; %s%s", trm_math_bits(), gemm->part.name, precision);
  } else {
    (void)snprintf(text, size, "%s; %s %s%s", trm_math_isa(), gemm->part.name, gemm->kernel(),
                   precision);
  }
}
