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
    INT("data.split", "0", 0, 1000000, "", true,
        "Graphs: which of the data set's splits; sets of graphs: which fold is the test part."),
    BOOL("data.hold_out", "true", true,
         "Sets of graphs: the fold after the test fold is for validation, not for training."),
    CHOICE(
        "data.storage", "shared", "replicated|shared|partitioned", false,
        "Graphs: a copy in every rank, one on every host, or structure once on every host and each "
        "rank its own features."),
    CHOICE("data.partition", "contiguous", "contiguous|metis", true,
           "Graphs: how nodes are put in order before they are cut into batch.blocks parts."),
    INT("data.halo_cache_mib", "64", 0, 1048576, "MiB", false,
        "Partitioned storage: features of other ranks' nodes kept by each rank."),

    CHOICE("model.kind", "decoder", "decoder|gcn|sage|gat|gin|mlp|lightgcn", true,
           "Family; decoder is the pre-norm GPT, the others work on graphs."),
    INT("model.layers", "4", 1, 1024, "", true,
        "Transformer blocks, or layers of message passing, one on the other."),
    INT("model.heads", "4", 1, 1024, "", true,
        "decoder, gat: attention heads; must divide model.width."),
    INT("model.width", "128", 1, 65536, "", true,
        "Length of a token's or node's vector between layers (gat: of all heads together)."),
    INT("model.context", "64", 1, 1048576, "tokens", true,
        "Length of a sequence: how far back attention looks."),
    INT("model.ff_width", "0", 0, 1048576, "", true,
        "Hidden width of the feed-forward part; 0: four times model.width, graphs: twice."),
    REAL("model.dropout", "0.0", 0, 0.99, "", true,
         "Probability that an activation is dropped while training."),
    BOOL("model.tied", "false", true, "The output matrix is the input embedding."),
    BOOL("model.bias", "true", true,
         "Linear layers and norms have biases; batch norm always does."),
    CHOICE("model.positions", "learned", "learned|sinusoidal", true,
           "How a token knows its place: a trained table or fixed waves."),
    CHOICE("model.activation", "gelu", "gelu|relu|elu", true,
           "Non-linearity of the feed-forward part, and between the layers of graph models."),
    REAL("model.input_dropout", "-1", -1, 0.99, "", true,
         "Graphs: probability that an input feature is dropped; -1: as model.dropout."),
    REAL("model.attention_dropout", "0.0", 0, 0.99, "", true,
         "gat: probability that an attention weight is dropped."),
    REAL("model.drop_edge", "0.0", 0, 0.99, "", true,
         "Graphs: probability that an edge is left out of a training step (DropEdge)."),
    CHOICE("model.block", "plain", "plain|residual", true,
           "Graphs: bare layers as in the papers, or pre-norm residual blocks with a linear layer "
           "before and after them."),
    BOOL("model.feed_forward", "false", true,
         "Graphs: a feed-forward part after the aggregation of a residual block (gin: always)."),
    CHOICE("model.norm", "none", "none|layer|batch", true,
           "Graphs: normalisation in each layer (gin: also inside its MLPs). batch: over the rows "
           "of a "
           "block (batch.blocks)."),
    CHOICE(
        "model.jumping", "last", "last|concat|max", true,
        "Graphs: the output layer sees the last layer, all of them, or their maximum; gin with a "
        "readout sees all in plain blocks."),
    CHOICE("model.aggregator", "mean", "mean|max|sum", true, "sage: how neighbours are summed up."),
    INT("model.out_heads", "1", 1, 1024, "", true, "gat: heads of the output layer, averaged."),
    BOOL("model.self_loops", "true", true, "gcn, gat: every node is its own neighbour too."),
    BOOL("model.eps_trained", "false", true, "gin: the weight of a node's own vector is trained."),
    CHOICE("model.readout", "none", "none|sum|mean|max", true,
           "Sets of graphs: how the nodes' vectors become the graph's."),

    CHOICE("sampler.kind", "full", "full|neighbor|cluster", true,
           "Graphs: a step works on the whole graph, on sampled neighbours of its seeds, or on the "
           "graph within some clusters."),
    TEXT("sampler.fanout", "10", true,
         "Neighbours drawn for a node in each layer, from the seeds back: '15,10', or one number "
         "for all layers; -1: all."),
    BOOL("sampler.replace", "false", true, "Neighbours are drawn with replacement."),
    INT("sampler.threads", "0", 0, 64, "", false,
        "Threads of a rank that cut batches out ahead; 0: one for every four that compute."),
    INT("sampler.clusters", "0", 0, 1048576, "", true,
        "cluster: parts the graph is cut into; batch.size of them make a step."),

    INT("batch.size", "12", 1, 1048576, "samples", true,
        "Sequences, seeds, graphs, interactions or clusters of a step on all ranks; whole graphs: "
        "not "
        "used."),
    INT("batch.blocks", "0", 0, 1048576, "", true,
        "Units of work and of summation the batch is cut into; at least the number of ranks. 0: "
        "chosen from the configuration alone."),

    INT("train.steps", "2000", 1, MAX_STEPS, "steps", false, "Updates of the weights in all."),
    REAL("train.epochs", "0", 0, 1e9, "epochs", false,
         "Instead of train.steps: passes over the training samples; 0: train.steps counts."),
    INT("train.patience", "0", 0, MAX_STEPS, "steps", true,
        "End when the last best evaluation is so many steps back; 0: never."),
    REAL("train.time_budget_s", "0", 0, NO_LIMIT, "s", false,
         "Stop with a checkpoint and exit code 75 after so long; 0: no limit."),

    CHOICE(
        "optimizer.name", "adamw", "adamw|adam|sgd", true,
        "Update rule: AdamW, Adam (weight decay is part of the gradient), or stochastic gradient "
        "descent with momentum."),
    REAL("optimizer.lr", "1e-3", 0, NO_LIMIT, "", true, "Learning rate at its highest."),
    REAL("optimizer.beta1", "0.9", 0, BELOW_ONE, "", true, "AdamW: decay of the gradient's mean."),
    REAL("optimizer.beta2", "0.99", 0, BELOW_ONE, "", true,
         "AdamW: decay of the squared gradient's mean."),
    REAL("optimizer.eps", "1e-8", 1e-30, 1, "", true,
         "AdamW: keeps the step finite where gradients vanish."),
    REAL("optimizer.weight_decay", "0.1", 0, NO_LIMIT, "", true,
         "Pull of matrices towards zero, times the learning rate; biases and norms have none."),
    CHOICE("optimizer.decay_scope", "all", "all|first", true,
           "Graphs: layers whose matrices decay; the vectors of lightgcn never do."),
    REAL("optimizer.l2", "0", 0, NO_LIMIT, "", true,
         "lightgcn: penalty on the vectors of a batch's users and items."),
    REAL("optimizer.momentum", "0.9", 0, BELOW_ONE, "", true,
         "SGD: share of the last update kept."),
    BOOL("optimizer.nesterov", "false", true, "SGD: gradient looked up one step ahead."),
    REAL("optimizer.clip_norm", "1.0", 0, NO_LIMIT, "", true,
         "Longer gradients are scaled down to this norm; 0: off."),
    BOOL("optimizer.sharded", "false", false,
         "Each rank keeps and updates only its share of the optimizer's state: the same bits, less "
         "memory."),

    CHOICE("schedule.name", "cosine", "constant|cosine|step", true,
           "Learning rate over the steps, after the warm-up."),
    INT("schedule.warmup_steps", "100", 0, MAX_STEPS, "steps", true,
        "The learning rate rises linearly over so many steps."),
    INT("schedule.decay_steps", "0", 0, MAX_STEPS, "steps", true,
        "Step at which the cosine reaches schedule.min_lr; 0: train.steps."),
    INT("schedule.step_every", "0", 0, MAX_STEPS, "steps", true,
        "step: the learning rate is halved every so many steps."),
    REAL("schedule.min_lr", "1e-4", 0, NO_LIMIT, "", true, "Learning rate the cosine ends at."),

    INT("eval.every", "200", 0, MAX_STEPS, "steps", false,
        "Exact loss of the whole validation part (interactions: test part) every so many steps; 0: "
        "never."),
    BOOL("eval.at_end", "true", false, "Also after the last step."),
    CHOICE("eval.select", "auto", "auto|loss|accuracy|macro_f1|auc|recall|ndcg", false,
           "What makes an evaluation the best; auto: loss of text, accuracy of nodes and graphs, "
           "recall "
           "of interactions (there on the test part)."),
    INT("eval.top_k", "20", 1, 1000, "", false, "Interactions: items recommended to each user."),

    INT("checkpoint.every", "200", 0, MAX_STEPS, "steps", false,
        "Save every so many steps; 0: only at the end and when stopped."),
    INT("checkpoint.keep", "2", 1, 1000, "", false,
        "Newest checkpoints kept; the best one is kept besides."),
    BOOL("checkpoint.initial", "true", false, "Also save the initial weights, as step 0."),

    INT("log.every", "10", 1, MAX_STEPS, "steps", false,
        "A row in metrics.csv every so many steps."),
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
        "Compare the weights of all ranks every so many steps, and whenever they are saved; 0: "
        "only then."),

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
