/**
 * Included first by every kernel: gives the public names the suffix of the instruction set that
 * this compilation is for (TRM_ISA, set by cmake/TriremeModules.cmake), then declares them.
 * Without TRM_ISA the kernels define the public names themselves.
 */
#ifndef TRIREME_MATH_KERNELS_ISA_H
#define TRIREME_MATH_KERNELS_ISA_H

#ifdef TRM_ISA
#define TRM_ISA_PASTE_(name, isa) name##_##isa
#define TRM_ISA_PASTE(name, isa) TRM_ISA_PASTE_(name, isa)
#include "kernel_names.h" /* of all prototypes below, made by cmake/TriremeModules.cmake */
#endif

#include "trireme/math/attention.h"
#include "trireme/math/graph_attention.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/images.h"
#include "trireme/math/kernels.h"
#include "trireme/math/product.h"

#endif
