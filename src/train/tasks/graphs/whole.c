#include "whole.h"

#include <string.h>

#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/memory.h"
#include "trireme/input/neighbor_sampler.h"

/* Exchanges join what `input` planned to what `comm` carries out. */
typedef struct exchange {
  trm_comm *comm; /* kept */
  trm_halo *halo; /* owned */
  int64_t widest; /* reals of the widest row that any pass has planned */
  trm_row_exchange rows;
} exchange;

struct trm_whole {
  trm_comm *comm;                 /* kept */
  const trm_graph_store *store;   /* kept */
  const trm_partition *partition; /* kept */
  trm_field *field, *thinned;
  int n_hops;
  exchange in[TRM_MAX_HOPS], out[TRM_MAX_HOPS];
  trm_hop hops[TRM_MAX_HOPS]; /* of the field, with exchanges */
  trm_sparse_rows **rows;     /* [n_local] sparse features of each block; owned */
  trm_csr *sparse, *transposed;
  float *dense; /* own rows, where storage is partitioned; owned */
  trm_features features;
  double *weights; /* [n_local] of blocks (trm_whole_weigh) */
};

static void fill(void *context, trm_real *rows, int64_t C) {
  const exchange *e = context;
  /* A message that fails is fatal, comm reports it and ends the job; memory has been reserved. */
  const trm_status status = trm_halo_exchange(e->halo, rows, C * (int64_t)sizeof(trm_real));
  TRM_ASSERT(status == TRM_OK);
  trm_watch_touch(e->comm); /* a layer is done */
}

static void expect(void *context, int64_t C) {
  exchange *e = context;
  if (C > e->widest) e->widest = C;
}

static trm_status join(trm_whole *w, const trm_halo_plan *plan, exchange *e) {
  if (trm_comm_size(w->comm) == 1) return TRM_OK;
  TRM_TRY(trm_halo_create(w->comm, plan->own, plan->n_own, plan->halo, plan->from, &e->halo));
  e->comm = w->comm;
  e->rows = (trm_row_exchange){.context = e, .fill = fill, .expect = expect};
  return TRM_OK;
}

static void join_hops(trm_whole *w, const trm_field *field) {
  for (int h = 0; h < w->n_hops; ++h) {
    const int e = field->same_hops ? 0 : h;
    w->hops[h] = field->hops[h];
    w->hops[h].in_exchange = w->in[e].halo ? &w->in[e].rows : NULL;
    w->hops[h].out_exchange = w->out[e].halo ? &w->out[e].rows : NULL;
  }
}

/* Collective: all ranks have the same hops. */
static trm_status make_exchanges(trm_whole *w, bool backward) {
  const int n = w->field->same_hops && w->n_hops > 1 ? 1 : w->n_hops;
  for (int h = 0; h < n; ++h) {
    TRM_TRY(join(w, &w->field->in_halo[h], &w->in[h]));
    if (backward) TRM_TRY(join(w, &w->field->out_halo[h], &w->out[h]));
  }
  join_hops(w, w->field);
  return TRM_OK;
}

static trm_status make_features(trm_whole *w) {
  const trm_graph *g = w->store->graph;
  const trm_field *f = w->field;
  w->features = (trm_features){.n_rows = f->n_inputs,
                               .n_features = g->n_features,
                               .ids = f->inputs,
                               .blocks = f->input_blocks};
  TRM_TRY(TRM_ALLOC(&w->weights, f->n_local, "weights of blocks"));
  if (g->n_features == 0) return TRM_OK;
  if (!g->sparse && w->store->partitioned) {
    TRM_TRY(TRM_ALLOC(&w->dense, f->n_inputs * g->n_features, "features of own nodes"));
    TRM_TRY(trm_graph_features_read(g, f->inputs, f->n_inputs, w->dense));
    w->features.dense = w->dense;
    return TRM_OK;
  }
  if (!g->sparse) {
    w->features.dense = g->dense;
    w->features.rows = f->inputs;
    return TRM_OK;
  }
  TRM_TRY(TRM_ALLOC(&w->rows, f->n_local, "features of blocks"));
  TRM_TRY(TRM_ALLOC(&w->sparse, f->n_local, "features of blocks"));
  TRM_TRY(TRM_ALLOC(&w->transposed, f->n_local, "features of blocks"));
  for (int64_t k = 0; k < f->n_local; ++k) {
    const int64_t first = f->input_blocks[k], n = f->input_blocks[k + 1] - first;
    TRM_TRY(trm_sparse_rows_create(g, &w->rows[k]));
    TRM_TRY(
        trm_sparse_rows_take(w->rows[k], f->inputs + first, n, &w->sparse[k], &w->transposed[k]));
  }
  w->features.sparse = w->sparse;
  w->features.transposed = w->transposed;
  return TRM_OK;
}

