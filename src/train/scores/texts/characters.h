/** A text as code points. */
#ifndef TRIREME_TRAIN_CHARACTERS_H
#define TRIREME_TRAIN_CHARACTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/train/text_scores.h"

/** Code points, and room for more; {0} is empty. */
typedef struct trm_characters {
  uint32_t *at; /* [room], owned */
  int64_t n, room;
} trm_characters;

void trm_characters_free(trm_characters *text);
/** @return TRM_ERR_MEMORY */
trm_status trm_characters_push(trm_characters *text, uint32_t c);
/** Adds the code points of a line. @return TRM_ERR_MEMORY */
trm_status trm_characters_read(trm_characters *text, trm_line line);
/** What Python's str.split() splits at. */
bool trm_character_is_space(uint32_t c);

#endif
