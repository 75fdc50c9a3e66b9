#include "trireme/parallel/gradsync.h"

#include <math.h>
#include <string.h>

#include "progress_internal.h"
#include "tail_internal.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/clock.h"
#include "trireme/core/memory.h"
#include "trireme/math/kernels.h"

/* The flat array is float; so are parameters in the product. */
_Static_assert(sizeof(trm_real) == sizeof(float), "gradients travel as float");

struct trm_gradsync {
  trm_comm *comm;           /* kept */
  const trm_params *params; /* kept; its weights are written by the gather */
  trm_reducer *reducer;     /* owned: slots of [n_total] */
  trm_progress *progress;   /* owned */
  bool overlap;             /* hand buckets over during the last backward pass */
  int64_t n_blocks, first_block, n_local;
  int64_t n_params, n_total; /* elements: parameters, and with the tail */
  int64_t bucket;            /* elements */

  /* State of a step. Everything before `complete` is final for the running block; buckets before
   * `handed` were given to the reducer. */
  bool last_block;
  int slot, n_merges;   /* of the running block; a pass over all blocks has merged what it wrote */
  const trm_tape *tape; /* of the block on its way back; NULL: it merges nothing itself */
  trm_block_sink sink;  /* for such a pass */
  trm_tape_between between; /* the caller's, NULL: none */
  void *between_context;
  bool *ready;  /* [params->n_rows], owned */
  int frontier; /* row whose gradient is waited for, from the last one down */
  int64_t handed;
  int64_t blocks_done;
};

/* ---- life ----------------------------------------------------------------------------------- */

trm_status trm_gradsync_create(trm_comm *comm, const trm_params *params,
                               const trm_gradsync_options *options, trm_gradsync **out) {
  trm_status status = TRM_OK;
  trm_gradsync *sync = NULL;
  const int size = trm_comm_size(comm);
  if (size > options->n_blocks) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%d ranks are more than the %lld blocks of a batch; set "
                    "batch.blocks (and batch.size) to at least %d, or start fewer ranks",
                    size, (long long)options->n_blocks, size);
  }
  const bool own_thread = strcmp(options->progress, "thread") == 0;
  if (own_thread && size > 1 && trm_comm_thread_level(comm) < TRM_THREAD_SERIALIZED) {
    return trm_fail(TRM_ERR_CONFIG, "comm.progress is 'thread', but this MPI lets only the main "
                                    "thread communicate; set it to 'poll'");
  }
  status = TRM_ALLOC(&sync, 1, "gradient synchronisation");
  if (status == TRM_OK) status = TRM_ALLOC(&sync->ready, params->n_rows, "gradient buckets");
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  sync->comm = comm;
  sync->params = params;
  sync->n_blocks = options->n_blocks;
  trm_block_range(options->n_blocks, trm_comm_rank(comm), size, &sync->first_block, &sync->n_local);
  sync->n_params = params->n_elements;
  sync->n_total = sync->n_params + trm_tail_elements(options->n_blocks);
  sync->bucket =
      options->bucket_bytes > 0 ? options->bucket_bytes / (int64_t)sizeof(float) : sync->n_total;
  /* A reducer takes a bounded number of buckets at a time. */
  const int64_t least = sync->n_total / (TRM_MAX_BUCKETS / 2) + 1;
  if (sync->bucket < least) sync->bucket = least;
  sync->overlap = strcmp(options->progress, "none") != 0;
  const trm_reducer_options reducer = {.engine = options->engine,
                                       .n_elements = sync->n_total,
                                       .n_blocks = options->n_blocks,
                                       .shared_window = options->shared_window,
                                       .n_striped = options->sharded ? sync->n_params : 0};
  TRM_TRY_OUT(trm_reducer_create(comm, &reducer, &sync->reducer));
  status = trm_progress_create(sync->reducer, own_thread, &sync->progress);
  TRM_TRY_OUT(trm_comm_agree(comm, status));
  *out = sync;
  return TRM_OK;
out:
  trm_gradsync_destroy(&sync);
  return status;
}

void trm_gradsync_destroy(trm_gradsync **sync) {
  if (!*sync) return;
  trm_progress_destroy(&(*sync)->progress);
  trm_reducer_destroy(&(*sync)->reducer);
  TRM_FREE((*sync)->ready);
  TRM_FREE(*sync);
}

void trm_gradsync_blocks(const trm_gradsync *sync, int64_t *first, int64_t *n) {
  *first = sync->first_block;
  *n = sync->n_local;
}

const char *trm_gradsync_transport(const trm_gradsync *sync) {
  return trm_reducer_transport(sync->reducer);
}

void trm_gradsync_on_between(trm_gradsync *sync, trm_tape_between call, void *context) {
  sync->between = call;
  sync->between_context = context;
}

/* ---- blocks --------------------------------------------------------------------------------- */

static float *slot(trm_gradsync *sync, int i) {
  return trm_reducer_slot(sync->reducer, i);
}

static float *tail(trm_gradsync *sync, int i) {
  return slot(sync, i) + sync->n_params;
}

