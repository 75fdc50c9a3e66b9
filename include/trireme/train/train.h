/**
 * Training, evaluation and generation: what the commands call. The only layer, with `app`, that
 * talks to people.
 */
#ifndef TRIREME_TRAIN_TRAIN_H
#define TRIREME_TRAIN_TRAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/comm/comm.h"
#include "trireme/core/config.h"
#include "trireme/core/log.h"
#include "trireme/train/bias_variance.h"

/** Who looks at a run's evaluations, and where it pauses; a run among several that are compared. */
typedef struct trm_train_watch {
  double
      until; /* share of the steps after which the run is evaluated, saved and left; 0, 1: at its end */
  /** Asked after each evaluation, on all ranks alike, with the loss or score of eval.select; true: the run
   *  ends there, without a checkpoint of its own. NULL: never. */
  bool (*gives_up)(void *context, int64_t step, double score);
  void *context;
  int64_t n_steps, end_step; /* out: steps of the whole run, and where it is left */
} trm_train_watch;

/** How a run is started. */
typedef struct trm_train_options {
  trm_config *config;             /* resolved and checked; the same on every rank */
  bool resume;                    /* go on from the newest good checkpoint, if there is one */
  const char *resume_path;        /* from this one instead; NULL: newest */
  int64_t extend;                 /* steps more than the configuration says; with resume */
  bool allow_changes;             /* resume although keys that change the result differ */
  struct trm_replay *replay;      /* train again without writing, and compare; NULL: a real run */
  struct trm_rate_search *search; /* train at other rates without writing; NULL: a real run */
  trm_train_watch *watch;         /* NULL: nobody looks, and it goes to its end */
} trm_train_options;

/** From now on TERM, INT, USR1 and USR2 ask a run to stop instead of ending the process. To be called
 *  before MPI starts, so that no moment is left in which they kill. */
trm_status trm_train_catch_signals(void);

/**
 * Runs training to train.steps, or until a signal (TERM, INT, USR1, USR2) or the time budget.
 * Collective. Every rank returns the same status: TRM_OK when done, TRM_STOPPED when stopped early
 * with a checkpoint, TRM_ERR_DIVERGED when loss or gradient are not finite, others on failure.
 */
trm_status trm_train(trm_comm *comm, const trm_train_options *options, trm_log *log);

/** What a run would take. Bytes are of one rank, the one with most. */
typedef struct trm_train_plan {
  char from[4096]; /* checkpoint that it would go on from; "": it would begin */
  int64_t step;    /* of that one */
  int64_t n_weights;
  char summary[160]; /* "vocabulary 65, 12 x 64 tokens a step" */
  char rules[4096];  /* what each rule by parameter matched: lines that begin with # */
  double steps_an_epoch;
  int64_t weights_bytes, gradients_bytes, optimizer_bytes, activations_bytes;
  int64_t average_bytes;    /* of the weights; 0: none is kept */
  int64_t packed_bytes;     /* weights once more, as products read them */
  int64_t data_bytes;       /* the data set and what is planned for it; not batches made ahead */
  int64_t host_bytes;       /* besides: what the ranks of a host share of the data set */
  int64_t checkpoint_bytes; /* besides, on rank 0: the copy that is being written */
} trm_train_plan;

/**
 * Checks all that trm_train on these ranks would refuse before its first step, the checkpoint to go on
 * from among it, resolves the configuration as it would, and says what it would take. Writes nothing.
 * Collective; the status is the same on all ranks.
 */
trm_status trm_train_check(trm_comm *comm, const trm_train_options *options, trm_log *log,
                           trm_train_plan *plan);

/** A checkpoint chosen by a run directory (newest good one, or best) or by a file. */
typedef struct trm_evaluate_options {
  const char *run;         /* run directory or checkpoint file */
  bool best;               /* the best one of the run instead of the newest */
  bool raw;                /* the weights as trained, where there is an average of them */
  const char *data;        /* data set; NULL: the one the run was trained on */
  const char *const *sets; /* [n_sets] "eval.KEY=VALUE" */
  int n_sets;
} trm_evaluate_options;

