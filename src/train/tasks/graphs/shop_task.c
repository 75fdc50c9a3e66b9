/*
 * A shop: every step looks at a day of the past. It passes over the graph of what was bought before,
 * shared out among the ranks by parts; the rows of the step's customers and of the products they choose
 * among are brought together on every rank, each of which takes the loss of its own customers.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "early_stop.h"
#include "ensemble.h"
#include "graph_batches.h"
#include "graph_store.h"
#include "names_facts.h"
#include "samples.h"
#include "shop_scores.h"
#include "tasks_internal.h"
#include "trireme/comm/reducer.h"
#include "trireme/comm/watch.h"
#include "trireme/core/integers.h"
#include "trireme/core/memory.h"
#include "trireme/input/shop_steps.h"
#include "trireme/optim/optim.h"
#include "whole.h"

static const trm_config_key keys[] = {
    TRM_KEY_CHOICE(
        "data.until", "train", "train|valid|all", TRM_ON_RESULT,
        "The last part that is trained on: then there is only what follows to evaluate on."),
    TRM_KEY_INT("sampler.month", "30", 1, 36500, "days", TRM_ON_RESULT,
                "Days after the day of a step in which purchases are to be foreseen."),
    TRM_KEY_INT("sampler.first_day", "60", 1, 36500, "days", TRM_ON_RESULT,
                "No step looks at a day before this one: so much is known at least."),
    TRM_KEY_INT("sampler.stride", "7", 1, 36500, "days", TRM_ON_RESULT,
                "Days from one day that steps look at to the next."),
    TRM_KEY_INT("sampler.negatives", "0", 0, INT32_MAX, "", TRM_ON_RESULT,
                "Products drawn for a step, by how often they were sold; 0: all products."),
    TRM_KEY_REAL("model.id_drop", "0.3", 0, 1, "", TRM_ON_RESULT,
                 "Probability that a step leaves a product's own vector out."),
    TRM_KEY_INT("batch.size", "512", 1, 1048576, "customers", TRM_ON_RESULT,
                "Customers of a step on all ranks, at most."),
    TRM_KEY_CHOICE("eval.select", "auto", "auto|loss|recall|ndcg|auc|repeat_recall|cold_recall",
                   TRM_NO_EFFECT, "What makes an evaluation the best; auto: recall."),
    TRM_KEY_INT("eval.top_k", "20", 1, 1000, "", TRM_NO_EFFECT, "Products of a ranking."),
};
static const trm_config_rows key_rows = TRM_CONFIG_ROWS(keys);

static const trm_names_fact product_names = {"products/offsets", "products/bytes"};
static const trm_names_fact feature_names = {"features/offsets", "features/bytes"};
static const char sold_fact[] = "products/sold";

typedef struct shop_task {
  trm_shop *data;
  trm_graph_store store;
  trm_shop_calendar *calendar;
  trm_partition *partition; /* into batch.blocks; owned */
  trm_shop_steps *steps;    /* NULL where nothing is trained */
  trm_whole *whole;
  trm_collector collector;
  uint64_t seed;
  int64_t until; /* days before it are trained on */
  double drop_edge;
  trm_choice_loss loss;
  trm_learner *learner;   /* borrowed from start on */
  trm_gradsync *sync;     /* borrowed from start on */
  uint64_t *hashes;       /* [own blocks] of the samples of a step; owned */
  int64_t *ids, *offsets; /* [batch], [V + 1] of the same */
  float *facts;           /* [own nodes, TRM_SHOP_FACTS] of the day of a pass; owned */
  /* texts of own nodes, where the model reads them in order; owned */
  trm_sequences texts;
  int64_t *text_offsets, *text_blocks; /* [own nodes + 1], [own blocks + 1] */
  int32_t *text_words, *text_rows;     /* [texts.n_rows] */
  /* of an evaluation */
  int64_t n_vectors; /* rows of the table of products' own vectors */
  int32_t *trained;  /* [n_products] row of a product's trained vector, -1: none; owned */
  int32_t *id_rows, *id_places; /* [own nodes]; owned */
  trm_voice voice;              /* rows of all nodes; owned */
} shop_task;

/* ---- data ------------------------------------------------------------------------------------- */

