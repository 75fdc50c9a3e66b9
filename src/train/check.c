/*
 * A run tried out: everything training does before its first step, but no run directory, no initial
 * weights, and no memory touched: large blocks are mapped, and their pages stay untouched.
 */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rundir.h"
#include "trireme/comm/reducer.h"
#include "trireme/input/dataset.h"
#include "trireme/math/gemm.h"
#include "trireme/train/learner.h"
#include "trireme/train/train.h"

trm_status trm_train_resolve(trm_config *config) {
  char text[64];
  if (trm_config_int(config, "batch.blocks") == 0) {
    (void)snprintf(text, sizeof text, "batch.blocks=%" PRId64, trm_batch_blocks(config));
    TRM_TRY(trm_config_set(config, text));
  }
  const int64_t batch = trm_config_int(config, "batch.size");
  const int64_t n_blocks = trm_config_int(config, "batch.blocks");
  if (n_blocks > batch) {
    return trm_fail(TRM_ERR_CONFIG,
                    "batch.blocks is %" PRId64 ", more than the %" PRId64
                    " sequences of batch.size",
                    n_blocks, batch);
  }
  const double lr = trm_config_real(config, "optimizer.lr");
  const double min_lr = trm_config_real(config, "schedule.min_lr");
  if (strcmp(trm_config_string(config, "schedule.name"), "cosine") == 0 && min_lr > lr) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "schedule.min_lr is %g, above optimizer.lr (%g), to which the cosine falls; set "
        "it lower, for instance to %g",
        min_lr, lr, lr / 10);
  }
  return TRM_OK;
}

trm_status trm_train_open_data(const trm_config *config, trm_dataset **dataset) {
  const trm_status status = trm_dataset_open(trm_config_string(config, "data.path"), dataset);
  if (status == TRM_ERR_IO) {
    return trm_fail(status, "%s (data.path, from this folder)", trm_message());
  }
  TRM_TRY(status);
  return trm_dataset_check_context(*dataset, trm_config_int(config, "model.context"));
}

/* ---- memory --------------------------------------------------------------------------------- */

/* Arrays of gradients the rank with most of them has: with the canonical engine the sums of
 * subtrees of blocks wait for each other. */
static int gradient_arrays(const trm_config *config, int n_ranks) {
  if (strcmp(trm_config_string(config, "comm.allreduce"), "canonical") != 0) return 1;
  int most = 1;
  for (int r = 0; r < n_ranks; ++r) {
    int64_t first, n;
    trm_block_range(trm_config_int(config, "batch.blocks"), r, n_ranks, &first, &n);
    const int n_slots = trm_block_slots(first, n);
    if (n_slots > most) most = n_slots;
  }
  return most;
}

/* Bytes of activations: what the tape's arena takes for a pass over the largest block. */
static trm_status plan_activations(const trm_config *config, trm_model *model, trm_params *params,
                                   int64_t *bytes) {
  trm_tape *tape = NULL;
  TRM_TRY(trm_tape_create(params, &tape));
  const trm_pass pass = {.training = true, .dry = true};
  const trm_tokens tokens = {.N = trm_block_samples_max(trm_config_int(config, "batch.size"),
                                                        trm_config_int(config, "batch.blocks")),
                             .T = trm_config_int(config, "model.context")};
  trm_tape_begin(tape, &pass);
  trm_tape_backward(tape, trm_model_loss(model, tape, &tokens), NULL, NULL, NULL);
  trm_status status = trm_tape_status(tape);
  if (status == TRM_OK) status = trm_tape_reserve(tape);
  if (status == TRM_OK) *bytes = (int64_t)trm_tape_arena_bytes(tape);
  trm_tape_destroy(&tape);
  return status;
}

