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
  KERNEL(void, trm_adamw_update,                                                                   \
         (trm_real * w, trm_real * m, trm_real * v, const trm_real *g, trm_real decay,             \
          trm_adamw_scalars s, int64_t n),                                                         \
         (w, m, v, g, decay, s, n))                                                                \
  KERNEL(void, trm_sgd_update,                                                                     \
         (trm_real * w, trm_real * u, const trm_real *g, trm_real decay, trm_real scale,           \
          trm_real lr, trm_real momentum, bool nesterov, int64_t n),                               \
         (w, u, g, decay, scale, lr, momentum, nesterov, n))
