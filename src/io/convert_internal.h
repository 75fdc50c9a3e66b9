/** Private to the container: conversion between element types that never changes a value unnoticed. */
#ifndef TRIREME_SRC_CONVERT_INTERNAL_H
#define TRIREME_SRC_CONVERT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/io/container.h"

bool trm_dtype_is_float(trm_dtype dtype);

/**
 * Converts n elements. A float read as an integer must be whole and at most 2^53, an integer must fit, and an integer read as a float must be exact; a double
 * may lose digits as a float but not become infinite.
 * @return n, or the index of the first element that does not fit
 */
int64_t trm_convert(const void *from, trm_dtype from_type, int64_t n, void *to, trm_dtype to_type);

/** Text of an element, for messages. */
const char *trm_element_text(const void *data, trm_dtype dtype, int64_t index, char text[32]);

#endif