static trm_status open_data(void *self, const char *path, const trm_graph_memory *memory,
                            bool features, const trm_graph **graph) {
  shop_task *t = self;
  (void)features; /* sparse ones are always read */
  TRM_TRY(trm_shop_open(path, memory, &t->data));
  *graph = &t->data->graph;
  return TRM_OK;
}

/* Which parts evaluations are of: those after what is trained on. */
static bool evaluates(const shop_task *t, trm_subset part) {
  const int64_t begin = trm_shop_begin(t->data, part);
  return part != TRM_SUBSET_TRAIN && begin >= t->until && trm_shop_end(t->data, part) > begin;
}

/* Without a part to validate with no evaluation is the best: the test part must not choose. */
static trm_status check_choice(trm_task *task) {
  const char *until = trm_config_string(task->config, "data.until");
  const char *key = trm_patience_key(task->config);
  if (!key && trm_schedule_follows(task->config)) key = "schedule.name plateau";
  if (!key && trm_config_bool(task->config, "train.restore_best")) key = "train.restore_best";
  task->selected = -1;
  if (task->use != TRM_USE_TRAIN) return TRM_OK;
  if (key) {
    return trm_fail(TRM_ERR_CONFIG,
                    "%s is set, but with data.until %s nothing is left to validate with; leave it "
                    "out, and train as many steps as were good with data.until train",
                    key, until);
  }
  trm_log_warn(task->log,
               "data.until %s leaves nothing to validate with: no evaluation is the best", until);
  return TRM_OK;
}

static trm_status declare(trm_task *task, const shop_task *t) {
  if (evaluates(t, TRM_SUBSET_VALID)) trm_shop_scores_declare(task, TRM_SUBSET_VALID);
  if (evaluates(t, TRM_SUBSET_TEST)) trm_shop_scores_declare(task, TRM_SUBSET_TEST);
  if (!evaluates(t, TRM_SUBSET_VALID)) return check_choice(task);
  return trm_task_select(task);
}

static void read_keys(trm_task *task, shop_task *t) {
  const trm_config *c = task->config;
  t->seed = (uint64_t)trm_config_int(c, "run.seed");
  t->until = trm_config_is(c, "data.until", "train")   ? t->data->valid_day
             : trm_config_is(c, "data.until", "valid") ? t->data->test_day
                                                       : t->data->end_day;
  t->drop_edge = trm_drop_edge(c);
  t->loss = trm_config_is(c, "loss.choice", "softmax") ? TRM_CHOICE_SOFTMAX
            : trm_config_is(c, "loss.choice", "bpr")   ? TRM_CHOICE_PAIRS
                                                       : TRM_CHOICE_EACH;
}

/* Products whose own vectors are trained: sold before the last day to train on. */
static void list_trained(shop_task *t) {
  for (int64_t i = 0; i < t->data->n_products; ++i) {
    const bool sold = trm_shop_count(t->calendar, t->data->n_customers + i, 0, t->until) > 0;
    t->trained[i] = sold ? (int32_t)i : -1;
  }
}

/* Whether the model has words in their order, for which the data set must have them, and nothing else
 * where nothing else is read. */
static bool reads_order(const trm_config *config) {
  return trm_config_is(config, "model.text", "encoder") ||
         trm_config_is(config, "model.text", "both");
}

static trm_status check_texts(const trm_shop *s, const trm_config *config) {
  if (!reads_order(config)) return TRM_OK;
  if (!s->text_offsets) {
    return trm_fail(
        TRM_ERR_CONFIG,
        "model.text is '%s', but %s does not have the words of texts in order; prepare it "
        "again, or take model.text words",
        trm_config_string(config, "model.text"), s->graph.path);
  }
  if (trm_config_is(config, "model.text", "both")) return TRM_OK;
  for (int64_t i = 0; i < s->features.n; ++i) {
    if (trm_shop_is_word(s, i)) continue;
    return trm_fail(
        TRM_ERR_CONFIG,
        "model.text is 'encoder', which reads words alone, but %s has fields too, such as "
        "'%.*s'; take model.text both",
        s->graph.path, (int)(s->features.offsets[i + 1] - s->features.offsets[i]),
        s->features.bytes + s->features.offsets[i]);
  }
  return TRM_OK;
}