enum { TRM_MAX_SCORES = 16, TRM_SCORE_BYTES = 32 };

typedef struct trm_evaluation {
  double loss; /* a unit over the whole subset */
  const char
      *loss_unit; /* of it: "nats"; of numbers "squared deviations" and the like, in deviations of
                            the training part; NULL: nats */
  int64_t count;  /* units */
  double train_loss;  /* of the training part, measured alike; where the task has train_loss */
  const char *subset; /* "validation"; of interactions, which have none, "test" */
  const char *unit;   /* "token", "node", "graph", "interaction" */
  int64_t step;       /* of the checkpoint */
  int n_scores;
  struct {
    char name[TRM_SCORE_BYTES]; /* "test_accuracy" */
    double value;               /* NaN: the subset is empty */
  } scores[TRM_MAX_SCORES];
} trm_evaluation;

/** Seconds that a step takes on these ranks, by a few steps that write nothing; NaN: not known. Call it
 *  after trm_train_check. Collective; the status is the same on all ranks. */
trm_status trm_train_time(trm_comm *comm, const trm_config *config, double *step_s);

/** Exact evaluation of a checkpoint over the whole validation split. Collective. */
trm_status trm_evaluate_run(trm_comm *comm, const trm_evaluate_options *options,
                            trm_evaluation *result);

/** An attack on the inputs of an evaluation. */
typedef struct trm_attack_options {
  const char *name; /* "fgsm", "pgd" */
  const char *norm; /* "sup", "2" */
  double eps;       /* negative: not given */
  int64_t steps;    /* 0: of pgd 40 */
  double step_size; /* 0: 2.5 eps / steps, of one step eps */
  int64_t restarts; /* >= 1: of every sample the worst counts */
} trm_attack_options;

/** How a model fares under attack, beside its clean inputs. */
typedef struct trm_robustness {
  const char *subset; /* "test"; without one "validation" */
  const char *unit;   /* "sample", "node" */
  int64_t step;       /* of the checkpoint */
  int64_t count;
  bool classes;                     /* accuracies; else roots of mean squared errors */
  bool pixels;                      /* eps is of pixels in [0, 1] */
  double clean, attacked;           /* in [0, 1], or in the units of the targets */
  double clean_loss, attacked_loss; /* nats or squared deviations a unit; of the worst outputs */
} trm_robustness;

/** Attacks every test sample of a checkpoint. Collective; the result is the same for any number of
 *  ranks. */
trm_status trm_robustness_run(trm_comm *comm, const trm_evaluate_options *options,
                              const trm_attack_options *attack, trm_robustness *result);

/** Members of an ensemble, in the order in which what they say is added. */
typedef struct trm_members {
  const char *const *runs; /* [n] run directories or checkpoint files */
  int n;
  bool vote; /* count votes instead of taking the mean of probabilities */
} trm_members;
enum { TRM_MAX_MEMBERS = 64 };

/**
 * Evaluates each member (options->run is not read), then all together: the mean of their probabilities of
 * classes, or of their numbers. Collective.
 * @param[out] results  [members->n + 1], the last one of the whole; its loss is NaN for numbers
 * @return TRM_ERR_DATA for members with other samples or classes than the first, TRM_ERR_USAGE for those
 *         that say neither classes nor numbers
 */
trm_status trm_evaluate_ensemble(trm_comm *comm, const trm_evaluate_options *options,
                                 const trm_members *members, trm_evaluation *results);

/** Leaves what trm_evaluate_ensemble has found to reports: ensemble.tsv in the folder of the first member,
 *  a line for each score of each member and of the whole. Collective.
 *  @return TRM_ERR_USAGE where the first member is not a run directory; TRM_ERR_IO, TRM_ERR_MEMORY */
trm_status trm_ensemble_keep(trm_comm *comm, const trm_members *members,
                             const trm_evaluation *results);

/** Bias and variance of the members' predictions of the test part, without one of the validation part:
 *  means over its samples. Otherwise as trm_evaluate_ensemble. */
trm_status trm_evaluate_spread(trm_comm *comm, const trm_evaluate_options *options,
                               const trm_members *members, trm_bias_variance *parts);

