/* Running an operator: on all rows at once, or, in a pass over several blocks, on those of each. */
#include "tape_parts.h"

const int64_t *trm_node_blocks_of_inputs(const trm_node *node) {
  const int64_t *blocks = NULL;
  if (!node->op->rowwise) return NULL;
  for (int i = 0; i < node->n_in; ++i) {
    if (!node->in[i] || node->in[i]->param >= 0) continue;
    if (!node->in[i]->blocks) return NULL;
    blocks = node->in[i]->blocks;
  }
  return blocks;
}

bool trm_node_in_blocks(const trm_tape *tape, const trm_node *node) {
  return tape->pass.n_blocks > 0 && node->op->rowwise && node->out->blocks;
}

/* A variable cut down to the rows of one block. */
static void cut_rows(trm_var *v, int64_t first, int64_t n) {
  const int64_t width = v->dims[0] > 0 ? v->n / v->dims[0] : 0;
  v->dims[0] = n;
  v->n = n * width;
  if (v->data) v->data += first * width;
  if (v->bf16) v->bf16 += first * width;
  if (v->grad) v->grad += first * width;
}

/* A node as one block sees it. */
typedef struct part {
  trm_node node;
  trm_var in[TRM_OP_MAX_INPUTS], out;
} part;

static void make_part(trm_tape *tape, const trm_node *node, int block, part *p) {
  const int64_t first = node->out->blocks[block], n = node->out->blocks[block + 1] - first;
  p->node = *node;
  for (int i = 0; i < node->n_in; ++i) {
    if (!node->in[i] || node->in[i]->param >= 0) continue; /* parameters are whole */
    p->in[i] = *node->in[i];
    cut_rows(&p->in[i], first, n);
    p->node.in[i] = &p->in[i];
  }
  if (!node->op->sums_rows) {
    p->out = *node->out;
    cut_rows(&p->out, first, n);
    p->node.out = &p->out;
  }
  for (int i = 0; i < TRM_OP_MAX_SAVED; ++i) {
    if (!node->saved[i]) continue;
    p->node.saved[i] += (node->saved_by_block ? block : first) * node->n_saved[i];
  }
  tape->block = block;
  tape->row = first;
}

void trm_node_run_forward(trm_tape *tape, trm_node *node) {
  if (!trm_node_in_blocks(tape, node)) {
    node->op->forward(tape, node);
    return;
  }
  trm_real sum = 0;
  for (int k = 0; k < tape->pass.n_blocks; ++k) {
    part p;
    make_part(tape, node, k, &p);
    node->op->forward(tape, &p.node);
    if (node->op->sums_rows) sum += node->out->data[0];
  }
  if (node->op->sums_rows) node->out->data[0] = sum;
  tape->block = 0;
  tape->row = 0;
}

void trm_node_run_backward(trm_tape *tape, trm_node *node) {
  const trm_block_sink *sink = tape->pass.sink;
  if (!trm_node_in_blocks(tape, node)) {
    node->op->backward(tape, node);
    for (int i = 0; sink && i < node->n_in; ++i) {
      if (!node->in[i] || node->in[i]->param < 0) continue;
      const trm_param *row = &tape->params->rows[node->in[i]->param];
      sink->whole(sink->context, row->offset, row->n);
    }
    return;
  }
  for (int k = 0; k < tape->pass.n_blocks; ++k) {
    part p;
    make_part(tape, node, k, &p);
    node->op->backward(tape, &p.node);
    for (int i = 0; sink && i < node->n_in; ++i) {
      if (!node->in[i] || node->in[i]->param < 0) continue;
      const trm_param *row = &tape->params->rows[node->in[i]->param];
      sink->merge(sink->context, k, row->offset, row->n);
      tape->param_touched[node->in[i]->param] = false; /* each block writes its own */
    }
  }
  for (int i = 0; i < node->n_in; ++i) {
    trm_var *v = node->in[i];
    if (!v) continue;
    if (v->param >= 0)
      tape->param_touched[v->param] = true;
    else if (v->needs_grad)
      v->has_grad = true;
  }
  tape->block = 0;
  tape->row = 0;
}
