/** Back ends of gemm.c and their start-up. */
#ifndef TRIREME_MATH_GEMM_INTERNAL_H
#define TRIREME_MATH_GEMM_INTERNAL_H

#include "trireme/math/gemm.h"

extern const trm_gemm_backend trm_gemm_openblas;
extern const trm_gemm_backend trm_gemm_reference;

/** Makes sure that the library beneath does not start threads of its own. */
void trm_gemm_init(void);

#endif
