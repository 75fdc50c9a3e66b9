#include "adversary.h"

#include "samples.h"
#include "trireme/core/memory.h"
#include "trireme/nn/ops.h"

/* ---- keys ---------------------------------------------------------------------------------------- */

static const trm_config_key keys[] = {
    TRM_KEY_CHOICE("adversarial.method", "none", "none|fgsm|pgd|trades|freelb", TRM_ON_RESULT,
                   "Training against small changes of the input: one signed step, several, several "
                   "beside the clean input (TRADES), or the mean over an ascent (FreeLB)."),
};
const trm_config_rows trm_adversary_keys = TRM_CONFIG_ROWS(keys);

#define KEY_EPS                                                                                    \
  TRM_KEY_REAL("adversarial.eps", NULL, 0, 1e9, "", TRM_ON_RESULT,                                 \
               "Radius of the ball a sample's change stays in: of pixels in [0, 1], of rows as "   \
               "they are scaled, of vectors of tokens, of features.")
#define KEY_NORM(fallback)                                                                         \
  TRM_KEY_CHOICE("adversarial.norm", fallback, "sup|2", TRM_ON_RESULT,                             \
                 "What the ball is of: the greatest element, or the 2-norm of all of a sample's.")
#define KEY_START(fallback)                                                                        \
  TRM_KEY_CHOICE("adversarial.start", fallback, "none|random", TRM_ON_RESULT,                      \
                 "Where the change starts: at the clean input, or at random in the ball.")
#define KEY_STEPS(fallback)                                                                        \
  TRM_KEY_INT("adversarial.steps", fallback, 1, 10000, "", TRM_ON_RESULT,                          \
              "Steps along the gradient, each a pass there and back.")
#define KEY_STEP_SIZE                                                                              \
  TRM_KEY_REAL("adversarial.step_size", "0", 0, 1e9, "", TRM_ON_RESULT,                            \
               "Length of a step; 0: 2.5 adversarial.eps / adversarial.steps, of one step "        \
               "adversarial.eps.")

static const trm_config_key fgsm_keys[] = {KEY_EPS, KEY_NORM("sup"), KEY_START("none")};
static const trm_config_rows fgsm_rows = TRM_CONFIG_ROWS(fgsm_keys);
const trm_config_part trm_adversary_fgsm = {
    .selector = "adversarial.method", .name = "fgsm", .rows = {&fgsm_rows}};

static const trm_config_key pgd_keys[] = {KEY_EPS, KEY_NORM("sup"), KEY_START("random"),
                                          KEY_STEPS("10"), KEY_STEP_SIZE};
static const trm_config_rows pgd_rows = TRM_CONFIG_ROWS(pgd_keys);
const trm_config_part trm_adversary_pgd = {
    .selector = "adversarial.method", .name = "pgd", .rows = {&pgd_rows}};

static const trm_config_key trades_keys[] = {
    KEY_EPS, KEY_NORM("sup"), KEY_STEPS("10"), KEY_STEP_SIZE,
    TRM_KEY_REAL("adversarial.beta", "6.0", 0, 1e6, "", TRM_ON_RESULT,
                 "Weight of the divergence beside the loss of the clean input.")};
static const trm_config_rows trades_rows = TRM_CONFIG_ROWS(trades_keys);
const trm_config_part trm_adversary_trades = {
    .selector = "adversarial.method", .name = "trades", .rows = {&trades_rows}};

static const trm_config_key freelb_keys[] = {KEY_EPS, KEY_NORM("2"), KEY_STEPS("3"), KEY_STEP_SIZE};
static const trm_config_rows freelb_rows = TRM_CONFIG_ROWS(freelb_keys);
const trm_config_part trm_adversary_freelb = {
    .selector = "adversarial.method", .name = "freelb", .rows = {&freelb_rows}};

typedef enum method { FGSM, PGD, TRADES, FREELB } method;

static method method_of(const trm_config *config) {
  static const char *const names[] = {"fgsm", "pgd", "trades", "freelb"};
  int m = 0;
  while (!trm_config_is(config, "adversarial.method", names[m])) {
    ++m;
    TRM_ASSERT(m < (int)(sizeof names / sizeof names[0]));
  }
  return (method)m;
}

bool trm_adversary_wanted(const trm_config *config) {
  return !trm_config_is(config, "adversarial.method", "none");
}

trm_status trm_adversary_check_whole(const trm_config *config) {
  if (!trm_adversary_wanted(config) || method_of(config) <= PGD) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG,
      "adversarial.method is '%s', which runs a model several times in a step: not over "
      "a whole graph; set it to fgsm or pgd, or sampler.kind to neighbor or cluster",
      trm_config_string(config, "adversarial.method"));
}

