/**
 * Tasks: what a kind of data makes of training. The run (setup.c, loop.c) knows steps, blocks,
 * checkpoints and metrics; a task knows samples, passes and scores. One file a kind: text_task.c,
 * node_task.c, set_task.c, pair_task.c, sample_task.c.
 */
#ifndef TRIREME_TRAIN_TASK_H
#define TRIREME_TRAIN_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "restore.h"
#include "trireme/ckpt/facts.h"
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

enum { TRM_TASK_MAX_PARTS = 8 };

typedef struct trm_task_kind {
  trm_config_part brings; /* its keys; the name is that of its kind of data set */
  const trm_config_part
      *more[TRM_TASK_MAX_PARTS]; /* what its own keys select; NULL past the last */
  const char *select;            /* what eval.select auto takes: "loss", or a score */
  const char *subset;            /* that the loss of an evaluation is of: "validation", "test" */
  const char *unit;              /* what losses are per and rates count: "token", "node", ... */
  /** Opens data.path and fills the facts of the task. Collective. */
  trm_status (*open)(trm_task *task);
  void (*close)(trm_task *task); /* collective */
  /** Writes what is left to us into the configuration: batch.blocks and the like. Collective for
   *  graphs cut into parts; ranks agree on the status afterwards. */
  trm_status (*resolve)(trm_task *task, trm_config *config);
  /** Checks what must hold before the first step, and runs dry passes over the largest blocks. */
  trm_status (*plan)(trm_task *task, trm_learner *learner, bool training);
  /** Begins reading ahead for this rank's blocks of steps [first_step, end_step), and ends what was begun
   *  before. Collective. */
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
  /** What checkpoints keep of the data, so that who reads one needs no data set; NULL: nothing. Not
   *  collective. */
  trm_status (*facts)(const trm_task *task, trm_facts *facts);
  /** Whether the data set is one that the model of a checkpoint can work on; NULL: any whose shapes
   *  fit. `path` is the checkpoint's. What is not trained takes over from it what the model must find as
   *  it was (scales, classes, sizes). Not collective. */
  trm_status (*check_facts)(trm_task *task, const trm_facts *facts, const char *path);
  bool any_ranks; /* an evaluation may be shared out among more ranks than there are blocks */
  /** Writes what a checkpoint generates; NULL: nothing. For a communicator of one rank. */
  trm_status (*generate)(trm_restored *restored, const char *path,
                         const trm_generate_options *options, FILE *out);
  /** Evaluates under attack; NULL: not for this kind. Fills all of *result but step and unit.
   *  Collective. */
  trm_status (*attack)(trm_task *task, trm_learner *learner, const trm_attack_options *options,
                       trm_robustness *result);
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
  trm_comm *comm;     /* borrowed */
  trm_config *config; /* borrowed */
  trm_log *log;       /* borrowed; silent on other ranks than 0 */
  void *self;         /* the kind's own; owned */
  struct trm_ensemble
      *ensemble; /* that the model is a member of (ensemble.h); NULL: of none. Borrowed */
  struct trm_findings
      *findings; /* that evaluations fill (findings.h); NULL: nobody asks. Borrowed */
  /* Facts, filled by open and resolve. */
  trm_model_dims dims;
  const char *unit; /* the kind's, unless the data set has another */
  uint64_t digest;
  int64_t epoch_samples;   /* training samples in an epoch */
  int64_t batch, n_blocks; /* most samples of a step, blocks they are cut into */
  int64_t epoch_steps;     /* where an epoch ends with a step; 0: it has epoch_samples / batch */
  int64_t units_a_step;
  int64_t host_bytes; /* of the data set in memory that the ranks of a host share */
  bool train_loss;    /* an evaluation gives the loss of the training part too */
  bool exchanges;     /* passes of ranks wait for each other: every rank runs every step */
  char summary[160];  /* "vocabulary 65, 12 x 64 tokens a step" */
  int n_scores;       /* that an evaluation gives besides the loss */
  char scores[TRM_MAX_SCORES][TRM_SCORE_BYTES];
  int selected; /* score that makes an evaluation the best, -1: the loss */
};

/** First line of a trm_task_kind: the task on data sets of kind `data`; rows follow. */
#define TRM_TASK_PART(data, ...)                                                                   \
  .brings = {.selector = "data", .name = data, .label = "data of kind " data, .rows = {__VA_ARGS__}}

