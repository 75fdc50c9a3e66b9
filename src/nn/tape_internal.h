/**
 * What operators see of the tape: nodes, the table of functions an operator fills in, and the
 * generic code that applies one.
 */
#ifndef TRIREME_NN_TAPE_INTERNAL_H
#define TRIREME_NN_TAPE_INTERNAL_H

#include "trireme/core/batch.h"
#include "trireme/core/random.h"
#include "trireme/math/xent.h"
#include "trireme/nn/tape.h"

typedef struct trm_op trm_op;
typedef struct trm_node trm_node;
typedef struct trm_op_case trm_op_case;

enum { TRM_OP_MAX_INPUTS = 5, TRM_OP_MAX_SAVED = 2, TRM_OP_ATTR_BYTES = 128 };

/** Result of an operator's shape rule: no memory is taken before it has agreed. */
typedef struct trm_shape {
  int n_dims;
  int64_t dims[4];
  int64_t saved[TRM_OP_MAX_SAVED];           /* elements kept for the backward pass */
  int64_t scratch_forward, scratch_backward; /* elements needed during one call */
  const int64_t *blocks; /* first row of each block, where the output does not have its input's */
  bool saved_by_block;   /* `saved` is what one block of rows keeps, not all rows together */
} trm_shape;

/** An operator. All slots are required. */
struct trm_op {
  const char *name;
  /** Fills *shape, or fails with a message that names the operator and the shapes. */
  trm_status (*shape)(const trm_node *node, trm_shape *shape);
  void (*forward)(trm_tape *tape, trm_node *node);
  /** Adds into the gradients of the inputs that need one (trm_node_grad). */
  void (*backward)(trm_tape *tape, trm_node *node);
  /** Builds small case number `variant` for the gradient check; NULL when there are no more. */
  trm_var *(*sample)(trm_op_case *c, int variant);
  bool reads_output; /* backward reads node->out->data: nobody may write over it, or round it */
  /** Row i of the output depends on row i of the inputs (and on parameters) alone, or, for statistics
   *  and losses, on the rows of its block. In a pass over several blocks such an operator is run block
   *  by block: it sees nodes whose variables are the block's rows, and what it keeps must be so many
   *  elements a row, or saved_by_block. */
  bool rowwise;
  bool sums_rows;  /* rowwise, but the output is one value, to which blocks add (a loss) */
  int matrix;      /* input that is a matrix of weights for products (trm_tape_packed); 0: none */
  bool turns;      /* input 0 is a matrix that is read transposed (trm_tape_transposed) */
  bool multiplies; /* products alone read input 0, numbers or trm_tape_operand's bfloat16 */
  bool starts;     /* the output needs a gradient where the nudge does, whatever its inputs do */
};

/** One application of an operator. */
struct trm_node {
  const trm_op *op;
  trm_var *in[TRM_OP_MAX_INPUTS]; /* NULL where an optional one is absent */
  int n_in;
  trm_var *out;
  trm_real *saved[TRM_OP_MAX_SAVED];
  int64_t n_saved[TRM_OP_MAX_SAVED]; /* elements of a row, or (saved_by_block) of a block */
  bool saved_by_block;
  trm_real *scratch; /* valid during forward and backward */
  int64_t scratch_backward;
  _Alignas(16) unsigned char attr[TRM_OP_ATTR_BYTES];
};

/** The operator's own attributes, a struct known to its file only. */
#define TRM_ATTR(node, type) ((type *)(void *)(node)->attr)

/**
 * Applies `op`: shape rule, memory, forward (unless dry), and the record for the backward pass.
 * Never returns NULL: after a failure it returns a variable that later calls ignore.
 */
trm_var *trm_tape_apply(trm_tape *tape, const trm_op *op, trm_var *const *in, int n_in,
                        const void *attr, size_t attr_bytes);
/**
 * The same with the output written over input `over`, whose producer must not read it back.
 * Falls back to new memory when that input is not free to be taken over.
 */
trm_var *trm_tape_apply_over(trm_tape *tape, const trm_op *op, trm_var *const *in, int n_in,
                             const void *attr, size_t attr_bytes, int over);

/**
 * Where the gradient of input `i` goes; NULL when it needs none (or is absent). *add tells whether
 * to add or to write. In a dry pass the memory is counted and NULL returned.
 */
trm_real *trm_node_grad(trm_tape *tape, trm_node *node, int i, bool *add);

