/*
 * A shop: what customers will buy, from what products are called and who bought what until now.
 *
 *   e_0 of a product   = its text + a trained vector of its own, which a step leaves out of some products,
 *                        so that one that nobody has bought works; the text is W^T words (sparse, scaled
 *                        in the data set), what a Transformer makes of them in their order, or both
 *   e_0 of a customer  = W^T fields, where there are any
 *   e_{k+1} = A e_k,  A_ij = 1 / sqrt(d_i d_j) for a pair that was bought before the day
 *   e = (e_0 + ... + e_K) / (K + 1)
 *   [b | h] = V relu(U facts): of each node, from what is known of it on the day
 *   score of product i for customer u = e_u . e_i + b_u + b_i (+ h_u . habits of u and i, where u knows i)
 *
 * K is model.layers, the length of a vector model.width. Customers have no vector of their own: one is
 * what it bought, so that a new one needs no training.
 *
 * Sources: He et al. 2020, arXiv:2002.02126, equations 3, 4 and 8 (LightGCN); Volkovs, Yu, Poutanen 2017,
 * "DropoutNet", NIPS (vectors that are left out).
 */
#include "graph_layers.h"
#include "text_encoder.h"

#include "trireme/core/memory.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.layers", "2", 1, 1024, "", TRM_ON_MODEL,
                "Sums over neighbours, one after the other: 1 gives customers what they bought."),
    TRM_KEY_INT("model.width", "64", 1, 65536, "", TRM_ON_MODEL,
                "Length of the vector of a customer or product."),
    TRM_KEY_CHOICE("model.text", "words", "none|words|encoder|both", TRM_ON_MODEL,
                   "What reads texts: nothing, a sum of vectors of words and fields, a Transformer "
                   "that has words in order, or both."),
    TRM_KEY_BOOL("model.ids", "true", TRM_ON_MODEL, "Products have vectors of their own besides."),
    TRM_KEY_BOOL("model.facts", "true", TRM_ON_RESULT,
                 "What was sold lately and when a customer came counts; false: nodes look alike."),
    TRM_KEY_INT("model.facts_width", "32", 1, 65536, "", TRM_ON_MODEL,
                "Hidden numbers between what is known of a node on a day and its bias."),
    TRM_KEY_REAL("model.dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Dropout of the vectors of customers and products."),
    TRM_KEY_REAL("model.input_dropout", "0.0", 0, 0.99, "", TRM_ON_RESULT,
                 "Dropout of words and fields."),
    TRM_KEY_CHOICE(
        "loss.choice", "softmax", "softmax|bpr|purchase", TRM_ON_RESULT,
        "What is bought against all else, against one other product, or yes or no for each."),
    TRM_KEY_REAL("loss.balance", "0.5", 0, 1, "", TRM_ON_RESULT,
                 "softmax, bpr: 0: each product that is bought counts the same; 1: each customer."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

static const trm_config_part encoder_part = {
    .selector = "model.text", .name = "encoder", .rows = {&trm_text_encoder_keys}};
static const trm_config_part both_part = {
    .selector = "model.text", .name = "both", .rows = {&trm_text_encoder_keys}};

typedef struct shop {
  int layers;
  bool text, ids, facts, encodes;
  double dropout, input_dropout, balance;
  trm_choice_loss loss;
  int words;   /* [width, features] */
  int vectors; /* [products, width] */
  trm_text_encoder encoder;
  trm_affine hidden, out;
} shop;

static const double std_init = 0.1;

static void destroy(void *self) {
  shop *m = self;
  if (!m) return;
  trm_text_encoder_release(&m->encoder);
  TRM_FREE(m);
}

static trm_status add_map(trm_params *params, trm_affine *a, int64_t in, int64_t out,
                          const char *name) {
  const int64_t shape[2] = {out, in};
  TRM_TRY(trm_params_add(params, &a->weight, 2, shape, TRM_INIT_UNIFORM, trm_gnn_glorot(in, out),
                         true, "%s/weight", name));
  return trm_params_add(params, &a->bias, 1, &out, TRM_INIT_ZERO, 0, false, "%s/bias", name);
}

static trm_status add_parameters(shop *m, const trm_config *config, const trm_model_dims *dims,
                                 trm_params *params) {
  const int64_t width = trm_config_int(config, "model.width");
  const int64_t hidden = trm_config_int(config, "model.facts_width");
  const int64_t words[2] = {width, dims->n_features}, vectors[2] = {dims->n_nodes, width};
  if (m->text) {
    TRM_TRY(trm_params_add(params, &m->words, 2, words, TRM_INIT_NORMAL, std_init, true,
                           "words/weight"));
    trm_params_mark(params, m->words, TRM_ROLE_EMBEDDING);
    trm_params_mark_drawn_by_inputs(params, m->words);
  }
  if (m->encodes) {
    TRM_TRY(trm_text_encoder_create(config, params, dims->n_words, "text", &m->encoder));
  }
  if (m->ids) {
    TRM_TRY(trm_params_add(params, &m->vectors, 2, vectors, TRM_INIT_NORMAL, std_init, true,
                           "products/weight"));
    trm_params_mark(params, m->vectors, TRM_ROLE_EMBEDDING);
  }
  TRM_TRY(add_map(params, &m->hidden, dims->n_facts, hidden, "facts/hidden"));
  TRM_TRY(add_map(params, &m->out, hidden, 1 + dims->n_habits, "facts/out"));
  trm_params_mark(params, m->out.weight, TRM_ROLE_HEAD);
  return TRM_OK;
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  shop *m = NULL;
  TRM_TRY(TRM_ALLOC(&m, 1, "model"));
  m->layers = (int)trm_config_int(config, "model.layers");
  m->text = trm_config_is(config, "model.text", "words");
  m->encodes = trm_config_is(config, "model.text", "encoder");
  if (trm_config_is(config, "model.text", "both")) m->text = m->encodes = true;
  m->ids = trm_config_bool(config, "model.ids");
  m->facts = trm_config_bool(config, "model.facts");
  m->dropout = trm_config_real(config, "model.dropout");
  m->input_dropout = trm_config_real(config, "model.input_dropout");
  m->balance = trm_config_real(config, "loss.balance");
  m->loss = trm_config_is(config, "loss.choice", "softmax") ? TRM_CHOICE_SOFTMAX
            : trm_config_is(config, "loss.choice", "bpr")   ? TRM_CHOICE_PAIRS
                                                            : TRM_CHOICE_EACH;
  if (!m->text && !m->encodes && !m->ids) {
    status = trm_fail(TRM_ERR_CONFIG, "model.text is none and model.ids is false, so that products "
                                      "have no vectors at all; set one of them");
    goto out;
  }
  TRM_TRY_OUT(add_parameters(m, config, dims, params));
  *self = m;
  return TRM_OK;
out:
  destroy(m);
  return status;
}

static trm_var *sum_of(trm_tape *t, trm_var *a, trm_var *b) {
  return !a ? b : !b ? a : trm_op_add(t, a, b);
}

/* e_0 [own nodes, width]. */
static trm_var *initial(const shop *m, trm_tape *t, const trm_graph_batch *batch) {
  trm_var *text = NULL, *read = NULL, *own = NULL;
  if (m->text) {
    text = trm_op_sparse_linear(t, &batch->features, trm_tape_param(t, m->words), NULL,
                                m->input_dropout);
  }
  if (m->encodes) read = trm_text_encoder_run(&m->encoder, t, batch->words, &batch->texts);
  if (m->ids) {
    own = trm_op_param_rows(t, trm_tape_param(t, m->vectors), batch->id_rows, batch->n_ids);
    own = trm_op_scatter_rows(t, own, batch->id_places, batch->n_own);
  }
  trm_var *e = sum_of(t, sum_of(t, text, read), own);
  return trm_op_dropout_rows(t, e, m->dropout, batch->own_nodes);
}

/* e [own nodes, width]. */
static trm_var *vectors(const shop *m, trm_tape *t, const trm_graph_batch *batch) {
  trm_var *e = trm_gnn_keep(initial(m, t, batch)), *sum = e;
  for (int k = 0; k < m->layers; ++k) {
    const double share = k == m->layers - 1 ? 1 / (double)(m->layers + 1) : 1;
    const trm_hop *hop = trm_gnn_hop_at(batch, m->layers, k).hop;
    e = trm_gnn_keep(trm_op_spmm(t, e, hop, TRM_EDGE_NORM_SYMMETRIC, false));
    sum = trm_op_combine(t, sum, share, e, share);
  }
  return sum;
}

/* [b | h] of own nodes. */
static trm_var *others(const shop *m, trm_tape *t, const trm_graph_batch *batch) {
  trm_var *x = trm_op_features(t, &batch->facts, 0);
  if (!m->facts) x = trm_op_combine(t, x, 0, x, 0);
  x = trm_op_relu(t, trm_gnn_linear_of(t, x, m->hidden));
  return trm_gnn_linear_of(t, x, m->out);
}

static trm_var *outputs(void *self, trm_tape *t, const trm_batch *batch) {
  const shop *m = self;
  trm_var *e = vectors(m, t, batch->graph);
  return trm_op_concat(t, e, others(m, t, batch->graph));
}

static trm_var *loss(void *self, trm_tape *t, const trm_batch *batch) {
  const shop *m = self;
  const trm_graph_batch *graph = batch->graph;
  trm_var *x = trm_op_collect(t, outputs(self, t, batch), graph->collection);
  return trm_op_choice(t, x, graph->choices, m->loss, m->balance);
}

static int n_hops(const void *self) {
  return ((const shop *)self)->layers;
}

const trm_model_kind trm_model_shop = {TRM_MODEL_PART("shop", &rows, &trm_gnn_hop_keys),
                                       .more = {&encoder_part, &both_part},
                                       .data = {"shop"},
                                       .create = create,
                                       .destroy = destroy,
                                       .outputs = outputs,
                                       .loss = loss,
                                       .n_hops = n_hops};