static trm_status open_shop(trm_task *task) {
  shop_task *t = NULL;
  trm_status status = TRM_ALLOC(&t, 1, "task");
  task->self = t; /* which is closed where another rank has failed, too */
  TRM_TRY(trm_comm_agree(task->comm, status));
  TRM_TRY(trm_comm_agree(task->comm, trm_collector_init(task->comm, &t->collector)));
  TRM_TRY(trm_graph_store_open(task->comm, task->config, open_data, t, &t->store));
  TRM_TRY(check_texts(t->data, task->config)); /* which all ranks see alike */
  read_keys(task, t);
  status = trm_shop_calendar_create(t->data, &t->calendar);
  if (status == TRM_OK) status = TRM_ALLOC(&t->trained, t->data->n_products, "products");
  TRM_TRY(trm_comm_agree(task->comm, status));
  list_trained(t);
  t->n_vectors = t->data->n_products;
  task->dims = (trm_model_dims){.n_nodes = t->data->n_products,
                                .n_features = t->data->graph.n_features,
                                .sparse = true,
                                .n_words = t->data->text_offsets ? t->data->features.n : 0,
                                .n_facts = TRM_SHOP_FACTS,
                                .n_habits = TRM_SHOP_HABITS};
  task->digest = t->data->graph.digest;
  task->host_bytes = trm_graph_store_host_bytes(&t->store);
  task->exchanges = true;
  return declare(task, t);
}

static void close_shop(trm_task *task) {
  shop_task *t = task->self;
  if (!t) return;
  trm_shop_steps_destroy(&t->steps);
  trm_whole_destroy(&t->whole);
  trm_partition_destroy(&t->partition);
  trm_shop_calendar_destroy(&t->calendar);
  trm_shop_close(&t->data);
  trm_graph_store_close(&t->store);
  trm_collector_release(&t->collector);
  TRM_FREE(t->hashes);
  TRM_FREE(t->ids);
  TRM_FREE(t->offsets);
  TRM_FREE(t->facts);
  TRM_FREE(t->text_offsets);
  TRM_FREE(t->text_blocks);
  TRM_FREE(t->text_words);
  TRM_FREE(t->text_rows);
  TRM_FREE(t->trained);
  TRM_FREE(t->id_rows);
  TRM_FREE(t->id_places);
  TRM_FREE(t->voice.rows);
  TRM_FREE(task->self);
}

/* ---- checkpoints ------------------------------------------------------------------------------ */

/* Names of products, and of features, so that other data can be told what was learned. */
static trm_status put_facts(const trm_task *task, trm_facts *facts) {
  const shop_task *t = task->self;
  const trm_shop *s = t->data;
  const trm_texts *nodes = &s->graph.names;
  int64_t *offsets = NULL;
  const int64_t first = nodes->offsets[s->n_customers];
  trm_status status = TRM_OK;
  TRM_TRY(TRM_ALLOC(&offsets, s->n_products + 1, "names of products"));
  for (int64_t i = 0; i <= s->n_products; ++i) {
    offsets[i] = nodes->offsets[s->n_customers + i] - first;
  }
  const trm_texts products = {s->n_products, offsets, nodes->bytes + first};
  TRM_TRY_OUT(trm_names_fact_put(facts, product_names, &products));
  TRM_TRY_OUT(trm_names_fact_put(facts, feature_names, &s->features));
  TRM_TRY_OUT(trm_facts_put_array(facts, sold_fact, TRM_DTYPE_I32, s->n_products, t->trained));
out:
  TRM_FREE(offsets);
  return status;
}

/* Products are found by their names: those that the checkpoint has no vector of have their text alone. */
static trm_status check_facts(trm_task *task, const trm_facts *facts, const char *path) {
  shop_task *t = task->self;
  trm_texts products, features;
  int64_t n_sold;
  const int32_t *sold = trm_facts_array(facts, sold_fact, TRM_DTYPE_I32, &n_sold);
  if (!trm_names_fact_get(facts, product_names, &products) ||
      !trm_names_fact_get(facts, feature_names, &features) || !sold || n_sold != products.n) {
    return trm_fail(TRM_ERR_DATA, "%s: its names of products and features are damaged", path);
  }
  if (!trm_names_same(&features, &t->data->features)) {
    return trm_fail(TRM_ERR_DATA,
                    "%s has other words and fields than the data set that %s was trained on; "
                    "prepare it with --vocabulary and that data set",
                    t->data->graph.path, path);
  }
  const trm_names_part known = {.names = &products, .n = products.n};
  const trm_names_part here = {
      .names = &t->data->graph.names, .first = t->data->n_customers, .n = t->data->n_products};
  TRM_TRY(trm_names_places(known, here, t->trained));
  for (int64_t i = 0; i < t->data->n_products; ++i) {
    if (t->trained[i] >= 0) t->trained[i] = sold[t->trained[i]];
  }
  task->dims.n_nodes = t->n_vectors = products.n;
  return TRM_OK;
}

