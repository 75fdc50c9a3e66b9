/**
 * Training against attacks: what adversarial.method makes of a block.
 *
 *   fgsm, pgd  the loss of the changed input alone
 *   trades     the loss of the clean input, and beta times the divergence of the changed one's outputs
 *   freelb     the mean gradient over the steps of an ascent, with dropout on: each pass serves both
 *
 * What comes out is a function of (seed, step, sample) and the weights: layouts change nothing.
 */
#ifndef TRIREME_TRAIN_ADVERSARY_H
#define TRIREME_TRAIN_ADVERSARY_H

#include "attack.h"
#include "trireme/parallel/gradsync.h"

/** The key that chooses, and what each choice reads. */
extern const trm_config_rows trm_adversary_keys;
extern const trm_config_part trm_adversary_fgsm, trm_adversary_pgd, trm_adversary_trades,
    trm_adversary_freelb;
/** The parts of the choices, for the list of a task. */
#define TRM_ADVERSARY_PARTS                                                                        \
  &trm_adversary_fgsm, &trm_adversary_pgd, &trm_adversary_trades, &trm_adversary_freelb

typedef struct trm_adversary trm_adversary;

/** Whether the configuration asks for one. */
bool trm_adversary_wanted(const trm_config *config);
/** That the method is one whose blocks may be run together: of passes over a whole graph.
 *  @return TRM_ERR_CONFIG */
trm_status trm_adversary_check_whole(const trm_config *config);

/**
 * Reads its keys, plans its passes over blocks of sizes alone on the learner's tape, as trm_learner_plan
 * does for plain ones, and takes memory for a block.
 * @param comm    whose watch sees each step of an attack; kept
 * @param pass    as in trm_learner_plan
 * @param dims    what the model says
 * @param n_rows  rows that are attacked in `bounds`
 * @return TRM_ERR_CONFIG: nothing to attack, or TRADES without classes; TRM_ERR_MEMORY
 */
trm_status trm_adversary_create(trm_comm *comm, const trm_config *config,
                                const trm_model_dims *dims, trm_learner *learner, trm_pass pass,
                                const trm_batch *bounds, int64_t n_rows, trm_adversary **out);
/** NULL is accepted; sets NULL. */
void trm_adversary_destroy(trm_adversary **adversary);

/** Elements of a row that is attacked. */
int64_t trm_adversary_width(const trm_adversary *adversary);

/** Runs local block `i` there and back as trm_task_block does. `on` says what is attacked. */
trm_status trm_adversary_block(trm_adversary *adversary, trm_gradsync *sync, int64_t i,
                               const trm_pass *pass, const trm_batch *batch, const trm_attacked *on,
                               const int64_t *samples, int64_t n_samples);
/** The change alone, for a caller that runs the pass: fgsm and pgd. `pass` is the training pass that
 *  follows, without gradients; the nudge is valid until the next call. */
trm_status trm_adversary_change(trm_adversary *adversary, const trm_pass *pass,
                                const trm_batch *batch, const trm_attacked *on, trm_nudge *nudge);

#endif