trm_status trm_whole_create(trm_comm *comm, const trm_graph_store *store,
                            const trm_partition *partition, int n_hops, const trm_ids *seeds,
                            bool backward, trm_whole **out) {
  trm_whole *w = NULL;
  *out = NULL;
  trm_status status = TRM_ALLOC(&w, 1, "passes over a graph");
  if (status == TRM_OK) {
    w->comm = comm;
    w->store = store;
    w->partition = partition;
    w->n_hops = n_hops;
    status = trm_field_create(store->graph, partition, trm_comm_rank(comm), trm_comm_size(comm),
                              n_hops, seeds, &w->field);
    if (status == TRM_OK) status = make_features(w);
  }
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  TRM_TRY_OUT(make_exchanges(w, backward));
  *out = w;
  return TRM_OK;
out:
  trm_whole_destroy(&w);
  return status;
}

void trm_whole_destroy(trm_whole **whole) {
  trm_whole *w = *whole;
  if (!w) return;
  for (int h = 0; h < TRM_MAX_HOPS; ++h) {
    trm_halo_destroy(&w->in[h].halo);
    trm_halo_destroy(&w->out[h].halo);
  }
  for (int64_t k = 0; w->rows && k < w->field->n_local; ++k) {
    trm_sparse_rows_destroy(&w->rows[k]);
  }
  trm_field_destroy(&w->thinned);
  trm_field_destroy(&w->field);
  TRM_FREE(w->rows);
  TRM_FREE(w->sparse);
  TRM_FREE(w->transposed);
  TRM_FREE(w->dense);
  TRM_FREE(w->weights);
  TRM_FREE(*whole);
}

const trm_field *trm_whole_field(const trm_whole *w) {
  return w->field;
}

trm_graph_batch trm_whole_batch(const trm_whole *w) {
  const bool one = w->field->same_hops && w->n_hops > 1;
  return (trm_graph_batch){.features = w->features,
                           .hops = w->hops,
                           .n_hops = one ? 1 : w->n_hops,
                           .own_nodes = w->field->inputs,
                           .n_own = w->field->n_inputs};
}

trm_graph_batch trm_whole_batch_of_pairs(const trm_whole *w, const trm_graph_batch *pairs) {
  trm_graph_batch batch = trm_whole_batch(w);
  batch.collection = pairs->collection;
  batch.triplets = pairs->triplets;
  batch.last = pairs->last;
  return batch;
}

const struct trm_row_exchange *trm_whole_sources(const trm_whole *w) {
  return w->hops[w->n_hops - 1].in_exchange;
}

void trm_whole_weigh(trm_whole *w, const int32_t *targets) {
  const trm_field *f = w->field;
  for (int64_t k = 0; k < f->n_local; ++k) {
    w->weights[k] = 0;
    for (int64_t i = f->target_blocks[k]; i < f->target_blocks[k + 1]; ++i) {
      if (targets[i] >= 0) ++w->weights[k];
    }
  }
}

trm_status trm_whole_drop_edges(trm_whole *w, double p, uint64_t seed, int64_t step) {
  TRM_TRY(trm_field_drop_edges(w->field, p, seed, step, &w->thinned));
  join_hops(w, w->thinned);
  return TRM_OK;
}

trm_status trm_whole_before(trm_whole *w, const int32_t *days, int64_t day, double p, uint64_t seed,
                            int64_t step) {
  TRM_TRY(trm_field_before(w->field, days, day, p, seed, step, &w->thinned));
  join_hops(w, w->thinned);
  return TRM_OK;
}

void trm_whole_all_edges(trm_whole *w) {
  join_hops(w, w->field);
}

void trm_whole_pass(const trm_whole *w, trm_pass *pass) {
  pass->n_blocks = (int)w->field->n_local;
  pass->weights = w->weights;
}