/* ---- sizes ------------------------------------------------------------------------------------ */

/* Blocks: enough for a few ranks. */
enum { BLOCKS = 4 };

static trm_status resolve_sizes(trm_task *task, trm_config *config) {
  task->batch = trm_config_int(config, "batch.size");
  const int64_t most = task->batch < TRM_PASS_MAX_BLOCKS ? task->batch : TRM_PASS_MAX_BLOCKS;
  return trm_task_resolve_blocks(task, config, BLOCKS, most);
}

static trm_status check_days(const shop_task *t, const trm_config *config) {
  const int64_t first = trm_config_int(config, "sampler.first_day");
  const int64_t month = trm_config_int(config, "sampler.month");
  if (first + month <= t->until) return TRM_OK;
  return trm_fail(TRM_ERR_CONFIG,
                  "sampler.first_day is %" PRId64 " and sampler.month %" PRId64
                  ", but there are %" PRId64 " days to train on (data.until); choose less",
                  first, month, t->until);
}

static trm_status make_steps(trm_task *task, trm_config *config) {
  shop_task *t = task->self;
  trm_shop_steps_options o = {.shop = t->data,
                              .calendar = t->calendar,
                              .partition = t->partition,
                              .rows = trm_collector_exchange(&t->collector),
                              .seed = t->seed,
                              .end = t->until,
                              .first = trm_config_int(config, "sampler.first_day"),
                              .stride = trm_config_int(config, "sampler.stride"),
                              .month = trm_config_int(config, "sampler.month"),
                              .all_customers = t->loss == TRM_CHOICE_EACH,
                              .batch = task->batch,
                              .n_blocks = task->n_blocks,
                              .negatives = trm_config_int(config, "sampler.negatives"),
                              .rivals = t->loss == TRM_CHOICE_PAIRS,
                              .id_drop = trm_config_real(config, "model.id_drop")};
  TRM_TRY(check_days(t, config));
  trm_block_range(task->n_blocks, trm_comm_rank(task->comm), trm_comm_size(task->comm),
                  &o.first_block, &o.n_local);
  TRM_TRY(trm_shop_steps_create(&o, &t->steps));
  TRM_TRY(TRM_ALLOC(&t->hashes, o.n_local, "hashes of samples"));
  TRM_TRY(TRM_ALLOC(&t->ids, task->batch, "samples of a step"));
  TRM_TRY(TRM_ALLOC(&t->offsets, task->n_blocks + 1, "samples of a step"));
  task->epoch_samples = trm_shop_epoch_samples(t->steps);
  task->epoch_steps = trm_shop_epoch_steps(t->steps);
  task->units_a_step = task->batch;
  (void)snprintf(task->summary, sizeof task->summary,
                 "%" PRId64 " customers, %" PRId64 " products, %" PRId64 " days of %" PRId64
                 " to look at, %" PRId64 " steps an epoch",
                 t->data->n_customers, t->data->n_products, trm_shop_windows(t->steps), t->until,
                 task->epoch_steps);
  return TRM_OK;
}

static trm_status resolve(trm_task *task, trm_config *config) {
  shop_task *t = task->self;
  const trm_status status = resolve_sizes(task, config);
  TRM_TRY(trm_graph_store_partition(task->comm, &t->store, trm_graph_store_metis(config),
                                    task->n_blocks, (trm_ids){0}, status, &t->partition));
  if (task->use != TRM_USE_TRAIN) return TRM_OK;
  if (trm_comm_size(task->comm) > task->n_blocks) return TRM_OK; /* which is refused later */
  return make_steps(task, config);
}

