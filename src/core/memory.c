#include "trireme/core/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trireme/core/limits.h"

/*
 * Invariants
 * 1. Every block is preceded by a `block_header` of TRM_ALIGN_BYTES bytes.
 * 2. A block with map_bytes = 0 came from posix_memalign, its header first; any other is a private
 *    mapping that begins one page before the block and ends with a page that cannot be touched.
 */
enum { HUGE_PAGE_BYTES = 2 << 20, LARGE_BYTES = 4 << 20, ASKED_BYTES = 16 << 20 };

/* Sanitizers watch malloc, not mmap: under them every block keeps its exact end. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TRM_MAP_LARGE 0
#else
#define TRM_MAP_LARGE 1
#endif

#define LIVE_MAGIC UINT64_C(0x74726d5f6c697665) /* "trm_live" */
#define DEAD_MAGIC UINT64_C(0x74726d5f64656164)

typedef struct block_header {
  uint64_t magic;
  int64_t bytes;
  size_t map_bytes; /* of the whole mapping; 0 when malloc's */
} block_header;

_Static_assert(sizeof(block_header) <= TRM_ALIGN_BYTES, "the header fits before the block");

static atomic_int_fast64_t live_blocks, live_bytes, total_blocks;
static atomic_int_fast64_t fail_countdown = -1;

bool trm_size_mul(int64_t a, int64_t b, int64_t *product) {
  int64_t result;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &result)) return false;
  if (result > INT64_C(1) << 62) return false;
  *product = result;
  return true;
}

static bool must_fail_now(void) {
  if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0) return false;
  return atomic_fetch_sub(&fail_countdown, 1) == 0;
}

/* Memory beyond a control group's limit is granted, and ends the process later: much is asked for. */
static bool has_room(int64_t bytes) {
  return bytes < ASKED_BYTES || trm_memory_in_cgroup(bytes, atomic_load(&live_bytes));
}

static trm_status no_memory(int64_t bytes, const char *what) {
  char limit[TRM_LIMIT_BYTES];
  trm_limit_of_memory(bytes, limit);
  return trm_fail(TRM_ERR_MEMORY,
                  "%s: no memory for %lld bytes (%.1f MiB)%s%s; use a smaller model, batch or "
                  "data set, more ranks, or a larger memory limit",
                  what, (long long)bytes, (double)bytes / (1 << 20), limit[0] ? ": " : "", limit);
}

static block_header *header_of(void *block) {
  return (block_header *)((unsigned char *)block - TRM_ALIGN_BYTES);
}

static void *take_small(size_t bytes) {
  void *raw = NULL;
  /* At least one byte, so that empty blocks are distinct objects. */
  const size_t total = TRM_ALIGN_BYTES + (bytes > 0 ? bytes : 1);
  if (posix_memalign(&raw, TRM_ALIGN_BYTES, total) != 0) return NULL;
  memset(raw, 0, total);
  return (unsigned char *)raw + TRM_ALIGN_BYTES;
}

#if TRM_MAP_LARGE
/*
 * Maps more than is needed, so that the block can begin at a 2 MiB boundary, and gives the rest
 * back. Fresh pages are zero without being touched, and land on the memory of the core that first
 * writes to them.
 */
