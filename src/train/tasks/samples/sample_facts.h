/** What a checkpoint keeps of a data set of samples, so that texts can be read and written without it. */
#ifndef TRIREME_TRAIN_SAMPLE_FACTS_H
#define TRIREME_TRAIN_SAMPLE_FACTS_H

#include "task.h"
#include "trireme/input/sample_batches.h"

/** Borrowed from the facts. */
typedef struct trm_sample_facts {
  trm_sample_input input;
  trm_sample_target target;
  trm_vocab input_vocab, target_vocab; /* the target's: of tokens */
  bool shared_vocab;
  trm_texts classes;      /* names; n = 0: there are none */
  double mean, deviation; /* of numbers */
} trm_sample_facts;

trm_status trm_sample_facts_put(trm_facts *facts, const trm_sample_view *view);
/** Whether the names of classes are the same in both, or in neither. */
bool trm_sample_facts_same_classes(const trm_facts *a, const trm_facts *b);
/** `path` is the checkpoint's. @return TRM_ERR_DATA where it was trained on something else */
trm_status trm_sample_facts_get(const trm_facts *facts, const char *path, trm_sample_facts *out);
/** Whether the data set is one that the model can work on; the view takes mean and deviation over. */
trm_status trm_sample_facts_check(const trm_facts *facts, const char *path, trm_task_use use,
                                  trm_sample_view *view);

#endif
