#include "trireme/comm/reducer.h"

#include <string.h>

#include "reducer_internal.h"
#include "trireme/core/clock.h"
#include "trireme/core/hash.h"
#include "trireme/core/memory.h"

static const trm_engine *const engines[] = {
#define TRM_ENGINE(name) &trm_engine_##name,
#include "engine_list.h"
#undef TRM_ENGINE
};
enum { N_ENGINES = sizeof engines / sizeof *engines };

static const trm_config_key keys[] = {
    TRM_KEY_SELECTOR("comm.allreduce", "canonical", TRM_ON_RESULT,
                     "Summation of gradients: the ring's order depends on the number of ranks, the "
                     "canonical one never."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);
static const trm_config_part part = {.rows = {&rows}};

void trm_reducer_parts(trm_config_parts *parts) {
  trm_config_parts_add(parts, &part);
  for (int i = 0; i < N_ENGINES; ++i) trm_config_parts_add(parts, &engines[i]->part);
}

const char *const *trm_reducer_engines(void) {
  static const char *const names[] = {
#define TRM_ENGINE(name) #name,
#include "engine_list.h"
#undef TRM_ENGINE
      NULL};
  return names;
}

/* ---- one rank: nobody to talk to ------------------------------------------------------------- */

static bool alone_poll(trm_reducer *reducer) {
  const uint64_t n_started = atomic_load_explicit(&reducer->n_started, memory_order_acquire);
  uint64_t n_done = atomic_load_explicit(&reducer->n_done, memory_order_relaxed);
  const float **leaves = reducer->transport_state;
  float *scratch = (float *)(leaves + reducer->plan.n_leaves);
  for (; n_done < n_started; ++n_done) {
    const trm_bucket *bucket = &reducer->queue[n_done % TRM_MAX_BUCKETS];
    for (int64_t l = 0; l < reducer->plan.n_leaves; ++l) {
      leaves[l] = trm_slot(reducer, reducer->plan.leaves[l].slot) + bucket->offset;
    }
    float *target = trm_slot(reducer, 0) + bucket->offset;
    if (!bucket->gather) {
      trm_sum_run(&reducer->plan, &target, 1, leaves, bucket->count, scratch);
    }
    atomic_store_explicit(&reducer->n_done, n_done + 1, memory_order_release);
  }
  return true;
}

static void alone_destroy(trm_reducer *reducer) {
  TRM_FREE(reducer->transport_state);
}

static const trm_transport alone = {
    .name = "one rank", .poll = alone_poll, .destroy = alone_destroy};

static trm_status alone_create(trm_reducer *reducer) {
  const int64_t bytes = reducer->plan.n_leaves * (int64_t)sizeof(float *) +
                        trm_sum_scratch(&reducer->plan) * (int64_t)sizeof(float);
  TRM_TRY(trm_alloc_bytes(&reducer->transport_state, bytes, 1, "gradient sum"));
  reducer->transport = &alone;
  return TRM_OK;
}

/* ---- creation -------------------------------------------------------------------------------- */

static const trm_engine *find_engine(const char *name) {
  for (int i = 0; i < N_ENGINES; ++i) {
    if (name && strcmp(engines[i]->part.name, name) == 0) return engines[i];
  }
  return NULL;
}

int trm_reducer_slots(const char *engine, int64_t n_blocks, int rank, int size) {
  int64_t first, n;
  const trm_engine *e = find_engine(engine);
  TRM_ASSERT(e);
  if (!e->subtrees) return 1;
  trm_block_range(n_blocks, rank, size, &first, &n);
  return trm_block_slots(first, n);
}

/* Everything that all ranks see alike, so that all of them return together. */
static trm_status check_options(trm_comm *comm, const trm_reducer_options *options) {
  if (!find_engine(options->engine)) {
    return trm_fail(TRM_ERR_CONFIG, "there is no all-reduce '%s'; there are:"
#define TRM_ENGINE(name) " " #name
#include "engine_list.h"
#undef TRM_ENGINE
                    ,
                    options->engine ? options->engine : "");
  }
  if (options->n_blocks < comm->size) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%d ranks share %lld blocks; raise the number of blocks to %d or more, or "
                    "start fewer ranks",
                    comm->size, (long long)options->n_blocks, comm->size);
  }
  if (options->n_elements < 0 || options->segment_bytes < 0) {
    return trm_fail(TRM_ERR_ARG, "reducer of %lld elements with segments of %lld bytes",
                    (long long)options->n_elements, (long long)options->segment_bytes);
  }
  if (options->n_striped < 0 || options->n_striped > options->n_elements) {
    return trm_fail(TRM_ERR_ARG, "reducer of %lld elements of which %lld are shared out",
                    (long long)options->n_elements, (long long)options->n_striped);
  }
  return TRM_OK;
}