/** Which checkpoints are averaged: those of `words`, or of the one run that it names. */
typedef struct trm_average_options {
  const char *const *words; /* [n_words] run directories or checkpoint files */
  int n_words;
  int64_t last, best; /* of a run: so many of the newest, or of the best; 0: all of `words` */
  bool raw;           /* the weights as trained, where there is an average of them */
  const char *output; /* checkpoint to write */
  bool force;         /* also over a file that holds no mean */
} trm_average_options;
typedef struct trm_average_result {
  int n;        /* checkpoints */
  int64_t step; /* of the newest */
} trm_average_result;

/** Writes a checkpoint whose weights are the mean of others', without state of an optimizer. For one
 *  process. @return TRM_ERR_DATA for checkpoints of different models */
trm_status trm_average_run(const trm_average_options *options, trm_average_result *result);

typedef struct trm_predict_options {
  const char *run; /* run directory or checkpoint file */
  bool best, raw;
  const char *data;        /* data set; NULL: the one the run was trained on */
  const char *output;      /* tab-separated file */
  bool force;              /* also over a file that holds no predictions */
  const char *const *sets; /* [n_sets] "eval.KEY=VALUE" */
  int n_sets;
  int64_t top_k; /* interactions: items a user */
} trm_predict_options;

/** Writes what a checkpoint says of every node, graph or user. Collective. */
trm_status trm_predict_run(trm_comm *comm, const trm_predict_options *options, int64_t *n_rows);

/** The same of an ensemble: what all members say together (options->run is not read). Collective. */
trm_status trm_predict_ensemble(trm_comm *comm, const trm_predict_options *options,
                                const trm_members *members, int64_t *n_rows);

typedef struct trm_generate_options {
  const char *run;
  bool best, raw;
  const char *prompt; /* UTF-8; "": begin after a newline */
  const char
      *unknown;     /* what of it the vocabulary lacks: "token", "skip", "refuse"; NULL: as usual */
  int64_t n_tokens; /* to generate */
  double temperature; /* 0: always the most likely token */
  int64_t top_k;      /* 0: all */
  double top_p;       /* 1: all */
  uint64_t seed;
} trm_generate_options;

/** Writes the prompt and generated text to `out`, token by token. For a communicator of one rank. */
trm_status trm_generate_run(trm_comm *comm, const trm_generate_options *options, FILE *out);

typedef struct trm_translate_options {
  const char *run; /* run directory or checkpoint file */
  bool best, raw;
  const char *input, *output; /* files; NULL: standard input and output */
  bool force;                 /* also over a file that is there */
  int64_t batch;              /* lines a rank works on together; changes no result */
  int64_t beam, n_best;       /* 1 to beam */
  double length_reward;       /* 0: none */
  double longest_ratio;       /* at most ratio * tokens of the line + extra tokens */
  int64_t longest_extra;
  double temperature; /* 0: the likeliest; else drawn, with a beam of 1 */
  int64_t top_k;      /* 0: all */
  double top_p;       /* 1: all */
  uint64_t seed;
} trm_translate_options;

/** Writes, for each line of the input, what the model makes of it: one line, or with n_best > 1 that
 *  many of "line, score, log-probability, text". Collective. */
trm_status trm_translate_run(trm_comm *comm, const trm_translate_options *options);

/** Resolves "run directory or checkpoint file" to a file, into path[size]: of a run the best one, or its
 *  result, which is the newest one unless the run restored the best at its end. Warnings about damaged
 *  checkpoints go to `log` (may be NULL). Not collective. */
trm_status trm_checkpoint_resolve(const char *run, bool best, char *path, size_t size,
                                  trm_log *log);
/** The same, but of a run the newest one whatever its result is: what it goes on from. */
trm_status trm_checkpoint_newest(const char *run, char *path, size_t size, trm_log *log);

/** How far a run directory has come: the step of its newest good checkpoint (-1: none) and its path.
 *  Of a sweep, the sum over its runs, and "". Warnings about damaged checkpoints go to `log` (may be
 *  NULL). Reads those files whole. Not collective. */
trm_status trm_run_progress(const char *run, int64_t *step, char *path, size_t size, trm_log *log);

#endif