static void *take_large(size_t bytes, size_t *map_bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t body = (bytes + page - 1) / page * page;
  const size_t span = page + body + page + HUGE_PAGE_BYTES;
  unsigned char *raw = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return NULL;
  const uintptr_t aligned =
      ((uintptr_t)raw + page + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
  unsigned char *block = raw + (aligned - (uintptr_t)raw);
  unsigned char *first = block - page;
  unsigned char *guard = block + body;
  unsigned char *end = guard + page;
  /* Failing to give back or to guard costs address space only; the block is good either way. */
  if (first > raw) (void)munmap(raw, (size_t)(first - raw));
  if (raw + span > end) (void)munmap(end, (size_t)(raw + span - end));
  (void)mprotect(guard, page, PROT_NONE);
#ifdef MADV_HUGEPAGE
  (void)madvise(block, body, MADV_HUGEPAGE);
#endif
  *map_bytes = (size_t)(end - first);
  return block;
}

static void give_large(void *block, size_t map_bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const int failed = munmap((unsigned char *)block - page, map_bytes);
  TRM_ASSERT(!failed);
}
#endif

trm_status trm_alloc_bytes(void **out, int64_t n, size_t size, const char *what) {
  int64_t bytes = 0;
  size_t map_bytes = 0;
  void *block = NULL;
  if (!trm_size_mul(n, (int64_t)size, &bytes)) {
    return trm_fail(TRM_ERR_ARG, "%s: %lld items of %zu bytes is not a size", what, (long long)n,
                    size);
  }
  if (!must_fail_now() && has_room(bytes)) {
#if TRM_MAP_LARGE
    block =
        bytes >= LARGE_BYTES ? take_large((size_t)bytes, &map_bytes) : take_small((size_t)bytes);
#else
    block = take_small((size_t)bytes);
#endif
  }
  if (!block) return no_memory(bytes, what);
  *header_of(block) = (block_header){.magic = LIVE_MAGIC, .bytes = bytes, .map_bytes = map_bytes};
  atomic_fetch_add(&live_blocks, 1);
  atomic_fetch_add(&live_bytes, bytes);
  atomic_fetch_add(&total_blocks, 1);
  *out = block;
  return TRM_OK;
}

void trm_free_bytes(void *block) {
  if (!block) return;
  block_header *header = header_of(block);
  TRM_ASSERT(header->magic == LIVE_MAGIC); /* else: freed twice, or not from trm_alloc_bytes */
  header->magic = DEAD_MAGIC;
  atomic_fetch_sub(&live_blocks, 1);
  atomic_fetch_sub(&live_bytes, header->bytes);
#if TRM_MAP_LARGE
  if (header->map_bytes > 0) {
    give_large(block, header->map_bytes);
    return;
  }
#endif
  free(header);
}

trm_alloc_counts trm_alloc_counts_get(void) {
  return (trm_alloc_counts){.live_blocks = atomic_load(&live_blocks),
                            .live_bytes = atomic_load(&live_bytes),
                            .total_blocks = atomic_load(&total_blocks)};
}

void trm_alloc_fail_after(int64_t n) {
  atomic_store(&fail_countdown, n < 0 ? -1 : n);
}

void trm_arena_init_dry(trm_arena *arena) {
  *arena = (trm_arena){.dry = true};
}

trm_status trm_arena_reserve(trm_arena *arena, size_t capacity_bytes, const char *what) {
  void *base = NULL;
  TRM_TRY(trm_alloc_bytes(&base, (int64_t)capacity_bytes, 1, what));
  *arena = (trm_arena){.base = base, .capacity_bytes = capacity_bytes};
  return TRM_OK;
}

void trm_arena_release(trm_arena *arena) {
  TRM_FREE(arena->base);
  *arena = (trm_arena){.dry = true};
}

void trm_arena_reset(trm_arena *arena) {
  arena->used_bytes = 0;
}

size_t trm_arena_cost(int64_t n, size_t size) {
  int64_t bytes = 0;
  const bool is_size = trm_size_mul(n, (int64_t)size, &bytes);
  TRM_ASSERT(is_size);
  return ((size_t)bytes + TRM_ALIGN_BYTES - 1) / TRM_ALIGN_BYTES * TRM_ALIGN_BYTES;
}

void *trm_arena_take(trm_arena *arena, int64_t n, size_t size) {
  const size_t cost = trm_arena_cost(n, size);
  const size_t start = arena->used_bytes;
  TRM_ASSERT(arena->dry || cost <= arena->capacity_bytes - start);
  arena->used_bytes = start + cost;
  if (arena->used_bytes > arena->high_bytes) arena->high_bytes = arena->used_bytes;
  if (arena->dry) return NULL;
#if TRM_NAN_FILL
  memset(arena->base + start, 0xFF, cost); /* all ones is a NaN of every float format */
#endif
  return arena->base + start;
}

int64_t trm_peak_resident_bytes(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return (int64_t)usage.ru_maxrss * 1024; /* Linux counts in KiB */
}
