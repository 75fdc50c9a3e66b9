/*
 * The program's keys: each one's form, and, against a list written by hand, which of them change the
 * trained bits and who reads them.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trireme/core/memory.h"
#include "trireme/train/keys.h"

/* What a resumed run must have alike, by hand: a key, a value that is not its default, the settings
 * in which it has an effect, the kind of data set, whether it changes the trained bits. */
typedef struct row {
  const char *key, *value, *with, *data;
  bool counts;
} row;

static const row rows[] = {
    {"run.dir", "x", "", "text", false},
    {"run.seed", "2", "", "text", true},
    {"data.path", "x", "", "text", false},
    {"data.split", "1", "model.kind=gcn", "graph", true},
    {"data.folds", "5", "model.kind=gcn", "graph", true},
    {"data.folds", "5", "", "text", true},
    {"data.fold", "1", "", "text", true},
    {"data.train_share", "0.5", "", "text", true},
    {"data.folds", "5", "model.kind=encoder", "samples", true},
    {"data.fold", "1", "model.kind=gin", "graphs", true},
    {"data.train_share", "0.5", "model.kind=mlp", "samples", true},
    {"data.part_seed", "2", "model.kind=gcn", "graph", true},
    {"data.bootstrap", "3", "model.kind=mlp", "samples", true},
    {"data.bootstrap", "3", "model.kind=gin", "graphs", true},
    {"eval.test", "false", "model.kind=gcn", "graph", false},
    {"data.hold_out", "false", "model.kind=gin", "graphs", true},
    {"data.storage", "replicated", "model.kind=lightgcn", "interactions", false},
    {"data.partition", "metis", "model.kind=gcn", "graph", true},
    {"data.halo_cache_mib", "1", "model.kind=gcn data.storage=partitioned sampler.kind=neighbor",
     "graph", false},
    {"data.halo_cache_mib", "1", "model.kind=gcn data.storage=partitioned sampler.kind=cluster",
     "graph", false},
    {"model.kind", "mlp", "model.kind=gcn", "graph", true},
    {"model.layers", "3", "", "text", true},
    {"model.layers", "3", "model.kind=lightgcn", "interactions", true},
    {"model.heads", "8", "", "text", true},
    {"model.heads", "8", "model.kind=gat", "graph", true},
    {"model.width", "64", "model.kind=sage", "graph", true},
    {"model.context", "65", "", "text", true},
    {"model.ff_width", "7", "", "text", true},
    {"model.ff_width", "7", "model.kind=gcn model.block=residual model.feed_forward=true", "graph",
     true},
    {"model.ff_width", "7", "model.kind=gin model.block=residual", "graph", true},
    {"model.dropout", "0.5", "", "text", true},
    {"model.tied", "true", "", "text", true},
    {"model.bias", "false", "", "text", true},
    {"model.positions", "sinusoidal", "", "text", true},
    {"model.activation", "relu", "", "text", true},
    {"model.activation", "elu", "model.kind=mlp", "graph", true},
    {"model.input_dropout", "0.5", "model.kind=gcn", "graph", true},
    {"model.init", "xavier", "", "text", true},
    {"model.pooling", "max", "model.kind=encoder", "samples", true},
    {"model.decoder_layers", "3", "model.kind=seq2seq", "samples", true},
    {"model.widths", "64", "model.kind=mlp", "samples", true},
    {"model.widths", "64", "model.kind=cnn", "samples", true},
    {"model.levels", "embedded", "model.kind=mlp", "samples", true},
    {"model.level_width", "3", "model.kind=mlp model.levels=embedded", "samples", true},
    {"model.input_dropout", "0.5", "model.kind=mlp", "samples", true},
    {"model.channels", "8", "model.kind=cnn", "samples", true},
    {"model.convs", "2", "model.kind=cnn", "samples", true},
    {"model.kernel", "5", "model.kind=cnn", "samples", true},
    {"model.padding", "valid", "model.kind=cnn", "samples", true},
    {"model.pool", "mean", "model.kind=cnn", "samples", true},
    {"model.readout", "max", "model.kind=cnn", "samples", true},
    {"model.pool_behind", "first", "model.kind=cnn", "samples", true},
    {"model.residual", "true", "model.kind=cnn", "samples", true},
    {"model.output_scale", "0.1", "model.kind=cnn", "samples", true},
    {"model.stage_dropout", "0.1", "model.kind=cnn", "samples", true},
    {"model.norm", "none", "model.kind=cnn", "samples", true},
    {"model.blocks", "5", "model.kind=resnet", "samples", true},
    {"loss.numbers", "absolute", "model.kind=encoder", "samples", true},
    {"loss.huber_delta", "2", "model.kind=mlp loss.numbers=huber", "samples", true},
    {"data.augment", "drop 0.1", "model.kind=encoder", "samples", true},
    {"model.embeddings", "shared", "model.kind=seq2seq", "samples", true},
    {"loss.label_smoothing", "0.1", "model.kind=encoder", "samples", true},
    {"loss.class_weights", "balanced", "model.kind=encoder", "samples", true},
    {"batch.tokens", "100", "model.kind=encoder", "samples", true},
    {"batch.pool", "3", "model.kind=encoder", "samples", true},
    {"eval.train", "true", "", "text", false},
    {"eval.train", "true", "model.kind=gcn", "graph", false},
    {"eval.train_share", "0.5", "", "text", false},
    {"eval.augment", "drop 0.1", "model.kind=encoder", "samples", false},
    {"eval.views", "2", "model.kind=encoder", "samples", false},
    {"eval.train_share", "0.5", "model.kind=encoder", "samples", false},
    {"eval.test", "false", "model.kind=encoder", "samples", false},
    {"eval.beam", "3", "model.kind=encoder", "samples", false},
    {"eval.length_reward", "2", "model.kind=encoder", "samples", false},
    {"model.attention_dropout", "0.5", "", "text", true},
    {"model.drop_path", "0.5", "", "text", true},
    {"model.drop_path", "0.5", "model.kind=resnet", "samples", true},
    {"model.attention_dropout", "0.5", "model.kind=gat", "graph", true},
    {"model.projected_dropout", "0.5", "model.kind=gat", "graph", true},
    {"model.drop_edge", "0.5", "model.kind=lightgcn", "interactions", true},
    {"model.block", "residual", "model.kind=gat", "graph", true},
    {"model.feed_forward", "true", "model.kind=gat model.block=residual", "graph", true},
    {"model.norm", "layer", "model.kind=gin", "graphs", true},
    {"model.jumping", "max", "model.kind=gcn", "graph", true},
    {"model.aggregator", "max", "model.kind=sage", "graph", true},
    {"model.out_heads", "2", "model.kind=gat", "graph", true},
    {"model.self_loops", "false", "model.kind=gcn", "graph", true},
    {"model.eps_trained", "true", "model.kind=gin", "graphs", true},
    {"model.readout", "sum", "model.kind=gin", "graphs", true},
    {"sampler.kind", "cluster", "model.kind=gcn", "graph", true},
    {"sampler.fanout", "5", "model.kind=gcn sampler.kind=neighbor", "graph", true},
    {"sampler.replace", "true", "model.kind=gcn sampler.kind=neighbor", "graph", true},
    {"sampler.threads", "2", "model.kind=gcn sampler.kind=cluster", "graph", false},
    {"sampler.threads", "2", "model.kind=gin", "graphs", false},
    {"sampler.clusters", "5", "model.kind=gcn sampler.kind=cluster", "graph", true},
    {"batch.size", "13", "", "text", true},
    {"batch.size", "13", "model.kind=gcn sampler.kind=neighbor", "graph", true},
    {"batch.blocks", "5", "", "text", true},
    {"adversarial.method", "freelb", "model.kind=encoder adversarial.method=pgd adversarial.eps=1",
     "samples", true},
    {"adversarial.method", "pgd", "model.kind=gcn adversarial.method=fgsm adversarial.eps=1",
     "graph", true},
    {"adversarial.eps", "0.3", "model.kind=encoder adversarial.method=fgsm adversarial.eps=1",
     "samples", true},
    {"adversarial.eps", "0.3", "model.kind=encoder adversarial.method=freelb adversarial.eps=1",
     "samples", true},
    {"adversarial.norm", "2", "model.kind=encoder adversarial.method=pgd adversarial.eps=1",
     "samples", true},
    {"adversarial.norm", "sup", "model.kind=encoder adversarial.method=freelb adversarial.eps=1",
     "samples", true},
    {"adversarial.start", "random", "model.kind=encoder adversarial.method=fgsm adversarial.eps=1",
     "samples", true},
    {"adversarial.start", "none", "model.kind=gcn adversarial.method=pgd adversarial.eps=1",
     "graph", true},
    {"adversarial.steps", "7", "model.kind=encoder adversarial.method=pgd adversarial.eps=1",
     "samples", true},
    {"adversarial.steps", "7", "model.kind=encoder adversarial.method=freelb adversarial.eps=1",
     "samples", true},
    {"adversarial.step_size", "0.1",
     "model.kind=encoder adversarial.method=trades adversarial.eps=1", "samples", true},
    {"adversarial.beta", "1", "model.kind=encoder adversarial.method=trades adversarial.eps=1",
     "samples", true},
    {"train.steps", "3", "", "text", false},
    {"train.epochs", "3", "", "text", false},
    {"train.patience", "3", "", "text", true},
    {"train.patience_evals", "3", "", "text", true},
    {"train.patience_epochs", "3", "", "text", true},
    {"train.min_delta", "3", "", "text", true},
    {"train.restore_best", "true", "", "text", false},
    {"train.init_from", "runs/x", "", "text", true},
    {"train.init_new", "head/*", "", "text", true},
    {"train.time_budget_s", "3", "", "text", false},
    {"optimizer.name", "sgd", "", "text", true},
    {"optimizer.lr", "0.5", "", "text", true},
    {"optimizer.beta1", "0.5", "", "text", true},
    {"optimizer.beta2", "0.5", "optimizer.name=adam", "text", true},
    {"optimizer.eps", "0.5", "", "text", true},
    {"optimizer.alpha", "0.5", "optimizer.name=rmsprop", "text", true},
    {"optimizer.weight_decay", "0.5", "optimizer.name=sgd", "text", true},
    {"optimizer.decay_scope", "first", "model.kind=gcn", "graph", true},
    {"optimizer.l2", "0.5", "model.kind=lightgcn", "interactions", true},
    {"optimizer.momentum", "0.5", "optimizer.name=sgd", "text", true},
    {"optimizer.nesterov", "true", "optimizer.name=sgd", "text", true},
    {"optimizer.momentum", "0.5", "optimizer.name=muon", "text", true},
    {"optimizer.dampening", "0.5", "optimizer.name=sgd", "text", true},
    {"optimizer.amsgrad", "true", "optimizer.name=adam", "text", true},
    {"optimizer.centered", "true", "optimizer.name=rmsprop", "text", true},
    {"optimizer.eps_inside", "true", "optimizer.name=rmsprop", "text", true},
    {"optimizer.lr_decay", "0.5", "optimizer.name=adagrad", "text", true},
    {"optimizer.eps", "0.5", "optimizer.name=lamb", "text", true},
    {"optimizer.beta1", "0.5", "optimizer.name=lion", "text", true},
    {"optimizer.scale", "rms", "optimizer.name=muon", "text", true},
    {"optimizer.adamw_lr", "0.5", "optimizer.name=muon", "text", true},
    {"optimizer.adamw_beta1", "0.5", "optimizer.name=muon", "text", true},
    {"optimizer.adamw_beta2", "0.5", "optimizer.name=muon", "text", true},
    {"optimizer.adamw_eps", "0.5", "optimizer.name=muon", "text", true},
    {"optimizer.plugin", "y", "optimizer.name=plugin optimizer.plugin=x", "text", false},
    {"optimizer.plugin_settings", "a=1", "optimizer.name=plugin optimizer.plugin=x", "text", true},
    {"schedule.plugin", "y", "schedule.name=plugin schedule.plugin=x", "text", false},
    {"schedule.plugin_settings", "a=1", "schedule.name=plugin schedule.plugin=x", "text", true},
    {"optimizer.clip_norm", "0.5", "", "text", true},
    {"optimizer.gradient_noise", "0.5", "", "text", true},
    {"params.rules", "* lr=2x", "", "text", true},
    {"params.l1", "0.5", "", "text", true},
    {"params.l2", "0.5", "", "text", true},
    {"params.max_norm", "0.5", "", "text", true},
    {"optimizer.sharded", "true", "", "text", false},
    {"schedule.name", "constant", "", "text", true},
    {"schedule.warmup_steps", "5", "", "text", true},
    {"schedule.decay_steps", "5", "", "text", true},
    {"schedule.step_every", "5", "schedule.name=step", "text", true},
    {"schedule.min_lr", "0", "", "text", true},
    {"schedule.gamma", "0.5", "schedule.name=exponential", "text", true},
    {"schedule.warmup_share", "0.5", "", "text", true},
    {"schedule.milestones", "5", "schedule.name=step", "text", true},
    {"schedule.factor", "0.3", "schedule.name=step", "text", true},
    {"schedule.factor", "0.3", "schedule.name=plateau", "text", true},
    {"schedule.power", "0.5", "schedule.name=polynomial", "text", true},
    {"schedule.period", "5", "schedule.name=cosine_restarts", "text", true},
    {"schedule.period_factor", "5", "schedule.name=cosine_restarts", "text", true},
    {"schedule.rise_share", "0.5", "schedule.name=1cycle", "text", true},
    {"schedule.div_factor", "5", "schedule.name=1cycle", "text", true},
    {"schedule.final_div_factor", "5", "schedule.name=1cycle", "text", true},
    {"schedule.cycle_momentum", "on", "schedule.name=1cycle", "text", true},
    {"schedule.max_momentum", "0.5", "schedule.name=1cycle", "text", true},
    {"schedule.base_momentum", "0.5", "schedule.name=1cycle", "text", true},
    {"schedule.decay_share", "0.5", "schedule.name=wsd", "text", true},
    {"schedule.decay_shape", "sqrt", "schedule.name=wsd", "text", true},
    {"schedule.patience", "5", "schedule.name=plateau", "text", true},
    {"schedule.threshold", "0.5", "schedule.name=plateau", "text", true},
    {"schedule.cooldown", "5", "schedule.name=plateau", "text", true},
    {"average.kind", "ema", "", "text", true},
    {"average.every", "5", "average.kind=swa", "text", true},
    {"average.decay", "0.5", "average.kind=ema", "text", true},
    {"average.warmup", "false", "average.kind=ema", "text", true},
    {"average.from", "5", "average.kind=swa", "text", true},
    {"average.batches", "5", "average.kind=swa", "text", true},
    {"eval.every", "5", "", "text", false},
    {"eval.at_end", "false", "", "text", false},
    {"eval.select", "loss", "", "text", false},
    {"eval.select", "auc", "model.kind=gcn", "graph", false},
    {"eval.select", "mcc", "model.kind=gcn", "graph", false},
    {"eval.top_k", "5", "model.kind=lightgcn", "interactions", false},
    {"eval.top_k", "5", "model.kind=shop", "shop", false},
    {"eval.select", "auc", "model.kind=shop", "shop", false},
    {"data.until", "valid", "model.kind=shop", "shop", true},
    {"data.partition", "metis", "model.kind=shop", "shop", true},
    {"sampler.month", "20", "model.kind=shop", "shop", true},
    {"sampler.first_day", "20", "model.kind=shop", "shop", true},
    {"sampler.stride", "20", "model.kind=shop", "shop", true},
    {"sampler.negatives", "20", "model.kind=shop", "shop", true},
    {"model.id_drop", "0.5", "model.kind=shop", "shop", true},
    {"model.layers", "3", "model.kind=shop", "shop", true},
    {"model.width", "32", "model.kind=shop", "shop", true},
    {"model.text", "none", "model.kind=shop", "shop", true},
    {"model.text_layers", "2", "model.kind=shop model.text=encoder", "shop", true},
    {"model.heads", "2", "model.kind=shop model.text=both", "shop", true},
    {"model.ff_width", "9", "model.kind=shop model.text=both", "shop", true},
    {"model.context", "9", "model.kind=shop model.text=encoder", "shop", true},
    {"model.ids", "false", "model.kind=shop", "shop", true},
    {"model.facts", "false", "model.kind=shop", "shop", true},
    {"model.facts_width", "5", "model.kind=shop", "shop", true},
    {"model.dropout", "0.5", "model.kind=shop", "shop", true},
    {"model.input_dropout", "0.5", "model.kind=shop", "shop", true},
    {"model.drop_edge", "0.5", "model.kind=shop", "shop", true},
    {"loss.choice", "bpr", "model.kind=shop", "shop", true},
    {"loss.balance", "1", "model.kind=shop", "shop", true},
    {"batch.size", "5", "model.kind=shop", "shop", true},
    {"checkpoint.every", "5", "", "text", false},
    {"checkpoint.keep", "5", "", "text", false},
    {"checkpoint.keep_best", "5", "", "text", false},
    {"checkpoint.failures", "5", "", "text", false},
    {"checkpoint.initial", "false", "", "text", false},
    {"log.every", "5", "", "text", false},
    {"log.norms", "5", "", "text", false},
    {"log.samples", "true", "", "text", false},
    {"log.report", "false", "", "text", false},
    {"log.tensorboard", "false", "", "text", false},
    {"comm.allreduce", "ring", "", "text", true},
    {"comm.bucket_kib", "5", "", "text", false},
    {"comm.progress", "none", "", "text", false},
    {"comm.shared_window", "false", "", "text", false},
    {"comm.deadline_s", "5", "", "text", false},
    {"check.every", "5", "", "text", false},
    {"debug.flip_step", "5", "", "text", false},
    {"debug.flip_rank", "5", "", "text", false},
    {"debug.fault", "1 9 12 evaluation", "", "text", false},
    {"math.gemm", "reference", "", "text", true},
    {"train.precision", "bf16", "", "text", true},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static trm_config *config_of(const row *r) {
  char words[256], *rest = words;
  trm_config *config = NULL;
  CHECK_OK(trm_program_config(&config));
  (void)snprintf(words, sizeof words, "data.path=elsewhere %s", r->with);
  for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
    CHECK_OK(trm_config_set(config, word));
  }
  trm_config_tell(config, "data", r->data);
  if (!CHECK_OK(trm_config_check(config))) fprintf(stderr, "with %s\n", r->with);
  return config;
}