static trm_status check_equal_options(trm_comm *comm, const trm_reducer_options *options) {
  const int64_t values[] = {options->n_elements,    options->n_blocks,
                            options->segment_bytes, options->shared_window,
                            options->n_striped,     find_engine(options->engine)->subtrees};
  return trm_comm_check_equal(comm, trm_hash64(values, sizeof values, 0),
                              "the all-reduce's set of options");
}

/* What may fail on one rank alone. */
static trm_status allocate(trm_reducer *reducer) {
  const int size = reducer->comm->size;
  int64_t *bounds = NULL;
  TRM_TRY(TRM_ALLOC(&reducer->queue, TRM_MAX_BUCKETS, "queue of gradient buckets"));
  TRM_TRY(TRM_ALLOC(&bounds, (int64_t)size + 1, "order of the gradient sum"));
  for (int r = 0; r < size; ++r) {
    int64_t n = 0;
    trm_block_range(reducer->n_blocks, r, size, &bounds[r], &n);
  }
  bounds[size] = reducer->n_blocks;
  const trm_status status = trm_sum_plan_create(&reducer->plan, reducer->engine->subtrees,
                                                reducer->n_blocks, bounds, size);
  TRM_FREE(bounds);
  return status;
}

static trm_status allocate_heap_slots(trm_reducer *reducer) {
  int64_t n = 0;
  if (!trm_size_mul(reducer->n_slots, reducer->slot_stride, &n)) {
    return trm_fail(TRM_ERR_MEMORY, "%d gradient arrays of %lld elements do not fit in memory",
                    reducer->n_slots, (long long)reducer->n_elements);
  }
  TRM_TRY(TRM_ALLOC(&reducer->heap_slots, n, "gradients"));
  reducer->slots = reducer->heap_slots;
  return TRM_OK;
}

trm_status trm_reducer_create(trm_comm *comm, const trm_reducer_options *options,
                              trm_reducer **out) {
  trm_reducer *reducer = NULL;
  bool window = false;
  TRM_TRY(trm_comm_agree(comm, check_options(comm, options)));
  TRM_TRY(check_equal_options(comm, options));
  trm_status status = trm_comm_agree(comm, TRM_ALLOC(&reducer, 1, "reducer"));
  if (status != TRM_OK) {
    TRM_FREE(reducer);
    return status;
  }
  TRM_TRY_OUT(trm_comm_dup(comm, &reducer->comm));
  reducer->engine = find_engine(options->engine);
  reducer->n_elements = options->n_elements;
  reducer->n_blocks = options->n_blocks;
  reducer->stripes = trm_stripes_make(options->n_striped, comm->size);
  reducer->slot_stride = trm_round_up_line(options->n_elements);
  reducer->yield_at_once = trm_oversubscribed(comm);
  int64_t first = 0, n_local = 0;
  trm_block_range(options->n_blocks, comm->rank, comm->size, &first, &n_local);
  reducer->n_slots = reducer->engine->subtrees ? trm_block_slots(first, n_local) : 1;
  TRM_TRY_OUT(trm_comm_agree(comm, allocate(reducer)));

  if (options->shared_window && comm->size > 1) {
    TRM_TRY_OUT(trm_comm_one_host(comm)
                    ? trm_window_create(reducer, &window)
                    : trm_hosts_create(reducer, options->segment_bytes, &window));
  }
  if (!window) {
    TRM_TRY_OUT(trm_comm_agree(comm, allocate_heap_slots(reducer)));
    TRM_TRY_OUT(comm->size == 1 ? alone_create(reducer)
                                : trm_lanes_create(reducer, options->segment_bytes));
  }
  *out = reducer;
  return TRM_OK;
out:
  trm_reducer_destroy(&reducer);
  return status;
}