static void start_blocks(trm_gradsync *sync) {
  sync->frontier = sync->params->n_rows - 1;
  memset(sync->ready, 0, (size_t)sync->params->n_rows * sizeof *sync->ready);
}

void trm_gradsync_block_begin(trm_gradsync *sync, int64_t i, trm_pass *pass) {
  TRM_ASSERT(i == sync->blocks_done && i < sync->n_local);
  bool add = false;
  if (trm_reducer_wants_subtrees(sync->reducer)) {
    sync->slot = trm_block_slot(sync->first_block, i, &sync->n_merges);
  } else { /* one running sum, in block order */
    sync->slot = sync->n_merges = 0;
    add = i > 0;
  }
  sync->last_block = i == sync->n_local - 1;
  start_blocks(sync);
  pass->grads = slot(sync, sync->slot);
  pass->add = add;
  pass->n_merges = sync->n_merges;
  pass->merge_step = sync->n_merges > 0 ? slot(sync, 1) - slot(sync, 0) : 0;
  if (sync->n_local > 1) pass->weights_use = i == 0 ? TRM_WEIGHTS_FIRST : TRM_WEIGHTS_SAME;
  if (!add) trm_tail_clear(tail(sync, sync->slot), sync->n_blocks);
}

/* Adds a finished span of the top slots down the stack, as trm_block_slot says. */
static void merge_from(trm_gradsync *sync, int from, int n_merges, int64_t offset, int64_t count) {
  for (int k = 0; k < n_merges; ++k) {
    const int top = from - k;
    float *lower = slot(sync, top - 1) + offset;
    trm_add(lower, lower, slot(sync, top) + offset, count);
  }
}

static void merge(trm_gradsync *sync, int64_t offset, int64_t count) {
  merge_from(sync, sync->slot, sync->n_merges, offset, count);
}

/* The losses beside the parameters; those of the last block go with the last bucket. */
static void merge_tail(trm_gradsync *sync) {
  merge(sync, sync->n_params, sync->n_total - sync->n_params);
}

static void hand_over(trm_gradsync *sync, int64_t end) {
  const int64_t offset = sync->handed;
  const trm_status started = trm_reducer_start(sync->reducer, offset, end - offset);
  TRM_ASSERT(started == TRM_OK);
  sync->handed = end;
  trm_progress_wake(sync->progress);
}

/* Rows become final from the last one down, which is upwards in the flat array; padding stays 0. */
static void on_ready(void *context, int param) {
  trm_gradsync *sync = context;
  const trm_param *row = &sync->params->rows[param];
  if (sync->tape && !trm_tape_merged(sync->tape, param)) merge(sync, row->offset, row->n);
  sync->ready[param] = true;
  while (sync->frontier >= 0 && sync->ready[sync->frontier]) --sync->frontier;
  if (!sync->last_block || !sync->overlap) return;
  /* The row at the frontier begins where the final part of the array ends. The last bucket has the
   * tail in it and waits for trm_gradsync_finish. */
  const int64_t complete =
      sync->frontier >= 0 ? sync->params->rows[sync->frontier].offset : sync->n_params;
  while (sync->handed + sync->bucket <= complete && sync->handed + sync->bucket < sync->n_total) {
    hand_over(sync, sync->handed + sync->bucket);
  }
}

static void on_between(void *context) {
  trm_gradsync *sync = context;
  trm_watch_touch(sync->comm); /* a block of a large model may take minutes */
  if (sync->last_block && sync->overlap) trm_progress_poll(sync->progress);
  if (sync->between) sync->between(sync->between_context);
}

void trm_gradsync_block_backward(trm_gradsync *sync, int64_t i, trm_tape *tape, trm_var *loss,
                                 uint64_t samples_hash) {
  TRM_ASSERT(i == sync->blocks_done);
  if (trm_tape_status(tape) != TRM_OK) return; /* the caller reports it through finish */
  trm_tail_set_block(tail(sync, sync->slot), sync->first_block + i, trm_tape_loss_sum(tape),
                     trm_tape_loss_count(tape), samples_hash);
  sync->tape = tape;
  trm_tape_backward(tape, loss, on_ready, on_between, sync);
  sync->tape = NULL;
  if (!sync->last_block) merge_tail(sync);
  ++sync->blocks_done;
}

/* ---- all blocks in one pass ------------------------------------------------------------------ */

static trm_real *sink_target(void *context, int block, bool *add) {
  trm_gradsync *sync = context;
  int n_merges;
  const bool subtrees = trm_reducer_wants_subtrees(sync->reducer);
  *add = !subtrees && block > 0;
  return slot(sync, subtrees ? trm_block_slot(sync->first_block, block, &n_merges) : 0);
}

static void sink_merge(void *context, int block, int64_t offset, int64_t n) {
  trm_gradsync *sync = context;
  int n_merges;
  if (!trm_reducer_wants_subtrees(sync->reducer)) return;
  const int from = trm_block_slot(sync->first_block, block, &n_merges);
  merge_from(sync, from, n_merges, offset, n);
}

