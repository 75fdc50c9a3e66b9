#include "trireme/core/hash.h"

#include <xxhash.h>

#include "trireme/core/random.h"

uint64_t trm_hash64(const void *data, size_t bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(data, bytes, seed);
}

uint64_t trm_hash_chain(uint64_t hash, uint64_t next) {
  return trm_mix64(hash ^ next);
}