/* ---- passes ----------------------------------------------------------------------------------- */

/* Texts of own nodes: the same in every pass. */
static trm_status take_texts(shop_task *t, const trm_config *config) {
  const trm_field *field = trm_whole_field(t->whole);
  const int64_t n = field->n_inputs;
  if (!reads_order(config)) return TRM_OK;
  const int64_t most = trm_config_int(config, "model.context");
  const int64_t n_rows = trm_shop_texts(t->data, field->inputs, n, most, NULL, NULL, NULL);
  TRM_TRY(TRM_ALLOC(&t->text_offsets, n + 1, "texts"));
  TRM_TRY(TRM_ALLOC(&t->text_blocks, field->n_local + 1, "texts"));
  TRM_TRY(TRM_ALLOC(&t->text_words, n_rows, "texts"));
  TRM_TRY(TRM_ALLOC(&t->text_rows, n_rows, "texts"));
  (void)trm_shop_texts(t->data, field->inputs, n, most, t->text_offsets, t->text_words,
                       t->text_rows);
  t->texts = (trm_sequences){.n = n, .n_rows = n_rows, .offsets = t->text_offsets};
  for (int64_t i = 0; i < n; ++i) {
    t->texts.longest = trm_max_i64(t->texts.longest, trm_sequence_rows(&t->texts, i));
  }
  for (int64_t k = 0; k <= field->n_local; ++k) {
    t->text_blocks[k] = t->text_offsets[field->input_blocks[k]];
  }
  return TRM_OK;
}

/* A pass over own blocks, of nodes and of the words of their texts. */
static void begin_pass(const shop_task *t, trm_pass *pass) {
  trm_whole_pass(t->whole, pass);
  if (!t->text_blocks) return;
  pass->sequence_blocks = t->text_blocks;
  pass->row_ids = t->text_rows;
}

/* What every pass has: hops and features of the field, facts. Arrays are NULL in a dry pass. */
static trm_graph_batch batch_of(const shop_task *t, bool dry) {
  const trm_field *field = trm_whole_field(t->whole);
  trm_graph_batch batch = trm_whole_batch(t->whole);
  batch.facts = (trm_features){.n_rows = field->n_inputs,
                               .n_features = TRM_SHOP_FACTS,
                               .dense = dry ? NULL : t->facts,
                               .ids = field->inputs,
                               .blocks = field->input_blocks};
  batch.n_ids = field->n_inputs < t->n_vectors ? field->n_inputs : t->n_vectors;
  batch.texts = t->texts;
  batch.words = t->text_words;
  return batch;
}

/* The graph as it was before a day, and what was known then. */
static trm_status look_at_day(shop_task *t, int64_t day, double drop_edge, int64_t step) {
  const trm_field *field = trm_whole_field(t->whole);
  trm_shop_facts_fill(t->calendar, field->inputs, field->n_inputs, day, t->facts);
  return trm_whole_before(t->whole, t->data->first_days, day, drop_edge, t->seed, step);
}

static trm_status plan_passes(shop_task *t, trm_learner *learner, bool training) {
  trm_pass pass = {0};
  trm_graph_batch graph = batch_of(t, true);
  begin_pass(t, &pass);
  TRM_TRY(trm_learner_plan(learner, TRM_PLAN_OUTPUTS, pass, &(trm_batch){.graph = &graph}));
  if (!training) return TRM_OK;
  pass = (trm_pass){.bounds = true};
  trm_shop_bounds(t->steps, &graph);
  begin_pass(t, &pass);
  return trm_learner_plan(learner, TRM_PLAN_BACKWARD, pass, &(trm_batch){.graph = &graph});
}

static trm_status plan(trm_task *task, trm_learner *learner, bool training) {
  shop_task *t = task->self;
  int n_hops;
  TRM_TRY(trm_graph_hops(learner->model, &n_hops));
  TRM_TRY(trm_whole_create(task->comm, &t->store, t->partition, n_hops, NULL, training, &t->whole));
  const int64_t n = trm_whole_field(t->whole)->n_inputs;
  trm_status status = TRM_ALLOC(&t->facts, n * TRM_SHOP_FACTS, "facts of customers and products");
  if (status == TRM_OK) status = TRM_ALLOC(&t->id_rows, n, "vectors of products");
  if (status == TRM_OK) status = TRM_ALLOC(&t->id_places, n, "vectors of products");
  if (status == TRM_OK) status = take_texts(t, task->config);
  if (status == TRM_OK) status = plan_passes(t, learner, training);
  TRM_TRY(trm_comm_agree(task->comm, status));
  return trm_whole_reserve(t->whole);
}

