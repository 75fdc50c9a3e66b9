#include "peak.h"

#include <omp.h>
#include <stddef.h>

#include "trireme/core/clock.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define X86 1
#else
#define X86 0
#endif

enum { SUMS = 14, SUMS_OF_PAIRS = 24, ROUNDS_A_CHUNK = 4096 };

/* Sums do not wait for each other when there are at least latency times units of them: 4 x 2, and more
 * than 6 x 2 for pairs (Zen 5). With the two operands they fit the registers, 16 or with AVX-512 32. They
 * are variables each, since compilers leave arrays in memory as they please. */
#define EACH_14(DO)                                                                                \
  DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13)
#define EACH_24(DO)                                                                                \
  EACH_14(DO)                                                                                      \
  DO(14) DO(15) DO(16) DO(17) DO(18) DO(19) DO(20) DO(21) DO(22) DO(23)

/* Operands a and b of type `vector`, a product of about 0.001; they come from the caller at run time, so
 * that nothing is computed ahead. */
#define START(i) vector sum##i = (float)(i) - (vector){0};
#define END(i) all += sum##i;
#define LOOP(EACH)                                                                                 \
  EACH(START)                                                                                      \
  for (int64_t r = 0; r < n; ++r) {                                                                \
    EACH(STEP)                                                                                     \
  }                                                                                                \
  vector all = a;                                                                                  \
  EACH(END)                                                                                        \
  return (double)all[0];

#if X86
__attribute__((target("avx512f"))) static double fma_512(int64_t n, float one) {
  typedef __m512 vector;
  const vector a = one - (vector){0}, b = 0.001F * a;
#define STEP(i) sum##i = _mm512_fmadd_ps(a, b, sum##i);
  LOOP(EACH_14)
#undef STEP
}

__attribute__((target("avx2,fma"))) static double fma_256(int64_t n, float one) {
  typedef __m256 vector;
  const vector a = one - (vector){0}, b = 0.001F * a;
#define STEP(i) sum##i = _mm256_fmadd_ps(a, b, sum##i);
  LOOP(EACH_14)
#undef STEP
}

/* Written out, as in src/math: no compiler need know the instruction. The operands' other halves are
 * what they may be. */
__attribute__((target("avx512f,avx512vl"))) static double dot_512(int64_t n, float one) {
  typedef __m512 vector;
  const vector a = one - (vector){0}, b = 0.001F * a;
#define STEP(i) __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum##i) : "v"(a), "v"(b));
  LOOP(EACH_24)
#undef STEP
}

static bool has_fma_512(void) {
  return __builtin_cpu_supports("avx512f");
}
static bool has_fma_256(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static bool has_dot_512(void) {
  return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bf16");
}
#endif

/* What every compiler makes of a multiplication and an addition on vectors of 128 bits. */
typedef float four __attribute__((vector_size(16)));
static double plain_128(int64_t n, float one) {
  typedef four vector;
  const vector a = one - (vector){0}, b = 0.001F * a;
#define STEP(i) sum##i = sum##i * a + b;
  LOOP(EACH_14)
#undef STEP
}
static bool always(void) {
  return true;
}

static const peak_loop loops[] = {
#if X86
    {"fused multiply-add, 512-bit vectors", PEAK_FLOAT32, has_fma_512, fma_512, SUMS * 16 * 2},
    {"fused multiply-add, 256-bit vectors", PEAK_FLOAT32, has_fma_256, fma_256, SUMS * 8 * 2},
    {"dot product of pairs, 512-bit vectors", PEAK_BF16, has_dot_512, dot_512,
     SUMS_OF_PAIRS * 16 * 4},
#endif
    {"multiply and add, 128-bit vectors", PEAK_FLOAT32, always, plain_128, SUMS * 4 * 2},
};
enum { N_LOOPS = sizeof loops / sizeof loops[0] };

const char *peak_precision_name(peak_precision precision) {
  return precision == PEAK_BF16 ? "bf16" : "float32";
}

const peak_loop *peak_loops(int *n) {
  *n = N_LOOPS;
  return loops;
}

static volatile float one = 1;

double peak_rate(const peak_loop *loop, int n_threads, double seconds) {
  double rate = 0, unused = 0;
#pragma omp parallel num_threads(n_threads) reduction(+ : rate, unused)
  {
    int64_t n = 0;
    double elapsed_s = 0;
    unused += loop->run(ROUNDS_A_CHUNK, one); /* every thread is awake */
#pragma omp barrier
    const double start_s = trm_clock_s();
    do {
      unused += loop->run(ROUNDS_A_CHUNK, one);
      n += ROUNDS_A_CHUNK;
      elapsed_s = trm_clock_s() - start_s;
    } while (elapsed_s < seconds);
    rate += (double)n * loop->flop / elapsed_s;
  }
  one = unused < 0 ? 2 : 1; /* it is not */
  return rate;
}

const peak_loop *peak_best(peak_precision precision) {
  const peak_loop *best = NULL;
  double greatest = 0;
  for (int i = 0; i < N_LOOPS; ++i) {
    if (loops[i].precision != precision || !loops[i].supported()) continue;
    const double rate = peak_rate(&loops[i], 1, 0.02);
    if (rate <= greatest) continue;
    greatest = rate;
    best = &loops[i];
  }
  return best;
}
