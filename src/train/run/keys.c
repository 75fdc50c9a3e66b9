/* Keys of a run itself, and the list of all who bring keys. */
#include "trireme/train/keys.h"

#include "average.h"
#include "best_kept.h"
#include "early_stop.h"
#include "task.h"
#include "trireme/comm/reducer.h"
#include "trireme/math/gemm.h"
#include "trireme/model/model.h"
#include "trireme/optim/optim.h"
#include "words.h"

static const trm_config_key keys[] = {
    TRM_KEY_PATH("run.dir", "", TRM_NAMES_PLACE,
                 "Folder the run writes to; empty: runs/<name of the file>."),
    TRM_KEY_INT("run.seed", "1", 0, 9007199254740992.0, "", TRM_ON_RESULT,
                "Fixes initial weights, sample order and dropout."),

    TRM_KEY_PATH(
        "data.path", NULL, TRM_NAMES_PLACE,
        "Data set made by 'trireme prepare'; a resumed run compares its digest, not its path."),

    TRM_KEY_INT(
        "batch.blocks", "0", 0, 1048576, "", TRM_ON_RESULT,
        "Units of work and of summation the batch is cut into; at least the number of ranks. "
        "0: chosen from the configuration alone."),

    TRM_KEY_INT("train.steps", "2000", 1, TRM_MAX_STEPS, "steps", TRM_NO_EFFECT,
                "Updates of the weights in all."),
    TRM_KEY_REAL(
        "train.epochs", "0", 0, 1e9, "epochs", TRM_NO_EFFECT,
        "Instead of train.steps: passes over the training samples; 0: train.steps counts."),
    TRM_KEY_PATH(
        "train.init_from", "", TRM_ON_RESULT,
        "Run (its newest checkpoint) or checkpoint whose weights the run begins with, where "
        "names and shapes fit; resumed runs have their own."),
    TRM_KEY_TEXT("train.init_new", "", TRM_ON_RESULT,
                 "With train.init_from: parameters that are made anew, as \"head/*, wte/*\"."),
    TRM_KEY_REAL("train.time_budget_s", "0", 0, TRM_NO_LIMIT, "s", TRM_NO_EFFECT,
                 "Stop with a checkpoint and exit code 75 after so long; 0: no limit."),

    TRM_KEY_BOOL(
        "optimizer.sharded", "false", TRM_NO_EFFECT,
        "Each rank keeps and updates only its share of the optimizer's state: the same bits, "
        "less memory."),

    TRM_KEY_INT("eval.every", "200", 0, TRM_MAX_STEPS, "steps", TRM_NO_EFFECT,
                "Exact loss of the whole validation part (interactions: test part) every so many "
                "steps; 0: never."),
    TRM_KEY_BOOL("eval.at_end", "true", TRM_NO_EFFECT, "Also after the last step."),

    TRM_KEY_INT("checkpoint.every", "200", 0, TRM_MAX_STEPS, "steps", TRM_NO_EFFECT,
                "Save every so many steps; 0: only at the end and when stopped."),
    TRM_KEY_INT("checkpoint.keep", "2", 1, 1000, "", TRM_NO_EFFECT,
                "Newest checkpoints kept; the best one is kept besides."),
    TRM_KEY_INT("checkpoint.keep_best", "1", 1, TRM_BEST_LIST_MOST, "", TRM_NO_EFFECT,
                "Checkpoints of the best evaluations kept besides; 1: best.h5 alone."),
    TRM_KEY_INT("checkpoint.failures", "2", 0, 1000, "", TRM_NO_EFFECT,
                "Checkpoints in a row that may fail to be written with a warning, while an older "
                "one is there; 0: none."),
    TRM_KEY_BOOL("checkpoint.initial", "true", TRM_NO_EFFECT,
                 "Also save the initial weights, as step 0."),

    TRM_KEY_INT("log.every", "10", 1, TRM_MAX_STEPS, "steps", TRM_NO_EFFECT,
                "A row in metrics.csv every so many steps."),
    TRM_KEY_INT("log.norms", "0", 0, TRM_MAX_STEPS, "steps", TRM_NO_EFFECT,
                "Norms of each parameter's weights and gradient go to norms.csv every so many "
                "steps; 0: never."),
    TRM_KEY_BOOL("log.samples", "false", TRM_NO_EFFECT,
                 "Write the sample ids of every step to samples.csv."),
    TRM_KEY_BOOL("log.report", "true", TRM_NO_EFFECT,
                 "Keep what a report shows besides numbers, and write report.html at the end."),
    TRM_KEY_BOOL("log.tensorboard", "true", TRM_NO_EFFECT, "Also write a TensorBoard event file."),

    TRM_KEY_INT("comm.bucket_kib", "1024", 0, 2097152, "KiB", TRM_NO_EFFECT,
                "Gradients are reduced in pieces of this size; 0: all in one."),
    TRM_KEY_CHOICE(
        "comm.progress", "poll", "poll|thread|none", TRM_NO_EFFECT,
        "Who drives messages during the backward pass: polls between layers, a thread, or "
        "nobody."),
    TRM_KEY_BOOL("comm.shared_window", "true", TRM_NO_EFFECT,
                 "Ranks of one host reduce through shared memory."),
    TRM_KEY_REAL("comm.deadline_s", "60", 0, TRM_NO_LIMIT, "s", TRM_NO_EFFECT,
                 "A rank that gives no sign of life for so long ends the run, and is named; 0: "
                 "never."),

    TRM_KEY_INT(
        "check.every", "100", 0, TRM_MAX_STEPS, "steps", TRM_NO_EFFECT,
        "Compare the weights of all ranks every so many steps, and whenever they are saved; 0: "
        "only then."),

    TRM_KEY_INT("debug.flip_step", "0", 0, TRM_MAX_STEPS, "steps", TRM_NO_EFFECT,
                "Flip a bit in a rank's weights after this step, for tests; 0: never."),
    TRM_KEY_TEXT(
        "debug.fault", "", TRM_NO_EFFECT,
        "A rank sends itself a signal, for tests: rank, signal, step and phase, as \"1 9 12 "
        "evaluation\"; signal 0: it is slow."),
    TRM_KEY_INT("debug.flip_rank", "0", 0, 1048576, "", TRM_NO_EFFECT,
                "The rank whose bit is flipped."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);
static const trm_config_part part = {.rows = {&rows, &trm_early_stop_keys}};

void trm_program_parts(trm_config_parts *parts) {
  *parts = (trm_config_parts){
      .groups =
          "run data model sampler batch loss adversarial train optimizer params schedule average "
          "eval checkpoint log comm check debug math",
      .list = "groups",
      .list_key = "params.rules"};
  parts->words = trm_foreign_words(&parts->n_words);
  trm_config_parts_add(parts, &part);
  trm_model_parts(parts);
  trm_task_parts(parts);
  trm_optim_parts(parts);
  trm_average_parts(parts);
  trm_reducer_parts(parts);
  trm_gemm_parts(parts);
}

trm_status trm_program_config(trm_config **out) {
  trm_config_parts parts;
  trm_program_parts(&parts);
  return trm_config_create(&parts, out);
}
