/** 64-bit content hashes (xxHash XXH3). */
#ifndef TRIREME_CORE_HASH_H
#define TRIREME_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** XXH3-64 of `bytes` bytes with a seed; chain by passing the last hash as the next seed. */
uint64_t trm_hash64(const void *data, size_t bytes, uint64_t seed);

/** Hash of a sequence of hashes, one more at a time, from 0. */
uint64_t trm_hash_chain(uint64_t hash, uint64_t next);

#endif
