/** Evaluation of the nodes of a graph under attack. */
#ifndef TRIREME_TRAIN_NODE_ATTACK_H
#define TRIREME_TRAIN_NODE_ATTACK_H

#include "task.h"
#include "whole.h"

/**
 * Changes the features of all nodes at once, each in a ball of its own, against the loss of those that have
 * a target. `whole` goes backwards, over all nodes; targets[own rows], -1: not asked. Collective.
 */
trm_status trm_node_attack(trm_task *task, trm_whole *whole, const int32_t *targets,
                           trm_learner *learner, const trm_attack_options *options,
                           trm_robustness *result);

#endif
