/**
 * SentencePiece with C linkage: the only C++ there is, so it takes and gives plain types, and messages
 * as text. Nothing throws. Not for use but by subword.c.
 */
#ifndef TRIREME_INPUT_SENTENCEPIECE_SHIM_H
#define TRIREME_INPUT_SENTENCEPIECE_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trm_shim trm_shim; /* a model */

enum { TRM_SHIM_MESSAGE_BYTES = 512 };

typedef enum trm_shim_status { TRM_SHIM_OK, TRM_SHIM_REFUSED, TRM_SHIM_MEMORY } trm_shim_status;

typedef struct trm_shim_error {
  char message[TRM_SHIM_MESSAGE_BYTES]; /* of SentencePiece, without its source lines */
} trm_shim_error;

typedef enum trm_shim_type {
  TRM_SHIM_NORMAL,
  TRM_SHIM_UNKNOWN,
  TRM_SHIM_CONTROL, /* <s>, </s>, padding: no text */
  TRM_SHIM_BYTE,    /* "<0x0A>": one byte */
} trm_shim_type;

/** Gives room for n things of `size` bytes, to be filled with a result; NULL: there is none. */
typedef void *(*trm_shim_room)(void *context, int64_t n, int64_t size);
/** Gives the next training text, borrowed until the next call; false: there is none. */
typedef bool (*trm_shim_next)(void *context, const char **text, int64_t *bytes);

trm_shim_status trm_shim_open(const char *model, int64_t bytes, trm_shim **out,
                              trm_shim_error *error);
void trm_shim_close(trm_shim *shim);
int32_t trm_shim_pieces(const trm_shim *shim);
/** Ids of the special tokens, -1: there is none. */
void trm_shim_specials(const trm_shim *shim, int32_t *unk, int32_t *bos, int32_t *eos);
/** The text of a piece as it stands in the model; borrowed. */
const char *trm_shim_text(const trm_shim *shim, int32_t piece, int64_t *bytes);
trm_shim_type trm_shim_type_of(const trm_shim *shim, int32_t piece);

/** Room is asked for once, for int32_t. */
trm_shim_status trm_shim_encode(const trm_shim *shim, const char *text, int64_t bytes,
                                trm_shim_room room, void *context, trm_shim_error *error);
/** Room is asked for once, for char. */
trm_shim_status trm_shim_decode(const trm_shim *shim, const int32_t *pieces, int64_t n,
                                trm_shim_room room, void *context, trm_shim_error *error);

typedef struct trm_shim_option {
  const char *name, *value;
} trm_shim_option;

/** Room is asked for once, for char. */
trm_shim_status trm_shim_train(const trm_shim_option *options, int n_options, trm_shim_next next,
                               void *texts, trm_shim_room room, void *context,
                               trm_shim_error *error);

#ifdef __cplusplus
}
#endif

#endif
