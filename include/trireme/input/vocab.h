/** Vocabularies: what the token ids of a text stand for. Not collective. */
#ifndef TRIREME_INPUT_VOCAB_H
#define TRIREME_INPUT_VOCAB_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/core/status.h"
#include "trireme/io/container.h"

/**
 * A vocabulary by itself, as it is stored in checkpoints too (so that generate needs no data).
 *
 * unit      a token is
 * byte      one byte
 * char      one UTF-8 character, in rising order
 * word      what stands between white space, as it stands
 * symbol    the same: names of things, like phonemes
 * subword   a piece of a SentencePiece model, which the vocabulary holds; texts are those of the
 *           pieces, with U+2581 for a blank
 *
 * A special token stands for no text: one that is unknown, where a sequence begins, where it ends.
 * It has a name among the texts ("<unk>", "<s>", "</s>") and any id; the order and the checks of a
 * unit are those of the other tokens. White space is that of ASCII: blank, \t, \n, \v, \f, \r.
 */
typedef struct trm_vocab {
  char unit[16];
  int64_t n;
  int64_t *offsets;      /* [n + 1] into bytes */
  char *bytes;           /* UTF-8 texts (unit byte: any) one after another */
  int32_t unk, bos, eos; /* ids of the special tokens, -1: there is none */
  char *model; /* [n_model] subword: the SentencePiece model file, byte for byte; or NULL */
  int64_t n_model;
} trm_vocab;

/** Nothing: what a vocabulary is before it is filled (no special tokens, which 0 would mean). */
#define TRM_VOCAB_NONE ((trm_vocab){.unk = -1, .bos = -1, .eos = -1})

/** Whether a unit of this name exists. */
bool trm_vocab_unit_known(const char *unit);
/** "byte, char, word, symbol or subword", for messages. */
extern const char *const trm_vocab_units;
/** Whether a token is one of the special ones. */
bool trm_vocab_is_special(const trm_vocab *vocab, int64_t token);

/** Whether two vocabularies have the same unit, special tokens and model, and the same texts in the
 *  same order. */
bool trm_vocab_equal(const trm_vocab *a, const trm_vocab *b);
/** A copy with arrays of its own. @return TRM_ERR_MEMORY */
trm_status trm_vocab_copy(const trm_vocab *from, trm_vocab *to);
/** Releases the arrays; the vocabulary is TRM_VOCAB_NONE then. */
void trm_vocab_free(trm_vocab *vocab);
/** Checks a vocabulary that was read from a file: offsets from 0 and rising, n_bytes in all; special
 *  tokens in range and different; one byte or one UTF-8 character a token, characters in rising order,
 *  words without white space; no token twice; of subwords the texts and special tokens of the model.
 *  `label` (a file name) begins the message. @return TRM_ERR_DATA, TRM_ERR_MEMORY */
trm_status trm_vocab_check(const trm_vocab *vocab, int64_t n_bytes, const char *label);
/** Tokens of one text, by a tokenizer made for it alone: see trm_tokenizer_encode, whose errors it has.
 *  *tokens is a counted block (TRM_FREE). */
trm_status trm_vocab_encode(const trm_vocab *vocab, const char *text, int64_t bytes,
                            int32_t **tokens, int64_t *n);

/**
 * Writes a vocabulary: arrays group/offsets, group/bytes and, of subwords, group/model (uint8);
 * attributes of the group `unk`, `bos`, `eos`, each where there is that token, and `unit`. The unit of
 * group "/vocab" is an attribute of "/" instead: the place it has in a data set of kind text.
 */
trm_status trm_vocab_write(trm_container *file, const char *group, const trm_vocab *vocab);
/**
 * Reads and checks what trm_vocab_write wrote, or another program by the format page. Sizes are checked
 * before memory is taken. `path` names the file in messages.
 * @param[out] vocab  set on success alone; trm_vocab_free
 * @return TRM_ERR_DATA when the group has no vocabulary or a bad one, TRM_ERR_IO, TRM_ERR_MEMORY
 */
trm_status trm_vocab_read(trm_container *file, const char *path, const char *group,
                          trm_vocab *vocab);
/** The vocabulary of a SentencePiece model file's bytes, copied. `label` (a file name) begins the
 *  message. @return TRM_ERR_DATA when they are none, or when it has no token for what is unknown */
trm_status trm_vocab_of_model(const char *model, int64_t n_model, const char *label,
                              trm_vocab *vocab);

#endif
