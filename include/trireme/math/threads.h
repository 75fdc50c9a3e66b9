/** Compute threads: one level, OpenMP, owned by `math`. */
#ifndef TRIREME_MATH_THREADS_H
#define TRIREME_MATH_THREADS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Sets the number of compute threads (n >= 1) of later kernels called from this thread. Each thread
 * of the program has a count of its own, OMP_NUM_THREADS (else all processors) until it is set.
 */
void trm_threads_set(int n);
/** Compute threads of kernels called from this thread, >= 1. */
int trm_threads_get(void);

/**
 * How many of n compute threads (n >= 1) this process can have: OMP_THREAD_LIMIT and what the system's
 * limits let start now. OpenMP ends the process where a thread cannot be started, so ask before
 * trm_threads_set. The threads are tried, and end again.
 * @param[out] why  [TRM_LIMIT_BYTES] (core/limits.h) what takes the others away; "" when nothing does
 */
int trm_threads_available(int n, char *why);
/** How many of n more threads, of any kind, the system's limits let start now. @param[out] why  as above */
int trm_threads_startable(int n, char *why);

/**
 * Tells that one of a run of equal steps has ended on this thread: where threads have to wait for their
 * processors, fewer of them are tried for some steps, and kept if that is faster. Kernels then take
 * fewer than trm_threads_get, which changes no bit. Not collective, a clock's cost on most calls.
 * @param busy_s  what the step took without waiting for other ranks
 */
void trm_threads_step(double busy_s);
/** How many times OpenMP's waiting loop turns in so many seconds, 1 at least: for GOMP_SPINCOUNT, which
 *  the runtime reads when it is loaded. */
int64_t trm_threads_spins(double seconds);

/**
 * Calls body(context, begin, end) for each chunk [begin, end) of TRM_CHUNK elements (math/stripes.h) of
 * 0..n-1, shared out among the compute threads: for loops over flat arrays that are no kernels. Chunks
 * are cut by the length alone, so the thread count changes no bit.
 */
void trm_for_chunks(int64_t n, void (*body)(void *context, int64_t begin, int64_t end),
                    void *context);

/** What the threads run on, for `doctor` and the start-up line. */
typedef struct trm_thread_place {
  int thread;
  int cpu;          /* processor it was seen on, -1 if unknown */
  int n_allowed;    /* processors in its affinity mask */
  char allowed[96]; /* the mask as a list, "0-3,8" */
} trm_thread_place;

/** A set of processors, as the system numbers them. */
typedef struct trm_processors {
  uint64_t bits[16];
  bool known; /* false: nothing was changed */
} trm_processors;
/**
 * Lets the calling thread run on all places of OpenMP, so that threads it starts now, or a program it
 * becomes, may too: they inherit its set, and OMP_PROC_BIND has pinned it to one place before main.
 * trm_threads_pin gives the set before back.
 */
void trm_threads_unpin(trm_processors *before);
void trm_threads_pin(const trm_processors *before);

/** Fills places[trm_threads_get()], asked on each compute thread. Not collective. */
void trm_threads_places(trm_thread_place *places);

/** Names the instruction set the kernels were chosen for ("x86-64-v4"), followed in parentheses by
 *  what was wrong with TRIREME_ISA, if anything. The BLAS is named by trm_gemm_selected(). */
const char *trm_math_isa(void);
/** Whether that set multiplies and adds with one rounding: x86-64-v3 and later do. */
bool trm_math_has_fma(void);
/** What the bits of the kernels depend on: "x86-64 with fused multiply-add" for x86-64-v3 and -v4, whose
 *  bits are the same, otherwise the instruction set. */
const char *trm_math_bits(void);
/**
 * Chooses the instruction set: the best this processor has, or what the environment variable
 * TRIREME_ISA names; a name this build or processor does not have is ignored, see trm_math_isa.
 * Kernels call it on first use; call it before starting threads.
 */
void trm_math_init(void);

/** Turns subnormal numbers into zero on every compute thread (x86 FTZ/DAZ); bits stay the same on
 *  every layout since all threads do it. Call once after trm_threads_set. */
void trm_threads_flush_subnormals(void);

#endif
