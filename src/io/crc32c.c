/* CRC-32C bit by bit: records of some 40 bytes, a few a second, are not worth a table. */
#include "crc32c_internal.h"

uint32_t trm_crc32c(const void *data, size_t bytes) {
  const unsigned char *p = data;
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < bytes; ++i) {
    crc ^= p[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (UINT32_C(0x82f63b78) & -(crc & 1));
  }
  return ~crc;
}

uint32_t trm_crc32c_masked(const void *data, size_t bytes) {
  const uint32_t crc = trm_crc32c(data, bytes);
  return ((crc >> 15) | (crc << 17)) + UINT32_C(0xa282ead8);
}