static trm_attack attack_of(const trm_config *config, method m) {
  trm_attack a = {.eps = trm_config_real(config, "adversarial.eps"), .steps = 1};
  a.norm = trm_config_is(config, "adversarial.norm", "2") ? TRM_ATTACK_TWO : TRM_ATTACK_SUP;
  if (m != FGSM) {
    a.steps = trm_config_int(config, "adversarial.steps");
    a.step_size = trm_config_real(config, "adversarial.step_size");
  }
  if (a.step_size == 0) a.step_size = trm_attack_step_size(a.eps, a.steps);
  a.start = m == TRADES                                            ? TRM_ATTACK_NEAR
            : m == FREELB                                          ? TRM_ATTACK_SPREAD
            : trm_config_is(config, "adversarial.start", "random") ? TRM_ATTACK_RANDOM
                                                                   : TRM_ATTACK_CLEAN;
  return a;
}

/* ---- life ---------------------------------------------------------------------------------------- */

struct trm_adversary {
  method method;
  trm_attack attack;
  double beta;
  trm_learner *learner; /* kept */
  trm_attacker *attacker;
  int64_t width;
};

static const int32_t *targets_of(const trm_batch *batch) {
  return batch->samples ? batch->samples->targets : batch->graph->targets;
}

/* The pass that was begun, of both inputs: the loss of the clean one, and the divergence. */
static trm_var *trades_loss(const trm_adversary *a, const trm_batch *batch,
                            const trm_nudge *nudge) {
  trm_tape *tape = a->learner->tape;
  trm_model *model = a->learner->model;
  trm_var *clean = trm_model_outputs(model, tape, batch);
  trm_var *loss = trm_model_loss_of(model, tape, clean, batch);
  trm_tape_nudge(tape, nudge);
  trm_var *changed = trm_model_outputs(model, tape, batch);
  trm_var *apart = trm_op_softmax_kl(tape, clean, changed, targets_of(batch), a->beta);
  return trm_op_add(tape, loss, apart);
}

static trm_status plan(const trm_adversary *a, trm_pass pass, const trm_batch *bounds) {
  trm_tape *tape = a->learner->tape;
  const trm_nudge any = {0};
  pass.nudge = &any;
  if (a->method != TRADES) return trm_learner_plan(a->learner, TRM_PLAN_BACKWARD, pass, bounds);
  pass.dry = pass.training = true;
  pass.nudge = NULL;
  trm_tape_begin(tape, &pass);
  trm_var *loss = trades_loss(a, bounds, &any);
  TRM_TRY(trm_tape_status(tape));
  trm_tape_backward(tape, loss, NULL, NULL, NULL);
  return trm_tape_status(tape);
}

static trm_status check_trades(const trm_model_dims *dims, const trm_learner *learner) {
  if (!dims->numbers && !dims->class_sets && trm_model_splits(learner->model)) return TRM_OK;
  return trm_fail(
      TRM_ERR_CONFIG,
      "adversarial.method is 'trades', which compares what a model says of classes, one "
      "for each sample; these targets are others: set it to pgd or freelb");
}

trm_status trm_adversary_create(trm_comm *comm, const trm_config *config,
                                const trm_model_dims *dims, trm_learner *learner, trm_pass pass,
                                const trm_batch *bounds, int64_t n_rows, trm_adversary **out) {
  trm_adversary *a = NULL;
  trm_status status = TRM_OK;
  const method m = method_of(config);
  *out = NULL;
  if (m == TRADES) TRM_TRY(check_trades(dims, learner));
  TRM_TRY(TRM_ALLOC(&a, 1, "adversary"));
  a->method = m;
  a->attack = attack_of(config, m);
  a->beta = m == TRADES ? trm_config_real(config, "adversarial.beta") : 0;
  a->learner = learner;
  /* The passes of an attack use the weights of the block's own. */
  if (pass.n_blocks == 0) pass.weights_use = TRM_WEIGHTS_FIRST;
  const trm_attack_goal goal = m == TRADES ? TRM_ATTACK_DIVERGENCE : TRM_ATTACK_LOSS;
  TRM_TRY_OUT(trm_attacker_create(&a->attack, goal, learner, pass, bounds, &a->attacker));
  trm_attacker_watch(a->attacker, comm);
  a->width = trm_attacker_width(a->attacker, n_rows);
  TRM_TRY_OUT(plan(a, pass, bounds));
  *out = a;
  return TRM_OK;
out:
  trm_adversary_destroy(&a);
  return status;
}

void trm_adversary_destroy(trm_adversary **adversary) {
  if (!*adversary) return;
  trm_attacker_destroy(&(*adversary)->attacker);
  TRM_FREE(*adversary);
}

