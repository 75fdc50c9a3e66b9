/**
 * The tail of the flat array: nine floats a block (loss sum and count, each cut into three floats
 * that add up to the double exactly, and a 64-bit hash cut into 24, 24 and 16 bits), then two status elements. All other ranks give 0 in a
 * block's place, so the sum over ranks returns each double unchanged, whatever the order.
 */
#ifndef TRIREME_PARALLEL_TAIL_INTERNAL_H
#define TRIREME_PARALLEL_TAIL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

int64_t trm_tail_elements(int64_t n_blocks);
void trm_tail_clear(float *tail, int64_t n_blocks);
void trm_tail_set_block(float *tail, int64_t block, double loss_sum, double count, uint64_t hash);
void trm_tail_set_status(float *tail, int64_t n_blocks, bool failed, bool stop);
/** Blocks are added, and their hashes chained, in order. */
void trm_tail_read(const float *tail, int64_t n_blocks, double *loss_sum, double *count,
                   uint64_t *hash, int *n_failed, bool *stop);

#endif
