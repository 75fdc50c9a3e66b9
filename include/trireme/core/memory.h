/**
 * Memory: counted 64-byte aligned blocks for long-lived objects, and arenas for everything whose
 * lifetime is a step or a function. Sizes are signed 64-bit and checked once, here.
 */
#ifndef TRIREME_CORE_MEMORY_H
#define TRIREME_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trireme/core/status.h"

enum { TRM_ALIGN_BYTES = 64 };

/** Checked product of two counts; false when negative or past 2^62. */
bool trm_size_mul(int64_t a, int64_t b, int64_t *product);

/**
 * Allocates n * size bytes, zeroed and 64-byte aligned; n = 0 gives a valid unique pointer.
 * Blocks past 4 MiB ask the kernel for huge pages. Any thread may call it.
 * @param[out] out  set on success alone; given back with trm_free_bytes
 * @return TRM_ERR_MEMORY with a message that names `what` and the size; TRM_ERR_ARG when n is negative
 *         or the size past 2^62
 */
trm_status trm_alloc_bytes(void **out, int64_t n, size_t size, const char *what);
/** Gives a counted block back; NULL is accepted. */
void trm_free_bytes(void *block);

/** Typed allocation: TRM_ALLOC(&p, n, "what"). */
#define TRM_ALLOC(out, n, what) trm_alloc_bytes((void **)(out), (n), sizeof **(out), (what))
/** Frees and sets to NULL; NULL is accepted. */
#define TRM_FREE(pointer)                                                                          \
  do {                                                                                             \
    trm_free_bytes(pointer);                                                                       \
    (pointer) = NULL;                                                                              \
  } while (0)

/** For tests: counted blocks alive and ever allocated, of all threads together. */
typedef struct trm_alloc_counts {
  int64_t live_blocks, live_bytes, total_blocks;
} trm_alloc_counts;
trm_alloc_counts trm_alloc_counts_get(void);
/** For tests: one allocation fails with TRM_ERR_MEMORY, after n that do not; those that follow are
 *  served again. n < 0: none fails. */
void trm_alloc_fail_after(int64_t n);

/**
 * An arena hands out 64-byte aligned pieces of one reserved block and takes them all back at once.
 * A *dry* arena has no block: it hands out NULL and only counts, which is how a size is planned.
 */
typedef struct trm_arena {
  unsigned char *base; /* owned; NULL while dry */
  size_t capacity_bytes, used_bytes, high_bytes;
  bool dry;
} trm_arena;

/** Makes a dry arena that has counted nothing. */
void trm_arena_init_dry(trm_arena *arena);
/** Makes an arena with a block of its own; `arena` has none yet. `what` names it in the message.
 *  @return TRM_ERR_MEMORY */
trm_status trm_arena_reserve(trm_arena *arena, size_t capacity_bytes, const char *what);
/** Frees the block; the arena is dry and empty then. */
void trm_arena_release(trm_arena *arena);
/** Takes everything back that was handed out; high_bytes stays. */
void trm_arena_reset(trm_arena *arena);

/**
 * Hands out room for n things of `size` bytes.
 * @return 64-byte aligned memory, not zeroed (filled with NaN bytes in debug builds);
 *         NULL when dry. Running past the capacity is a bug (TRM_ASSERT): capacities are planned.
 */
void *trm_arena_take(trm_arena *arena, int64_t n, size_t size);
#define TRM_NEW(arena, type, n) ((type *)trm_arena_take((arena), (n), sizeof(type)))

/** Bytes a take of n * size adds to used_bytes (rounded up to the alignment). */
size_t trm_arena_cost(int64_t n, size_t size);

/** Highest resident memory of this process so far, in bytes (getrusage). */
int64_t trm_peak_resident_bytes(void);

#endif