int64_t trm_adversary_width(const trm_adversary *a) {
  return a->width;
}

/* ---- blocks -------------------------------------------------------------------------------------- */

static trm_random_key key_of(const trm_pass *pass) {
  return trm_random_key_make(pass->seed, TRM_RANDOM_ATTACK, (uint64_t)pass->step, 0);
}

trm_status trm_adversary_change(trm_adversary *a, const trm_pass *pass, const trm_batch *batch,
                                const trm_attacked *on, trm_nudge *nudge) {
  trm_pass p = *pass;
  p.training = false;
  return trm_attacker_run(a->attacker, &p, batch, on, key_of(pass), nudge);
}

/* The pass of block i, after an attack has had the weights. */
static void begin_block(trm_gradsync *sync, int64_t i, const trm_pass *pass, trm_pass *p) {
  *p = *pass;
  p->weights_use = TRM_WEIGHTS_SAME; /* unless there are several blocks: then they say */
  trm_gradsync_block_begin(sync, i, p);
}

static trm_status run_changed(trm_adversary *a, trm_gradsync *sync, int64_t i, const trm_pass *pass,
                              const trm_batch *batch, const trm_attacked *on, uint64_t hash) {
  trm_tape *tape = a->learner->tape;
  trm_nudge nudge;
  trm_pass craft = *pass, p;
  craft.weights_use = i == 0 ? TRM_WEIGHTS_FIRST : TRM_WEIGHTS_SAME;
  TRM_TRY(trm_adversary_change(a, &craft, batch, on, &nudge));
  begin_block(sync, i, pass, &p);
  trm_var *loss;
  if (a->method == TRADES) {
    p.weight /= 2; /* statistics of both inputs count half */
    trm_tape_begin(tape, &p);
    loss = trades_loss(a, batch, &nudge);
  } else {
    p.nudge = &nudge;
    trm_tape_begin(tape, &p);
    loss = trm_model_loss(a->learner->model, tape, batch);
  }
  trm_gradsync_block_backward(sync, i, tape, loss, hash);
  return trm_tape_status(tape);
}

/* One step of the ascent: gradients of weights and of the change from the same pass. */
static trm_var *ascent_loss(trm_adversary *a, const trm_pass *pass, const trm_batch *batch,
                            const trm_nudge *nudge, double before) {
  trm_pass p = *pass;
  p.nudge = nudge;
  p.loss_scale = 1 / (double)a->attack.steps;
  p.loss_before = before;
  p.weight *= p.loss_scale;
  trm_tape_begin(a->learner->tape, &p);
  return trm_model_loss(a->learner->model, a->learner->tape, batch);
}

/* Dropout is keyed by (step, sample): its masks are the same in all passes, as the paper wants it. */
static trm_status run_ascent(trm_adversary *a, trm_gradsync *sync, int64_t i, const trm_pass *pass,
                             const trm_batch *batch, const trm_attacked *on, uint64_t hash) {
  trm_tape *tape = a->learner->tape;
  trm_real *change = trm_attacker_change(a->attacker), *grad = trm_attacker_grad(a->attacker);
  trm_nudge nudge = {.n = trm_attacked_elements(on), .values = change, .grad = grad};
  trm_pass p = *pass;
  p.weights_use = TRM_WEIGHTS_FIRST;
  trm_gradsync_block_begin(sync, i, &p);
  p.n_merges = 0; /* not before the last pass, and by the synchronisation */
  trm_attack_begin(&a->attack, on, key_of(pass), change);
  double before = 0;
  for (int64_t s = 1; s < a->attack.steps; ++s) {
    trm_var *loss = ascent_loss(a, &p, batch, &nudge, before);
    TRM_TRY(trm_tape_status(tape));
    trm_tape_backward(tape, loss, NULL, NULL, NULL);
    before = trm_tape_loss_sum(tape);
    trm_attack_step(&a->attack, on, grad, change);
    trm_attacker_touch(a->attacker);
    p.add = true;
    p.weights_use = TRM_WEIGHTS_SAME;
  }
  nudge.grad = NULL;
  trm_var *loss = ascent_loss(a, &p, batch, &nudge, before);
  trm_gradsync_block_backward(sync, i, tape, loss, hash);
  return trm_tape_status(tape);
}

trm_status trm_adversary_block(trm_adversary *a, trm_gradsync *sync, int64_t i,
                               const trm_pass *pass, const trm_batch *batch, const trm_attacked *on,
                               const int64_t *samples, int64_t n_samples) {
  const uint64_t hash = trm_samples_hash(samples, n_samples);
  if (a->method == FREELB) return run_ascent(a, sync, i, pass, batch, on, hash);
  return run_changed(a, sync, i, pass, batch, on, hash);
}
