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
  *self = m;
  return TRM_OK;
out:
  destroy(m);
  return status;
}

/* E_0 and E, in the rows that leave the last hop. */
typedef struct vectors {
  trm_var *initial, *mean;
} vectors;

static vectors propagate(const lightgcn *m, trm_tape *t, const trm_graph_batch *batch) {
  const double share = 1 / (double)(m->layers + 1);
  trm_var *w = trm_tape_param(t, m->embedding);
  trm_var *e = trm_gnn_keep(trm_op_param_rows(t, w, batch->own_nodes, batch->n_own));
  vectors v = {e, e};
  for (int k = 0; k < m->layers; ++k) {
    const trm_gnn_hop at = trm_gnn_hop_at(batch, m->layers, k);
    const double factor = k == m->layers - 1 ? share : 1;
    e = trm_gnn_keep(trm_op_spmm(t, e, at.hop, TRM_NORM_SYMMETRIC, false));
    v.initial = trm_gnn_own(t, v.initial, &at);
    v.mean = trm_op_combine(t, trm_gnn_own(t, v.mean, &at), factor, e, factor);
  }
  return v;
}

static trm_var *outputs(void *self, trm_tape *t, const trm_batch *batch) {
  return propagate(self, t, batch->graph).mean;
}

static trm_var *loss(void *self, trm_tape *t, const trm_batch *batch) {
  const lightgcn *m = self;
  const trm_graph_batch *graph = batch->graph;
  const vectors v = propagate(m, t, graph);
  trm_var *e = trm_op_collect(t, v.mean, graph->collection);
  trm_var *z = trm_op_collect(t, v.initial, graph->collection);
  return trm_op_bpr(t, e, z, graph->triplets, m->l2);
}

static int n_hops(const void *self) {
  return ((const lightgcn *)self)->layers;
}

const trm_model_kind trm_model_lightgcn = {.name = "lightgcn",
                                           .data = "interactions",
                                           .create = create,
                                           .destroy = destroy,
                                           .outputs = outputs,
                                           .loss = loss,
                                           .n_hops = n_hops};
