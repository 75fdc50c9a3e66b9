/*
 * Maximum over edges. Of each element the id of the source that won is kept; the way back pulls over
 * the transpose, where a source looks for its own id among the winners of its targets.
 */
#include "hop_rows.h"
#include "tape_internal.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/nn/ops.h"

enum { WINNERS };
typedef struct neighbor_max {
  const trm_hop *hop; /* borrowed for the pass */
  bool self;
  bool keep; /* a backward pass may follow */
} neighbor_max;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const neighbor_max *m = TRM_ATTR(node, neighbor_max);
  TRM_TRY(trm_hop_shape(node, m->hop, shape));
  const int64_t C = shape->dims[1];
  if (m->keep) shape->saved[WINNERS] = m->hop->in.n_rows * C;
  shape->scratch_forward = trm_hop_sources_cost(m->hop, C);
  shape->scratch_backward = 2 * trm_hop_targets_cost(m->hop, C);
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  (void)tape;
  const neighbor_max *m = TRM_ATTR(node, neighbor_max);
  const trm_hop *hop = m->hop;
  const int64_t C = node->out->dims[1];
  trm_real *scratch = node->scratch;
  const trm_real *x = trm_hop_sources(hop, node->in[0]->data, C, &scratch);
  trm_neighbor_max(node->out->data, (trm_winner *)(void *)node->saved[WINNERS], x, &hop->in,
                   hop->self, m->self ? hop->in.n_rows : 0, hop->source_ids, C);
}

static void backward(trm_tape *tape, trm_node *node) {
  const neighbor_max *m = TRM_ATTR(node, neighbor_max);
  const trm_hop *hop = m->hop;
  const int64_t C = node->out->dims[1];
  bool add;
  trm_real *dx = trm_node_grad(tape, node, 0, &add);
  if (!dx) return;
  trm_real *scratch = node->scratch;
  const trm_real *dy = trm_hop_targets(hop, node->out->grad, C, &scratch);
  const trm_real *winners = trm_hop_targets(hop, node->saved[WINNERS], C, &scratch);
  trm_neighbor_max_backward(dx, dy, (const trm_winner *)(const void *)winners, &hop->out,
                            hop->self_of, m->self ? trm_hop_n_self_of(hop) : 0, hop->source_ids, C,
                            add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  static const struct {
    trm_case_graph graph;
    int64_t C;
    bool self;
  } cases[] = {
      {{1, 1, 1, false, false, false}, 1, false},  {{7, 7, 20, false, false, false}, 3, true},
      {{9, 4, 12, false, true, false}, 17, false}, {{9, 5, 16, true, true, true}, 2, true},
      {{8, 5, 3, false, false, false}, 9, false},  {{5, 0, 0, false, false, false}, 4, true}};
  if (variant >= (int)(sizeof cases / sizeof cases[0])) return NULL;
  const trm_case_graph *g = &cases[variant].graph;
  trm_var *x = trm_case_real(c, 0, 2, (int64_t[]){g->n_sources, cases[variant].C});
  return trm_op_neighbor_max(c->tape, x, trm_case_hop(c, g), cases[variant].self);
}

const trm_op trm_op_table_neighbor_max = {.name = "neighbor_max",
                                          .shape = shape,
                                          .forward = forward,
                                          .backward = backward,
                                          .sample = sample};

trm_var *trm_op_neighbor_max(trm_tape *tape, trm_var *x, const trm_hop *hop, bool self) {
  const neighbor_max m = {hop, self, trm_tape_goes_back(tape)};
  return trm_tape_apply(tape, &trm_op_table_neighbor_max, (trm_var *[]){x}, 1, &m, sizeof m);
}
