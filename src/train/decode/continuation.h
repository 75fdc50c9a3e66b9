/**
 * One text that goes on, token by token: keys and values of what was read are kept. A model sees at most
 * its context: where a text has grown past it, the newer half of what was seen is read anew, from the
 * first place on, and the older half is forgotten. Not collective.
 */
#ifndef TRIREME_TRAIN_CONTINUATION_H
#define TRIREME_TRAIN_CONTINUATION_H

#include "kept_rows.h"
#include "trireme/train/learner.h"

typedef struct trm_continuation_reader {
  trm_learner *learner; /* borrowed */
  int64_t context;
  int64_t first, n_kept; /* token of the text at the first place; places that are kept */
  trm_sequences keys;
  trm_kept_rows kept;
  int32_t *places; /* [context] 0, 1, ...: also rows that keys and values go to */
  bool begun;      /* the weights are packed */
} trm_continuation_reader;

/** Plans passes; the tape must be reserved afterwards. Keeps the learner. After a failure too, *r is for
 *  trm_continuation_free. @return TRM_ERR_MEMORY */
trm_status trm_continuation_begin(trm_learner *learner, trm_continuation_reader *r);
void trm_continuation_free(trm_continuation_reader *r);
/** Reads what is new of text[n], n >= 1, which only grows from call to call.
 *  @param[out] logits  of the next token, until the next call */
trm_status trm_continuation_read(trm_continuation_reader *r, const int32_t *text, int64_t n,
                                 const trm_real **logits);

#endif
