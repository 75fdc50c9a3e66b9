/** The order of samples. */
#ifndef TRIREME_INPUT_PERMUTE_H
#define TRIREME_INPUT_PERMUTE_H

#include <stdint.h>

/** Keyed permutation of [0, n): Feistel network with cycle walking; O(1), no table.
 *  0 <= i < n <= 2^62. */
int64_t trm_permute(uint64_t key, int64_t n, int64_t i);

#endif
