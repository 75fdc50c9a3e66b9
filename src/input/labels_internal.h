/** Labels of classes in files of other tools. */
#ifndef TRIREME_INPUT_LABELS_INTERNAL_H
#define TRIREME_INPUT_LABELS_INTERNAL_H

#include "trireme/io/container.h"

/**
 * Reads labels of any type of whole numbers, or floats that are whole. One that is missing becomes -1: it is
 * -1 in the file, NaN, or what -1 becomes in an unsigned type, its largest value (255 of u8), unless that may be
 * a class: where so many are told, or the one before it is there too.
 *
 * @param[in]  told    how many classes there are, -1: the file does not say
 * @param[out] labels  [n] n must be the array's length
 * @return TRM_ERR_DATA for a value that is no label, and where the largest value is beside one class alone and
 *         may be the other or none
 */
trm_status trm_labels_read(trm_container *file, const char *name, int64_t told, int32_t *labels,
                           int64_t n);

#endif