static trm_status reserve(exchange *e) {
  if (!e->halo) return TRM_OK;
  return trm_halo_reserve(e->halo, e->widest * (int64_t)sizeof(trm_real));
}

trm_status trm_whole_reserve(trm_whole *w) {
  for (int h = 0; h < w->n_hops; ++h) {
    TRM_TRY(reserve(&w->in[h]));
    TRM_TRY(reserve(&w->out[h]));
  }
  return TRM_OK;
}

trm_status trm_whole_plan(const trm_whole *w, trm_learner *learner, bool training) {
  trm_pass pass = {0};
  const trm_graph_batch graph = trm_whole_batch(w);
  trm_whole_pass(w, &pass);
  return trm_learner_plan(learner, training ? TRM_PLAN_BACKWARD : TRM_PLAN_LOSS, pass,
                          &(trm_batch){.graph = &graph});
}

int64_t trm_whole_bytes(const trm_whole *w) {
  int64_t bytes = 0;
  for (int h = 0; h < TRM_MAX_HOPS; ++h) {
    if (w->in[h].halo) bytes += trm_halo_bytes(w->in[h].halo);
    if (w->out[h].halo) bytes += trm_halo_bytes(w->out[h].halo);
  }
  return bytes;
}

/* ---- rows of all ------------------------------------------------------------------------------ */

/* Where each rank's own nodes begin in the partition's order. */
static void own_begins(const trm_whole *w, int64_t *from) {
  const int size = trm_comm_size(w->comm);
  for (int r = 0; r < size; ++r) {
    int64_t first, n_local;
    trm_block_range(w->partition->n_parts, r, size, &first, &n_local);
    from[r] = w->partition->offsets[first];
  }
  from[size] = w->partition->n_nodes;
}

trm_status trm_whole_gather(const trm_whole *w, const float *rows, int64_t C, float *all) {
  const int64_t n = w->partition->n_nodes, row_bytes = C * (int64_t)sizeof *all;
  float *ordered = NULL;
  int64_t *from = NULL;
  trm_status status = TRM_ALLOC(&ordered, n * C, "rows of nodes");
  if (status == TRM_OK) status = TRM_ALLOC(&from, trm_comm_size(w->comm) + 1, "rows of ranks");
  TRM_TRY_OUT(trm_comm_agree(w->comm, status));
  own_begins(w, from);
  const int rank = trm_comm_rank(w->comm);
  memcpy(ordered + from[rank] * C, rows, (size_t)((from[rank + 1] - from[rank]) * row_bytes));
  TRM_TRY_OUT(trm_rows_share(w->comm, ordered, from, row_bytes));
  for (int64_t i = 0; i < n; ++i) {
    memcpy(all + w->partition->order[i] * C, ordered + i * C, (size_t)row_bytes);
  }
out:
  TRM_FREE(ordered);
  TRM_FREE(from);
  return status;
}

/* ---- collections ------------------------------------------------------------------------------ */

static void share_rows(void *context, trm_real *rows, int64_t C) {
  const trm_collector *c = context;
  /* A message that fails is fatal, comm reports it and ends the job. */
  const trm_status status = trm_rows_share(c->comm, rows, c->from, C * (int64_t)sizeof(trm_real));
  TRM_ASSERT(status == TRM_OK);
}

trm_status trm_collector_init(trm_comm *comm, trm_collector *collector) {
  *collector = (trm_collector){.comm = comm};
  collector->exchange = (trm_row_exchange){.context = collector, .fill = share_rows};
  return TRM_ALLOC(&collector->from, trm_comm_size(comm) + 1, "rows of ranks");
}

void trm_collector_release(trm_collector *collector) {
  TRM_FREE(collector->from);
}

const struct trm_row_exchange *trm_collector_exchange(const trm_collector *collector) {
  return trm_comm_size(collector->comm) > 1 ? &collector->exchange : NULL;
}

void trm_collector_tell(trm_collector *c, int64_t n_own) {
  const int size = trm_comm_size(c->comm);
  if (size == 1) return;
  const trm_status status = trm_comm_allgather(c->comm, &n_own, c->from + 1, sizeof n_own);
  TRM_ASSERT(status == TRM_OK);
  c->from[0] = 0;
  for (int r = 0; r < size; ++r) c->from[r + 1] += c->from[r];
}
