/** Scores of a shop: what customers bought after a day, ranked among all products. */
#ifndef TRIREME_TRAIN_SHOP_SCORES_H
#define TRIREME_TRAIN_SHOP_SCORES_H

#include "task.h"
#include "trireme/input/shop_steps.h"
#include "trireme/math/choice.h"
#include "voices.h"

/** What a model says of a day, or several models together. */
typedef struct trm_shop_ranker {
  const trm_shop *shop;
  const trm_shop_calendar *calendar;
  /** Rows by node: vector, bias, weights of habits. Of several models scores are joined (voices.h): the list
   *  of what is new to a customer and that of what it knows, or probabilities of purchases. Borrowed. */
  const trm_voice *voices;
  int n_voices;
  int64_t K;   /* items of a ranking */
  int64_t day; /* what is older is known */
  int64_t end,
      month_end; /* rankings look for what is bought before the first, probabilities for what is
                             before the second */
  trm_choice_loss loss;
} trm_shop_ranker;

/** The scores of one part, in the order of trm_shop_scores_add. */
void trm_shop_scores_declare(trm_task *task, trm_subset part);
/**
 * Of customers who had bought something before the day, full rankings: recall and NDCG of products that
 * are new to the customer, among all that are; of repeats, among what the customer knows; recall of
 * products that nobody had bought, among those. AUC over all pairs of such customers and products, exact;
 * of loss.choice purchase the log loss too. And as loss the mean of the model's. Customers are dealt to the
 * ranks in groups of fixed size. Collective; `stop` is asked between groups.
 */
trm_status trm_shop_scores_add(trm_task *task, const trm_shop_ranker *ranker, trm_task_stop stop,
                               void *context, trm_evaluation *result, bool *stopped);
/** Writes "customer, product, known, score" of each customer's first K products that are new to it, and
 *  first K that are not; of loss.choice purchase the score is a probability. Everybody gets an answer: who
 *  has bought nothing what sells best. Rank 0 writes. Collective. */
trm_status trm_shop_predictions_write(trm_comm *comm, const trm_shop_ranker *ranker,
                                      const char *path, int64_t *n_rows);

#endif
