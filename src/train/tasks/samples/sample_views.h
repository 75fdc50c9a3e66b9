/**
 * What evaluations and predictions show a model of a sample: itself, or draws of eval.augment, over whose
 * outputs the mean is taken.
 * Source: Krizhevsky, Sutskever, Hinton 2012, "ImageNet classification with deep convolutional neural
 * networks", NIPS, section 4.1.
 */
#ifndef TRIREME_TRAIN_SAMPLE_VIEWS_H
#define TRIREME_TRAIN_SAMPLE_VIEWS_H

#include "task.h"
#include "trireme/input/sample_batches.h"

/** eval.augment and eval.views. */
extern const trm_config_rows trm_sample_views_keys;

typedef struct trm_sample_views {
  trm_augment *augment; /* owned; NULL: samples are shown as they are */
  int64_t n;            /* draws, from epoch 0 of the list on */
} trm_sample_views;

/**
 * Reads the keys. @return TRM_ERR_CONFIG for a list that does not fit the inputs, mixes samples, or is
 * given where targets are tokens; for several views without a list
 */
trm_status trm_sample_views_open(const trm_config *config, const trm_samples *data,
                                 trm_sample_views *views);
void trm_sample_views_free(trm_sample_views *views);

/** What a list of augmentation works on. */
trm_augment_input trm_sample_augments(const trm_samples *data);
/** That a list which hides tokens has one for what is unknown. @return TRM_ERR_CONFIG naming the key */
trm_status trm_sample_augment_check(const char *key, const char *list, const trm_augment *augment,
                                    const trm_samples *data);

#endif
