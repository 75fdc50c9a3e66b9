/**
 * Kernels on images x[N, H, W, C], channels last: convolution and pooling, both by windows.
 *
 * Float32 always (double in the double build); each element is one sum in an order fixed by the shapes.
 * Windows reach past an image into zeros (a maximum or mean: into nothing).
 */
#ifndef TRIREME_MATH_IMAGES_H
#define TRIREME_MATH_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "trireme/math/graph_kernels.h"
#include "trireme/math/real.h"

/** Windows over images. A place of a window is a pixel of the output. */
typedef struct trm_windows {
  int64_t N, H, W, C;                     /* images: height, width, channels */
  int64_t height, width, stride, padding; /* of the window; padding < height, width */
  int64_t down, across; /* places: (H + 2 padding - height) / stride + 1, and so of W */
} trm_windows;

/**
 * A convolution (cross-correlation) of x[N, H, W, C] with w[height width C / groups, O], rows in the order
 * (row, column, channel), to y[N, down, across, O]. Output channels [g O / groups, (g + 1) O / groups) see
 * input channels [g C / groups, (g + 1) C / groups).
 */
typedef struct trm_conv {
  trm_windows windows;
  int64_t O, groups; /* groups divides C and O */
} trm_conv;

/**
 * y: each element is one sum over the rows of w in order, a fused multiply-add each, from 0; so an image's
 * result depends on it alone.
 *
 * Threads share out bands of images. The unfolded image is nowhere: a band with its zeros is copied into
 * scratch (read in place without padding), and windows are read there.
 * @param scratch  [trm_conv_forward_scratch(conv)] overwritten
 */
void trm_conv_forward(trm_real *y, const trm_real *x, const trm_real *w, const trm_conv *conv,
                      trm_real *scratch);
/**
 * dx (+)= the input's gradient: each element one sum over the window's rows, columns (both from the
 * last to the first) and output channels.
 * @param scratch  [trm_conv_backward_input_scratch(conv)] overwritten
 */
void trm_conv_backward_input(trm_real *dx, const trm_real *dy, const trm_real *w,
                             const trm_conv *conv, bool add, trm_real *scratch);
/**
 * dw (+)= the gradient of the weights, then merged into n_merges arrays below (trm_after, math/product.h).
 * Each element is a sum over bands of places in their order, each band a sum in order. Threads share out
 * weights, never places.
 * @param scratch  [trm_conv_backward_weights_scratch(conv)] overwritten
 */
void trm_conv_backward_weights(trm_real *dw, const trm_real *dy, const trm_real *x,
                               const trm_conv *conv, bool add, int n_merges, int64_t merge_step,
                               trm_real *scratch);
/** Elements of `scratch` for any thread count up to trm_threads_get(), no smaller for more images. */
int64_t trm_conv_forward_scratch(const trm_conv *conv);
int64_t trm_conv_backward_input_scratch(const trm_conv *conv);
int64_t trm_conv_backward_weights_scratch(const trm_conv *conv);

/** The same by channel (depthwise: C groups of one channel and one output, w[height width, C]), without
 *  scratch. Sums as above, pixels outside of the image left out; of weights by rows of places. */
void trm_conv_channels_forward(trm_real *y, const trm_real *x, const trm_real *w,
                               const trm_windows *windows);
/** dx (+)= the sum over the windows that see a pixel, in their order. */
void trm_conv_channels_backward_input(trm_real *dx, const trm_real *dy, const trm_real *w,
                                      const trm_windows *windows, bool add);
/** As trm_conv_backward_weights. */
void trm_conv_channels_backward_weights(trm_real *dw, const trm_real *dy, const trm_real *x,
                                        const trm_windows *windows, bool add, int n_merges,
                                        int64_t merge_step);

/** y[N, down, across, C]: the maximum of each window and channel; a NaN wins, of equals the first.
 *  winners [N, down, across, C]: its place in the window, row by row. */
void trm_pool_max_forward(trm_real *y, trm_winner *winners, const trm_real *x,
                          const trm_windows *windows);
/** dx (+)= sum of dy over the windows that a pixel won, in their order. */
void trm_pool_max_backward(trm_real *dx, const trm_real *dy, const trm_winner *winners,
                           const trm_windows *windows, bool add);
/** y: the sum over each window, row by row, or (mean) that by the number of pixels that are there. */
void trm_pool_sum_forward(trm_real *y, const trm_real *x, const trm_windows *windows, bool mean);
/** dx (+)= sum of dy (mean: by the number of pixels) over the windows that see a pixel, in their order. */
void trm_pool_sum_backward(trm_real *dx, const trm_real *dy, const trm_windows *windows, bool mean,
                           bool add);

/** y[N, C] = x scale[C] + shift[C] by column; scale NULL: 1, shift NULL: 0. y may equal x. */
void trm_channel_scale_forward(trm_real *y, const trm_real *x, const float *scale,
                               const float *shift, int64_t N, int64_t C);
/** dx[N, C] (+)= dy scale[C]. */
void trm_channel_scale_backward(trm_real *dx, const trm_real *dy, const float *scale, int64_t N,
                                int64_t C, bool add);

#endif
