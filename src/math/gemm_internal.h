/** Back ends of gemm.c and their start-up. */
#ifndef TRIREME_MATH_GEMM_INTERNAL_H
#define TRIREME_MATH_GEMM_INTERNAL_H

#include "trireme/math/gemm.h"

#define TRM_BACKEND(name) extern const trm_gemm_backend trm_gemm_##name;
#include "backend_list.h"
#undef TRM_BACKEND

#define TRM_BACKEND_NAME(backend) .selector = "math.gemm", .name = backend
#define TRM_BACKEND_PART(backend) .part = {TRM_BACKEND_NAME(backend)}

/** Makes sure that the library beneath does not start threads of its own. */
void trm_gemm_init(void);

#endif
