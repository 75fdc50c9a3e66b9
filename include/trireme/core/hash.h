/** 64-bit content hashes (xxHash XXH3). */
#ifndef TRIREME_CORE_HASH_H
#define TRIREME_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** XXH3-64 of `bytes` bytes with a seed; chain by passing the last hash as the next seed. */
uint64_t trm_hash64(const void *data, size_t bytes, uint64_t seed);

#endif