static trm_status start(trm_task *task, trm_learner *learner, trm_gradsync *sync,
                        int64_t first_step, int64_t end_step) {
  shop_task *t = task->self;
  (void)first_step, (void)end_step; /* steps are made as they come */
  t->learner = learner;
  t->sync = sync;
  return TRM_OK;
}

static void hash_samples(shop_task *t, int64_t step) {
  const trm_field *field = trm_whole_field(t->whole);
  trm_shop_samples(t->steps, step, t->ids, t->offsets);
  for (int64_t k = 0; k < field->n_local; ++k) {
    const int64_t *at = t->offsets + field->first_block + k;
    t->hashes[k] = trm_samples_hash(t->ids + at[0], at[1] - at[0]);
  }
}

static trm_status run(trm_task *task, int64_t step) {
  shop_task *t = task->self;
  trm_pass pass = {.training = true, .seed = t->seed, .step = step};
  trm_watch_phase(task->comm, "forward and backward", step);
  const trm_status status = look_at_day(t, trm_shop_step_day(t->steps, step), t->drop_edge, step);
  TRM_TRY(trm_comm_agree(task->comm, status)); /* ranks wait for each other in the pass */
  trm_graph_batch graph = batch_of(t, false);
  trm_shop_step_make(t->steps, step, &graph);
  hash_samples(t, step);
  trm_collector_tell(&t->collector, graph.collection->n_own);
  begin_pass(t, &pass);
  trm_gradsync_all_begin(t->sync, &pass);
  trm_tape_begin(t->learner->tape, &pass);
  trm_var *loss =
      trm_model_loss(t->learner->model, t->learner->tape, &(trm_batch){.graph = &graph});
  trm_gradsync_all_backward(t->sync, t->learner->tape, loss, t->hashes);
  return trm_tape_status(t->learner->tape);
}

static trm_status samples(trm_task *task, int64_t step, int64_t *ids, int64_t *offsets) {
  const shop_task *t = task->self;
  trm_shop_samples(t->steps, step, ids, offsets);
  return TRM_OK;
}

/* ---- evaluation ------------------------------------------------------------------------------- */

/* What the model says of a day. */
static trm_status make_ranker(trm_task *task, trm_learner *learner, int64_t day, int64_t end,
                              int64_t K, trm_shop_ranker *ranker) {
  shop_task *t = task->self;
  const trm_field *field = trm_whole_field(t->whole);
  const int64_t month = trm_config_int(task->config, "sampler.month");
  trm_pass pass = {.training = false};
  trm_status status = look_at_day(t, day, 0, 0);
  TRM_TRY(trm_comm_agree(task->comm, status));
  trm_graph_batch graph = batch_of(t, false);
  graph.n_ids = trm_shop_ids_list(t->calendar, field->inputs, field->n_inputs, day, t->trained,
                                  t->id_rows, t->id_places);
  graph.id_rows = t->id_rows;
  graph.id_places = t->id_places;
  begin_pass(t, &pass);
  trm_tape_begin(learner->tape, &pass);
  const trm_var *own =
      trm_model_outputs(learner->model, learner->tape, &(trm_batch){.graph = &graph});
  status = trm_tape_status(learner->tape);
  t->voice.width = own->dims[1];
  if (status == TRM_OK && !t->voice.rows) {
    status = TRM_ALLOC(&t->voice.rows, t->data->graph.n_nodes * t->voice.width,
                       "rows of customers and products");
  }
  TRM_TRY(trm_comm_agree(task->comm, status));
  TRM_TRY(trm_whole_gather(t->whole, own->data, t->voice.width, t->voice.rows));
  *ranker = (trm_shop_ranker){.shop = t->data,
                              .calendar = t->calendar,
                              .voices = &t->voice,
                              .n_voices = 1,
                              .K = K,
                              .day = day,
                              .end = end,
                              .month_end = end < day + month ? end : day + month,
                              .loss = t->loss};
  return TRM_OK;
}