/** How the gradient of input i, a parameter, may be merged into lower arrays as it is written
 *  (trm_pass): 0 where not. To be asked before trm_node_grad, and then to be done. */
int trm_node_merges(trm_tape *tape, const trm_node *node, int i);
/** Weights `w` as products read them (transposed: w[N, K] stands for B[K, N]), kept for later passes;
 *  NULL where this pass, the dry one before it or the back end keeps none. Forward passes take them
 *  transposed, backward ones as they are; the operator says which input it is (trm_op.matrix). */
const trm_real *trm_tape_packed(trm_tape *tape, const trm_var *w, bool transposed);
/** Matrix `w` [N, K], a parameter, transposed [K, N]: made once a step, where passes of the step have the
 *  same weights. Of operators that turn it (trm_op.turns). */
const trm_real *trm_tape_transposed(trm_tape *tape, const trm_var *w);

/** Elements of a row: the length of the last axis, 1 for a scalar. */
static inline int64_t trm_var_width(const trm_var *v) {
  return v->n_dims > 0 ? v->dims[v->n_dims - 1] : 1;
}
/** Rows, all axes but the last taken together; 0 when they have no width. */
static inline int64_t trm_var_rows(const trm_var *v) {
  const int64_t width = trm_var_width(v);
  return width > 0 ? v->n / width : 0;
}

/** Fails with "operator NAME: ..." for shape rules. */
trm_status trm_op_fail(const trm_node *node, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Block that is being run, and its first row; 0 in a pass over one block. */
int trm_tape_block(const trm_tape *tape);
int64_t trm_tape_row(const trm_tape *tape);
/** Weight of the block that is being run (trm_pass). */
double trm_tape_block_weight(const trm_tape *tape);

/** Whether sequences cover n rows; a dry pass may have sizes alone. */
trm_status trm_op_check_sequences(const trm_node *node, const trm_sequences *s, int64_t n);
/** What a loss does in this pass: `how` (NULL: plain) when training, plain otherwise. */
trm_xent trm_xent_of_pass(const trm_tape *tape, const trm_xent *how);

/** Number of this dropout call in the pass, from 0: part of its random key. */
uint64_t trm_tape_next_dropout(trm_tape *tape);
/** Whether a backward pass may follow: of what forward passes keep for it alone. */
bool trm_tape_goes_back(const trm_tape *tape);
/** The pass has nudged a variable of n elements (trm_tape_nudge_size). */
void trm_tape_set_nudge_size(trm_tape *tape, int64_t n);
/** Records a loss of the block that is being run, for trm_tape_loss_sum. */
void trm_tape_add_loss(trm_tape *tape, double sum, double count);
/** Records rows whose target is the likeliest, for trm_tape_right. */
void trm_tape_add_right(trm_tape *tape, int64_t n);
/** The same of any block, for operators that are run once for all. */
void trm_tape_add_block_loss(trm_tape *tape, int block, double sum, double count);

/** Walks back from `out` with the given gradient [out->n] (borrowed). Again in the same pass (planned in a
 *  dry one alike): adds to the gradients of inputs. */
void trm_tape_backward_from(trm_tape *tape, trm_var *out, const trm_real *seed,
                            trm_grad_ready ready, trm_tape_between between, void *context);

/* ---- cases of the gradient check ----------------------------------------------------------- */

/**
 * A case asks for its inputs in a fixed order. On the first build the check draws them; on later
 * builds it hands out the same memory, where it has moved one element.
 */
enum { TRM_CASE_MAX = 8 };
struct trm_op_case {
  trm_tape *tape;
  trm_random_key key;
  int n_reals, n_ids; /* asked for so far in this build */
  int n_made, n_ids_made;
  trm_var *vars[TRM_CASE_MAX];
  trm_real *reals[TRM_CASE_MAX];
  int64_t n_elements[TRM_CASE_MAX];
  int32_t *ids[TRM_CASE_MAX];
};
/** A dense input of normal numbers. `gap` > 0 keeps values at least that far from 0 (kinks). */
trm_var *trm_case_real(trm_op_case *c, double gap, int n_dims, const int64_t *dims);
/** n ids in [low, high). */
const int32_t *trm_case_ids(trm_op_case *c, int64_t n, int32_t low, int32_t high);

/** All operators, one for each line of op_list.h. */
const trm_op *const *trm_ops(int *n_ops);

#endif
