/**
 * The tape: the record of one forward pass over one block, walked backwards for gradients.
 *
 * Models call operators (ops.h) on variables and read like their papers: errors are sticky, so no
 * call needs a check; ask trm_tape_status at the end. All memory comes from one arena whose size
 * is found by a dry pass (shapes only) and which is reset at each begin: a step does not allocate.
 *
 * Not collective; one thread drives a tape, kernels are parallel inside.
 */
#ifndef TRIREME_NN_TAPE_H
#define TRIREME_NN_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/memory.h"
#include "trireme/core/status.h"
#include "trireme/math/real.h"
#include "trireme/nn/params.h"

typedef struct trm_tape trm_tape;

/** A dense array of rank <= 4 in the tape's arena (or, for parameters, in the flat array). */
typedef struct trm_var {
  int n_dims;
  int64_t dims[4];
  int64_t n;      /* elements */
  trm_real *data; /* NULL in a dry pass, or */
  trm_bf16 *bf16; /* in place of data: rounded, for products alone (trm_tape_operand) */
  trm_real *grad; /* NULL until the backward pass reaches it, and in a dry pass */
  int param;      /* row of the parameter table, -1 for others */
  bool needs_grad;
  bool has_grad;              /* the gradient has been written in this backward pass */
  bool consumed;              /* an operator took over its memory: using it again is a bug */
  int n_uses;                 /* operators that read it so far */
  const struct trm_op *maker; /* operator that made it, NULL for parameters and inputs */
  const int64_t *blocks;      /* [pass.n_blocks + 1] first row of each block; NULL: not in blocks */
} trm_var;

/**
 * A pass over several blocks at once, for models whose blocks need each other's activations (a whole
 * graph): rows of activations belong to blocks, operators that work row by row are run block by
 * block, and so is what they give to parameters. A parameter is used by one operator in such a pass.
 */
typedef struct trm_block_sink {
  void *context;
  /** Where block `block` of the pass writes the gradients of parameters (flat), or adds them. */
  trm_real *(*target)(void *context, int block, bool *add);
  /** Block `block` has written elements [offset, offset + n); blocks come in order. */
  void (*merge)(void *context, int block, int64_t offset, int64_t n);
  /** Elements [offset, offset + n) were written for all blocks at once, where block 0 writes. */
  void (*whole)(void *context, int64_t offset, int64_t n);
} trm_block_sink;

enum { TRM_PASS_MAX_BLOCKS = 4096 };

/** Whether products may keep weights in the form they read (math/product.h) for passes to come; a dry
 *  pass says so too, for memory to be there. */
typedef enum trm_weights_use {
  TRM_WEIGHTS_ONCE,  /* this pass is on its own */
  TRM_WEIGHTS_FIRST, /* others follow with the same weights */
  TRM_WEIGHTS_SAME,  /* the weights are those of the last pass that said FIRST */
} trm_weights_use;

/** A change of a pass's input, whose gradient is wanted: for attacks. Elements are in the order of the
 *  variable that trm_op_nudge is given; n must be its size. A dry pass reads whether there is one, and
 *  tells its size (trm_tape_nudge_size). */
typedef struct trm_nudge {
  int64_t n;
  const trm_real *values; /* [n] added to it; NULL: 0 */
  trm_real *grad;         /* [n] its gradient, written by the backward pass; NULL: none is wanted */
} trm_nudge;

/** What a pass is for; the random numbers of operators are keyed by it, never by the layout. */
typedef struct trm_pass {
  bool training; /* dropout on */
  bool dry;      /* shapes only: sizes the arena */
  bool bounds;   /* dry: shapes are upper bounds; passes with smaller ones must fit too */
  uint64_t seed;
  int64_t step;
  int64_t sample0;        /* index in the global batch of this block's first sample */
  trm_real *grads;        /* flat gradient array, NULL: no backward pass will follow, or only for */
  const trm_nudge *nudge; /* this; NULL: nothing is changed. Kept for the pass (trm_tape_nudge) */
  double loss_scale;      /* of losses and so of gradients; 0: 1 */
  double loss_before;     /* what the sum of losses goes on from */
  bool add;               /* add to grads instead of writing it */
  /* A parameter's gradient may be added on to the same parameter's in n_merges arrays that lie
   * merge_step elements apart below grads, the next lower first: the last one gets the sum. What was
   * not comes out in grads (trm_tape_merged). */
  int n_merges;
  int64_t merge_step;
  trm_weights_use weights_use;
  double weight; /* samples of the block that count, where statistics of blocks are averaged */
  int n_blocks;  /* 0: one block, as above; else sample0, grads, add and weight are not used, but */
  const trm_block_sink *sink; /* this, NULL: no backward pass will follow */
  const double *weights;      /* [n_blocks] and this */
  /* Sequences in such a pass (texts of nodes); NULL: there are none. */
  const int64_t *sequence_blocks; /* [n_blocks + 1] first row of each block's */
  const int32_t *row_ids;         /* [rows of all sequences] key the random numbers of rows */
} trm_pass;

