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
#define trm_elu_forward TRM_ISA_PASTE(trm_elu_forward, TRM_ISA)
#define trm_elu_backward TRM_ISA_PASTE(trm_elu_backward, TRM_ISA)
#define trm_combine TRM_ISA_PASTE(trm_combine, TRM_ISA)
#define trm_maximum_forward TRM_ISA_PASTE(trm_maximum_forward, TRM_ISA)
#define trm_maximum_backward TRM_ISA_PASTE(trm_maximum_backward, TRM_ISA)
#define trm_copy_columns TRM_ISA_PASTE(trm_copy_columns, TRM_ISA)
#define trm_moments TRM_ISA_PASTE(trm_moments, TRM_ISA)
#define trm_standardize_forward TRM_ISA_PASTE(trm_standardize_forward, TRM_ISA)
#define trm_standardize_backward TRM_ISA_PASTE(trm_standardize_backward, TRM_ISA)
#define trm_scale_shift_forward TRM_ISA_PASTE(trm_scale_shift_forward, TRM_ISA)
#define trm_scale_shift_backward TRM_ISA_PASTE(trm_scale_shift_backward, TRM_ISA)
#define trm_column_products TRM_ISA_PASTE(trm_column_products, TRM_ISA)
#define trm_head_dot_forward TRM_ISA_PASTE(trm_head_dot_forward, TRM_ISA)
#define trm_head_dot_backward TRM_ISA_PASTE(trm_head_dot_backward, TRM_ISA)
#define trm_head_mean_forward TRM_ISA_PASTE(trm_head_mean_forward, TRM_ISA)
#define trm_head_mean_backward TRM_ISA_PASTE(trm_head_mean_backward, TRM_ISA)
#define trm_dropout_rows TRM_ISA_PASTE(trm_dropout_rows, TRM_ISA)
#define trm_bpr_forward TRM_ISA_PASTE(trm_bpr_forward, TRM_ISA)
#define trm_bpr_backward TRM_ISA_PASTE(trm_bpr_backward, TRM_ISA)
#define trm_bpr_decay_backward TRM_ISA_PASTE(trm_bpr_decay_backward, TRM_ISA)
#define trm_dot TRM_ISA_PASTE(trm_dot, TRM_ISA)
#define trm_adam_update TRM_ISA_PASTE(trm_adam_update, TRM_ISA)
#define trm_average_update TRM_ISA_PASTE(trm_average_update, TRM_ISA)
#define trm_gat_forward TRM_ISA_PASTE(trm_gat_forward, TRM_ISA)
#define trm_gat_backward_targets TRM_ISA_PASTE(trm_gat_backward_targets, TRM_ISA)
#define trm_gat_backward_sources TRM_ISA_PASTE(trm_gat_backward_sources, TRM_ISA)
#define trm_adamw_update TRM_ISA_PASTE(trm_adamw_update, TRM_ISA)
#define trm_sgd_update TRM_ISA_PASTE(trm_sgd_update, TRM_ISA)
#define trm_spmm TRM_ISA_PASTE(trm_spmm, TRM_ISA)
#define trm_neighbor_max TRM_ISA_PASTE(trm_neighbor_max, TRM_ISA)
#define trm_neighbor_max_backward TRM_ISA_PASTE(trm_neighbor_max_backward, TRM_ISA)
#define trm_target_scales TRM_ISA_PASTE(trm_target_scales, TRM_ISA)
#define trm_source_scales TRM_ISA_PASTE(trm_source_scales, TRM_ISA)
#define trm_top_k TRM_ISA_PASTE(trm_top_k, TRM_ISA)
#define trm_gather_rows TRM_ISA_PASTE(trm_gather_rows, TRM_ISA)
#define trm_sort_rows TRM_ISA_PASTE(trm_sort_rows, TRM_ISA)
#define trm_segment_sum TRM_ISA_PASTE(trm_segment_sum, TRM_ISA)
#define trm_segment_sum_backward TRM_ISA_PASTE(trm_segment_sum_backward, TRM_ISA)
#define trm_segment_max TRM_ISA_PASTE(trm_segment_max, TRM_ISA)
#define trm_segment_max_backward TRM_ISA_PASTE(trm_segment_max_backward, TRM_ISA)
#define trm_feature_rows TRM_ISA_PASTE(trm_feature_rows, TRM_ISA)
#define trm_sparse_dropout TRM_ISA_PASTE(trm_sparse_dropout, TRM_ISA)
#endif

#include "trireme/math/graph_attention.h"
#include "trireme/math/graph_kernels.h"
#include "trireme/math/kernels.h"

#endif
