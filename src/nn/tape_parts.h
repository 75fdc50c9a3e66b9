/** What the files of the tape share: its struct, and what one of them does for another. */
#ifndef TRIREME_NN_TAPE_PARTS_H
#define TRIREME_NN_TAPE_PARTS_H

#include <stddef.h>

#include "packs.h"
#include "tape_internal.h"

/* Nodes and variables come from chunks that are kept from pass to pass: pointers stay valid within
 * a pass, and only the first passes allocate. */
enum { TRM_TAPE_CHUNK = 64, TRM_TAPE_MAX_CHUNKS = 4096, TRM_TAPE_MAX_SPARE = 256 };

typedef struct trm_tape_record {
  trm_node node;
  trm_var var;     /* the node's output, or a parameter or input without node */
  size_t data_at;  /* of a node's output: var.data in the arena */
  bool grad_taken; /* var has memory for its gradient, */
  size_t grad_at;  /* here in the arena */
} trm_tape_record;

/* Gradients of activations that are spent: a place in the arena waiting for the same size. */
typedef struct trm_tape_spare {
  size_t at;
  int64_t n;
} trm_tape_spare;

struct trm_tape {
  trm_params *params; /* kept */
  trm_pass pass;
  trm_status status;
  trm_arena arena; /* owned; real once reserved */
  trm_arena plan;  /* dry: counts, and remembers the high-water mark of all dry passes */

  trm_tape_record *chunks[TRM_TAPE_MAX_CHUNKS]; /* owned */
  int n_chunks;
  int64_t n_records;
  trm_node **order; /* nodes in the order of the forward pass; owned, [order_capacity] */
  int64_t n_nodes, order_capacity;

  trm_var **param_vars; /* [params->n_rows], NULL until used in this pass; owned */
  int *param_uses;      /* nodes that still have to give their gradient */
  bool *param_touched;
  bool *param_merged; /* its gradient stands in the lowest array (trm_pass) */
  trm_packs *packs;   /* owned */
  trm_tape_spare spares[TRM_TAPE_MAX_SPARE];
  int n_spares;

  uint64_t n_dropouts;
  int64_t nudge_size;
  double loss_sum;
  double loss_count;
  int64_t n_right;
  /* In a pass over several blocks. */
  int block;            /* that is being run */
  int64_t row;          /* its first row */
  double *block_sums;   /* [TRM_PASS_MAX_BLOCKS] losses; owned */
  double *block_counts; /* [TRM_PASS_MAX_BLOCKS]; owned */
  trm_var invalid;      /* what a failed pass hands out */
};

/** The record a variable is part of. */
static inline trm_tape_record *trm_tape_record_of(trm_var *v) {
  return (trm_tape_record *)(void *)((unsigned char *)v - offsetof(trm_tape_record, var));
}

/** The arena of this pass. */
static inline trm_arena *trm_tape_arena(trm_tape *tape) {
  return tape->pass.dry ? &tape->plan : &tape->arena;
}

/** Whether gradients of parameters are wanted; a dry pass counts the memory for all of them. */
static inline bool trm_tape_trains(const trm_tape *tape) {
  return tape->pass.grads || tape->pass.sink || tape->pass.dry;
}

static inline double trm_tape_loss_scale(const trm_tape *tape) {
  return tape->pass.loss_scale != 0 ? tape->pass.loss_scale : 1;
}

/* tape.c */

/** A record with a variable that is no parameter; NULL when the tape has failed over it. */
trm_tape_record *trm_tape_new_record(trm_tape *tape);
/** Sets shape and size. @return false when there are too many elements to count */
bool trm_var_set_dims(trm_var *v, int n_dims, const int64_t *dims);

/* blocks.c */

/** Blocks of the rows an operator works on: those of its inputs, where all inputs with rows have them. */
const int64_t *trm_node_blocks_of_inputs(const trm_node *node);
/** Whether a node is run block by block in this pass. */
bool trm_node_in_blocks(const trm_tape *tape, const trm_node *node);
/** The operator's forward, whole or block by block. */
void trm_node_run_forward(trm_tape *tape, trm_node *node);
/** The operator's way back, in a pass over several blocks block by block: the sink is told of each
 *  parameter as a block is through with it, of one that no block has for itself once. */
void trm_node_run_backward(trm_tape *tape, trm_node *node);

/* apply.c */

/** In a dry pass that others follow with the same weights: which forms of them will be asked for. */
void trm_tape_plan_matrix(trm_tape *tape, const trm_node *node, bool transposed);

#endif
