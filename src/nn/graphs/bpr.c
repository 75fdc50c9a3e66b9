/*
 * Bayesian personalised ranking. Every process has the rows of all nodes of the batch and makes the
 * gradient from all triplets, so that nothing has to be sent back; the loss it records is that of its
 * own triplets, block by block.
 */
#include "tape_internal.h"
#include "trireme/math/kernels.h"
#include "trireme/nn/ops.h"

enum { E, Z };
enum { SLOPE };

typedef struct ranking {
  const trm_triplets *triplets; /* borrowed for the pass */
  trm_real l2;
} ranking;

static trm_status shape(const trm_node *node, trm_shape *shape) {
  const trm_var *e = node->in[E], *z = node->in[Z];
  const trm_triplets *t = TRM_ATTR(node, ranking)->triplets;
  if (e->n_dims != 2 || z->n_dims != 2 || e->dims[0] != z->dims[0] || e->dims[1] != z->dims[1] ||
      e->dims[0] != t->uses->n_rows) {
    return trm_op_fail(node, "e is [%lld, %lld], z [%lld, %lld], for %lld nodes",
                       (long long)e->dims[0], (long long)e->dims[1], (long long)z->dims[0],
                       (long long)z->dims[1], (long long)t->uses->n_rows);
  }
  if (!(TRM_ATTR(node, ranking)->l2 >= 0)) {
    return trm_op_fail(node, "l2 is %g", (double)TRM_ATTR(node, ranking)->l2);
  }
  shape->n_dims = 1;
  shape->dims[0] = 1;
  shape->saved[SLOPE] = t->n;
  shape->scratch_forward = t->n;
  return TRM_OK;
}

static void forward(trm_tape *tape, trm_node *node) {
  const ranking *a = TRM_ATTR(node, ranking);
  const trm_triplets *t = a->triplets;
  const trm_real *loss = node->scratch;
  const int n_blocks = trm_tape_pass(tape)->n_blocks > 0 ? trm_tape_pass(tape)->n_blocks : 1;
  double sum = 0;
  trm_bpr_forward(node->scratch, node->saved[SLOPE], node->in[E]->data, node->in[Z]->data, t->users,
                  t->positives, t->negatives, t->n, node->in[E]->dims[1], a->l2);
  for (int k = 0; k < n_blocks; ++k) {
    double block = 0;
    for (int64_t i = t->blocks[k]; i < t->blocks[k + 1]; ++i) block += (double)loss[t->first + i];
    trm_tape_add_block_loss(tape, k, block, (double)(t->blocks[k + 1] - t->blocks[k]));
    sum += block;
  }
  node->out->data[0] = (trm_real)sum;
}

static void backward(trm_tape *tape, trm_node *node) {
  const ranking *a = TRM_ATTR(node, ranking);
  const trm_triplets *t = a->triplets;
  const trm_real dloss = node->out->grad[0];
  const int64_t C = node->in[E]->dims[1];
  bool add;
  trm_real *de = trm_node_grad(tape, node, E, &add);
  if (de) {
    trm_bpr_backward(de, node->in[E]->data, node->saved[SLOPE], t->uses, t->users, t->positives,
                     t->negatives, dloss, C, add);
  }
  trm_real *dz = trm_node_grad(tape, node, Z, &add);
  if (dz) trm_bpr_decay_backward(dz, node->in[Z]->data, t->uses, dloss * a->l2, C, add);
}

static trm_var *sample(trm_op_case *c, int variant) {
  if (variant > 3) return NULL;
  static const int32_t users[] = {0, 1, 0, 1, 4}, positives[] = {2, 3, 3, 2, 2};
  static const int32_t negatives[] = {3, 2, 5, 5, 3};
  static int64_t offsets[8], blocks[2];
  static int32_t columns[15];
  static trm_csr uses;
  static trm_triplets triplets;
  const int64_t n[] = {1, 5, 0, 5}, C[] = {1, 3, 2, 17}, nodes = 6;
  const double l2[] = {0, 0.1, 0.1, 0.2};
  int64_t at = 0;
  for (int32_t k = 0; k < nodes; ++k) {
    for (int32_t t = 0; t < n[variant]; ++t) {
      if (users[t] == k) columns[at++] = 3 * t;
      if (positives[t] == k) columns[at++] = 3 * t + 1;
      if (negatives[t] == k) columns[at++] = 3 * t + 2;
    }
    offsets[k + 1] = at;
  }
  uses = (trm_csr){nodes, 3 * n[variant], at, offsets, columns, NULL, NULL};
  blocks[1] = n[variant];
  triplets = (trm_triplets){n[variant], users, positives, negatives, 0, blocks, &uses};
  trm_var *e = trm_case_real(c, 0, 2, (int64_t[]){nodes, C[variant]});
  if (variant == 3) return trm_op_bpr(c->tape, e, e, &triplets, l2[variant]);
  trm_var *z = trm_case_real(c, 0, 2, (int64_t[]){nodes, C[variant]});
  return trm_op_bpr(c->tape, e, z, &triplets, l2[variant]);
}

const trm_op trm_op_table_bpr = {
    .name = "bpr", .shape = shape, .forward = forward, .backward = backward, .sample = sample};

trm_var *trm_op_bpr(trm_tape *tape, trm_var *e, trm_var *z, const trm_triplets *triplets,
                    double l2) {
  const ranking a = {triplets, (trm_real)l2};
  return trm_tape_apply(tape, &trm_op_table_bpr, (trm_var *[]){e, z}, 2, &a, sizeof a);
}
