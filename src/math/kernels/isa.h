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
#define trm_fill TRM_ISA_PASTE(trm_fill, TRM_ISA)
#define trm_scale TRM_ISA_PASTE(trm_scale, TRM_ISA)
#define trm_add TRM_ISA_PASTE(trm_add, TRM_ISA)
#define trm_bias_forward TRM_ISA_PASTE(trm_bias_forward, TRM_ISA)
#define trm_bias_backward TRM_ISA_PASTE(trm_bias_backward, TRM_ISA)
#define trm_gelu_forward TRM_ISA_PASTE(trm_gelu_forward, TRM_ISA)
#define trm_gelu_backward TRM_ISA_PASTE(trm_gelu_backward, TRM_ISA)
#define trm_relu_forward TRM_ISA_PASTE(trm_relu_forward, TRM_ISA)
#define trm_relu_backward TRM_ISA_PASTE(trm_relu_backward, TRM_ISA)
#define trm_layernorm_forward TRM_ISA_PASTE(trm_layernorm_forward, TRM_ISA)
#define trm_layernorm_backward TRM_ISA_PASTE(trm_layernorm_backward, TRM_ISA)
#define trm_embedding_forward TRM_ISA_PASTE(trm_embedding_forward, TRM_ISA)
#define trm_embedding_backward TRM_ISA_PASTE(trm_embedding_backward, TRM_ISA)
#define trm_position_forward TRM_ISA_PASTE(trm_position_forward, TRM_ISA)
#define trm_position_backward TRM_ISA_PASTE(trm_position_backward, TRM_ISA)
#define trm_position_sinusoidal TRM_ISA_PASTE(trm_position_sinusoidal, TRM_ISA)
#define trm_attention_forward TRM_ISA_PASTE(trm_attention_forward, TRM_ISA)
#define trm_attention_backward TRM_ISA_PASTE(trm_attention_backward, TRM_ISA)
#define trm_attention_scratch TRM_ISA_PASTE(trm_attention_scratch, TRM_ISA)
#define trm_dropout TRM_ISA_PASTE(trm_dropout, TRM_ISA)
#define trm_softmax_xent_forward TRM_ISA_PASTE(trm_softmax_xent_forward, TRM_ISA)
#define trm_softmax_xent_backward TRM_ISA_PASTE(trm_softmax_xent_backward, TRM_ISA)
#define trm_sum_squares TRM_ISA_PASTE(trm_sum_squares, TRM_ISA)
#define trm_sum_squares_chunks TRM_ISA_PASTE(trm_sum_squares_chunks, TRM_ISA)
#define trm_find_not_finite TRM_ISA_PASTE(trm_find_not_finite, TRM_ISA)
#define trm_hash_reals TRM_ISA_PASTE(trm_hash_reals, TRM_ISA)
#define trm_adamw_update TRM_ISA_PASTE(trm_adamw_update, TRM_ISA)
#define trm_sgd_update TRM_ISA_PASTE(trm_sgd_update, TRM_ISA)
#endif

#include "trireme/math/kernels.h"

#endif