static void test_digest(void) {
  for (int i = 0; i < N_ROWS; ++i) {
    char assignment[128];
    trm_config *a = config_of(&rows[i]), *b = config_of(&rows[i]);
    trm_config_change change = {0};
    (void)snprintf(assignment, sizeof assignment, "%s=%s", rows[i].key, rows[i].value);
    CHECK_OK(trm_config_set(b, assignment));
    const bool differs = trm_config_digest(a, false) != trm_config_digest(b, false);
    const bool found = trm_config_difference(a, b, NULL, &change);
    bool good = CHECK_OK(trm_config_check(b)); /* it is in use: no idle key */
    good = CHECK(differs == rows[i].counts) && good;
    good = CHECK(found == rows[i].counts) && good;
    if (found) good = CHECK_STR(change.key, rows[i].key) && good;
    if (!good) fprintf(stderr, "key %s with %s\n", rows[i].key, rows[i].with);
    trm_config_destroy(&a);
    trm_config_destroy(&b);
  }
}

static bool is_listed(const char *key) {
  for (int i = 0; i < N_ROWS; ++i) {
    if (strcmp(rows[i].key, key) == 0) return true;
  }
  return false;
}

/* trm_config_create asserts that each default passes its own check; this is what it cannot see. */
static void check_row(const trm_config_key *key) {
  const size_t n = strlen(key->help);
  bool good = n > 0 && n < 150 && key->help[n - 1] == '.' && key->unit && !strchr(key->help, '\n');
  good = good && !strstr(key->help, "so often");
  if (!CHECK(good)) fprintf(stderr, "key %s\n", key->name);
  if (!CHECK(is_listed(key->name))) fprintf(stderr, "key %s is not in the list\n", key->name);
}

