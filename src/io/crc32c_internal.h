/** Private to the event writer: CRC-32C (Castagnoli), reflected polynomial 0x82f63b78. */
#ifndef TRIREME_SRC_CRC32C_INTERNAL_H
#define TRIREME_SRC_CRC32C_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

uint32_t trm_crc32c(const void *data, size_t bytes);

/** TFRecord stores (crc rotated right by 15) + 0xa282ead8, so that a CRC over data that holds CRCs
 *  stays useful. */
uint32_t trm_crc32c_masked(const void *data, size_t bytes);

#endif