static void sink_whole(void *context, int64_t offset, int64_t n) {
  trm_gradsync *sync = context;
  const int n_slots = trm_reducer_n_slots(sync->reducer);
  for (int i = 1; i < n_slots; ++i) trm_fill(slot(sync, i) + offset, 0, n);
}

void trm_gradsync_all_begin(trm_gradsync *sync, trm_pass *pass) {
  TRM_ASSERT(sync->blocks_done == 0);
  sync->sink = (trm_block_sink){
      .context = sync, .target = sink_target, .merge = sink_merge, .whole = sink_whole};
  sync->last_block = true;
  sync->slot = sync->n_merges = 0;
  start_blocks(sync);
  pass->n_blocks = (int)sync->n_local;
  pass->sink = &sync->sink;
}

void trm_gradsync_all_backward(trm_gradsync *sync, trm_tape *tape, trm_var *loss,
                               const uint64_t *samples_hashes) {
  if (trm_tape_status(tape) != TRM_OK) return; /* the caller reports it through finish */
  for (int k = 0; k < (int)sync->n_local; ++k) {
    bool add;
    double sum, count;
    float *at = sink_target(sync, k, &add) + sync->n_params;
    if (!add) trm_tail_clear(at, sync->n_blocks);
    trm_tape_block_loss(tape, k, &sum, &count);
    trm_tail_set_block(at, sync->first_block + k, sum, count, samples_hashes[k]);
    sink_merge(sync, k, sync->n_params, sync->n_total - sync->n_params);
  }
  trm_tape_backward(tape, loss, on_ready, on_between, sync);
  sync->blocks_done = sync->n_local;
}

/* ---- the end of a step ---------------------------------------------------------------------- */

/* A rank that failed before its last block was through gives zeros in all its parts. */
static void give_zeros(trm_gradsync *sync) {
  const int n = trm_reducer_n_slots(sync->reducer);
  for (int i = 0; i < n; ++i) {
    trm_fill(slot(sync, i) + sync->handed, 0, sync->n_total - sync->handed);
  }
}

trm_status trm_gradsync_finish(trm_gradsync *sync, trm_status status, bool stop,
                               trm_gradsync_result *result) {
  const bool complete = status == TRM_OK && sync->blocks_done == sync->n_local;
  if (!complete) {
    give_zeros(sync);
  } else {
    merge_tail(sync);
  }
  /* Part 0 is in slot 0; what a rank has to say beside its blocks it says there. */
  trm_tail_set_status(tail(sync, 0), sync->n_blocks, !complete, stop);
  while (sync->handed < sync->n_total) {
    const int64_t end = sync->handed + sync->bucket;
    hand_over(sync, end < sync->n_total ? end : sync->n_total);
  }
  const double start_s = trm_clock_s();
  trm_watch_wait_begin(sync->comm);
  const trm_status waited = trm_progress_wait(sync->progress);
  trm_watch_wait_end(sync->comm, waited == TRM_OK);
  TRM_TRY(waited);
  *result = (trm_gradsync_result){.grads = slot(sync, 0), .exposed_s = trm_clock_s() - start_s};
  trm_tail_read(tail(sync, 0), sync->n_blocks, &result->loss_sum, &result->count,
                &result->samples_hash, &result->n_failed, &result->stop);
  sync->handed = 0;
  sync->blocks_done = 0;
  return TRM_OK;
}

/* ---- sharded: the weights after the update --------------------------------------------------- */

/* The reducer moves what lies in its slots, so the array takes the place of the gradients. */
static void copy_stripes(trm_gradsync *sync, trm_real *array, bool own) {
  const trm_stripes stripes = trm_reducer_stripes(sync->reducer);
  const int rank = trm_comm_rank(sync->comm);
  float *slot0 = slot(sync, 0);
  for (int r = 0; r < stripes.size; ++r) {
    if ((r == rank) != own) continue;
    TRM_FOR_STRIPES(&stripes, r, begin, end) {
      float *to = (own ? slot0 : array) + begin;
      const float *from = (own ? array : slot0) + begin;
      memcpy(to, from, (size_t)(end - begin) * sizeof *to);
    }
  }
}

trm_status trm_gradsync_gather(trm_gradsync *sync, trm_real *array, double *exposed_s) {
  if (exposed_s) *exposed_s = 0;
  if (trm_comm_size(sync->comm) == 1) return TRM_OK;
  const double start_s = trm_clock_s();
  copy_stripes(sync, array, true);
  TRM_TRY(trm_reducer_start_gather(sync->reducer, 0, sync->n_params));
  trm_progress_wake(sync->progress);
  trm_watch_wait_begin(sync->comm);
  const trm_status waited = trm_progress_wait(sync->progress);
  trm_watch_wait_end(sync->comm, false);
  TRM_TRY(waited);
  copy_stripes(sync, array, false);
  if (exposed_s) *exposed_s = trm_clock_s() - start_s;
  return TRM_OK;
}

trm_status trm_gradsync_gather_weights(trm_gradsync *sync, double *exposed_s) {
  return trm_gradsync_gather(sync, sync->params->weights, exposed_s);
}