/** Keeps `params` (must outlive the tape, sealed). @return TRM_ERR_MEMORY */
trm_status trm_tape_create(trm_params *params, trm_tape **out);
/** *tape may be NULL, and is afterwards. */
void trm_tape_destroy(trm_tape **tape);

/** Starts a pass: forgets the last one. A pass that is not dry needs trm_tape_reserve first. */
void trm_tape_begin(trm_tape *tape, const trm_pass *pass);
/** From here on `nudge` (kept for the pass, NULL: none) is the pass's: where a pass runs a model twice, and
 *  means one of them. Whoever wants gradients for one says so before. */
void trm_tape_nudge(trm_tape *tape, const trm_nudge *nudge);
/** Elements of the variable that was nudged last in this pass; -1: none was. */
int64_t trm_tape_nudge_size(const trm_tape *tape);
/** The pass that was started last. */
const trm_pass *trm_tape_pass(const trm_tape *tape);
/** Reserves the arena at the high-water mark of all dry passes so far, and memory for the weights that they
 *  said to keep packed (weights_use). @return TRM_ERR_MEMORY */
trm_status trm_tape_reserve(trm_tape *tape);
/** Bytes that are reserved. */
size_t trm_tape_arena_bytes(const trm_tape *tape);
/** Bytes of the weights that are kept packed. */
size_t trm_tape_packed_bytes(const trm_tape *tape);
/** First failure of this pass, TRM_OK if none: TRM_ERR_ARG (shapes that do not fit, too many
 *  operators), TRM_ERR_MEMORY. */
trm_status trm_tape_status(const trm_tape *tape);

/** The variable of a parameter; the same one on every call in a pass. */
trm_var *trm_tape_param(trm_tape *tape, int param);
/** A variable on the caller's data[product of dims] (borrowed for the pass; NULL in a dry one), without
 *  gradient unless asked. `dims` has n_dims entries, at most 4. */
trm_var *trm_tape_input(trm_tape *tape, trm_real *data, int n_dims, const int64_t *dims,
                        bool needs_grad);

/**
 * Says that x, which has just been made, will be read by matrix products alone (x of trm_op_linear,
 * trm_op_linear_xent and trm_op_linear_top_k): another reader is a bug (TRM_ASSERT). Where these round
 * it to bfloat16 (trm_gemm_bf16) it is kept so from here on, in half the memory; no bit of a result
 * changes. Nothing happens where x is not what was made last, has been read, or is read back by the
 * operator that made it (attention).
 * @return x
 */
trm_var *trm_tape_operand(trm_tape *tape, trm_var *x);

/** Called when the gradient of a parameter is complete for this pass. */
typedef void (*trm_grad_ready)(void *context, int param);
/** Called after each operator of the backward pass, for polling communication. */
typedef void (*trm_tape_between)(void *context);

/**
 * Walks back from the scalar `loss` with d(loss) = 1 (pass.loss_scale). Every parameter's gradient ends
 * up in pass.grads (0 for parameters the pass did not use); `ready` is called once for each, `between`
 * after each operator; both may be NULL. Once a pass; nothing happens after a failure. Without
 * pass.grads only the nudge's gradient is computed, and `ready` is not called.
 */
void trm_tape_backward(trm_tape *tape, trm_var *loss, trm_grad_ready ready,
                       trm_tape_between between, void *context);

/** An operator that the last pass ran, for who shows what a model is made of. */
typedef struct trm_tape_step {
  const char *name;  /* of the operator */
  const int *params; /* [n_params] parameters it read */
  int n_params;
  int n_dims;
  const int64_t *dims; /* [n_dims] of its output */
} trm_tape_step;
typedef void (*trm_tape_visitor)(void *context, const trm_tape_step *step);
/** Tells the operators of the last pass, a dry one too, in their order. */
void trm_tape_visit(const trm_tape *tape, trm_tape_visitor visit, void *context);

/** Whether the gradient of row `param` was merged by this pass (trm_pass). */
bool trm_tape_merged(const trm_tape *tape, int param);

/** Sum (times pass.loss_scale, from pass.loss_before on) and count of the losses added in this pass by
 *  operators (ops.h). The count is a number of rows, exact, or the sum of their weights. */
double trm_tape_loss_sum(const trm_tape *tape);
double trm_tape_loss_count(const trm_tape *tape);
/** Rows of cross-entropies by tiles (trm_op_linear_xent) whose target has the greatest logit. */
int64_t trm_tape_right(const trm_tape *tape);
/** The same of one block of a pass over several. */
void trm_tape_block_loss(const trm_tape *tape, int block, double *sum, double *count);

#endif
