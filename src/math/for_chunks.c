#include "kernels/chunks.h"
#include "trireme/math/threads.h"

void trm_for_chunks(int64_t n, void (*body)(void *context, int64_t begin, int64_t end),
                    void *context) {
  TRM_FOR_CHUNKS(n, begin, end, body(context, begin, end));
}