static trm_status plan_memory(const trm_config *config, int64_t vocab, int n_ranks,
                              trm_train_plan *plan) {
  trm_status status = TRM_OK;
  trm_params *params = NULL;
  trm_model *model = NULL;
  trm_optimizer *optimizer = NULL;
  const int n_shares = trm_config_bool(config, "optimizer.sharded") ? n_ranks : 1;
  TRM_TRY_OUT(trm_params_create(&params));
  TRM_TRY_OUT(trm_model_create(config, vocab, params, &model));
  TRM_TRY_OUT(trm_optimizer_create_share(config, params, 0, n_shares, &optimizer));
  TRM_TRY_OUT(plan_activations(config, model, params, &plan->activations_bytes));
  const trm_stripes stripes = trm_optimizer_stripes(optimizer);
  const int64_t array_bytes = params->n_elements * (int64_t)sizeof(trm_real);
  const int64_t share_bytes =
      trm_stripes_before(&stripes, 0, params->n_elements) * (int64_t)sizeof(trm_real);
  const int n_states = trm_optimizer_n_states(optimizer);
  plan->n_weights = params->n_weights;
  plan->weights_bytes = array_bytes;
  plan->gradients_bytes = array_bytes * gradient_arrays(config, n_ranks);
  plan->optimizer_bytes = share_bytes * n_states;
  plan->checkpoint_bytes = array_bytes * (1 + n_states);
out:
  trm_optimizer_destroy(&optimizer);
  trm_model_destroy(&model);
  trm_params_destroy(&params);
  return status;
}

/* ---- what training would refuse ------------------------------------------------------------- */

static trm_status check_ranks(const trm_config *config, int n_ranks) {
  const int64_t n_blocks = trm_config_int(config, "batch.blocks");
  if (n_ranks <= n_blocks) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%d ranks are more than the %" PRId64 " blocks of a batch; set batch.blocks (and "
                  "batch.size) to at least %d, or start fewer ranks",
                  n_ranks, n_blocks, n_ranks);
}

/* A run that would be overwritten. */
static trm_status check_run_dir(const trm_config *config, bool resume) {
  trm_rundir dir;
  bool has = false;
  TRM_TRY(trm_rundir_paths(trm_config_string(config, "run.dir"), &dir));
  if (!resume) TRM_TRY(trm_rundir_has_checkpoints(&dir, &has));
  if (!has) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "%s already holds a run; give --resume to go on with it, or another run.dir",
                  dir.root);
}

static trm_status check_evaluation(const trm_config *config, const trm_dataset *dataset) {
  const int64_t T = trm_config_int(config, "model.context");
  const bool evaluates =
      trm_config_int(config, "eval.every") > 0 || trm_config_bool(config, "eval.at_end");
  if (!evaluates || trm_dataset_eval_samples(dataset, TRM_SPLIT_VALID, T) > 0) return TRM_OK;
  return trm_fail(TRM_ERR_DATA,
                  "%s: the valid split has fewer than 2 tokens, nothing to evaluate; prepare it "
                  "with a larger --valid-share, or set eval.every to 0 and eval.at_end to false",
                  trm_dataset_path(dataset));
}

/* A run that goes on keeps the length its cosine began with, which is in its checkpoint. */
static trm_status resolve_decay(trm_config *config, bool resume) {
  char text[64];
  if (resume || trm_config_int(config, "schedule.decay_steps") != 0) return TRM_OK;
  (void)snprintf(text, sizeof text, "schedule.decay_steps=%" PRId64,
                 trm_config_int(config, "train.steps"));
  return trm_config_set(config, text);
}

trm_status trm_train_check(trm_config *config, int n_ranks, bool resume, trm_train_plan *plan) {
  trm_dataset *dataset = NULL;
  *plan = (trm_train_plan){0};
  TRM_TRY(trm_train_resolve(config));
  TRM_TRY(resolve_decay(config, resume));
  TRM_TRY(trm_gemm_select(trm_config_string(config, "math.gemm")));
  TRM_TRY(check_ranks(config, n_ranks));
  trm_status status = trm_train_open_data(config, &dataset);
  if (status == TRM_OK) status = check_evaluation(config, dataset);
  if (status == TRM_OK) status = plan_memory(config, trm_dataset_vocab(dataset), n_ranks, plan);
  if (status == TRM_OK) status = check_run_dir(config, resume);
  if (status == TRM_OK) {
    const int64_t T = trm_config_int(config, "model.context");
    const int64_t batch = trm_config_int(config, "batch.size");
    plan->vocab = trm_dataset_vocab(dataset);
    plan->tokens_a_step = batch * T;
    plan->steps_an_epoch = (double)trm_dataset_epoch_samples(dataset, T) / (double)batch;
  }
  trm_dataset_close(&dataset);
  return status;
}