static void test_rows(void) {
  trm_config_parts parts;
  int n_rows = 0;
  trm_program_parts(&parts);
  for (int p = 0; p < parts.n; ++p) {
    for (int s = 0; s < TRM_PART_ROWS && parts.parts[p]->rows[s]; ++s) {
      const trm_config_rows *r = parts.parts[p]->rows[s];
      for (int k = 0; k < r->n; ++k) check_row(&r->keys[k]);
      n_rows += r->n;
    }
  }
  CHECK(n_rows > 78);
}

static void test_help(void) {
  char *text = NULL;
  size_t n = 0;
  trm_config_parts parts;
  FILE *file = open_memstream(&text, &n);
  if (!CHECK(file != NULL)) return;
  trm_program_parts(&parts);
  CHECK_OK(trm_config_help(&parts, NULL, file));
  CHECK_EQ(fclose(file), 0);
  for (int i = 0; i < N_ROWS; ++i) CHECK_HAS(text, rows[i].key);
  CHECK_HAS(text, "choice: adamw, adam, sgd");
  CHECK_HAS(text, "choice: constant, cosine, step");
  CHECK_HAS(text, "for model.kind gcn, sage, gat, gin, mlp on graphs");
  for (const char *line = text; *line;) {
    const size_t length = strcspn(line, "\n");
    if (!CHECK(length <= 100)) fprintf(stderr, "%.*s\n", (int)length, line);
    CHECK(length == 0 || line[length - 1] != ' ');
    line += length + 1;
  }
  free(text);
}

int main(void) {
  test_digest();
  test_rows();
  test_help();
  CHECK_EQ(trm_alloc_counts_get().live_blocks, 0);
  return check_verdict();
}
