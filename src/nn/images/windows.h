/** Windows over the images of a variable, for the operators that move them. */
#ifndef TRIREME_NN_IMAGES_WINDOWS_H
#define TRIREME_NN_IMAGES_WINDOWS_H

#include "tape_internal.h"
#include "trireme/core/integers.h"
#include "trireme/math/images.h"
#include "trireme/nn/ops.h"

/** Places of a window along an axis; 0: it does not fit. */
static inline int64_t trm_window_places(int64_t size, int64_t window, trm_window w) {
  const int64_t left = size + 2 * w.padding - window;
  return left < 0 ? 0 : left / w.stride + 1;
}

/** Whether x are images and the window fits. */
static inline trm_status trm_window_check(const trm_node *node, const trm_var *x, trm_window w) {
  if (x->n_dims != 4) {
    return trm_op_fail(node, "x has %d axes, not 4 (images, height, width, channels)", x->n_dims);
  }
  if (w.height < 1 || w.width < 1 || w.stride < 1 || w.padding < 0 || w.padding >= w.height ||
      w.padding >= w.width) {
    return trm_op_fail(node, "a window of %lld x %lld with stride %lld and padding %lld",
                       (long long)w.height, (long long)w.width, (long long)w.stride,
                       (long long)w.padding);
  }
  if (trm_window_places(x->dims[1], w.height, w) < 1 ||
      trm_window_places(x->dims[2], w.width, w) < 1) {
    return trm_op_fail(node,
                       "a window of %lld x %lld does not fit images of %lld x %lld with padding "
                       "%lld; take fewer layers that shrink images, or larger images",
                       (long long)w.height, (long long)w.width, (long long)x->dims[1],
                       (long long)x->dims[2], (long long)w.padding);
  }
  return TRM_OK;
}

static inline trm_windows trm_windows_of(const trm_var *x, trm_window w) {
  return (trm_windows){.N = x->dims[0],
                       .H = x->dims[1],
                       .W = x->dims[2],
                       .C = x->dims[3],
                       .height = w.height,
                       .width = w.width,
                       .stride = w.stride,
                       .padding = w.padding,
                       .down = trm_window_places(x->dims[1], w.height, w),
                       .across = trm_window_places(x->dims[2], w.width, w)};
}

#endif
