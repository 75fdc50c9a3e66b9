/** Parts of labelled nodes that are dealt at random. */
#ifndef TRIREME_PREPARE_NODE_DEAL_H
#define TRIREME_PREPARE_NODE_DEAL_H

#include "trireme/prepare/graphs.h"

/**
 * Deals the nodes that have a label: of each class its shares, to the nearest, of which one is left to
 * train on; or so many of each class to train on, and the others to validate and to test. A function of
 * labels, numbers and seed.
 *
 * @param[out] subset  [n] 0, or trm_subset + 1
 * @param[in]  labels  [n] in [0, n_classes), -1: none
 * @return TRM_ERR_USAGE when a class or the rest has too few nodes
 */
trm_status trm_deal_nodes(const trm_node_deal *deal, const int32_t *labels, int64_t n,
                          int n_classes, uint8_t *subset);
/** Deals folds [0, n_folds) class by class, as even as can be. folds[n]: -1 where there is no label. */
trm_status trm_deal_folds(int64_t n_folds, uint64_t seed, const int32_t *labels, int64_t n,
                          int n_classes, int32_t *folds);

#endif
