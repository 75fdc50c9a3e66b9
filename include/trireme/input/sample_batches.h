/**
 * Batches of samples (trireme/input/samples.h): which samples a step has, and their tokens one sample
 * behind the other, without padding. Not collective; knows nothing of MPI.
 */
#ifndef TRIREME_INPUT_SAMPLE_BATCHES_H
#define TRIREME_INPUT_SAMPLE_BATCHES_H

#include "trireme/core/batch.h"
#include "trireme/input/augment.h"
#include "trireme/input/samples.h"

/** How the columns of a table, or the channels of images, become numbers for a model: fitted to what is
 *  trained on (sample_scale.c). Owned by who made it; trm_sample_scale_free. */
typedef struct trm_sample_scale {
  int64_t n;             /* channels, or columns of numbers */
  float *center, *scale; /* [n] mean and deviation (1 where that is 0), of channels in [0, 1], of
                            columns in their own units */
  float *fill;           /* [n] columns: the median, for what is missing; NULL: images */
  uint8_t *flag;         /* [n] columns: 1: a value more says whether it is missing; NULL: images */
} trm_sample_scale;

/** What passes take of a data set. */
typedef struct trm_sample_view {
  const trm_samples *data; /* kept */
  trm_frame frame;
  const trm_sample_scale *scale; /* images, rows; kept */
  const trm_augment *augment; /* what is done to samples of training batches; NULL: nothing; kept */
  double mean, deviation;     /* numbers are handed on as (number - mean) / deviation */
  const float *class_weights; /* [classes], handed on; NULL: all 1 */
} trm_sample_view;

/** Fits the scale to samples ids[n] of the data: mean and deviation of channels or columns (of what is not
 *  missing), medians, which columns miss something. Sums are in double: of columns in the order of ids,
 *  of channels over how often there is each byte. Zeros where inputs are tokens.
 *  @return TRM_ERR_MEMORY */
trm_status trm_sample_scale_fit(const trm_samples *data, trm_ids ids, trm_sample_scale *scale);
/** NULL arrays are accepted; zeroes the struct. */
void trm_sample_scale_free(trm_sample_scale *scale);
/** Length of a row as the frame wants it: columns of numbers, flags of those with one, and, unless the
 *  frame has levels, one-hot levels, all zeros where one is missing. */
int64_t trm_sample_row_values(const trm_samples *data, const trm_sample_scale *scale,
                              trm_frame frame);

/** Rows of a sample that enter a model's input (1 of an image or a row), and its decoder (0 without one). */
int64_t trm_sample_input_rows(const trm_sample_view *view, int32_t sample);
int64_t trm_sample_output_rows(const trm_sample_view *view, int32_t sample);

/* ---- order ----------------------------------------------------------------------------------- */

typedef struct trm_sample_order_options {
  trm_sample_view view;
  trm_ids train; /* samples of an epoch, at least 1; kept */
  uint64_t seed;
  int64_t batch;        /* samples a step; 0: tokens count */
  int64_t batch_tokens; /* tokens a step, of inputs and outputs together, on average */
  int64_t n_blocks;     /* V */
  int64_t pool;         /* steps whose samples are sorted by length together, >= 1 */
} trm_sample_order_options;

/**
 * Which samples are in which block of a step: a function of (seed, step) alone, found in the time that
 * one pool takes. An epoch has each sample once and ends with a step. Its samples come in the order of
 * a keyed permutation; those of `pool` steps together are sorted by length and cut into batches of as
 * many samples (or of as many tokens), and the batches of the pool are taken in an order drawn anew.
 */
typedef struct trm_sample_order trm_sample_order;

/** Belongs to one thread. @return TRM_ERR_MEMORY */
trm_status trm_sample_order_create(const trm_sample_order_options *options, trm_sample_order **out);
/** NULL is accepted; sets NULL. */
void trm_sample_order_destroy(trm_sample_order **order);
/** Steps of an epoch, and the most samples that a step has. */
int64_t trm_sample_order_epoch_steps(const trm_sample_order *order);
int64_t trm_sample_order_most(const trm_sample_order *order);

/** The samples of a step. */
typedef struct trm_sample_step {
  const int64_t *ids;     /* of the stream: epoch * samples an epoch + place in `train`, by block */
  const int64_t *offsets; /* [V + 1] those of block b are ids[offsets[b]] .. ids[offsets[b + 1]] */
} trm_sample_step;
/** Valid until the next call. */
trm_sample_step trm_sample_order_step(trm_sample_order *order, int64_t step);

/** What no block exceeds, as sizes alone (for dry passes). */
trm_status trm_sample_order_bounds(const trm_sample_order_options *options,
                                   trm_sample_batch *bounds);

/* ---- reading ahead ---------------------------------------------------------------------------- */

typedef struct trm_sample_loader_options {
  trm_sample_order_options order;
  int64_t first_block, n_local; /* blocks of this caller */
  int64_t first_step, end_step;
  int depth; /* steps made ahead, >= 1 */
} trm_sample_loader_options;

/** A block of a step. */
typedef struct trm_sample_block {
  trm_sample_batch batch;
  const int64_t *samples; /* [batch.n] of the stream */
  int64_t sample0;        /* place of the first in the global batch */
} trm_sample_block;

/** Makes the blocks of this caller on a thread of its own. */
typedef struct trm_sample_loader trm_sample_loader;
trm_status trm_sample_loader_create(const trm_sample_loader_options *options,
                                    trm_sample_loader **out);
/** Waits for the next step: blocks[n_local], valid until the following call. */
trm_status trm_sample_loader_next(trm_sample_loader *loader, int64_t *step,
                                  const trm_sample_block **blocks);
/** NULL is accepted; sets NULL. */
void trm_sample_loader_destroy(trm_sample_loader **loader);

/* ---- passes over all of a list ----------------------------------------------------------------- */

/** Samples in groups of about as many tokens, for evaluation: groups depend on the list alone. */
typedef struct trm_sample_passes trm_sample_passes;
/** Sorts samples[n] by length, which is kept. */
trm_status trm_sample_passes_create(const trm_sample_view *view, const int32_t *samples, int64_t n,
                                    trm_sample_passes **out);
/** NULL is accepted; sets NULL. */
void trm_sample_passes_destroy(trm_sample_passes **passes);
int64_t trm_sample_passes_n(const trm_sample_passes *passes);
/** Group `g`: its samples and their batch, valid until the next call. */
trm_status trm_sample_passes_make(trm_sample_passes *passes, int64_t g, trm_sample_batch *batch,
                                  const int32_t **samples);
/** The same after view.augment, as in epoch `draw`; -1, or no list: samples as they are. */
trm_status trm_sample_passes_draw(trm_sample_passes *passes, int64_t g, int64_t draw,
                                  trm_sample_batch *batch, const int32_t **samples);
/** What no group exceeds, as sizes alone. */
void trm_sample_passes_bounds(const trm_sample_passes *passes, trm_sample_batch *bounds);

#endif
