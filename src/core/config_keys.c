/* The table of configuration keys. Order here is the order in the help and in config.yaml. */
#include <float.h>

#include "trireme/core/config.h"

#define MAX_STEPS 1099511627776.0 /* 2^40 */
#define NO_LIMIT DBL_MAX
#define BELOW_ONE 0.9999999

#define INT(name, fallback, min, max, unit, affects, help)                                         \
  { name, TRM_CONFIG_INT, fallback, min, max, NULL, unit, affects, help }
#define REAL(name, fallback, min, max, unit, affects, help)                                        \
  { name, TRM_CONFIG_REAL, fallback, min, max, NULL, unit, affects, help }
#define BOOL(name, fallback, affects, help)                                                        \
  { name, TRM_CONFIG_BOOL, fallback, 0, 0, NULL, "", affects, help }
#define TEXT(name, fallback, affects, help)                                                        \
  { name, TRM_CONFIG_STRING, fallback, 0, 0, NULL, "", affects, help }
#define CHOICE(name, fallback, choices, affects, help)                                             \
  { name, TRM_CONFIG_CHOICE, fallback, 0, 0, choices, "", affects, help }

static const trm_config_key keys[] = {
    TEXT("run.dir", "", false, "Folder the run writes to; empty: runs/<name of the file>."),
    INT("run.seed", "1", 0, 9007199254740992.0, "", true,
        "Fixes initial weights, sample order and dropout."),

    TEXT("data.path", NULL, false,
         "Data set made by 'trireme prepare'; a resumed run compares its digest, not its path."),

    CHOICE("model.kind", "decoder", "decoder", true, "Family; decoder is the pre-norm GPT."),
    INT("model.layers", "4", 1, 1024, "", true, "Transformer blocks, one on the other."),
    INT("model.heads", "4", 1, 1024, "", true, "Attention heads; must divide model.width."),
    INT("model.width", "128", 1, 65536, "", true, "Length of a token's vector between layers."),
    INT("model.context", "64", 1, 1048576, "tokens", true,
        "Length of a sequence: how far back attention looks."),
    INT("model.ff_width", "0", 0, 1048576, "", true,
        "Hidden width of the feed-forward part; 0: four times model.width."),
    REAL("model.dropout", "0.0", 0, 0.99, "", true,
         "Probability that an activation is dropped while training."),
    BOOL("model.tied", "false", true, "The output matrix is the input embedding."),
    BOOL("model.bias", "true", true, "Linear layers and norms have biases."),
    CHOICE("model.positions", "learned", "learned|sinusoidal", true,
           "How a token knows its place: a trained table or fixed waves."),
    CHOICE("model.activation", "gelu", "gelu|relu", true,
           "Non-linearity of the feed-forward part."),

    INT("batch.size", "12", 1, 1048576, "sequences", true,
        "Sequences in the global batch of a step, shared out among all ranks."),
    INT("batch.blocks", "0", 0, 1048576, "", true,
        "Units of work and of summation the batch is cut into; at least the number of ranks. 0: "
        "chosen from the configuration alone."),

    INT("train.steps", "2000", 1, MAX_STEPS, "steps", false, "Updates of the weights in all."),
    REAL("train.time_budget_s", "0", 0, NO_LIMIT, "s", false,
         "Stop with a checkpoint and exit code 75 after so long; 0: no limit."),

    CHOICE("optimizer.name", "adamw", "adamw|sgd", true,
           "Update rule: AdamW, or stochastic gradient descent with momentum."),
    REAL("optimizer.lr", "1e-3", 0, NO_LIMIT, "", true, "Learning rate at its highest."),
    REAL("optimizer.beta1", "0.9", 0, BELOW_ONE, "", true, "AdamW: decay of the gradient's mean."),
    REAL("optimizer.beta2", "0.99", 0, BELOW_ONE, "", true,
         "AdamW: decay of the squared gradient's mean."),
    REAL("optimizer.eps", "1e-8", 1e-30, 1, "", true,
         "AdamW: keeps the step finite where gradients vanish."),
    REAL("optimizer.weight_decay", "0.1", 0, NO_LIMIT, "", true,
         "Pull of matrices towards zero, times the learning rate; biases and norms have none."),
    REAL("optimizer.momentum", "0.9", 0, BELOW_ONE, "", true,
         "SGD: share of the last update kept."),
    BOOL("optimizer.nesterov", "false", true, "SGD: gradient looked up one step ahead."),
    REAL("optimizer.clip_norm", "1.0", 0, NO_LIMIT, "", true,
         "Longer gradients are scaled down to this norm; 0: off."),
    BOOL("optimizer.sharded", "false", false,
         "Each rank keeps and updates only its share of the optimizer's state: the same bits, less "
         "memory."),

    CHOICE("schedule.name", "cosine", "constant|cosine", true,
           "Learning rate over the steps, after the warm-up."),
    INT("schedule.warmup_steps", "100", 0, MAX_STEPS, "steps", true,
        "The learning rate rises linearly over so many steps."),
    INT("schedule.decay_steps", "0", 0, MAX_STEPS, "steps", true,
        "Step at which the cosine reaches schedule.min_lr; 0: train.steps."),
    REAL("schedule.min_lr", "1e-4", 0, NO_LIMIT, "", true, "Learning rate the cosine ends at."),

    INT("eval.every", "200", 0, MAX_STEPS, "steps", false,
        "Exact loss of the whole validation split so often; 0: never."),
    BOOL("eval.at_end", "true", false, "Also after the last step."),

    INT("checkpoint.every", "200", 0, MAX_STEPS, "steps", false,
        "Save so often; 0: only at the end and when stopped."),
    INT("checkpoint.keep", "2", 1, 1000, "", false,
        "Newest checkpoints kept; the best one is kept besides."),
    BOOL("checkpoint.initial", "true", false, "Also save the initial weights, as step 0."),

    INT("log.every", "10", 1, MAX_STEPS, "steps", false, "A row in metrics.csv so often."),
    BOOL("log.samples", "false", false, "Write the sample ids of every step to samples.csv."),
    BOOL("log.tensorboard", "true", false, "Also write a TensorBoard event file."),

    CHOICE("comm.allreduce", "canonical", "ring|canonical", true,
           "Summation of gradients: the ring's order depends on the number of ranks, the canonical "
           "one never."),
    INT("comm.bucket_kib", "1024", 0, 2097152, "KiB", false,
        "Gradients are reduced in pieces of this size; 0: all in one."),
    CHOICE("comm.progress", "poll", "poll|thread|none", false,
           "Who drives messages during the backward pass: polls between layers, a thread, or "
           "nobody."),
    BOOL("comm.shared_window", "true", false, "Ranks of one host reduce through shared memory."),
    REAL("comm.deadline_s", "300", 0, NO_LIMIT, "s", false,
         "A wait for another rank that lasts longer ends the run; 0: none."),

    INT("check.every", "100", 0, MAX_STEPS, "steps", false,
        "Compare the weights of all ranks so often, and whenever they are saved; 0: only then."),

    INT("debug.flip_step", "0", 0, MAX_STEPS, "steps", false,
        "Flip a bit in a rank's weights after this step, for tests; 0: never."),
    INT("debug.flip_rank", "0", 0, 1048576, "", false, "The rank whose bit is flipped."),

    CHOICE("math.gemm", "openblas", "openblas|reference", true,
           "Library for matrix products; reference is slow and plain."),
};

const trm_config_key *trm_config_keys(int *n_keys) {
  *n_keys = (int)(sizeof keys / sizeof keys[0]);
  return keys;
}
