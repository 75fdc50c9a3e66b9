/** A small program's keys for the tests of the configuration: parts that keys and facts choose. */
#ifndef TRIREME_TESTS_CONFIG_FIXTURE_H
#define TRIREME_TESTS_CONFIG_FIXTURE_H

#include "check.h"
#include "trireme/core/config.h"

static const trm_config_key fixture_run[] = {
    TRM_KEY_TEXT("run.dir", "", TRM_NAMES_PLACE, "Folder."),
    TRM_KEY_INT("run.seed", "1", 0, 9007199254740992.0, "", TRM_ON_RESULT, "Seed."),
    TRM_KEY_TEXT("data.path", NULL, TRM_NAMES_PLACE, "Data set."),
    TRM_KEY_SELECTOR("model.kind", "decoder", TRM_ON_MODEL, "Family."),
    TRM_KEY_SELECTOR("optimizer.name", "adamw", TRM_ON_RESULT, "Update rule."),
    TRM_KEY_REAL("optimizer.lr", "1e-3", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT, "Learning rate."),
    TRM_KEY_REAL("optimizer.weight_decay", "0.1", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT, "Decay."),
    TRM_KEY_REAL("optimizer.clip_norm", "1.0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT, "Clipping."),
    TRM_KEY_CHOICE("schedule.name", "cosine", "constant|cosine", TRM_ON_RESULT, "Schedule."),
    TRM_KEY_INT("batch.blocks", "0", 0, 1048576, "", TRM_ON_RESULT, "Blocks."),
    TRM_KEY_INT("train.steps", "2000", 1, TRM_MAX_STEPS, "steps", TRM_NO_EFFECT, "Steps."),
};
static const trm_config_key fixture_adam[] = {
    TRM_KEY_REAL("optimizer.beta2", "0.99", 0, TRM_BELOW_ONE, "", TRM_ON_RESULT, "Second mean."),
    TRM_KEY_REAL("optimizer.eps", "1e-8", 1e-30, 1, "", TRM_ON_RESULT, "Keeps steps finite."),
};
static const trm_config_key fixture_sgd[] = {
    TRM_KEY_BOOL("optimizer.nesterov", "false", TRM_ON_RESULT, "Looked up ahead."),
};
static const trm_config_key fixture_decoder[] = {
    TRM_KEY_INT("model.layers", "4", 1, 1024, "", TRM_ON_MODEL, "Blocks."),
    TRM_KEY_INT("model.heads", "4", 1, 1024, "", TRM_ON_MODEL, "Heads."),
    TRM_KEY_REAL("model.dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT, "Dropout."),
    TRM_KEY_BOOL("model.tied", "false", TRM_ON_MODEL, "Tied."),
    TRM_KEY_BOOL("model.bias", "true", TRM_ON_MODEL, "Biases."),
    TRM_KEY_CHOICE("model.positions", "learned", "learned|sinusoidal", TRM_ON_MODEL, "Places."),
    TRM_KEY_CHOICE("model.activation", "gelu", "gelu|relu", TRM_ON_MODEL, "Non-linearity."),
};
static const trm_config_key fixture_gcn[] = {
    TRM_KEY_INT("model.layers", "2", 1, 16, "", TRM_ON_MODEL, "Layers."),
    TRM_KEY_CHOICE("model.activation", "relu", "gelu|relu|elu", TRM_ON_MODEL, "Non-linearity."),
    TRM_KEY_CHOICE("model.block", "plain", "plain|residual", TRM_ON_MODEL, "Blocks."),
};
static const trm_config_key fixture_residual[] = {
    TRM_KEY_BOOL("model.feed_forward", "false", TRM_ON_MODEL, "Feed-forward part."),
};
static const trm_config_key fixture_text[] = {
    TRM_KEY_INT("batch.size", "12", 1, 1048576, "samples", TRM_ON_RESULT, "Sequences."),
};
static const trm_config_key fixture_graph[] = {
    TRM_KEY_CHOICE("sampler.kind", "full", "full|neighbor", TRM_ON_RESULT, "Sampling."),
};
static const trm_config_key fixture_neighbor[] = {
    TRM_KEY_INT("batch.size", "32", 1, 1024, "samples", TRM_ON_RESULT, "Seeds."),
};

#define FIXTURE_ROWS(name)                                                                         \
  static const trm_config_rows rows_##name = TRM_CONFIG_ROWS(fixture_##name)
FIXTURE_ROWS(run);
FIXTURE_ROWS(adam);
FIXTURE_ROWS(sgd);
FIXTURE_ROWS(decoder);
FIXTURE_ROWS(gcn);
FIXTURE_ROWS(residual);
FIXTURE_ROWS(text);
FIXTURE_ROWS(graph);
FIXTURE_ROWS(neighbor);

static const trm_config_part fixture_parts_list[] = {
    {.rows = {&rows_run}},
    {.selector = "model.kind", .name = "decoder", .rows = {&rows_decoder}},
    {.selector = "model.kind", .name = "gcn", .rows = {&rows_gcn}},
    {.selector = "model.block", .name = "residual", .rows = {&rows_residual}},
    {.selector = "optimizer.name", .name = "adamw", .rows = {&rows_adam}},
    {.selector = "optimizer.name", .name = "adam", .rows = {&rows_adam}},
    {.selector = "optimizer.name", .name = "sgd", .rows = {&rows_sgd}},
    {.selector = "data", .name = "text", .label = "data of kind text", .rows = {&rows_text}},
    {.selector = "data", .name = "graph", .label = "data of kind graph", .rows = {&rows_graph}},
    {.selector = "sampler.kind", .name = "neighbor", .rows = {&rows_neighbor}},
};

static inline trm_config_parts fixture_parts(void) {
  trm_config_parts parts = {.groups = "run data model sampler batch train optimizer schedule",
                            .list = "lists",
                            .list_key = "run.dir"};
  for (size_t i = 0; i < sizeof fixture_parts_list / sizeof *fixture_parts_list; ++i) {
    trm_config_parts_add(&parts, &fixture_parts_list[i]);
  }
  return parts;
}

static inline trm_config *fixture_config(void) {
  const trm_config_parts parts = fixture_parts();
  trm_config *config = NULL;
  CHECK_OK(trm_config_create(&parts, &config));
  return config;
}

#endif
