/**
 * Several models on the same samples: the mean of their probabilities, their votes, or the mean of their
 * numbers. Members come one after another; what each says of a sample is added in that order, on every
 * rank for all samples, so that the whole has the same bits on any number of ranks.
 *
 * Models that rank items say more than can be kept: their rows of users and items are, until the last one
 * has spoken, and scores are made of them group by group (voices.h).
 */
#ifndef TRIREME_TRAIN_ENSEMBLE_H
#define TRIREME_TRAIN_ENSEMBLE_H

#include "class_scores.h"
#include "number_scores.h"
#include "trireme/train/bias_variance.h"
#include "voices.h"

/** What a recommender is asked; members of an ensemble must be asked the same. */
typedef struct trm_question {
  const char *data; /* path of the data set */
  uint64_t digest;  /* of the data set */
  struct {
    const char *key; /* what the number is of, as messages say it */
    int64_t value;
  } facts[4];
  int n_facts;
} trm_question;

/** Questions put to each member, at most: a shop has a part to validate and one to test. */
enum { TRM_MAX_QUESTIONS = 2 };

/** What members answer to a question. */
typedef struct trm_answers {
  int n;
  trm_voice voices[TRM_MAX_MEMBERS]; /* whose rows are owned */
  trm_question question;             /* as the first member was asked */
} trm_answers;

typedef struct trm_ensemble {
  bool vote;             /* count who says which class; equal votes go to the more probable */
  int n_members;         /* set by the caller, as is `vote`; the rest is zero at first */
  int n_added;           /* members that have spoken */
  trm_evaluation whole;  /* after the last one: the evaluation of all together */
  int64_t n, C;          /* samples, and values of each: classes, or 1 for numbers */
  bool numbers;          /* the values are numbers */
  uint64_t samples_hash; /* of labels, subsets and names of classes, as the first member has them */
  double *sums;          /* [n, C] probabilities or numbers; owned */
  double *votes;         /* [n, C] owned; NULL: no votes are counted */
  trm_bias_variance
      *parts;      /* of the loss, to be filled in when all have spoken; set by the caller, with
                               `vote` for classes; NULL: not wanted. Borrowed */
  double *squares; /* [n, C] of what sums are of; owned; NULL where parts are not wanted */
  double *counts;  /* [n] members that say something of a sample; owned */
  float *logits;   /* [own samples, C] of the whole; owned */
  double *values;  /* [own samples] the same of numbers; owned */
  int32_t *ids;    /* [own samples] owned */
  trm_answers answers[TRM_MAX_QUESTIONS]; /* of recommenders */
} trm_ensemble;

void trm_ensemble_free(trm_ensemble *ensemble);
/** Whether all members have spoken. */
bool trm_ensemble_full(const trm_ensemble *ensemble);

/**
 * Adds a member's rows to task->ensemble. After the last member *whole is what all say together, own rows
 * as of one model: logits are logarithms of probabilities (of shares of votes), and `whole.loss` is their
 * mean cross-entropy over the validation part. Collective.
 * @param known  classes of the model, whose names must be the same for all members; NULL: those of the data
 * @return TRM_ERR_DATA for other samples, parts or classes than the first member's, TRM_ERR_USAGE for votes
 *         on numbers, TRM_ERR_MEMORY; the same on all ranks
 */
trm_status trm_ensemble_add_classes(const trm_task *task, const trm_classes *known,
                                    const trm_class_rows *rows, trm_class_rows *whole);
trm_status trm_ensemble_add_numbers(const trm_task *task, const trm_number_rows *rows,
                                    trm_number_rows *whole);

/**
 * Keeps what the next member, a recommender, answers to question `number`: a copy of its rows. Questions are
 * put to each member in their order. Where votes or the parts of a loss are asked for, nothing is kept, and
 * the member has not spoken.
 * @param n         rows of *voice
 * @param[out] all  the answers of all members, once the last one has given its own; NULL before
 * @return TRM_ERR_DATA for another question than the first member's, TRM_ERR_USAGE for votes,
 *         TRM_ERR_MEMORY; the same on all ranks. Collective.
 */
trm_status trm_ensemble_add_voice(const trm_task *task, int number, const trm_question *question,
                                  const trm_voice *voice, int64_t n, const trm_answers **all);

#endif