void trm_reducer_destroy(trm_reducer **reducer) {
  trm_reducer *r = reducer ? *reducer : NULL;
  if (!r) return;
  if (r->transport) r->transport->destroy(r);
  TRM_FREE(r->heap_slots);
  TRM_FREE(r->queue);
  trm_sum_plan_release(&r->plan);
  trm_comm_free(&r->comm);
  TRM_FREE(*reducer);
}

int trm_reducer_n_slots(const trm_reducer *reducer) {
  return reducer->n_slots;
}
bool trm_reducer_wants_subtrees(const trm_reducer *reducer) {
  return reducer->engine->subtrees;
}
const char *trm_reducer_transport(const trm_reducer *reducer) {
  return reducer->transport->name;
}

float *trm_reducer_slot(trm_reducer *reducer, int slot) {
  TRM_ASSERT(slot >= 0 && slot < reducer->n_slots);
  return trm_slot(reducer, slot);
}

/* ---- buckets --------------------------------------------------------------------------------- */

trm_stripes trm_reducer_stripes(const trm_reducer *reducer) {
  return reducer->stripes;
}

static trm_status start(trm_reducer *reducer, int64_t offset, int64_t count, bool gather) {
  const int64_t n = gather ? reducer->stripes.n : reducer->n_elements;
  if (offset < 0 || count < 0 || count > n - offset) {
    return trm_fail(TRM_ERR_ARG, "bucket of %lld elements at %lld of an array of %lld",
                    (long long)count, (long long)offset, (long long)n);
  }
  if (count == 0) return TRM_OK;
  const uint64_t n_started = atomic_load_explicit(&reducer->n_started, memory_order_relaxed);
  const uint64_t n_done = atomic_load_explicit(&reducer->n_done, memory_order_acquire);
  if (n_started - n_done == TRM_MAX_BUCKETS) {
    return trm_fail(TRM_ERR_ARG, "more than %d buckets under way; make them larger",
                    TRM_MAX_BUCKETS);
  }
  reducer->queue[n_started % TRM_MAX_BUCKETS] = (trm_bucket){offset, count, gather};
  if (reducer->transport->submitted) reducer->transport->submitted(reducer, n_started);
  atomic_store_explicit(&reducer->n_started, n_started + 1, memory_order_release);
  return TRM_OK;
}

trm_status trm_reducer_start(trm_reducer *reducer, int64_t offset, int64_t count) {
  return start(reducer, offset, count, false);
}

trm_status trm_reducer_start_gather(trm_reducer *reducer, int64_t offset, int64_t count) {
  return start(reducer, offset, count, true);
}

trm_status trm_reducer_poll(trm_reducer *reducer, bool *idle) {
  *idle = reducer->transport->poll(reducer);
  return TRM_OK;
}

trm_status trm_reducer_wait(trm_reducer *reducer) {
  bool idle = false;
  TRM_TRY(trm_reducer_poll(reducer, &idle));
  if (idle) return TRM_OK;
  const double start_s = trm_clock_s();
  double waited_s = 0;
  while (!idle) {
    trm_idle_pause(reducer->yield_at_once, waited_s);
    TRM_TRY(trm_reducer_poll(reducer, &idle));
    waited_s = trm_clock_s() - start_s;
  }
  reducer->exposed_s += waited_s;
  return TRM_OK;
}

double trm_reducer_exposed_s(trm_reducer *reducer) {
  const double seconds = reducer->exposed_s;
  reducer->exposed_s = 0;
  return seconds;
}

trm_status trm_reducer_run(trm_reducer *reducer) {
  TRM_TRY(trm_reducer_start(reducer, 0, reducer->n_elements));
  return trm_reducer_wait(reducer);
}