/* ---- of several models ------------------------------------------------------------------------ */

/* The ranker of all members of the ensemble, once the last one has answered question `number`. */
static trm_status join_voices(const trm_task *task, int number, const trm_shop_ranker *own,
                              trm_shop_ranker *all, bool *full) {
  const shop_task *t = task->self;
  const trm_answers *answers;
  const trm_question question = {
      .data = t->data->graph.path,
      .digest = task->digest,
      .n_facts = 4,
      .facts = {{"loss.choice purchase", own->loss == TRM_CHOICE_EACH},
                {"sampler.month", trm_config_int(task->config, "sampler.month")},
                {"eval.top_k", own->K},
                {"as first day to look for (data.until)", own->day}}};
  TRM_TRY(trm_ensemble_add_voice(task, number, &question, own->voices, t->data->graph.n_nodes,
                                 &answers));
  *full = answers != NULL;
  if (!*full) return TRM_OK;
  *all = *own;
  all->voices = answers->voices;
  all->n_voices = answers->n;
  return TRM_OK;
}

/* ---- evaluation, prediction ------------------------------------------------------------------- */

/* Adds the scores of a part. The loss of an evaluation is that of the part to validate; there is none
 * without. */
static trm_status score_part(trm_task *task, const trm_shop_ranker *ranker, trm_subset part,
                             trm_task_stop stop, void *context, trm_evaluation *result,
                             bool *stopped) {
  const double loss = result->loss;
  const int64_t count = result->count;
  TRM_TRY(trm_shop_scores_add(task, ranker, stop, context, result, stopped));
  if (part == TRM_SUBSET_VALID) return TRM_OK;
  result->loss = loss;
  result->count = count;
  return TRM_OK;
}

static trm_status evaluate(trm_task *task, trm_learner *learner, trm_task_stop stop, void *context,
                           trm_evaluation *result, bool *stopped) {
  shop_task *t = task->self;
  static const trm_subset parts[] = {TRM_SUBSET_VALID, TRM_SUBSET_TEST};
  int n = 0;
  result->loss = (double)NAN;
  result->count = 0;
  *stopped = false;
  for (int p = 0; p < 2 && !*stopped; ++p) {
    trm_shop_ranker ranker, all;
    bool full = false;
    if (!evaluates(t, parts[p])) continue;
    TRM_TRY(make_ranker(task, learner, trm_shop_begin(t->data, parts[p]),
                        trm_shop_end(t->data, parts[p]), trm_config_int(task->config, "eval.top_k"),
                        &ranker));
    TRM_TRY(score_part(task, &ranker, parts[p], stop, context, result, stopped));
    if (task->ensemble) TRM_TRY(join_voices(task, n++, &ranker, &all, &full));
    if (!full) continue;
    trm_evaluation *whole = &task->ensemble->whole;
    if (n == 1) *whole = (trm_evaluation){.loss = (double)NAN};
    TRM_TRY(score_part(task, &all, parts[p], stop, context, whole, stopped));
  }
  return TRM_OK;
}

/* What comes after all that is known. */
static trm_status predict(trm_task *task, trm_learner *learner, const trm_predict_options *options,
                          int64_t *n_rows) {
  shop_task *t = task->self;
  trm_shop_ranker ranker;
  bool full = true;
  *n_rows = 0;
  TRM_TRY(make_ranker(task, learner, t->data->end_day, t->data->end_day, options->top_k, &ranker));
  if (task->ensemble) TRM_TRY(join_voices(task, 0, &ranker, &ranker, &full));
  if (!full) return TRM_OK;
  return trm_shop_predictions_write(task->comm, &ranker, options->output, n_rows);
}

const trm_task_kind trm_task_shop = {
    TRM_TASK_PART("shop", &key_rows, &trm_graph_store_keys, &trm_graph_partition_keys),
    .select = "recall",
    .subset = "validation",
    .unit = "customer",
    .open = open_shop,
    .close = close_shop,
    .resolve = resolve,
    .plan = plan,
    .start = start,
    .run = run,
    .samples = samples,
    .evaluate = evaluate,
    .facts = put_facts,
    .check_facts = check_facts,
    .predict = predict};