/** Adds the parts of all tasks. */
void trm_task_parts(trm_config_parts *parts);

/** The task on the kind of data set at data.path, which must be one that model.kind works on; `use` is
 *  what the message of another kind is about. Not collective. @return TRM_ERR_IO, TRM_ERR_DATA, TRM_ERR_CONFIG */
trm_status trm_task_choose(const trm_config *config, trm_task_use use, const trm_task_kind **kind);
/** What eval.select names: "loss", or a score. */
const char *trm_task_metric(const trm_task_kind *kind, const trm_config *config);

/** What eval.select auto takes where losses are per `unit`: for who has no data set at hand. */
const char *trm_task_select_of_unit(const char *unit);

/** Opens the data set at data.path with the task on its kind, which must be one that model.kind works
 *  on, and tells the configuration ("data"). In training, keys that nothing uses are an error.
 *  Collective. */
trm_status trm_task_open(trm_comm *comm, trm_config *config, trm_task_use use, trm_log *log,
                         trm_task **out);
void trm_task_close(trm_task **task); /* collective */
/** Fills batch.blocks, train.steps (from train.epochs) and the facts that depend on them.
 *  Collective; the status may differ between ranks. */
trm_status trm_task_resolve(trm_task *task, trm_config *config);
/** Facts that a checkpoint keeps of the task. */
trm_status trm_task_facts(const trm_task *task, trm_facts *facts);
/** Outputs of the model, the kind of data set it was trained on (its task), from a checkpoint. */
int64_t trm_facts_outputs(const trm_facts *facts);
trm_status trm_task_of_checkpoint(const trm_restored *restored, const char *path,
                                  const trm_task_kind **kind);
/** That data set and checkpoint fit together (check_facts). */
trm_status trm_task_check_facts(trm_task *task, const trm_facts *facts, const char *path);

/** Plans the tape's memory and reserves it. */
trm_status trm_task_plan(trm_task *task, trm_learner *learner, bool training);
/** Lets the loss select from here on when the score that selects cannot be computed on the part that is
 *  evaluated, such as the AUC of one class, and says so. The same on all ranks. */
void trm_task_check_selection(trm_task *task, const trm_evaluation *evaluation);
/** What is compared: the lower the better. */
double trm_task_rank_value(const trm_task *task, const trm_evaluation *evaluation);
/** The loss or score whose rank value this is. */
double trm_task_ranked_score(const trm_task *task, double rank_value);
/** Adds a score to the list of names, "valid_accuracy"; trm_metric_find knows the metric. */
void trm_task_add_score(trm_task *task, const char *subset, const char *metric);
/** Number of the score called by eval.select: of the valid subset, or the test subset without one. */
trm_status trm_task_select(trm_task *task);
/** Steps of an epoch. */
double trm_task_epoch_steps(const trm_task *task);
/** Says that a split has nothing to validate with; what waits for evaluations is refused then. */
trm_status trm_task_without_valid(const trm_task *task, int split);
/** That a batch is no larger than what there is to train on. */
trm_status trm_task_check_batch(const trm_task *task);
/** batch.blocks: `wanted` where it is left to us, but no more than `most`, which it must not exceed
 *  either. Writes key and fact. */
trm_status trm_task_resolve_blocks(trm_task *task, trm_config *config, int64_t wanted,
                                   int64_t most);
/** How many of n are the share (0 to 1) of them: one at least, where there are any. */
int64_t trm_share_of(int64_t n, double share);
/** Which of n is number i of `most` of them, evenly spread. */
int64_t trm_share_at(int64_t i, int64_t n, int64_t most);
/** Loss of an evaluation from losses[2 n]: sum and count of each block, group or the like, in order. */
void trm_task_join_losses(const double *losses, int64_t n, trm_evaluation *result);
/** Adds the next score of the task's list. */
void trm_task_put_score(const trm_task *task, double value, trm_evaluation *result);

/** For the dry pass before training: whether some rank has several blocks, for which packed weights are
 *  kept; an evaluation by itself (not `training`) always has. */
trm_weights_use trm_task_weights_use(const trm_task *task, bool training);

/** Runs one block: the pass is begun, `batch` gives the loss, `samples` are hashed. */
trm_status trm_task_block(trm_learner *learner, trm_gradsync *sync, int64_t local_block,
                          const trm_pass *pass, const trm_batch *batch, const int64_t *samples,
                          int64_t n_samples);

#endif
