/**
 * The floating-point type of weights and activations.
 *
 * float in the product. The gradient checks compile the same sources of `math`, `nn` and `model`
 * once more with TRM_REAL_IS_DOUBLE=1, so that central differences have digits to work with.
 */
#ifndef TRIREME_MATH_REAL_H
#define TRIREME_MATH_REAL_H

#include <stdint.h>

#ifndef TRM_REAL_IS_DOUBLE
#define TRM_REAL_IS_DOUBLE 0
#endif

#if TRM_REAL_IS_DOUBLE
typedef double trm_real;
#else
typedef float trm_real;
#endif

/** bfloat16: the upper half of a float, rounded by kernels/bf16.h. */
typedef uint16_t trm_bf16;

#endif
