/**
 * Tasks: what a kind of data makes of training. The run (setup.c, loop.c) knows steps, blocks,
 * checkpoints and metrics; a task knows samples, passes and scores. One file a kind: text_task.c,
 * node_task.c, set_task.c, pair_task.c.
 */
#ifndef TRIREME_TRAIN_TASK_H
#define TRIREME_TRAIN_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/comm/comm.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"
#include "trireme/model/model.h"
#include "trireme/parallel/gradsync.h"
#include "trireme/train/learner.h"
#include "trireme/train/train.h"

typedef struct trm_task trm_task;

/** Asked now and then during long work; true on any rank stops all of them. */
typedef bool (*trm_task_stop)(void *context);

typedef struct trm_task_kind {
  const char *data;   /* kind of data set */
  const char *subset; /* that the loss of an evaluation is of: "validation", "test" */
  const char *unit;   /* what losses are per and rates count: "token", "node", ... */
  /** Opens data.path and fills the facts of the task. Collective. */
  trm_status (*open)(trm_task *task);
  void (*close)(trm_task *task); /* collective */
  /** Writes what is left to us into the configuration: batch.blocks and the like. Collective for
   *  graphs cut into parts; ranks agree on the status afterwards. */
  trm_status (*resolve)(trm_task *task, trm_config *config);
  /** Checks what must hold before the first step, and runs dry passes over the largest blocks. */
  trm_status (*plan)(trm_task *task, trm_learner *learner, bool training);
  /** Begins reading ahead for this rank's blocks of steps [first_step, end_step). Collective. */
  trm_status (*start)(trm_task *task, trm_learner *learner, trm_gradsync *sync, int64_t first_step,
                      int64_t end_step);
  /** Forward and backward over this rank's blocks of a step. Collective only where the task says
   *  exchanges. */
  trm_status (*run)(trm_task *task, int64_t step);
  /** Ids of the samples of a step, block after block: ids[batch]; those of block b are
   *  [offsets[b], offsets[b + 1]). Not collective. */
  trm_status (*samples)(trm_task *task, int64_t step, int64_t *ids, int64_t *offsets);
  /** Exact evaluation of the weights as they are. Collective. `stopped`: asked to, no result. */
  trm_status (*evaluate)(trm_task *task, trm_learner *learner, trm_task_stop stop, void *context,
                         trm_evaluation *result, bool *stopped);
  /** Writes predictions of rank 0's choice to a file; NULL: not for this kind. Collective. */
  trm_status (*predict)(trm_task *task, trm_learner *learner, const trm_predict_options *options,
                        int64_t *n_rows);
} trm_task_kind;

/** What a data set is opened for. */
typedef enum trm_task_use {
  TRM_USE_TRAIN,
  TRM_USE_EVALUATE,
  TRM_USE_PREDICT, /* labels and splits are not needed */
} trm_task_use;

struct trm_task {
  const trm_task_kind *kind;
  trm_task_use use;
  trm_comm *comm;           /* borrowed */
  const trm_config *config; /* borrowed */
  trm_log *log;             /* borrowed; silent on other ranks than 0 */
  void *self;               /* the kind's own; owned */
  /* Facts, filled by open and resolve. */
  trm_model_dims dims;
  uint64_t digest;
  int64_t epoch_samples;   /* training samples in an epoch */
  int64_t batch, n_blocks; /* samples of a step, blocks they are cut into */
  int64_t units_a_step;
  int64_t host_bytes; /* of the data set in memory that the ranks of a host share */
  bool exchanges;     /* passes of ranks wait for each other: every rank runs every step */
  char summary[160];  /* "vocabulary 65, 12 x 64 tokens a step" */
  int n_scores;       /* that an evaluation gives besides the loss */
  char scores[TRM_MAX_SCORES][TRM_SCORE_BYTES];
  int selected; /* score that makes an evaluation the best, -1: the loss */
};

/** Opens the data set at data.path with the kind that model.kind works on. Collective. */
trm_status trm_task_open(trm_comm *comm, const trm_config *config, trm_task_use use, trm_log *log,
                         trm_task **out);
void trm_task_close(trm_task **task); /* collective */
/** Fills batch.blocks, train.steps (from train.epochs) and the facts that depend on them.
 *  Collective; the status may differ between ranks. */
trm_status trm_task_resolve(trm_task *task, trm_config *config);
/** Plans the tape's memory and reserves it. */
trm_status trm_task_plan(trm_task *task, trm_learner *learner, bool training);
/** What is compared: the lower the better. */
double trm_task_rank_value(const trm_task *task, const trm_evaluation *evaluation);
/** Adds a score to the list of names, "valid_accuracy". */
void trm_task_add_score(trm_task *task, const char *subset, const char *metric);
/** Number of the score called by eval.select: of the valid subset, or the test subset without one. */
trm_status trm_task_select(trm_task *task, const char *fallback);
/** That a batch is no larger than what there is to train on. */
trm_status trm_task_check_batch(const trm_task *task);
/** That sampler.kind is full, for data that are not sampled: `what` says what they are. */
trm_status trm_task_whole_only(const trm_task *task, const char *what);
/** batch.blocks: `wanted` where it is left to us, but no more than `most`, which it must not exceed
 *  either. Writes key and fact. */
trm_status trm_task_resolve_blocks(trm_task *task, trm_config *config, int64_t wanted,
                                   int64_t most);
/** Loss of an evaluation from losses[2 n]: sum and count of each block, group or the like, in order. */
void trm_task_join_losses(const double *losses, int64_t n, trm_evaluation *result);
/** Adds the next score of the task's list. */
void trm_task_put_score(const trm_task *task, double value, trm_evaluation *result);
/** Sets a key to a whole number. */
trm_status trm_config_set_int(trm_config *config, const char *key, int64_t value);

/** Runs one block: the pass is begun, `batch` gives the loss, `samples` are hashed. */
trm_status trm_task_block(trm_learner *learner, trm_gradsync *sync, int64_t local_block,
                          const trm_pass *pass, const trm_batch *batch, const int64_t *samples,
                          int64_t n_samples);

#endif
