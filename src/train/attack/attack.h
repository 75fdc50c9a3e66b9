/**
 * Attacks: small changes of a model's input that make its loss large, by steps along its gradient.
 *
 * A change is a nudge (nn/tape.h) of what the model says is open to attacks: the raw values of images and
 * rows, the vectors of tokens, the features of nodes. Each sample's change stays in a ball of its own.
 * Passes of an attack are those of an evaluation: no dropout, running statistics used and untouched.
 *
 * Sources: Goodfellow et al. 2014, arXiv:1412.6572 (FGSM); Madry et al. 2017, arXiv:1706.06083 (PGD); Zhang
 * et al. 2019, arXiv:1901.08573 (TRADES); Zhu et al. 2019, arXiv:1909.11764 (FreeLB).
 */
#ifndef TRIREME_TRAIN_ATTACK_H
#define TRIREME_TRAIN_ATTACK_H

#include "trireme/comm/comm.h"
#include "trireme/core/random.h"
#include "trireme/train/learner.h"

/** The form of the ball: the greatest element, or the 2-norm over all elements of a sample. */
typedef enum trm_attack_norm { TRM_ATTACK_SUP, TRM_ATTACK_TWO } trm_attack_norm;

/** Where a change starts. */
typedef enum trm_attack_start {
  TRM_ATTACK_CLEAN,  /* at 0 */
  TRM_ATTACK_RANDOM, /* sup: uniform in the ball; 2: any direction, the length uniform up to eps */
  TRM_ATTACK_NEAR,   /* 0.001 times a normal number an element, as TRADES */
  TRM_ATTACK_SPREAD, /* uniform in +-eps / sqrt(elements of the sample), as FreeLB */
} trm_attack_start;

typedef struct trm_attack {
  trm_attack_norm norm;
  double eps; /* radius, in units of what is attacked */
  double step_size;
  int64_t steps; /* >= 1 */
  trm_attack_start start;
} trm_attack;

/** Step size that is taken where none is given: 2.5 eps / steps, of a single one eps. */
double trm_attack_step_size(double eps, int64_t steps);

/** What is attacked: rows of `width` elements, of which each sample has some. */
typedef struct trm_attacked {
  trm_sequences rows;
  int64_t width;
  const float *clean;   /* [rows, width] stays in [0, 1] when changed; NULL: any number will do */
  int64_t sample0;      /* random numbers are keyed by sample0 + number of the sample, */
  const int32_t *ids32; /* [rows.n] or by these, NULL: not */
} trm_attacked;

/** The attacked rows of a batch of samples, `width` elements each. */
trm_attacked trm_attacked_samples(const trm_sample_batch *batch, int64_t width, int64_t sample0);
int64_t trm_attacked_elements(const trm_attacked *on);

/** Writes where the change of each sample starts, within ball and range: change[elements]. The key is to
 *  tell steps and restarts apart. */
void trm_attack_begin(const trm_attack *attack, const trm_attacked *on, trm_random_key key,
                      trm_real *change);
/** A step along grad[elements]: its sign (0 of 0), or its direction of each sample (none of 0); then back
 *  into the ball, and then into the range. */
void trm_attack_step(const trm_attack *attack, const trm_attacked *on, const trm_real *grad,
                     trm_real *change);

/* ---- carried out ------------------------------------------------------------------------------ */

/** An attack with the memory for its passes. */
typedef struct trm_attacker trm_attacker;

/** What is made large. */
typedef enum trm_attack_goal {
  TRM_ATTACK_LOSS,
  TRM_ATTACK_DIVERGENCE, /* from what the model says of the clean input (TRADES); classes only */
} trm_attack_goal;

/**
 * Plans passes over a batch of sizes alone, whose rows are `bounds`, with dry passes on the learner's
 * tape, and takes the memory of the change.
 * @param pass  as in trm_learner_plan
 * @return TRM_ERR_CONFIG: the model has nothing that attacks could change; TRM_ERR_MEMORY
 */
trm_status trm_attacker_create(const trm_attack *attack, trm_attack_goal goal, trm_learner *learner,
                               trm_pass pass, const trm_batch *bounds, trm_attacker **out);
/** NULL is accepted; sets NULL. */
void trm_attacker_destroy(trm_attacker **attacker);
/** From now on each step of an attack is a sign of life of the phase (comm/watch.h). Keeps `comm`. */
void trm_attacker_watch(trm_attacker *attacker, trm_comm *comm);
/** Such a sign, of steps that the caller makes itself. */
void trm_attacker_touch(const trm_attacker *attacker);
/** Elements of a row that is attacked, of `rows` rows in the bounds. */
int64_t trm_attacker_width(const trm_attacker *attacker, int64_t rows);

/**
 * Changes the input of a batch: attack->steps passes there and back.
 * @param pass  blocks, weights and weights_use of the first pass, as a pass of an evaluation has them
 * @param[out] nudge  the change, without a gradient; valid until the next call
 * @return the tape's status
 */
trm_status trm_attacker_run(trm_attacker *attacker, const trm_pass *pass, const trm_batch *batch,
                            const trm_attacked *on, trm_random_key key, trm_nudge *nudge);
/** Memory of the change and of its gradient, of as many elements as the plan came to. */
trm_real *trm_attacker_change(trm_attacker *attacker);
trm_real *trm_attacker_grad(trm_attacker *attacker);

#endif
