/** Writing a data set: temporary file, publication; of kind text also the token stream. */
#ifndef TRIREME_INPUT_OUTPUT_INTERNAL_H
#define TRIREME_INPUT_OUTPUT_INTERNAL_H

#include <stdint.h>

#include "trireme/input/dataset.h"
#include "trireme/input/prepare.h"
#include "trireme/io/container.h"

/**
 * An output on its way. Zero it first; trm_output_abandon is always safe and is a no-op after
 * trm_output_publish.
 */
typedef struct trm_output {
  trm_container *file;
  char *path, *temporary;
  trm_dtype dtype;
  int64_t n_tokens; /* announced */
  int64_t n_written, n_pending;
  void *pending; /* [TRM_PIECE_TOKENS] dtype */
} trm_output;

/** Checks that the output can be where it shall be: a folder that exists, no folder by its name, none
 *  of the n inputs. */
trm_status trm_output_check_place(const char *output, const char *const *inputs, int n_inputs);
/** Checks options (unit, validation share) and the place of the output. */
trm_status trm_output_check(const trm_prepare_options *options, const char *const *inputs,
                            int n_inputs);

/** Creates the temporary file, empty: for trm_output_publish or trm_output_abandon. */
trm_status trm_output_create(trm_output *output, const char *path);
/** The root's four attributes. */
trm_status trm_output_head(trm_container *file, const char *kind, const char *source);
/** Creates the temporary file with attributes, vocabulary and an empty token array. */
trm_status trm_output_begin(trm_output *output, const char *path, const trm_vocab *vocab,
                            int64_t n_tokens, const char *source);
/** Appends tokens; more than announced is TRM_ERR_DATA (an input grew meanwhile). */
trm_status trm_output_put(trm_output *output, const uint16_t *tokens, int64_t n);
/** Writes the rest and the splits, train [0, n_train), valid the rest. */
trm_status trm_output_finish(trm_output *output, int64_t n_train);
/** Closes the file and gives it its name. */
trm_status trm_output_publish(trm_output *output);
void trm_output_abandon(trm_output *output);

/** Tokens of the training split: the first (1 - valid_share) n; both must have 2 at least. */
trm_status trm_output_split(int64_t n_tokens, double valid_share, const char *label,
                            int64_t *n_train);

/** A ragged list of names as group/offsets and group/bytes. */
trm_status trm_output_names(trm_container *file, const char *group, int64_t n,
                            const int64_t *offsets, const char *bytes);

void trm_output_progress(const trm_prepare_options *options, double share, const char *what);

#endif
