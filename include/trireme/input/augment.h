/**
 * Augmentation: what is done to samples before a network is trained on them, in the order of a list.
 *
 * Each draw is keyed by (seed, epoch, sample, place in the list): no layout, thread, batch or restart
 * changes a pixel. Not collective; an open list does not change: any thread may use it.
 */
#ifndef TRIREME_INPUT_AUGMENT_H
#define TRIREME_INPUT_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trireme/core/status.h"

/** A list of operations. */
typedef struct trm_augment trm_augment;

/** What a list is to work on. */
typedef enum trm_augment_input {
  TRM_AUGMENT_IMAGES,
  TRM_AUGMENT_ROWS,
  TRM_AUGMENT_TOKENS,
  TRM_N_AUGMENT_INPUTS,
} trm_augment_input;

/**
 * Reads a list: operations separated by commas, each a name and its number, "crop 4, flip, cutout 8".
 *
 * @param[in]  key   that the list was given by, for messages
 * @param[in]  seed  of the run
 * @param[out] out   NULL when `text` is empty: nothing is done
 * @return TRM_ERR_CONFIG naming the operation and what there is for such inputs; TRM_ERR_MEMORY
 */
trm_status trm_augment_create(const char *key, const char *text, trm_augment_input input,
                              uint64_t seed, trm_augment **out);
/** NULL is accepted; sets NULL. */
void trm_augment_destroy(trm_augment **augment);
/** Prints every operation with its number and what it does, by what it is for. */
void trm_augment_help(FILE *file);

/** What is augmented. */
typedef struct trm_augment_sample {
  int64_t epoch, sample; /* both from 0; sample: number in the data set */
} trm_augment_sample;

/** An image in place: pixels[height, width, channels] in [0, 1]; `scratch` has as many. What is moved in
 *  from outside is `fill`[channels]. */
void trm_augment_image(const trm_augment *augment, trm_augment_sample sample, float *pixels,
                       float *scratch, int64_t height, int64_t width, int64_t channels,
                       const float *fill);
/** A row in place: values[n], of which the first n_numbers are scaled columns, the others flags and
 *  levels. */
void trm_augment_row(const trm_augment *augment, trm_augment_sample sample, float *values,
                     int64_t n_numbers, int64_t n);
/** Tokens in place; *n becomes no more, and stays at least 1. `unk`: the token that stands for what is
 *  hidden; the list was checked to need one only where there is one (trm_augment_needs_unk). */
void trm_augment_tokens(const trm_augment *augment, trm_augment_sample sample, int32_t *tokens,
                        int64_t *n, int32_t unk);
bool trm_augment_needs_unk(const trm_augment *augment);

/** Whether samples are mixed (mixup: Zhang et al. 2017, arXiv:1710.09412), which who fills a batch does:
 *  sample i of a block with the next, the last with the first. */
bool trm_augment_mixes(const trm_augment *augment);
/** Share in [0.5, 1] that a sample keeps of itself. */
double trm_augment_mix(const trm_augment *augment, trm_augment_sample sample);

#endif
