/**
 * The best rate of arithmetic that this processor reaches: loops whose operands never leave the
 * registers. What products reach is shown as a share of it.
 */
#ifndef TRIREME_BENCHMARKS_PEAK_H
#define TRIREME_BENCHMARKS_PEAK_H

#include <stdbool.h>
#include <stdint.h>

/** Of the operands; sums are float32. */
typedef enum peak_precision { PEAK_FLOAT32, PEAK_BF16, N_PEAK_PRECISIONS } peak_precision;

typedef struct peak_loop {
  const char *name;
  peak_precision precision;
  bool (*supported)(void);             /* by the processor it runs on */
  double (*run)(int64_t n, float one); /* n rounds; a number that depends on every sum */
  double flop;                         /* of one round */
} peak_loop;

/** "float32", "bf16". */
const char *peak_precision_name(peak_precision precision);
/** All loops of this build, the processor's or not. */
const peak_loop *peak_loops(int *n);
/** FLOP/s of so many threads together, which run the loop for `seconds` at the same time. */
double peak_rate(const peak_loop *loop, int n_threads, double seconds);
/** The fastest loop on one thread, NULL: the processor has none of this precision. */
const peak_loop *peak_best(peak_precision precision);

#endif
