/**
 * Every kernel of trireme/math/kernels.h in one list, for the tables and wrappers of dispatch.c:
 * KERNEL(result, name, (parameters), (arguments)). The renaming of kernels/isa.h lists the names once
 * more, since a macro cannot define macros; a name missing there fails to link.
 */
#define TRM_KERNEL_LIST(KERNEL)                                                                    \
  KERNEL(void, trm_fill, (trm_real * y, trm_real value, int64_t n), (y, value, n))                 \
  KERNEL(void, trm_scale, (trm_real * y, const trm_real *x, trm_real a, int64_t n, bool add),      \
         (y, x, a, n, add))                                                                        \
  KERNEL(void, trm_add, (trm_real * y, const trm_real *a, const trm_real *b, int64_t n),           \
         (y, a, b, n))                                                                             \
  KERNEL(void, trm_bias_forward,                                                                   \
         (trm_real * y, const trm_real *x, const trm_real *b, int64_t N, int64_t C),               \
         (y, x, b, N, C))                                                                          \
  KERNEL(void, trm_bias_backward,                                                                  \
         (trm_real * db, const trm_real *dy, int64_t N, int64_t C, bool add), (db, dy, N, C, add)) \
  KERNEL(void, trm_gelu_forward, (trm_real * y, const trm_real *x, int64_t n), (y, x, n))          \
  KERNEL(void, trm_gelu_backward,                                                                  \
         (trm_real * dx, const trm_real *x, const trm_real *dy, int64_t n, bool add),              \
         (dx, x, dy, n, add))                                                                      \
  KERNEL(void, trm_relu_forward, (trm_real * y, const trm_real *x, int64_t n), (y, x, n))          \
  KERNEL(void, trm_relu_backward,                                                                  \
         (trm_real * dx, const trm_real *x, const trm_real *dy, int64_t n, bool add),              \
         (dx, x, dy, n, add))                                                                      \
  KERNEL(void, trm_layernorm_forward,                                                              \
         (trm_real * y, trm_real * mean, trm_real * rstd, const trm_real *x, const trm_real *w,    \
          const trm_real *b, int64_t N, int64_t C, trm_real eps),                                  \
         (y, mean, rstd, x, w, b, N, C, eps))                                                      \
  KERNEL(void, trm_layernorm_backward,                                                             \
         (trm_real * dx, trm_real * dw, trm_real * db, const trm_real *dy, const trm_real *x,      \
          const trm_real *mean, const trm_real *rstd, const trm_real *w, int64_t N, int64_t C,     \
          bool add_dx, bool add_dw),                                                               \
         (dx, dw, db, dy, x, mean, rstd, w, N, C, add_dx, add_dw))                                 \
  KERNEL(void, trm_embedding_forward,                                                              \
         (trm_real * y, const trm_real *w, const int32_t *ids, int64_t N, int64_t C),              \
         (y, w, ids, N, C))                                                                        \
  KERNEL(void, trm_embedding_backward,                                                             \
         (trm_real * dw, const trm_real *dy, const int32_t *ids, int64_t N, int64_t C, int64_t V,  \
          bool add),                                                                               \
         (dw, dy, ids, N, C, V, add))                                                              \
  KERNEL(void, trm_position_forward,                                                               \
         (trm_real * y, const trm_real *x, const trm_real *p, int64_t N, int64_t T, int64_t C),    \
         (y, x, p, N, T, C))                                                                       \
  KERNEL(void, trm_position_backward,                                                              \
         (trm_real * dp, const trm_real *dy, int64_t N, int64_t T, int64_t C, bool add),           \
         (dp, dy, N, T, C, add))                                                                   \
  KERNEL(void, trm_position_sinusoidal, (trm_real * p, int64_t T, int64_t C), (p, T, C))           \
  KERNEL(void, trm_attention_forward,                                                              \
         (trm_real * out, trm_real * lse, const trm_real *qkv, int64_t N, int64_t T, int64_t C,    \
          int64_t H, trm_real *scratch),                                                           \
         (out, lse, qkv, N, T, C, H, scratch))                                                     \
  KERNEL(void, trm_attention_backward,                                                             \
         (trm_real * dqkv, const trm_real *dout, const trm_real *qkv, const trm_real *out,         \
          const trm_real *lse, int64_t N, int64_t T, int64_t C, int64_t H, bool add,               \
          trm_real *scratch),                                                                      \
         (dqkv, dout, qkv, out, lse, N, T, C, H, add, scratch))                                    \
  KERNEL(int64_t, trm_attention_scratch, (int64_t N, int64_t T, int64_t C, int64_t H),             \
         (N, T, C, H))                                                                             \
  KERNEL(void, trm_dropout,                                                                        \
         (trm_real * y, const trm_real *x, int64_t N, int64_t C, double p, trm_random_key key,     \
          int64_t sample0, int64_t rows, bool add),                                                \
         (y, x, N, C, p, key, sample0, rows, add))                                                 \
  KERNEL(int64_t, trm_softmax_xent_forward,                                                        \
         (double *loss, trm_real *lse, const trm_real *logits, const int32_t *targets, int64_t N,  \
          int64_t V),                                                                              \
         (loss, lse, logits, targets, N, V))                                                       \
  KERNEL(void, trm_softmax_xent_backward,                                                          \
         (trm_real * dlogits, const trm_real *logits, const trm_real *lse, const int32_t *targets, \
          trm_real dloss, int64_t N, int64_t V, bool add),                                         \
         (dlogits, logits, lse, targets, dloss, N, V, add))                                        \
  KERNEL(double, trm_sum_squares, (const trm_real *x, int64_t n), (x, n))                          \
  KERNEL(void, trm_sum_squares_chunks, (double *sums, const trm_real *x, int64_t n), (sums, x, n)) \
  KERNEL(int64_t, trm_find_not_finite, (const trm_real *x, int64_t n), (x, n))                     \
  KERNEL(uint64_t, trm_hash_reals, (const trm_real *x, int64_t n), (x, n))                         \
  KERNEL(void, trm_elu_forward, (trm_real * y, const trm_real *x, int64_t n), (y, x, n))           \
  KERNEL(void, trm_elu_backward,                                                                   \
         (trm_real * dx, const trm_real *x, const trm_real *dy, int64_t n, bool add),              \
         (dx, x, dy, n, add))                                                                      \
  KERNEL(void, trm_combine,                                                                        \
         (trm_real * y, const trm_real *a, trm_real alpha, const trm_real *b, trm_real beta,       \
          int64_t n),                                                                              \
         (y, a, alpha, b, beta, n))                                                                \
  KERNEL(void, trm_maximum_forward,                                                                \
         (trm_real * y, const trm_real *a, const trm_real *b, int64_t n), (y, a, b, n))            \
  KERNEL(void, trm_maximum_backward,                                                               \
         (trm_real * dx, const trm_real *a, const trm_real *b, const trm_real *dy, bool second,    \
          int64_t n, bool add),                                                                    \
         (dx, a, b, dy, second, n, add))                                                           \
  KERNEL(void, trm_copy_columns,                                                                   \
         (trm_real * y, int64_t y_stride, const trm_real *x, int64_t x_stride, int64_t N,          \
          int64_t C, bool add),                                                                    \
         (y, y_stride, x, x_stride, N, C, add))                                                    \
  KERNEL(void, trm_moments,                                                                        \
         (trm_real * mean, trm_real * variance, const trm_real *x, int64_t N, int64_t C),          \
         (mean, variance, x, N, C))                                                                \
  KERNEL(void, trm_standardize_forward,                                                            \
         (trm_real * y, const trm_real *x, const trm_real *mean, const trm_real *rstd, int64_t N,  \
          int64_t C),                                                                              \
         (y, x, mean, rstd, N, C))                                                                 \
  KERNEL(void, trm_standardize_backward,                                                           \
         (trm_real * dx, trm_real * sums, const trm_real *dy, const trm_real *y,                   \
          const trm_real *rstd, int64_t N, int64_t C, bool add),                                   \
         (dx, sums, dy, y, rstd, N, C, add))                                                       \
  KERNEL(void, trm_scale_shift_forward,                                                            \
         (trm_real * y, const trm_real *x, const trm_real *w, const trm_real *b, int64_t N,        \
          int64_t C),                                                                              \
         (y, x, w, b, N, C))                                                                       \
  KERNEL(void, trm_scale_shift_backward,                                                           \
         (trm_real * dx, const trm_real *dy, const trm_real *w, int64_t N, int64_t C, bool add),   \
         (dx, dy, w, N, C, add))                                                                   \
  KERNEL(void, trm_column_products,                                                                \
         (trm_real * sum, const trm_real *a, const trm_real *b, int64_t N, int64_t C, bool add),   \
         (sum, a, b, N, C, add))                                                                   \
  KERNEL(void, trm_head_dot_forward,                                                               \
         (trm_real * s, const trm_real *x, const trm_real *a, int64_t N, int64_t H, int64_t C),    \
         (s, x, a, N, H, C))                                                                       \
  KERNEL(void, trm_head_dot_backward,                                                              \
         (trm_real * dx, trm_real * da, const trm_real *ds, const trm_real *x, const trm_real *a,  \
          int64_t N, int64_t H, int64_t C, bool add_dx, bool add_da),                              \
         (dx, da, ds, x, a, N, H, C, add_dx, add_da))                                              \
  KERNEL(void, trm_head_mean_forward,                                                              \
         (trm_real * y, const trm_real *x, int64_t N, int64_t H, int64_t C), (y, x, N, H, C))      \
  KERNEL(void, trm_head_mean_backward,                                                             \
         (trm_real * dx, const trm_real *dy, int64_t N, int64_t H, int64_t C, bool add),           \
         (dx, dy, N, H, C, add))                                                                   \
  KERNEL(void, trm_dropout_rows,                                                                   \
         (trm_real * y, const trm_real *x, const int32_t *ids, int64_t N, int64_t C, double p,     \
          trm_random_key key, bool add),                                                           \
         (y, x, ids, N, C, p, key, add))                                                           \
  KERNEL(void, trm_bpr_forward,                                                                    \
         (trm_real * loss, trm_real * slope, const trm_real *e, const trm_real *z,                 \
          const int32_t *users, const int32_t *positives, const int32_t *negatives, int64_t n,     \
          int64_t C, trm_real l2),                                                                 \
         (loss, slope, e, z, users, positives, negatives, n, C, l2))                               \
  KERNEL(void, trm_bpr_backward,                                                                   \
         (trm_real * de, const trm_real *e, const trm_real *slope, const trm_csr *uses,            \
          const int32_t *users, const int32_t *positives, const int32_t *negatives,                \
          trm_real dloss, int64_t C, bool add),                                                    \
         (de, e, slope, uses, users, positives, negatives, dloss, C, add))                         \
  KERNEL(void, trm_bpr_decay_backward,                                                             \
         (trm_real * dz, const trm_real *z, const trm_csr *uses, trm_real scale, int64_t C,        \
          bool add),                                                                               \
         (dz, z, uses, scale, C, add))                                                             \
  KERNEL(double, trm_dot, (const trm_real *a, const trm_real *b, int64_t n), (a, b, n))            \
  KERNEL(void, trm_adam_update,                                                                    \
         (trm_real * w, trm_real * m, trm_real * v, const trm_real *g, trm_real decay,             \
          trm_adamw_scalars s, int64_t n),                                                         \
         (w, m, v, g, decay, s, n))                                                                \
  KERNEL(void, trm_average_update,                                                                 \
         (trm_real * w, const trm_real *g, trm_real scale, trm_real rate, int64_t n),              \
         (w, g, scale, rate, n))                                                                   \
  KERNEL(void, trm_gat_forward,                                                                    \
         (trm_real * out, trm_real * lse, trm_real * kept, const trm_real *h, int64_t h_stride,    \
          const trm_real *source, int64_t source_stride, const trm_real *target,                   \
          const trm_gat *gat),                                                                     \
         (out, lse, kept, h, h_stride, source, source_stride, target, gat))                        \
  KERNEL(void, trm_gat_backward_targets,                                                           \
         (trm_real * dtarget, trm_real * D, int64_t D_stride, const trm_real *dout,                \
          const trm_real *out, const trm_real *kept, const trm_gat *gat, bool add),                \
         (dtarget, D, D_stride, dout, out, kept, gat, add))                                        \
  KERNEL(void, trm_gat_backward_sources,                                                           \
         (trm_real * dh, trm_real * dsource, const trm_real *h, int64_t h_stride,                  \
          const trm_real *source, int64_t source_stride, const trm_gat_targets *targets,           \
          const trm_gat *gat, bool add_dh, bool add_dsource),                                      \
         (dh, dsource, h, h_stride, source, source_stride, targets, gat, add_dh, add_dsource))     \
  KERNEL(void, trm_adamw_update,                                                                   \
         (trm_real * w, trm_real * m, trm_real * v, const trm_real *g, trm_real decay,             \
          trm_adamw_scalars s, int64_t n),                                                         \
         (w, m, v, g, decay, s, n))                                                                \
  KERNEL(void, trm_sgd_update,                                                                     \
         (trm_real * w, trm_real * u, const trm_real *g, trm_real decay, trm_real scale,           \
          trm_real lr, trm_real momentum, bool nesterov, int64_t n),                               \
         (w, u, g, decay, scale, lr, momentum, nesterov, n))                                       \
  KERNEL(void, trm_spmm,                                                                           \
         (trm_real * y, const trm_real *x, const trm_csr *a, const trm_real *row_scale,            \
          const trm_real *column_scale, const int32_t *self, int64_t n_self, int64_t C, bool add), \
         (y, x, a, row_scale, column_scale, self, n_self, C, add))                                 \
  KERNEL(void, trm_neighbor_max,                                                                   \
         (trm_real * y, trm_winner * winners, const trm_real *x, const trm_csr *a,                 \
          const int32_t *self, int64_t n_self, const int32_t *ids, int64_t C),                     \
         (y, winners, x, a, self, n_self, ids, C))                                                 \
  KERNEL(void, trm_neighbor_max_backward,                                                          \
         (trm_real * dx, const trm_real *dy, const trm_winner *winners, const trm_csr *t,          \
          const int32_t *self_of, int64_t n_self, const int32_t *ids, int64_t C, bool add),        \
         (dx, dy, winners, t, self_of, n_self, ids, C, add))                                       \
  KERNEL(void, trm_target_scales,                                                                  \
         (trm_real * y, const float *over, const float *under, bool self, int64_t n),              \
         (y, over, under, self, n))                                                                \
  KERNEL(void, trm_source_scales, (trm_real * y, const float *degrees, bool self, int64_t n),      \
         (y, degrees, self, n))                                                                    \
  KERNEL(void, trm_gather_rows,                                                                    \
         (trm_real * y, const trm_real *x, const int32_t *ids, int64_t n, int64_t C, bool add),    \
         (y, x, ids, n, C, add))                                                                   \
  KERNEL(                                                                                          \
      void, trm_top_k,                                                                             \
      (int32_t * top, const trm_real *x, const trm_csr *exclude, int64_t n, int64_t C, int64_t K), \
      (top, x, exclude, n, C, K))                                                                  \
  KERNEL(void, trm_sort_rows,                                                                      \
         (int64_t * offsets, int32_t * order, const int32_t *ids, int64_t n, int64_t n_rows),      \
         (offsets, order, ids, n, n_rows))                                                         \
  KERNEL(                                                                                          \
      void, trm_segment_sum,                                                                       \
      (trm_real * y, const trm_real *x, const int64_t *offsets, int64_t n, int64_t C, bool mean),  \
      (y, x, offsets, n, C, mean))                                                                 \
  KERNEL(void, trm_segment_sum_backward,                                                           \
         (trm_real * dx, const trm_real *dy, const int64_t *offsets, int64_t n, int64_t n_rows,    \
          int64_t C, bool mean, bool add),                                                         \
         (dx, dy, offsets, n, n_rows, C, mean, add))                                               \
  KERNEL(void, trm_segment_max,                                                                    \
         (trm_real * y, trm_winner * winners, const trm_real *x, const int64_t *offsets,           \
          int64_t n, int64_t C),                                                                   \
         (y, winners, x, offsets, n, C))                                                           \
  KERNEL(void, trm_segment_max_backward,                                                           \
         (trm_real * dx, const trm_real *dy, const trm_winner *winners, const int64_t *offsets,    \
          int64_t n, int64_t n_rows, int64_t C, bool add),                                         \
         (dx, dy, winners, offsets, n, n_rows, C, add))                                            \
  KERNEL(void, trm_feature_rows,                                                                   \
         (trm_real * y, const float *x, const int32_t *rows, int64_t n, int64_t F, double p,       \
          trm_random_key key, const int32_t *ids),                                                 \
         (y, x, rows, n, F, p, key, ids))                                                          \
  KERNEL(void, trm_sparse_dropout,                                                                 \
         (float *values, const trm_csr *a, const int32_t *ids, double p, trm_random_key key),      \
         (values, a, ids, p, key))
