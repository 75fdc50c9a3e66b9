/**
 * Chooses the instruction set of the kernels at start. Each of x86-64-v2, -v3 and -v4 has the whole
 * set of kernels, compiled from the same sources under suffixed names; the public names are defined
 * here and call through the chosen table. With TRM_DISPATCH 0 the kernels have the public names.
 *
 * kernel_list.h is made of the prototypes in the public headers (cmake/TriremeModules.cmake):
 * KERNEL(result, name, (parameters), (arguments)) for each kernel.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trireme/math/attention.h"
#include "trireme/math/gemm.h"
#include "trireme/math/graph_attention.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/images.h"
#include "trireme/math/kernels.h"
#include "trireme/math/product.h"
#include "trireme/math/threads.h"

#if TRM_DISPATCH

#include "kernel_list.h"

/* Which sets the build holds: cmake/TriremeModules.cmake defines TRM_HAVE_<suffix> for each. */
#ifndef TRM_HAVE_x86_64_v2
#define TRM_HAVE_x86_64_v2 0
#endif
#ifndef TRM_HAVE_x86_64_v3
#define TRM_HAVE_x86_64_v3 0
#endif
#ifndef TRM_HAVE_x86_64_v4
#define TRM_HAVE_x86_64_v4 0
#endif

typedef struct kernel_table {
  const char *isa;
  const char *bits; /* one text for all sets whose kernels give the same bits */
  bool (*supported)(void);
#define MEMBER(result, name, parameters, arguments) result(*name) parameters;
  TRM_KERNEL_LIST(MEMBER)
#undef MEMBER
} kernel_table;

/* The levels of the x86-64 psABI, by the features that tell them apart; __builtin_cpu_supports
 * knows the level names only from gcc 12 and clang 18 on. It also asks the operating system. */
static bool has_v2(void) {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
}
static bool has_v3(void) {
  return has_v2() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
static bool has_v4(void) {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

/* Held to it by tests/unit/test_math_same_bits.c. */
#define BITS_FUSED "x86-64 with fused multiply-add"

#define ROW(result, name, parameters, arguments) .name = JOIN(name, SUFFIX),
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define PROTOTYPE(result, name, parameters, arguments) result JOIN(name, SUFFIX) parameters;

#if TRM_HAVE_x86_64_v2
#define SUFFIX x86_64_v2
TRM_KERNEL_LIST(PROTOTYPE)
static const kernel_table table_v2 = {
    .isa = "x86-64-v2", .bits = "x86-64-v2", .supported = has_v2, TRM_KERNEL_LIST(ROW)};
#undef SUFFIX
#endif
#if TRM_HAVE_x86_64_v3
#define SUFFIX x86_64_v3
TRM_KERNEL_LIST(PROTOTYPE)
static const kernel_table table_v3 = {
    .isa = "x86-64-v3", .bits = BITS_FUSED, .supported = has_v3, TRM_KERNEL_LIST(ROW)};
#undef SUFFIX
#endif
#if TRM_HAVE_x86_64_v4
#define SUFFIX x86_64_v4
TRM_KERNEL_LIST(PROTOTYPE)
static const kernel_table table_v4 = {
    .isa = "x86-64-v4", .bits = BITS_FUSED, .supported = has_v4, TRM_KERNEL_LIST(ROW)};
#undef SUFFIX
#endif

/* Best first. */
static const kernel_table *const tables[] = {
#if TRM_HAVE_x86_64_v4
    &table_v4,
#endif
#if TRM_HAVE_x86_64_v3
    &table_v3,
#endif
#if TRM_HAVE_x86_64_v2
    &table_v2,
#endif
};
enum { N_TABLES = sizeof tables / sizeof tables[0] };

static _Atomic(const kernel_table *) chosen;
static char isa_text[160];

static void choose(const char *wanted) {
  const kernel_table *best = NULL, *named = NULL;
  for (int i = 0; i < N_TABLES; ++i) {
    if (!tables[i]->supported()) continue;
    if (!best) best = tables[i];
    if (wanted && strcmp(wanted, tables[i]->isa) == 0) named = tables[i];
  }
  /* Nothing fits: the least demanding set; its first instruction that is missing ends the program. */
  if (!best) best = tables[N_TABLES - 1];
  if (wanted && !named) {
    (void)snprintf(isa_text, sizeof isa_text,
                   "%s (TRIREME_ISA=%.40s ignored: not in this build or not on this processor)",
                   best->isa, wanted);
  } else {
    (void)snprintf(isa_text, sizeof isa_text, "%s", named ? named->isa : best->isa);
  }
  atomic_store_explicit(&chosen, named ? named : best, memory_order_release);
}

static const kernel_table *table(void) {
  const kernel_table *t = atomic_load_explicit(&chosen, memory_order_acquire);
  if (__builtin_expect(!t, 0)) {
    trm_math_init();
    t = atomic_load_explicit(&chosen, memory_order_acquire);
  }
  return t;
}

#define WRAPPER(result, name, parameters, arguments)                                               \
  result name parameters {                                                                         \
    return table()->name arguments;                                                                \
  }
TRM_KERNEL_LIST(WRAPPER)

void trm_math_init(void) {
  const char *wanted = getenv("TRIREME_ISA");
  choose(wanted && *wanted ? wanted : NULL);
}

const char *trm_math_isa(void) {
  (void)table();
  return isa_text;
}
const char *trm_math_bits(void) {
  return table()->bits;
}

/* The kernels that use it are those of x86-64-v4. */
bool trm_bf16_instruction(void) {
#if TRM_HAVE_x86_64_v4
  const char *wanted = getenv("TRIREME_BF16");
  if (wanted && strcmp(wanted, "reference") == 0) return false;
  return strcmp(table()->isa, "x86-64-v4") == 0 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool trm_math_has_fma(void) {
  return strcmp(table()->isa, "x86-64-v2") != 0;
}

#else

void trm_math_init(void) {}
const char *trm_math_isa(void) {
  return "compiler default";
}
bool trm_bf16_instruction(void) {
  return false;
}
bool trm_math_has_fma(void) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return true;
#else
  return false;
#endif
}
const char *trm_math_bits(void) {
  return trm_math_isa();
}

#endif
