/*
 * LightGCN: recommendation by nothing but sums over the graph of users and items.
 *
 *   E_0: a trained vector for each user and item
 *   E_{k+1} = A E_k,  A_ij = 1 / sqrt(d_i d_j) for an interaction, without self-loops
 *   E = (E_0 + ... + E_K) / (K + 1);  the score of an item for a user is e_u . e_i
 *   loss = Bayesian personalised ranking, with optimizer.l2 on the vectors of E_0 that a batch uses
 *
 * K is model.layers, the length of a vector model.width. E_0 is drawn with deviation 0.1 and has no
 * weight decay, since the loss has a penalty of its own.
 *
 * Source: He et al. 2020, arXiv:2002.02126, equations 3, 4, 8 and 15.
 */
#include "graph_layers.h"

#include "trireme/core/memory.h"

static const trm_config_key keys[] = {
    TRM_KEY_INT("model.layers", "4", 1, 1024, "", TRM_ON_MODEL,
                "Sums over neighbours, one after the other."),
    TRM_KEY_INT("model.width", "128", 1, 65536, "", TRM_ON_MODEL,
                "Length of the vector of a user or item."),
    TRM_KEY_REAL(
        "optimizer.l2", "0", 0, TRM_NO_LIMIT, "", TRM_ON_RESULT,
        "Penalty on the vectors of a batch's users and items; weight decay has no effect on them."),
};
static const trm_config_rows rows = TRM_CONFIG_ROWS(keys);

typedef struct lightgcn {
  int layers;
  double l2;
  int embedding; /* [nodes, width] */
} lightgcn;

static const double std_init = 0.1;

static void destroy(void *self) {
  lightgcn *m = self;
  TRM_FREE(m);
}

static trm_status create(const trm_config *config, const trm_model_dims *dims, trm_params *params,
                         void **self) {
  trm_status status = TRM_OK;
  lightgcn *m = NULL;
  if (dims->n_nodes < 1) {
    return trm_fail(TRM_ERR_DATA, "model.kind is 'lightgcn', but the data set has no users and "
                                  "items; prepare one of interactions");
  }
  TRM_TRY(TRM_ALLOC(&m, 1, "model"));
  m->layers = (int)trm_config_int(config, "model.layers");
  m->l2 = trm_config_real(config, "optimizer.l2");
  const int64_t shape[2] = {dims->n_nodes, trm_config_int(config, "model.width")};
  TRM_TRY_OUT(trm_params_add(params, &m->embedding, 2, shape, TRM_INIT_NORMAL, std_init, false,
                             "embedding/weight"));
  trm_params_mark(params, m->embedding, TRM_ROLE_EMBEDDING);
  *self = m;
  return TRM_OK;
out:
  destroy(m);
  return status;
}

static trm_var *initial(const lightgcn *m, trm_tape *t, const trm_graph_batch *batch) {
  trm_var *w = trm_tape_param(t, m->embedding);
  return trm_gnn_keep(trm_op_param_rows(t, w, batch->own_nodes, batch->n_own));
}

/* E_{k+1}. */
static trm_var *product(const lightgcn *m, trm_tape *t, const trm_graph_batch *batch, trm_var *e,
                        int k) {
  const trm_hop *hop = trm_gnn_hop_at(batch, m->layers, k).hop;
  return trm_gnn_keep(trm_op_spmm(t, e, hop, TRM_EDGE_NORM_SYMMETRIC, false));
}

static double share_of(const lightgcn *m) {
  return 1 / (double)(m->layers + 1);
}

/* E of all own nodes. */
static trm_var *outputs(void *self, trm_tape *t, const trm_batch *batch) {
  const lightgcn *m = self;
  trm_var *e = initial(m, t, batch->graph), *sum = e;
  for (int k = 0; k < m->layers; ++k) {
    const double factor = k == m->layers - 1 ? share_of(m) : 1;
    e = product(m, t, batch->graph, e, k);
    sum = trm_op_combine(t, sum, factor, e, factor);
  }
  return sum;
}

/* E is needed at the nodes of the batch alone, so the last product makes their rows only. Where E_k is
 * read before the next product is made of it, the way back writes its gradient once, in that
 * product, and then adds to the rows of the batch. */
static trm_var *loss(void *self, trm_tape *t, const trm_batch *batch) {
  const lightgcn *m = self;
  const trm_graph_batch *graph = batch->graph;
  trm_var *e = initial(m, t, graph);
  trm_var *z = trm_op_collect(t, e, graph->collection), *sum = z;
  for (int k = 0; k + 1 < m->layers; ++k) {
    e = product(m, t, graph, e, k);
    sum = trm_op_combine(t, sum, 1, trm_op_collect(t, e, graph->collection), 1);
  }
  trm_var *last = trm_op_collect_spmm(t, e, graph->last, graph->collection);
  sum = trm_op_combine(t, sum, share_of(m), last, share_of(m));
  return trm_op_bpr(t, sum, z, graph->triplets, m->l2);
}

static int n_hops(const void *self) {
  return ((const lightgcn *)self)->layers;
}

const trm_model_kind trm_model_lightgcn = {TRM_MODEL_PART("lightgcn", &rows, &trm_gnn_hop_keys),
                                           .data = {"interactions"},
                                           .create = create,
                                           .destroy = destroy,
                                           .outputs = outputs,
                                           .loss = loss,
                                           .n_hops = n_hops};
